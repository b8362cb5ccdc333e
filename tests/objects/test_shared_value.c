/* Shared values: types, atomic operations, the lock, the end. (E1: test_shared_array.c) */
#include "scene.h"
#include "system.h"

#include "core/atomic.h"
#include "core/compiler.h"
#include "platform.h"

#include <string.h>

static mp_shared_value_t *make(mp_ctype_t type)
{
    mp_shared_value_t *value;
    REQUIRE_OK(mp_shared_value_create(&value, type));
    return value;
}

/* ---- what each type holds ---- */

MP_CASE(a_type_holds_its_range_and_no_more)
{
    static const struct {
        mp_ctype_t type;
        int64_t least, most;
    } ranges[] = {
        {MP_CTYPE_CHAR, 0, 255},          {MP_CTYPE_INT8, -128, 127},
        {MP_CTYPE_UINT8, 0, 255},         {MP_CTYPE_INT16, -32768, 32767},
        {MP_CTYPE_UINT16, 0, 65535},      {MP_CTYPE_INT32, INT32_MIN, INT32_MAX},
        {MP_CTYPE_UINT32, 0, UINT32_MAX}, {MP_CTYPE_INT64, INT64_MIN, INT64_MAX},
    };
    mp_test_objects();
    for (size_t i = 0; i < MP__COUNT_OF(ranges); i++) {
        int64_t x = 77, before;
        mp_shared_value_t *value = make(ranges[i].type);
        EXPECT_OK(mp_shared_value_set_int(value, ranges[i].least));
        EXPECT_OK(mp_shared_value_get_int(value, &x));
        CU_ASSERT_EQUAL(x, ranges[i].least);
        EXPECT_OK(mp_shared_value_set_int(value, ranges[i].most));
        EXPECT_OK(mp_shared_value_get_int(value, &x));
        CU_ASSERT_EQUAL(x, ranges[i].most);
        if (ranges[i].most < INT64_MAX) {
            EXPECT_STATUS(mp_shared_value_set_int(value, ranges[i].most + 1), MP_TOO_LARGE);
            EXPECT_STATUS(mp_shared_value_set_int(value, ranges[i].least - 1), MP_TOO_LARGE);
            EXPECT_STATUS(mp_shared_value_exchange_int(value, ranges[i].most + 1, &x), MP_TOO_LARGE);
        }
        EXPECT_OK(mp_shared_value_add_int(value, 1, &before)); /* round it goes */
        CU_ASSERT_EQUAL(before, ranges[i].most);
        EXPECT_OK(mp_shared_value_get_int(value, &x));
        CU_ASSERT_EQUAL(x, ranges[i].least);
        EXPECT_OK(mp_shared_value_add_int(value, -1, NULL));
        EXPECT_OK(mp_shared_value_get_int(value, &x));
        CU_ASSERT_EQUAL(x, ranges[i].most);
        EXPECT_OK(mp_shared_value_close(value));
    }
}

MP_CASE(wide_ones_and_bools)
{
    uint64_t x, before;
    int64_t whole;
    mp_test_objects();
    mp_shared_value_t *wide = make(MP_CTYPE_UINT64), *truth = make(MP_CTYPE_BOOL);
    EXPECT_OK(mp_shared_value_set_uint(wide, UINT64_MAX));
    EXPECT_OK(mp_shared_value_add_uint(wide, 2, &before));
    CU_ASSERT_EQUAL(before, UINT64_MAX);
    EXPECT_OK(mp_shared_value_get_uint(wide, &x));
    CU_ASSERT_EQUAL(x, 1);
    EXPECT_STATUS(mp_shared_value_get_int(wide, &whole), MP_TYPE);
    EXPECT_OK(mp_shared_value_set_int(truth, -300));
    EXPECT_OK(mp_shared_value_get_int(truth, &whole));
    CU_ASSERT_EQUAL(whole, 1);
    EXPECT_OK(mp_shared_value_exchange_uint(truth, 0, &before));
    CU_ASSERT_EQUAL(before, 1);
    EXPECT_STATUS(mp_shared_value_add_int(truth, 1, NULL), MP_TYPE);
    EXPECT_OK(mp_shared_value_close(wide));
    EXPECT_OK(mp_shared_value_close(truth));
}

MP_CASE(floating_ones)
{
    double x, before;
    bool done;
    mp_test_objects();
    mp_shared_value_t *real = make(MP_CTYPE_DOUBLE), *narrow = make(MP_CTYPE_FLOAT);
    EXPECT_OK(mp_shared_value_set_double(narrow, 0.1));
    EXPECT_OK(mp_shared_value_get_double(narrow, &x));
    CU_ASSERT(x == (double)0.1f);
    EXPECT_OK(mp_shared_value_add_double(real, 0.25, &before));
    EXPECT_OK(mp_shared_value_add_double(real, 0.25, &before));
    CU_ASSERT(before == 0.25);
    EXPECT_OK(mp_shared_value_exchange_double(real, (double)NAN, &before));
    CU_ASSERT(before == 0.5);
    x = (double)NAN;
    EXPECT_OK(mp_shared_value_cas_double(real, &x, 7, &done));
    CU_ASSERT(done);
    x = 8;
    EXPECT_OK(mp_shared_value_cas_double(real, &x, 9, &done));
    CU_ASSERT(!done && x == 7);
    EXPECT_STATUS(mp_shared_value_set_int(real, 1), MP_TYPE);
    EXPECT_STATUS(mp_shared_value_set_uint(real, 1), MP_TYPE);
    EXPECT_OK(mp_shared_value_close(real));
    EXPECT_OK(mp_shared_value_close(narrow));
}

MP_CASE(compare_and_exchange)
{
    mp_test_objects();
    bool done = true;
    int64_t expected = 1;
    uint64_t natural = 5;
    mp_shared_value_t *value = make(MP_CTYPE_INT32), *other = make(MP_CTYPE_UINT32);
    EXPECT_OK(mp_shared_value_cas_int(value, &expected, 2, &done));
    CU_ASSERT(!done && expected == 0);
    EXPECT_OK(mp_shared_value_cas_int(value, &expected, -2, &done));
    CU_ASSERT(done && expected == 0);
    EXPECT_STATUS(mp_shared_value_cas_int(value, &expected, (int64_t)1 << 40, &done), MP_TOO_LARGE);
    EXPECT_OK(mp_shared_value_cas_uint(other, &natural, 2, &done));
    CU_ASSERT(!done && natural == 0);
    EXPECT_STATUS(mp_shared_value_cas_int(value, NULL, 2, &done), MP_INVALID);
    EXPECT_STATUS(mp_shared_value_cas_int(value, &expected, 2, NULL), MP_INVALID);
    EXPECT_OK(mp_shared_value_close(value));
    EXPECT_OK(mp_shared_value_close(other));
}

MP_CASE(wrong_arguments)
{
    mp_shared_value_t *value = NULL;
    mp_lock_t *lock;
    int64_t x;
    double real;
    mp_test_objects();
    EXPECT_STATUS(mp_shared_value_create(NULL, MP_CTYPE_INT32), MP_INVALID);
    EXPECT_STATUS(mp_shared_value_create(&value, (mp_ctype_t)'u'), MP_TYPE);
    EXPECT_STATUS(mp_shared_value_create(&value, (mp_ctype_t)0), MP_TYPE);
    CU_ASSERT_PTR_NULL(value);
    value = make(MP_CTYPE_INT32);
    EXPECT_STATUS(mp_shared_value_get_int(value, NULL), MP_INVALID);
    EXPECT_STATUS(mp_shared_value_type(value, NULL), MP_INVALID);
    EXPECT_STATUS(mp_shared_value_get_double(value, &real), MP_TYPE);
    EXPECT_STATUS(mp_shared_value_get_int(NULL, &x), MP_INVALID);
    REQUIRE_OK(mp_lock_create(&lock));
    EXPECT_STATUS(mp_shared_value_get_int((mp_shared_value_t *)(void *)lock, &x), MP_INVALID);
    EXPECT_OK(mp_lock_close(lock));
    EXPECT_OK(mp_shared_value_close(value));
    EXPECT_OK(mp_shared_value_close(NULL));
}

/* ---- many at once ---- */

#define ROUNDS 20000

static mp_status_t count(mp_call_t *call)
{
    mp_shared_value_t *whole = mp_arg_shared_value(call, 0), *real = mp_arg_shared_value(call, 1);
    mp_shared_value_t *narrow = mp_arg_shared_value(call, 2);
    for (int i = 0; i < ROUNDS; i++) {
        bool done = false;
        uint64_t expected = 0;
        MP_CHECK(mp_shared_value_add_int(whole, 1, NULL) == MP_OK);
        MP_CHECK(mp_shared_value_add_double(real, 0.5, NULL) == MP_OK);
        while (!done)
            MP_CHECK(mp_shared_value_cas_uint(narrow, &expected, (expected + 1) & 0xffff, &done) == MP_OK);
    }
    return MP_OK;
}

static void count_together(void)
{
    mp_process_t *processes[4];
    int64_t whole;
    uint64_t narrow;
    double real;
    mp_shared_value_t *values[] = {make(MP_CTYPE_INT64), make(MP_CTYPE_DOUBLE), make(MP_CTYPE_UINT16)};
    for (int i = 0; i < 4; i++)
        REQUIRE_OK(mp_process_start(&processes[i], count, mp_args(values[0], values[1], values[2])));
    for (int i = 0; i < 4; i++)
        mp_test_expect_end(processes[i], 0);
    EXPECT_OK(mp_shared_value_get_int(values[0], &whole));
    EXPECT_OK(mp_shared_value_get_double(values[1], &real));
    EXPECT_OK(mp_shared_value_get_uint(values[2], &narrow));
    CU_ASSERT_EQUAL(whole, 4 * ROUNDS);
    CU_ASSERT(real == 2 * ROUNDS);
    CU_ASSERT_EQUAL(narrow, 4 * ROUNDS % 65536);
    for (int i = 0; i < 3; i++)
        EXPECT_OK(mp_shared_value_close(values[i]));
}

MP_CASE(no_change_is_lost)
{
    mp_test_objects();
    mp_test_each_method(count_together);
}

/* ---- the lock ---- */

static mp_status_t hold(mp_call_t *call)
{
    mp_shared_value_t *value = mp_arg_shared_value(call, 0);
    mp_value_t word;
    MP_CHECK(mp_shared_value_lock(value, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
    if (mp_conn_recv(mp_arg_conn(call, 1), &word) == MP_OK)
        MP_CHECK(mp_shared_value_unlock(value) == MP_OK);
    mp_value_free(&word);
    return MP_OK;
}

static void hold_and_die(void)
{
    mp_process_t *process;
    mp_conn_t *conn, *theirs;
    mp_value_t one;
    int64_t x;
    mp_shared_value_t *value = make(MP_CTYPE_INT32);
    EXPECT_STATUS(mp_shared_value_unlock(value), MP_NOT_OWNER);
    EXPECT_OK(mp_shared_value_lock(value, MP_FOREVER));
    EXPECT_STATUS(mp_shared_value_lock(value, 0), MP_BUSY);
    EXPECT_STATUS(mp_shared_value_lock(value, 5), MP_DEADLOCK);
    EXPECT_STATUS(mp_shared_value_lock(value, (double)NAN), MP_INVALID);
    EXPECT_STATUS(mp_shared_value_close(value), MP_BUSY);
    EXPECT_OK(mp_shared_value_unlock(value));
    for (int killed = 0; killed < 2; killed++) {
        REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
        REQUIRE_OK(mp_process_start(&process, hold, mp_args(value, theirs)));
        EXPECT_OK(mp_conn_close(theirs));
        REQUIRE_OK(mp_conn_recv(conn, &one));
        EXPECT_STATUS(mp_shared_value_lock(value, 0), MP_TIMEOUT);
        EXPECT_STATUS(mp_shared_value_lock(value, 0.05), MP_TIMEOUT);
        EXPECT_OK(mp_shared_value_set_int(value, 4)); /* single operations do not wait for it */
        EXPECT_OK(mp_shared_value_get_int(value, &x));
        EXPECT_STATUS(mp_shared_value_close(value), MP_BUSY);
        if (killed)
            mp_test_expect_killed(process);
        else
            EXPECT_OK(mp_conn_send(conn, 1));
        EXPECT_STATUS(mp_shared_value_lock(value, mp_test_patience()), killed ? MP_OWNER_DIED : MP_OK);
        EXPECT_OK(mp_shared_value_unlock(value));
        if (!killed)
            mp_test_expect_end(process, 0);
        EXPECT_OK(mp_conn_close(conn));
    }
    EXPECT_OK(mp_shared_value_close(value));
}

MP_CASE(its_lock_is_a_lock)
{
    mp_test_objects();
    mp_test_each_method(hold_and_die);
}

/* ---- the end ---- */

static mp_status_t own(mp_call_t *call)
{
    mp_value_t none;
    mp_shared_value_t *value;
    MP_CHECK(mp_shared_value_create(&value, MP_CTYPE_INT32) == MP_OK);
    MP_CHECK(mp_shared_value_lock(value, 0) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), value) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 0), &none);
    return MP_OK;
}

typedef struct waiter {
    mp_shared_value_t *value;
    uint32_t waiting;
    mp_status_t status;
} waiter_t;

static void wait_for_it(void *context)
{
    waiter_t *waiter = context;
    mp__store32(&waiter->waiting, 1);
    waiter->status = mp_shared_value_lock(waiter->value, MP_FOREVER);
}

static void kill_owner(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t message;
    mp_test_thread_t thread;
    int64_t x;
    mp_ctype_t type;
    bool done;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, own, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &message));
    waiter_t waiter = {.value = mp_value_shared_value(message)};
    EXPECT_OK(mp_shared_value_set_int(waiter.value, 3));
    mp_test_thread_start(&thread, wait_for_it, &waiter);
    while (!mp__load32(&waiter.waiting))
        mp__os_yield();
    double began = mp_now();
    EXPECT_OK(mp_process_kill(process));
    mp_test_thread_join(&thread);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
    CU_ASSERT(waiter.status == MP_GONE || waiter.status == MP_OWNER_DIED);
    mp_test_expect_end(process, -9);
    EXPECT_STATUS(mp_shared_value_get_int(waiter.value, &x), MP_GONE);
    EXPECT_STATUS(mp_shared_value_set_int(waiter.value, 1), MP_GONE);
    EXPECT_STATUS(mp_shared_value_add_int(waiter.value, 1, &x), MP_GONE);
    EXPECT_STATUS(mp_shared_value_exchange_int(waiter.value, 1, &x), MP_GONE);
    EXPECT_STATUS(mp_shared_value_cas_int(waiter.value, &x, 1, &done), MP_GONE);
    EXPECT_STATUS(mp_shared_value_type(waiter.value, &type), MP_GONE);
    EXPECT_STATUS(mp_shared_value_lock(waiter.value, 0), MP_GONE);
    EXPECT_STATUS(mp_shared_value_unlock(waiter.value), MP_GONE);
    mp_value_free(&message);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(it_goes_with_its_owner)
{
    mp_test_objects();
    mp_test_each_method(kill_owner);
}

static mp_status_t wait_to_the_end(mp_call_t *call)
{
    mp_shared_value_t *value = mp_arg_shared_value(call, 0);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), 1, MP_FOREVER) == MP_OK);
    mp_status_t status;
    while ((status = mp_shared_value_lock(value, MP_FOREVER)) == MP_OK)
        MP_CHECK(mp_shared_value_unlock(value) == MP_OK || mp_error()->status == MP_GONE);
    return mp_exit(call, (int)status);
}

static void close_it(void)
{
    mp_process_t *processes[3];
    mp_queue_t *ready;
    mp_value_t one;
    mp_shared_value_t *value = make(MP_CTYPE_INT32);
    REQUIRE_OK(mp_queue_create(&ready, 0));
    EXPECT_OK(mp_shared_value_lock(value, 0));
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_process_start(&processes[i], wait_to_the_end, mp_args(value, ready)));
    for (int i = 0; i < 3; i++)
        EXPECT_OK(mp_queue_get(ready, &one, mp_test_patience()));
    EXPECT_OK(mp_shared_value_unlock(value));
    mp_status_t status;
    while ((status = mp_shared_value_close(value)) == MP_BUSY)
        mp__os_yield();
    EXPECT_OK(status);
    for (int i = 0; i < 3; i++)
        mp_test_expect_end(processes[i], MP_GONE);
    EXPECT_OK(mp_queue_close(ready));
}

MP_CASE(its_owners_close_wakes_all)
{
    mp_test_objects();
    mp_test_each_method(close_it);
}

MP_GUARDED_CASES(MP_ROW(a_type_holds_its_range_and_no_more), MP_ROW(wide_ones_and_bools), MP_ROW(floating_ones),
                 MP_ROW(compare_and_exchange), MP_ROW(wrong_arguments), MP_ROW(no_change_is_lost),
                 MP_ROW(its_lock_is_a_lock), MP_ROW(it_goes_with_its_owner), MP_ROW(its_owners_close_wakes_all));
