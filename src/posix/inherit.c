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

/* Opens the standard three; `inherit` does it where a number stays what it is. */
static int standard_three(posix_spawn_file_actions_t *actions, const int standard[3],
                          int (*inherit)(posix_spawn_file_actions_t *actions, int fd, int scratch), int scratch)
{
    int code = 0;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && !code; fd++) {
        if (standard[fd] < 0) /* never closed: nothing else is to get that number */
            code =
                posix_spawn_file_actions_addopen(actions, fd, "/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
        else if (standard[fd] == fd)
            code = inherit(actions, fd, scratch);
        else
            code = posix_spawn_file_actions_adddup2(actions, standard[fd], fd);
    }
    return code;
}

#if defined(__APPLE__)

static int inherit_as_it_is(posix_spawn_file_actions_t *actions, int fd, int scratch)
{
    (void)scratch;
    return posix_spawn_file_actions_addinherit_np(actions, fd);
}

int mp__posix_inherit(posix_spawn_file_actions_t *actions, short *flags, const int standard[3],
                      const mp__posix_kept_t *keep, size_t n)
{
    *flags = (short)(*flags | POSIX_SPAWN_CLOEXEC_DEFAULT);
    int code = standard_three(actions, standard, inherit_as_it_is, -1);
    for (size_t i = 0; i < n && !code; i++)
        code = keep[i].source == keep[i].number
                   ? posix_spawn_file_actions_addinherit_np(actions, keep[i].number)
                   : posix_spawn_file_actions_adddup2(actions, keep[i].source, keep[i].number);
    return code;
}

#else

/* Opens a descriptor to the program, if it is not. To duplicate it onto itself would do, but older C libraries leave it
 * closed then; so it goes over a number that the child has no other use for, which is closed like all that are not
 * named. */
static int open_to_child(posix_spawn_file_actions_t *actions, int fd, int scratch)
{
    if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC)) /* an error, which has all bits, is told by the start */
        return 0;
    int code = posix_spawn_file_actions_adddup2(actions, fd, scratch);
    return code ? code : posix_spawn_file_actions_adddup2(actions, scratch, fd);
}

/* A number that the child has no use for. `keep` is sorted. */
static int find_scratch(const int standard[3], const mp__posix_kept_t *keep, size_t n)
{
    int scratch = STDERR_FILENO + 1;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < n; i++)
            if (keep[i].number == scratch || keep[i].source == scratch)
                scratch++, moved = true;
        for (size_t i = 0; i < 3; i++)
            if (standard[i] == scratch)
                scratch++, moved = true;
    }
    return scratch;
}

static int pass_named(posix_spawn_file_actions_t *actions, const int standard[3], const mp__posix_kept_t *keep,
                      size_t n)
{
    int scratch = find_scratch(standard, keep, n);
    int code = standard_three(actions, standard, open_to_child, scratch);
    for (size_t i = 0; i < n && !code; i++)
        if (keep[i].source != keep[i].number)
            code = posix_spawn_file_actions_adddup2(actions, keep[i].source, keep[i].number);
        else if (keep[i].number > STDERR_FILENO)
            code = open_to_child(actions, keep[i].number, scratch);
    return code ? code : posix_spawn_file_actions_addclose(actions, scratch);
}

#if defined(HAVE_CLOSE_FROM)

static int close_others(posix_spawn_file_actions_t *actions, const mp__posix_kept_t *keep, size_t n)
{
    int fd = STDERR_FILENO + 1;
    int code = 0;
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

static int close_others(posix_spawn_file_actions_t *actions, const mp__posix_kept_t *keep, size_t n)
{
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

int mp__posix_inherit(posix_spawn_file_actions_t *actions, short *flags, const int standard[3],
                      const mp__posix_kept_t *keep, size_t n)
{
    (void)flags;
    int code = pass_named(actions, standard, keep, n);
    return code ? code : close_others(actions, keep, n);
}

#endif
