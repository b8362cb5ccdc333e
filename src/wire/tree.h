/* The memory of a received or copied value: one block for the whole tree, first all items (with the indexes of large
 * dicts), then all text. It is measured, allocated, then dealt out; what is dealt out first begins the block, and that
 * is the root's. */
#ifndef MP_WIRE_TREE_H
#define MP_WIRE_TREE_H

#include "core/error.h"
#include "wire/values.h"

typedef struct mp__tree {
    uint64_t item_bytes; /* measured */
    uint64_t text_bytes;
    uint8_t *items; /* where the next ones go */
    char *text;
} mp__tree_t;

/* Measuring. */
void mp__tree_add_items(mp__tree_t *tree, size_t n);
void mp__tree_add_pairs(mp__tree_t *tree, size_t n);
void mp__tree_add_text(mp__tree_t *tree, size_t n);

/* MP_NO_MEMORY. */
mp_status_t mp__tree_allocate(mp__tree_t *tree);

/* Dealing out. The caller fills in the items, in any order, and calls mp__tree_index for a dict when its keys stand. */
mp_value_t *mp__tree_items(mp__tree_t *tree, size_t n);
mp_value_t *mp__tree_pairs(mp__tree_t *tree, size_t n);
void mp__tree_index(mp_value_t *dict);
const char *mp__tree_text(mp__tree_t *tree, const void *data, size_t n); /* with a '\0' behind it */

#endif
