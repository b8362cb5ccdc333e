/* Pools: how they end. */
#include "hands.h"
#include "harness.h"
#include "child.h"
#include "system.h"

#include "core/atomic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE mp_test_seconds(20)

static mp_pool_t *new_pool(int workers)
{
    mp_pool_t *pool;
    REQUIRE_OK(mp_pool_create(&pool, workers));
    return pool;
}

static void count(const mp_result_t *result, void *context)
{
    (void)result;
    mp__add32(context, 1);
}

/* ---- close and join ---- */

MP_CASE(close_and_join_finish_what_was_given) /* G9 */
{
    enum { TASKS = 300 };
    mp_test_pools();
    uint32_t calls = 0;
    mp_pool_t *pool = new_pool(2);
    for (int i = 0; i < TASKS; i++)
        REQUIRE_OK(
            mp_pool_apply_async(pool, task_square, mp_args(i), &(mp_task_t){.callback = count, .context = &calls}));
    EXPECT_STATUS(mp_pool_join(pool, 0), MP_STATE);
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_STATUS(mp_pool_apply(pool, task_square, mp_args(1), NULL, PATIENCE), MP_STATE);
    EXPECT_STATUS(mp_pool_map(pool, task_square, mp_list(), 0, NULL, PATIENCE), MP_STATE);
    EXPECT_OK(mp_pool_join(pool, PATIENCE));
    CU_ASSERT_EQUAL(calls, TASKS);
    EXPECT_OK(mp_pool_join(pool, 0));
    EXPECT_OK(mp_pool_terminate(pool));
    EXPECT_OK(mp_pool_free(pool));
}

MP_CASE(a_pool_closes_before_its_workers_are_ready)
{
    mp_test_pools();
    for (int i = 0; i < 5; i++) {
        mp_pool_t *pool = new_pool(2);
        EXPECT_OK(mp_pool_close(pool));
        EXPECT_OK(mp_pool_join(pool, PATIENCE));
        EXPECT_OK(mp_pool_free(pool));
        EXPECT_OK(mp_pool_free(new_pool(2)));
    }
}

MP_CASE(join_waits_no_longer_than_asked)
{
    mp_test_pools();
    mp_test_gate_t gate;
    mp_test_gate_create(&gate);
    mp_pool_t *pool = new_pool(1);
    REQUIRE_OK(mp_pool_apply_async(pool, task_pass_gate, mp_args(gate.here, gate.gate, 1), NULL));
    (void)mp_test_gate_arrival(&gate);
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_STATUS(mp_pool_join(pool, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_pool_join(pool, 0.02), MP_TIMEOUT);
    mp_test_gate_open(&gate, 1);
    EXPECT_OK(mp_pool_join(pool, PATIENCE));
    EXPECT_OK(mp_pool_free(pool));
    mp_test_gate_close(&gate);
}

/* ---- terminate ---- */

MP_CASE(terminate_cancels_ten_thousand) /* G9 */
{
    enum { TASKS = 10000 };
    static mp_result_t *results[TASKS];
    mp_test_pools();
    mp_test_gate_t gate;
    uint32_t calls = 0;
    mp_test_gate_create(&gate);
    mp_pool_t *pool = new_pool(2);
    for (int i = 0; i < TASKS; i++) {
        mp_task_t task = {.callback = count, .error_callback = count, .context = &calls, .result = &results[i]};
        REQUIRE_OK(mp_pool_apply_async(pool, task_pass_gate, mp_args(gate.here, gate.gate, i), &task));
    }
    (void)mp_test_gate_arrival(&gate);
    (void)mp_test_gate_arrival(&gate);
    double begin = mp_now();
    EXPECT_OK(mp_pool_terminate(pool));
    CU_ASSERT(mp_now() - begin < mp_test_seconds(2));
    int cancelled = 0;
    for (int i = 0; i < TASKS; i++) {
        cancelled += mp_result_get(results[i], NULL, 0) == MP_CANCELLED;
        mp_result_free(results[i]);
    }
    CU_ASSERT_EQUAL(cancelled, TASKS);
    EXPECT_OK(mp_pool_join(pool, mp_test_seconds(2)));
    CU_ASSERT_EQUAL(calls, 0);
    EXPECT_STATUS(mp_pool_apply(pool, task_square, mp_args(1), NULL, PATIENCE), MP_STATE);
    EXPECT_OK(mp_pool_free(pool));
    mp_test_gate_close(&gate);
}

typedef struct slow {
    uint32_t begun;
    uint32_t may_end;
    uint32_t ended;
} slow_t;

static void dawdle(const mp_result_t *result, void *context)
{
    slow_t *slow = context;
    (void)result;
    mp__add32(&slow->begun, 1);
    while (!mp__load32(&slow->may_end))
        mp_test_moment();
    mp__add32(&slow->ended, 1);
}

MP_CASE(join_waits_for_the_callback_that_runs_and_no_other_follows)
{
    mp_test_pools();
    slow_t slow = {0};
    mp_pool_t *pool = new_pool(2);
    for (int i = 0; i < 10; i++)
        REQUIRE_OK(
            mp_pool_apply_async(pool, task_square, mp_args(i), &(mp_task_t){.callback = dawdle, .context = &slow}));
    while (!mp__load32(&slow.begun))
        mp_test_moment();
    EXPECT_OK(mp_pool_terminate(pool)); /* does not wait */
    EXPECT_STATUS(mp_pool_join(pool, 0.02), MP_TIMEOUT);
    mp__store32(&slow.may_end, 1);
    EXPECT_OK(mp_pool_join(pool, PATIENCE));
    CU_ASSERT_EQUAL(slow.begun, 1);
    CU_ASSERT_EQUAL(slow.ended, 1);
    EXPECT_OK(mp_pool_free(pool));
}

static void terminate_own(const mp_result_t *result, void *context)
{
    (void)result;
    MP_CHECK(mp_pool_terminate(context) == MP_OK);
}

MP_CASE(a_callback_terminates_its_pool)
{
    mp_test_pools();
    mp_test_gate_t gate;
    mp_result_t *never;
    mp_test_gate_create(&gate);
    mp_pool_t *pool = new_pool(2);
    REQUIRE_OK(
        mp_pool_apply_async(pool, task_pass_gate, mp_args(gate.here, gate.gate, 1), &(mp_task_t){.result = &never}));
    REQUIRE_OK(
        mp_pool_apply_async(pool, task_square, mp_args(1), &(mp_task_t){.callback = terminate_own, .context = pool}));
    EXPECT_STATUS(mp_result_get(never, NULL, PATIENCE), MP_CANCELLED);
    EXPECT_OK(mp_pool_join(pool, PATIENCE));
    EXPECT_OK(mp_pool_free(pool));
    mp_result_free(never);
    mp_test_gate_close(&gate);
}

static void wait_to_be_cancelled(void *context)
{
    MP_CHECK(mp_result_get(context, NULL, PATIENCE) == MP_CANCELLED);
}

MP_CASE(free_terminates_and_wakes_who_waits)
{
    mp_test_pools();
    mp_test_gate_t gate;
    mp_result_t *result;
    mp_test_thread_t thread;
    mp_test_gate_create(&gate);
    mp_pool_t *pool = new_pool(1);
    REQUIRE_OK(
        mp_pool_apply_async(pool, task_pass_gate, mp_args(gate.here, gate.gate, 1), &(mp_task_t){.result = &result}));
    (void)mp_test_gate_arrival(&gate);
    mp_test_thread_start(&thread, wait_to_be_cancelled, result);
    EXPECT_OK(mp_pool_free(pool));
    mp_test_thread_join(&thread);
    EXPECT_STATUS(mp_result_status(result), MP_CANCELLED);
    mp_result_free(result);
    mp_test_gate_close(&gate);
}

/* ---- the program's end ---- */

MP_PROGRAM(leaves_a_pool_open)
{
    static mp_pool_t *pool, *busy;
    static mp_queue_t *never;
    MP_CHECK(mp_pool_create(&pool, 2) == MP_OK);
    MP_CHECK(mp_pool_create(&busy, 2) == MP_OK);
    MP_CHECK(mp_queue_create(&never, 0) == MP_OK);
    for (int i = 0; i < 5; i++)
        MP_CHECK(mp_pool_apply_async(busy, task_pass_gate, mp_args(never, never, i), NULL) == MP_OK);
    MP_CHECK(mp_pool_apply(pool, task_square, mp_args(1), NULL, PATIENCE) == MP_OK);
    return 0;
}

MP_CASE(a_program_that_leaves_pools_open_ends_in_time) /* G10 */
{
    char output[200];
    double begin = mp_test_clock();
    /* The output ends when no process has it any more: a worker that lived on would hold it open. */
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "leaves_a_pool_open", output, sizeof output), 0);
    CU_ASSERT_STRING_EQUAL(output, "");
    CU_ASSERT(mp_test_clock() - begin < mp_test_seconds(10));
}

static void exit_now(const mp_result_t *result, void *context)
{
    (void)result;
    (void)context;
    exit(33);
}

MP_PROGRAM(exits_in_a_callback)
{
    static mp_pool_t *pool;
    static mp_queue_t *never;
    mp_value_t unused;
    MP_CHECK(mp_queue_create(&never, 0) == MP_OK);
    MP_CHECK(mp_pool_create(&pool, 2) == MP_OK);
    MP_CHECK(mp_pool_apply_async(pool, task_square, mp_args(1), &(mp_task_t){.callback = exit_now}) == MP_OK);
    MP_CHECK(mp_queue_get(never, &unused, PATIENCE) == MP_OK);
    return 0;
}

MP_CASE(a_callback_may_exit_the_program)
{
    char output[200];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "exits_in_a_callback", output, sizeof output), 33);
    CU_ASSERT_STRING_EQUAL(output, "");
}

/* ---- pools and processes ---- */

/* (n): the sum of n squares, by a pool of its own. */
static mp_status_t sum_of_squares(mp_call_t *call)
{
    mp_pool_t *pool;
    mp_value_t list = MP_NONE;
    int64_t sum = 0;
    mp_status_t status = mp_pool_create(&pool, 2);
    if (status != MP_OK)
        return status;
    status = mp_pool_map(pool, task_square, mp_range(0, mp_arg_int(call, 0)), 0, &list, PATIENCE);
    for (size_t i = 0; i < mp_value_len(list); i++)
        sum += mp_value_int(mp_value_item(list, i));
    mp_value_free(&list);
    mp_pool_free(pool);
    return status == MP_OK ? mp_return(call, sum) : status;
}

MP_CASE(a_pool_inside_a_task) /* G10 */
{
    mp_test_pools();
    mp_value_t list;
    mp_pool_t *pool = new_pool(2);
    REQUIRE_OK(mp_pool_map(pool, sum_of_squares, mp_list(3, 10, 4), 1, &list, PATIENCE));
    CU_ASSERT(mp_value_equal(list, mp_list(5, 285, 14)));
    mp_value_free(&list);
    EXPECT_OK(mp_pool_free(pool));
}

/* Starts workers of its own, tells that it did, and waits. */
static mp_status_t start_and_wait(mp_call_t *call)
{
    mp_pool_t *pool;
    mp_value_t unused;
    mp_status_t status = mp_pool_create(&pool, 1);
    if (status == MP_OK)
        status =
            mp_pool_apply_async(pool, task_pass_gate, mp_args(mp_arg_queue(call, 0), mp_arg_queue(call, 1), 1), NULL);
    return status == MP_OK ? mp_queue_get(mp_arg_queue(call, 1), &unused, MP_FOREVER) : status;
}

MP_PROGRAM(terminates_a_pool_of_pools)
{
    static mp_queue_t *here, *gate;
    mp_pool_t *pool;
    mp_value_t unused;
    MP_CHECK(mp_queue_create(&here, 0) == MP_OK);
    MP_CHECK(mp_queue_create(&gate, 0) == MP_OK);
    MP_CHECK(mp_pool_create(&pool, 1) == MP_OK);
    MP_CHECK(mp_pool_apply_async(pool, start_and_wait, mp_args(here, gate), NULL) == MP_OK);
    MP_CHECK(mp_queue_get(here, &unused, PATIENCE) == MP_OK);
    MP_CHECK(mp_pool_free(pool) == MP_OK);
    return 0;
}

MP_CASE(a_killed_workers_own_workers_end_too)
{
    char output[200];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "terminates_a_pool_of_pools", output, sizeof output), 0);
    CU_ASSERT_STRING_EQUAL(output, "");
}

static mp_pool_t *the_pool;
static mp_result_t *the_result;
static mp_result_t *the_open_result; /* of a task that does not end */

static void expect_no_result(const mp_result_t *result)
{
    mp_value_t value;
    bool ready;
    MP_CHECK(mp_result_wait(result, MP_FOREVER) == MP_INVALID);
    MP_CHECK(mp_result_get(result, &value, MP_FOREVER) == MP_INVALID && mp_value_kind(value) == MP_KIND_NONE);
    MP_CHECK(mp_result_status(result) == MP_INVALID && mp_result_error(result)->status == MP_INVALID);
    MP_CHECK(!mp_result_ready(result) && mp_value_kind(mp_result_value(result)) == MP_KIND_NONE);
    MP_CHECK(mp_wait((mp_value_t[]){mp_of((mp_result_t *)result)}, 1, &ready, MP_FOREVER) == MP_INVALID);
}

/* In a forked child: its parent's pool is there to be seen, and of no use. */
static mp_status_t try_the_parents_pool(mp_call_t *call)
{
    mp_pool_t *own;
    (void)call;
    MP_CHECK(mp_pool_apply(the_pool, task_pid, mp_args(), NULL, 0) == MP_INVALID);
    MP_CHECK(mp_pool_close(the_pool) == MP_INVALID);
    MP_CHECK(mp_pool_terminate(the_pool) == MP_INVALID);
    MP_CHECK(mp_pool_join(the_pool, 0) == MP_INVALID);
    MP_CHECK(mp_pool_free(the_pool) == MP_INVALID);
    expect_no_result(the_result);
    expect_no_result(the_open_result);
    mp_result_free(the_result);
    MP_CHECK(mp_pool_create(&own, 1) == MP_OK);
    MP_CHECK(mp_pool_apply(own, task_pid, mp_args(), NULL, PATIENCE) == MP_OK);
    MP_CHECK(mp_pool_free(own) == MP_OK);
    return MP_OK;
}

MP_CASE(a_forked_child_has_no_part_in_its_parents_pool)
{
    if (!mp__os_caps()->fork)
        mp_skip("there is no fork here");
    mp_test_pools();
    mp_process_t *process;
    mp_test_gate_t gate;
    int code = -1;
    mp_test_gate_create(&gate);
    the_pool = new_pool(1);
    REQUIRE_OK(mp_pool_apply_async(the_pool, task_square, mp_args(3), &(mp_task_t){.result = &the_result}));
    REQUIRE_OK(mp_result_wait(the_result, PATIENCE));
    REQUIRE_OK(mp_pool_apply_async(the_pool, task_pass_gate, mp_args(gate.here, gate.gate, 7),
                                   &(mp_task_t){.result = &the_open_result}));
    REQUIRE_OK(mp_process_start_with(&process, try_the_parents_pool, mp_args(),
                                     &(mp_process_options_t){.method = MP_START_FORK}));
    EXPECT_OK(mp_process_join(process, PATIENCE));
    EXPECT_OK(mp_process_exitcode(process, &code));
    CU_ASSERT_EQUAL(code, 0);
    EXPECT_OK(mp_process_close(process));
    mp_test_gate_open(&gate, 1);
    EXPECT_OK(mp_result_wait(the_open_result, PATIENCE));
    EXPECT_OK(mp_pool_apply(the_pool, task_pid, mp_args(), NULL, PATIENCE));
    mp_result_free(the_result);
    mp_result_free(the_open_result);
    EXPECT_OK(mp_pool_free(the_pool));
    mp_test_gate_close(&gate);
}

/* clang-format off */
MP_GUARDED_CASES(
    MP_ROW(close_and_join_finish_what_was_given),
    MP_ROW(a_pool_closes_before_its_workers_are_ready),
    MP_ROW(join_waits_no_longer_than_asked),
    MP_ROW(terminate_cancels_ten_thousand),
    MP_ROW(join_waits_for_the_callback_that_runs_and_no_other_follows),
    MP_ROW(a_callback_terminates_its_pool),
    MP_ROW(free_terminates_and_wakes_who_waits),
    MP_ROW(a_program_that_leaves_pools_open_ends_in_time),
    MP_ROW(a_callback_may_exit_the_program),
    MP_ROW(a_pool_inside_a_task),
    MP_ROW(a_killed_workers_own_workers_end_too),
    MP_ROW(a_forked_child_has_no_part_in_its_parents_pool),
    MP_SUB(leaves_a_pool_open),
    MP_SUB(exits_in_a_callback),
    MP_SUB(terminates_a_pool_of_pools));
/* clang-format on */
