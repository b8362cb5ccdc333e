/* Descriptors: closed to children from birth, and never one of the standard three. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

int mp__posix_descriptor(mp__os_handle_t handle)
{
    return handle < 0 || handle > INT_MAX ? -1 : (int)handle;
}

mp_status_t mp__posix_error(const char *step, int code)
{
    switch (code) {
    case EMFILE:
    case ENFILE:
        return mp__error_native(MP_LIMIT, step, code);
    case ENOMEM:
        return mp__error_native(MP_NO_MEMORY, step, code);
    case EBADF:
        return mp__error_native(MP_INVALID, step, code);
    default:
        return mp__error_native(MP_SYSTEM, step, code);
    }
}

void mp__posix_close(int fd)
{
    int saved = errno;
    if (fd >= 0)
        close(fd); /* an interrupted close has closed */
    errno = saved;
}

/* The error of a descriptor's limit, which fcntl calls an invalid argument. */
static int duplicate(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy < 0 && errno == EINVAL)
        errno = EMFILE;
    return copy;
}

int mp__posix_lift(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int high = duplicate(fd);
    mp__posix_close(fd);
    return high;
}

int mp__posix_pipe(int ends[2])
{
    if (mp__posix_raw_pipe(ends) < 0)
        return -1;
    ends[0] = mp__posix_lift(ends[0]);
    if (ends[0] >= 0)
        ends[1] = mp__posix_lift(ends[1]);
    if (ends[0] >= 0 && ends[1] >= 0)
        return 0;
    mp__posix_close(ends[0]);
    mp__posix_close(ends[1]);
    return -1;
}

void mp__os_handle_close(mp__os_handle_t handle)
{
    mp__posix_close(mp__posix_descriptor(handle));
}

mp_status_t mp__os_handle_copy(mp__os_handle_t handle, mp__os_handle_t *copy)
{
    int fd = duplicate(mp__posix_descriptor(handle));
    if (fd < 0)
        return mp__posix_error("duplicate a descriptor", errno);
    *copy = fd;
    return MP_OK;
}

mp_status_t mp__os_handle_adopt(mp__os_handle_t handle)
{
    int fd = mp__posix_descriptor(handle);
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)
        return mp__posix_error("adopt an inherited descriptor", errno);
    return MP_OK;
}
