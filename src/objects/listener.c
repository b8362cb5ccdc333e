/*
 * Listeners: the waits, the end, and what processes leave behind; src/platform.h has the addresses.
 *
 * A close finds others in the middle of an accept. It sets a flag and an event, upon which they leave; what they use is
 * closed by the last of them.
 */
#include "objects/listener.h"

#include "core/atomic.h"
#include "core/local.h"
#include "core/once.h"
#include "objects/connection.h"
#include "objects/finalize.h"
#include "objects/forked.h"
#include "wire/handle.h"

#include <limits.h>
#include <stdlib.h>

#define CLOSED   0x80000000u
#define PAUSE    (MP__MILLISECOND / 10) /* between looks for room at a listener: the first, */
#define PAUSES   (10 * MP__MILLISECOND) /* and the longest */
#define BOTHWAYS (MP__CONN_RECEIVES | MP__CONN_SENDS)

struct mp_listener {
    mp__handle_t handle;
    mp__os_listener_t *place;
    mp__os_event_t over;
    uint32_t users; /* threads that are in a call, and CLOSED */
    mp_listener_t *next;
    mp_listener_t **link;
};

/* ---- all listeners of this process: for its end, and for fork's child */

static mp__once_t list_made;
static apr_thread_mutex_t *list_mutex;
static mp_listener_t *listeners;

/* The process ends in order. Its threads may be anywhere, so nothing else is closed. */
static void remove_all(void *unused)
{
    (void)unused;
    apr_thread_mutex_lock(list_mutex);
    for (mp_listener_t *listener = listeners; listener; listener = listener->next)
        mp__os_listener_remove(listener->place);
    apr_thread_mutex_unlock(list_mutex);
}

static mp_status_t make_list(void)
{
    return mp__forks_mutex(&list_mutex);
}

/* Once a process: no fork's child runs its parent's finalizers. */
static mp_status_t watch_end(void)
{
    static int32_t watched;
    mp__finalizer_t *unused;
    mp_status_t status = mp__once(&list_made, make_list);
    if (status != MP_OK)
        return status;
    apr_thread_mutex_lock(list_mutex);
    if (watched != mp__os_pid())
        status = mp__finalize_add(INT_MIN, remove_all, NULL, &unused);
    if (status == MP_OK)
        watched = mp__os_pid();
    apr_thread_mutex_unlock(list_mutex);
    return status;
}

static void list(mp_listener_t *listener)
{
    apr_thread_mutex_lock(list_mutex);
    listener->next = listeners;
    listener->link = &listeners;
    if (listeners)
        listeners->link = &listener->next;
    listeners = listener;
    apr_thread_mutex_unlock(list_mutex);
}

static void unlist(mp_listener_t *listener)
{
    apr_thread_mutex_lock(list_mutex);
    *listener->link = listener->next;
    if (listener->next)
        listener->next->link = listener->link;
    apr_thread_mutex_unlock(list_mutex);
}

void mp__listeners_forget(void)
{
    list_made = 0; /* a thread of the parent may have held the mutex */
    for (mp_listener_t *listener = listeners; listener; listener = listener->next) {
        mp__os_listener_close(listener->place);
        mp__os_event_close(&listener->over);
        listener->users = CLOSED; /* also for threads that are not here */
    }
    listeners = NULL;
}

/* ---- uses */

static mp_status_t check_open(uint32_t users, const char *step)
{
    return users & CLOSED ? mp__error(MP_CLOSED, step, "this process has closed this listener") : MP_OK;
}

static mp_status_t check(const mp_listener_t *listener, const char *step)
{
    if (!listener || !mp__handle_is(&listener->handle, MP_KIND_LISTENER))
        return mp__handle_refuse((const mp__handle_t *)listener, MP_KIND_LISTENER, step, "listener");
    return check_open(mp__load32(&listener->users), step);
}

/* From here on what it uses stays open, until leave(). With `flags` CLOSED others are refused. */
static mp_status_t enter(mp_listener_t *listener, uint32_t flags, const char *step)
{
    mp_status_t status = check(listener, step);
    if (status != MP_OK)
        return status;
    uint32_t users = mp__load32(&listener->users);
    while ((status = check_open(users, step)) == MP_OK)
        if (mp__cas32(&listener->users, &users, (users | flags) + 1))
            break;
    return status;
}

/* It was closed, and nobody is in it. */
static void finish(mp_listener_t *listener)
{
    mp__os_listener_close(listener->place);
    mp__os_event_close(&listener->over);
    mp__handle_close(&listener->handle);
}

static void leave(mp_listener_t *listener)
{
    if (mp__add32(&listener->users, UINT32_MAX) == (CLOSED | 1))
        finish(listener);
}

/* ---- the public calls */

static mp_status_t open_place(mp_listener_t *listener, const char *address)
{
    mp_status_t status = watch_end();
    if (status == MP_OK)
        status = mp__os_event_create(&listener->over);
    if (status != MP_OK)
        return status;
    status = mp__os_listen(address, &listener->place);
    if (status != MP_OK)
        mp__os_event_close(&listener->over);
    return status;
}

mp_status_t mp_listener_create(mp_listener_t **out, const char *address)
{
    if (!out)
        return mp__error(MP_INVALID, "listen", "no place for the new object");
    *out = NULL;
    mp_listener_t *listener = calloc(1, sizeof *listener);
    if (!listener)
        return mp__error(MP_NO_MEMORY, "listen", "no memory for its object");
    mp_status_t status = open_place(listener, address);
    if (status != MP_OK) {
        free(listener);
        return status;
    }
    mp__handle_init(&listener->handle, MP_KIND_LISTENER, &(mp__reference_t){0}, 0, mp__handle_bury);
    list(listener);
    *out = listener;
    return MP_OK;
}

const char *mp_listener_address(const mp_listener_t *listener)
{
    mp_listener_t *entered = (mp_listener_t *)(uintptr_t)listener;
    if (enter(entered, 0, "ask for a listener's address") != MP_OK)
        return NULL;
    const char *address = mp__os_listener_address(entered->place);
    leave(entered);
    return address;
}

mp_status_t mp__listener_watch(const mp_listener_t *listener, mp__os_handle_t *handle)
{
    mp_listener_t *entered = (mp_listener_t *)(uintptr_t)listener;
    mp_status_t status = enter(entered, 0, "wait for a listener");
    if (status != MP_OK)
        return status;
    *handle = mp__os_listener_handle(entered->place);
    leave(entered);
    return MP_OK;
}

/* The end of the next connection. A handle that is ready while nobody is there does not keep it beyond the deadline. */
static mp_status_t await(mp_listener_t *listener, mp__deadline_t deadline, mp__os_handle_t *end)
{
    const mp__os_handle_t handles[] = {mp__os_listener_handle(listener->place), listener->over.wait};
    mp_status_t status = MP_OK;
    for (bool last = false; status == MP_OK; last = mp__os_now() >= deadline) {
        bool ready[2];
        status = check(listener, "accept");
        if (status == MP_OK)
            status = mp__os_accept(listener->place, end);
        if (status != MP_TIMEOUT)
            return status;
        if (!last)
            status = mp__os_wait_any(handles, 2, deadline, ready);
    }
    return status == MP_TIMEOUT ? mp__error(MP_TIMEOUT, "accept", "nobody has connected") : status;
}

static mp_status_t adopt(mp__os_handle_t end, mp_conn_t **conn)
{
    void *made;
    mp_status_t status = mp__conn_adopt(end, BOTHWAYS, &made);
    if (status == MP_OK)
        *conn = made;
    else
        mp__os_handle_close(end);
    return status;
}

mp_status_t mp_listener_accept(mp_listener_t *listener, mp_conn_t **conn, double timeout)
{
    mp__deadline_t deadline;
    mp__os_handle_t end;
    if (!conn)
        return mp__error(MP_INVALID, "accept", "no place for the connection");
    *conn = NULL;
    mp_status_t status = mp__deadline(timeout, &deadline);
    if (status == MP_OK)
        status = enter(listener, 0, "accept");
    if (status != MP_OK)
        return status;
    status = await(listener, deadline, &end);
    if (status == MP_OK)
        status = adopt(end, conn);
    leave(listener);
    return status;
}

mp_status_t mp_listener_close(mp_listener_t *listener)
{
    if (!listener)
        return MP_OK;
    mp_status_t status = enter(listener, CLOSED, "close a listener");
    if (status != MP_OK)
        return status == MP_CLOSED ? MP_OK : status;
    mp__os_event_set(&listener->over);
    unlist(listener);
    mp__os_listener_remove(listener->place);
    leave(listener);
    return MP_OK;
}

mp_status_t mp_connect(mp_conn_t **conn, const char *address, double timeout)
{
    mp__deadline_t deadline;
    mp__os_handle_t end;
    if (!conn || !address)
        return mp__error(MP_INVALID, "connect", conn ? "no address" : "no place for the connection");
    *conn = NULL;
    mp_status_t status = mp__deadline(timeout, &deadline);
    if (status == MP_OK)
        status = mp__local_init();
    if (status != MP_OK)
        return status;
    int64_t pause = PAUSE;
    while ((status = mp__os_connect(address, &end)) == MP_BUSY) {
        if (mp__os_now() >= deadline)
            return mp__error(MP_TIMEOUT, "connect", "too many wait to be accepted there");
        mp__os_sleep(mp__sooner(deadline, mp__os_now() + pause));
        pause = pause < PAUSES / 2 ? pause * 2 : PAUSES;
    }
    return status == MP_OK ? adopt(end, conn) : status;
}
