/* Whose process is at the other end of a socket: POSIX has no call for it, the BSDs and Linux have one each. */
#include "posix/posix.h"

#include <errno.h>
#include <unistd.h>

#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__) || defined(__DragonFly__)

int mp__posix_peer(int fd, uid_t *user)
{
    gid_t group;
    return getpeereid(fd, user, &group);
}

bool mp__posix_full_is_refused(void)
{
    return true;
}

#elif defined(SO_PEERCRED)

/* As the kernel writes it; the C library hides its own. */
typedef struct peer {
    pid_t pid;
    uid_t user;
    gid_t group;
} peer_t;

int mp__posix_peer(int fd, uid_t *user)
{
    peer_t peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return -1;
    *user = peer.user;
    return 0;
}

bool mp__posix_full_is_refused(void)
{
    return false;
}

#else

int mp__posix_peer(int fd, uid_t *user)
{
    (void)fd, (void)user;
    errno = ENOSYS;
    return -1;
}

bool mp__posix_full_is_refused(void)
{
    return true;
}

#endif
