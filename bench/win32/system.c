/* Clock, processes, memory, counters: see system.h. A partner is this program again: it inherits the mapping and is
 * told its handle and its role on the command line. */
#include "system.h"
#include "bench.h"
#include "limits.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROLE "--bench-role"

int64_t bench_now(void)
{
    LARGE_INTEGER now, each_second;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&each_second);
    return (int64_t)((double)now.QuadPart * 1e9 / (double)each_second.QuadPart);
}

int64_t bench_processor_time(void)
{
    return -1; /* in steps of 15 ms: of no use */
}

void bench_pause(double seconds)
{
    Sleep((DWORD)(seconds * 1000));
}

void bench_yield(void)
{
    SwitchToThread();
}

/* The mappings of this process, for the partners' sake. */
static struct {
    void *shared;
    HANDLE memory;
} mappings[16];

static void *map(HANDLE memory)
{
    void *shared = MapViewOfFile(memory, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    if (!shared)
        bench_fail("no shared memory");
    return shared;
}

void *bench_shared_create(size_t size)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    HANDLE memory = CreateFileMappingW(INVALID_HANDLE_VALUE, &inherited, PAGE_READWRITE, 0, (DWORD)size, NULL);
    size_t i = 0;
    while (i < 16 && mappings[i].shared)
        i++;
    if (!memory || i == 16)
        bench_fail("no shared memory");
    mappings[i].memory = memory;
    mappings[i].shared = map(memory);
    return mappings[i].shared;
}

static size_t mapping_of(const void *shared)
{
    for (size_t i = 0; i < 16; i++)
        if (mappings[i].shared == shared)
            return i;
    bench_fail("not shared memory");
    return 0;
}

void bench_shared_free(void *shared, size_t size)
{
    size_t i = mapping_of(shared);
    (void)size;
    UnmapViewOfFile(shared);
    CloseHandle(mappings[i].memory);
    mappings[i].shared = NULL;
}

bench_partner_t bench_partner_start(bench_role_t *role, void *shared)
{
    char path[MAX_PATH], line[MAX_PATH + 100];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    size_t number = 0;
    while (bench_roles[number] && bench_roles[number] != role)
        number++;
    GetModuleFileNameA(NULL, path, sizeof path);
    snprintf(line, sizeof line, "\"%s\" " ROLE " %u %llu", path, (unsigned)number,
             (unsigned long long)(uintptr_t)mappings[mapping_of(shared)].memory);
    if (!bench_roles[number] || !CreateProcessA(path, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        bench_fail("no partner process");
    CloseHandle(process.hThread);
    return (bench_partner_t){(intptr_t)process.hProcess};
}

void bench_partner_join(bench_partner_t *partner)
{
    HANDLE process = (HANDLE)partner->process;
    DWORD code = 1;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    if (code != 0)
        bench_fail("a partner process failed");
}

void bench_partner_main(int argc, char **argv)
{
    if (argc != 4 || strcmp(argv[1], ROLE) != 0)
        return;
    unsigned long number = strtoul(argv[2], NULL, 10);
    bench_roles[number](map((HANDLE)(uintptr_t)strtoull(argv[3], NULL, 10)));
    ExitProcess(0);
}

int64_t bench_sleeps(void)
{
    return -1;
}

int64_t bench_open_handles(void)
{
    DWORD count;
    return GetProcessHandleCount(GetCurrentProcess(), &count) ? (int64_t)count : -1;
}

bool bench_ask(const char *command, double *value)
{
    (void)command;
    (void)value;
    return false;
}
