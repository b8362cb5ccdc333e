/* The public RLock. */
#include <multiproc/rlock.h>

#include "objects/mutex.h"

struct mp_rlock {
    mp__shared_t shared;
};

mp_status_t mp_rlock_create(mp_rlock_t **rlock)
{
    return mp__shared_create(MP_KIND_RLOCK, (mp__shared_t **)rlock);
}

mp_status_t mp_rlock_acquire(mp_rlock_t *rlock, double timeout)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)rlock, MP_KIND_RLOCK);
    if (status != MP_OK)
        return status;
    const mp__mutex_t mutex = mp__mutex_of(&rlock->shared, true);
    return mp__mutex_acquire(&mutex, timeout);
}

mp_status_t mp_rlock_release(mp_rlock_t *rlock)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)rlock, MP_KIND_RLOCK);
    if (status != MP_OK)
        return status;
    const mp__mutex_t mutex = mp__mutex_of(&rlock->shared, true);
    return mp__mutex_release(&mutex);
}

mp_status_t mp_rlock_close(mp_rlock_t *rlock)
{
    return mp__mutex_close((mp__shared_t *)rlock, MP_KIND_RLOCK, NULL);
}
