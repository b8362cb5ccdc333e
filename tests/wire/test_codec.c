/* Values survive being sent: what is encoded is decoded equal; what cannot be sent is refused when it is encoded. */
#include "harness.h"

#include "objects.h"
#include "wire/call.h"
#include "wire/codec.h"
#include "wire/values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sends v to this process itself; both ends must agree on its size. */
static mp_status_t send(mp_value_t v, const mp__receiver_t *receiver, mp_value_t *out)
{
    uint32_t carried = 0;
    mp__carrier_t carrier = mp_test_carrier(&carried);
    mp__buffer_t buffer;
    mp__buffer_init(&buffer);
    mp_status_t status = mp__encode(&v, receiver ? &carrier : NULL, &buffer);
    if (status == MP_OK) {
        /* Exactly as large as the message, so that a sanitizer sees a read behind it. */
        uint8_t *message = malloc(buffer.size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        memcpy(message, buffer.data, buffer.size);
        status = mp__decode(message, buffer.size, receiver, out);
        CU_ASSERT_EQUAL(mp__decode_check(message, buffer.size), MP_OK);
        free(message);
    }
    mp__buffer_fini(&buffer);
    return status;
}

static void expect_same(int line, mp_value_t v)
{
    mp_value_t received;
    mp_status_t status = send(v, NULL, &received);
    bool same = status == MP_OK && mp_value_equal(v, received);
    if (!same)
        printf("line %d: not the same (%s)\n", line, mp_status_name(status));
    CU_ASSERT(same);
    mp_value_free(&received);
}

#define EXPECT_SAME(x) expect_same(__LINE__, mp_of(x))

MP_CASE(scalars_arrive_as_they_were)
{
    static const int64_t edges[] = {0, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, INT64_MAX};
    EXPECT_SAME(MP_NONE);
    EXPECT_SAME(MP_TRUE);
    EXPECT_SAME(MP_FALSE);
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        EXPECT_SAME(edges[i]);
        EXPECT_SAME(-edges[i]);
        EXPECT_SAME(-edges[i] - 1);
    }
    EXPECT_SAME(UINT64_MAX);
    EXPECT_SAME(0.1);
    EXPECT_SAME(-INFINITY);
    EXPECT_SAME(5e-324);
    EXPECT_SAME("");
    EXPECT_SAME("hello");
    EXPECT_SAME(mp_str("a\0b", 3));
    EXPECT_SAME("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_SAME(mp_bytes("", 0));
    EXPECT_SAME(mp_bytes("\x00\xff\xfe", 3));
}

MP_CASE(scalars_keep_their_kind)
{
    mp_value_t received;
    REQUIRE_OK(send(mp_list(1, 1.0, MP_TRUE, NAN, -0.0, "s", mp_bytes("s", 1)), NULL, &received));
    CU_ASSERT_EQUAL(mp_value_kind(mp_value_item(received, 0)), MP_KIND_INT);
    CU_ASSERT_EQUAL(mp_value_kind(mp_value_item(received, 1)), MP_KIND_DOUBLE);
    CU_ASSERT_EQUAL(mp_value_kind(mp_value_item(received, 2)), MP_KIND_BOOL);
    double nan = mp_value_double(mp_value_item(received, 3));
    CU_ASSERT(nan != nan);
    CU_ASSERT(copysign(1, mp_value_double(mp_value_item(received, 4))) < 0);
    CU_ASSERT_EQUAL(mp_value_kind(mp_value_item(received, 5)), MP_KIND_STR);
    CU_ASSERT_EQUAL(mp_value_kind(mp_value_item(received, 6)), MP_KIND_BYTES);
    mp_value_free(&received);
}

MP_CASE(containers_arrive_as_they_were)
{
    EXPECT_SAME(mp_list());
    EXPECT_SAME(mp_dict());
    EXPECT_SAME(mp_list(42, MP_NONE, "hello"));
    EXPECT_SAME(mp_dict(1, "1", "2", 2, 0.25, MP_NONE, MP_NONE, mp_list(mp_dict("k", mp_dict()))));
    EXPECT_SAME(mp_range(-3, 300));
    EXPECT_SAME(mp_list(mp_list(mp_list(), mp_list()), mp_bytes("x", 1), mp_list(mp_list(mp_list(1)))));
}

MP_CASE(a_dict_keeps_its_order)
{
    mp_value_t received;
    REQUIRE_OK(send(mp_dict("z", 1, "a", 2, 5, 3), NULL, &received));
    CU_ASSERT(mp_value_equal(mp_value_key(received, 0), "z"));
    CU_ASSERT(mp_value_equal(mp_value_key(received, 1), "a"));
    CU_ASSERT(mp_value_equal(mp_value_key(received, 2), 5));
    mp_value_free(&received);
}

MP_CASE(strings_arrive_terminated)
{
    mp_value_t received;
    REQUIRE_OK(send(mp_list(mp_str("abc", 2), "d"), NULL, &received));
    CU_ASSERT_STRING_EQUAL(mp_value_str(mp_value_item(received, 0)), "ab");
    CU_ASSERT_STRING_EQUAL(mp_value_str(mp_value_item(received, 1)), "d");
    mp_value_free(&received);
}

/* Around the number of pairs where an index begins, and around those where the check of keys changes its ways. */
MP_CASE(dicts_of_many_sizes_arrive)
{
    static const size_t sizes[] = {15, 16, 17, 18, 127, 128, 129, 5000, 70000};
    mp_value_t *items = malloc(sizeof *items * 2 * 70000), received;
    CU_ASSERT_PTR_NOT_NULL_FATAL(items);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t j = 0; j < sizes[i]; j++) {
            items[2 * j] = mp_of(j);
            items[2 * j + 1] = MP_TRUE;
        }
        REQUIRE_OK(send(mp_value_dict(items, sizes[i]), NULL, &received));
        CU_ASSERT_EQUAL(mp_value_len(received), sizes[i]);
        CU_ASSERT(mp_value_bool(mp_value_get(received, sizes[i] - 1)));
        CU_ASSERT_FALSE(mp_value_has(received, sizes[i]));
        mp_value_free(&received);
    }
    free(items);
}

/* Around the number of items up to which a message is decoded in one pass: flat, and in lists in lists. */
MP_CASE(lists_of_every_length_arrive)
{
    mp_value_t items[200];
    for (size_t n = 0; n < 200; n++) {
        for (size_t i = 0; i < n; i++)
            items[i] = i % 3 ? mp_of(i) : mp_of("text");
        mp_value_t list = mp_value_list(items, n), dict = mp_dict(n, list, "a", mp_list(list, MP_NONE), "b", 0.5);
        EXPECT_SAME(list);
        EXPECT_SAME(dict);
        EXPECT_SAME(mp_list(mp_list(), "begin", list, mp_dict(), dict, "end"));
    }
}

/* What is written begins with these bytes (RFC 8949, appendix A), and no less of it is taken. */
static void expect_begins(int line, mp_value_t v, const char *head, size_t size)
{
    mp_value_t received;
    mp__buffer_t buffer;
    mp__buffer_init(&buffer);
    bool good = mp__encode(&v, NULL, &buffer) == MP_OK && buffer.size >= size && memcmp(buffer.data, head, size) == 0;
    for (size_t cut = 0; good && cut < buffer.size; cut++) {
        uint8_t *message = malloc(cut + 1);
        memcpy(message, buffer.data, cut);
        message = realloc(message, cut ? cut : 1); /* so that a sanitizer sees a read behind it */
        good = mp__decode(message, cut, NULL, &received) == MP_MALFORMED;
        free(message);
    }
    if (!good)
        printf("line %d: it begins otherwise, or a part of it is taken\n", line);
    CU_ASSERT(good);
    mp__buffer_fini(&buffer);
}

#define EXPECT_BEGINS(x, head) expect_begins(__LINE__, mp_of(x), head, sizeof(head) - 1)

MP_CASE(heads_are_as_short_as_they_can_be)
{
    static mp_value_t items[2 * 256];
    static char text[256];
    memset(text, 'a', sizeof text);
    for (int i = 0; i < 256; i++) {
        items[2 * i] = mp_of(i);
        items[2 * i + 1] = MP_NONE;
    }
    EXPECT_BEGINS(0, "\x00");
    EXPECT_BEGINS(23, "\x17");
    EXPECT_BEGINS(24, "\x18\x18");
    EXPECT_BEGINS(255, "\x18\xff");
    EXPECT_BEGINS(256, "\x19\x01\x00");
    EXPECT_BEGINS(-1, "\x20");
    EXPECT_BEGINS(-24, "\x37");
    EXPECT_BEGINS(-25, "\x38\x18");
    EXPECT_BEGINS(-257, "\x39\x01\x00");
    EXPECT_BEGINS(MP_FALSE, "\xf4");
    EXPECT_BEGINS(MP_TRUE, "\xf5");
    EXPECT_BEGINS(MP_NONE, "\xf6");
    EXPECT_BEGINS(mp_str(text, 23), "\x77"
                                    "aaa");
    EXPECT_BEGINS(mp_str(text, 24), "\x78\x18"
                                    "aaa");
    EXPECT_BEGINS(mp_str(text, 256), "\x79\x01\x00"
                                     "aaa");
    EXPECT_BEGINS(mp_bytes(text, 23), "\x57"
                                      "aaa");
    EXPECT_BEGINS(mp_bytes(text, 255), "\x58\xff"
                                       "aaa");
    EXPECT_BEGINS(mp_bytes(text, 256), "\x59\x01\x00"
                                       "aaa");
    EXPECT_BEGINS(mp_value_list(items, 23), "\x97\x00\xf6\x01");
    EXPECT_BEGINS(mp_value_list(items, 24), "\x98\x18\x00\xf6\x01");
    EXPECT_BEGINS(mp_value_list(items, 256), "\x99\x01\x00\x00\xf6\x01");
    EXPECT_BEGINS(mp_value_dict(items, 23), "\xb7\x00\xf6\x01");
    EXPECT_BEGINS(mp_value_dict(items, 255), "\xb8\xff\x00\xf6\x01");
}

/* Text is looked at several bytes at a time. */
MP_CASE(a_wrong_byte_is_seen_wherever_it_stands)
{
    char text[40];
    mp_value_t received;
    for (size_t n = 1; n <= sizeof text; n++)
        for (size_t at = 0; at < n; at++) {
            memset(text, 'a', sizeof text);
            text[at] = (char)0xff;
            CU_ASSERT_EQUAL(send(mp_str(text, n), NULL, &received), MP_INVALID);
            text[at] = (char)0xc3;
            CU_ASSERT_EQUAL(send(mp_str(text, n), NULL, &received), MP_INVALID);
            if (at + 1 < n) {
                text[at + 1] = (char)0xa9;
                expect_same(__LINE__, mp_str(text, n));
            }
        }
}

MP_CASE(depth_is_bounded_on_both_sides)
{
    mp_value_t nested[MP__DEPTH_MAX + 1], received;
    nested[0] = mp_list();
    for (size_t i = 1; i <= MP__DEPTH_MAX; i++)
        nested[i] = mp_value_list(&nested[i - 1], 1);
    EXPECT_OK(send(nested[MP__DEPTH_MAX - 1], NULL, &received));
    mp_value_free(&received);
    EXPECT_STATUS(send(nested[MP__DEPTH_MAX], NULL, &received), MP_TOO_LARGE);
}

MP_CASE(parts_that_were_encoded_before_make_a_list)
{
    mp__buffer_t buffer;
    mp_value_t received, items[2] = {mp_of("a"), mp_list(1)};
    mp__buffer_init(&buffer);
    REQUIRE_OK(mp__encode_head(MP_KIND_LIST, 2, &buffer));
    REQUIRE_OK(mp__encode(&items[0], NULL, &buffer));
    REQUIRE_OK(mp__encode(&items[1], NULL, &buffer));
    REQUIRE_OK(mp__decode(buffer.data, buffer.size, NULL, &received));
    CU_ASSERT(mp_value_equal(received, mp_list("a", mp_list(1))));
    mp_value_free(&received);
    mp__buffer_fini(&buffer);
}

static void expect_refused(mp_value_t v, const mp__carrier_t *carrier, mp_status_t status)
{
    mp__buffer_t buffer;
    mp__buffer_init(&buffer);
    CU_ASSERT_EQUAL(mp__buffer_append(&buffer, "kept", 4), MP_OK);
    EXPECT_STATUS(mp__encode(&v, carrier, &buffer), status);
    CU_ASSERT_EQUAL(buffer.size, 4);
    mp__buffer_fini(&buffer);
}

MP_CASE(what_cannot_be_sent_is_refused_by_the_sender)
{
    uint32_t many = MP__CARRIED_MAX;
    mp__carrier_t full = mp_test_carrier(&many);
    mp__handle_t *pool = mp_test_object(MP_KIND_POOL, 5), *process = mp_test_object(MP_KIND_PROCESS, 5),
                 *conn = mp_test_object(MP_KIND_CONN, 0);
    mp_value_t nonsense = MP_NONE;
    nonsense.kind = 99;
    expect_refused(mp_list(1, mp_str("\xff", 1)), NULL, MP_INVALID);
    expect_refused(mp_dict("\xc3", 1), NULL, MP_INVALID);
    expect_refused(mp_dict(mp_list(), 1), NULL, MP_TYPE);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "unhashable type: 'list'");
    expect_refused(mp_of((mp_queue_t *)NULL), NULL, MP_INVALID);
    expect_refused(mp_of((mp_conn_t *)NULL), NULL, MP_INVALID);
    expect_refused(mp_of((mp_lock_t *)(void *)pool), NULL, MP_INVALID);
    expect_refused(mp_of((mp_function_t)NULL), NULL, MP_INVALID);
    expect_refused(mp_of((mp_conn_t *)(void *)conn), NULL, MP_NOT_SENDABLE);
    CU_ASSERT_STRING_EQUAL(mp_error()->text,
                           "a Connection travels as an argument of a start and over connections only");
    expect_refused(mp_descriptor(0), NULL, MP_NOT_SENDABLE);
    expect_refused(mp_descriptor(0), &full, MP_TOO_LARGE);
    expect_refused(mp_of((mp_pool_t *)(void *)pool), &full, MP_NOT_SENDABLE);
    expect_refused(mp_of((mp_process_t *)(void *)process), &full, MP_NOT_SENDABLE);
    expect_refused(mp_range(0, INT64_MAX), NULL, MP_NO_MEMORY);
    expect_refused(nonsense, NULL, MP_NOT_SENDABLE);
    mp__handle_release(pool);
    mp__handle_release(process);
    mp__handle_release(conn);
}

MP_CASE(shared_objects_arrive_with_their_reference)
{
    static const mp_kind_t kinds[] = {MP_KIND_QUEUE, MP_KIND_LOCK, MP_KIND_MANAGER, MP_KIND_DICT_PROXY,
                                      MP_KIND_LIST_PROXY};
    mp__receiver_t receiver = mp_test_receiver(NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        mp__handle_t *sent = mp_test_object(kinds[i], (uint32_t)i + 1);
        mp_value_t received;
        sent->item = i % 2 ? 0 : UINT64_MAX - i;
        REQUIRE_OK(send(mp_list(mp__of_object(kinds[i], sent), 1), &receiver, &received));
        mp__handle_t *got = mp_value_item(received, 0).as.object;
        CU_ASSERT(got != sent && mp__handle_is(got, kinds[i]));
        CU_ASSERT(memcmp(&got->reference, &sent->reference, sizeof got->reference) == 0);
        CU_ASSERT_EQUAL(got->item, sent->item);
        mp_value_free(&received);
        mp__handle_release(sent);
        CU_ASSERT_EQUAL(mp_test_objects_alive, 0);
    }
}

MP_CASE(an_object_alone_arrives)
{
    mp__receiver_t receiver = mp_test_receiver(NULL);
    mp__handle_t *sent = mp_test_object(MP_KIND_QUEUE, 9);
    mp_value_t received;
    REQUIRE_OK(send(mp__of_object(MP_KIND_QUEUE, sent), &receiver, &received));
    CU_ASSERT_PTR_NOT_NULL(mp_value_queue(received));
    mp_value_free(&received);
    mp__handle_release(sent);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 0);
}

MP_CASE(connections_and_descriptors_are_carried)
{
    mp__receiver_t receiver = mp_test_receiver(NULL);
    mp__handle_t *conn = mp_test_object(MP_KIND_CONN, 0);
    mp_value_t received;
    REQUIRE_OK(send(mp_list(mp__of_object(MP_KIND_CONN, conn), mp_dict("d", mp_descriptor(0))), &receiver, &received));
    CU_ASSERT_PTR_NOT_NULL(mp_value_conn(mp_value_item(received, 0)));
    intptr_t descriptor = mp_value_descriptor(mp_value_get(mp_value_item(received, 1), "d"));
    CU_ASSERT(mp_test_is_open(descriptor));
    mp_value_free(&received);
    CU_ASSERT_FALSE(mp_test_is_open(descriptor));
    mp__handle_release(conn);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 0);
}

/* More than fit where they are collected at first. */
MP_CASE(many_objects_arrive_in_order)
{
    enum { N = 300 };
    mp__receiver_t receiver = mp_test_receiver(NULL);
    mp__handle_t *sent[N];
    mp_value_t items[N], received;
    for (size_t i = 0; i < N; i++) {
        sent[i] = mp_test_object(MP_KIND_QUEUE, (uint32_t)i + 1);
        items[i] = mp__of_object(MP_KIND_QUEUE, sent[i]);
    }
    REQUIRE_OK(send(mp_value_list(items, N), &receiver, &received));
    CU_ASSERT(mp_value_equal(received, mp_value_list(items, N)));
    mp_value_free(&received);
    for (size_t i = 0; i < N; i++)
        mp__handle_release(sent[i]);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 0);
}

/* A refused object: those that were opened before are let go, whatever it was refused for. */
static void expect_refusal(uint32_t place, mp_status_t status, int count)
{
    mp_test_refusal_t refusal = {place, status};
    mp__receiver_t receiver = mp_test_receiver(&refusal);
    mp_value_t items[300], received;
    mp__handle_t *sent[300], *conn = mp_test_object(MP_KIND_CONN, 0);
    for (int i = 0; i < count; i++) {
        sent[i] = mp_test_object(MP_KIND_LOCK, (uint32_t)i + 1);
        items[i] = mp__of_object(MP_KIND_LOCK, sent[i]);
    }
    items[count / 2] = mp__of_object(MP_KIND_CONN, conn);
    int alive = mp_test_objects_alive;
    EXPECT_STATUS(send(mp_value_list(items, (size_t)count), &receiver, &received), status);
    CU_ASSERT_EQUAL(mp_test_objects_alive, alive);
    CU_ASSERT_EQUAL(mp_value_kind(received), MP_KIND_NONE);
    for (int i = 0; i < count; i++)
        mp__handle_release(sent[i]);
    mp__handle_release(conn);
}

MP_CASE(a_refused_object_fails_the_message_and_leaks_nothing)
{
    expect_refusal(1, MP_GONE, 10);
    expect_refusal(10, MP_FOREIGN, 10);
    expect_refusal(0, MP_MALFORMED, 10);
    expect_refusal(300, MP_GONE, 300);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 0);
}

MP_CASE(a_descriptor_is_closed_when_a_later_object_is_refused)
{
    mp_test_refusal_t refusal = {8, MP_GONE};
    mp__receiver_t receiver = mp_test_receiver(&refusal);
    mp__handle_t *queue = mp_test_object(MP_KIND_QUEUE, 8);
    mp_value_t received;
    EXPECT_STATUS(send(mp_list(mp_descriptor(0), mp__of_object(MP_KIND_QUEUE, queue)), &receiver, &received), MP_GONE);
    mp__handle_release(queue); /* and the harness looks for the descriptor */
}

static mp_status_t one(mp_call_t *call)
{
    return mp_return(call, 1);
}

static mp_status_t two(mp_call_t *call)
{
    return mp_return(call, 2);
}

MP_CASE(functions_of_the_program_arrive)
{
    mp_value_t received;
    for (int i = 0; i < 3; i++) {
        REQUIRE_OK(send(mp_list(one, two, one), NULL, &received));
        CU_ASSERT(mp_value_function(mp_value_item(received, 0)) == one);
        CU_ASSERT(mp_value_function(mp_value_item(received, 1)) == two);
        CU_ASSERT(mp_value_function(mp_value_item(received, 2)) == one);
        mp_value_free(&received);
    }
}

MP_CASE(exported_functions_travel_by_name)
{
    mp__buffer_t buffer;
    mp_value_t v = mp__of_function(two), received;
    EXPECT_OK(mp_export("two", two));
    EXPECT_OK(mp_export("two", two));
    EXPECT_STATUS(mp_export("two", one), MP_BUSY);
    EXPECT_STATUS(mp_export("", one), MP_INVALID);
    EXPECT_STATUS(mp_export(NULL, one), MP_INVALID);
    EXPECT_STATUS(mp_export("\xff", one), MP_INVALID);
    EXPECT_STATUS(mp_export("none", NULL), MP_INVALID);
    mp__buffer_init(&buffer);
    REQUIRE_OK(mp__encode(&v, NULL, &buffer));
    CU_ASSERT_EQUAL(buffer.size, 7); /* the tag's 3 bytes and "two" */
    REQUIRE_OK(mp__decode(buffer.data, buffer.size, NULL, &received));
    CU_ASSERT(mp_value_function(received) == two);
    mp__buffer_fini(&buffer);
}

MP_CASE(names_run_out_with_a_status)
{
    static char names[300][8];
    mp_status_t status = MP_OK;
    int n = 0;
    for (; n < 300 && status == MP_OK; n++) {
        snprintf(names[n], sizeof names[n], "f%d", n);
        status = mp_export(names[n], one);
    }
    CU_ASSERT_EQUAL(status, MP_LIMIT);
    CU_ASSERT_EQUAL(n, 257);
    EXPECT_OK(mp_export("f255", one));
}

MP_CASES(MP_ROW(scalars_arrive_as_they_were), MP_ROW(scalars_keep_their_kind), MP_ROW(containers_arrive_as_they_were),
         MP_ROW(a_dict_keeps_its_order), MP_ROW(strings_arrive_terminated), MP_ROW(dicts_of_many_sizes_arrive),
         MP_ROW(lists_of_every_length_arrive), MP_ROW(heads_are_as_short_as_they_can_be),
         MP_ROW(a_wrong_byte_is_seen_wherever_it_stands), MP_ROW(depth_is_bounded_on_both_sides),
         MP_ROW(parts_that_were_encoded_before_make_a_list), MP_ROW(what_cannot_be_sent_is_refused_by_the_sender),
         MP_ROW(shared_objects_arrive_with_their_reference), MP_ROW(an_object_alone_arrives),
         MP_ROW(connections_and_descriptors_are_carried), MP_ROW(many_objects_arrive_in_order),
         MP_ROW(a_refused_object_fails_the_message_and_leaks_nothing),
         MP_ROW(a_descriptor_is_closed_when_a_later_object_is_refused), MP_ROW(functions_of_the_program_arrive),
         MP_ROW(exported_functions_travel_by_name), MP_ROW(names_run_out_with_a_status));
