/* A raw pipe. */
#include "system.h"
#include "bench.h"

#include <windows.h>

void bench_pipe_open(bench_pipe_t *opened)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    HANDLE read, write;
    if (!CreatePipe(&read, &write, &inherited, 65536))
        bench_fail("no pipe");
    opened->ends[0] = (intptr_t)read;
    opened->ends[1] = (intptr_t)write;
}

void bench_pipe_read(const bench_pipe_t *from, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        DWORD n = 0;
        if (!ReadFile((HANDLE)from->ends[0], (char *)data + done, (DWORD)(size - done), &n, NULL) || n == 0)
            bench_fail("a pipe broke");
        done += n;
    }
}

void bench_pipe_write(const bench_pipe_t *to, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        DWORD n = 0;
        if (!WriteFile((HANDLE)to->ends[1], (const char *)data + done, (DWORD)(size - done), &n, NULL) || n == 0)
            bench_fail("a pipe broke");
        done += n;
    }
}

void bench_pipe_close(bench_pipe_t *opened)
{
    CloseHandle((HANDLE)opened->ends[0]);
    CloseHandle((HANDLE)opened->ends[1]);
}
