/* The clock, the processors, the memory, and what this process is. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#if !defined(_SC_PHYS_PAGES)
#include <sys/sysctl.h>
#endif

extern char **environ;

const mp__os_caps_t *mp__os_caps(void)
{
    static const mp__os_caps_t with_words = {.fork = true,
                                             .bind_early = "LD_BIND_NOW=1",
                                             .shared_wait = true,
                                             .discard = MP__POSIX_LINUX,
                                             .affinity = MP__POSIX_LINUX,
                                             .memory_use = MP__POSIX_LINUX,
                                             .sentinels = MP__POSIX_LINUX || MP__POSIX_KQUEUE,
                                             .ends_stopped = MP__POSIX_LINUX,
                                             .lists_processes = MP__POSIX_LINUX,
                                             .first_number = STDERR_FILENO + 1,
                                             .limit_files = true};
    static const mp__os_caps_t without = {.fork = true,
                                          .bind_early = "LD_BIND_NOW=1",
                                          .discard = MP__POSIX_LINUX,
                                          .affinity = MP__POSIX_LINUX,
                                          .memory_use = MP__POSIX_LINUX,
                                          .sentinels = MP__POSIX_LINUX || MP__POSIX_KQUEUE,
                                          .ends_stopped = MP__POSIX_LINUX,
                                          .lists_processes = MP__POSIX_LINUX,
                                          .first_number = STDERR_FILENO + 1,
                                          .limit_files = true};
#if MP__POSIX_WORDS
    if (mp__posix_words_work())
        return &with_words;
#else
    (void)with_words;
#endif
    return &without;
}

int64_t mp__os_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = (int64_t)now.tv_sec * MP__SECOND + now.tv_nsec;
    return ns > 0 ? ns : 1;
}

void mp__os_yield(void)
{
    sched_yield();
}

void mp__os_sleep(mp__deadline_t deadline)
{
    int64_t left;
    while ((left = mp__posix_left(deadline, 3600 * MP__SECOND)) > 0) {
        struct timespec pause = {.tv_sec = (time_t)(left / MP__SECOND), .tv_nsec = (long)(left % MP__SECOND)};
        nanosleep(&pause, NULL);
    }
}

unsigned mp__os_cpu_count(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return mp__posix_cpu_limit(online < 1 ? 1 : (unsigned)online);
}

static uint64_t installed_memory(void)
{
#if defined(_SC_PHYS_PAGES)
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    return pages < 1 || page < 1 ? UINT64_MAX : (uint64_t)pages * (uint64_t)page;
#else
    int name[2] = {CTL_HW, HW_PHYSMEM64};
    uint64_t bytes = 0;
    size_t size = sizeof bytes;
    return sysctl(name, 2, &bytes, &size, NULL, 0) < 0 ? UINT64_MAX : bytes;
#endif
}

uint64_t mp__os_memory_size(void)
{
    return mp__posix_memory_limit(installed_memory());
}

uint64_t mp__os_address_space_left(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    uint64_t used = mp__posix_mapped_size();
    return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

bool mp__os_is_privileged(void)
{
    return mp__posix_is_privileged();
}

int32_t mp__os_pid(void)
{
    return (int32_t)getpid();
}

int32_t mp__os_parent_pid(void)
{
    return (int32_t)getppid();
}

unsigned mp__os_thread_count(void)
{
    return mp__posix_thread_count();
}

void mp__os_block_signals(void)
{
    /* A thread's own faults are not the host's to take. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < MP__COUNT_OF(faults); i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static struct sigaction before_ignored;

void mp__os_ignore_interrupt(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &ignore, &before_ignored);
}

void mp__os_heed_interrupt(void)
{
    sigaction(SIGINT, &before_ignored, NULL);
}

void mp__os_reap_children(void)
{
    signal(SIGCHLD, SIG_DFL);
}

const char *const *mp__os_environment(void)
{
    return (const char *const *)environ;
}

void mp__os_end_now(int code)
{
    _exit(code);
}

static mp_status_t ask_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    int code = pthread_atfork(before, parent, child);
    return code ? mp__posix_error("ask to be called at a fork", code) : MP_OK;
}

mp_status_t mp__os_on_fork(void (*child)(void))
{
    return ask_at_fork(NULL, NULL, child);
}

mp_status_t mp__os_around_forks(void (*before)(void), void (*after)(void))
{
    return ask_at_fork(before, after, NULL);
}
