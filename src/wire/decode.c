/* Bytes to values, in three passes: check everything, open the objects, build. Only the last one asks for the value's
 * memory, so whoever sends nonsense costs no more than the message itself. What is small and has no tags in it, small.c
 * decodes in one. */
#include "wire/codec.h"

#include "wire/function.h"
#include "wire/handle.h"
#include "wire/reader.h"
#include "wire/small.h"
#include "wire/tree.h"
#include "wire/unique.h"
#include "wire/utf8.h"

#include <stdlib.h>
#include <string.h>

/* So many objects of a message fit on the stack. One with more is longer than an array of pointers to them: what is
 * carried takes 4 bytes or 5 of it, a shared object 20. */
#define OBJECTS_INSIDE (MP__CARRIED_MAX + 72)

typedef struct decoder {
    mp__reader_t reader;
    const mp__receiver_t *receiver;
    mp__tree_t tree;
    unsigned depth;
    uint64_t carried[MP__CARRIED_MAX / 64]; /* which numbers were named, as bits */
    bool tags;                              /* is there any? */
    size_t objects;                         /* how many, without functions */
    void **opened;                          /* they, in the message's order */
    size_t next_object;                     /* of `opened`, while building */
} decoder_t;

/* ---- what stands behind a tag */

typedef struct object {
    mp_kind_t kind;
    mp__reference_t reference;     /* of a shared object */
    uint64_t item;                 /* of a manager */
    uint32_t index;                /* of what was carried */
    mp__function_place_t function; /* of a function */
} object_t;

static bool is_shared(mp_kind_t kind)
{
    return kind >= MP_KIND_QUEUE && kind <= MP_KIND_LIST_PROXY;
}

static bool is_carried(mp_kind_t kind)
{
    return kind == MP_KIND_CONN || kind == MP_KIND_DESCRIPTOR;
}

static mp_status_t read_reference(mp__reader_t *reader, object_t *object)
{
    size_t at = reader->at;
    mp_status_t status = mp__reader_next(reader);
    const mp__token_t *token = &reader->token;
    if (status != MP_OK)
        return status;
    if (token->type != MP__TOKEN_BYTES ||
        (token->number != sizeof object->reference && token->number != sizeof object->reference + sizeof object->item))
        return mp__malformed(at, "no reference");
    memcpy(&object->reference, token->data, sizeof object->reference);
    object->item = 0;
    if (token->number > sizeof object->reference)
        memcpy(&object->item, token->data + sizeof object->reference, sizeof object->item);
    if (object->reference.place == 0)
        return mp__malformed(at, "a reference to nothing");
    return MP_OK;
}

static mp_status_t read_index(mp__reader_t *reader, object_t *object)
{
    size_t at = reader->at;
    mp_status_t status = mp__reader_next(reader);
    if (status != MP_OK)
        return status;
    if (reader->token.type != MP__TOKEN_UINT || reader->token.number >= MP__CARRIED_MAX)
        return mp__malformed(at, "no number of a connection or descriptor");
    object->index = (uint32_t)reader->token.number;
    return MP_OK;
}

/* The next token must be of a type. */
static mp_status_t expect(mp__reader_t *reader, mp__token_type_t type)
{
    size_t at = reader->at;
    mp_status_t status = mp__reader_next(reader);
    return status == MP_OK && reader->token.type != type ? mp__malformed(at, "no function") : status;
}

static mp_status_t read_function(mp__reader_t *reader, mp__function_place_t *place)
{
    size_t at = reader->at;
    mp_status_t status = mp__reader_next(reader);
    *place = (mp__function_place_t){0};
    if (status != MP_OK)
        return status;
    if (reader->token.type == MP__TOKEN_STR) {
        if (!mp__utf8_is_valid(reader->token.data, (size_t)reader->token.number))
            return mp__malformed(at, "a name that is not UTF-8");
        place->name = (const char *)reader->token.data;
        place->name_size = (size_t)reader->token.number;
        return MP_OK;
    }
    uint64_t parts = reader->token.number;
    if (reader->token.type != MP__TOKEN_LIST || parts < 2 || parts > 3)
        return mp__malformed(at, "no function");
    if ((status = expect(reader, MP__TOKEN_BYTES)) != MP_OK)
        return status;
    place->identity = reader->token.data;
    place->identity_size = (size_t)reader->token.number;
    if ((status = expect(reader, MP__TOKEN_UINT)) != MP_OK)
        return status;
    place->offset = reader->token.number;
    if (parts == 2)
        return MP_OK;
    if ((status = expect(reader, MP__TOKEN_BYTES)) != MP_OK)
        return status;
    place->path = (const char *)reader->token.data;
    place->path_size = (size_t)reader->token.number;
    return MP_OK;
}

/* Reads what belongs to the tag that was just read, at byte `at`. */
static mp_status_t read_object(mp__reader_t *reader, size_t at, object_t *object)
{
    uint64_t kind = reader->token.number - MP__TAG_BASE;
    if (kind > MP_KIND_DESCRIPTOR)
        return mp__malformed(at, "an unknown tag");
    object->kind = (mp_kind_t)kind;
    if (is_shared(object->kind))
        return read_reference(reader, object);
    if (is_carried(object->kind))
        return read_index(reader, object);
    if (object->kind == MP_KIND_FUNCTION)
        return read_function(reader, &object->function);
    return mp__malformed(at, "an unknown tag");
}

/* ---- first pass: check, and measure */

static mp_status_t check(decoder_t *d);

static mp_status_t check_object(decoder_t *d, size_t at)
{
    object_t object;
    mp_status_t status = read_object(&d->reader, at, &object);
    d->tags = true;
    if (status != MP_OK || object.kind == MP_KIND_FUNCTION)
        return status;
    if (!d->receiver)
        return mp__malformed(at, "an object where none is expected");
    if (is_carried(object.kind)) {
        uint64_t *word = &d->carried[object.index / 64], bit = (uint64_t)1 << object.index % 64;
        if (*word & bit)
            return mp__malformed(at, "a connection or descriptor for the second time");
        *word |= bit;
    }
    d->objects++;
    return MP_OK;
}

static mp_status_t check_list(decoder_t *d, size_t at)
{
    mp_status_t status = MP_OK;
    uint64_t n = d->reader.token.number;
    if (n > d->reader.size - d->reader.at)
        return mp__malformed(at, "more announced than there is");
    mp__tree_add_items(&d->tree, (size_t)n);
    while (n-- > 0 && status == MP_OK)
        status = check(d);
    return status;
}

/* What was just read, at byte `at`, if it is a scalar. */
static mp_status_t check_scalar(decoder_t *d, size_t at)
{
    const mp__token_t *token = &d->reader.token;
    switch (token->type) {
    case MP__TOKEN_NEGINT:
        return token->number > INT64_MAX ? mp__malformed(at, "a number below the least") : MP_OK;
    case MP__TOKEN_STR:
        if (!mp__utf8_is_valid(token->data, (size_t)token->number))
            return mp__malformed(at, "a str that is not UTF-8");
        mp__tree_add_text(&d->tree, (size_t)token->number);
        return MP_OK;
    case MP__TOKEN_BYTES:
        mp__tree_add_text(&d->tree, (size_t)token->number);
        return MP_OK;
    default:
        return MP_OK;
    }
}

/* The next item, as a key that points into the message. */
static mp_status_t check_key(decoder_t *d, mp_value_t *key)
{
    size_t at = d->reader.at;
    mp_status_t status = mp__reader_next(&d->reader);
    if (status != MP_OK)
        return status;
    return mp__token_key(&d->reader.token, key) ? check_scalar(d, at) : mp__malformed(at, "an unhashable key");
}

static mp_status_t check_dict(decoder_t *d, size_t at)
{
    mp_value_t keys[2 * (MP__INDEX_FROM - 1)];
    uint64_t n = d->reader.token.number;
    size_t begin = d->reader.at;
    mp_status_t status = MP_OK;
    if (n > (d->reader.size - begin) / 2)
        return mp__malformed(at, "more announced than there is");
    mp__tree_add_pairs(&d->tree, (size_t)n);
    bool small = n < MP__INDEX_FROM;
    for (size_t i = 0; i < n && status == MP_OK; i++) {
        mp_value_t *key = &keys[small ? 2 * i : 0];
        size_t key_at = d->reader.at;
        status = check_key(d, key);
        if (status == MP_OK && small && mp__search_key(keys, i, key) != SIZE_MAX)
            status = mp__malformed(key_at, "a key for the second time");
        if (status == MP_OK)
            status = check(d);
    }
    if (status == MP_OK && !small)
        status = mp__check_unique(d->reader.data, begin, d->reader.at, (size_t)n);
    return status;
}

static mp_status_t check_nested(decoder_t *d, size_t at)
{
    if (d->depth == MP__DEPTH_MAX)
        return mp__error(MP_TOO_LARGE, MP__DECODE_STEP, "nested more than %d deep at byte %llu", MP__DEPTH_MAX,
                         (unsigned long long)at);
    d->depth++;
    mp_status_t status = d->reader.token.type == MP__TOKEN_LIST ? check_list(d, at) : check_dict(d, at);
    d->depth--;
    return status;
}

static mp_status_t check(decoder_t *d)
{
    size_t at = d->reader.at;
    mp_status_t status = mp__reader_next(&d->reader);
    if (status != MP_OK)
        return status;
    switch (d->reader.token.type) {
    case MP__TOKEN_LIST:
    case MP__TOKEN_DICT:
        return check_nested(d, at);
    case MP__TOKEN_TAG:
        return check_object(d, at);
    default:
        return check_scalar(d, at);
    }
}

/* ---- second pass: open the objects */

static mp_status_t open_object(decoder_t *d, const object_t *object, void **opened)
{
    const mp__receiver_t *receiver = d->receiver;
    if (is_shared(object->kind))
        return receiver->open(receiver->context, object->kind, &object->reference, object->item, opened);
    return receiver->take(receiver->context, object->index, object->kind, opened);
}

static mp_value_t object_value(mp_kind_t kind, void *opened)
{
    return kind == MP_KIND_DESCRIPTOR ? mp_descriptor((intptr_t)opened) : mp__of_object(kind, opened);
}

/* Goes over the message for its tags, until `count` objects were seen. Opens them, or (open = false) lets those in
 * `opened` go. */
static mp_status_t for_objects(decoder_t *d, size_t count, bool open)
{
    mp__reader_t reader = {.data = d->reader.data, .size = d->reader.size};
    size_t seen = 0;
    while (reader.at < reader.size && (open || seen < count)) {
        size_t at = reader.at;
        object_t object;
        mp_function_t function;
        mp_status_t status = mp__reader_next(&reader);
        if (status == MP_OK && reader.token.type != MP__TOKEN_TAG)
            continue;
        if (status == MP_OK)
            status = read_object(&reader, at, &object);
        if (status == MP_OK && object.kind == MP_KIND_FUNCTION) {
            status = open ? mp__function_find(&object.function, &function) : MP_OK;
        } else if (status == MP_OK && open) {
            status = open_object(d, &object, &d->opened[seen]);
            if (status == MP_OK && object.kind != MP_KIND_DESCRIPTOR)
                mp__handle_lend(d->opened[seen]);
            seen += status == MP_OK;
            d->next_object = seen;
        } else if (status == MP_OK) {
            mp_value_t v = object_value(object.kind, d->opened[seen++]);
            v.flags = MP__OWNED | MP__OBJECTS;
            mp_value_free(&v);
        }
        if (status != MP_OK)
            return status;
    }
    return MP_OK;
}

/* ---- third pass: build */

static mp_status_t build(decoder_t *d, mp_value_t *out);

static mp_status_t build_items(decoder_t *d, mp_value_t *items, size_t n)
{
    mp_status_t status = MP_OK;
    for (size_t i = 0; i < n && status == MP_OK; i++)
        status = build(d, &items[i]);
    return status;
}

static mp_status_t build_list(decoder_t *d, mp_value_t *out)
{
    size_t n = (size_t)d->reader.token.number;
    mp_value_t *items = mp__tree_items(&d->tree, n);
    *out = mp_value_list(items, n);
    return build_items(d, items, n);
}

static mp_status_t build_dict(decoder_t *d, mp_value_t *out)
{
    size_t n = (size_t)d->reader.token.number;
    mp_value_t *items = mp__tree_pairs(&d->tree, n);
    *out = mp__value(MP_KIND_DICT);
    out->as.items = items;
    out->end.size = n;
    mp_status_t status = build_items(d, items, 2 * n);
    if (status == MP_OK)
        mp__tree_index(out);
    return status;
}

static mp_status_t build_object(decoder_t *d, size_t at, mp_value_t *out)
{
    object_t object;
    mp_function_t function = NULL;
    mp_status_t status = read_object(&d->reader, at, &object);
    if (status != MP_OK)
        return status;
    if (object.kind != MP_KIND_FUNCTION) {
        *out = object_value(object.kind, d->opened[d->next_object++]);
        return MP_OK;
    }
    status = mp__function_find(&object.function, &function);
    *out = mp__of_function(function);
    return status;
}

static mp_status_t build(decoder_t *d, mp_value_t *out)
{
    size_t at = d->reader.at;
    mp_status_t status = mp__reader_next(&d->reader);
    const mp__token_t *token = &d->reader.token;
    if (status != MP_OK)
        return status;
    switch (token->type) {
    case MP__TOKEN_LIST:
        return build_list(d, out);
    case MP__TOKEN_DICT:
        return build_dict(d, out);
    case MP__TOKEN_TAG:
        return build_object(d, at, out);
    default:
        (void)mp__token_key(token, out);
        if (token->type == MP__TOKEN_STR || token->type == MP__TOKEN_BYTES)
            out->as.text = mp__tree_text(&d->tree, token->data, (size_t)token->number);
        return MP_OK;
    }
}

/* ---- all of it */

static mp_status_t check_all(decoder_t *d, const void *data, size_t size, const mp__receiver_t *receiver)
{
    *d = (decoder_t){.reader = {.data = data, .size = size}, .receiver = receiver};
    mp_status_t status = check(d);
    return status == MP_OK && d->reader.at != size ? mp__malformed(d->reader.at, "something behind the end") : status;
}

static mp_status_t build_all(decoder_t *d, mp_value_t *out)
{
    mp_status_t status = mp__tree_allocate(&d->tree);
    if (status != MP_OK)
        return status;
    void *block = d->tree.items;
    d->reader.at = 0;
    d->next_object = 0;
    status = build(d, out);
    if (status != MP_OK) {
        free(block);
        *out = MP_NONE;
        return status;
    }
    out->flags = (uint8_t)(out->flags | MP__OWNED | (d->objects > 0 ? MP__OBJECTS : 0));
    return MP_OK;
}

static mp_status_t open_and_build(decoder_t *d, mp_value_t *out)
{
    void *inside[OBJECTS_INSIDE];
    d->opened = inside;
    if (d->objects > OBJECTS_INSIDE && !(d->opened = malloc(d->objects * sizeof *d->opened)))
        return mp__error(MP_NO_MEMORY, MP__DECODE_STEP, "no memory for %llu objects", (unsigned long long)d->objects);
    mp_status_t status = for_objects(d, d->objects, true);
    size_t opened = d->next_object;
    if (status == MP_OK)
        status = build_all(d, out);
    if (status != MP_OK)
        (void)for_objects(d, opened, false);
    if (d->opened != inside)
        free(d->opened);
    return status;
}

mp_status_t mp__decode(const void *data, size_t size, const mp__receiver_t *receiver, mp_value_t *out)
{
    decoder_t d;
    if (mp__decode_small(data, size, out))
        return MP_OK;
    *out = MP_NONE;
    mp_status_t status = check_all(&d, data, size, receiver);
    if (status != MP_OK)
        return status;
    return d.tags ? open_and_build(&d, out) : build_all(&d, out);
}

mp_status_t mp__decode_check(const void *data, size_t size)
{
    static const mp__receiver_t any = {NULL, NULL, NULL}; /* there may be objects; nothing is opened */
    decoder_t d;
    return check_all(&d, data, size, &any);
}
