/**
 * @file lend.h
 * Items of bytes written and read where they lie, without a copy.
 *
 * What is lent is this process's: it does not keep anybody from using the queue, stays when the queue ends, and is
 * freed with the process at the latest. Any thread of the process may give it back.
 */
#ifndef MULTIPROC_LEND_H
#define MULTIPROC_LEND_H

#include <multiproc/queue.h>

MP_BEGIN_DECLS

/** Shared memory that is lent to this process. */
typedef struct mp_lent {
    void *data;     /**< aligned to 64 bytes; NULL: nothing is lent */
    size_t size;    /**< bytes: what was asked for, or what the item has */
    uint64_t block; /**< the library's */
} mp_lent_t;

/**
 * Lends room for an item, to be written and then given to mp_queue_commit() or mp_lent_return(). Waits while the
 * family's memory cap is reached. The room is not cleared.
 * @return ::MP_OK; ::MP_NO_MEMORY: the cap until the deadline; ::MP_TIMEOUT; ::MP_GONE; ::MP_INVALID.
 */
MP_API mp_status_t mp_queue_reserve(mp_queue_t *queue, size_t size, mp_lent_t *lent, double timeout);

/**
 * Puts what was reserved, for this or for any queue of the family, as an item of the first `size` bytes; they must not
 * be written any more. As mp_queue_put_bytes(); on failure it stays lent.
 * @return as mp_queue_put_bytes(); ::MP_INVALID also: it is not lent to this process, or has fewer bytes.
 */
MP_API mp_status_t mp_queue_commit(mp_queue_t *queue, mp_lent_t *lent, size_t size, double timeout);

/**
 * Takes an item of bytes and lends it, to be given to mp_lent_return(), or put into a queue again by mp_queue_commit().
 * One of less than 4 KiB that was not committed is copied once for that.
 * @return as mp_queue_get_bytes(), but never ::MP_TOO_LARGE.
 */
MP_API mp_status_t mp_queue_get_lent(mp_queue_t *queue, mp_lent_t *lent, double timeout);

/** Gives back what was reserved or got; *lent is empty then. @return ::MP_OK, also for nothing; ::MP_INVALID: it is not
 * lent to this process (any more). */
MP_API mp_status_t mp_lent_return(mp_lent_t *lent);

MP_END_DECLS

#endif
