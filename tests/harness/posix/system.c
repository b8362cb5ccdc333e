/* What the runner needs of a POSIX system. */
#include "../system.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CANNOT_START 1000

/* Under it malloc does not fail, it ends the program; and its shadow needs more address space than a limit would leave.
 */
#if defined(__SANITIZE_ADDRESS__)
#define MP_TEST_ADDRESS_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MP_TEST_ADDRESS_SANITIZER true
#endif
#endif
#ifndef MP_TEST_ADDRESS_SANITIZER
#define MP_TEST_ADDRESS_SANITIZER false
#endif

extern char **environ;

/* ---- the runner's ---- */

static void read_all(int descriptor, char *output, size_t size)
{
    size_t used = 0;
    char part[512];
    ssize_t n;
    while ((n = read(descriptor, part, sizeof part)) > 0) {
        size_t room = size - 1 - used;
        size_t some = (size_t)n < room ? (size_t)n : room;
        memcpy(output + used, part, some);
        used += some;
    }
    output[used] = '\0';
}

char **mp_test_command_line(char **argv)
{
    return argv;
}

int mp_test_run(const char *path, const char *name, char *output, size_t size)
{
    fflush(NULL);
    int ends[2] = {-1, -1};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (output) {
        if (pipe(ends) != 0)
            return CANNOT_START;
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        posix_spawn_file_actions_addclose(&actions, ends[1]);
    }
    char *const arguments[] = {(char *)(uintptr_t)path, (char *)(uintptr_t)name, NULL};
    pid_t pid;
    int refused = posix_spawn(&pid, path, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (output) {
        close(ends[1]);
        if (!refused)
            read_all(ends[0], output, size);
        close(ends[0]);
    }
    int status;
    if (refused || waitpid(pid, &status, 0) != pid)
        return CANNOT_START;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static char watch_text[200];

static void watch_rang(int signal)
{
    (void)signal;
    ssize_t written = write(1, watch_text, strlen(watch_text));
    _exit(written < 0 ? 2 : 1);
}

void mp_test_watch(double seconds, const char *name)
{
    snprintf(watch_text, sizeof watch_text, "FAIL %s: still running after %.0f s\n", name, seconds);
    signal(SIGALRM, watch_rang);
    alarm((unsigned)seconds);
}

void mp_test_end_now(int code)
{
    _exit(code);
}

/* ---- the leak check's ---- */

long mp_test_pid(void)
{
    return (long)getpid();
}

void mp_test_let_go(void) {}

/* By asking for each number, because listing a directory would open another one. */
size_t mp_test_handles(uintptr_t *handles, size_t capacity)
{
    size_t count = 0;
    for (int descriptor = 0; descriptor < (int)capacity; descriptor++)
        if (fcntl(descriptor, F_GETFD) >= 0)
            handles[count++] = (uintptr_t)descriptor;
    return count;
}

void mp_test_handle_describe(uintptr_t handle, char *text, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", (int)handle);
    ssize_t length = readlink(link, text, size - 1);
    text[length > 0 ? length : 0] = '\0';
}

size_t mp_test_children(long *pids, size_t capacity)
{
    size_t count = 0;
    while (count < capacity) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0)
            break;
        pids[count++] = (long)pid;
        if (pid == 0) /* one runs, and the system does not say which */
            break;
    }
    return count;
}

bool mp_test_zombies(void)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

static bool set_limit(bool descriptors, rlim_t value)
{
    struct rlimit limit;
    if (getrlimit(descriptors ? RLIMIT_NOFILE : RLIMIT_AS, &limit) != 0)
        return false;
    limit.rlim_cur = value;
    return setrlimit(descriptors ? RLIMIT_NOFILE : RLIMIT_AS, &limit) == 0;
}

/* A test that took all descriptors from itself must not blind the leak check. Returns what to set again. */
static rlim_t lift_limit(void)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    set_limit(true, limit.rlim_max);
    return limit.rlim_cur;
}

static size_t list_files(const char *folder, mp_test_file_t *files, size_t capacity)
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    if (!directory)
        return 0;
    const struct dirent *entry;
    while (count < capacity && (entry = readdir(directory)))
        if (strncmp(entry->d_name, "mp-", 3) == 0 || strncmp(entry->d_name, "multiproc", 9) == 0 ||
            strncmp(entry->d_name, "ShM.", 4) == 0) /* APR's */
            snprintf(files[count++].path, sizeof files[0].path, "%s/%.200s", folder, entry->d_name);
    closedir(directory);
    return count;
}

const char *mp_test_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && folder[0] ? folder : "/tmp";
}

size_t mp_test_files(mp_test_file_t *files, size_t capacity)
{
    rlim_t limit = lift_limit();
    size_t count = list_files("/dev/shm", files, capacity);
    count += list_files(mp_test_folder(), files + count, capacity - count);
    set_limit(true, limit);
    return count;
}

/* Bytes and not lines: changing the access of a part splits a line. Where there is no such file nothing is counted. */
uint64_t mp_test_mapped(void)
{
    uint64_t total = 0;
    rlim_t limit = lift_limit();
    FILE *maps = fopen("/proc/self/maps", "re");
    set_limit(true, limit);
    if (!maps)
        return 0;
    char line[5000];
    while (fgets(line, sizeof line, maps)) {
        unsigned long long from, to;
        char access[8];
        if (sscanf(line, "%llx-%llx %7s", &from, &to, access) == 3 && access[3] == 's')
            total += to - from;
    }
    fclose(maps);
    return total;
}

void mp_test_moment(void)
{
    struct timespec time = {0, 5000000};
    nanosleep(&time, NULL);
}

/* ---- the tests' ---- */

static void *thread_main(void *context)
{
    const mp_test_thread_t *thread = context;
    thread->run(thread->context);
    return NULL;
}

void mp_test_thread_start(mp_test_thread_t *thread, void (*run)(void *context), void *context)
{
    pthread_t id;
    thread->run = run;
    thread->context = context;
    if (pthread_create(&id, NULL, thread_main, thread) != 0)
        abort();
    thread->id = (uintptr_t)id;
}

void mp_test_thread_join(mp_test_thread_t *thread)
{
    pthread_join((pthread_t)thread->id, NULL);
}

const char *mp_test_emulator(void)
{
    return NULL;
}

void mp_test_allow_execution(const char *path)
{
    if (chmod(path, 0755) != 0)
        abort();
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

double mp_test_clock(void)
{
    struct timeval time;
    gettimeofday(&time, NULL);
    return seconds_of(time);
}

double mp_test_processor_time(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

bool mp_test_sleeps(uint64_t *count)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    *count = (uint64_t)usage.ru_nvcsw;
    return true;
}

bool mp_test_pause(int32_t pid)
{
    int status;
    if (kill(pid, SIGSTOP) != 0)
        return false;
    if (waitpid(pid, &status, WUNTRACED) == pid)
        return WIFSTOPPED(status);
    for (int i = 0; i < 20; i++) /* another's child: nobody tells, but it takes moments only */
        mp_test_moment();
    return errno == ECHILD;
}

bool mp_test_resume(int32_t pid)
{
    return kill(pid, SIGCONT) == 0;
}

bool mp_test_fork(void (*run)(void *context), void *context)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        run(context);
        _exit(0);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return child > 0;
}

bool mp_test_kill_pid(int32_t pid)
{
    return kill(pid, SIGKILL) == 0;
}

/* The limit is on the number of a new descriptor, so the free ones below it are filled first. */
bool mp_test_limit_handles(size_t more)
{
    int highest = -1;
    for (int descriptor = 0; descriptor < 4096; descriptor++)
        if (fcntl(descriptor, F_GETFD) >= 0)
            highest = descriptor;
    for (int descriptor = 0; descriptor < highest; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0)
            dup2(highest, descriptor);
    return set_limit(true, (rlim_t)highest + 1 + more);
}

static uint64_t address_space_used(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%llu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool mp_test_limit_address_space(uint64_t more)
{
    uint64_t used = address_space_used();
    return !MP_TEST_ADDRESS_SANITIZER && used > 0 && set_limit(false, (rlim_t)(used + more));
}

void mp_test_lift_limits(void)
{
    lift_limit();
    set_limit(false, RLIM_INFINITY);
}

bool mp_test_is_sanitized(void)
{
    return MP_TEST_ADDRESS_SANITIZER;
}

typedef struct block {
    struct block *next;
} block_t;

static block_t *blocks;

bool mp_test_exhaust_memory(void)
{
    if (!mp_test_limit_address_space(0))
        return false;
    for (size_t size = (size_t)1 << 20; size >= sizeof(block_t); size /= 2) {
        block_t *block;
        while ((block = malloc(size))) {
            block->next = blocks;
            blocks = block;
        }
    }
    return true;
}

void mp_test_give_memory_back(void)
{
    while (blocks) {
        block_t *block = blocks;
        blocks = block->next;
        free(block);
    }
    set_limit(false, RLIM_INFINITY);
}

bool mp_test_bind_to_one_processor(void)
{
#ifdef __linux__
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return false;
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        return sched_setaffinity(0, sizeof one, &one) == 0;
    }
#endif
    return false;
}

int mp_test_priority(void)
{
    return getpriority(PRIO_PROCESS, 0);
}

void (*mp_test_foreign_function(void))(void)
{
    void (*function)(void) = NULL;
    void *library = dlopen("libBrokenLocale.so.1", RTLD_NOW | RTLD_LOCAL);
    void *found = library ? dlsym(library, "__ctype_get_mb_cur_max") : NULL;
    memcpy(&function, &found, sizeof function);
    return function;
}
