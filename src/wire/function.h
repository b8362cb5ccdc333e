/* Functions in messages. One that has a name (mp_export) is that name, a text string. Every other is where it is: an
 * array of the identity of its module's build (a byte string), its offset there (an unsigned integer), and, unless the
 * module is the program itself, the module's path (a byte string: what a path may hold is the system's affair). */
#ifndef MP_WIRE_FUNCTION_H
#define MP_WIRE_FUNCTION_H

#include <multiproc/call.h>

#include "platform.h"
#include "wire/buffer.h"

/* Appends what stands behind the tag. MP_INVALID: NULL. MP_NOT_FOUND, MP_UNSUPPORTED (see mp__os_function_find),
 * MP_NO_MEMORY. */
mp_status_t mp__function_encode(mp_function_t function, mp__buffer_t *out);

/* What stood there, checked for its form. */
typedef struct mp__function_place {
    const char *name; /* not terminated; NULL: it has none, then the rest holds */
    size_t name_size;
    const uint8_t *identity;
    size_t identity_size;
    uint64_t offset;
    const char *path; /* not terminated */
    size_t path_size;
} mp__function_place_t;

/* The function of this process. MP_NOT_FOUND: no function has that name, no module that path; MP_MISMATCH: another
 * build; MP_MALFORMED: no function can be there. */
mp_status_t mp__function_find(const mp__function_place_t *place, mp_function_t *function);

#endif
