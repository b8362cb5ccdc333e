/* Watching any process: by an event of the kernel's where that has them; POSIX alone has no way that a number which is
 * used again would not deceive. */
#include "posix/posix.h"

#include <errno.h>

#if MP__POSIX_KQUEUE

#include <fcntl.h>
#include <sys/event.h>
#include <sys/time.h>

int mp__posix_sentinel_open(pid_t pid)
{
    struct kevent end;
    int fd = mp__posix_lift(kqueue());
    if (fd < 0)
        return -1;
    EV_SET(&end, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && kevent(fd, &end, 1, NULL, 0, NULL) == 0)
        return fd;
    mp__posix_close(fd);
    return -1;
}

#else

int mp__posix_sentinel_open(pid_t pid)
{
    (void)pid;
    errno = ENOSYS;
    return -1;
}

#endif
