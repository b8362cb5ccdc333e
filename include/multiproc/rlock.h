/**
 * @file rlock.h
 * Locks that their holder may take again.
 *
 * An RLock is held by a thread of any process of the family, and is free when that thread has released it as often as
 * it took it. mp_rlock_close() must be the last use of its pointer.
 */
#ifndef MULTIPROC_RLOCK_H
#define MULTIPROC_RLOCK_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** Makes an RLock, free. It belongs to this process. @return ::MP_OK; ::MP_INVALID; ::MP_NO_MEMORY; ::MP_LIMIT;
 * ::MP_SYSTEM. */
MP_API mp_status_t mp_rlock_create(mp_rlock_t **rlock);

/**
 * Takes it; at once if this thread holds it already.
 * @return ::MP_OK; ::MP_OWNER_DIED: taken once, and its last holder (process or thread) died holding it, however often
 * it had: what it guards may be half changed; ::MP_TIMEOUT; ::MP_LIMIT: taken 2^32 times; ::MP_GONE: its owner closed
 * it or died; ::MP_INVALID.
 */
MP_API mp_status_t mp_rlock_acquire(mp_rlock_t *rlock, double timeout);

/** Lets go of it once. @return ::MP_OK; ::MP_NOT_OWNER: this thread does not hold it; ::MP_GONE; ::MP_INVALID. Does not
 * block. */
MP_API mp_status_t mp_rlock_release(mp_rlock_t *rlock);

/** In the process that made it: ends it for all. Elsewhere: lets go of this process's pointer. @return ::MP_OK;
 * ::MP_BUSY: it is held (only in the process that made it; it stays open); ::MP_GONE: it was over, and the pointer is
 * let go of; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_rlock_close(mp_rlock_t *rlock);

MP_END_DECLS

#endif
