/* The wall clock as this program reads it (D7): the functions that tell it stand in the place of the C library's, also
 * for the shared libraries that it is linked with. */
#include "../clock.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FOR_ALL __attribute__((visibility("default")))

FOR_ALL int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += mp_test_jump();
    return result;
}

FOR_ALL int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec time;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = (suseconds_t)(time.tv_nsec / 1000);
    return result;
}

FOR_ALL time_t time(time_t *now)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    if (now)
        *now = time.tv_sec;
    return time.tv_sec;
}

MP_CASE(D7)
{
    expect_d7();
}

MP_GUARDED_CASES(MP_ROW(D7));
