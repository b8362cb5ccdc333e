/* Programs of the system's own start, and what processes hold: see system.h. */
#include "bench.h"
#include "system.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bench_program_t bench_program_begin(const char *program, const char *argument)
{
    pid_t pid;
    char *const arguments[] = {(char *)program, (char *)argument, NULL};
    if (posix_spawn(&pid, program, NULL, NULL, arguments, environ) != 0)
        bench_fail("a program cannot be started");
    return (bench_program_t){pid};
}

void bench_program_end(bench_program_t program, bool kill_it)
{
    int status;
    if (kill_it)
        kill((pid_t)program.process, SIGKILL);
    if (waitpid((pid_t)program.process, &status, 0) < 0 || (!kill_it && status != 0))
        bench_fail("a program failed");
}

bool bench_allow_handles(uint64_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return false;
    if (limit.rlim_cur >= count)
        return true;
    limit.rlim_cur = count;
    return limit.rlim_max >= count && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* The sum of the lines that begin so, which are in KiB; -1: there is no such file. */
static int64_t sum_of(const char *path, const char *beginning)
{
    char line[256];
    long kib;
    int64_t sum = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (colon && strncmp(line, beginning, strlen(beginning)) == 0 && sscanf(colon + 1, "%ld", &kib) == 1)
            sum += kib * 1024;
    }
    fclose(file);
    return sum;
}

int64_t bench_private_memory(int64_t process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)process);
    return sum_of(path, "Private_");
}

uint64_t bench_free_memory(void)
{
    int64_t known = sum_of("/proc/meminfo", "MemAvailable");
    return known < 0 ? 0 : (uint64_t)known;
}
