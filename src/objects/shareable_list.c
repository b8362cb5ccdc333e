/*
 * The shareable list: a block of slots, each with two rooms of the same size.
 *
 *   { word, place, room } ... | room, room | room, room | ...
 *
 * The word says what the item is, how long, and in which of the two rooms. Who sets an item writes into the other room
 * first; the one store of the word replaces the item. So who is killed in the middle leaves the old item or the new
 * one, and there is nothing to repair. All is done under the header's lock.
 */
#include <multiproc/shareable_list.h>

#include "objects/shared.h"
#include "wire/buffer.h"
#include "wire/utf8.h"

#define KIND MP_KIND_SHAREABLE_LIST
#define STEP "use a shareable list"
#define UNIT UINT64_C(8)

struct mp_shareable_list {
    mp__shared_t shared;
};

typedef struct content {
    uint64_t block;
    uint64_t count;
} content_t;

typedef struct slot {
    uint64_t word;
    uint64_t place; /* in the block */
    uint64_t room;  /* bytes, of each of the two */
} slot_t;

#define WORD_KIND(word)   ((mp_kind_t)((word)&0xff))
#define WORD_ROOM(word)   ((word) >> 8 & 1) /* which of the two */
#define WORD_LENGTH(word) ((word) >> 16)

static content_t *content_of(mp__header_t *header)
{
    return (content_t *)(void *)header->body;
}

/* ---- items as bytes */

/* Where an item's bytes are; -1: it is of a kind that a list does not hold. */
static int64_t bytes_of(const mp_value_t *item, const void **data)
{
    switch ((mp_kind_t)item->kind) {
    case MP_KIND_NONE:
        *data = "";
        return 0;
    case MP_KIND_BOOL:
        *data = &item->as.truth;
        return sizeof item->as.truth;
    case MP_KIND_INT:
    case MP_KIND_UINT:
    case MP_KIND_DOUBLE:
        *data = &item->as;
        return (int64_t)UNIT;
    case MP_KIND_STR:
    case MP_KIND_BYTES:
        *data = item->as.data;
        return item->end.size < (UINT64_C(1) << 48) ? (int64_t)item->end.size : -1;
    default:
        return -1;
    }
}

static uint64_t room_for(const mp_value_t *item, uint64_t length)
{
    bool flat = item->kind != MP_KIND_STR && item->kind != MP_KIND_BYTES;
    return flat ? UNIT : (length / UNIT + 1) * UNIT;
}

static mp_status_t check(const mp_value_t *item)
{
    const void *data = NULL;
    if (bytes_of(item, &data) < 0)
        return mp__error(MP_TYPE, STEP, "a %s cannot be in it", mp_kind_name((mp_kind_t)item->kind));
    if (item->kind == MP_KIND_STR && !mp__utf8_is_valid(data, (size_t)item->end.size))
        return mp__error(MP_INVALID, STEP, "a text is not UTF-8");
    return MP_OK;
}

static mp_status_t corrupt(void)
{
    return mp__error(MP_CORRUPT, STEP, "its slots do not hold");
}

/* Builds an item from a private copy of its bytes. */
static mp_status_t build(mp_kind_t kind, const uint8_t *data, size_t length, mp_value_t *value)
{
    mp_value_t item = mp__value(kind);
    if (kind == MP_KIND_STR || kind == MP_KIND_BYTES) {
        item.as.data = data;
        item.end.size = length;
        return kind == MP_KIND_STR && !mp__utf8_is_valid(data, length) ? corrupt() : mp__copy(value, item);
    }
    if (kind == MP_KIND_BOOL && length == 1)
        item = mp_bool(data[0] != 0);
    else if ((kind == MP_KIND_INT || kind == MP_KIND_UINT || kind == MP_KIND_DOUBLE) && length == UNIT)
        memcpy(&item.as, data, length);
    else if (kind != MP_KIND_NONE)
        return corrupt();
    *value = item;
    return MP_OK;
}

/* ---- slots, under the lock */

typedef struct spot {
    uint8_t *base; /* the block's */
    slot_t *slot;
    slot_t copy; /* checked */
} spot_t;

static mp_status_t lock(mp_shareable_list_t *list)
{
    mp__header_t *header = list->shared.header;
    mp_status_t status = mp__object_lock(header, &header->lock, &list->shared.handle.reference, MP__NEVER);
    return status == MP_OWNER_DIED ? MP_OK : status;
}

/* Finds a slot, believing nothing. */
static mp_status_t find(mp__header_t *header, int64_t index, spot_t *spot)
{
    content_t content = *content_of(header);
    mp__block_t found;
    uint64_t size;
    uint32_t place = (uint32_t)(mp__offset_of(header) / MP__UNIT);
    if (!mp__block_owned(mp__low(content.block), mp__owner_container(place), &found, &size) || found != content.block ||
        content.count > size / sizeof(slot_t) || !(spot->base = mp__block_at(found, NULL)))
        return corrupt();
    if (index < 0)
        index += (int64_t)content.count;
    if (index < 0 || (uint64_t)index >= content.count)
        return mp__error(MP_INDEX, STEP, "it has %llu items", (unsigned long long)content.count);
    spot->slot = (slot_t *)(void *)spot->base + index;
    spot->copy = *spot->slot;
    const slot_t *slot = &spot->copy;
    bool fits = slot->place <= size && slot->room <= (size - slot->place) / 2 && WORD_LENGTH(slot->word) <= slot->room;
    return fits ? MP_OK : corrupt();
}

static uint8_t *room_at(const spot_t *spot, uint64_t which)
{
    return spot->base + spot->copy.place + which * spot->copy.room;
}

static uint64_t make_word(mp_kind_t kind, uint64_t length, uint64_t which)
{
    return length << 16 | which << 8 | (uint64_t)kind;
}

static mp_status_t store(const spot_t *spot, const mp_value_t *item)
{
    const void *data = NULL;
    uint64_t length = (uint64_t)bytes_of(item, &data), which = !WORD_ROOM(spot->copy.word);
    if (length > spot->copy.room)
        return mp__error(MP_TOO_LARGE, STEP, "the item's room is %llu bytes", (unsigned long long)spot->copy.room);
    if (length)
        memcpy(room_at(spot, which), data, (size_t)length);
    mp__store64(&spot->slot->word, make_word((mp_kind_t)item->kind, length, which));
    return MP_OK;
}

/* A copy of an item's bytes. */
static mp_status_t load(mp_shareable_list_t *list, int64_t index, mp__buffer_t *bytes, mp_kind_t *kind)
{
    spot_t spot;
    mp_status_t status = lock(list);
    if (status != MP_OK)
        return status;
    mp__buffer_clear(bytes);
    status = find(list->shared.header, index, &spot);
    if (status == MP_OK) {
        *kind = WORD_KIND(spot.copy.word);
        status =
            mp__buffer_append(bytes, room_at(&spot, WORD_ROOM(spot.copy.word)), (size_t)WORD_LENGTH(spot.copy.word));
    }
    mp__word_unlock(&list->shared.header->lock);
    return status;
}

/* ---- making and ending it */

static mp_status_t measure(const mp_value_t *items, size_t count, uint64_t *size)
{
    *size = count * sizeof(slot_t);
    for (size_t i = 0; i < count; i++) {
        mp_value_t item = mp_value_item(*items, i);
        const void *data = NULL;
        mp_status_t status = check(&item);
        if (status != MP_OK)
            return status;
        *size += 2 * room_for(&item, (uint64_t)bytes_of(&item, &data));
    }
    return MP_OK;
}

static void fill(uint8_t *base, const mp_value_t *items, size_t count)
{
    uint64_t place = count * sizeof(slot_t);
    for (size_t i = 0; i < count; i++) {
        mp_value_t item = mp_value_item(*items, i);
        const void *data = NULL;
        spot_t spot = {base, (slot_t *)(void *)base + i, {0, place, 0}};
        spot.copy.room = room_for(&item, (uint64_t)bytes_of(&item, &data));
        *spot.slot = spot.copy;
        store(&spot, &item);
        place += 2 * spot.copy.room;
    }
}

static void release(mp__header_t *header)
{
    mp__block_free(content_of(header)->block);
}

static mp_status_t make_content(mp__header_t *header, const mp_value_t *items, size_t count, uint64_t size)
{
    mp__block_t block;
    uint32_t place = (uint32_t)(mp__offset_of(header) / MP__UNIT);
    mp_status_t status = mp__block_alloc(size, mp__owner_container(place), &block);
    if (status != MP_OK)
        return status;
    fill(mp__block_at(block, NULL), items, count);
    content_of(header)->count = count;
    mp__store64(&content_of(header)->block, block);
    return MP_OK;
}

mp_status_t mp__shareable_list_create(mp_shareable_list_t **list, mp_value_t items)
{
    const char *step = "create a shareable list";
    if (!list)
        return mp__error(MP_INVALID, step, "no place for the new object");
    *list = NULL;
    if (items.kind != MP_KIND_LIST && items.kind != MP_KIND_RANGE)
        return mp__error(MP_TYPE, step, "its content is a %s, not a list", mp_kind_name((mp_kind_t)items.kind));
    size_t count = mp_value_len(items);
    uint64_t size;
    mp_status_t status = measure(&items, count, &size);
    if (status == MP_OK)
        status = mp__shared_create(KIND, (mp__shared_t **)list);
    if (status != MP_OK)
        return status;
    status = make_content((*list)->shared.header, &items, count, size);
    if (status != MP_OK) {
        mp__shared_close(&(*list)->shared, KIND, NULL);
        *list = NULL;
    }
    return status;
}

mp_status_t mp_shareable_list_close(mp_shareable_list_t *list)
{
    return mp__shared_close((mp__shared_t *)list, KIND, release);
}

/* ---- using it */

static mp_status_t begin(mp_shareable_list_t *list, const void *out)
{
    return out ? mp__shared_use((mp__shared_t *)list, KIND) : mp__error(MP_INVALID, STEP, "no place for the result");
}

mp_status_t mp_shareable_list_length(mp_shareable_list_t *list, size_t *length)
{
    mp_status_t status = begin(list, length);
    if (status != MP_OK)
        return status;
    uint64_t count = content_of(list->shared.header)->count;
    if (!mp__object_is(list->shared.header, &list->shared.handle.reference))
        return mp__object_gone(STEP);
    *length = (size_t)count;
    return MP_OK;
}

mp_status_t mp_shareable_list_get(mp_shareable_list_t *list, int64_t index, mp_value_t *value)
{
    mp_kind_t kind = MP_KIND_NONE;
    mp__buffer_t bytes;
    if (value)
        *value = MP_NONE;
    mp_status_t status = begin(list, value);
    if (status != MP_OK)
        return status;
    mp__buffer_init(&bytes);
    status = load(list, index, &bytes, &kind);
    if (status == MP_OK)
        status = build(kind, bytes.data, bytes.size, value);
    mp__buffer_fini(&bytes);
    return status;
}

mp_status_t mp__shareable_list_set(mp_shareable_list_t *list, int64_t index, mp_value_t item)
{
    spot_t spot;
    mp_status_t status = mp__shared_use((mp__shared_t *)list, KIND);
    if (status == MP_OK)
        status = check(&item);
    if (status == MP_OK)
        status = lock(list);
    if (status != MP_OK)
        return status;
    status = find(list->shared.header, index, &spot);
    if (status == MP_OK)
        status = store(&spot, &item);
    mp__word_unlock(&list->shared.header->lock);
    return status;
}

/* Counts the items that equal one, up to `most` of them; *last is the last one's place. */
static mp_status_t search(mp_shareable_list_t *list, const mp_value_t *item, size_t most, size_t *count, size_t *last)
{
    size_t length = 0;
    mp_status_t status = mp_shareable_list_length(list, &length);
    *count = 0;
    for (size_t i = 0; status == MP_OK && i < length && *count < most; i++) {
        mp_value_t own;
        status = mp_shareable_list_get(list, (int64_t)i, &own);
        if (status == MP_OK && mp__value_equal(own, *item)) {
            ++*count;
            *last = i;
        }
        mp_value_free(&own);
    }
    return status;
}

mp_status_t mp__shareable_list_count(mp_shareable_list_t *list, mp_value_t item, size_t *count)
{
    size_t last = 0;
    mp_status_t status = begin(list, count);
    return status == MP_OK ? search(list, &item, SIZE_MAX, count, &last) : status;
}

mp_status_t mp__shareable_list_index(mp_shareable_list_t *list, mp_value_t item, size_t *index)
{
    size_t count = 0;
    mp_status_t status = begin(list, index);
    if (status == MP_OK)
        status = search(list, &item, 1, &count, index);
    if (status == MP_OK && !count)
        status = mp__error(MP_VALUE, STEP, "no item equals it");
    return status;
}

mp_status_t mp_shareable_list_format(mp_shareable_list_t *list, int64_t index, mp_kind_t *kind, size_t *room)
{
    spot_t spot;
    mp_status_t status = mp__shared_use((mp__shared_t *)list, KIND);
    if (status == MP_OK)
        status = lock(list);
    if (status != MP_OK)
        return status;
    status = find(list->shared.header, index, &spot);
    mp__word_unlock(&list->shared.header->lock);
    if (status == MP_OK && kind)
        *kind = WORD_KIND(spot.copy.word);
    if (status == MP_OK && room)
        *room = (size_t)spot.copy.room;
    return status;
}
