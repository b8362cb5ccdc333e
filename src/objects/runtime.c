/* Time and identity. */
#include <multiproc/runtime.h>

#include "family/family.h"

void mp_sleep(double seconds)
{
    mp__deadline_t deadline;
    if (mp__deadline(seconds, &deadline) == MP_OK && deadline != 0)
        mp__os_sleep(deadline);
}

double mp_now(void)
{
    return (double)mp__os_now() / (double)MP__SECOND;
}

int mp_getpid(void)
{
    return mp__os_pid();
}

int mp_getppid(void)
{
    if (!mp__family_joined())
        return mp__os_parent_pid();
    uint32_t pid = mp__family.processes[mp__family.process].parent_pid;
    return pid ? (int)pid : mp__os_parent_pid();
}

int mp_cpu_count(void)
{
    return (int)mp__os_cpu_count();
}

mp_status_t mp_configure(uint64_t arena_size, uint64_t memory_cap)
{
    return mp__family_configure(arena_size, memory_cap);
}
