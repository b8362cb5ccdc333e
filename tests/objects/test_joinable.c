/* Joinable queues: done with a task, waiting for all, takers that die. (C5: test_conformance_queue.c) */
#include "scene.h"
#include "system.h"

#include "family/alloc.h"

static mp_queue_t *make_joinable(void)
{
    mp_queue_t *queue;
    const mp_queue_options_t options = {.joinable = true};
    REQUIRE_OK(mp_queue_create_with(&queue, &options));
    return queue;
}

static void take(mp_queue_t *queue)
{
    mp_value_t value;
    EXPECT_OK(mp_queue_get(queue, &value, mp_test_patience()));
    mp_value_free(&value);
}

MP_CASE(a_join_waits_for_what_is_not_done_with)
{
    mp_test_objects();
    mp_queue_t *queue = make_joinable();
    EXPECT_OK(mp_queue_join(queue, 0));
    EXPECT_STATUS(mp_queue_task_done(queue), MP_STATE);
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    EXPECT_OK(mp_queue_put_bytes(queue, "two", 3, 0));
    EXPECT_STATUS(mp_queue_join(queue, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_queue_task_done(queue), MP_STATE); /* nobody has taken it yet */
    take(queue);
    mp_lent_t lent;
    EXPECT_OK(mp_queue_get_lent(queue, &lent, 0));
    EXPECT_OK(mp_lent_return(&lent));
    EXPECT_OK(mp_queue_task_done(queue));
    double began = mp_now();
    EXPECT_STATUS(mp_queue_join(queue, 0.1), MP_TIMEOUT);
    CU_ASSERT(mp_now() - began >= 0.1);
    EXPECT_OK(mp_queue_task_done(queue));
    EXPECT_OK(mp_queue_join(queue, 0));
    EXPECT_STATUS(mp_queue_task_done(queue), MP_STATE);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(a_plain_queue_cannot_be_joined)
{
    mp_queue_t *queue;
    mp_test_objects();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_STATUS(mp_queue_join(queue, 0), MP_STATE);
    EXPECT_STATUS(mp_queue_task_done(queue), MP_STATE);
    EXPECT_STATUS(mp_queue_join(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_queue_task_done(NULL), MP_INVALID);
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- who dies */

static mp_status_t take_and_wait(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    mp_value_t value;
    for (int64_t n = mp_arg_int(call, 2); n > 0; n--) {
        MP_CHECK(mp_queue_get(queue, &value, mp_test_patience()) == MP_OK);
        mp_value_free(&value);
    }
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), "taken", 0) == MP_OK);
    mp_sleep(mp_arg_bool(call, 3) ? MP_FOREVER : 0);
    return MP_OK;
}

typedef struct joiner {
    mp_queue_t *queue;
    mp_status_t status;
} joiner_t;

static void join(void *context)
{
    joiner_t *joiner = context;
    joiner->status = mp_queue_join(joiner->queue, mp_test_patience());
}

static void take_and_die(bool killed)
{
    mp_process_t *process;
    mp_queue_t *queue = make_joinable(), *ready;
    REQUIRE_OK(mp_queue_create(&ready, 0));
    for (int i = 0; i < 3; i++)
        EXPECT_OK(mp_queue_put(queue, i, 0));
    REQUIRE_OK(mp_process_start(&process, take_and_wait, mp_args(queue, ready, 2, mp_bool(killed))));
    take(ready);
    joiner_t joiner = {queue, MP_OK};
    mp_test_thread_t thread;
    mp_test_thread_start(&thread, join, &joiner);
    double began = mp_now();
    if (killed)
        EXPECT_OK(mp_process_kill(process));
    mp_test_thread_join(&thread);
    EXPECT_STATUS(joiner.status, MP_OWNER_DIED);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
    mp_test_expect_end(process, killed ? -9 : 0);
    EXPECT_STATUS(mp_queue_join(queue, 0), MP_TIMEOUT); /* it was told; one is there still */
    take(queue);
    EXPECT_OK(mp_queue_task_done(queue));
    EXPECT_OK(mp_queue_join(queue, 0));
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_queue_close(ready));
}

static void take_and_be_killed(void)
{
    take_and_die(true);
}

static void take_and_leave(void)
{
    take_and_die(false);
}

MP_CASE(a_taker_that_is_killed_ends_the_join)
{
    mp_test_objects();
    mp_test_each_method(take_and_be_killed);
}

MP_CASE(so_does_one_that_ends)
{
    mp_test_objects();
    mp_test_each_method(take_and_leave);
}

/* ---- the shutdown */

MP_CASE(what_a_shutdown_drops_is_not_waited_for)
{
    static uint8_t large[10000];
    mp_test_objects();
    mp_queue_t *queue = make_joinable();
    for (int i = 0; i < 2500; i++)
        EXPECT_OK(mp_queue_put(queue, i, 0));
    EXPECT_OK(mp_queue_put_bytes(queue, large, sizeof large, 0));
    take(queue);
    EXPECT_OK(mp_queue_shutdown(queue, true));
    EXPECT_STATUS(mp_queue_join(queue, 0), MP_TIMEOUT);
    EXPECT_OK(mp_queue_task_done(queue));
    EXPECT_OK(mp_queue_join(queue, 0));
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(a_shutdown_ends_a_join)
{
    mp_test_objects();
    mp_queue_t *queue = make_joinable();
    joiner_t joiner = {queue, MP_STATE};
    mp_test_thread_t thread;
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    mp_test_thread_start(&thread, join, &joiner);
    EXPECT_OK(mp_queue_shutdown(queue, true));
    mp_test_thread_join(&thread);
    EXPECT_OK(joiner.status);
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- killed at any moment: no join hangs, none is told that all went well when something was lost */

static mp_status_t work_for_ever(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    for (;;) {
        mp_value_t value;
        MP_CHECK(mp_queue_get(queue, &value, MP_FOREVER) == MP_OK);
        mp_value_free(&value);
        MP_CHECK(mp_queue_task_done(queue) == MP_OK);
    }
    return MP_OK;
}

static void kill_workers(void)
{
    static uint64_t random = 4711;
    mp_process_t *workers[2];
    mp_queue_t *queue = make_joinable();
    double until = mp_now() + mp_test_seconds(2);
    for (int i = 0; i < 2; i++)
        REQUIRE_OK(mp_process_start(&workers[i], work_for_ever, mp_args(queue)));
    for (int kills = 0; kills < 10 || (kills < 60 && mp_now() < until); kills++) {
        int victim = kills % 2;
        for (int i = 0; i < 200; i++)
            EXPECT_OK(mp_queue_put(queue, i, mp_test_patience()));
        mp_test_wander(&random, 1000);
        EXPECT_OK(mp_process_kill(workers[victim]));
        mp_status_t status = mp_queue_join(queue, mp_test_patience());
        if (status == MP_OWNER_DIED) /* told at once; then the other does the rest */
            status = mp_queue_join(queue, mp_test_patience());
        EXPECT_OK(status);
        uint64_t size;
        EXPECT_OK(mp_queue_size(queue, &size));
        CU_ASSERT_EQUAL(size, 0);
        mp_test_expect_killed(workers[victim]);
        REQUIRE_OK(mp_process_start(&workers[victim], work_for_ever, mp_args(queue)));
    }
    for (int i = 0; i < 2; i++)
        mp_test_expect_killed(workers[i]);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(workers_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_workers);
}

MP_GUARDED_CASES(MP_ROW(a_join_waits_for_what_is_not_done_with), MP_ROW(a_plain_queue_cannot_be_joined),
                 MP_ROW(a_taker_that_is_killed_ends_the_join), MP_ROW(so_does_one_that_ends),
                 MP_ROW(what_a_shutdown_drops_is_not_waited_for), MP_ROW(a_shutdown_ends_a_join),
                 MP_ROW(workers_are_killed));
