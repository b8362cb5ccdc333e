/* What a child makes of itself before its function runs: directory, environment, priority, group, limits; what it has
 * used. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

mp_status_t mp__os_directory_set(const char *path)
{
    static const char step[] = "change to the child's directory";
    if (chdir(path) == 0)
        return MP_OK;
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG)
        return mp__error_native(MP_NOT_FOUND, step, errno);
    if (errno == EACCES)
        return mp__error_native(MP_DENIED, step, errno);
    return mp__posix_error(step, errno);
}

mp_status_t mp__os_environment_set(const char *entry)
{
    static const char step[] = "set the child's environment";
    const char *equals = strchr(entry, '=');
    size_t length = equals ? (size_t)(equals - entry) : strlen(entry);
    char *name = strndup(entry, length);
    if (!name)
        return mp__error(MP_NO_MEMORY, step, "no memory");
    int code = equals ? setenv(name, equals + 1, 1) : unsetenv(name);
    free(name);
    return code == 0 ? MP_OK : mp__posix_error(step, errno);
}

bool mp__os_environment_get(const char *name, char *text, size_t size)
{
    const char *value = getenv(name);
    if (value)
        snprintf(text, size, "%s", value);
    return value != NULL;
}

mp_status_t mp__os_priority_set(int nice)
{
    static const char step[] = "set the child's priority";
    if (setpriority(PRIO_PROCESS, 0, nice) == 0)
        return MP_OK;
    if (errno == EACCES || errno == EPERM)
        return mp__error_native(MP_DENIED, step, errno);
    return mp__posix_error(step, errno);
}

mp_status_t mp__os_group_lead(bool session)
{
    if (session ? setsid() >= 0 : setpgid(0, 0) == 0)
        return MP_OK;
    /* It leads one already. */
    return errno == EPERM && getpgid(0) == getpid() ? MP_OK : mp__posix_error("make the child's group", errno);
}

static int64_t nanoseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * MP__SECOND + (int64_t)time.tv_usec * 1000;
}

void mp__posix_usage(const struct rusage *used, mp__os_usage_t *usage)
{
    usage->user = nanoseconds(used->ru_utime);
    usage->system = nanoseconds(used->ru_stime);
#if defined(__APPLE__)
    usage->peak = (uint64_t)used->ru_maxrss;
#else
    usage->peak = (uint64_t)used->ru_maxrss * 1024;
#endif
}

void mp__os_usage(mp__os_usage_t *usage, bool peak)
{
    struct rusage used = {0};
    (void)getrusage(RUSAGE_SELF, &used);
    mp__posix_usage(&used, usage);
    uint64_t own = peak ? mp__posix_memory_peak() : 0;
    if (own || !peak)
        usage->peak = own;
}

uint64_t mp__os_memory_used(void)
{
    return mp__posix_memory_used();
}

/* Not to be raised again; one that is lower already stays. */
static void lower(struct rlimit *limit, rlim_t most, rlim_t more)
{
    if (limit->rlim_max == RLIM_INFINITY || limit->rlim_max > more)
        limit->rlim_max = more;
    if (limit->rlim_cur == RLIM_INFINITY || limit->rlim_cur > most)
        limit->rlim_cur = most;
    if (limit->rlim_cur > limit->rlim_max)
        limit->rlim_cur = limit->rlim_max;
}

mp_status_t mp__os_limit_files(uint32_t most)
{
    struct rlimit limit = {0};
    bool done = getrlimit(RLIMIT_NOFILE, &limit) == 0;
    lower(&limit, most, most);
    done = done && setrlimit(RLIMIT_NOFILE, &limit) == 0;
    return done ? MP_OK : mp__posix_error("limit the child's open files", errno);
}

mp_status_t mp__os_limit_cpu_time(int64_t nanoseconds)
{
    struct rlimit limit = {0};
    rlim_t seconds = (rlim_t)(nanoseconds / MP__SECOND) + 2; /* later than anybody else */
    bool done = getrlimit(RLIMIT_CPU, &limit) == 0;
    lower(&limit, seconds, seconds + 1);
    done = done && setrlimit(RLIMIT_CPU, &limit) == 0;
    return done ? MP_OK : mp__posix_error("limit the child's processor time", errno);
}

void mp__os_end_by_signal(bool kill_it)
{
    kill(getpid(), kill_it ? SIGKILL : SIGTERM);
}
