/* Leases: done, returned, delivered again after a death, dead letters. */
#include "scene.h"
#include "system.h"

#include "family/alloc.h"

#include <string.h>

static mp_queue_t *make_with_letters(mp_queue_t *letters, uint32_t attempts)
{
    mp_queue_t *queue;
    const mp_queue_options_t options = {.dead_letters = letters, .attempts = attempts};
    REQUIRE_OK(mp_queue_create_with(&queue, &options));
    return queue;
}

/* The next one on lease, which must be n, for the given time. */
static mp_lease_t *lease_int(mp_queue_t *queue, int64_t n, uint32_t attempt)
{
    mp_lease_t *lease;
    mp_value_t value = MP_NONE;
    REQUIRE_OK(mp_queue_get_leased(queue, &lease, mp_test_patience()));
    EXPECT_OK(mp_lease_value(lease, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), n);
    CU_ASSERT_EQUAL(mp_lease_attempt(lease), attempt);
    mp_value_free(&value);
    return lease;
}

MP_CASE(done_is_gone_and_returned_comes_first)
{
    mp_lease_t *lease;
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    for (int i = 0; i < 5; i++)
        EXPECT_OK(mp_queue_put(queue, i, 0));
    mp_lease_t *first = lease_int(queue, 0, 1), *second = lease_int(queue, 1, 1), *third = lease_int(queue, 2, 1);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 2);
    EXPECT_OK(mp_lease_return(third));
    EXPECT_OK(mp_lease_return(first));
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 4);
    EXPECT_OK(mp_lease_done(second));
    EXPECT_OK(mp_lease_done(lease_int(queue, 0, 2)));
    CU_ASSERT_EQUAL(mp_test_get_int(queue), 2); /* any get receives what came back */
    EXPECT_OK(mp_lease_done(lease_int(queue, 3, 1)));
    CU_ASSERT_EQUAL(mp_test_get_int(queue), 4);
    EXPECT_STATUS(mp_queue_get_leased(queue, &lease, 0), MP_TIMEOUT);
    CU_ASSERT_PTR_NULL(lease);
    EXPECT_OK(mp_lease_done(NULL));
    EXPECT_OK(mp_lease_return(NULL));
    CU_ASSERT_EQUAL(mp_lease_attempt(NULL), 0);
    EXPECT_STATUS(mp_queue_get_leased(queue, NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_queue_get_leased(NULL, &lease, 0), MP_INVALID);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(bytes_of_every_size)
{
    static uint8_t item[100000];
    static const size_t sizes[] = {0, 1, 255, 257, 4095, 4096, 33000, sizeof item};
    mp_lease_t *lease;
    mp_value_t value;
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const void *data;
        size_t size = sizeof item;
        memset(item, (int)i + 1, sizeof item);
        EXPECT_OK(mp_queue_put_bytes(queue, item, sizes[i], 0));
        for (int again = 0; again < 2; again++) {
            REQUIRE_OK(mp_queue_get_leased(queue, &lease, 0));
            EXPECT_STATUS(mp_lease_value(lease, &value), MP_TYPE);
            EXPECT_OK(mp_lease_bytes(lease, &data, &size));
            CU_ASSERT(size == sizes[i] && memcmp(data, item, size) == 0);
            EXPECT_OK(mp_lease_return(lease));
        }
        size = sizeof item;
        EXPECT_OK(mp_queue_get_bytes(queue, item, &size, 0));
        CU_ASSERT_EQUAL(size, sizes[i]);
    }
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    REQUIRE_OK(mp_queue_get_leased(queue, &lease, 0));
    const void *data;
    size_t size;
    EXPECT_STATUS(mp_lease_bytes(lease, &data, &size), MP_TYPE);
    EXPECT_STATUS(mp_lease_bytes(NULL, &data, &size), MP_INVALID);
    EXPECT_STATUS(mp_lease_value(NULL, &value), MP_INVALID);
    EXPECT_OK(mp_lease_done(lease));
    EXPECT_OK(mp_queue_close(queue));
}

/* The book grows, and what is in it goes with the queue. */
MP_CASE(many_leases_at_once)
{
    enum { MANY = 3000 };
    static mp_lease_t *leases[MANY];
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    for (int i = 0; i < MANY; i++)
        EXPECT_OK(mp_queue_put(queue, i, 0));
    for (int i = 0; i < MANY; i++)
        leases[i] = lease_int(queue, i, 1);
    for (int i = 0; i < MANY; i += 3)
        EXPECT_OK(mp_lease_return(leases[i]));
    for (int i = 1; i < MANY; i += 3)
        EXPECT_OK(mp_lease_done(leases[i]));
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), MANY / 3);
    CU_ASSERT_EQUAL(mp_test_get_int(queue), 0);
    CU_ASSERT_EQUAL(mp_test_get_int(queue), 3);
    EXPECT_OK(mp_queue_close(queue));
    for (int i = 2; i < MANY; i += 3)
        EXPECT_STATUS(mp_lease_done(leases[i]), MP_GONE);
}

MP_CASE(too_often_is_a_dead_letter)
{
    mp_queue_t *queue;
    mp_test_objects();
    mp_queue_t *letters = mp_test_queue(0);
    queue = make_with_letters(letters, 2);
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    EXPECT_OK(mp_queue_put(queue, 2, 0));
    EXPECT_OK(mp_lease_return(lease_int(queue, 1, 1)));
    EXPECT_OK(mp_lease_return(lease_int(queue, 1, 2)));
    CU_ASSERT_EQUAL(mp_test_queue_size(letters), 1);
    CU_ASSERT_EQUAL(mp_test_get_int(letters), 1);
    EXPECT_OK(mp_lease_return(lease_int(queue, 2, 1)));
    EXPECT_OK(mp_queue_close(letters));
    EXPECT_OK(mp_lease_return(lease_int(queue, 2, 2))); /* there is no place for it any more */
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 0);
    const mp_queue_options_t half = {.attempts = 2};
    EXPECT_STATUS(mp_queue_create_with(&letters, &half), MP_INVALID);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(done_with_a_lease_is_done_with_a_task)
{
    mp_queue_t *queue;
    const mp_queue_options_t options = {.joinable = true};
    mp_test_objects();
    REQUIRE_OK(mp_queue_create_with(&queue, &options));
    for (int i = 0; i < 3; i++)
        EXPECT_OK(mp_queue_put(queue, i, 0));
    mp_lease_t *lease = lease_int(queue, 0, 1);
    EXPECT_OK(mp_lease_done(lease_int(queue, 1, 1)));
    EXPECT_OK(mp_lease_return(lease));
    CU_ASSERT_EQUAL(mp_test_get_int(queue), 0);
    EXPECT_STATUS(mp_queue_join(queue, 0), MP_TIMEOUT);
    EXPECT_OK(mp_queue_task_done(queue));
    EXPECT_OK(mp_lease_done(lease_int(queue, 2, 1)));
    EXPECT_OK(mp_queue_join(queue, 0));
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- holders that die */

static mp_status_t lease_and_wait(mp_call_t *call)
{
    mp_lease_t *lease;
    for (int64_t n = mp_arg_int(call, 2); n > 0; n--)
        MP_CHECK(mp_queue_get_leased(mp_arg_queue(call, 0), &lease, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), "leased", 0) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static void start_holder(mp_process_t **process, mp_queue_t *queue, mp_queue_t *ready, int leases)
{
    mp_value_t value;
    REQUIRE_OK(mp_process_start(process, lease_and_wait, mp_args(queue, ready, leases)));
    REQUIRE_OK(mp_queue_get(ready, &value, mp_test_patience()));
    mp_value_free(&value);
}

/* What it had comes before what nobody had; a slow one keeps its own and holds up nobody. */
static void kill_a_holder(void)
{
    mp_process_t *slow, *dies;
    mp_queue_t *queue = mp_test_queue(0), *ready = mp_test_queue(0);
    for (int i = 0; i < 6; i++)
        EXPECT_OK(mp_queue_put(queue, i, 0));
    start_holder(&slow, queue, ready, 1);
    start_holder(&dies, queue, ready, 2);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 3);
    EXPECT_OK(mp_lease_done(lease_int(queue, 3, 1)));
    mp_test_expect_killed(dies);
    EXPECT_OK(mp_lease_done(lease_int(queue, 1, 2)));
    EXPECT_OK(mp_lease_done(lease_int(queue, 2, 2)));
    EXPECT_OK(mp_lease_done(lease_int(queue, 4, 1)));
    EXPECT_OK(mp_lease_done(lease_int(queue, 5, 1)));
    mp_test_expect_killed(slow);
    EXPECT_OK(mp_lease_done(lease_int(queue, 0, 2)));
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 0);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_queue_close(ready));
}

MP_CASE(what_a_dead_holder_had_comes_first)
{
    mp_test_objects();
    mp_test_each_method(kill_a_holder);
}

typedef struct waiter {
    mp_queue_t *queue;
    mp_status_t status;
} waiter_t;

static void wait_for_item(void *context)
{
    waiter_t *waiter = context;
    mp_lease_t *lease;
    waiter->status = mp_queue_get_leased(waiter->queue, &lease, mp_test_patience());
    if (waiter->status == MP_OK)
        waiter->status = mp_lease_attempt(lease) == 2 ? mp_lease_done(lease) : MP_VALUE;
}

/* Nobody reaps it: who sleeps at the queue finds out. */
static void kill_while_others_sleep(void)
{
    mp_process_t *process;
    mp_queue_t *queue = mp_test_queue(0), *ready = mp_test_queue(0);
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    start_holder(&process, queue, ready, 1);
    waiter_t waiter = {queue, MP_STATE};
    mp_test_thread_t thread;
    mp_test_thread_start(&thread, wait_for_item, &waiter);
    double began = mp_now();
    EXPECT_OK(mp_process_kill(process));
    mp_test_thread_join(&thread);
    EXPECT_OK(waiter.status);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
    mp_test_expect_end(process, -9);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_queue_close(ready));
}

MP_CASE(who_sleeps_receives_what_a_dead_holder_had)
{
    mp_test_objects();
    mp_test_each_method(kill_while_others_sleep);
}

static void kill_twice(void)
{
    mp_process_t *process;
    mp_lease_t *lease;
    mp_queue_t *letters = mp_test_queue(0), *ready = mp_test_queue(0), *queue = make_with_letters(letters, 2);
    EXPECT_OK(mp_queue_put(queue, 77, 0));
    for (int i = 0; i < 2; i++) {
        start_holder(&process, queue, ready, 1);
        mp_test_expect_killed(process);
    }
    EXPECT_STATUS(mp_queue_get_leased(queue, &lease, 0), MP_TIMEOUT);
    CU_ASSERT_EQUAL(mp_test_queue_size(letters), 1);
    CU_ASSERT_EQUAL(mp_test_get_int(letters), 77);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_queue_close(letters));
    EXPECT_OK(mp_queue_close(ready));
}

MP_CASE(an_item_that_kills_its_holders_is_a_dead_letter)
{
    mp_test_objects();
    mp_test_each_method(kill_twice);
}

static mp_status_t end_it(mp_call_t *call)
{
    mp_lease_t *lease = (mp_lease_t *)(uintptr_t)mp_arg_uint(call, 0);
    return mp_exit(call, (int)mp_lease_done(lease));
}

MP_CASE(a_lease_is_its_process)
{
    mp_process_t *process;
    mp_test_objects();
    if (!mp_test_is_posix())
        mp_skip("there is no fork here");
    REQUIRE_OK(mp_set_start_method("fork", true));
    mp_queue_t *queue = mp_test_queue(0);
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    mp_lease_t *lease = lease_int(queue, 1, 1);
    REQUIRE_OK(mp_process_start(&process, end_it, mp_args((uint64_t)(uintptr_t)lease)));
    mp_test_expect_end(process, MP_STATE);
    EXPECT_OK(mp_lease_done(lease));
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- killed at any moment: nothing is lost, and nothing is done with twice by those who live on */

#define ITEMS 20000

typedef struct board {
    uint32_t done[ITEMS];
    uint32_t next; /* of the items to be put */
} board_t;

static mp_status_t work(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    board_t *board = mp_test_board(call, 1);
    for (;;) {
        mp_lease_t *lease;
        mp_status_t status = mp_queue_get_leased(queue, &lease, MP_FOREVER);
        const void *data;
        size_t size;
        uint32_t number;
        MP_CHECK(status == MP_OK && mp_lease_bytes(lease, &data, &size) == MP_OK);
        memcpy(&number, data, sizeof number);
        MP_CHECK(number < ITEMS && size == sizeof number + number % 7 * 900);
        MP_CHECK(mp_lease_done(lease) == MP_OK);
        mp__add32(&board->done[number], 1); /* a death just before: it was done with, and is not counted */
    }
    return MP_OK;
}

static void kill_holders(void)
{
    static uint8_t item[10000];
    static uint64_t random = 31;
    mp_process_t *workers[2];
    uint64_t name;
    board_t *board = mp_test_board_create(sizeof *board, &name);
    mp_queue_t *queue = mp_test_queue(0);
    double until = mp_now() + mp_test_seconds(3);
    unsigned kills = 0;
    uint32_t put = 0;
    for (int i = 0; i < 2; i++)
        REQUIRE_OK(mp_process_start(&workers[i], work, mp_args(queue, name)));
    for (; put + 100 < ITEMS && (kills < 10 || (kills < 100 && mp_now() < until)); kills++) {
        for (int i = 0; i < 100; i++, put++) {
            memcpy(item, &put, sizeof put);
            EXPECT_OK(mp_queue_put_bytes(queue, item, sizeof put + put % 7 * 900, mp_test_patience()));
        }
        mp_test_wander(&random, 500);
        mp_test_expect_killed(workers[kills % 2]);
        REQUIRE_OK(mp_process_start(&workers[kills % 2], work, mp_args(queue, name)));
    }
    double deadline = mp_now() + mp_test_patience();
    while (mp_test_queue_size(queue) && mp_now() < deadline)
        mp_sleep(0.01);
    for (int i = 0; i < 2; i++, kills++)
        mp_test_expect_killed(workers[i]);
    mp_lease_t *lease;
    while (mp_queue_get_leased(queue, &lease, 0) == MP_OK) {
        const void *data;
        size_t size;
        uint32_t number;
        EXPECT_OK(mp_lease_bytes(lease, &data, &size));
        memcpy(&number, data, sizeof number);
        EXPECT_OK(mp_lease_done(lease));
        board->done[number]++;
    }
    unsigned missing = 0, twice = 0;
    for (uint32_t i = 0; i < put; i++) {
        missing += board->done[i] == 0;
        twice += board->done[i] > 1;
    }
    CU_ASSERT(missing <= kills); /* done with, and killed before it could be counted */
    CU_ASSERT_EQUAL(twice, 0);
    EXPECT_OK(mp_queue_close(queue));
    mp_test_board_free(name);
}

MP_CASE(holders_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_holders);
}

/* The exact form: counted before it is said to be done with, so none may be missing. */
static mp_status_t count_first(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    board_t *board = mp_test_board(call, 1);
    for (;;) {
        mp_lease_t *lease;
        mp_value_t value;
        MP_CHECK(mp_queue_get_leased(queue, &lease, MP_FOREVER) == MP_OK);
        MP_CHECK(mp_lease_value(lease, &value) == MP_OK);
        mp__add32(&board->done[mp_value_int(value)], 1);
        mp_value_free(&value);
        MP_CHECK(mp_lease_done(lease) == MP_OK);
    }
    return MP_OK;
}

static void kill_counters(void)
{
    static uint64_t random = 77;
    mp_process_t *workers[2];
    uint64_t name;
    board_t *board = mp_test_board_create(sizeof *board, &name);
    mp_queue_t *queue = mp_test_queue(0);
    double until = mp_now() + mp_test_seconds(3);
    unsigned kills = 0;
    uint32_t put = 0;
    for (int i = 0; i < 2; i++)
        REQUIRE_OK(mp_process_start(&workers[i], count_first, mp_args(queue, name)));
    for (; put + 100 < ITEMS && (kills < 10 || (kills < 100 && mp_now() < until)); kills++) {
        for (int i = 0; i < 100; i++, put++)
            EXPECT_OK(mp_queue_put(queue, put, mp_test_patience()));
        mp_test_wander(&random, 500);
        mp_test_expect_killed(workers[kills % 2]);
        REQUIRE_OK(mp_process_start(&workers[kills % 2], count_first, mp_args(queue, name)));
    }
    for (int i = 0; i < 2; i++, kills++)
        mp_test_expect_killed(workers[i]);
    mp_lease_t *lease;
    while (mp_queue_get_leased(queue, &lease, 0) == MP_OK) {
        mp_value_t value;
        EXPECT_OK(mp_lease_value(lease, &value));
        board->done[mp_value_int(value)]++;
        EXPECT_OK(mp_lease_done(lease));
    }
    unsigned missing = 0, again = 0;
    for (uint32_t i = 0; i < put; i++) {
        missing += board->done[i] == 0;
        again += board->done[i] > 1 ? board->done[i] - 1 : 0;
    }
    CU_ASSERT_EQUAL(missing, 0);
    CU_ASSERT(again <= kills); /* killed between counting and done */
    EXPECT_OK(mp_queue_close(queue));
    mp_test_board_free(name);
}

MP_CASE(nothing_on_lease_is_lost)
{
    mp_test_objects();
    mp_test_each_method(kill_counters);
}

MP_GUARDED_CASES(MP_ROW(done_is_gone_and_returned_comes_first), MP_ROW(bytes_of_every_size),
                 MP_ROW(many_leases_at_once), MP_ROW(too_often_is_a_dead_letter),
                 MP_ROW(done_with_a_lease_is_done_with_a_task), MP_ROW(what_a_dead_holder_had_comes_first),
                 MP_ROW(who_sleeps_receives_what_a_dead_holder_had),
                 MP_ROW(an_item_that_kills_its_holders_is_a_dead_letter), MP_ROW(a_lease_is_its_process),
                 MP_ROW(holders_are_killed), MP_ROW(nothing_on_lease_is_lost));
