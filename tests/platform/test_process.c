/* Starting programs, waiting for them, ending them. */
#include "child.h"
#include "harness.h"
#include "member.h"
#include "system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_A_HANDLE ((mp__os_handle_t)3996)

static mp_status_t start(const char *path, const char *argument, mp__os_process_t *process)
{
    const char *const arguments[] = {path, argument, NULL};
    const mp__os_spawn_t spawn = {.path = path, .arguments = arguments};
    return mp__os_spawn(&spawn, process);
}

/* ---- how they end ---- */

MP_PROGRAM(exits)
{
    exit((int)strtol(mp_test_word(0), NULL, 10));
}

MP_PROGRAM(returns)
{
    return (int)strtol(mp_test_word(0), NULL, 10);
}

MP_PROGRAM(ends_now)
{
    mp__os_end_now((int)strtol(mp_test_word(0), NULL, 10));
    return 111;
}

MP_CASE(exit_codes)
{
    const char *const programs[] = {"exits", "returns", "ends_now"};
    const int codes[] = {0, 1, 77, 255};
    mp_test_warm_up();
    for (size_t p = 0; p < 3; p++)
        for (size_t i = 0; i < 4; i++) {
            char code[12];
            mp_test_child_t child;
            snprintf(code, sizeof code, "%d", codes[i]);
            mp_test_start(&child, programs[p], NULL, 0, (const char *const[]){code, NULL});
            mp__os_exit_t end = mp_test_join(&child);
            CU_ASSERT_EQUAL(end.end, MP__OS_EXITED);
            CU_ASSERT_EQUAL(end.code, codes[i]);
        }
}

MP_PROGRAM(waits)
{
    mp_test_tell(mp_test_talk(), 'r');
    return mp_test_hear(mp_test_talk(), 'e') ? 0 : 1;
}

static void start_waiting(mp_test_child_t *child)
{
    mp_test_start(child, "waits", NULL, 0, NULL);
    CU_ASSERT(mp_test_hear(child->talk, 'r'));
}

static void expect_signal(bool kill, int number)
{
    mp_test_child_t child;
    start_waiting(&child);
    EXPECT_STATUS(mp__os_process_signal(&child.process, kill), MP_OK);
    mp__os_exit_t end = mp_test_join(&child);
    CU_ASSERT_EQUAL(end.end, MP__OS_SIGNALLED);
    CU_ASSERT_EQUAL(end.code, number);
}

MP_CASE(terminated)
{
    mp_test_warm_up();
    expect_signal(false, 15);
}

MP_CASE(killed)
{
    mp_test_warm_up();
    expect_signal(true, 9);
}

MP_CASE(interrupted)
{
    mp_test_child_t child;
    mp_test_warm_up();
    start_waiting(&child);
    if (!mp__os_caps()->fork) { /* Windows */
        EXPECT_STATUS(mp__os_process_interrupt(&child.process), MP_UNSUPPORTED);
        CU_ASSERT(mp_test_tell(child.talk, 'e'));
    } else {
        EXPECT_OK(mp__os_process_interrupt(&child.process));
    }
    mp__os_exit_t end = mp_test_join(&child);
    CU_ASSERT_EQUAL(end.end, mp__os_caps()->fork ? MP__OS_SIGNALLED : MP__OS_EXITED);
    CU_ASSERT_STRING_EQUAL(mp__os_exit_name(end.end == MP__OS_SIGNALLED ? -end.code : -2),
                           mp__os_caps()->fork ? "SIGINT" : "");
    EXPECT_OK(mp__os_process_interrupt(&child.process));
}

MP_CASE(waiting_times_out_while_it_runs)
{
    mp_test_child_t child;
    mp_test_warm_up();
    start_waiting(&child);
    EXPECT_STATUS(mp__os_process_wait(&child.process, 0), MP_TIMEOUT);
    mp__deadline_t deadline = mp__os_now() + 50 * MP__MILLISECOND;
    EXPECT_STATUS(mp__os_process_wait(&child.process, deadline), MP_TIMEOUT);
    CU_ASSERT(mp__os_now() >= deadline);
    CU_ASSERT_FALSE(child.process.reaped);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    EXPECT_OK(mp__os_process_wait(&child.process, MP__NEVER));
    CU_ASSERT(child.process.reaped);
    CU_ASSERT_EQUAL(child.process.exit.end, MP__OS_EXITED);
    CU_ASSERT_EQUAL(child.process.exit.code, 0);
    /* Once more tells the same. */
    EXPECT_OK(mp__os_process_wait(&child.process, 0));
    CU_ASSERT_EQUAL(child.process.exit.end, MP__OS_EXITED);
    mp_test_join(&child);
}

MP_CASE(sentinel_is_ready_at_the_end_only)
{
    mp_test_child_t child;
    bool ready = true;
    mp_test_warm_up();
    start_waiting(&child);
    EXPECT_STATUS(mp__os_wait_any(&child.process.sentinel, 1, 0, &ready), MP_TIMEOUT);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    EXPECT_OK(mp__os_wait_any(&child.process.sentinel, 1, mp_test_deadline(30), &ready));
    CU_ASSERT(ready);
    CU_ASSERT_FALSE(child.process.reaped);
    mp_test_join(&child);
}

MP_CASE(signalling_one_that_has_ended)
{
    mp_test_child_t child;
    bool ready;
    mp_test_warm_up();
    start_waiting(&child);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    EXPECT_OK(mp__os_wait_any(&child.process.sentinel, 1, mp_test_deadline(30), &ready));
    EXPECT_STATUS(mp__os_process_signal(&child.process, true), MP_OK);
    EXPECT_OK(mp__os_process_wait(&child.process, MP__NEVER));
    CU_ASSERT_EQUAL(child.process.exit.end, MP__OS_EXITED);
    EXPECT_STATUS(mp__os_process_signal(&child.process, false), MP_OK);
    mp_test_join(&child);
}

/* ---- what they get ---- */

/* Tells each argument, its terminating zero included, and then its own end. */
MP_PROGRAM(tells_arguments)
{
    for (size_t i = 0; mp_test_argument_count() > 2 + i; i++)
        MP_CHECK(mp__os_channel_write(mp_test_talk(), mp_test_word(i), strlen(mp_test_word(i)) + 1) == MP_OK);
    return 0;
}

MP_CASE(arguments_arrive_as_they_are)
{
    static const char *const arguments[] = {"plain",
                                            "",
                                            "two words",
                                            " ",
                                            "\t",
                                            "\"",
                                            "\"\"",
                                            "a\"b",
                                            "\\",
                                            "\\\\",
                                            "a\\",
                                            "a b\\",
                                            "a b\\\\",
                                            "\\\"",
                                            "\\\\\"",
                                            "a\\\"b c",
                                            "C:\\Program Files\\x\\",
                                            "%PATH%",
                                            "$HOME",
                                            "^&|<>()!",
                                            "*",
                                            "?.c",
                                            "'single'",
                                            "line\nbreak",
                                            "-option=\"x y\"",
                                            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
                                            NULL};
    mp_test_child_t child;
    mp_test_warm_up();
    mp_test_start(&child, "tells_arguments", NULL, 0, arguments);
    for (size_t i = 0; arguments[i]; i++) {
        char text[64] = "";
        for (size_t n = 0; n < sizeof text && mp__os_channel_read(child.talk, text + n, 1) == MP_OK && text[n]; n++)
            continue;
        CU_ASSERT_STRING_EQUAL(text, arguments[i]);
    }
    char more;
    EXPECT_STATUS(mp__os_channel_read(child.talk, &more, 1), MP_END);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
}

static bool has_value(const char *name, const char *value)
{
    const char *found = getenv(name);
    return value ? found && strcmp(found, value) == 0 : !found;
}

MP_PROGRAM(looks_at_environment)
{
    MP_CHECK(has_value("MP_TEST_ADDED", "one=two three"));
    MP_CHECK(has_value("MP_TEST_EMPTY", "") || has_value("MP_TEST_EMPTY", NULL));
    MP_CHECK(getenv("PATH") && !has_value("PATH", "replaced"));
    return 0;
}

MP_PROGRAM(looks_at_replaced_path)
{
    MP_CHECK(has_value("PATH", "replaced"));
    return 0;
}

static mp__os_exit_t run_in(const char *program, const char *const *environment)
{
    const char *const arguments[] = {mp_test_program(), program, NULL};
    const mp__os_spawn_t spawn = {.path = mp_test_program(), .arguments = arguments, .environment = environment};
    mp__os_process_t process;
    REQUIRE_OK(mp__os_spawn(&spawn, &process));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    mp__os_process_close(&process);
    return process.exit;
}

MP_CASE(environment_is_added_to_and_replaced)
{
    mp_test_warm_up();
    CU_ASSERT_EQUAL(
        run_in("looks_at_environment", (const char *const[]){"MP_TEST_ADDED=one=two three", "MP_TEST_EMPTY=", NULL})
            .code,
        0);
    CU_ASSERT_EQUAL(run_in("looks_at_replaced_path", (const char *const[]){"PATH=replaced", NULL}).code, 0);
    CU_ASSERT_NOT_EQUAL(run_in("looks_at_replaced_path", NULL).code, 0);
    CU_ASSERT_PTR_NULL(getenv("MP_TEST_ADDED"));
}

MP_PROGRAM(reads_input)
{
    return getchar() == EOF ? 0 : 1;
}

MP_CASE(standard_input_is_empty)
{
    mp_test_warm_up();
    CU_ASSERT_EQUAL(run_in("reads_input", NULL).code, 0);
}

/* Standard output is the starter's: a process in between starts one that prints. */
MP_PROGRAM(prints)
{
    return puts("printed by a grandchild") < 0;
}

MP_PROGRAM(starts_one_that_prints)
{
    mp__os_process_t process;
    MP_CHECK(start(mp_test_program(), "prints", &process) == MP_OK);
    MP_CHECK(mp__os_process_wait(&process, MP__NEVER) == MP_OK);
    mp__os_process_close(&process);
    return process.exit.code;
}

MP_CASE(standard_output_is_inherited)
{
    char output[200];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "starts_one_that_prints", output, sizeof output), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "printed by a grandchild"));
}

/* This very case is what the child runs, too, because it gets this process's own command line. */
MP_CASE(own_command_line)
{
    char *arguments[] = {(char *)(uintptr_t)mp_test_program(), "own_command_line", NULL};
    const char *const environment[] = {"MP_TEST_NESTED=1", NULL};
    mp__os_process_t process;
    if (getenv("MP_TEST_NESTED"))
        mp__os_end_now(42);
    mp_test_warm_up();
    CU_ASSERT_PTR_NULL(mp__os_program_path());
    if (mp_test_is_plain_posix()) {
        EXPECT_STATUS(mp__os_program_note(0, NULL), MP_UNSUPPORTED);
        REQUIRE_OK(mp__os_program_note(2, arguments));
    } else {
        REQUIRE_OK(mp__os_program_note(0, NULL));
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(mp__os_program_path());
    const mp__os_spawn_t spawn = {.path = mp__os_program_path(), .environment = environment};
    REQUIRE_OK(mp__os_spawn(&spawn, &process));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.end, MP__OS_EXITED);
    CU_ASSERT_EQUAL(process.exit.code, 42);
    mp__os_process_close(&process);
}

MP_CASE(noting_without_memory)
{
    char *arguments[] = {(char *)(uintptr_t)mp_test_program(), "x", NULL};
    if (!mp_test_exhaust_memory())
        mp_skip("no limit on this process's memory here");
    EXPECT_STATUS(mp__os_program_note(2, arguments), MP_NO_MEMORY);
    mp_test_give_memory_back();
    CU_ASSERT_PTR_NULL(mp__os_program_path());
    EXPECT_OK(mp__os_program_note(2, arguments));
}

MP_CASE(starting_without_memory)
{
    const char *const arguments[] = {mp_test_program(), "-", NULL};
    const mp__os_spawn_t spawn = {.path = mp_test_program(), .arguments = arguments};
    mp__os_process_t process;
    mp_test_warm_up();
    if (!mp_test_exhaust_memory())
        mp_skip("no limit on this process's memory here");
    EXPECT_STATUS(mp__os_spawn(&spawn, &process), MP_NO_MEMORY);
    mp_test_give_memory_back();
}

MP_CASE(starting_without_handles)
{
    const char *const arguments[] = {mp_test_program(), "-", NULL};
    const mp__os_spawn_t spawn = {.path = mp_test_program(), .arguments = arguments};
    mp__os_process_t process;
    mp_test_warm_up();
    if (!mp_test_limit_handles(0))
        mp_skip("the system sets no limit to a process's handles");
    mp_test_baseline();
    EXPECT_STATUS(mp__os_spawn(&spawn, &process), MP_LIMIT);
}

/* ---- what cannot be started ---- */

static void expect_refusal(const char *path, mp_status_t expected)
{
    mp__os_process_t process;
    EXPECT_STATUS(start(path, "-", &process), expected);
    CU_ASSERT_EQUAL(mp_error()->status, expected);
    CU_ASSERT(mp_error()->step[0] != '\0');
}

MP_CASE(a_missing_program)
{
    mp__os_process_t process;
    const char *const arguments[] = {"x", NULL};
    const mp__os_spawn_t spawn = {.path = "/there/is/no/such/program", .arguments = arguments};
    EXPECT_STATUS(mp__os_spawn(&spawn, &process), MP_NOT_FOUND);
    mp_test_warm_up();
    expect_refusal("/there/is/no/such/program", MP_NOT_FOUND);
    expect_refusal("no-such-program", MP_NOT_FOUND);
    expect_refusal("", MP_NOT_FOUND);
}

static void write_file(char *path, size_t size, const char *content)
{
    snprintf(path, size, "%s/test-%ld.txt", mp_test_folder(), (long)mp__os_pid());
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(content, file);
    fclose(file);
}

MP_CASE(a_file_that_is_no_program)
{
    char path[400];
    mp__os_process_t process;
    mp_test_warm_up();
    write_file(path, sizeof path, "this is text\n");
    const char *const arguments[] = {path, NULL};
    const mp__os_spawn_t spawn = {.path = path, .arguments = arguments};
    EXPECT_STATUS(mp__os_spawn(&spawn, &process), MP_DENIED);
    mp_test_allow_execution(path);
    EXPECT_STATUS(mp__os_spawn(&spawn, &process), MP_DENIED);
    remove(path);
}

MP_CASE(a_handle_that_is_none)
{
    mp__os_event_t event;
    mp__os_process_t process;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_event_create(&event));
    const mp__os_handle_t handles[] = {event.wait, NOT_A_HANDLE};
    const char *const arguments[] = {mp_test_program(), "-", NULL};
    mp__os_spawn_t spawn = {.path = mp_test_program(), .arguments = arguments, .handles = handles, .handle_count = 2};
    EXPECT_STATUS(mp__os_spawn(&spawn, &process), MP_INVALID);
    const mp__os_handle_t none[] = {MP__NO_HANDLE};
    spawn.handles = none;
    spawn.handle_count = 1;
    EXPECT_STATUS(mp__os_spawn(&spawn, &process), MP_INVALID);
    mp__os_event_close(&event);
}

MP_CASE(a_handle_named_twice)
{
    mp__os_event_t event;
    mp__os_process_t process;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_event_create(&event));
    const mp__os_handle_t handles[] = {event.wait, event.set, event.wait};
    const char *const arguments[] = {mp_test_program(), "-", NULL};
    const mp__os_spawn_t spawn = {
        .path = mp_test_program(), .arguments = arguments, .handles = handles, .handle_count = 3};
    EXPECT_OK(mp__os_spawn(&spawn, &process));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.code, 0);
    mp__os_process_close(&process);
    mp__os_event_close(&event);
}

/* ---- fork ---- */

MP_CASE(fork_where_there_is_none)
{
    mp__os_process_t process;
    bool in_child;
    if (mp__os_caps()->fork)
        mp_skip("this system has fork");
    EXPECT_STATUS(mp__os_fork(&process, &in_child), MP_UNSUPPORTED);
}

MP_CASE(forked_child_has_the_memory)
{
    mp__os_process_t process;
    bool in_child = false;
    volatile int value = 5;
    mp_test_warm_up();
    if (!mp__os_caps()->fork)
        mp_skip("no fork here");
    REQUIRE_OK(mp__os_fork(&process, &in_child));
    if (in_child)
        mp__os_end_now(value == 5 ? 33 : 44);
    value = 6;
    CU_ASSERT_NOT_EQUAL(process.pid, mp__os_pid());
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.end, MP__OS_EXITED);
    CU_ASSERT_EQUAL(process.exit.code, 33);
    mp__os_process_close(&process);
}

/* "After fork the child may use all of them." */
MP_CASE(forked_child_may_use_all)
{
    mp__os_process_t process;
    mp__os_handle_t ends[2];
    bool in_child = false;
    mp_test_warm_up();
    if (!mp__os_caps()->fork)
        mp_skip("no fork here");
    REQUIRE_OK(mp__os_channel_create(true, ends));
    REQUIRE_OK(mp__os_fork(&process, &in_child));
    if (in_child) {
        mp__os_process_t grandchild;
        MP_CHECK(mp_test_hear(ends[1], 'g'));
        MP_CHECK(start(mp_test_program(), "-", &grandchild) == MP_OK);
        MP_CHECK(mp__os_process_wait(&grandchild, mp_test_deadline(30)) == MP_OK);
        MP_CHECK(mp_test_tell(ends[1], 'd'));
        mp__os_end_now(grandchild.exit.code + 8);
    }
    CU_ASSERT(mp_test_tell(ends[0], 'g'));
    CU_ASSERT(mp_test_hear(ends[0], 'd'));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.code, 8);
    mp__os_process_close(&process);
    mp__os_handle_close(ends[0]);
    mp__os_handle_close(ends[1]);
}

MP_CASE(forked_child_is_killed)
{
    mp__os_process_t process;
    bool in_child = false;
    mp_test_warm_up();
    if (!mp__os_caps()->fork)
        mp_skip("no fork here");
    REQUIRE_OK(mp__os_fork(&process, &in_child));
    if (in_child)
        mp__os_sleep(mp_test_deadline(60));
    if (in_child)
        mp__os_end_now(1);
    EXPECT_STATUS(mp__os_process_wait(&process, 0), MP_TIMEOUT);
    EXPECT_OK(mp__os_process_signal(&process, true));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.end, MP__OS_SIGNALLED);
    CU_ASSERT_EQUAL(process.exit.code, 9);
    mp__os_process_close(&process);
}

/* ---- children do not outlive their starter ---- */

/* Ends when the one in the middle is gone; its starter's starter sees that by the channel that only it holds open. */
MP_PROGRAM(outlived_by_nobody)
{
    MP_CHECK(mp_test_tell(mp_test_handle(0), 'l'));
    mp__os_handle_t lifeline = mp_test_handle(1);
    bool ready;
    MP_CHECK(mp__os_wait_any(&lifeline, 1, MP__NEVER, &ready) == MP_OK);
    return 0;
}

MP_PROGRAM(stands_between)
{
    mp_test_child_t child;
    mp__os_handle_t lifeline, mine, handles[2];
    handles[0] = mp_test_handle(0);
    MP_CHECK(mp__os_lifeline_create(&lifeline, &mine) == MP_OK);
    handles[1] = lifeline;
    mp_test_talk();
    mp_test_start(&child, "outlived_by_nobody", handles, 2, NULL);
    mp__os_handle_close(handles[0]);
    mp_test_hear(mp_test_talk(), 'x');
    return 1;
}

MP_CASE(killed_starter_takes_its_children_along)
{
    mp_test_child_t middle;
    mp__os_handle_t ends[2];
    char byte;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_channel_create(true, ends));
    mp_test_start(&middle, "stands_between", &ends[1], 1, NULL);
    mp__os_handle_close(ends[1]);
    CU_ASSERT(mp_test_hear(ends[0], 'l'));
    EXPECT_STATUS(mp__os_channel_poll(ends[0], 0), MP_TIMEOUT);
    mp_test_kill(&middle);
    EXPECT_OK(mp__os_channel_poll(ends[0], mp_test_deadline(30)));
    EXPECT_STATUS(mp__os_channel_read(ends[0], &byte, 1), MP_END);
    mp__os_handle_close(ends[0]);
}

MP_CASE(lifeline_beyond_the_limit)
{
    mp__os_handle_t child, mine;
    if (!mp_test_limit_handles(0))
        mp_skip("the system sets no limit to a process's handles");
    mp_test_baseline();
    EXPECT_STATUS(mp__os_lifeline_create(&child, &mine), MP_LIMIT);
}

/* ---- the rest ---- */

MP_CASE(closing_forgets_a_running_child)
{
    mp_test_child_t child;
    mp_test_warm_up();
    start_waiting(&child);
    mp__os_process_t process = child.process;
    mp__os_handle_t second;
    REQUIRE_OK(mp__os_handle_copy(process.sentinel, &second));
    mp__os_process_close(&process);
    bool ready;
    EXPECT_STATUS(mp__os_wait_any(&second, 1, 0, &ready), MP_TIMEOUT);
    child.process.sentinel = second;
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
}

MP_CASE(many_at_once)
{
    mp_test_child_t children[20];
    mp_test_warm_up();
    for (size_t i = 0; i < 20; i++)
        mp_test_start(&children[i], "waits", NULL, 0, NULL);
    for (size_t i = 0; i < 20; i++) {
        CU_ASSERT(mp_test_hear(children[i].talk, 'r'));
        CU_ASSERT(mp_test_tell(children[i].talk, 'e'));
    }
    for (size_t i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(mp_test_join(&children[i]).code, 0);
}

MP_CASES(MP_ROW(exit_codes), MP_SUB(exits), MP_SUB(returns), MP_SUB(ends_now), MP_ROW(terminated), MP_ROW(killed),
         MP_ROW(interrupted), MP_SUB(waits), MP_ROW(waiting_times_out_while_it_runs),
         MP_ROW(sentinel_is_ready_at_the_end_only), MP_ROW(signalling_one_that_has_ended),
         MP_ROW(arguments_arrive_as_they_are), MP_SUB(tells_arguments), MP_ROW(environment_is_added_to_and_replaced),
         MP_SUB(looks_at_environment), MP_SUB(looks_at_replaced_path), MP_ROW(standard_input_is_empty),
         MP_SUB(reads_input), MP_ROW(standard_output_is_inherited), MP_SUB(prints), MP_SUB(starts_one_that_prints),
         MP_ROW(own_command_line), MP_ROW(noting_without_memory), MP_ROW(starting_without_memory),
         MP_ROW(starting_without_handles), MP_ROW(a_missing_program), MP_ROW(a_file_that_is_no_program),
         MP_ROW(a_handle_that_is_none), MP_ROW(a_handle_named_twice), MP_ROW(fork_where_there_is_none),
         MP_ROW(forked_child_has_the_memory), MP_ROW(forked_child_may_use_all), MP_ROW(forked_child_is_killed),
         MP_ROW(killed_starter_takes_its_children_along), MP_SUB(outlived_by_nobody), MP_SUB(stands_between),
         MP_ROW(lifeline_beyond_the_limit), MP_ROW(closing_forgets_a_running_child), MP_ROW(many_at_once));
