/* Values to bytes and back. A message is one CBOR item (RFC 8949), written with definite lengths only; objects and
 * functions are tags, 0x6d00 + their mp_kind_t:
 *
 *     shared object (queue, lock, manager, proxy)   a byte string: the 16 bytes of its reference, and the item's 8 if
 * it has one connection, descriptor                        its index among what the message carries beside its bytes
 *     function                                      see function.h
 *
 * What arrives is hostile until it was checked: the caller passes a private copy, which nobody else can change. */
#ifndef MP_WIRE_CODEC_H
#define MP_WIRE_CODEC_H

#include <multiproc/value.h>

#include "family/reference.h"
#include "wire/buffer.h"

#define MP__TAG_BASE    0x6d00u
#define MP__DEPTH_MAX   64  /* lists and dicts in each other */
#define MP__CARRIED_MAX 256 /* the numbers that a carrier gives to what it takes along are smaller */

#define MP__HEAD_MAX 9 /* the longest head of a CBOR item */

/* Short heads (RFC 8949, appendix B): the first byte's upper three bits are the type, the others a number, or that a
 * byte with the number follows, or a constant. What small messages consist of is written and read without a call; all
 * else is libcbor's. */
#define MP__HEAD_UINT   0x00u
#define MP__HEAD_NEGINT 0x20u
#define MP__HEAD_BYTES  0x40u
#define MP__HEAD_STR    0x60u
#define MP__HEAD_LIST   0x80u
#define MP__HEAD_DICT   0xa0u
#define MP__HEAD_TAG    0xc0u
#define MP__HEAD_FALSE  0xf4u
#define MP__HEAD_TRUE   0xf5u
#define MP__HEAD_NONE   0xf6u
#define MP__HEAD_TYPE   0xe0u
#define MP__HEAD_BYTE   24u /* instead of a number: it is in the next byte. Smaller ones need none */

/* What a channel offers to take along beside the bytes. */
typedef struct mp__carrier {
    /* Takes a connection or descriptor along; *index is its number. An error ends the encoding. What was attached
     * before an encoding failed is the context's to drop. */
    mp_status_t (*attach)(void *context, const mp_value_t *object, uint32_t *index);
    void *context;
} mp__carrier_t;

/* What a receiver makes of the objects in a message. Called only once the whole message was found well formed. */
typedef struct mp__receiver {
    /* A holder (mp__handle_t) of kind `kind` for a shared object, owned by the value. Checks the reference. MP_GONE,
     * MP_FOREIGN, MP_MALFORMED... */
    mp_status_t (*open)(void *context, mp_kind_t kind, const mp__reference_t *reference, uint64_t item, void **object);
    /* A connection's holder, or a descriptor cast to void *, that came along as number `index`; its owner is then the
     * value. MP_MALFORMED: there is none, or it was taken before, or is of another kind. */
    mp_status_t (*take)(void *context, uint32_t index, mp_kind_t kind, void **object);
    void *context;
} mp__receiver_t;

/* Appends v to out; on failure out is as before. carrier: NULL where connections and descriptors cannot travel.
 * MP_NOT_SENDABLE; MP_INVALID: not UTF-8, a NULL or closed object; MP_TYPE: an unhashable key; MP_TOO_LARGE: nested too
 * deeply; MP_NO_MEMORY; what the carrier says; MP_UNSUPPORTED, MP_NOT_FOUND: a function without a place. */
mp_status_t mp__encode(const mp_value_t *v, const mp__carrier_t *carrier, mp__buffer_t *out);

/* The same for an item that so many lists lie around, which were begun by mp__encode_head(). */
mp_status_t mp__encode_item(const mp_value_t *v, unsigned depth, const mp__carrier_t *carrier, mp__buffer_t *out);

/* Makes the value of a message; the caller frees it with mp_value_free(). On failure *out is None, nothing stays open,
 * and no memory of more than the message's size was asked for. receiver: NULL where no objects are expected.
 * MP_MALFORMED; MP_TOO_LARGE: nested too deeply; MP_NO_MEMORY; what the receiver says; MP_MISMATCH, MP_NOT_FOUND: a
 * function of another build, or of a module that is not here. */
mp_status_t mp__decode(const void *data, size_t size, const mp__receiver_t *receiver, mp_value_t *out);

/* Would mp__decode take it, whatever the objects and functions in it turn out to be? MP_MALFORMED, MP_TOO_LARGE,
 * MP_NO_MEMORY. */
mp_status_t mp__decode_check(const void *data, size_t size);

/* Appends what a list of n items (kind MP_KIND_LIST) or a dict of n pairs (MP_KIND_DICT) begins with, for whoever has
 * its items encoded already. MP_NO_MEMORY. */
mp_status_t mp__encode_head(mp_kind_t kind, size_t n, mp__buffer_t *out);

#endif
