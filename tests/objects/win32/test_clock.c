/* The wall clock as this program reads it (D7): the function that tells it stands in the place of the system's, for all
 * that is linked in. */
#include "../clock.h"

#include <windows.h>

#define TICKS 10000000 /* in a second */

static void WINAPI tell(FILETIME *now)
{
    GetSystemTimePreciseAsFileTime(now);
    ULARGE_INTEGER time = {.LowPart = now->dwLowDateTime, .HighPart = now->dwHighDateTime};
    time.QuadPart += (uint64_t)((int64_t)mp_test_jump() * TICKS);
    now->dwLowDateTime = time.LowPart;
    now->dwHighDateTime = time.HighPart;
}

extern void(WINAPI *__imp_GetSystemTimeAsFileTime)(FILETIME *);
void(WINAPI *__imp_GetSystemTimeAsFileTime)(FILETIME *) = tell;

MP_CASE(D7)
{
    expect_d7();
}

MP_GUARDED_CASES(MP_ROW(D7));
