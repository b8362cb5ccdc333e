/* Taking and leaving the lock of an object that has one beside its content. */
#include "objects/guard.h"

static bool gone(const mp__shared_t *shared)
{
    return !mp__object_is(shared->header, &shared->handle.reference);
}

/* One try, or one slice of waiting. MP_OK and MP_OWNER_DIED: taken, and the object lives. */
static mp_status_t take(mp__shared_t *shared, mp__deadline_t deadline)
{
    mp__lock_word_t *word = &shared->header->held;
    mp_status_t status = mp__word_lock(word, deadline);
    /* Whoever died, or is waited for, may have been the object's owner. */
    if (status == MP_OWNER_DIED || status == MP_TIMEOUT)
        mp__object_owner_died(shared->header, &shared->handle.reference);
    if (!gone(shared))
        return status;
    if (status == MP_OWNER_DIED)
        mp__word_abandon(word); /* perhaps of the place's next object, whose users are to be told */
    else if (status == MP_OK)
        mp__word_release(word);
    return MP_GONE;
}

static mp_status_t explain(mp_status_t status, mp_kind_t kind)
{
    const char *step = "lock an object";
    switch (status) {
    case MP_TIMEOUT:
        return mp__error(status, step, "another holds the %s", mp_kind_name(kind));
    case MP_BUSY:
    case MP_DEADLOCK:
        return mp__error(status, step, "this thread holds the %s already", mp_kind_name(kind));
    case MP_OWNER_DIED:
        return mp__error(status, step, "taken; its last holder died holding it");
    case MP_GONE:
        return mp__object_gone(step);
    default:
        return status;
    }
}

mp_status_t mp__guard_lock(mp__shared_t *shared, mp_kind_t kind, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = mp__shared_use(shared, kind);
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    if (status != MP_OK)
        return status;
    for (;;) {
        if (gone(shared))
            return mp__object_gone("lock an object");
        mp__deadline_t slice = deadline ? mp__sooner(deadline, mp__os_now() + MP__PARK_SLICE) : 0;
        status = take(shared, slice);
        if (status != MP_TIMEOUT || slice == deadline)
            return status == MP_TIMEOUT ? mp__shared_unmet(shared, explain(status, kind), "lock an object")
                                        : explain(status, kind);
    }
}

mp_status_t mp__guard_unlock(mp__shared_t *shared, mp_kind_t kind)
{
    mp_status_t status = mp__shared_use(shared, kind);
    if (status != MP_OK)
        return status;
    if (gone(shared))
        return mp__object_gone("unlock an object");
    if (!mp__word_release(&shared->header->held))
        return mp__error(MP_NOT_OWNER, "unlock an object", "this thread does not hold it");
    return MP_OK;
}

/* It is held while its end begins, so that nobody takes it meanwhile; the header lives on, so the word may be let go of
 * afterwards, which wakes those who wait for it. */
mp_status_t mp__guard_close(mp__shared_t *shared, mp_kind_t kind, void (*release)(mp__header_t *))
{
    if (!shared)
        return MP_OK;
    mp_status_t status = mp__shared_use(shared, kind);
    if (status != MP_OK)
        return status == MP_CLOSED ? MP_OK : status;
    if (!mp__shared_mine(shared) || gone(shared))
        return mp__shared_close(shared, kind, release);
    mp__lock_word_t *word = &shared->header->held;
    status = mp__word_lock(word, 0);
    if (status != MP_OK && status != MP_OWNER_DIED)
        return mp__error(MP_BUSY, "close an object", "its lock is held");
    mp_status_t ended = mp__shared_close(shared, kind, release);
    mp__word_release(word);
    return ended;
}
