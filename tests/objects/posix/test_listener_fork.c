/* Listeners and forks by the program itself: the new process holds nothing of them, and harms nothing. */
#include "../scene.h"
#include "child.h"
#include "system.h"

#include "core/atomic.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static mp_listener_t *listener;
static uint32_t begun;

static void begin(void)
{
    mp_test_objects();
    REQUIRE_OK(mp_listener_create(&listener, NULL));
    EXPECT_OK(mp_listener_close(listener));
    mp_test_baseline();
    REQUIRE_OK(mp_listener_create(&listener, NULL));
}

/* In a fork's child, to its end. */
static void expect_done(void (*run)(void))
{
    int result = -1;
    pid_t pid = fork();
    if (pid == 0) {
        run();
        _exit(0);
    }
    CU_ASSERT_EQUAL(waitpid(pid, &result, 0), pid);
    CU_ASSERT_EQUAL(result, 0);
}

/* For the child it is a closed one. */
static void close_it(void)
{
    mp_conn_t *conn;
    MP_CHECK(mp_listener_address(listener) == NULL);
    MP_CHECK(mp_listener_accept(listener, &conn, MP_FOREVER) == MP_CLOSED);
    MP_CHECK(mp_listener_close(listener) == MP_OK);
}

static void expect_time(void *unused)
{
    mp_conn_t *conn;
    (void)unused;
    mp__add32(&begun, 1);
    MP_CHECK(mp_listener_accept(listener, &conn, 0.5) == MP_TIMEOUT);
}

/* Its close wakes nobody in the parent, whose wait costs nothing and ends in time. */
MP_CASE(a_close_in_a_forks_child_is_the_childs)
{
    mp_test_thread_t thread;
    mp_conn_t *conn;
    begin();
    double start = mp_now(), used = mp_test_processor_time();
    mp_test_thread_start(&thread, expect_time, NULL);
    while (!mp__load32(&begun))
        mp__os_yield();
    expect_done(close_it);
    mp_test_thread_join(&thread);
    EXPECT_WITHIN(start, 5);
    CU_ASSERT(mp_test_processor_time() - used < 0.2);
    REQUIRE_OK(mp_connect(&conn, mp_listener_address(listener), 0));
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_listener_close(listener));
}

/* The socket is gone with the parent's, though the child lives. */
MP_CASE(a_forks_child_holds_no_socket)
{
    mp_conn_t *conn;
    mp_value_t value;
    begin();
    REQUIRE_OK(mp_connect(&conn, mp_listener_address(listener), 0));
    pid_t pid = fork();
    while (pid == 0)
        pause();
    EXPECT_OK(mp_listener_close(listener));
    bool ended = mp_conn_poll(conn, mp_test_patience()) == MP_OK;
    CU_ASSERT(ended);
    if (ended)
        EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    EXPECT_OK(mp_conn_close(conn));
    kill(pid, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
}

/* It can have listeners of its own, at once. */
static void listen_anew(void)
{
    mp_listener_t *own;
    mp_conn_t *conn;
    MP_CHECK(mp_listener_create(&own, NULL) == MP_OK);
    MP_CHECK(mp_connect(&conn, mp_listener_address(own), 0) == MP_OK);
    MP_CHECK(mp_conn_close(conn) == MP_OK);
    MP_CHECK(mp_listener_close(own) == MP_OK);
}

MP_CASE(a_forks_child_listens_itself)
{
    begin();
    expect_done(listen_anew);
    EXPECT_OK(mp_listener_close(listener));
}

MP_GUARDED_CASES(MP_ROW(a_close_in_a_forks_child_is_the_childs), MP_ROW(a_forks_child_holds_no_socket),
                 MP_ROW(a_forks_child_listens_itself));
