/* The items are put together on the stack, where text still points into the message, and moved into a block of their
 * own when all is well. */
#include "wire/small.h"

#include "wire/codec.h"
#include "wire/reader.h"
#include "wire/tree.h"
#include "wire/utf8.h"

#include <string.h>

#define ITEMS 32   /* with those of lists in lists. No deeper than MP__DEPTH_MAX, no dict with an index */
#define MOST  4096 /* bytes: of more than these nothing is gone over in vain */

typedef char items_fit[ITEMS < MP__DEPTH_MAX && ITEMS / 2 < MP__INDEX_FROM ? 1 : -1];

typedef struct small {
    mp__reader_t reader;
    mp__tree_t tree; /* measured as it goes */
    size_t used;
    mp_value_t items[ITEMS];
} small_t;

static bool read_items(small_t *s, mp_value_t *items, size_t n);

static bool read_list(small_t *s, uint64_t n, mp_value_t *out)
{
    mp_value_t *items = s->items + s->used;
    if (n > ITEMS - s->used)
        return false;
    s->used += (size_t)n;
    *out = mp_value_list(items, (size_t)n);
    return read_items(s, items, (size_t)n);
}

static bool read_dict(small_t *s, uint64_t n, mp_value_t *out)
{
    mp_value_t *items = s->items + s->used;
    if (n > (ITEMS - s->used) / 2)
        return false;
    s->used += 2 * (size_t)n;
    *out = mp__value(MP_KIND_DICT);
    out->as.items = items;
    out->end.size = n;
    if (!read_items(s, items, 2 * (size_t)n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!mp__kind_is_key((mp_kind_t)items[2 * i].kind) || mp__search_key(items, i, &items[2 * i]) != SIZE_MAX)
            return false;
    return true;
}

static inline bool read_item(small_t *s, mp_value_t *out)
{
    mp__token_t token;
    if (mp__reader_take(&s->reader, &token) != MP_OK)
        return false;
    switch (token.type) {
    case MP__TOKEN_LIST:
        return read_list(s, token.number, out);
    case MP__TOKEN_DICT:
        return read_dict(s, token.number, out);
    case MP__TOKEN_NEGINT:
        if (token.number > INT64_MAX)
            return false;
        break;
    case MP__TOKEN_STR:
        if (!mp__utf8_is_valid(token.data, (size_t)token.number))
            return false;
        mp__tree_add_text(&s->tree, (size_t)token.number);
        break;
    case MP__TOKEN_BYTES:
        mp__tree_add_text(&s->tree, (size_t)token.number);
        break;
    default:
        break;
    }
    return mp__token_key(&token, out);
}

static bool read_items(small_t *s, mp_value_t *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!read_item(s, &items[i]))
            return false;
    return true;
}

/* Makes what a value points to part of the block, where its items are at `items`. */
static void settle(small_t *s, mp_value_t *items, const mp_value_t *v, mp_value_t *settled)
{
    if (v->kind == MP_KIND_STR || v->kind == MP_KIND_BYTES)
        settled->as.text = mp__tree_text(&s->tree, v->as.data, (size_t)v->end.size);
    else if (v->kind == MP_KIND_LIST || v->kind == MP_KIND_DICT)
        settled->as.items = v->end.size ? items + (v->as.items - s->items) : NULL;
}

bool mp__decode_small(const void *data, size_t size, mp_value_t *out)
{
    small_t s;
    if (size > MOST)
        return false;
    s.reader.data = data;
    s.reader.size = size;
    s.reader.at = 0;
    s.tree = (mp__tree_t){0};
    s.used = 0;
    if (!read_item(&s, out) || s.reader.at != size)
        return false;
    mp__tree_add_items(&s.tree, s.used);
    if (mp__tree_allocate(&s.tree) != MP_OK)
        return false;
    mp_value_t *items = mp__tree_items(&s.tree, s.used);
    if (items)
        memcpy(items, s.items, s.used * sizeof *items);
    for (size_t i = 0; i < s.used; i++)
        settle(&s, items, &s.items[i], &items[i]);
    settle(&s, items, out, out);
    out->flags |= MP__OWNED;
    return true;
}
