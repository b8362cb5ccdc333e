/* Shared memory with a name. */
#include <multiproc/named.h>

#include "objects/name.h"

#include <stdlib.h>

#define KIND ".memory"

#define WHAT "named memory"

struct mp_named_memory {
    mp__handle_t handle;
    mp__name_t name;
};

static void destroy(mp__handle_t *handle)
{
    mp__name_close(&((mp_named_memory_t *)(void *)handle)->name);
    mp__handle_bury(handle);
}

static mp_status_t check(const mp_named_memory_t *memory, const char *step)
{
    return memory && mp__handle_is(&memory->handle, MP__KIND_NAMED_MEMORY)
               ? MP_OK
               : mp__handle_refuse((const mp__handle_t *)memory, MP__KIND_NAMED_MEMORY, step, WHAT);
}

static mp_named_memory_t *new_holder(mp_named_memory_t **memory)
{
    if (memory)
        *memory = NULL;
    mp_named_memory_t *made = memory ? calloc(1, sizeof *made) : NULL;
    if (!memory)
        mp__error(MP_INVALID, "make named memory", "no place for the new object");
    else if (!made)
        mp__error(MP_NO_MEMORY, "make named memory", "no memory for its holder");
    else
        mp__handle_init(&made->handle, MP__KIND_NAMED_MEMORY, &(mp__reference_t){0}, 0, destroy);
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
    const char *step = "use named memory";
    if (data)
        *data = NULL;
    mp_status_t status = data ? check(memory, step) : mp__error(MP_INVALID, step, "no place for the pointer");
    if (status == MP_OK)
        status = mp__name_check(&memory->name);
    if (status != MP_OK)
        return status;
    *data = memory->name.content;
    if (size)
        *size = (size_t)memory->name.bytes;
    return MP_OK;
}

mp_status_t mp_named_memory_unlink(mp_named_memory_t *memory)
{
    mp_status_t status = check(memory, "unlink named memory");
    return status == MP_OK ? mp__name_unlink(&memory->name) : status;
}

mp_status_t mp_named_memory_close(mp_named_memory_t *memory)
{
    mp_status_t status = memory ? check(memory, "close named memory") : MP_CLOSED;
    if (status == MP_OK)
        mp__handle_close(&memory->handle);
    return status == MP_CLOSED ? MP_OK : status;
}
