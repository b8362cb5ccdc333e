/* Dicts of a manager: what each operation does, compared with what Python's does. */
#include "served.h"

#include <stdio.h>

static mp_dict_t *new_dict(mp_manager_t *manager, mp_value_t content)
{
    mp_dict_t *dict = NULL;
    REQUIRE_OK(mp_manager_dict(manager, &dict, content));
    return dict;
}

MP_CASE(content_is_a_copy_of_what_it_was_made_from)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d;
    EXPECT_SHOWN(new_dict(m, MP_NONE), "{}");
    EXPECT_SHOWN(new_dict(m, mp_dict()), "{}");
    EXPECT_SHOWN(new_dict(m, mp_dict("a", mp_list(1, mp_dict(2, 3)), 2.5, MP_NONE, MP_NONE, MP_TRUE)),
                 "{'a': [1, {2: 3}], 2.5: None, None: True}");
    EXPECT_STATUS(mp_manager_dict(m, &d, mp_list(1, 2)), MP_TYPE);
    CU_ASSERT_PTR_NULL(d);
    EXPECT_STATUS(mp_manager_dict(m, NULL, MP_NONE), MP_INVALID);
    EXPECT_STATUS(mp_manager_dict(NULL, &d, MP_NONE), MP_INVALID);
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(pairs_are_set_got_and_deleted)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE);
    mp_value_t v;
    EXPECT_OK(mp_dict_set(d, "b", 1));
    EXPECT_OK(mp_dict_set(d, "a", "a text that is longer than a few bytes"));
    EXPECT_OK(mp_dict_set(d, mp_bytes("a", 1), mp_list()));
    EXPECT_OK(mp_dict_get(d, "a", &v));
    EXPECT_MADE(v, "'a text that is longer than a few bytes'");
    EXPECT_OK(mp_dict_set(d, "b", 2));
    EXPECT_SHOWN(d, "{'b': 2, 'a': 'a text that is longer than a few bytes', b'a': []}");
    EXPECT_OK(mp_dict_del(d, "b"));
    EXPECT_OK(mp_dict_set(d, "b", 3));
    EXPECT_OK(mp_dict_del(d, "a"));
    EXPECT_SHOWN(d, "{b'a': [], 'b': 3}");
    EXPECT_STATUS(mp_dict_get(d, "it's not", &v), MP_KEY);
    EXPECT_ERROR_TEXT("\"it's not\"");
    CU_ASSERT_EQUAL(mp_value_kind(v), MP_KIND_NONE);
    EXPECT_STATUS(mp_dict_del(d, 7), MP_KEY);
    EXPECT_ERROR_TEXT("7");
    EXPECT_STATUS(mp_dict_get(d, "b", NULL), MP_INVALID);
    EXPECT_STATUS(mp_dict_get(NULL, "b", &v), MP_INVALID);
    EXPECT_STATUS(mp_dict_set(NULL, "b", 1), MP_INVALID);
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(keys_are_the_same_when_they_are_equal)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE);
    mp_value_t v;
    size_t n;
    EXPECT_OK(mp_dict_set(d, 1, "int"));
    EXPECT_OK(mp_dict_set(d, 1.0, "float"));
    EXPECT_OK(mp_dict_set(d, MP_TRUE, "bool"));
    EXPECT_OK(mp_dict_set(d, "1", "str"));
    EXPECT_OK(mp_dict_set(d, 0.0, "zero"));
    EXPECT_OK(mp_dict_set(d, -0.0, "minus zero"));
    EXPECT_OK(mp_dict_set(d, 9007199254740993, "no double"));
    EXPECT_OK(mp_dict_set(d, 9007199254740992.0, "a double"));
    EXPECT_SHOWN(d, "{1: 'bool', '1': 'str', 0.0: 'minus zero', 9007199254740993: 'no double', "
                    "9007199254740992.0: 'a double'}");
    EXPECT_OK(mp_dict_get(d, 9007199254740992, &v));
    EXPECT_MADE(v, "'a double'");
    EXPECT_OK(mp_dict_len(d, &n));
    CU_ASSERT_EQUAL(n, 5);
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(unhashable_keys_are_refused)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE);
    mp_value_t v;
    bool is;
    EXPECT_STATUS(mp_dict_set(d, mp_list(), 1), MP_TYPE);
    EXPECT_ERROR_TEXT("unhashable type: 'list'");
    EXPECT_STATUS(mp_dict_get(d, mp_dict(), &v), MP_TYPE);
    EXPECT_STATUS(mp_dict_get_or(d, d, 1, &v), MP_TYPE);
    EXPECT_STATUS(mp_dict_setdefault(d, mp_list(), 1, &v), MP_TYPE);
    EXPECT_STATUS(mp_dict_del(d, mp_list()), MP_TYPE);
    EXPECT_STATUS(mp_dict_pop(d, mp_list(), &v), MP_TYPE);
    EXPECT_STATUS(mp_dict_pop_or(d, mp_list(), 1, &v), MP_TYPE);
    EXPECT_STATUS(mp_dict_contains(d, mp_list(), &is), MP_TYPE);
    EXPECT_STATUS(mp_dict_add(d, mp_list(), 1, &v), MP_TYPE);
    EXPECT_SHOWN(d, "{}");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(defaults)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, mp_dict("a", 1));
    mp_value_t v;
    EXPECT_OK(mp_dict_get_or(d, "a", 2, &v));
    EXPECT_MADE(v, "1");
    EXPECT_OK(mp_dict_get_or(d, "b", mp_list(2), &v));
    EXPECT_MADE(v, "[2]");
    EXPECT_SHOWN(d, "{'a': 1}");
    EXPECT_OK(mp_dict_setdefault(d, "a", 2, &v));
    EXPECT_MADE(v, "1");
    EXPECT_OK(mp_dict_setdefault(d, "b", mp_list(3), &v));
    EXPECT_MADE(v, "[3]");
    EXPECT_OK(mp_dict_setdefault(d, "c", MP_NONE, NULL));
    EXPECT_SHOWN(d, "{'a': 1, 'b': [3], 'c': None}");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(pairs_are_taken)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, mp_dict("a", 1, "b", mp_list(2), "c", 3));
    mp_value_t k, v;
    EXPECT_OK(mp_dict_pop(d, "b", &v));
    EXPECT_MADE(v, "[2]");
    EXPECT_STATUS(mp_dict_pop(d, "b", &v), MP_KEY);
    EXPECT_ERROR_TEXT("'b'");
    EXPECT_OK(mp_dict_pop_or(d, "b", "none", &v));
    EXPECT_MADE(v, "'none'");
    EXPECT_OK(mp_dict_pop_or(d, "a", "none", &v));
    EXPECT_MADE(v, "1");
    EXPECT_OK(mp_dict_set(d, "d", mp_dict("x", 4)));
    EXPECT_OK(mp_dict_popitem(d, &k, &v));
    EXPECT_MADE(k, "'d'");
    EXPECT_MADE(v, "{'x': 4}");
    EXPECT_OK(mp_dict_popitem(d, &k, &v));
    EXPECT_MADE(k, "'c'");
    EXPECT_MADE(v, "3");
    EXPECT_STATUS(mp_dict_popitem(d, &k, &v), MP_KEY);
    EXPECT_STATUS(mp_dict_popitem(d, &k, NULL), MP_INVALID);
    EXPECT_SHOWN(d, "{}");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(views_are_lists_in_the_order_of_adding)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, mp_dict("z", 1, "y", mp_list(2), 3, MP_NONE));
    mp_value_t v;
    bool is;
    EXPECT_OK(mp_dict_keys(d, &v));
    EXPECT_MADE(v, "['z', 'y', 3]");
    EXPECT_OK(mp_dict_values(d, &v));
    EXPECT_MADE(v, "[1, [2], None]");
    EXPECT_OK(mp_dict_items(d, &v));
    EXPECT_MADE(v, "[['z', 1], ['y', [2]], [3, None]]");
    EXPECT_OK(mp_dict_contains(d, "y", &is));
    CU_ASSERT_TRUE(is);
    EXPECT_OK(mp_dict_contains(d, "x", &is));
    CU_ASSERT_FALSE(is);
    EXPECT_OK(mp_dict_clear(d));
    EXPECT_OK(mp_dict_contains(d, "y", &is));
    CU_ASSERT_FALSE(is);
    EXPECT_OK(mp_dict_keys(d, &v));
    EXPECT_MADE(v, "[]");
    EXPECT_OK(mp_dict_items(d, &v));
    EXPECT_MADE(v, "[]");
    EXPECT_STATUS(mp_dict_keys(d, NULL), MP_INVALID);
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(iteration_goes_over_a_copy)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, mp_dict("a", 1, "b", 2));
    mp_value_t copy;
    int64_t sum = 0;
    EXPECT_OK(mp_dict_copy(d, &copy));
    for (size_t i = 0; i < mp_value_len(copy); i++) {
        sum += mp_value_int(mp_value_item(copy, i));
        EXPECT_OK(mp_dict_del(d, mp_value_key(copy, i)));
    }
    CU_ASSERT_EQUAL(sum, 3);
    EXPECT_MADE(copy, "{'a': 1, 'b': 2}");
    EXPECT_SHOWN(d, "{}");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(update_changes_and_adds)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, mp_dict("a", 1, "b", 2));
    EXPECT_OK(mp_dict_update(d, mp_dict("c", 3, "a", mp_list("one"))));
    EXPECT_OK(mp_dict_update(d, mp_dict()));
    EXPECT_SHOWN(d, "{'a': ['one'], 'b': 2, 'c': 3}");
    EXPECT_STATUS(mp_dict_update(d, mp_list()), MP_TYPE);
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(numbers_are_added_to_in_place)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, mp_dict("text", "a"));
    mp_value_t v;
    EXPECT_OK(mp_dict_add(d, "n", 5, &v));
    EXPECT_MADE(v, "5");
    EXPECT_OK(mp_dict_add(d, "n", -7, &v));
    EXPECT_MADE(v, "-2");
    EXPECT_OK(mp_dict_add(d, "x", 0.5, NULL));
    EXPECT_OK(mp_dict_add(d, "x", 1, &v));
    EXPECT_MADE(v, "1.5");
    EXPECT_OK(mp_dict_add(d, "max", INT64_MAX, NULL));
    EXPECT_OK(mp_dict_add(d, "max", INT64_MAX, &v));
    EXPECT_MADE(v, "18446744073709551614");
    EXPECT_OK(mp_dict_add(d, "max", MP_TRUE, NULL));
    EXPECT_STATUS(mp_dict_add(d, "max", 1, &v), MP_VALUE);
    EXPECT_OK(mp_dict_add(d, "max", INT64_MIN, &v));
    EXPECT_MADE(v, "9223372036854775807");
    EXPECT_OK(mp_dict_add(d, "min", INT64_MIN, NULL));
    EXPECT_STATUS(mp_dict_add(d, "min", -1, &v), MP_VALUE);
    EXPECT_OK(mp_dict_add(d, "min", INT64_MAX, &v));
    EXPECT_MADE(v, "-1");
    EXPECT_STATUS(mp_dict_add(d, "text", 1, &v), MP_TYPE);
    EXPECT_STATUS(mp_dict_add(d, "new", "a", &v), MP_TYPE);
    EXPECT_SHOWN(d, "{'text': 'a', 'n': -2, 'x': 1.5, 'max': 9223372036854775807, 'min': -1}");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(what_cannot_travel_changes_nothing)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, mp_dict("a", 1));
    EXPECT_STATUS(mp_dict_set(d, "a", mp_descriptor(0)), MP_NOT_SENDABLE);
    EXPECT_STATUS(mp_dict_set(d, "a", mp_list(mp_current_process())), MP_NOT_SENDABLE);
    EXPECT_STATUS(mp_dict_set(d, "\xff", 1), MP_INVALID);
    EXPECT_STATUS(mp_dict_set(d, "a", mp_list(mp_dict(mp_list(), 1))), MP_TYPE);
    EXPECT_SHOWN(d, "{'a': 1}");
    EXPECT_OK(mp_manager_shutdown(m));
}

/* Enough of them to make the index grow several times, and shrink again. */
MP_CASE(many_keys)
{
    enum { MANY = 3000 };
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE);
    char key[32];
    mp_value_t v;
    size_t n;
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "%s%d", i % 2 ? "a key that is longer " : "k", i);
        EXPECT_OK(mp_dict_set(d, key, i));
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "%s%d", i % 2 ? "a key that is longer " : "k", i);
        if (i % 100)
            EXPECT_OK(mp_dict_del(d, key));
    }
    EXPECT_OK(mp_dict_len(d, &n));
    CU_ASSERT_EQUAL(n, MANY / 100);
    EXPECT_OK(mp_dict_keys(d, &v));
    CU_ASSERT_TRUE(mp_value_equal(mp_value_item(v, 29), "k2900"));
    mp_value_free(&v);
    EXPECT_OK(mp_dict_get(d, "k1700", &v));
    EXPECT_MADE(v, "1700");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_GUARDED_CASES(MP_ROW(content_is_a_copy_of_what_it_was_made_from), MP_ROW(pairs_are_set_got_and_deleted),
                 MP_ROW(keys_are_the_same_when_they_are_equal), MP_ROW(unhashable_keys_are_refused), MP_ROW(defaults),
                 MP_ROW(pairs_are_taken), MP_ROW(views_are_lists_in_the_order_of_adding),
                 MP_ROW(iteration_goes_over_a_copy), MP_ROW(update_changes_and_adds),
                 MP_ROW(numbers_are_added_to_in_place), MP_ROW(what_cannot_travel_changes_nothing), MP_ROW(many_keys));
