/*
 * A stored dict: entries in the order in which they were added, and an index of them by open addressing.
 *
 * A removed entry's slot stays in the index, and the entry as a dead one unless it is the last, until there is no room
 * or few of them live; then both are made anew. A slot may lead to an entry that took the place of its own: keys are
 * compared anyhow.
 *
 * Own code, because each library lacks something: apr_hash keeps the memory of removed keys, and no order; uthash costs
 * 56 bytes an entry for what 4 do here, and its equal keys must be equal bytes, which those of 1, 1.0 and True are not.
 */
#include "objects/manager_store.h"

#include "wire/values.h"

#include <stdlib.h>

#define LEAST 8 /* entries */

struct mp__entry {
    uint64_t hash;
    mp__blob_t key; /* size 0: a dead one */
    mp__blob_t value;
};

static bool is_live(const mp__entry_t *entry)
{
    return entry->key.size != 0;
}

void mp__table_clear(mp__table_t *table)
{
    for (size_t i = 0; i < table->used; i++)
        if (is_live(&table->entries[i])) {
            mp__blob_fini(&table->entries[i].key);
            mp__blob_fini(&table->entries[i].value);
        }
    free(table->entries);
    free(table->slots);
    *table = (mp__table_t){0};
}

/* ---- the index: a slot is 0, or the number of an entry, from 1 */

static void enter(uint32_t *slots, size_t slot_count, uint64_t hash, size_t place)
{
    size_t i = (size_t)hash & (slot_count - 1);
    while (slots[i] != 0)
        i = (i + 1) & (slot_count - 1);
    slots[i] = (uint32_t)(place + 1);
}

/* New arrays for `capacity` entries, with the live ones. MP_NO_MEMORY: nothing has changed. */
static mp_status_t rebuild(mp__table_t *table, size_t capacity)
{
    size_t slot_count = 2 * LEAST;
    while (slot_count < 2 * capacity)
        slot_count *= 2;
    bool fits = capacity < UINT32_MAX && capacity < SIZE_MAX / 2 / sizeof(mp__entry_t);
    mp__entry_t *entries = fits ? malloc(capacity * sizeof *entries) : NULL;
    uint32_t *slots = entries ? calloc(slot_count, sizeof *slots) : NULL;
    if (!slots) {
        free(entries);
        return mp__error(MP_NO_MEMORY, "keep a dict", "no memory for %llu entries", (unsigned long long)capacity);
    }
    size_t used = 0;
    for (size_t i = 0; i < table->used; i++)
        if (is_live(&table->entries[i])) {
            enter(slots, slot_count, table->entries[i].hash, used);
            entries[used++] = table->entries[i];
        }
    free(table->entries);
    free(table->slots);
    *table = (mp__table_t){entries, slots, slot_count, used, used, capacity, used};
    return MP_OK;
}

static bool has_key(const mp__entry_t *entry, uint64_t hash, const mp_value_t *key)
{
    mp_value_t own;
    return is_live(entry) && entry->hash == hash && mp__bytes_scalar(mp__blob_bytes(&entry->key), &own) &&
           mp__key_equal(&own, key);
}

static size_t search(const mp__table_t *table, uint64_t hash, const mp_value_t *key)
{
    if (table->slot_count == 0)
        return SIZE_MAX;
    for (size_t i = (size_t)hash & (table->slot_count - 1); table->slots[i] != 0; i = (i + 1) & (table->slot_count - 1))
        if (has_key(&table->entries[table->slots[i] - 1], hash, key))
            return table->slots[i] - 1;
    return SIZE_MAX;
}

mp_status_t mp__table_find(const mp__table_t *table, mp__bytes_t bytes, size_t *place)
{
    mp_value_t key;
    mp_status_t status = mp__bytes_key(bytes, &key);
    if (status == MP_OK)
        *place = search(table, mp__key_hash(&key), &key);
    return status;
}

/* ---- entries */

mp__bytes_t mp__table_key(const mp__table_t *table, size_t place)
{
    return mp__blob_bytes(&table->entries[place].key);
}

mp__bytes_t mp__table_value(const mp__table_t *table, size_t place)
{
    return mp__blob_bytes(&table->entries[place].value);
}

void mp__table_remove(mp__table_t *table, size_t place)
{
    mp__entry_t *entry = &table->entries[place];
    mp__blob_fini(&entry->key);
    mp__blob_fini(&entry->value);
    entry->key.size = 0;
    table->live--;
    if (table->live == 0)
        mp__table_clear(table);
    else if (table->capacity > 4 * LEAST && table->live < table->capacity / 8)
        (void)rebuild(table, table->capacity / 4); /* gives memory back; without any it stays as it is */
    while (table->used > 0 && !is_live(&table->entries[table->used - 1]))
        table->used--;
}

static mp_status_t add(mp__table_t *table, uint64_t hash, mp__blob_t *key, mp__blob_t *value)
{
    if (table->entered == table->capacity) {
        mp_status_t status = rebuild(table, table->live < LEAST / 2 ? LEAST : 2 * table->live);
        if (status != MP_OK)
            return status;
    }
    table->entries[table->used] = (mp__entry_t){hash, *key, *value};
    enter(table->slots, table->slot_count, hash, table->used++);
    table->entered++;
    table->live++;
    return MP_OK;
}

mp_status_t mp__table_put(mp__table_t *table, mp__bytes_t key_bytes, mp__bytes_t bytes)
{
    mp_value_t key;
    mp__blob_t key_blob, blob;
    mp_status_t status = mp__bytes_key(key_bytes, &key);
    if (status == MP_OK)
        status = mp__blob_init(&blob, bytes);
    if (status != MP_OK)
        return status;
    uint64_t hash = mp__key_hash(&key);
    size_t place = search(table, hash, &key);
    if (place != SIZE_MAX) {
        mp__blob_fini(&table->entries[place].value);
        table->entries[place].value = blob;
        return MP_OK;
    }
    status = mp__blob_init(&key_blob, key_bytes);
    if (status == MP_OK) {
        status = add(table, hash, &key_blob, &blob);
        if (status != MP_OK)
            mp__blob_fini(&key_blob);
    }
    if (status != MP_OK)
        mp__blob_fini(&blob);
    return status;
}

size_t mp__table_next(const mp__table_t *table, size_t place)
{
    while (place < table->used && !is_live(&table->entries[place]))
        place++;
    return place < table->used ? place : SIZE_MAX;
}
