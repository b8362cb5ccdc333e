/* Calls on descriptors that do in one step what POSIX does in two: no other thread's fork sees a descriptor that is
 * open to children. */
#include "posix/posix.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int mp__posix_raw_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC);
}

int mp__posix_raw_socketpair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

int mp__posix_raw_socket(int type)
{
    return socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
}

int mp__posix_raw_accept(int fd)
{
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

ssize_t mp__posix_receive(int fd, struct msghdr *message)
{
    return recvmsg(fd, message, MSG_CMSG_CLOEXEC);
}

int mp__posix_poll_for(struct pollfd *set, size_t n, int64_t nanoseconds)
{
    struct timespec time = {.tv_sec = (time_t)(nanoseconds / MP__SECOND), .tv_nsec = (long)(nanoseconds % MP__SECOND)};
    return ppoll(set, (nfds_t)n, nanoseconds < 0 ? NULL : &time, NULL);
}
