/* The bell: an auto-reset event that the partner inherits. */
#include "system.h"
#include "bench.h"

#include <windows.h>

void bench_bell_init(bench_bell_t *bell)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    HANDLE event = CreateEventW(&inherited, FALSE, FALSE, NULL);
    if (!event)
        bench_fail("no event");
    bell->handle = (intptr_t)event;
}

void bench_bell_wait(bench_bell_t *bell)
{
    WaitForSingleObject((HANDLE)bell->handle, INFINITE);
}

void bench_bell_ring(bench_bell_t *bell)
{
    SetEvent((HANDLE)bell->handle);
}

void bench_bell_fini(bench_bell_t *bell)
{
    CloseHandle((HANDLE)bell->handle);
}
