/**
 * @file queue.h
 * Queues of values between any processes and threads of a family.
 *
 * A queue belongs to the process that made it: when that one closes it or ends, every use anywhere is ::MP_GONE and
 * waiters wake. An item whose put returned ::MP_OK is received once; put needs no helper thread, so nothing is lost
 * when a process ends and no join waits for a reader. Any thread of any process may use a queue; mp_queue_close() must
 * be the last use of its pointer.
 */
#ifndef MULTIPROC_QUEUE_H
#define MULTIPROC_QUEUE_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/**
 * Makes a queue.
 * @param max_items puts wait while so many are in it; 0: no limit but memory.
 * @return ::MP_OK; ::MP_INVALID; ::MP_NO_MEMORY; ::MP_LIMIT; ::MP_SYSTEM.
 */
MP_API mp_status_t mp_queue_create(mp_queue_t **queue, uint64_t max_items);

/** @cond internal */
MP_API mp_status_t mp__queue_put(mp_queue_t *queue, mp_value_t value, double timeout);
/** @endcond */

/**
 * @def mp_queue_put(queue, x, timeout)
 * Puts a value, encoded by the caller; waits while the queue is full, or while the family's memory cap is reached.
 * @return ::MP_OK; ::MP_TIMEOUT: full until the deadline; ::MP_GONE; ::MP_NO_MEMORY: the cap until the deadline;
 * ::MP_NOT_SENDABLE: a connection or descriptor (those travel as arguments of a start and over connections);
 * ::MP_INVALID and other statuses of encoding: nothing was put.
 */
#define mp_queue_put(queue, x, timeout) mp__queue_put((queue), mp_of(x), (timeout))

/**
 * Takes the first item; waits while there is none.
 * @param value becomes the caller's, to be freed by mp_value_free().
 * @return ::MP_OK; ::MP_TIMEOUT: empty until the deadline; ::MP_GONE; ::MP_TYPE: the first item is raw bytes (it
 * stays); statuses of decoding, for example ::MP_GONE for an object inside that has ended: that item is taken and lost.
 */
MP_API mp_status_t mp_queue_get(mp_queue_t *queue, mp_value_t *value, double timeout);

/** Puts size bytes as one item, without encoding. As mp_queue_put(). */
MP_API mp_status_t mp_queue_put_bytes(mp_queue_t *queue, const void *data, size_t size, double timeout);

/**
 * Takes an item of mp_queue_put_bytes().
 * @param size in: the room at data; out: the item's length.
 * @return as mp_queue_get(), and ::MP_TOO_LARGE: the room is too small; the item stays, *size says what it needs.
 * ::MP_TYPE: the first item is a value; it stays.
 */
MP_API mp_status_t mp_queue_get_bytes(mp_queue_t *queue, void *data, size_t *size, double timeout);

/** How many items are in it, exactly. @return ::MP_OK; ::MP_GONE; ::MP_INVALID. */
MP_API mp_status_t mp_queue_size(mp_queue_t *queue, uint64_t *size);

/** In the process that made it: ends it for all. Elsewhere: lets go of this process's pointer. @return ::MP_OK;
 * ::MP_GONE: it was over;
 *  ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_queue_close(mp_queue_t *queue);

MP_END_DECLS

#endif
