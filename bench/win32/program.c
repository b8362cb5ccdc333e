/* Programs of the system's own start, and what processes hold: see system.h. */
#include "bench.h"
#include "system.h"

#include <windows.h>

#include <stdio.h>

bench_program_t bench_program_begin(const char *program, const char *argument)
{
    char line[MAX_PATH + 100];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    snprintf(line, sizeof line, "\"%s\" %s", program, argument);
    if (!CreateProcessA(program, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process))
        bench_fail("a program cannot be started");
    CloseHandle(process.hThread);
    return (bench_program_t){(intptr_t)process.hProcess};
}

void bench_program_end(bench_program_t program, bool kill_it)
{
    HANDLE process = (HANDLE)program.process;
    DWORD code = 1;
    if (kill_it)
        TerminateProcess(process, 1);
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    if (!kill_it && code != 0)
        bench_fail("a program failed");
}

bool bench_allow_handles(uint64_t count)
{
    (void)count; /* there are millions */
    return true;
}

int64_t bench_private_memory(int64_t process)
{
    (void)process;
    return -1;
}

uint64_t bench_free_memory(void)
{
    MEMORYSTATUSEX memory = {.dwLength = sizeof memory};
    return GlobalMemoryStatusEx(&memory) ? memory.ullAvailPhys : 0;
}
