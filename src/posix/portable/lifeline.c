/* POSIX has no signal for the end of a pipe: a stopped process meets it when it is continued. */
#include "posix/posix.h"

void mp__posix_lifeline_arm(int fd)
{
    (void)fd;
}
