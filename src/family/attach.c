/*
 * Attach records. A process's tables are a chain of blocks that it owns, so they go with it; only it writes them.
 *
 *   attach   record := block; fence; does the object live? else: detach
 *   detach   record := 0; fence; the block lingers and nobody is attached: free it
 *   free     block := LINGERING; fence; nobody is attached: free it
 *   sweep    slot := SWEEPING (its records count no more); fence; each lingering block that nobody is attached to: free
 *
 * Of any two at once one sees what the other did: who attaches sees the end, or the end's look at the records sees the
 * record; who detaches sees the block linger, or the freer sees the record gone. Freeing by two is freeing once (the
 * name carries the generation). Whoever is killed between its two steps is swept, and each sweep looks at all lingering
 * blocks: so what was left to do is done then, and a death in the sweep repeats it.
 */
#include "family/attach.h"

#include <string.h>

#define RECORDS     63u
#define TABLES_MOST 65536u /* more are a chain that runs in a circle */

typedef struct table {
    uint64_t next; /* a block; 0 = the last one */
    uint64_t records[RECORDS];
} table_t;

/* A record's place as this process notes it: {who, the arena offset in words}. A child of fork finds its parent's notes
 * and sees that they are not its own. */
#define WHO_SHIFT  33
#define EPOCH_BITS 19

static uint64_t roomy; /* a note: in this table there was room lately */

static uint64_t who(void)
{
    uint64_t process =
        (uint64_t)mp__family.process << EPOCH_BITS | (mp__family.epoch & ((UINT32_C(1) << EPOCH_BITS) - 1));
    return process << WHO_SHIFT;
}

static uint64_t note_of(const uint64_t *record)
{
    return who() | mp__offset_of(record) / sizeof *record;
}

static bool is_own(uint64_t note)
{
    return note && (note >> WHO_SHIFT) == (who() >> WHO_SHIFT);
}

static uint64_t *noted(uint64_t note)
{
    uint64_t offset = (note & ((UINT64_C(1) << WHO_SHIFT) - 1)) * sizeof(uint64_t);
    return (uint64_t *)(void *)(mp__family.base + offset);
}

static table_t *table_at(mp__block_t block)
{
    uint64_t size;
    void *place = block ? mp__block_at(block, &size) : NULL;
    return place && size >= sizeof(table_t) ? place : NULL;
}

/* ---- who is attached */

static bool names(mp__block_t tables, mp__block_t block)
{
    const table_t *table = table_at(tables);
    for (uint32_t n = 0; table && n < TABLES_MOST; n++) {
        for (uint32_t i = 0; i < RECORDS; i++)
            if (mp__load64(&table->records[i]) == block)
                return true;
        table = table_at(mp__load64(&table->next));
    }
    return false;
}

bool mp__attached(mp__block_t block)
{
    mp__fence();
    uint32_t mark = mp__load32(&mp__family.head->process_mark);
    for (uint32_t i = 0; i < mark; i++) {
        uint32_t epoch = mp__process_epoch(i);
        if (!mp__process_stands(i, epoch) || !names(mp__load64(&mp__family.processes[i].attached), block))
            continue;
        /* If it was swept meanwhile its tables may have been somebody's memory by then. */
        if (mp__process_stands(i, epoch))
            return true;
    }
    return false;
}

/* ---- this process's tables */

static uint64_t *take_record(table_t *table, mp__block_t block)
{
    for (uint32_t i = 0; table && i < RECORDS; i++) {
        uint64_t none = 0;
        if (!mp__load64(&table->records[i]) && mp__cas64(&table->records[i], &none, block))
            return &table->records[i];
    }
    return NULL;
}

/* The table that a record is in: blocks of a class lie at multiples of their size. */
static table_t *table_of(const uint64_t *record)
{
    return (table_t *)(void *)(mp__family.base + mp__offset_of(record) / sizeof(table_t) * sizeof(table_t));
}

/* A table more, behind `last`, which names none. Another thread may be faster: then there is one. */
static mp_status_t add_table(uint64_t *last)
{
    mp__block_t fresh;
    uint64_t none = 0;
    mp_status_t status = mp__block_alloc(sizeof(table_t), mp__owner_process(mp__family.process), &fresh);
    if (status != MP_OK)
        return status;
    memset(table_at(fresh), 0, sizeof(table_t));
    if (!mp__cas64(last, &none, fresh))
        mp__block_free(fresh);
    return MP_OK;
}

static mp_status_t search_tables(mp__block_t block, uint64_t **record)
{
    uint64_t *next = &mp__family.processes[mp__family.process].attached;
    for (uint32_t n = 0; n < TABLES_MOST; n++) {
        mp_status_t status = mp__load64(next) ? MP_OK : add_table(next);
        if (status != MP_OK)
            return status;
        table_t *table = table_at(mp__load64(next));
        if (!table)
            break;
        *record = take_record(table, block);
        if (*record)
            return MP_OK;
        next = &table->next;
    }
    return mp__error(MP_CORRUPT, "attach to shared memory", "the table of what is attached is damaged");
}

static mp_status_t write_record(mp__block_t block, uint64_t **record)
{
    uint64_t hint = mp__load64(&roomy);
    *record = is_own(hint) ? take_record(table_of(noted(hint)), block) : NULL;
    mp_status_t status = *record ? MP_OK : search_tables(block, record);
    if (status == MP_OK)
        mp__store64(&roomy, note_of(*record));
    return status;
}

static void clear_record(uint64_t *record)
{
    mp__block_t block = mp__load64(record);
    mp__store64(record, 0);
    mp__store64(&roomy, note_of(record));
    mp__fence();
    mp__block_detached(block);
}

/* ---- attaching */

/* What the header says, if it can be believed. */
static bool find_lent(const mp__header_t *header, mp__lent_t *lent)
{
    uint32_t place = (uint32_t)(mp__offset_of(header) / MP__UNIT);
    mp__block_t found;
    uint64_t room;
    *lent = (mp__lent_t){mp__load64(&header->body[0]), mp__load64(&header->body[1])};
    return mp__block_owned(mp__low(lent->block), mp__owner_container(place), &found, &room) && found == lent->block &&
           lent->bytes <= room && mp__block_at(found, NULL);
}

static mp_status_t attach(mp__attachment_t *attachment, const mp__header_t *header, const mp__reference_t *reference)
{
    const char *step = "attach to shared memory";
    uint64_t *record, old = mp__load64(&attachment->record);
    mp__lent_t lent;
    bool fits = find_lent(header, &lent);
    if (!fits)
        return mp__object_is(header, reference) ? mp__error(MP_CORRUPT, step, "the object names no memory of its own")
                                                : mp__object_gone(step);
    mp_status_t status = write_record(lent.block, &record);
    if (status != MP_OK)
        return status;
    mp__fence();
    if (mp__object_is(header, reference)) {
        mp__store64(&attachment->memory, (uint64_t)mp__low(lent.block) * MP__UNIT);
        mp__store64(&attachment->bytes, lent.bytes);
        /* Else another thread was faster, with the same memory. */
        if (!mp__cas64(&attachment->record, &old, note_of(record)))
            clear_record(record);
        return MP_OK;
    }
    clear_record(record);
    return mp__object_gone(step);
}

mp_status_t mp__attach(mp__attachment_t *attachment, const mp__header_t *header, const mp__reference_t *reference,
                       void **memory, uint64_t *bytes)
{
    if (MP__UNLIKELY(!is_own(mp__load64(&attachment->record)))) {
        mp_status_t status = attach(attachment, header, reference);
        if (status != MP_OK)
            return status;
    }
    *memory = mp__family.base + mp__load64(&attachment->memory);
    *bytes = mp__load64(&attachment->bytes);
    return MP__LIKELY(mp__object_is(header, reference)) ? MP_OK : mp__object_gone("use shared memory");
}

void mp__detach(mp__attachment_t *attachment)
{
    uint64_t note = mp__swap64(&attachment->record, 0);
    if (!mp__family_joined() || !is_own(note))
        return;
    if (mp__family_join() == MP_OK)
        clear_record(noted(note));
    else
        mp__store64(noted(note), 0); /* a thread that cannot take part frees nothing: a sweep will */
}

/* ---- lending */

mp_status_t mp__lend(mp__header_t *header, uint64_t bytes)
{
    uint32_t place = (uint32_t)(mp__offset_of(header) / MP__UNIT);
    mp__block_t block;
    mp_status_t status = mp__block_alloc(bytes, mp__owner_container(place) | MP__OWNER_LENT, &block);
    if (status != MP_OK)
        return status;
    memset(mp__block_at(block, NULL), 0, (size_t)bytes);
    mp__store64(&header->body[0], block);
    mp__store64(&header->body[1], bytes);
    return MP_OK;
}

void mp__lend_end(mp__header_t *header)
{
    mp__block_free(mp__load64(&header->body[0]));
}
