/* Listeners: programs that are no family meet at an address, send each other what they have, and leave nothing there.
 */
#include "child.h"
#include "scene.h"
#include "system.h"

#include "core/atomic.h"
#include "objects/connection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_SIZE 300

/* An address that is only this case's. */
static const char *given_address(char text[ADDRESS_SIZE])
{
    bool posix = mp_test_is_posix();
    snprintf(text, ADDRESS_SIZE, "%s%smp-listener-%ld", posix ? mp_test_folder() : "", posix ? "/" : "", mp_test_pid());
    return text;
}

static mp_listener_t *listen_at(const char *address)
{
    mp_listener_t *listener;
    REQUIRE_OK(mp_listener_create(&listener, address));
    return listener;
}

static mp_conn_t *connect_to(const mp_listener_t *listener)
{
    mp_conn_t *conn;
    REQUIRE_OK(mp_connect(&conn, mp_listener_address(listener), mp_test_patience()));
    return conn;
}

static mp_conn_t *accept_one(mp_listener_t *listener)
{
    mp_conn_t *conn;
    REQUIRE_OK(mp_listener_accept(listener, &conn, mp_test_patience()));
    return conn;
}

static void expect_int(mp_conn_t *conn, int expected)
{
    mp_value_t value;
    EXPECT_OK(mp_conn_recv(conn, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), expected);
    mp_value_free(&value);
}

static void expect_end(mp_conn_t *conn)
{
    mp_value_t value;
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    EXPECT_OK(mp_conn_close(conn));
}

/* The library makes some things with the first one, and keeps them. */
static void use_listeners(void)
{
    mp_test_objects();
    EXPECT_OK(mp_listener_close(listen_at(NULL)));
    mp_test_baseline();
}

/* ---- meeting ---- */

static mp_status_t visit(mp_call_t *call)
{
    mp_conn_t *conn;
    mp_value_t value;
    char bytes[8];
    size_t size = sizeof bytes;
    MP_CHECK(mp_connect(&conn, mp_arg_str(call, 0), mp_test_patience()) == MP_OK);
    MP_CHECK(mp_conn_send(conn, mp_list(mp_getpid(), "hello")) == MP_OK);
    MP_CHECK(mp_conn_recv(conn, &value) == MP_OK && mp_value_int(value) == 7);
    MP_CHECK(mp_conn_recv_bytes(conn, bytes, &size) == MP_OK && size == 4 && memcmp(bytes, "raw\0", 4) == 0);
    MP_CHECK(mp_conn_close(conn) == MP_OK);
    return MP_OK;
}

static void expect_visit(const char *address)
{
    mp_listener_t *listener = listen_at(address);
    mp_process_t *process;
    mp_value_t value;
    REQUIRE_OK(mp_process_start(&process, visit, mp_args(mp_listener_address(listener))));
    mp_conn_t *conn = accept_one(listener);
    EXPECT_OK(mp_conn_recv(conn, &value));
    CU_ASSERT_EQUAL(mp_value_int(mp_value_item(value, 0)), mp_process_pid(process));
    CU_ASSERT_STRING_EQUAL(mp_value_str(mp_value_item(value, 1)), "hello");
    mp_value_free(&value);
    EXPECT_OK(mp_conn_send(conn, 7));
    EXPECT_OK(mp_conn_send_bytes(conn, "raw\0", 4));
    expect_end(conn);
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_listener_close(listener));
}

/* B13 */
static void expect_visits(void)
{
    char address[ADDRESS_SIZE];
    expect_visit(NULL);
    expect_visit(given_address(address));
}

MP_CASE(a_child_connects)
{
    use_listeners();
    mp_test_each_method(expect_visits);
}

MP_CASE(addresses_of_its_own_choice_differ)
{
    use_listeners();
    mp_listener_t *a = listen_at(NULL), *b = listen_at(NULL);
    CU_ASSERT_STRING_NOT_EQUAL(mp_listener_address(a), mp_listener_address(b));
    mp_conn_t *to_a = connect_to(a), *to_b = connect_to(b);
    EXPECT_OK(mp_conn_send(to_a, 1));
    EXPECT_OK(mp_conn_send(to_b, 2));
    mp_conn_t *from_a = accept_one(a), *from_b = accept_one(b);
    expect_int(from_a, 1);
    expect_int(from_b, 2);
    EXPECT_OK(mp_conn_close(to_a));
    EXPECT_OK(mp_conn_close(to_b));
    expect_end(from_a);
    expect_end(from_b);
    EXPECT_OK(mp_listener_close(a));
    EXPECT_OK(mp_listener_close(b));
}

/* B13 */
MP_CASE(an_address_has_one_listener)
{
    char address[ADDRESS_SIZE], whole[ADDRESS_SIZE];
    mp_listener_t *second;
    mp_conn_t *conn;
    use_listeners();
    mp_listener_t *listener = listen_at(given_address(address));
    snprintf(whole, sizeof whole, "%s", mp_listener_address(listener));
    CU_ASSERT_PTR_NOT_NULL(strstr(whole, address));
    EXPECT_STATUS(mp_listener_create(&second, address), MP_EXISTS);
    CU_ASSERT_PTR_NULL(second);
    EXPECT_STATUS(mp_listener_create(&second, whole), MP_EXISTS);
    EXPECT_STATUS(mp_listener_accept(listener, &conn, 0), MP_TIMEOUT); /* the attempts were no visits */
    conn = connect_to(listener);
    EXPECT_OK(mp_conn_close(conn));
    expect_end(accept_one(listener));
    EXPECT_OK(mp_listener_close(listener));
    EXPECT_STATUS(mp_connect(&conn, whole, 0), MP_NOT_FOUND);
    listener = listen_at(address);
    EXPECT_OK(mp_conn_close(connect_to(listener)));
    EXPECT_OK(mp_listener_close(listener));
}

MP_CASE(where_nobody_listens_connecting_fails_at_once)
{
    char address[ADDRESS_SIZE];
    mp_conn_t *conn = (mp_conn_t *)(void *)address;
    use_listeners();
    double began = mp_now();
    EXPECT_STATUS(mp_connect(&conn, given_address(address), MP_FOREVER), MP_NOT_FOUND);
    EXPECT_WITHIN(began, 1);
    CU_ASSERT_PTR_NULL(conn);
}

/* B13 */
MP_CASE(who_wrote_and_left_is_accepted)
{
    use_listeners();
    mp_listener_t *listener = listen_at(NULL);
    mp_conn_t *conn = connect_to(listener);
    EXPECT_OK(mp_conn_send(conn, 1));
    EXPECT_OK(mp_conn_send(conn, 2));
    EXPECT_OK(mp_conn_close(conn));
    conn = accept_one(listener);
    expect_int(conn, 1);
    expect_int(conn, 2);
    expect_end(conn);
    EXPECT_OK(mp_listener_close(listener));
}

/* ---- errors ---- */

MP_CASE(nothing_is_no_listener)
{
    char address[2000] = "", place = 0;
    mp_listener_t *listener = (mp_listener_t *)(void *)&place;
    mp_conn_t *conn;
    use_listeners();
    EXPECT_STATUS(mp_listener_create(NULL, NULL), MP_INVALID);
    EXPECT_STATUS(mp_listener_create(&listener, ""), MP_INVALID);
    CU_ASSERT_PTR_NULL(listener);
    EXPECT_STATUS(mp_listener_accept(NULL, &conn, 0), MP_INVALID);
    EXPECT_STATUS(mp_connect(NULL, "x", 0), MP_INVALID);
    EXPECT_STATUS(mp_connect(&conn, NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_connect(&conn, "", 0), MP_INVALID);
    EXPECT_STATUS(mp_connect(&conn, "x", (double)NAN), MP_INVALID);
    EXPECT_OK(mp_listener_close(NULL));
    CU_ASSERT_PTR_NULL(mp_listener_address(NULL));
    memset(address, 'x', sizeof address - 1);
    EXPECT_STATUS(mp_listener_create(&listener, address), MP_TOO_LARGE);
    EXPECT_STATUS(mp_connect(&conn, address, 0), MP_TOO_LARGE);
    listener = listen_at(NULL);
    EXPECT_STATUS(mp_listener_accept(listener, NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_listener_accept(listener, &conn, (double)NAN), MP_INVALID);
    EXPECT_STATUS(mp_conn_close((mp_conn_t *)(void *)listener), MP_INVALID);
    EXPECT_OK(mp_listener_close(listener));
}

MP_CASE(accept_keeps_its_time)
{
    mp_conn_t *conn = (mp_conn_t *)(void *)&conn;
    use_listeners();
    mp_listener_t *listener = listen_at(NULL);
    double began = mp_now();
    EXPECT_STATUS(mp_listener_accept(listener, &conn, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_listener_accept(listener, &conn, -1), MP_TIMEOUT);
    EXPECT_WITHIN(began, 0.2);
    CU_ASSERT_PTR_NULL(conn);
    began = mp_now();
    EXPECT_STATUS(mp_listener_accept(listener, &conn, 0.2), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.2);
    EXPECT_OK(mp_listener_close(listener));
}

MP_CASE(a_closed_listener_is_closed)
{
    mp_conn_t *conn;
    use_listeners();
    mp_listener_t *listener = listen_at(NULL);
    EXPECT_OK(mp_listener_close(listener));
    EXPECT_STATUS(mp_listener_accept(listener, &conn, MP_FOREVER), MP_CLOSED);
    CU_ASSERT_PTR_NULL(mp_listener_address(listener));
    EXPECT_OK(mp_listener_close(listener));
}

/* Who has come and was not accepted. */
MP_CASE(a_close_ends_who_waits_to_be_accepted)
{
    use_listeners();
    mp_listener_t *listener = listen_at(NULL);
    mp_conn_t *conn = connect_to(listener);
    EXPECT_OK(mp_listener_close(listener));
    expect_end(conn);
}

static void connect_now(void *context)
{
    void **parcel = context;
    mp_conn_t *conn;
    MP_CHECK(mp_connect(&conn, parcel[0], mp_test_patience()) == MP_OK);
    parcel[1] = conn;
}

/* As many as there is room for, and one more, who waits. */
MP_CASE(where_many_wait_connecting_waits)
{
    mp_conn_t *conn;
    mp_status_t status = MP_OK;
    mp_test_thread_t thread;
    int room = 0;
    use_listeners();
    mp_listener_t *listener = listen_at(NULL);
    for (; status == MP_OK && room < 100000; room++) {
        status = mp_connect(&conn, mp_listener_address(listener), 0);
        EXPECT_OK(mp_conn_close(conn));
    }
    CU_ASSERT_EQUAL(status, MP_TIMEOUT);
    double began = mp_now();
    EXPECT_STATUS(mp_connect(&conn, mp_listener_address(listener), 0.1), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.1);
    void *parcel[] = {(void *)(uintptr_t)mp_listener_address(listener), NULL};
    mp_test_thread_start(&thread, connect_now, parcel);
    for (int i = 0; i < room - 1; i++)
        expect_end(accept_one(listener));
    mp_test_thread_join(&thread);
    conn = accept_one(listener);
    EXPECT_OK(mp_conn_send(parcel[1], 5));
    expect_int(conn, 5);
    EXPECT_OK(mp_conn_close(parcel[1]));
    expect_end(conn);
    EXPECT_OK(mp_listener_close(listener));
}

MP_CASE(without_descriptors_who_came_stays)
{
    mp_listener_t *second;
    mp_conn_t *conn;
    use_listeners();
    if (!mp_test_limit_handles(0))
        mp_skip("this system has no limit of handles");
    mp_test_lift_limits();
    mp_test_baseline(); /* with what the limit has filled up */
    mp_listener_t *listener = listen_at(NULL);
    mp_conn_t *client = connect_to(listener);
    EXPECT_OK(mp_conn_send(client, 3));
    CU_ASSERT(mp_test_limit_handles(0));
    double began = mp_now();
    EXPECT_STATUS(mp_listener_accept(listener, &conn, MP_FOREVER), MP_LIMIT);
    EXPECT_STATUS(mp_listener_accept(listener, &conn, MP_FOREVER), MP_LIMIT);
    EXPECT_STATUS(mp_connect(&conn, mp_listener_address(listener), MP_FOREVER), MP_LIMIT);
    EXPECT_STATUS(mp_listener_create(&second, NULL), MP_LIMIT);
    EXPECT_WITHIN(began, 1);
    mp_test_lift_limits();
    conn = accept_one(listener);
    expect_int(conn, 3);
    EXPECT_OK(mp_conn_close(client));
    expect_end(conn);
    EXPECT_OK(mp_listener_close(listener));
}

/* ---- threads ---- */

#define ACCEPTERS 3
#define VISITS    60

static mp_listener_t *shared_listener;
static uint32_t begun, seen[VISITS];

static void accept_all(void *unused)
{
    mp_conn_t *conn;
    mp_status_t status;
    (void)unused;
    mp__add32(&begun, 1);
    while ((status = mp_listener_accept(shared_listener, &conn, MP_FOREVER)) == MP_OK) {
        mp_value_t value;
        MP_CHECK(mp_conn_recv(conn, &value) == MP_OK);
        mp__add32(&seen[mp_value_int(value)], 1);
        MP_CHECK(mp_conn_send(conn, value) == MP_OK);
        MP_CHECK(mp_conn_close(conn) == MP_OK);
    }
    MP_CHECK(status == MP_CLOSED);
}

MP_CASE(threads_accept_and_a_close_ends_their_waits)
{
    mp_test_thread_t threads[ACCEPTERS];
    use_listeners();
    shared_listener = listen_at(NULL);
    for (int i = 0; i < ACCEPTERS; i++)
        mp_test_thread_start(&threads[i], accept_all, NULL);
    for (int i = 0; i < VISITS; i++) {
        mp_conn_t *conn = connect_to(shared_listener);
        EXPECT_OK(mp_conn_send(conn, i));
        expect_int(conn, i);
        expect_end(conn);
    }
    while (mp__load32(&begun) < ACCEPTERS)
        mp__os_yield();
    EXPECT_OK(mp_listener_close(shared_listener));
    for (int i = 0; i < ACCEPTERS; i++)
        mp_test_thread_join(&threads[i]);
    for (int i = 0; i < VISITS; i++)
        CU_ASSERT_EQUAL(seen[i], 1);
}

/* The thread that began to listen ends; that is no end of listening. */
static void listen_here(void *unused)
{
    (void)unused;
    MP_CHECK(mp_listener_create(&shared_listener, NULL) == MP_OK);
}

MP_CASE(a_listener_outlives_its_thread)
{
    mp_test_thread_t thread;
    mp_conn_t *conn;
    use_listeners();
    mp_test_thread_start(&thread, listen_here, NULL);
    mp_test_thread_join(&thread);
    EXPECT_STATUS(mp_listener_accept(shared_listener, &conn, 0), MP_TIMEOUT);
    conn = connect_to(shared_listener);
    EXPECT_OK(mp_conn_close(conn));
    expect_end(accept_one(shared_listener));
    EXPECT_OK(mp_listener_close(shared_listener));
}

MP_CASE(mp_wait_tells_who_came)
{
    mp_test_thread_t thread;
    mp_queue_t *queue;
    mp_conn_t *conn;
    bool ready[2] = {true, true};
    use_listeners();
    mp_listener_t *listener = listen_at(NULL);
    REQUIRE_OK(mp_queue_create(&queue, 0));
    mp_value_t alone = mp_of(listener), both[] = {mp_of(queue), mp_of(listener)};
    EXPECT_STATUS(mp_wait(&alone, 1, ready, 0), MP_TIMEOUT);
    for (int i = 0; i < 3; i++) {
        void *parcel[] = {(void *)(uintptr_t)mp_listener_address(listener), NULL};
        mp_test_thread_start(&thread, connect_now, parcel);
        EXPECT_OK(mp_wait(&alone, 1, ready, mp_test_patience()));
        CU_ASSERT(ready[0]);
        mp_test_thread_join(&thread);
        conn = accept_one(listener);
        EXPECT_STATUS(mp_wait(&alone, 1, ready, 0), MP_TIMEOUT);
        EXPECT_OK(mp_conn_close(parcel[1]));
        expect_end(conn);
    }
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    EXPECT_OK(mp_wait(both, 2, ready, 0));
    CU_ASSERT(ready[0] && !ready[1]);
    EXPECT_STATUS(mp_queue_put(queue, alone, 0), MP_NOT_SENDABLE);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_listener_close(listener));
    EXPECT_STATUS(mp_wait(&alone, 1, ready, 0), MP_CLOSED);
}

/* ---- programs that are no family ---- */

static void start_stranger(mp_test_child_t *child, const char *program, const char *address)
{
    const char *const words[] = {address, NULL};
    mp_test_start(child, program, NULL, 0, words);
}

/* Sends a connection and uses one that it gets; what its family shares is not for others. */
MP_PROGRAM(stranger)
{
    mp_conn_t *conn, *mine, *theirs;
    mp_queue_t *queue;
    mp_lock_t *lock;
    mp_value_t value;
    mp__os_handle_t talk = mp_test_talk();
    MP_CHECK(mp_connect(&conn, mp_test_word(0), mp_test_patience()) == MP_OK);
    MP_CHECK(mp_queue_create(&queue, 0) == MP_OK);
    MP_CHECK(mp_lock_create(&lock) == MP_OK);
    MP_CHECK(mp_pipe(&mine, &theirs, MP_DUPLEX) == MP_OK);
    MP_CHECK(mp_conn_send(conn, mp_list(1, queue)) == MP_OK);
    MP_CHECK(mp_conn_send(conn, lock) == MP_OK);
    MP_CHECK(mp_conn_send(conn, mp_dict("conn", theirs)) == MP_OK);
    MP_CHECK(mp_conn_close(theirs) == MP_OK);
    MP_CHECK(mp_conn_recv(mine, &value) == MP_OK && mp_value_int(value) == 11);
    MP_CHECK(mp_conn_recv(conn, &value) == MP_OK);
    MP_CHECK(mp_conn_send(mp_value_conn(value), 12) == MP_OK);
    mp_value_free(&value);
    MP_CHECK(mp_conn_recv(conn, &value) == MP_FOREIGN);
    MP_CHECK(mp_test_tell(talk, '.') && mp_test_hear(talk, '.'));
    MP_CHECK(mp_conn_close(conn) == MP_OK && mp_conn_close(mine) == MP_OK);
    MP_CHECK(mp_queue_close(queue) == MP_OK && mp_lock_close(lock) == MP_OK);
    return 0;
}

MP_CASE(what_strangers_send_each_other)
{
    mp_test_child_t child;
    mp_conn_t *mine, *theirs;
    mp_queue_t *queue;
    mp_value_t value;
    use_listeners();
    mp_listener_t *listener = listen_at(NULL);
    REQUIRE_OK(mp_queue_create(&queue, 0));
    start_stranger(&child, "stranger", mp_listener_address(listener));
    mp_conn_t *conn = accept_one(listener);
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_FOREIGN);
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_FOREIGN);
    REQUIRE_OK(mp_conn_recv(conn, &value));
    EXPECT_OK(mp_conn_send(mp_value_conn(mp_value_get(value, "conn")), 11));
    mp_value_free(&value);
    REQUIRE_OK(mp_pipe(&mine, &theirs, MP_DUPLEX));
    EXPECT_OK(mp_conn_send(conn, theirs));
    EXPECT_OK(mp_conn_close(theirs));
    expect_int(mine, 12);
    expect_end(mine);
    EXPECT_OK(mp_conn_send(conn, queue));
    CU_ASSERT(mp_test_hear(child.talk, '.') && mp_test_tell(child.talk, '.'));
    expect_end(conn);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_listener_close(listener));
}

/* Listens where it was told, or anywhere, and says where; then it ends without a close. */
MP_PROGRAM(listens)
{
    mp_listener_t *listener;
    mp__os_handle_t talk = mp_test_talk();
    const char *address = mp_test_word(0);
    MP_CHECK(mp_listener_create(&listener, address[0] ? address : NULL) == MP_OK);
    address = mp_listener_address(listener);
    uint64_t size = strlen(address) + 1;
    MP_CHECK(mp__os_channel_write(talk, &size, sizeof size) == MP_OK);
    MP_CHECK(mp__os_channel_write(talk, address, (size_t)size) == MP_OK);
    mp_test_hear(talk, '.');
    return 0;
}

static void start_listening(mp_test_child_t *child, const char *where, char address[ADDRESS_SIZE])
{
    uint64_t size;
    start_stranger(child, "listens", where);
    REQUIRE_OK(mp__os_channel_read(child->talk, &size, sizeof size));
    REQUIRE_OK(mp__os_channel_read(child->talk, address, (size_t)(size < ADDRESS_SIZE ? size : ADDRESS_SIZE)));
}

/* Its address is taken while it lives; when it was killed, the next one has it. Of an address of its own choice nothing
 * is left then: the leak check would see it. */
MP_CASE(a_killed_listener_leaves_its_address_to_the_next)
{
    char address[ADDRESS_SIZE], found[ADDRESS_SIZE];
    mp_listener_t *listener;
    mp_test_child_t child, other;
    mp_conn_t *conn;
    use_listeners();
    start_listening(&child, given_address(address), found);
    start_listening(&other, "", found);
    EXPECT_STATUS(mp_listener_create(&listener, address), MP_EXISTS);
    REQUIRE_OK(mp_connect(&conn, address, 0));
    mp_test_kill(&child);
    expect_end(conn);
    REQUIRE_OK(mp_connect(&conn, found, 0));
    mp_test_kill(&other);
    expect_end(conn);
    EXPECT_STATUS(mp_connect(&conn, address, 0), MP_NOT_FOUND);
    EXPECT_STATUS(mp_connect(&conn, found, 0), MP_NOT_FOUND);
    listener = listen_at(address);
    EXPECT_OK(mp_conn_close(connect_to(listener)));
    expect_end(accept_one(listener));
    EXPECT_OK(mp_listener_close(listener));
    EXPECT_OK(mp_listener_close(listen_at(NULL)));
}

/* Several who find a dead one's address at the same time: one has it. */
static uint32_t ready_threads, winners;

static void rush(void *context)
{
    void **parcel = context;
    mp_listener_t *listener;
    mp__add32(&ready_threads, 1);
    while (mp__load32(&ready_threads) < 3)
        mp__os_yield();
    mp_status_t status = mp_listener_create(&listener, parcel[0]);
    MP_CHECK(status == MP_OK || status == MP_EXISTS);
    if (status == MP_OK) {
        mp__add32(&winners, 1);
        parcel[1] = listener;
    }
}

MP_CASE(a_dead_ones_address_has_one_heir)
{
    char address[ADDRESS_SIZE], found[ADDRESS_SIZE];
    use_listeners();
    for (int i = 0; i < 5; i++) {
        mp_test_child_t child;
        mp_test_thread_t threads[3];
        void *parcel[] = {address, NULL};
        ready_threads = winners = 0;
        start_listening(&child, given_address(address), found);
        mp_test_kill(&child);
        for (int t = 0; t < 3; t++)
            mp_test_thread_start(&threads[t], rush, parcel);
        for (int t = 0; t < 3; t++)
            mp_test_thread_join(&threads[t]);
        if (mp_test_emulator() && !winners) /* Wine may refuse all of them */
            continue;
        CU_ASSERT_EQUAL_FATAL(winners, 1);
        EXPECT_OK(mp_conn_close(connect_to(parcel[1])));
        EXPECT_OK(mp_listener_close(parcel[1]));
    }
}

/* Files that stay are found by the leak check. */
MP_CASE(who_ends_in_order_leaves_no_address)
{
    char address[ADDRESS_SIZE], found[ADDRESS_SIZE];
    use_listeners();
    for (int own = 0; own < 2; own++) {
        mp_test_child_t child;
        mp_conn_t *conn;
        start_listening(&child, own ? "" : given_address(address), found);
        CU_ASSERT(mp_test_tell(child.talk, '.'));
        CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
        EXPECT_STATUS(mp_connect(&conn, found, 0), MP_NOT_FOUND);
    }
}

/* ---- children ---- */

static mp_status_t hold_nothing(mp_call_t *call)
{
    mp_conn_t *conn;
    mp_value_t value;
    if (shared_listener && strcmp(mp_arg_str(call, 1), "fork") == 0) {
        MP_CHECK(mp_listener_accept(shared_listener, &conn, MP_FOREVER) == MP_CLOSED);
        MP_CHECK(mp_listener_close(shared_listener) == MP_OK);
    }
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), 1) == MP_OK);
    MP_CHECK(mp_conn_recv(mp_arg_conn(call, 0), &value) == MP_END);
    return MP_OK;
}

static void expect_nothing_held(void)
{
    mp_process_t *process;
    mp_conn_t *mine, *theirs;
    shared_listener = listen_at(NULL);
    REQUIRE_OK(mp_pipe(&mine, &theirs, MP_DUPLEX));
    mp_conn_t *conn = connect_to(shared_listener);
    REQUIRE_OK(mp_process_start(&process, hold_nothing, mp_args(theirs, mp_get_start_method())));
    EXPECT_OK(mp_conn_close(theirs));
    expect_int(mine, 1);
    CU_ASSERT_PTR_NOT_NULL(mp_listener_address(shared_listener));
    EXPECT_OK(mp_conn_close(conn));
    expect_end(accept_one(shared_listener));
    conn = connect_to(shared_listener);
    EXPECT_OK(mp_listener_close(shared_listener));
    EXPECT_OK(mp_conn_poll(conn, mp_test_patience())); /* its end, unless the child has a copy of the socket */
    expect_end(conn);
    EXPECT_OK(mp_conn_close(mine));
    mp_test_expect_end(process, 0);
}

MP_CASE(children_hold_nothing_of_a_listener)
{
    use_listeners();
    mp_test_each_method(expect_nothing_held);
}

/* ---- hostile bytes ---- */

MP_CASE(garbage_from_a_visitor_is_told)
{
    uint64_t random = 5;
    use_listeners();
    mp_listener_t *listener = listen_at(NULL);
    for (int i = 0; i < 200; i++) {
        uint8_t bytes[64];
        mp__os_handle_t raw;
        mp_value_t value;
        size_t size = 1 + (size_t)mp_test_below(&random, sizeof bytes);
        for (size_t at = 0; at < size; at++)
            bytes[at] = (uint8_t)mp_test_random(&random);
        REQUIRE_OK(mp__os_connect(mp_listener_address(listener), &raw));
        REQUIRE_OK(mp__os_channel_write(raw, bytes, size));
        mp__os_handle_close(raw);
        mp_conn_t *conn = accept_one(listener);
        EXPECT_STATUS(mp_conn_recv(conn, &value), size < 16 ? MP_TRUNCATED : MP_MALFORMED);
        EXPECT_OK(mp_conn_close(conn));
    }
    EXPECT_OK(mp_listener_close(listener));
}

MP_GUARDED_CASES(MP_ROW(a_child_connects), MP_ROW(addresses_of_its_own_choice_differ),
                 MP_ROW(an_address_has_one_listener), MP_ROW(where_nobody_listens_connecting_fails_at_once),
                 MP_ROW(who_wrote_and_left_is_accepted), MP_ROW(nothing_is_no_listener), MP_ROW(accept_keeps_its_time),
                 MP_ROW(a_closed_listener_is_closed), MP_ROW(a_close_ends_who_waits_to_be_accepted),
                 MP_ROW(where_many_wait_connecting_waits), MP_ROW(without_descriptors_who_came_stays),
                 MP_ROW(threads_accept_and_a_close_ends_their_waits), MP_ROW(a_listener_outlives_its_thread),
                 MP_ROW(mp_wait_tells_who_came), MP_ROW(what_strangers_send_each_other),
                 MP_ROW(a_killed_listener_leaves_its_address_to_the_next), MP_ROW(a_dead_ones_address_has_one_heir),
                 MP_ROW(who_ends_in_order_leaves_no_address), MP_ROW(children_hold_nothing_of_a_listener),
                 MP_ROW(garbage_from_a_visitor_is_told), MP_SUB(stranger), MP_SUB(listens));
