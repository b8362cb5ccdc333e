/* Shared memory with a name. */
#include <multiproc/named.h>

#include "objects/name.h"

#include <stdlib.h>

#define KIND ".memory"

struct mp_named_memory {
    mp__name_t name;
};

static mp_named_memory_t *new_holder(mp_named_memory_t **memory)
{
    if (memory)
        *memory = NULL;
    mp_named_memory_t *made = memory ? calloc(1, sizeof *made) : NULL;
    if (!memory)
        mp__error(MP_INVALID, "make named memory", "no place for the new object");
    else if (!made)
        mp__error(MP_NO_MEMORY, "make named memory", "no memory for its holder");
    return made;
}

static mp_status_t hand_out(mp_named_memory_t *made, mp_status_t status, mp_named_memory_t **memory)
{
    if (status == MP_OK)
        *memory = made;
    else
        free(made);
    return status;
}

mp_status_t mp_named_memory_create(mp_named_memory_t **memory, const char *name, size_t size)
{
    mp_named_memory_t *made = new_holder(memory);
    if (!made)
        return mp_error()->status;
    mp_status_t status = size ? mp__name_create(&made->name, name, KIND, size)
                              : mp__error(MP_INVALID, "make named memory", "its size is 0");
    if (status == MP_OK)
        mp__name_publish(&made->name);
    return hand_out(made, status, memory);
}

mp_status_t mp_named_memory_open(mp_named_memory_t **memory, const char *name)
{
    mp_named_memory_t *made = new_holder(memory);
    return made ? hand_out(made, mp__name_open(&made->name, name, KIND), memory) : mp_error()->status;
}

mp_status_t mp_named_memory_data(mp_named_memory_t *memory, void **data, size_t *size)
{
    if (!memory || !data)
        return mp__error(MP_INVALID, "use named memory", "no memory, or no place for the pointer");
    *data = NULL;
    mp_status_t status = mp__name_check(&memory->name);
    if (status != MP_OK)
        return status;
    *data = memory->name.content;
    if (size)
        *size = (size_t)memory->name.bytes;
    return MP_OK;
}

mp_status_t mp_named_memory_unlink(mp_named_memory_t *memory)
{
    return memory ? mp__name_unlink(&memory->name) : mp__error(MP_INVALID, "unlink named memory", "there is none");
}

mp_status_t mp_named_memory_close(mp_named_memory_t *memory)
{
    if (memory)
        mp__name_close(&memory->name);
    free(memory);
    return MP_OK;
}
