/* The fork server: A19, and what it has to have in common with the other start methods though it is another process
 * that forks. */
#include "../scene.h"
#include "child.h"
#include "system.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void use_server(void)
{
    mp_test_objects();
    mp_test_settle = mp_test_end_servers;
    REQUIRE_OK(mp_set_start_method("forkserver", true));
}

static mp_status_t end_with(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

/* Tells who forked it, then stays until its end is wanted. */
static mp_status_t stay(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    mp_value_t value;
    MP_CHECK(mp_conn_send(conn, (int)getppid()) == MP_OK);
    return mp_conn_recv(conn, &value) == MP_END ? mp_exit(call, 6) : MP_FAILED;
}

typedef struct staying {
    mp_process_t *process;
    mp_conn_t *conn;
    pid_t server;
} staying_t;

static staying_t start_staying(void)
{
    staying_t staying;
    mp_conn_t *theirs;
    mp_value_t server;
    REQUIRE_OK(mp_pipe(&staying.conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&staying.process, stay, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(staying.conn, &server));
    staying.server = (pid_t)mp_value_int(server);
    CU_ASSERT(staying.server != getpid() && staying.server != mp_process_pid(staying.process));
    return staying;
}

static void start_and_end(int code)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, end_with, mp_args(code)));
    mp_test_expect_end(process, code);
}

/* ---- A19: the server killed: the next start works; a running child's code is its own or "unknown", never a hang */

MP_CASE(A19)
{
    int code = 77;
    use_server();
    staying_t ends = start_staying(), killed = start_staying();
    CU_ASSERT_EQUAL(ends.server, killed.server);
    kill(ends.server, SIGINT);
    start_and_end(3);
    staying_t after = start_staying();
    CU_ASSERT_EQUAL(after.server, ends.server); /* Ctrl-C does not end it */
    kill(ends.server, SIGKILL);
    start_and_end(4);
    staying_t next = start_staying();
    CU_ASSERT_NOT_EQUAL(next.server, ends.server);
    CU_ASSERT(mp_process_is_alive(ends.process) && mp_process_is_alive(killed.process));
    EXPECT_STATUS(mp_process_join(ends.process, 0), MP_TIMEOUT);
    EXPECT_OK(mp_conn_close(ends.conn));
    mp_test_expect_end(ends.process, 6); /* its own word */
    EXPECT_OK(mp_process_kill(killed.process));
    EXPECT_OK(mp_process_join(killed.process, mp_test_patience()));
    EXPECT_STATUS(mp_process_exitcode(killed.process, &code), MP_DIED);
    CU_ASSERT_EQUAL(code, 77);
    EXPECT_OK(mp_process_close(killed.process));
    EXPECT_OK(mp_conn_close(killed.conn));
    EXPECT_OK(mp_conn_close(after.conn));
    mp_test_expect_end(after.process, 6);
    EXPECT_OK(mp_process_terminate(next.process));
    mp_test_expect_end(next.process, -15); /* its server lives to tell */
    EXPECT_OK(mp_conn_close(next.conn));
}

/* ---- killed at any moment of a start */

static pid_t victim;
static uint32_t stop;

static void *kill_servers(void *unused)
{
    uint64_t random = 7;
    (void)unused;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        pid_t server = __atomic_load_n(&victim, __ATOMIC_SEQ_CST);
        usleep((useconds_t)mp_test_below(&random, 3000));
        if (server > 1)
            kill(server, SIGKILL);
    }
    return NULL;
}

static mp_status_t tell_server(mp_call_t *call)
{
    pid_t server = getppid(); /* another's, if that one is dead: then it is not told */
    if (server == (pid_t)mp_arg_int(call, 1) || server == 1)
        return mp_exit(call, 6);
    return mp_queue_put(mp_arg_queue(call, 0), (int)server, MP_FOREVER) == MP_OK ? mp_exit(call, 6) : MP_FAILED;
}

MP_CASE(a_server_is_killed_at_any_moment)
{
    pthread_t killer;
    mp_queue_t *queue;
    use_server();
    victim = 0;
    stop = 0;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    CU_ASSERT_EQUAL(pthread_create(&killer, NULL, kill_servers, NULL), 0);
    int ran = 0;
    mp__deadline_t enough = mp_test_deadline(8);
    for (int i = 0; i < 150 && (i < 20 || mp__os_now() < enough); i++) {
        mp_process_t *process;
        mp_value_t server;
        int code = 0;
        mp_status_t status = mp_process_start(&process, tell_server, mp_args(queue, (int)getpid()));
        CU_ASSERT(status == MP_OK || status == MP_DIED);
        if (status != MP_OK)
            continue;
        ran++;
        EXPECT_OK(mp_process_join(process, mp_test_patience()));
        CU_ASSERT(mp_process_exitcode(process, &code) == MP_DIED || code == 6);
        EXPECT_OK(mp_process_close(process));
        while (mp_queue_get(queue, &server, 0) == MP_OK) {
            bool ours = kill((pid_t)mp_value_int(server), 0) == 0;
            __atomic_store_n(&victim, ours ? (pid_t)mp_value_int(server) : 0, __ATOMIC_SEQ_CST);
        }
    }
    CU_ASSERT(ran > 5);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    pthread_join(killer, NULL);
    start_and_end(5);
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- a stopped server is not dead: deadlines hold, and children's own words do */

MP_CASE(a_stopped_server_holds_up_nobody_for_ever)
{
    mp_process_t *process = mp_current_process();
    mp_process_options_t options = {.start_timeout = 0.3};
    use_server();
    staying_t first = start_staying();
    CU_ASSERT_EQUAL(kill(first.server, SIGSTOP), 0);
    double began = mp_now();
    EXPECT_STATUS(mp_process_start_with(&process, end_with, mp_args(1), &options), MP_TIMEOUT);
    CU_ASSERT(mp_now() - began >= 0.3 && mp_now() - began < mp_test_seconds(5));
    CU_ASSERT_PTR_NULL(process);
    EXPECT_OK(mp_conn_close(first.conn));
    mp_test_expect_end(first.process, 6);
    start_and_end(2); /* by another */
    CU_ASSERT_EQUAL(kill(first.server, SIGCONT), 0);
}

/* ---- what it calls first */

static int loaded;

static mp_status_t load(mp_call_t *call)
{
    MP_CHECK(mp_arg_count(call) == 0);
    loaded += 40;
    return MP_OK;
}

static mp_status_t load_more(mp_call_t *call)
{
    (void)call;
    loaded += 2;
    return MP_OK;
}

static mp_status_t fail_to_load(mp_call_t *call)
{
    return mp_fail(call, 8, "no such thing");
}

static void *idle(void *unused)
{
    (void)unused;
    for (;;)
        pause();
    return NULL;
}

static mp_status_t leave_a_thread(mp_call_t *call)
{
    pthread_t thread;
    (void)call;
    return pthread_create(&thread, NULL, idle, NULL) == 0 ? MP_OK : MP_FAILED;
}

static mp_status_t end_with_loaded(mp_call_t *call)
{
    return mp_exit(call, loaded);
}

static void expect_loaded(int expected)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, end_with_loaded, mp_args()));
    mp_test_expect_end(process, expected);
}

MP_CASE(children_have_what_the_server_loaded)
{
    const mp_function_t both[] = {load, load_more};
    const mp_function_t fails[] = {load, fail_to_load};
    const mp_function_t threaded[] = {leave_a_thread};
    const mp_function_t none[] = {NULL};
    mp_process_t *process;
    use_server();
    expect_loaded(0);
    EXPECT_OK(mp_set_forkserver_preload(both, 2));
    expect_loaded(42);
    expect_loaded(42);
    EXPECT_OK(mp_set_forkserver_preload(fails, 2));
    EXPECT_STATUS(mp_process_start(&process, end_with_loaded, mp_args()), MP_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "no such thing"));
    if (mp__os_thread_count() != 0) {
        EXPECT_OK(mp_set_forkserver_preload(threaded, 1));
        EXPECT_STATUS(mp_process_start(&process, end_with_loaded, mp_args()), MP_THREADED);
    }
    EXPECT_STATUS(mp_set_forkserver_preload(none, 1), MP_INVALID);
    EXPECT_STATUS(mp_set_forkserver_preload(NULL, 1), MP_INVALID);
    EXPECT_OK(mp_set_forkserver_preload(NULL, 0));
    expect_loaded(0);
    CU_ASSERT_EQUAL(loaded, 0);
}

/* ---- as under the other methods: this process's directory and environment count, not those of the server */

static mp_status_t tell_surroundings(mp_call_t *call)
{
    char directory[1000];
    const char *added = getenv("MP_TEST_ADDED"), *changed = getenv("MP_TEST_CHANGED");
    const char *removed = getenv("MP_TEST_REMOVED"), *early = getenv("LD_BIND_NOW");
    MP_CHECK(getcwd(directory, sizeof directory));
    return mp_queue_put(
        mp_arg_queue(call, 0),
        mp_list(directory, added ? added : "", changed ? changed : "", removed ? removed : "", early ? early : ""),
        MP_FOREVER);
}

static void expect_surroundings(mp_queue_t *queue, const char *directory, mp_value_t expected)
{
    mp_process_t *process;
    mp_value_t told;
    mp_process_options_t options = {.directory = directory};
    REQUIRE_OK(mp_process_start_with(&process, tell_surroundings, mp_args(queue), &options));
    mp_test_expect_end(process, 0);
    REQUIRE_OK(mp_queue_get(queue, &told, 0));
    CU_ASSERT(mp_value_equal(told, expected));
    mp_value_free(&told);
}

MP_CASE(surroundings_are_those_of_the_starter)
{
    char before[1000], folder[1000];
    mp_queue_t *queue;
    setenv("MP_TEST_CHANGED", "old", 1);
    setenv("MP_TEST_REMOVED", "here", 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(before, sizeof before));
    use_server();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    expect_surroundings(queue, NULL, mp_list((const char *)before, "", "old", "here", ""));
    setenv("MP_TEST_CHANGED", "new", 1);
    setenv("MP_TEST_ADDED", "a=b", 1);
    unsetenv("MP_TEST_REMOVED");
    CU_ASSERT_EQUAL(chdir("/"), 0);
    expect_surroundings(queue, NULL, mp_list("/", "a=b", "new", "", ""));
    snprintf(folder, sizeof folder, ".%s", before);
    expect_surroundings(queue, folder, mp_list((const char *)before, "a=b", "new", "", ""));
    CU_ASSERT_EQUAL(chdir(before), 0);
    expect_surroundings(queue, "/", mp_list("/", "a=b", "new", "", ""));
    unsetenv("MP_TEST_CHANGED");
    unsetenv("MP_TEST_ADDED");
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- and how many there are does not matter */

static void expect_all_codes(void)
{
    enum { COUNT = 60 };
    mp_process_t *processes[COUNT];
    for (int i = 0; i < COUNT; i++)
        REQUIRE_OK(mp_process_start(&processes[i], end_with, mp_args(i)));
    for (int i = COUNT; i-- > 0;)
        mp_test_expect_end(processes[i], i);
}

MP_CASE(codes_wait_for_who_joins_late)
{
    mp_test_objects();
    mp_test_each_method(expect_all_codes);
    signal(SIGCHLD, SIG_IGN);
    mp_test_each_method(expect_all_codes);
    signal(SIGCHLD, SIG_DFL);
}

MP_CASE(it_has_no_thread_and_executes_nothing)
{
    mp_process_t *process;
    mp_process_options_t options = {.executable = mp_test_program()};
    use_server();
    EXPECT_STATUS(mp_process_start_with(&process, end_with, mp_args(1), &options), MP_UNSUPPORTED);
    staying_t first = start_staying();
    char path[100];
    struct stat tasks;
    snprintf(path, sizeof path, "/proc/%ld/task", (long)first.server);
    if (mp__os_thread_count() != 0)
        CU_ASSERT(stat(path, &tasks) == 0 && tasks.st_nlink == 3);
    EXPECT_OK(mp_conn_close(first.conn));
    mp_test_expect_end(first.process, 6);
}

MP_GUARDED_CASES(MP_ROW(A19), MP_ROW(a_server_is_killed_at_any_moment),
                 MP_ROW(a_stopped_server_holds_up_nobody_for_ever), MP_ROW(children_have_what_the_server_loaded),
                 MP_ROW(surroundings_are_those_of_the_starter), MP_ROW(codes_wait_for_who_joins_late),
                 MP_ROW(it_has_no_thread_and_executes_nothing));
