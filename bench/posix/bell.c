/* The bell: the futex where there is one, else a pipe. */
#include "system.h"
#include "bench.h"

#if defined(__linux__)

#include "core/atomic.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

void bench_bell_init(bench_bell_t *bell)
{
    bell->rung = 0;
}

void bench_bell_wait(bench_bell_t *bell)
{
    while (mp__load32(&bell->rung) == 0)
        syscall(SYS_futex, &bell->rung, FUTEX_WAIT, 0, NULL, NULL, 0);
    mp__store32(&bell->rung, 0);
}

void bench_bell_ring(bench_bell_t *bell)
{
    mp__store32(&bell->rung, 1);
    syscall(SYS_futex, &bell->rung, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void bench_bell_fini(bench_bell_t *bell)
{
    (void)bell;
}

#else

#include <unistd.h>

void bench_bell_init(bench_bell_t *bell)
{
    int ends[2];
    if (pipe(ends) < 0)
        bench_fail("no pipe");
    bell->handle = ends[0];
    bell->rung = (uint32_t)ends[1];
}

void bench_bell_wait(bench_bell_t *bell)
{
    char ring;
    if (read((int)bell->handle, &ring, 1) != 1)
        bench_fail("a bell broke");
}

void bench_bell_ring(bench_bell_t *bell)
{
    if (write((int)bell->rung, "", 1) != 1)
        bench_fail("a bell broke");
}

void bench_bell_fini(bench_bell_t *bell)
{
    close((int)bell->handle);
    close((int)bell->rung);
}

#endif
