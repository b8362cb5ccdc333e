/* A raw pipe. */
#include "system.h"
#include "bench.h"

#include <unistd.h>

void bench_pipe_open(bench_pipe_t *opened)
{
    int ends[2];
    if (pipe(ends) < 0)
        bench_fail("no pipe");
    opened->ends[0] = ends[0];
    opened->ends[1] = ends[1];
}

void bench_pipe_read(const bench_pipe_t *from, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read((int)from->ends[0], (char *)data + done, size - done);
        if (n <= 0)
            bench_fail("a pipe broke");
        done += (size_t)n;
    }
}

void bench_pipe_write(const bench_pipe_t *to, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write((int)to->ends[1], (const char *)data + done, size - done);
        if (n <= 0)
            bench_fail("a pipe broke");
        done += (size_t)n;
    }
}

void bench_pipe_close(bench_pipe_t *opened)
{
    close((int)opened->ends[0]);
    close((int)opened->ends[1]);
}
