/* Pools: a function over a list. */
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

/* Is it [0, 1, 4, 9... of n]? */
static bool are_squares(mp_value_t list, int64_t n)
{
    bool right = mp_value_kind(list) == MP_KIND_LIST && mp_value_len(list) == (size_t)n;
    for (int64_t i = 0; i < n && right; i++)
        right = mp_value_int(mp_value_item(list, (size_t)i)) == i * i;
    return right;
}

MP_CASE(map_equals_the_serial_loop) /* G1 */
{
    const int64_t lengths[] = {0, 1, 7, 1000};
    const size_t chunks[] = {0, 1, 3, 100, 1000000};
    mp_test_pools();
    mp_pool_t *pool = new_pool(3);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (size_t j = 0; j < sizeof chunks / sizeof chunks[0]; j++) {
            mp_value_t list;
            REQUIRE_OK(mp_pool_map(pool, task_square, mp_range(0, lengths[i]), chunks[j], &list, PATIENCE));
            CU_ASSERT(are_squares(list, lengths[i]));
            mp_value_free(&list);
        }
    EXPECT_OK(mp_pool_free(pool));
}

MP_CASE(items_and_values_of_all_kinds_keep_their_order)
{
    mp_test_pools();
    mp_pool_t *pool = new_pool(2);
    mp_value_t list;
    for (size_t chunk = 0; chunk < 4; chunk++) {
        REQUIRE_OK(mp_pool_map(pool, task_echo,
                               mp_list("a", MP_NONE, mp_list(), mp_dict("k", mp_list(1)), -1.5, MP_TRUE, 3), chunk,
                               &list, PATIENCE));
        CU_ASSERT(mp_value_equal(list, mp_list("a", MP_NONE, mp_list(), mp_dict("k", mp_list(1)), -1.5, MP_TRUE, 3)));
        mp_value_free(&list);
    }
    REQUIRE_OK(mp_pool_map(pool, task_square, mp_range(-3, 4), 2, &list, PATIENCE));
    CU_ASSERT(mp_value_equal(list, mp_list(9, 4, 1, 0, 1, 4, 9)));
    mp_value_free(&list);
    EXPECT_OK(mp_pool_free(pool));
}

MP_CASE(nothing_to_do_is_done_at_once)
{
    mp_test_pools();
    mp_test_gate_t gate;
    mp_result_t *result;
    mp_value_t list;
    mp_test_gate_create(&gate);
    mp_pool_t *pool = new_pool(1);
    REQUIRE_OK(mp_pool_apply_async(pool, task_pass_gate, mp_args(gate.here, gate.gate, 1), NULL));
    (void)mp_test_gate_arrival(&gate); /* no worker is free */
    REQUIRE_OK(mp_pool_map_async(pool, task_square, mp_list(), 0, &(mp_task_t){.result = &result}));
    CU_ASSERT(mp_result_ready(result));
    REQUIRE_OK(mp_result_get(result, &list, 0));
    CU_ASSERT(mp_value_equal(list, mp_list()));
    mp_value_free(&list);
    mp_result_free(result);
    mp_test_gate_open(&gate, 1);
    EXPECT_OK(mp_pool_free(pool));
    mp_test_gate_close(&gate);
}

MP_CASE(large_values)
{
    enum { ITEMS = 20, SIZE = 200000 };
    mp_test_pools();
    mp_value_t items[ITEMS], list;
    char *data = malloc(ITEMS * SIZE);
    for (int i = 0; i < ITEMS; i++) {
        memset(data + i * SIZE, 'a' + i, SIZE);
        items[i] = mp_bytes(data + i * SIZE, SIZE);
    }
    mp_pool_t *pool = new_pool(2);
    REQUIRE_OK(mp_pool_map(pool, task_echo, mp_value_list(items, ITEMS), 3, &list, PATIENCE));
    CU_ASSERT(mp_value_equal(list, mp_value_list(items, ITEMS)));
    mp_value_free(&list);
    free(data);
    EXPECT_OK(mp_pool_free(pool));
}

/* (x): fails for 5 and 6, else counts and returns x. */
static mp_status_t fail_at_five(mp_call_t *call)
{
    mp_value_t pair = mp_arg(call, 0);
    int64_t x = mp_value_int(mp_value_item(pair, 1));
    if (x == 5 || x == 6)
        return mp_fail(call, (int)x, "not %d", (int)x);
    mp_status_t status = mp_queue_put(mp_value_queue(mp_value_item(pair, 0)), x, MP_FOREVER);
    return status == MP_OK ? mp_return(call, x) : status;
}

MP_CASE(the_first_error_comes_when_all_chunks_are_done)
{
    enum { ITEMS = 20 };
    mp_test_pools();
    mp_queue_t *done;
    mp_value_t pairs[ITEMS][2], items[ITEMS], list;
    uint64_t n;
    REQUIRE_OK(mp_queue_create(&done, 0));
    for (int i = 0; i < ITEMS; i++) {
        pairs[i][0] = mp_of(done);
        pairs[i][1] = mp_of(i);
        items[i] = mp_value_list(pairs[i], 2);
    }
    mp_pool_t *pool = new_pool(1);
    EXPECT_STATUS(mp_pool_map(pool, fail_at_five, mp_value_list(items, ITEMS), 1, &list, PATIENCE), MP_FAILED);
    CU_ASSERT_EQUAL(mp_error()->code, 5);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "not 5");
    CU_ASSERT_EQUAL(mp_value_kind(list), MP_KIND_NONE);
    EXPECT_OK(mp_queue_size(done, &n));
    CU_ASSERT_EQUAL(n, ITEMS - 2);

    /* Of a chunk, what comes behind the error is not called. */
    EXPECT_STATUS(mp_pool_map(pool, fail_at_five, mp_value_list(items, ITEMS), 10, NULL, PATIENCE), MP_FAILED);
    EXPECT_OK(mp_queue_size(done, &n));
    CU_ASSERT_EQUAL(n, ITEMS - 2 + 5 + 10);
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_OK(mp_queue_close(done));
}

/* (x): ends its worker at 3. */
static mp_status_t leave_at_three(mp_call_t *call)
{
    return mp_arg_int(call, 0) == 3 ? mp_exit(call, 9) : mp_return(call, mp_arg(call, 0));
}

MP_CASE(a_worker_that_dies_in_a_chunk_fails_the_map)
{
    mp_test_pools();
    mp_value_t list;
    mp_pool_t *pool = new_pool(2);
    EXPECT_STATUS(mp_pool_map(pool, leave_at_three, mp_range(0, 50), 5, &list, PATIENCE), MP_WORKER_DIED);
    CU_ASSERT_EQUAL(mp_error()->code, 9);
    REQUIRE_OK(mp_pool_map(pool, task_square, mp_range(0, 50), 5, &list, PATIENCE));
    CU_ASSERT(are_squares(list, 50));
    mp_value_free(&list);
    EXPECT_OK(mp_pool_free(pool));
}

static void on_list(const mp_result_t *result, void *context)
{
    uint32_t *calls = context;
    MP_CHECK(are_squares(mp_result_value(result), 100));
    mp__add32(calls, 1);
}

static void on_nothing(const mp_result_t *result, void *context)
{
    MP_CHECK(mp_value_equal(mp_result_value(result), mp_list()));
    mp__add32(context, 100);
}

MP_CASE(a_map_is_called_back_once)
{
    mp_test_pools();
    uint32_t calls = 0;
    mp_pool_t *pool = new_pool(2);
    REQUIRE_OK(mp_pool_map_async(pool, task_square, mp_range(0, 100), 7,
                                 &(mp_task_t){.callback = on_list, .context = &calls}));
    REQUIRE_OK(
        mp_pool_map_async(pool, task_square, mp_list(), 0, &(mp_task_t){.callback = on_nothing, .context = &calls}));
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_join(pool, PATIENCE));
    CU_ASSERT_EQUAL(calls, 101);
    EXPECT_OK(mp_pool_free(pool));
}

MP_CASE(what_is_no_list_is_refused)
{
    mp_test_pools();
    mp_result_t *result;
    mp_value_t list;
    mp_pool_t *pool = new_pool(1);
    EXPECT_STATUS(mp_pool_map(pool, task_square, mp_of("abc"), 0, &list, PATIENCE), MP_TYPE);
    EXPECT_STATUS(mp_pool_map(pool, task_square, mp_dict("a", 1), 0, &list, PATIENCE), MP_TYPE);
    EXPECT_STATUS(mp_pool_map(pool, NULL, mp_range(0, 3), 0, &list, PATIENCE), MP_INVALID);
    EXPECT_STATUS(mp_pool_map(NULL, task_square, mp_range(0, 3), 0, &list, PATIENCE), MP_INVALID);
    /* One item that cannot be encoded: nothing is called. */
    EXPECT_STATUS(
        mp_pool_map_async(pool, task_square, mp_list(1, 2, mp_descriptor(0)), 1, &(mp_task_t){.result = &result}),
        MP_NOT_SENDABLE);
    CU_ASSERT_PTR_NULL(result);
    EXPECT_OK(mp_pool_free(pool));
}

MP_CASE(more_items_than_memory)
{
    if (mp_test_is_sanitized())
        mp_skip("a sanitizer ends the program that asks for so much memory");
    mp_test_pools();
    mp_value_t list;
    mp_pool_t *pool = new_pool(1);
    EXPECT_STATUS(mp_pool_map(pool, task_square, mp_range(0, INT64_MAX), 0, &list, PATIENCE), MP_NO_MEMORY);
    EXPECT_STATUS(mp_pool_map(pool, task_square, mp_range(0, INT64_MAX), 1, &list, PATIENCE), MP_NO_MEMORY);
    EXPECT_STATUS(mp_pool_map(pool, task_square, mp_range(INT64_MIN, INT64_MAX), SIZE_MAX, &list, PATIENCE),
                  MP_NO_MEMORY);
    EXPECT_OK(mp_pool_free(pool));
}

/* clang-format off */
MP_GUARDED_CASES(
    MP_ROW(map_equals_the_serial_loop),
    MP_ROW(items_and_values_of_all_kinds_keep_their_order),
    MP_ROW(nothing_to_do_is_done_at_once),
    MP_ROW(large_values),
    MP_ROW(the_first_error_comes_when_all_chunks_are_done),
    MP_ROW(a_worker_that_dies_in_a_chunk_fails_the_map),
    MP_ROW(a_map_is_called_back_once),
    MP_ROW(what_is_no_list_is_refused),
    MP_ROW(more_items_than_memory));
/* clang-format on */
