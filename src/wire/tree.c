/* The memory of received and copied values; freeing them. */
#include "wire/tree.h"

#include "platform.h"

#include <stdlib.h>
#include <string.h>

static uint64_t pair_bytes(size_t n)
{
    return (uint64_t)n * 2 * sizeof(mp_value_t) + (uint64_t)mp__index_slots(n) * sizeof(uint32_t);
}

void mp__tree_add_items(mp__tree_t *tree, size_t n)
{
    tree->item_bytes += (uint64_t)n * sizeof(mp_value_t);
}

void mp__tree_add_pairs(mp__tree_t *tree, size_t n)
{
    tree->item_bytes += pair_bytes(n);
}

void mp__tree_add_text(mp__tree_t *tree, size_t n)
{
    tree->text_bytes += (uint64_t)n + 1;
}

mp_status_t mp__tree_allocate(mp__tree_t *tree)
{
    uint64_t size = tree->item_bytes + tree->text_bytes;
    if (size == 0)
        return MP_OK;
    tree->items = size <= SIZE_MAX / 2 ? malloc((size_t)size) : NULL;
    if (!tree->items)
        return mp__error(MP_NO_MEMORY, "make a value", "no memory for its %llu bytes", (unsigned long long)size);
    tree->text = (char *)tree->items + tree->item_bytes;
    return MP_OK;
}

static mp_value_t *deal(mp__tree_t *tree, size_t size)
{
    mp_value_t *items = (mp_value_t *)(void *)tree->items;
    if (size == 0)
        return NULL;
    tree->items += size;
    return items;
}

mp_value_t *mp__tree_items(mp__tree_t *tree, size_t n)
{
    return deal(tree, n * sizeof(mp_value_t));
}

mp_value_t *mp__tree_pairs(mp__tree_t *tree, size_t n)
{
    return deal(tree, (size_t)pair_bytes(n));
}

void mp__tree_index(mp_value_t *dict)
{
    size_t pairs = (size_t)dict->end.size;
    if (pairs < MP__INDEX_FROM)
        return;
    mp__index_build((uint32_t *)(void *)(dict->as.items + 2 * pairs), dict->as.items, pairs);
    dict->flags |= MP__INDEXED;
}

const char *mp__tree_text(mp__tree_t *tree, const void *data, size_t n)
{
    char *text = tree->text;
    if (n > 0)
        memcpy(text, data, n);
    text[n] = '\0';
    tree->text += n + 1;
    return text;
}

/* Lets go every object in a tree. */
static void release(const mp_value_t *v)
{
    size_t n = 0;
    if (v->kind == MP_KIND_LIST)
        n = (size_t)v->end.size;
    else if (v->kind == MP_KIND_DICT)
        n = 2 * (size_t)v->end.size;
    else if (v->kind == MP_KIND_DESCRIPTOR)
        mp__os_handle_close(v->as.descriptor);
    else if (mp__kind_is_object((mp_kind_t)v->kind))
        mp__handle_release(v->as.object);
    for (size_t i = 0; i < n; i++)
        release(&v->as.items[i]);
}

void mp_value_free(mp_value_t *v)
{
    if (!v)
        return;
    if (v->flags & MP__OBJECTS)
        release(v);
    if ((v->flags & MP__OWNED) && v->kind >= MP_KIND_STR && v->kind <= MP_KIND_DICT)
        free((void *)(uintptr_t)v->as.data);
    *v = MP_NONE;
}
