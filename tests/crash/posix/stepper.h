/*
 * A stepper: runs a part of a forked child instruction by instruction, so that a test can kill it, or do something else
 * meanwhile, after any one of them.
 */
#ifndef MP_TEST_STEPPER_H
#define MP_TEST_STEPPER_H

#include <stdbool.h>
#include <stdint.h>

/* Can it be done here? Ends the case as skipped if not. Before the leak check's baseline. */
void mp_test_stepper_open(void);
void mp_test_stepper_close(void);

/* Forks a child that runs `prepare` (may be NULL) freely, and stops at the first instruction of `act`. One at a time.
 */
void mp_test_victim_start(void (*prepare)(void), void (*act)(void));

/* Lets it run so many instructions of `act`; false: it came to the end. */
bool mp_test_victim_step(uint64_t instructions);

/* Lets it run to the end of `act`; false: it did not come there. */
bool mp_test_victim_finish(void);

/* Kills it where it is, and reaps it. */
void mp_test_victim_kill(void);

#endif
