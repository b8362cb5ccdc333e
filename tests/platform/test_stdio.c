/* Standard streams of children, and what a process makes of itself: what the system says to it. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include <stdio.h>
#include <string.h>

/* ---- pipes ---- */

MP_CASE(a_pipe_carries_bytes_and_its_end)
{
    static const char text[] = "through a pipe";
    mp__os_handle_t mine, childs, second, seconds;
    char read[64];
    size_t got = 0;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_pipe_create(true, &mine, &childs));
    EXPECT_OK(mp__os_pipe_write(mine, text, sizeof text, MP__NEVER, &got));
    CU_ASSERT_EQUAL(got, sizeof text);
    mp__os_handle_close(childs);
    EXPECT_STATUS(mp__os_pipe_write(mine, text, sizeof text, MP__NEVER, &got), MP_END);
    CU_ASSERT_EQUAL(got, 0);
    mp__os_handle_close(mine);
    REQUIRE_OK(mp__os_pipe_create(false, &second, &seconds));
    EXPECT_STATUS(mp__os_pipe_read(second, read, sizeof read, 0, &got), MP_TIMEOUT);
    EXPECT_STATUS(mp__os_pipe_read(second, read, sizeof read, mp__os_now() + 20 * MP__MILLISECOND, &got), MP_TIMEOUT);
    mp__os_handle_close(seconds);
    EXPECT_STATUS(mp__os_pipe_read(second, read, sizeof read, mp_test_deadline(30), &got), MP_END);
    mp__os_handle_close(second);
}

/* What it took is told, and is there to be read. */
MP_CASE(a_pipe_that_nobody_reads_is_full)
{
    static char much[1 << 20];
    mp__os_handle_t mine, childs;
    size_t first, second;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_pipe_create(true, &mine, &childs));
    EXPECT_STATUS(mp__os_pipe_write(mine, much, sizeof much, mp__os_now() + 20 * MP__MILLISECOND, &first), MP_TIMEOUT);
    CU_ASSERT(first > 0 && first < sizeof much);
    EXPECT_STATUS(mp__os_pipe_write(mine, much, sizeof much, 0, &second), MP_TIMEOUT);
    CU_ASSERT_EQUAL(second, 0);
    mp__os_handle_close(childs);
    mp__os_handle_close(mine);
}

MP_CASE(no_handles_for_a_pipe)
{
    mp__os_handle_t mine, childs;
    if (!mp_test_limit_handles(0))
        mp_skip("the system sets no limit to a process's handles");
    mp_test_baseline();
    EXPECT_STATUS(mp__os_pipe_create(true, &mine, &childs), MP_LIMIT);
}

MP_CASE(no_handles_for_a_lifeline)
{
    mp__os_handle_t child, mine, own;
    REQUIRE_OK(mp__os_lifeline_create(&child, &mine));
    REQUIRE_OK(mp__os_lifeline_own(child, &own));
    bool opens = own != MP__NO_HANDLE;
    mp__os_handle_close(own);
    bool limited = mp_test_limit_handles(0);
    mp_test_baseline();
    if (opens && limited)
        EXPECT_STATUS(mp__os_lifeline_own(child, &own), MP_LIMIT);
}

/* ---- files ---- */

MP_CASE(files_that_cannot_be_opened)
{
    mp__os_handle_t file;
    EXPECT_STATUS(mp__os_file_open("there is no such file", MP__OS_FILE_READ, &file), MP_NOT_FOUND);
    CU_ASSERT_EQUAL(file, MP__NO_HANDLE);
    EXPECT_STATUS(mp__os_file_open(mp_test_folder(), MP__OS_FILE_WRITE, &file), MP_DENIED);
    CU_ASSERT_EQUAL(file, MP__NO_HANDLE);
}

/* ---- this process ---- */

MP_CASE(variables_come_and_go)
{
    char text[8];
    CU_ASSERT_FALSE(mp__os_environment_get("MP_TEST_VARIABLE", text, sizeof text));
    REQUIRE_OK(mp__os_environment_set("MP_TEST_VARIABLE=a=b"));
    CU_ASSERT(mp__os_environment_get("MP_TEST_VARIABLE", text, sizeof text));
    CU_ASSERT_STRING_EQUAL(text, "a=b");
    REQUIRE_OK(mp__os_environment_set("MP_TEST_VARIABLE"));
    CU_ASSERT_FALSE(mp__os_environment_get("MP_TEST_VARIABLE", text, sizeof text));
    EXPECT_OK(mp__os_environment_set("MP_TEST_VARIABLE"));
}

MP_CASE(a_folder_that_is_not_there)
{
    EXPECT_STATUS(mp__os_directory_set("there/is/no/such/folder"), MP_NOT_FOUND);
    EXPECT_OK(mp__os_directory_set(mp_test_folder()));
}

MP_CASE(what_this_system_does_not_do)
{
    static const mp__os_handle_t standard[3] = {MP__NO_HANDLE, MP__NO_HANDLE, MP__NO_HANDLE};
    static const uint64_t processors[1] = {1};
    mp__os_handle_t sentinel;
    const mp__os_caps_t *caps = mp__os_caps();
    if (!caps->fork)
        EXPECT_STATUS(mp__os_standard_set(standard), MP_UNSUPPORTED);
    if (!caps->affinity)
        EXPECT_STATUS(mp__os_affinity_set(processors, 1), MP_UNSUPPORTED);
    if (!caps->limit_files)
        EXPECT_STATUS(mp__os_limit_files(100), MP_UNSUPPORTED);
    if (!caps->sentinels)
        EXPECT_STATUS(mp__os_sentinel_open(mp__os_pid(), &sentinel), MP_UNSUPPORTED);
    else
        EXPECT_STATUS(mp__os_sentinel_open(0x7ffffff1, &sentinel), MP_NOT_FOUND);
}

/* ---- the end of others ---- */

MP_PROGRAM(waits_here)
{
    MP_CHECK(mp_test_tell(mp_test_talk(), 'r'));
    return mp_test_hear(mp_test_talk(), 'e') ? 0 : 1;
}

static void start_waiting(mp_test_child_t *child)
{
    mp_test_start(child, "waits_here", NULL, 0, NULL);
    CU_ASSERT(mp_test_hear(child->talk, 'r'));
}

MP_CASE(asking_and_ending_a_tree)
{
    mp_test_child_t child;
    mp_test_warm_up();
    start_waiting(&child);
    if (mp__os_caps()->fork)
        EXPECT_STATUS(mp__os_process_ask(&child.process, 0), MP_OK);
    else /* it has not opened its door */
        EXPECT_STATUS(mp__os_process_ask(&child.process, 0), MP_BUSY);
    EXPECT_OK(mp__os_process_kill_tree(&child.process));
    CU_ASSERT_EQUAL(mp_test_join(&child).end, MP__OS_SIGNALLED);
    start_waiting(&child);
    EXPECT_OK(mp__os_process_kill_tree(&child.process));
    mp__os_exit_t end = mp_test_join(&child);
    CU_ASSERT(end.end == MP__OS_SIGNALLED && end.code == 9);
}

MP_CASES(MP_ROW(a_pipe_carries_bytes_and_its_end), MP_ROW(a_pipe_that_nobody_reads_is_full),
         MP_ROW(no_handles_for_a_pipe), MP_ROW(no_handles_for_a_lifeline), MP_ROW(files_that_cannot_be_opened),
         MP_ROW(variables_come_and_go), MP_ROW(a_folder_that_is_not_there), MP_ROW(what_this_system_does_not_do),
         MP_SUB(waits_here), MP_ROW(asking_and_ending_a_tree));
