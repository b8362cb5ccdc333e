/* The leak check's comparison; what there is to compare comes from the system's own file. */
#include "leaks.h"

#include "harness.h"
#include "system.h"

#include <stdio.h>
#include <string.h>

#define MOST_HANDLES 4096
#define MOST_FILES   64

/* Tests that run at the same time make such files too, some for many seconds; a leak is one that stays, or has this
 * process' number in its name. */
#define FILE_MOMENTS 6000

typedef struct holding {
    uintptr_t handles[MOST_HANDLES];
    size_t handle_count;
    mp_test_file_t files[MOST_FILES];
    size_t file_count;
    uint64_t mapped;
    size_t blocks;
} holding_t;

static holding_t before;
static holding_t after;

size_t (*mp_test_arena_blocks)(void);
void (*mp_test_settle)(void);

static void take(holding_t *holding)
{
    holding->blocks = mp_test_arena_blocks ? mp_test_arena_blocks() : 0;
    holding->handle_count = mp_test_handles(holding->handles, MOST_HANDLES);
    holding->file_count = mp_test_files(holding->files, MOST_FILES);
    holding->mapped = mp_test_mapped();
}

static bool had_handle(uintptr_t handle)
{
    for (size_t i = 0; i < before.handle_count; i++)
        if (before.handles[i] == handle)
            return true;
    return false;
}

static bool had_file(const mp_test_file_t *file)
{
    for (size_t i = 0; i < before.file_count; i++)
        if (strcmp(before.files[i].path, file->path) == 0)
            return true;
    return false;
}

static size_t new_files(void)
{
    size_t count = 0;
    after.file_count = mp_test_files(after.files, MOST_FILES);
    for (size_t i = 0; i < after.file_count; i++)
        if (!had_file(&after.files[i]))
            after.files[count++] = after.files[i];
    return count;
}

/* A handle that took the number of one that was closed is no leak: only more of them are. */
static bool report_handles(const char *name)
{
    if (after.handle_count <= before.handle_count)
        return true;
    for (size_t i = 0; i < after.handle_count; i++) {
        if (had_handle(after.handles[i]))
            continue;
        char text[300];
        mp_test_handle_describe(after.handles[i], text, sizeof text);
        printf("LEAK %s: descriptor %ld %s\n", name, (long)after.handles[i], text);
    }
    return false;
}

static bool is_own(const mp_test_file_t *files, size_t count)
{
    char number[24];
    snprintf(number, sizeof number, "-%ld", mp_test_pid());
    for (size_t i = 0; i < count; i++)
        if (strstr(files[i].path, number))
            return true;
    return false;
}

static bool report_files(const char *name)
{
    size_t count = new_files();
    for (int moment = 0; count > 0 && !is_own(after.files, count) && moment < FILE_MOMENTS; moment++) {
        mp_test_moment();
        count = new_files();
    }
    for (size_t i = 0; i < count; i++)
        printf("LEAK %s: file %s\n", name, after.files[i].path);
    return count == 0;
}

static bool report_children(const char *name)
{
    long pids[16];
    size_t count = mp_test_children(pids, sizeof pids / sizeof pids[0]);
    for (size_t i = 0; i < count; i++)
        printf("LEAK %s: child %ld\n", name, pids[i]);
    return count == 0;
}

void mp_test_leaks_begin(void)
{
    (void)mp_error(); /* some compilers make a lock at the first use of a thread's own variable */
    take(&before);
}

bool mp_test_leaks_report(const char *name)
{
    if (mp_test_settle)
        mp_test_settle();
    mp_test_let_go();
    take(&after);
    bool clean = report_handles(name);
    clean = report_children(name) && clean;
    clean = report_files(name) && clean;
    if (after.mapped > before.mapped) {
        printf("LEAK %s: mapping of %llu bytes\n", name, (unsigned long long)(after.mapped - before.mapped));
        clean = false;
    }
    if (after.blocks > before.blocks) {
        printf("LEAK %s: arena blocks: %llu\n", name, (unsigned long long)(after.blocks - before.blocks));
        clean = false;
    }
    return clean;
}
