/* Lists of a manager: what each operation does, compared with what Python's does. */
#include "served.h"

#include <math.h>

static mp_list_t *new_list(mp_manager_t *manager, mp_value_t content)
{
    mp_list_t *list = NULL;
    REQUIRE_OK(mp_manager_list(manager, &list, content));
    return list;
}

MP_CASE(content_is_a_copy_of_what_it_was_made_from)
{
    mp_manager_t *m = mp_test_manager();
    EXPECT_SHOWN(new_list(m, MP_NONE), "[]");
    EXPECT_SHOWN(new_list(m, mp_list()), "[]");
    EXPECT_SHOWN(new_list(m, mp_range(0, 5)), "[0, 1, 2, 3, 4]");
    EXPECT_SHOWN(new_list(m, mp_list(1, "two", 3.5, MP_NONE, MP_TRUE, mp_list(4, mp_dict("k", 5)), mp_bytes("\0x", 2))),
                 "[1, 'two', 3.5, None, True, [4, {'k': 5}], b'\\x00x']");
    mp_list_t *l;
    EXPECT_STATUS(mp_manager_list(m, &l, 7), MP_TYPE);
    CU_ASSERT_PTR_NULL(l);
    EXPECT_STATUS(mp_manager_list(m, &l, mp_dict("a", 1)), MP_TYPE);
    EXPECT_STATUS(mp_manager_list(m, NULL, MP_NONE), MP_INVALID);
    EXPECT_STATUS(mp_manager_list(NULL, &l, MP_NONE), MP_INVALID);
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(items_are_read_and_written_by_index)
{
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, mp_range(0, 3));
    mp_value_t v;
    EXPECT_OK(mp_list_get(l, 0, &v));
    EXPECT_MADE(v, "0");
    EXPECT_OK(mp_list_get(l, -1, &v));
    EXPECT_MADE(v, "2");
    EXPECT_OK(mp_list_get(l, -3, &v));
    EXPECT_MADE(v, "0");
    EXPECT_STATUS(mp_list_get(l, 3, &v), MP_INDEX);
    CU_ASSERT_EQUAL(mp_value_kind(v), MP_KIND_NONE);
    EXPECT_STATUS(mp_list_get(l, -4, &v), MP_INDEX);
    EXPECT_STATUS(mp_list_get(l, INT64_MIN, &v), MP_INDEX);
    EXPECT_STATUS(mp_list_get(l, 0, NULL), MP_INVALID);
    EXPECT_STATUS(mp_list_get(NULL, 0, &v), MP_INVALID);
    EXPECT_OK(mp_list_set(l, 1, "one"));
    EXPECT_OK(mp_list_set(l, -1, mp_list(2, 2)));
    EXPECT_SHOWN(l, "[0, 'one', [2, 2]]");
    EXPECT_STATUS(mp_list_set(l, 3, 3), MP_INDEX);
    EXPECT_OK(mp_list_set(l, 1, "longer than what is kept without memory of its own"));
    EXPECT_OK(mp_list_set(l, 1, 1));
    EXPECT_SHOWN(l, "[0, 1, [2, 2]]");
    EXPECT_OK(mp_list_del(l, 0));
    EXPECT_OK(mp_list_del(l, -1));
    EXPECT_SHOWN(l, "[1]");
    EXPECT_STATUS(mp_list_del(l, 1), MP_INDEX);
    EXPECT_STATUS(mp_list_del(l, -2), MP_INDEX);
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(items_are_added_and_taken)
{
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, MP_NONE);
    mp_value_t v;
    size_t n;
    EXPECT_OK(mp_list_append(l, 1));
    EXPECT_OK(mp_list_append(l, mp_list()));
    EXPECT_OK(mp_list_extend(l, mp_list("a", "b")));
    EXPECT_OK(mp_list_extend(l, mp_list()));
    EXPECT_OK(mp_list_extend(l, mp_range(8, 10)));
    EXPECT_SHOWN(l, "[1, [], 'a', 'b', 8, 9]");
    EXPECT_STATUS(mp_list_extend(l, 5), MP_TYPE);
    EXPECT_STATUS(mp_list_extend(l, "ab"), MP_TYPE);
    EXPECT_OK(mp_list_insert(l, 0, "first"));
    EXPECT_OK(mp_list_insert(l, -1, "before last"));
    EXPECT_OK(mp_list_insert(l, 100, "last"));
    EXPECT_OK(mp_list_insert(l, -100, "very first"));
    EXPECT_SHOWN(l, "['very first', 'first', 1, [], 'a', 'b', 8, 'before last', 9, 'last']");
    EXPECT_OK(mp_list_len(l, &n));
    CU_ASSERT_EQUAL(n, 10);
    EXPECT_OK(mp_list_pop(l, -1, &v));
    EXPECT_MADE(v, "'last'");
    EXPECT_OK(mp_list_pop(l, 0, &v));
    EXPECT_MADE(v, "'very first'");
    EXPECT_OK(mp_list_pop(l, 2, &v));
    EXPECT_MADE(v, "[]");
    EXPECT_STATUS(mp_list_pop(l, 7, &v), MP_INDEX);
    EXPECT_SHOWN(l, "['first', 1, 'a', 'b', 8, 'before last', 9]");
    EXPECT_OK(mp_list_clear(l));
    EXPECT_SHOWN(l, "[]");
    EXPECT_STATUS(mp_list_pop(l, -1, &v), MP_INDEX);
    EXPECT_OK(mp_list_append(l, "again"));
    EXPECT_SHOWN(l, "['again']");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(items_are_found_by_what_equals_them)
{
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, mp_list(0, 1.0, "x", MP_TRUE, mp_list(1, 2), mp_dict("a", 1, "b", 2), (double)NAN, 1));
    size_t n;
    bool is;
    EXPECT_OK(mp_list_index(l, 1, &n));
    CU_ASSERT_EQUAL(n, 1);
    EXPECT_OK(mp_list_count(l, 1, &n));
    CU_ASSERT_EQUAL(n, 3);
    EXPECT_OK(mp_list_index(l, mp_list(1.0, 2), &n));
    CU_ASSERT_EQUAL(n, 4);
    EXPECT_OK(mp_list_index(l, mp_dict("b", 2, "a", MP_TRUE), &n));
    CU_ASSERT_EQUAL(n, 5);
    EXPECT_OK(mp_list_count(l, (double)NAN, &n));
    CU_ASSERT_EQUAL(n, 0);
    EXPECT_STATUS(mp_list_index(l, "y", &n), MP_VALUE);
    EXPECT_OK(mp_list_index_in(l, 1, 2, INT64_MAX, &n));
    CU_ASSERT_EQUAL(n, 3);
    EXPECT_OK(mp_list_index_in(l, 1, -1, INT64_MAX, &n));
    CU_ASSERT_EQUAL(n, 7);
    EXPECT_STATUS(mp_list_index_in(l, 1, 4, 7, &n), MP_VALUE);
    EXPECT_OK(mp_list_contains(l, "x", &is));
    CU_ASSERT_TRUE(is);
    EXPECT_OK(mp_list_contains(l, MP_NONE, &is));
    CU_ASSERT_FALSE(is);
    EXPECT_OK(mp_list_remove(l, 1));
    EXPECT_OK(mp_list_remove(l, mp_list(1, 2)));
    EXPECT_SHOWN(l, "[0, 'x', True, {'a': 1, 'b': 2}, nan, 1]");
    EXPECT_STATUS(mp_list_remove(l, "nowhere"), MP_VALUE);
    EXPECT_ERROR_TEXT("the value is not in the list");
    EXPECT_OK(mp_manager_shutdown(m));
}

#define MIN INT64_MIN
#define MAX INT64_MAX

/* Of [0, 1, 2, 3, 4, 5, 6]: what Python 3 makes of l[start:stop:step], of its deletion, and of its assignment of -1,
 * -2... (MIN and MAX are what was left out there; MIN as a step is itself.) */
static const struct {
    int64_t start, stop, step;
    const char *slice, *deleted, *assigned;
} slices[] = {
    {0, MAX, 1, "[0, 1, 2, 3, 4, 5, 6]", "[]", "[-1, -2, -3, -4, -5, -6, -7]"},
    {MIN, MAX, 1, "[0, 1, 2, 3, 4, 5, 6]", "[]", "[-1, -2, -3, -4, -5, -6, -7]"},
    {2, MAX, 1, "[2, 3, 4, 5, 6]", "[0, 1]", "[0, 1, -1, -2, -3, -4, -5]"},
    {2, 5, 1, "[2, 3, 4]", "[0, 1, 5, 6]", "[0, 1, -1, -2, -3, 5, 6]"},
    {-3, MAX, 1, "[4, 5, 6]", "[0, 1, 2, 3]", "[0, 1, 2, 3, -1, -2, -3]"},
    {MIN, -2, 1, "[0, 1, 2, 3, 4]", "[5, 6]", "[-1, -2, -3, -4, -5, 5, 6]"},
    {5, 2, 1, "[]", "[0, 1, 2, 3, 4, 5, 6]", "[0, 1, 2, 3, 4, 5, 6]"},
    {0, 100, 1, "[0, 1, 2, 3, 4, 5, 6]", "[]", "[-1, -2, -3, -4, -5, -6, -7]"},
    {-100, 100, 1, "[0, 1, 2, 3, 4, 5, 6]", "[]", "[-1, -2, -3, -4, -5, -6, -7]"},
    {100, 200, 1, "[]", "[0, 1, 2, 3, 4, 5, 6]", "[0, 1, 2, 3, 4, 5, 6]"},
    {-100, -50, 1, "[]", "[0, 1, 2, 3, 4, 5, 6]", "[0, 1, 2, 3, 4, 5, 6]"},
    {0, MAX, 2, "[0, 2, 4, 6]", "[1, 3, 5]", "[-1, 1, -2, 3, -3, 5, -4]"},
    {1, MAX, 3, "[1, 4]", "[0, 2, 3, 5, 6]", "[0, -1, 2, 3, -2, 5, 6]"},
    {1, 6, 2, "[1, 3, 5]", "[0, 2, 4, 6]", "[0, -1, 2, -2, 4, -3, 6]"},
    {0, 7, 7, "[0]", "[1, 2, 3, 4, 5, 6]", "[-1, 1, 2, 3, 4, 5, 6]"},
    {0, 7, 8, "[0]", "[1, 2, 3, 4, 5, 6]", "[-1, 1, 2, 3, 4, 5, 6]"},
    {0, MAX, MAX, "[0]", "[1, 2, 3, 4, 5, 6]", "[-1, 1, 2, 3, 4, 5, 6]"},
    {MAX, MIN, -1, "[6, 5, 4, 3, 2, 1, 0]", "[]", "[-7, -6, -5, -4, -3, -2, -1]"},
    {MAX, MIN, -2, "[6, 4, 2, 0]", "[1, 3, 5]", "[-4, 1, -3, 3, -2, 5, -1]"},
    {5, 1, -1, "[5, 4, 3, 2]", "[0, 1, 6]", "[0, 1, -4, -3, -2, -1, 6]"},
    {5, 1, -3, "[5, 2]", "[0, 1, 3, 4, 6]", "[0, 1, -2, 3, 4, -1, 6]"},
    {-1, -8, -1, "[6, 5, 4, 3, 2, 1, 0]", "[]", "[-7, -6, -5, -4, -3, -2, -1]"},
    {-2, 0, -2, "[5, 3, 1]", "[0, 2, 4, 6]", "[0, -3, 2, -2, 4, -1, 6]"},
    {1, 5, -1, "[]", "[0, 1, 2, 3, 4, 5, 6]", "[0, 1, 2, 3, 4, 5, 6]"},
    {100, -100, -1, "[6, 5, 4, 3, 2, 1, 0]", "[]", "[-7, -6, -5, -4, -3, -2, -1]"},
    {-100, 100, -1, "[]", "[0, 1, 2, 3, 4, 5, 6]", "[0, 1, 2, 3, 4, 5, 6]"},
    {MAX, 3, -1, "[6, 5, 4]", "[0, 1, 2, 3]", "[0, 1, 2, 3, -3, -2, -1]"},
    {3, MIN, -1, "[3, 2, 1, 0]", "[4, 5, 6]", "[-4, -3, -2, -1, 4, 5, 6]"},
    {6, MIN, MIN, "[6]", "[0, 1, 2, 3, 4, 5]", "[0, 1, 2, 3, 4, 5, -1]"},
    {0, MIN, -1, "[0]", "[1, 2, 3, 4, 5, 6]", "[-1, 1, 2, 3, 4, 5, 6]"},
    {-7, MIN, -1, "[0]", "[1, 2, 3, 4, 5, 6]", "[-1, 1, 2, 3, 4, 5, 6]"},
    {-8, MIN, -1, "[]", "[0, 1, 2, 3, 4, 5, 6]", "[0, 1, 2, 3, 4, 5, 6]"},
};

MP_CASE(slices_are_python_s)
{
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, MP_NONE);
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        int64_t start = slices[i].start, stop = slices[i].stop, step = slices[i].step;
        mp_value_t v, items[7];
        EXPECT_OK(mp_list_set_slice(l, MIN, MAX, 1, mp_range(0, 7)));
        EXPECT_OK(mp_list_slice(l, start, stop, step, &v));
        for (size_t k = 0; k < mp_value_len(v); k++)
            items[k] = mp_of(-(int)k - 1);
        EXPECT_OK(mp_list_set_slice(l, start, stop, step, mp_value_list(items, mp_value_len(v))));
        EXPECT_MADE(v, slices[i].slice);
        EXPECT_SHOWN(l, slices[i].assigned);
        EXPECT_OK(mp_list_set_slice(l, MIN, MAX, 1, mp_range(0, 7)));
        EXPECT_OK(mp_list_del_slice(l, start, stop, step));
        EXPECT_SHOWN(l, slices[i].deleted);
    }
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(slices_grow_and_shrink_the_list)
{
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, mp_range(0, 5));
    mp_value_t v;
    EXPECT_OK(mp_list_set_slice(l, 1, 2, 1, mp_list("a", "b", "c")));
    EXPECT_SHOWN(l, "[0, 'a', 'b', 'c', 2, 3, 4]");
    EXPECT_OK(mp_list_set_slice(l, 1, 6, 1, mp_list("z")));
    EXPECT_SHOWN(l, "[0, 'z', 4]");
    EXPECT_OK(mp_list_set_slice(l, 3, 1, 1, mp_list(5)));
    EXPECT_SHOWN(l, "[0, 'z', 4, 5]");
    EXPECT_OK(mp_list_set_slice(l, 0, MAX, 1, mp_list()));
    EXPECT_SHOWN(l, "[]");
    EXPECT_OK(mp_list_set_slice(l, 0, MAX, 1, mp_list()));
    EXPECT_OK(mp_list_slice(l, 0, MAX, 1, &v));
    EXPECT_MADE(v, "[]");
    EXPECT_OK(mp_list_extend(l, mp_range(0, 4)));
    EXPECT_STATUS(mp_list_set_slice(l, 0, MAX, 2, mp_list(1, 2, 3)), MP_VALUE);
    EXPECT_ERROR_TEXT("attempt to assign 3 items to a slice of 2");
    EXPECT_STATUS(mp_list_set_slice(l, 0, MAX, 1, 3), MP_TYPE);
    EXPECT_STATUS(mp_list_slice(l, 0, MAX, 0, &v), MP_VALUE);
    EXPECT_ERROR_TEXT("slice step cannot be zero");
    EXPECT_STATUS(mp_list_set_slice(l, 0, MAX, 0, mp_list()), MP_VALUE);
    EXPECT_STATUS(mp_list_del_slice(l, 0, MAX, 0), MP_VALUE);
    EXPECT_SHOWN(l, "[0, 1, 2, 3]");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(sorting_and_reversing)
{
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, mp_list(3, 1.5, MP_TRUE, -2, 1, 0xffffffffffffffffu, 1e300, 1.0, INT64_MIN));
    EXPECT_OK(mp_list_sort(l, false));
    EXPECT_SHOWN(l, "[-9223372036854775808, -2, True, 1, 1.0, 1.5, 3, 18446744073709551615, 1e+300]");
    EXPECT_OK(mp_list_sort(l, true));
    EXPECT_SHOWN(l, "[1e+300, 18446744073709551615, 3, 1.5, True, 1, 1.0, -2, -9223372036854775808]");
    EXPECT_OK(mp_list_reverse(l));
    EXPECT_SHOWN(l, "[-9223372036854775808, -2, 1.0, 1, True, 1.5, 3, 18446744073709551615, 1e+300]");
    EXPECT_OK(mp_list_set_slice(l, 0, MAX, 1, mp_list("b", "", "aa", "a", "\xc3\xa4", "B")));
    EXPECT_OK(mp_list_sort(l, false));
    EXPECT_SHOWN(l, "['', 'B', 'a', 'aa', 'b', '\xc3\xa4']");
    EXPECT_OK(mp_list_set_slice(l, 0, MAX, 1, mp_list(2, 1, "a")));
    EXPECT_STATUS(mp_list_sort(l, false), MP_TYPE);
    EXPECT_SHOWN(l, "[2, 1, 'a']");
    EXPECT_OK(mp_list_set_slice(l, 0, MAX, 1, mp_list(mp_list(2), mp_list(1))));
    EXPECT_STATUS(mp_list_sort(l, false), MP_TYPE);
    EXPECT_OK(mp_list_set_slice(l, 0, MAX, 1, mp_list(MP_NONE, MP_NONE)));
    EXPECT_STATUS(mp_list_sort(l, false), MP_TYPE);
    EXPECT_OK(mp_list_clear(l));
    EXPECT_OK(mp_list_sort(l, false));
    EXPECT_OK(mp_list_reverse(l));
    EXPECT_SHOWN(l, "[]");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(numbers_are_added_to_in_place)
{
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, mp_list(1, "a"));
    mp_value_t v;
    EXPECT_OK(mp_list_add(l, 0, 41, &v));
    EXPECT_MADE(v, "42");
    EXPECT_OK(mp_list_add(l, -2, 0.5, NULL));
    EXPECT_STATUS(mp_list_add(l, 1, 1, &v), MP_TYPE);
    EXPECT_ERROR_TEXT("unsupported operand types for +: 'str' and 'int'");
    EXPECT_STATUS(mp_list_add(l, 0, mp_list(), NULL), MP_TYPE);
    EXPECT_STATUS(mp_list_add(l, 2, 1, NULL), MP_INDEX);
    EXPECT_SHOWN(l, "[42.5, 'a']");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(iteration_goes_over_a_copy)
{
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, mp_range(0, 4));
    mp_value_t copy;
    int64_t sum = 0;
    EXPECT_OK(mp_list_copy(l, &copy));
    for (size_t i = 0; i < mp_value_len(copy); i++) {
        sum += mp_value_int(mp_value_item(copy, i));
        EXPECT_OK(mp_list_append(l, 100));
    }
    CU_ASSERT_EQUAL(sum, 6);
    EXPECT_MADE(copy, "[0, 1, 2, 3]");
    EXPECT_SHOWN(l, "[0, 1, 2, 3, 100, 100, 100, 100]");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(large_items_and_many)
{
    enum { SIZE = 3000000, MANY = 20000 };
    static char text[SIZE];
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, mp_range(0, MANY));
    mp_value_t v;
    size_t n;
    memset(text, 'x', sizeof text);
    EXPECT_OK(mp_list_append(l, mp_str(text, sizeof text)));
    EXPECT_OK(mp_list_get(l, -1, &v));
    CU_ASSERT_TRUE(mp_value_equal(v, mp_str(text, sizeof text)));
    mp_value_free(&v);
    EXPECT_OK(mp_list_copy(l, &v));
    CU_ASSERT_EQUAL(mp_value_len(v), MANY + 1);
    CU_ASSERT_EQUAL(mp_value_int(mp_value_item(v, MANY - 1)), MANY - 1);
    mp_value_free(&v);
    EXPECT_OK(mp_list_del_slice(l, 0, MAX, 2));
    EXPECT_OK(mp_list_len(l, &n));
    CU_ASSERT_EQUAL(n, MANY / 2);
    EXPECT_OK(mp_list_get(l, 5, &v));
    EXPECT_MADE(v, "11");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_GUARDED_CASES(MP_ROW(content_is_a_copy_of_what_it_was_made_from), MP_ROW(items_are_read_and_written_by_index),
                 MP_ROW(items_are_added_and_taken), MP_ROW(items_are_found_by_what_equals_them),
                 MP_ROW(slices_are_python_s), MP_ROW(slices_grow_and_shrink_the_list), MP_ROW(sorting_and_reversing),
                 MP_ROW(numbers_are_added_to_in_place), MP_ROW(iteration_goes_over_a_copy),
                 MP_ROW(large_items_and_many));
