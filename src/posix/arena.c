/* The arena: one shared mapping without a name, far larger than the memory behind it. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* mprotect and friends want whole pages, which may be larger than the contract's 4 KiB; but no system's are larger than
 * LARGEST. */
#define LARGEST ((size_t)65536)

static void whole_pages(size_t *offset, size_t *length)
{
    if ((*offset | *length) % LARGEST == 0)
        return;
    size_t mask = (size_t)sysconf(_SC_PAGESIZE) - 1;
    size_t end = (*offset + *length + mask) & ~mask;
    *offset &= ~mask;
    *length = end - *offset;
}

/* ftruncate beyond RLIMIT_FSIZE raises SIGXFSZ, which would kill the host. */
static int set_size(int fd, off_t size)
{
    mp__posix_quiet_t quiet;
    mp__posix_quiet_begin(&quiet, SIGXFSZ);
    int done;
    do {
        done = ftruncate(fd, size);
    } while (done < 0 && errno == EINTR);
    int code = done < 0 ? errno : 0;
    mp__posix_quiet_end(&quiet);
    return code;
}

static mp_status_t size_error(int code)
{
    if (code == EFBIG)
        return mp__error_code(MP_NO_MEMORY, "size the arena", code,
                              "larger than the limit on the size of files (RLIMIT_FSIZE, ulimit -f)");
    if (code == EINVAL || code == EOVERFLOW || code == ENOSPC)
        return mp__error_native(MP_NO_MEMORY, "size the arena", code);
    return mp__posix_error("size the arena", code);
}

static mp_status_t map(mp__os_arena_t *arena)
{
    int flags = MAP_SHARED;
#if defined(MAP_NORESERVE)
    flags |= MAP_NORESERVE;
#endif
#if defined(MAP_NOCORE)
    flags |= MAP_NOCORE;
#endif
    void *base = mmap(NULL, arena->size, PROT_NONE, flags, (int)arena->memory, 0);
    if (base == MAP_FAILED) {
        int code = errno;
        if (code == EAGAIN || code == EINVAL ||
            code == EOVERFLOW) /* EAGAIN: RLIMIT_MEMLOCK, after mlockall(MCL_FUTURE) */
            return mp__error_native(MP_NO_MEMORY, "map the arena", code);
        return mp__posix_error("map the arena", code);
    }
    /* Else a core dump, or the host's mlockall, would put memory behind all of it. */
    munlock(base, arena->size);
#if defined(MADV_DONTDUMP)
    madvise(base, arena->size, MADV_DONTDUMP);
#endif
    arena->base = base;
    return MP_OK;
}

static void forget(mp__os_arena_t *arena)
{
    *arena = (mp__os_arena_t){.memory = MP__NO_HANDLE, .life = MP__NO_HANDLE};
}

static mp_status_t create(mp__os_arena_t *arena)
{
    int memory = -1;
    int life = -1;
    int code = mp__posix_memory_create(&memory, &life);
    if (code)
        return mp__posix_error("make the arena's memory", code);
    arena->memory = memory;
    arena->life = life < 0 ? MP__NO_HANDLE : life;
    if ((size_t)(off_t)arena->size != arena->size || (off_t)arena->size < 0)
        return size_error(EOVERFLOW);
    code = set_size(memory, (off_t)arena->size);
    if (code)
        return size_error(code);
    mp__posix_memory_seal(memory);
    return map(arena);
}

mp_status_t mp__os_arena_create(size_t size, mp__os_arena_t *arena)
{
    forget(arena);
    arena->size = size;
    mp_status_t status = create(arena);
    if (status != MP_OK)
        mp__os_arena_close(arena);
    return status;
}

static bool is_file(mp__os_handle_t handle, struct stat *file)
{
    return fstat(mp__posix_descriptor(handle), file) == 0;
}

bool mp__os_arena_is_trusted(mp__os_handle_t memory)
{
    struct stat file;
    if (!mp__os_is_privileged())
        return true;
    /* Rights that come neither from its user nor from its group (capabilities) leave no mark on what it makes. */
    if (geteuid() == getuid() && getegid() == getgid())
        return false;
    return is_file(memory, &file) && file.st_uid == geteuid() && file.st_gid == getegid();
}

mp_status_t mp__os_arena_open(mp__os_handle_t memory, mp__os_handle_t life, size_t size, mp__os_arena_t *arena)
{
    struct stat file;
    forget(arena);
    if (!is_file(memory, &file))
        return mp__error_native(MP_INVALID, "open the arena", errno);
    /* POSIX does not say that shared memory is a regular file. */
    if (S_ISDIR(file.st_mode) || S_ISCHR(file.st_mode) || S_ISBLK(file.st_mode) || S_ISFIFO(file.st_mode) ||
        S_ISSOCK(file.st_mode) || file.st_size < 0 || (uintmax_t)file.st_size != size)
        return mp__error(MP_INVALID, "open the arena", "the descriptor is not that of an arena of %zu bytes", size);
    if ((life != MP__NO_HANDLE) != mp__posix_memory_has_life() ||
        (life != MP__NO_HANDLE && !(is_file(life, &file) && S_ISREG(file.st_mode))))
        return mp__error(MP_INVALID, "open the arena", "the second descriptor is not that of an arena");
    mp__os_arena_t opened = {.size = size, .memory = memory, .life = life};
    mp_status_t status = map(&opened);
    if (status == MP_OK)
        *arena = opened;
    return status;
}

mp_status_t mp__os_arena_check(const mp__os_arena_t *arena)
{
    struct stat file;
    if (is_file(arena->memory, &file) && (uintmax_t)file.st_size == arena->size)
        return MP_OK;
    return mp__error(MP_STATE, "start a process", "this program closed descriptor %d, which is the family's memory",
                     (int)arena->memory);
}

mp_status_t mp__os_arena_commit(const mp__os_arena_t *arena, size_t offset, size_t length)
{
    int code;
    do {
        code = mp__posix_memory_commit((int)arena->memory, (off_t)offset, (off_t)length);
    } while (code == EINTR);
    if (code == ENOSPC)
        return mp__error_native(MP_NO_MEMORY, "put memory behind the arena", code);
    return code ? mp__posix_error("put memory behind the arena", code) : MP_OK;
}

mp_status_t mp__os_arena_expose(const mp__os_arena_t *arena, size_t offset, size_t length)
{
    whole_pages(&offset, &length);
    if (mprotect(arena->base + offset, length, PROT_READ | PROT_WRITE) < 0)
        return mp__posix_error("open up the arena", errno);
    munlock(arena->base + offset, length); /* for an mlockall that came after the mapping */
    return MP_OK;
}

void mp__os_arena_discard(const mp__os_arena_t *arena, size_t offset, size_t length)
{
    mp__posix_memory_discard((int)arena->memory, (off_t)offset, (off_t)length);
}

void mp__os_arena_close(mp__os_arena_t *arena)
{
    if (arena->base)
        munmap(arena->base, arena->size);
    mp__os_handle_close(arena->memory);
    mp__os_handle_close(arena->life);
    forget(arena);
}
