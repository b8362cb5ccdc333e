/* Watching any process: by its descriptor. */
#include "posix/posix.h"

int mp__posix_sentinel_open(pid_t pid)
{
    return mp__posix_pidfd_open(pid);
}
