/*
 * What the library that the fault tests are linked with finds instead of its core/atomic.h: every operation that
 * changes a word is here a macro around the function of the same name, with a fault point before it and one after it.
 * So each such place in the sources has a label, {file, line, operation}, without a word about it there, and none can
 * be forgotten; the library's other builds know nothing of it.
 */
#ifndef MP_TEST_POINTS_H
#define MP_TEST_POINTS_H

#include "../../../../../src/core/atomic.h"

#include "../../point.h"

/* The linker gathers pointers to all points. */
#ifdef __ELF__
#define MP_TEST_GATHERED __attribute__((section("mp_points"), used))
#else
#define MP_TEST_GATHERED __attribute__((section("mpoint$m"), used))
#endif

/* clang-format off */
#define MP_TEST_HERE(operation, p)                                                                                     \
    static mp_test_point_t mp_here = {__FILE__, __func__, operation, __LINE__, 0};                                     \
    static mp_test_point_t *const mp_gathered MP_TEST_GATHERED = &mp_here;                                             \
    __typeof__(p) mp_word = (p);                                                                                       \
    mp_test_at(&mp_here, mp_word, MP_TEST_BEFORE)

#define MP_TEST_STORE(operation, p, v)                                                                                 \
    __extension__({                                                                                                    \
        MP_TEST_HERE(#operation, p);                                                                                   \
        operation(mp_word, v);                                                                                         \
        mp_test_at(&mp_here, mp_word, MP_TEST_AFTER);                                                                  \
    })

#define MP_TEST_CHANGE(operation, p, v)                                                                                \
    __extension__({                                                                                                    \
        MP_TEST_HERE(#operation, p);                                                                                   \
        __auto_type mp_old = operation(mp_word, v);                                                                    \
        mp_test_at(&mp_here, mp_word, MP_TEST_AFTER);                                                                  \
        mp_old;                                                                                                        \
    })

/* One that fails changes nothing: there is no point after it. */
#define MP_TEST_SWAP(operation, p, expected, v)                                                                        \
    __extension__({                                                                                                    \
        MP_TEST_HERE(#operation, p);                                                                                   \
        bool mp_done = operation(mp_word, expected, v);                                                                \
        if (mp_done)                                                                                                   \
            mp_test_at(&mp_here, mp_word, MP_TEST_AFTER);                                                              \
        mp_done;                                                                                                       \
    })

#define mp__store32(p, v) MP_TEST_STORE(mp__store32, p, v)
#define mp__store64(p, v) MP_TEST_STORE(mp__store64, p, v)
#define mp__swap32(p, v)  MP_TEST_CHANGE(mp__swap32, p, v)
#define mp__swap64(p, v)  MP_TEST_CHANGE(mp__swap64, p, v)
#define mp__add32(p, v)   MP_TEST_CHANGE(mp__add32, p, v)
#define mp__add64(p, v)   MP_TEST_CHANGE(mp__add64, p, v)
#define mp__or32(p, v)    MP_TEST_CHANGE(mp__or32, p, v)
#define mp__or64(p, v)    MP_TEST_CHANGE(mp__or64, p, v)
#define mp__and64(p, v)   MP_TEST_CHANGE(mp__and64, p, v)
#define mp__cas32(p, expected, v) MP_TEST_SWAP(mp__cas32, p, expected, v)
#define mp__cas64(p, expected, v) MP_TEST_SWAP(mp__cas64, p, expected, v)
/* clang-format on */

#endif
