/* Queues: several items at once, bounds in bytes, the shutdown, payloads lent in place. */
#include "scene.h"
#include "system.h"

#include "family/alloc.h"

#include <stdlib.h>
#include <string.h>

static mp_queue_t *make_queue(uint64_t max_items, uint64_t max_bytes)
{
    mp_queue_t *queue;
    const mp_queue_options_t options = {.max_items = max_items, .max_bytes = max_bytes};
    REQUIRE_OK(mp_queue_create_with(&queue, &options));
    return queue;
}

static uint64_t size_of(mp_queue_t *queue)
{
    uint64_t size = UINT64_MAX;
    bool empty = false;
    EXPECT_OK(mp_queue_size(queue, &size));
    EXPECT_OK(mp_queue_is_empty(queue, &empty));
    CU_ASSERT_EQUAL(empty, size == 0);
    return size;
}

static bool is_full(mp_queue_t *queue)
{
    bool full = false;
    EXPECT_OK(mp_queue_is_full(queue, &full));
    return full;
}

static void put_bytes(mp_queue_t *queue, size_t size)
{
    static const uint8_t data[20000];
    EXPECT_OK(mp_queue_put_bytes(queue, data, size, 0));
}

static size_t take_bytes(mp_queue_t *queue)
{
    static uint8_t data[20000];
    size_t size = sizeof data;
    EXPECT_OK(mp_queue_get_bytes(queue, data, &size, mp_test_patience()));
    return size;
}

/* ---- bounds */

MP_CASE(a_bound_in_bytes)
{
    static const uint8_t data[20000];
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 10000);
    put_bytes(queue, 4000);
    put_bytes(queue, 5000);
    CU_ASSERT_FALSE(is_full(queue));
    EXPECT_STATUS(mp_queue_put_bytes(queue, data, 1001, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_queue_put_bytes(queue, data, 1001, 0.02), MP_TIMEOUT);
    put_bytes(queue, 1000);
    CU_ASSERT_TRUE(is_full(queue));
    put_bytes(queue, 0);
    EXPECT_STATUS(mp_queue_put_bytes(queue, data, 10001, MP_FOREVER), MP_TOO_LARGE);
    CU_ASSERT_EQUAL(take_bytes(queue), 4000);
    put_bytes(queue, 4000);
    EXPECT_STATUS(mp_queue_put_bytes(queue, data, 1, 0), MP_TIMEOUT);
    CU_ASSERT_EQUAL(size_of(queue), 4);
    for (int i = 0; i < 4; i++)
        take_bytes(queue);
    put_bytes(queue, 10000); /* in a block of its own, and all that may be in it */
    EXPECT_STATUS(mp_queue_put_bytes(queue, data, 1, 0), MP_TIMEOUT);
    take_bytes(queue);
    for (int round = 0; round < 2000; round++) {
        put_bytes(queue, (size_t)(round % 50) * 100);
        CU_ASSERT_EQUAL(take_bytes(queue), (size_t)(round % 50) * 100);
    }
    put_bytes(queue, 10000);
    EXPECT_OK(mp_queue_close(queue));
}

typedef struct putter {
    mp_queue_t *queue;
    size_t size;
    mp_status_t status;
} putter_t;

static void put_and_wait(void *context)
{
    static const uint8_t data[20000];
    putter_t *putter = context;
    putter->status = mp_queue_put_bytes(putter->queue, data, putter->size, mp_test_patience());
}

/* The large one still has no room; the small one does, though it came later. */
MP_CASE(who_waits_for_bytes_is_woken)
{
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 1000);
    putter_t large = {queue, 1000, MP_STATE}, small = {queue, 300, MP_STATE};
    mp_test_thread_t threads[2];
    put_bytes(queue, 400);
    put_bytes(queue, 600);
    mp_test_thread_start(&threads[0], put_and_wait, &large);
    mp_test_thread_start(&threads[1], put_and_wait, &small);
    take_bytes(queue);
    mp_test_thread_join(&threads[1]);
    EXPECT_OK(small.status);
    take_bytes(queue);
    take_bytes(queue);
    mp_test_thread_join(&threads[0]);
    EXPECT_OK(large.status);
    CU_ASSERT_EQUAL(take_bytes(queue), 1000);
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- several at once */

MP_CASE(values_many_at_once)
{
    enum { MANY = 1000 };
    static mp_value_t values[MANY], got[MANY];
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 0);
    size_t done = 0, n = MANY, total = 0;
    for (int i = 0; i < MANY; i++)
        values[i] = mp_of(i);
    EXPECT_OK(mp_queue_put_many(queue, values, MANY, &done, 0));
    CU_ASSERT_EQUAL(done, MANY);
    CU_ASSERT_EQUAL(size_of(queue), MANY);
    while (total < MANY) {
        n = MANY - total < 300 ? MANY - total : 300;
        REQUIRE_OK(mp_queue_get_many(queue, got + total, &n, 0));
        CU_ASSERT_FATAL(n > 0);
        total += n;
    }
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL(mp_value_int(got[i]), i);
    n = 1;
    EXPECT_STATUS(mp_queue_get_many(queue, got, &n, 0), MP_TIMEOUT);
    CU_ASSERT_EQUAL(n, 0);
    EXPECT_OK(mp_queue_put_many(queue, NULL, 0, NULL, 0));
    n = 0;
    EXPECT_STATUS(mp_queue_get_many(queue, got, &n, 0), MP_INVALID);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(one_that_cannot_be_sent_and_none_is_put)
{
    size_t done = 7;
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 0);
    const mp_value_t values[] = {mp_of(1), mp_descriptor(0)};
    EXPECT_STATUS(mp_queue_put_many(queue, values, 2, &done, 0), MP_NOT_SENDABLE);
    CU_ASSERT_EQUAL(done, 0);
    CU_ASSERT_EQUAL(size_of(queue), 0);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(bytes_many_at_once_of_every_size)
{
    enum { MANY = 500 };
    static uint8_t data[20000], room[100000];
    static mp_bytes_t items[MANY], got[MANY];
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 0);
    size_t done = 0, total = 0;
    memset(data, 9, sizeof data);
    for (size_t i = 0; i < MANY; i++)
        items[i] = (mp_bytes_t){data, i % 50 == 7 ? 5000 + i : i};
    EXPECT_OK(mp_queue_put_bytes_many(queue, items, MANY, &done, 0));
    CU_ASSERT_EQUAL(done, MANY);
    while (total < MANY) {
        size_t size = sizeof room, n = MANY;
        REQUIRE_OK(mp_queue_get_bytes_many(queue, room, &size, got, &n, 0));
        CU_ASSERT_FATAL(n > 0);
        for (size_t i = 0; i < n; i++)
            CU_ASSERT(got[i].size == items[total + i].size && memcmp(got[i].data, data, got[i].size) == 0);
        total += n;
    }
    put_bytes(queue, 100);
    EXPECT_OK(mp_queue_put(queue, "value", 0));
    size_t size = 50, n = 2;
    EXPECT_STATUS(mp_queue_get_bytes_many(queue, room, &size, got, &n, 0), MP_TOO_LARGE);
    CU_ASSERT_EQUAL(size, 100);
    n = 2;
    EXPECT_OK(mp_queue_get_bytes_many(queue, room, &size, got, &n, 0));
    CU_ASSERT_EQUAL(n, 1);
    n = 2;
    EXPECT_STATUS(mp_queue_get_bytes_many(queue, room, &size, got, &n, 0), MP_TYPE);
    EXPECT_OK(mp_queue_close(queue));
}

/* As many as there is room for; the rest waits for room. */
MP_CASE(many_into_a_bounded_queue)
{
    mp_value_t values[10];
    mp_test_objects();
    mp_queue_t *queue = make_queue(4, 0);
    size_t done = 0;
    for (int i = 0; i < 10; i++)
        values[i] = mp_of(i);
    EXPECT_STATUS(mp_queue_put_many(queue, values, 10, &done, 0.01), MP_TIMEOUT);
    CU_ASSERT_EQUAL(done, 4);
    CU_ASSERT_TRUE(is_full(queue));
    size_t n = 10;
    EXPECT_OK(mp_queue_get_many(queue, values, &n, 0));
    CU_ASSERT_EQUAL(n, 4);
    EXPECT_OK(mp_queue_close(queue));
}

/* No bytes have room where no more bytes have. */
MP_CASE(many_into_a_queue_that_is_bounded_in_bytes)
{
    static const uint8_t data[1000];
    static const mp_bytes_t items[] = {{data, 0}, {data, 300}, {data, 0},  {data, 700},
                                       {data, 0}, {data, 1},   {data, 999}};
    enum { MANY = sizeof items / sizeof *items };
    mp_bytes_t got[MANY];
    uint8_t room[1000];
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 1000);
    for (int round = 0; round < 100; round++) {
        size_t done = 0, begin = 0;
        EXPECT_STATUS(mp_queue_put_bytes_many(queue, items, MANY, &done, 0), MP_TIMEOUT);
        CU_ASSERT_EQUAL(done, 5);
        CU_ASSERT_TRUE(is_full(queue));
        EXPECT_STATUS(mp_queue_put_bytes_many(queue, items + done, MANY - done, NULL, 0), MP_TIMEOUT);
        while (begin < MANY) {
            size_t size = sizeof room, n = MANY;
            REQUIRE_OK(mp_queue_get_bytes_many(queue, room, &size, got, &n, 0));
            for (size_t i = 0; i < n; i++)
                CU_ASSERT_EQUAL(got[i].size, items[begin + i].size);
            begin += n;
            if (begin == done)
                EXPECT_OK(mp_queue_put_bytes_many(queue, items + done, MANY - done, NULL, 0));
        }
    }
    EXPECT_OK(mp_queue_close(queue));
}

/* A dead letter is put whatever the bound, and then not even no bytes have room. */
MP_CASE(more_than_full_has_room_for_nothing)
{
    static const uint8_t data[20];
    mp_lease_t *lease;
    mp_test_objects();
    mp_queue_t *letters = make_queue(0, 10), *queue;
    const mp_queue_options_t options = {.attempts = 1, .dead_letters = letters};
    REQUIRE_OK(mp_queue_create_with(&queue, &options));
    EXPECT_OK(mp_queue_put_bytes(queue, data, sizeof data, 0));
    REQUIRE_OK(mp_queue_get_leased(queue, &lease, 0));
    EXPECT_OK(mp_lease_return(lease));
    CU_ASSERT_EQUAL(size_of(letters), 1);
    const mp_bytes_t none[] = {{data, 0}, {data, 0}};
    EXPECT_STATUS(mp_queue_put_bytes(letters, data, 0, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_queue_put_bytes_many(letters, none, 2, NULL, 0), MP_TIMEOUT);
    CU_ASSERT_EQUAL(take_bytes(letters), sizeof data);
    EXPECT_OK(mp_queue_put_bytes_many(letters, none, 2, NULL, 0));
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_queue_close(letters));
}

#define FLOW 20000

static mp_status_t produce_many(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    uint64_t numbers[64];
    mp_bytes_t items[64];
    for (uint64_t i = 0; i < FLOW;) {
        size_t n = i % 64 + 1 < FLOW - i ? i % 64 + 1 : FLOW - i, done;
        for (size_t k = 0; k < n; k++) {
            numbers[k] = i + k;
            items[k] = (mp_bytes_t){&numbers[k], sizeof numbers[k]};
        }
        MP_CHECK(mp_queue_put_bytes_many(queue, items, n, &done, mp_test_patience()) == MP_OK && done == n);
        i += n;
    }
    return MP_OK;
}

static void expect_flow(void)
{
    mp_process_t *process;
    mp_queue_t *queue = make_queue(100, 0);
    REQUIRE_OK(mp_process_start(&process, produce_many, mp_args(queue)));
    for (uint64_t next = 0; next < FLOW;) {
        uint8_t room[400];
        mp_bytes_t items[64];
        size_t size = sizeof room, n = 64;
        REQUIRE_OK(mp_queue_get_bytes_many(queue, room, &size, items, &n, mp_test_patience()));
        for (size_t i = 0; i < n; i++, next++) {
            uint64_t number;
            memcpy(&number, items[i].data, sizeof number);
            CU_ASSERT_EQUAL_FATAL(number, next);
        }
    }
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(many_from_another_process)
{
    mp_test_objects();
    mp_test_each_method(expect_flow);
}

/* ---- the shutdown */

MP_CASE(after_a_shutdown_only_what_is_there_comes)
{
    mp_value_t value;
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 0);
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    EXPECT_OK(mp_queue_shutdown(queue, false));
    EXPECT_OK(mp_queue_shutdown(queue, false));
    EXPECT_STATUS(mp_queue_put(queue, 2, MP_FOREVER), MP_CLOSED);
    EXPECT_OK(mp_queue_get(queue, &value, 0));
    EXPECT_STATUS(mp_queue_get(queue, &value, MP_FOREVER), MP_CLOSED);
    EXPECT_STATUS(mp_queue_get(queue, &value, 0), MP_CLOSED);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_STATUS(mp_queue_shutdown(NULL, true), MP_INVALID);
}

MP_CASE(an_immediate_one_drops_it)
{
    mp_value_t value;
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 100000);
    for (size_t i = 0; i < 3000; i++)
        put_bytes(queue, i % 30);
    put_bytes(queue, 10000);
    EXPECT_OK(mp_queue_shutdown(queue, true));
    EXPECT_STATUS(mp_queue_get(queue, &value, MP_FOREVER), MP_CLOSED);
    EXPECT_STATUS(mp_queue_put(queue, 1, MP_FOREVER), MP_CLOSED);
    CU_ASSERT_EQUAL(size_of(queue), 0);
    EXPECT_OK(mp_queue_close(queue));
}

static mp_status_t wait_in_child(mp_call_t *call)
{
    mp_value_t value;
    mp_queue_t *queue = mp_arg_queue(call, 0);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 2), 1, MP_FOREVER) == MP_OK);
    mp_status_t status =
        mp_arg_bool(call, 1) ? mp_queue_put(queue, 1, MP_FOREVER) : mp_queue_get(queue, &value, MP_FOREVER);
    return mp_exit(call, (int)status);
}

static void expect_closed(void)
{
    mp_queue_t *empty = make_queue(0, 0), *full = make_queue(1, 0), *ready = make_queue(0, 0);
    mp_process_t *processes[4];
    mp_value_t value;
    EXPECT_OK(mp_queue_put(full, 1, 0));
    for (int i = 0; i < 4; i++)
        REQUIRE_OK(
            mp_process_start(&processes[i], wait_in_child, mp_args(i < 2 ? empty : full, mp_bool(i >= 2), ready)));
    for (int i = 0; i < 4; i++)
        EXPECT_OK(mp_queue_get(ready, &value, mp_test_patience()));
    mp_sleep(0.02); /* so that they sleep, mostly */
    EXPECT_OK(mp_queue_shutdown(empty, false));
    EXPECT_OK(mp_queue_shutdown(full, false));
    for (int i = 0; i < 4; i++)
        mp_test_expect_end(processes[i], MP_CLOSED);
    CU_ASSERT_EQUAL(size_of(full), 1);
    EXPECT_OK(mp_queue_close(empty));
    EXPECT_OK(mp_queue_close(full));
    EXPECT_OK(mp_queue_close(ready));
}

MP_CASE(who_waits_wakes_with_it)
{
    mp_test_objects();
    mp_test_each_method(expect_closed);
}

/* ---- lending */

MP_CASE(lent_to_write_and_to_read)
{
    static const size_t sizes[] = {0, 1, 64, 4095, 4096, 100000};
    mp_lent_t lent, got;
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        REQUIRE_OK(mp_queue_reserve(queue, sizes[i] + 10, &lent, 0));
        CU_ASSERT(lent.size == sizes[i] + 10 && (uintptr_t)lent.data % 64 == 0);
        memset(lent.data, (int)i + 1, sizes[i]);
        void *place = lent.data;
        EXPECT_OK(mp_queue_commit(queue, &lent, sizes[i], 0));
        CU_ASSERT_PTR_NULL(lent.data);
        REQUIRE_OK(mp_queue_get_lent(queue, &got, 0));
        CU_ASSERT_PTR_EQUAL(got.data, place); /* no copy */
        CU_ASSERT_EQUAL(got.size, sizes[i]);
        CU_ASSERT(sizes[i] == 0 || ((uint8_t *)got.data)[sizes[i] - 1] == i + 1);
        EXPECT_OK(mp_queue_commit(queue, &got, sizes[i], 0)); /* passed on */
        CU_ASSERT_EQUAL(size_of(queue), 1);
        REQUIRE_OK(mp_queue_get_lent(queue, &got, 0));
        EXPECT_OK(mp_lent_return(&got));
        EXPECT_OK(mp_lent_return(&got));
    }
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(lent_or_copied_they_mix)
{
    static uint8_t data[10000];
    mp_lent_t lent;
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 0);
    put_bytes(queue, 50);
    put_bytes(queue, 5000);
    REQUIRE_OK(mp_queue_get_lent(queue, &lent, 0));
    CU_ASSERT_EQUAL(lent.size, 50);
    EXPECT_OK(mp_lent_return(&lent));
    REQUIRE_OK(mp_queue_get_lent(queue, &lent, 0));
    CU_ASSERT_EQUAL(lent.size, 5000);
    EXPECT_STATUS(mp_queue_commit(queue, &lent, 100000, 0), MP_INVALID);
    memset(lent.data, 3, lent.size);
    EXPECT_OK(mp_queue_commit(queue, &lent, 4000, 0));
    size_t size = sizeof data;
    EXPECT_OK(mp_queue_get_bytes(queue, data, &size, 0));
    CU_ASSERT(size == 4000 && data[0] == 3 && data[3999] == 3);
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    EXPECT_STATUS(mp_queue_get_lent(queue, &lent, 0), MP_TYPE);
    CU_ASSERT_PTR_NULL(lent.data);
    EXPECT_STATUS(mp_queue_commit(queue, &lent, 0, 0), MP_INVALID);
    EXPECT_STATUS(mp_queue_reserve(NULL, 1, &lent, 0), MP_INVALID);
    EXPECT_STATUS(mp_queue_get_lent(queue, NULL, 0), MP_INVALID);
    EXPECT_OK(mp_lent_return(NULL));
    EXPECT_OK(mp_queue_close(queue));
}

/* What is lent stays when the queue goes. */
MP_CASE(lent_is_lent)
{
    mp_lent_t lent, reserved;
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 0);
    put_bytes(queue, 5000);
    put_bytes(queue, 5000);
    REQUIRE_OK(mp_queue_get_lent(queue, &lent, 0));
    REQUIRE_OK(mp_queue_reserve(queue, 100, &reserved, 0));
    EXPECT_OK(mp_queue_close(queue));
    memset(lent.data, 1, lent.size);
    memset(reserved.data, 1, reserved.size);
    EXPECT_OK(mp_lent_return(&lent));
    EXPECT_OK(mp_lent_return(&reserved));
}

static mp_status_t borrow_and_die(mp_call_t *call)
{
    mp_lent_t lent, reserved;
    mp_queue_t *queue = mp_arg_queue(call, 0);
    MP_CHECK(mp_queue_get_lent(queue, &lent, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_queue_reserve(queue, 30000, &reserved, 0) == MP_OK);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), 1, 0) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

/* The leak check sees what a dead one had. */
static void kill_a_borrower(void)
{
    mp_process_t *process;
    mp_value_t value;
    mp_queue_t *queue = make_queue(0, 0), *ready = make_queue(0, 0);
    put_bytes(queue, 20000);
    REQUIRE_OK(mp_process_start(&process, borrow_and_die, mp_args(queue, ready)));
    EXPECT_OK(mp_queue_get(ready, &value, mp_test_patience()));
    mp_test_expect_killed(process);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_queue_close(ready));
}

MP_CASE(what_a_dead_one_was_lent_is_freed)
{
    mp_test_objects();
    mp_test_each_method(kill_a_borrower);
}

/* Its block may be larger, and holds there what somebody had before. */
MP_CASE(no_more_is_committed_than_was_lent)
{
    static const size_t sizes[] = {0, 3, 63, 100, 5000, 100000};
    mp_lent_t lent;
    mp_test_objects();
    mp_queue_t *queue = make_queue(0, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        REQUIRE_OK(mp_queue_reserve(queue, sizes[i], &lent, 0));
        CU_ASSERT_EQUAL(lent.size, sizes[i]);
        EXPECT_STATUS(mp_queue_commit(queue, &lent, sizes[i] + 1, 0), MP_INVALID);
        CU_ASSERT_PTR_NOT_NULL(lent.data); /* it stays lent */
        EXPECT_OK(mp_queue_commit(queue, &lent, sizes[i], 0));
        REQUIRE_OK(mp_queue_get_lent(queue, &lent, 0));
        EXPECT_STATUS(mp_queue_commit(queue, &lent, sizes[i] + 1, 0), MP_INVALID);
        EXPECT_OK(mp_lent_return(&lent));
    }
    EXPECT_OK(mp_queue_put_bytes(queue, "abc", 3, 0));
    REQUIRE_OK(mp_queue_get_lent(queue, &lent, 0));
    EXPECT_STATUS(mp_queue_commit(queue, &lent, 4, 0), MP_INVALID);
    EXPECT_OK(mp_lent_return(&lent));
    EXPECT_OK(mp_queue_close(queue));
}

MP_GUARDED_CASES(MP_ROW(a_bound_in_bytes), MP_ROW(who_waits_for_bytes_is_woken), MP_ROW(values_many_at_once),
                 MP_ROW(one_that_cannot_be_sent_and_none_is_put), MP_ROW(bytes_many_at_once_of_every_size),
                 MP_ROW(many_into_a_bounded_queue), MP_ROW(many_into_a_queue_that_is_bounded_in_bytes),
                 MP_ROW(more_than_full_has_room_for_nothing), MP_ROW(many_from_another_process),
                 MP_ROW(after_a_shutdown_only_what_is_there_comes), MP_ROW(an_immediate_one_drops_it),
                 MP_ROW(who_waits_wakes_with_it), MP_ROW(lent_to_write_and_to_read), MP_ROW(lent_or_copied_they_mix),
                 MP_ROW(lent_is_lent), MP_ROW(what_a_dead_one_was_lent_is_freed),
                 MP_ROW(no_more_is_committed_than_was_lent));
