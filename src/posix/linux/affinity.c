/* The processors that this process may run on. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <sched.h>

mp_status_t mp__os_affinity_set(const uint64_t *processors, size_t words)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (size_t i = 0; i < words * 64 && i < CPU_SETSIZE; i++)
        if (processors[i / 64] >> i % 64 & 1)
            CPU_SET(i, &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0)
        return MP_OK;
    if (errno == EINVAL)
        return mp__error_code(MP_INVALID, "set the child's processors", errno, "it may run on none of them");
    return mp__posix_error("set the child's processors", errno);
}
