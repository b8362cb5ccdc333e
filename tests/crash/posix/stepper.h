/*
 * A stepper: runs a part of a forked child instruction by instruction once, to list its places; lets others run to one
 * of them by a breakpoint, so that a test can kill it there, or do something else meanwhile.
 */
#ifndef MP_TEST_STEPPER_H
#define MP_TEST_STEPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Can it be done here? Ends the case as skipped if not. Before the leak check's baseline. */
void mp_test_stepper_open(void);
void mp_test_stepper_close(void);

/* A place in an operation: an instruction, before it is executed for the hit-th time (1: the first). */
typedef struct mp_test_point {
    uint64_t address;
    uint64_t hit;
} mp_test_point_t;

/* Forks a child that runs `prepare` (may be NULL) freely, and stops at the first instruction of `act`. One at a time.
 */
void mp_test_victim_start(void (*prepare)(void), void (*act)(void));

/* Steps through all of `act`. Lists its places in *points, to be freed, and returns how many. Where nine or more rounds
 * of a loop (or of a copy) in a row went the same way, the first, the middle and the last one are listed; *left_out:
 * how many places that leaves out. */
size_t mp_test_victim_record(mp_test_point_t **points, size_t *left_out);

/* Lets it run to a place; false: it came to the end instead. The child must not have been anywhere else. */
bool mp_test_victim_reach(mp_test_point_t point);

/* Lets it run until it sleeps in the kernel; false: it came to the end. All that may be done then is to kill it. */
bool mp_test_victim_sleep(void);

/* Does that process sleep in the kernel now? Standing still because it is stepped is not asleep. */
bool mp_test_asleep(int64_t pid);

/* Lets it run to the end of `act`; false: it did not come there. */
bool mp_test_victim_finish(void);

/* Kills it where it is, and reaps it. */
void mp_test_victim_kill(void);

#endif
