/* The arena's memory on Linux: a memfd, sealed so that nobody can pull it from under the others by making it smaller.
 */
#include "posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>

#if !defined(MFD_NOEXEC_SEAL)
#define MFD_NOEXEC_SEAL 0x0008U
#endif

int mp__posix_memory_create(int *memory, int *life)
{
    *life = -1; /* memory of either kind takes locks */
    int fd = memfd_create("multiproc", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create("multiproc", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0)
        fd = mp__posix_lift(fd);
    else if (errno != EMFILE && errno != ENFILE && errno != ENOMEM)
        fd = mp__posix_unnamed_memory(); /* a sandbox refuses memfd_create */
    *memory = fd;
    return fd < 0 ? errno : 0;
}

void mp__posix_memory_seal(int memory)
{
    fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL); /* shm_open's cannot be sealed */
}

bool mp__posix_memory_has_life(void)
{
    return false;
}

int mp__posix_memory_commit(int memory, off_t offset, off_t length)
{
    return fallocate(memory, FALLOC_FL_KEEP_SIZE, offset, length) < 0 ? errno : 0;
}

void mp__posix_memory_discard(int memory, off_t offset, off_t length)
{
    while (fallocate(memory, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, offset, length) < 0 && errno == EINTR)
        ;
}
