/* Processes: start, join, end, exit codes, names, start methods. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include "family/alloc.h"
#include "objects/process_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a child gets ---- */

static mp_status_t echo(mp_call_t *call)
{
    mp_process_t *self = mp_current_process(), *parent = mp_parent_process();
    MP_CHECK(parent && mp_process_is_alive(self) && mp_process_is_alive(parent));
    MP_CHECK(mp_getppid() == mp_process_pid(parent) && mp_getpid() == mp_process_pid(self));
    return mp_conn_send(mp_arg_conn(call, 0),
                        mp_list(mp_arg(call, 1), mp_arg(call, 2), mp_arg(call, 3), mp_getpid(), mp_process_name(self),
                                mp_getppid(), mp_process_name(parent), (uint64_t)mp_arg_count(call)));
}

/* A1 */
static void expect_echo(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t answer;
    mp_process_options_t options = {.name = "Echo"};
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start_with(&process, echo,
                                     mp_args(theirs, "text", mp_list(1, 2.5, MP_NONE), mp_dict("k", -1)), &options));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_recv(conn, &answer));
    CU_ASSERT(mp_value_equal(answer, mp_list("text", mp_list(1, 2.5, MP_NONE), mp_dict("k", -1),
                                             mp_process_pid(process), "Echo", mp_getpid(), "MainProcess", 4)));
    mp_value_free(&answer);
    CU_ASSERT_STRING_EQUAL(mp_process_name(process), "Echo");
    mp_test_expect_end(process, 0);
    EXPECT_STATUS(mp_conn_recv(conn, &answer), MP_END);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(a_child_gets_its_arguments_and_its_identity)
{
    mp_test_objects();
    CU_ASSERT_PTR_NULL(mp_parent_process());
    CU_ASSERT_STRING_EQUAL(mp_process_name(mp_current_process()), "MainProcess");
    CU_ASSERT_EQUAL(mp_process_pid(mp_current_process()), mp_getpid());
    mp_test_each_method(expect_echo);
}

/* ---- names ---- */

static mp_status_t tell_name(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    int64_t depth = mp_arg_int(call, 1);
    MP_CHECK(mp_queue_put(queue, mp_process_name(mp_current_process()), MP_FOREVER) == MP_OK);
    for (int i = 0; i < 2 && depth > 0; i++) {
        mp_process_t *process;
        MP_CHECK(mp_process_start(&process, tell_name, mp_args(queue, depth - 1)) == MP_OK);
        MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_close(process) == MP_OK);
    }
    return MP_OK;
}

/* A10: one after the other, so the order is certain. */
static void expect_names(void)
{
    static const char *const behind[] = {"", ":1", ":1:1", ":1:2", ":2", ":2:1", ":2:2"};
    mp_queue_t *queue;
    mp_process_t *process;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_process_start(&process, tell_name, mp_args(queue, 2)));
    char root[64], expected[80];
    snprintf(root, sizeof root, "%s", mp_process_name(process));
    CU_ASSERT_EQUAL(strncmp(root, "Process-", 8), 0);
    mp_test_expect_end(process, 0);
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        mp_value_t name;
        snprintf(expected, sizeof expected, "%s%s", root, behind[i]);
        EXPECT_OK(mp_queue_get(queue, &name, 0));
        CU_ASSERT_STRING_EQUAL(mp_value_str(name), expected);
        mp_value_free(&name);
    }
    uint64_t size;
    EXPECT_OK(mp_queue_size(queue, &size));
    CU_ASSERT_EQUAL(size, 0);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(a_tree_of_processes_is_numbered)
{
    mp_test_objects();
    mp_test_each_method(expect_names);
}

/* ---- exit codes ---- */

static mp_status_t end_with(mp_call_t *call)
{
    const char *how = mp_arg_str(call, 0);
    int code = (int)mp_arg_int(call, 1);
    if (strcmp(how, "exit") == 0)
        return mp_exit(call, code);
    if (strcmp(how, "fail") == 0)
        return mp_fail(call, code, "it failed");
    if (strcmp(how, "exit ok") == 0) {
        mp_exit(call, code);
        return MP_OK;
    }
    if (strcmp(how, "wrong argument") == 0) {
        mp_arg_int(call, 0);
        return MP_OK;
    }
    return (mp_status_t)code;
}

static void expect_code(const char *how, int code, int expected)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, end_with, mp_args(how, code)));
    mp_test_expect_end(process, expected);
}

/* A4 */
static void expect_codes(void)
{
    bool posix = mp_test_is_posix();
    expect_code("exit", 0, 0);
    expect_code("exit", 7, 7);
    expect_code("exit", 300, posix ? 44 : 300);
    expect_code("exit", -1, posix ? 255 : -1);
    expect_code("exit ok", 3, 3);
    expect_code("fail", 5, 1);
    expect_code("wrong argument", 0, 1);
    expect_code("status", MP_OK, 0);
    expect_code("status", MP_TIMEOUT, 1);
}

MP_CASE(exit_codes)
{
    mp_test_objects();
    mp_test_each_method(expect_codes);
}

/* ---- join, terminate, kill ---- */

static mp_status_t stay(mp_call_t *call)
{
    if (mp_arg_count(call) > 0) {
        MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), 1) == MP_OK);
        mp_value_t none;
        mp_conn_recv(mp_arg_conn(call, 0), &none);
        return MP_OK;
    }
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

/* A5, A8 */
static void expect_running(void)
{
    mp_process_t *process;
    int code = 77;
    REQUIRE_OK(mp_process_start(&process, stay, mp_args()));
    double began = mp_now();
    EXPECT_STATUS(mp_process_join(process, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_process_join(process, -1), MP_TIMEOUT);
    CU_ASSERT(mp_now() - began < mp_test_seconds(0.2));
    began = mp_now();
    EXPECT_STATUS(mp_process_join(process, 0.2), MP_TIMEOUT);
    CU_ASSERT(mp_now() - began >= 0.2);
    EXPECT_STATUS(mp_process_join(process, (double)NAN), MP_INVALID);
    CU_ASSERT(mp_process_is_alive(process));
    EXPECT_STATUS(mp_process_exitcode(process, &code), MP_RUNNING);
    CU_ASSERT_EQUAL(code, 77);
    EXPECT_STATUS(mp_process_close(process), MP_RUNNING);
    EXPECT_OK(mp_process_terminate(process));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_join(process, 0));
    CU_ASSERT_FALSE(mp_process_is_alive(process));
    EXPECT_OK(mp_process_terminate(process));
    EXPECT_OK(mp_process_kill(process));
    mp_test_expect_end(process, -15);
}

MP_CASE(a_running_process_is_not_joined_nor_closed)
{
    mp_test_objects();
    mp_test_each_method(expect_running);
}

/* A6 */
static void expect_kill(void)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, stay, mp_args()));
    double began = mp_now();
    EXPECT_OK(mp_process_kill(process));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    CU_ASSERT(mp_now() - began < mp_test_seconds(1));
    mp_test_expect_end(process, -9);
}

MP_CASE(a_killed_process_is_joined_at_once)
{
    mp_test_objects();
    mp_test_each_method(expect_kill);
}

/* A13 */
static void terminate_many(void)
{
    mp_process_t *processes[30];
    for (int i = 0; i < 30; i++)
        REQUIRE_OK(mp_process_start(&processes[i], stay, mp_args()));
    for (int i = 0; i < 30; i++)
        EXPECT_OK(mp_process_terminate(processes[i]));
    for (int i = 0; i < 30; i++)
        mp_test_expect_end(processes[i], -15);
}

MP_CASE(many_are_terminated_at_once)
{
    mp_test_objects();
    mp_test_each_method(terminate_many);
}

MP_CASE(nothing_is_no_process)
{
    int code;
    EXPECT_STATUS(mp_process_join(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_process_terminate(NULL), MP_INVALID);
    EXPECT_STATUS(mp_process_kill(NULL), MP_INVALID);
    EXPECT_STATUS(mp_process_exitcode(NULL, &code), MP_INVALID);
    EXPECT_OK(mp_process_close(NULL));
    CU_ASSERT_FALSE(mp_process_is_alive(NULL));
    CU_ASSERT_STRING_EQUAL(mp_process_name(NULL), "");
    CU_ASSERT_EQUAL(mp_process_pid(NULL), 0);
    CU_ASSERT(mp_process_is_alive(mp_current_process()));
    EXPECT_STATUS(mp_process_join(mp_current_process(), 0), MP_INVALID);
    EXPECT_STATUS(mp_process_kill(mp_current_process()), MP_INVALID);
    EXPECT_STATUS(mp_process_close(mp_current_process()), MP_INVALID);
}

static void join_it(void *process)
{
    MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
    MP_CHECK(!mp_process_is_alive(process));
}

/* From the moment that it runs. */
static void join_by_many(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t one;
    mp_test_thread_t threads[4];
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, stay, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_recv(conn, &one));
    for (int i = 0; i < 4; i++)
        mp_test_thread_start(&threads[i], join_it, process);
    CU_ASSERT(mp_process_is_alive(process));
    EXPECT_OK(mp_conn_close(conn));
    for (int i = 0; i < 4; i++)
        mp_test_thread_join(&threads[i]);
    mp_test_expect_end(process, 0);
}

MP_CASE(threads_join_the_same_process)
{
    mp_test_objects();
    mp_test_each_method(join_by_many);
}

static void start_and_join(void *context)
{
    (void)context;
    for (int i = 0; i < 10; i++) {
        mp_process_t *process;
        mp_process_options_t options = {.fork_with_threads = true};
        int code;
        MP_CHECK(mp_process_start_with(&process, end_with, mp_args("exit", i), &options) == MP_OK);
        MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_exitcode(process, &code) == MP_OK && code == i);
        MP_CHECK(mp_process_close(process) == MP_OK);
    }
}

static void start_by_many(void)
{
    mp_test_thread_t threads[4];
    /* The sanitizer's own allocator does not survive a fork while another thread is in it. */
    if (mp_test_is_sanitized() && strcmp(mp_get_start_method(), "fork") == 0)
        return;
    for (int i = 0; i < 4; i++)
        mp_test_thread_start(&threads[i], start_and_join, NULL);
    for (int i = 0; i < 4; i++)
        mp_test_thread_join(&threads[i]);
}

MP_CASE(threads_start_processes)
{
    mp_test_objects();
    mp_test_each_method(start_by_many);
}

/* ---- what a child has beside its arguments ---- */

static mp_status_t read_input(mp_call_t *call)
{
    return mp_exit(call, getchar() == EOF ? 3 : 4);
}

/* A17 */
static void expect_no_input(void)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, read_input, mp_args()));
    mp_test_expect_end(process, 3);
}

MP_CASE(a_childs_input_is_empty)
{
    mp_test_objects();
    mp_test_each_method(expect_no_input);
}

static mp_status_t count_handles(mp_call_t *call)
{
    static uintptr_t handles[4096];
    return mp_queue_put(mp_arg_queue(call, 0), (uint64_t)mp_test_handles(handles, 4096), MP_FOREVER);
}

/* A14: what the parent has open meanwhile makes no difference to a child that is executed. */
static void expect_same_handles(void)
{
    mp_queue_t *queue;
    mp_conn_t *conns[10];
    uint64_t first = 0;
    bool executed = strcmp(mp_get_start_method(), "spawn") == 0;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    for (int i = 0; i < 5; i++) {
        mp_process_t *process;
        mp_value_t count;
        REQUIRE_OK(mp_pipe(&conns[2 * i], &conns[2 * i + 1], MP_DUPLEX));
        REQUIRE_OK(mp_process_start(&process, count_handles, mp_args(queue)));
        mp_test_expect_end(process, 0);
        REQUIRE_OK(mp_queue_get(queue, &count, 0));
        if (i == 0)
            first = mp_value_uint(count);
        /* Wine's own descriptors vary by a few. */
        CU_ASSERT(!executed || mp_test_emulator() || mp_value_uint(count) == first);
        CU_ASSERT(mp_value_uint(count) > 0);
    }
    for (int i = 0; i < 10; i++)
        EXPECT_OK(mp_conn_close(conns[i]));
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(children_have_the_same_handles)
{
    mp_test_objects();
    mp_test_each_method(expect_same_handles);
}

static mp_status_t check_bytes(mp_call_t *call)
{
    size_t size;
    const uint8_t *bytes = mp_arg_bytes(call, 0, &size);
    for (size_t i = 0; i < size; i++)
        MP_CHECK(bytes[i] == (uint8_t)(i * 31 >> 3));
    return mp_exit(call, size == 10000000 ? 6 : 7);
}

/* A21: the arguments wait in shared memory, so a start depends on nobody who reads. */
static void pass_10_megabytes(void)
{
    static uint8_t bytes[10000000];
    mp_process_t *process;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    REQUIRE_OK(mp_process_start(&process, check_bytes, mp_args(mp_bytes(bytes, sizeof bytes))));
    mp_test_expect_end(process, 6);
    for (int i = 0; i < 5; i++) {
        double began = mp_now();
        REQUIRE_OK(mp_process_start(&process, check_bytes, mp_args(mp_bytes(bytes, sizeof bytes))));
        EXPECT_OK(mp_process_kill(process));
        EXPECT_OK(mp_process_join(process, mp_test_patience()));
        CU_ASSERT(mp_now() - began < mp_test_seconds(1));
        EXPECT_OK(mp_process_close(process));
    }
}

MP_CASE(ten_megabytes_of_arguments)
{
    mp_test_objects();
    mp_test_each_method(pass_10_megabytes);
}

/* ---- what cannot be started ---- */

MP_CASE(what_cannot_be_started_says_why)
{
    char name[100];
    mp_test_objects();
    mp_process_t *process = mp_current_process();
    EXPECT_STATUS(mp_process_start(&process, NULL, mp_args()), MP_INVALID);
    CU_ASSERT_PTR_NULL(process);
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    mp_process_options_t options = {.name = name};
    EXPECT_STATUS(mp_process_start_with(&process, stay, mp_args(), &options), MP_TOO_LARGE);
    options = (mp_process_options_t){.method = (mp_start_method_t)9};
    EXPECT_STATUS(mp_process_start_with(&process, stay, mp_args(), &options), MP_INVALID);
    options.method = MP_START_FORK;
    if (!mp_test_is_posix())
        EXPECT_STATUS(mp_process_start_with(&process, stay, mp_args(), &options), MP_UNSUPPORTED);
    CU_ASSERT_NOT_EQUAL(mp_process_start(&process, stay, mp_args(mp_str("\xff", 1))), MP_OK);
    CU_ASSERT_PTR_NULL(process);
    CU_ASSERT_NOT_EQUAL(mp_process_start(&process, stay, mp_args(mp_current_process())), MP_OK);
    EXPECT_STATUS(mp_set_start_method("thread", true), MP_INVALID);
    EXPECT_STATUS(mp_set_start_method(NULL, true), MP_INVALID);
}

#define NO_LIMIT 55

MP_PROGRAM(has_no_handles_left)
{
    mp_process_t *process;
    start_and_join(NULL);
    uint64_t before = mp__blocks_in_use();
    if (!mp_test_limit_handles(0))
        return NO_LIMIT;
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        MP_CHECK(mp_process_start(&process, stay, mp_args()) == MP_LIMIT);
        MP_CHECK(!process);
        MP_CHECK(mp__blocks_in_use() == before);
    }
    mp_test_end_now(0); /* a sanitizer would like to open files at the end */
    return 0;
}

MP_CASE(no_handles_left)
{
    int code = mp_test_run(mp_test_program(), "has_no_handles_left", NULL, 0);
    if (code == NO_LIMIT)
        mp_skip("no such limit here");
    CU_ASSERT_EQUAL(code, 0);
}

/* ---- spawn executes, fork does not ---- */

static int memory = 1;

static mp_status_t look_at_memory(mp_call_t *call)
{
    return mp_exit(call, memory);
}

static int start_and_look(const mp_process_options_t *options)
{
    mp_process_t *process;
    int code = -1000;
    memory = 2;
    MP_CHECK(mp__process_start(&process, look_at_memory, mp_args(), options, options ? sizeof *options : 0) == MP_OK);
    MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_process_exitcode(process, &code) == MP_OK);
    MP_CHECK(mp_process_close(process) == MP_OK);
    return code;
}

MP_CASE(spawn_executes_and_fork_does_not)
{
    mp_test_objects();
    REQUIRE_OK(mp_set_start_method("spawn", true));
    CU_ASSERT_EQUAL(start_and_look(NULL), 1);
    if (!mp_test_is_posix()) {
        EXPECT_STATUS(mp_set_start_method("fork", true), MP_UNSUPPORTED);
        return;
    }
    REQUIRE_OK(mp_set_start_method("fork", true));
    CU_ASSERT_EQUAL(start_and_look(NULL), 2);
}

/* ---- which method: option, then mp_set_start_method, the parent's, the environment, spawn ---- */

#define SPAWNED 1
#define FORKED  2

/* What a grandchild of this program sees. */
static mp_status_t look_in_a_child(mp_call_t *call)
{
    return mp_exit(call, start_and_look(NULL));
}

static int start_method_child(mp_start_method_t method, mp_function_t function)
{
    mp_process_options_t options = {.method = method};
    mp_process_t *process;
    int code = -1000;
    MP_CHECK(mp_process_start_with(&process, function, mp_args(), &options) == MP_OK);
    MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_process_exitcode(process, &code) == MP_OK);
    MP_CHECK(mp_process_close(process) == MP_OK);
    return code;
}

MP_PROGRAM(environment_says_fork)
{
    mp_process_options_t spawn = {.method = MP_START_SPAWN};
    MP_CHECK(strcmp(mp_get_start_method(), "fork") == 0);
    MP_CHECK(start_and_look(NULL) == FORKED);
    MP_CHECK(start_and_look(&spawn) == SPAWNED);
    MP_CHECK(start_method_child(MP_START_SPAWN, look_in_a_child) == SPAWNED); /* the parent's, not the environment's */
    MP_CHECK(mp_set_start_method("spawn", false) == MP_OK);
    MP_CHECK(start_and_look(NULL) == SPAWNED);
    MP_CHECK(mp_set_start_method("fork", false) == MP_STATE);
    MP_CHECK(mp_set_start_method("fork", true) == MP_OK);
    MP_CHECK(start_and_look(NULL) == FORKED);
    MP_CHECK(start_and_look(&spawn) == SPAWNED);
    return 0;
}

MP_PROGRAM(environment_says_nothing)
{
    MP_CHECK(strcmp(mp_get_start_method(), "spawn") == 0);
    MP_CHECK(start_and_look(NULL) == SPAWNED);
    if (mp__os_caps()->fork)
        MP_CHECK(start_method_child(MP_START_FORK, look_in_a_child) == FORKED);
    return 0;
}

MP_PROGRAM(environment_says_nonsense)
{
    mp_process_t *process;
    MP_CHECK(strcmp(mp_get_start_method(), "thread") == 0);
    MP_CHECK(mp_process_start(&process, look_at_memory, mp_args()) == MP_INVALID);
    MP_CHECK(strstr(mp_error()->text, "thread") && strstr(mp_error()->text, "MP_START_METHOD"));
    MP_CHECK(mp_set_start_method("spawn", false) == MP_OK);
    MP_CHECK(start_and_look(NULL) == SPAWNED);
    return 0;
}

/* The program's exit code, run with that environment. */
static int run_with(const char *program, const char *variable)
{
    const char *const arguments[] = {mp_test_program(), program, NULL};
    const char *const environment[] = {variable, NULL};
    mp__os_spawn_t spawn = {.path = mp_test_program(), .arguments = arguments, .environment = environment};
    mp__os_process_t process;
    REQUIRE_OK(mp__os_spawn(&spawn, &process));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(MP_TEST_PATIENCE)));
    int code = process.exit.code;
    mp__os_process_close(&process);
    return code;
}

MP_CASE(the_start_method_is_chosen_in_order)
{
    mp_test_warm_up();
    CU_ASSERT_EQUAL(run_with("environment_says_nothing", "MP_START_METHOD="), 0);
    CU_ASSERT_EQUAL(run_with("environment_says_nothing", "MP_START_METHOD=spawn"), 0);
    CU_ASSERT_EQUAL(run_with("environment_says_nonsense", "MP_START_METHOD=thread"), 0);
    if (mp_test_is_posix())
        CU_ASSERT_EQUAL(run_with("environment_says_fork", "MP_START_METHOD=fork"), 0);
}

MP_CASE(the_methods_of_this_system)
{
    const char *const *all = mp_all_start_methods();
    CU_ASSERT_STRING_EQUAL(all[0], "spawn");
    CU_ASSERT_EQUAL(all[1] != NULL, mp_test_is_posix());
    EXPECT_OK(mp_set_start_method("spawn", false));
    EXPECT_STATUS(mp_set_start_method("spawn", false), MP_STATE);
    CU_ASSERT_STRING_EQUAL(mp_get_start_method(), "spawn");
}

/* ---- the end of the parent ---- */

static mp_status_t print_late(mp_call_t *call)
{
    mp_sleep(0.1);
    printf("child %s\n", mp_arg_str(call, 0));
    return MP_OK;
}

MP_PROGRAM(leaves_its_children)
{
    mp_process_t *kept;
    MP_CHECK(mp_process_start(NULL, print_late, mp_args("one")) == MP_OK);
    MP_CHECK(mp_process_start(&kept, print_late, mp_args("two")) == MP_OK);
    return 5;
}

/* They were joined: a child whose parent has gone would have been ended before it printed. */
MP_CASE(children_that_nobody_joined_are_joined_when_the_program_ends)
{
    char output[1000];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "leaves_its_children", output, sizeof output), 5);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "child one"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "child two"));
}

static void start_and_forget(void)
{
    for (int i = 0; i < 20; i++)
        EXPECT_OK(mp_process_start(NULL, end_with, mp_args("exit", 0)));
    /* A start collects those that have ended. */
    mp_process_t *process;
    double until = mp_now() + mp_test_patience();
    do {
        REQUIRE_OK(mp_process_start(&process, end_with, mp_args("exit", 0)));
        mp_test_expect_end(process, 0);
    } while (mp_test_zombies() && mp_now() < until);
    CU_ASSERT_FALSE(mp_test_zombies());
}

MP_CASE(forgotten_children_are_collected)
{
    mp_test_objects();
    mp_test_each_method(start_and_forget);
}

static size_t forgotten(void)
{
    size_t count = 0;
    REQUIRE_OK(mp__children_lock());
    for (const mp_process_t *process = mp__children_first(); process; process = process->next)
        count += process->abandoned;
    mp__children_unlock();
    return count;
}

static void forget_and_list(void)
{
    size_t count = 1;
    for (int i = 0; i < 5; i++)
        EXPECT_OK(mp_process_start(NULL, end_with, mp_args("exit", 0)));
    double until = mp_now() + mp_test_patience();
    do {
        EXPECT_OK(mp_active_children(NULL, 0, &count));
        CU_ASSERT_EQUAL(count, 0);
    } while (forgotten() && mp_now() < until);
    CU_ASSERT_EQUAL(forgotten(), 0);
}

MP_CASE(forgotten_children_are_collected_when_the_children_are_listed)
{
    mp_test_objects();
    mp_test_each_method(forget_and_list);
}

/* The generations below hold their ends of the connection open until they end. */
static mp_status_t start_generations(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    int64_t below = mp_arg_int(call, 1);
    mp_process_t *process;
    if (below > 0)
        MP_CHECK(mp_process_start(&process, start_generations, mp_args(conn, below - 1)) == MP_OK);
    else
        MP_CHECK(mp_conn_send(conn, mp_process_name(mp_current_process())) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

/* A11 */
static void kill_a_parent(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t value;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_ONE_WAY));
    REQUIRE_OK(mp_process_start(&process, start_generations, mp_args(theirs, 2)));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_recv(conn, &value));
    mp_value_free(&value);
    EXPECT_STATUS(mp_conn_poll(conn, 0), MP_TIMEOUT);
    mp_test_expect_killed(process);
    EXPECT_OK(mp_conn_poll(conn, mp_test_seconds(5)));
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(a_killed_parent_takes_all_below_it_along)
{
    mp_test_objects();
    mp_test_each_method(kill_a_parent);
}

MP_CASE(a_closed_process_says_so_everywhere)
{
    mp_process_t *process;
    mp_process_result_t result;
    char byte;
    size_t size = 1;
    int code;
    mp_test_objects();
    REQUIRE_OK(mp_process_start(&process, end_with, mp_args("exit", 0)));
    EXPECT_STATUS(mp_process_exitcode(process, NULL), MP_INVALID);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "no place for it");
    EXPECT_STATUS(mp_process_result(process, NULL), MP_INVALID);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "no place for it");
    mp_test_expect_end(process, 0);
    EXPECT_STATUS(mp_process_exitcode(process, &code), MP_CLOSED);
    EXPECT_STATUS(mp_process_result(process, &result), MP_CLOSED);
    EXPECT_STATUS(mp_process_kill_tree(process), MP_CLOSED);
    EXPECT_STATUS(mp_process_stop(process, 1), MP_CLOSED);
    EXPECT_STATUS(mp_process_start_wait(process, 1), MP_CLOSED);
    EXPECT_STATUS(mp_process_read(process, MP_STDOUT, &byte, &size, 0), MP_CLOSED);
    EXPECT_STATUS(mp_process_write(process, "x", 1, NULL, mp_test_patience()), MP_CLOSED);
    EXPECT_OK(mp_process_close(process));
}

MP_CASE(a_long_name_and_many_handles_are_too_large)
{
    mp_process_t *process;
    mp_value_t arguments[65];
    mp_conn_t *conn, *theirs;
    mp_process_options_t options = {.name = "0123456789012345678901234567890123456789012345678901234567890123"};
    mp_test_objects();
    EXPECT_STATUS(mp_process_start_with(&process, end_with, mp_args("exit", 0), &options), MP_TOO_LARGE);
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_ONE_WAY));
    for (size_t i = 0; i < 65; i++)
        arguments[i] = mp_of(conn);
    EXPECT_STATUS(mp_process_start(&process, end_with, ((mp_args_t){arguments, 65})), MP_TOO_LARGE);
    EXPECT_STATUS(mp_process_start(&process, end_with, mp_args(mp_current_process())), MP_NOT_SENDABLE);
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_conn_close(theirs));
}

MP_GUARDED_CASES(
    MP_ROW(a_closed_process_says_so_everywhere), MP_ROW(a_long_name_and_many_handles_are_too_large),
    MP_ROW(a_child_gets_its_arguments_and_its_identity), MP_ROW(a_tree_of_processes_is_numbered), MP_ROW(exit_codes),
    MP_ROW(a_running_process_is_not_joined_nor_closed), MP_ROW(a_killed_process_is_joined_at_once),
    MP_ROW(many_are_terminated_at_once), MP_ROW(nothing_is_no_process), MP_ROW(threads_join_the_same_process),
    MP_ROW(threads_start_processes), MP_ROW(a_childs_input_is_empty), MP_ROW(children_have_the_same_handles),
    MP_ROW(ten_megabytes_of_arguments), MP_ROW(what_cannot_be_started_says_why), MP_ROW(no_handles_left),
    MP_ROW(spawn_executes_and_fork_does_not), MP_ROW(the_start_method_is_chosen_in_order),
    MP_ROW(the_methods_of_this_system), MP_ROW(children_that_nobody_joined_are_joined_when_the_program_ends),
    MP_ROW(forgotten_children_are_collected), MP_ROW(forgotten_children_are_collected_when_the_children_are_listed),
    MP_ROW(a_killed_parent_takes_all_below_it_along), MP_SUB(environment_says_fork), MP_SUB(environment_says_nothing),
    MP_SUB(environment_says_nonsense), MP_SUB(leaves_its_children), MP_SUB(has_no_handles_left));
