/* The process object: its life, and what can be asked of it and done to it. */
#include "objects/process_object.h"

#include "core/local.h"
#include "objects/log.h"

#include <stdlib.h>
#include <string.h>

/* Closed objects serve later processes, the oldest first, so that a late use of one says so for a while. */
#define GRAVES 64
static mp_process_t *first_grave;
static mp_process_t **last_grave = &first_grave;
static size_t graves;

bool mp__process_is_child(const mp_process_t *process)
{
    return process && mp__handle_is(&process->handle, MP_KIND_PROCESS) && process->role == MP__ROLE_CHILD;
}

mp_status_t mp__process_no_child(const mp_process_t *process, const char *step)
{
    if (process && process->role == MP__ROLE_CLOSED)
        return mp__error(MP_CLOSED, step, "this process' object was closed");
    return mp__error(MP_INVALID, step, "this is no child of this process");
}

/* Nobody uses it any more, so what waits for its sentinel never meets another's under that number. */
static void destroy(mp__handle_t *handle)
{
    mp_process_t *process = (mp_process_t *)handle;
    mp__os_process_close(&process->os);
    mp__streams_close(&process->streams);
    if (mp__children_lock() != MP_OK)
        return;
    process->role = MP__ROLE_CLOSED;
    process->next = NULL;
    *last_grave = process;
    last_grave = &process->next;
    graves++;
    mp__children_unlock();
}

mp_process_t *mp__process_make(void)
{
    mp_process_t *process = NULL;
    if (mp__children_lock() != MP_OK)
        return NULL;
    if (graves > GRAVES) {
        process = first_grave;
        first_grave = process->next;
        graves--;
    }
    mp__children_unlock();
    return process ? memset(process, 0, sizeof *process) : calloc(1, sizeof *process);
}

void mp__process_init_child(mp_process_t *process)
{
    mp__handle_init(&process->handle, MP_KIND_PROCESS, &(mp__reference_t){0}, 0, destroy);
    process->role = MP__ROLE_CHILD;
    process->os.sentinel = process->os.job = MP__NO_HANDLE;
    mp__streams_init(&process->streams);
}

void mp__process_graves_forget(void)
{
    first_grave = NULL;
    last_grave = &first_grave;
    graves = 0;
}

void mp__process_abandon(mp_process_t *process)
{
    if (mp__children_lock() != MP_OK)
        return;
    process->abandoned = true;
    mp__streams_retire(&process->streams); /* nobody can use them any more */
    mp__children_unlock();
}

/* ---- join */

/* *pause: 0 at first. Where the sentinel is a pipe it is ready, too, when a child that lives has closed its end: then
 * that one is looked at now and then. */
static mp_status_t await_sentinel(const mp_process_t *process, mp__deadline_t deadline, int64_t *pause)
{
    bool ready;
    if (*pause)
        mp__os_sleep(mp__sooner(deadline, mp__os_now() + *pause));
    /* In slices: a sentinel may be late where a grandchild holds its other end. */
    mp__deadline_t slice = mp__sooner(deadline, mp__os_now() + MP__PARK_SLICE);
    mp_status_t status = mp__os_wait_any(&process->os.sentinel, 1, slice, &ready);
    if (status == MP_OK)
        *pause = *pause ? mp__sooner(2 * *pause, MP__LOOK) : MP__LOOK / 100;
    return status == MP_TIMEOUT ? MP_OK : status;
}

mp_status_t mp__process_join_until(mp_process_t *process, mp__deadline_t deadline)
{
    mp_status_t status = MP_OK;
    int64_t pause = 0;
    if (!mp__process_is_child(process))
        return mp__process_no_child(process, "join a process");
    while (status == MP_OK && (status = mp__process_poll(process)) == MP_TIMEOUT) {
        if (deadline <= mp__os_now())
            return mp__error(MP_TIMEOUT, "join a process", "%s still runs", process->name);
        status = await_sentinel(process, deadline, &pause);
    }
    return status;
}

mp_status_t mp_process_join(mp_process_t *process, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = mp__deadline(timeout, &deadline);
    if (status != MP_OK)
        return status;
    return mp__process_is_parent(process) ? mp__parent_join(deadline) : mp__process_join_until(process, deadline);
}

/* ---- signals */

mp_status_t mp__process_alone(mp_process_t *process, const char *step,
                              mp_status_t (*call)(mp_process_t *process, void *context), void *context)
{
    if (!mp__process_is_child(process))
        return mp__process_no_child(process, step);
    mp_status_t status = mp__children_lock();
    if (status != MP_OK)
        return status;
    status = call(process, context);
    mp__children_unlock();
    return status;
}

mp__os_process_t *mp__process_os(mp_process_t *process)
{
    return &process->os;
}

typedef enum signal { TERMINATE, KILL, INTERRUPT } signal_t;

static mp_status_t signal_alone(mp_process_t *process, void *how)
{
    if (process->known)
        return MP_OK;
    switch (*(const signal_t *)how) {
    case INTERRUPT:
        return mp__os_process_interrupt(&process->os);
    case TERMINATE:
        return mp__os_process_signal(&process->os, false);
    default:
        return mp__os_process_signal(&process->os, true);
    }
}

static mp_status_t signal_child(mp_process_t *process, signal_t how)
{
    return mp__process_alone(process, "end a process", signal_alone, &how);
}

mp_status_t mp_process_terminate(mp_process_t *process)
{
    return signal_child(process, TERMINATE);
}

mp_status_t mp_process_kill(mp_process_t *process)
{
    return signal_child(process, KILL);
}

mp_status_t mp_process_interrupt(mp_process_t *process)
{
    return signal_child(process, INTERRUPT);
}

/* ---- its end */

bool mp_process_is_alive(mp_process_t *process)
{
    if (mp__process_is_child(process)) {
        mp_status_t status = mp__child_look_at(process);
        if (status == MP_OK)
            (void)mp__child_sweep(process);
        return status != MP_OK && status != MP_BUSY;
    }
    if (mp__process_is_parent(process))
        return mp__parent_is_alive();
    return process == mp_current_process();
}

mp_status_t mp__process_check(const mp_process_t *process, const char *step)
{
    return mp__process_is_child(process) ? MP_OK : mp__process_no_child(process, step);
}

mp_status_t mp__process_check_ended(mp_process_t *process, const char *step)
{
    mp_status_t status = mp__process_check(process, step);
    if (status == MP_OK)
        status = mp__process_poll(process);
    return status == MP_TIMEOUT ? mp__error(MP_RUNNING, step, "%s still runs", process->name) : status;
}

mp_status_t mp_process_exitcode(mp_process_t *process, int *code)
{
    const char *step = "ask an exit code";
    if (!code)
        return mp__error(MP_INVALID, step, "no place for it");
    mp_status_t status = mp__process_check_ended(process, step);
    if (status != MP_OK)
        return status;
    if (!process->ending.known)
        return mp__error(MP_DIED, step, "%s died, its exit code was taken by somebody else", process->name);
    *code = process->ending.code;
    return MP_OK;
}

mp_status_t mp_process_close(mp_process_t *process)
{
    if (!process || process->role == MP__ROLE_CLOSED)
        return MP_OK;
    mp_status_t status = mp__process_check_ended(process, "close a process");
    if (status == MP_OK)
        status = mp__children_lock();
    if (status != MP_OK)
        return status;
    mp__children_remove(process);
    bool closed = process->role == MP__ROLE_CLOSED; /* by another thread */
    process->role = MP__ROLE_CLOSED;
    mp__children_unlock();
    if (!closed)
        mp__handle_release(&process->handle);
    return MP_OK;
}

/* ---- for the rest of the library */

mp__os_handle_t mp__process_sentinel(const mp_process_t *process)
{
    return process->os.sentinel;
}

mp__streams_t *mp__process_streams(const mp_process_t *process)
{
    return &((mp_process_t *)process)->streams;
}

const mp__ending_t *mp__process_ended_how(const mp_process_t *process)
{
    return &process->ending;
}

mp_status_t mp__process_watch(const mp_process_t *process, mp__os_handle_t *sentinel)
{
    if (!mp__process_is_parent(process) && !mp__process_is_child(process))
        return mp__error(MP_INVALID, "wait for a process", "it is neither a child nor the parent of this process");
    *sentinel = mp__process_is_parent(process) ? MP__NO_HANDLE : process->os.sentinel;
    return MP_OK;
}

bool mp__process_has_ended(mp_process_t *process, bool thoroughly)
{
    return thoroughly ? !mp_process_is_alive(process) : mp__load32(&process->ended) != 0;
}

void mp__process_slot_of(const mp_process_t *process, uint32_t *slot, uint32_t *epoch)
{
    *slot = process->slot;
    *epoch = process->epoch;
}

/* ---- identity */

const char *mp_process_name(const mp_process_t *process)
{
    return process && process->role != MP__ROLE_CLOSED ? process->name : "";
}

int mp_process_pid(const mp_process_t *process)
{
    if (process == mp_current_process())
        return mp_getpid();
    return process && process->role != MP__ROLE_CLOSED ? process->os.pid : 0;
}

bool mp_process_is_daemon(const mp_process_t *process)
{
    return process && process->role != MP__ROLE_CLOSED && process->daemon;
}

mp_status_t mp_process_sentinel(mp_process_t *process, intptr_t *sentinel)
{
    const char *step = "ask a sentinel";
    if (!sentinel)
        return mp__error(MP_INVALID, step, "no place for it");
    *sentinel = MP__NO_HANDLE;
    if (mp__process_is_child(process))
        *sentinel = process->os.sentinel;
    else if (mp__process_is_parent(process))
        *sentinel = mp__parent_lifeline();
    else
        return mp__process_no_child(process, step);
    return *sentinel != MP__NO_HANDLE ? MP_OK : mp__error(MP_UNSUPPORTED, step, "there is none");
}

const char *mp_exitcode_name(int code)
{
    return mp__os_exit_name(code);
}
