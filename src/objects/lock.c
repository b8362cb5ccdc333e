/* The public lock. */
#include <multiproc/lock.h>

#include "objects/lock.h"
#include "objects/mutex.h"

struct mp_lock {
    mp__shared_t shared;
};

mp_status_t mp_lock_create(mp_lock_t **lock)
{
    return mp__shared_create(MP_KIND_LOCK, (mp__shared_t **)lock);
}

mp_status_t mp__lock_open(const mp__reference_t *reference, void **lock)
{
    return mp__shared_open(MP_KIND_LOCK, reference, lock);
}

mp_status_t mp_lock_acquire(mp_lock_t *lock, double timeout)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)lock, MP_KIND_LOCK);
    if (status != MP_OK)
        return status;
    const mp__mutex_t mutex = mp__mutex_of(&lock->shared, false);
    return mp__mutex_acquire(&mutex, timeout);
}

mp_status_t mp_lock_release(mp_lock_t *lock)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)lock, MP_KIND_LOCK);
    if (status != MP_OK)
        return status;
    const mp__mutex_t mutex = mp__mutex_of(&lock->shared, false);
    return mp__mutex_release(&mutex);
}

mp_status_t mp_lock_close(mp_lock_t *lock)
{
    return mp__mutex_close((mp__shared_t *)lock, MP_KIND_LOCK, NULL);
}
