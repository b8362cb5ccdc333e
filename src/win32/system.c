/* The clock, the processors, the memory, this process. */
#include "win32.h"

#include "core/atomic.h"

#include <tlhelp32.h>

const mp__os_caps_t *mp__os_caps(void)
{
    /* WaitOnAddress does not reach beyond its process, and a view of a mapping cannot be decommitted. */
    static const mp__os_caps_t caps = {.affinity = true,
                                       .memory_use = true,
                                       .sentinels = true,
                                       .ends_stopped = true,
                                       .lists_processes = true,
                                       .limit_processes = true};
    return &caps;
}

int64_t mp__os_now(void)
{
    static uint64_t known_frequency;
    int64_t frequency = (int64_t)mp__load64(&known_frequency);
    if (frequency == 0) {
        LARGE_INTEGER asked;
        QueryPerformanceFrequency(&asked);
        frequency = asked.QuadPart;
        mp__store64(&known_frequency, (uint64_t)frequency);
    }
    LARGE_INTEGER count;
    QueryPerformanceCounter(&count);
    /* Whole seconds apart: the product would overflow after 15 minutes of a 10 MHz counter. */
    int64_t now = count.QuadPart / frequency * MP__SECOND + count.QuadPart % frequency * MP__SECOND / frequency;
    return now > 0 ? now : 1;
}

void mp__os_yield(void)
{
    SwitchToThread();
}

void mp__os_sleep(mp__deadline_t deadline)
{
    for (;;) {
        DWORD milliseconds = mp__win_milliseconds(deadline);
        if (milliseconds == 0)
            return;
        Sleep(milliseconds);
    }
}

static unsigned bits(uint64_t mask)
{
    unsigned count = 0;
    for (; mask; mask &= mask - 1)
        count++;
    return count;
}

/* Ten-thousandths of the machine's processors that this process's job may use. */
static uint64_t job_share(void)
{
    struct {
        DWORD flags;
        DWORD rate;
    } control;                  /* JOBOBJECT_CPU_RATE_CONTROL_INFORMATION, class 15, which some headers do not know */
    const DWORD capped = 1 | 4; /* enabled, a hard cap */
    if (QueryInformationJobObject(NULL, (JOBOBJECTINFOCLASS)15, &control, sizeof control, NULL) &&
        (control.flags & capped) == capped && control.rate > 0)
        return control.rate;
    return 10000;
}

/* Processors by affinity. The mask tells of one group of at most 64; a process that may use all of its group is taken
 * to be free to use the others, as it is from Windows 11 on. */
static DWORD affinity(DWORD all)
{
    DWORD_PTR mine, group;
    if (!GetProcessAffinityMask(GetCurrentProcess(), &mine, &group) || mine == 0 || mine == group)
        return all;
    return bits(mine);
}

unsigned mp__os_cpu_count(void)
{
    DWORD all = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    uint64_t quota = (all * job_share() + 9999) / 10000;
    DWORD count = affinity(all);
    if (quota < count)
        count = (DWORD)quota;
    return count > 0 ? count : 1;
}

uint64_t mp__os_memory_size(void)
{
    MEMORYSTATUSEX memory = {.dwLength = sizeof memory};
    GlobalMemoryStatusEx(&memory);
    uint64_t size = memory.ullTotalPhys;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION job;
    if (!QueryInformationJobObject(NULL, JobObjectExtendedLimitInformation, &job, sizeof job, NULL))
        return size;
    if ((job.BasicLimitInformation.LimitFlags & JOB_OBJECT_LIMIT_JOB_MEMORY) && job.JobMemoryLimit < size)
        size = job.JobMemoryLimit;
    if ((job.BasicLimitInformation.LimitFlags & JOB_OBJECT_LIMIT_PROCESS_MEMORY) && job.ProcessMemoryLimit < size)
        size = job.ProcessMemoryLimit;
    return size;
}

uint64_t mp__os_address_space_left(void)
{
    return UINT64_MAX;
}

bool mp__os_is_privileged(void)
{
    return false;
}

int32_t mp__os_pid(void)
{
    return (int32_t)GetCurrentProcessId();
}

/* The pid that this process was started with as its parent's. */
static DWORD recorded_parent(void)
{
    DWORD parent = 0;
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    if (snapshot == INVALID_HANDLE_VALUE)
        return 0;
    for (BOOL more = Process32FirstW(snapshot, &entry); more && parent == 0; more = Process32NextW(snapshot, &entry))
        if (entry.th32ProcessID == GetCurrentProcessId())
            parent = entry.th32ParentProcessID;
    CloseHandle(snapshot);
    return parent;
}

int32_t mp__os_parent_pid(void)
{
    DWORD pid = recorded_parent();
    HANDLE parent = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
    if (!parent)
        return 0;
    /* The record stays when the parent has ended; its pid may be that of a younger process then. */
    bool is_it = mp__win_process_born(parent) <= mp__win_process_born(GetCurrentProcess()) &&
                 WaitForSingleObject(parent, 0) == WAIT_TIMEOUT;
    CloseHandle(parent);
    return is_it ? (int32_t)pid : 0;
}

unsigned mp__os_thread_count(void)
{
    return 0; /* asked only before a fork */
}

void mp__os_block_signals(void)
{
    /* The system brings Ctrl-C in a thread of its own. */
}

void mp__os_ignore_interrupt(void)
{
    SetConsoleCtrlHandler(NULL, TRUE);
}

void mp__os_heed_interrupt(void)
{
    SetConsoleCtrlHandler(NULL, FALSE);
}

void mp__os_reap_children(void)
{
    /* There is nobody else. */
}

const char *const *mp__os_environment(void)
{
    return NULL;
}

void mp__os_end_now(int code)
{
    /* ExitProcess would run the DLLs' handlers. */
    TerminateProcess(GetCurrentProcess(), (UINT)code);
}

mp_status_t mp__os_on_fork(void (*child)(void))
{
    (void)child;
    return MP_OK;
}

mp_status_t mp__os_around_forks(void (*before)(void), void (*after)(void))
{
    (void)before;
    (void)after;
    return MP_OK;
}
