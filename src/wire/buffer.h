/* Bytes that grow: what messages are encoded into and text is built in. Small ones stay inside the struct, which
 * therefore must not be copied or moved. */
#ifndef MP_WIRE_BUFFER_H
#define MP_WIRE_BUFFER_H

#include "core/compiler.h"
#include "core/error.h"

#include <stdint.h>
#include <string.h>

typedef struct mp__buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    uint8_t storage[256];
} mp__buffer_t;

static inline void mp__buffer_init(mp__buffer_t *buffer)
{
    buffer->data = buffer->storage;
    buffer->size = 0;
    buffer->capacity = sizeof buffer->storage;
}

/* Empty again; keeps its memory. */
static inline void mp__buffer_clear(mp__buffer_t *buffer)
{
    buffer->size = 0;
}

void mp__buffer_free_outside(mp__buffer_t *buffer); /* memory that is not inside */

static inline void mp__buffer_fini(mp__buffer_t *buffer)
{
    if (MP__UNLIKELY(buffer->data != buffer->storage))
        mp__buffer_free_outside(buffer);
    mp__buffer_init(buffer);
}

/* Makes room for `more` bytes behind the present ones. MP_NO_MEMORY, and the buffer is as before. */
mp_status_t mp__buffer_grow(mp__buffer_t *buffer, size_t more);

/* Room for `more` bytes behind the present ones, NULL with the error recorded; the caller adds what it wrote to size.
 */
static inline uint8_t *mp__buffer_reserve(mp__buffer_t *buffer, size_t more)
{
    if (MP__UNLIKELY(more > buffer->capacity - buffer->size) && mp__buffer_grow(buffer, more) != MP_OK)
        return NULL;
    return buffer->data + buffer->size;
}

static inline mp_status_t mp__buffer_append(mp__buffer_t *buffer, const void *data, size_t size)
{
    uint8_t *to = mp__buffer_reserve(buffer, size);
    if (!to)
        return MP_NO_MEMORY;
    if (size > 0)
        memcpy(to, data, size);
    buffer->size += size;
    return MP_OK;
}

#endif
