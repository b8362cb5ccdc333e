/* The descriptor that becomes ready when a process has ended: its pidfd, or a pipe of which it alone holds the writing
 * end. So that nobody else holds that end, one start at a time prepares one, forks of the host wait meanwhile, and
 * every fork's child drops the one that its parent lives by. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "MP_SENTINEL"

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static MP__THREAD_LOCAL bool starts; /* this thread holds it */
static int own_end = -1;             /* the writing end that this process' parent watches */
static char *own_image;              /* what the parent started this process from */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int fork_code;

static void before_fork(void)
{
    if (!starts)
        pthread_mutex_lock(&starting);
}

static void after_fork_parent(void)
{
    if (!starts)
        pthread_mutex_unlock(&starting);
}

static void after_fork_child(void)
{
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    starting = fresh;
    mp__posix_close(own_end);
    own_end = -1;
}

static void watch_forks(void)
{
    fork_code = pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

static void release(mp__posix_sentinel_t *sentinel)
{
    *sentinel = (mp__posix_sentinel_t){{-1, -1}, -1};
    if (starts) {
        starts = false;
        pthread_mutex_unlock(&starting);
    }
}

static mp_status_t prepare_pipe(mp__posix_sentinel_t *sentinel)
{
    pthread_once(&once, watch_forks);
    if (fork_code)
        return mp__posix_error("ask to be called after fork", fork_code);
    pthread_mutex_lock(&starting);
    starts = true;
    if (mp__posix_pipe(sentinel->ends) < 0) {
        int code = errno;
        release(sentinel);
        return mp__posix_error("make a process' sentinel", code);
    }
    return MP_OK;
}

/* The new process' pidfd can only be had when it runs already, and then there must be room for it. */
mp_status_t mp__posix_sentinel_prepare(mp__posix_sentinel_t *sentinel)
{
    *sentinel = (mp__posix_sentinel_t){{-1, -1}, mp__posix_pidfd_place()};
    if (sentinel->place >= 0)
        return MP_OK;
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        return mp__posix_error("make a process' sentinel", errno);
    return prepare_pipe(sentinel);
}

void mp__posix_sentinel_cancel(mp__posix_sentinel_t *sentinel)
{
    mp__posix_close(sentinel->ends[0]);
    mp__posix_close(sentinel->ends[1]);
    mp__posix_close(sentinel->place);
    release(sentinel);
}

void mp__posix_sentinel_child(mp__posix_sentinel_t *sentinel)
{
    mp__posix_close(sentinel->ends[0]);
    mp__posix_close(sentinel->place);
    own_end = sentinel->ends[1];
    /* The handler of forks has made the mutex anew. */
    *sentinel = (mp__posix_sentinel_t){{-1, -1}, -1};
    starts = false;
}

/* A descriptor that is ready already. */
static int ended(void)
{
    int ends[2];
    if (mp__posix_pipe(ends) < 0)
        return -1;
    mp__posix_close(ends[1]);
    return ends[0];
}

static int open_sentinel(mp__posix_sentinel_t *sentinel, mp__os_process_t *process)
{
    int fd = sentinel->ends[0];
    if (fd < 0) {
        mp__posix_close(sentinel->place);
        fd = mp__posix_pidfd_open((pid_t)process->pid);
        if (fd < 0 && errno == ESRCH) { /* the host reaps all children, and was faster */
            process->exit = (mp__os_exit_t){.end = MP__OS_UNKNOWN};
            process->reaped = true;
            fd = ended();
        }
    }
    mp__posix_close(sentinel->ends[1]);
    release(sentinel);
    return fd;
}

mp_status_t mp__posix_sentinel_parent(mp__posix_sentinel_t *sentinel, mp__os_process_t *process)
{
    int fd = open_sentinel(sentinel, process);
    if (fd >= 0) {
        process->sentinel = fd;
        return MP_OK;
    }
    int code = errno; /* another thread was faster and took the place */
    pid_t pid = (pid_t)process->pid;
    if (!process->reaped) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    return mp__posix_error("make a process' sentinel", code);
}

int mp__posix_sentinel_tell(const mp__posix_sentinel_t *sentinel, int number, const char *image, char **variable)
{
    static const char format[] = VARIABLE "=%d-%" PRIuMAX ":%s";
    struct stat file;
    *variable = NULL;
    if (sentinel->ends[1] < 0)
        return 0;
    if (fstat(sentinel->ends[1], &file) < 0)
        return errno;
    size_t size = sizeof format + 40 + strlen(image);
    *variable = malloc(size);
    if (!*variable)
        return ENOMEM;
    snprintf(*variable, size, format, number, (uintmax_t)file.st_ino, image);
    return 0;
}

/* "number-inode:image". Believed only if the number is that very pipe's: a stale variable must not change the host's
 * descriptors. */
static void adopt(const char *text)
{
    struct stat file;
    char *end;
    long number = strtol(text, &end, 10);
    uintmax_t inode = *end == '-' ? strtoumax(end + 1, &end, 10) : 0;
    if (*end != ':' || number <= STDERR_FILENO || number > INT_MAX || fstat((int)number, &file) < 0 ||
        !S_ISFIFO(file.st_mode) || (uintmax_t)file.st_ino != inode || fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0)
        return;
    own_end = (int)number;
    own_image = strdup(end + 1);
}

void mp__posix_sentinel_adopt(void)
{
    const char *text = mp__os_is_privileged() ? NULL : getenv(VARIABLE);
    if (!text)
        return;
    pthread_once(&once, watch_forks);
    if (own_end < 0)
        adopt(text);
    unsetenv(VARIABLE);
}

const char *mp__posix_sentinel_image(void)
{
    return own_image;
}
