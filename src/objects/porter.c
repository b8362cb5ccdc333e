/* The porter. */
#include "objects/porter.h"

#include "core/local.h"
#include "core/once.h"
#include "family/watch.h"

#include <apr_thread_cond.h>

static mp__once_t made;

static struct {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed; /* the first guest came, or the thread has its slot */
    mp__guest_t *guests;
    mp_status_t started; /* of the thread; MP_RUNNING: it is not that far yet */
    uint32_t slot;       /* the thread's, + 1 */
} porter;

static void lock(void)
{
    apr_thread_mutex_lock(porter.mutex);
}

static void unlock(void)
{
    apr_thread_mutex_unlock(porter.mutex);
}

static void wake_guests(void)
{
    for (mp__guest_t *guest = porter.guests; guest; guest = guest->next)
        if (mp__watch_rung(guest->slot))
            mp__os_event_set(&guest->event);
}

static void await_guests(void)
{
    mp__local_park();
    lock();
    while (!porter.guests)
        apr_thread_cond_wait(porter.changed, porter.mutex);
    unlock();
    mp__local_unpark();
}

static void serve(void)
{
    for (;;) {
        await_guests();
        lock();
        uint32_t seen = mp__watch_begin();
        wake_guests();
        unlock();
        mp__local_park();
        mp__watch_listen(seen);
        mp__local_unpark();
    }
}

static void run(void *unused)
{
    (void)unused;
    mp_status_t status = mp__family_join();
    lock();
    porter.started = status;
    porter.slot = mp__low(mp__self);
    apr_thread_cond_broadcast(porter.changed);
    unlock();
    if (status == MP_OK)
        serve();
}

/* In a fork's child: the thread and those who waited are the parent's; its descriptors of the events are to be closed
 * here too. */
static void forget(void)
{
    if (made == MP__MADE)
        for (mp__guest_t *guest = porter.guests; guest; guest = guest->next)
            mp__os_event_close(&guest->event);
    porter.guests = NULL;
    made = 0;
}

static mp_status_t ask_for_forks(void)
{
    return mp__os_on_fork(forget);
}

static mp_status_t start(apr_pool_t *pool)
{
    mp_status_t status = mp__local_mutex(&porter.mutex, pool);
    int code = status == MP_OK ? apr_thread_cond_create(&porter.changed, pool) : APR_SUCCESS;
    if (code != APR_SUCCESS)
        status = mp__error_apr(MP_NO_MEMORY, "make a condition", code);
    porter.started = MP_RUNNING;
    if (status == MP_OK)
        status = mp__local_thread(NULL, MP__SMALL_STACK, run, NULL, pool);
    if (status != MP_OK)
        return status;
    lock();
    while (porter.started == MP_RUNNING)
        apr_thread_cond_wait(porter.changed, porter.mutex);
    unlock();
    if (porter.started != MP_OK)
        return mp__error(MP_LIMIT, "start the porter", "it found no place in the family");
    return MP_OK;
}

static mp_status_t make_porter(void)
{
    static mp__once_t asked;
    apr_pool_t *pool;
    mp_status_t status = mp__once(&asked, ask_for_forks);
    if (status == MP_OK)
        status = mp__local_pool(&pool);
    if (status != MP_OK)
        return status;
    status = start(pool);
    if (status != MP_OK && porter.started == MP_RUNNING)
        apr_pool_destroy(pool); /* there is no thread that uses it */
    return status;
}

mp_status_t mp__porter_call(mp__guest_t *guest)
{
    mp_status_t status = mp__once(&made, make_porter);
    if (status == MP_OK)
        status = mp__os_event_create(&guest->event);
    if (status != MP_OK)
        return status;
    guest->slot = mp__low(mp__self) - 1;
    lock();
    if (!porter.guests)
        apr_thread_cond_signal(porter.changed);
    guest->next = porter.guests;
    if (guest->next)
        guest->next->link = &guest->next;
    guest->link = &porter.guests;
    porter.guests = guest;
    mp__watch_leave_to(porter.slot);
    unlock();
    return MP_OK;
}

void mp__porter_dismiss(mp__guest_t *guest)
{
    lock();
    *guest->link = guest->next;
    if (guest->next)
        guest->next->link = guest->link;
    mp__watch_leave_to(0);
    unlock();
    mp__os_event_close(&guest->event);
}
