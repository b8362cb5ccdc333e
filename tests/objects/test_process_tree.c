/* Ending children with all that they started, and asking them to end. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include <signal.h>
#include <string.h>

/* A program that is no member of the family: it holds a connection open until it ends. */
MP_PROGRAM(stays)
{
    (void)mp_test_handle(0);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'r'));
    mp__os_sleep(MP__NEVER);
    return 0;
}

/* Starts such a program, and such a child, and stays. Argument 0: a connection; who holds it lives. */
static mp_status_t start_others(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    mp_process_t *process;
    if (mp_arg_int(call, 1) > 0) {
        MP_CHECK(mp_process_start(&process, start_others, mp_args(conn, mp_arg_int(call, 1) - 1)) == MP_OK);
    } else {
        MP_CHECK(mp_conn_send(conn, 1) == MP_OK);
    }
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_status_t start_foreign(mp_call_t *call)
{
    mp_test_child_t child;
    mp__os_handle_t end = mp_arg_descriptor(call, 1);
    mp_test_start(&child, "stays", &end, 1, NULL);
    MP_CHECK(mp_test_hear(child.talk, 'r'));
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), 1) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_process_t *start_with(mp_function_t function, mp_args_t args, const mp_process_options_t *options,
                                mp_conn_t *conn)
{
    mp_process_t *process = NULL;
    mp_value_t value;
    REQUIRE_OK(mp_process_start_with(&process, function, args, options));
    if (conn)
        REQUIRE_OK(mp_conn_recv(conn, &value));
    return process;
}

/* ---- trees ---- */

static void expect_generations_end(void)
{
    mp_conn_t *conn, *theirs;
    mp_value_t value;
    mp_process_options_t options = {.group = true};
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    mp_process_t *process = NULL;
    REQUIRE_OK(mp_process_start_with(&process, start_others, mp_args(theirs, 2), &options));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &value));
    EXPECT_STATUS(mp_conn_poll(conn, 0), MP_TIMEOUT);
    EXPECT_OK(mp_process_kill_tree(process));
    EXPECT_OK(mp_conn_poll(conn, mp_test_patience()));
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_kill_tree(process));
    mp_test_expect_end(process, -9);
}

MP_CASE(a_tree_ends_with_all_its_generations)
{
    mp_test_objects();
    mp_test_each_method(expect_generations_end);
}

/* What the child started is a program without a lifeline. */
static void expect_foreign_ends(bool group)
{
    mp_conn_t *conn, *theirs;
    mp__os_handle_t ends[2];
    mp_process_options_t options = {.group = group};
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp__os_channel_create(true, ends));
    mp_process_t *process = start_with(start_foreign, mp_args(theirs, mp_descriptor(ends[1])), &options, conn);
    EXPECT_OK(mp_conn_close(theirs));
    mp__os_handle_close(ends[1]);
    EXPECT_STATUS(mp__os_channel_poll(ends[0], 0), MP_TIMEOUT);
    EXPECT_OK(mp_process_kill_tree(process));
    char byte;
    EXPECT_OK(mp__os_channel_poll(ends[0], mp_test_deadline(MP_TEST_PATIENCE)));
    EXPECT_STATUS(mp__os_channel_read(ends[0], &byte, 1), MP_END);
    mp__os_handle_close(ends[0]);
    EXPECT_OK(mp_conn_close(conn));
    mp_test_expect_end(process, -9);
}

static void expect_foreign_group_ends(void)
{
    expect_foreign_ends(true);
}

MP_CASE(a_group_ends_with_programs_of_others)
{
    mp_test_objects();
    mp_test_each_method(expect_foreign_group_ends);
}

static void expect_foreign_tree_ends(void)
{
    expect_foreign_ends(false);
}

MP_CASE(a_tree_without_a_group_ends_where_the_system_lists_processes)
{
    mp_test_objects();
    if (!mp__os_caps()->lists_processes)
        mp_skip("this system lists no processes");
    mp_test_each_method(expect_foreign_tree_ends);
}

/* The killer stands outside: its own group lives. */
static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

static void expect_nothing_ended(void)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, nothing, mp_args()));
    EXPECT_OK(mp_process_kill_tree(process));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_close(process));
    EXPECT_STATUS(mp_process_kill_tree(NULL), MP_INVALID);
    EXPECT_STATUS(mp_process_kill_tree(mp_current_process()), MP_INVALID);
}

MP_CASE(a_tree_that_has_ended_takes_nobody_along)
{
    mp_test_objects();
    mp_test_each_method(expect_nothing_ended);
}

/* ---- asking ---- */

static volatile sig_atomic_t asked;

static void on_terminate(int number)
{
    (void)number;
    asked = 1;
}

/* Argument 1: what it does when it is asked. */
static mp_status_t wait_to_be_asked(mp_call_t *call)
{
    const char *how = mp_arg_str(call, 1);
    signal(SIGTERM, strcmp(how, "end") == 0 ? SIG_DFL : strcmp(how, "ignore") == 0 ? SIG_IGN : on_terminate);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), 1) == MP_OK);
    while (!asked)
        mp_sleep(0.005);
    return mp_exit(call, 5);
}

static mp_process_t *start_asked(const char *how)
{
    mp_conn_t *conn, *theirs;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    mp_process_t *process = start_with(wait_to_be_asked, mp_args(theirs, how), NULL, conn);
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_close(conn));
    return process;
}

static void expect_stops(void)
{
    mp_process_t *process = start_asked("handle");
    EXPECT_OK(mp_process_stop(process, mp_test_patience()));
    EXPECT_OK(mp_process_stop(process, 0));
    mp_test_expect_end(process, 5);
    process = start_asked("end");
    EXPECT_OK(mp_process_stop(process, MP_FOREVER));
    mp_test_expect_end(process, -15);
    process = start_asked("ignore");
    double began = mp_now();
    EXPECT_OK(mp_process_stop(process, 0.2));
    CU_ASSERT(mp_now() - began >= 0.2);
    mp_test_expect_end(process, -9);
    process = start_asked("ignore");
    EXPECT_STATUS(mp_process_stop(process, (double)NAN), MP_INVALID);
    CU_ASSERT(mp_process_is_alive(process));
    EXPECT_OK(mp_process_stop(process, 0));
    mp_test_expect_end(process, -9);
}

MP_CASE(a_child_is_asked_and_then_ended)
{
    mp_test_objects();
    mp_test_each_method(expect_stops);
    EXPECT_STATUS(mp_process_stop(NULL, 1), MP_INVALID);
    EXPECT_STATUS(mp_process_stop(mp_current_process(), 1), MP_INVALID);
}

/* Asked before it can be. */
static void expect_early_stop(void)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start_begin(&process, start_others, mp_args(MP_NONE, 0), NULL));
    EXPECT_OK(mp_process_stop(process, mp_test_patience()));
    CU_ASSERT_FALSE(mp_process_is_alive(process));
    EXPECT_OK(mp_process_close(process));
}

MP_CASE(a_child_on_its_way_is_stopped)
{
    mp_test_objects();
    mp_test_each_method(expect_early_stop);
}

MP_GUARDED_CASES(MP_ROW(a_tree_ends_with_all_its_generations), MP_ROW(a_group_ends_with_programs_of_others),
                 MP_ROW(a_tree_without_a_group_ends_where_the_system_lists_processes),
                 MP_ROW(a_tree_that_has_ended_takes_nobody_along), MP_ROW(a_child_is_asked_and_then_ended),
                 MP_ROW(a_child_on_its_way_is_stopped), MP_SUB(stays));
