/* Starting, waiting for and ending processes. Programs are started by posix_spawn, because apr_proc_create forks (which
 * costs milliseconds in a large process) and reports a program that is not there as a success. */
#include "posix/posix.h"

#include "core/error.h"
#include "core/variable.h"

#include <apr_thread_proc.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* How often a wait looks for itself, should the sentinel not tell. */
#define LOOK (MP__SECOND / 2)

/* ---- start */

/* What posix_spawn is called with. */
typedef struct plan {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **environment;
    char *sentinel_variable;
    mp__posix_kept_t *keep;
    size_t keep_count;
    int sentinel_number; /* in the new program */
} plan_t;

static bool is_replaced(const char *variable, char *const *by, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (mp__same_variable(by[i], variable))
            return true;
    return false;
}

static size_t length_of(char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    return n;
}

/* The sentinel's variable, the new ones, then those of this process that they do not replace. Strings are borrowed. */
static int plan_environment(plan_t *plan, const char *const *added)
{
    size_t n = 0;
    char *const *list = (char *const *)added;
    size_t count = length_of(list);
    plan->environment = calloc(length_of(environ) + count + 2, sizeof *plan->environment);
    if (!plan->environment)
        return ENOMEM;
    if (plan->sentinel_variable)
        plan->environment[n++] = plan->sentinel_variable;
    for (size_t i = 0; i < count; i++)
        if (strchr(list[i], '=') && !is_replaced(list[i], list + i + 1, count - i - 1))
            plan->environment[n++] = list[i];
    for (size_t i = 0; environ && environ[i]; i++)
        if (!is_replaced(environ[i], list, count) &&
            !is_replaced(environ[i], &plan->sentinel_variable, plan->sentinel_variable ? 1 : 0))
            plan->environment[n++] = environ[i];
    return 0;
}

static int compare_numbers(const void *a, const void *b)
{
    int x = ((const mp__posix_kept_t *)a)->number;
    int y = ((const mp__posix_kept_t *)b)->number;
    return (x > y) - (x < y);
}

static bool is_named(const mp__os_spawn_t *spawn, int number)
{
    for (size_t i = 0; i < spawn->handle_count; i++)
        if (mp__posix_descriptor(spawn->handles[i]) == number)
            return true;
    return false;
}

/* The descriptors that the child gets, sorted and once each. */
static int plan_handles(plan_t *plan, const mp__os_spawn_t *spawn, int sentinel)
{
    size_t n = 0;
    int standard[3];
    plan->keep = calloc(spawn->handle_count + MP__COUNT_OF(standard) + 1, sizeof *plan->keep);
    if (!plan->keep)
        return ENOMEM;
    mp__posix_standard(spawn->standard, standard);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        plan->keep[n++] = (mp__posix_kept_t){.number = fd, .source = standard[fd]};
    for (size_t i = 0; i < spawn->handle_count; i++) {
        mp__posix_kept_t kept = {.number = mp__posix_descriptor(spawn->handles[i])};
        kept.source = spawn->sources ? mp__posix_descriptor(spawn->sources[i]) : kept.number;
        if (fcntl(kept.source, F_GETFD) < 0)
            return EBADF;
        if (kept.number > STDERR_FILENO)
            plan->keep[n++] = kept;
    }
    if (sentinel >= 0)
        plan->keep[n++] = (mp__posix_kept_t){.number = plan->sentinel_number, .source = sentinel};
    qsort(plan->keep, n, sizeof *plan->keep, compare_numbers);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || plan->keep[i].number != plan->keep[i - 1].number)
            plan->keep[plan->keep_count++] = plan->keep[i];
    return 0;
}

/* All descriptors were there before, so a number that is bad now is one beyond the limit. */
static int limit_or(int code)
{
    return code == EBADF ? EMFILE : code;
}

static int plan_actions(plan_t *plan)
{
    sigset_t none;
    short flags = POSIX_SPAWN_SETSIGMASK;
    sigemptyset(&none);
    int code = limit_or(mp__posix_inherit(&plan->actions, &flags, plan->keep, plan->keep_count));
    if (!code)
        code = posix_spawnattr_setsigmask(&plan->attributes, &none);
    return code ? code : posix_spawnattr_setflags(&plan->attributes, flags);
}

static int plan_start(plan_t *plan, const mp__os_spawn_t *spawn, const mp__posix_sentinel_t *sentinel)
{
    plan->sentinel_number = STDERR_FILENO + 1;
    while (is_named(spawn, plan->sentinel_number))
        plan->sentinel_number++;
    int code = mp__posix_sentinel_tell(sentinel, plan->sentinel_number, spawn->path, &plan->sentinel_variable);
    if (!code)
        code = plan_environment(plan, spawn->environment);
    if (!code)
        code = plan_handles(plan, spawn, sentinel->ends[1]);
    return code ? code : plan_actions(plan);
}

static int execute(const plan_t *plan, const char *path, char *const *arguments, pid_t *pid)
{
    char room[40];
    const char *image = mp__posix_program_image(path, room, sizeof room);
    int code = posix_spawn(pid, image, &plan->actions, &plan->attributes, arguments, plan->environment);
    /* The other name is refused to the child of a process that lets nobody look into it. */
    if (code && image != path)
        code = posix_spawn(pid, path, &plan->actions, &plan->attributes, arguments, plan->environment);
    return limit_or(code);
}

static int start(const mp__os_spawn_t *spawn, const mp__posix_sentinel_t *sentinel, pid_t *pid)
{
    plan_t plan = {0};
    char *const alone[] = {(char *)spawn->path, NULL};
    char *const *arguments = spawn->arguments ? (char *const *)spawn->arguments : mp__posix_program_arguments();
    int code = posix_spawn_file_actions_init(&plan.actions);
    if (code)
        return code;
    code = posix_spawnattr_init(&plan.attributes);
    if (code) {
        posix_spawn_file_actions_destroy(&plan.actions);
        return code;
    }
    code = plan_start(&plan, spawn, sentinel);
    if (!code)
        code = execute(&plan, spawn->path, arguments ? arguments : alone, pid);
    posix_spawnattr_destroy(&plan.attributes);
    posix_spawn_file_actions_destroy(&plan.actions);
    free(plan.sentinel_variable);
    free(plan.environment);
    free(plan.keep);
    return code;
}

static mp_status_t start_error(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return mp__error_native(MP_NOT_FOUND, "start a program", code);
    case EACCES:
    case EPERM:
    case EISDIR:
    case ENOEXEC:
        return mp__error_native(MP_DENIED, "start a program", code);
    case EAGAIN: /* processes */
    case E2BIG:  /* arguments and environment */
        return mp__error_native(MP_LIMIT, "start a program", code);
    default:
        return mp__posix_error("start a program", code);
    }
}

static void init_process(mp__os_process_t *process)
{
    *process = (mp__os_process_t){.sentinel = MP__NO_HANDLE, .job = MP__NO_HANDLE};
}

mp_status_t mp__os_spawn(const mp__os_spawn_t *spawn, mp__os_process_t *process)
{
    mp__posix_sentinel_t sentinel;
    pid_t pid;
    init_process(process);
    mp_status_t status = mp__posix_sentinel_prepare(&sentinel);
    if (status != MP_OK)
        return status;
    int code = start(spawn, &sentinel, &pid);
    if (code) {
        mp__posix_sentinel_cancel(&sentinel);
        return start_error(code);
    }
    process->pid = (int32_t)pid;
    return mp__posix_sentinel_parent(&sentinel, process);
}

mp_status_t mp__os_fork(mp__os_process_t *process, bool *in_child)
{
    mp__posix_sentinel_t sentinel;
    apr_proc_t forked;
    init_process(process);
    *in_child = false;
    mp_status_t status = mp__posix_sentinel_prepare(&sentinel);
    if (status != MP_OK)
        return status;
    apr_status_t code = apr_proc_fork(&forked, NULL);
    if (code == APR_INCHILD) {
        sigset_t none; /* as after a spawn; the library's own threads, which fork too, have all signals blocked */
        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, NULL);
        mp__posix_sentinel_child(&sentinel);
        *in_child = true;
        return MP_OK;
    }
    if (code == APR_INPARENT) {
        process->pid = (int32_t)forked.pid;
        return mp__posix_sentinel_parent(&sentinel, process);
    }
    mp__posix_sentinel_cancel(&sentinel);
    return code == EAGAIN ? mp__error_apr(MP_LIMIT, "fork", code) : mp__posix_error("fork", code);
}

/* ---- wait and end */

static void note_end(mp__os_exit_t *end, int result, const struct rusage *used)
{
    mp__posix_usage(used, &end->usage);
    if (WIFEXITED(result)) {
        end->end = MP__OS_EXITED;
        end->code = WEXITSTATUS(result);
    } else if (WIFSIGNALED(result)) {
        end->end = MP__OS_SIGNALLED;
        end->code = WTERMSIG(result);
        end->cpu_limit = end->code == SIGXCPU;
#if defined(WCOREDUMP)
        end->core_dumped = WCOREDUMP(result);
#endif
    }
}

static bool sentinel_ready(const mp__os_process_t *process)
{
    struct pollfd sentinel = {.fd = mp__posix_descriptor(process->sentinel), .events = POLLIN};
    return sentinel.fd < 0 || mp__posix_poll(&sentinel, 1, 0) > 0;
}

/* wait4() with WNOHANG, by its descriptor where it has one: where the host reaps all children, its number may be
 * another child's by now. */
static pid_t wait_now(const mp__os_process_t *process, bool leave, int *result, struct rusage *used)
{
    pid_t pid = (pid_t)process->pid, got = mp__posix_pidfd_wait((int)process->sentinel, leave, result, used);
    if (got >= 0 || errno == ECHILD || errno == EINTR)
        return got;
    if (!leave)
        return wait4(pid, result, WNOHANG, used); /* not POSIX, but all have it */
    siginfo_t info;
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ? -1 : 0;
}

/* Has it ended? Then it is reaped, and its end known. */
static bool reap(mp__os_process_t *process)
{
    int result = 0;
    if (process->foreign) {
        process->reaped = sentinel_ready(process);
        process->exit = (mp__os_exit_t){.end = MP__OS_UNKNOWN};
        return process->reaped;
    }
    struct rusage used;
    pid_t got;
    do {
        got = wait_now(process, false, &result, &used);
    } while (got < 0 && errno == EINTR);
    if (got == 0)
        return false;
    process->exit =
        (mp__os_exit_t){.end = MP__OS_UNKNOWN}; /* ECHILD: the host reaps all children, or ignores SIGCHLD */
    if (got > 0)
        note_end(&process->exit, result, &used);
    process->reaped = true;
    return true;
}

mp_status_t mp__os_process_wait(mp__os_process_t *process, mp__deadline_t deadline)
{
    int64_t pause = MP__MILLISECOND;
    while (!process->reaped && !reap(process)) {
        if (mp__posix_left(deadline, 1) == 0)
            return mp__error_native(MP_TIMEOUT, "wait for a process", ETIMEDOUT);
        struct pollfd sentinel = {.fd = mp__posix_descriptor(process->sentinel), .events = POLLIN};
        mp__deadline_t look = mp__sooner(deadline, mp__os_now() + LOOK);
        if (sentinel.fd >= 0 && mp__posix_poll(&sentinel, 1, look) == 0)
            continue;
        if (reap(process))
            break;
        /* Ready though it lives (it closed the pipe), or there is none. */
        mp__os_sleep(mp__sooner(deadline, mp__os_now() + pause));
        pause = pause * 2 < LOOK ? pause * 2 : LOOK;
    }
    return MP_OK;
}

/* Is it still there to be reaped by this process, so that its number cannot be another's? (Of another's child it can
 * only be said that it ran a moment ago.) */
static bool is_ours(const mp__os_process_t *process)
{
    if (process->foreign)
        return process->sentinel == MP__NO_HANDLE || !sentinel_ready(process);
    int result;
    struct rusage used;
    pid_t got;
    do {
        got = wait_now(process, true, &result, &used);
    } while (got < 0 && errno == EINTR);
    return got >= 0;
}

static mp_status_t send_signal(mp__os_process_t *process, int signal)
{
    if (process->reaped)
        return MP_OK;
    if (mp__posix_pidfd_signal(mp__posix_descriptor(process->sentinel), signal) == 0 || errno == ESRCH)
        return MP_OK;
    if (errno != EPERM && (!is_ours(process) || kill((pid_t)process->pid, signal) == 0 || errno == ESRCH))
        return MP_OK;
    if (errno == EPERM)
        return mp__error_native(MP_DENIED, "signal a process", errno);
    return mp__posix_error("signal a process", errno);
}

mp_status_t mp__os_process_signal(mp__os_process_t *process, bool kill_it)
{
    return send_signal(process, kill_it ? SIGKILL : SIGTERM);
}

mp_status_t mp__os_process_interrupt(mp__os_process_t *process)
{
    return send_signal(process, SIGINT);
}

/* A child's number, and with it its group's, is nobody else's before this process reaps it. A fork server's child is
 * stopped first, by its own descriptor: if it has not ended then, its number is its own, too. */
mp_status_t mp__os_process_kill_tree(mp__os_process_t *process)
{
    pid_t pid = (pid_t)process->pid;
    if (process->reaped || !is_ours(process))
        return MP_OK;
    mp__posix_tree_kill(pid, mp__posix_descriptor(process->sentinel));
    bool denied = is_ours(process) && kill(-pid, SIGKILL) < 0 && errno == EPERM;
    mp_status_t status = mp__os_process_signal(process, true);
    return denied && status == MP_OK ? mp__error_native(MP_DENIED, "end a process' group", EPERM) : status;
}

mp_status_t mp__os_process_ask(mp__os_process_t *process, uint64_t door)
{
    (void)door;
    return mp__os_process_signal(process, false);
}

mp_status_t mp__os_door_create(mp__os_event_t *asked, uint64_t *door)
{
    *asked = (mp__os_event_t){MP__NO_HANDLE, MP__NO_HANDLE};
    *door = 0;
    return MP_OK;
}

void mp__os_process_close(mp__os_process_t *process)
{
    mp__os_handle_close(process->sentinel);
    process->sentinel = MP__NO_HANDLE;
}

mp_status_t mp__os_sentinel_open(int32_t pid, mp__os_handle_t *sentinel)
{
    static const char step[] = "watch a process";
    int fd = mp__posix_sentinel_open((pid_t)pid);
    *sentinel = fd < 0 ? MP__NO_HANDLE : fd;
    if (fd >= 0)
        return MP_OK;
    if (errno == ESRCH || errno == EINVAL) /* a thread's number is none */
        return mp__error_native(MP_NOT_FOUND, step, errno);
    if (errno == EPERM || errno == EACCES)
        return mp__error_native(MP_DENIED, step, errno);
    return errno == ENOSYS ? mp__error_native(MP_UNSUPPORTED, step, errno) : mp__posix_error(step, errno);
}

/* ---- the lifeline: a pipe in which nothing ever comes but its end */

mp_status_t mp__os_lifeline_create(mp__os_handle_t *child, mp__os_handle_t *mine)
{
    int ends[2];
    *child = *mine = MP__NO_HANDLE;
    if (mp__posix_pipe(ends) < 0)
        return mp__posix_error("make the lifeline", errno);
    *child = ends[0];
    *mine = ends[1];
    return MP_OK;
}

mp_status_t mp__os_lifeline_own(mp__os_handle_t shared, mp__os_handle_t *own)
{
    int fd = mp__posix_lift(mp__posix_lifeline_open(mp__posix_descriptor(shared)));
    *own = fd < 0 ? MP__NO_HANDLE : fd;
    return fd < 0 && (errno == EMFILE || errno == ENFILE) ? mp__posix_error("open the lifeline", errno) : MP_OK;
}

bool mp__os_lifeline_arm(mp__os_handle_t own)
{
    return mp__posix_lifeline_arm(mp__posix_descriptor(own));
}
