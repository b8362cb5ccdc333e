/*
 * A thread's turn: it waits, in a place of its own, until another thread says that it is its turn.
 *
 * The word lies in the thread's slot, which is never anything else, and counts the thread's turns, so a late giver
 * gives nothing to whoever waits there next. Giving and leaving are one compare-and-swap each: exactly one of the two
 * happens.
 */
#ifndef MP_FAMILY_TURN_H
#define MP_FAMILY_TURN_H

#include "family/family.h"

typedef enum mp__turn {
    MP__TURN_OVER,    /* it is another turn by now, or none */
    MP__TURN_WAITING, /* it has not come */
    MP__TURN_GIVEN    /* it has come, and the thread is still at it */
} mp__turn_t;

#define MP__TURN_NUMBERS (UINT32_C(1) << 30)

/* The calling thread begins to wait. The number of its turn, below MP__TURN_NUMBERS. */
uint32_t mp__turn_begin(void);

/* Sleeps until it is given; MP_OK also for no reason, to look again. MP_TIMEOUT: the deadline. */
mp_status_t mp__turn_sleep(uint32_t number, mp__deadline_t deadline);

/* The calling thread waits no more; false: it was given before that. */
bool mp__turn_leave(uint32_t number);

/* The calling thread is done with it. */
void mp__turn_end(uint32_t number);

/* What became of another thread's. Any thread and number are safe. */
mp__turn_t mp__turn_of(uint64_t thread, uint32_t number);

/* Gives it, and wakes who waits; false: it was not to be given. Any thread and number are safe. */
bool mp__turn_give(uint64_t thread, uint32_t number);

#endif
