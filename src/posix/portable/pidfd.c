/* POSIX has no descriptors of processes. */
#include "posix/posix.h"

#include <errno.h>

int mp__posix_pidfd_open(pid_t pid)
{
    (void)pid;
    errno = ENOSYS;
    return -1;
}

int mp__posix_pidfd_place(void)
{
    errno = ENOSYS;
    return -1;
}

int mp__posix_pidfd_signal(int fd, int signal)
{
    (void)fd, (void)signal;
    errno = ENOSYS;
    return -1;
}

pid_t mp__posix_pidfd_wait(int fd, bool leave, int *result, struct rusage *usage)
{
    (void)fd, (void)leave, (void)result, (void)usage;
    errno = ENOSYS;
    return -1;
}
