/* The public process: this process's children, itself, and its parent. */
#include "objects/process.h"

#include "core/local.h"
#include "core/once.h"
#include "objects/forked.h"
#include "objects/forkserver.h"
#include "objects/log.h"
#include "wire/handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum role { CHILD, SELF, PARENT, CLOSED, PARENTS /* a child of who forked this process */ } role_t;

struct mp_process {
    mp__handle_t handle;
    role_t role;
    mp__os_process_t os;
    uint32_t slot;
    uint32_t epoch;
    uint32_t known; /* 1: it has ended; `ending` holds */
    uint32_t ended; /* 1: what it owned has been swept, too */
    mp__ending_t ending;
    mp_error_t beginning; /* with `known`: how far it came; MP_RUNNING: it did not say */
    int64_t untold;       /* since when a fork server owes how it ended; 0: it does not */
    bool awaited;         /* by the program's end, once */
    bool service;
    bool unwatched; /* the fork server */
    bool daemon;
    bool detached;
    bool abandoned; /* nobody holds the object: it is freed once it was joined */
    char name[64];
    mp__streams_t streams;
    mp_process_t *next; /* in the list of children, or of graves */
};

static mp__once_t mutex_made;
static apr_thread_mutex_t *mutex; /* guards the list, and the reaping of each child */
static mp_process_t *children;
static uint32_t started;  /* children so far, for their names */
static char identity[64]; /* "" in the root, "2:1" in the first child of the second child */

static mp_process_t self = {.role = SELF, .name = "MainProcess"};
static mp_process_t parent = {.role = PARENT};
static mp__os_handle_t parent_lifeline = MP__NO_HANDLE;

/* Closed objects serve later processes, the oldest first, so that a late use of one says so for a while. */
#define GRAVES 64
static mp_process_t *first_grave;
static mp_process_t **last_grave = &first_grave;
static size_t graves;

static mp_status_t make_mutex(void)
{
    apr_pool_t *pool;
    mp_status_t status = mp__forks_watch();
    if (status == MP_OK)
        status = mp__local_pool(&pool);
    return status == MP_OK ? mp__local_mutex(&mutex, pool) : status;
}

static mp_status_t lock_children(void)
{
    mp_status_t status = mp__once(&mutex_made, make_mutex);
    if (status == MP_OK)
        apr_thread_mutex_lock(mutex);
    return status;
}

static void unlock_children(void)
{
    apr_thread_mutex_unlock(mutex);
}

static bool is_child(const mp_process_t *process)
{
    return process && mp__handle_is(&process->handle, MP_KIND_PROCESS) && process->role == CHILD;
}

static mp_status_t no_child(const mp_process_t *process, const char *step)
{
    if (process && process->role == CLOSED)
        return mp__error(MP_CLOSED, step, "this process' object was closed");
    return mp__error(MP_INVALID, step, "this is no child of this process");
}

/* Nobody uses it any more, so what waits for its sentinel never meets another's under that number. */
static void destroy(mp__handle_t *handle)
{
    mp_process_t *process = (mp_process_t *)handle;
    mp__os_process_close(&process->os);
    mp__streams_close(&process->streams);
    if (lock_children() != MP_OK)
        return;
    process->role = CLOSED;
    process->next = NULL;
    *last_grave = process;
    last_grave = &process->next;
    graves++;
    unlock_children();
}

/* Zeroed; NULL: no memory. */
static mp_process_t *make_process(void)
{
    mp_process_t *process = NULL;
    if (lock_children() != MP_OK)
        return NULL;
    if (graves > GRAVES) {
        process = first_grave;
        first_grave = process->next;
        graves--;
    }
    unlock_children();
    return process ? memset(process, 0, sizeof *process) : calloc(1, sizeof *process);
}

/* ---- start */

static mp_status_t name_child(mp_process_t *process, const char *wanted, char *child_identity, size_t size)
{
    uint32_t number = process->unwatched ? 0 : mp__add32(&started, 1) + 1;
    int length = snprintf(child_identity, size, identity[0] ? "%s:%u" : "%s%u", identity, number);
    if (length >= (int)size)
        return mp__error(MP_LIMIT, "start a process", "too many generations of processes");
    length = wanted ? snprintf(process->name, sizeof process->name, "%s", wanted)
                    : snprintf(process->name, sizeof process->name, "Process-%.48s", child_identity);
    return length < (int)sizeof process->name
               ? MP_OK
               : mp__error(MP_TOO_LARGE, "start a process", "its name has more than %d bytes",
                           (int)sizeof process->name - 1);
}

static mp_status_t start_child(mp_process_t *process, mp_function_t function, mp_args_t args,
                               const mp_process_options_t *options, mp__deadline_t deadline)
{
    char child_identity[sizeof identity];
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

typedef enum sort { USERS, SERVICE, FORKSERVER } sort_t;

/* Starts a child and lists it; nobody need hold it. */
static mp_status_t start_listed(mp_process_t **process, mp_function_t function, mp_args_t args,
                                const mp_process_options_t *options, sort_t sort, mp__deadline_t deadline)
{
    *process = NULL;
    if (!function)
        return mp__error(MP_INVALID, "start a process", "no function");
    if (self.daemon)
        return mp__error(MP_STATE, "start a process", "a daemon may have no children of its own");
    mp__processes_collect();
    mp_process_t *made = make_process();
    if (!made)
        return mp__error(MP_NO_MEMORY, "start a process", "no memory for its object");
    mp__handle_init(&made->handle, MP_KIND_PROCESS, &(mp__reference_t){0}, 0, destroy);
    made->role = CHILD;
    made->service = sort != USERS;
    made->unwatched = sort == FORKSERVER;
    made->daemon = options->daemon;
    made->os.sentinel = made->os.job = MP__NO_HANDLE;
    mp__streams_init(&made->streams);
    mp_status_t status = start_child(made, function, args, options, deadline);
    if (status == MP_OK)
        status = lock_children();
    if (status != MP_OK) {
        mp__handle_release(&made->handle);
        return status;
    }
    made->next = children;
    children = made;
    unlock_children();
    *process = made;
    return MP_OK;
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

/* Its end does not wake who waits for its start, so that one looks for it. */
#define LOOK (10 * MP__MILLISECOND)

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
        mp__start_await(process->slot, mp__sooner(deadline, mp__os_now() + LOOK));
    }
}

/* ---- the end */

/* What the system said of the end, or the process itself did. */
static void note_exit(mp_process_t *process)
{
    process->beginning.status = mp__start_progress(process->slot, process->epoch);
    if (process->beginning.status != MP_OK && process->beginning.status != MP_RUNNING)
        process->beginning = *mp_error();
    const mp__process_slot_t *slot = &mp__family.processes[process->slot];
    bool swept = mp__high(mp__load64(&slot->claim)) != process->epoch; /* by somebody; it is another's by now */
    mp__process_ending(&process->ending, &process->os.exit, swept ? NULL : slot);
}

static void log_end(const mp_process_t *process)
{
    const mp__ending_t *end = &process->ending;
    int pid = process->os.pid;
    if (!end->known)
        mp__log(MP_LOG_INFO, "%s (pid %d) died, nobody knows how", process->name, pid);
    else if (end->code < 0)
        mp__log(MP_LOG_INFO, "%s (pid %d) was ended by %s (%d)", process->name, pid, mp_exitcode_name(end->code),
                end->code);
    else
        mp__log(MP_LOG_DEBUG, "%s (pid %d) ended with exitcode %d", process->name, pid, end->code);
}

/* A fork server that is stopped, or has much to do, does not say how its child ended; then the child's own word has to
 * do. */
#define UNTOLD (MP__SECOND / 2)

static bool is_told(mp_process_t *process)
{
    if (!process->os.foreign || mp__forkserver_told(process->slot, process->epoch, &process->os.exit))
        return true;
    int64_t now = mp__os_now();
    if (!process->untold)
        process->untold = now;
    return now - process->untold >= UNTOLD;
}

/* Has it ended? Then how is noted. Under the mutex; does not wait. MP_TIMEOUT: it runs; MP_BUSY: its fork server is to
 * say how it ended. */
static mp_status_t reap(mp_process_t *process)
{
    if (process->known)
        return MP_OK;
    mp_status_t status = mp__os_process_wait(&process->os, 0);
    if (status != MP_OK)
        return status;
    if (!is_told(process))
        return MP_BUSY;
    note_exit(process);
    mp__process_let_go(process->slot, process->epoch);
    mp__store32(&process->known, 1);
    log_end(process);
    return MP_OK;
}

/* Ends what it owned, which may take a while where others stand still in that: without the mutex. Two may do it at
 * once. */
static mp_status_t sweep(mp_process_t *process)
{
    mp_status_t status = mp__family_join();
    if (status != MP_OK)
        return status;
    mp__process_bury(process->slot, process->epoch);
    mp__store32(&process->ended, 1);
    return MP_OK;
}

/* As reap(), by anybody. */
static mp_status_t look_at(mp_process_t *process)
{
    if (mp__load32(&process->known))
        return MP_OK;
    mp_status_t status = lock_children();
    if (status != MP_OK)
        return status;
    status = reap(process);
    unlock_children();
    return status;
}

mp_status_t mp__process_poll(mp_process_t *process)
{
    mp_status_t status;
    if (mp__load32(&process->ended))
        return MP_OK;
    while ((status = look_at(process)) == MP_BUSY)
        mp__forkserver_await(process->slot, process->epoch);
    return status == MP_OK ? sweep(process) : status;
}

/* The lifeline alone does not do: where it is a pipe, whoever its process forked holds its other end too. */
static mp_status_t join_parent(mp__deadline_t deadline)
{
    while (mp_process_is_alive(&parent)) {
        mp__deadline_t slice = mp__sooner(deadline, mp__os_now() + MP__PARK_SLICE);
        bool ready;
        if (deadline <= mp__os_now())
            return mp__error(MP_TIMEOUT, "join a process", "%s still runs", parent.name);
        if (parent_lifeline == MP__NO_HANDLE || mp__os_wait_any(&parent_lifeline, 1, slice, &ready) != MP_TIMEOUT)
            mp__os_sleep(mp__sooner(deadline, mp__os_now() + LOOK));
    }
    return MP_OK;
}

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
        *pause = *pause ? mp__sooner(2 * *pause, LOOK) : LOOK / 100;
    return status == MP_TIMEOUT ? MP_OK : status;
}

mp_status_t mp_process_join(mp_process_t *process, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = mp__deadline(timeout, &deadline);
    if (status == MP_OK && process == &parent && parent.os.pid)
        return join_parent(deadline);
    if (!is_child(process))
        return no_child(process, "join a process");
    int64_t pause = 0;
    while (status == MP_OK && (status = mp__process_poll(process)) == MP_TIMEOUT) {
        if (deadline <= mp__os_now())
            return mp__error(MP_TIMEOUT, "join a process", "%s still runs", process->name);
        status = await_sentinel(process, deadline, &pause);
    }
    return status;
}

mp_status_t mp__process_alone(mp_process_t *process, const char *step,
                              mp_status_t (*call)(mp_process_t *process, void *context), void *context)
{
    if (!is_child(process))
        return no_child(process, step);
    mp_status_t status = lock_children();
    if (status != MP_OK)
        return status;
    status = call(process, context);
    unlock_children();
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

bool mp_process_is_alive(mp_process_t *process)
{
    if (is_child(process)) {
        mp_status_t status = look_at(process);
        if (status == MP_OK)
            (void)sweep(process);
        return status != MP_OK && status != MP_BUSY;
    }
    if (process == &parent)
        return mp__family_join() == MP_OK && !mp__process_dead(parent.slot, parent.epoch);
    return process == &self;
}

mp_status_t mp__process_check(const mp_process_t *process, const char *step)
{
    return is_child(process) ? MP_OK : no_child(process, step);
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

/* Takes a child out of the list; it is none any more. Under the mutex. */
static void unlist(const mp_process_t *process)
{
    for (mp_process_t **link = &children; *link; link = &(*link)->next)
        if (*link == process) {
            *link = process->next;
            return;
        }
}

mp_status_t mp_process_close(mp_process_t *process)
{
    if (!process || process->role == CLOSED)
        return MP_OK;
    mp_status_t status = mp__process_check_ended(process, "close a process");
    if (status == MP_OK)
        status = lock_children();
    if (status != MP_OK)
        return status;
    unlist(process);
    bool closed = process->role == CLOSED; /* by another thread */
    process->role = CLOSED;
    unlock_children();
    if (!closed)
        mp__handle_release(&process->handle);
    return MP_OK;
}

/* A child that runs and must be waited for, kept: another thread's start may meet it when it has ended, and forget it.
 * NULL: there is no other one. */
static mp_process_t *find_running(void)
{
    if (lock_children() != MP_OK)
        return NULL;
    mp_process_t *found = children;
    while (found && (found->service || found->detached || found->awaited || mp__load32(&found->ended)))
        found = found->next;
    if (found) {
        found->awaited = true;
        mp__handle_keep(&found->handle);
    }
    unlock_children();
    return found;
}

/* A daemon that does not heed SIGTERM. */
#define DAEMON_GRACE 2.0

static void terminate_daemons(void)
{
    if (lock_children() != MP_OK)
        return;
    for (mp_process_t *process = children; process; process = process->next)
        if (process->daemon && !process->known) {
            mp__log(MP_LOG_DEBUG, "terminating daemon %s", process->name);
            (void)mp__os_process_signal(&process->os, false);
        }
    unlock_children();
}

static mp_status_t join_last(mp_process_t *process)
{
    mp__log(MP_LOG_DEBUG, "joining %s", process->name);
    if (process->daemon && mp_process_join(process, DAEMON_GRACE) == MP_TIMEOUT)
        (void)mp_process_kill(process);
    return mp_process_join(process, MP_FOREVER);
}

void mp__processes_end_all(void)
{
    mp_process_t *process;
    if (!mp__once_made(&mutex_made)) /* there was no child ever; most processes need no APR at their end, then */
        return;
    terminate_daemons();
    while ((process = find_running()) != NULL) {
        (void)join_last(process);
        mp__handle_release(&process->handle);
    }
}

void mp__processes_collect(void)
{
    if (!mp__family_joined() || lock_children() != MP_OK)
        return;
    mp_process_t *done = NULL;
    for (mp_process_t **link = &children; *link;) {
        mp_process_t *process = *link;
        if (process->abandoned && reap(process) == MP_OK) {
            *link = process->next;
            process->next = done;
            done = process;
        } else {
            link = &process->next;
        }
    }
    unlock_children();
    while (done) {
        mp_process_t *process = done;
        done = process->next;
        (void)sweep(process);
        mp__handle_release(&process->handle);
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

void mp__process_abandon(mp_process_t *process)
{
    if (lock_children() != MP_OK)
        return;
    process->abandoned = true;
    unlock_children();
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
    if (!is_child(process))
        return no_child(process, "wait for a start");
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
    mp_status_t status = mp__deadline(own.start_timeout == 0 ? MP_FOREVER : own.start_timeout, &deadline);
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
    if (process != &parent && !is_child(process))
        return mp__error(MP_INVALID, "wait for a process", "it is neither a child nor the parent of this process");
    *sentinel = process == &parent ? MP__NO_HANDLE : process->os.sentinel;
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

void mp__processes_forget(void)
{
    mutex_made = 0; /* a thread of the parent may have held it */
    for (mp_process_t *process = children; process; process = process->next) {
        process->role = PARENTS;
        mp__os_process_close(&process->os);
        mp__streams_close(&process->streams);
    }
    first_grave = NULL;
    last_grave = &first_grave;
    graves = 0;
    children = NULL; /* the memory stays: the parent's pointers to it are in this process, too */
    started = 0;
}

void mp__process_become(const char *own_identity, bool daemon, uint32_t parent_slot, uint32_t parent_epoch,
                        mp__os_handle_t lifeline)
{
    const mp__process_slot_t *slot = &mp__family.processes[mp__family.process];
    snprintf(identity, sizeof identity, "%s", own_identity);
    snprintf(self.name, sizeof self.name, "%.63s", slot->name);
    snprintf(parent.name, sizeof parent.name, "%.63s", slot->parent_name);
    parent.os.pid = (int32_t)slot->parent_pid;
    self.daemon = daemon;
    parent_lifeline = lifeline;
    parent.slot = parent_slot;
    parent.epoch = parent_epoch;
}

/* ---- identity */

const char *mp_process_name(const mp_process_t *process)
{
    return process && process->role != CLOSED ? process->name : "";
}

int mp_process_pid(const mp_process_t *process)
{
    if (process == &self)
        return mp_getpid();
    return process && process->role != CLOSED ? process->os.pid : 0;
}

bool mp_process_is_daemon(const mp_process_t *process)
{
    return process && process->role != CLOSED && process->daemon;
}

mp_status_t mp_process_sentinel(mp_process_t *process, intptr_t *sentinel)
{
    const char *step = "ask a sentinel";
    if (!sentinel)
        return mp__error(MP_INVALID, step, "no place for it");
    *sentinel = MP__NO_HANDLE;
    if (is_child(process))
        *sentinel = process->os.sentinel;
    else if (process == &parent)
        *sentinel = parent_lifeline;
    else
        return no_child(process, step);
    return *sentinel != MP__NO_HANDLE ? MP_OK : mp__error(MP_UNSUPPORTED, step, "there is none");
}

const char *mp_exitcode_name(int code)
{
    return mp__os_exit_name(code);
}

/* One that was reaped, and whose things were not ended yet, kept; or NULL. */
static mp_process_t *find_unswept(void)
{
    if (lock_children() != MP_OK)
        return NULL;
    mp_process_t *found = children;
    while (found && (!found->known || mp__load32(&found->ended)))
        found = found->next;
    if (found)
        mp__handle_keep(&found->handle);
    unlock_children();
    return found;
}

static void sweep_reaped(void)
{
    mp_process_t *process;
    mp_status_t status = MP_OK;
    while (status == MP_OK && (process = find_unswept()) != NULL) {
        status = sweep(process);
        mp__handle_release(&process->handle);
    }
}

mp_status_t mp_active_children(mp_process_t **list, size_t capacity, size_t *count)
{
    if (!count || (!list && capacity))
        return mp__error(MP_INVALID, "list the children", "no place for them");
    *count = 0;
    if (!mp__family_joined())
        return MP_OK;
    mp_status_t status = lock_children();
    if (status != MP_OK)
        return status;
    for (mp_process_t *process = children; process; process = process->next)
        if (!process->service && !process->abandoned && reap(process) == MP_TIMEOUT) {
            if (*count < capacity)
                list[*count] = process;
            ++*count;
        }
    unlock_children();
    sweep_reaped();
    return MP_OK;
}

mp_process_t *mp_current_process(void)
{
    return &self;
}

mp_process_t *mp_parent_process(void)
{
    return parent.os.pid ? &parent : NULL;
}
