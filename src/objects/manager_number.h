/* Sums and order of numbers, as Python has them: whole numbers and floating ones compare by what they are worth. */
#ifndef MP_OBJECTS_MANAGER_NUMBER_H
#define MP_OBJECTS_MANAGER_NUMBER_H

#include <multiproc/value.h>

/* bool, int or float. */
bool mp__is_number(mp_value_t v);

/* MP_TYPE: one is no number; MP_VALUE: there is no whole number so large. */
mp_status_t mp__number_sum(mp_value_t a, mp_value_t b, mp_value_t *sum);

/* Below 0: a comes first. NaN comes last, so that the order is total. */
int mp__number_compare(mp_value_t a, mp_value_t b);

#endif
