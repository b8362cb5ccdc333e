/* The end of a thread cannot be seen by other processes with POSIX alone: only the end of its process. */
#include "posix/posix.h"

mp_status_t mp__os_thread_live(mp__os_thread_life_t *life)
{
    *life = (mp__os_thread_life_t){{0}};
    return MP_OK;
}

bool mp__os_thread_ended(const mp__os_thread_life_t *life)
{
    (void)life;
    return false;
}

void mp__os_thread_leave(mp__os_thread_life_t *life)
{
    (void)life;
}
