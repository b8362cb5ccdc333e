/*
 * A lock with a name: apr_global_mutex_t, and the holder's word beside it, in the memory behind the name.
 *
 * The system frees the mutex of a holder that dies, and APR says nothing of it. But the word still names the dead one:
 * it is written after the mutex is taken and cleared before it is given back. Whoever takes the mutex and finds a word
 * there is the next one after a death.
 */
#include <multiproc/named.h>

#include "core/local.h"
#include "objects/name.h"

#include <apr_global_mutex.h>
#include <apr_strings.h>

#include <stdlib.h>

#define KIND   ".lock"
#define STEP   "use a named lock"
#define PAUSES (10 * MP__MILLISECOND)

/* The one mechanism that a process finds by a file's name and that goes with its holder. */
#if APR_HAS_FLOCK_SERIALIZE
#define MECHANISM APR_LOCK_FLOCK
#else
#define MECHANISM APR_LOCK_DEFAULT
#endif

struct mp_named_lock {
    mp__handle_t handle;
    mp__name_t name;
    apr_global_mutex_t *mutex;
    uint64_t holder; /* the thread that holds it by this pointer: mp__self; 0: none */
};

static void destroy(mp__handle_t *handle)
{
    mp__name_close(&((mp_named_lock_t *)(void *)handle)->name);
    mp__handle_bury(handle);
}

static const char *mutex_path(const mp_named_lock_t *lock)
{
    return apr_pstrcat(lock->name.pool, lock->name.path, ".mutex", NULL);
}

static mp_status_t make_mutex(mp_named_lock_t *lock)
{
    const char *path = mutex_path(lock);
    apr_file_remove(path, lock->name.pool);
    int code = apr_global_mutex_create(&lock->mutex, path, MECHANISM, lock->name.pool);
    return code == APR_SUCCESS ? MP_OK : mp__name_failed("make a named lock", code);
}

/* apr_global_mutex_child_init() wants a mutex that it can make this one from, and removes the file that it opened when
 * it is closed: so it gets a second name of the file. Neither is needed afterwards. */
static mp_status_t open_mutex(mp_named_lock_t *lock)
{
    apr_pool_t *pool = lock->name.pool;
    uint64_t random = 0;
    apr_generate_random_bytes((unsigned char *)&random, sizeof random);
    const char *real = mutex_path(lock), *path = real;
    const char *own = apr_psprintf(pool, "%s" MP__NAME_OPENING "%d-%x%x", lock->name.path, (int)mp__os_pid(),
                                   (unsigned)mp__high(random), (unsigned)mp__low(random));
    int code = apr_global_mutex_create(&lock->mutex, own, MECHANISM, pool);
    if (code == APR_SUCCESS) {
        apr_file_remove(own, pool);
        code = apr_file_link(real, own);
        if (code == APR_SUCCESS)
            path = own;
        if (code == APR_SUCCESS || APR_STATUS_IS_ENOENT(code)) /* Windows: there is a mutex of that name, but no file */
            code = apr_global_mutex_child_init(&lock->mutex, path, pool);
        apr_file_remove(own, pool);
    }
    return code == APR_SUCCESS ? MP_OK : mp__name_failed("open a named lock", code);
}

static mp_status_t make(mp_named_lock_t **out, const char *name, bool fresh)
{
    if (!out)
        return mp__error(MP_INVALID, STEP, "no place for the new object");
    *out = NULL;
    mp_named_lock_t *lock = calloc(1, sizeof *lock);
    if (!lock)
        return mp__error(MP_NO_MEMORY, STEP, "no memory for its holder");
    mp__handle_init(&lock->handle, MP__KIND_NAMED_LOCK, &(mp__reference_t){0}, 0, destroy);
    mp_status_t status = fresh ? mp__name_create(&lock->name, name, KIND, 1) : mp__name_open(&lock->name, name, KIND);
    if (status == MP_OK) {
        status = fresh ? make_mutex(lock) : open_mutex(lock);
        if (status != MP_OK)
            mp__name_close(&lock->name);
        else if (fresh)
            mp__name_publish(&lock->name);
    }
    if (status == MP_OK)
        *out = lock;
    else
        free(lock);
    return status;
}

mp_status_t mp_named_lock_create(mp_named_lock_t **lock, const char *name)
{
    return make(lock, name, true);
}

mp_status_t mp_named_lock_open(mp_named_lock_t **lock, const char *name)
{
    return make(lock, name, false);
}

static mp_status_t check(const mp_named_lock_t *lock, const char *step)
{
    return lock && mp__handle_is(&lock->handle, MP__KIND_NAMED_LOCK)
               ? MP_OK
               : mp__handle_refuse((const mp__handle_t *)lock, MP__KIND_NAMED_LOCK, step, "named lock");
}

static mp_status_t use(mp_named_lock_t *lock)
{
    mp_status_t status = check(lock, STEP);
    return status == MP_OK ? mp__family_join() : status;
}

static mp_status_t take_mutex(mp_named_lock_t *lock, mp__deadline_t deadline)
{
    int64_t pause = MP__MILLISECOND / 10;
    int code = deadline == MP__NEVER ? apr_global_mutex_lock(lock->mutex) : apr_global_mutex_trylock(lock->mutex);
    while (APR_STATUS_IS_EBUSY(code)) {
        if (mp__os_now() >= deadline)
            return mp__error(MP_TIMEOUT, STEP, "another holds it");
        mp__os_sleep(mp__sooner(deadline, mp__os_now() + pause));
        pause = pause < PAUSES / 2 ? pause * 2 : PAUSES;
        mp_status_t status = mp__name_check(&lock->name);
        if (status != MP_OK)
            return status;
        code = apr_global_mutex_trylock(lock->mutex);
    }
    return code == APR_SUCCESS ? MP_OK : mp__error_apr(MP_SYSTEM, STEP, code);
}

mp_status_t mp_named_lock_acquire(mp_named_lock_t *lock, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = use(lock);
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    if (status == MP_OK)
        status = mp__name_check(&lock->name);
    if (status != MP_OK)
        return status;
    if (mp__load64(&lock->holder) == mp__self)
        return mp__error(deadline == 0 ? MP_BUSY : MP_DEADLOCK, STEP, "this thread holds it already");
    status = take_mutex(lock, deadline);
    if (status == MP_OK && mp__name_check(&lock->name) != MP_OK) {
        apr_global_mutex_unlock(lock->mutex);
        status = MP_GONE;
    }
    if (status != MP_OK)
        return status;
    mp__store64(&lock->holder, mp__self);
    return mp__swap32(&lock->name.head->holder, (uint32_t)mp__os_pid())
               ? mp__error(MP_OWNER_DIED, STEP, "taken; its last holder died holding it")
               : MP_OK;
}

mp_status_t mp_named_lock_release(mp_named_lock_t *lock)
{
    mp_status_t status = use(lock);
    if (status != MP_OK)
        return status;
    if (mp__load64(&lock->holder) != mp__self)
        return mp__error(MP_NOT_OWNER, STEP, "this thread does not hold it");
    mp__store64(&lock->holder, 0);
    mp__store32(&lock->name.head->holder, 0);
    int code = apr_global_mutex_unlock(lock->mutex);
    return code == APR_SUCCESS ? MP_OK : mp__error_apr(MP_SYSTEM, STEP, code);
}

mp_status_t mp_named_lock_unlink(mp_named_lock_t *lock)
{
    mp_status_t status = check(lock, STEP);
    return status == MP_OK ? mp__name_unlink(&lock->name) : status;
}

/* The owner's close takes it first, so that nobody holds what has ended. */
mp_status_t mp_named_lock_close(mp_named_lock_t *lock)
{
    if (!lock)
        return MP_OK;
    mp_status_t status = use(lock);
    if (status != MP_OK)
        return status == MP_CLOSED ? MP_OK : status;
    bool owner = lock->name.owner && lock->name.pid == mp__os_pid();
    if (mp__load64(&lock->holder) || (owner && apr_global_mutex_trylock(lock->mutex) != APR_SUCCESS))
        return mp__error(MP_BUSY, "close a named lock", "it is held");
    if (owner) {
        mp__name_end(&lock->name);
        apr_global_mutex_unlock(lock->mutex);
    }
    mp__handle_close(&lock->handle);
    return MP_OK;
}
