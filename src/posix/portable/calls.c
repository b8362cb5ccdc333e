/* Descriptors that are closed to children as soon as they are made: in two steps, because POSIX has no call that does
 * both. */
#include "posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int close_to_children(int ends[2])
{
    if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0)
        return 0;
    mp__posix_close(ends[0]);
    mp__posix_close(ends[1]);
    return -1;
}

int mp__posix_raw_pipe(int ends[2])
{
    return pipe(ends) < 0 ? -1 : close_to_children(ends);
}

int mp__posix_raw_socketpair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ? -1 : close_to_children(ends);
}

int mp__posix_raw_socket(int type)
{
    int fd = socket(AF_UNIX, type, 0);
    if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
        return fd;
    mp__posix_close(fd);
    return -1;
}

int mp__posix_raw_accept(int fd)
{
    int accepted = accept(fd, NULL, NULL);
    int flags = accepted < 0 ? -1 : fcntl(accepted, F_GETFL); /* some systems hand down what fd has */
    if (flags >= 0 && fcntl(accepted, F_SETFD, FD_CLOEXEC) == 0 && fcntl(accepted, F_SETFL, flags & ~O_NONBLOCK) == 0)
        return accepted;
    mp__posix_close(accepted);
    return -1;
}

ssize_t mp__posix_receive(int fd, struct msghdr *message)
{
    ssize_t got = recvmsg(fd, message, 0);
    if (got < 0)
        return got;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= part->cmsg_len; at += sizeof(int)) {
            int received;
            memcpy(&received, CMSG_DATA(part) + at, sizeof received);
            fcntl(received, F_SETFD, FD_CLOEXEC);
        }
    }
    return got;
}

int mp__posix_poll_for(struct pollfd *set, size_t n, int64_t nanoseconds)
{
    int milliseconds = -1;
    if (nanoseconds >= INT_MAX * MP__MILLISECOND)
        milliseconds = INT_MAX;
    else if (nanoseconds >= 0) /* rounded up: to return early would be to spin */
        milliseconds = (int)((nanoseconds + MP__MILLISECOND - 1) / MP__MILLISECOND);
    return poll(set, (nfds_t)n, milliseconds);
}
