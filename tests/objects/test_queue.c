/* Queues: order, large items, ends, memory; bounds and deadlines are in test_conformance_queue.c, deaths in
 * test_queue_kills.c. */
#include "scene.h"
#include "system.h"

#include "family/alloc.h"

#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

/* ---- one process ---- */

MP_CASE(items_come_out_in_order)
{
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 0);
    for (int i = 0; i < 5000; i++) {
        EXPECT_OK(mp_queue_put(queue, i, 0));
        CU_ASSERT_EQUAL(mp_test_queue_size(queue), (uint64_t)i + 1);
    }
    for (int i = 0; i < 5000; i++) {
        CU_ASSERT_EQUAL(mp_test_get_int(queue), i);
        CU_ASSERT_EQUAL(mp_test_queue_size(queue), 4999 - (uint64_t)i);
    }
    EXPECT_OK(mp_queue_close(queue));
}

/* What was taken goes back: a queue that is used for long does not grow. */
MP_CASE(a_queue_that_is_used_for_long_does_not_grow)
{
    static char item[3000];
    size_t size;
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    uint64_t most = 0;
    for (int i = 0; i < 3000; i++) {
        EXPECT_OK(mp_queue_put_bytes(queue, item, sizeof item, 0));
        size = sizeof item;
        EXPECT_OK(mp_queue_get_bytes(queue, item, &size, 0));
        uint64_t blocks = mp__blocks_in_use();
        most = blocks > most ? blocks : most;
    }
    CU_ASSERT(most <= mp__blocks_in_use() + 2);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(nothing_is_no_queue)
{
    mp_value_t value;
    mp_lock_t *lock;
    uint64_t n;
    size_t size = 1;
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    REQUIRE_OK(mp_lock_create(&lock));
    EXPECT_STATUS(mp_queue_create(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_queue_put((mp_queue_t *)NULL, 1, 0), MP_INVALID);
    EXPECT_STATUS(mp_queue_put((mp_queue_t *)(void *)lock, 1, 0), MP_INVALID);
    EXPECT_STATUS(mp_queue_get(NULL, &value, 0), MP_INVALID);
    EXPECT_STATUS(mp_queue_get(queue, NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_queue_size(NULL, &n), MP_INVALID);
    EXPECT_STATUS(mp_queue_put_bytes(queue, NULL, 1, 0), MP_INVALID);
    EXPECT_STATUS(mp_queue_get_bytes(queue, NULL, &size, 0), MP_INVALID);
    EXPECT_OK(mp_queue_close(NULL));
    EXPECT_OK(mp_lock_close(lock));
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(bytes_and_values_are_apart)
{
    char room[16];
    size_t size = sizeof room;
    mp_value_t value;
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    EXPECT_OK(mp_queue_put_bytes(queue, "raw", 3, 0));
    EXPECT_OK(mp_queue_put(queue, "value", 0));
    EXPECT_OK(mp_queue_put_bytes(queue, NULL, 0, 0));
    EXPECT_STATUS(mp_queue_get(queue, &value, 0), MP_TYPE);
    size = 2;
    EXPECT_STATUS(mp_queue_get_bytes(queue, room, &size, 0), MP_TOO_LARGE);
    CU_ASSERT_EQUAL(size, 3);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 3);
    size = sizeof room;
    EXPECT_OK(mp_queue_get_bytes(queue, room, &size, 0));
    CU_ASSERT(size == 3 && memcmp(room, "raw", 3) == 0);
    EXPECT_STATUS(mp_queue_get_bytes(queue, room, &size, 0), MP_TYPE);
    EXPECT_OK(mp_queue_get(queue, &value, 0));
    CU_ASSERT_STRING_EQUAL(mp_value_str(value), "value");
    mp_value_free(&value);
    size = 0;
    EXPECT_OK(mp_queue_get_bytes(queue, NULL, &size, 0));
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), 0);
    EXPECT_OK(mp_queue_close(queue));
}

static void fill(uint8_t *bytes, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(seed + i * 13 + (i >> 8));
}

static bool filled(const uint8_t *bytes, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (uint8_t)(seed + i * 13 + (i >> 8)))
            return false;
    return true;
}

/* Around each border: of a word, of what lies in blocks of its own, of a chunk. */
MP_CASE(items_of_every_size)
{
    static const size_t sizes[] = {0, 1, 7, 8, 9, 4087, 4088, 4095, 4096, 4097, 32767, 32768, 65536, 1000000, 8 << 20};
    static uint8_t sent[8 << 20], got[8 << 20];
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            fill(sent, sizes[i], i + round);
            EXPECT_OK(mp_queue_put_bytes(queue, sent, sizes[i], 0));
        }
        CU_ASSERT_EQUAL(mp_test_queue_size(queue), COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = 0;
            if (sizes[i])
                EXPECT_STATUS(mp_queue_get_bytes(queue, got, &size, 0), MP_TOO_LARGE);
            CU_ASSERT_EQUAL(size, sizes[i]);
            EXPECT_OK(mp_queue_get_bytes(queue, got, &size, 0));
            CU_ASSERT_EQUAL(size, sizes[i]);
            CU_ASSERT(filled(got, size, i + round));
        }
    }
    EXPECT_OK(mp_queue_close(queue));
}

/* What is in a queue when it is closed goes with it: the leak check counts blocks. */
MP_CASE(a_full_queue_is_closed_with_all_that_is_in_it)
{
    static uint8_t bytes[100000];
    mp_test_objects();
    for (int i = 0; i < 20; i++) {
        mp_queue_t *queue = mp_test_queue(0);
        for (size_t n = 0; n < 200; n++)
            EXPECT_OK(mp_queue_put_bytes(queue, bytes, n * 37 % 5000 + (n % 50 == 0 ? 90000 : 0), 0));
        EXPECT_OK(mp_queue_close(queue));
    }
}

MP_CASE(objects_in_items)
{
    mp_value_t value, item;
    mp_lock_t *lock;
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0), *inner = mp_test_queue(0);
    REQUIRE_OK(mp_lock_create(&lock));
    EXPECT_OK(mp_queue_put(queue, mp_list(inner, mp_dict("lock", lock)), 0));
    EXPECT_OK(mp_queue_get(queue, &value, 0));
    EXPECT_OK(mp_queue_put(mp_value_queue(mp_value_item(value, 0)), "through", 0));
    EXPECT_OK(mp_queue_get(inner, &item, 0));
    CU_ASSERT_STRING_EQUAL(mp_value_str(item), "through");
    mp_value_free(&item);
    mp_lock_t *same = mp_value_lock(mp_value_get(mp_value_item(value, 1), "lock"));
    EXPECT_OK(mp_lock_acquire(same, 0));
    EXPECT_STATUS(mp_lock_acquire(lock, 0), MP_BUSY);
    EXPECT_OK(mp_lock_release(lock));
    mp_value_free(&value);
    EXPECT_OK(mp_queue_put(queue, mp_list(inner), 0));
    EXPECT_OK(mp_queue_put(queue, 5, 0));
    EXPECT_OK(mp_queue_close(inner));
    EXPECT_STATUS(mp_queue_get(queue, &value, 0), MP_GONE); /* that item is lost, no other */
    CU_ASSERT_EQUAL(mp_test_get_int(queue), 5);
    EXPECT_OK(mp_lock_close(lock));
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- threads ---- */

typedef struct pair {
    mp_queue_t *there;
    mp_queue_t *back;
} pair_t;

static void bounce(void *context)
{
    const pair_t *pair = context;
    for (int i = 0; i < 2000; i++) {
        mp_value_t value;
        MP_CHECK(mp_queue_get(pair->there, &value, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_queue_put(pair->back, value, mp_test_patience()) == MP_OK);
        mp_value_free(&value);
    }
}

/* A wake-up that is lost costs half a second each time: this would take minutes. */
MP_CASE(no_wake_up_is_lost)
{
    mp_test_objects();
    pair_t pair = {mp_test_queue(1), mp_test_queue(1)};
    mp_test_thread_t thread;
    mp_test_thread_start(&thread, bounce, &pair);
    double began = mp_now();
    for (int i = 0; i < 2000; i++) {
        EXPECT_OK(mp_queue_put(pair.there, i, mp_test_patience()));
        CU_ASSERT_EQUAL(mp_test_get_int(pair.back), i);
    }
    CU_ASSERT(mp_now() - began < mp_test_seconds(20));
    mp_test_thread_join(&thread);
    EXPECT_OK(mp_queue_close(pair.there));
    EXPECT_OK(mp_queue_close(pair.back));
}

/* ---- the end ---- */

typedef struct waiter {
    mp_queue_t *queue;
    bool puts;
    uint32_t waiting;
    mp_status_t status;
} waiter_t;

static void wait_for_end(void *context)
{
    waiter_t *waiter = context;
    mp_value_t value;
    mp__add32(&waiter->waiting, 1);
    waiter->status =
        waiter->puts ? mp_queue_put(waiter->queue, 1, MP_FOREVER) : mp_queue_get(waiter->queue, &value, MP_FOREVER);
}

static mp_status_t wait_in_child(mp_call_t *call)
{
    waiter_t waiter = {.queue = mp_arg_queue(call, 0), .puts = mp_arg_bool(call, 1)};
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 2), 1, MP_FOREVER) == MP_OK);
    wait_for_end(&waiter);
    return mp_exit(call, (int)waiter.status);
}

/* By its maker's close, in all processes. */
static void expect_gone(void)
{
    mp_queue_t *empty = mp_test_queue(0), *full = mp_test_queue(1), *ready = mp_test_queue(0);
    mp_process_t *gets, *puts;
    EXPECT_OK(mp_queue_put(full, 1, 0));
    REQUIRE_OK(mp_process_start(&gets, wait_in_child, mp_args(empty, mp_bool(false), ready)));
    REQUIRE_OK(mp_process_start(&puts, wait_in_child, mp_args(full, mp_bool(true), ready)));
    mp_test_get_int(ready);
    mp_test_get_int(ready);
    EXPECT_OK(mp_queue_close(empty));
    EXPECT_OK(mp_queue_close(full));
    mp_test_expect_end(gets, MP_GONE);
    mp_test_expect_end(puts, MP_GONE);
    EXPECT_OK(mp_queue_close(ready));
}

MP_CASE(its_makers_close_ends_it_for_all)
{
    mp_test_objects();
    mp_test_each_method(expect_gone);
}

static mp_status_t make_and_wait(mp_call_t *call)
{
    mp_queue_t *queue;
    mp_value_t none;
    MP_CHECK(mp_queue_create(&queue, 0) == MP_OK);
    MP_CHECK(mp_queue_put(queue, "left", 0) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), queue) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 0), &none);
    return MP_OK;
}

/* By its maker's death: whoever waits wakes within two slices. */
static void expect_gone_with_its_maker(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t message, item;
    uint64_t n;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, make_and_wait, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &message));
    mp_queue_t *queue = mp_value_queue(message);
    EXPECT_OK(mp_queue_get(queue, &item, 0));
    CU_ASSERT_STRING_EQUAL(mp_value_str(item), "left");
    mp_value_free(&item);
    waiter_t waiter = {.queue = queue};
    mp_test_thread_t thread;
    mp_test_thread_start(&thread, wait_for_end, &waiter);
    while (!mp__load32(&waiter.waiting))
        mp__os_yield();
    double began = mp_now();
    EXPECT_OK(mp_process_kill(process));
    mp_test_thread_join(&thread);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
    EXPECT_STATUS(waiter.status, MP_GONE);
    mp_test_expect_end(process, -9);
    EXPECT_STATUS(mp_queue_put(queue, 1, MP_FOREVER), MP_GONE);
    EXPECT_STATUS(mp_queue_get(queue, &item, MP_FOREVER), MP_GONE);
    EXPECT_STATUS(mp_queue_size(queue, &n), MP_GONE);
    mp_value_free(&message);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(it_goes_with_its_maker)
{
    mp_test_objects();
    mp_test_each_method(expect_gone_with_its_maker);
}

/* ---- memory ---- */

static void take_one_later(void *context)
{
    static uint8_t room[1 << 20];
    size_t size = sizeof room;
    mp_sleep(0.1);
    MP_CHECK(mp_queue_get_bytes(context, room, &size, mp_test_patience()) == MP_OK);
}

MP_CASE(the_memory_cap_makes_puts_wait)
{
    static uint8_t item[900000];
    mp_test_thread_t thread;
    REQUIRE_OK(mp_configure(256 * MIB, 16 * MIB));
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    uint64_t puts = 0;
    while (puts < 100 && mp_queue_put_bytes(queue, item, sizeof item, 0) == MP_OK)
        puts++;
    CU_ASSERT(puts >= 10 && puts <= 18);
    EXPECT_STATUS(mp_queue_put_bytes(queue, item, sizeof item, 0.05), MP_NO_MEMORY);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "memory_cap"));
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), puts);
    mp_test_thread_start(&thread, take_one_later, queue);
    EXPECT_OK(mp_queue_put_bytes(queue, item, sizeof item, mp_test_patience()));
    mp_test_thread_join(&thread);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), puts);
    static uint8_t all[17 << 20];
    EXPECT_STATUS(mp_queue_put_bytes(queue, all, sizeof all, MP_FOREVER), MP_NO_MEMORY); /* it would never fit */
    EXPECT_OK(mp_queue_close(queue));
}

/* Small items fill it too; and then everything can be taken out again. */
MP_CASE(a_queue_full_of_small_items_at_the_cap_is_whole)
{
    char item[100];
    REQUIRE_OK(mp_configure(64 * MIB, 4 * MIB));
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    uint64_t puts = 0;
    memset(item, 'i', sizeof item);
    while (mp_queue_put_bytes(queue, item, sizeof item, 0) == MP_OK)
        puts++;
    EXPECT_STATUS(mp_error()->status, MP_NO_MEMORY);
    CU_ASSERT(puts > 20000);
    CU_ASSERT_EQUAL(mp_test_queue_size(queue), puts);
    for (uint64_t i = 0; i < puts; i++) {
        size_t size = sizeof item;
        REQUIRE_OK(mp_queue_get_bytes(queue, item, &size, 0));
    }
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    CU_ASSERT_EQUAL(mp_test_get_int(queue), 1);
    EXPECT_OK(mp_queue_close(queue));
}

MP_GUARDED_CASES(MP_ROW(items_come_out_in_order), MP_ROW(a_queue_that_is_used_for_long_does_not_grow),
                 MP_ROW(nothing_is_no_queue), MP_ROW(bytes_and_values_are_apart), MP_ROW(items_of_every_size),
                 MP_ROW(a_full_queue_is_closed_with_all_that_is_in_it), MP_ROW(objects_in_items),
                 MP_ROW(no_wake_up_is_lost), MP_ROW(its_makers_close_ends_it_for_all), MP_ROW(it_goes_with_its_maker),
                 MP_ROW(the_memory_cap_makes_puts_wait), MP_ROW(a_queue_full_of_small_items_at_the_cap_is_whole));
