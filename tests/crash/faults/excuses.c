/* The labels that no act comes to, and why: mostly because what is changed there is a process's own. */
#include "faults.h"

#include "platform.h"

#include <string.h>

#define OWN   "a process's own memory"
#define NAMED "lies in memory of apr_shm"

typedef struct excuse {
    const char *file;     /* or a folder or a beginning, with a * at its end */
    const char *function; /* NULL: all */
    const char *why;
} excuse_t;

static const excuse_t excuses[] = {
    {"core/*", NULL, OWN},
    {"wire/*", NULL, OWN},
    {"objects/manager*", NULL, OWN},
    {"objects/pool*", NULL, OWN},
    {"objects/children.c", NULL, OWN},
    {"objects/process_self.c", NULL, OWN},
    {"objects/start.c", NULL, OWN},
    {"objects/bootstrap.c", NULL, OWN},
    {"objects/authkey.c", NULL, OWN},
    {"objects/log.c", "count_lost", "a sum that is only told"},
    {"objects/log.c", NULL, OWN},
    {"objects/lifeline.c", NULL, OWN},
    {"objects/listener.c", NULL, OWN},
    {"objects/watcher.c", NULL, OWN},
    {"objects/forkserver*", NULL, "the fork server's: its tests kill it, and its children, at any moment"},
    {"objects/queue/get.c", "take_at_once", OWN},
    {"objects/queue/get.c", "fall_behind", OWN},
    {"objects/named_lock.c", NULL, NAMED},
    {"objects/name.c", NULL, NAMED},
    {"family/family.c", "mp__region_expose", OWN},
    {"family/family.c", "mp__family_forget", OWN},
    {"family/family.c", "mp__family_accept_forked", OWN},
    {"family/attach.c", "write_record", OWN},
    {"family/attach.c", "clear_record", OWN},
    {"family/attach.c", "attach", OWN},
    {"family/attach.c", "mp__detach", OWN ", or of one who can take no part"},
    {"family/slots.c", "probe_some", OWN},
    {"family/object.c", "leave_behind", OWN},
    {"family/object.c", "mp__objects_settle", OWN},
    {"family/park.c", "mp__may_spin", OWN},
    {"objects/lifeline.c", NULL, OWN},
    {"posix/linux/pidfd.c", NULL, OWN},
    {"posix/unnamed.c", NULL, OWN},
    {"win32/system.c", NULL, OWN},
    {"objects/queue/book.c", "mp__book_forget", "only where there is no memory"},
};

static const excuse_t where_words_can_be_slept_on[] = {
    {"family/park.c", "mark_sleeper", "bells only"},
    {"family/park.c", "ring", "bells only"},
    {"posix/park.c", "mp__os_bell_wait", "bells only"},
    {"posix/park.c", "mp__os_bell_ring", "bells only"},
};

static const excuse_t where_nothing_forks[] = {
    {"family/slots.c", "take_own_slot", "the root only, and children of foreign forks"},
    {"family/slots.c", "leave_thread", "the system does not call it for threads that end"},
    {"win32/life.c", "mp__os_thread_leave", "the same"},
};

static const excuse_t where_memory_is_kept[] = {
    {"family/alloc.c", "dissolve_run", "it also gives memory back"},
};

static bool fits(const excuse_t *excuse, const mp_test_point_t *point)
{
    size_t length = strlen(excuse->file);
    const char *file = mp_test_file_of(point);
    bool same = excuse->file[length - 1] == '*' ? strncmp(file, excuse->file, length - 1) == 0
                                                : strcmp(file, excuse->file) == 0;
    return same && (!excuse->function || strcmp(point->function, excuse->function) == 0);
}

static const char *find(const excuse_t *list, size_t count, const mp_test_point_t *point)
{
    for (size_t i = 0; i < count; i++)
        if (fits(&list[i], point))
            return list[i].why;
    return NULL;
}

#define FIND(list, point) find((list), sizeof(list) / sizeof *(list), (point))

const char *mp_test_excuse(const mp_test_point_t *point)
{
    const char *why = FIND(excuses, point);
    if (!why && mp__os_caps()->shared_wait)
        why = FIND(where_words_can_be_slept_on, point);
    if (!why && !mp__os_caps()->fork)
        why = FIND(where_nothing_forks, point);
    if (!why && !mp__os_caps()->discard)
        why = FIND(where_memory_is_kept, point);
    return why;
}
