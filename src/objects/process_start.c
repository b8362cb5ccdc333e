/* The calls that start a child: its object, its name, the wait until it runs. What the system does is in start.c. */
#include "objects/process_object.h"

#include "core/local.h"
#include "core/once.h"
#include "objects/forked.h"
#include "objects/log.h"

#include <stdio.h>
#include <string.h>

static mp_status_t name_child(mp_process_t *process, const char *wanted, char *child_identity, size_t size)
{
    mp_status_t status = mp__self_number_child(process->unwatched, child_identity, size);
    if (status != MP_OK)
        return status;
    int length = wanted ? snprintf(process->name, sizeof process->name, "%s", wanted)
                        : snprintf(process->name, sizeof process->name, "Process-%.48s", child_identity);
    return length < (int)sizeof process->name
               ? MP_OK
               : mp__error(MP_TOO_LARGE, "start a process", "its name has more than %d bytes",
                           (int)sizeof process->name - 1);
}

static mp_status_t start_child(mp_process_t *process, mp_function_t function, mp_args_t args,
                               const mp_process_options_t *options, mp__deadline_t deadline)
{
    char child_identity[MP__IDENTITY];
    mp_status_t status = name_child(process, options->name, child_identity, sizeof child_identity);
    if (status != MP_OK)
        return status;
    mp__outfit_t outfit;
    status = mp__outfit_make(&outfit, options);
    if (status != MP_OK)
        return status;
    mp__start_t start = {.function = function,
                         .args = args,
                         .name = process->name,
                         .identity = child_identity,
                         .method = options->method,
                         .service = process->service,
                         .daemon = process->daemon,
                         .unwatched = process->unwatched,
                         .fork_with_threads = options->fork_with_threads,
                         .deadline = deadline,
                         .outfit = &outfit};
    status = mp__start_child(&start, &process->os, &process->slot, &process->epoch);
    process->detached = options->detach;
    mp__outfit_fini(&outfit, &process->streams);
    return status;
}

/* ---- starts by fork beside starts with pipes or files
 *
 * A fork copies every descriptor. Those of a start that is under way in another thread are in no list yet that the
 * child could close them by, and who holds a pipe's other end unknown keeps the end of what comes by it from being
 * seen. */

static mp__once_t turn_made;
static apr_thread_mutex_t *turn;

static mp_status_t make_turn(void)
{
    return mp__forks_mutex(&turn);
}

void mp__process_starts_forget(void)
{
    turn_made = 0; /* it is held at each fork */
}

static bool opens(const mp_stdio_t *stream)
{
    return stream->kind == MP_STDIO_PIPE || stream->kind == MP_STDIO_FILE || stream->kind == MP_STDIO_APPEND;
}

/* Must it be alone on its way from opening its streams to the list of children? */
static mp_status_t needs_turn(const mp_process_options_t *options, bool *needs)
{
    mp_start_method_t method = MP_START_SPAWN;
    mp_status_t status = mp__os_caps()->fork ? mp__start_method(options->method, &method) : MP_OK;
    bool streams = opens(&options->input) || opens(&options->output) || opens(&options->error);
    *needs = mp__os_caps()->fork && (streams || method == MP_START_FORK);
    return status == MP_OK && *needs ? mp__once(&turn_made, make_turn) : status;
}

typedef enum sort { USERS, SERVICE, FORKSERVER } sort_t;

static mp_status_t start_and_list(mp_process_t *process, mp_function_t function, mp_args_t args,
                                  const mp_process_options_t *options, mp__deadline_t deadline)
{
    mp_status_t status = start_child(process, function, args, options, deadline);
    if (status == MP_OK)
        status = mp__children_lock();
    if (status == MP_OK) {
        mp__children_add(process);
        mp__children_unlock();
    }
    return status;
}

/* Starts a child and lists it; nobody need hold it. */
static mp_status_t start_listed(mp_process_t **process, mp_function_t function, mp_args_t args,
                                const mp_process_options_t *options, sort_t sort, mp__deadline_t deadline)
{
    *process = NULL;
    if (!function)
        return mp__error(MP_INVALID, "start a process", "no function");
    if (mp_current_process()->daemon)
        return mp__error(MP_STATE, "start a process", "a daemon may have no children of its own");
    mp__processes_collect();
    mp_process_t *made = mp__process_make();
    if (!made)
        return mp__error(MP_NO_MEMORY, "start a process", "no memory for its object");
    mp__process_init_child(made);
    made->service = sort != USERS;
    made->unwatched = sort == FORKSERVER;
    made->daemon = options->daemon;
    bool alone;
    mp_status_t status = needs_turn(options, &alone);
    if (status == MP_OK) {
        if (alone)
            apr_thread_mutex_lock(turn);
        status = start_and_list(made, function, args, options, deadline);
        if (alone)
            apr_thread_mutex_unlock(turn);
    }
    if (status == MP_OK)
        *process = made;
    else
        mp__handle_release(&made->handle);
    return status;
}

static mp_status_t died_at_start(const mp_process_t *process)
{
    const char *step = "start a process";
    if (process->ending.known && process->ending.code == MP__EXIT_MISMATCH)
        return mp__error(MP_MISMATCH, step, "the child has another version of the library");
    if (process->ending.known)
        return mp__error(MP_DIED, step, "the child ended with exit code %d before it ran the function",
                         process->ending.code);
    return mp__error(MP_DIED, step, "the child ended before it ran the function");
}

static mp_status_t beginning_of_ended(const mp_process_t *process)
{
    mp_status_t status = process->beginning.status;
    return status == MP_OK        ? MP_OK
           : status == MP_RUNNING ? died_at_start(process)
                                  : mp__error_again(&process->beginning);
}

static mp_status_t await_start(mp_process_t *process, mp__deadline_t deadline)
{
    mp_status_t status = mp__family_join();
    if (status != MP_OK)
        return status;
    for (;;) {
        status = mp__process_poll(process);
        if (status != MP_TIMEOUT)
            return status == MP_OK ? beginning_of_ended(process) : status;
        status = mp__start_progress(process->slot, process->epoch);
        if (status != MP_RUNNING && status != MP_DIED)
            return status;
        if (deadline <= mp__os_now())
            return mp__error(MP_TIMEOUT, "start a process", "%s does not run its function yet", process->name);
        mp__start_await(process->slot, mp__sooner(deadline, mp__os_now() + MP__LOOK));
    }
}

/* ---- the public starts */

static mp_process_options_t copy_options(const mp_process_options_t *options, size_t size)
{
    mp_process_options_t own = {0};
    if (options)
        memcpy(&own, options, size < sizeof own ? size : sizeof own);
    return own;
}

/* A child that did not come to its function, or not in time, is ended; its error stays. */
static mp_status_t withdraw(mp_process_t *process, mp_error_t error)
{
    mp__log(MP_LOG_INFO, "%s did not start: %s: %s", process->name, error.step, error.text);
    (void)mp_process_kill(process);
    (void)mp_process_join(process, MP_FOREVER);
    if (mp_process_close(process) != MP_OK)
        mp__process_abandon(process);
    return mp__error_again(&error);
}

/* Who does not say how long a start may take still does not wait for ever for a fork server that is stopped. */
#define SERVER_PATIENCE (60 * MP__SECOND)

mp_status_t mp__process_start_begin(mp_process_t **process, mp_function_t function, mp_args_t args,
                                    const mp_process_options_t *options, size_t options_size)
{
    mp_process_options_t own = copy_options(options, options_size);
    return process ? start_listed(process, function, args, &own, USERS, mp__os_now() + SERVER_PATIENCE)
                   : mp__error(MP_INVALID, "start a process", "no place for the new object");
}

mp_status_t mp_process_start_wait(mp_process_t *process, double timeout)
{
    mp__deadline_t deadline;
    if (!mp__process_is_child(process))
        return mp__process_no_child(process, "wait for a start");
    mp_status_t status = mp__deadline(timeout, &deadline);
    return status == MP_OK ? await_start(process, deadline) : status;
}

mp_status_t mp__process_start(mp_process_t **process, mp_function_t function, mp_args_t args,
                              const mp_process_options_t *options, size_t options_size)
{
    mp_process_t *made;
    mp_process_options_t own = copy_options(options, options_size);
    if (process)
        *process = NULL;
    mp__deadline_t deadline;
    mp_status_t status = mp__deadline(own.start_timeout > 0 ? own.start_timeout : MP_FOREVER, &deadline);
    if (status == MP_OK)
        status = start_listed(&made, function, args, &own, USERS, deadline);
    if (status == MP_OK) {
        status = await_start(made, deadline);
        if (status != MP_OK)
            return withdraw(made, *mp_error());
    }
    if (status == MP_OK && process)
        *process = made;
    else if (status == MP_OK)
        mp__process_abandon(made);
    return status;
}

mp_status_t mp__process_start_service(mp_process_t **process, mp_function_t function, mp_args_t args, const char *name,
                                      mp_start_method_t method)
{
    mp_process_options_t options = {.name = name, .method = method};
    return start_listed(process, function, args, &options, SERVICE, mp__os_now() + SERVER_PATIENCE);
}

mp_status_t mp__process_start_forkserver(mp_process_t **process, mp_function_t function, mp_args_t args,
                                         const char *const *environment, mp__deadline_t deadline)
{
    mp_process_options_t options = {.name = "ForkServer", .method = MP_START_SPAWN, .environment = environment};
    mp_process_t *made;
    *process = NULL;
    mp_status_t status = start_listed(&made, function, args, &options, FORKSERVER, MP__NEVER);
    if (status == MP_OK)
        status = await_start(made, deadline);
    else
        return status;
    if (status != MP_OK)
        return withdraw(made, *mp_error());
    *process = made;
    return MP_OK;
}
