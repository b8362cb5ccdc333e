/* Watching processes that are no children. */
#include "child.h"
#include "scene.h"
#include "system.h"

/* Starts a grandchild and tells its id; ends it when it is told to, and says when that is done. */
static mp_status_t stay(mp_call_t *call)
{
    mp_value_t value;
    return mp_conn_recv(mp_arg_conn(call, 0), &value) == MP_END ? MP_OK : MP_FAILED;
}

static mp_status_t start_one(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0), *mine, *theirs;
    mp_process_t *process;
    mp_value_t value;
    MP_CHECK(mp_pipe(&mine, &theirs, MP_DUPLEX) == MP_OK);
    MP_CHECK(mp_process_start(&process, stay, mp_args(theirs)) == MP_OK);
    MP_CHECK(mp_conn_close(theirs) == MP_OK);
    MP_CHECK(mp_conn_send(conn, mp_process_pid(process)) == MP_OK);
    MP_CHECK(mp_conn_recv(conn, &value) == MP_OK);
    MP_CHECK(mp_process_kill(process) == MP_OK && mp_process_join(process, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_process_close(process) == MP_OK);
    MP_CHECK(mp_conn_send(conn, 1) == MP_OK);
    return MP_OK;
}

static void expect_watch(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t pid, value;
    mp_watch_t *watch, *late;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, start_one, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &pid));
    REQUIRE_OK(mp_watch_open(&watch, (int)mp_value_int(pid)));
    CU_ASSERT_EQUAL(mp_watch_pid(watch), (int)mp_value_int(pid));
    CU_ASSERT(mp_watch_is_alive(watch));
    EXPECT_STATUS(mp_watch_join(watch, 0.05), MP_TIMEOUT);
    EXPECT_STATUS(mp_watch_join(watch, (double)NAN), MP_INVALID);
    EXPECT_OK(mp_conn_send(conn, 1));
    EXPECT_OK(mp_watch_join(watch, mp_test_patience()));
    EXPECT_OK(mp_watch_join(watch, 0));
    CU_ASSERT_FALSE(mp_watch_is_alive(watch));
    EXPECT_OK(mp_conn_recv(conn, &value)); /* it was reaped: its number is nobody's, and the watch is still its own */
    CU_ASSERT_FALSE(mp_watch_is_alive(watch));
    if (mp_test_is_posix()) /* elsewhere a number lives as long as a handle */
        EXPECT_STATUS(mp_watch_open(&late, (int)mp_value_int(pid)), MP_NOT_FOUND);
    mp_watch_close(watch);
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(a_grandchild_is_watched_to_its_end)
{
    mp_test_objects();
    if (!mp__os_caps()->sentinels)
        mp_skip("this system has no safe way to watch a process");
    mp_test_each_method(expect_watch);
}

MP_CASE(what_cannot_be_watched)
{
    mp_watch_t *watch = NULL;
    EXPECT_STATUS(mp_watch_open(NULL, mp_getpid()), MP_INVALID);
    EXPECT_STATUS(mp_watch_open(&watch, 0), MP_INVALID);
    EXPECT_STATUS(mp_watch_open(&watch, -1), MP_INVALID);
    mp_status_t none = mp__os_caps()->sentinels ? MP_NOT_FOUND : MP_UNSUPPORTED;
    EXPECT_STATUS(mp_watch_open(&watch, 0x7ffffff1), none);
    CU_ASSERT_PTR_NULL(watch);
    EXPECT_STATUS(mp_watch_join(NULL, 0), MP_INVALID);
    CU_ASSERT_FALSE(mp_watch_is_alive(NULL));
    CU_ASSERT_EQUAL(mp_watch_pid(NULL), 0);
    mp_watch_close(NULL);
    if (!mp__os_caps()->sentinels)
        return;
    REQUIRE_OK(mp_watch_open(&watch, mp_getpid()));
    CU_ASSERT(mp_watch_is_alive(watch));
    mp_watch_close(watch);
}

MP_GUARDED_CASES(MP_ROW(a_grandchild_is_watched_to_its_end), MP_ROW(what_cannot_be_watched));
