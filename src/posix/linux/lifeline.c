/* The kernel kills this process when its parent is gone, though no thread of it runs: by the signal that a pipe raises
 * when its other end is closed. (A parent's-death signal would come when the thread ends that started the child.) */
#include "posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void mp__posix_lifeline_arm(int fd)
{
    char path[40];
    /* Siblings share what they were given; the signal's receiver is set in an opened file of this process' own. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (own < 0)
        return;
    if (fcntl(own, F_SETOWN, getpid()) == 0 && fcntl(own, F_SETSIG, SIGKILL) == 0 &&
        fcntl(own, F_SETFL, O_ASYNC | O_NONBLOCK) == 0)
        dup3(own, fd, O_CLOEXEC);
    mp__posix_close(own);
}
