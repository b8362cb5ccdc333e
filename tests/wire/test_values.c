/* Values: reading them, when they are equal, copying and freeing them. */
#include "harness.h"

#include <multiproc/print.h>

#include "objects.h"
#include "wire/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

MP_CASE(a_value_is_small)
{
    CU_ASSERT(sizeof(mp_value_t) <= 24);
}

MP_CASE(accessors_read_what_is_there)
{
    size_t size;
    CU_ASSERT_EQUAL(mp_value_int(mp_of(-5)), -5);
    CU_ASSERT_EQUAL(mp_value_int(MP_TRUE), 1);
    CU_ASSERT_EQUAL(mp_value_uint(mp_of(UINT64_MAX)), UINT64_MAX);
    CU_ASSERT_EQUAL(mp_value_uint(mp_of(5)), 5);
    CU_ASSERT(mp_value_double(mp_of(0.5)) == 0.5);
    CU_ASSERT(mp_value_double(mp_of(-2)) == -2);
    CU_ASSERT(mp_value_double(mp_of(UINT64_MAX)) == 18446744073709551615.0);
    CU_ASSERT(mp_value_bool(MP_TRUE));
    CU_ASSERT(mp_value_bool(mp_of(2)));
    CU_ASSERT_FALSE(mp_value_bool(mp_of(0)));
    CU_ASSERT_STRING_EQUAL(mp_value_str(mp_of("text")), "text");
    CU_ASSERT_EQUAL(mp_value_len(mp_str("a\0b", 3)), 3);
    CU_ASSERT(memcmp(mp_value_bytes(mp_bytes("\x01\x02", 2), &size), "\x01\x02", 2) == 0);
    CU_ASSERT_EQUAL(size, 2);
    CU_ASSERT_EQUAL(mp_value_len(mp_range(2, 10)), 8);
    CU_ASSERT_EQUAL(mp_value_int(mp_value_item(mp_range(2, 10), 7)), 9);
    CU_ASSERT_EQUAL(mp_value_int(mp_value_item(mp_list(1, 2), 1)), 2);
    CU_ASSERT_STRING_EQUAL(mp_value_str(mp_value_key(mp_dict("k", "v"), 0)), "k");
    CU_ASSERT_STRING_EQUAL(mp_value_str(mp_value_item(mp_dict("k", "v"), 0)), "v");
    CU_ASSERT_STRING_EQUAL(mp_value_str(mp_value_get(mp_dict("k", "v", 2, "w"), 2.0)), "w");
    CU_ASSERT(mp_value_has(mp_dict("k", MP_NONE), "k"));
    CU_ASSERT(mp_value_has(mp_list(1, mp_list(2)), mp_list(2)));
    CU_ASSERT_FALSE(mp_value_has(mp_list(1, mp_list(2)), 2));
}

/* Every accessor on a value of every wrong kind gives its nothing. */
MP_CASE(accessors_never_fail_hard)
{
    mp_value_t nonsense = MP_NONE, items[] = {MP_NONE, mp_list(), mp_dict(), mp_range(0, 3)};
    nonsense.kind = 200;
    for (size_t i = 0; i < 5; i++) {
        mp_value_t v = i < 4 ? items[i] : nonsense;
        size_t size = 1;
        CU_ASSERT_EQUAL(mp_value_int(v), 0);
        CU_ASSERT_EQUAL(mp_value_uint(v), 0);
        CU_ASSERT(mp_value_double(v) == 0);
        CU_ASSERT_FALSE(mp_value_bool(v));
        CU_ASSERT_STRING_EQUAL(mp_value_str(v), "");
        CU_ASSERT_PTR_NULL(mp_value_bytes(v, &size));
        CU_ASSERT_EQUAL(size, 0);
        CU_ASSERT_PTR_NULL(mp_value_bytes(v, NULL));
        CU_ASSERT(mp_value_function(v) == NULL);
        CU_ASSERT_EQUAL(mp_value_descriptor(v), -1);
        CU_ASSERT_EQUAL(mp_value_kind(mp_value_item(v, 3)), MP_KIND_NONE);
        CU_ASSERT_EQUAL(mp_value_kind(mp_value_item(v, SIZE_MAX)), MP_KIND_NONE);
        CU_ASSERT_EQUAL(mp_value_kind(mp_value_key(v, 0)), MP_KIND_NONE);
        CU_ASSERT_EQUAL(mp_value_kind(mp_value_get(v, "k")), MP_KIND_NONE);
        CU_ASSERT_FALSE(mp_value_has(v, "k"));
        CU_ASSERT_PTR_NULL(mp_value_queue(v));
        CU_ASSERT_PTR_NULL(mp_value_conn(v));
        CU_ASSERT_PTR_NULL(mp_value_lock(v));
        CU_ASSERT_PTR_NULL(mp_value_manager(v));
        CU_ASSERT_PTR_NULL(mp_value_dict_proxy(v));
        CU_ASSERT_PTR_NULL(mp_value_list_proxy(v));
    }
    CU_ASSERT_EQUAL(mp_value_int(mp_of(UINT64_MAX)), 0);
    CU_ASSERT_EQUAL(mp_value_uint(mp_of(-1)), 0);
    CU_ASSERT_STRING_EQUAL(mp_kind_name((mp_kind_t)200), "?");
}

MP_CASE(checked_accessors_say_what_is_wrong)
{
    int64_t i = 9;
    uint64_t u = 9;
    double d = 9;
    bool b = true;
    const char *s = "before";
    EXPECT_STATUS(mp_value_as_int(mp_of("5"), &i), MP_TYPE);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "expected int, got str");
    EXPECT_STATUS(mp_value_as_int(mp_of(UINT64_MAX), &i), MP_VALUE);
    EXPECT_STATUS(mp_value_as_uint(mp_of(-1), &u), MP_VALUE);
    EXPECT_STATUS(mp_value_as_uint(mp_of(1.0), &u), MP_TYPE);
    EXPECT_STATUS(mp_value_as_double(MP_NONE, &d), MP_TYPE);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "expected float, got NoneType");
    EXPECT_STATUS(mp_value_as_bool(mp_of("True"), &b), MP_TYPE);
    EXPECT_STATUS(mp_value_as_str(mp_bytes("b", 1), &s), MP_TYPE);
    CU_ASSERT(i == 9 && u == 9 && d == 9 && b);
    CU_ASSERT_STRING_EQUAL(s, "before");
    EXPECT_OK(mp_value_as_int(mp_of(-4), &i));
    EXPECT_OK(mp_value_as_uint(mp_of(UINT64_MAX), &u));
    EXPECT_OK(mp_value_as_double(mp_of(3), &d));
    EXPECT_OK(mp_value_as_bool(mp_of(0), &b));
    EXPECT_OK(mp_value_as_str(mp_of("after"), &s));
    CU_ASSERT(i == -4 && u == UINT64_MAX && d == 3 && !b);
    CU_ASSERT_STRING_EQUAL(s, "after");
}

MP_CASE(numbers_are_equal_if_they_are_worth_the_same)
{
    CU_ASSERT(mp_value_equal(1, 1.0));
    CU_ASSERT(mp_value_equal(1, MP_TRUE));
    CU_ASSERT(mp_value_equal(MP_FALSE, 0.0));
    CU_ASSERT(mp_value_equal(0.0, -0.0));
    CU_ASSERT(mp_value_equal(-3, -3.0));
    CU_ASSERT(mp_value_equal(INT64_MIN, -9223372036854775808.0));
    CU_ASSERT(mp_value_equal((uint64_t)1 << 63, 9223372036854775808.0));
    CU_ASSERT(mp_value_equal(INFINITY, INFINITY));
    CU_ASSERT(mp_value_equal(1e300, 1e300));
    CU_ASSERT_FALSE(mp_value_equal(INFINITY, -INFINITY));
    CU_ASSERT_FALSE(mp_value_equal(-1, UINT64_MAX));
    CU_ASSERT_FALSE(mp_value_equal(9007199254740993, 9007199254740992.0)); /* 2^53 + 1: not by rounding */
    CU_ASSERT_FALSE(mp_value_equal(UINT64_MAX, 18446744073709551616.0));
    CU_ASSERT_FALSE(mp_value_equal(1, 1.5));
    CU_ASSERT_FALSE(mp_value_equal(NAN, NAN));
    CU_ASSERT_FALSE(mp_value_equal(1, "1"));
    CU_ASSERT_FALSE(mp_value_equal(0, MP_NONE));
}

MP_CASE(containers_are_equal_by_their_contents)
{
    CU_ASSERT(mp_value_equal(mp_list(1, "a"), mp_list(1.0, "a")));
    CU_ASSERT(mp_value_equal(mp_list(0, 1, 2), mp_range(0, 3)));
    CU_ASSERT(mp_value_equal(mp_dict("a", 1, "b", mp_list()), mp_dict("b", mp_list(), "a", MP_TRUE)));
    CU_ASSERT(mp_value_equal(mp_dict(), mp_dict()));
    CU_ASSERT(mp_value_equal(MP_NONE, MP_NONE));
    CU_ASSERT_FALSE(mp_value_equal(mp_list(1), mp_list(1, 2)));
    CU_ASSERT_FALSE(mp_value_equal(mp_list(1, 2), mp_list(2, 1)));
    CU_ASSERT_FALSE(mp_value_equal(mp_dict("a", 1), mp_dict("a", 2)));
    CU_ASSERT_FALSE(mp_value_equal(mp_dict("a", 1), mp_dict("b", 1)));
    CU_ASSERT_FALSE(mp_value_equal(mp_list(), mp_dict()));
    CU_ASSERT_FALSE(mp_value_equal("a", mp_bytes("a", 1)));
    CU_ASSERT_FALSE(mp_value_equal(mp_list(NAN), mp_list(NAN)));
}

MP_CASE(keys_equal_have_equal_hashes)
{
    const mp_value_t equal[][2] = {{mp_of(1), mp_of(1.0)},
                                   {mp_of(1), MP_TRUE},
                                   {mp_of(0.0), mp_of(-0.0)},
                                   {mp_of(INT64_MIN), mp_of(-9223372036854775808.0)},
                                   {mp_of((uint64_t)1 << 63), mp_of(9223372036854775808.0)},
                                   {mp_of(NAN), mp_of(-NAN)},
                                   {mp_of("text of more than eight"), mp_str("text of more than eight!", 23)},
                                   {MP_NONE, MP_NONE}};
    for (size_t i = 0; i < sizeof equal / sizeof equal[0]; i++) {
        CU_ASSERT(mp__key_equal(&equal[i][0], &equal[i][1]));
        CU_ASSERT_EQUAL(mp__key_hash(&equal[i][0]), mp__key_hash(&equal[i][1]));
    }
    mp_value_t text = mp_of("a"), bytes = mp_bytes("a", 1);
    CU_ASSERT_FALSE(mp__key_equal(&text, &bytes));
}

/* A dict of the keys 0 to n - 1 as ints, strings in between. The strings are static. */
#define LARGE 1000
static mp_value_t large_items[4 * LARGE];

static mp_value_t large_dict(void)
{
    static char names[LARGE][8];
    for (int i = 0; i < LARGE; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        large_items[4 * i] = mp_of(i);
        large_items[4 * i + 1] = mp_of(names[i]);
        large_items[4 * i + 2] = mp_of(names[i]);
        large_items[4 * i + 3] = mp_of(-i);
    }
    return mp_value_dict(large_items, (size_t)2 * LARGE);
}

MP_CASE(large_dicts_are_found_in_as_small_ones)
{
    mp_value_t copy;
    REQUIRE_OK(mp_copy(&copy, large_dict()));
    CU_ASSERT_EQUAL(mp_value_len(copy), 2 * LARGE);
    for (int i = 0; i < LARGE; i++) {
        const char *name = mp_value_str(mp_value_get(copy, i));
        CU_ASSERT_EQUAL(atoi(name), i);
        CU_ASSERT_EQUAL(mp_value_int(mp_value_get(copy, name)), -i);
    }
    CU_ASSERT_FALSE(mp_value_has(copy, LARGE));
    CU_ASSERT_FALSE(mp_value_has(copy, "x"));
    CU_ASSERT(mp_value_equal(copy, large_dict()));
    mp_value_free(&copy);
}

MP_CASE(large_dicts_drop_duplicates_as_small_ones)
{
    mp_value_t v = large_dict();
    for (int i = 0; i < LARGE; i++)
        large_items[4 * i] = mp_of(7.0);
    v = mp_value_dict(large_items, (size_t)2 * LARGE);
    CU_ASSERT_EQUAL(mp_value_len(v), LARGE + 1);
    CU_ASSERT_STRING_EQUAL(mp_value_str(mp_value_get(v, 7)), "999");
    CU_ASSERT(mp_value_equal(mp_value_key(v, 0), 7));
    CU_ASSERT(mp_value_equal(mp_value_key(v, LARGE), "999"));
}

MP_CASE(a_copy_is_deep)
{
    char text[] = "text", bytes[] = "\x01\x02";
    mp_value_t copy;
    REQUIRE_OK(
        mp_copy(&copy, mp_list(text, mp_bytes(bytes, 2), mp_dict("k", mp_list(mp_range(5, 7))), 0.5, "", mp_list())));
    text[0] = bytes[0] = 'x';
    CU_ASSERT(mp_value_equal(
        copy, mp_list("text", mp_bytes("\x01\x02", 2), mp_dict("k", mp_list(mp_list(5, 6))), 0.5, "", mp_list())));
    CU_ASSERT_EQUAL(mp_value_kind(mp_value_item(mp_value_get(mp_value_item(copy, 2), "k"), 0)), MP_KIND_LIST);
    mp_value_free(&copy);
    CU_ASSERT_EQUAL(mp_value_kind(copy), MP_KIND_NONE);
    mp_value_free(&copy);
    mp_value_free(NULL);
}

MP_CASE(copies_of_strings_are_terminated)
{
    mp_value_t copy;
    REQUIRE_OK(mp_copy(&copy, mp_str("text and more", 4)));
    CU_ASSERT_STRING_EQUAL(mp_value_str(copy), "text");
    mp_value_free(&copy);
    REQUIRE_OK(mp_copy(&copy, mp_str(NULL, 0)));
    CU_ASSERT_STRING_EQUAL(mp_value_str(copy), "");
    mp_value_free(&copy);
}

MP_CASE(freeing_a_part_or_a_literal_does_nothing)
{
    mp_value_t copy, literal = mp_list(1, 2), part;
    REQUIRE_OK(mp_copy(&copy, mp_list("a", mp_list("b"))));
    part = mp_value_item(copy, 1);
    mp_value_free(&part);
    mp_value_free(&literal);
    CU_ASSERT(mp_value_equal(copy, mp_list("a", mp_list("b"))));
    mp_value_free(&copy);
}

MP_CASE(copies_hold_the_objects_in_them)
{
    mp__handle_t *queue = mp_test_object(MP_KIND_QUEUE, 5);
    mp_value_t v = mp__of_queue((mp_queue_t *)(void *)queue), copy, root;
    CU_ASSERT_PTR_EQUAL(mp_value_queue(v), queue);
    CU_ASSERT_PTR_NULL(mp_value_lock(v));
    REQUIRE_OK(mp_copy(&copy, mp_list(1, mp_dict("q", v), v)));
    REQUIRE_OK(mp_copy(&root, v));
    CU_ASSERT_EQUAL(queue->holders, 4);
    mp__handle_release(queue);
    mp_value_free(&root);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 1);
    CU_ASSERT_PTR_EQUAL(mp_value_queue(mp_value_item(copy, 2)), queue);
    mp_value_free(&copy);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 0);
}

MP_CASE(keep_holds_an_object)
{
    uint64_t nothing = 0;
    mp__handle_t *lock = mp_test_object(MP_KIND_LOCK, 5);
    mp_keep(lock);
    mp_keep(NULL);
    mp_keep(&nothing);
    mp__handle_release(lock);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 1);
    mp__handle_release(lock);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 0);
}

MP_CASE(objects_are_equal_if_they_are_the_same_shared_one)
{
    mp__handle_t *a = mp_test_object(MP_KIND_QUEUE, 5), *b = mp_test_object(MP_KIND_QUEUE, 5),
                 *other = mp_test_object(MP_KIND_QUEUE, 6);
    mp_value_t x = mp__of_queue((mp_queue_t *)(void *)a), y = mp__of_queue((mp_queue_t *)(void *)b),
               z = mp__of_queue((mp_queue_t *)(void *)other);
    CU_ASSERT(mp_value_equal(x, y));
    CU_ASSERT_FALSE(mp_value_equal(x, z));
    CU_ASSERT_FALSE(mp_value_equal(x, MP_NONE));
    mp__handle_release(a);
    mp__handle_release(b);
    mp__handle_release(other);
}

MP_CASE(a_copied_descriptor_is_a_duplicate)
{
    intptr_t descriptor = mp_test_open_descriptor();
    mp_value_t original, copy;
    REQUIRE_OK(mp_copy(&original, mp_list(mp_descriptor(descriptor))));
    REQUIRE_OK(mp_copy(&copy, original));
    intptr_t first = mp_value_descriptor(mp_value_item(original, 0)),
             second = mp_value_descriptor(mp_value_item(copy, 0));
    CU_ASSERT(first != descriptor && second != descriptor && first != second);
    mp_value_free(&original);
    CU_ASSERT_FALSE(mp_test_is_open(first));
    CU_ASSERT(mp_test_is_open(second));
    mp_value_free(&copy);
    original = mp_descriptor(descriptor);
    mp_value_free(&original); /* a literal's is its maker's */
    CU_ASSERT(mp_test_is_open(descriptor));
    REQUIRE_OK(mp_copy(&copy, mp_descriptor(descriptor)));
    mp_value_free(&copy);
    EXPECT_STATUS(mp_copy(&copy, mp_list(mp_descriptor(descriptor), mp_descriptor(-1))), MP_INVALID);
    original = mp_descriptor(descriptor);
    original.flags = MP__OWNED | MP__OBJECTS;
    mp_value_free(&original);
    CU_ASSERT_FALSE(mp_test_is_open(descriptor));
}

MP_CASE(what_cannot_be_copied_is_refused)
{
    mp_value_t copy, nested[100];
    EXPECT_STATUS(mp_copy(&copy, mp_dict(mp_list(1), 2)), MP_TYPE);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "unhashable type: 'list'");
    EXPECT_STATUS(mp_copy(&copy, (mp_queue_t *)NULL), MP_INVALID);
    EXPECT_STATUS(mp_copy(&copy, mp_range(INT64_MIN, INT64_MAX)), MP_NO_MEMORY);
    nested[0] = mp_list();
    for (size_t i = 1; i < 100; i++)
        nested[i] = mp_value_list(&nested[i - 1], 1);
    EXPECT_STATUS(mp_copy(&copy, nested[99]), MP_TOO_LARGE);
    CU_ASSERT_EQUAL(mp_value_kind(copy), MP_KIND_NONE);
    CU_ASSERT_FALSE(mp_value_equal(nested[99], nested[99]));
    EXPECT_OK(mp_copy(&copy, nested[MP__DEPTH_MAX - 1]));
    mp_value_free(&copy);
}

MP_CASE(no_items_are_none_whatever_their_count)
{
    mp_value_t copy;
    char *text;
    const mp_value_t empty[] = {mp_value_list(NULL, 3), mp_value_dict(NULL, 3), mp_str(NULL, 3), mp_bytes(NULL, 3)};
    const char *const texts[] = {"[]", "{}", "''", "b''"};
    CU_ASSERT_EQUAL(mp_value_args(NULL, 3).count, 0);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(mp_value_len(empty[i]), 0);
        CU_ASSERT_EQUAL(mp_value_kind(mp_value_item(empty[i], 0)), MP_KIND_NONE);
        text = mp_repr(empty[i]);
        CU_ASSERT_STRING_EQUAL(text, texts[i]);
        free(text);
        REQUIRE_OK(mp_copy(&copy, empty[i]));
        CU_ASSERT(mp_value_equal(copy, empty[i]));
        mp_value_free(&copy);
    }
}

MP_CASE(no_place_is_an_error)
{
    EXPECT_STATUS(mp_copy(NULL, 1), MP_INVALID);
    EXPECT_STATUS(mp_value_as_bool(MP_TRUE, NULL), MP_INVALID);
    EXPECT_STATUS(mp_value_as_int(mp_of(1), NULL), MP_INVALID);
    EXPECT_STATUS(mp_value_as_uint(mp_of(1), NULL), MP_INVALID);
    EXPECT_STATUS(mp_value_as_double(mp_of(1), NULL), MP_INVALID);
    EXPECT_STATUS(mp_value_as_str(mp_of("a"), NULL), MP_INVALID);
}

MP_CASES(MP_ROW(a_value_is_small), MP_ROW(accessors_read_what_is_there), MP_ROW(accessors_never_fail_hard),
         MP_ROW(checked_accessors_say_what_is_wrong), MP_ROW(numbers_are_equal_if_they_are_worth_the_same),
         MP_ROW(containers_are_equal_by_their_contents), MP_ROW(keys_equal_have_equal_hashes),
         MP_ROW(large_dicts_are_found_in_as_small_ones), MP_ROW(large_dicts_drop_duplicates_as_small_ones),
         MP_ROW(a_copy_is_deep), MP_ROW(copies_of_strings_are_terminated),
         MP_ROW(freeing_a_part_or_a_literal_does_nothing), MP_ROW(copies_hold_the_objects_in_them),
         MP_ROW(keep_holds_an_object), MP_ROW(objects_are_equal_if_they_are_the_same_shared_one),
         MP_ROW(a_copied_descriptor_is_a_duplicate), MP_ROW(what_cannot_be_copied_is_refused),
         MP_ROW(no_items_are_none_whatever_their_count), MP_ROW(no_place_is_an_error));
