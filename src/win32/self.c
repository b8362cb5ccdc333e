/* What a child makes of itself before its function runs: directory, environment, processors, priority; what
 * it has used. */
#include "win32.h"

#include "core/error.h"

#include <psapi.h>

#include <stdlib.h>
#include <string.h>

mp_status_t mp__os_directory_set(const char *path)
{
    static const char step[] = "change to the child's directory";
    wchar_t *wide = mp__win_wide(path);
    if (!wide)
        return mp__win_failure(step);
    BOOL done = SetCurrentDirectoryW(wide);
    DWORD code = GetLastError();
    free(wide);
    return done ? MP_OK : mp__win_failure_code(step, code);
}

mp_status_t mp__os_environment_set(const char *entry)
{
    static const char step[] = "set the child's environment";
    wchar_t *wide = mp__win_wide(entry);
    if (!wide)
        return mp__win_failure(step);
    wchar_t *equals = wide[0] ? wcschr(wide + 1, L'=') : NULL;
    if (equals)
        *equals = 0;
    BOOL done = SetEnvironmentVariableW(wide, equals ? equals + 1 : NULL);
    DWORD code = GetLastError();
    free(wide);
    return done || code == ERROR_ENVVAR_NOT_FOUND ? MP_OK : mp__win_failure_code(step, code);
}

bool mp__os_environment_get(const char *name, char *text, size_t size)
{
    wchar_t value[1024];
    wchar_t *wide = mp__win_wide(name);
    DWORD length = wide ? GetEnvironmentVariableW(wide, value, MP__COUNT_OF(value)) : 0;
    bool there = wide && (length > 0 || GetLastError() != ERROR_ENVVAR_NOT_FOUND);
    free(wide);
    if (size)
        text[0] = '\0';
    if (there && length > 0 && length < MP__COUNT_OF(value))
        (void)mp__win_narrow(value, text, size);
    return there;
}

/* One group of processors, of at most 64. */
mp_status_t mp__os_affinity_set(const uint64_t *processors, size_t words)
{
    static const char step[] = "set the child's processors";
    DWORD_PTR mine, all;
    if (!GetProcessAffinityMask(GetCurrentProcess(), &mine, &all))
        return mp__win_failure(step);
    DWORD_PTR mask = words ? (DWORD_PTR)processors[0] & all : 0;
    if (!mask)
        return mp__error(MP_INVALID, step, "it may run on none of them");
    return SetProcessAffinityMask(GetCurrentProcess(), mask) ? MP_OK : mp__win_failure(step);
}

mp_status_t mp__os_priority_set(int nice)
{
    DWORD class = nice <= -15  ? HIGH_PRIORITY_CLASS
                  : nice < 0   ? ABOVE_NORMAL_PRIORITY_CLASS
                  : nice == 0  ? NORMAL_PRIORITY_CLASS
                  : nice <= 14 ? BELOW_NORMAL_PRIORITY_CLASS
                               : IDLE_PRIORITY_CLASS;
    return SetPriorityClass(GetCurrentProcess(), class) ? MP_OK : mp__win_failure("set the child's priority");
}

mp_status_t mp__os_group_lead(bool session)
{
    (void)session; /* its starter put it into a job, and into a console group */
    return MP_OK;
}

static int64_t nanoseconds(FILETIME time)
{
    return (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) * 100;
}

void mp__win_usage(HANDLE process, mp__os_usage_t *usage)
{
    FILETIME born, ended, kernel, user;
    PROCESS_MEMORY_COUNTERS memory = {.cb = sizeof memory};
    *usage = (mp__os_usage_t){.peak = 0};
    if (GetProcessTimes(process, &born, &ended, &kernel, &user)) {
        usage->user = nanoseconds(user);
        usage->system = nanoseconds(kernel);
    }
    if (K32GetProcessMemoryInfo(process, &memory, sizeof memory))
        usage->peak = memory.PeakWorkingSetSize;
}

void mp__os_usage(mp__os_usage_t *usage, bool peak)
{
    (void)peak;
    mp__win_usage(GetCurrentProcess(), usage);
}

uint64_t mp__os_memory_used(void)
{
    PROCESS_MEMORY_COUNTERS_EX memory = {.cb = sizeof memory};
    if (!K32GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)&memory, sizeof memory))
        return 0;
    /* Some systems tell only one of the two, which mean the same. */
    uint64_t own = memory.PrivateUsage > memory.PagefileUsage ? memory.PrivateUsage : memory.PagefileUsage;
    /* What is private may be paged out, and what is resident may be shared. */
    return own < memory.WorkingSetSize ? own : memory.WorkingSetSize;
}

mp_status_t mp__os_limit_files(uint32_t most)
{
    (void)most;
    return mp__error(MP_UNSUPPORTED, "limit the child's open files", "this system has no such limit");
}

mp_status_t mp__os_limit_cpu_time(int64_t nanoseconds)
{
    (void)nanoseconds;
    return MP_OK;
}

void mp__os_end_by_signal(bool kill)
{
    mp__os_end_now(MP__WIN_SIGNALLED | (kill ? MP__WIN_KILL : MP__WIN_TERMINATE));
}
