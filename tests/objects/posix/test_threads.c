/* fork and threads: one that the program has is a reason to refuse, the library's own are none. */
#include "../scene.h"
#include "system.h"

#include "core/local.h"
#include "platform.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint32_t stop;

static void run_on(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
        mp_test_moment();
}

static mp_status_t end_with(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

static bool can_count(void)
{
    return mp__os_thread_count() != 0;
}

MP_CASE(fork_is_refused_beside_threads_of_the_program)
{
    mp_test_thread_t thread;
    mp_process_t *process = mp_current_process();
    mp_pool_t *pool;
    mp_process_options_t options = {.method = MP_START_FORK};
    if (!can_count())
        mp_skip("this system does not count threads");
    mp_test_objects();
    stop = 0;
    mp_test_thread_start(&thread, run_on, NULL);
    EXPECT_STATUS(mp_process_start_with(&process, end_with, mp_args(3), &options), MP_THREADED);
    CU_ASSERT_PTR_NULL(process);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "threads"));
    REQUIRE_OK(mp_set_start_method("fork", true));
    EXPECT_STATUS(mp_process_start(&process, end_with, mp_args(3)), MP_THREADED);
    EXPECT_STATUS(mp_pool_create(&pool, 1), MP_THREADED);
    options.fork_with_threads = true;
    REQUIRE_OK(mp_process_start_with(&process, end_with, mp_args(4), &options));
    mp_test_expect_end(process, 4);
    options = (mp_process_options_t){.method = MP_START_SPAWN};
    REQUIRE_OK(mp_process_start_with(&process, end_with, mp_args(5), &options));
    mp_test_expect_end(process, 5);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    mp_test_thread_join(&thread);
    REQUIRE_OK(mp_process_start(&process, end_with, mp_args(6))); /* it has ended: no reason any more */
    mp_test_expect_end(process, 6);
}

static mp_status_t square(mp_call_t *call)
{
    return mp_return(call, mp_arg_int(call, 0) * mp_arg_int(call, 0));
}

/* All that a program does, in a child that was forked while the library's threads were at anything at all. */
static mp_status_t do_everything(mp_call_t *call)
{
    mp_pool_t *pool;
    mp_value_t value;
    mp_process_t *process;
    MP_CHECK(mp__local_threads() <= 1); /* who watches the parent */
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 0), mp_getpid(), MP_FOREVER) == MP_OK);
    MP_CHECK(mp_pool_create(&pool, 1) == MP_OK);
    MP_CHECK(mp_pool_apply(pool, square, mp_args(7), &value, mp_test_patience()) == MP_OK && mp_value_int(value) == 49);
    MP_CHECK(mp_pool_terminate(pool) == MP_OK && mp_pool_free(pool) == MP_OK);
    MP_CHECK(mp_process_start(&process, end_with, mp_args(2)) == MP_OK);
    MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
    return mp_process_close(process);
}

MP_CASE(fork_is_not_refused_beside_the_librarys_own)
{
    enum { ROUNDS = 15, TASKS = 200 };
    mp_pool_t *pool;
    mp_queue_t *queue;
    mp_test_objects();
    REQUIRE_OK(mp_set_start_method("fork", true));
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_pool_create(&pool, 2));
    mp_test_baseline(); /* the threads, and what they keep */
    for (int round = 0; round < ROUNDS; round++) {
        static mp_result_t *results[TASKS];
        mp_process_t *process;
        mp_value_t value;
        for (int i = 0; i < TASKS; i++)
            REQUIRE_OK(mp_pool_apply_async(pool, square, mp_args(i), &(mp_task_t){.result = &results[i]}));
        REQUIRE_OK(mp_process_start(&process, do_everything, mp_args(queue)));
        mp_test_expect_end(process, 0);
        EXPECT_OK(mp_queue_get(queue, &value, 0));
        for (int i = 0; i < TASKS; i++) {
            EXPECT_OK(mp_result_get(results[i], &value, mp_test_patience()));
            CU_ASSERT_EQUAL(mp_value_int(value), i * i);
            mp_value_free(&value);
            mp_result_free(results[i]);
        }
    }
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_join(pool, mp_test_patience()));
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- two starts at once */

static mp_status_t read_to_the_end(mp_call_t *call)
{
    char bytes[16];
    (void)call;
    while (read(STDIN_FILENO, bytes, sizeof bytes) > 0)
        ;
    return MP_OK;
}

static uint32_t starters;

static void start_reader(void *process)
{
    const mp_process_options_t options = {
        .method = MP_START_FORK, .fork_with_threads = true, .input = {.kind = MP_STDIO_PIPE}};
    __atomic_fetch_add(&starters, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&starters, __ATOMIC_SEQ_CST) < 2)
        ;
    MP_CHECK(mp_process_start_with((mp_process_t **)process, read_to_the_end, mp_args(), &options) == MP_OK);
}

/* A child that was forked in the midst of another start would keep that one's input open. */
MP_CASE(a_fork_holds_no_pipe_of_a_start_beside_it)
{
    mp_test_objects();
    for (int round = 0; round < 150; round++) {
        mp_test_thread_t threads[2];
        mp_process_t *processes[2];
        starters = 0;
        for (int i = 0; i < 2; i++)
            mp_test_thread_start(&threads[i], start_reader, &processes[i]);
        for (int i = 0; i < 2; i++)
            mp_test_thread_join(&threads[i]);
        for (int i = 0; i < 2; i++) {
            EXPECT_OK(mp_process_close_stream(processes[i], MP_STDIN));
            mp_test_expect_end(processes[i], 0); /* and not only when the other one ends */
        }
    }
}

/* ---- parking */

#define A_WHILE 0.05 /* seconds: for what must not happen meanwhile */

static uint32_t rounds; /* of a thread of the library's that parks in between */
static uint32_t busy;   /* in the middle of one */
static double a_round;  /* seconds */

static void work_and_park(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&busy, 1, __ATOMIC_SEQ_CST);
        mp_sleep(a_round);
        __atomic_store_n(&busy, 0, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&rounds, 1, __ATOMIC_SEQ_CST);
        mp__local_park();
        mp__local_unpark();
    }
}

static apr_thread_t *start_worker(apr_pool_t **pool, double seconds)
{
    apr_thread_t *thread = NULL;
    stop = rounds = busy = 0;
    a_round = seconds;
    EXPECT_OK(mp__local_pool(pool));
    EXPECT_OK(mp__local_thread(&thread, 0, work_and_park, NULL, *pool));
    while (!__atomic_load_n(&rounds, __ATOMIC_SEQ_CST))
        mp_test_moment();
    return thread;
}

static void stop_worker(apr_thread_t *thread, apr_pool_t *pool)
{
    apr_status_t unused;
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    apr_thread_join(&unused, thread);
    apr_pool_destroy(pool);
}

static mp_status_t tell_whether_busy(mp_call_t *call)
{
    return mp_exit(call, (int)__atomic_load_n(&busy, __ATOMIC_SEQ_CST));
}

MP_CASE(a_fork_finds_the_librarys_threads_parked)
{
    apr_pool_t *pool;
    mp_test_objects();
    apr_thread_t *worker = start_worker(&pool, A_WHILE);
    mp_process_t *process;
    for (int i = 0; i < 5; i++) {
        REQUIRE_OK(mp_process_start_with(&process, tell_whether_busy, mp_args(),
                                         &(mp_process_options_t){.method = MP_START_FORK}));
        mp_test_expect_end(process, 0);
        pid_t child = fork(); /* not one of ours */
        if (child == 0)
            _exit((int)busy);
        int code;
        CU_ASSERT_EQUAL(waitpid(child, &code, 0), child);
        CU_ASSERT_EQUAL(code, 0);
    }
    stop_worker(worker, pool);
}

static void park_twice(void *unused)
{
    (void)unused;
    mp__local_park();
    mp__local_park(); /* as in a callback that uses another pool */
    mp__local_unpark();
    __atomic_store_n(&rounds, 1, __ATOMIC_SEQ_CST);
    run_on(NULL);
    mp__local_unpark();
}

MP_CASE(who_parks_twice_is_parked_until_the_second_unpark)
{
    apr_pool_t *pool;
    apr_thread_t *thread = NULL;
    mp_process_t *process;
    mp_test_objects();
    stop = rounds = busy = 0;
    EXPECT_OK(mp__local_pool(&pool));
    EXPECT_OK(mp__local_thread(&thread, 0, park_twice, NULL, pool));
    while (!__atomic_load_n(&rounds, __ATOMIC_SEQ_CST))
        mp_test_moment();
    double least = 1e9;
    for (int i = 0; i < 3; i++) {
        double began = mp_now();
        REQUIRE_OK(mp_process_start_with(&process, tell_whether_busy, mp_args(),
                                         &(mp_process_options_t){.method = MP_START_FORK}));
        least = mp_now() - began < least ? mp_now() - began : least;
        mp_test_expect_end(process, 0);
    }
    CU_ASSERT(least < 0.9); /* else each fork waits for it, a second */
    stop_worker(thread, pool);
}

static uint32_t fork_watched, rounds_before, rounds_after;

/* Called before each fork, behind the library's own handler, which is there later. */
static void look_at_rounds(void)
{
    if (!fork_watched)
        return;
    rounds_before = __atomic_load_n(&rounds, __ATOMIC_SEQ_CST);
    mp_sleep(A_WHILE);
    rounds_after = __atomic_load_n(&rounds, __ATOMIC_SEQ_CST);
}

__attribute__((constructor)) static void ask_early(void)
{
    pthread_atfork(look_at_rounds, NULL, NULL);
}

MP_CASE(they_stay_parked_until_the_fork_is_over)
{
    apr_pool_t *pool;
    mp_process_t *process;
    mp_test_objects();
    apr_thread_t *worker = start_worker(&pool, 0);
    fork_watched = 1;
    REQUIRE_OK(mp_process_start_with(&process, tell_whether_busy, mp_args(),
                                     &(mp_process_options_t){.method = MP_START_FORK}));
    fork_watched = 0;
    mp_test_expect_end(process, 0);
    CU_ASSERT_EQUAL(rounds_before, rounds_after);
    uint32_t now = __atomic_load_n(&rounds, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&rounds, __ATOMIC_SEQ_CST) == now) /* and goes on behind it */
        mp_test_moment();
    stop_worker(worker, pool);
}

MP_GUARDED_CASES(MP_ROW(fork_is_refused_beside_threads_of_the_program),
                 MP_ROW(fork_is_not_refused_beside_the_librarys_own), MP_ROW(a_fork_holds_no_pipe_of_a_start_beside_it),
                 MP_ROW(a_fork_finds_the_librarys_threads_parked),
                 MP_ROW(who_parks_twice_is_parked_until_the_second_unpark),
                 MP_ROW(they_stay_parked_until_the_fork_is_over));
