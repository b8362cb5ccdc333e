/* The system does not end children with their parent: they do it themselves (mp__os_lifeline_create). */
#include "posix/posix.h"

#include <errno.h>

int mp__posix_lifeline_open(int fd)
{
    (void)fd;
    errno = ENOSYS;
    return -1;
}

bool mp__posix_lifeline_arm(int fd)
{
    (void)fd;
    return false;
}
