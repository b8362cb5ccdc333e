/* A family in a cgroup with little memory: its cap follows the limit, and reaching it is felt as back-pressure, not as
 * a kill. */
#include "harness.h"

#include <multiproc.h>

#include "platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT (UINT64_C(256) << 20)
#define ITEM  ((size_t)1 << 20)

static bool write_text(const char *folder, const char *name, const char *text)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    bool written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written;
}

/* This process's cgroup that counts memory, in either version's tree. False: it has none that can be found. */
static bool find_cgroup(char *folder, size_t size, bool *second)
{
    char line[512];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        const char *path = strchr(line, ':') ? strchr(strchr(line, ':') + 1, ':') : NULL;
        *second = strncmp(line, "0::", 3) == 0;
        if (path && (*second || strstr(line, ":memory:")))
            snprintf(folder, size, "/sys/fs/cgroup%s%s", *second ? "" : "/memory", path + 1);
        found = path &&
                (*second ? access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0 : strstr(line, ":memory:") != NULL);
    }
    if (file)
        fclose(file);
    return found;
}

/* A cgroup below this process's, with the limit; false: it cannot be made here. */
static bool make_cgroup(char *folder, size_t size)
{
    char parent[560], limit[32];
    bool second;
    if (!find_cgroup(parent, sizeof parent, &second))
        return false;
    snprintf(folder, size, "%s/mp-test-%d", parent, (int)getpid());
    snprintf(limit, sizeof limit, "%llu", (unsigned long long)LIMIT);
    if (mkdir(folder, 0755) != 0)
        return false;
    if (write_text(folder, second ? "memory.max" : "memory.limit_in_bytes", limit))
        return true;
    rmdir(folder);
    return false;
}

static mp_status_t idle(mp_call_t *call)
{
    mp_value_t word;
    mp_status_t status = mp_queue_get(mp_arg_queue(call, 0), &word, MP_FOREVER);
    mp_value_free(&word);
    return status;
}

/* Puts until the family's memory is used up; how many items that were. */
static int fill(mp_queue_t *queue, const char *item)
{
    int count = 0;
    mp_status_t status;
    while ((status = mp_queue_put_bytes(queue, item, ITEM, 0)) == MP_OK && count < 1000)
        count++;
    MP_CHECK(status == MP_NO_MEMORY);
    MP_CHECK(strstr(mp_error()->text, "memory_cap") != NULL);
    return count;
}

/* In the cgroup: another member idles meanwhile and must live on. */
static void live_in_cgroup(void)
{
    mp_queue_t *queue = NULL, *words = NULL;
    mp_process_t *member;
    char *item = calloc(1, ITEM);
    size_t size = ITEM;
    MP_CHECK(item != NULL);
    MP_CHECK(mp_queue_create(&queue, 0) == MP_OK && mp_queue_create(&words, 0) == MP_OK);
    MP_CHECK(mp_process_start(&member, idle, mp_args(words)) == MP_OK);
    int count = fill(queue, item);
    MP_CHECK(count >= 100 && count <= 128); /* the cap is half of the limit */
    MP_CHECK(mp_process_is_alive(member));
    MP_CHECK(mp_queue_get_bytes(queue, item, &size, 0) == MP_OK);
    MP_CHECK(mp_queue_put_bytes(queue, item, ITEM, mp_test_seconds(5)) == MP_OK);
    MP_CHECK(mp_queue_put(words, MP_NONE, mp_test_seconds(5)) == MP_OK);
    MP_CHECK(mp_process_join(member, mp_test_seconds(20)) == MP_OK);
    int code = -1;
    MP_CHECK(mp_process_exitcode(member, &code) == MP_OK && code == 0);
    mp_process_close(member);
    mp_queue_close(words);
    mp_queue_close(queue);
    free(item);
}

MP_CASE(a_cgroups_limit_is_back_pressure)
{
    char folder[600], pid[32];
    if (!make_cgroup(folder, sizeof folder))
        mp_skip("no cgroup with a memory limit can be made here");
    pid_t child = fork();
    if (child == 0) {
        snprintf(pid, sizeof pid, "%d", (int)getpid());
        MP_CHECK(write_text(folder, "cgroup.procs", pid));
        if (mp__os_memory_size() > LIMIT)
            _exit(77);
        live_in_cgroup();
        _exit(0);
    }
    int result = -1;
    CU_ASSERT_EQUAL(waitpid(child, &result, 0), child);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
    if (WIFEXITED(result) && WEXITSTATUS(result) == 77)
        mp_skip("this back end cannot ask for a cgroup's limit");
    CU_ASSERT(WIFEXITED(result) && WEXITSTATUS(result) == 0);
}

MP_GUARDED_CASES(MP_ROW(a_cgroups_limit_is_back_pressure));
