/* Whose process is at the other end of a socket: as it was when that one connected, or began to listen. */
#include "posix/posix.h"

int mp__posix_peer(int fd, uid_t *user)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return -1;
    *user = peer.uid;
    return 0;
}

bool mp__posix_full_is_refused(void)
{
    return false;
}
