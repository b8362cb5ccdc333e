/* Pools: single tasks, their results, callbacks and errors. */
#include "hands.h"
#include "harness.h"
#include "child.h"
#include "system.h"

#include "family/family.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE mp_test_seconds(20)

static mp_pool_t *new_pool(int workers)
{
    mp_pool_t *pool;
    REQUIRE_OK(mp_pool_create(&pool, workers));
    return pool;
}

static int64_t apply_int(mp_pool_t *pool, mp_function_t function, mp_args_t args)
{
    mp_value_t value;
    EXPECT_OK(mp_pool_apply(pool, function, args, &value, PATIENCE));
    CU_ASSERT_EQUAL(mp_value_kind(value), MP_KIND_INT);
    int64_t x = mp_value_int(value);
    mp_value_free(&value);
    return x;
}

/* ---- apply ---- */

MP_CASE(apply_returns_the_functions_value)
{
    mp_test_pools();
    mp_pool_t *pool = new_pool(2);
    CU_ASSERT_EQUAL(apply_int(pool, task_add, mp_args(40, 2)), 42);
    CU_ASSERT_NOT_EQUAL(apply_int(pool, task_pid, mp_args()), mp_getpid());

    mp_value_t value;
    REQUIRE_OK(mp_pool_apply(pool, task_echo, mp_args(mp_dict("a", mp_list(1, 2.5, MP_NONE))), &value, PATIENCE));
    CU_ASSERT(mp_value_equal(value, mp_dict("a", mp_list(1, 2.5, MP_NONE))));
    mp_value_free(&value);
    EXPECT_OK(mp_pool_apply(pool, task_echo, mp_args("dropped"), NULL, PATIENCE));
    EXPECT_OK(mp_pool_free(pool));
}

MP_CASE(large_arguments_and_results)
{
    mp_test_pools();
    mp_pool_t *pool = new_pool(2);
    const size_t sizes[] = {0, 100, 4095, 4096, 70000, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *data = malloc(sizes[i] + 1);
        memset(data, (int)('a' + i), sizes[i] + 1);
        mp_value_t value;
        REQUIRE_OK(mp_pool_apply(pool, task_echo, mp_args(mp_bytes(data, sizes[i])), &value, PATIENCE));
        CU_ASSERT(mp_value_equal(value, mp_bytes(data, sizes[i])));
        mp_value_free(&value);
        free(data);
    }
    EXPECT_OK(mp_pool_free(pool));
}

MP_CASE(apply_waits_no_longer_than_asked)
{
    mp_test_pools();
    mp_test_gate_t gate;
    mp_value_t value = mp_of(1);
    mp_test_gate_create(&gate);
    mp_pool_t *pool = new_pool(1);
    EXPECT_STATUS(mp_pool_apply(pool, task_pass_gate, mp_args(gate.here, gate.gate, 1), &value, 0.02), MP_TIMEOUT);
    CU_ASSERT_EQUAL(mp_value_kind(value), MP_KIND_NONE);
    mp_test_gate_open(&gate, 1);
    CU_ASSERT_EQUAL(apply_int(pool, task_add, mp_args(1, 2)), 3);
    EXPECT_OK(mp_pool_free(pool));
    mp_test_gate_close(&gate);
}

MP_CASE(workers_run_side_by_side)
{
    enum { WORKERS = 3 };
    mp_test_pools();
    mp_test_gate_t gate;
    mp_result_t *results[WORKERS];
    mp_test_gate_create(&gate);
    mp_pool_t *pool = new_pool(WORKERS);
    for (int i = 0; i < WORKERS; i++)
        REQUIRE_OK(mp_pool_apply_async(pool, task_pass_gate, mp_args(gate.here, gate.gate, i),
                                       &(mp_task_t){.result = &results[i]}));
    int pids[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        pids[i] = mp_test_gate_arrival(&gate); /* all are in it before one may go on */
    CU_ASSERT(pids[0] != pids[1] && pids[1] != pids[2] && pids[0] != pids[2]);
    mp_test_gate_open(&gate, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        mp_value_t value;
        EXPECT_OK(mp_result_get(results[i], &value, PATIENCE));
        CU_ASSERT_EQUAL(mp_value_int(value), i);
        mp_result_free(results[i]);
    }
    EXPECT_OK(mp_pool_free(pool));
    mp_test_gate_close(&gate);
}

/* ---- results ---- */

MP_CASE(a_result_tells_what_became_of_it)
{
    mp_test_pools();
    mp_test_gate_t gate;
    mp_result_t *result;
    mp_value_t value;
    mp_test_gate_create(&gate);
    mp_pool_t *pool = new_pool(1);
    REQUIRE_OK(mp_pool_apply_async(pool, task_pass_gate, mp_args(gate.here, gate.gate, "through"),
                                   &(mp_task_t){.result = &result}));
    (void)mp_test_gate_arrival(&gate);
    CU_ASSERT(!mp_result_ready(result));
    EXPECT_STATUS(mp_result_status(result), MP_RUNNING);
    EXPECT_STATUS(mp_result_wait(result, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_result_get(result, &value, 0.01), MP_TIMEOUT);
    CU_ASSERT_EQUAL(mp_value_kind(mp_result_value(result)), MP_KIND_NONE);
    CU_ASSERT_EQUAL(mp_result_error(result)->status, MP_OK);
    mp_test_gate_open(&gate, 1);

    EXPECT_OK(mp_result_wait(result, PATIENCE));
    CU_ASSERT(mp_result_ready(result));
    EXPECT_OK(mp_result_status(result));
    CU_ASSERT_STRING_EQUAL(mp_value_str(mp_result_value(result)), "through");
    for (int i = 0; i < 2; i++) { /* each time a value of the caller's own */
        EXPECT_OK(mp_result_get(result, &value, 0));
        CU_ASSERT_STRING_EQUAL(mp_value_str(value), "through");
        mp_value_free(&value);
    }
    mp_result_free(result);
    EXPECT_OK(mp_pool_free(pool));
    mp_test_gate_close(&gate);
}

MP_CASE(a_result_may_outlive_its_pool)
{
    mp_test_pools();
    mp_result_t *result;
    mp_value_t value;
    mp_pool_t *pool = new_pool(1);
    REQUIRE_OK(mp_pool_apply_async(pool, task_add, mp_args(1, 2), &(mp_task_t){.result = &result}));
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_join(pool, PATIENCE));
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_OK(mp_result_get(result, &value, 0));
    CU_ASSERT_EQUAL(mp_value_int(value), 3);
    mp_result_free(result);
}

static void wait_for_it(void *context)
{
    mp_value_t value;
    MP_CHECK(mp_result_get(context, &value, PATIENCE) == MP_OK);
    MP_CHECK(mp_value_int(value) == 7);
}

MP_CASE(any_number_of_threads_wait_for_one_result)
{
    enum { THREADS = 5 };
    mp_test_pools();
    mp_test_gate_t gate;
    mp_result_t *result;
    mp_test_thread_t threads[THREADS];
    mp_test_gate_create(&gate);
    mp_pool_t *pool = new_pool(1);
    REQUIRE_OK(
        mp_pool_apply_async(pool, task_pass_gate, mp_args(gate.here, gate.gate, 7), &(mp_task_t){.result = &result}));
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_start(&threads[i], wait_for_it, result);
    (void)mp_test_gate_arrival(&gate);
    mp_test_gate_open(&gate, 1);
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_join(&threads[i]);
    mp_result_free(result);
    EXPECT_OK(mp_pool_free(pool));
    mp_test_gate_close(&gate);
}

static void submit_many(void *context)
{
    for (int i = 0; i < 200; i++) {
        mp_value_t value;
        MP_CHECK(mp_pool_apply(context, task_add, mp_args(i, 1), &value, PATIENCE) == MP_OK);
        MP_CHECK(mp_value_int(value) == i + 1);
    }
}

MP_CASE(any_thread_gives_tasks)
{
    enum { THREADS = 4 };
    mp_test_pools();
    mp_test_thread_t threads[THREADS];
    mp_pool_t *pool = new_pool(2);
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_start(&threads[i], submit_many, pool);
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_join(&threads[i]);
    EXPECT_OK(mp_pool_free(pool));
}

/* ---- callbacks ---- */

typedef struct seen {
    mp_pool_t *pool;
    uint32_t calls;
    uint32_t errors;
    uint32_t inside;
    int64_t sum;
    uint64_t thread;
    double late[64];
} seen_t;

/* One at a time, and always on the same thread, which is not the program's. */
static void enter(seen_t *seen, uint64_t outside)
{
    MP_CHECK(mp__add32(&seen->inside, 1) == 0);
    MP_CHECK(mp__self != outside);
    MP_CHECK(!seen->thread || seen->thread == mp__self);
    seen->thread = mp__self;
}

static void leave(seen_t *seen, uint32_t *count)
{
    MP_CHECK(mp__add32(&seen->inside, UINT32_MAX) == 1);
    mp__add32(count, 1);
}

static void on_value(const mp_result_t *result, void *context)
{
    seen_t *seen = context;
    enter(seen, 0);
    MP_CHECK(mp_result_ready(result) && mp_result_status(result) == MP_OK);
    seen->sum += mp_value_int(mp_result_value(result));
    leave(seen, &seen->calls);
}

static void on_error(const mp_result_t *result, void *context)
{
    seen_t *seen = context;
    enter(seen, 0);
    MP_CHECK(mp_result_status(result) == MP_FAILED && mp_result_error(result)->code == 5);
    MP_CHECK(strcmp(mp_result_error(result)->text, "no luck") == 0);
    MP_CHECK(mp_value_kind(mp_result_value(result)) == MP_KIND_NONE);
    leave(seen, &seen->errors);
}

/* Waits without calling the library. */
static bool reaches(const uint32_t *count, uint32_t n)
{
    double end = mp_test_clock() + PATIENCE;
    while (mp__load32(count) < n && mp_test_clock() < end)
        mp_test_moment();
    return mp__load32(count) == n;
}

MP_CASE(each_result_is_called_back_one_at_a_time)
{
    enum { TASKS = 200 };
    mp_test_pools();
    seen_t seen = {0};
    mp_pool_t *pool = new_pool(3);
    for (int i = 0; i < TASKS; i++) {
        mp_task_t task = {.callback = on_value, .error_callback = on_error, .context = &seen};
        REQUIRE_OK(mp_pool_apply_async(pool, i % 4 ? task_square : task_fail, mp_args(i % 4 ? 2 : 5), &task));
    }
    CU_ASSERT(reaches(&seen.calls, TASKS * 3 / 4));
    CU_ASSERT(reaches(&seen.errors, TASKS / 4));
    CU_ASSERT_EQUAL(seen.sum, TASKS * 3 / 4 * 4);
    CU_ASSERT_NOT_EQUAL(seen.thread, mp__self);
    EXPECT_OK(mp_pool_free(pool));
}

static mp_status_t tell_time(mp_call_t *call)
{
    return mp_return(call, mp_now());
}

static void on_time(const mp_result_t *result, void *context)
{
    seen_t *seen = context;
    seen->late[seen->calls] = mp_now() - mp_value_double(mp_result_value(result));
    mp__add32(&seen->calls, 1);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

MP_CASE(a_callback_comes_soon_though_main_never_calls_in)
{
    enum { TASKS = 64 };
    mp_test_pools();
    seen_t seen = {0};
    mp_pool_t *pool = new_pool(1);
    for (uint32_t i = 0; i < TASKS; i++) {
        REQUIRE_OK(
            mp_pool_apply_async(pool, tell_time, mp_args(), &(mp_task_t){.callback = on_time, .context = &seen}));
        REQUIRE_OK(reaches(&seen.calls, i + 1) ? MP_OK : MP_TIMEOUT);
    }
    qsort(seen.late, TASKS, sizeof seen.late[0], by_size);
    CU_ASSERT(seen.late[TASKS / 2] < mp_test_seconds(0.01)); /* of a busy machine the median says most */
    EXPECT_OK(mp_pool_free(pool));
}

static void ask_for_more(const mp_result_t *result, void *context)
{
    seen_t *seen = context;
    int64_t x = mp_value_int(mp_result_value(result));
    seen->sum += x;
    if (x < 10)
        MP_CHECK(mp_pool_apply_async(seen->pool, task_add, mp_args(x, 1),
                                     &(mp_task_t){.callback = ask_for_more, .context = seen}) == MP_OK);
    mp__add32(&seen->calls, 1);
}

MP_CASE(a_callback_gives_tasks)
{
    mp_test_pools();
    seen_t seen = {.pool = new_pool(2)};
    mp_task_t task = {.callback = ask_for_more, .context = &seen};
    REQUIRE_OK(mp_pool_apply_async(seen.pool, task_add, mp_args(0, 1), &task));
    CU_ASSERT(reaches(&seen.calls, 10));
    CU_ASSERT_EQUAL(seen.sum, 55);
    EXPECT_OK(mp_pool_free(seen.pool));
}

static void try_to_wait(const mp_result_t *result, void *context)
{
    seen_t *seen = context;
    mp_result_t *other;
    (void)result;
    MP_CHECK(mp_pool_apply_async(seen->pool, task_add, mp_args(1, 1), &(mp_task_t){.result = &other}) == MP_OK);
    MP_CHECK(mp_result_get(other, NULL, MP_FOREVER) == MP_DEADLOCK);
    mp_result_free(other);
    MP_CHECK(mp_pool_close(seen->pool) == MP_OK);
    MP_CHECK(mp_pool_join(seen->pool, MP_FOREVER) == MP_DEADLOCK);
    MP_CHECK(mp_pool_free(seen->pool) == MP_DEADLOCK);
    mp__add32(&seen->calls, 1);
}

MP_CASE(a_callback_cannot_wait_for_its_own_pool)
{
    mp_test_pools();
    seen_t seen = {.pool = new_pool(1)};
    mp_task_t task = {.callback = try_to_wait, .context = &seen};
    REQUIRE_OK(mp_pool_apply_async(seen.pool, task_add, mp_args(0, 1), &task));
    CU_ASSERT(reaches(&seen.calls, 1));
    EXPECT_OK(mp_pool_join(seen.pool, PATIENCE));
    EXPECT_OK(mp_pool_free(seen.pool));
}

static void on_value_slowly(const mp_result_t *result, void *context)
{
    for (int i = 0; i < 20; i++)
        mp_test_moment();
    on_value(result, context);
}

MP_CASE(who_waited_for_a_result_sees_its_callback_done)
{
    mp_test_pools();
    seen_t seen = {0};
    mp_result_t *result;
    mp_pool_t *pool = new_pool(1);
    mp_task_t task = {.callback = on_value_slowly, .context = &seen, .result = &result};
    REQUIRE_OK(mp_pool_apply_async(pool, task_square, mp_args(3), &task));
    EXPECT_OK(mp_result_wait(result, PATIENCE));
    CU_ASSERT_EQUAL(seen.sum, 9);
    mp_result_free(result);
    EXPECT_OK(mp_pool_free(pool));
}

/* ---- errors ---- */

MP_CASE(a_functions_error_reaches_the_caller)
{
    mp_test_pools();
    mp_pool_t *pool = new_pool(1);
    mp_value_t value;
    EXPECT_STATUS(mp_pool_apply(pool, task_fail, mp_args(17), &value, PATIENCE), MP_FAILED);
    CU_ASSERT_EQUAL(mp_error()->code, 17);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "no luck");
    CU_ASSERT_EQUAL(mp_value_kind(value), MP_KIND_NONE);
    EXPECT_STATUS(mp_pool_apply(pool, task_add, mp_args("x", 1), NULL, PATIENCE), MP_TYPE);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "argument 0: expected int, got str");
    CU_ASSERT_EQUAL(apply_int(pool, task_add, mp_args(1, 1)), 2);
    EXPECT_OK(mp_pool_free(pool));
}

static mp_status_t return_a_connection(mp_call_t *call)
{
    mp_conn_t *a, *b;
    MP_CHECK(mp_pipe(&a, &b, MP_DUPLEX) == MP_OK);
    mp_status_t status = mp_return(call, a);
    mp_conn_close(a);
    mp_conn_close(b);
    return status;
}

static mp_status_t return_what_is_gone(mp_call_t *call)
{
    mp_queue_t *queue;
    MP_CHECK(mp_queue_create(&queue, 0) == MP_OK);
    mp_status_t status = mp_return(call, queue);
    mp_queue_close(queue);
    return status;
}

MP_CASE(what_cannot_travel_fails_only_its_task) /* G6 */
{
    mp_test_pools();
    mp_pool_t *pool = new_pool(2);
    mp_conn_t *a, *b;
    mp_result_t *result;
    REQUIRE_OK(mp_pipe(&a, &b, MP_DUPLEX));
    for (int i = 0; i < 20; i++) {
        mp_task_t task = {.result = &result};
        EXPECT_STATUS(mp_pool_apply_async(pool, task_echo, mp_args(a), &task), MP_NOT_SENDABLE);
        CU_ASSERT_PTR_NULL(result);
        EXPECT_STATUS(mp_pool_apply_async(pool, task_echo, mp_args(mp_str("\xff", 1)), &task), MP_INVALID);
        EXPECT_STATUS(mp_pool_apply(pool, return_a_connection, mp_args(), NULL, PATIENCE), MP_NOT_SENDABLE);

        REQUIRE_OK(mp_pool_apply_async(pool, return_what_is_gone, mp_args(), &task));
        mp_value_t value;
        EXPECT_STATUS(mp_result_get(result, &value, PATIENCE), MP_GONE);
        EXPECT_STATUS(mp_result_status(result), MP_GONE);
        CU_ASSERT_EQUAL(mp_value_kind(mp_result_value(result)), MP_KIND_NONE);
        mp_result_free(result);
        CU_ASSERT_EQUAL(apply_int(pool, task_add, mp_args(i, 1)), i + 1);
    }
    EXPECT_OK(mp_conn_close(a));
    EXPECT_OK(mp_conn_close(b));
    EXPECT_OK(mp_pool_free(pool));
}

static void on_gone(const mp_result_t *result, void *context)
{
    MP_CHECK(mp_result_status(result) == MP_GONE);
    mp__add32(&((seen_t *)context)->errors, 1);
}

MP_CASE(a_result_that_cannot_be_received_is_an_error_for_the_callback)
{
    mp_test_pools();
    seen_t seen = {0};
    mp_pool_t *pool = new_pool(1);
    mp_task_t task = {.callback = on_value, .error_callback = on_gone, .context = &seen};
    REQUIRE_OK(mp_pool_apply_async(pool, return_what_is_gone, mp_args(), &task));
    CU_ASSERT(reaches(&seen.errors, 1));
    EXPECT_OK(mp_pool_free(pool));
}

MP_CASE(objects_travel_with_tasks_and_results)
{
    mp_test_pools();
    mp_queue_t *queue;
    mp_value_t value, item;
    mp_pool_t *pool = new_pool(1);
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_pool_apply(pool, task_echo, mp_args(queue), &value, PATIENCE));
    REQUIRE_OK(mp_queue_put(mp_value_queue(value), "hello", 0));
    REQUIRE_OK(mp_queue_get(queue, &item, 0));
    CU_ASSERT_STRING_EQUAL(mp_value_str(item), "hello");
    mp_value_free(&item);
    mp_value_free(&value);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_pool_free(pool));
}

MP_CASE(wrong_use_is_refused)
{
    mp_test_pools();
    mp_pool_t *pool;
    mp_queue_t *queue;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_STATUS(mp_pool_create(NULL, 1), MP_INVALID);
    EXPECT_STATUS(mp_pool_create(&pool, -1), MP_INVALID);
    CU_ASSERT_PTR_NULL(pool);
    EXPECT_STATUS(mp_pool_create(&pool, MP_POOL_WORKERS_MAX + 1), MP_INVALID);
    EXPECT_STATUS(mp_pool_create_with(&pool, &(mp_pool_options_t){.max_tasks_per_worker = -1}), MP_INVALID);
    EXPECT_STATUS(mp_pool_create_with(&pool, &(mp_pool_options_t){.initializer_args = mp_args(1)}), MP_INVALID);
    EXPECT_STATUS(mp_pool_create_with(&pool, &(mp_pool_options_t){.initializer = task_echo,
                                                                  .initializer_args = mp_args(mp_descriptor(0))}),
                  MP_NOT_SENDABLE);
    CU_ASSERT_PTR_NULL(pool);
    EXPECT_STATUS(mp_pool_apply(NULL, task_pid, mp_args(), NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_pool_apply((mp_pool_t *)queue, task_pid, mp_args(), NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_pool_close(NULL), MP_INVALID);
    EXPECT_STATUS(mp_pool_terminate(NULL), MP_INVALID);
    EXPECT_STATUS(mp_pool_join(NULL, 0), MP_INVALID);
    EXPECT_OK(mp_pool_free(NULL));
    EXPECT_STATUS(mp_result_wait(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_result_get(NULL, NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_result_status(NULL), MP_INVALID);
    CU_ASSERT(!mp_result_ready(NULL));
    mp_result_free(NULL);
    EXPECT_OK(mp_queue_close(queue));

    pool = new_pool(1);
    EXPECT_STATUS(mp_pool_apply(pool, NULL, mp_args(), NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_pool_apply(pool, task_pid, mp_args(pool), NULL, 0), MP_NOT_SENDABLE);
    EXPECT_OK(mp_pool_free(pool));
}

/* A pool's tasks wait outside the family's memory; one that never fits in fails, alone. */
MP_CASE(tasks_larger_than_the_familys_memory)
{
    enum { SIZE = 3 << 20, TASKS = 12 };
    mp_result_t *results[TASKS];
    mp_result_t *giant;
    REQUIRE_OK(mp_configure((uint64_t)64 << 20, (uint64_t)16 << 20));
    mp_test_pools();
    char *data = calloc(1, (size_t)17 << 20);
    mp_pool_t *pool = new_pool(2);
    REQUIRE_OK(mp_pool_apply_async(pool, task_echo, mp_args(mp_bytes(data, (size_t)17 << 20)),
                                   &(mp_task_t){.result = &giant}));
    for (int i = 0; i < TASKS; i++)
        REQUIRE_OK(
            mp_pool_apply_async(pool, task_echo, mp_args(mp_bytes(data, SIZE)), &(mp_task_t){.result = &results[i]}));
    EXPECT_STATUS(mp_result_get(giant, NULL, PATIENCE), MP_NO_MEMORY);
    mp_result_free(giant);
    for (int i = 0; i < TASKS; i++) {
        mp_value_t value;
        EXPECT_OK(mp_result_get(results[i], &value, PATIENCE));
        CU_ASSERT_EQUAL(mp_value_len(value), SIZE);
        mp_value_free(&value);
        mp_result_free(results[i]);
    }
    EXPECT_OK(mp_pool_free(pool));
    free(data);
}

/* clang-format off */
MP_GUARDED_CASES(
    MP_ROW(apply_returns_the_functions_value),
    MP_ROW(large_arguments_and_results),
    MP_ROW(apply_waits_no_longer_than_asked),
    MP_ROW(workers_run_side_by_side),
    MP_ROW(a_result_tells_what_became_of_it),
    MP_ROW(a_result_may_outlive_its_pool),
    MP_ROW(any_number_of_threads_wait_for_one_result),
    MP_ROW(any_thread_gives_tasks),
    MP_ROW(each_result_is_called_back_one_at_a_time),
    MP_ROW(a_callback_comes_soon_though_main_never_calls_in),
    MP_ROW(a_callback_gives_tasks),
    MP_ROW(a_callback_cannot_wait_for_its_own_pool),
    MP_ROW(who_waited_for_a_result_sees_its_callback_done),
    MP_ROW(a_functions_error_reaches_the_caller),
    MP_ROW(what_cannot_travel_fails_only_its_task),
    MP_ROW(a_result_that_cannot_be_received_is_an_error_for_the_callback),
    MP_ROW(objects_travel_with_tasks_and_results),
    MP_ROW(wrong_use_is_refused),
    MP_ROW(tasks_larger_than_the_familys_memory));
/* clang-format on */
