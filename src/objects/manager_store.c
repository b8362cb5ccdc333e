/* The values that a manager's server keeps, one by one. */
#include "objects/manager_store.h"

#include "objects/manager_number.h"
#include "wire/codec.h"
#include "wire/reader.h"
#include "wire/values.h"

#include <stdlib.h>

/* ---- keeping bytes */

mp_status_t mp__blob_init(mp__blob_t *blob, mp__bytes_t bytes)
{
    uint8_t *to = blob->at.inside;
    if (bytes.size > MP__BLOB_INSIDE)
        to = blob->at.data = malloc(bytes.size);
    if (!to)
        return mp__error(MP_NO_MEMORY, "keep a value", "no memory for its %llu bytes", (unsigned long long)bytes.size);
    memcpy(to, bytes.data, bytes.size);
    blob->size = bytes.size;
    return MP_OK;
}

void mp__blob_fini(mp__blob_t *blob)
{
    if (blob->size > MP__BLOB_INSIDE)
        free(blob->at.data);
}

mp__bytes_t mp__blob_bytes(const mp__blob_t *blob)
{
    return (mp__bytes_t){blob->size > MP__BLOB_INSIDE ? blob->at.data : blob->at.inside, (size_t)blob->size};
}

mp_status_t mp__append_bytes(mp__buffer_t *out, mp__bytes_t bytes)
{
    return mp__buffer_append(out, bytes.data, bytes.size);
}

/* ---- reading them */

static mp__reader_t reader_of(mp__bytes_t bytes)
{
    return (mp__reader_t){.data = bytes.data, .size = bytes.size};
}

bool mp__bytes_scalar(mp__bytes_t bytes, mp_value_t *value)
{
    mp__reader_t reader = reader_of(bytes);
    return mp__reader_next(&reader) == MP_OK && mp__token_key(&reader.token, value);
}

static mp_kind_t kind_of(mp__bytes_t bytes)
{
    mp_value_t value;
    mp__reader_t reader = reader_of(bytes);
    if (mp__reader_next(&reader) != MP_OK)
        return MP_KIND_NONE;
    if (mp__token_key(&reader.token, &value))
        return mp_value_kind(value);
    if (reader.token.type == MP__TOKEN_TAG)
        return (mp_kind_t)(reader.token.number - MP__TAG_BASE);
    return reader.token.type == MP__TOKEN_DICT ? MP_KIND_DICT : MP_KIND_LIST;
}

mp_status_t mp__bytes_key(mp__bytes_t bytes, mp_value_t *key)
{
    if (mp__bytes_scalar(bytes, key))
        return MP_OK;
    return mp__error(MP_TYPE, "use a dict", "unhashable type: '%s'", mp_kind_name(kind_of(bytes)));
}

static mp_value_t operand(mp__bytes_t bytes)
{
    mp_value_t value;
    return mp__bytes_scalar(bytes, &value) ? value : mp__of_object(kind_of(bytes), NULL);
}

mp_status_t mp__bytes_add(mp__bytes_t a, mp__bytes_t b, mp__buffer_t *out)
{
    mp_value_t sum;
    mp_status_t status = mp__number_sum(operand(a), operand(b), &sum);
    return status == MP_OK ? mp__encode(&sum, NULL, out) : status;
}

/* ---- items of lists and dicts */

bool mp__items_begin(mp__items_t *items, mp__bytes_t bytes, mp_kind_t kind)
{
    mp__reader_t reader = reader_of(bytes);
    if (mp__reader_next(&reader) != MP_OK ||
        reader.token.type != (kind == MP_KIND_DICT ? MP__TOKEN_DICT : MP__TOKEN_LIST))
        return false;
    items->count = (size_t)reader.token.number;
    items->left = (mp__bytes_t){bytes.data + reader.at, bytes.size - reader.at};
    return true;
}

mp__bytes_t mp__items_next(mp__items_t *items)
{
    mp__reader_t reader = reader_of(items->left);
    mp__bytes_t item = items->left;
    item.size = mp__reader_skip(&reader) == MP_OK ? reader.at : 0;
    items->left.data += item.size;
    items->left.size -= item.size;
    return item;
}

/* ---- comparing: as mp_value_equal does, with objects that are no more than their names */

static void destroy_name(mp__handle_t *handle)
{
    free(handle);
}

static mp_status_t open_name(void *context, mp_kind_t kind, const mp__reference_t *reference, uint64_t item,
                             void **object)
{
    (void)context;
    mp__handle_t *handle = malloc(sizeof *handle);
    if (!handle)
        return mp__error(MP_NO_MEMORY, "compare values", "no memory");
    mp__handle_init(handle, kind, reference, item, destroy_name);
    *object = handle;
    return MP_OK;
}

static mp_status_t take_nothing(void *context, uint32_t index, mp_kind_t kind, void **object)
{
    (void)context;
    (void)index;
    (void)object;
    return mp__error(MP_MALFORMED, "compare values", "a %s cannot be in them", mp_kind_name(kind));
}

static bool decode_names(mp__bytes_t bytes, mp_value_t *value)
{
    static const mp__receiver_t names = {open_name, take_nothing, NULL};
    return mp__bytes_scalar(bytes, value) || mp__decode(bytes.data, bytes.size, &names, value) == MP_OK;
}

void mp__wanted_init(mp__wanted_t *wanted, mp__bytes_t bytes)
{
    wanted->bytes = bytes;
    wanted->known = decode_names(bytes, &wanted->value);
}

void mp__wanted_fini(mp__wanted_t *wanted)
{
    mp_value_free(&wanted->value);
}

bool mp__wanted_is(const mp__wanted_t *wanted, mp__bytes_t bytes)
{
    mp_value_t value;
    bool known = decode_names(bytes, &value);
    bool is = known && wanted->known
                  ? mp_value_equal(wanted->value, value)
                  : bytes.size == wanted->bytes.size && memcmp(bytes.data, wanted->bytes.data, bytes.size) == 0;
    mp_value_free(&value);
    return is;
}
