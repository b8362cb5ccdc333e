/* Shared arrays: types, items, the lock, the end; and E1, for values, too. */
#include "scene.h"
#include "system.h"

#include "core/compiler.h"
#include "platform.h"

#include <string.h>

static mp_shared_array_t *make(mp_ctype_t type, size_t count)
{
    mp_shared_array_t *array;
    REQUIRE_OK(mp_shared_array_create(&array, type, count));
    return array;
}

/* ---- E1: a value and an array of each type changed by a child; filled with zeros when memory is used again */

#define COUNT ((size_t)300)

static bool is_real(mp_ctype_t type)
{
    return type == MP_CTYPE_FLOAT || type == MP_CTYPE_DOUBLE;
}

static bool is_signed(mp_ctype_t type)
{
    return type == MP_CTYPE_INT8 || type == MP_CTYPE_INT16 || type == MP_CTYPE_INT32 || type == MP_CTYPE_LONG ||
           type == MP_CTYPE_INT64;
}

static void change_value(mp_shared_value_t *value)
{
    mp_ctype_t type;
    MP_CHECK(mp_shared_value_type(value, &type) == MP_OK);
    if (is_real(type))
        MP_CHECK(mp_shared_value_set_double(value, -2.5) == MP_OK);
    else if (is_signed(type))
        MP_CHECK(mp_shared_value_set_int(value, -1) == MP_OK);
    else
        MP_CHECK(mp_shared_value_set_uint(value, 1) == MP_OK);
}

/* Is it what a child makes of it, or 0? */
static void expect_value(mp_shared_value_t *value, bool changed)
{
    double real = 7;
    int64_t whole = 7;
    uint64_t natural = 7;
    mp_ctype_t type;
    EXPECT_OK(mp_shared_value_type(value, &type));
    if (is_real(type))
        EXPECT_OK(mp_shared_value_get_double(value, &real));
    else if (is_signed(type))
        EXPECT_OK(mp_shared_value_get_int(value, &whole));
    else
        EXPECT_OK(mp_shared_value_get_uint(value, &natural));
    CU_ASSERT(is_real(type)     ? real == (changed ? -2.5 : 0)
              : is_signed(type) ? whole == (changed ? -1 : 0)
                                : natural == (changed ? 1 : 0));
}

/* Makes an array in memory that another had, with every bit set. */
static mp_shared_array_t *make_again(mp_ctype_t type)
{
    void *before, *data;
    mp_shared_array_t *array = make(type, COUNT);
    REQUIRE_OK(mp_shared_array_data(array, &before, NULL));
    memset(before, 0xff, COUNT * mp_ctype_size(type));
    EXPECT_OK(mp_shared_array_close(array));
    array = make(type, COUNT);
    REQUIRE_OK(mp_shared_array_data(array, &data, NULL));
    CU_ASSERT_PTR_EQUAL(data, before);
    return array;
}

/* For each C type: a child that changes every item and the value, and what checks them. */
#define TYPE(name, type)                                                                                               \
    static mp_status_t change_##name(mp_call_t *call)                                                                  \
    {                                                                                                                  \
        type *items;                                                                                                   \
        size_t count;                                                                                                  \
        MP_CHECK(mp_shared_array_data(mp_arg_shared_array(call, 0), &items, &count) == MP_OK);                         \
        MP_CHECK(count == COUNT);                                                                                      \
        for (size_t i = 0; i < count; i++)                                                                             \
            items[i] = (type)(items[i] + (type)(i % 2));                                                               \
        change_value(mp_arg_shared_value(call, 1));                                                                    \
        return MP_OK;                                                                                                  \
    }                                                                                                                  \
    static void check_##name(mp_ctype_t code)                                                                          \
    {                                                                                                                  \
        mp_process_t *process;                                                                                         \
        type *items;                                                                                                   \
        size_t count = 0;                                                                                              \
        void *any;                                                                                                     \
        mp_ctype_t told;                                                                                               \
        mp_shared_value_t *value;                                                                                      \
        mp_shared_array_t *array = make_again(code);                                                                   \
        REQUIRE_OK(mp_shared_value_create(&value, code));                                                              \
        EXPECT_OK(mp_shared_array_type(array, &told));                                                                 \
        CU_ASSERT_EQUAL(told, code);                                                                                   \
        CU_ASSERT_EQUAL(mp_ctype_size(code), sizeof(type));                                                            \
        EXPECT_OK(mp_shared_array_length(array, &count));                                                              \
        CU_ASSERT_EQUAL(count, COUNT);                                                                                 \
        REQUIRE_OK(mp_shared_array_data(array, &items, NULL));                                                         \
        EXPECT_OK(mp_shared_array_data(array, &any, NULL));                                                            \
        CU_ASSERT_PTR_EQUAL(any, items);                                                                               \
        for (size_t i = 0; i < COUNT; i++)                                                                             \
            CU_ASSERT(items[i] == 0);                                                                                  \
        expect_value(value, false);                                                                                    \
        REQUIRE_OK(mp_process_start(&process, change_##name, mp_args(array, value)));                                  \
        mp_test_expect_end(process, 0);                                                                                \
        for (size_t i = 0; i < COUNT; i++)                                                                             \
            CU_ASSERT(items[i] == (type)(i % 2));                                                                      \
        expect_value(value, true);                                                                                     \
        EXPECT_OK(mp_shared_array_close(array));                                                                       \
        EXPECT_OK(mp_shared_value_close(value));                                                                       \
    }

TYPE(char, char)
TYPE(int8, signed char)
TYPE(uint8, unsigned char)
TYPE(int16, short)
TYPE(uint16, unsigned short)
TYPE(int32, int)
TYPE(uint32, unsigned)
TYPE(long, long)
TYPE(ulong, unsigned long)
TYPE(int64, long long)
TYPE(uint64, unsigned long long)
TYPE(float, float)
TYPE(double, double)
TYPE(bool, bool)

static void check_types(void)
{
    check_char(MP_CTYPE_CHAR);
    check_int8(MP_CTYPE_INT8);
    check_uint8(MP_CTYPE_UINT8);
    check_int16(MP_CTYPE_INT16);
    check_uint16(MP_CTYPE_UINT16);
    check_int32(MP_CTYPE_INT32);
    check_uint32(MP_CTYPE_UINT32);
    check_long(MP_CTYPE_LONG);
    check_ulong(MP_CTYPE_ULONG);
    check_int64(MP_CTYPE_INT64);
    check_uint64(MP_CTYPE_UINT64);
    check_float(MP_CTYPE_FLOAT);
    check_double(MP_CTYPE_DOUBLE);
    check_bool(MP_CTYPE_BOOL);
}

MP_CASE(E1)
{
    mp_test_objects();
    mp_test_each_method(check_types);
}

MP_CASE(a_pointer_of_another_type_is_refused)
{
    int *ints;
    unsigned *unsigneds;
    float *floats;
    int64_t *wide = NULL;
    mp_test_objects();
    mp_shared_array_t *array = make(MP_CTYPE_INT32, 4), *wides = make(MP_CTYPE_INT64, 4);
    EXPECT_OK(mp_shared_array_data(array, &ints, NULL));
    EXPECT_STATUS(mp_shared_array_data(array, &unsigneds, NULL), MP_TYPE);
    CU_ASSERT_PTR_NULL(unsigneds);
    EXPECT_STATUS(mp_shared_array_data(array, &floats, NULL), MP_TYPE);
    EXPECT_STATUS(mp_shared_array_data(array, &wide, NULL), MP_TYPE);
    EXPECT_OK(mp_shared_array_data(wides, &wide, NULL)); /* whichever of C's types int64_t is here */
    CU_ASSERT_PTR_NOT_NULL(wide);
    EXPECT_OK(mp_shared_array_close(array));
    EXPECT_OK(mp_shared_array_close(wides));
}

MP_CASE(wrong_arguments)
{
    mp_shared_array_t *array = NULL;
    size_t count = 5;
    double *items;
    mp_test_objects();
    EXPECT_STATUS(mp_shared_array_create(NULL, MP_CTYPE_INT32, 1), MP_INVALID);
    EXPECT_STATUS(mp_shared_array_create(&array, (mp_ctype_t)'x', 1), MP_TYPE);
    EXPECT_STATUS(mp_shared_array_create(&array, MP_CTYPE_INT32, SIZE_MAX / 2), MP_NO_MEMORY);
    EXPECT_STATUS(mp_shared_array_create(&array, MP_CTYPE_INT8, SIZE_MAX / 2), MP_NO_MEMORY);
    CU_ASSERT(strstr(mp_error()->text, "memory_cap") != NULL);
    CU_ASSERT_PTR_NULL(array);
    array = make(MP_CTYPE_DOUBLE, 0);
    EXPECT_OK(mp_shared_array_data(array, &items, &count));
    CU_ASSERT_EQUAL(count, 0);
    EXPECT_STATUS(mp_shared_array_length(array, NULL), MP_INVALID);
    EXPECT_STATUS(mp_shared_array_type(array, NULL), MP_INVALID);
    EXPECT_STATUS(mp_shared_array_data(array, (double **)NULL, NULL), MP_INVALID);
    EXPECT_STATUS(mp_shared_array_data((mp_shared_array_t *)NULL, &items, NULL), MP_INVALID);
    EXPECT_OK(mp_shared_array_close(array));
    EXPECT_OK(mp_shared_array_close(NULL));
}

/* ---- the lock: every item always the same, but for who is at it, or died at it ---- */

static mp_status_t fight(mp_call_t *call)
{
    mp_shared_array_t *array = mp_arg_shared_array(call, 0);
    int *items;
    size_t count;
    MP_CHECK(mp_shared_array_data(array, &items, &count) == MP_OK);
    for (;;) {
        mp_status_t status = mp_shared_array_lock(array, mp_test_patience());
        MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
        for (size_t i = 1; i < count; i++) {
            MP_CHECK(status == MP_OWNER_DIED || items[i] == items[0]);
            items[i] = items[0];
        }
        for (size_t i = 0; i < count; i++)
            items[i]++;
        MP_CHECK(mp_shared_array_unlock(array) == MP_OK);
    }
    return MP_OK;
}

static void kill_fighters(void)
{
    mp_process_t *processes[3];
    uint64_t random = 8;
    int *items;
    mp_shared_array_t *array = make(MP_CTYPE_INT32, 100);
    REQUIRE_OK(mp_shared_array_data(array, &items, NULL));
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_process_start(&processes[i], fight, mp_args(array)));
    unsigned kills = 0;
    for (double until = mp_now() + mp_test_seconds(2); kills < 10 || (kills < 60 && mp_now() < until); kills++) {
        mp_process_t **victim = &processes[mp_test_below(&random, 3)];
        mp_test_wander(&random, 3000);
        mp_test_expect_killed(*victim);
        const volatile int *first = items;
        int before = *first;
        for (double late = mp_now() + mp_test_seconds(1.5); *first == before && mp_now() < late;)
            mp__os_yield();
        CU_ASSERT(*first != before);
        REQUIRE_OK(mp_process_start(victim, fight, mp_args(array)));
    }
    for (int i = 0; i < 3; i++)
        mp_test_expect_killed(processes[i]);
    mp_status_t last = mp_shared_array_lock(array, 0);
    CU_ASSERT(last == MP_OK || last == MP_OWNER_DIED);
    EXPECT_STATUS(mp_shared_array_close(array), MP_BUSY);
    EXPECT_OK(mp_shared_array_unlock(array));
    EXPECT_OK(mp_shared_array_close(array));
}

MP_CASE(holders_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_fighters);
}

/* ---- the end ---- */

static mp_status_t own(mp_call_t *call)
{
    mp_value_t none;
    mp_shared_array_t *array;
    MP_CHECK(mp_shared_array_create(&array, MP_CTYPE_INT32, 10) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), array) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 0), &none);
    return MP_OK;
}

static void kill_owner(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t message;
    int *items, *again;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, own, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &message));
    mp_shared_array_t *array = mp_value_shared_array(message);
    REQUIRE_OK(mp_shared_array_data(array, &items, NULL));
    items[9] = 9;
    mp_test_expect_killed(process);
    EXPECT_STATUS(mp_shared_array_data(array, &again, NULL), MP_GONE);
    EXPECT_STATUS(mp_shared_array_lock(array, 0), MP_GONE);
    CU_ASSERT_EQUAL(items[9], 9);
    mp_value_free(&message);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(it_goes_with_its_owner)
{
    mp_test_objects();
    mp_test_each_method(kill_owner);
}

MP_GUARDED_CASES(MP_ROW(E1), MP_ROW(a_pointer_of_another_type_is_refused), MP_ROW(wrong_arguments),
                 MP_ROW(holders_are_killed), MP_ROW(it_goes_with_its_owner));
