/* Connections: messages of every size and kind, their boundaries and ends, and what hostile bytes do to a receiver. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include "objects/connection.h"

#include <stdlib.h>
#include <string.h>

static void make_pipe(mp_conn_t **first, mp_conn_t **second, mp_direction_t direction)
{
    REQUIRE_OK(mp_pipe(first, second, direction));
}

static void close_both(mp_conn_t *first, mp_conn_t *second)
{
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
}

/* ---- values and bytes ---- */

/* Sends back what it gets, values as values and bytes as bytes, until the end. */
static mp_status_t echo(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    for (;;) {
        mp_value_t value;
        mp_status_t status = mp_conn_recv(conn, &value);
        if (status == MP_OK) {
            MP_CHECK(mp_conn_send(conn, value) == MP_OK);
            mp_value_free(&value);
        } else if (status == MP_TYPE) {
            size_t size = 0;
            status = mp_conn_recv_bytes(conn, NULL, &size);
            uint8_t *bytes = malloc(size + 1);
            MP_CHECK((status == MP_TOO_LARGE || size == 0) && bytes);
            MP_CHECK(!size || mp_conn_recv_bytes(conn, bytes, &size) == MP_OK);
            MP_CHECK(mp_conn_send_bytes(conn, bytes, size) == MP_OK);
            free(bytes);
        } else {
            MP_CHECK(status == MP_END);
            return MP_OK;
        }
    }
}

static void send_all(void *context)
{
    void **parcel = context;
    MP_CHECK(mp_conn_send_bytes(parcel[0], parcel[1], *(size_t *)parcel[2]) == MP_OK);
}

/* Sent by a thread: the pipe takes less than that. */
static void expect_bytes_back(mp_conn_t *conn, size_t size)
{
    uint8_t *sent = malloc(size + 1), *received = malloc(size + 1);
    size_t room = size;
    void *parcel[] = {conn, sent, &size};
    mp_test_thread_t sender;
    for (size_t i = 0; i < size; i++)
        sent[i] = (uint8_t)(i * 7 >> 2);
    mp_test_thread_start(&sender, send_all, parcel);
    EXPECT_OK(mp_conn_recv_bytes(conn, received, &room));
    mp_test_thread_join(&sender);
    CU_ASSERT_EQUAL(room, size);
    CU_ASSERT_EQUAL(memcmp(sent, received, size), 0);
    free(sent);
    free(received);
}

static void expect_value_back(mp_conn_t *conn, mp_value_t value)
{
    mp_value_t back;
    EXPECT_OK(mp_conn_send(conn, value));
    EXPECT_OK(mp_conn_recv(conn, &back));
    CU_ASSERT(mp_value_equal(back, value));
    mp_value_free(&back);
}

/* B1; and the end of the child's side is seen although this process had a copy of it. */
static void expect_echo(void)
{
    static const size_t sizes[] = {0, 1, 4095, 65536, 65537, 16 << 20};
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    make_pipe(&conn, &theirs, MP_DUPLEX);
    REQUIRE_OK(mp_process_start(&process, echo, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        expect_bytes_back(conn, sizes[i]);
    expect_value_back(conn,
                      mp_list(42, MP_NONE, "hello", mp_dict("a", 1, 2, mp_list(0.5, MP_TRUE)), mp_bytes("\0b", 2)));
    expect_value_back(conn, MP_NONE);
    expect_value_back(conn, mp_str("", 0));
    EXPECT_OK(mp_conn_close(conn));
    mp_test_expect_end(process, 0);
}

MP_CASE(everything_comes_back_from_a_child)
{
    mp_test_objects();
    mp_test_each_method(expect_echo);
}

/* B2 */
MP_CASE(a_one_way_pipe_has_one_direction)
{
    mp_conn_t *reads, *writes;
    mp_value_t value;
    size_t size = 0;
    mp_test_objects();
    make_pipe(&reads, &writes, MP_ONE_WAY);
    EXPECT_STATUS(mp_conn_send(reads, 1), MP_INVALID);
    EXPECT_STATUS(mp_conn_send_bytes(reads, "x", 1), MP_INVALID);
    EXPECT_STATUS(mp_conn_recv(writes, &value), MP_INVALID);
    EXPECT_STATUS(mp_conn_recv_bytes(writes, NULL, &size), MP_INVALID);
    EXPECT_STATUS(mp_conn_poll(writes, 0), MP_INVALID);
    EXPECT_STATUS(mp_conn_poll(reads, 0), MP_TIMEOUT);
    EXPECT_OK(mp_conn_send(writes, 7));
    EXPECT_OK(mp_conn_recv(reads, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), 7);
    close_both(reads, writes);
}

/* B3 */
MP_CASE(messages_keep_their_boundaries)
{
    mp_conn_t *conn, *peer;
    char text[8];
    static const char *const texts[] = {"a", "b", "", "cd", ""};
    mp_test_objects();
    make_pipe(&conn, &peer, MP_DUPLEX);
    for (size_t i = 0; i < 5; i++)
        EXPECT_OK(mp_conn_send_bytes(peer, texts[i], strlen(texts[i])));
    for (size_t i = 0; i < 5; i++) {
        size_t size = sizeof text;
        EXPECT_OK(mp_conn_poll(conn, 0));
        EXPECT_OK(mp_conn_poll(conn, -1));
        EXPECT_OK(mp_conn_recv_bytes(conn, text, &size));
        CU_ASSERT_EQUAL(size, strlen(texts[i]));
        CU_ASSERT_EQUAL(memcmp(text, texts[i], size), 0);
    }
    EXPECT_STATUS(mp_conn_poll(conn, 0), MP_TIMEOUT);
    close_both(conn, peer);
}

/* B6 */
MP_CASE(too_short_a_room_leaves_the_message_there)
{
    mp_conn_t *conn, *peer;
    char text[8] = "";
    mp_value_t value;
    mp_test_objects();
    make_pipe(&conn, &peer, MP_DUPLEX);
    EXPECT_OK(mp_conn_send_bytes(peer, "12345", 5));
    EXPECT_OK(mp_conn_send(peer, 9));
    for (size_t room = 0; room < 5; room++) {
        size_t size = room;
        EXPECT_STATUS(mp_conn_recv_bytes(conn, text, &size), MP_TOO_LARGE);
        CU_ASSERT_EQUAL(size, 5);
    }
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_TYPE);
    EXPECT_OK(mp_conn_poll(conn, 0));
    size_t size = sizeof text;
    EXPECT_OK(mp_conn_recv_bytes(conn, text, &size));
    CU_ASSERT_EQUAL(size, 5);
    CU_ASSERT_EQUAL(memcmp(text, "12345", 5), 0);
    EXPECT_STATUS(mp_conn_recv_bytes(conn, text, &size), MP_TYPE);
    EXPECT_OK(mp_conn_recv(conn, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), 9);
    close_both(conn, peer);
}

/* B7 */
MP_CASE(poll_waits_for_a_message_or_the_end)
{
    mp_conn_t *conn, *peer;
    mp_value_t value;
    mp_test_objects();
    make_pipe(&conn, &peer, MP_DUPLEX);
    double began = mp_now();
    EXPECT_STATUS(mp_conn_poll(conn, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_conn_poll(conn, -1), MP_TIMEOUT);
    CU_ASSERT(mp_now() - began < mp_test_seconds(0.2));
    began = mp_now();
    EXPECT_STATUS(mp_conn_poll(conn, 0.1), MP_TIMEOUT);
    CU_ASSERT(mp_now() - began >= 0.1);
    EXPECT_STATUS(mp_conn_poll(conn, (double)NAN), MP_INVALID);
    EXPECT_OK(mp_conn_send(peer, 1));
    EXPECT_OK(mp_conn_poll(conn, MP_FOREVER));
    EXPECT_OK(mp_conn_recv(conn, &value));
    EXPECT_OK(mp_conn_send(peer, 2));
    EXPECT_OK(mp_conn_close(peer));
    EXPECT_OK(mp_conn_poll(conn, 0));
    EXPECT_OK(mp_conn_recv(conn, &value)); /* what was sent before the end */
    CU_ASSERT_EQUAL(mp_value_int(value), 2);
    EXPECT_OK(mp_conn_poll(conn, MP_FOREVER));
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(nothing_is_no_connection)
{
    mp_conn_t *conn, *peer;
    mp_value_t value;
    size_t size = 1;
    char byte;
    mp_test_objects();
    EXPECT_STATUS(mp_pipe(NULL, &peer, MP_DUPLEX), MP_INVALID);
    EXPECT_STATUS(mp_pipe(&conn, NULL, MP_DUPLEX), MP_INVALID);
    EXPECT_STATUS(mp_pipe(&conn, &peer, (mp_direction_t)5), MP_INVALID);
    make_pipe(&conn, &peer, MP_DUPLEX);
    EXPECT_STATUS(mp_conn_send((mp_conn_t *)NULL, 1), MP_INVALID);
    EXPECT_STATUS(mp_conn_recv(NULL, &value), MP_INVALID);
    EXPECT_STATUS(mp_conn_recv(conn, NULL), MP_INVALID);
    EXPECT_STATUS(mp_conn_send_bytes(conn, NULL, 1), MP_INVALID);
    EXPECT_STATUS(mp_conn_recv_bytes(conn, &byte, NULL), MP_INVALID);
    EXPECT_STATUS(mp_conn_recv_bytes(conn, NULL, &size), MP_INVALID);
    EXPECT_STATUS(mp_conn_poll(NULL, 0), MP_INVALID);
    EXPECT_OK(mp_conn_close(NULL));
    EXPECT_STATUS(mp_conn_send(conn, mp_str("\xff", 1)), MP_INVALID);
    EXPECT_STATUS(mp_conn_poll(peer, 0), MP_TIMEOUT); /* nothing of it was sent */
    close_both(conn, peer);
}

/* ---- the peer's end ---- */

static mp_status_t send_for_ever(mp_call_t *call)
{
    static char big[8 << 20];
    mp_conn_t *conn = mp_arg_conn(call, 0);
    while (mp_conn_send_bytes(conn, big, sizeof big) == MP_OK)
        ;
    return MP_OK;
}

/* B8: it is killed in the middle of a message, whose first part fills the pipe. */
static void expect_truncation(void)
{
    static char room[8 << 20];
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    size_t size = 1;
    make_pipe(&conn, &theirs, MP_ONE_WAY);
    REQUIRE_OK(mp_process_start(&process, send_for_ever, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_STATUS(mp_conn_recv_bytes(conn, room, &size), MP_TOO_LARGE);
    CU_ASSERT_EQUAL(size, sizeof room);
    mp_test_expect_killed(process);
    EXPECT_STATUS(mp_conn_recv_bytes(conn, room, &size), MP_TRUNCATED);
    EXPECT_STATUS(mp_conn_recv_bytes(conn, room, &size), MP_END);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(a_peer_that_dies_in_a_message_truncates_it)
{
    mp_test_objects();
    mp_test_each_method(expect_truncation);
}

static mp_status_t close_and_stay(mp_call_t *call)
{
    mp_value_t none;
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 0) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 1), &none);
    return MP_OK;
}

/* B9: what it fills in the pipe first, it may; then it hears of the end, and lives. */
static void expect_end_of_sending(void)
{
    static char big[1 << 20];
    mp_conn_t *conn, *theirs;
    make_pipe(&conn, &theirs, MP_DUPLEX);
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_STATUS(mp_conn_send_bytes(conn, big, sizeof big), MP_END);
    EXPECT_STATUS(mp_conn_send(conn, 1), MP_END);
    EXPECT_OK(mp_conn_close(conn));
    mp_process_t *process;
    make_pipe(&conn, &theirs, MP_DUPLEX);
    REQUIRE_OK(mp_process_start(&process, send_for_ever, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    mp_test_expect_killed(process);
    EXPECT_STATUS(mp_conn_send_bytes(conn, big, sizeof big), MP_END);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(to_send_to_a_dead_peer_is_an_error_and_no_signal)
{
    mp_test_objects();
    mp_test_each_method(expect_end_of_sending);
}

/* A child that was started while the pipe was open holds no end of it: only what it was given. */
static void expect_end_despite_others(void)
{
    mp_conn_t *conn, *peer, *leash, *theirs;
    mp_process_t *process;
    mp_value_t value;
    make_pipe(&conn, &peer, MP_DUPLEX);
    make_pipe(&leash, &theirs, MP_DUPLEX);
    REQUIRE_OK(mp_process_start(&process, close_and_stay, mp_args(1, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_recv(leash, &value)); /* it runs */
    EXPECT_OK(mp_conn_close(peer));
    EXPECT_OK(mp_conn_poll(conn, mp_test_patience()));
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    CU_ASSERT(mp_process_is_alive(process));
    EXPECT_OK(mp_conn_close(leash));
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(children_hold_no_ends_but_their_own)
{
    mp_test_objects();
    mp_test_each_method(expect_end_despite_others);
}

/* A borrowed one may be closed: then it is closed, and the argument is none any more. */
static mp_status_t close_early(mp_call_t *call)
{
    mp_value_t none;
    MP_CHECK(mp_conn_close(mp_arg_conn(call, 0)) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 1), &none);
    MP_CHECK(mp_call_status(call) == MP_OK);
    MP_CHECK(!mp_arg_conn(call, 0) && mp_call_status(call) == MP_CLOSED);
    return mp_exit(call, 4);
}

static void expect_end_of_a_living_peer(void)
{
    mp_conn_t *conn, *theirs, *leash, *held;
    mp_process_t *process;
    mp_value_t value;
    make_pipe(&conn, &theirs, MP_DUPLEX);
    make_pipe(&leash, &held, MP_DUPLEX);
    REQUIRE_OK(mp_process_start(&process, close_early, mp_args(theirs, held)));
    close_both(theirs, held);
    EXPECT_OK(mp_conn_poll(conn, mp_test_patience()));
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    CU_ASSERT(mp_process_is_alive(process));
    EXPECT_OK(mp_conn_close(leash));
    mp_test_expect_end(process, 4);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(the_end_is_seen_when_a_child_closes_its_end)
{
    mp_test_objects();
    mp_test_each_method(expect_end_of_a_living_peer);
}

/* ---- what travels inside messages ---- */

/* Answers on the connection that it gets over the one that it was started with. */
static mp_status_t answer_on_what_comes(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    for (mp_value_t value; mp_conn_recv(conn, &value) == MP_OK; mp_value_free(&value)) {
        mp_conn_t *inner = mp_value_conn(mp_value_item(value, 1));
        MP_CHECK(inner);
        mp_status_t status = mp_conn_send(inner, mp_value_item(value, 0));
        MP_CHECK(status == MP_OK || status == MP_INVALID);
        if (status == MP_INVALID) /* it only receives */
            MP_CHECK(mp_conn_poll(inner, mp_test_patience()) == MP_OK);
    }
    return MP_OK;
}

/* B12: also with more than one, and the sender closes its own at once. */
static void pass_connections(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t value;
    make_pipe(&conn, &theirs, MP_DUPLEX);
    REQUIRE_OK(mp_process_start(&process, answer_on_what_comes, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    for (int i = 0; i < 10; i++) {
        mp_conn_t *mine, *passed;
        make_pipe(&mine, &passed, i % 2 ? MP_ONE_WAY : MP_DUPLEX);
        EXPECT_OK(mp_conn_send(conn, mp_list(i, passed)));
        EXPECT_OK(mp_conn_close(passed));
        EXPECT_OK(mp_conn_recv(mine, &value));
        CU_ASSERT_EQUAL(mp_value_int(value), i);
        EXPECT_STATUS(mp_conn_recv(mine, &value), MP_END);
        EXPECT_OK(mp_conn_close(mine));
    }
    mp_conn_t *reads, *writes; /* its rights are kept */
    make_pipe(&reads, &writes, MP_ONE_WAY);
    EXPECT_OK(mp_conn_send(writes, 1));
    EXPECT_OK(mp_conn_send(conn, mp_list(1, reads)));
    close_both(reads, writes);
    EXPECT_OK(mp_conn_close(conn));
    mp_test_expect_end(process, 0);
}

MP_CASE(connections_travel_over_connections)
{
    mp_test_objects();
    mp_test_each_method(pass_connections);
}

MP_CASE(a_connection_travels_with_messages_in_it_and_inside_another)
{
    mp_conn_t *a, *b, *c, *d, *e, *f;
    mp_value_t first, second, value;
    mp_test_objects();
    make_pipe(&a, &b, MP_DUPLEX);
    make_pipe(&c, &d, MP_DUPLEX);
    make_pipe(&e, &f, MP_DUPLEX);
    EXPECT_OK(mp_conn_send(e, "innermost"));
    EXPECT_OK(mp_conn_send(c, mp_list("in", f)));
    EXPECT_OK(mp_conn_send(a, mp_dict("conn", d)));
    close_both(d, f);
    EXPECT_OK(mp_conn_recv(b, &first));
    EXPECT_OK(mp_conn_recv(mp_value_conn(mp_value_get(first, "conn")), &second));
    EXPECT_OK(mp_conn_recv(mp_value_conn(mp_value_item(second, 1)), &value));
    CU_ASSERT_STRING_EQUAL(mp_value_str(value), "innermost");
    mp_value_free(&value);
    mp_value_free(&second);
    mp_value_free(&first);
    EXPECT_STATUS(mp_conn_recv(c, &value), MP_END); /* the receiver's copies are closed with the values */
    EXPECT_STATUS(mp_conn_recv(e, &value), MP_END);
    close_both(a, b);
    close_both(c, e);
}

/* B11 */
static mp_status_t write_into_descriptor(mp_call_t *call)
{
    mp_value_t value;
    MP_CHECK(mp_conn_recv(mp_arg_conn(call, 0), &value) == MP_OK);
    mp__os_handle_t end = mp_value_descriptor(mp_value_item(value, 0));
    MP_CHECK(mp__os_channel_write(end, "foo", 3) == MP_OK);
    mp_value_free(&value);
    MP_CHECK(mp__os_channel_write(mp_arg_descriptor(call, 1), "bar", 3) == MP_OK);
    return MP_OK;
}

static void expect_text(mp__os_handle_t end, const char *expected)
{
    char text[4] = "";
    EXPECT_OK(mp__os_channel_read(end, text, 3));
    CU_ASSERT_STRING_EQUAL(text, expected);
    EXPECT_STATUS(mp__os_channel_read(end, text, 3), MP_END);
    mp__os_handle_close(end);
}

static void pass_descriptors(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp__os_handle_t message[2], argument[2];
    make_pipe(&conn, &theirs, MP_DUPLEX);
    REQUIRE_OK(mp__os_channel_create(false, message));
    REQUIRE_OK(mp__os_channel_create(false, argument));
    REQUIRE_OK(mp_process_start(&process, write_into_descriptor, mp_args(theirs, mp_descriptor(argument[1]))));
    EXPECT_OK(mp_conn_send(conn, mp_list(mp_descriptor(message[1]))));
    mp__os_handle_close(message[1]);
    mp__os_handle_close(argument[1]);
    expect_text(message[0], "foo");
    expect_text(argument[0], "bar");
    mp_test_expect_end(process, 0);
    close_both(conn, theirs);
}

MP_CASE(descriptors_travel)
{
    mp_test_objects();
    mp_test_each_method(pass_descriptors);
}

static mp_status_t use_objects(mp_call_t *call)
{
    mp_value_t value, item;
    MP_CHECK(mp_conn_recv(mp_arg_conn(call, 0), &value) == MP_OK);
    mp_queue_t *queue = mp_value_queue(mp_value_get(value, "queue"));
    mp_lock_t *lock = mp_value_lock(mp_value_get(value, "lock"));
    MP_CHECK(queue && lock);
    MP_CHECK(mp_lock_acquire(lock, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_queue_get(queue, &item, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_queue_put(queue, mp_value_int(item) * 2, 0) == MP_OK);
    MP_CHECK(mp_lock_release(lock) == MP_OK);
    mp_value_free(&value);
    return MP_OK;
}

static void pass_objects(void)
{
    mp_conn_t *conn, *theirs;
    mp_queue_t *queue;
    mp_lock_t *lock;
    mp_process_t *process;
    mp_value_t item;
    make_pipe(&conn, &theirs, MP_DUPLEX);
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_lock_create(&lock));
    REQUIRE_OK(mp_process_start(&process, use_objects, mp_args(theirs)));
    EXPECT_OK(mp_queue_put(queue, 21, 0));
    EXPECT_OK(mp_conn_send(conn, mp_dict("queue", queue, "lock", lock)));
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_queue_get(queue, &item, 0));
    CU_ASSERT_EQUAL(mp_value_int(item), 42);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_lock_close(lock));
    close_both(conn, theirs);
}

MP_CASE(queues_and_locks_travel)
{
    mp_test_objects();
    mp_test_each_method(pass_objects);
}

/* Closed before, after, or kept beyond the value that it came in. */
MP_CASE(an_object_in_a_value_is_closed_once)
{
    mp_conn_t *conn, *peer, *a, *b;
    mp_value_t value, copy;
    mp_test_objects();
    make_pipe(&conn, &peer, MP_DUPLEX);
    for (int kept = 0; kept < 3; kept++) {
        make_pipe(&a, &b, MP_DUPLEX);
        EXPECT_OK(mp_conn_send(conn, mp_list(b)));
        EXPECT_OK(mp_conn_close(b));
        EXPECT_OK(mp_conn_recv(peer, &value));
        mp_conn_t *received = mp_value_conn(mp_value_item(value, 0));
        EXPECT_OK(mp_conn_send(received, kept));
        if (kept == 1)
            mp_keep(received);
        if (kept == 2) {
            EXPECT_OK(mp_copy(&copy, value));
            mp_value_free(&copy);
        }
        if (kept == 1)
            mp_value_free(&value);
        EXPECT_OK(mp_conn_close(received));
        if (kept != 1) {
            CU_ASSERT_PTR_NULL(mp_value_conn(mp_value_item(value, 0)));
            EXPECT_STATUS(mp_conn_send(conn, value), MP_INVALID);
        }
        EXPECT_OK(mp_conn_recv(a, &copy));
        CU_ASSERT_EQUAL(mp_value_int(copy), kept);
        EXPECT_STATUS(mp_conn_recv(a, &copy), MP_END);
        mp_value_free(&value);
        EXPECT_OK(mp_conn_close(a));
    }
    close_both(conn, peer);
}

/* What was copied stays when the pointer is closed. */
MP_CASE(an_object_in_a_copy_stays)
{
    mp_queue_t *queue;
    mp_conn_t *a, *b;
    mp_value_t copy, value;
    mp_test_objects();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    make_pipe(&a, &b, MP_DUPLEX);
    EXPECT_OK(mp_copy(&copy, mp_list(b, queue)));
    EXPECT_OK(mp_conn_close(b));
    EXPECT_OK(mp_conn_send(mp_value_conn(mp_value_item(copy, 0)), 3));
    EXPECT_OK(mp_conn_recv(a, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), 3);
    mp_value_free(&copy);
    EXPECT_STATUS(mp_conn_recv(a, &value), MP_END);
    EXPECT_OK(mp_conn_close(a));
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(an_object_that_ended_on_the_way_costs_its_message_only)
{
    mp_conn_t *conn, *peer;
    mp_queue_t *queue;
    mp_value_t value;
    mp_test_objects();
    make_pipe(&conn, &peer, MP_DUPLEX);
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_OK(mp_conn_send(conn, mp_list(1, queue)));
    EXPECT_OK(mp_conn_send(conn, 2));
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_STATUS(mp_conn_recv(peer, &value), MP_GONE);
    EXPECT_OK(mp_conn_recv(peer, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), 2);
    close_both(conn, peer);
}

MP_CASE(sixty_four_handles_and_no_more)
{
    mp_conn_t *conn, *peer, *pair[2];
    mp_value_t items[65], value;
    mp_test_objects();
    make_pipe(&conn, &peer, MP_DUPLEX);
    make_pipe(&pair[0], &pair[1], MP_DUPLEX);
    for (int i = 0; i < 65; i++)
        items[i] = mp_of(pair[1]);
    EXPECT_STATUS(mp_conn_send(conn, mp_value_list(items, 65)), MP_TOO_LARGE);
    EXPECT_STATUS(mp_conn_poll(peer, 0), MP_TIMEOUT);
    REQUIRE_OK(mp_conn_send(conn, mp_value_list(items, 64)));
    REQUIRE_OK(mp_conn_recv(peer, &value));
    EXPECT_OK(mp_conn_send(mp_value_conn(mp_value_item(value, 0)), 1));
    EXPECT_OK(mp_conn_send(mp_value_conn(mp_value_item(value, 63)), 2));
    mp_value_free(&value);
    for (int i = 1; i <= 2; i++) {
        EXPECT_OK(mp_conn_recv(pair[0], &value));
        CU_ASSERT_EQUAL(mp_value_int(value), i);
    }
    close_both(pair[0], pair[1]);
    close_both(conn, peer);
}

MP_CASE(a_connection_in_the_middle_of_a_message_stays)
{
    mp_conn_t *conn, *peer, *a, *b;
    mp_value_t value;
    size_t size = 0;
    mp_test_objects();
    make_pipe(&conn, &peer, MP_DUPLEX);
    make_pipe(&a, &b, MP_DUPLEX);
    EXPECT_OK(mp_conn_send_bytes(a, "xyz", 3));
    EXPECT_STATUS(mp_conn_recv_bytes(b, NULL, &size), MP_TOO_LARGE);
    EXPECT_STATUS(mp_conn_send(conn, mp_list(b)), MP_BUSY);
    EXPECT_STATUS(mp_conn_recv(b, &value), MP_TYPE);
    EXPECT_STATUS(mp_conn_poll(peer, 0), MP_TIMEOUT);
    close_both(a, b);
    close_both(conn, peer);
}

/* ---- threads ---- */

#define SENDERS  4
#define MESSAGES 200

typedef struct sender {
    mp_conn_t *conn;
    uint8_t number;
} sender_t;

/* Each message is full of its sender's number, and says in its first bytes which one it is. */
static void send_many(void *context)
{
    const sender_t *sender = context;
    static uint8_t bytes[SENDERS][100000];
    uint64_t random = 1u + sender->number;
    uint8_t *own = bytes[sender->number];
    memset(own, sender->number, sizeof bytes[0]);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        memcpy(own, &i, sizeof i);
        MP_CHECK(mp_conn_send_bytes(sender->conn, own, 8 + (size_t)mp_test_below(&random, sizeof bytes[0] - 8)) ==
                 MP_OK);
    }
}

MP_CASE(threads_send_at_once)
{
    mp_conn_t *conn, *peer;
    mp_test_thread_t threads[SENDERS];
    sender_t senders[SENDERS];
    uint32_t seen[SENDERS] = {0};
    static uint8_t message[100000];
    mp_test_objects();
    make_pipe(&conn, &peer, MP_DUPLEX);
    for (uint8_t i = 0; i < SENDERS; i++) {
        senders[i] = (sender_t){conn, i};
        mp_test_thread_start(&threads[i], send_many, &senders[i]);
    }
    for (int i = 0; i < SENDERS * MESSAGES; i++) {
        size_t size = sizeof message;
        uint32_t serial;
        REQUIRE_OK(mp_conn_recv_bytes(peer, message, &size));
        uint8_t number = message[4];
        CU_ASSERT_FATAL(number < SENDERS);
        memcpy(&serial, message, sizeof serial);
        CU_ASSERT_EQUAL(serial, seen[number]);
        seen[number]++;
        for (size_t at = 4; at < size; at++)
            if (message[at] != number)
                CU_FAIL_FATAL("mixed");
    }
    for (int i = 0; i < SENDERS; i++)
        mp_test_thread_join(&threads[i]);
    close_both(conn, peer);
}

/* ---- hostile bytes: the other end may be anybody who was handed it ---- */

typedef struct raw_head {
    uint32_t magic;
    uint16_t content;
    uint16_t handles;
    uint64_t size;
} raw_head_t;

#define MAGIC UINT32_C(0x6d70666d)

typedef struct victim {
    mp_conn_t *conn;
    mp__os_handle_t raw;
} victim_t;

static void make_victim(victim_t *victim)
{
    mp__os_handle_t ends[2];
    void *conn;
    REQUIRE_OK(mp__os_channel_create(true, ends));
    REQUIRE_OK(mp__conn_adopt(ends[0], MP__CONN_RECEIVES | MP__CONN_SENDS, &conn));
    victim->conn = conn;
    victim->raw = ends[1];
}

static void write_raw(const victim_t *victim, const void *data, size_t size)
{
    REQUIRE_OK(mp__os_channel_write(victim->raw, data, size));
}

static void close_victim(victim_t *victim)
{
    EXPECT_OK(mp_conn_close(victim->conn));
    mp__os_handle_close(victim->raw);
}

static void expect_head(raw_head_t head, mp_status_t expected)
{
    victim_t victim;
    mp_value_t value;
    char bytes[64];
    size_t size = sizeof bytes;
    make_victim(&victim);
    write_raw(&victim, &head, sizeof head);
    mp__os_handle_close(victim.raw);
    victim.raw = MP__NO_HANDLE;
    EXPECT_STATUS(head.content == 0 ? mp_conn_recv(victim.conn, &value) : mp_conn_recv_bytes(victim.conn, bytes, &size),
                  expected);
    close_victim(&victim);
}

MP_CASE(hostile_heads)
{
    mp_test_objects();
    expect_head((raw_head_t){MAGIC + 1, 0, 0, 0}, MP_MALFORMED);
    expect_head((raw_head_t){0, 0, 0, 0}, MP_MALFORMED);
    expect_head((raw_head_t){MAGIC, 2, 0, 0}, MP_MALFORMED);
    expect_head((raw_head_t){MAGIC, 0xffff, 0, 0}, MP_MALFORMED);
    expect_head((raw_head_t){MAGIC, 0, 65, 0}, MP_MALFORMED);
    expect_head((raw_head_t){MAGIC, 0, 0xffff, 0}, MP_MALFORMED);
    expect_head((raw_head_t){MAGIC, 1, 1, 0}, MP_MALFORMED); /* handles beside raw bytes */
    expect_head((raw_head_t){MAGIC, 0, 0, (UINT64_C(1) << 40) + 1}, MP_MALFORMED);
    expect_head((raw_head_t){MAGIC, 0, 0, UINT64_MAX}, MP_MALFORMED);
    expect_head((raw_head_t){MAGIC, 0, 0, UINT64_C(1) << 40}, MP_TRUNCATED); /* and no memory for it */
    expect_head((raw_head_t){MAGIC, 0, 0, 1}, MP_TRUNCATED);
    expect_head((raw_head_t){MAGIC, 0, 3, 0}, MP_TRUNCATED);
    expect_head((raw_head_t){MAGIC, 1, 0, 5}, MP_TRUNCATED);
    expect_head((raw_head_t){MAGIC, 1, 0, UINT64_C(1) << 40}, MP_TOO_LARGE);
}

MP_CASE(half_a_head)
{
    mp_value_t value;
    raw_head_t head = {MAGIC, 0, 0, 1};
    mp_test_objects();
    for (size_t size = 1; size < sizeof head; size++) {
        victim_t victim;
        make_victim(&victim);
        write_raw(&victim, &head, size);
        mp__os_handle_close(victim.raw);
        victim.raw = MP__NO_HANDLE;
        EXPECT_STATUS(mp_conn_recv(victim.conn, &value), MP_TRUNCATED);
        close_victim(&victim);
    }
}

/* The payload is refused, the next message is not touched. */
MP_CASE(a_hostile_payload_costs_its_message_only)
{
    static const char *const payloads[] = {
        "", "\xff", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "\x01\x01", "\x61\xff", "\xbf", "\x81", "\xd9\xff\xff\x01"};
    victim_t victim;
    mp_value_t value;
    mp_test_objects();
    make_victim(&victim);
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        size_t size = strlen(payloads[i]);
        raw_head_t head = {MAGIC, 0, 0, size}, good = {MAGIC, 0, 0, 1};
        write_raw(&victim, &head, sizeof head);
        if (size)
            write_raw(&victim, payloads[i], size);
        write_raw(&victim, &good, sizeof good);
        write_raw(&victim, "\x05", 1);
        mp_status_t status = mp_conn_recv(victim.conn, &value);
        CU_ASSERT(status != MP_OK && status != MP_END);
        EXPECT_OK(mp_conn_recv(victim.conn, &value));
        CU_ASSERT_EQUAL(mp_value_int(value), 5);
    }
    close_victim(&victim);
}

/* What came with a message and was not named in it is closed: the leak check would see it. */
MP_CASE(handles_that_nobody_asked_for_are_closed)
{
    victim_t victim;
    mp__os_handle_t ends[2];
    mp_value_t value;
    raw_head_t head = {MAGIC, 0, 2, 1};
    mp_test_objects();
    make_victim(&victim);
    REQUIRE_OK(mp__os_channel_create(true, ends));
    write_raw(&victim, &head, sizeof head);
    REQUIRE_OK(mp__os_channel_pass(victim.raw, ends, 2, mp_getpid()));
    write_raw(&victim, "\x07", 1);
    EXPECT_OK(mp_conn_recv(victim.conn, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), 7);
    mp__os_handle_close(ends[1]);
    char byte;
    EXPECT_STATUS(mp__os_channel_read(ends[0], &byte, 1), MP_END); /* nobody has its other end */
    mp__os_handle_close(ends[0]);
    close_victim(&victim);
}

MP_CASE(random_bytes_never_hang_nor_crash)
{
    uint64_t random = 77;
    mp_test_objects();
    for (int i = 0; i < 300; i++) {
        victim_t victim;
        uint8_t bytes[400];
        size_t size = 1 + (size_t)mp_test_below(&random, sizeof bytes);
        for (size_t at = 0; at < size; at++)
            bytes[at] = (uint8_t)mp_test_random(&random);
        raw_head_t head = {MAGIC, (uint16_t)(i % 2), 0, mp_test_below(&random, 300)};
        if (i % 3)
            memcpy(bytes, &head, size < sizeof head ? size : sizeof head);
        make_victim(&victim);
        write_raw(&victim, bytes, size);
        mp__os_handle_close(victim.raw);
        victim.raw = MP__NO_HANDLE;
        mp_status_t status = MP_OK;
        for (int tries = 0; status != MP_END && tries < 100; tries++) {
            mp_value_t value;
            char room[400];
            size_t length = sizeof room;
            status = mp_conn_recv(victim.conn, &value);
            mp_value_free(&value);
            if (status == MP_TYPE)
                status = mp_conn_recv_bytes(victim.conn, room, &length);
        }
        EXPECT_STATUS(status, MP_END);
        close_victim(&victim);
    }
}

MP_GUARDED_CASES(MP_ROW(everything_comes_back_from_a_child), MP_ROW(a_one_way_pipe_has_one_direction),
                 MP_ROW(messages_keep_their_boundaries), MP_ROW(too_short_a_room_leaves_the_message_there),
                 MP_ROW(poll_waits_for_a_message_or_the_end), MP_ROW(nothing_is_no_connection),
                 MP_ROW(a_peer_that_dies_in_a_message_truncates_it),
                 MP_ROW(to_send_to_a_dead_peer_is_an_error_and_no_signal), MP_ROW(children_hold_no_ends_but_their_own),
                 MP_ROW(the_end_is_seen_when_a_child_closes_its_end), MP_ROW(connections_travel_over_connections),
                 MP_ROW(a_connection_travels_with_messages_in_it_and_inside_another), MP_ROW(descriptors_travel),
                 MP_ROW(queues_and_locks_travel), MP_ROW(an_object_in_a_value_is_closed_once),
                 MP_ROW(an_object_in_a_copy_stays), MP_ROW(an_object_that_ended_on_the_way_costs_its_message_only),
                 MP_ROW(sixty_four_handles_and_no_more), MP_ROW(a_connection_in_the_middle_of_a_message_stays),
                 MP_ROW(threads_send_at_once), MP_ROW(hostile_heads), MP_ROW(half_a_head),
                 MP_ROW(a_hostile_payload_costs_its_message_only), MP_ROW(handles_that_nobody_asked_for_are_closed),
                 MP_ROW(random_bytes_never_hang_nor_crash));
