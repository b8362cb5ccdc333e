/* POSIX has no word for the processors that a process may run on. */
#include "posix/posix.h"

#include "core/error.h"

mp_status_t mp__os_affinity_set(const uint64_t *processors, size_t words)
{
    (void)processors, (void)words;
    return mp__error(MP_UNSUPPORTED, "set the child's processors", "this system cannot bind a process to processors");
}
