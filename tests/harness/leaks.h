/* The leak check: what this process holds after a case that it did not hold before. */
#ifndef MP_TEST_LEAKS_H
#define MP_TEST_LEAKS_H

#include <stdbool.h>

/* From here on everything new is a leak. */
void mp_test_leaks_begin(void);

/* Is there nothing new? Otherwise a line for each leak is printed, named by its kind: "LEAK case: descriptor 7 ...". */
bool mp_test_leaks_report(const char *name);

#endif
