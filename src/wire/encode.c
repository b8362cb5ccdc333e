/* Values to bytes: one pass, with libcbor's encoders, into a growing buffer. */
#include "wire/codec.h"

#include "wire/function.h"
#include "wire/utf8.h"
#include "wire/values.h"

#include <cbor.h>

#define STEP "encode a value"

typedef struct encoder {
    const mp__carrier_t *carrier;
    mp__buffer_t *out;
    unsigned depth;
} encoder_t;

static mp_status_t encode(encoder_t *e, const mp_value_t *v);

/* One head by one of libcbor's functions. */
#define PUT(e, call)                                                                                                   \
    do {                                                                                                               \
        unsigned char *to = mp__buffer_reserve((e)->out, MP__HEAD_MAX);                                                \
        if (!to)                                                                                                       \
            return MP_NO_MEMORY;                                                                                       \
        (e)->out->size += (call);                                                                                      \
    } while (0)

static inline mp_status_t put_byte(encoder_t *e, uint64_t byte)
{
    uint8_t *to = mp__buffer_reserve(e->out, 1);
    if (!to)
        return MP_NO_MEMORY;
    *to = (uint8_t)byte;
    e->out->size++;
    return MP_OK;
}

static inline mp_status_t put_short(encoder_t *e, unsigned first, uint64_t n)
{
    if (n < MP__HEAD_BYTE)
        return put_byte(e, first + n);
    uint8_t *to = mp__buffer_reserve(e->out, 2);
    if (!to)
        return MP_NO_MEMORY;
    to[0] = (uint8_t)(first + MP__HEAD_BYTE);
    to[1] = (uint8_t)n;
    e->out->size += 2;
    return MP_OK;
}

/* A head with a number; most are short. */
#define PUT_NUMBER(e, first, n, call)                                                                                  \
    do {                                                                                                               \
        if ((n) > UINT8_MAX)                                                                                           \
            PUT(e, call);                                                                                              \
        else if (put_short(e, first, n) != MP_OK)                                                                      \
            return MP_NO_MEMORY;                                                                                       \
    } while (0)

static mp_status_t put_natural(encoder_t *e, uint64_t x)
{
    PUT_NUMBER(e, MP__HEAD_UINT, x, cbor_encode_uint(x, to, MP__HEAD_MAX));
    return MP_OK;
}

static mp_status_t put_integer(encoder_t *e, int64_t x)
{
    if (x >= 0)
        return put_natural(e, (uint64_t)x);
    PUT_NUMBER(e, MP__HEAD_NEGINT, ~(uint64_t)x, cbor_encode_negint(~(uint64_t)x, to, MP__HEAD_MAX));
    return MP_OK;
}

static mp_status_t put_text(encoder_t *e, const mp_value_t *v)
{
    size_t n = (size_t)v->end.size;
    if (!mp__utf8_is_valid(v->as.data, n))
        return mp__error(MP_INVALID, STEP, "a str that is not UTF-8");
    PUT_NUMBER(e, MP__HEAD_STR, n, cbor_encode_string_start(n, to, MP__HEAD_MAX));
    return mp__buffer_append(e->out, v->as.text, n);
}

static mp_status_t put_bytes(encoder_t *e, const void *data, size_t n)
{
    PUT_NUMBER(e, MP__HEAD_BYTES, n, cbor_encode_bytestring_start(n, to, MP__HEAD_MAX));
    return mp__buffer_append(e->out, data, n);
}

static mp_status_t put_tag(encoder_t *e, uint8_t kind)
{
    PUT(e, cbor_encode_tag(MP__TAG_BASE + kind, to, MP__HEAD_MAX));
    return MP_OK;
}

static mp_status_t put_range(encoder_t *e, const mp_value_t *v)
{
    size_t n = mp_value_len(*v);
    if (!mp__buffer_reserve(e->out, n)) /* each takes a byte at least: what cannot be fails at once */
        return MP_NO_MEMORY;
    PUT(e, cbor_encode_array_start(n, to, MP__HEAD_MAX));
    for (int64_t x = v->as.integer; x < v->end.stop; x++) {
        mp_status_t status = put_integer(e, x);
        if (status != MP_OK)
            return status;
    }
    return MP_OK;
}

static mp_status_t put_items(encoder_t *e, const mp_value_t *items, size_t n)
{
    mp_status_t status = MP_OK;
    if (e->depth == MP__DEPTH_MAX)
        return mp__error(MP_TOO_LARGE, STEP, "nested more than %d deep", MP__DEPTH_MAX);
    e->depth++;
    for (size_t i = 0; i < n && status == MP_OK; i++)
        status = encode(e, &items[i]);
    e->depth--;
    return status;
}

static mp_status_t put_list(encoder_t *e, const mp_value_t *v)
{
    size_t n = (size_t)v->end.size;
    PUT_NUMBER(e, MP__HEAD_LIST, n, cbor_encode_array_start(n, to, MP__HEAD_MAX));
    return put_items(e, v->as.items, n);
}

static mp_status_t put_dict(encoder_t *e, const mp_value_t *v)
{
    size_t n = (size_t)v->end.size;
    for (size_t i = 0; i < n; i++) {
        mp_kind_t kind = (mp_kind_t)v->as.items[2 * i].kind;
        if (!mp__kind_is_key(kind))
            return mp__error(MP_TYPE, STEP, "unhashable type: '%s'", mp_kind_name(kind));
    }
    PUT_NUMBER(e, MP__HEAD_DICT, n, cbor_encode_map_start(n, to, MP__HEAD_MAX));
    return put_items(e, v->as.items, 2 * n);
}

/* A queue, lock, manager or proxy: its name within the family. */
static mp_status_t put_shared(encoder_t *e, const mp_value_t *v)
{
    const mp__handle_t *handle = v->as.object;
    uint8_t name[sizeof handle->reference + sizeof handle->item];
    size_t size = sizeof handle->reference;
    if (!mp__handle_is(handle, (mp_kind_t)v->kind))
        return mp__error(MP_INVALID, STEP, "no live %s", mp_kind_name((mp_kind_t)v->kind));
    memcpy(name, &handle->reference, size);
    if (handle->item != 0) {
        memcpy(name + size, &handle->item, sizeof handle->item);
        size += sizeof handle->item;
    }
    mp_status_t status = put_tag(e, v->kind);
    return status == MP_OK ? put_bytes(e, name, size) : status;
}

/* A connection or descriptor: the channel takes it along. */
static mp_status_t put_carried(encoder_t *e, const mp_value_t *v)
{
    uint32_t index;
    if (v->kind == MP_KIND_CONN && !mp__handle_is(v->as.object, MP_KIND_CONN))
        return mp__error(MP_INVALID, STEP, "no live Connection");
    if (!e->carrier)
        return mp__error(MP_NOT_SENDABLE, STEP, "a %s travels as an argument of a start and over connections only",
                         mp_kind_name((mp_kind_t)v->kind));
    mp_status_t status = e->carrier->attach(e->carrier->context, v, &index);
    if (status == MP_OK && index >= MP__CARRIED_MAX)
        return mp__error(MP_TOO_LARGE, STEP, "too many connections and descriptors");
    if (status == MP_OK)
        status = put_tag(e, v->kind);
    return status == MP_OK ? put_integer(e, index) : status;
}

static mp_status_t put_function(encoder_t *e, const mp_value_t *v)
{
    mp_status_t status = put_tag(e, v->kind);
    return status == MP_OK ? mp__function_encode(v->as.function, e->out) : status;
}

static mp_status_t encode(encoder_t *e, const mp_value_t *v)
{
    switch (v->kind) {
    case MP_KIND_NONE:
        return put_byte(e, MP__HEAD_NONE);
    case MP_KIND_BOOL:
        return put_byte(e, v->as.truth ? MP__HEAD_TRUE : MP__HEAD_FALSE);
    case MP_KIND_INT:
        return put_integer(e, v->as.integer);
    case MP_KIND_UINT:
        return put_natural(e, v->as.natural);
    case MP_KIND_DOUBLE:
        PUT(e, cbor_encode_double(v->as.real, to, MP__HEAD_MAX));
        return MP_OK;
    case MP_KIND_STR:
        return put_text(e, v);
    case MP_KIND_BYTES:
        return put_bytes(e, v->as.data, (size_t)v->end.size);
    case MP_KIND_LIST:
        return put_list(e, v);
    case MP_KIND_DICT:
        return put_dict(e, v);
    case MP_KIND_RANGE:
        return put_range(e, v);
    case MP_KIND_FUNCTION:
        return put_function(e, v);
    case MP_KIND_QUEUE:
    case MP_KIND_LOCK:
    case MP_KIND_RLOCK:
    case MP_KIND_SEMAPHORE:
    case MP_KIND_CONDITION:
    case MP_KIND_EVENT:
    case MP_KIND_BARRIER:
    case MP_KIND_SHARED_MEMORY:
    case MP_KIND_SHARED_VALUE:
    case MP_KIND_SHARED_ARRAY:
    case MP_KIND_SHAREABLE_LIST:
    case MP_KIND_MANAGER:
    case MP_KIND_DICT_PROXY:
    case MP_KIND_LIST_PROXY:
        return put_shared(e, v);
    case MP_KIND_CONN:
    case MP_KIND_DESCRIPTOR:
        return put_carried(e, v);
    default:
        return mp__error(MP_NOT_SENDABLE, STEP, "a %s belongs to its process and cannot be sent",
                         mp_kind_name((mp_kind_t)v->kind));
    }
}

mp_status_t mp__encode(const mp_value_t *v, const mp__carrier_t *carrier, mp__buffer_t *out)
{
    return mp__encode_item(v, 0, carrier, out);
}

mp_status_t mp__encode_item(const mp_value_t *v, unsigned depth, const mp__carrier_t *carrier, mp__buffer_t *out)
{
    encoder_t e = {carrier, out, depth};
    size_t before = out->size;
    mp_status_t status = encode(&e, v);
    if (status != MP_OK)
        out->size = before;
    return status;
}

mp_status_t mp__encode_head(mp_kind_t kind, size_t n, mp__buffer_t *out)
{
    uint8_t *to = mp__buffer_reserve(out, MP__HEAD_MAX);
    if (!to)
        return MP_NO_MEMORY;
    out->size += kind == MP_KIND_DICT ? cbor_encode_map_start(n, to, MP__HEAD_MAX)
                                      : cbor_encode_array_start(n, to, MP__HEAD_MAX);
    return MP_OK;
}
