/* Hosts that are hard on the library: limits, locked memory, core dumps, signals, refused system calls. */
#include "child.h"
#include "harness.h"
#include "member.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE ((size_t)1 << 30) /* an arena that nobody can afford by accident */
#define SMALL ((size_t)1 << 20)

/* Bytes of memory behind an arena, for all who map it. */
static uint64_t committed(const mp__os_arena_t *arena)
{
    struct stat file = {0};
    CU_ASSERT_EQUAL(fstat((int)arena->memory, &file), 0);
    return (uint64_t)file.st_blocks * 512;
}

static void create_large(mp__os_arena_t *arena)
{
    REQUIRE_OK(mp__os_arena_create(LARGE, arena));
    REQUIRE_OK(mp__os_arena_commit(arena, 0, 65536));
    REQUIRE_OK(mp__os_arena_expose(arena, 0, 65536));
    arena->base[0] = 1;
    CU_ASSERT(committed(arena) >= 65536);
    CU_ASSERT(committed(arena) < SMALL);
}

static bool limit_soft(int resource, rlim_t value)
{
    struct rlimit limit;
    if (getrlimit((unsigned)resource, &limit) != 0)
        return false;
    limit.rlim_cur = value;
    return setrlimit((unsigned)resource, &limit) == 0;
}

/* ---- locked memory ---- */

static bool may_lock(void)
{
    struct rlimit limit;
    return geteuid() == 0 || (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
}

/* Bytes that count as locked, whether there is memory behind them or not; 0 where nobody tells. */
static uint64_t locked(void)
{
    unsigned long long kilobytes = 0;
    char line[200];
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmLck: %llu kB", &kilobytes) == 1)
            break;
    if (file)
        fclose(file);
    return kilobytes * 1024;
}

MP_CASE(mlockall_after_the_arena)
{
    mp__os_arena_t arena;
    if (!may_lock())
        mp_skip("this user may not lock memory");
    create_large(&arena);
    CU_ASSERT_EQUAL(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
    CU_ASSERT(committed(&arena) < SMALL);
    EXPECT_OK(mp__os_arena_commit(&arena, 65536, 65536));
    uint64_t before = locked();
    EXPECT_OK(mp__os_arena_expose(&arena, 65536, LARGE - 65536));
    CU_ASSERT(committed(&arena) < SMALL);
    CU_ASSERT(before == 0 || locked() <= before - (LARGE - 65536)); /* what is in use is not locked, and can be lent */
    arena.base[65536] = 1;
    munlockall();
    mp__os_arena_close(&arena);
}

MP_CASE(mlockall_before_the_arena)
{
    mp__os_arena_t arena;
    if (!may_lock())
        mp_skip("this user may not lock memory");
    CU_ASSERT_EQUAL(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
    uint64_t before = locked();
    create_large(&arena);
    CU_ASSERT(locked() < before + LARGE / 2);
    EXPECT_OK(mp__os_arena_expose(&arena, 0, LARGE / 2));
    CU_ASSERT(committed(&arena) < SMALL);
    munlockall();
    mp__os_arena_close(&arena);
}

/* A child that maps it when it has locked its memory. */
MP_PROGRAM(locks_memory_and_opens)
{
    mp__os_arena_t arena;
    MP_CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
    MP_CHECK(mp__os_arena_open(mp_test_handle(0), mp_test_handle_count() > 1 ? mp_test_handle(1) : MP__NO_HANDLE, LARGE,
                               &arena) == MP_OK);
    MP_CHECK(mp__os_arena_expose(&arena, 0, LARGE / 2) == MP_OK);
    return arena.base[0];
}

MP_CASE(mlockall_in_a_child)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    if (!may_lock())
        mp_skip("this user may not lock memory");
    create_large(&arena);
    mp_test_start_member(&child, "locks_memory_and_opens", &arena, NULL);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 1);
    CU_ASSERT(committed(&arena) < SMALL);
    mp__os_arena_close(&arena);
}

/* Without the right to lock so much the arena must not fail, or say so. */
MP_CASE(mlockall_with_a_limit)
{
    mp__os_arena_t arena;
    bool in_child = false;
    mp__os_process_t process;
    REQUIRE_OK(mp__os_fork(&process, &in_child));
    if (in_child) {
        struct rlimit limit = {1 << 23, 1 << 23};
        MP_CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
        MP_CHECK(geteuid() != 0 || setuid(65534) == 0);
        if (mlockall(MCL_FUTURE) != 0)
            mp__os_end_now(2);
        mp_status_t status = mp__os_arena_create(LARGE, &arena);
        MP_CHECK(status == MP_OK || status == MP_NO_MEMORY);
        mp__os_end_now(status == MP_OK ? 0 : 1);
    }
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.end, MP__OS_EXITED);
    CU_ASSERT(process.exit.code <= 2);
    mp__os_process_close(&process);
}

/* ---- a buggy member ---- */

/* Whoever made it smaller would kill all others by SIGBUS. */
MP_CASE(nobody_can_resize_it)
{
    mp__os_arena_t arena;
    if (mp_test_is_plain_posix())
        mp_skip("plain POSIX has no seals");
    create_large(&arena);
    CU_ASSERT_EQUAL(ftruncate((int)arena.memory, 0), -1);
    CU_ASSERT_EQUAL(ftruncate((int)arena.memory, (off_t)(2 * LARGE)), -1);
    CU_ASSERT_EQUAL(arena.base[0], 1);
    mp__os_arena_close(&arena);
}

/* ---- core dumps ---- */

/* Dumps core where it stands, into a folder of the test's. */
MP_PROGRAM(dumps_core)
{
    mp__os_arena_t arena;
    MP_CHECK(mp__os_arena_open(mp_test_handle(0), mp_test_handle_count() > 1 ? mp_test_handle(1) : MP__NO_HANDLE, LARGE,
                               &arena) == MP_OK);
    MP_CHECK(mp__os_arena_expose(&arena, 0, LARGE / 2) == MP_OK);
    MP_CHECK(chdir(mp_test_word(0)) == 0);
    MP_CHECK(limit_soft(RLIMIT_CORE, RLIM_INFINITY));
    int filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
    MP_CHECK(filter < 0 || write(filter, "0x7f", 4) == 4); /* all kinds of memory, shared ones too */
    abort();
    return 1;
}

static bool core_goes_to_a_file(void)
{
    char pattern[200] = "";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");
    if (!file)
        return false;
    bool read = fgets(pattern, sizeof pattern, file) != NULL;
    fclose(file);
    return read && strncmp(pattern, "core", 4) == 0;
}

/* The core file of the child in the folder: removed; its size on the disk. */
static uint64_t take_core(const char *folder, int32_t pid)
{
    char path[500];
    struct stat file;
    uint64_t size = 0;
    snprintf(path, sizeof path, "%s/core", folder);
    if (stat(path, &file) != 0) {
        snprintf(path, sizeof path, "%s/core.%ld", folder, (long)pid);
        file.st_blocks = 0;
        if (stat(path, &file) != 0)
            return 0;
    }
    size = (uint64_t)file.st_blocks * 512;
    unlink(path);
    return size;
}

MP_CASE(a_member_that_dumps_core)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    char folder[400];
    struct rlimit limit;
    if (!core_goes_to_a_file() || getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max == 0)
        mp_skip("core dumps do not go to files here");
    create_large(&arena);
    snprintf(folder, sizeof folder, "%s/test-core-XXXXXX", mp_test_folder());
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    mp_test_start_member(&child, "dumps_core", &arena, (const char *const[]){folder, NULL});
    int32_t pid = child.process.pid;
    mp__os_exit_t end = mp_test_join(&child);
    CU_ASSERT_EQUAL(end.end, MP__OS_SIGNALLED);
    CU_ASSERT_EQUAL(end.code, SIGABRT);
    CU_ASSERT(committed(&arena) < SMALL);
    uint64_t core = take_core(folder, pid);
    rmdir(folder);
    mp__os_arena_close(&arena);
    if (core == 0)
        mp_skip("no core file came (a sanitizer, or no room)");
    CU_ASSERT(core < LARGE / 8);
}

/* ---- limits ---- */

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static bool is_default(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

/* SIGXFSZ with its default effect would end this process. */
MP_CASE(limit_on_the_size_of_files)
{
    mp__os_arena_t arena;
    CU_ASSERT(is_default(SIGXFSZ));
    CU_ASSERT_FATAL(limit_soft(RLIMIT_FSIZE, SMALL));
    EXPECT_STATUS(mp__os_arena_create(LARGE, &arena), MP_NO_MEMORY);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "RLIMIT_FSIZE"));
    EXPECT_OK(mp__os_arena_create(SMALL, &arena));
    EXPECT_OK(mp__os_arena_commit(&arena, 0, SMALL));
    mp__os_arena_close(&arena);
    struct rlimit limit;
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
    CU_ASSERT_EQUAL(limit.rlim_cur, SMALL); /* the host's, and left alone */
    CU_ASSERT(is_default(SIGXFSZ));
}

/* A host that handles the signal does not see one that was not for it, and keeps one that waits. */
MP_CASE(limit_on_files_and_the_hosts_own_handler)
{
    mp__os_arena_t arena;
    struct sigaction action = {.sa_handler = count_signal}, now;
    sigset_t mine, pending;
    CU_ASSERT_EQUAL(sigaction(SIGXFSZ, &action, NULL), 0);
    CU_ASSERT_FATAL(limit_soft(RLIMIT_FSIZE, SMALL));
    EXPECT_STATUS(mp__os_arena_create(LARGE, &arena), MP_NO_MEMORY);
    CU_ASSERT_EQUAL(signals, 0);
    CU_ASSERT_EQUAL(sigaction(SIGXFSZ, NULL, &now), 0);
    CU_ASSERT(now.sa_handler == count_signal);
    sigemptyset(&mine);
    sigaddset(&mine, SIGXFSZ);
    CU_ASSERT_EQUAL(sigprocmask(SIG_BLOCK, &mine, NULL), 0);
    raise(SIGXFSZ);
    EXPECT_STATUS(mp__os_arena_create(LARGE, &arena), MP_NO_MEMORY);
    CU_ASSERT_EQUAL(sigpending(&pending), 0);
    CU_ASSERT_EQUAL(sigismember(&pending, SIGXFSZ), 1);
    CU_ASSERT_EQUAL(sigprocmask(SIG_UNBLOCK, &mine, NULL), 0);
    CU_ASSERT_EQUAL(signals, 1);
}

MP_CASE(limit_on_address_space)
{
    mp__os_arena_t arena;
    if (!mp_test_limit_address_space(LARGE / 2))
        mp_skip("address space cannot be limited here");
    EXPECT_STATUS(mp__os_arena_create(LARGE, &arena), MP_NO_MEMORY);
    EXPECT_OK(mp__os_arena_create(LARGE / 4, &arena));
    mp__os_arena_close(&arena);
}

/* ---- a full /dev/shm, in a mount of this process's own ---- */

#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>

static bool small_shared_memory(const char *size)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/dev/shm", "tmpfs", 0, size) == 0;
}
#else
static bool small_shared_memory(const char *size)
{
    (void)size;
    return false;
}
#endif

/* Where the arena lies there, its commit is refused; nobody is killed, by SIGBUS or otherwise. */
MP_CASE(a_small_dev_shm)
{
    mp__os_arena_t arena;
    if (!small_shared_memory("size=64m"))
        mp_skip("no right to mount a small /dev/shm");
    EXPECT_OK(mp__os_arena_create(LARGE, &arena));
    mp_status_t status = MP_OK;
    size_t done = 0;
    while (status == MP_OK && done < (size_t)80 << 20) {
        status = mp__os_arena_commit(&arena, done, 65536);
        if (status == MP_OK)
            status = mp__os_arena_expose(&arena, done, 65536);
        if (status == MP_OK)
            arena.base[done] = 1;
        done += 65536;
    }
    CU_ASSERT_EQUAL(status, mp_test_is_plain_posix() ? MP_NO_MEMORY : MP_OK);
    mp__os_arena_close(&arena);
}

/* ---- a limit of the machine's memory (cgroup), where one can be made ---- */

static bool write_text(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    bool done = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
    if (file >= 0)
        close(file);
    return done;
}

/* A control group of version 1 or 2 with one limit set. */
typedef struct group {
    char folder[200];
    char members[300]; /* who writes "0" here joins */
} group_t;

static bool try_group(group_t *group, const char *hierarchy, const char *members, const char *limit, const char *value)
{
    char path[400];
    snprintf(group->folder, sizeof group->folder, "/sys/fs/cgroup/%smp-test-%ld", hierarchy, (long)getpid());
    snprintf(group->members, sizeof group->members, "%s/%s", group->folder, members);
    snprintf(path, sizeof path, "%s/%s", group->folder, limit);
    if (mkdir(group->folder, 0755) != 0)
        return false;
    if (write_text(path, value))
        return true;
    rmdir(group->folder);
    return false;
}

MP_PROGRAM(tells_what_it_may_use)
{
    MP_CHECK(write_text(mp_test_word(0), "0"));
    uint64_t bytes = mp__os_memory_size();
    uint32_t processors = mp__os_cpu_count();
    MP_CHECK(mp__os_channel_write(mp_test_talk(), &bytes, sizeof bytes) == MP_OK);
    MP_CHECK(mp__os_channel_write(mp_test_talk(), &processors, sizeof processors) == MP_OK);
    return 0;
}

/* What a member of the group sees; the group is gone afterwards. */
static void ask_member(group_t *group, uint64_t *bytes, uint32_t *processors)
{
    mp_test_child_t child;
    mp_test_start(&child, "tells_what_it_may_use", NULL, 0, (const char *const[]){group->members, NULL});
    EXPECT_OK(mp__os_channel_read(child.talk, bytes, sizeof *bytes));
    EXPECT_OK(mp__os_channel_read(child.talk, processors, sizeof *processors));
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    rmdir(group->folder);
}

MP_CASE(memory_limit_of_a_group)
{
    group_t group;
    uint64_t bytes = 0;
    uint32_t processors = 0;
    if (mp_test_is_plain_posix())
        mp_skip("plain POSIX does not tell the limits of groups");
    if (!try_group(&group, "memory/", "tasks", "memory.limit_in_bytes", "134217728") &&
        !try_group(&group, "", "cgroup.procs", "memory.max", "134217728"))
        mp_skip("no group with a memory limit can be made here");
    ask_member(&group, &bytes, &processors);
    CU_ASSERT_EQUAL(bytes, 134217728);
    CU_ASSERT_EQUAL(processors, mp__os_cpu_count());
}

/* Half a processor is one; one and a half are two. */
MP_CASE(processor_quota_of_a_group)
{
    const char *const quotas[] = {"50000", "150000"};
    const char *const both[] = {"50000 100000", "150000 100000"};
    uint32_t all = mp__os_cpu_count();
    if (mp_test_is_plain_posix())
        mp_skip("plain POSIX does not tell the limits of groups");
    for (uint32_t i = 0; i < 2; i++) {
        group_t group;
        uint64_t bytes = 0;
        uint32_t processors = 0;
        if (!try_group(&group, "cpu/", "tasks", "cpu.cfs_quota_us", quotas[i]) &&
            !try_group(&group, "", "cgroup.procs", "cpu.max", both[i]))
            mp_skip("no group with a processor quota can be made here");
        ask_member(&group, &bytes, &processors);
        CU_ASSERT_EQUAL(processors, all < i + 1 ? all : i + 1);
    }
}

/* ---- closed standard descriptors ---- */

/* What the library opens must not become somebody's output. */
MP_PROGRAM(has_no_standard_descriptors)
{
    mp__os_handle_t ends[2], copy;
    mp__os_arena_t arena;
    mp__os_event_t event;
    mp_test_talk();
    for (int i = 0; i < 3; i++)
        close(i);
    MP_CHECK(mp__os_channel_create(true, ends) == MP_OK && ends[0] > 2 && ends[1] > 2);
    MP_CHECK(mp__os_handle_copy(ends[0], &copy) == MP_OK && copy > 2);
    MP_CHECK(mp__os_event_create(&event) == MP_OK && event.wait > 2 && event.set > 2);
    MP_CHECK(mp__os_arena_create(SMALL, &arena) == MP_OK && arena.memory > 2);
    mp__os_process_t process;
    const char *const arguments[] = {mp_test_program(), "prints_into_nothing", NULL};
    const mp__os_spawn_t spawn = {.path = mp_test_program(), .arguments = arguments};
    MP_CHECK(mp__os_spawn(&spawn, &process) == MP_OK && process.sentinel > 2);
    MP_CHECK(mp__os_process_wait(&process, mp_test_deadline(30)) == MP_OK);
    return process.exit.code;
}

MP_PROGRAM(prints_into_nothing)
{
    return puts("lost") < 0 || fflush(stdout) != 0;
}

MP_CASE(a_host_without_standard_descriptors)
{
    mp_test_child_t child;
    mp_test_start(&child, "has_no_standard_descriptors", NULL, 0, NULL);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
}

MP_CASES(MP_ROW(mlockall_after_the_arena), MP_ROW(mlockall_before_the_arena), MP_ROW(mlockall_in_a_child),
         MP_SUB(locks_memory_and_opens), MP_ROW(mlockall_with_a_limit), MP_ROW(nobody_can_resize_it),
         MP_ROW(a_member_that_dumps_core), MP_SUB(dumps_core), MP_ROW(limit_on_the_size_of_files),
         MP_ROW(limit_on_files_and_the_hosts_own_handler), MP_ROW(limit_on_address_space), MP_ROW(a_small_dev_shm),
         MP_ROW(memory_limit_of_a_group), MP_ROW(processor_quota_of_a_group), MP_SUB(tells_what_it_may_use),
         MP_ROW(a_host_without_standard_descriptors), MP_SUB(has_no_standard_descriptors), MP_SUB(prints_into_nothing));
