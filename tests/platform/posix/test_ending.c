/* Ending and reaping the right ones: numbers that are used again, groups that may not be ended. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* ---- the host took the child, and its number is another child's */

MP_PROGRAM(ends_at_once)
{
    return 3;
}

static pid_t fork_one_that_ended(void)
{
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    CU_ASSERT_FATAL(pid > 0);
    CU_ASSERT_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    return pid;
}

MP_CASE(a_number_that_is_used_again_is_not_reaped)
{
    mp__os_process_t process;
    int result = 0;
    mp_test_warm_up();
    const char *const arguments[] = {mp_test_program(), "ends_at_once", NULL};
    REQUIRE_OK(mp__os_spawn(&(mp__os_spawn_t){.path = mp_test_program(), .arguments = arguments}, &process));
    CU_ASSERT_EQUAL(waitpid((pid_t)process.pid, NULL, 0), (pid_t)process.pid);
    if (!mp__os_caps()->sentinels) {
        mp__os_process_close(&process);
        mp_skip("here only its number says which process it is");
    }
    pid_t another = fork_one_that_ended();
    process.pid = (int32_t)another; /* as if it had been given out again */
    EXPECT_OK(mp__os_process_signal(&process, true));
    EXPECT_OK(mp__os_process_kill_tree(&process));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.end, MP__OS_UNKNOWN);
    CU_ASSERT_EQUAL(waitpid(another, &result, 0), another);
    CU_ASSERT(WIFEXITED(result) && WEXITSTATUS(result) == 7);
    mp__os_process_close(&process);
}

/* ---- one that may be ended, whose group may not */

static void wait_for_end(int fd)
{
    char byte;
    while (read(fd, &byte, 1) > 0 || errno == EINTR)
        ;
}

/* In the child: it leads a group, leaves a process of the superuser's in it, and goes back to its parent's. */
static void leave_group(pid_t back, const int ends[2], int told)
{
    MP_CHECK(setpgid(0, 0) == 0);
    pid_t other = fork();
    MP_CHECK(other >= 0);
    if (other == 0) {
        close(ends[1]);
        errno = 0;
        wait_for_end(ends[0]);
        _exit(0);
    }
    close(ends[1]);
    MP_CHECK(setpgid(0, back) == 0 && setuid(NOBODY) == 0 && write(told, "x", 1) == 1);
    for (;;)
        pause();
}

MP_PROGRAM(may_not_end_a_group)
{
    mp__os_process_t process;
    bool in_child = false;
    int ends[2], told[2];
    char byte;
    MP_CHECK(pipe(ends) == 0 && pipe(told) == 0);
    MP_CHECK(mp__os_fork(&process, &in_child) == MP_OK);
    if (in_child)
        leave_group(getpgid(getppid()), ends, told[1]);
    MP_CHECK(read(told[0], &byte, 1) == 1 && setuid(NOBODY) == 0);
    MP_CHECK(mp__os_process_kill_tree(&process) == MP_DENIED);
    MP_CHECK(mp__os_process_wait(&process, mp_test_deadline(30)) == MP_OK);
    MP_CHECK(process.exit.end == MP__OS_SIGNALLED && process.exit.code == SIGKILL);
    close(ends[1]);
    return 0;
}

MP_CASE(a_group_that_may_not_be_ended_leaves_nobody_stopped)
{
    if (geteuid() != 0)
        mp_skip("only the superuser can make such a group");
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "may_not_end_a_group", NULL, 0), 0);
}

MP_CASES(MP_ROW(a_number_that_is_used_again_is_not_reaped), MP_ROW(a_group_that_may_not_be_ended_leaves_nobody_stopped),
         MP_SUB(ends_at_once), MP_SUB(may_not_end_a_group));
