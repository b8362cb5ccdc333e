/**
 * @file condition.h
 * Conditions: waiting, under a lock, for a change that another makes under it.
 *
 *     mp_condition_acquire(condition, MP_FOREVER);
 *     while (!there_is_work())
 *         mp_condition_wait(condition, MP_FOREVER);
 *
 * Who waits longest is notified first, and only the living are: a notification to one that dies before its wait
 * returned goes to the next.
 *
 * A condition belongs to the process that made it. Any thread of any process may use it; mp_condition_close() must be
 * the last use of its pointer.
 *
 * Timeouts: see ::MP_FOREVER.
 */
#ifndef MULTIPROC_CONDITION_H
#define MULTIPROC_CONDITION_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** @cond internal */
MP_API mp_status_t mp__condition_create(mp_condition_t **condition, mp_value_t lock);
/** @endcond */

/** Makes a condition with an RLock of its own. It belongs to this process. @return ::MP_OK; ::MP_INVALID;
 * ::MP_NO_MEMORY; ::MP_LIMIT; ::MP_SYSTEM. */
static inline mp_status_t mp_condition_create(mp_condition_t **condition)
{
    return mp__condition_create(condition, mp__none());
}

/**
 * @def mp_condition_create_with(condition, lock)
 * Makes a condition that uses an ::mp_lock_t or ::mp_rlock_t, which must not end before it. As mp_condition_create(),
 * and ::MP_TYPE: it is neither.
 */
#define mp_condition_create_with(condition, lock) mp__condition_create((condition), mp_of(lock))

/** Takes its lock. @return as mp_rlock_acquire(), or mp_lock_acquire() for an ::mp_lock_t that it was made with. */
MP_API mp_status_t mp_condition_acquire(mp_condition_t *condition, double timeout);

/** Lets go of its lock, once. @return as mp_rlock_release(). */
MP_API mp_status_t mp_condition_release(mp_condition_t *condition);

/**
 * Lets go of the lock, however often this thread has taken it, waits until notified, and takes the lock again as often,
 * however long that lasts. It may return without a notification when processes have died.
 * @return ::MP_OK; ::MP_TIMEOUT: not notified until the deadline; ::MP_OWNER_DIED: the last holder of the lock died
 * holding it, and whether there was a notification is not said. In these cases the lock is held. ::MP_NOT_OWNER: this
 * thread does not hold it; ::MP_NO_MEMORY: it has not waited, and holds the lock; ::MP_GONE: its owner closed it or
 * died; a lock that it was made with is held if that still exists; ::MP_INVALID.
 */
MP_API mp_status_t mp_condition_wait(mp_condition_t *condition, double timeout);

/** Is it so? Called with the condition's lock held. */
typedef bool (*mp_predicate_t)(void *context);

/**
 * Waits, as mp_condition_wait(), until predicate(context) is true; at once if it is.
 * @return ::MP_OK: it is true; ::MP_TIMEOUT: it was false at the deadline; else as mp_condition_wait().
 */
MP_API mp_status_t mp_condition_wait_for(mp_condition_t *condition, mp_predicate_t predicate, void *context,
                                         double timeout);

/**
 * Notifies so many of those who wait, or all if there are fewer. They return when this thread has let go of the lock.
 * @return ::MP_OK, also if nobody waits; ::MP_NOT_OWNER: this thread does not hold the lock; ::MP_GONE; ::MP_INVALID.
 */
MP_API mp_status_t mp_condition_notify(mp_condition_t *condition, uint32_t n);

/** Notifies all who wait. As mp_condition_notify(). */
MP_API mp_status_t mp_condition_notify_all(mp_condition_t *condition);

/** In the process that made it: ends it for all, who waits gets ::MP_GONE; the lock that it was made with stays.
 * Elsewhere: lets go of this process's pointer. @return ::MP_OK; ::MP_BUSY: its own lock is held (only in the process
 * that made it; it stays open); ::MP_GONE: it was over, and the pointer is let go of; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_condition_close(mp_condition_t *condition);

MP_END_DECLS

#endif
