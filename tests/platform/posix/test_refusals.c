/* What the system can refuse, but will not at will: a filter of this process's own (Linux' seccomp) answers single
 * calls with an error. It cannot be taken back, so each case has its own process. */
#include "child.h"
#include "harness.h"
#include "member.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ANY_ARGUMENT UINT32_MAX

/* From here on the call fails with that error, if its argument 1 has that value. False: there are no filters. */
static bool refuse_where(long call, uint32_t argument, int error)
{
    const uint32_t argument_at = offsetof(struct seccomp_data, args) + sizeof(uint64_t);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, argument, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    if (argument == ANY_ARGUMENT)
        filter[3] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, argument, 0, 0);
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#define CALL(name) SYS_##name

/* May others look into this process? */
static bool be_open(bool open)
{
    return prctl(PR_SET_DUMPABLE, open ? 1 : 0, 0, 0, 0) == 0;
}

#else

#define ANY_ARGUMENT 0u
#define CALL(name)   0

static bool be_open(bool open)
{
    (void)open;
    return true;
}

static bool refuse_where(long call, uint32_t argument, int error)
{
    (void)call;
    (void)argument;
    (void)error;
    return false;
}

#endif

static void need_refusal(bool works)
{
    if (!works)
        mp_skip("single system calls cannot be refused here");
}

/* At the process' end it looks for leaks, with a process of its own. */
static void need_no_sanitizer(void)
{
    if (mp_test_is_sanitized())
        mp_skip("the sanitizer needs the calls that would be refused");
}

static void refuse(long call, int error)
{
    need_refusal(refuse_where(call, ANY_ARGUMENT, error));
}

/* ---- memory ---- */

MP_CASE(no_memory_to_commit)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    refuse(CALL(fallocate), ENOSPC);
    EXPECT_STATUS(mp__os_arena_commit(&arena, MP_TEST_ARENA_USABLE, 4096), MP_NO_MEMORY);
    arena.base[0] = 1; /* what was committed stays */
    mp__os_arena_discard(&arena, 0, 4096);
    mp__os_arena_close(&arena);
}

MP_CASE(no_kernel_memory_to_commit)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    refuse(CALL(fallocate), ENOMEM);
    EXPECT_STATUS(mp__os_arena_commit(&arena, MP_TEST_ARENA_USABLE, 4096), MP_NO_MEMORY);
    mp__os_arena_close(&arena);
}

MP_CASE(no_memory_to_expose)
{
    mp__os_arena_t arena;
    need_no_sanitizer();
    mp_test_arena_create(&arena);
    REQUIRE_OK(mp__os_arena_commit(&arena, MP_TEST_ARENA_USABLE, 4096));
    refuse(CALL(mprotect), ENOMEM);
    EXPECT_STATUS(mp__os_arena_expose(&arena, MP_TEST_ARENA_USABLE, 4096), MP_NO_MEMORY);
    mp__os_arena_close(&arena);
}

/* An unknown refusal has its status, too, with the system's code and the step. */
MP_CASE(a_refusal_without_a_name)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    refuse(CALL(fallocate), EIO);
    EXPECT_STATUS(mp__os_arena_commit(&arena, MP_TEST_ARENA_USABLE, 4096), MP_SYSTEM);
    CU_ASSERT_EQUAL(mp_error()->code, EIO);
    CU_ASSERT(mp_error()->step[0] && mp_error()->text[0]);
    mp__os_arena_close(&arena);
}

/* A sandbox that does not know memfd_create gets an arena all the same. */
MP_CASE(arena_without_memfd)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    refuse(CALL(memfd_create), EPERM);
    mp_test_arena_create(&arena);
    arena.base[0] = 5;
    mp_test_start_member(&child, "reads", &arena, NULL);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 5);
    mp__os_arena_close(&arena);
}

MP_PROGRAM(reads)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    int value = arena.base[0];
    mp__os_arena_close(&arena);
    return value;
}

/* What a process that was killed between making a name and taking it away has left, the next maker of an arena removes;
 * what belongs to the living, or is called otherwise, stays. */
static bool plant(char *path, size_t size, const char *folder, pid_t pid, const char *end)
{
    snprintf(path, size, "%s/multiproc-%ld-%s", folder, (long)pid, end);
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0)
        close(file);
    return file >= 0;
}

static void expect_sweep(const char *folder)
{
    char of_dead[300], of_living[300], of_others[300];
    mp__os_arena_t arena;
    pid_t dead = fork();
    if (dead == 0)
        _exit(0);
    CU_ASSERT_EQUAL(waitpid(dead, NULL, 0), dead);
    CU_ASSERT_FATAL(plant(of_dead, sizeof of_dead, folder, dead, "0123abcd"));
    CU_ASSERT(plant(of_living, sizeof of_living, folder, getpid(), "0123abcd"));
    CU_ASSERT(plant(of_others, sizeof of_others, folder, dead, "0123abcd.txt"));
    EXPECT_OK(mp__os_arena_create(MP_TEST_ARENA_SIZE, &arena));
    CU_ASSERT_EQUAL(access(of_dead, F_OK), -1);
    CU_ASSERT_EQUAL(access(of_living, F_OK), 0);
    CU_ASSERT_EQUAL(access(of_others, F_OK), 0);
    unlink(of_dead);
    unlink(of_living);
    unlink(of_others);
    mp__os_arena_close(&arena);
}

MP_CASE(leftovers_of_the_dead_are_swept)
{
    if (access("/dev/shm", W_OK) != 0)
        mp_skip("shared memory has no folder here");
    refuse(CALL(memfd_create), EPERM);
    expect_sweep("/dev/shm");
    if (mp_test_is_plain_posix()) /* has a file beside the memory */
        expect_sweep(mp_test_folder());
}

/* ---- locks ---- */

MP_CASE(no_locks_left)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    need_refusal(refuse_where(CALL(fcntl), F_SETLK, ENOLCK));
    mp__os_process_life_t *life = (mp__os_process_life_t *)(void *)arena.base;
    EXPECT_STATUS(mp__os_process_live(&arena, 1, life), MP_LIMIT);
    mp__os_arena_close(&arena);
}

/* ---- processes ---- */

/* All that the C library may start a process with. */
static void refuse_starts(int error)
{
    need_no_sanitizer();
#ifdef __linux__
    refuse(CALL(clone), error);
    refuse(CALL(clone3), error);
#ifdef SYS_fork
    refuse(CALL(fork), error);
    refuse(CALL(vfork), error);
#endif
#else
    refuse(0, error);
#endif
}

MP_CASE(no_memory_to_start)
{
    mp__os_process_t process;
    const char *const arguments[] = {mp_test_program(), "-", NULL};
    const mp__os_spawn_t spawn = {.path = mp_test_program(), .arguments = arguments};
    mp_test_warm_up();
    refuse_starts(ENOMEM);
    EXPECT_STATUS(mp__os_spawn(&spawn, &process), MP_NO_MEMORY);
}

MP_CASE(too_many_processes_to_start)
{
    mp__os_process_t process;
    const char *const arguments[] = {mp_test_program(), "-", NULL};
    const mp__os_spawn_t spawn = {.path = mp_test_program(), .arguments = arguments};
    mp_test_warm_up();
    refuse_starts(EAGAIN);
    EXPECT_STATUS(mp__os_spawn(&spawn, &process), MP_LIMIT);
}

MP_CASE(no_memory_to_fork)
{
    mp__os_process_t process;
    bool in_child;
    mp_test_warm_up();
    refuse_starts(ENOMEM);
    EXPECT_STATUS(mp__os_fork(&process, &in_child), MP_NO_MEMORY);
    CU_ASSERT_FALSE(in_child);
}

MP_CASE(too_many_processes_to_fork)
{
    mp__os_process_t process;
    bool in_child;
    mp_test_warm_up();
    refuse_starts(EAGAIN);
    EXPECT_STATUS(mp__os_fork(&process, &in_child), MP_LIMIT);
    CU_ASSERT_FALSE(in_child);
}

MP_PROGRAM(ends_when_told)
{
    return mp_test_hear(mp_test_talk(), 'e') ? 0 : 1;
}

MP_CASE(no_right_to_signal)
{
    mp_test_child_t child;
    mp_test_warm_up();
    mp_test_start(&child, "ends_when_told", NULL, 0, NULL);
    refuse(CALL(kill), EPERM);
    refuse(CALL(pidfd_send_signal), EPERM);
    EXPECT_STATUS(mp__os_process_signal(&child.process, true), MP_DENIED);
    EXPECT_STATUS(mp__os_process_interrupt(&child.process), MP_DENIED);
    EXPECT_STATUS(mp__os_process_ask(&child.process, 0), MP_DENIED);
    EXPECT_STATUS(mp__os_process_kill_tree(&child.process), MP_DENIED);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
}

MP_CASE(no_right_to_watch)
{
    mp__os_handle_t sentinel;
    if (!mp__os_caps()->sentinels)
        mp_skip("this system watches no processes");
    refuse(CALL(pidfd_open), EPERM);
    EXPECT_STATUS(mp__os_sentinel_open(mp__os_pid(), &sentinel), MP_DENIED);
}

MP_CASE(no_right_to_a_folder)
{
    refuse(CALL(chdir), EACCES);
    EXPECT_STATUS(mp__os_directory_set("/"), MP_DENIED);
}

MP_CASE(no_right_to_a_priority)
{
    refuse(CALL(setpriority), EACCES);
    EXPECT_STATUS(mp__os_priority_set(-5), MP_DENIED);
}

/* A process that lets nobody look into it starts children all the same, though its number leads to no image. */
MP_CASE(a_process_that_hides_its_image)
{
    char *arguments[] = {(char *)(uintptr_t)mp_test_program(), (char *)(uintptr_t) "-", NULL};
    mp__os_process_t process;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_program_note(2, arguments));
    CU_ASSERT_FATAL(be_open(false));
    const mp__os_spawn_t spawn = {.path = mp__os_program_path()};
    REQUIRE_OK(mp__os_spawn(&spawn, &process));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.code, 0);
    mp__os_process_close(&process);
    CU_ASSERT(be_open(true));
}

/* Before Linux 5.3, and in sandboxes: the sentinel is another thing then, and behaves the same. */
MP_CASE(processes_without_pidfd)
{
    mp_test_child_t child;
    bool ready;
    refuse(CALL(pidfd_open), ENOSYS);
    refuse(CALL(pidfd_send_signal), ENOSYS);
    mp_test_warm_up();
    mp_test_start(&child, "ends_when_told", NULL, 0, NULL);
    EXPECT_STATUS(mp__os_wait_any(&child.process.sentinel, 1, 0, &ready), MP_TIMEOUT);
    EXPECT_STATUS(mp__os_process_wait(&child.process, 0), MP_TIMEOUT);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    EXPECT_OK(mp__os_wait_any(&child.process.sentinel, 1, mp_test_deadline(30), &ready));
    CU_ASSERT(ready);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    mp_test_start(&child, "ends_when_told", NULL, 0, NULL);
    EXPECT_OK(mp__os_process_signal(&child.process, true));
    EXPECT_OK(mp__os_wait_any(&child.process.sentinel, 1, mp_test_deadline(30), &ready));
    CU_ASSERT_EQUAL(mp_test_join(&child).end, MP__OS_SIGNALLED);
}

/* ---- listeners ---- */

/* Who cannot be told from another user is turned away. */
MP_CASE(nobody_tells_whose_process_it_is)
{
    mp__os_listener_t *listener;
    mp__os_handle_t client, server;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_listen(NULL, &listener));
    REQUIRE_OK(mp__os_connect(mp__os_listener_address(listener), &client));
    need_refusal(refuse_where(CALL(getsockopt), SOL_SOCKET, ENOSYS));
    EXPECT_STATUS(mp__os_accept(listener, &server), MP_UNSUPPORTED);
    EXPECT_STATUS(mp__os_connect(mp__os_listener_address(listener), &server), MP_UNSUPPORTED);
    mp__os_handle_close(client);
    mp__os_listener_close(listener);
}

MP_CASES(MP_ROW(no_memory_to_commit), MP_ROW(no_kernel_memory_to_commit), MP_ROW(no_memory_to_expose),
         MP_ROW(a_refusal_without_a_name), MP_ROW(arena_without_memfd), MP_SUB(reads),
         MP_ROW(leftovers_of_the_dead_are_swept), MP_ROW(no_locks_left), MP_ROW(no_memory_to_start),
         MP_ROW(too_many_processes_to_start), MP_ROW(no_memory_to_fork), MP_ROW(too_many_processes_to_fork),
         MP_ROW(no_right_to_signal), MP_ROW(no_right_to_watch), MP_ROW(no_right_to_a_folder),
         MP_ROW(no_right_to_a_priority), MP_ROW(a_process_that_hides_its_image), MP_SUB(ends_when_told),
         MP_ROW(processes_without_pidfd), MP_ROW(nobody_tells_whose_process_it_is));
