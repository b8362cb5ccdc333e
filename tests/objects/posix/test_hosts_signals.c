/* A host's signals and children are its own: the library handles none of the first, takes none of the second, and gets
 * on without SIGCHLD. */
#include "../scene.h"
#include "system.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static mp_status_t leave_with(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

static mp_status_t wait_here(mp_call_t *call)
{
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 0), mp_getpid(), MP_FOREVER) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_status_t increment(mp_call_t *call)
{
    return mp_return(call, mp_arg_int(call, 0) + 1);
}

/* Processes, a pool and a manager; by and by. */
static void use_everything(void)
{
    mp_process_t *process;
    mp_pool_t *pool;
    mp_manager_t *manager;
    mp_list_t *list;
    mp_value_t value;
    REQUIRE_OK(mp_process_start(&process, leave_with, mp_args(3)));
    mp_test_expect_end(process, 3);
    REQUIRE_OK(mp_pool_create(&pool, 2));
    EXPECT_OK(mp_pool_apply(pool, increment, mp_args(41), &value, mp_test_patience()));
    CU_ASSERT_EQUAL(mp_value_int(value), 42);
    EXPECT_OK(mp_pool_free(pool));
    REQUIRE_OK(mp_manager_start(&manager));
    REQUIRE_OK(mp_manager_list(manager, &list, mp_list(7)));
    EXPECT_OK(mp_list_get(list, 0, &value));
    EXPECT_OK(mp_list_close(list));
    EXPECT_OK(mp_manager_shutdown(manager));
}

/* The thread that watches workers and servers is made once and stays. */
static void begin(void)
{
    mp_test_objects();
    use_everything();
    mp_test_baseline();
}

/* ---- no handlers */

#define SIGNALS 64

static void note_actions(struct sigaction *actions)
{
    memset(actions, 0, SIGNALS * sizeof *actions);
    for (int number = 1; number < SIGNALS; number++)
        if (sigaction(number, NULL, &actions[number]) != 0)
            memset(&actions[number], 0, sizeof actions[number]);
}

MP_CASE(no_handler_is_installed_and_no_signal_blocked)
{
    static struct sigaction before[SIGNALS], after[SIGNALS];
    sigset_t mask_before, mask_after;
    note_actions(before);
    sigprocmask(SIG_SETMASK, NULL, &mask_before);
    begin();
    mp_test_each_method(use_everything);
    note_actions(after);
    sigprocmask(SIG_SETMASK, NULL, &mask_after);
    for (int number = 1; number < SIGNALS; number++) {
        CU_ASSERT_PTR_EQUAL(before[number].sa_handler, after[number].sa_handler);
        CU_ASSERT_EQUAL(before[number].sa_flags, after[number].sa_flags);
        CU_ASSERT_EQUAL(sigismember(&mask_before, number), sigismember(&mask_after, number));
    }
}

/* ---- the host's own children stay the host's */

static void reap_own(void)
{
    int status = 0;
    pid_t early = fork();
    if (early == 0)
        _exit(7);
    siginfo_t info;
    CU_ASSERT_EQUAL(waitid(P_PID, (id_t)early, &info, WEXITED | WNOWAIT), 0); /* a zombie by now */
    pid_t late = fork();
    if (late == 0) {
        pause();
        _exit(8);
    }
    use_everything();
    kill(late, SIGTERM);
    CU_ASSERT_EQUAL(waitpid(early, &status, 0), early);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CU_ASSERT_EQUAL(waitpid(late, &status, 0), late);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

MP_CASE(children_of_the_host_are_left_to_it)
{
    signal(SIGTERM, SIG_DFL);
    begin();
    mp_test_each_method(reap_own);
}

/* ---- a host that takes all ends away */

#define MANY 60

/* Codes come from what the children themselves left, however late somebody asks. */
static void expect_codes(void)
{
    mp_process_t *processes[MANY];
    for (int i = 0; i < MANY; i++) /* the first have ended by the time the last start */
        REQUIRE_OK(mp_process_start(&processes[i], leave_with, mp_args(i)));
    for (int i = 0; i < MANY; i++)
        mp_test_expect_end(processes[i], i);
}

/* Who was killed left no word: its end is seen, its code unknown; unless the library was first, which it may be. */
static void expect_death(void)
{
    mp_process_t *process;
    mp_queue_t *ready;
    mp_value_t value;
    int code = 0;
    REQUIRE_OK(mp_queue_create(&ready, 0));
    REQUIRE_OK(mp_process_start(&process, wait_here, mp_args(ready)));
    EXPECT_OK(mp_queue_get(ready, &value, mp_test_patience()));
    CU_ASSERT(mp_process_is_alive(process));
    EXPECT_STATUS(mp_process_join(process, 0.02), MP_TIMEOUT);
    EXPECT_OK(mp_process_kill(process));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    CU_ASSERT(!mp_process_is_alive(process));
    mp_status_t status = mp_process_exitcode(process, &code);
    CU_ASSERT(status == MP_DIED || (status == MP_OK && code == -9));
    EXPECT_OK(mp_process_close(process));
    EXPECT_OK(mp_queue_close(ready));
}

static mp_status_t die(mp_call_t *call)
{
    (void)call;
    raise(SIGKILL);
    return MP_OK;
}

static void expect_healing(void)
{
    mp_pool_t *pool;
    mp_value_t value;
    REQUIRE_OK(mp_pool_create(&pool, 2));
    EXPECT_STATUS(mp_pool_apply(pool, die, mp_args(), &value, mp_test_patience()), MP_WORKER_DIED);
    for (int i = 0; i < 10; i++) {
        EXPECT_OK(mp_pool_apply(pool, increment, mp_args(i), &value, mp_test_patience()));
        CU_ASSERT_EQUAL(mp_value_int(value), i + 1);
    }
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_join(pool, mp_test_patience()));
    EXPECT_OK(mp_pool_free(pool));
}

static void do_without_ends(void)
{
    use_everything();
    expect_codes();
    expect_death();
    expect_healing();
}

MP_CASE(a_host_that_ignores_sigchld_gets_exit_codes)
{
    begin();
    signal(SIGCHLD, SIG_IGN);
    mp_test_each_method(do_without_ends);
}

static void reap_everything(int signal)
{
    int code = errno;
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = code;
}

MP_CASE(a_host_whose_handler_reaps_everything_gets_exit_codes)
{
    const struct sigaction action = {.sa_handler = reap_everything, .sa_flags = SA_NOCLDSTOP};
    begin();
    sigaction(SIGCHLD, &action, NULL);
    mp_test_each_method(do_without_ends);
    signal(SIGCHLD, SIG_DFL);
}

/* One that waits all the time, in a thread of its own. */
static uint32_t enough;

static void keep_reaping(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&enough, __ATOMIC_SEQ_CST))
        if (waitpid(-1, NULL, WNOHANG) <= 0)
            usleep(100);
}

MP_CASE(a_host_whose_thread_reaps_everything_gets_exit_codes)
{
    mp_test_thread_t thread;
    begin();
    REQUIRE_OK(mp_set_start_method("spawn", true)); /* a fork beside threads is refused */
    mp_test_thread_start(&thread, keep_reaping, NULL);
    do_without_ends();
    __atomic_store_n(&enough, 1, __ATOMIC_SEQ_CST);
    mp_test_thread_join(&thread);
}

MP_GUARDED_CASES(MP_ROW(no_handler_is_installed_and_no_signal_blocked), MP_ROW(children_of_the_host_are_left_to_it),
                 MP_ROW(a_host_that_ignores_sigchld_gets_exit_codes),
                 MP_ROW(a_host_whose_handler_reaps_everything_gets_exit_codes),
                 MP_ROW(a_host_whose_thread_reaps_everything_gets_exit_codes));
