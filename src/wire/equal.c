/* When values are equal, as Python has it, and how a dict's key is found. */
#include "wire/values.h"
#include "wire/codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers: bool, int and double compare by what they are worth, exactly */

/* A whole number of 65 bits: its sign, and what it is from 0 up or, negative, from -1 down. */
typedef struct whole {
    bool negative;
    uint64_t distance;
} whole_t;

static whole_t whole_of_int(int64_t x)
{
    return x < 0 ? (whole_t){true, ~(uint64_t)x} : (whole_t){false, (uint64_t)x};
}

/* Is it a whole number in the range of whole_t? */
static bool double_is_whole(double x, whole_t *out)
{
    const double limit = 18446744073709551616.0;
    if (!(x > -limit && x < limit) || x != floor(x))
        return false;
    *out = x < 0 ? (whole_t){true, (uint64_t)-x - 1} : (whole_t){false, (uint64_t)x};
    return true;
}

/* The whole number that v is worth. */
static bool whole(const mp_value_t *v, whole_t *out)
{
    switch (v->kind) {
    case MP_KIND_BOOL:
        *out = (whole_t){false, v->as.truth};
        return true;
    case MP_KIND_INT:
        *out = whole_of_int(v->as.integer);
        return true;
    case MP_KIND_UINT:
        *out = (whole_t){false, v->as.natural};
        return true;
    case MP_KIND_DOUBLE:
        return double_is_whole(v->as.real, out);
    default:
        return false;
    }
}

static bool is_number(const mp_value_t *v)
{
    return v->kind >= MP_KIND_BOOL && v->kind <= MP_KIND_DOUBLE;
}

static bool numbers_equal(const mp_value_t *a, const mp_value_t *b)
{
    whole_t x = {0}, y = {0};
    bool a_is = whole(a, &x), b_is = whole(b, &y);
    if (a_is && b_is)
        return x.negative == y.negative && x.distance == y.distance;
    /* What is not whole, or too large, is a double. */
    return !a_is && !b_is && a->as.real == b->as.real;
}

/* ---- keys */

static bool is_nan(double x)
{
    return x != x;
}

static bool same_bytes(const mp_value_t *a, const mp_value_t *b)
{
    return a->end.size == b->end.size && (a->end.size == 0 || memcmp(a->as.data, b->as.data, (size_t)a->end.size) == 0);
}

bool mp__key_equal(const mp_value_t *a, const mp_value_t *b)
{
    if (a->kind == MP_KIND_INT && b->kind == MP_KIND_INT)
        return a->as.integer == b->as.integer;
    if (is_number(a) && is_number(b))
        return numbers_equal(a, b) ||
               (a->kind == MP_KIND_DOUBLE && b->kind == MP_KIND_DOUBLE && is_nan(a->as.real) && is_nan(b->as.real));
    if (a->kind != b->kind)
        return false;
    return a->kind == MP_KIND_NONE || ((a->kind == MP_KIND_STR || a->kind == MP_KIND_BYTES) && same_bytes(a, b));
}

/* Every bit of x has a say in every bit of the result (the finalizer of MurmurHash3's 64-bit variant). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
    return x ^ (x >> 33);
}

static uint64_t hash_bytes(const uint8_t *data, size_t size)
{
    uint64_t hash = size, word;
    for (; size >= sizeof word; data += sizeof word, size -= sizeof word) {
        memcpy(&word, data, sizeof word);
        hash = mix(hash ^ word);
    }
    word = 0;
    if (size > 0)
        memcpy(&word, data, size);
    return mix(hash ^ word);
}

uint64_t mp__key_hash(const mp_value_t *key)
{
    whole_t number;
    uint64_t bits;
    if (whole(key, &number))
        return mix(number.negative ? ~number.distance : number.distance);
    switch (key->kind) {
    case MP_KIND_DOUBLE:
        if (is_nan(key->as.real))
            return mix(0x7ff8000000000000u);
        memcpy(&bits, &key->as.real, sizeof bits);
        return mix(bits);
    case MP_KIND_STR:
    case MP_KIND_BYTES:
        return hash_bytes(key->as.data, (size_t)key->end.size) + key->kind;
    default:
        return mix(UINT64_MAX - key->kind);
    }
}

/* ---- the index of a dict's keys: open addressing; a slot is 0 or the number of a pair, from 1  */

size_t mp__index_slots(size_t pairs)
{
    size_t slots = 64;
    if (pairs < MP__INDEX_FROM)
        return 0;
    while (slots < 2 * pairs)
        slots *= 2;
    return slots;
}

/* The slot of a key: where it is, or the empty one where it belongs. */
static uint32_t *find_slot(uint32_t *slots, size_t count, const mp_value_t *items, const mp_value_t *key)
{
    size_t i = (size_t)mp__key_hash(key) & (count - 1);
    while (slots[i] != 0 && !mp__key_equal(&items[2 * (size_t)(slots[i] - 1)], key))
        i = (i + 1) & (count - 1);
    return &slots[i];
}

void mp__index_build(uint32_t *slots, const mp_value_t *items, size_t pairs)
{
    size_t count = mp__index_slots(pairs);
    memset(slots, 0, count * sizeof *slots);
    for (size_t i = 0; i < pairs; i++)
        *find_slot(slots, count, items, &items[2 * i]) = (uint32_t)(i + 1);
}

size_t mp__search_key(const mp_value_t *items, size_t pairs, const mp_value_t *key)
{
    for (size_t i = 0; i < pairs; i++)
        if (mp__key_equal(&items[2 * i], key))
            return i;
    return SIZE_MAX;
}

size_t mp__dict_find(const mp_value_t *dict, const mp_value_t *key)
{
    size_t pairs = (size_t)dict->end.size;
    if (dict->kind != MP_KIND_DICT || !mp__kind_is_key((mp_kind_t)key->kind))
        return SIZE_MAX;
    if (!(dict->flags & MP__INDEXED))
        return mp__search_key(dict->as.items, pairs, key);
    /* The index lies behind the items, in the same memory; it is only read here. */
    uint32_t *slots = (uint32_t *)(void *)(dict->as.items + 2 * pairs);
    return (size_t)*find_slot(slots, mp__index_slots(pairs), dict->as.items, key) - 1;
}

/* Keeps the first of equal keys and the last of their values; returns how many pairs are left. slots: an empty index,
 * or NULL. */
static size_t drop_duplicates(mp_value_t *items, size_t pairs, uint32_t *slots)
{
    size_t kept = 0;
    for (size_t i = 0; i < pairs; i++) {
        size_t place = SIZE_MAX;
        if (slots) {
            uint32_t *slot = find_slot(slots, mp__index_slots(pairs), items, &items[2 * i]);
            place = (size_t)*slot - 1;
            if (*slot == 0)
                *slot = (uint32_t)(kept + 1);
        } else {
            place = mp__search_key(items, kept, &items[2 * i]);
        }
        if (place == SIZE_MAX) {
            place = kept++;
            items[2 * place] = items[2 * i];
        }
        items[2 * place + 1] = items[2 * i + 1];
    }
    return kept;
}

mp_value_t mp_value_dict(mp_value_t *items, size_t n)
{
    if (!items)
        n = 0;
    /* Without memory for an index it is done the slow way: a literal cannot fail. */
    size_t slot_count = mp__index_slots(n);
    uint32_t *slots = slot_count > 0 ? calloc(slot_count, sizeof *slots) : NULL;
    mp_value_t v = mp__value(MP_KIND_DICT);
    v.as.items = items;
    v.end.size = drop_duplicates(items, n, slots);
    free(slots);
    return v;
}

/* ---- values */

static bool equal(const mp_value_t *a, const mp_value_t *b, unsigned depth);

static bool lists_equal(const mp_value_t *a, const mp_value_t *b, unsigned depth)
{
    size_t n = mp_value_len(*a);
    if (n != mp_value_len(*b))
        return false;
    for (size_t i = 0; i < n; i++) {
        mp_value_t x = mp_value_item(*a, i), y = mp_value_item(*b, i);
        if (!equal(&x, &y, depth))
            return false;
    }
    return true;
}

static bool dicts_equal(const mp_value_t *a, const mp_value_t *b, unsigned depth)
{
    if (a->end.size != b->end.size)
        return false;
    for (size_t i = 0; i < a->end.size; i++) {
        size_t j = mp__dict_find(b, &a->as.items[2 * i]);
        if (j == SIZE_MAX || !equal(&a->as.items[2 * i + 1], &b->as.items[2 * j + 1], depth))
            return false;
    }
    return true;
}

static bool objects_equal(const mp__handle_t *a, const mp__handle_t *b)
{
    if (a == b)
        return true;
    return a && b && a->reference.place != 0 && a->item == b->item &&
           memcmp(&a->reference, &b->reference, sizeof a->reference) == 0;
}

static bool is_list(const mp_value_t *v)
{
    return v->kind == MP_KIND_LIST || v->kind == MP_KIND_RANGE;
}

static bool equal(const mp_value_t *a, const mp_value_t *b, unsigned depth)
{
    if (depth > MP__DEPTH_MAX)
        return false;
    if (is_number(a) && is_number(b))
        return numbers_equal(a, b);
    if (is_list(a) && is_list(b))
        return lists_equal(a, b, depth + 1);
    if (a->kind != b->kind)
        return false;
    if (mp__kind_is_object((mp_kind_t)a->kind))
        return objects_equal(a->as.object, b->as.object);
    switch (a->kind) {
    case MP_KIND_DICT:
        return dicts_equal(a, b, depth + 1);
    case MP_KIND_FUNCTION:
        return a->as.function == b->as.function;
    case MP_KIND_DESCRIPTOR:
        return a->as.descriptor == b->as.descriptor;
    default:
        return mp__key_equal(a, b);
    }
}

bool mp__value_equal(mp_value_t a, mp_value_t b)
{
    return equal(&a, &b, 0);
}
