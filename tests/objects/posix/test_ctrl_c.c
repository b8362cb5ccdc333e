/* Ctrl-C: it reaches a program and all its children; the program ends by SIGINT, nobody is left, nobody says a word. */
#include "../scene.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- the program */

static mp_status_t wait_here(mp_call_t *call)
{
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 0), mp_getpid(), MP_FOREVER) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_status_t never_rest(mp_call_t *call)
{
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 0), mp_getpid(), MP_FOREVER) == MP_OK);
    volatile bool on = true;
    while (on)
        ;
    return MP_OK;
}

static mp_status_t have_a_child(mp_call_t *call)
{
    mp_process_t *process;
    MP_CHECK(mp_process_start(&process, wait_here, mp_args(mp_arg_queue(call, 0))) == MP_OK);
    return mp_process_join(process, MP_FOREVER);
}

static void start_all(mp_queue_t *ready)
{
    static const mp_function_t functions[] = {wait_here, never_rest, have_a_child};
    mp_value_t value;
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
            MP_CHECK(mp_process_start(NULL, functions[i], mp_args(ready)) == MP_OK);
            MP_CHECK(mp_queue_get(ready, &value, mp_test_patience()) == MP_OK);
        }
    }
}

/* A pool with workers that wait, work and do nothing, and a manager. */
static void start_services(mp_queue_t *ready)
{
    mp_pool_t *pool;
    mp_manager_t *manager;
    mp_dict_t *dict;
    mp_value_t value;
    MP_CHECK(mp_pool_create(&pool, 3) == MP_OK);
    MP_CHECK(mp_pool_apply_async(pool, wait_here, mp_args(ready), NULL) == MP_OK);
    MP_CHECK(mp_pool_apply_async(pool, never_rest, mp_args(ready), NULL) == MP_OK);
    MP_CHECK(mp_queue_get(ready, &value, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_queue_get(ready, &value, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_manager_start(&manager) == MP_OK);
    MP_CHECK(mp_manager_dict(manager, &dict, mp_dict("a", 1)) == MP_OK);
}

MP_PROGRAM(works_until_interrupted)
{
    mp_queue_t *ready;
    MP_CHECK(mp_queue_create(&ready, 0) == MP_OK);
    start_all(ready);
    start_services(ready);
    MP_CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
    mp_sleep(MP_FOREVER);
    return 0;
}

/* ---- the terminal */

/* Starts a sub-program in a group of its own, its output a pipe, SIGINT as a shell leaves it. */
static pid_t start_group(const char *program, int *output)
{
    int ends[2];
    pid_t pid = -1;
    sigset_t interrupt, none;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    sigemptyset(&none);
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigdefault(&attributes, &interrupt);
    posix_spawnattr_setsigmask(&attributes, &none);
    char *const arguments[] = {(char *)(uintptr_t)mp_test_program(), (char *)(uintptr_t)program, NULL};
    CU_ASSERT_EQUAL_FATAL(posix_spawn(&pid, arguments[0], &actions, &attributes, arguments, environ), 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *output = ends[0];
    return pid;
}

/* Reads until so many bytes are there, or the output has no writers left. */
static size_t read_output(int output, char *text, size_t size)
{
    size_t used = 0;
    ssize_t n;
    while (used < size && ((n = read(output, text + used, size - used)) > 0 || (n < 0 && errno == EINTR)))
        used += n > 0 ? (size_t)n : 0;
    return used;
}

/* Nobody of the group is left; zombies that init has not reaped yet pass. */
static bool group_ends(pid_t group)
{
    double end = mp_test_clock() + mp_test_patience();
    while (kill(-group, 0) == 0 && mp_test_clock() < end)
        mp_test_moment();
    return kill(-group, 0) < 0 && errno == ESRCH;
}

MP_CASE(ctrl_c_ends_a_program_and_all_its_children)
{
    char text[1000] = "";
    int output, status = 0;
    pid_t pid = start_group("works_until_interrupted", &output);
    CU_ASSERT_EQUAL(read_output(output, text, 6), 6);
    CU_ASSERT_EQUAL(kill(-pid, SIGINT), 0);
    CU_ASSERT_EQUAL(read_output(output, text + 6, sizeof text - 6), 0); /* its end is all of its writers' end */
    CU_ASSERT_STRING_EQUAL(text, "ready\n");
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT); /* a shell makes 130 of it */
    CU_ASSERT(group_ends(pid));
    close(output);
}

/* ---- who does not end by it */

static volatile sig_atomic_t interrupts;

static void count_interrupt(int signal)
{
    (void)signal;
    interrupts++;
}

static mp_status_t answer(mp_call_t *call)
{
    return mp_return(call, mp_arg_int(call, 0) + 1);
}

/* A program that handles SIGINT goes on with its pool and its manager; its other children are gone. */
MP_PROGRAM(handles_interrupts)
{
    mp_queue_t *ready;
    mp_process_t *process;
    mp_pool_t *pool;
    mp_manager_t *manager;
    mp_dict_t *dict;
    mp_value_t value;
    int code = 0;
    signal(SIGINT, count_interrupt);
    MP_CHECK(mp_queue_create(&ready, 0) == MP_OK);
    MP_CHECK(mp_pool_create(&pool, 2) == MP_OK);
    MP_CHECK(mp_manager_start(&manager) == MP_OK);
    MP_CHECK(mp_manager_dict(manager, &dict, mp_dict("a", 1)) == MP_OK);
    MP_CHECK(mp_process_start(&process, wait_here, mp_args(ready)) == MP_OK);
    MP_CHECK(mp_queue_get(ready, &value, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_pool_apply(pool, answer, mp_args(1), &value, mp_test_patience()) == MP_OK);
    MP_CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
    MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
    MP_CHECK(interrupts == 1);
    MP_CHECK(mp_process_exitcode(process, &code) == MP_OK && code == -SIGINT);
    MP_CHECK(mp_pool_apply(pool, answer, mp_args(41), &value, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_value_int(value) == 42);
    MP_CHECK(mp_dict_get(dict, "a", &value) == MP_OK);
    return 5;
}

MP_CASE(workers_and_servers_ignore_ctrl_c)
{
    char text[1000] = "";
    int output, status = 0;
    pid_t pid = start_group("handles_interrupts", &output);
    CU_ASSERT_EQUAL(read_output(output, text, 6), 6);
    CU_ASSERT_EQUAL(kill(-pid, SIGINT), 0);
    CU_ASSERT_EQUAL(read_output(output, text + 6, sizeof text - 6), 0);
    CU_ASSERT_STRING_EQUAL(text, "ready\n");
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    CU_ASSERT(group_ends(pid));
    close(output);
}

/* ---- what a worker starts is no worker */

static mp_status_t interrupt_a_child(mp_call_t *call)
{
    mp_process_t *process;
    mp_value_t value;
    int code = 0;
    mp_queue_t *ready = mp_arg_queue(call, 0);
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        MP_CHECK(mp_process_start(&process, wait_here, mp_args(ready)) == MP_OK);
        MP_CHECK(mp_queue_get(ready, &value, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_interrupt(process) == MP_OK);
        MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_exitcode(process, &code) == MP_OK && code == -SIGINT);
        MP_CHECK(mp_process_close(process) == MP_OK);
    }
    return mp_return(call, 1);
}

MP_CASE(a_workers_child_heeds_ctrl_c)
{
    signal(SIGINT, SIG_DFL); /* who runs the tests may ignore it */
    mp_test_objects();
    mp_pool_t *pool;
    mp_queue_t *ready;
    mp_value_t value;
    REQUIRE_OK(mp_pool_create(&pool, 1));
    EXPECT_OK(mp_pool_free(pool));
    mp_test_baseline(); /* the thread that watches workers is made once and stays */
    REQUIRE_OK(mp_queue_create(&ready, 0));
    REQUIRE_OK(mp_pool_create(&pool, 1));
    EXPECT_OK(mp_pool_apply(pool, interrupt_a_child, mp_args(ready), &value, mp_test_patience()));
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_OK(mp_queue_close(ready));
}

MP_GUARDED_CASES(MP_ROW(ctrl_c_ends_a_program_and_all_its_children), MP_ROW(workers_and_servers_ignore_ctrl_c),
                 MP_ROW(a_workers_child_heeds_ctrl_c), MP_SUB(works_until_interrupted), MP_SUB(handles_interrupts));
