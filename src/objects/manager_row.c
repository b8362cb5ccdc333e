/* A stored list: an array. */
#include "objects/manager_store.h"

#include "objects/manager_number.h"

#include <stdlib.h>

#define LEAST 8 /* items */

void mp__row_clear(mp__row_t *row)
{
    for (size_t i = 0; i < row->count; i++)
        mp__blob_fini(&row->items[i]);
    free(row->items);
    *row = (mp__row_t){0};
}

/* ---- room */

static mp_status_t resize(mp__row_t *row, size_t capacity)
{
    mp__blob_t *items = capacity <= SIZE_MAX / 2 / sizeof *items ? realloc(row->items, capacity * sizeof *items) : NULL;
    if (!items)
        return mp__error(MP_NO_MEMORY, "keep a list", "no memory for %llu items", (unsigned long long)capacity);
    row->items = items;
    row->capacity = capacity;
    return MP_OK;
}

static mp_status_t make_room(mp__row_t *row, size_t more)
{
    if (more <= row->capacity - row->count)
        return MP_OK;
    size_t wanted = row->count + more;
    if (wanted < row->count + row->count / 2)
        wanted = row->count + row->count / 2;
    return resize(row, wanted < LEAST ? LEAST : wanted);
}

/* Gives memory back when much of it is unused. */
static void shrink(mp__row_t *row)
{
    if (row->count == 0)
        mp__row_clear(row);
    else if (row->capacity > 4 * LEAST && row->count < row->capacity / 4)
        (void)resize(row, row->capacity / 2);
}

/* ---- places, as Python counts */

mp_status_t mp__row_place(const mp__row_t *row, int64_t index, size_t *place)
{
    int64_t count = (int64_t)row->count;
    if (index < -count || index >= count)
        return mp__error(MP_INDEX, "use a list", "index %lld of a list with %lld items", (long long)index,
                         (long long)count);
    *place = (size_t)(index < 0 ? index + count : index);
    return MP_OK;
}

/* Into low .. high, counting from the end if it is negative. */
static int64_t clamp(int64_t index, int64_t count, int64_t low, int64_t high)
{
    if (index < 0)
        index = index < -count ? low : index + count;
    return index > high ? high : index < low ? low : index;
}

mp_status_t mp__row_slice(const mp__row_t *row, int64_t start, int64_t stop, int64_t step, mp__slice_t *slice)
{
    int64_t count = (int64_t)row->count, back = step < 0;
    if (step == 0)
        return mp__error(MP_VALUE, "use a list", "slice step cannot be zero");
    if (step < -INT64_MAX)
        step = -INT64_MAX;
    start = clamp(start, count, -back, count - back);
    stop = clamp(stop, count, -back, count - back);
    int64_t span = back ? start - stop : stop - start;
    *slice = (mp__slice_t){start, step, span > 0 ? (size_t)((span - 1) / (back ? -step : step) + 1) : 0};
    return MP_OK;
}

/* ---- changes; values that are to go in are copied first, so that nothing changes without memory */

mp_status_t mp__row_replace(mp__row_t *row, size_t place, mp__bytes_t value)
{
    mp__blob_t blob;
    mp_status_t status = mp__blob_init(&blob, value);
    if (status != MP_OK)
        return status;
    mp__blob_fini(&row->items[place]);
    row->items[place] = blob;
    return MP_OK;
}

mp_status_t mp__row_insert(mp__row_t *row, size_t place, mp__bytes_t value)
{
    mp__blob_t blob;
    mp_status_t status = make_room(row, 1);
    if (status == MP_OK)
        status = mp__blob_init(&blob, value);
    if (status != MP_OK)
        return status;
    memmove(&row->items[place + 1], &row->items[place], (row->count - place) * sizeof blob);
    row->items[place] = blob;
    row->count++;
    return MP_OK;
}

/* Takes n items out; they are finished already. */
static void close_gap(mp__row_t *row, size_t place, size_t n)
{
    row->count -= n;
    memmove(&row->items[place], &row->items[place + n], (row->count - place) * sizeof *row->items);
    shrink(row);
}

void mp__row_remove(mp__row_t *row, size_t place)
{
    mp__blob_fini(&row->items[place]);
    close_gap(row, place, 1);
}

/* The items of an encoded list, kept. */
static mp_status_t keep_items(mp__bytes_t bytes, mp__row_t *kept)
{
    mp__items_t items;
    *kept = (mp__row_t){0};
    if (!mp__items_begin(&items, bytes, MP_KIND_LIST))
        return mp__error(MP_TYPE, "use a list", "the new items are no list");
    mp_status_t status = items.count > 0 ? resize(kept, items.count) : MP_OK;
    for (size_t i = 0; i < items.count && status == MP_OK; i++) {
        status = mp__blob_init(&kept->items[i], mp__items_next(&items));
        kept->count += status == MP_OK;
    }
    if (status != MP_OK)
        mp__row_clear(kept);
    return status;
}

static void finish_items(mp__row_t *row, size_t place, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mp__blob_fini(&row->items[place + i]);
}

mp_status_t mp__row_splice(mp__row_t *row, size_t place, size_t n, mp__bytes_t items)
{
    mp__row_t kept;
    mp_status_t status = keep_items(items, &kept);
    if (status != MP_OK)
        return status;
    status = kept.count > n ? make_room(row, kept.count - n) : MP_OK;
    if (status != MP_OK) {
        mp__row_clear(&kept);
        return status;
    }
    if (kept.count + n == 0)
        return MP_OK;
    finish_items(row, place, n);
    memmove(&row->items[place + kept.count], &row->items[place + n], (row->count - place - n) * sizeof *row->items);
    for (size_t i = 0; i < kept.count; i++)
        row->items[place + i] = kept.items[i];
    row->count = row->count - n + kept.count;
    free(kept.items);
    shrink(row);
    return MP_OK;
}

static size_t slice_place(const mp__slice_t *slice, size_t i)
{
    return (size_t)(slice->first + slice->step * (int64_t)i);
}

mp_status_t mp__row_replace_slice(mp__row_t *row, const mp__slice_t *slice, mp__bytes_t items)
{
    mp__row_t kept;
    mp_status_t status = keep_items(items, &kept);
    if (status != MP_OK)
        return status;
    if (kept.count != slice->count) {
        status = mp__error(MP_VALUE, "use a list", "attempt to assign %llu items to a slice of %llu",
                           (unsigned long long)kept.count, (unsigned long long)slice->count);
        mp__row_clear(&kept);
        return status;
    }
    for (size_t i = 0; i < slice->count; i++) {
        mp__blob_t *item = &row->items[slice_place(slice, i)];
        mp__blob_fini(item);
        *item = kept.items[i];
    }
    free(kept.items);
    return MP_OK;
}

void mp__row_remove_slice(mp__row_t *row, const mp__slice_t *slice)
{
    size_t low = slice_place(slice, slice->step < 0 && slice->count > 0 ? slice->count - 1 : 0);
    size_t step = (size_t)(slice->step < 0 ? -slice->step : slice->step);
    size_t kept = low, next = 0; /* what stays moves down; next: of the slice */
    for (size_t i = low; slice->count > 0 && i < row->count; i++) {
        if (next < slice->count && i == low + next * step) {
            mp__blob_fini(&row->items[i]);
            next++;
        } else {
            row->items[kept++] = row->items[i];
        }
    }
    row->count -= slice->count;
    shrink(row);
}

size_t mp__row_search(const mp__row_t *row, const mp__wanted_t *wanted, size_t place, size_t end)
{
    for (; place < end && place < row->count; place++)
        if (mp__wanted_is(wanted, mp__blob_bytes(&row->items[place])))
            return place;
    return SIZE_MAX;
}

/* ---- order */

void mp__row_reverse(mp__row_t *row)
{
    for (size_t i = 0; i < row->count / 2; i++) {
        mp__blob_t item = row->items[i];
        row->items[i] = row->items[row->count - 1 - i];
        row->items[row->count - 1 - i] = item;
    }
}

typedef struct ranked {
    mp_value_t value; /* its text lies in the blob */
    size_t place;
} ranked_t;

static int compare_text(mp_value_t a, mp_value_t b)
{
    size_t n = a.end.size < b.end.size ? (size_t)a.end.size : (size_t)b.end.size;
    int order = n > 0 ? memcmp(a.as.data, b.as.data, n) : 0;
    return order != 0 ? order : (a.end.size > b.end.size) - (a.end.size < b.end.size);
}

static int compare(const ranked_t *a, const ranked_t *b)
{
    return mp__is_number(a->value) ? mp__number_compare(a->value, b->value) : compare_text(a->value, b->value);
}

/* Equal ones stay in their order, both ways. */
static int in_order(const ranked_t *a, const ranked_t *b, int order)
{
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

static int ascending(const void *a, const void *b)
{
    return in_order(a, b, compare(a, b));
}

static int descending_order(const void *a, const void *b)
{
    return in_order(a, b, compare(b, a));
}

/* Reads all; they must be of the first one's sort. */
static mp_status_t rank(const mp__row_t *row, ranked_t *ranked)
{
    for (size_t i = 0; i < row->count; i++) {
        mp_value_t *value = &ranked[i].value;
        ranked[i].place = i;
        bool scalar = mp__bytes_scalar(mp__blob_bytes(&row->items[i]), value);
        bool alike = scalar && (mp__is_number(*value) ? mp__is_number(ranked[0].value)
                                                      : mp_value_kind(*value) == mp_value_kind(ranked[0].value));
        if (!alike || mp_value_kind(*value) == MP_KIND_NONE)
            return mp__error(MP_TYPE, "sort a list", "item %llu does not compare with those before it",
                             (unsigned long long)i);
    }
    return MP_OK;
}

mp_status_t mp__row_sort(mp__row_t *row, bool descending)
{
    if (row->count < 2)
        return MP_OK;
    ranked_t *ranked = malloc(row->count * sizeof *ranked);
    mp__blob_t *items = malloc(row->capacity * sizeof *items);
    mp_status_t status = ranked && items ? rank(row, ranked) : mp__error(MP_NO_MEMORY, "sort a list", "no memory");
    if (status == MP_OK) {
        qsort(ranked, row->count, sizeof *ranked, descending ? descending_order : ascending);
        for (size_t i = 0; i < row->count; i++)
            items[i] = row->items[ranked[i].place];
        free(row->items);
        row->items = items;
    } else {
        free(items);
    }
    free(ranked);
    return status;
}
