/* What runs when a process ends in order: by priority, the newest first among equals, each once. */
#include "scene.h"
#include "system.h"

#include "objects/finalize.h"
#include "objects/process.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void say(void *word)
{
    printf("%s ", (const char *)word);
    fflush(stdout);
}

static mp__finalizer_t *add(int priority, const char *word)
{
    mp__finalizer_t *finalizer;
    MP_CHECK(mp__finalize_add(priority, say, (void *)(uintptr_t)word, &finalizer) == MP_OK);
    return finalizer;
}

static mp_status_t print_late(mp_call_t *call)
{
    (void)call;
    mp_sleep(0.05);
    printf("child ");
    return MP_OK;
}

static mp_status_t add_own(mp_call_t *call)
{
    (void)call;
    add(0, "own");
    return MP_OK;
}

/* H1 */
MP_PROGRAM(adds_some)
{
    add(5, "five1");
    mp__finalizer_t *taken_back = add(7, "never");
    add(10, "ten1");
    add(5, "five2");
    add(-1, "last");
    add(10, "ten2");
    mp__finalize_remove(taken_back);
    mp__finalize_remove(NULL);
    return 0;
}

MP_CASE(by_priority_and_the_newest_first)
{
    char output[400];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "adds_some", output, sizeof output), 0);
    CU_ASSERT_STRING_EQUAL(output, "ten2 ten1 five2 five1 last ");
}

/* Children are joined after all of them. */
MP_PROGRAM(adds_one_and_starts_one)
{
    add(0, "parent");
    MP_CHECK(mp_process_start(NULL, print_late, mp_args()) == MP_OK);
    return 0;
}

MP_CASE(children_are_joined_behind_them)
{
    char output[400];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "adds_one_and_starts_one", output, sizeof output), 0);
    CU_ASSERT_STRING_EQUAL(output, "parent child ");
}

/* A child runs its own, never its parent's; that holds for a forked one, too. */
MP_PROGRAM(starts_some_that_add)
{
    add(0, "parent");
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        mp_process_t *process;
        int code = -1;
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        MP_CHECK(mp_process_start(&process, add_own, mp_args()) == MP_OK);
        MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_exitcode(process, &code) == MP_OK && code == 0);
        MP_CHECK(mp_process_close(process) == MP_OK);
    }
    return 0;
}

/* In order of priority, then the newest first; once; never in a forked child. */
MP_PROGRAM(adds_some_and_forks)
{
    program_adds_some();
    return program_starts_some_that_add();
}

MP_CASE(H1)
{
    char output[400], expected[100] = "";
    for (const char *const *method = mp_all_start_methods(); *method; method++)
        strcat(expected, "own ");
    strcat(expected, "ten2 ten1 five2 five1 parent last ");
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "adds_some_and_forks", output, sizeof output), 0);
    CU_ASSERT_STRING_EQUAL(output, expected);
}

/* What has a negative priority comes behind the end of the children; so does a daemon's end. */
static void say_daemon(void *process)
{
    say(mp_process_is_alive(process) ? "runs" : "ended");
}

static mp_conn_t *go;

static void let_go(void *unused)
{
    (void)unused;
    MP_CHECK(mp_conn_send(go, 1) == MP_OK);
}

static mp_status_t print_then(mp_call_t *call)
{
    mp_value_t value;
    MP_CHECK(mp_conn_recv(mp_arg_conn(call, 0), &value) == MP_OK);
    printf("child ");
    return MP_OK;
}

static mp_status_t stay(mp_call_t *call)
{
    (void)call;
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

MP_PROGRAM(adds_around_its_children)
{
    mp_process_t *daemon;
    mp_process_options_t options = {.daemon = true};
    mp_conn_t *theirs;
    add(-1, "behind");
    MP_CHECK(mp_pipe(&theirs, &go, MP_ONE_WAY) == MP_OK);
    MP_CHECK(mp_process_start(NULL, print_then, mp_args(theirs)) == MP_OK);
    MP_CHECK(mp_at_exit(0, let_go, NULL) == MP_OK);
    MP_CHECK(mp_process_start_with(&daemon, stay, mp_args(), &options) == MP_OK);
    MP_CHECK(mp_at_exit(0, say_daemon, daemon) == MP_OK);
    MP_CHECK(mp_at_exit(-1, say_daemon, daemon) == MP_OK);
    MP_CHECK(mp_at_exit(0, NULL, daemon) == MP_INVALID);
    return 0;
}

MP_CASE(negative_priorities_come_behind_the_children)
{
    char output[400];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "adds_around_its_children", output, sizeof output), 0);
    CU_ASSERT_STRING_EQUAL(output, "runs child ended behind ");
}

MP_CASE(each_process_runs_its_own)
{
    char output[400];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "starts_some_that_add", output, sizeof output), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "own parent "));
    CU_ASSERT_PTR_NULL(strstr(output, "parent own"));
}

/* ---- the end, while another thread collects what nobody holds, as each start does */

static mp_queue_t *told;

static mp_status_t end_later(mp_call_t *call)
{
    mp_sleep(mp_arg_double(call, 0));
    return MP_OK;
}

static mp_status_t tell_later(mp_call_t *call)
{
    mp_sleep(0.5);
    return mp_queue_put(mp_arg_queue(call, 0), 1, 0);
}

static void collect(void *unused)
{
    (void)unused;
    for (;;)
        mp__processes_collect();
}

static void look_whether_told(void *unused)
{
    uint64_t size = 0;
    (void)unused;
    mp_test_end_now(mp_queue_size(told, &size) == MP_OK && size == 1 ? 7 : 8);
}

MP_PROGRAM(ends_while_children_are_collected)
{
    static mp_test_thread_t thread;
    MP_CHECK(mp_queue_create(&told, 0) == MP_OK);
    MP_CHECK(mp_at_exit(-1, look_whether_told, NULL) == MP_OK);
    MP_CHECK(mp_process_start(NULL, tell_later, mp_args(told)) == MP_OK);
    for (int i = 0; i < 8; i++)
        MP_CHECK(mp_process_start(NULL, end_later, mp_args(0.05 * (8 - i))) == MP_OK);
    mp_test_thread_start(&thread, collect, NULL);
    return 0;
}

MP_CASE(the_end_waits_for_all_though_they_are_collected)
{
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "ends_while_children_are_collected", NULL, 0), 7);
}

/* ---- children at pipes, and daemons that go on */

static mp_status_t read_all(mp_call_t *call)
{
    (void)call;
    while (getchar() != EOF)
        ;
    return MP_OK;
}

static mp_status_t write_much(mp_call_t *call)
{
    static char block[1 << 16];
    (void)call;
    for (int i = 0; i < 16 && fwrite(block, sizeof block, 1, stdout) == 1; i++)
        ;
    return MP_OK;
}

/* The program's end closes its ends of the pipes: nobody waits for ever at the other one. */
MP_PROGRAM(leaves_children_at_their_pipes)
{
    mp_process_options_t reads = {.input = {MP_STDIO_PIPE, NULL}}, writes = {.output = {MP_STDIO_PIPE, NULL}};
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        mp_process_t *process;
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        MP_CHECK(mp_process_start_with(&process, read_all, mp_args(), &reads) == MP_OK);
        MP_CHECK(mp_process_start_with(&process, write_much, mp_args(), &writes) == MP_OK);
    }
    return 6;
}

MP_CASE(the_end_closes_the_childrens_pipes)
{
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "leaves_children_at_their_pipes", NULL, 0), 6);
}

static mp_status_t goes_on(mp_call_t *call)
{
    signal(SIGTERM, SIG_IGN);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 0), 1, 0) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

#define DAEMONS 6

MP_PROGRAM(leaves_daemons_that_go_on)
{
    mp_process_options_t options = {.daemon = true};
    mp_queue_t *ready;
    mp_value_t value;
    MP_CHECK(mp_queue_create(&ready, 0) == MP_OK);
    for (int i = 0; i < DAEMONS; i++) {
        mp_process_t *process;
        MP_CHECK(mp_process_start_with(&process, goes_on, mp_args(ready), &options) == MP_OK);
        MP_CHECK(mp_queue_get(ready, &value, MP_FOREVER) == MP_OK);
    }
    MP_CHECK(mp_queue_close(ready) == MP_OK);
    return 5;
}

/* Two seconds for all of them together. */
MP_CASE(daemons_have_one_grace_together)
{
    double began = mp_now();
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "leaves_daemons_that_go_on", NULL, 0), 5);
    EXPECT_WITHIN(began, 1.5 * DAEMONS);
}

MP_GUARDED_CASES(MP_ROW(by_priority_and_the_newest_first), MP_ROW(children_are_joined_behind_them),
                 MP_ROW(each_process_runs_its_own), MP_ROW(H1), MP_ROW(negative_priorities_come_behind_the_children),
                 MP_ROW(the_end_waits_for_all_though_they_are_collected), MP_SUB(ends_while_children_are_collected),
                 MP_ROW(the_end_closes_the_childrens_pipes), MP_SUB(leaves_children_at_their_pipes),
                 MP_ROW(daemons_have_one_grace_together), MP_SUB(leaves_daemons_that_go_on),
                 MP_SUB(adds_around_its_children), MP_SUB(adds_some_and_forks), MP_SUB(adds_some),
                 MP_SUB(adds_one_and_starts_one), MP_SUB(starts_some_that_add));
