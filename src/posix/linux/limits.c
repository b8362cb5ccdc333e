/* How much of the machine this process may use: affinity, control groups of both versions (the strictest on the way up
 * counts), address space. */
#include "posix/posix.h"

#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- control groups */

/* Is word one of the list's, which are separated by commas? */
static bool lists(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

/* This process' group in the hierarchy of a controller (version 1), or in the one of version 2 (NULL): "/a/b". */
static bool find_group(const char *controller, char path[PATH_MAX])
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    while (file && !found && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0'; /* "number:controllers:path" */
        char *names = strchr(line, ':');
        char *place = names ? strchr(names + 1, ':') : NULL;
        if (!place)
            continue;
        *place++ = '\0';
        names++;
        found = controller ? lists(names, controller) : *names == '\0';
        if (found)
            found = snprintf(path, PATH_MAX, "%s", place) < PATH_MAX;
    }
    free(line);
    if (file)
        fclose(file);
    return found;
}

/* A line of mountinfo: is it that hierarchy? Then what of it is mounted, and where. */
static bool is_hierarchy(char *line, const char *controller, char **root, char **place)
{
    char *rest = NULL;
    char *type = strstr(line, " - ");
    if (!type)
        return false;
    *type = '\0';
    type = strtok_r(type + 3, " \n", &rest);
    strtok_r(NULL, " \n", &rest); /* the source */
    char *options = strtok_r(NULL, " \n", &rest);
    if (!type || !options || strcmp(type, controller ? "cgroup" : "cgroup2") != 0 ||
        (controller && !lists(options, controller)))
        return false;
    char *field = strtok_r(line, " ", &rest);
    for (int i = 0; field && i < 3; i++)
        field = strtok_r(NULL, " ", &rest);
    *root = field;
    *place = strtok_r(NULL, " ", &rest);
    return *root && *place;
}

/* Where the group's folder is: its path, and how much of it is the hierarchy's own. */
static bool find_folder(const char *controller, char folder[PATH_MAX], size_t *top)
{
    char group[PATH_MAX];
    if (!find_group(controller, group))
        return false;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    char *root;
    char *place;
    size_t size = 0;
    bool found = false;
    while (file && !found && getline(&line, &size, file) > 0) {
        if (!is_hierarchy(line, controller, &root, &place))
            continue;
        /* In a container only a part may be mounted, or the group may lie outside of what is seen. */
        size_t skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
        const char *below = strncmp(group, root, skip) == 0 && !strstr(group, "/..") ? group + skip : "";
        *top = strlen(place);
        found = snprintf(folder, PATH_MAX, "%s%s", place, below) < PATH_MAX;
    }
    free(line);
    if (file)
        fclose(file);
    return found;
}

static bool read_text(const char *folder, const char *name, char *text, size_t size)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return false;
    FILE *file = fopen(path, "re");
    bool got = file && fgets(text, (int)size, file);
    if (file)
        fclose(file);
    return got;
}

/* The smallest of what a group and those above it say; UINT64_MAX: no limit. */
static uint64_t strictest(const char *controller, uint64_t (*ask)(const char *folder))
{
    char folder[PATH_MAX];
    size_t top;
    uint64_t least = UINT64_MAX;
    if (!find_folder(controller, folder, &top))
        return least;
    for (;;) {
        uint64_t limit = ask(folder);
        least = limit < least ? limit : least;
        char *last = strrchr(folder, '/');
        if (!last || (size_t)(last - folder) < top)
            return least;
        *last = '\0';
    }
}

/* Processors, rounded up. */
static uint64_t share(const char *quota, const char *period)
{
    int64_t part = strtoll(quota, NULL, 10); /* "max", and -1, are none */
    int64_t whole = strtoll(period, NULL, 10);
    return part <= 0 || whole <= 0 ? UINT64_MAX : (uint64_t)((part + whole - 1) / whole);
}

static uint64_t ask_cpu_max(const char *folder)
{
    char text[64];
    if (!read_text(folder, "cpu.max", text, sizeof text))
        return UINT64_MAX;
    const char *period = strchr(text, ' ');
    return period ? share(text, period) : UINT64_MAX;
}

static uint64_t ask_cfs_quota(const char *folder)
{
    char quota[32];
    char period[32];
    if (!read_text(folder, "cpu.cfs_quota_us", quota, sizeof quota) ||
        !read_text(folder, "cpu.cfs_period_us", period, sizeof period))
        return UINT64_MAX;
    return share(quota, period);
}

static uint64_t ask_memory(const char *folder, const char *name)
{
    char text[32];
    char *end;
    if (!read_text(folder, name, text, sizeof text))
        return UINT64_MAX;
    uint64_t bytes = strtoull(text, &end, 10);
    return end == text ? UINT64_MAX : bytes; /* "max" */
}

static uint64_t ask_memory_max(const char *folder)
{
    return ask_memory(folder, "memory.max");
}

static uint64_t ask_memory_limit(const char *folder)
{
    return ask_memory(folder, "memory.limit_in_bytes");
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- what is asked for */

static unsigned affinity(unsigned online)
{
    /* The kernel refuses a set that is smaller than its own. */
    for (size_t processors = 1024; processors <= (1u << 20); processors *= 2) {
        cpu_set_t *set = CPU_ALLOC(processors);
        if (!set)
            return online;
        size_t size = CPU_ALLOC_SIZE(processors);
        int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (count > 0)
            return (unsigned)count;
    }
    return online;
}

unsigned mp__posix_cpu_limit(unsigned online)
{
    uint64_t quota = least(strictest(NULL, ask_cpu_max), strictest("cpu", ask_cfs_quota));
    return (unsigned)least(affinity(online), quota);
}

uint64_t mp__posix_memory_limit(uint64_t installed)
{
    return least(installed, least(strictest(NULL, ask_memory_max), strictest("memory", ask_memory_limit)));
}

uint64_t mp__posix_mapped_size(void)
{
    char text[128];
    return read_text("/proc/self", "statm", text, sizeof text)
               ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE)
               : 0;
}

bool mp__posix_is_privileged(void)
{
    return getauxval(AT_SECURE) != 0;
}

/* The folder has one folder for each thread. */
unsigned mp__posix_thread_count(void)
{
    struct stat tasks;
    if (stat("/proc/self/task", &tasks) < 0 || tasks.st_nlink < 3)
        return 0;
    return (unsigned)tasks.st_nlink - 2;
}
