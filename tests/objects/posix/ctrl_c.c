/* Groups and their terminal's signal on POSIX. */
#include "../ctrl_c.h"

#include "../scene.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Its output is a pipe, SIGINT as a shell leaves it: who runs the tests may ignore it. */
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

/* Until there are no writers left. */
static void read_output(int output, char *text, size_t size)
{
    size_t used = 0;
    ssize_t n;
    while (used < size - 1 && ((n = read(output, text + used, size - 1 - used)) > 0 || (n < 0 && errno == EINTR)))
        used += n > 0 ? (size_t)n : 0;
    text[used] = '\0';
}

/* Also the zombies among them, whom init reaps. */
static bool group_ends(pid_t group)
{
    double end = mp_test_clock() + mp_test_patience();
    while (kill(-group, 0) == 0 && mp_test_clock() < end)
        mp_test_moment();
    return kill(-group, 0) < 0 && errno == ESRCH;
}

int mp_test_run_group(const char *program, char *output, size_t size)
{
    int end, status = 0;
    pid_t pid = start_group(program, &end);
    read_output(end, output, size);
    close(end);
    waitpid(pid, &status, 0);
    if (!group_ends(pid))
        return MP_TEST_SOMEBODY_LEFT;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void mp_test_press_ctrl_c(void)
{
    kill(0, SIGINT);
}

/* A shell makes 130 of it. */
bool mp_test_is_ctrl_c(int code)
{
    return code == -SIGINT;
}
