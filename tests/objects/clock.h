/* D7: the wall clock is stepped, and timed waits do not care. For the two systems' test_clock.c, which make the clock
 * jump for their program: each reading is an hour off, to and fro. */
#ifndef MP_TEST_CLOCK_H
#define MP_TEST_CLOCK_H

#include "scene.h"

#include <multiproc/named.h>

#include <apr_time.h>
#include <stdio.h>

#define MP_TEST_JUMP 3600 /* seconds */

/* How far off the clock is at this reading, in seconds. */
static int mp_test_jump(void)
{
    static unsigned readings;
    return readings++ % 2 ? MP_TEST_JUMP : -MP_TEST_JUMP;
}

#define WAIT 0.2

/* It waits as long as it should. */
#define EXPECT_WAITS(call)                                                                                             \
    do {                                                                                                               \
        double began = mp_now();                                                                                       \
        EXPECT_STATUS(call, MP_TIMEOUT);                                                                               \
        EXPECT_TOOK(began, WAIT);                                                                                      \
    } while (0)

static mp_status_t hold(mp_call_t *call)
{
    mp_named_lock_t *named;
    MP_CHECK(mp_lock_acquire(mp_arg_lock(call, 0), 0) == MP_OK);
    MP_CHECK(mp_rlock_acquire(mp_arg_rlock(call, 1), 0) == MP_OK);
    MP_CHECK(mp_named_lock_open(&named, mp_arg_str(call, 3)) == MP_OK);
    MP_CHECK(mp_named_lock_acquire(named, 0) == MP_OK);
    MP_CHECK(mp_event_set(mp_arg_event(call, 2)) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static const char *lock_name(void)
{
    static char text[24];
    snprintf(text, sizeof text, "t%d_clock", mp_getpid());
    return text;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static void wait_for_queues(void)
{
    mp_queue_t *queue, *full;
    mp_conn_t *conn, *other;
    mp_value_t value;
    bool ready[2];
    const mp_queue_options_t options = {.max_items = 1, .joinable = true};
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_queue_create_with(&full, &options));
    REQUIRE_OK(mp_pipe(&conn, &other, MP_DUPLEX));
    EXPECT_OK(mp_queue_put(full, 1, 0));
    EXPECT_WAITS(mp_queue_get(queue, &value, WAIT));
    EXPECT_WAITS(mp_queue_put(full, 2, WAIT));
    EXPECT_WAITS(mp_queue_join(full, WAIT));
    EXPECT_WAITS(mp_conn_poll(conn, WAIT));
    EXPECT_WAITS(mp_wait((const mp_value_t[]){mp_of(queue), mp_of(conn)}, 2, ready, WAIT));
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_queue_close(full));
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_conn_close(other));
}

static void wait_for_objects(void)
{
    mp_semaphore_t *plain, *owned;
    mp_condition_t *condition;
    mp_event_t *event;
    mp_barrier_t *barrier;
    const mp_semaphore_options_t options = {.flags = MP_OWNED};
    REQUIRE_OK(mp_semaphore_create(&plain, 0));
    REQUIRE_OK(mp_semaphore_create_with(&owned, 0, &options));
    REQUIRE_OK(mp_condition_create(&condition));
    REQUIRE_OK(mp_event_create(&event));
    REQUIRE_OK(mp_barrier_create(&barrier, 2));
    EXPECT_WAITS(mp_semaphore_acquire(plain, WAIT));
    EXPECT_WAITS(mp_semaphore_acquire(owned, WAIT));
    EXPECT_WAITS(mp_event_wait(event, WAIT));
    EXPECT_WAITS(mp_barrier_wait(barrier, WAIT, NULL));
    EXPECT_OK(mp_condition_acquire(condition, 0));
    EXPECT_WAITS(mp_condition_wait(condition, WAIT));
    EXPECT_WAITS(mp_condition_wait_for(condition, never, NULL, WAIT));
    EXPECT_OK(mp_condition_release(condition));
    EXPECT_OK(mp_semaphore_close(plain));
    EXPECT_OK(mp_semaphore_close(owned));
    EXPECT_OK(mp_condition_close(condition));
    EXPECT_OK(mp_event_close(event));
    EXPECT_OK(mp_barrier_close(barrier));
}

static void wait_for_holder(void)
{
    const char *name = lock_name();
    mp_process_t *process;
    mp_lock_t *lock;
    mp_rlock_t *rlock;
    mp_event_t *event;
    mp_named_lock_t *named;
    REQUIRE_OK(mp_lock_create(&lock));
    REQUIRE_OK(mp_rlock_create(&rlock));
    REQUIRE_OK(mp_event_create(&event));
    REQUIRE_OK(mp_named_lock_create(&named, name));
    REQUIRE_OK(mp_process_start(&process, hold, mp_args(lock, rlock, event, name)));
    REQUIRE_OK(mp_event_wait(event, mp_test_patience()));
    EXPECT_WAITS(mp_lock_acquire(lock, WAIT));
    EXPECT_WAITS(mp_rlock_acquire(rlock, WAIT));
    EXPECT_WAITS(mp_named_lock_acquire(named, WAIT));
    EXPECT_WAITS(mp_process_join(process, WAIT));
    mp_test_expect_killed(process);
    EXPECT_OK(mp_lock_close(lock));
    EXPECT_OK(mp_rlock_close(rlock));
    EXPECT_OK(mp_event_close(event));
    EXPECT_OK(mp_named_lock_close(named));
}

/* Some systems keep something for those who use names, or wait for several things. */
static void begin(void)
{
    mp_named_lock_t *named;
    mp_queue_t *queue;
    mp_conn_t *conn, *other;
    bool ready[2];
    mp_test_objects();
    REQUIRE_OK(mp_named_lock_create(&named, lock_name()));
    EXPECT_OK(mp_named_lock_close(named));
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_pipe(&conn, &other, MP_DUPLEX));
    EXPECT_STATUS(mp_wait((const mp_value_t[]){mp_of(queue), mp_of(conn)}, 2, ready, 0.01), MP_TIMEOUT);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_conn_close(other));
    mp_test_baseline();
}

/* What the case does. */
static void expect_d7(void)
{
    apr_time_t before = apr_time_now(), after = apr_time_now();
    CU_ASSERT(apr_time_sec(before - after) > MP_TEST_JUMP || apr_time_sec(after - before) > MP_TEST_JUMP); /* it does */
    begin();
    double began = mp_now();
    mp_sleep(WAIT);
    EXPECT_TOOK(began, WAIT);
    wait_for_queues();
    wait_for_objects();
    mp_test_each_method(wait_for_holder);
}

#endif
