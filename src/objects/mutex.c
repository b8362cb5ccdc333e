/* The users' lock word: taking it, once or again, letting go, and ending what it lies in. */
#include "objects/mutex.h"

static const char acquiring[] = "acquire a lock";

/* The one before it died: nobody holds it more than once now. */
static void forget_depth(const mp__mutex_t *mutex)
{
    uint32_t depth;
    while (mp__state_get(mutex->header, mutex->reference, &depth) && depth)
        mp__state_change(mutex->header, mutex->reference, depth, 0);
}

/* Takes the word in slices, so that the death of the object's maker is seen too. */
static mp_status_t acquire(const mp__mutex_t *mutex, mp__deadline_t deadline)
{
    mp__lock_word_t *word = &mutex->header->held;
    for (;;) {
        if (mp__mutex_gone(mutex))
            return mp__object_gone(acquiring);
        mp__deadline_t slice = deadline ? mp__sooner(deadline, mp__os_now() + MP__PARK_SLICE) : 0;
        mp_status_t status = mp__word_lock(word, slice);
        bool taken = status == MP_OK || status == MP_OWNER_DIED;
        if (!taken && (status != MP_TIMEOUT || slice == deadline))
            return status;
        /* Whoever died, or is waited for, may have been the lock's maker. */
        if (status != MP_OK)
            mp__object_owner_died(mutex->header, mutex->reference);
        if (status == MP_OWNER_DIED)
            forget_depth(mutex);
        if (taken && !mp__mutex_gone(mutex))
            return status;
        if (status == MP_OWNER_DIED)
            mp__word_abandon(word); /* perhaps the place's next lock, whose users are to be told */
        else if (taken)
            mp__word_release(word);
    }
}

/* Once more, by the one who holds it. */
static mp_status_t deepen(const mp__mutex_t *mutex)
{
    uint32_t depth;
    while (mp__state_get(mutex->header, mutex->reference, &depth)) {
        if (depth == UINT32_MAX)
            return mp__error(MP_LIMIT, acquiring, "it was taken too often");
        if (mp__state_change(mutex->header, mutex->reference, depth, depth + 1))
            return MP_OK;
    }
    return mp__object_gone(acquiring);
}

/* Says why it was not simply taken. */
static mp_status_t explain(mp_status_t status)
{
    switch (status) {
    case MP_TIMEOUT:
        return mp__error(status, acquiring, "another holds it");
    case MP_BUSY:
    case MP_DEADLOCK:
        return mp__error(status, acquiring, "this thread holds it already");
    case MP_OWNER_DIED:
        return mp__error(status, acquiring, "taken; its last holder died holding it");
    default:
        return status;
    }
}

mp_status_t mp__mutex_acquire_slowly(const mp__mutex_t *mutex, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = mp__deadline(timeout, &deadline);
    if (status != MP_OK)
        return status;
    if (mutex->recursive && mp__mutex_mine(mutex))
        return deepen(mutex);
    status = acquire(mutex, deadline);
    if (status == MP_TIMEOUT && mp__object_glance(mutex->header, mutex->reference))
        return mp__object_gone(acquiring);
    return explain(status);
}

mp_status_t mp__mutex_release(const mp__mutex_t *mutex)
{
    uint32_t depth = 0;
    if (mp__mutex_gone(mutex))
        return mp__object_gone("release a lock");
    if (mutex->recursive && mp__mutex_mine(mutex))
        while (mp__state_get(mutex->header, mutex->reference, &depth) && depth)
            if (mp__state_change(mutex->header, mutex->reference, depth, depth - 1))
                return MP_OK;
    if (!mp__word_release(&mutex->header->held))
        return mp__error(MP_NOT_OWNER, "release a lock", "this thread does not hold it");
    return MP_OK;
}

uint32_t mp__mutex_leave(const mp__mutex_t *mutex)
{
    uint32_t depth = 0;
    if (mutex->recursive && mp__state_get(mutex->header, mutex->reference, &depth))
        forget_depth(mutex);
    mp__word_release(&mutex->header->held);
    return depth;
}

mp_status_t mp__mutex_resume(const mp__mutex_t *mutex, uint32_t depth)
{
    mp_status_t status = acquire(mutex, MP__NEVER);
    if (depth && (status == MP_OK || status == MP_OWNER_DIED))
        mp__state_change(mutex->header, mutex->reference, 0, depth);
    return explain(status);
}

/* It is held while the end begins, so that nobody takes it meanwhile. */
mp_status_t mp__mutex_close(mp__shared_t *shared, mp_kind_t kind, void (*release)(mp__header_t *))
{
    if (!shared)
        return MP_OK;
    mp_status_t status = mp__shared_use(shared, kind);
    if (status != MP_OK)
        return status == MP_CLOSED ? MP_OK : status;
    const mp__mutex_t mutex = mp__mutex_of(shared, false);
    if (!mp__shared_mine(shared) || mp__mutex_gone(&mutex))
        return mp__shared_close(shared, kind, release);
    mp__lock_word_t *word = &shared->header->held;
    status = mp__word_lock(word, 0);
    if (status != MP_OK && status != MP_OWNER_DIED)
        return mp__error(MP_BUSY, "close a lock", "it is held");
    /* The header lives on (it is type-stable), so the word may be let go of after the end, which wakes those who wait
     * for it. */
    mp_status_t ended = mp__shared_close(shared, kind, release);
    mp__word_release(word);
    return ended;
}
