/**
 * @file queue.h
 * Queues of values between any processes and threads of a family: Python's Queue, SimpleQueue and JoinableQueue.
 *
 * A queue belongs to the process that made it: when that one closes it or ends, every use anywhere is ::MP_GONE and
 * waiters wake. An item whose put returned ::MP_OK is received once; put needs no helper thread, so nothing is lost
 * when a process ends and no join waits for a reader. Any thread of any process may use a queue; mp_queue_close() must
 * be the last use of its pointer.
 *
 * Exactly: each item whose put returned ::MP_OK is received once, but for at most one in-flight get of each killed
 * consumer (the batch, for a get of many; none with leases, see lease.h). Of each killed producer at most one put that
 * never returned may appear (of a put of many: some of its first items).
 *
 * There is no SimpleQueue of its own: Python has it because its Queue needs a feeder thread, and this one needs none. A
 * queue without bounds is one.
 *
 * Timeouts: see ::MP_FOREVER.
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

/** How to make a queue; zero is the default for each field. */
typedef struct mp_queue_options {
    uint64_t max_items; /**< puts wait while so many are in it; 0: no limit but memory */
    uint64_t max_bytes; /**< and while the payloads in it, with the new one, are of more bytes (of a value: encoded); 0:
                             no limit. What came back from a lease does not count. */
    bool joinable;      /**< for mp_queue_join(): takers say mp_queue_task_done() */
    uint32_t attempts; /**< an item that was on lease so often without being done with goes to dead_letters; 0: it comes
                            back without end */
    mp_queue_t *dead_letters; /**< where it goes, whatever that queue's bounds; borrowed for the call. NULL unless
                                   attempts is given. If it has ended the item is dropped. */
} mp_queue_options_t;

/** @cond internal */
MP_API mp_status_t mp__queue_create_with(mp_queue_t **queue, const mp_queue_options_t *options, size_t options_size);
/** @endcond */

/**
 * mp_queue_create() with options, which are copied.
 * @return as mp_queue_create(); ::MP_INVALID also when only one of attempts and dead_letters is given.
 */
static inline mp_status_t mp_queue_create_with(mp_queue_t **queue, const mp_queue_options_t *options)
{
    return mp__queue_create_with(queue, options, sizeof *options);
}

/** @cond internal */
MP_API mp_status_t mp__queue_put(mp_queue_t *queue, mp_value_t value, double timeout);
/** @endcond */

/**
 * @def mp_queue_put(queue, x, timeout)
 * Puts a value, encoded by the caller; waits while the queue is full, or while the family's memory cap is reached.
 * @return ::MP_OK; ::MP_TIMEOUT: full until the deadline; ::MP_GONE; ::MP_CLOSED: it was shut down; ::MP_TOO_LARGE:
 * larger than the queue's max_bytes; ::MP_NO_MEMORY: the cap until the deadline;
 * ::MP_NOT_SENDABLE: a connection or descriptor (those travel as arguments of a start and over connections);
 * ::MP_INVALID and other statuses of encoding: nothing was put.
 */
#define mp_queue_put(queue, x, timeout) mp__queue_put((queue), mp_of(x), (timeout))

/**
 * Takes the first item; waits while there is none.
 * @param value becomes the caller's, to be freed by mp_value_free().
 * @return ::MP_OK; ::MP_TIMEOUT: empty until the deadline; ::MP_GONE; ::MP_CLOSED: it was shut down and is empty, or
 * was emptied by it; ::MP_TYPE: the first item is raw bytes (it stays); statuses of decoding, for example ::MP_GONE for
 * an object inside that has ended: that item is taken and lost.
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

/** Bytes somewhere. */
typedef struct mp_bytes {
    const void *data;
    size_t size;
} mp_bytes_t;

/**
 * Puts n items in order, as many at once as there is room for: those become visible together, with one lock for all.
 * All are encoded before the first is put.
 * @param done how many were put, also on failure; may be NULL.
 * @param timeout for all together.
 * @return as mp_queue_put(), for the first item that was not put.
 */
MP_API mp_status_t mp_queue_put_many(mp_queue_t *queue, const mp_value_t *values, size_t n, size_t *done,
                                     double timeout);

/** The same for items of bytes. */
MP_API mp_status_t mp_queue_put_bytes_many(mp_queue_t *queue, const mp_bytes_t *items, size_t n, size_t *done,
                                           double timeout);

/**
 * Takes the items that are there, up to *n; waits only while there is none.
 * @param values become the caller's, each to be freed by mp_value_free().
 * @param n in: the room at values, at least 1; out: how many were taken, also on failure.
 * @return as mp_queue_get(). After a failure of decoding the value concerned is None and the others are good.
 */
MP_API mp_status_t mp_queue_get_many(mp_queue_t *queue, mp_value_t *values, size_t *n, double timeout);

/**
 * The same for items of bytes, which are laid one behind the other.
 * @param room where they go.
 * @param size in: the bytes at room. After ::MP_TOO_LARGE: what the first item needs.
 * @param items where each of them lies in room.
 * @param n in: the room at items, at least 1; out: how many were taken. One of 4 KiB and more comes alone.
 * @return as mp_queue_get_bytes().
 */
MP_API mp_status_t mp_queue_get_bytes_many(mp_queue_t *queue, void *room, size_t *size, mp_bytes_t *items, size_t *n,
                                           double timeout);

/** How many items are in it, exactly: also after a death in it. What is on lease does not count. @return ::MP_OK;
 * ::MP_GONE; ::MP_INVALID. */
MP_API mp_status_t mp_queue_size(mp_queue_t *queue, uint64_t *size);

/** Is nothing in it? As mp_queue_size(). */
MP_API mp_status_t mp_queue_is_empty(mp_queue_t *queue, bool *empty);

/** Is one of its bounds reached? As mp_queue_size(). */
MP_API mp_status_t mp_queue_is_full(mp_queue_t *queue, bool *full);

/**
 * Shuts it down, for all and for good, as Python 3.13's queue.Queue does: puts are ::MP_CLOSED from now on, also those
 * that wait; gets are once it is empty. What is on lease may still come back, and can then be taken.
 * @param immediate drops what is in it, and gets are ::MP_CLOSED at once; joins no longer wait for what was dropped.
 * @return ::MP_OK, also the second time; ::MP_GONE; ::MP_INVALID. Waits for a put or get in progress only.
 */
MP_API mp_status_t mp_queue_shutdown(mp_queue_t *queue, bool immediate);

/**
 * Says that the calling process is done with one of the items that it took from a joinable queue. (In Python anybody
 * may say it for any item; here the process that took it, so that its death can be told from its being slow.) A lease
 * needs no such call: mp_lease_done() says it.
 * @return ::MP_OK; ::MP_STATE: it has taken none that it is not done with, or the queue is not joinable; ::MP_GONE;
 * ::MP_INVALID.
 */
MP_API mp_status_t mp_queue_task_done(mp_queue_t *queue);

/**
 * Waits until each item that was ever put into a joinable queue is done with.
 * @return ::MP_OK; ::MP_TIMEOUT; ::MP_OWNER_DIED: a process died that had taken items and was not done with them. This
 * is told to all who wait, at once, or to the next who comes; those items then count as done with. ::MP_STATE: the
 * queue is not joinable; ::MP_GONE; ::MP_INVALID.
 */
MP_API mp_status_t mp_queue_join(mp_queue_t *queue, double timeout);

/** In the process that made it: ends it for all. Elsewhere: lets go of this process's pointer. @return ::MP_OK;
 * ::MP_GONE: it was over, and the pointer is let go of;
 * ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_queue_close(mp_queue_t *queue);

MP_END_DECLS

#endif
