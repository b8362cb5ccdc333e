/* Bytes that grow. */
#include "wire/buffer.h"

#include <stdlib.h>

void mp__buffer_free_outside(mp__buffer_t *buffer)
{
    free(buffer->data);
}

mp_status_t mp__buffer_grow(mp__buffer_t *buffer, size_t more)
{
    size_t capacity = buffer->capacity;
    uint8_t *data = NULL;
    if (more <= SIZE_MAX / 2 - buffer->size) {
        while (capacity - buffer->size < more)
            capacity *= 2;
        data = realloc(buffer->data == buffer->storage ? NULL : buffer->data, capacity);
    }
    if (!data)
        return mp__error(MP_NO_MEMORY, "build a message", "no memory for %llu more bytes", (unsigned long long)more);
    if (buffer->data == buffer->storage)
        memcpy(data, buffer->storage, buffer->size);
    buffer->data = data;
    buffer->capacity = capacity;
    return MP_OK;
}
