/* Processes behave as Python's: A1 to A21, one case a line of that list, each asserting all of it. Those that need
 * signals are in posix/, A18 in test_unguarded.c, A19 in posix/test_forkserver.c, H1 in test_finalize.c. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include "core/local.h"

#include <apr_env.h>
#include <stdio.h>
#include <string.h>

/* Until its end is wanted: (connection), the other end of which is closed then. */
static mp_status_t stay(mp_call_t *call)
{
    mp_value_t value;
    return mp_conn_recv(mp_arg_conn(call, 0), &value) == MP_END ? MP_OK : MP_FAILED;
}

static mp_status_t sleep_for_ever(mp_call_t *call)
{
    (void)call;
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_status_t end_with(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

static bool is_active(const mp_process_t *process)
{
    mp_process_t *list[8];
    size_t count;
    MP_CHECK(mp_active_children(list, 8, &count) == MP_OK && count <= 8);
    for (size_t i = 0; i < count; i++)
        if (list[i] == process)
            return true;
    return false;
}

static mp_process_t *start(mp_function_t function, mp_args_t args)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, function, args));
    return process;
}

static bool is_ready(intptr_t sentinel, double seconds)
{
    bool ready = false;
    mp__os_handle_t handle = sentinel;
    mp_status_t status = mp__os_wait_any(&handle, 1, seconds > 0 ? mp_test_deadline(seconds) : 0, &ready);
    CU_ASSERT(status == MP_OK || status == MP_TIMEOUT);
    return ready;
}

/* ---- A1: gets identical args, own pid, name; exit 0; not in active list */

static mp_status_t echo(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    mp_value_t wait;
    MP_CHECK(mp_conn_send(conn, mp_list(mp_arg(call, 1), mp_arg(call, 2), mp_getpid(),
                                        mp_process_name(mp_current_process()), mp_process_pid(mp_current_process()))) ==
             MP_OK);
    MP_CHECK(mp_conn_recv(conn, &wait) == MP_END);
    return MP_OK;
}

static void expect_a1(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t answer;
    mp_process_options_t options = {.name = "Echo"};
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start_with(&process, echo, mp_args(theirs, "text", mp_list(1, 2.5, MP_NONE)), &options));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_recv(conn, &answer));
    int pid = mp_process_pid(process);
    CU_ASSERT(pid != mp_getpid());
    CU_ASSERT(mp_value_equal(answer, mp_list("text", mp_list(1, 2.5, MP_NONE), pid, "Echo", pid)));
    mp_value_free(&answer);
    CU_ASSERT(is_active(process));
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    CU_ASSERT_FALSE(is_active(process));
    mp_test_expect_end(process, 0);
}

MP_CASE(A1)
{
    mp_test_objects();
    mp_test_each_method(expect_a1);
}

static mp_status_t tell_key(mp_call_t *call)
{
    const void *key;
    size_t size;
    MP_CHECK(mp_authkey(&key, &size) == MP_OK);
    return mp_queue_put(mp_arg_queue(call, 0), mp_bytes(key, size), MP_FOREVER);
}

static void expect_same_key(void)
{
    mp_queue_t *queue;
    mp_value_t told;
    const void *key;
    size_t size;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    mp_test_expect_end(start(tell_key, mp_args(queue)), 0);
    EXPECT_OK(mp_queue_get(queue, &told, 0));
    EXPECT_OK(mp_authkey(&key, &size));
    CU_ASSERT(size > 0 && mp_value_equal(told, mp_bytes(key, size)));
    mp_value_free(&told);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(a_child_has_its_parents_key)
{
    const void *key;
    size_t size = 0;
    uint8_t most[MP_AUTHKEY_MAX + 1] = {1};
    mp_test_objects();
    mp_test_each_method(expect_same_key);
    EXPECT_STATUS(mp_authkey(NULL, &size), MP_INVALID);
    EXPECT_STATUS(mp_set_authkey(most, 0), MP_INVALID);
    EXPECT_STATUS(mp_set_authkey(most, sizeof most), MP_INVALID);
    EXPECT_OK(mp_set_authkey(most, MP_AUTHKEY_MAX));
    EXPECT_OK(mp_authkey(&key, &size));
    CU_ASSERT(size == MP_AUTHKEY_MAX && memcmp(key, most, size) == 0);
    mp_test_each_method(expect_same_key);
}

/* ---- A2: an unstarted process has no pid, no exit code, is not alive; its sentinel is an error */

MP_CASE(A2)
{
    mp_test_objects();
    mp_process_t *process = mp_current_process();
    intptr_t sentinel = 1;
    int code = 77;
    EXPECT_STATUS(mp_process_start(&process, NULL, mp_args()), MP_INVALID);
    CU_ASSERT_PTR_NULL(process);
    CU_ASSERT_EQUAL(mp_process_pid(process), 0);
    EXPECT_STATUS(mp_process_exitcode(process, &code), MP_INVALID);
    CU_ASSERT_EQUAL(code, 77);
    CU_ASSERT_FALSE(mp_process_is_alive(process));
    EXPECT_STATUS(mp_process_sentinel(process, &sentinel), MP_INVALID);
    CU_ASSERT_EQUAL(sentinel, -1);
    EXPECT_STATUS(mp_process_sentinel(mp_current_process(), &sentinel), MP_INVALID);
    EXPECT_STATUS(mp_process_sentinel(mp_current_process(), NULL), MP_INVALID);
}

/* ---- A3: a started process cannot be started again nor made a daemon: there is no call that could. What it was
 * started with may change afterwards, and another start is another process. */

static void expect_a3(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *first, *second;
    char name[] = "one";
    mp_process_options_t options = {.name = name};
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start_with(&first, stay, mp_args(theirs), &options));
    options.daemon = true;
    name[0] = 'X';
    CU_ASSERT_FALSE(mp_process_is_daemon(first));
    CU_ASSERT_STRING_EQUAL(mp_process_name(first), "one");
    REQUIRE_OK(mp_process_start_with(&second, stay, mp_args(theirs), &options));
    CU_ASSERT(mp_process_is_daemon(second));
    CU_ASSERT(mp_process_pid(first) != mp_process_pid(second));
    CU_ASSERT(mp_process_is_alive(first));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_close(conn));
    mp_test_expect_end(first, 0);
    mp_test_expect_end(second, 0);
}

MP_CASE(A3)
{
    mp_test_objects();
    mp_test_each_method(expect_a3);
}

/* ---- A4: 0/7/300/-1 are 0/7/44/255 on POSIX, full 32 bit on Windows */

static void expect_a4(void)
{
    bool posix = mp_test_is_posix();
    mp_test_expect_end(start(end_with, mp_args(0)), 0);
    mp_test_expect_end(start(end_with, mp_args(7)), 7);
    mp_test_expect_end(start(end_with, mp_args(300)), posix ? 44 : 300);
    mp_test_expect_end(start(end_with, mp_args(-1)), posix ? 255 : -1);
}

MP_CASE(A4)
{
    mp_test_objects();
    mp_test_each_method(expect_a4);
}

/* ---- A5: join(0), join(-1), join(0.2) of one that sleeps: "running" in about 0/0/0.2 s */

static void expect_a5(void)
{
    mp_process_t *process = start(sleep_for_ever, mp_args());
    double began = mp_now();
    EXPECT_STATUS(mp_process_join(process, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_process_join(process, -1), MP_TIMEOUT);
    CU_ASSERT(mp_now() - began < mp_test_seconds(0.2));
    began = mp_now();
    EXPECT_STATUS(mp_process_join(process, 0.2), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.2);
    mp_test_expect_killed(process);
}

MP_CASE(A5)
{
    mp_test_objects();
    mp_test_each_method(expect_a5);
}

/* ---- A6: terminate and kill: join < 1 s, exit -SIGTERM and -SIGKILL */

static void expect_a6(void)
{
    for (int i = 0; i < 2; i++) {
        mp_process_t *process = start(sleep_for_ever, mp_args());
        double began = mp_now();
        EXPECT_OK(i ? mp_process_kill(process) : mp_process_terminate(process));
        EXPECT_OK(mp_process_join(process, mp_test_patience()));
        CU_ASSERT(mp_now() - began < mp_test_seconds(1));
        mp_test_expect_end(process, i ? -9 : -15);
    }
    CU_ASSERT_STRING_EQUAL(mp_exitcode_name(-9), "SIGKILL");
    CU_ASSERT_STRING_EQUAL(mp_exitcode_name(-15), "SIGTERM");
    CU_ASSERT_STRING_EQUAL(mp_exitcode_name(9), "");
    CU_ASSERT_STRING_EQUAL(mp_exitcode_name(0), "");
}

MP_CASE(A6)
{
    mp_test_objects();
    mp_test_each_method(expect_a6);
}

/* ---- A8: running: close is an error; joined and closed: every later call says so; close again ok */

static void expect_a8(void)
{
    intptr_t sentinel;
    int code = 77;
    mp_process_t *process = start(sleep_for_ever, mp_args());
    EXPECT_STATUS(mp_process_close(process), MP_RUNNING);
    CU_ASSERT(mp_process_is_alive(process));
    EXPECT_OK(mp_process_kill(process));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_close(process));
    EXPECT_STATUS(mp_process_join(process, 0), MP_CLOSED);
    EXPECT_STATUS(mp_process_terminate(process), MP_CLOSED);
    EXPECT_STATUS(mp_process_kill(process), MP_CLOSED);
    EXPECT_STATUS(mp_process_interrupt(process), MP_CLOSED);
    EXPECT_STATUS(mp_process_exitcode(process, &code), MP_CLOSED);
    EXPECT_STATUS(mp_process_sentinel(process, &sentinel), MP_CLOSED);
    EXPECT_STATUS(mp_process_start_wait(process, 0), MP_CLOSED);
    CU_ASSERT_FALSE(mp_process_is_alive(process));
    CU_ASSERT_FALSE(mp_process_is_daemon(process));
    CU_ASSERT_EQUAL(mp_process_pid(process), 0);
    CU_ASSERT_STRING_EQUAL(mp_process_name(process), "");
    EXPECT_OK(mp_process_close(process));
    EXPECT_OK(mp_process_close(NULL));
}

MP_CASE(A8)
{
    mp_test_objects();
    mp_test_each_method(expect_a8);
}

/* ---- A9: the sentinel is not ready; ready within 1 s of the end, also with a grandchild alive */

MP_PROGRAM(outlives_its_starter)
{
    char byte;
    (void)mp__os_channel_read(mp_test_handle(0), &byte, 1);
    return 0;
}

/* Starts one that the library knows nothing of, and leaves it behind (Windows ends it with its starter). */
static mp_status_t leave_one_behind(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    mp__os_handle_t handle = mp_arg_descriptor(call, 1);
    char number[24];
    mp_value_t value;
    mp__os_process_t process;
    snprintf(number, sizeof number, "%lld", (long long)handle);
    const char *const arguments[] = {mp_arg_str(call, 2), "outlives_its_starter", "-1", "1", number, NULL};
    mp__os_spawn_t spawn = {.path = arguments[0], .arguments = arguments, .handles = &handle, .handle_count = 1};
    MP_CHECK(mp__os_spawn(&spawn, &process) == MP_OK);
    MP_CHECK(mp_conn_send(conn, process.pid) == MP_OK);
    MP_CHECK(mp_conn_recv(conn, &value) == MP_END);
    return MP_OK;
}

static void expect_a9(void)
{
    mp_conn_t *conn, *theirs;
    mp__os_handle_t ends[2];
    mp_value_t pid;
    intptr_t sentinel;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp__os_channel_create(true, ends));
    mp_process_t *process = start(leave_one_behind, mp_args(theirs, mp_descriptor(ends[1]), mp_test_program()));
    EXPECT_OK(mp_conn_close(theirs));
    mp__os_handle_close(ends[1]);
    EXPECT_OK(mp_conn_recv(conn, &pid));
    REQUIRE_OK(mp_process_sentinel(process, &sentinel));
    CU_ASSERT_FALSE(is_ready(sentinel, 0));
    EXPECT_OK(mp_conn_close(conn));
    CU_ASSERT(is_ready(sentinel, 1));
    if (mp_test_is_posix())
        CU_ASSERT(mp_test_kill_pid((int32_t)mp_value_int(pid))); /* it was alive */
    mp_test_expect_end(process, 0);
    mp__os_handle_close(ends[0]);
}

MP_CASE(A9)
{
    mp_test_objects();
    mp_test_each_method(expect_a9);
}

/* ---- A10: a tree of depth 2: all 7 ids arrive once */

static mp_status_t grow(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    int64_t depth = mp_arg_int(call, 1);
    mp_process_t *children[2];
    MP_CHECK(mp_queue_put(queue, mp_list(mp_arg(call, 2), mp_getpid()), MP_FOREVER) == MP_OK);
    if (depth == 0)
        return MP_OK;
    for (int i = 0; i < 2; i++) {
        char id[16];
        snprintf(id, sizeof id, "%s%d", mp_arg_str(call, 2), i);
        MP_CHECK(mp_process_start(&children[i], grow, mp_args(queue, depth - 1, (const char *)id)) == MP_OK);
    }
    for (int i = 0; i < 2; i++) {
        MP_CHECK(mp_process_join(children[i], mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_close(children[i]) == MP_OK);
    }
    return MP_OK;
}

static void expect_a10(void)
{
    static const char *const ids[] = {"r", "r0", "r1", "r00", "r01", "r10", "r11"};
    int seen[7] = {0};
    mp_queue_t *queue;
    uint64_t size;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    mp_test_expect_end(start(grow, mp_args(queue, 2, "r")), 0);
    EXPECT_OK(mp_queue_size(queue, &size));
    CU_ASSERT_EQUAL(size, 7);
    for (uint64_t i = 0; i < size; i++) {
        mp_value_t item;
        EXPECT_OK(mp_queue_get(queue, &item, 0));
        for (int k = 0; k < 7; k++)
            seen[k] += strcmp(mp_value_str(mp_value_item(item, 0)), ids[k]) == 0;
        mp_value_free(&item);
    }
    for (int k = 0; k < 7; k++)
        CU_ASSERT_EQUAL(seen[k], 1);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(A10)
{
    mp_test_objects();
    mp_test_each_method(expect_a10);
}

/* ---- A11: main has no parent; a child's parent is this; the parent killed: not alive any more, join returns */

static mp_status_t watch_the_parent_end(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    mp_process_t *parent = mp_parent_process();
    MP_CHECK(parent && mp_process_is_alive(parent));
    MP_CHECK(mp_process_join(parent, 0) == MP_TIMEOUT);
    MP_CHECK(mp_conn_send(conn, mp_list(mp_process_pid(parent), mp_process_name(parent))) == MP_OK);
    mp_status_t status = mp_process_join(parent, mp_test_patience());
    MP_CHECK(mp_conn_send(conn, mp_list((int)status, mp_bool(mp_process_is_alive(parent)))) == MP_OK);
    return MP_OK;
}

static mp_status_t have_a_child(mp_call_t *call)
{
    mp_process_t *process;
    mp_process_options_t options = {.detach = true};
    MP_CHECK(mp_process_start_with(&process, watch_the_parent_end, mp_args(mp_arg_conn(call, 0)), &options) == MP_OK);
    return sleep_for_ever(call);
}

static void expect_a11(void)
{
    mp_conn_t *reader, *writer;
    mp_process_t *process;
    mp_value_t value;
    CU_ASSERT_PTR_NULL(mp_parent_process());
    REQUIRE_OK(mp_pipe(&reader, &writer, MP_ONE_WAY));
    REQUIRE_OK(
        mp_process_start_with(&process, have_a_child, mp_args(writer), &(mp_process_options_t){.name = "Father"}));
    EXPECT_OK(mp_conn_close(writer));
    EXPECT_OK(mp_conn_recv(reader, &value));
    CU_ASSERT(mp_value_equal(value, mp_list(mp_process_pid(process), "Father")));
    mp_value_free(&value);
    EXPECT_OK(mp_process_kill(process));
    EXPECT_OK(mp_conn_recv(reader, &value));
    CU_ASSERT(mp_value_equal(value, mp_list(MP_OK, MP_FALSE)));
    mp_value_free(&value);
    EXPECT_STATUS(mp_conn_recv(reader, &value), MP_END);
    mp_test_expect_end(process, -9);
    EXPECT_OK(mp_conn_close(reader));
}

MP_CASE(A11)
{
    mp_test_objects();
    mp_test_each_method(expect_a11);
}

/* ---- A12: threads are the program's own here: the end of the function ends the process, whatever they do; who wants
 * one to be waited for joins it */

typedef struct work {
    mp_queue_t *queue;
    uint32_t forever;
} work_t;

static void work_in_thread(void *context)
{
    work_t *work = context;
    if (work->forever)
        for (;;)
            mp_test_moment();
    mp_test_moment();
    MP_CHECK(mp_queue_put(work->queue, "worked", MP_FOREVER) == MP_OK);
}

static mp_status_t have_threads(mp_call_t *call)
{
    static work_t endless = {.forever = 1};
    static mp_test_thread_t thread;
    work_t work = {.queue = mp_arg_queue(call, 0)};
    mp_test_thread_t joined;
    mp_test_thread_start(&thread, work_in_thread, &endless);
    mp_test_thread_start(&joined, work_in_thread, &work);
    mp_test_thread_join(&joined);
    return mp_exit(call, 5);
}

static void expect_a12(void)
{
    mp_queue_t *queue;
    mp_value_t value;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    mp_test_expect_end(start(have_threads, mp_args(queue)), 5);
    EXPECT_OK(mp_queue_get(queue, &value, 0));
    mp_value_free(&value);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(A12)
{
    mp_test_objects();
    mp_test_each_method(expect_a12);
}

/* ---- A13: 100 started, terminated at once: all joined, all -SIGTERM, no zombie, as many handles as before */

static void expect_a13(void)
{
    mp_process_t *processes[100];
    static uintptr_t handles[4096];
    size_t before = mp_test_handles(handles, 4096);
    for (int i = 0; i < 100; i++)
        REQUIRE_OK(mp_process_start_begin(&processes[i], sleep_for_ever, mp_args(), NULL));
    for (int i = 0; i < 100; i++)
        EXPECT_OK(mp_process_terminate(processes[i]));
    for (int i = 0; i < 100; i++)
        mp_test_expect_end(processes[i], -15);
    CU_ASSERT(mp_test_emulator() || mp_test_handles(handles, 4096) == before);
}

MP_CASE(A13)
{
    mp_test_objects();
    mp_test_each_method(expect_a13);
}

/* ---- A14: 5 at once have equally many handles; a marked high one of the parent is closed in them */

static mp_status_t count_handles(mp_call_t *call)
{
    static uintptr_t handles[4096];
    mp_value_t value;
    size_t count = mp_test_handles(handles, 4096);
    bool has = false;
    for (size_t i = 0; i < count; i++)
        has = has || handles[i] == (uintptr_t)mp_arg_uint(call, 2);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 0), mp_list((uint64_t)count, mp_bool(has)), MP_FOREVER) == MP_OK);
    return mp_conn_recv(mp_arg_conn(call, 1), &value) == MP_END ? MP_OK : MP_FAILED;
}

static void expect_a14(void)
{
    mp__os_handle_t held[200];
    mp_process_t *processes[5];
    mp_conn_t *conn, *theirs;
    mp_queue_t *queue;
    int64_t first = 0;
    bool executed = strcmp(mp_get_start_method(), "fork") != 0;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    for (int i = 0; i < 200; i += 2)
        REQUIRE_OK(mp__os_channel_create(true, &held[i]));
    for (int i = 0; i < 5; i++)
        processes[i] = start(count_handles, mp_args(queue, theirs, (uint64_t)held[199]));
    for (int i = 0; i < 5; i++) {
        mp_value_t answer;
        EXPECT_OK(mp_queue_get(queue, &answer, mp_test_patience()));
        int64_t count = mp_value_int(mp_value_item(answer, 0));
        first = i ? first : count;
        /* An emulator has descriptors of its own, and a fork copies what the host has open. */
        CU_ASSERT(!executed || mp_test_emulator() || count == first);
        CU_ASSERT(!executed || !mp_value_bool(mp_value_item(answer, 1)) || mp_test_emulator());
        mp_value_free(&answer);
    }
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_close(conn));
    for (int i = 0; i < 5; i++)
        mp_test_expect_end(processes[i], 0);
    for (int i = 0; i < 200; i++)
        mp__os_handle_close(held[i]);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(A14)
{
    mp_test_objects();
    mp_test_each_method(expect_a14);
}

/* ---- A15: the parent returns from main: a daemon is ended, any other is waited for; the parent exits 0 */

static mp_status_t print_late(mp_call_t *call)
{
    (void)call;
    mp_sleep(0.2);
    printf("other ");
    return MP_OK;
}

static mp_status_t refuse_children(mp_call_t *call)
{
    mp_process_t *process;
    MP_CHECK(mp_process_is_daemon(mp_current_process()));
    MP_CHECK(mp_process_start(&process, sleep_for_ever, mp_args()) == MP_STATE && !process);
    return mp_queue_put(mp_arg_queue(call, 0), 1, MP_FOREVER) == MP_OK ? sleep_for_ever(call) : MP_FAILED;
}

MP_PROGRAM(leaves_a_daemon)
{
    mp_process_options_t options = {.daemon = true};
    mp_process_t *daemon, *other;
    mp_queue_t *queue;
    mp_value_t value;
    MP_CHECK(mp_queue_create(&queue, 0) == MP_OK);
    MP_CHECK(!mp_process_is_daemon(mp_current_process()));
    MP_CHECK(mp_process_start_with(&daemon, refuse_children, mp_args(queue), &options) == MP_OK);
    MP_CHECK(mp_process_start(&other, print_late, mp_args()) == MP_OK);
    MP_CHECK(mp_queue_get(queue, &value, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_queue_close(queue) == MP_OK);
    printf("%d ", mp_process_pid(daemon));
    fflush(stdout);
    return 0;
}

MP_CASE(A15)
{
    apr_pool_t *pool;
    mp_test_warm_up();
    REQUIRE_OK(mp__local_pool(&pool));
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        char output[400], word[40] = "";
        int pid = 0;
        CU_ASSERT_EQUAL(apr_env_set("MP_START_METHOD", *method, pool), APR_SUCCESS);
        double began = mp_now();
        CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "leaves_a_daemon", output, sizeof output), 0);
        CU_ASSERT(mp_now() - began < mp_test_seconds(5));
        CU_ASSERT_EQUAL(sscanf(output, "%d %39s", &pid, word), 2);
        CU_ASSERT_STRING_EQUAL(word, "other");
        CU_ASSERT(pid > 0 && !mp_test_kill_pid(pid));
    }
    CU_ASSERT_EQUAL(apr_env_delete("MP_START_METHOD", pool), APR_SUCCESS);
    apr_pool_destroy(pool);
}

/* ---- A17: a child's standard input is at its end */

static mp_status_t read_input(mp_call_t *call)
{
    return mp_exit(call, getchar() == EOF ? 3 : 4);
}

static void expect_a17(void)
{
    mp_test_expect_end(start(read_input, mp_args()), 3);
}

MP_CASE(A17)
{
    mp_test_objects();
    mp_test_each_method(expect_a17);
}

/* ---- A20: set the method twice: error; force: ok; unknown: error; a child's is its parent's */

static mp_status_t tell_method(mp_call_t *call)
{
    return mp_queue_put(mp_arg_queue(call, 0), mp_get_start_method(), MP_FOREVER);
}

static void expect_a20(void)
{
    mp_queue_t *queue;
    mp_value_t value;
    mp_start_method_t set, named;
    const char *method = mp_get_start_method();
    EXPECT_STATUS(mp_set_start_method(method, false), MP_STATE);
    EXPECT_STATUS(mp_set_start_method("thread", true), MP_INVALID);
    EXPECT_STATUS(mp_set_start_method(NULL, true), MP_INVALID);
    EXPECT_OK(mp_set_start_method(method, true));
    EXPECT_OK(mp_start_method_named(NULL, &set));
    EXPECT_OK(mp_start_method_named(method, &named));
    CU_ASSERT(set == named && named != MP_START_DEFAULT);
    EXPECT_STATUS(mp_start_method_named("thread", &named), MP_INVALID);
    CU_ASSERT_EQUAL(named, MP_START_DEFAULT);
    EXPECT_STATUS(mp_start_method_named(method, NULL), MP_INVALID);
    REQUIRE_OK(mp_queue_create(&queue, 0));
    mp_test_expect_end(start(tell_method, mp_args(queue)), 0);
    EXPECT_OK(mp_queue_get(queue, &value, 0));
    CU_ASSERT_STRING_EQUAL(mp_value_str(value), method);
    mp_value_free(&value);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(A20)
{
    mp_test_objects();
    mp_test_each_method(expect_a20);
}

/* ---- A21: an executable that dies before it reads 10 MB of arguments: start is an error within 1 s */

static mp_status_t end_with_size(mp_call_t *call)
{
    size_t size;
    (void)mp_arg_bytes(call, 0, &size);
    return mp_exit(call, size == 10000000 ? 5 : 1);
}

static void expect_a21(void)
{
    static uint8_t bytes[10000000];
    mp_process_t *process = mp_current_process();
    if (strcmp(mp_get_start_method(), "fork") == 0) { /* executes nothing, but takes as much */
        mp_test_expect_end(start(end_with_size, mp_args(mp_bytes(bytes, sizeof bytes))), 5);
        return;
    }
    REQUIRE_OK(mp_set_executable(mp_test_is_posix() ? "/bin/false" : "c:\\windows\\system32\\hostname.exe"));
    double began = mp_now();
    EXPECT_STATUS(mp_process_start(&process, end_with, mp_args(mp_bytes(bytes, sizeof bytes))), MP_DIED);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1));
    CU_ASSERT_PTR_NULL(process);
    REQUIRE_OK(mp_set_executable("no/such/program"));
    EXPECT_STATUS(mp_process_start(&process, end_with, mp_args(0)), MP_NOT_FOUND);
    REQUIRE_OK(mp_set_executable(NULL));
    mp_test_expect_end(start(end_with, mp_args(4)), 4);
}

MP_CASE(A21)
{
    mp_test_objects();
    mp_test_each_method(expect_a21);
}

/* ---- H2: handles, children, memory of the arena, files: as before; each case's end looks for them */

static void use_everything(void)
{
    mp_pool_t *pool;
    mp_manager_t *manager;
    REQUIRE_OK(mp_pool_create(&pool, 2));
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_join(pool, mp_test_patience()));
    EXPECT_OK(mp_pool_free(pool));
    REQUIRE_OK(mp_manager_start(&manager));
    EXPECT_OK(mp_manager_shutdown(manager));
    expect_a10();
    expect_a1();
}

MP_CASE(H2)
{
    mp_test_objects();
    mp_test_each_method(use_everything);
    mp_test_baseline();
    mp_test_each_method(use_everything);
}

MP_GUARDED_CASES(MP_ROW(A1), MP_ROW(a_child_has_its_parents_key), MP_ROW(A2), MP_ROW(A3), MP_ROW(A4), MP_ROW(A5),
                 MP_ROW(A6), MP_ROW(A8), MP_ROW(A9), MP_ROW(A10), MP_ROW(A11), MP_ROW(A12), MP_ROW(A13), MP_ROW(A14),
                 MP_ROW(A15), MP_ROW(A17), MP_ROW(A20), MP_ROW(A21), MP_ROW(H2), MP_SUB(outlives_its_starter),
                 MP_SUB(leaves_a_daemon));
