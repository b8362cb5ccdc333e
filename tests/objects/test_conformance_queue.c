/* Queues behave as Python's: C1 to C7, one case a line of that list, each asserting all of it. */
#include "scene.h"
#include "system.h"

#include "core/atomic.h"
#include "platform.h"

#include <string.h>

#define MIB ((size_t)1 << 20)

static void expect_full(mp_queue_t *queue, bool expected)
{
    bool full = !expected;
    EXPECT_OK(mp_queue_is_full(queue, &full));
    CU_ASSERT_EQUAL(full, expected);
}

static void expect_empty(mp_queue_t *queue, bool expected)
{
    bool empty = !expected;
    EXPECT_OK(mp_queue_is_empty(queue, &empty));
    CU_ASSERT_EQUAL(empty, expected);
}

/* ---- C1: maxsize 6: fill; put without and with a time: "full", in time; another process drains it: empty */

static mp_status_t drain(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0), *answers = mp_arg_queue(call, 1);
    int64_t n = mp_arg_int(call, 2);
    for (int64_t i = 0; i < n; i++) {
        mp_value_t value;
        MP_CHECK(mp_queue_get(queue, &value, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_queue_put(answers, value, mp_test_patience()) == MP_OK);
        mp_value_free(&value);
    }
    return MP_OK;
}

static void expect_puts_to_wait(mp_queue_t *queue)
{
    expect_full(queue, true);
    double began = mp_now();
    EXPECT_STATUS(mp_queue_put(queue, 6, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_queue_put(queue, 6, -1), MP_TIMEOUT);
    EXPECT_TOOK(began, 0);
    began = mp_now();
    EXPECT_STATUS(mp_queue_put(queue, 6, 0.2), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.2);
    EXPECT_STATUS(mp_queue_put(queue, 6, (double)NAN), MP_INVALID);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 6);
}

static void expect_c1(void)
{
    mp_queue_t *queue = mp_test_queue(6), *answers = mp_test_queue(0);
    mp_process_t *process;
    for (int i = 0; i < 6; i++) {
        expect_full(queue, false);
        EXPECT_OK(mp_queue_put(queue, i, 0));
    }
    expect_puts_to_wait(queue);
    CU_ASSERT_EQUAL(mp_test_get_int(queue), 0);
    EXPECT_OK(mp_queue_put(queue, 6, 0));
    expect_puts_to_wait(queue);
    REQUIRE_OK(mp_process_start(&process, drain, mp_args(queue, answers, 6)));
    mp_test_expect_end(process, 0);
    expect_empty(queue, true);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 0);
    for (int i = 1; i < 7; i++)
        CU_ASSERT_EQUAL(mp_test_get_int(answers), i);

    /* A put waits until the other takes; the bound holds meanwhile. */
    REQUIRE_OK(mp_process_start(&process, drain, mp_args(queue, answers, 500)));
    for (int i = 0; i < 500; i++) {
        EXPECT_OK(mp_queue_put(queue, i, mp_test_patience()));
        CU_ASSERT(mp_test_queue_size(queue) <= 6);
    }
    mp_test_expect_end(process, 0);
    expect_empty(queue, true);
    for (int i = 0; i < 500; i++)
        CU_ASSERT_EQUAL(mp_test_get_int(answers), i);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_queue_close(answers));
}

MP_CASE(C1)
{
    mp_test_objects();
    mp_test_each_method(expect_c1);
}

/* ---- a writer that is stopped in the middle of putting (C2, C6) */

#define BATCH 64
#define MOST  20000 /* items: they last for some milliseconds */

/* Puts batches without end, so that it nearly always holds the queue. */
static mp_status_t put_batches(mp_call_t *call)
{
    static const char bytes[1000];
    mp_bytes_t items[BATCH];
    for (int i = 0; i < BATCH; i++)
        items[i] = (mp_bytes_t){bytes, sizeof bytes};
    for (;;)
        MP_CHECK(mp_queue_put_bytes_many(mp_arg_queue(call, 0), items, BATCH, NULL, MP_FOREVER) == MP_OK);
    return MP_OK;
}

/* Takes what is there, at most so many. */
static void take(mp_queue_t *queue, unsigned most)
{
    char item[1000];
    mp_status_t status = MP_OK;
    for (unsigned i = 0; i < most && status == MP_OK; i++) {
        size_t size = sizeof item;
        status = mp_queue_get_bytes(queue, item, &size, 0);
    }
    CU_ASSERT(status == MP_OK || status == MP_TIMEOUT);
}

/* The queue is not full, and nobody can put: then the writer, which stands still, holds it. */
static void stop_in_put(mp_queue_t *queue, mp_process_t *writer)
{
    static uint64_t random = 6;
    for (int attempt = 0; attempt < 500; attempt++) {
        take(queue, MOST);
        mp_test_wander(&random, 300);
        CU_ASSERT_FATAL(mp_test_pause(mp_process_pid(writer)));
        mp_status_t status = mp_queue_put_bytes(queue, "x", 1, 0.05);
        if (status == MP_TIMEOUT && strstr(mp_error()->text, "another is at it"))
            return;
        CU_ASSERT(status == MP_OK || status == MP_TIMEOUT);
        CU_ASSERT_FATAL(mp_test_resume(mp_process_pid(writer)));
    }
    CU_FAIL_FATAL("never stopped in the middle of putting");
}

/* ---- C2: get's times: "empty", in time; also if the writer died in the middle of an item */

static void expect_gets_to_wait(mp_queue_t *queue)
{
    mp_value_t value;
    expect_empty(queue, true);
    double began = mp_now();
    EXPECT_STATUS(mp_queue_get(queue, &value, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_queue_get(queue, &value, -1), MP_TIMEOUT);
    EXPECT_TOOK(began, 0);
    CU_ASSERT_EQUAL(mp_value_kind(value), MP_KIND_NONE);
    began = mp_now();
    EXPECT_STATUS(mp_queue_get(queue, &value, 0.2), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.2);
    EXPECT_STATUS(mp_queue_get(queue, &value, (double)NAN), MP_INVALID);
}

/* Has written half of an item where it lies. */
static mp_status_t write_half(mp_call_t *call)
{
    mp_lent_t room;
    MP_CHECK(mp_queue_reserve(mp_arg_queue(call, 0), MIB, &room, MP_FOREVER) == MP_OK);
    memset(room.data, 1, MIB / 2);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), 1, 0) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static void expect_c2(void)
{
    mp_process_t *process;
    mp_queue_t *queue = mp_test_queue(0), *ready = mp_test_queue(0);
    expect_gets_to_wait(queue);
    REQUIRE_OK(mp_process_start(&process, write_half, mp_args(queue, ready)));
    mp_test_get_int(ready);
    expect_gets_to_wait(queue);
    mp_test_expect_killed(process);
    expect_gets_to_wait(queue);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_queue_close(ready));

    queue = mp_test_queue(MOST);
    REQUIRE_OK(mp_process_start(&process, put_batches, mp_args(queue)));
    stop_in_put(queue, process);
    take(queue, UINT32_MAX);
    double began = mp_now();
    mp_value_t value;
    EXPECT_STATUS(mp_queue_get(queue, &value, 0.2), MP_TIMEOUT); /* it only stands still: nobody goes on for it */
    EXPECT_TOOK(began, 0.2);
    EXPECT_OK(mp_process_kill(process));
    take(queue, UINT32_MAX);
    expect_gets_to_wait(queue);
    mp_test_expect_end(process, -9);
    expect_gets_to_wait(queue);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(C2)
{
    mp_test_objects();
    mp_test_each_method(expect_c2);
}

/* ---- C3: a child puts 1 MiB, its parent joins it, with a time, before it reads: no deadlock, and all is there */

static void fill(uint8_t *bytes, uint64_t random)
{
    for (size_t i = 0; i < MIB; i++)
        bytes[i] = (uint8_t)mp_test_random(&random);
}

static mp_status_t put_mebibytes(mp_call_t *call)
{
    static uint8_t bytes[1 << 20];
    mp_queue_t *queue = mp_arg_queue(call, 0);
    fill(bytes, 5);
    MP_CHECK(mp_queue_put_bytes(queue, bytes, sizeof bytes, 0) == MP_OK);
    fill(bytes, 6);
    return mp_queue_put(queue, mp_bytes(bytes, sizeof bytes), 0);
}

static void expect_c3(void)
{
    static uint8_t expected[1 << 20], bytes[1 << 20];
    size_t size = sizeof bytes;
    mp_value_t value;
    mp_process_t *process;
    mp_queue_t *queue = mp_test_queue(0);
    REQUIRE_OK(mp_process_start(&process, put_mebibytes, mp_args(queue)));
    EXPECT_OK(mp_process_join(process, mp_test_seconds(5)));
    mp_test_expect_end(process, 0);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 2);
    fill(expected, 5);
    EXPECT_OK(mp_queue_get_bytes(queue, bytes, &size, 0));
    CU_ASSERT(size == MIB && memcmp(bytes, expected, MIB) == 0);
    fill(expected, 6);
    EXPECT_OK(mp_queue_get(queue, &value, 0));
    CU_ASSERT(mp_value_equal(value, mp_bytes(expected, MIB)));
    mp_value_free(&value);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(C3)
{
    mp_test_objects();
    mp_test_each_method(expect_c3);
}

/* ---- C4: what cannot be sent is the put's own error; its place is free again, and the next item passes */

MP_CASE(C4)
{
    mp_conn_t *a, *b;
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(1);
    REQUIRE_OK(mp_pipe(&a, &b, MP_DUPLEX));
    EXPECT_STATUS(mp_queue_put(queue, a, 0), MP_NOT_SENDABLE);
    EXPECT_STATUS(mp_queue_put(queue, mp_list(1, mp_descriptor(0)), 0), MP_NOT_SENDABLE);
    EXPECT_STATUS(mp_queue_put(queue, mp_str("\xff", 1), 0), MP_INVALID);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 0);
    expect_full(queue, false);
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    expect_full(queue, true);
    EXPECT_STATUS(mp_queue_put(queue, a, 0), MP_NOT_SENDABLE); /* also if it had to wait */
    CU_ASSERT_EQUAL(mp_test_get_int(queue), 1);
    EXPECT_OK(mp_conn_close(a));
    EXPECT_OK(mp_conn_close(b));
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- C5: put and get after close: "closed"; a join returns after 10 task_done by 4 workers; the 11th is an error */

/* Lets go of its pointer, once or, if it keeps it, twice: then it has none. */
static mp_status_t close_and_use(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    MP_CHECK(mp_queue_put(queue, 1, 0) == MP_OK);
    if (mp_arg_bool(call, 1)) {
        mp_keep(queue);
        MP_CHECK(mp_queue_close(queue) == MP_OK);
        MP_CHECK(mp_arg_queue(call, 0) == queue);
    }
    MP_CHECK(mp_queue_close(queue) == MP_OK);
    MP_CHECK(!mp_arg_queue(call, 0) && mp_call_status(call) == MP_CLOSED);
    return mp_exit(call, 4);
}

/* Uses what was closed by its maker, or shut down: puts and gets fail so. */
static mp_status_t use(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    mp_status_t expected = (mp_status_t)mp_arg_int(call, 1);
    mp_value_t value;
    if (expected == MP_GONE) {
        MP_CHECK(mp_queue_put(mp_arg_queue(call, 2), 1, MP_FOREVER) == MP_OK);
        MP_CHECK(mp_queue_get(queue, &value, MP_FOREVER) == MP_GONE);
    }
    MP_CHECK(mp_queue_put(queue, 1, 0) == expected && mp_queue_get(queue, &value, 0) == expected);
    MP_CHECK(mp_queue_put(queue, 1, MP_FOREVER) == expected && mp_queue_get(queue, &value, MP_FOREVER) == expected);
    return MP_OK;
}

static void expect_closed(void)
{
    mp_process_t *process;
    mp_value_t same, value;
    mp_queue_t *queue = mp_test_queue(0), *other = mp_test_queue(0);
    for (int keeps = 0; keeps < 2; keeps++) { /* another's close ends it for nobody else */
        REQUIRE_OK(mp_process_start(&process, close_and_use, mp_args(queue, mp_bool(keeps != 0))));
        mp_test_expect_end(process, 4);
        CU_ASSERT_EQUAL(mp_test_get_int(queue), 1);
    }
    EXPECT_OK(mp_queue_put(queue, 2, 0));
    CU_ASSERT_EQUAL(mp_test_get_int(queue), 2);

    REQUIRE_OK(mp_process_start(&process, use, mp_args(queue, (int)MP_GONE, other)));
    mp_test_get_int(other);
    EXPECT_OK(mp_queue_put(other, queue, 0));
    EXPECT_OK(mp_queue_get(other, &same, 0));
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_STATUS(mp_queue_put(mp_value_queue(same), 1, MP_FOREVER), MP_GONE);
    EXPECT_STATUS(mp_queue_get(mp_value_queue(same), &value, MP_FOREVER), MP_GONE);
    mp_value_free(&same);
    mp_test_expect_end(process, 0);

    EXPECT_OK(mp_queue_shutdown(other, false));
    EXPECT_STATUS(mp_queue_put(other, 1, MP_FOREVER), MP_CLOSED);
    EXPECT_STATUS(mp_queue_get(other, &value, MP_FOREVER), MP_CLOSED);
    REQUIRE_OK(mp_process_start(&process, use, mp_args(other, (int)MP_CLOSED)));
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_queue_close(other));
}

/* Does tasks until it is told to stop; then one time too often. */
static mp_status_t work(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    for (;;) {
        mp_value_t value;
        mp_status_t status = mp_queue_get(queue, &value, mp_test_patience());
        if (status == MP_CLOSED)
            return mp_exit(call, mp_queue_task_done(queue) == MP_STATE ? 7 : 8);
        MP_CHECK(status == MP_OK);
        mp_value_free(&value);
        MP_CHECK(mp_queue_task_done(queue) == MP_OK);
    }
}

static void expect_join(void)
{
    mp_process_t *workers[4];
    mp_queue_t *queue;
    const mp_queue_options_t options = {.joinable = true};
    REQUIRE_OK(mp_queue_create_with(&queue, &options));
    for (int i = 0; i < 10; i++)
        EXPECT_OK(mp_queue_put(queue, i, 0));
    double began = mp_now();
    EXPECT_STATUS(mp_queue_join(queue, 0.1), MP_TIMEOUT); /* nobody works yet */
    EXPECT_TOOK(began, 0.1);
    for (int i = 0; i < 4; i++)
        REQUIRE_OK(mp_process_start(&workers[i], work, mp_args(queue)));
    for (int round = 0; round < 20; round++) {
        EXPECT_OK(mp_queue_join(queue, mp_test_patience()));
        expect_empty(queue, true);
        EXPECT_STATUS(mp_queue_task_done(queue), MP_STATE);
        for (int i = 0; i < 10; i++)
            EXPECT_OK(mp_queue_put(queue, i, 0));
    }
    EXPECT_OK(mp_queue_join(queue, mp_test_patience()));
    EXPECT_OK(mp_queue_shutdown(queue, false));
    for (int i = 0; i < 4; i++)
        mp_test_expect_end(workers[i], 7);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(C5)
{
    mp_test_objects();
    mp_test_each_method(expect_closed);
    mp_test_each_method(expect_join);
}

/* ---- C6: a writer is killed while it holds the queue: within 1 s the other writers and readers go on. (At any other
 * moment: test_queue_kills.c.) */

enum { PUTS, MARKS, BOARD };

static mp_status_t put_one_by_one(mp_call_t *call)
{
    uint64_t *board = mp_test_board(call, 1);
    for (;;) {
        MP_CHECK(mp_queue_put_bytes(mp_arg_queue(call, 0), "other", 5, MP_FOREVER) == MP_OK);
        mp__add64(&board[PUTS], 1);
    }
    return MP_OK;
}

static mp_status_t count_marks(mp_call_t *call)
{
    char item[1000];
    uint64_t *board = mp_test_board(call, 1);
    for (;;) {
        size_t size = sizeof item;
        MP_CHECK(mp_queue_get_bytes(mp_arg_queue(call, 0), item, &size, MP_FOREVER) == MP_OK);
        if (size == 4 && memcmp(item, "mark", 4) == 0)
            mp__add64(&board[MARKS], 1);
    }
    return MP_OK;
}

static void await_more(const uint64_t *word, uint64_t than)
{
    for (double late = mp_now() + mp_test_patience(); mp__load64(word) <= than && mp_now() < late;)
        mp__os_yield();
    CU_ASSERT(mp__load64(word) > than);
}

static void expect_c6(void)
{
    mp_process_t *victim, *writer, *reader;
    uint64_t name, *board = mp_test_board_create(BOARD * sizeof *board, &name);
    mp_queue_t *queue = mp_test_queue(MOST);
    REQUIRE_OK(mp_process_start(&writer, put_one_by_one, mp_args(queue, name)));
    REQUIRE_OK(mp_process_start(&reader, count_marks, mp_args(queue, name)));
    for (uint64_t round = 0; round < 3; round++) {
        REQUIRE_OK(mp_process_start(&victim, put_batches, mp_args(queue)));
        stop_in_put(queue, victim);
        uint64_t puts = mp__load64(&board[PUTS]);
        CU_ASSERT_EQUAL(mp__load64(&board[MARKS]), round);
        double began = mp_now();
        EXPECT_OK(mp_process_kill(victim)); /* nobody reaps it yet */
        EXPECT_OK(mp_queue_put_bytes(queue, "mark", 4, mp_test_patience()));
        await_more(&board[PUTS], puts + 1); /* one may have been in flight */
        await_more(&board[MARKS], round);
        EXPECT_WITHIN(began, 1);
        mp_test_expect_end(victim, -9);
    }
    mp_test_expect_killed(writer);
    mp_test_expect_killed(reader);
    take(queue, UINT32_MAX);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 0);
    EXPECT_OK(mp_queue_close(queue));
    mp_test_board_free(name);
}

MP_CASE(C6)
{
    mp_test_objects();
    mp_test_each_method(expect_c6);
}

/* ---- C7: 10 producers x 10 000 items x 4 consumers: each item once, each producer's in order */

#define PRODUCERS 10
#define CONSUMERS 4
#define ITEMS     10000

static mp_status_t produce(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    int64_t self = mp_arg_int(call, 1);
    for (int64_t i = 0; i < ITEMS; i++)
        MP_CHECK(mp_queue_put(queue, self << 32 | i, mp_test_patience()) == MP_OK);
    return MP_OK;
}

/* Counts each item on the board, and sees that a producer's come in order. */
static mp_status_t consume(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    uint32_t *board = mp_test_board(call, 1);
    int64_t last[PRODUCERS];
    memset(last, -1, sizeof last);
    for (;;) {
        mp_value_t value;
        MP_CHECK(mp_queue_get(queue, &value, mp_test_patience()) == MP_OK);
        if (mp_value_kind(value) == MP_KIND_NONE)
            return MP_OK;
        int64_t producer = mp_value_int(value) >> 32, serial = mp_value_int(value) & 0xffffffff;
        MP_CHECK(producer < PRODUCERS && serial < ITEMS && serial > last[producer]);
        last[producer] = serial;
        mp__add32(&board[producer * ITEMS + serial], 1);
    }
}

static void expect_c7(void)
{
    mp_process_t *producers[PRODUCERS], *consumers[CONSUMERS];
    uint64_t name;
    uint32_t *board = mp_test_board_create(PRODUCERS * ITEMS * sizeof *board, &name);
    mp_queue_t *queue = mp_test_queue(100);
    for (int i = 0; i < CONSUMERS; i++)
        REQUIRE_OK(mp_process_start(&consumers[i], consume, mp_args(queue, name)));
    for (int i = 0; i < PRODUCERS; i++)
        REQUIRE_OK(mp_process_start(&producers[i], produce, mp_args(queue, i)));
    for (int i = 0; i < PRODUCERS; i++)
        mp_test_expect_end(producers[i], 0);
    for (int i = 0; i < CONSUMERS; i++)
        EXPECT_OK(mp_queue_put(queue, MP_NONE, mp_test_patience()));
    for (int i = 0; i < CONSUMERS; i++)
        mp_test_expect_end(consumers[i], 0);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 0);
    int wrong = 0;
    for (int i = 0; i < PRODUCERS * ITEMS; i++)
        wrong += board[i] != 1;
    CU_ASSERT_EQUAL(wrong, 0);
    EXPECT_OK(mp_queue_close(queue));
    mp_test_board_free(name);
}

MP_CASE(C7)
{
    mp_test_objects();
    mp_test_each_method(expect_c7);
}

MP_GUARDED_CASES(MP_ROW(C1), MP_ROW(C2), MP_ROW(C3), MP_ROW(C4), MP_ROW(C5), MP_ROW(C6), MP_ROW(C7));
