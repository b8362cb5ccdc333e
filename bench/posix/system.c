/* Clock, processes, memory, counters: see system.h. */
#include "system.h"
#include "bench.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t bench_now(void)
{
    return clock_of(CLOCK_MONOTONIC);
}

int64_t bench_processor_time(void)
{
    return clock_of(CLOCK_THREAD_CPUTIME_ID);
}

void bench_pause(double seconds)
{
    struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
}

void bench_yield(void)
{
    sched_yield();
}

void *bench_shared_create(size_t size)
{
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        bench_fail("no shared memory");
    return shared;
}

void bench_shared_free(void *shared, size_t size)
{
    munmap(shared, size);
}

bench_partner_t bench_partner_start(bench_role_t *role, void *shared)
{
    pid_t pid = fork();
    if (pid < 0)
        bench_fail("no partner process");
    if (pid == 0) {
        role(shared);
        _exit(0);
    }
    return (bench_partner_t){pid};
}

void bench_partner_join(bench_partner_t *partner)
{
    int status;
    if (waitpid((pid_t)partner->process, &status, 0) < 0 || status != 0)
        bench_fail("a partner process failed");
}

void bench_partner_main(int argc, char **argv)
{
    (void)argc; /* partners are forked */
    (void)argv;
}

int64_t bench_sleeps(void)
{
#if defined(RUSAGE_THREAD)
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : -1;
#else
    return -1;
#endif
}

int64_t bench_open_handles(void)
{
    DIR *directory = opendir("/dev/fd");
    int64_t count = 0;
    if (!directory)
        return -1;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

bool bench_ask(const char *command, double *value)
{
    FILE *output = popen(command, "r");
    if (!output)
        return false;
    char line[64];
    bool found = fgets(line, sizeof line, output) != NULL;
    found = pclose(output) == 0 && found;
    if (found)
        *value = strtod(line, NULL);
    return found;
}
