/*
 * The book of a queue: who has taken what and is not done with it. A block of the queue's own with records, made at the
 * first need and replaced by a larger one by one store (`book`; `growing` names it before that, and it names the former
 * one). All of it is under header.second.
 *
 * A record is FREE; LEASED: an item is with a process; RETURNED: it came back, and goes out before the chain's; DEAD:
 * it came back too often, and is on its way to the queue for dead letters; TAKER: so many items of a joinable queue are
 * with a process that has not said it is done with them.
 *
 * One store of a record's state is what counts. Where other words must change with it they stand in the book's slip
 * first: END, from the store of `slip` on the slip holds and is carried out, if need be by who repairs; TAKE, it holds
 * once head has gone past the item whose number is in it. Carrying it out can be repeated.
 *
 * A dead letter's block goes to the other queue by one compare-and-swap of its owner, under that queue's header.lock;
 * from there on that queue's repair finishes the put, and this one's record is only a record whose block is gone.
 */
#ifndef MP_OBJECTS_QUEUE_BOOK_H
#define MP_OBJECTS_QUEUE_BOOK_H

#include "objects/queue/chain.h"

/* After a death in the get side. */
mp_status_t mp__book_repair(mp__header_t *header);

/* Frees the blocks of what is on lease. Nobody is in the queue any more. */
void mp__book_release(mp__header_t *header);

/* Makes it. Under header.second. MP_NO_MEMORY. */
mp_status_t mp__book_open(mp_queue_t *queue);

/* ---- taking: the slip is written before the item is passed, and carried out (or torn up) behind it */

/* The item at the spot goes on lease: wanted->record, number, attempt, and what its bytes are. MP_BUSY: its block is
 * gone; MP_NO_MEMORY. */
mp_status_t mp__book_lease(mp_queue_t *queue, const mp__spot_t *spot, uint64_t word, mp__wanted_t *wanted);

/* One more that this process has taken. MP_NO_MEMORY. */
mp_status_t mp__book_taker(mp_queue_t *queue);

/* Instead of that: an item that is lost, and nobody needs to be done with. */
mp_status_t mp__book_lost(mp_queue_t *queue);

void mp__book_apply(mp_queue_t *queue);
void mp__book_forget(mp_queue_t *queue);

/* Takes the first of those that came back; as the get side takes items. MP_BUSY: there is none. */
mp_status_t mp__book_take_returned(mp_queue_t *queue, mp__wanted_t *wanted);

/* Looks for leases of dead ones, which so come back. Under header.second. */
void mp__book_find_dead(mp_queue_t *queue);

/* Has somebody died since, and may have had a lease? */
static inline bool mp__book_look_due(const mp__content_t *c)
{
    return mp__load64(&c->leases) && mp__load64(&c->deaths) != mp__load32(&mp__family.head->deaths);
}

/* ---- being done; each takes header.second itself */

/* The end of a lease. MP_GONE: the queue has ended; MP_STATE: it is no lease of this process (any more). */
mp_status_t mp__book_end_lease(mp_queue_t *queue, uint32_t record, uint64_t number, uint32_t attempt, bool done);

/* MP_STATE: this process has taken none that it is not done with. */
mp_status_t mp__book_task_done(mp_queue_t *queue);

/* How many of the items put are not done with. *lost: how many of them ever were with processes that died, if that is
 * more than the caller has been told: *told, 0 - 1 at first. Under both locks. */
uint64_t mp__book_unfinished(mp_queue_t *queue, uint64_t *told, uint64_t *lost);

/* How many of a joinable queue are not done with, at a glance; false: there is no book to be seen. */
bool mp__book_glance(mp__header_t *header, uint64_t *unfinished);

/* Drops what came back. Under header.second. */
void mp__book_drop_returned(mp_queue_t *queue);

#endif
