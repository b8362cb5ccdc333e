/* A message token by token, with libcbor's streaming decoder. What the encoder never writes is refused here: indefinite
 * lengths, undefined, simple values, short floats. */
#ifndef MP_WIRE_READER_H
#define MP_WIRE_READER_H

#include "core/error.h"
#include "wire/codec.h"
#include "wire/values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MP__DECODE_STEP "decode a message"

typedef enum mp__token_type {
    MP__TOKEN_NONE,
    MP__TOKEN_BOOL,
    MP__TOKEN_UINT,
    MP__TOKEN_NEGINT, /* -1 - number */
    MP__TOKEN_DOUBLE,
    MP__TOKEN_STR, /* number: bytes, all there */
    MP__TOKEN_BYTES,
    MP__TOKEN_LIST, /* number: items, which follow */
    MP__TOKEN_DICT, /* number: pairs */
    MP__TOKEN_TAG,  /* one item follows */
    MP__TOKEN_REFUSED
} mp__token_type_t;

typedef struct mp__token {
    mp__token_type_t type;
    uint64_t number;
    double real;
    const uint8_t *data;
    const char *refused; /* what it is */
} mp__token_t;

/* Initialise data, size and at. */
typedef struct mp__reader {
    const uint8_t *data;
    size_t size;
    size_t at;         /* the next token */
    mp__token_t token; /* the last one that mp__reader_next read */
} mp__reader_t;

/* A token with a short head, as codec.h has them: how long it is; 0: it has none, or is not all there. */
static inline size_t mp__token_short(const uint8_t *at, size_t left, mp__token_t *token)
{
    static const uint8_t types[] = {MP__TOKEN_UINT, MP__TOKEN_NEGINT, MP__TOKEN_BYTES,
                                    MP__TOKEN_STR,  MP__TOKEN_LIST,   MP__TOKEN_DICT};
    unsigned head = *at, n = head & ~MP__HEAD_TYPE;
    size_t size = 1;
    if (head >= MP__HEAD_TAG) {
        if (head < MP__HEAD_FALSE || head > MP__HEAD_NONE)
            return 0;
        token->type = head == MP__HEAD_NONE ? MP__TOKEN_NONE : MP__TOKEN_BOOL;
        token->number = head == MP__HEAD_TRUE;
        return 1;
    }
    if (n >= MP__HEAD_BYTE) {
        if (n > MP__HEAD_BYTE || left < 2)
            return 0;
        n = at[1];
        size = 2;
    }
    token->type = (mp__token_type_t)types[head >> 5];
    token->number = n;
    if (token->type != MP__TOKEN_STR && token->type != MP__TOKEN_BYTES)
        return size;
    token->data = at + size;
    return n <= left - size ? size + n : 0;
}

/* The scalar that was read, which may be a key; text points into the message. False: it is no scalar. */
static inline bool mp__token_key(const mp__token_t *token, mp_value_t *key)
{
    switch (token->type) {
    case MP__TOKEN_NONE:
        *key = MP_NONE;
        return true;
    case MP__TOKEN_BOOL:
        *key = mp_bool(token->number != 0);
        return true;
    case MP__TOKEN_UINT:
        *key = mp__of_uint(token->number);
        return true;
    case MP__TOKEN_NEGINT:
        *key = mp__of_int(-1 - (int64_t)token->number);
        return true;
    case MP__TOKEN_DOUBLE:
        *key = mp__of_double(token->real);
        return true;
    case MP__TOKEN_STR:
        *key = mp_str((const char *)token->data, (size_t)token->number);
        return true;
    case MP__TOKEN_BYTES:
        *key = mp_bytes(token->data, (size_t)token->number);
        return true;
    default:
        return false;
    }
}

/* Reads the next token, whatever head it has. MP_MALFORMED. */
mp_status_t mp__reader_decode(mp__reader_t *reader, mp__token_t *token);

/* The same for where small messages are read: without a call if the head is short. */
static inline mp_status_t mp__reader_take(mp__reader_t *reader, mp__token_t *token)
{
    size_t left = reader->size - reader->at, size = left ? mp__token_short(reader->data + reader->at, left, token) : 0;
    reader->at += size;
    return size ? MP_OK : mp__reader_decode(reader, token);
}

/* Reads the next one into reader->token. MP_MALFORMED. */
mp_status_t mp__reader_next(mp__reader_t *reader);

/* Steps over the next item with all that is in it. MP_MALFORMED. */
mp_status_t mp__reader_skip(mp__reader_t *reader);

/* Records "<what> at byte <at>" and returns MP_MALFORMED. */
mp_status_t mp__malformed(size_t at, const char *what);

#endif
