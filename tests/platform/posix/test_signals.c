/* Signals, foreign forks, reaped children, rights: what only POSIX hosts do. */
#include "child.h"
#include "harness.h"
#include "member.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- signals ---- */

MP_PROGRAM(ends_by_signal)
{
    int number = (int)strtol(mp_test_word(0), NULL, 10);
    signal(number, SIG_DFL);
    raise(number);
    return 1;
}

MP_CASE(ends_by_every_signal)
{
    const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGKILL, SIGSEGV, SIGABRT, SIGUSR1, SIGPIPE};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        mp_test_child_t child;
        char text[12];
        snprintf(text, sizeof text, "%d", numbers[i]);
        mp_test_start(&child, "ends_by_signal", NULL, 0, (const char *const[]){text, NULL});
        mp__os_exit_t end = mp_test_join(&child);
        CU_ASSERT_EQUAL(end.end, MP__OS_SIGNALLED);
        CU_ASSERT_EQUAL(end.code, numbers[i]);
    }
}

MP_PROGRAM(looks_at_mask)
{
    sigset_t mask;
    MP_CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
    for (int number = 1; number < NSIG; number++)
        MP_CHECK(sigismember(&mask, number) != 1);
    return 0;
}

MP_CASE(children_are_born_with_no_signal_blocked)
{
    sigset_t all, before, after;
    mp_test_child_t child;
    sigfillset(&all);
    CU_ASSERT_EQUAL(sigprocmask(SIG_SETMASK, &all, &before), 0);
    mp_test_start(&child, "looks_at_mask", NULL, 0, NULL);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    CU_ASSERT_EQUAL(sigprocmask(SIG_SETMASK, &before, &after), 0);
    CU_ASSERT_EQUAL(sigismember(&after, SIGTERM), 1); /* the host's mask was left alone */
}

static volatile sig_atomic_t alarms;

static void count_alarm(int number)
{
    (void)number;
    alarms++;
}

/* Signals come all the time, without SA_RESTART; no wait ends early, none late. */
MP_CASE(signals_end_no_wait)
{
    struct sigaction action = {.sa_handler = count_alarm};
    struct itimerspec often = {{0, 1000000}, {0, 1000000}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;
    mp__os_event_t never;
    mp__os_arena_t arena;
    mp_test_child_t child;
    bool ready;
    mp_test_arena_create(&arena);
    REQUIRE_OK(mp__os_event_create(&never));
    mp_test_start(&child, "ends_when_told", NULL, 0, NULL);
    mp__os_bell_t *bell = (mp__os_bell_t *)(void *)arena.base;
    uint32_t *word = (uint32_t *)(void *)(arena.base + 4096);
    REQUIRE_OK(mp__os_bell_init(bell));
    CU_ASSERT_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CU_ASSERT_EQUAL(timer_settime(timer, 0, &often, NULL), 0);

    mp__deadline_t deadline = mp__os_now() + 40 * MP__MILLISECOND;
    EXPECT_STATUS(mp__os_wait_any(&never.wait, 1, deadline, &ready), MP_TIMEOUT);
    CU_ASSERT(mp__os_now() >= deadline);
    deadline = mp__os_now() + 40 * MP__MILLISECOND;
    EXPECT_STATUS(mp__os_channel_poll(child.talk, deadline), MP_TIMEOUT);
    CU_ASSERT(mp__os_now() >= deadline);
    deadline = mp__os_now() + 40 * MP__MILLISECOND;
    EXPECT_STATUS(mp__os_process_wait(&child.process, deadline), MP_TIMEOUT);
    CU_ASSERT(mp__os_now() >= deadline);
    deadline = mp__os_now() + 40 * MP__MILLISECOND;
    while (mp__os_bell_wait(bell, deadline) == MP_OK)
        CU_ASSERT_FATAL(mp__os_now() < deadline + 30 * MP__SECOND);
    CU_ASSERT(mp__os_now() >= deadline);
    deadline = mp__os_now() + 40 * MP__MILLISECOND;
    while (mp__os_word_wait(word, 0, deadline) == MP_OK)
        CU_ASSERT_FATAL(mp__os_now() < deadline + 30 * MP__SECOND);
    deadline = mp__os_now() + 40 * MP__MILLISECOND;
    mp__os_sleep(deadline);
    CU_ASSERT(mp__os_now() >= deadline);
    CU_ASSERT(alarms > 20);

    timer_delete(timer);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    mp_test_join(&child);
    mp__os_bell_fini(bell);
    mp__os_event_close(&never);
    mp__os_arena_close(&arena);
}

MP_PROGRAM(ends_when_told)
{
    return mp_test_hear(mp_test_talk(), 'e') ? 0 : 1;
}

/* Writing to nobody raises no SIGPIPE, and the host's handling of it stays. */
MP_CASE(no_sigpipe)
{
    struct sigaction action = {.sa_handler = count_alarm}, now;
    mp__os_handle_t ends[2];
    CU_ASSERT_EQUAL(sigaction(SIGPIPE, &action, NULL), 0);
    REQUIRE_OK(mp__os_channel_create(true, ends));
    mp__os_handle_t one = ends[1];
    mp__os_handle_close(ends[0]);
    EXPECT_STATUS(mp__os_channel_write(ends[1], "x", 1), MP_END);
    EXPECT_STATUS(mp__os_channel_pass(ends[1], &one, 1, mp__os_pid()), MP_END);
    CU_ASSERT_EQUAL(alarms, 0);
    CU_ASSERT_EQUAL(sigaction(SIGPIPE, NULL, &now), 0);
    CU_ASSERT(now.sa_handler == count_alarm);
    mp__os_handle_close(ends[1]);
}

/* ---- what the library's own threads and servers do with signals ---- */

/* All but those of its own faults. */
MP_CASE(a_thread_that_gets_no_signals)
{
    sigset_t mask;
    mp__os_block_signals();
    CU_ASSERT_EQUAL(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    const int blocked[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGCHLD, SIGUSR1, SIGPIPE, SIGWINCH};
    const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof blocked / sizeof blocked[0]; i++)
        CU_ASSERT_EQUAL(sigismember(&mask, blocked[i]), 1);
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        CU_ASSERT_EQUAL(sigismember(&mask, open[i]), 0);
}

MP_CASE(a_server_ignores_interrupts)
{
    mp__os_ignore_interrupt();
    raise(SIGINT); /* would end this process */
    struct sigaction now;
    CU_ASSERT_EQUAL(sigaction(SIGTERM, NULL, &now), 0);
    CU_ASSERT(now.sa_handler == SIG_DFL);
}

/* ---- children ---- */

MP_CASE(somebody_else_reaped_it)
{
    mp_test_child_t child;
    int status;
    mp_test_start(&child, "ends_when_told", NULL, 0, NULL);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    CU_ASSERT_EQUAL(waitpid(child.process.pid, &status, 0), child.process.pid);
    EXPECT_OK(mp__os_process_wait(&child.process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(child.process.exit.end, MP__OS_UNKNOWN);
    EXPECT_OK(mp__os_process_signal(&child.process, true));
    mp_test_join(&child);
}

MP_CASE(a_host_that_ignores_its_children)
{
    mp_test_child_t child;
    signal(SIGCHLD, SIG_IGN);
    mp_test_start(&child, "ends_when_told", NULL, 0, NULL);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    EXPECT_OK(mp__os_process_wait(&child.process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(child.process.exit.end, MP__OS_UNKNOWN);
    mp_test_join(&child);
}

/* The host's own child is the host's to reap. */
MP_CASE(foreign_children_are_left_alone)
{
    mp_test_child_t child;
    int status;
    pid_t foreign = fork();
    if (foreign == 0)
        _exit(9);
    mp_test_start(&child, "ends_when_told", NULL, 0, NULL);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    mp_test_join(&child);
    CU_ASSERT_EQUAL(waitpid(foreign, &status, 0), foreign);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 9);
}

/* A process has ended also when what it forked in its own way lives on. */
MP_PROGRAM(forks_and_ends)
{
    mp__os_handle_t handle = mp_test_handle(0);
    char *arguments[] = {(char *)(uintptr_t)mp_test_program(), NULL};
    MP_CHECK(mp__os_program_note(1, arguments) == MP_OK);
    if (fork() == 0) {
        mp_test_tell(handle, 'f');
        mp_test_hear(handle, 'e');
    }
    return 6;
}

MP_CASE(what_it_forked_does_not_hide_its_end)
{
    mp_test_child_t child;
    mp__os_handle_t ends[2];
    bool ready = false;
    REQUIRE_OK(mp__os_channel_create(true, ends));
    mp_test_start(&child, "forks_and_ends", &ends[1], 1, NULL);
    mp__os_handle_close(ends[1]);
    CU_ASSERT(mp_test_hear(ends[0], 'f'));
    EXPECT_OK(mp__os_wait_any(&child.process.sentinel, 1, mp_test_deadline(20), &ready));
    CU_ASSERT(ready);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 6);
    CU_ASSERT(mp_test_tell(ends[0], 'e')); /* it is still there */
    mp__os_handle_close(ends[0]);
}

/* Starting a program costs no fork: nobody who watches forks sees one. */
static int forks;

static void count_fork(void)
{
    forks++;
}

MP_CASE(starting_is_no_fork)
{
    mp_test_child_t child;
    mp__os_process_t process;
    bool in_child;
    CU_ASSERT_EQUAL(pthread_atfork(count_fork, NULL, NULL), 0);
    mp_test_start(&child, "ends_when_told", NULL, 0, NULL);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    mp_test_join(&child);
    CU_ASSERT_EQUAL(forks, 0);
    REQUIRE_OK(mp__os_fork(&process, &in_child));
    if (in_child)
        _exit(0);
    CU_ASSERT_EQUAL(forks, 1);
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    mp__os_process_close(&process);
}

static int called_in_child;

static void note_child(void)
{
    called_in_child++;
}

MP_CASE(on_fork_is_called_in_foreign_forks)
{
    int status;
    EXPECT_OK(mp__os_on_fork(note_child));
    pid_t pid = fork();
    if (pid == 0)
        _exit(called_in_child);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) >= 1);
    CU_ASSERT_EQUAL(called_in_child, 0);
}

/* A child of a fork is another process: its life is not its parent's. */
MP_CASE(a_forked_child_has_its_own_life)
{
    mp__os_arena_t arena;
    mp__os_process_t process;
    mp__os_handle_t ends[2];
    bool in_child;
    mp_test_arena_create(&arena);
    mp__os_process_life_t *lives = (mp__os_process_life_t *)(void *)arena.base;
    EXPECT_OK(mp__os_process_live(&arena, 1, &lives[0]));
    REQUIRE_OK(mp__os_channel_create(true, ends));
    REQUIRE_OK(mp__os_fork(&process, &in_child));
    if (in_child) {
        MP_CHECK(!mp__os_process_ended(&arena, 1, &lives[0])); /* the parent */
        MP_CHECK(mp__os_process_live(&arena, 2, &lives[1]) == MP_OK);
        MP_CHECK(mp_test_tell(ends[1], 'l'));
        MP_CHECK(mp_test_hear(ends[1], 'e'));
        _exit(0);
    }
    CU_ASSERT(mp_test_hear(ends[0], 'l'));
    CU_ASSERT_FALSE(mp__os_process_ended(&arena, 2, &lives[1]));
    CU_ASSERT(mp_test_tell(ends[0], 'e'));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.code, 0);
    CU_ASSERT(mp__os_process_ended(&arena, 2, &lives[1]));
    mp__os_process_close(&process);
    mp__os_handle_close(ends[0]);
    mp__os_handle_close(ends[1]);
    mp__os_arena_close(&arena);
}

/* ---- inheritance ---- */

/* A host's own descriptor that is open to children does not reach ours. */
MP_PROGRAM(has_no_descriptor)
{
    mp_test_talk();
    return fcntl((int)strtol(mp_test_word(0), NULL, 10), F_GETFD) < 0 ? 0 : 1;
}

MP_CASE(descriptors_of_the_host_are_not_inherited)
{
    mp_test_child_t child;
    char number[12];
    int open_one = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    int high = fcntl(open_one, F_DUPFD, 700);
    for (int i = 0; i < 2; i++) {
        snprintf(number, sizeof number, "%d", i ? high : open_one);
        mp_test_start(&child, "has_no_descriptor", NULL, 0, (const char *const[]){number, NULL});
        CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    }
    close(open_one);
    close(high);
}

/* A variable that is replaced is there once. */
extern char **environ;

MP_PROGRAM(counts_variable)
{
    int count = 0;
    for (char **variable = environ; *variable; variable++)
        count += strncmp(*variable, "MP_TEST_TWICE=", 14) == 0;
    return count;
}

MP_CASE(replaced_variables_are_there_once)
{
    const char *const arguments[] = {mp_test_program(), "counts_variable", NULL};
    const char *const environment[] = {"MP_TEST_TWICE=2", NULL};
    const mp__os_spawn_t spawn = {.path = mp_test_program(), .arguments = arguments, .environment = environment};
    mp__os_process_t process;
    CU_ASSERT_EQUAL(setenv("MP_TEST_TWICE", "1", 1), 0);
    REQUIRE_OK(mp__os_spawn(&spawn, &process));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.code, 1);
    mp__os_process_close(&process);
}

/* ---- rights ---- */

MP_PROGRAM(tells_privilege)
{
    return mp__os_is_privileged() ? 1 : 0;
}

static bool copy_file(const char *from, const char *to)
{
    static char part[65536];
    ssize_t n = 0;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    while (in >= 0 && out >= 0 && (n = read(in, part, sizeof part)) > 0)
        if (write(out, part, (size_t)n) != n)
            n = -1;
    close(in);
    close(out);
    return in >= 0 && out >= 0 && n == 0;
}

MP_CASE(set_uid_is_privileged)
{
    char path[400];
    if (geteuid() != 0)
        mp_skip("only root can make a set-uid program of another user");
    snprintf(path, sizeof path, "%s/test-privileged-%ld", mp_test_folder(), (long)getpid());
    CU_ASSERT_FATAL(copy_file(mp_test_program(), path));
    CU_ASSERT_EQUAL(mp_test_run(path, "tells_privilege", NULL, 0), 0);
    CU_ASSERT_EQUAL(chown(path, 65534, 65534), 0);
    CU_ASSERT_EQUAL(chmod(path, 04755), 0);
    CU_ASSERT_EQUAL(mp_test_run(path, "tells_privilege", NULL, 0), 1);
    unlink(path);
}

MP_CASES(MP_ROW(ends_by_every_signal), MP_SUB(ends_by_signal), MP_ROW(children_are_born_with_no_signal_blocked),
         MP_SUB(looks_at_mask), MP_ROW(signals_end_no_wait), MP_SUB(ends_when_told), MP_ROW(no_sigpipe),
         MP_ROW(a_thread_that_gets_no_signals), MP_ROW(a_server_ignores_interrupts), MP_ROW(somebody_else_reaped_it),
         MP_ROW(replaced_variables_are_there_once), MP_SUB(counts_variable), MP_ROW(a_host_that_ignores_its_children),
         MP_ROW(foreign_children_are_left_alone), MP_ROW(what_it_forked_does_not_hide_its_end), MP_SUB(forks_and_ends),
         MP_ROW(starting_is_no_fork), MP_ROW(on_fork_is_called_in_foreign_forks),
         MP_ROW(a_forked_child_has_its_own_life), MP_ROW(descriptors_of_the_host_are_not_inherited),
         MP_SUB(has_no_descriptor), MP_ROW(set_uid_is_privileged), MP_SUB(tells_privilege));
