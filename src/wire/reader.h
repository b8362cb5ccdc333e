/* A message token by token, with libcbor's streaming decoder. What the encoder never writes is refused here: indefinite
 * lengths, undefined, simple values, short floats. */
#ifndef MP_WIRE_READER_H
#define MP_WIRE_READER_H

#include "core/error.h"

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
    size_t end;          /* where the next one begins */
} mp__token_t;

#define MP__TOKENS_KEPT 24

/* Initialise data and size, the rest to zero. */
typedef struct mp__reader {
    const uint8_t *data;
    size_t size;
    size_t at;                /* the next token */
    const mp__token_t *token; /* the last one read */
    mp__token_t spare;        /* where it is, unless it is kept */

    /* The first tokens, so that small messages are decoded once only. */
    mp__token_t *kept; /* NULL, or room for MP__TOKENS_KEPT */
    size_t kept_count;
    size_t replayed; /* how many of them were read since mp__reader_rewind */
} mp__reader_t;

/* Back to the first token. */
static inline void mp__reader_rewind(mp__reader_t *reader)
{
    reader->at = 0;
    reader->replayed = 0;
}

/* Reads the next one, from the message itself, into reader->token. MP_MALFORMED. */
mp_status_t mp__reader_decode(mp__reader_t *reader);

/* Reads the next one into reader->token. MP_MALFORMED. */
static inline mp_status_t mp__reader_next(mp__reader_t *reader)
{
    if (reader->replayed == reader->kept_count)
        return mp__reader_decode(reader);
    reader->token = &reader->kept[reader->replayed++];
    reader->at = reader->token->end;
    return MP_OK;
}

/* Steps over the next item with all that is in it. MP_MALFORMED. */
mp_status_t mp__reader_skip(mp__reader_t *reader);

/* Records "<what> at byte <at>" and returns MP_MALFORMED. */
mp_status_t mp__malformed(size_t at, const char *what);

#endif
