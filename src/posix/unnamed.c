/* Memory and files that exist only as long as somebody has them open: made under a name that is removed at once. A
 * process that is killed between the two leaves the name behind; the next one to make such a thing sweeps it, where
 * names can be listed. */
#include "posix/posix.h"

#include "core/atomic.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX        "multiproc-" /* then the maker's pid, "-", and 8 digits of a stamp: macOS allows 31 bytes in all */
#define NAME_MAX_SIZE 40
#define ATTEMPTS      100

static void make_name(char name[NAME_MAX_SIZE])
{
    static uint32_t counter;
    uint32_t stamp = (uint32_t)(mp__os_now() / 1000) + mp__add32(&counter, 1) * 0x9e3779b1u;
    snprintf(name, NAME_MAX_SIZE, PREFIX "%" PRId32 "-%08" PRIx32, mp__os_pid(), stamp);
}

/* Is it the name of something that a process made which is gone? (Removing one of a living process - its pid may be of
 * another namespace - does no harm either: it was about to do so itself.) */
static bool is_leftover(const char *name)
{
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0)
        return false;
    char *end;
    long pid = strtol(name + sizeof PREFIX - 1, &end, 10);
    if (*end != '-' || strspn(end + 1, "0123456789abcdef") != 8 || end[9] || pid < 1 || pid > INT32_MAX)
        return false;
    return kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static void sweep(const char *directory)
{
    DIR *names = opendir(directory);
    if (!names)
        return;
    struct dirent *entry;
    while ((entry = readdir(names))) {
        struct stat file;
        if (is_leftover(entry->d_name) && fstatat(dirfd(names), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(file.st_mode) && file.st_uid == geteuid())
            unlinkat(dirfd(names), entry->d_name, 0);
    }
    closedir(names);
}

int mp__posix_unnamed_memory(void)
{
    sweep("/dev/shm");
    for (int i = 0; i < ATTEMPTS; i++) {
        char name[NAME_MAX_SIZE + 1] = "/";
        make_name(name + 1);
        int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR); /* is born closed to children */
        if (fd >= 0) {
            shm_unlink(name);
            return mp__posix_lift(fd);
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

static const char *temporary_directory(void)
{
    const char *asked = mp__os_is_privileged() ? NULL : getenv("TMPDIR");
    return asked && *asked ? asked : "/tmp";
}

int mp__posix_unnamed_file(void)
{
    const char *directory = temporary_directory();
    sweep(directory);
    for (int i = 0; i < ATTEMPTS; i++) {
        char name[NAME_MAX_SIZE];
        char path[PATH_MAX];
        make_name(name);
        int length = snprintf(path, sizeof path, "%s/%s", directory, name);
        if (length < 0 || (size_t)length >= sizeof path) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (fd >= 0) {
            unlink(path);
            return mp__posix_lift(fd);
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}
