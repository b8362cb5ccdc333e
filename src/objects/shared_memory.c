/* Shared memory: bytes of the arena under a header. */
#include <multiproc/shared_memory.h>

#include "objects/shared.h"

struct mp_shared_memory {
    mp__shared_t shared;
};

mp_status_t mp_shared_memory_create(mp_shared_memory_t **memory, size_t size)
{
    if (memory)
        *memory = NULL;
    if (!size)
        return mp__error(MP_INVALID, "create shared memory", "its size is 0");
    return mp__shared_lend(MP_KIND_SHARED_MEMORY, size, (mp__shared_t **)memory);
}

mp_status_t mp_shared_memory_data(mp_shared_memory_t *memory, void **data, size_t *size)
{
    void *at;
    uint64_t bytes;
    if (!data)
        return mp__error(MP_INVALID, "use shared memory", "no place for the pointer");
    *data = NULL;
    mp_status_t status = mp__shared_attach((mp__shared_t *)memory, MP_KIND_SHARED_MEMORY, &at, &bytes);
    if (status != MP_OK)
        return status;
    *data = at;
    if (size)
        *size = (size_t)bytes;
    return MP_OK;
}

mp_status_t mp_shared_memory_size(mp_shared_memory_t *memory, size_t *size)
{
    void *data;
    return size ? mp_shared_memory_data(memory, &data, size)
                : mp__error(MP_INVALID, "use shared memory", "no place for the size");
}

mp_status_t mp_shared_memory_close(mp_shared_memory_t *memory)
{
    return mp__shared_close((mp__shared_t *)memory, MP_KIND_SHARED_MEMORY, mp__lend_end);
}
