/* Copies of values, deep but for the objects in them, which get one more holder. */
#include "wire/codec.h"
#include "wire/tree.h"

#include "platform.h"

#define STEP "copy a value"

/* Can it be copied, and how large is the copy? */
static mp_status_t measure(const mp_value_t *v, mp__tree_t *tree, unsigned depth)
{
    mp_status_t status = MP_OK;
    size_t n = mp_value_len(*v);
    if (depth > MP__DEPTH_MAX)
        return mp__error(MP_TOO_LARGE, STEP, "nested more than %d deep", MP__DEPTH_MAX);
    if (mp__kind_is_object((mp_kind_t)v->kind) && !mp__handle_is(v->as.object, (mp_kind_t)v->kind))
        return mp__error(MP_INVALID, STEP, "no live %s", mp_kind_name((mp_kind_t)v->kind));
    switch (v->kind) {
    case MP_KIND_STR:
    case MP_KIND_BYTES:
        mp__tree_add_text(tree, n);
        break;
    case MP_KIND_RANGE:
        if (n > SIZE_MAX / 4 / sizeof *v)
            return mp__error(MP_NO_MEMORY, STEP, "a range of %llu numbers", (unsigned long long)n);
        mp__tree_add_items(tree, n);
        break;
    case MP_KIND_LIST:
        mp__tree_add_items(tree, n);
        for (size_t i = 0; i < n && status == MP_OK; i++)
            status = measure(&v->as.items[i], tree, depth + 1);
        break;
    case MP_KIND_DICT:
        mp__tree_add_pairs(tree, n);
        for (size_t i = 0; i < n && status == MP_OK; i++) {
            if (!mp__kind_is_key((mp_kind_t)v->as.items[2 * i].kind))
                return mp__error(MP_TYPE, STEP, "unhashable type: '%s'",
                                 mp_kind_name((mp_kind_t)v->as.items[2 * i].kind));
            status = measure(&v->as.items[2 * i], tree, depth + 1);
            if (status == MP_OK)
                status = measure(&v->as.items[2 * i + 1], tree, depth + 1);
        }
        break;
    default:
        break;
    }
    return status;
}

/* Fills in *out; *flags collects MP__OBJECTS. After a failure the items not reached are None, so that *out can be
 * freed. */
static mp_status_t fill(const mp_value_t *v, mp__tree_t *tree, mp_value_t *out, unsigned *flags)
{
    mp_status_t status = MP_OK;
    size_t n = mp_value_len(*v), items = v->kind == MP_KIND_DICT ? 2 * n : n;
    mp_value_t *to;
    *out = *v;
    out->flags = 0;
    switch (v->kind) {
    case MP_KIND_STR:
    case MP_KIND_BYTES:
        out->as.text = mp__tree_text(tree, v->as.text, n);
        return MP_OK;
    case MP_KIND_RANGE:
        to = mp__tree_items(tree, n);
        *out = mp_value_list(to, n);
        for (size_t i = 0; i < n; i++)
            to[i] = mp_value_item(*v, i);
        return MP_OK;
    case MP_KIND_LIST:
    case MP_KIND_DICT:
        out->as.items = to = v->kind == MP_KIND_DICT ? mp__tree_pairs(tree, n) : mp__tree_items(tree, n);
        for (size_t i = 0; i < items; i++) {
            to[i] = MP_NONE;
            if (status == MP_OK)
                status = fill(&v->as.items[i], tree, &to[i], flags);
        }
        if (v->kind == MP_KIND_DICT && status == MP_OK)
            mp__tree_index(out);
        return status;
    case MP_KIND_DESCRIPTOR:
        status = mp__os_handle_copy(v->as.descriptor, &out->as.descriptor);
        if (status != MP_OK)
            *out = MP_NONE;
        *flags |= MP__OBJECTS;
        return status;
    default:
        if (mp__kind_is_object((mp_kind_t)v->kind)) {
            mp__handle_keep(v->as.object);
            *flags |= MP__OBJECTS;
        }
        return MP_OK;
    }
}

mp_status_t mp__copy(mp_value_t *out, mp_value_t v)
{
    mp__tree_t tree = {0};
    unsigned flags = MP__OWNED;
    if (!out)
        return mp__error(MP_INVALID, STEP, "no place for it");
    *out = MP_NONE;
    mp_status_t status = measure(&v, &tree, 0);
    if (status == MP_OK)
        status = mp__tree_allocate(&tree);
    if (status != MP_OK)
        return status;
    status = fill(&v, &tree, out, &flags);
    out->flags = (uint8_t)(out->flags | flags);
    if (status != MP_OK)
        mp_value_free(out);
    return status;
}
