/* What the runner needs of Windows. */
#include "../system.h"

#include "win32/win32.h"

#include <windows.h>

#include <shellapi.h>
#include <tlhelp32.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANNOT_START 1000

/* ---- the runner's ---- */

/* What main got went through the system's code page, which has not all characters. */
char **mp_test_command_line(char **argv)
{
    int count;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **arguments = wide ? calloc((size_t)count + 1, sizeof *arguments) : NULL;
    for (int i = 0; arguments && i < count; i++) {
        int size = WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, NULL, 0, NULL, NULL);
        arguments[i] = malloc((size_t)size + 1);
        if (!arguments[i])
            return argv;
        WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, arguments[i], size, NULL, NULL);
    }
    LocalFree(wide);
    return arguments ? arguments : argv;
}

static void read_all(HANDLE pipe, char *output, size_t size)
{
    size_t used = 0;
    char part[512];
    DWORD n;
    while (ReadFile(pipe, part, sizeof part, &n, NULL) && n > 0) {
        size_t room = size - 1 - used;
        size_t some = n < room ? n : room;
        memcpy(output + used, part, some);
        used += some;
    }
    output[used] = '\0';
}

int mp_test_run(const char *path, const char *name, char *output, size_t size)
{
    fflush(NULL);
    HANDLE ends[2] = {NULL, NULL};
    STARTUPINFOA startup = {.cb = sizeof startup};
    if (output) {
        if (!CreatePipe(&ends[0], &ends[1], NULL, 0) ||
            !SetHandleInformation(ends[1], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
            return CANNOT_START;
        startup.dwFlags = STARTF_USESTDHANDLES;
        startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
        startup.hStdOutput = ends[1];
        startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    }
    char line[2000];
    snprintf(line, sizeof line, "\"%s\" %s", path, name);
    PROCESS_INFORMATION made;
    BOOL started = CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made);
    if (output) {
        CloseHandle(ends[1]);
        if (started)
            read_all(ends[0], output, size);
        CloseHandle(ends[0]);
    }
    if (!started)
        return CANNOT_START;
    DWORD code = CANNOT_START;
    WaitForSingleObject(made.hProcess, INFINITE);
    GetExitCodeProcess(made.hProcess, &code);
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
    return (int)code;
}

static char watch_text[200];
static HANDLE watch_begun;

static DWORD WINAPI watch_run(void *milliseconds)
{
    SetEvent(watch_begun);
    Sleep((DWORD)(uintptr_t)milliseconds);
    DWORD written;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), watch_text, (DWORD)strlen(watch_text), &written, NULL);
    mp_test_end_now(1);
    return 0;
}

void mp_test_watch(double seconds, const char *name)
{
    snprintf(watch_text, sizeof watch_text, "FAIL %s: still running after %.0f s\n", name, seconds);
    watch_begun = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE thread = CreateThread(NULL, 0, watch_run, (void *)(uintptr_t)(seconds * 1000), 0, NULL);
    if (!thread)
        abort();
    /* A process that ends while a thread of it begins makes Wine complain on standard error. */
    WaitForSingleObject(watch_begun, INFINITE);
    CloseHandle(watch_begun);
    CloseHandle(thread);
}

void mp_test_end_now(int code)
{
    TerminateProcess(GetCurrentProcess(), (UINT)code);
}

/* ---- the leak check's ---- */

long mp_test_pid(void)
{
    return (long)GetCurrentProcessId();
}

void mp_test_let_go(void)
{
    mp__win_bells_sweep();
    mp__win_rung_forget();
    mp__win_lives_forget();
}

/* GetProcessHandleCount does not say which ones. Handles are small multiples of four, the lowest free one is taken
 * first. */
size_t mp_test_handles(uintptr_t *handles, size_t capacity)
{
    size_t count = 0;
    DWORD flags, expected = 0;
    BOOL counted = GetProcessHandleCount(GetCurrentProcess(), &expected);
    for (uintptr_t value = 4; value <= 4 * capacity; value += 4) {
        if (counted && expected > 0 && count == expected)
            break;
        if (GetHandleInformation((HANDLE)value, &flags))
            handles[count++] = value;
    }
    return count;
}

typedef struct object_name {
    USHORT length, room;
    PWSTR text;
    WCHAR storage[200];
} object_name_t;

typedef LONG(WINAPI *query_object_t)(HANDLE, ULONG, void *, ULONG, ULONG *);

/* The type ("Event", "Process"), from a call that only ntdll.dll has. */
void mp_test_handle_describe(uintptr_t handle, char *text, size_t size)
{
    object_name_t name;
    FARPROC found = GetProcAddress(GetModuleHandleA("ntdll.dll"), "NtQueryObject");
    query_object_t query;
    memcpy(&query, &found, sizeof query);
    if (query && query((HANDLE)handle, 2, &name, sizeof name, NULL) >= 0)
        snprintf(text, size, "%.*ls", (int)(name.length / sizeof(WCHAR)), name.text);
    else
        snprintf(text, size, "%s", "");
}

static uint64_t created(HANDLE process)
{
    FILETIME made, ended, kernel, user;
    if (!GetProcessTimes(process, &made, &ended, &kernel, &user))
        return 0;
    return (uint64_t)made.dwHighDateTime << 32 | made.dwLowDateTime;
}

/* A parent's number that was in use before this process is that of another one. */
static bool is_younger(DWORD pid)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
    if (!process)
        return false;
    bool runs = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    bool younger = created(process) >= created(GetCurrentProcess());
    CloseHandle(process);
    return runs && younger;
}

size_t mp_test_children(long *pids, size_t capacity)
{
    size_t count = 0;
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    if (snapshot == INVALID_HANDLE_VALUE)
        return 0;
    for (BOOL more = Process32FirstW(snapshot, &entry); more && count < capacity;
         more = Process32NextW(snapshot, &entry))
        if (entry.th32ParentProcessID == GetCurrentProcessId() && is_younger(entry.th32ProcessID))
            pids[count++] = (long)entry.th32ProcessID;
    CloseHandle(snapshot);
    return count;
}

static size_t list_files(const char *pattern, const char *folder, mp_test_file_t *files, size_t capacity)
{
    char path[MAX_PATH + 16];
    WIN32_FIND_DATAA found;
    size_t count = 0;
    snprintf(path, sizeof path, "%s%s", folder, pattern);
    HANDLE search = FindFirstFileA(path, &found);
    for (BOOL more = search != INVALID_HANDLE_VALUE; more && count < capacity; more = FindNextFileA(search, &found))
        snprintf(files[count++].path, sizeof files[0].path, "%s%.200s", folder, found.cFileName);
    if (search != INVALID_HANDLE_VALUE)
        FindClose(search);
    return count;
}

const char *mp_test_folder(void)
{
    static char folder[MAX_PATH + 1];
    return GetTempPathA(sizeof folder, folder) ? folder : ".\\";
}

size_t mp_test_files(mp_test_file_t *files, size_t capacity)
{
    size_t count = list_files("mp-*", mp_test_folder(), files, capacity);
    return count + list_files("multiproc*", mp_test_folder(), files + count, capacity - count);
}

uint64_t mp_test_mapped(void)
{
    uint64_t total = 0;
    MEMORY_BASIC_INFORMATION region;
    for (char *at = NULL; VirtualQuery(at, &region, sizeof region) == sizeof region; at += region.RegionSize)
        if (region.State != MEM_FREE && region.Type == MEM_MAPPED)
            total += region.RegionSize;
    return total;
}

void mp_test_moment(void)
{
    Sleep(5);
}

/* ---- the tests' ---- */

static DWORD WINAPI thread_main(void *context)
{
    const mp_test_thread_t *thread = context;
    thread->run(thread->context);
    return 0;
}

void mp_test_thread_start(mp_test_thread_t *thread, void (*run)(void *context), void *context)
{
    thread->run = run;
    thread->context = context;
    thread->id = (uintptr_t)CreateThread(NULL, 0, thread_main, thread, 0, NULL);
    if (!thread->id)
        abort();
}

void mp_test_thread_join(mp_test_thread_t *thread)
{
    WaitForSingleObject((HANDLE)thread->id, INFINITE);
    CloseHandle((HANDLE)thread->id);
}

const char *mp_test_emulator(void)
{
    return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") ? "Wine" : NULL;
}

void mp_test_allow_execution(const char *path)
{
    (void)path;
}

double mp_test_clock(void)
{
    return (double)GetTickCount64() / 1e3;
}

static double seconds_of(FILETIME time)
{
    return (double)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) / 1e7;
}

double mp_test_processor_time(void)
{
    FILETIME born, ended, kernel, user;
    GetProcessTimes(GetCurrentProcess(), &born, &ended, &kernel, &user);
    return seconds_of(kernel) + seconds_of(user);
}

bool mp_test_sleeps(uint64_t *count)
{
    *count = 0;
    return false;
}

typedef LONG(WINAPI *nt_process_t)(HANDLE);

/* Only ntdll.dll can do it. */
static bool call_on_process(int32_t pid, const char *name)
{
    FARPROC found = GetProcAddress(GetModuleHandleA("ntdll.dll"), name);
    nt_process_t call;
    memcpy(&call, &found, sizeof call);
    HANDLE process = OpenProcess(PROCESS_SUSPEND_RESUME, FALSE, (DWORD)pid);
    bool done = call && process && call(process) >= 0;
    if (process)
        CloseHandle(process);
    return done;
}

bool mp_test_pause(int32_t pid)
{
    return call_on_process(pid, "NtSuspendProcess");
}

bool mp_test_zombies(void)
{
    return false;
}

bool mp_test_resume(int32_t pid)
{
    return call_on_process(pid, "NtResumeProcess");
}

bool mp_test_fork(void (*run)(void *context), void *context)
{
    (void)run;
    (void)context;
    return false;
}

bool mp_test_kill_pid(int32_t pid)
{
    HANDLE process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, (DWORD)pid);
    bool done = process && WaitForSingleObject(process, 0) == WAIT_TIMEOUT && TerminateProcess(process, 9);
    if (process)
        CloseHandle(process);
    return done;
}

bool mp_test_limit_handles(size_t more)
{
    (void)more;
    return false;
}

bool mp_test_limit_address_space(uint64_t more)
{
    (void)more;
    return false;
}

void mp_test_lift_limits(void) {}

bool mp_test_is_sanitized(void)
{
    return false;
}

bool mp_test_exhaust_memory(void)
{
    return false;
}

void mp_test_give_memory_back(void) {}

bool mp_test_bind_to_one_processor(void)
{
    DWORD_PTR mine, all;
    return GetProcessAffinityMask(GetCurrentProcess(), &mine, &all) &&
           SetProcessAffinityMask(GetCurrentProcess(), mine & (~mine + 1));
}

int mp_test_priority(void)
{
    return (int)GetPriorityClass(GetCurrentProcess());
}

void (*mp_test_foreign_function(void))(void)
{
    void (*function)(void) = NULL;
    HMODULE library = LoadLibraryA("msacm32.dll");
    FARPROC found = library ? GetProcAddress(library, "acmGetVersion") : NULL;
    memcpy(&function, &found, sizeof function);
    return function;
}
