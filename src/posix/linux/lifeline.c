/* The kernel kills a process when its parent is gone, though no thread of it runs: by the signal that a pipe raises
 * when its other end is closed. (A parent's-death signal would come when the thread ends that started the child.)
 *
 * Who gets the signal is set in the open file, which siblings would share: so each child gets one of its own, which its
 * parent opens, because the first look into /proc costs a new process much. */
#include "posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int mp__posix_lifeline_open(int fd)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

bool mp__posix_lifeline_arm(int fd)
{
    return fcntl(fd, F_SETOWN, getpid()) == 0 && fcntl(fd, F_SETSIG, SIGKILL) == 0 &&
           fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) == 0;
}
