/* Literals mean the same in every language that they are written in: this file is compiled as C11, C23 and C++17. */
#include "harness.h"

#include <multiproc/call.h>
#include <multiproc/print.h>

#include <limits.h>
#include <string.h>

/* What x shows as. */
static void expect_shown(const char *file, int line, char *shown, const char *expected)
{
    bool same = shown && strcmp(shown, expected) == 0;
    if (!same)
        printf("%s:%d: %s, not %s\n", file, line, shown ? shown : "NULL", expected);
    CU_ASSERT(same);
    mp_free(shown);
}

#define EXPECT_SHOWN(x, expected) expect_shown(__FILE__, __LINE__, mp_repr(x), expected)

static mp_status_t function(mp_call_t *call)
{
    return mp_return(call, MP_NONE);
}

MP_CASE(integers)
{
    const int constant = -7;
    enum { ZERO, ONE } one = ONE;
    unsigned char byte = 200;
    signed char small = -100;
    short low = SHRT_MIN;
    unsigned short high = USHRT_MAX;
    (void)ZERO;
    EXPECT_SHOWN(mp_list(constant, one, byte, small, low, high), "[-7, 1, 200, -100, -32768, 65535]");
    EXPECT_SHOWN(mp_list(5u, 5l, 5ul, 5ll, 5ull, (size_t)5, 'A'), "[5, 5, 5, 5, 5, 5, 65]");
    EXPECT_SHOWN(mp_list(INT64_MIN, INT64_MAX, UINT64_MAX), "[-9223372036854775808, 9223372036854775807, "
                                                            "18446744073709551615]");
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((uint64_t)INT64_MAX)), MP_KIND_INT);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((uint64_t)INT64_MAX + 1)), MP_KIND_UINT);
}

MP_CASE(bools_and_none)
{
    bool yes = true;
    const char *nothing = NULL;
    EXPECT_SHOWN(mp_list(yes, MP_TRUE, MP_FALSE, mp_bool(1 < 2), MP_NONE, nothing),
                 "[True, True, False, True, None, None]");
}

MP_CASE(floating_numbers)
{
    EXPECT_SHOWN(mp_list(0.25, 1.5f, 2.5l), "[0.25, 1.5, 2.5]");
}

MP_CASE(strings)
{
    char array[8] = "array";
    char *pointer = array;
    const char *constant = "constant";
    EXPECT_SHOWN(mp_list("literal", array, pointer, constant, ""), "['literal', 'array', 'array', 'constant', '']");
    EXPECT_SHOWN(mp_str("a\0b", 3), "'a\\x00b'");
    EXPECT_SHOWN(mp_bytes("\x00\xff", 2), "b'\\x00\\xff'");
}

MP_CASE(functions_and_objects)
{
    mp_queue_t *queue = NULL;
    mp_function_t pointer = function;
    CU_ASSERT_EQUAL(mp_value_kind(mp_of(function)), MP_KIND_FUNCTION);
    CU_ASSERT(mp_value_function(mp_of(pointer)) == function);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of(queue)), MP_KIND_QUEUE);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((mp_conn_t *)NULL)), MP_KIND_CONN);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((mp_lock_t *)NULL)), MP_KIND_LOCK);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((mp_manager_t *)NULL)), MP_KIND_MANAGER);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((mp_dict_t *)NULL)), MP_KIND_DICT_PROXY);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((mp_list_t *)NULL)), MP_KIND_LIST_PROXY);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((mp_process_t *)NULL)), MP_KIND_PROCESS);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((mp_pool_t *)NULL)), MP_KIND_POOL);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((mp_result_t *)NULL)), MP_KIND_RESULT);
    CU_ASSERT_EQUAL(mp_value_kind(mp_of((mp_listener_t *)NULL)), MP_KIND_LISTENER);
    CU_ASSERT_EQUAL(mp_value_descriptor(mp_descriptor(3)), 3);
}

MP_CASE(lists)
{
    int x = 1;
    EXPECT_SHOWN(mp_list(), "[]");
    EXPECT_SHOWN(mp_list((x)), "[1]");
    EXPECT_SHOWN(mp_list((int)1.0, (x), -x), "[1, 1, -1]");
    EXPECT_SHOWN(mp_list(mp_list(), mp_list(mp_list(1, "a")), mp_dict()), "[[], [[1, 'a']], {}]");
    EXPECT_SHOWN(mp_list(1, 2, 3, 4, 5, 6, 7, 8, 9), "[1, 2, 3, 4, 5, 6, 7, 8, 9]");
    EXPECT_SHOWN(mp_list(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
                         27, 28, 29, 30, 31, 32),
                 "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, "
                 "28, 29, 30, 31, 32]");
    EXPECT_SHOWN(mp_range(-1, 3), "[-1, 0, 1, 2]");
    EXPECT_SHOWN(mp_range(3, -1), "[]");
}

MP_CASE(lists_of_every_length)
{
    CU_ASSERT(mp_value_equal(mp_list(0), mp_range(0, 1)));
    CU_ASSERT(mp_value_equal(mp_list(0, 1), mp_range(0, 2)));
    CU_ASSERT(mp_value_equal(mp_list(0, 1, 2), mp_range(0, 3)));
    CU_ASSERT(mp_value_equal(mp_list(0, 1, 2, 3), mp_range(0, 4)));
    CU_ASSERT(mp_value_equal(mp_list(0, 1, 2, 3, 4), mp_range(0, 5)));
    CU_ASSERT(mp_value_equal(mp_list(0, 1, 2, 3, 4, 5), mp_range(0, 6)));
    CU_ASSERT(mp_value_equal(mp_list(0, 1, 2, 3, 4, 5, 6), mp_range(0, 7)));
    CU_ASSERT(mp_value_equal(mp_list(0, 1, 2, 3, 4, 5, 6, 7), mp_range(0, 8)));
    CU_ASSERT(mp_value_equal(mp_list(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), mp_range(0, 13)));
    CU_ASSERT(mp_value_equal(mp_list(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16), mp_range(0, 17)));
    CU_ASSERT(mp_value_equal(
        mp_list(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24),
        mp_range(0, 25)));
}

MP_CASE(dicts)
{
    EXPECT_SHOWN(mp_dict(), "{}");
    EXPECT_SHOWN(mp_dict("a", 1, "b", mp_list(2)), "{'a': 1, 'b': [2]}");
    EXPECT_SHOWN(mp_dict(1, "int", "1", "str", 0.25, MP_NONE, MP_NONE, 0),
                 "{1: 'int', '1': 'str', 0.25: None, None: 0}");
    EXPECT_SHOWN(mp_dict(1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14,
                         15, 15, 16, 16),
                 "{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9, 10: 10, 11: 11, 12: 12, 13: 13, 14: 14, "
                 "15: 15, 16: 16}");
}

MP_CASE(of_equal_keys_the_last_value_counts_at_the_first_place)
{
    EXPECT_SHOWN(mp_dict(1, "a", 2, "b", 1, "c"), "{1: 'c', 2: 'b'}");
    EXPECT_SHOWN(mp_dict(1, "a", MP_TRUE, "b", 1.0, "c"), "{1: 'c'}");
}

static size_t count(mp_args_t args)
{
    return args.count;
}

static mp_value_t item(mp_args_t args, size_t i)
{
    return args.items[i];
}

MP_CASE(arguments)
{
    mp_queue_t *queue = NULL;
    CU_ASSERT_EQUAL(count(mp_args()), 0);
    CU_ASSERT_EQUAL(count(mp_args(function)), 1);
    CU_ASSERT_EQUAL(count(mp_args(queue, 7, mp_list(1, 2), mp_value_len(mp_list(1)))), 4);
    CU_ASSERT_EQUAL(mp_value_int(item(mp_args("a", 7), 1)), 7);
    CU_ASSERT_STRING_EQUAL(mp_value_str(item(mp_args("a", 7), 0)), "a");
}

MP_CASE(more_than_literals_take)
{
    mp_value_t items[100];
    for (int i = 0; i < 100; i++)
        items[i] = mp_of(i % 50);
    CU_ASSERT_EQUAL(mp_value_len(mp_value_list(items, 100)), 100);
    CU_ASSERT_EQUAL(count(mp_value_args(items, 100)), 100);
    CU_ASSERT_EQUAL(mp_value_len(mp_value_dict(items, 50)), 25);
}

MP_CASE(a_copy_outlives_its_literal)
{
    mp_value_t kept;
    char text[] = "text";
    REQUIRE_OK(mp_copy(&kept, mp_list(text, mp_dict("k", mp_bytes("b", 1)))));
    text[0] = 'n';
    EXPECT_SHOWN(kept, "['text', {'k': b'b'}]");
    mp_value_free(&kept);
    EXPECT_SHOWN(kept, "None");
}

MP_CASES(MP_ROW(integers), MP_ROW(bools_and_none), MP_ROW(floating_numbers), MP_ROW(strings),
         MP_ROW(functions_and_objects), MP_ROW(lists), MP_ROW(lists_of_every_length), MP_ROW(dicts),
         MP_ROW(of_equal_keys_the_last_value_counts_at_the_first_place), MP_ROW(arguments),
         MP_ROW(more_than_literals_take), MP_ROW(a_copy_outlives_its_literal));
