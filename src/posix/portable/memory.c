/* The arena's memory where there is only POSIX: a shared-memory object, and a file beside it that takes locks, which
 * macOS refuses on shared memory. */
#include "posix/posix.h"

#include <errno.h>
#include <fcntl.h>

int mp__posix_memory_create(int *memory, int *life)
{
    *memory = mp__posix_unnamed_memory();
    if (*memory < 0)
        return errno;
    *life = mp__posix_unnamed_file();
    if (*life >= 0)
        return 0;
    int code = errno;
    mp__posix_close(*memory);
    *memory = -1;
    return code;
}

void mp__posix_memory_seal(int memory)
{
    (void)memory;
}

bool mp__posix_memory_has_life(void)
{
    return true;
}

int mp__posix_memory_commit(int memory, off_t offset, off_t length)
{
#if defined(__APPLE__) || defined(__OpenBSD__)
    /* Has no posix_fallocate; its shared memory is backed by swap space like any other and never runs out alone. */
    (void)memory, (void)offset, (void)length;
    return 0;
#else
    int code = posix_fallocate(memory, offset, length);
    /* Where it does not know shared memory, that is backed by swap space, too. */
    return code == EINVAL || code == EOPNOTSUPP || code == ENODEV ? 0 : code;
#endif
}

void mp__posix_memory_discard(int memory, off_t offset, off_t length)
{
    (void)memory, (void)offset, (void)length;
}
