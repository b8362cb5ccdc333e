/* What the rooms know about a value beyond its public face: who owns it, and how keys compare. */
#ifndef MP_WIRE_VALUES_H
#define MP_WIRE_VALUES_H

#include <multiproc/value.h>

#include "wire/handle.h"

/* Flags of a value. */
#define MP__OWNED   1u /* the root of a tree that mp_value_free frees: see tree.h */
#define MP__OBJECTS 2u /* with MP__OWNED: there are handles or descriptors to let go in it */
#define MP__INDEXED 4u /* a dict with an index of its keys behind its items */

/* Dicts of up to this many pairs are searched one by one, larger ones have an index when they are received or copied.
 */
#define MP__INDEX_FROM 17

static inline bool mp__kind_is_object(mp_kind_t kind)
{
    return kind >= MP_KIND_CONN && kind < MP_KIND_DESCRIPTOR;
}

/* May it be a key of a dict? */
static inline bool mp__kind_is_key(mp_kind_t kind)
{
    return kind <= MP_KIND_BYTES;
}

/* Equality of keys, and a hash of it: == of values, but NaN is the same key as NaN. The hash is not the same in other
 * builds. */
bool mp__key_equal(const mp_value_t *a, const mp_value_t *b);
uint64_t mp__key_hash(const mp_value_t *key);

/* Which pair of an array, or of a dict, has that key; SIZE_MAX: none. */
size_t mp__search_key(const mp_value_t *items, size_t pairs, const mp_value_t *key);
size_t mp__dict_find(const mp_value_t *dict, const mp_value_t *key);

/* How many slots the index of so many pairs has: a power of two, at most half of it used; 0: none. */
size_t mp__index_slots(size_t pairs);

/* Fills the index of a dict whose keys are all different. */
void mp__index_build(uint32_t *slots, const mp_value_t *items, size_t pairs);

#endif
