/* Is that process dead? Each locks the byte of its number in the arena's file; the kernel lets go when it ends, before
 * anybody reaps it, and a fork's child does not inherit it. (Nobody may close a copy of that descriptor: it would drop
 * the locks, too.) */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static struct flock byte_lock(short type, uint32_t index)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)index, .l_len = 1};
}

static int lock_file(const mp__os_arena_t *arena)
{
    return (int)(arena->life == MP__NO_HANDLE ? arena->memory : arena->life);
}

mp_status_t mp__os_process_live(const mp__os_arena_t *arena, uint32_t index, mp__os_process_life_t *life)
{
    struct flock lock = byte_lock(F_WRLCK, index);
    *life = (mp__os_process_life_t){{0}}; /* the lock tells all */
    while (fcntl(lock_file(arena), F_SETLK, &lock) < 0) {
        if (errno == ENOLCK)
            return mp__error_native(MP_LIMIT, "lock this process' byte", errno);
        if (errno != EINTR)
            return mp__posix_error("lock this process' byte", errno);
    }
    return MP_OK;
}

void mp__os_process_leave(const mp__os_arena_t *arena, uint32_t index)
{
    struct flock lock = byte_lock(F_UNLCK, index);
    while (fcntl(lock_file(arena), F_SETLK, &lock) < 0 && errno == EINTR)
        ;
}

bool mp__os_process_ended(const mp__os_arena_t *arena, uint32_t index, const mp__os_process_life_t *life)
{
    struct flock lock = byte_lock(F_WRLCK, index);
    (void)life;
    return fcntl(lock_file(arena), F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}
