/* Waiting: for one handle, for any of many; events. */
#include "win32.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

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

/* More than one call can take are waited for by threads, each with its batch. `over` ends all of them: one of them, or
 * of the first batch, which is the waiting thread's own, is ready. */
#define BATCH (MAXIMUM_WAIT_OBJECTS - 1)

typedef struct watcher {
    HANDLE thread;
    size_t first; /* which of all it watches */
    DWORD count;
    HANDLE handles[MAXIMUM_WAIT_OBJECTS]; /* `over` first */
    size_t found;                         /* which became ready; SIZE_MAX: none */
} watcher_t;

/* A pipe cannot be waited for itself: a read of no bytes ends, and sets its event, when there are some. */
typedef struct probe {
    HANDLE pipe; /* NULL: it is no pipe */
    OVERLAPPED call;
    bool pending;
} probe_t;

struct mp__os_watch {
    size_t n;
    HANDLE *handles; /* to wait for; a probe's event */
    probe_t *probes; /* NULL: there are none */
    watcher_t *watchers;
    size_t started; /* of the watchers */
    HANDLE over;
};

static mp_status_t no_memory(void)
{
    return mp__error(MP_NO_MEMORY, waiting, "no memory");
}

static void start_probe(probe_t *probe)
{
    static char nothing;
    ResetEvent(probe->call.hEvent);
    probe->pending = !ReadFile(probe->pipe, &nothing, 0, NULL, &probe->call) && GetLastError() == ERROR_IO_PENDING;
    if (!probe->pending) /* there is something to read, or to fail by */
        SetEvent(probe->call.hEvent);
}

/* Its memory is ours again. */
static void end_probe(probe_t *probe)
{
    DWORD done;
    if (probe->pending)
        GetOverlappedResult(probe->pipe, &probe->call, &done, TRUE);
    probe->pending = false;
}

static mp_status_t open_probe(mp__os_watch_t *watch, size_t i)
{
    probe_t *probe = &watch->probes[i];
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!event)
        return mp__win_failure(waiting);
    probe->pipe = watch->handles[i];
    probe->call.hEvent = watch->handles[i] = event;
    start_probe(probe);
    return MP_OK;
}

static void close_probe(probe_t *probe)
{
    if (!probe->pipe)
        return;
    if (probe->pending)
        CancelIoEx(probe->pipe, &probe->call);
    end_probe(probe);
    CloseHandle(probe->call.hEvent);
}

/* Is there still what the probe has seen, or did somebody take it? Then it is started again. */
static mp_status_t confirm(probe_t *probe, bool *ready)
{
    mp_status_t status = mp__os_channel_poll((mp__os_handle_t)probe->pipe, 0);
    *ready = status != MP_TIMEOUT;
    if (*ready)
        return status;
    end_probe(probe);
    start_probe(probe);
    return MP_OK;
}

static bool is_probe(const mp__os_watch_t *watch, size_t i)
{
    return watch->probes && watch->probes[i].pipe;
}

/* What a wait found the system may not tell again: it is noted, but for probes, which stay as they are. */
static void note(const mp__os_watch_t *watch, bool *ready, size_t i)
{
    if (!is_probe(watch, i))
        ready[i] = true;
}

/* Sets ready[i] of those of at most MAXIMUM_WAIT_OBJECTS handles that are ready now. */
static mp_status_t collect(const HANDLE *handles, size_t n, bool *ready)
{
    for (size_t from = 0; from < n;) {
        DWORD result = WaitForMultipleObjects((DWORD)(n - from), handles + from, FALSE, 0);
        if (result == WAIT_FAILED)
            return mp__win_failure(waiting);
        if (result == WAIT_TIMEOUT)
            return MP_OK;
        from += result - WAIT_OBJECT_0;
        ready[from++] = true;
    }
    return MP_OK;
}

/* Has one become ready that a watcher waits for? That one has ended, or is about to. */
static bool beyond_first_batch(const mp__os_watch_t *watch, const bool *ready)
{
    for (size_t i = BATCH; i < watch->n; i++)
        if (ready[i])
            return true;
    return false;
}

/* Looks at all, without waiting. */
static mp_status_t look(mp__os_watch_t *watch, bool *ready, bool *any)
{
    mp_status_t status = MP_OK;
    for (size_t i = 0; i < watch->n && status == MP_OK; i += MAXIMUM_WAIT_OBJECTS) {
        size_t left = watch->n - i;
        status = collect(watch->handles + i, left < MAXIMUM_WAIT_OBJECTS ? left : MAXIMUM_WAIT_OBJECTS, ready + i);
    }
    for (size_t i = 0; i < watch->n && status == MP_OK; i++) {
        if (ready[i] && is_probe(watch, i))
            status = confirm(&watch->probes[i], &ready[i]);
        *any = *any || ready[i];
    }
    return status;
}

static DWORD WINAPI watch_batch(void *context)
{
    watcher_t *watcher = context;
    DWORD result = WaitForMultipleObjects(watcher->count, watcher->handles, FALSE, INFINITE);
    if (result > WAIT_OBJECT_0 && result < WAIT_OBJECT_0 + watcher->count)
        watcher->found = watcher->first + (result - WAIT_OBJECT_0) - 1;
    SetEvent(watcher->handles[0]);
    return 0;
}

static mp_status_t start_watchers(mp__os_watch_t *watch)
{
    ResetEvent(watch->over);
    for (size_t i = BATCH; i < watch->n; watch->started++) {
        watcher_t *watcher = &watch->watchers[watch->started];
        *watcher = (watcher_t){.first = i, .count = 1, .found = SIZE_MAX};
        watcher->handles[0] = watch->over;
        while (watcher->count <= BATCH && i < watch->n)
            watcher->handles[watcher->count++] = watch->handles[i++];
        watcher->thread = CreateThread(NULL, 65536, watch_batch, watcher, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
        if (!watcher->thread)
            return mp__win_failure(waiting);
    }
    return MP_OK;
}

static void stop_watchers(mp__os_watch_t *watch, bool *ready)
{
    if (watch->started > 0)
        SetEvent(watch->over);
    while (watch->started > 0) {
        watcher_t *watcher = &watch->watchers[--watch->started];
        WaitForSingleObject(watcher->thread, INFINITE);
        CloseHandle(watcher->thread);
        if (ready && watcher->found != SIZE_MAX)
            note(watch, ready, watcher->found);
    }
}

/* Waits for the first that is ready. */
static mp_status_t sleep_in(mp__os_watch_t *watch, DWORD milliseconds, bool *ready)
{
    HANDLE own[MAXIMUM_WAIT_OBJECTS];
    DWORD count = (DWORD)(watch->n < BATCH ? watch->n : BATCH);
    memcpy(own, watch->handles, count * sizeof *own);
    if (watch->over) {
        mp_status_t status = watch->started ? MP_OK : start_watchers(watch);
        if (status != MP_OK)
            return status;
        own[count] = watch->over;
    }
    DWORD result = WaitForMultipleObjects(watch->over ? count + 1 : count, own, FALSE, milliseconds);
    if (result == WAIT_FAILED)
        return mp__win_failure(waiting);
    if (result == WAIT_OBJECT_0 + count)
        stop_watchers(watch, ready);
    else if (result != WAIT_TIMEOUT)
        note(watch, ready, result - WAIT_OBJECT_0);
    return MP_OK;
}

static mp_status_t fill(mp__os_watch_t *watch, const mp__os_handle_t *handles, const bool *channel, size_t n)
{
    mp_status_t status = MP_OK;
    for (size_t i = 0; i < n && status == MP_OK; i++) {
        watch->handles[i] = mp__win_handle(handles[i]);
        if (handles[i] == MP__NO_HANDLE) /* to the system it would be this very process */
            status = mp__error_native(MP_INVALID, waiting, ERROR_INVALID_HANDLE);
        else if (channel && channel[i])
            status = open_probe(watch, i);
    }
    if (status == MP_OK && n > BATCH) {
        watch->over = CreateEventW(NULL, TRUE, FALSE, NULL);
        if (!watch->over)
            status = mp__win_failure(waiting);
    }
    return status;
}

mp_status_t mp__os_watch_begin(const mp__os_handle_t *handles, const bool *channel, size_t n, mp__os_watch_t **out)
{
    *out = NULL;
    mp__os_watch_t *watch = calloc(1, sizeof *watch);
    if (!watch)
        return no_memory();
    watch->n = n;
    watch->handles = calloc(n ? n : 1, sizeof *watch->handles);
    watch->probes = channel ? calloc(n ? n : 1, sizeof *watch->probes) : NULL;
    watch->watchers = n > BATCH ? calloc((n - 1) / BATCH, sizeof *watch->watchers) : NULL;
    bool complete = watch->handles && (watch->probes || !channel) && (watch->watchers || n <= BATCH);
    mp_status_t status = complete ? fill(watch, handles, channel, n) : no_memory();
    if (status == MP_OK)
        *out = watch;
    else
        mp__os_watch_end(watch);
    return status;
}

mp_status_t mp__os_watch_wait(mp__os_watch_t *watch, mp__deadline_t deadline, bool *ready)
{
    bool any = false;
    if (watch->n == 0)
        mp__os_sleep(deadline);
    else
        memset(ready, 0, watch->n * sizeof *ready);
    for (;;) {
        DWORD milliseconds = watch->n ? mp__win_milliseconds(deadline) : 0;
        mp_status_t status = look(watch, ready, &any);
        if (any && beyond_first_batch(watch, ready))
            stop_watchers(watch, ready);
        if (status == MP_OK && !any && milliseconds == 0)
            status = mp__error(MP_TIMEOUT, waiting, "none is ready");
        if (status != MP_OK || any)
            return status;
        status = sleep_in(watch, milliseconds, ready);
        if (status != MP_OK)
            return status;
    }
}

void mp__os_watch_end(mp__os_watch_t *watch)
{
    if (!watch)
        return;
    stop_watchers(watch, NULL);
    for (size_t i = 0; watch->probes && i < watch->n; i++)
        close_probe(&watch->probes[i]);
    if (watch->over)
        CloseHandle(watch->over);
    free(watch->watchers);
    free(watch->probes);
    free(watch->handles);
    free(watch);
}

mp_status_t mp__os_wait_any(const mp__os_handle_t *handles, size_t n, mp__deadline_t deadline, bool *ready)
{
    HANDLE few[BATCH];
    mp__os_watch_t on_stack = {.n = n, .handles = few}, *watch = &on_stack;
    const bool many = n > BATCH;
    mp_status_t status = many ? mp__os_watch_begin(handles, NULL, n, &watch) : fill(&on_stack, handles, NULL, n);
    if (status == MP_OK)
        status = mp__os_watch_wait(watch, deadline, ready);
    if (many)
        mp__os_watch_end(watch);
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
