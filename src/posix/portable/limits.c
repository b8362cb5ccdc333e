/* How much of the machine this process may use, as far as POSIX tells: all of it. */
#include "posix/posix.h"

#include <unistd.h>

unsigned mp__posix_cpu_limit(unsigned online)
{
    return online;
}

uint64_t mp__posix_memory_limit(uint64_t installed)
{
    return installed;
}

uint64_t mp__posix_mapped_size(void)
{
    return 0;
}

bool mp__posix_is_privileged(void)
{
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__) || defined(__DragonFly__)
    return issetugid() != 0;
#else
    return getuid() != geteuid() || getgid() != getegid();
#endif
}

unsigned mp__posix_thread_count(void)
{
    return 0;
}
