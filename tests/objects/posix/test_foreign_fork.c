/* A fork by the program itself, and one by the library: the new process has nothing of its parent's children. */
#include "../scene.h"
#include "system.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static mp_process_t *sibling; /* a child of the case's process, as its forks see it */
static int finalized;         /* a descriptor: each run of the finalizer writes a byte */

static void begin(void)
{
    mp_test_objects();
    REQUIRE_OK(mp_set_start_method("spawn", true));
}

/* It owns a queue until somebody asks for its end, then still has it. */
static mp_status_t own(mp_call_t *call)
{
    mp_queue_t *queue;
    mp_value_t value;
    mp_conn_t *conn = mp_arg_conn(call, 0);
    MP_CHECK(mp_queue_create(&queue, 0) == MP_OK);
    MP_CHECK(mp_conn_send(conn, 1) == MP_OK);
    MP_CHECK(mp_conn_recv(conn, &value) == MP_OK);
    return mp_exit(call, mp_queue_put(queue, 1, 0) == MP_OK ? 7 : 8);
}

static mp_conn_t *start_owner(const mp_process_options_t *options)
{
    mp_conn_t *conn, *theirs;
    mp_value_t value;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start_with(&sibling, own, mp_args(theirs), options));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &value));
    return conn;
}

static void expect_unharmed(mp_conn_t *conn)
{
    EXPECT_OK(mp_conn_send(conn, 1));
    mp_test_expect_end(sibling, 7);
    EXPECT_OK(mp_conn_close(conn));
}

/* Its exit code, or -1: it had to be killed. */
static int code_of(pid_t pid)
{
    int result = 0;
    double until = mp_now() + mp_test_patience();
    while (waitpid(pid, &result, WNOHANG) == 0) {
        if (mp_now() > until) {
            kill(pid, SIGKILL);
            waitpid(pid, &result, 0);
        }
        mp_sleep(0.001);
    }
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

static void count_run(void *unused)
{
    (void)unused;
    MP_CHECK(finalized < 0 || write(finalized, "", 1) == 1);
}

MP_CASE(exit_runs_nothing_of_the_parents)
{
    int ends[2];
    char byte;
    mp_process_options_t options = {.daemon = true};
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    finalized = ends[1];
    begin();
    REQUIRE_OK(mp_at_exit(1, count_run, NULL));
    mp_conn_t *conn = start_owner(&options);
    pid_t pid = fork();
    if (pid == 0)
        exit(3);
    CU_ASSERT_EQUAL(code_of(pid), 3);
    close(ends[1]);
    finalized = -1;
    CU_ASSERT_EQUAL(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    expect_unharmed(conn);
}

MP_CASE(exit_leaves_a_manager_alone)
{
    mp_manager_t *manager;
    mp_dict_t *dict;
    begin();
    REQUIRE_OK(mp_manager_start(&manager));
    pid_t pid = fork();
    if (pid == 0)
        exit(3);
    CU_ASSERT_EQUAL(code_of(pid), 3);
    REQUIRE_OK(mp_manager_dict(manager, &dict, mp_value_dict(NULL, 0)));
    EXPECT_OK(mp_dict_close(dict));
    EXPECT_OK(mp_manager_shutdown(manager));
}

/* Uses whatever looks at children. */
static void meddle(void)
{
    size_t count;
    int code;
    MP_CHECK(mp_active_children(NULL, 0, &count) == MP_OK && count == 0);
    MP_CHECK(mp_process_join(sibling, 0) == MP_INVALID);
    MP_CHECK(mp_process_exitcode(sibling, &code) == MP_INVALID);
    MP_CHECK(mp_process_kill(sibling) == MP_INVALID);
    MP_CHECK(mp_process_close(sibling) == MP_INVALID);
    MP_CHECK(!mp_process_is_alive(sibling));
}

MP_CASE(its_children_are_not_the_parents)
{
    begin();
    mp_conn_t *conn = start_owner(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        meddle();
        _exit(3);
    }
    CU_ASSERT_EQUAL(code_of(pid), 3);
    expect_unharmed(conn);
}

static mp_status_t meddle_in_a_child(mp_call_t *call)
{
    meddle();
    return mp_exit(call, 3);
}

MP_CASE(nor_those_of_a_process_by_fork)
{
    mp_process_t *process;
    mp_process_options_t options = {.method = MP_START_FORK};
    begin();
    mp_conn_t *conn = start_owner(NULL);
    REQUIRE_OK(mp_process_start_with(&process, meddle_in_a_child, mp_args(), &options));
    mp_test_expect_end(process, 3);
    expect_unharmed(conn);
}

static mp_status_t die(mp_call_t *call)
{
    (void)call;
    raise(SIGKILL);
    return MP_OK;
}

/* A task that kills its worker: only the reaper tells the pool. */
static void lose_a_worker(void)
{
    mp_pool_t *pool;
    mp_result_t *result;
    mp_value_t value;
    MP_CHECK(mp_pool_create(&pool, 1) == MP_OK);
    MP_CHECK(mp_pool_apply_async(pool, die, mp_args(), &(mp_task_t){.result = &result}) == MP_OK);
    MP_CHECK(mp_result_get(result, &value, mp_test_patience()) == MP_WORKER_DIED);
    mp_result_free(result);
    MP_CHECK(mp_pool_terminate(pool) == MP_OK);
    MP_CHECK(mp_pool_free(pool) == MP_OK);
}

MP_CASE(it_has_a_reaper_of_its_own)
{
    begin();
    lose_a_worker();
    mp_test_baseline();
    pid_t pid = fork();
    if (pid == 0) {
        lose_a_worker();
        _exit(3);
    }
    CU_ASSERT_EQUAL(code_of(pid), 3);
}

MP_GUARDED_CASES(MP_ROW(exit_runs_nothing_of_the_parents), MP_ROW(exit_leaves_a_manager_alone),
                 MP_ROW(its_children_are_not_the_parents), MP_ROW(nor_those_of_a_process_by_fork),
                 MP_ROW(it_has_a_reaper_of_its_own));
