/* The wall clock jumps, for this program: its reading is an hour off, to and fro, each time. What waits for a time does
 * not care. (D7) */
#include "../scene.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static unsigned jumps;

static time_t jump(void)
{
    return jumps++ % 2 ? 3600 : -3600;
}

/* In the place of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += jump();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec time;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = (suseconds_t)(time.tv_nsec / 1000);
    return result;
}

time_t time(time_t *now)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    if (now)
        *now = time.tv_sec;
    return time.tv_sec;
}

#define WAIT 0.1

/* All wait as long as they should. */
#define EXPECT_WAITS(call)                                                                                             \
    do {                                                                                                               \
        double began = mp_now();                                                                                       \
        EXPECT_STATUS(call, MP_TIMEOUT);                                                                               \
        CU_ASSERT(mp_now() - began >= WAIT && mp_now() - began < WAIT + mp_test_seconds(0.4));                         \
    } while (0)

static mp_status_t hold(mp_call_t *call)
{
    MP_CHECK(mp_lock_acquire(mp_arg_lock(call, 0), 0) == MP_OK);
    MP_CHECK(mp_rlock_acquire(mp_arg_rlock(call, 1), 0) == MP_OK);
    MP_CHECK(mp_event_set(mp_arg_event(call, 2)) == MP_OK);
    mp_sleep(1000);
    return MP_OK;
}

MP_CASE(timed_waits_when_the_wall_clock_jumps)
{
    mp_process_t *process;
    mp_lock_t *lock;
    mp_rlock_t *rlock;
    mp_semaphore_t *plain, *owned;
    mp_condition_t *condition;
    mp_event_t *event;
    mp_barrier_t *barrier;
    mp_queue_t *queue;
    mp_value_t value;
    const mp_semaphore_options_t options = {.flags = MP_OWNED};
    mp_test_objects();
    REQUIRE_OK(mp_lock_create(&lock));
    REQUIRE_OK(mp_rlock_create(&rlock));
    REQUIRE_OK(mp_semaphore_create(&plain, 0));
    REQUIRE_OK(mp_semaphore_create_with(&owned, 0, &options));
    REQUIRE_OK(mp_condition_create(&condition));
    REQUIRE_OK(mp_event_create(&event));
    REQUIRE_OK(mp_barrier_create(&barrier, 2));
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_process_start(&process, hold, mp_args(lock, rlock, event)));
    REQUIRE_OK(mp_event_wait(event, mp_test_patience()));
    EXPECT_OK(mp_event_clear(event));
    time_t before = time(NULL), after = time(NULL);
    CU_ASSERT(before - after > 3000 || after - before > 3000); /* it does jump */
    EXPECT_WAITS(mp_lock_acquire(lock, WAIT));
    EXPECT_WAITS(mp_rlock_acquire(rlock, WAIT));
    EXPECT_WAITS(mp_semaphore_acquire(plain, WAIT));
    EXPECT_WAITS(mp_semaphore_acquire(owned, WAIT));
    EXPECT_WAITS(mp_event_wait(event, WAIT));
    EXPECT_WAITS(mp_barrier_wait(barrier, WAIT, NULL));
    EXPECT_WAITS(mp_queue_get(queue, &value, WAIT));
    EXPECT_WAITS(mp_process_join(process, WAIT));
    EXPECT_OK(mp_condition_acquire(condition, 0));
    EXPECT_WAITS(mp_condition_wait(condition, WAIT));
    EXPECT_OK(mp_condition_release(condition));
    mp_test_expect_killed(process);
    EXPECT_OK(mp_lock_close(lock));
    EXPECT_OK(mp_rlock_close(rlock));
    EXPECT_OK(mp_semaphore_close(plain));
    EXPECT_OK(mp_semaphore_close(owned));
    EXPECT_OK(mp_condition_close(condition));
    EXPECT_OK(mp_event_close(event));
    EXPECT_OK(mp_barrier_close(barrier));
    EXPECT_OK(mp_queue_close(queue));
}

MP_GUARDED_CASES(MP_ROW(timed_waits_when_the_wall_clock_jumps));
