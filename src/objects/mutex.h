/*
 * What lock, RLock and a condition's lock have in common: the lock word that every header has for its users.
 *
 * How often more than once its owner has taken it is the header's state: only the owner changes it, and who takes over
 * from a dead one sets it back before anything else. It carries the object's generation, so a late user never changes
 * the state of the place's next object.
 */
#ifndef MP_OBJECTS_MUTEX_H
#define MP_OBJECTS_MUTEX_H

#include "objects/shared.h"

typedef struct mp__mutex {
    mp__header_t *header;
    const mp__reference_t *reference;
    bool recursive;
} mp__mutex_t;

static inline mp__mutex_t mp__mutex_of(const mp__shared_t *shared, bool recursive)
{
    return (mp__mutex_t){shared->header, &shared->handle.reference, recursive};
}

static inline bool mp__mutex_gone(const mp__mutex_t *mutex)
{
    return !mp__object_is(mutex->header, mutex->reference);
}

/* When it was not simply free. Statuses of mp_lock_acquire(), with their texts. */
mp_status_t mp__mutex_acquire_slowly(const mp__mutex_t *mutex, double timeout);

static inline mp_status_t mp__mutex_acquire(const mp__mutex_t *mutex, double timeout)
{
    if (MP__LIKELY(timeout == timeout && mp__word_try(&mutex->header->held))) {
        if (MP__LIKELY(!mp__mutex_gone(mutex)))
            return MP_OK;
        mp__word_release(&mutex->header->held);
    }
    return mp__mutex_acquire_slowly(mutex, timeout);
}

/* Once less. MP_NOT_OWNER, MP_GONE. */
mp_status_t mp__mutex_release(const mp__mutex_t *mutex);

/* Does the calling thread hold it? */
static inline bool mp__mutex_mine(const mp__mutex_t *mutex)
{
    return mp__word_mine(&mutex->header->held);
}

/* Lets go of it however often it was taken; returns what mp__mutex_resume() is to be told. By the one who holds it. */
uint32_t mp__mutex_leave(const mp__mutex_t *mutex);

/* Takes it again, as often. MP_OK, MP_OWNER_DIED; MP_GONE: it is not taken. */
mp_status_t mp__mutex_resume(const mp__mutex_t *mutex, uint32_t depth);

/* mp__shared_close() for what has such a lock, which must be free: MP_BUSY. */
mp_status_t mp__mutex_close(mp__shared_t *shared, mp_kind_t kind, void (*release)(mp__header_t *));

#endif
