/* This program, where every system has its own way to ask for it; with POSIX alone only argv[0] tells. */
#include "posix/posix.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <crt_externs.h>
#include <mach-o/dyld.h>
#elif defined(__FreeBSD__) || defined(__NetBSD__)
#include <sys/sysctl.h>
#endif

/* ---- the system's own knowledge */

#if defined(__APPLE__)

static int ask_path(char **path)
{
    char file[PATH_MAX];
    uint32_t size = sizeof file;
    if (_NSGetExecutablePath(file, &size) != 0)
        return ENOSYS;
    *path = realpath(file, NULL);
    return *path ? 0 : errno;
}

static char *const *ask_command(void)
{
    return *_NSGetArgv();
}

#elif defined(__FreeBSD__) || defined(__NetBSD__)

static int ask_path(char **path)
{
#if defined(__FreeBSD__)
    int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1};
#else
    int name[4] = {CTL_KERN, KERN_PROC_ARGS, -1, KERN_PROC_PATHNAME};
#endif
    char file[PATH_MAX];
    size_t size = sizeof file;
    if (sysctl(name, 4, file, &size, NULL, 0) < 0)
        return ENOSYS;
    *path = strdup(file);
    return *path ? 0 : ENOMEM;
}

static char *const *ask_command(void)
{
    return NULL;
}

#else

static int ask_path(char **path)
{
    (void)path;
    return ENOSYS;
}

static char *const *ask_command(void)
{
    return NULL;
}

#endif

/* ---- argv[0] */

static char *absolute(const char *file)
{
    return access(file, X_OK) == 0 ? realpath(file, NULL) : NULL;
}

/* As the shell found it. */
static char *search(const char *name)
{
    const char *path = getenv("PATH");
    for (const char *at = path; at && *name; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
        char file[PATH_MAX];
        int length = (int)strcspn(at, ":");
        int size = snprintf(file, sizeof file, "%.*s/%s", length ? length : 1, length ? at : ".", name);
        char *found = size > 0 && size < (int)sizeof file ? absolute(file) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

int mp__posix_program_path(const char *argv0, char **path)
{
    int code = ask_path(path);
    if (code != ENOSYS)
        return code;
    if (mp__posix_sentinel_image()) {
        *path = strdup(mp__posix_sentinel_image());
        return *path ? 0 : ENOMEM;
    }
    if (!argv0)
        return ENOSYS;
    *path = strchr(argv0, '/') ? absolute(argv0) : search(argv0);
    return *path ? 0 : ENOSYS;
}

const char *mp__posix_program_image(const char *path, char *room, size_t size)
{
    (void)room;
    (void)size;
    return path;
}

int mp__posix_program_command(char ***argv)
{
    char *const *own = ask_command();
    if (!own)
        return ENOSYS;
    *argv = mp__posix_copy_arguments(own);
    return *argv ? 0 : ENOMEM;
}
