/* C types, as the objects see them that hold numbers. */
#ifndef MP_OBJECTS_CTYPE_H
#define MP_OBJECTS_CTYPE_H

#include <multiproc/ctype.h>

typedef enum mp__number {
    MP__NUMBER_NONE, /* no such type */
    MP__NUMBER_SIGNED,
    MP__NUMBER_UNSIGNED,
    MP__NUMBER_BOOL,
    MP__NUMBER_REAL
} mp__number_t;

mp__number_t mp__ctype_number(mp_ctype_t type);

/* In C's words, for messages. */
const char *mp__ctype_name(mp_ctype_t type);

/* Cuts a whole number to the type's width: the 64 bits of the number that the type then holds. */
uint64_t mp__ctype_cut(mp_ctype_t type, uint64_t bits);

#endif
