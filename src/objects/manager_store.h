/*
 * What a manager's server keeps: dicts and lists of encoded values. Objects and functions in them stay names, which
 * only whoever gets the value makes something of; the server need not have them.
 */
#ifndef MP_OBJECTS_MANAGER_STORE_H
#define MP_OBJECTS_MANAGER_STORE_H

#include <multiproc/value.h>

#include "wire/buffer.h"

#include <stdbool.h>

/* An encoded value in somebody else's memory, found well formed. */
typedef struct mp__bytes {
    const uint8_t *data;
    size_t size;
} mp__bytes_t;

/* ---- manager_store.c: one value */

#define MP__BLOB_INSIDE 16

/* An encoded value that is kept; a small one without memory of its own. It may be moved. */
typedef struct mp__blob {
    uint64_t size; /* never 0 */
    union {
        uint8_t inside[MP__BLOB_INSIDE];
        uint8_t *data;
    } at;
} mp__blob_t;

/* A copy of the bytes. MP_NO_MEMORY. */
mp_status_t mp__blob_init(mp__blob_t *blob, mp__bytes_t bytes);
void mp__blob_fini(mp__blob_t *blob);

/* What it holds; until it is moved or changed. */
mp__bytes_t mp__blob_bytes(const mp__blob_t *blob);

mp_status_t mp__append_bytes(mp__buffer_t *out, mp__bytes_t bytes);

/* The value, if it is a scalar; text points into the bytes. */
bool mp__bytes_scalar(mp__bytes_t bytes, mp_value_t *value);

/* The scalar that a dict takes as a key. MP_TYPE: it is unhashable. */
mp_status_t mp__bytes_key(mp__bytes_t bytes, mp_value_t *key);

/* Appends the encoded sum of two numbers. MP_TYPE, MP_VALUE: too large, MP_NO_MEMORY. */
mp_status_t mp__bytes_add(mp__bytes_t a, mp__bytes_t b, mp__buffer_t *out);

/* A value that others are compared with. Objects in it are names only. */
typedef struct mp__wanted {
    mp__bytes_t bytes;
    mp_value_t value;
    bool known; /* false: it holds what this process cannot make; then its bytes count */
} mp__wanted_t;

void mp__wanted_init(mp__wanted_t *wanted, mp__bytes_t bytes);
void mp__wanted_fini(mp__wanted_t *wanted);
bool mp__wanted_is(const mp__wanted_t *wanted, mp__bytes_t bytes);

/* The items of an encoded list, or the keys and values in turn of a dict, one after the other. */
typedef struct mp__items {
    mp__bytes_t left;
    size_t count; /* items (pairs) in all */
} mp__items_t;

/* False: the value is of another kind. */
bool mp__items_begin(mp__items_t *items, mp__bytes_t bytes, mp_kind_t kind);
mp__bytes_t mp__items_next(mp__items_t *items);

/* ---- manager_table.c: a dict; all zero is an empty one */

typedef struct mp__entry mp__entry_t;

typedef struct mp__table {
    mp__entry_t *entries; /* in the order in which they were added; also dead ones */
    uint32_t *slots;      /* the index */
    size_t slot_count;    /* a power of two, at least twice the capacity */
    size_t entered;       /* slots in use */
    size_t used;          /* entries, with the dead; the last one lives */
    size_t capacity;
    size_t live;
} mp__table_t;

void mp__table_clear(mp__table_t *table);

/* The key's entry, SIZE_MAX: it is not there. A place is valid until the next change. MP_TYPE: unhashable. */
mp_status_t mp__table_find(const mp__table_t *table, mp__bytes_t key, size_t *place);
mp__bytes_t mp__table_key(const mp__table_t *table, size_t place);
mp__bytes_t mp__table_value(const mp__table_t *table, size_t place);
void mp__table_remove(mp__table_t *table, size_t place);

/* Changes the value, or adds the pair. MP_TYPE, MP_NO_MEMORY: nothing was changed. */
mp_status_t mp__table_put(mp__table_t *table, mp__bytes_t key, mp__bytes_t value);

/* The first live entry from `place` on; SIZE_MAX: none. */
size_t mp__table_next(const mp__table_t *table, size_t place);

/* ---- manager_row.c: a list; all zero is an empty one */

typedef struct mp__row {
    mp__blob_t *items;
    size_t count;
    size_t capacity;
} mp__row_t;

/* The items of a slice: first, first + step, ... `count` of them. */
typedef struct mp__slice {
    int64_t first;
    int64_t step;
    size_t count;
} mp__slice_t;

void mp__row_clear(mp__row_t *row);

/* Where an index leads, as Python counts. MP_INDEX. */
mp_status_t mp__row_place(const mp__row_t *row, int64_t index, size_t *place);

/* start:stop:step, clamped as Python does. MP_VALUE: step is 0. */
mp_status_t mp__row_slice(const mp__row_t *row, int64_t start, int64_t stop, int64_t step, mp__slice_t *slice);

mp_status_t mp__row_replace(mp__row_t *row, size_t place, mp__bytes_t value);

/* Puts the items of an encoded list in the place of `n` items. MP_TYPE: it is no list. */
mp_status_t mp__row_splice(mp__row_t *row, size_t place, size_t n, mp__bytes_t items);
mp_status_t mp__row_insert(mp__row_t *row, size_t place, mp__bytes_t value);
void mp__row_remove(mp__row_t *row, size_t place);

/* The same for what need not stand side by side. MP_VALUE: as many items as the slice are needed. */
mp_status_t mp__row_replace_slice(mp__row_t *row, const mp__slice_t *slice, mp__bytes_t items);
void mp__row_remove_slice(mp__row_t *row, const mp__slice_t *slice);

/* The first item from `place` up to `end` that equals the value; SIZE_MAX: none. */
size_t mp__row_search(const mp__row_t *row, const mp__wanted_t *wanted, size_t place, size_t end);

void mp__row_reverse(mp__row_t *row);

/* Stable. MP_TYPE: not all numbers, all str or all bytes; MP_NO_MEMORY. */
mp_status_t mp__row_sort(mp__row_t *row, bool descending);

#endif
