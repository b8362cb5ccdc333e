/**
 * @file lease.h
 * Leases: items of a queue that are not lost with who takes them.
 *
 * An item on lease stays the queue's until its holder, the process that took it, says that it is done. If the holder
 * dies before, however it does, the item is delivered again, before those that were never delivered. A holder may take
 * as long as it likes; nobody waits for it. An item can come twice (its holder died after the work and before it said
 * so), so the work should bear it; the attempt's number tells.
 *
 * The death is seen when its parent has reaped it, or by the next who waits at the queue, after half a second at most.
 */
#ifndef MULTIPROC_LEASE_H
#define MULTIPROC_LEASE_H

#include <multiproc/queue.h>

MP_BEGIN_DECLS

/** An item on lease. Of one process; one thread at a time may use it. */
typedef struct mp_lease mp_lease_t;

/**
 * Takes the first item of a queue, value or bytes, on lease; waits while there is none.
 * @param lease where it goes, to be ended by mp_lease_done() or mp_lease_return().
 * @return as mp_queue_get(), but never ::MP_TYPE; ::MP_NO_MEMORY: the item stays.
 */
MP_API mp_status_t mp_queue_get_leased(mp_queue_t *queue, mp_lease_t **lease, double timeout);

/**
 * The item's value, decoded anew with each call.
 * @param value becomes the caller's, to be freed by mp_value_free().
 * @return ::MP_OK; ::MP_TYPE: it is raw bytes; ::MP_INVALID; statuses of decoding.
 */
MP_API mp_status_t mp_lease_value(const mp_lease_t *lease, mp_value_t *value);

/**
 * The item's bytes.
 * @param data where they are: the lease's, until it ends.
 * @return ::MP_OK; ::MP_TYPE: it is a value; ::MP_INVALID.
 */
MP_API mp_status_t mp_lease_bytes(const mp_lease_t *lease, const void **data, size_t *size);

/** How often the item has been delivered, with this time: 1 at first. 0 for NULL. */
MP_API uint32_t mp_lease_attempt(const mp_lease_t *lease);

/**
 * The item is done with: it is gone for good. Frees the lease, whatever the status. In a joinable queue it counts as
 * mp_queue_task_done().
 * @return ::MP_OK; ::MP_GONE: the queue has ended; ::MP_STATE: it is another process's (a parent's, before a fork).
 * NULL is fine.
 */
MP_API mp_status_t mp_lease_done(mp_lease_t *lease);

/** Gives the item back: it is delivered again at once, or goes to the dead letters if this was its last attempt. Else
 * as mp_lease_done(). */
MP_API mp_status_t mp_lease_return(mp_lease_t *lease);

MP_END_DECLS

#endif
