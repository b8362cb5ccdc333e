/* Waiting: for one handle, for any of many; events. */
#include "win32.h"

#include "core/error.h"

#include <stdlib.h>

DWORD mp__win_milliseconds(mp__deadline_t deadline)
{
    if (deadline == MP__NEVER)
        return INFINITE;
    int64_t now = mp__os_now();
    if (deadline <= now)
        return 0;
    int64_t milliseconds = (deadline - now - 1) / MP__MILLISECOND + 1;
    /* A month is said in parts. */
    return milliseconds < INT32_MAX ? (DWORD)milliseconds : INT32_MAX;
}

DWORD mp__win_wait(HANDLE handle, mp__deadline_t deadline)
{
    for (;;) {
        DWORD milliseconds = mp__win_milliseconds(deadline);
        DWORD result = WaitForSingleObject(handle, milliseconds);
        if (result != WAIT_TIMEOUT || milliseconds == 0)
            return result;
    }
}

/* ---- any of many ---- */

static const char waiting[] = "wait for any of many";

/* Sets ready[i] of those of at most MAXIMUM_WAIT_OBJECTS handles that are ready, after having waited for the first. */
static mp_status_t collect(const mp__os_handle_t *handles, size_t n, DWORD milliseconds, bool *ready, bool *any)
{
    HANDLE batch[MAXIMUM_WAIT_OBJECTS];
    for (size_t i = 0; i < n; i++) {
        if (handles[i] == MP__NO_HANDLE) /* to the system it would be this very process */
            return mp__error_native(MP_INVALID, waiting, ERROR_INVALID_HANDLE);
        batch[i] = mp__win_handle(handles[i]);
        ready[i] = false;
    }
    for (size_t from = 0; from < n;) {
        DWORD result = WaitForMultipleObjects((DWORD)(n - from), batch + from, FALSE, milliseconds);
        if (result == WAIT_FAILED)
            return mp__win_failure(waiting);
        if (result == WAIT_TIMEOUT)
            return MP_OK;
        size_t found = from + (result - WAIT_OBJECT_0);
        ready[found] = true;
        *any = true;
        from = found + 1;
        milliseconds = 0;
    }
    return MP_OK;
}

/* Looks at all, without waiting. */
static mp_status_t look(const mp__os_handle_t *handles, size_t n, bool *ready, bool *any)
{
    for (size_t i = 0; i < n; i += MAXIMUM_WAIT_OBJECTS) {
        size_t count = n - i < MAXIMUM_WAIT_OBJECTS ? n - i : MAXIMUM_WAIT_OBJECTS;
        mp_status_t status = collect(handles + i, count, 0, ready + i, any);
        if (status)
            return status;
    }
    return MP_OK;
}

static mp_status_t wait_few(const mp__os_handle_t *handles, size_t n, mp__deadline_t deadline, bool *ready, bool *any)
{
    for (;;) {
        DWORD milliseconds = mp__win_milliseconds(deadline);
        mp_status_t status = collect(handles, n, milliseconds, ready, any);
        if (status || *any || milliseconds == 0)
            return status;
    }
}

/* More than one call can take are waited for by threads, each with its batch. `over` ends all of them: one found
 * something, or the deadline passed. */
#define BATCH (MAXIMUM_WAIT_OBJECTS - 1)

typedef struct watcher {
    HANDLE thread;
    DWORD count;
    HANDLE handles[MAXIMUM_WAIT_OBJECTS]; /* `over` first */
} watcher_t;

static DWORD WINAPI watch(void *context)
{
    const watcher_t *watcher = context;
    WaitForMultipleObjects(watcher->count, watcher->handles, FALSE, INFINITE);
    SetEvent(watcher->handles[0]);
    return 0;
}

static mp_status_t watch_all(const mp__os_handle_t *handles, size_t n, mp__deadline_t deadline, HANDLE over,
                             watcher_t *watchers)
{
    mp_status_t status = MP_OK;
    size_t started = 0;
    for (size_t i = 0; !status && i < n; started += !status) {
        watcher_t *watcher = &watchers[started];
        watcher->handles[0] = over;
        for (watcher->count = 1; watcher->count <= BATCH && i < n; i++)
            watcher->handles[watcher->count++] = mp__win_handle(handles[i]);
        watcher->thread = CreateThread(NULL, 65536, watch, watcher, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
        if (!watcher->thread)
            status = mp__win_failure(waiting);
    }
    if (!status && mp__win_wait(over, deadline) == WAIT_FAILED)
        status = mp__win_failure(waiting);
    SetEvent(over);
    while (started > 0) {
        HANDLE thread = watchers[--started].thread;
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
    return status;
}

static mp_status_t wait_many(const mp__os_handle_t *handles, size_t n, mp__deadline_t deadline, bool *ready, bool *any)
{
    const size_t count = (n - 1) / BATCH + 1;
    watcher_t *watchers = count <= SIZE_MAX / sizeof *watchers ? malloc(count * sizeof *watchers) : NULL;
    if (!watchers)
        return mp__error(MP_NO_MEMORY, waiting, "no memory");
    mp_status_t status = look(handles, n, ready, any);
    if (!status && !*any && mp__win_milliseconds(deadline) > 0) {
        HANDLE over = CreateEventW(NULL, TRUE, FALSE, NULL);
        status = over ? watch_all(handles, n, deadline, over, watchers) : mp__win_failure(waiting);
        if (over)
            CloseHandle(over);
        if (!status)
            status = look(handles, n, ready, any);
    }
    free(watchers);
    return status;
}

mp_status_t mp__os_wait_any(const mp__os_handle_t *handles, size_t n, mp__deadline_t deadline, bool *ready)
{
    bool any = false;
    mp_status_t status = MP_OK;
    if (n == 0)
        mp__os_sleep(deadline);
    else if (n <= MAXIMUM_WAIT_OBJECTS)
        status = wait_few(handles, n, deadline, ready, &any);
    else
        status = wait_many(handles, n, deadline, ready, &any);
    if (!status && !any)
        return mp__error(MP_TIMEOUT, waiting, "none is ready");
    return status;
}

/* ---- events ---- */

mp_status_t mp__os_event_create(mp__os_event_t *event)
{
    HANDLE handle = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!handle)
        return mp__win_failure("create an event");
    event->wait = event->set = (mp__os_handle_t)handle;
    return MP_OK;
}

void mp__os_event_set(const mp__os_event_t *event)
{
    SetEvent(mp__win_handle(event->set));
}

void mp__os_event_clear(const mp__os_event_t *event)
{
    ResetEvent(mp__win_handle(event->wait));
}

void mp__os_event_close(mp__os_event_t *event)
{
    mp__os_handle_close(event->wait);
    event->wait = event->set = MP__NO_HANDLE;
}
