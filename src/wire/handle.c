/* How this process holds a shared object: counted holders, the last of which frees the handle. */
#include "wire/handle.h"

#include "core/atomic.h"

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

static void destroy(mp__handle_t *handle)
{
    handle->magic = 0;
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
    handle->magic = 0;
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
