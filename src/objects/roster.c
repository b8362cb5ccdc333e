/* Rosters. */
#include "objects/roster.h"

#include <string.h>

#define FIRST_SIZE UINT64_C(256)
#define PATIENCE   (20 * MP__MILLISECOND) /* others allocate in less, unless they are stopped */

static mp__owner_t container_of(const mp__header_t *header)
{
    return mp__owner_container((uint32_t)(mp__offset_of(header) / MP__UNIT));
}

mp_status_t mp__roster_create(const mp__header_t *header, mp__roster_t *roster)
{
    uint64_t size;
    mp__block_t block;
    mp_status_t status = mp__block_alloc(FIRST_SIZE, container_of(header), &block);
    if (status != MP_OK)
        return status;
    void *rows = mp__block_at(block, &size);
    memset(rows, 0, (size_t)size);
    roster->blocks[0] = block;
    return MP_OK;
}

void mp__roster_repair(mp__roster_t *roster)
{
    uint64_t other = !(roster->current & 1);
    mp__block_free(roster->blocks[other]);
    mp__store64(&roster->blocks[other], 0);
}

void mp__roster_release(mp__roster_t *roster)
{
    mp__block_free(roster->blocks[0]);
    mp__block_free(roster->blocks[1]);
}

mp_status_t mp__roster_rows(const mp__header_t *header, const mp__roster_t *roster, mp__rows_t *rows)
{
    mp__block_t name = mp__load64(&roster->blocks[mp__load64(&roster->current) & 1]), block;
    uint64_t size;
    if (!mp__block_owned(mp__low(name), container_of(header), &block, &size) || block != name)
        return mp__error(MP_CORRUPT, "use an object", "its table is not there");
    rows->at = mp__block_at(block, NULL);
    rows->count = (size_t)(size / sizeof *rows->at);
    return rows->at ? MP_OK : mp__error(MP_CORRUPT, "use an object", "its table is not there");
}

/* Twice the room. The store of `current` is the one that counts. */
static mp_status_t grow(const mp__header_t *header, mp__roster_t *roster, mp__rows_t *rows)
{
    uint64_t size = 2 * rows->count * sizeof *rows->at, current = roster->current & 1;
    mp__owner_t self = mp__owner_process(mp__family.process);
    mp__block_t block;
    mp_status_t status = mp__block_alloc_until(size, self, mp__os_now() + PATIENCE, &block);
    if (status != MP_OK)
        return status;
    uint8_t *bytes = mp__block_at(block, &size);
    size_t old = rows->count * sizeof *rows->at;
    memcpy(bytes, rows->at, old);
    memset(bytes + old, 0, (size_t)size - old);
    mp__store64(&roster->blocks[!current], block);
    mp__block_give(block, self, container_of(header));
    mp__store64(&roster->current, !current);
    mp__roster_repair(roster);
    return mp__roster_rows(header, roster, rows);
}

mp__row_t *mp__roster_find(const mp__rows_t *rows, uint64_t thread)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->at[i].thread == thread)
            return &rows->at[i];
    return NULL;
}

mp_status_t mp__roster_add(const mp__header_t *header, mp__roster_t *roster, uint64_t thread, uint64_t value)
{
    mp__rows_t rows;
    mp_status_t status = mp__roster_rows(header, roster, &rows);
    if (status != MP_OK)
        return status;
    mp__row_t *row = mp__roster_find(&rows, 0);
    if (!row) {
        status = grow(header, roster, &rows);
        row = status == MP_OK ? mp__roster_find(&rows, 0) : NULL;
    }
    if (!row)
        return status == MP_OK ? mp__error(MP_CORRUPT, "use an object", "its table has no room") : status;
    mp__store64(&row->value, value);
    mp__store64(&row->thread, thread);
    return MP_OK;
}
