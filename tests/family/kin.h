/* A family for these tests: the case is its root; its sub-programs become members by the family's own calls. */
#ifndef MP_TEST_KIN_H
#define MP_TEST_KIN_H

#include "child.h"
#include "family/family.h"

typedef struct mp_test_kin {
    mp_test_child_t child;
    uint32_t slot;
    uint32_t epoch;
} mp_test_kin_t;

/* The case becomes the root; what stays from then on is the leak check's baseline. */
void mp_test_family(void);

/* Starts a sub-program as a member. `block` is a block that it may want to find, 0: none. */
void mp_test_kin_start(mp_test_kin_t *kin, const char *program, uint64_t block, const char *const *words);

/* Waits for its end, then sweeps it. */
mp__os_exit_t mp_test_kin_join(mp_test_kin_t *kin);

/* Kills it, waits until it is dead, and leaves the sweep to the case. */
void mp_test_kin_kill(mp_test_kin_t *kin);

void mp_test_kin_sweep(const mp_test_kin_t *kin);

/* In a sub-program: becomes the member that it was started as; the memory of the block. */
void *mp_test_kin_accept(void);

/* In a sub-program: word number i that followed. */
const char *mp_test_kin_word(size_t i);

/* In a sub-program that goes on until it is killed: does the root live? */
bool mp_test_kin_wanted(void);

/* Waits for a random time of at most so many microseconds. */
void mp_test_jitter(uint64_t *random, uint64_t most);

#endif
