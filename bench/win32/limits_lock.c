/* The limit of locks: a critical section. There is none that is shared by processes without the kernel. */
#include "system.h"

#include <windows.h>

double bench_raw_lock(uint64_t times)
{
    CRITICAL_SECTION section;
    InitializeCriticalSection(&section);
    int64_t began = bench_now();
    for (uint64_t i = 0; i < times; i++) {
        EnterCriticalSection(&section);
        LeaveCriticalSection(&section);
    }
    double each = (double)(bench_now() - began) / (double)times;
    DeleteCriticalSection(&section);
    return each;
}
