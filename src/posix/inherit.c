/* Which descriptors a started program gets: only the named ones. Everything of ours is closed to children anyway, but a
 * host's may be open to them. */
#include "posix/posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Closes all from a number on, in the child: no descriptor that another thread opens meanwhile is missed. */
#if MP__POSIX_LINUX && defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
#define HAVE_CLOSE_FROM 1
#endif
#elif defined(__FreeBSD__)
#include <sys/param.h>
#if __FreeBSD_version >= 1301000
#define HAVE_CLOSE_FROM 1
#endif
#endif

/* May a descriptor be duplicated onto itself to open it to the program? Older C libraries leave it closed then. */
#if defined(HAVE_CLOSE_FROM) /* what has that has this, too */
#define HAVE_SELF_DUPLICATION 1
#else
#define HAVE_SELF_DUPLICATION 0
#endif

/* ---- the named ones get their numbers */

/* A number that nothing else is here or there. */
static int find_scratch(const mp__posix_kept_t *keep, size_t n)
{
    int scratch = STDERR_FILENO + 1;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < n; i++)
            if (keep[i].number == scratch || keep[i].source == scratch)
                scratch++, moved = true;
    }
    return scratch;
}

#if defined(__APPLE__)

static int open_to_child(posix_spawn_file_actions_t *actions, int fd, int scratch)
{
    (void)scratch;
    return posix_spawn_file_actions_addinherit_np(actions, fd);
}

#else

/* Opens a descriptor to the program, if it is not. */
static int open_to_child(posix_spawn_file_actions_t *actions, int fd, int scratch)
{
    if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC)) /* an error, which has all bits, is told by the start */
        return 0;
    if (HAVE_SELF_DUPLICATION)
        return posix_spawn_file_actions_adddup2(actions, fd, fd);
    int code = posix_spawn_file_actions_adddup2(actions, fd, scratch);
    return code ? code : posix_spawn_file_actions_adddup2(actions, scratch, fd);
}

#endif

/* Is what has this number here still to be moved elsewhere? */
static bool is_needed(int number, const mp__posix_kept_t *keep, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!keep[i].settled && keep[i].source == number && keep[i].number != number)
            return true;
    return false;
}

static int settle(posix_spawn_file_actions_t *actions, mp__posix_kept_t *kept, int scratch)
{
    int fd = kept->number;
    kept->settled = true;
    if (kept->source < 0) /* never closed: nothing else is to get that number */
        return posix_spawn_file_actions_addopen(actions, fd, "/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
    return kept->source == fd ? open_to_child(actions, fd, scratch)
                              : posix_spawn_file_actions_adddup2(actions, kept->source, fd);
}

/* All that are left go round in circles, each in the place of another: one of them steps aside. */
static int break_circle(posix_spawn_file_actions_t *actions, mp__posix_kept_t *keep, size_t n, int scratch)
{
    size_t i = 0;
    while (i < n && keep[i].settled)
        i++;
    int code = posix_spawn_file_actions_adddup2(actions, keep[i].source, scratch);
    keep[i].source = scratch;
    return code;
}

static int pass_named(posix_spawn_file_actions_t *actions, mp__posix_kept_t *keep, size_t n)
{
    int scratch = find_scratch(keep, n);
    int code = 0;
    for (size_t left = n; left && !code;) {
        size_t before = left;
        for (size_t i = 0; i < n && !code; i++)
            if (!keep[i].settled && !is_needed(keep[i].number, keep, n)) {
                code = settle(actions, &keep[i], scratch);
                left--;
            }
        if (left == before)
            code = break_circle(actions, keep, n, scratch);
    }
    return code ? code : posix_spawn_file_actions_addclose(actions, scratch);
}

/* ---- the others are closed */

#if defined(__APPLE__)

static int close_others(posix_spawn_file_actions_t *actions, short *flags, const mp__posix_kept_t *keep, size_t n)
{
    (void)actions, (void)keep, (void)n;
    *flags = (short)(*flags | POSIX_SPAWN_CLOEXEC_DEFAULT);
    return 0;
}

#elif defined(HAVE_CLOSE_FROM)

static int close_others(posix_spawn_file_actions_t *actions, short *flags, const mp__posix_kept_t *keep, size_t n)
{
    int fd = STDERR_FILENO + 1;
    int code = 0;
    (void)flags;
    for (size_t i = 0; i < n; i++) {
        for (; fd < keep[i].number && !code; fd++)
            code = posix_spawn_file_actions_addclose(actions, fd);
        fd = keep[i].number < fd ? fd : keep[i].number + 1;
    }
    return code ? code : posix_spawn_file_actions_addclosefrom_np(actions, fd);
}

#else

/* One descriptor of this process: does the child have to close it? (One that another thread opens after this was asked
 * is missed, and one that it closes is closed in vain.) */
static int close_one(posix_spawn_file_actions_t *actions, int fd, const mp__posix_kept_t *keep, size_t n)
{
    int flags = fcntl(fd, F_GETFD);
    if (fd <= STDERR_FILENO || flags < 0 || (flags & FD_CLOEXEC))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (keep[i].number == fd)
            return 0;
    return posix_spawn_file_actions_addclose(actions, fd);
}

/* ENOENT: /dev/fd is no list of this process' descriptors, which shows in that the one that lists is not in it. */
static int close_listed(posix_spawn_file_actions_t *actions, const mp__posix_kept_t *keep, size_t n)
{
    DIR *list = opendir("/dev/fd");
    if (!list)
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? errno : ENOENT;
    int code = 0;
    bool complete = false;
    struct dirent *entry;
    while (!code && (entry = readdir(list))) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        if (*end || end == entry->d_name || fd > INT32_MAX)
            continue;
        complete = complete || fd == dirfd(list);
        code = close_one(actions, (int)fd, keep, n);
    }
    closedir(list);
    return complete || code ? code : ENOENT;
}

static int close_others(posix_spawn_file_actions_t *actions, short *flags, const mp__posix_kept_t *keep, size_t n)
{
    (void)flags;
    int code = close_listed(actions, keep, n);
    if (code != ENOENT)
        return code;
    long limit = sysconf(_SC_OPEN_MAX);
    code = 0;
    for (int fd = STDERR_FILENO + 1; fd < limit && !code; fd++)
        code = close_one(actions, fd, keep, n);
    return code;
}

#endif

int mp__posix_inherit(posix_spawn_file_actions_t *actions, short *flags, mp__posix_kept_t *keep, size_t n)
{
    int code = pass_named(actions, keep, n);
    return code ? code : close_others(actions, flags, keep, n);
}
