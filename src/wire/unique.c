/* Are the keys of a dict in a message all different?
 *
 * A hash table of the keys' places would be as large as a message of short keys. So the table gets a part of that, and
 * the message is gone over as often as it takes, each time for the keys whose hashes fall into one share. */
#include "wire/unique.h"

#include "wire/reader.h"
#include "wire/values.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_INSIDE 256
#define PROBES_MAX   1024 /* keys that make one search so long were chosen for it */

typedef struct table {
    uint32_t *slots; /* places of keys behind `begin`, from 1; 0: empty */
    size_t count;    /* a power of two */
    mp__reader_t reader;
    size_t begin;
} table_t;

static mp_status_t key_at(const table_t *table, size_t at, mp_value_t *key)
{
    mp__reader_t reader = table->reader;
    reader.at = at;
    mp_status_t status = mp__reader_next(&reader);
    if (status == MP_OK)
        (void)mp__token_key(&reader.token, key);
    return status;
}

/* Puts the key at byte `at` into the table. */
static mp_status_t insert(table_t *table, size_t at, const mp_value_t *key, uint64_t hash)
{
    size_t slot = (size_t)hash & (table->count - 1);
    for (int probes = 0; probes < PROBES_MAX; probes++) {
        mp_value_t other;
        if (table->slots[slot] == 0) {
            table->slots[slot] = (uint32_t)(at - table->begin + 1);
            return MP_OK;
        }
        mp_status_t status = key_at(table, table->begin + table->slots[slot] - 1, &other);
        if (status != MP_OK)
            return status;
        if (mp__key_equal(&other, key))
            return mp__malformed(at, "a key for the second time");
        slot = (slot + 1) & (table->count - 1);
    }
    return mp__malformed(at, "a key chosen to collide");
}

/* One time over the dict, for the keys of one share. */
static mp_status_t check_share(table_t *table, size_t pairs, size_t share, size_t shares)
{
    mp_status_t status = MP_OK;
    memset(table->slots, 0, table->count * sizeof *table->slots);
    table->reader.at = table->begin;
    for (size_t i = 0; i < pairs && status == MP_OK; i++) {
        size_t at = table->reader.at;
        mp_value_t key;
        status = mp__reader_next(&table->reader);
        if (status != MP_OK)
            return status;
        (void)mp__token_key(&table->reader.token, &key);
        uint64_t hash = mp__key_hash(&key);
        if ((hash >> 40) % shares == share)
            status = insert(table, at, &key, hash);
        if (status == MP_OK)
            status = mp__reader_skip(&table->reader);
    }
    return status;
}

mp_status_t mp__check_unique(const uint8_t *data, size_t begin, size_t end, size_t pairs)
{
    uint32_t inside[SLOTS_INSIDE];
    table_t table = {inside, SLOTS_INSIDE, {.data = data, .size = end}, begin};
    mp_status_t status = MP_OK;
    if (end - begin >= UINT32_MAX)
        return mp__error(MP_TOO_LARGE, MP__DECODE_STEP, "a dict of 4 GiB at byte %llu", (unsigned long long)begin);
    while (table.count < 2 * pairs && 2 * table.count <= (end - begin) / 2 / sizeof *table.slots)
        table.count *= 2;
    if (table.count > SLOTS_INSIDE && !(table.slots = malloc(table.count * sizeof *table.slots)))
        return mp__error(MP_NO_MEMORY, MP__DECODE_STEP, "no memory to check %llu keys", (unsigned long long)pairs);
    size_t shares = (2 * pairs + table.count - 1) / table.count;
    for (size_t share = 0; share < shares && status == MP_OK; share++)
        status = check_share(&table, pairs, share, shares);
    if (table.slots != inside)
        free(table.slots);
    return status;
}
