/* The same connection, or the same handle, twice among the arguments: the child gets it twice, and each on its own. */
#include "child.h"
#include "scene.h"

static mp_status_t use_the_second(mp_call_t *call)
{
    MP_CHECK(mp_conn_close(mp_arg_conn(call, 0)) == MP_OK);
    return mp_conn_send(mp_arg_conn(call, 1), 5);
}

static void expect_two_connections(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t value;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, use_the_second, mp_args(theirs, theirs)));
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), 5);
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(a_connection_comes_as_often_as_it_is_named)
{
    mp_test_objects();
    mp_test_each_method(expect_two_connections);
}

static mp_status_t use_all(mp_call_t *call)
{
    for (size_t i = 0; i < mp_arg_count(call); i++) {
        for (size_t before = 0; before < i; before++)
            MP_CHECK(mp_arg_descriptor(call, i) != mp_arg_descriptor(call, before));
        MP_CHECK(mp__os_channel_write(mp_arg_descriptor(call, i), "x", 1) == MP_OK);
    }
    return MP_OK;
}

static void expect_three_handles(void)
{
    mp__os_handle_t ends[2];
    mp_process_t *process;
    char bytes[3];
    REQUIRE_OK(mp__os_channel_create(false, ends));
    REQUIRE_OK(mp_process_start(&process, use_all,
                                mp_args(mp_descriptor(ends[1]), mp_descriptor(ends[1]), mp_descriptor(ends[1]))));
    mp_test_expect_end(process, 0);
    mp__os_handle_close(ends[1]);
    EXPECT_OK(mp__os_channel_read(ends[0], bytes, sizeof bytes));
    EXPECT_STATUS(mp__os_channel_read(ends[0], bytes, 1), MP_END);
    mp__os_handle_close(ends[0]);
}

MP_CASE(a_handle_comes_as_often_as_it_is_named)
{
    mp_test_objects();
    mp_test_each_method(expect_three_handles);
}

MP_GUARDED_CASES(MP_ROW(a_connection_comes_as_often_as_it_is_named), MP_ROW(a_handle_comes_as_often_as_it_is_named));
