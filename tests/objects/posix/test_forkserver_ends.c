/* The ends of the fork server's children: while it is stopped, and when their parents are gone. */
#include "../scene.h"
#include "child.h"
#include "system.h"

#include "objects/process.h"

#include <signal.h>
#include <unistd.h>

#define CHILDREN 4

static void use_server(void)
{
    mp_test_objects();
    mp_test_settle = mp_test_end_servers;
    REQUIRE_OK(mp_set_start_method("forkserver", true));
}

static mp_status_t stay(mp_call_t *call)
{
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), (int)getppid()) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_process_t *start_staying(pid_t *server)
{
    mp_process_t *process;
    mp_conn_t *conn, *theirs;
    mp_value_t value;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_ONE_WAY));
    REQUIRE_OK(mp_process_start(&process, stay, mp_args(theirs)));
    REQUIRE_OK(mp_conn_recv(conn, &value));
    *server = (pid_t)mp_value_int(value);
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_close(conn));
    return process;
}

MP_CASE(a_stopped_server_does_not_hold_up_who_asks)
{
    mp_process_t *all[CHILDREN];
    pid_t server = 0;
    size_t count = CHILDREN;
    int code = 0;
    use_server();
    for (int i = 0; i < CHILDREN; i++)
        all[i] = start_staying(&server);
    CU_ASSERT_EQUAL(kill(server, SIGSTOP), 0);
    for (int i = 0; i < CHILDREN; i++) {
        bool ready;
        EXPECT_OK(mp_process_kill(all[i]));
        mp__os_handle_t sentinel = mp__process_sentinel(all[i]);
        EXPECT_OK(mp__os_wait_any(&sentinel, 1, MP__NEVER, &ready));
    }
    double began = mp_now();
    EXPECT_OK(mp_active_children(NULL, 0, &count));
    for (int i = 0; i < CHILDREN; i++)
        CU_ASSERT_FALSE(mp_process_is_alive(all[i]));
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT(mp_now() - began < mp_test_seconds(0.4)); /* the server's word on one is waited for longer */
    EXPECT_STATUS(mp_process_exitcode(all[0], &code), MP_DIED);
    CU_ASSERT(mp_now() - began < mp_test_seconds(4));
    CU_ASSERT_EQUAL(kill(server, SIGCONT), 0);
    for (int i = 0; i < CHILDREN; i++) {
        EXPECT_OK(mp_process_join(all[i], mp_test_patience()));
        EXPECT_OK(mp_process_close(all[i]));
    }
}

/* ---- what a server called first may have started processes of its own */

static mp_status_t end_at_once(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

static mp_status_t start_one(mp_call_t *call)
{
    mp_process_t *process;
    mp_process_options_t options = {.method = MP_START_SPAWN};
    (void)call;
    mp_status_t status = mp_process_start_with(&process, end_at_once, mp_args(), &options);
    if (status == MP_OK)
        status = mp_process_join(process, mp_test_patience());
    return status == MP_OK ? mp_process_close(process) : status;
}

static mp_status_t hold(mp_call_t *call)
{
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), 1) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_status_t start_a_holder(mp_call_t *call)
{
    mp_process_t *process;
    mp_process_options_t options = {.method = MP_START_SPAWN};
    MP_CHECK(mp_process_start_with(&process, hold, mp_args(mp_arg_conn(call, 0)), &options) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

MP_CASE(children_end_with_their_parent_not_with_its_server)
{
    const mp_function_t first = start_one;
    mp_process_t *parent;
    mp_conn_t *conn, *theirs;
    mp_value_t value;
    use_server();
    REQUIRE_OK(mp_set_forkserver_preload(&first, 1));
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_ONE_WAY));
    REQUIRE_OK(mp_process_start(&parent, start_a_holder, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &value));
    mp_test_expect_killed(parent);
    bool ready;
    mp_value_t objects[] = {mp_of(conn)};
    EXPECT_OK(mp_wait(objects, 1, &ready, mp_test_patience()));
    if (ready)
        EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_set_forkserver_preload(NULL, 0));
}

MP_GUARDED_CASES(MP_ROW(a_stopped_server_does_not_hold_up_who_asks),
                 MP_ROW(children_end_with_their_parent_not_with_its_server));
