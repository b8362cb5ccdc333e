/* Shareable lists: items, their rooms, others, the end. */
#include "scene.h"
#include "system.h"

#include "core/compiler.h"

#include <string.h>

#define EXPECT_ITEM(list, index, expected)                                                                             \
    do {                                                                                                               \
        mp_value_t item_;                                                                                              \
        EXPECT_OK(mp_shareable_list_get((list), (index), &item_));                                                     \
        CU_ASSERT(mp_value_equal(item_, (expected)));                                                                  \
        mp_value_free(&item_);                                                                                         \
    } while (0)

static mp_shareable_list_t *make(void)
{
    mp_shareable_list_t *list;
    REQUIRE_OK(mp_shareable_list_create(
        &list, mp_list("howdy", mp_bytes("HoWdY", 5), -273.154, 100, MP_NONE, MP_TRUE, 42, "", UINT64_MAX)));
    return list;
}

MP_CASE(items_are_what_they_were)
{
    size_t length;
    mp_value_t item;
    mp_test_objects();
    mp_shareable_list_t *list = make();
    EXPECT_OK(mp_shareable_list_length(list, &length));
    CU_ASSERT_EQUAL(length, 9);
    EXPECT_ITEM(list, 0, "howdy");
    EXPECT_ITEM(list, 1, mp_bytes("HoWdY", 5));
    EXPECT_ITEM(list, 2, -273.154);
    EXPECT_ITEM(list, 3, 100);
    EXPECT_ITEM(list, 4, MP_NONE);
    EXPECT_OK(mp_shareable_list_get(list, 5, &item));
    CU_ASSERT_EQUAL(mp_value_kind(item), MP_KIND_BOOL);
    CU_ASSERT(mp_value_bool(item));
    EXPECT_ITEM(list, 6, 42);
    EXPECT_ITEM(list, 7, "");
    EXPECT_ITEM(list, 8, UINT64_MAX);
    EXPECT_ITEM(list, -1, UINT64_MAX);
    EXPECT_ITEM(list, -9, "howdy");
    EXPECT_STATUS(mp_shareable_list_get(list, 9, &item), MP_INDEX);
    EXPECT_STATUS(mp_shareable_list_get(list, -10, &item), MP_INDEX);
    EXPECT_STATUS(mp_shareable_list_get(list, INT64_MIN, &item), MP_INDEX);
    EXPECT_STATUS(mp_shareable_list_set(list, INT64_MAX, 1), MP_INDEX);
    EXPECT_OK(mp_shareable_list_close(list));
}

MP_CASE(items_change_within_their_rooms)
{
    mp_kind_t kind;
    size_t room;
    char text[40];
    mp_test_objects();
    mp_shareable_list_t *list = make();
    EXPECT_OK(mp_shareable_list_format(list, 0, &kind, &room));
    CU_ASSERT(kind == MP_KIND_STR && room == 8);
    EXPECT_OK(mp_shareable_list_set(list, 0, "12345678"));
    EXPECT_ITEM(list, 0, "12345678");
    EXPECT_STATUS(mp_shareable_list_set(list, 0, "123456789"), MP_TOO_LARGE);
    EXPECT_ITEM(list, 0, "12345678");
    EXPECT_STATUS(mp_shareable_list_set(list, 0, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6"), MP_TOO_LARGE);
    EXPECT_OK(mp_shareable_list_set(list, 0, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4"));
    EXPECT_OK(mp_shareable_list_set(list, 0, mp_bytes("a\0b\0", 4))); /* with the last one */
    EXPECT_ITEM(list, 0, mp_bytes("a\0b\0", 4));
    for (int i = 0; i < 9; i++) { /* any kind in any room of 8 bytes */
        EXPECT_OK(mp_shareable_list_set(list, i, 2.5));
        EXPECT_OK(mp_shareable_list_format(list, i, &kind, &room));
        CU_ASSERT(kind == MP_KIND_DOUBLE && room == 8);
        EXPECT_OK(mp_shareable_list_set(list, i, MP_NONE));
        EXPECT_OK(mp_shareable_list_set(list, i, "eight by"));
        EXPECT_OK(mp_shareable_list_set(list, i, i));
    }
    for (int i = 0; i < 9; i++)
        EXPECT_ITEM(list, i, i);
    EXPECT_OK(mp_shareable_list_close(list));
    memset(text, 'x', sizeof text);
    for (size_t n = 0; n < sizeof text; n++) {
        REQUIRE_OK(mp_shareable_list_create(&list, mp_list(mp_str(text, n), mp_bytes(text, n))));
        EXPECT_OK(mp_shareable_list_format(list, 0, NULL, &room));
        CU_ASSERT_EQUAL(room, 8 * (n / 8 + 1));
        EXPECT_OK(mp_shareable_list_format(list, 1, &kind, NULL));
        CU_ASSERT_EQUAL(kind, MP_KIND_BYTES);
        EXPECT_OK(mp_shareable_list_close(list));
    }
}

MP_CASE(it_is_searched_as_pythons)
{
    size_t n = 9;
    mp_shareable_list_t *list;
    mp_test_objects();
    REQUIRE_OK(mp_shareable_list_create(&list, mp_list(1, "a", 1.0, MP_TRUE, "a", mp_bytes("a", 1), MP_NONE)));
    EXPECT_OK(mp_shareable_list_count(list, 1, &n));
    CU_ASSERT_EQUAL(n, 3);
    EXPECT_OK(mp_shareable_list_count(list, "a", &n));
    CU_ASSERT_EQUAL(n, 2);
    EXPECT_OK(mp_shareable_list_count(list, "b", &n));
    CU_ASSERT_EQUAL(n, 0);
    EXPECT_OK(mp_shareable_list_index(list, "a", &n));
    CU_ASSERT_EQUAL(n, 1);
    EXPECT_OK(mp_shareable_list_index(list, MP_NONE, &n));
    CU_ASSERT_EQUAL(n, 6);
    EXPECT_STATUS(mp_shareable_list_index(list, 2, &n), MP_VALUE);
    EXPECT_OK(mp_shareable_list_close(list));
    REQUIRE_OK(mp_shareable_list_create(&list, mp_range(5, 10)));
    EXPECT_OK(mp_shareable_list_index(list, 9, &n));
    CU_ASSERT_EQUAL(n, 4);
    EXPECT_OK(mp_shareable_list_close(list));
}

MP_CASE(wrong_arguments)
{
    mp_shareable_list_t *list = NULL;
    mp_value_t item;
    mp_queue_t *queue;
    size_t n;
    mp_test_objects();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_STATUS(mp_shareable_list_create(NULL, mp_list(1)), MP_INVALID);
    EXPECT_STATUS(mp_shareable_list_create(&list, 5), MP_TYPE);
    EXPECT_STATUS(mp_shareable_list_create(&list, mp_list(1, mp_list(2))), MP_TYPE);
    EXPECT_STATUS(mp_shareable_list_create(&list, mp_list(queue)), MP_TYPE);
    EXPECT_STATUS(mp_shareable_list_create(&list, mp_list("\xff")), MP_INVALID);
    CU_ASSERT_PTR_NULL(list);
    REQUIRE_OK(mp_shareable_list_create(&list, mp_list()));
    EXPECT_OK(mp_shareable_list_length(list, &n));
    CU_ASSERT_EQUAL(n, 0);
    EXPECT_STATUS(mp_shareable_list_get(list, 0, &item), MP_INDEX);
    EXPECT_STATUS(mp_shareable_list_get(list, -1, &item), MP_INDEX);
    EXPECT_STATUS(mp_shareable_list_get(list, 0, NULL), MP_INVALID);
    EXPECT_STATUS(mp_shareable_list_length(list, NULL), MP_INVALID);
    EXPECT_STATUS(mp_shareable_list_length((mp_shareable_list_t *)(void *)queue, &n), MP_INVALID);
    EXPECT_OK(mp_shareable_list_close(list));
    REQUIRE_OK(mp_shareable_list_create(&list, mp_list(1)));
    EXPECT_STATUS(mp_shareable_list_set(list, 0, mp_list(1)), MP_TYPE);
    EXPECT_STATUS(mp_shareable_list_set(list, 0, queue), MP_TYPE);
    EXPECT_OK(mp_shareable_list_close(list));
    EXPECT_OK(mp_shareable_list_close(NULL));
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- others; killed at any moment: an item is the old one or the new one, whole ---- */

#define LENGTH 5000

static mp_status_t write_letters(mp_call_t *call)
{
    static char text[LENGTH];
    mp_shareable_list_t *list = mp_arg_shareable_list(call, 0);
    for (int i = 0;; i++) {
        mp_value_t item;
        memset(text, 'a' + i % 26, sizeof text);
        MP_CHECK(mp_shareable_list_set(list, 0, mp_str(text, sizeof text - (size_t)(i % 26))) == MP_OK);
        MP_CHECK(mp_shareable_list_get(list, 0, &item) == MP_OK);
        MP_CHECK(mp_shareable_list_set(list, 1, i) == MP_OK);
        mp_value_free(&item);
    }
    return MP_OK;
}

static void expect_one_letter(mp_shareable_list_t *list)
{
    mp_value_t item;
    REQUIRE_OK(mp_shareable_list_get(list, 0, &item));
    const char *text = mp_value_str(item);
    size_t n = mp_value_len(item);
    bool same = n == LENGTH - (size_t)(text[0] - 'a');
    for (size_t i = 1; same && i < n; i++)
        same = text[i] == text[0];
    CU_ASSERT(same);
    mp_value_free(&item);
}

static void kill_writers(void)
{
    static char text[LENGTH];
    mp_process_t *processes[2];
    uint64_t random = 9;
    mp_shareable_list_t *list;
    memset(text, 'a', sizeof text);
    REQUIRE_OK(mp_shareable_list_create(&list, mp_list(mp_str(text, sizeof text), 0)));
    for (int i = 0; i < 2; i++)
        REQUIRE_OK(mp_process_start(&processes[i], write_letters, mp_args(list)));
    unsigned kills = 0;
    for (double until = mp_now() + mp_test_seconds(2); kills < 10 || (kills < 60 && mp_now() < until); kills++) {
        mp_process_t **victim = &processes[mp_test_below(&random, 2)];
        for (double end = mp_now() + (double)mp_test_below(&random, 3000) / 1e6; mp_now() < end;)
            expect_one_letter(list);
        mp_test_expect_killed(*victim);
        double began = mp_now();
        expect_one_letter(list);
        CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
        REQUIRE_OK(mp_process_start(victim, write_letters, mp_args(list)));
    }
    for (int i = 0; i < 2; i++)
        mp_test_expect_killed(processes[i]);
    expect_one_letter(list);
    EXPECT_OK(mp_shareable_list_close(list));
}

MP_CASE(writers_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_writers);
}

/* ---- the end ---- */

static mp_status_t own(mp_call_t *call)
{
    mp_value_t none;
    mp_shareable_list_t *list;
    MP_CHECK(mp_shareable_list_create(&list, mp_list(1, "two")) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), list) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 0), &none);
    return MP_OK;
}

static void kill_owner(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t message, item;
    size_t n;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, own, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &message));
    mp_shareable_list_t *list = mp_value_shareable_list(message);
    EXPECT_ITEM(list, 1, "two");
    mp_test_expect_killed(process);
    EXPECT_STATUS(mp_shareable_list_get(list, 0, &item), MP_GONE);
    EXPECT_STATUS(mp_shareable_list_set(list, 0, 1), MP_GONE);
    EXPECT_STATUS(mp_shareable_list_length(list, &n), MP_GONE);
    EXPECT_STATUS(mp_shareable_list_count(list, 1, &n), MP_GONE);
    EXPECT_STATUS(mp_shareable_list_index(list, 1, &n), MP_GONE);
    EXPECT_STATUS(mp_shareable_list_format(list, 0, NULL, &n), MP_GONE);
    mp_value_free(&message);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(it_goes_with_its_owner)
{
    mp_test_objects();
    mp_test_each_method(kill_owner);
}

MP_GUARDED_CASES(MP_ROW(items_are_what_they_were), MP_ROW(items_change_within_their_rooms),
                 MP_ROW(it_is_searched_as_pythons), MP_ROW(wrong_arguments), MP_ROW(writers_are_killed),
                 MP_ROW(it_goes_with_its_owner));
