/* How this process holds a shared object: counted holders, the last of which frees the handle. */
#include "wire/handle.h"

#include "core/atomic.h"
#include "core/error.h"

#include <stdlib.h>

#define GRAVES 64

void mp__handle_init(mp__handle_t *handle, mp_kind_t kind, const mp__reference_t *reference, uint64_t item,
                     void (*destroy)(mp__handle_t *))
{
    handle->magic = MP__HANDLE_MAGIC;
    handle->kind = (uint16_t)kind;
    handle->reserved = 0;
    handle->holders = 1;
    handle->pointers = 1;
    handle->reference = *reference;
    handle->item = item;
    handle->shut = NULL;
    handle->destroy = destroy;
}

void mp__handle_lend(mp__handle_t *handle)
{
    handle->pointers = 0;
}

void mp__handle_keep(mp__handle_t *handle)
{
    mp__add32(&handle->holders, 1);
}

mp_status_t mp__handle_refuse(const mp__handle_t *handle, mp_kind_t kind, const char *step, const char *what)
{
    if (handle && handle->magic == MP__HANDLE_CLOSED && handle->kind == (uint16_t)kind)
        return mp__error(MP_CLOSED, step, "this process has closed this %s", what);
    return mp__error(MP_INVALID, step, "this is no %s", what);
}

void mp__handle_bury(mp__handle_t *handle)
{
    static uint64_t graves[GRAVES]; /* pointers; the oldest makes room */
    static uint32_t next;
    handle->magic = MP__HANDLE_CLOSED;
    free((void *)(uintptr_t)mp__swap64(&graves[mp__add32(&next, 1) % GRAVES], (uint64_t)(uintptr_t)handle));
}

static void destroy(mp__handle_t *handle)
{
    handle->magic = MP__HANDLE_CLOSED;
    handle->destroy(handle);
}

void mp__handle_release(mp__handle_t *handle)
{
    if (!handle || mp__add32(&handle->holders, UINT32_MAX) != 1)
        return;
    destroy(handle);
}

void mp__handle_close(mp__handle_t *handle)
{
    uint32_t pointers = mp__load32(&handle->pointers);
    /* The one pointer that is left, and its last use: there is nobody to count with. */
    if (pointers == 1 && mp__load32(&handle->holders) == 1) {
        destroy(handle);
        return;
    }
    while (pointers)
        if (mp__cas32(&handle->pointers, &pointers, pointers - 1)) {
            mp__handle_release(handle);
            return;
        }
    handle->magic = MP__HANDLE_CLOSED;
    if (handle->shut)
        handle->shut(handle);
}

void mp_keep(void *object)
{
    mp__handle_t *handle = object;
    if (!handle || handle->magic != MP__HANDLE_MAGIC)
        return;
    mp__handle_keep(handle);
    mp__add32(&handle->pointers, 1);
}
