/* Addresses at which ends of channels are to be had. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include <stdio.h>
#include <string.h>

static mp__os_listener_t *listen_anywhere(void)
{
    mp__os_listener_t *listener;
    REQUIRE_OK(mp__os_listen(NULL, &listener));
    return listener;
}

MP_CASE(two_ends_of_a_channel)
{
    mp__os_handle_t client, server;
    bool ready = false;
    char text[6] = "";
    mp_test_warm_up();
    mp__os_listener_t *listener = listen_anywhere();
    mp__os_handle_t handle = mp__os_listener_handle(listener);
    EXPECT_STATUS(mp__os_accept(listener, &server), MP_TIMEOUT);
    EXPECT_STATUS(mp__os_wait_any(&handle, 1, 0, &ready), MP_TIMEOUT);
    REQUIRE_OK(mp__os_connect(mp__os_listener_address(listener), &client));
    EXPECT_OK(mp__os_wait_any(&handle, 1, mp_test_deadline(10), &ready));
    REQUIRE_OK(mp__os_accept(listener, &server));
    CU_ASSERT_EQUAL(handle, mp__os_listener_handle(listener));
    EXPECT_STATUS(mp__os_accept(listener, &handle), MP_TIMEOUT);
    mp__os_listener_close(listener);
    EXPECT_OK(mp__os_channel_write(client, "there", 6));
    EXPECT_OK(mp__os_channel_read(server, text, 6));
    CU_ASSERT_STRING_EQUAL(text, "there");
    EXPECT_OK(mp__os_channel_write(server, "back!", 6));
    mp__os_handle_close(server);
    EXPECT_OK(mp__os_channel_read(client, text, 6));
    CU_ASSERT_STRING_EQUAL(text, "back!");
    EXPECT_STATUS(mp__os_channel_read(client, text, 1), MP_END);
    mp__os_handle_close(client);
}

MP_CASE(what_is_no_address)
{
    char address[2000] = "";
    mp__os_listener_t *listener;
    mp__os_handle_t end;
    mp_test_warm_up();
    memset(address, 'a', sizeof address - 1);
    EXPECT_STATUS(mp__os_listen(address, &listener), MP_TOO_LARGE);
    EXPECT_STATUS(mp__os_connect(address, &end), MP_TOO_LARGE);
    EXPECT_STATUS(mp__os_listen("", &listener), MP_INVALID);
    EXPECT_STATUS(mp__os_connect("", &end), MP_INVALID);
    mp__os_listener_close(NULL);
}

MP_CASE(an_address_that_is_taken_and_one_that_is_free)
{
    char address[400];
    mp__os_handle_t end;
    mp__os_listener_t *second;
    mp_test_warm_up();
    mp__os_listener_t *listener = listen_anywhere();
    snprintf(address, sizeof address, "%s", mp__os_listener_address(listener));
    EXPECT_STATUS(mp__os_listen(address, &second), MP_EXISTS);
    CU_ASSERT_PTR_NULL(second);
    REQUIRE_OK(mp__os_connect(address, &end));
    mp__os_handle_close(end);
    mp__os_listener_remove(listener);
    EXPECT_STATUS(mp__os_connect(address, &end), MP_NOT_FOUND);
    mp__os_listener_remove(listener);
    mp__os_listener_close(listener);
}

MP_CASE(no_room_for_more)
{
    mp__os_handle_t end;
    mp_test_warm_up();
    mp__os_listener_t *listener = listen_anywhere();
    for (int i = 0; i < 100000 && mp__os_connect(mp__os_listener_address(listener), &end) == MP_OK; i++)
        mp__os_handle_close(end);
    EXPECT_STATUS(mp__os_connect(mp__os_listener_address(listener), &end), MP_BUSY);
    EXPECT_OK(mp__os_accept(listener, &end));
    mp__os_handle_close(end);
    REQUIRE_OK(mp__os_connect(mp__os_listener_address(listener), &end));
    mp__os_handle_close(end);
    mp__os_listener_close(listener);
}

MP_CASE(no_descriptor_is_left)
{
    mp__os_listener_t *second;
    mp__os_handle_t client, server;
    mp_test_warm_up();
    if (!mp_test_limit_handles(0))
        mp_skip("the system sets no limit to a process's handles");
    mp_test_lift_limits();
    mp_test_baseline(); /* what fills the places up to the limit stays */
    mp__os_listener_t *listener = listen_anywhere();
    REQUIRE_OK(mp__os_connect(mp__os_listener_address(listener), &client));
    CU_ASSERT(mp_test_limit_handles(0));
    EXPECT_STATUS(mp__os_accept(listener, &server), MP_LIMIT);
    EXPECT_STATUS(mp__os_connect(mp__os_listener_address(listener), &server), MP_LIMIT);
    EXPECT_STATUS(mp__os_listen(NULL, &second), MP_LIMIT);
    mp_test_lift_limits();
    REQUIRE_OK(mp__os_accept(listener, &server));
    mp__os_handle_close(server);
    mp__os_handle_close(client);
    mp__os_listener_close(listener);
}

/* Closed to children from birth. */
MP_PROGRAM(does_nothing)
{
    mp_test_hear(mp_test_talk(), '.');
    return 0;
}

MP_CASE(a_child_holds_none_of_it)
{
    mp_test_child_t child;
    mp__os_handle_t client, server, waiting;
    char byte;
    mp_test_warm_up();
    mp__os_listener_t *listener = listen_anywhere();
    REQUIRE_OK(mp__os_connect(mp__os_listener_address(listener), &client));
    REQUIRE_OK(mp__os_accept(listener, &server));
    REQUIRE_OK(mp__os_connect(mp__os_listener_address(listener), &waiting));
    mp_test_start(&child, "does_nothing", NULL, 0, NULL);
    mp__os_handle_close(server);
    mp__os_listener_close(listener);
    EXPECT_STATUS(mp__os_channel_read(client, &byte, 1), MP_END);
    EXPECT_STATUS(mp__os_channel_read(waiting, &byte, 1), MP_END);
    mp__os_handle_close(client);
    mp__os_handle_close(waiting);
    CU_ASSERT(mp_test_tell(child.talk, '.'));
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
}

MP_CASES(MP_ROW(two_ends_of_a_channel), MP_ROW(what_is_no_address),
         MP_ROW(an_address_that_is_taken_and_one_that_is_free), MP_ROW(no_room_for_more), MP_ROW(no_descriptor_is_left),
         MP_ROW(a_child_holds_none_of_it), MP_SUB(does_nothing));
