/**
 * @file lock.h
 * Locks between any processes and threads of a family.
 *
 * A lock is held by a thread. Unlike Python's, only that thread releases it: that is what lets the others know when its
 * holder has died. mp_lock_close() must be the last use of its pointer.
 *
 * Timeouts: see ::MP_FOREVER.
 */
#ifndef MULTIPROC_LOCK_H
#define MULTIPROC_LOCK_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** Makes a lock, free. It belongs to this process. @return ::MP_OK; ::MP_INVALID; ::MP_NO_MEMORY; ::MP_LIMIT;
 * ::MP_SYSTEM. */
MP_API mp_status_t mp_lock_create(mp_lock_t **lock);

/**
 * Takes the lock.
 * @return ::MP_OK; ::MP_OWNER_DIED: taken, and its last holder (process or thread) died holding it: what it guards may
 * be half changed; ::MP_TIMEOUT; ::MP_DEADLOCK: this thread holds it (with a timeout of 0 or less: ::MP_BUSY);
 * ::MP_GONE: its owner closed it or died; ::MP_INVALID.
 */
MP_API mp_status_t mp_lock_acquire(mp_lock_t *lock, double timeout);

/** Lets go. @return ::MP_OK; ::MP_NOT_OWNER: this thread does not hold it; ::MP_GONE; ::MP_INVALID. Does not block. */
MP_API mp_status_t mp_lock_release(mp_lock_t *lock);

/** In the process that made it: ends it for all. Elsewhere: lets go of this process's pointer. @return ::MP_OK;
 * ::MP_BUSY: it is held (only in the process that made it; it stays open); ::MP_GONE: it was over, and the pointer is
 * let go of; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_lock_close(mp_lock_t *lock);

MP_END_DECLS

#endif
