/* Ctrl-C as a terminal brings it: to a program and all that it started. */
#ifndef MP_TEST_CTRL_C_H
#define MP_TEST_CTRL_C_H

#include <stdbool.h>
#include <stddef.h>

#define MP_TEST_SOMEBODY_LEFT (-1000)

/* Runs a sub-program in a group (Windows: a console) of its own until nobody holds its output any more, which comes to
 * `output`. Its exit code, or minus the signal that ended it; MP_TEST_SOMEBODY_LEFT. Skips the case where there can be
 * no such group. */
int mp_test_run_group(const char *program, char *output, size_t size);

/* In there: reaches everybody in it. */
void mp_test_press_ctrl_c(void);

/* Is it the exit code of a program, or of a child, that Ctrl-C ended? */
bool mp_test_is_ctrl_c(int code);

#endif
