/* The public lock. */
#include <multiproc/lock.h>

#include "objects/lock.h"
#include "objects/mutex.h"

struct mp_lock {
    mp__shared_t shared;
};

static mp__lock_word_t *word_of(const mp_lock_t *lock)
{
    return &lock->shared.header->held;
}

static bool gone(const mp_lock_t *lock)
{
    return !mp__object_is(lock->shared.header, &lock->shared.handle.reference);
}

mp_status_t mp_lock_create(mp_lock_t **lock)
{
    return mp__shared_create(MP_KIND_LOCK, (mp__shared_t **)lock);
}

mp_status_t mp__lock_open(const mp__reference_t *reference, void **lock)
{
    return mp__shared_open(MP_KIND_LOCK, reference, lock);
}

static MP__NOINLINE mp_status_t acquire_slowly(mp_lock_t *lock, double timeout)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)lock, MP_KIND_LOCK);
    if (status != MP_OK)
        return status;
    const mp__mutex_t mutex = mp__mutex_of(&lock->shared, false);
    return mp__mutex_acquire_slowly(&mutex, timeout);
}

/* The free lock here, with nothing around it that the compiler would have to make room for. */
mp_status_t mp_lock_acquire(mp_lock_t *lock, double timeout)
{
    if (mp__shared_usable((mp__shared_t *)lock, MP_KIND_LOCK) && timeout == timeout && mp__word_try(word_of(lock))) {
        if (MP__LIKELY(!gone(lock)))
            return MP_OK;
        mp__word_release(word_of(lock));
    }
    return acquire_slowly(lock, timeout);
}

static MP__NOINLINE mp_status_t release_slowly(mp_lock_t *lock)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)lock, MP_KIND_LOCK);
    if (status != MP_OK)
        return status;
    const mp__mutex_t mutex = mp__mutex_of(&lock->shared, false);
    return mp__mutex_release(&mutex);
}

mp_status_t mp_lock_release(mp_lock_t *lock)
{
    if (mp__shared_usable((mp__shared_t *)lock, MP_KIND_LOCK) && !gone(lock) && mp__word_let_go(word_of(lock)))
        return MP_OK;
    return release_slowly(lock);
}

mp_status_t mp_lock_close(mp_lock_t *lock)
{
    return mp__mutex_close((mp__shared_t *)lock, MP_KIND_LOCK, NULL);
}
