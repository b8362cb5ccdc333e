/* Waiting for a thousand objects costs next to nothing while nothing happens: how often the process wakes is counted,
 * and what it uses of a processor. */
#include "scene.h"
#include "system.h"

#include <stdio.h>

#define MANY    1000
#define SECONDS 5.0

/* Holds a lock until it is told to end. */
static mp_status_t hold(mp_call_t *call)
{
    mp_value_t word;
    MP_CHECK(mp_lock_acquire(mp_arg_lock(call, 0), mp_test_patience()) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 1), &word);
    MP_CHECK(mp_lock_release(mp_arg_lock(call, 0)) == MP_OK);
    return MP_OK;
}

static mp_status_t pass(mp_call_t *call)
{
    mp_value_t word;
    return mp_queue_get(mp_arg_queue(call, 0), &word, mp_test_patience());
}

typedef struct scene {
    mp_lock_t *lock;
    mp_queue_t *gate;
    mp_conn_t *conn;
    mp_process_t *process;
    mp_pool_t *pool;
    mp_result_t *result;
    mp_conn_t *others[MANY];
    mp_value_t objects[MANY];
} scene_t;

static scene_t scene;

static void make_scene(void)
{
    mp_conn_t *theirs;
    mp_value_t got;
    REQUIRE_OK(mp_lock_create(&scene.lock));
    REQUIRE_OK(mp_queue_create(&scene.gate, 0));
    REQUIRE_OK(mp_pipe(&scene.conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&scene.process, hold, mp_args(scene.lock, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(scene.conn, &got));
    REQUIRE_OK(mp_pool_create(&scene.pool, 1));
    mp_task_t task = {.result = &scene.result};
    REQUIRE_OK(mp_pool_apply_async(scene.pool, pass, mp_args(scene.gate), &task));
}

static void make_object(size_t i)
{
    mp_queue_t *queue;
    mp_conn_t *conn;
    switch (i % 6) {
    case 0:
        REQUIRE_OK(mp_pipe(&conn, &scene.others[i], MP_DUPLEX));
        scene.objects[i] = mp_of(conn);
        break;
    case 1:
        scene.objects[i] = mp_of(scene.lock);
        break;
    case 2:
        scene.objects[i] = mp_of(scene.result);
        break;
    case 3:
        scene.objects[i] = mp_of(scene.process);
        break;
    default:
        REQUIRE_OK(mp_queue_create(&queue, 0));
        scene.objects[i] = mp_of(queue);
    }
}

static void close_object(size_t i)
{
    if (scene.others[i]) {
        EXPECT_OK(mp_conn_close(scene.others[i]));
        EXPECT_OK(mp_conn_close(mp_value_conn(scene.objects[i])));
    } else if (i % 6 > 3) {
        EXPECT_OK(mp_queue_close(mp_value_queue(scene.objects[i])));
    }
}

static void close_scene(void)
{
    EXPECT_OK(mp_queue_put(scene.gate, 1, 0));
    EXPECT_OK(mp_result_wait(scene.result, mp_test_patience()));
    mp_result_free(scene.result);
    EXPECT_OK(mp_pool_free(scene.pool));
    EXPECT_OK(mp_conn_close(scene.conn));
    mp_test_expect_end(scene.process, 0);
    EXPECT_OK(mp_queue_close(scene.gate));
    EXPECT_OK(mp_lock_close(scene.lock));
}

typedef struct cost {
    double wake_ups;  /* a second, of all threads of this process */
    double processor; /* the part of one that they use */
} cost_t;

static cost_t measure(void (*run)(void))
{
    uint64_t before = 0, after = 0;
    double began = mp_now(), used = mp_test_processor_time();
    mp_test_sleeps(&before);
    run();
    mp_test_sleeps(&after);
    double seconds = mp_now() - began;
    return (cost_t){(double)(after - before) / seconds, (mp_test_processor_time() - used) / seconds};
}

/* With what the pool's threads do anyway taken off. */
static void expect_rest(const char *what, cost_t cost, cost_t idle)
{
    printf("    %s: %.1f wake-ups a second more than %.1f, %.2f %% of a processor\n", what,
           cost.wake_ups - idle.wake_ups, idle.wake_ups, 100 * cost.processor);
    CU_ASSERT(cost.wake_ups - idle.wake_ups <= 5);
    CU_ASSERT(cost.processor - idle.processor < 0.05);
}

static void do_nothing(void)
{
    mp_sleep(SECONDS);
}

static void wait_for_all(void)
{
    static bool ready[MANY];
    EXPECT_STATUS(mp_wait(scene.objects, MANY, ready, SECONDS), MP_TIMEOUT);
}

static void wait_for_shared(void)
{
    static mp_value_t shared[MANY];
    static bool ready[MANY];
    size_t count = 0;
    for (size_t i = 0; i < MANY; i++)
        if (i % 6 > 3)
            shared[count++] = scene.objects[i];
    EXPECT_STATUS(mp_wait(shared, count, ready, SECONDS), MP_TIMEOUT);
}

MP_CASE(a_thousand_objects_wake_nobody)
{
    mp_test_objects();
    make_scene(); /* what a pool makes once stays */
    close_scene();
    mp_test_baseline();
    make_scene();
    for (size_t i = 0; i < MANY; i++)
        make_object(i);
    bool ready;
    EXPECT_STATUS(mp_wait(scene.objects, 1, &ready, 0.01), MP_TIMEOUT); /* makes what is made once */
    cost_t idle = measure(do_nothing);
    expect_rest("shared objects", measure(wait_for_shared), idle);
    expect_rest("all kinds", measure(wait_for_all), idle);
    for (size_t i = 0; i < MANY; i++)
        close_object(i);
    close_scene();
}

MP_GUARDED_CASES(MP_ROW(a_thousand_objects_wake_nobody));
