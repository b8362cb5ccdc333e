/* Who ends with its parent, whatever it does meanwhile, and who does not. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include <string.h>

/* ---- the end of a parent ---- */

/* The last generation: holds the connection until it ends. */
static mp_status_t live(mp_call_t *call)
{
    mp_value_t value;
    if (strcmp(mp_arg_str(call, 1), "busy") == 0) {
        MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), 1) == MP_OK);
        for (volatile unsigned i = 0;; i++)
            ;
    }
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), 1) == MP_OK);
    return mp_conn_recv(mp_arg_conn(call, 0), &value) == MP_END ? MP_OK : MP_FAILED; /* all of them keep it open */
}

/* Starts the generations below; of one that is to be stopped its parent sees to it. Then it stays. */
static mp_status_t bring_up(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0), *mine, *theirs;
    const char *how = mp_arg_str(call, 1);
    int64_t below = mp_arg_int(call, 2);
    mp_process_t *process;
    mp_value_t value;
    if (below > 1) {
        MP_CHECK(mp_process_start(&process, bring_up, mp_args(conn, how, below - 1)) == MP_OK);
        mp_sleep(MP_FOREVER);
    }
    MP_CHECK(mp_pipe(&mine, &theirs, MP_DUPLEX) == MP_OK);
    MP_CHECK(mp_process_start(&process, live, mp_args(theirs, how, conn)) == MP_OK);
    MP_CHECK(mp_conn_recv(mine, &value) == MP_OK);
    if (strcmp(how, "stopped") == 0)
        MP_CHECK(mp_test_pause(mp_process_pid(process)));
    MP_CHECK(mp_conn_send(conn, mp_process_pid(process)) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

/* The first one below this process is killed. */
static void expect_end_of(const char *how, int generations)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t pid, value;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, bring_up, mp_args(theirs, how, generations)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &pid));
    EXPECT_STATUS(mp_conn_poll(conn, 0), MP_TIMEOUT);
    mp_test_expect_killed(process);
    if (strcmp(how, "stopped") == 0 && !mp__os_caps()->ends_stopped)
        CU_ASSERT(mp_test_resume((int32_t)mp_value_int(pid)));
    EXPECT_OK(mp_conn_poll(conn, mp_test_seconds(5)));
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    EXPECT_OK(mp_conn_close(conn));
}

static void expect_end_of_sleeping(void)
{
    expect_end_of("asleep", 1);
    expect_end_of("asleep", 2);
}

MP_CASE(a_child_ends_when_its_parent_or_grandparent_is_killed)
{
    mp_test_objects();
    mp_test_each_method(expect_end_of_sleeping);
}

static void expect_end_of_busy(void)
{
    expect_end_of("busy", 1);
    expect_end_of("busy", 2);
}

MP_CASE(a_child_in_a_busy_loop_ends_with_them)
{
    mp_test_objects();
    mp_test_each_method(expect_end_of_busy);
}

static void expect_end_of_stopped(void)
{
    expect_end_of("stopped", 1);
    expect_end_of("stopped", 2);
}

MP_CASE(a_child_that_is_stopped_ends_with_them)
{
    mp_test_objects();
    mp_test_each_method(expect_end_of_stopped);
}

/* ---- the end of a thread ---- */

typedef struct started {
    mp_process_t *process;
    mp_conn_t *theirs;
} started_t;

static mp_status_t echo_until_end(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    mp_value_t value;
    mp_status_t status;
    while ((status = mp_conn_recv(conn, &value)) == MP_OK) {
        status = mp__conn_send(conn, value);
        mp_value_free(&value);
    }
    return mp_exit(call, status == MP_END ? 4 : 5);
}

static void start_it(void *context)
{
    started_t *started = context;
    mp_process_options_t options = {.fork_with_threads = true}; /* the thread that waits for this one */
    MP_CHECK(mp_process_start_with(&started->process, echo_until_end, mp_args(started->theirs), &options) == MP_OK);
}

static void expect_echo(mp_conn_t *conn)
{
    mp_value_t value;
    EXPECT_OK(mp_conn_send(conn, 42));
    EXPECT_OK(mp_conn_poll(conn, mp_test_patience()));
    EXPECT_OK(mp_conn_recv(conn, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), 42);
}

static void expect_life_without_thread(void)
{
    mp_conn_t *conn;
    started_t started;
    mp_test_thread_t thread;
    REQUIRE_OK(mp_pipe(&conn, &started.theirs, MP_DUPLEX));
    mp_test_thread_start(&thread, start_it, &started);
    mp_test_thread_join(&thread);
    EXPECT_OK(mp_conn_close(started.theirs));
    expect_echo(conn);
    EXPECT_STATUS(mp_process_join(started.process, 0.2), MP_TIMEOUT);
    expect_echo(conn);
    EXPECT_OK(mp_conn_close(conn));
    mp_test_expect_end(started.process, 4);
}

MP_CASE(a_child_outlives_the_thread_that_started_it)
{
    mp_test_objects();
    mp_test_each_method(expect_life_without_thread);
}

/* ---- detached ---- */

/* Starts a detached one and stays, or ends at once. */
static mp_status_t start_detached(mp_call_t *call)
{
    mp_process_options_t options = {.detach = true};
    MP_CHECK(mp_process_start_with(NULL, echo_until_end, mp_args(mp_arg_conn(call, 0)), &options) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
    if (mp_arg_bool(call, 2))
        mp_sleep(MP_FOREVER);
    return MP_OK;
}

static void expect_outlives(bool killed)
{
    mp_conn_t *conn, *theirs, *report, *reporting;
    mp_process_t *process;
    mp_value_t value;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_pipe(&report, &reporting, MP_ONE_WAY));
    REQUIRE_OK(mp_process_start(&process, start_detached, mp_args(theirs, reporting, mp_bool(killed))));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_close(reporting));
    REQUIRE_OK(mp_conn_recv(report, &value));
    if (killed)
        EXPECT_OK(mp_process_kill(process));
    mp_test_expect_end(process, killed ? -9 : 0);
    expect_echo(conn);
    EXPECT_STATUS(mp_conn_poll(conn, 0.2), MP_TIMEOUT);
    expect_echo(conn);
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_conn_close(report));
}

static void expect_outlives_both(void)
{
    expect_outlives(true);
    expect_outlives(false);
}

MP_CASE(a_detached_child_outlives_its_parent)
{
    mp_test_objects();
    mp_test_each_method(expect_outlives_both);
}

/* It is a child all the same. */
static void expect_detached_child(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_process_options_t options = {.detach = true};
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start_with(&process, echo_until_end, mp_args(theirs), &options));
    EXPECT_OK(mp_conn_close(theirs));
    expect_echo(conn);
    CU_ASSERT(mp_process_is_alive(process));
    EXPECT_OK(mp_conn_close(conn));
    mp_test_expect_end(process, 4);
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start_with(&process, echo_until_end, mp_args(theirs), &options));
    EXPECT_OK(mp_process_stop(process, mp_test_patience()));
    mp_test_expect_end(process, -15);
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_conn_close(theirs));
}

MP_CASE(a_detached_child_is_joined_and_stopped)
{
    mp_test_objects();
    mp_test_each_method(expect_detached_child);
}

MP_GUARDED_CASES(MP_ROW(a_child_ends_when_its_parent_or_grandparent_is_killed),
                 MP_ROW(a_child_in_a_busy_loop_ends_with_them), MP_ROW(a_child_that_is_stopped_ends_with_them),
                 MP_ROW(a_child_outlives_the_thread_that_started_it), MP_ROW(a_detached_child_outlives_its_parent),
                 MP_ROW(a_detached_child_is_joined_and_stopped));
