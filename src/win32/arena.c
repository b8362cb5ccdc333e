/* The arena: a section of reserved pages, backed by the paging file, that all members map.
 *
 * A page that one member committed is accessible in every view at once, so exposing has nothing to do; what is not
 * committed is not in anybody's core dump. */
#include "win32.h"

#include "core/error.h"

static const char mapping[] = "map the arena";

/* Only the size can be wrong with these calls: there is no room for one so large. */
static mp_status_t no_room(DWORD code)
{
    switch (code) {
    case ERROR_INVALID_PARAMETER:
    case ERROR_INVALID_ADDRESS:
    case ERROR_FILE_TOO_LARGE:
        return mp__error_native(MP_NO_MEMORY, mapping, (int)code);
    default:
        return mp__win_failure_code(mapping, code);
    }
}

/* The whole section. */
static uint8_t *map(HANDLE section)
{
    return MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
}

static void fill(mp__os_arena_t *arena, uint8_t *base, size_t size, HANDLE section)
{
    arena->base = base;
    arena->size = size;
    arena->memory = (mp__os_handle_t)section;
    arena->life = MP__NO_HANDLE; /* processes and threads are asked by their handles */
}

mp_status_t mp__os_arena_create(size_t size, mp__os_arena_t *arena)
{
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE,
                                        (DWORD)((uint64_t)size >> 32), (DWORD)size, NULL);
    if (!section)
        return no_room(GetLastError());
    uint8_t *base = map(section);
    if (!base) {
        DWORD code = GetLastError();
        CloseHandle(section);
        return no_room(code);
    }
    fill(arena, base, size, section);
    return MP_OK;
}

/* The size of the view that starts at base: the system tells it in runs of pages of equal state. */
static size_t view_size(const uint8_t *base)
{
    size_t size = 0;
    MEMORY_BASIC_INFORMATION run;
    while (VirtualQuery(base + size, &run, sizeof run) != 0 && run.AllocationBase == (const void *)base)
        size += run.RegionSize;
    return size;
}

bool mp__os_arena_is_trusted(mp__os_handle_t memory)
{
    (void)memory; /* a program runs with the rights of who starts it */
    return true;
}

mp_status_t mp__os_arena_open(mp__os_handle_t memory, mp__os_handle_t life, size_t size, mp__os_arena_t *arena)
{
    if (memory == MP__NO_HANDLE || life != MP__NO_HANDLE)
        return mp__error(MP_INVALID, mapping, "these are not the handles of an arena");
    uint8_t *base = map(mp__win_handle(memory));
    if (!base) {
        DWORD code = GetLastError();
        bool full = code == ERROR_NOT_ENOUGH_MEMORY || code == ERROR_INVALID_ADDRESS;
        return mp__error_native(full ? MP_NO_MEMORY : MP_INVALID, mapping, (int)code);
    }
    size_t found = view_size(base);
    if (found != size) {
        UnmapViewOfFile(base);
        return mp__error(MP_INVALID, mapping, "it has %llu bytes instead of %llu", (unsigned long long)found,
                         (unsigned long long)size);
    }
    fill(arena, base, size, mp__win_handle(memory));
    return MP_OK;
}

/* Nobody closes all handles by their numbers here. */
mp_status_t mp__os_arena_check(const mp__os_arena_t *arena)
{
    (void)arena;
    return MP_OK;
}

mp_status_t mp__os_arena_commit(const mp__os_arena_t *arena, size_t offset, size_t length)
{
    if (!VirtualAlloc(arena->base + offset, length, MEM_COMMIT, PAGE_READWRITE))
        return mp__win_failure("commit memory of the arena");
    return MP_OK;
}

mp_status_t mp__os_arena_expose(const mp__os_arena_t *arena, size_t offset, size_t length)
{
    (void)arena;
    (void)offset;
    (void)length;
    return MP_OK;
}

void mp__os_arena_discard(const mp__os_arena_t *arena, size_t offset, size_t length)
{
    (void)arena;
    (void)offset;
    (void)length;
}

void mp__os_arena_close(mp__os_arena_t *arena)
{
    if (arena->memory == MP__NO_HANDLE)
        return;
    mp__win_lives_forget();
    mp__win_bells_forget(arena->base, arena->size);
    UnmapViewOfFile(arena->base);
    CloseHandle(mp__win_handle(arena->memory));
    arena->base = NULL;
    arena->memory = MP__NO_HANDLE;
}
