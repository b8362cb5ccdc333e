/* Functions in messages: names that were exported, or places in modules whose build was compared. */
#include "wire/function.h"

#include "core/atomic.h"
#include "wire/codec.h"
#include "wire/utf8.h"

#include <cbor.h>
#include <string.h>

#define ENCODE_STEP "send a function"
#define FIND_STEP   "find a function"

/* ---- names */

#define EXPORTS_MAX 256

/* Rows are claimed in order, filled, and never change again; so readers take no lock, and fork finds none. */
static struct {
    uint32_t ready;
    const char *name;
    mp_function_t function;
} exports[EXPORTS_MAX];
static uint32_t claimed;

/* The row of a name, or (name NULL) of a function; -1: none. */
static int find_export(const char *name, size_t size, mp_function_t function)
{
    uint32_t n = mp__load32(&claimed);
    for (uint32_t i = 0; i < n && i < EXPORTS_MAX; i++) {
        if (!mp__load32(&exports[i].ready))
            continue;
        if (name ? strlen(exports[i].name) == size && memcmp(exports[i].name, name, size) == 0
                 : exports[i].function == function)
            return (int)i;
    }
    return -1;
}

mp_status_t mp_export(const char *name, mp_function_t function)
{
    if (!name || !*name || !function)
        return mp__error(MP_INVALID, "export a function", "no name or no function");
    if (!mp__utf8_is_valid((const uint8_t *)name, strlen(name)))
        return mp__error(MP_INVALID, "export a function", "its name is not UTF-8");
    int row = find_export(name, strlen(name), NULL);
    if (row >= 0)
        return exports[row].function == function
                   ? MP_OK
                   : mp__error(MP_BUSY, "export a function", "\"%s\" is another function's name", name);
    if (mp__load32(&claimed) >= EXPORTS_MAX)
        return mp__error(MP_LIMIT, "export a function", "more than %d names", EXPORTS_MAX);
    uint32_t i = mp__add32(&claimed, 1);
    if (i >= EXPORTS_MAX)
        return mp__error(MP_LIMIT, "export a function", "more than %d names", EXPORTS_MAX);
    exports[i].name = name;
    exports[i].function = function;
    mp__store32(&exports[i].ready, 1);
    return MP_OK;
}

/* ---- encoding */

static mp_status_t put_part(mp__buffer_t *out, size_t (*head)(size_t, unsigned char *, size_t), const void *data,
                            size_t size)
{
    uint8_t *to = mp__buffer_reserve(out, MP__HEAD_MAX);
    if (!to)
        return MP_NO_MEMORY;
    out->size += head(size, to, MP__HEAD_MAX);
    return mp__buffer_append(out, data, size);
}

static mp_status_t put_place(mp__buffer_t *out, const mp__os_module_t *module, uint64_t offset)
{
    size_t path_size = strlen(module->path);
    uint8_t *to = mp__buffer_reserve(out, MP__HEAD_MAX);
    if (!to)
        return MP_NO_MEMORY;
    out->size += cbor_encode_array_start(path_size > 0 ? 3 : 2, to, MP__HEAD_MAX);
    mp_status_t status = put_part(out, cbor_encode_bytestring_start, module->identity, module->identity_size);
    if (status != MP_OK || !(to = mp__buffer_reserve(out, MP__HEAD_MAX)))
        return MP_NO_MEMORY;
    out->size += cbor_encode_uint(offset, to, MP__HEAD_MAX);
    return path_size > 0 ? put_part(out, cbor_encode_bytestring_start, module->path, path_size) : MP_OK;
}

/* The program itself is never unloaded, so what was found out about its functions stays true. Each thread keeps the
 * last one, for whoever sends the same function again and again. */
static MP__THREAD_LOCAL struct {
    mp_function_t function;
    size_t size;
    uint8_t bytes[64];
} last_sent;

static MP__THREAD_LOCAL struct {
    mp_function_t function;
    uint64_t offset;
    size_t identity_size;
    uint8_t identity[MP__OS_IDENTITY_MAX];
} last_found;

mp_status_t mp__function_encode(mp_function_t function, mp__buffer_t *out)
{
    mp__os_module_t module;
    uint64_t offset;
    size_t before = out->size;
    if (!function)
        return mp__error(MP_INVALID, ENCODE_STEP, "it is NULL");
    int row = find_export(NULL, 0, function);
    if (row >= 0)
        return put_part(out, cbor_encode_string_start, exports[row].name, strlen(exports[row].name));
    if (last_sent.function == function)
        return mp__buffer_append(out, last_sent.bytes, last_sent.size);

    mp_status_t status = mp__os_function_find(function, &module, &offset);
    if (status == MP_OK)
        status = put_place(out, &module, offset);
    if (status == MP_OK && module.path[0] == '\0' && out->size - before <= sizeof last_sent.bytes) {
        last_sent.size = out->size - before;
        memcpy(last_sent.bytes, out->data + before, last_sent.size);
        last_sent.function = function;
    }
    return status;
}

/* ---- finding */

static mp_status_t find_by_name(const char *name, size_t size, mp_function_t *function)
{
    int row = find_export(name, size, NULL);
    if (row < 0)
        return mp__error(MP_NOT_FOUND, FIND_STEP, "no function \"%.*s\" was exported here",
                         (int)(size < 100 ? size : 100), name);
    *function = exports[row].function;
    return MP_OK;
}

static mp_status_t find_by_place(const mp__function_place_t *place, mp_function_t *function)
{
    mp__os_module_t module;
    if (place->identity_size == 0 || place->identity_size > sizeof module.identity ||
        place->path_size >= sizeof module.path || (place->path && memchr(place->path, '\0', place->path_size)))
        return mp__error(MP_MALFORMED, FIND_STEP, "no identity or path of a module");
    memset(module.identity, 0, sizeof module.identity);
    memcpy(module.identity, place->identity, place->identity_size);
    module.identity_size = (uint32_t)place->identity_size;
    if (place->path_size > 0)
        memcpy(module.path, place->path, place->path_size);
    module.path[place->path_size] = '\0';
    mp_status_t status = mp__os_function_resolve(&module, place->offset, function);
    if (status == MP_INVALID)
        return mp__error(MP_MALFORMED, FIND_STEP, "no function can be at offset %llu",
                         (unsigned long long)place->offset);
    return status;
}

mp_status_t mp__function_find(const mp__function_place_t *place, mp_function_t *function)
{
    if (place->name)
        return find_by_name(place->name, place->name_size, function);
    bool own = place->path_size == 0;
    if (own && last_found.function && last_found.offset == place->offset &&
        last_found.identity_size == place->identity_size &&
        memcmp(last_found.identity, place->identity, place->identity_size) == 0) {
        *function = last_found.function;
        return MP_OK;
    }
    mp_status_t status = find_by_place(place, function);
    if (status == MP_OK && own) {
        last_found.function = *function;
        last_found.offset = place->offset;
        last_found.identity_size = place->identity_size;
        memcpy(last_found.identity, place->identity, place->identity_size);
    }
    return status;
}
