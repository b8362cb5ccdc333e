/* Numbers for tests that do things at random: the same ones in each run, from the seed. */
#ifndef MP_TEST_RANDOM_H
#define MP_TEST_RANDOM_H

#include <stdint.h>

/* The next one; the state must not be 0. (xorshift64*) */
static inline uint64_t mp_test_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/* The next one below n. */
static inline uint64_t mp_test_below(uint64_t *state, uint64_t n)
{
    return (mp_test_random(state) >> 11) % n;
}

#endif
