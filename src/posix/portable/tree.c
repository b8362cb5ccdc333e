/* POSIX lists no processes. */
#include "posix/posix.h"

void mp__posix_tree_kill(pid_t root, int fd)
{
    (void)root, (void)fd;
}
