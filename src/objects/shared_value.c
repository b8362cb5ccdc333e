/*
 * One shared number: a 64-bit word of lent memory, whatever the type, so that all its changes are single atomic
 * operations. Whole numbers stand there widened, floating ones as a double's bits. A late user's word is not another's
 * by then, because it is attached.
 */
#include <multiproc/shared_value.h>

#include "objects/ctype.h"
#include "objects/dump.h"
#include "objects/guard.h"

#include <string.h>

#define KIND MP_KIND_SHARED_VALUE
#define STEP "use a shared value"

struct mp_shared_value {
    mp__shared_t shared;
};

typedef struct content {
    mp__lent_t lent;
    uint64_t type;
} content_t;

mp_status_t mp_shared_value_create(mp_shared_value_t **value, mp_ctype_t type)
{
    if (value)
        *value = NULL;
    if (mp__ctype_number(type) == MP__NUMBER_NONE)
        return mp__error(MP_TYPE, "create a shared value", "there is no type %d", (int)type);
    mp_status_t status = mp__shared_lend(KIND, sizeof(uint64_t), (mp__shared_t **)value);
    if (status == MP_OK)
        ((content_t *)(void *)(*value)->shared.header->body)->type = (uint64_t)type;
    return status;
}

/* ---- which calls a type takes */

typedef enum face { FACE_INT, FACE_UINT, FACE_DOUBLE } face_t;

static bool takes(mp_ctype_t type, face_t face)
{
    switch (mp__ctype_number(type)) {
    case MP__NUMBER_SIGNED:
        return face == FACE_INT;
    case MP__NUMBER_UNSIGNED:
        return face == FACE_UINT || (face == FACE_INT && type != MP_CTYPE_ULONG && type != MP_CTYPE_UINT64);
    case MP__NUMBER_BOOL:
        return face != FACE_DOUBLE;
    case MP__NUMBER_REAL:
        return face == FACE_DOUBLE;
    default:
        return false;
    }
}

typedef struct use {
    mp_ctype_t type;
    uint64_t *word;
} use_t;

static mp_status_t reach(mp_shared_value_t *value, use_t *use)
{
    void *memory = NULL;
    uint64_t bytes = 0;
    *use = (use_t){MP_CTYPE_INT64, NULL};
    mp_status_t status = mp__shared_attach((mp__shared_t *)value, KIND, &memory, &bytes);
    if (MP__UNLIKELY(status != MP_OK))
        return status;
    if (bytes < sizeof *use->word)
        return mp__error(MP_CORRUPT, STEP, "its memory is too small");
    use->word = memory;
    use->type = (mp_ctype_t)mp__load64(&((content_t *)(void *)value->shared.header->body)->type);
    return MP_OK;
}

static mp_status_t begin(mp_shared_value_t *value, face_t face, use_t *use)
{
    static const char *const calls[] = {"..._int", "..._uint", "..._double"};
    mp_status_t status = reach(value, use);
    if (MP__UNLIKELY(status != MP_OK))
        return status;
    return MP__LIKELY(takes(use->type, face))
               ? MP_OK
               : mp__error(MP_TYPE, STEP, "it is of type %s, not for %s", mp__ctype_name(use->type), calls[face]);
}

/* ---- numbers as bits */

static uint64_t bits_of(mp_ctype_t type, double x)
{
    uint64_t bits;
    if (type == MP_CTYPE_FLOAT)
        x = (double)(float)x;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double real_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static mp_status_t check_range(const use_t *use, uint64_t bits, bool negative)
{
    bool is_bool = mp__ctype_number(use->type) == MP__NUMBER_BOOL;
    bool holds =
        mp__ctype_cut(use->type, bits) == bits && !(negative && mp__ctype_number(use->type) == MP__NUMBER_UNSIGNED);
    return holds || is_bool ? MP_OK
                            : mp__error(MP_TOO_LARGE, STEP, "a %s does not hold the number", mp__ctype_name(use->type));
}

/* ---- the operations, on bits */

static mp_status_t get(mp_shared_value_t *value, face_t face, const void *out, uint64_t *bits)
{
    use_t use;
    if (!out)
        return mp__error(MP_INVALID, STEP, "no place for the number");
    mp_status_t status = begin(value, face, &use);
    if (status == MP_OK)
        *bits = mp__load64(use.word);
    return status;
}

static mp_status_t begin_whole(mp_shared_value_t *value, face_t face, uint64_t x, use_t *use, uint64_t *bits)
{
    mp_status_t status = begin(value, face, use);
    if (status == MP_OK)
        status = check_range(use, x, face == FACE_INT && (int64_t)x < 0);
    if (status == MP_OK)
        *bits = mp__ctype_cut(use->type, x);
    return status;
}

static mp_status_t exchange(mp_shared_value_t *value, face_t face, uint64_t x, uint64_t *before)
{
    use_t use;
    uint64_t bits = 0;
    mp_status_t status = begin_whole(value, face, x, &use, &bits);
    if (status == MP_OK)
        *before = mp__swap64(use.word, bits);
    return status;
}

static mp_status_t add(mp_shared_value_t *value, face_t face, uint64_t by, uint64_t *before)
{
    use_t use;
    mp_status_t status = begin(value, face, &use);
    if (status == MP_OK && mp__ctype_number(use.type) == MP__NUMBER_BOOL)
        status = mp__error(MP_TYPE, STEP, "a bool is not added to");
    if (status != MP_OK)
        return status;
    *before = mp__load64(use.word);
    while (!mp__cas64(use.word, before, mp__ctype_cut(use.type, *before + by)))
        ;
    return MP_OK;
}

static mp_status_t cas(mp_shared_value_t *value, face_t face, uint64_t *expected, uint64_t x, bool *done)
{
    use_t use;
    uint64_t bits = 0;
    mp_status_t status = begin_whole(value, face, x, &use, &bits);
    if (status == MP_OK)
        *done = mp__cas64(use.word, expected, bits);
    return status;
}

/* ---- the calls */

mp_status_t mp_shared_value_type(mp_shared_value_t *value, mp_ctype_t *type)
{
    use_t use;
    if (!type)
        return mp__error(MP_INVALID, STEP, "no place for the type");
    mp_status_t status = reach(value, &use);
    if (status == MP_OK)
        *type = use.type;
    return status;
}

mp_status_t mp_shared_value_get_int(mp_shared_value_t *value, int64_t *x)
{
    uint64_t bits = 0;
    mp_status_t status = get(value, FACE_INT, x, &bits);
    if (status == MP_OK)
        *x = (int64_t)bits;
    return status;
}

mp_status_t mp_shared_value_get_uint(mp_shared_value_t *value, uint64_t *x)
{
    return get(value, FACE_UINT, x, x);
}

mp_status_t mp_shared_value_get_double(mp_shared_value_t *value, double *x)
{
    uint64_t bits = 0;
    mp_status_t status = get(value, FACE_DOUBLE, x, &bits);
    if (status == MP_OK)
        *x = real_of(bits);
    return status;
}

mp_status_t mp_shared_value_set_int(mp_shared_value_t *value, int64_t x)
{
    return mp_shared_value_exchange_int(value, x, NULL);
}

mp_status_t mp_shared_value_set_uint(mp_shared_value_t *value, uint64_t x)
{
    return mp_shared_value_exchange_uint(value, x, NULL);
}

mp_status_t mp_shared_value_set_double(mp_shared_value_t *value, double x)
{
    return mp_shared_value_exchange_double(value, x, NULL);
}

mp_status_t mp_shared_value_add_int(mp_shared_value_t *value, int64_t by, int64_t *before)
{
    uint64_t bits = 0;
    mp_status_t status = add(value, FACE_INT, (uint64_t)by, &bits);
    if (status == MP_OK && before)
        *before = (int64_t)bits;
    return status;
}

mp_status_t mp_shared_value_add_uint(mp_shared_value_t *value, uint64_t by, uint64_t *before)
{
    uint64_t bits = 0;
    return add(value, FACE_UINT, by, before ? before : &bits);
}

mp_status_t mp_shared_value_add_double(mp_shared_value_t *value, double by, double *before)
{
    use_t use;
    mp_status_t status = begin(value, FACE_DOUBLE, &use);
    if (status != MP_OK)
        return status;
    uint64_t bits = mp__load64(use.word);
    while (!mp__cas64(use.word, &bits, bits_of(use.type, real_of(bits) + by)))
        ;
    if (before)
        *before = real_of(bits);
    return MP_OK;
}

mp_status_t mp_shared_value_exchange_int(mp_shared_value_t *value, int64_t x, int64_t *before)
{
    uint64_t bits = 0;
    mp_status_t status = exchange(value, FACE_INT, (uint64_t)x, &bits);
    if (status == MP_OK && before)
        *before = (int64_t)bits;
    return status;
}

mp_status_t mp_shared_value_exchange_uint(mp_shared_value_t *value, uint64_t x, uint64_t *before)
{
    uint64_t bits = 0;
    return exchange(value, FACE_UINT, x, before ? before : &bits);
}

mp_status_t mp_shared_value_exchange_double(mp_shared_value_t *value, double x, double *before)
{
    use_t use;
    mp_status_t status = begin(value, FACE_DOUBLE, &use);
    if (status != MP_OK)
        return status;
    uint64_t bits = mp__swap64(use.word, bits_of(use.type, x));
    if (before)
        *before = real_of(bits);
    return MP_OK;
}

static mp_status_t no_place(void)
{
    return mp__error(MP_INVALID, STEP, "no place for what was expected, or whether it was done");
}

mp_status_t mp_shared_value_cas_int(mp_shared_value_t *value, int64_t *expected, int64_t x, bool *done)
{
    if (!expected || !done)
        return no_place();
    uint64_t bits = (uint64_t)*expected;
    mp_status_t status = cas(value, FACE_INT, &bits, (uint64_t)x, done);
    if (status == MP_OK)
        *expected = (int64_t)bits;
    return status;
}

mp_status_t mp_shared_value_cas_uint(mp_shared_value_t *value, uint64_t *expected, uint64_t x, bool *done)
{
    return expected && done ? cas(value, FACE_UINT, expected, x, done) : no_place();
}

mp_status_t mp_shared_value_cas_double(mp_shared_value_t *value, double *expected, double x, bool *done)
{
    use_t use;
    if (!expected || !done)
        return no_place();
    mp_status_t status = begin(value, FACE_DOUBLE, &use);
    if (status != MP_OK)
        return status;
    uint64_t bits = bits_of(use.type, *expected);
    *done = mp__cas64(use.word, &bits, bits_of(use.type, x));
    *expected = real_of(bits);
    return MP_OK;
}

mp_status_t mp_shared_value_lock(mp_shared_value_t *value, double timeout)
{
    return mp__guard_lock((mp__shared_t *)value, KIND, timeout);
}

mp_status_t mp_shared_value_unlock(mp_shared_value_t *value)
{
    return mp__guard_unlock((mp__shared_t *)value, KIND);
}

mp_status_t mp_shared_value_close(mp_shared_value_t *value)
{
    return mp__guard_close((mp__shared_t *)value, KIND, mp__lend_end);
}

void mp__shared_value_dump(mp__header_t *header, mp__dump_t *dump)
{
    const content_t *c = (const content_t *)(void *)header->body;
    mp_ctype_t type = (mp_ctype_t)mp__load64(&c->type);
    uint64_t room, bits;
    const uint64_t *word = mp__block_at(mp__load64(&c->lent.block), &room);
    if (!word || room < sizeof *word)
        return;
    bits = mp__load64(word);
    if (mp__ctype_number(type) == MP__NUMBER_REAL)
        mp__dump_line(dump, "  value: %.17g (%s)", real_of(bits), mp__ctype_name(type));
    else if (mp__ctype_number(type) == MP__NUMBER_UNSIGNED)
        mp__dump_line(dump, "  value: %llu (%s)", (unsigned long long)bits, mp__ctype_name(type));
    else
        mp__dump_line(dump, "  value: %lld (%s)", (long long)bits, mp__ctype_name(type));
}
