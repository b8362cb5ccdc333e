/* What the managers' tests share: a manager, and what it holds as Python shows it. */
#ifndef MP_TEST_SERVED_H
#define MP_TEST_SERVED_H

#include "../harness/harness.h"

#include <multiproc.h>

/* A manager of the case's. What the library makes once and keeps is made before; the leak check's baseline is set. */
mp_manager_t *mp_test_manager(void);

/* Does x show as the text? */
#define EXPECT_SHOWN(x, text) mp_test_shown(mp_repr(x), (text), #x, __FILE__, __LINE__)
void mp_test_shown(char *repr, const char *text, const char *what, const char *file, int line);

/* The same for a value that a call made, which is freed. */
#define EXPECT_MADE(value, text)                                                                                       \
    do {                                                                                                               \
        EXPECT_SHOWN(value, text);                                                                                     \
        mp_value_free(&(value));                                                                                       \
    } while (0)

/* Is that the text of the last error? */
#define EXPECT_ERROR_TEXT(expected) CU_ASSERT_STRING_EQUAL(mp_error()->text, expected)

#endif
