/* Pools: workers that die, are replaced, cannot begin. */
#include "hands.h"
#include "harness.h"
#include "child.h"
#include "random.h"
#include "system.h"

#include "core/atomic.h"
#include "platform.h"

#include <stdio.h>
#include <string.h>

#define PATIENCE mp_test_seconds(20)

static mp_pool_t *new_pool(int workers)
{
    mp_pool_t *pool;
    REQUIRE_OK(mp_pool_create(&pool, workers));
    return pool;
}

static int any_pid(mp_pool_t *pool)
{
    mp_value_t pid;
    REQUIRE_OK(mp_pool_apply(pool, task_pid, mp_args(), &pid, PATIENCE));
    return (int)mp_value_int(pid);
}

/* ---- death ---- */

MP_CASE(a_worker_killed_in_a_task_fails_only_that) /* G2 */
{
    enum { WORKERS = 3 };
    char text[64];
    mp_test_pools();
    mp_test_gate_t gate;
    mp_result_t *results[WORKERS];
    int pids[WORKERS], failed = 0;
    mp_test_gate_create(&gate);
    mp_pool_t *pool = new_pool(WORKERS);
    for (int i = 0; i < WORKERS; i++)
        REQUIRE_OK(mp_pool_apply_async(pool, task_pass_gate, mp_args(gate.here, gate.gate, i),
                                       &(mp_task_t){.result = &results[i]}));
    for (int i = 0; i < WORKERS; i++)
        pids[i] = mp_test_gate_arrival(&gate);
    double begin = mp_now();
    CU_ASSERT(mp_test_kill_worker(pool, pids[1]));
    while (!failed && mp_now() - begin < PATIENCE)
        for (int i = 0; i < WORKERS && !failed; i++)
            failed = mp_result_wait(results[i], 0.001) == MP_OK ? i + 1 : 0;
    REQUIRE_OK(failed ? MP_OK : MP_TIMEOUT);
    CU_ASSERT(mp_now() - begin < mp_test_seconds(1));
    const mp_error_t *error = mp_result_error(results[failed - 1]);
    CU_ASSERT_EQUAL(error->status, MP_WORKER_DIED);
    CU_ASSERT_EQUAL(error->code, -9);
    snprintf(text, sizeof text, "(pid %d) was killed by signal 9", pids[1]);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->text, text));

    mp_test_gate_open(&gate, WORKERS - 1);
    for (int i = 0; i < WORKERS; i++) {
        EXPECT_STATUS(mp_result_get(results[i], NULL, PATIENCE), i == failed - 1 ? MP_WORKER_DIED : MP_OK);
        mp_result_free(results[i]);
    }
    CU_ASSERT(mp_test_idle_workers(pool, WORKERS)); /* the pool has its size again */
    EXPECT_OK(mp_pool_free(pool));
    mp_test_gate_close(&gate);
}

MP_CASE(idle_workers_killed_leave_no_trace) /* G3 */
{
    enum { WORKERS = 2, TASKS = 100 };
    mp_test_pools();
    mp_result_t *results[TASKS];
    mp_pool_t *pool = new_pool(WORKERS);
    for (int round = 0; round < 5; round++) {
        CU_ASSERT(mp_test_idle_workers(pool, WORKERS));
        int pid = any_pid(pool);
        CU_ASSERT(mp_test_idle_workers(pool, WORKERS));
        CU_ASSERT(mp_test_kill_worker(pool, pid));
        /* At once: the pool may well hand one to the dead. */
        for (int i = 0; i < TASKS; i++)
            REQUIRE_OK(mp_pool_apply_async(pool, task_add, mp_args(i, round), &(mp_task_t){.result = &results[i]}));
        for (int i = 0; i < TASKS; i++) {
            mp_value_t value;
            EXPECT_OK(mp_result_get(results[i], &value, PATIENCE));
            CU_ASSERT_EQUAL(mp_value_int(value), i + round);
            mp_result_free(results[i]);
        }
    }
    EXPECT_OK(mp_pool_free(pool));
}

/* The workers of a pool are killed at random moments until it is told to stop. */
typedef struct killer {
    mp_pool_t *pool;
    mp_queue_t *pids;
    uint64_t random;
    uint32_t stop;
    int killed;
} killer_t;

static mp_status_t tell_pid_and_square(mp_call_t *call)
{
    (void)mp_queue_put(mp_arg_queue(call, 1), mp_getpid(), MP_FOREVER);
    return task_square(call);
}

static void kill_at_random(void *context)
{
    killer_t *killer = context;
    mp_value_t pid;
    while (!mp__load32(&killer->stop)) {
        mp__os_sleep(mp__os_now() + (int64_t)(mp_test_below(&killer->random, 3000000)));
        mp_status_t got = MP_TIMEOUT; /* of the pids, the newest: that one is busy */
        while (mp_queue_get(killer->pids, &pid, 0) == MP_OK)
            got = MP_OK;
        if (got == MP_OK)
            killer->killed += mp_test_kill_worker(killer->pool, (int)mp_value_int(pid));
    }
}

MP_CASE(every_task_is_settled_whoever_is_killed)
{
    enum { TASKS = 400 };
    mp_test_pools();
    mp_result_t *results[TASKS];
    killer_t killer = {.pool = new_pool(3), .random = 12345};
    mp_test_thread_t thread;
    int died = 0;
    REQUIRE_OK(mp_queue_create(&killer.pids, 0));
    mp_test_thread_start(&thread, kill_at_random, &killer);
    for (int i = 0; i < TASKS; i++)
        REQUIRE_OK(mp_pool_apply_async(killer.pool, tell_pid_and_square, mp_args(i, killer.pids),
                                       &(mp_task_t){.result = &results[i]}));
    for (int i = 0; i < TASKS; i++) {
        mp_value_t value;
        mp_status_t status = mp_result_get(results[i], &value, PATIENCE);
        CU_ASSERT(status == MP_OK || status == MP_WORKER_DIED);
        died += status == MP_WORKER_DIED;
        if (status == MP_OK)
            CU_ASSERT_EQUAL(mp_value_int(value), i * i);
        mp_result_free(results[i]);
    }
    mp__store32(&killer.stop, 1);
    mp_test_thread_join(&thread);
    CU_ASSERT(died <= killer.killed);
    for (int i = 0; i < 20; i++)
        EXPECT_OK(mp_pool_apply(killer.pool, task_add, mp_args(i, 1), NULL, PATIENCE));
    CU_ASSERT(mp_test_idle_workers(killer.pool, 3));
    EXPECT_OK(mp_pool_free(killer.pool));
    EXPECT_OK(mp_queue_close(killer.pids));
}

static mp_status_t leave(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

MP_CASE(a_task_that_ends_its_worker_fails_with_the_exit_code)
{
    mp_test_pools();
    mp_pool_t *pool = new_pool(1);
    for (int code = 0; code < 4; code++) {
        EXPECT_STATUS(mp_pool_apply(pool, leave, mp_args(code), NULL, PATIENCE), MP_WORKER_DIED);
        CU_ASSERT_EQUAL(mp_error()->code, code);
        CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "ended with exit code"));
    }
    EXPECT_OK(mp_pool_apply(pool, task_pid, mp_args(), NULL, PATIENCE));
    EXPECT_OK(mp_pool_free(pool));
}

/* ---- recycling ---- */

MP_CASE(workers_are_replaced_after_their_number_of_tasks) /* G8 */
{
    enum { TASKS = 100, EACH = 10 };
    mp_test_pools();
    int pids[TASKS], distinct = 0;
    mp_result_t *results[TASKS];
    mp_pool_t *pool;
    REQUIRE_OK(mp_pool_create_with(&pool, &(mp_pool_options_t){.workers = 2, .max_tasks_per_worker = EACH}));
    for (int i = 0; i < TASKS; i++)
        REQUIRE_OK(mp_pool_apply_async(pool, task_pid, mp_args(), &(mp_task_t){.result = &results[i]}));
    for (int i = 0; i < TASKS; i++) {
        mp_value_t value;
        REQUIRE_OK(mp_result_get(results[i], &value, PATIENCE));
        pids[i] = (int)mp_value_int(value);
        mp_result_free(results[i]);
    }
    for (int i = 0; i < TASKS; i++) {
        int same = 0, before = 0;
        for (int j = 0; j < TASKS; j++) {
            same += pids[j] == pids[i];
            before += j < i && pids[j] == pids[i];
        }
        CU_ASSERT(same <= EACH);
        distinct += before == 0;
    }
    CU_ASSERT(distinct >= TASKS / EACH);
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_join(pool, PATIENCE));
    EXPECT_OK(mp_pool_free(pool));
}

/* ---- initializers ---- */

static int64_t prepared;

static mp_status_t prepare(mp_call_t *call)
{
    prepared = mp_arg_int(call, 1);
    return mp_queue_put(mp_arg_queue(call, 0), mp_getpid(), MP_FOREVER);
}

static mp_status_t tell_prepared(mp_call_t *call)
{
    return mp_return(call, prepared);
}

MP_CASE(the_initializer_runs_once_in_each_worker)
{
    mp_test_pools();
    mp_queue_t *starts;
    mp_pool_t *pool;
    mp_value_t value;
    uint64_t n;
    REQUIRE_OK(mp_queue_create(&starts, 0));
    mp_pool_options_t options = {.workers = 2, .initializer = prepare};
    options.initializer_args = mp_args(starts, 77);
    REQUIRE_OK(mp_pool_create_with(&pool, &options));
    for (int i = 0; i < 10; i++) {
        REQUIRE_OK(mp_pool_apply(pool, tell_prepared, mp_args(), &value, PATIENCE));
        CU_ASSERT_EQUAL(mp_value_int(value), 77);
    }
    CU_ASSERT(mp_test_idle_workers(pool, 2));
    EXPECT_OK(mp_queue_size(starts, &n));
    CU_ASSERT_EQUAL(n, 2);
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_OK(mp_queue_close(starts));
}

static mp_status_t refuse(mp_call_t *call)
{
    (void)mp_queue_put(mp_arg_queue(call, 0), mp_getpid(), MP_FOREVER);
    return mp_fail(call, 7, "no licence");
}

/* What a pool whose workers cannot begin says to its tasks, and that it has given up by then. */
static void expect_broken(mp_function_t initializer, mp_status_t status, int code, uint64_t most_starts)
{
    mp_test_pools();
    mp_queue_t *starts;
    mp_pool_t *pool;
    mp_result_t *results[3];
    uint64_t n, later;
    REQUIRE_OK(mp_queue_create(&starts, 0));
    mp_pool_options_t options = {.workers = 2, .initializer = initializer};
    options.initializer_args = mp_args(starts);
    REQUIRE_OK(mp_pool_create_with(&pool, &options));
    size_t submitted = 0;
    while (submitted < 3 &&
           mp_pool_apply_async(pool, task_pid, mp_args(), &(mp_task_t){.result = &results[submitted]}) == MP_OK)
        submitted++;
    for (size_t i = 0; i < submitted; i++) {
        EXPECT_STATUS(mp_result_get(results[i], NULL, PATIENCE), status);
        CU_ASSERT_EQUAL(mp_error()->code, code);
        mp_result_free(results[i]);
    }
    EXPECT_STATUS(mp_pool_apply(pool, task_pid, mp_args(), NULL, PATIENCE), status);
    EXPECT_OK(mp_queue_size(starts, &n));
    CU_ASSERT(n <= most_starts);
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_join(pool, PATIENCE));
    EXPECT_OK(mp_queue_size(starts, &later));
    CU_ASSERT(later <= most_starts);
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_OK(mp_queue_close(starts));
}

MP_CASE(a_failing_initializer_breaks_the_pool) /* G5 */
{
    expect_broken(refuse, MP_FAILED, 7, 2);
}

static mp_status_t vanish(mp_call_t *call)
{
    (void)mp_queue_put(mp_arg_queue(call, 0), mp_getpid(), MP_FOREVER);
    return mp_exit(call, 11);
}

MP_CASE(an_initializer_that_ends_its_worker_breaks_the_pool)
{
    expect_broken(vanish, MP_WORKER_DIED, 11, 8);
}

/* ---- options ---- */

static mp_status_t tell_name(mp_call_t *call)
{
    return mp_return(call, mp_process_name(mp_current_process()));
}

MP_CASE(workers_have_names)
{
    mp_test_pools();
    mp_pool_t *pool;
    mp_value_t value;
    REQUIRE_OK(mp_pool_create_with(&pool, &(mp_pool_options_t){.workers = 1, .name = "Crew"}));
    REQUIRE_OK(mp_pool_apply(pool, tell_name, mp_args(), &value, PATIENCE));
    CU_ASSERT_STRING_EQUAL(mp_value_str(value), "Crew-1");
    mp_value_free(&value);
    EXPECT_OK(mp_pool_free(pool));
    REQUIRE_OK(mp_pool_create(&pool, 0));
    CU_ASSERT(mp_test_idle_workers(pool, (unsigned)mp_cpu_count()));
    REQUIRE_OK(mp_pool_apply(pool, tell_name, mp_args(), &value, PATIENCE));
    CU_ASSERT_EQUAL(strncmp(mp_value_str(value), "PoolWorker-", 11), 0);
    mp_value_free(&value);
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_STATUS(
        mp_pool_create_with(&pool, &(mp_pool_options_t){.name = "a name that is too long for the name of a pool"}),
        MP_TOO_LARGE);
}

static mp_status_t wait_for_ever(mp_call_t *call)
{
    mp_value_t unused;
    return mp_queue_get(mp_arg_queue(call, 0), &unused, MP_FOREVER);
}

/* (queue): starts a process and asks it to end. */
static mp_status_t start_and_terminate(mp_call_t *call)
{
    mp_process_t *process;
    mp_status_t status = mp_process_start(&process, wait_for_ever, mp_args(mp_arg_queue(call, 0)));
    if (status != MP_OK)
        return status;
    mp_process_terminate(process);
    status = mp_process_join(process, PATIENCE);
    mp_process_kill(process);
    mp_process_join(process, MP_FOREVER);
    mp_process_close(process);
    return status == MP_OK ? mp_return(call, 1) : status;
}

static mp_status_t task_method(mp_call_t *call)
{
    return mp_return(call, mp_get_start_method());
}

MP_CASE(forked_workers_do_the_same)
{
    mp_value_t value;
    mp_queue_t *never;
    if (!mp__os_caps()->fork)
        mp_skip("there is no fork here");
    REQUIRE_OK(mp_set_start_method("fork", true));
    mp_test_pools();
    REQUIRE_OK(mp_queue_create(&never, 0));
    mp_pool_t *pool = new_pool(2);
    for (int i = 0; i < 3; i++) {
        int pid = any_pid(pool);
        CU_ASSERT(mp_test_kill_worker(pool, pid)); /* its successor is forked from the pool's thread */
        REQUIRE_OK(mp_pool_map(pool, task_square, mp_range(0, 4), 1, &value, PATIENCE));
        CU_ASSERT(mp_value_equal(value, mp_list(0, 1, 4, 9)));
        mp_value_free(&value);
        CU_ASSERT(mp_test_idle_workers(pool, 2));
    }
    EXPECT_OK(mp_pool_map(pool, start_and_terminate, mp_list(never, never, never, never), 1, NULL, PATIENCE));
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_join(pool, PATIENCE));
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_OK(mp_queue_close(never));
}

/* As with one of Python's contexts: the pool's method is its own affair. */
MP_CASE(a_pool_has_a_method_of_its_own)
{
    mp_value_t value;
    mp_test_pools();
    for (const char *const *name = mp_all_start_methods(); *name; name++) {
        mp_start_method_t method;
        mp_pool_t *pool;
        REQUIRE_OK(mp_start_method_named(*name, &method));
        REQUIRE_OK(mp_pool_create_with(&pool, &(mp_pool_options_t){.workers = 1, .method = method}));
        for (int i = 0; i < 2; i++) {
            EXPECT_OK(mp_pool_apply(pool, task_method, mp_args(), &value, PATIENCE));
            CU_ASSERT_STRING_EQUAL(mp_value_str(value), *name);
            mp_value_free(&value);
            CU_ASSERT(mp_test_kill_worker(pool, any_pid(pool)));
        }
        EXPECT_OK(mp_pool_terminate(pool));
        EXPECT_OK(mp_pool_free(pool));
    }
}

static void apply_many(void *context)
{
    for (int i = 0; i < 150; i++)
        MP_CHECK(mp_pool_apply(context, i % 2 ? task_add : task_square, mp_args(i, 1), NULL, PATIENCE) == MP_OK);
}

/* A lock that some thread holds at the moment of a fork is locked in the child for ever: the child must need none. */
MP_CASE(workers_are_forked_beside_busy_threads)
{
    enum { THREADS = 3 };
    if (!mp__os_caps()->fork)
        mp_skip("there is no fork here");
    REQUIRE_OK(mp_set_start_method("fork", true));
    mp_test_pools();
    mp_pool_t *pool;
    mp_test_thread_t threads[THREADS];
    REQUIRE_OK(mp_pool_create_with(&pool, &(mp_pool_options_t){.workers = 3, .max_tasks_per_worker = 1}));
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_start(&threads[i], apply_many, pool);
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_join(&threads[i]);
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_join(pool, PATIENCE));
    EXPECT_OK(mp_pool_free(pool));
}

/* ---- readiness ---- */

static double ready_at;

static mp_status_t be_ready(mp_call_t *call)
{
    (void)call;
    ready_at = mp_now();
    return MP_OK;
}

static mp_status_t task_since_ready(mp_call_t *call)
{
    return mp_return(call, mp_now() - ready_at);
}

/* The report that a worker is ready may be taken by who waits for a result: then the task goes out at once, too, and
 * not only when the pool's thread looks around, which it does each second. (One may be late on a busy machine.) */
MP_CASE(a_task_goes_to_a_worker_as_soon_as_it_is_ready)
{
    enum { POOLS = 60 };
    int late = 0;
    mp_test_pools();
    for (int i = 0; i < POOLS; i++) {
        mp_pool_t *pool;
        mp_result_t *result;
        mp_value_t seconds = MP_NONE;
        REQUIRE_OK(mp_pool_create_with(&pool, &(mp_pool_options_t){.workers = 1, .initializer = be_ready}));
        REQUIRE_OK(mp_pool_apply_async(pool, task_since_ready, mp_args(), &(mp_task_t){.result = &result}));
        double begin = mp_now();
        while (mp_result_wait(result, 1e-5) == MP_TIMEOUT && mp_now() - begin < PATIENCE)
            ;
        EXPECT_OK(mp_result_get(result, &seconds, 0));
        late += mp_value_double(seconds) > 0.9;
        mp_result_free(result);
        EXPECT_OK(mp_pool_close(pool));
        EXPECT_OK(mp_pool_join(pool, PATIENCE));
        EXPECT_OK(mp_pool_free(pool));
    }
    CU_ASSERT(late <= 1);
}

/* clang-format off */
MP_GUARDED_CASES(
    MP_ROW(a_worker_killed_in_a_task_fails_only_that),
    MP_ROW(idle_workers_killed_leave_no_trace),
    MP_ROW(every_task_is_settled_whoever_is_killed),
    MP_ROW(a_task_that_ends_its_worker_fails_with_the_exit_code),
    MP_ROW(workers_are_replaced_after_their_number_of_tasks),
    MP_ROW(the_initializer_runs_once_in_each_worker),
    MP_ROW(a_failing_initializer_breaks_the_pool),
    MP_ROW(an_initializer_that_ends_its_worker_breaks_the_pool),
    MP_ROW(workers_have_names),
    MP_ROW(a_task_goes_to_a_worker_as_soon_as_it_is_ready),
    MP_ROW(forked_workers_do_the_same),
    MP_ROW(a_pool_has_a_method_of_its_own),
    MP_ROW(workers_are_forked_beside_busy_threads));
/* clang-format on */
