/* The public lock: the lock word that every header has for it. */
#include <multiproc/lock.h>

#include "objects/lock.h"
#include "objects/shared.h"

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

/* Waits in slices, so that the death of the lock's maker is seen too. */
static mp_status_t acquire(mp_lock_t *lock, mp__deadline_t deadline)
{
    for (;;) {
        if (gone(lock))
            return mp__object_gone("acquire a lock");
        mp__deadline_t slice = deadline ? mp__sooner(deadline, mp__os_now() + MP__PARK_SLICE) : 0;
        mp_status_t status = mp__word_lock(word_of(lock), slice);
        bool taken = status == MP_OK || status == MP_OWNER_DIED;
        if (!taken && (status != MP_TIMEOUT || slice == deadline))
            return status;
        /* Whoever died, or is waited for, may have been the lock's maker. */
        if (status != MP_OK)
            mp__object_owner_died(lock->shared.header, &lock->shared.handle.reference);
        if (taken && !gone(lock))
            return status;
        if (status == MP_OWNER_DIED)
            mp__word_abandon(word_of(lock)); /* perhaps the place's next lock, whose users are to be told */
        else if (taken)
            mp__word_release(word_of(lock));
    }
}

/* Says why it was not simply taken. */
static mp_status_t explain(mp_status_t status)
{
    const char *step = "acquire a lock";
    switch (status) {
    case MP_TIMEOUT:
        return mp__error(status, step, "another holds it");
    case MP_BUSY:
    case MP_DEADLOCK:
        return mp__error(status, step, "this thread holds it already");
    case MP_OWNER_DIED:
        return mp__error(status, step, "taken; its last holder died holding it");
    default:
        return status;
    }
}

static MP__NOINLINE mp_status_t acquire_slowly(mp_lock_t *lock, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = mp__shared_use((mp__shared_t *)lock, MP_KIND_LOCK);
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    return status == MP_OK ? explain(acquire(lock, deadline)) : status;
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
    if (gone(lock))
        return mp__object_gone("release a lock");
    if (!mp__word_release(word_of(lock)))
        return mp__error(MP_NOT_OWNER, "release a lock", "this thread does not hold it");
    return MP_OK;
}

mp_status_t mp_lock_release(mp_lock_t *lock)
{
    if (mp__shared_usable((mp__shared_t *)lock, MP_KIND_LOCK) && !gone(lock) && mp__word_let_go(word_of(lock)))
        return MP_OK;
    return release_slowly(lock);
}

/* Only a free lock can be closed: it is held while its end begins, so that nobody takes it meanwhile. */
mp_status_t mp_lock_close(mp_lock_t *lock)
{
    if (!lock)
        return MP_OK;
    mp_status_t status = mp__shared_use((mp__shared_t *)lock, MP_KIND_LOCK);
    if (status != MP_OK)
        return status;
    if (!mp__shared_mine(&lock->shared) || gone(lock))
        return mp__shared_close(&lock->shared, MP_KIND_LOCK, NULL);
    mp__lock_word_t *word = word_of(lock);
    status = mp__word_lock(word, 0);
    if (status != MP_OK && status != MP_OWNER_DIED)
        return mp__error(MP_BUSY, "close a lock", "it is held");
    /* The header lives on (it is type-stable), so the word may be let go of after the end, which wakes those who wait
     * for it. */
    mp_status_t ended = mp__shared_close(&lock->shared, MP_KIND_LOCK, NULL);
    mp__word_release(word);
    return ended;
}
