/* A message token by token: libcbor calls back once a token. */
#include "wire/reader.h"

#include <cbor.h>

/* What libcbor's callbacks take as a length. */
#if CBOR_MAJOR_VERSION == 0 && CBOR_MINOR_VERSION < 10
typedef size_t length_t;
#else
typedef uint64_t length_t;
#endif

static void refuse(void *token, const char *what)
{
    ((mp__token_t *)token)->type = MP__TOKEN_REFUSED;
    ((mp__token_t *)token)->refused = what;
}

static void number(void *token, mp__token_type_t type, uint64_t x)
{
    ((mp__token_t *)token)->type = type;
    ((mp__token_t *)token)->number = x;
}

static void on_uint8(void *token, uint8_t x)
{
    number(token, MP__TOKEN_UINT, x);
}

static void on_uint16(void *token, uint16_t x)
{
    number(token, MP__TOKEN_UINT, x);
}

static void on_uint32(void *token, uint32_t x)
{
    number(token, MP__TOKEN_UINT, x);
}

static void on_uint64(void *token, uint64_t x)
{
    number(token, MP__TOKEN_UINT, x);
}

static void on_negint8(void *token, uint8_t x)
{
    number(token, MP__TOKEN_NEGINT, x);
}

static void on_negint16(void *token, uint16_t x)
{
    number(token, MP__TOKEN_NEGINT, x);
}

static void on_negint32(void *token, uint32_t x)
{
    number(token, MP__TOKEN_NEGINT, x);
}

static void on_negint64(void *token, uint64_t x)
{
    number(token, MP__TOKEN_NEGINT, x);
}

static void on_bytes(void *token, cbor_data data, length_t size)
{
    number(token, MP__TOKEN_BYTES, size);
    ((mp__token_t *)token)->data = data;
}

static void on_string(void *token, cbor_data data, length_t size)
{
    number(token, MP__TOKEN_STR, size);
    ((mp__token_t *)token)->data = data;
}

static void on_array(void *token, length_t items)
{
    number(token, MP__TOKEN_LIST, items);
}

static void on_map(void *token, length_t pairs)
{
    number(token, MP__TOKEN_DICT, pairs);
}

static void on_tag(void *token, uint64_t tag)
{
    number(token, MP__TOKEN_TAG, tag);
}

static void on_double(void *token, double x)
{
    number(token, MP__TOKEN_DOUBLE, 0);
    ((mp__token_t *)token)->real = x;
}

static void on_null(void *token)
{
    number(token, MP__TOKEN_NONE, 0);
}

static void on_bool(void *token, bool x)
{
    number(token, MP__TOKEN_BOOL, x);
}

static void on_short_float(void *token, float x)
{
    (void)x;
    refuse(token, "a float of less than double precision");
}

static void on_undefined(void *token)
{
    refuse(token, "an undefined value");
}

static void on_indefinite(void *token)
{
    refuse(token, "an indefinite length");
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint8 = on_negint8,
    .negint16 = on_negint16,
    .negint32 = on_negint32,
    .negint64 = on_negint64,
    .byte_string_start = on_indefinite,
    .byte_string = on_bytes,
    .string = on_string,
    .string_start = on_indefinite,
    .indef_array_start = on_indefinite,
    .array_start = on_array,
    .indef_map_start = on_indefinite,
    .map_start = on_map,
    .tag = on_tag,
    .float2 = on_short_float,
    .float4 = on_short_float,
    .float8 = on_double,
    .undefined = on_undefined,
    .null = on_null,
    .boolean = on_bool,
    .indef_break = on_indefinite,
};

mp_status_t mp__malformed(size_t at, const char *what)
{
    return mp__error(MP_MALFORMED, MP__DECODE_STEP, "%s at byte %llu", what, (unsigned long long)at);
}

mp_status_t mp__reader_decode(mp__reader_t *reader, mp__token_t *token)
{
    size_t at = reader->at;
    if (at == reader->size)
        return mp__malformed(at, "the end, too early,");
    struct cbor_decoder_result result = cbor_stream_decode(reader->data + at, reader->size - at, &callbacks, token);
    if (result.status == CBOR_DECODER_NEDATA)
        return mp__malformed(at, "more announced than there is");
    if (result.status != CBOR_DECODER_FINISHED)
        return mp__malformed(at, "no CBOR");
    if (token->type == MP__TOKEN_REFUSED)
        return mp__malformed(at, token->refused);
    reader->at = at + result.read;
    return MP_OK;
}

mp_status_t mp__reader_next(mp__reader_t *reader)
{
    return mp__reader_take(reader, &reader->token);
}

mp_status_t mp__reader_skip(mp__reader_t *reader)
{
    /* The counts were checked against the bytes that are left, or the end comes first: no overflow matters. */
    uint64_t items = 1;
    for (; items > 0; items--) {
        mp_status_t status = mp__reader_next(reader);
        if (status != MP_OK)
            return status;
        const mp__token_t *token = &reader->token;
        items += token->type == MP__TOKEN_LIST   ? token->number
                 : token->type == MP__TOKEN_DICT ? 2 * token->number
                 : token->type == MP__TOKEN_TAG  ? 1
                                                 : 0;
    }
    return MP_OK;
}
