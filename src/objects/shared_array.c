/* A shared array: lent memory with a type, and a lock beside it. */
#include <multiproc/shared_array.h>

#include "objects/ctype.h"
#include "objects/dump.h"
#include "objects/guard.h"

#include <string.h>

#define KIND MP_KIND_SHARED_ARRAY
#define STEP "use a shared array"

struct mp_shared_array {
    mp__shared_t shared;
};

typedef struct content {
    mp__lent_t lent;
    uint64_t type;
} content_t;

mp_status_t mp_shared_array_create(mp_shared_array_t **array, mp_ctype_t type, size_t count)
{
    const char *step = "create a shared array";
    size_t size = mp_ctype_size(type);
    if (array)
        *array = NULL;
    if (!size)
        return mp__error(MP_TYPE, step, "there is no type %d", (int)type);
    if (count > SIZE_MAX / size)
        return mp__error(MP_NO_MEMORY, step, "so many items have no room in any address space");
    mp_status_t status = mp__shared_lend(KIND, (uint64_t)count * size, (mp__shared_t **)array);
    if (status == MP_OK)
        ((content_t *)(void *)(*array)->shared.header->body)->type = (uint64_t)type;
    return status;
}

/* Its memory and what lies there. */
static mp_status_t reach(mp_shared_array_t *array, void **memory, size_t *count, mp_ctype_t *type)
{
    uint64_t bytes = 0;
    mp_status_t status = mp__shared_attach((mp__shared_t *)array, KIND, memory, &bytes);
    if (status != MP_OK)
        return status;
    *type = (mp_ctype_t)mp__load64(&((content_t *)(void *)array->shared.header->body)->type);
    size_t size = mp_ctype_size(*type);
    *count = size ? (size_t)bytes / size : 0;
    return size ? MP_OK : mp__error(MP_CORRUPT, STEP, "its type does not exist");
}

mp_status_t mp_shared_array_type(mp_shared_array_t *array, mp_ctype_t *type)
{
    void *memory;
    size_t count;
    return type ? reach(array, &memory, &count, type) : mp__error(MP_INVALID, STEP, "no place for the type");
}

mp_status_t mp_shared_array_length(mp_shared_array_t *array, size_t *count)
{
    void *memory;
    mp_ctype_t type;
    return count ? reach(array, &memory, count, &type) : mp__error(MP_INVALID, STEP, "no place for the length");
}

/* On some systems two of C's types are the same one of the machine: `long *` is fine for items of long long there. */
static bool same(mp_ctype_t a, mp_ctype_t b)
{
    return a == b || (a != MP_CTYPE_CHAR && b != MP_CTYPE_CHAR && mp__ctype_number(a) == mp__ctype_number(b) &&
                      mp_ctype_size(a) == mp_ctype_size(b));
}

mp_status_t mp__shared_array_data(mp_shared_array_t *array, int wanted, void *out, size_t *count)
{
    void *memory = NULL;
    size_t length = 0;
    mp_ctype_t type = MP_CTYPE_CHAR;
    if (!out)
        return mp__error(MP_INVALID, STEP, "no place for the pointer");
    memcpy(out, &memory, sizeof memory);
    mp_status_t status = reach(array, &memory, &length, &type);
    if (status == MP_OK && wanted && !same((mp_ctype_t)wanted, type))
        status = mp__error(MP_TYPE, STEP, "its items are of type %s, not %s", mp__ctype_name(type),
                           mp__ctype_name((mp_ctype_t)wanted));
    if (status != MP_OK)
        return status;
    memcpy(out, &memory, sizeof memory); /* all pointers to numbers look alike here, but they are not one type */
    if (count)
        *count = length;
    return MP_OK;
}

mp_status_t mp_shared_array_lock(mp_shared_array_t *array, double timeout)
{
    return mp__guard_lock((mp__shared_t *)array, KIND, timeout);
}

mp_status_t mp_shared_array_unlock(mp_shared_array_t *array)
{
    return mp__guard_unlock((mp__shared_t *)array, KIND);
}

mp_status_t mp_shared_array_close(mp_shared_array_t *array)
{
    return mp__guard_close((mp__shared_t *)array, KIND, mp__lend_end);
}

void mp__shared_array_dump(mp__header_t *header, mp__dump_t *dump)
{
    const content_t *c = (const content_t *)(void *)header->body;
    mp_ctype_t type = (mp_ctype_t)mp__load64(&c->type);
    size_t size = mp_ctype_size(type);
    mp__dump_line(dump, "  items: %llu of type %s", (unsigned long long)(size ? c->lent.bytes / size : 0),
                  mp__ctype_name(type));
}
