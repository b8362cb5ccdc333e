/* Reading values: accessors that give 0, "", NULL or None for what is not there. */
#include "wire/values.h"

#include "core/error.h"

const char *mp_kind_name(mp_kind_t kind)
{
    static const char *const names[] = {
        "NoneType",  "bool",      "int",      "int",          "float",  "str",      "bytes",         "list",
        "dict",      "range",     "function", "Connection",   "Queue",  "Lock",     "RLock",         "Semaphore",
        "Condition", "Event",     "Barrier",  "SharedMemory", "Value",  "Array",    "ShareableList", "Manager",
        "DictProxy", "ListProxy", "Process",  "Pool",         "Result", "Listener", "descriptor"};
    return (size_t)kind < MP__COUNT_OF(names) ? names[kind] : "?";
}

size_t mp_value_len(mp_value_t v)
{
    switch (v.kind) {
    case MP_KIND_STR:
    case MP_KIND_BYTES:
    case MP_KIND_LIST:
    case MP_KIND_DICT:
        return (size_t)v.end.size;
    case MP_KIND_RANGE:
        return (size_t)((uint64_t)v.end.stop - (uint64_t)v.as.integer);
    default:
        return 0;
    }
}

static mp_status_t not_a(const char *expected, mp_value_t v)
{
    return mp__error(MP_TYPE, "read a value", "expected %s, got %s", expected, mp_kind_name(mp_value_kind(v)));
}

static mp_status_t nowhere(void)
{
    return mp__error(MP_INVALID, "read a value", "no place for it");
}

mp_status_t mp_value_as_bool(mp_value_t v, bool *out)
{
    if (!out)
        return nowhere();
    switch (v.kind) {
    case MP_KIND_BOOL:
        *out = v.as.truth;
        return MP_OK;
    case MP_KIND_INT:
    case MP_KIND_UINT:
        *out = v.as.natural != 0;
        return MP_OK;
    default:
        return not_a("bool", v);
    }
}

mp_status_t mp_value_as_int(mp_value_t v, int64_t *out)
{
    if (!out)
        return nowhere();
    switch (v.kind) {
    case MP_KIND_BOOL:
        *out = v.as.truth;
        return MP_OK;
    case MP_KIND_INT:
        *out = v.as.integer;
        return MP_OK;
    case MP_KIND_UINT:
        return mp__error(MP_VALUE, "read a value", "%llu does not fit", (unsigned long long)v.as.natural);
    default:
        return not_a("int", v);
    }
}

mp_status_t mp_value_as_uint(mp_value_t v, uint64_t *out)
{
    if (!out)
        return nowhere();
    switch (v.kind) {
    case MP_KIND_BOOL:
        *out = v.as.truth;
        return MP_OK;
    case MP_KIND_INT:
        if (v.as.integer < 0)
            return mp__error(MP_VALUE, "read a value", "%lld is negative", (long long)v.as.integer);
        *out = v.as.natural;
        return MP_OK;
    case MP_KIND_UINT:
        *out = v.as.natural;
        return MP_OK;
    default:
        return not_a("int", v);
    }
}

mp_status_t mp_value_as_double(mp_value_t v, double *out)
{
    if (!out)
        return nowhere();
    switch (v.kind) {
    case MP_KIND_BOOL:
        *out = v.as.truth;
        return MP_OK;
    case MP_KIND_INT:
        *out = (double)v.as.integer;
        return MP_OK;
    case MP_KIND_UINT:
        *out = (double)v.as.natural;
        return MP_OK;
    case MP_KIND_DOUBLE:
        *out = v.as.real;
        return MP_OK;
    default:
        return not_a("float", v);
    }
}

mp_status_t mp_value_as_str(mp_value_t v, const char **out)
{
    if (!out)
        return nowhere();
    if (v.kind != MP_KIND_STR)
        return not_a("str", v);
    *out = v.as.text ? v.as.text : "";
    return MP_OK;
}

/* The plain forms record no error: what they read may be absent on purpose. */

bool mp_value_bool(mp_value_t v)
{
    return v.kind == MP_KIND_BOOL ? v.as.truth : (v.kind == MP_KIND_INT || v.kind == MP_KIND_UINT) && v.as.natural != 0;
}

int64_t mp_value_int(mp_value_t v)
{
    return v.kind == MP_KIND_INT ? v.as.integer : v.kind == MP_KIND_BOOL && v.as.truth;
}

uint64_t mp_value_uint(mp_value_t v)
{
    if (v.kind == MP_KIND_UINT || (v.kind == MP_KIND_INT && v.as.integer >= 0))
        return v.as.natural;
    return v.kind == MP_KIND_BOOL && v.as.truth;
}

double mp_value_double(mp_value_t v)
{
    if (v.kind == MP_KIND_DOUBLE)
        return v.as.real;
    return v.kind == MP_KIND_UINT ? (double)v.as.natural : (double)mp_value_int(v);
}

const char *mp_value_str(mp_value_t v)
{
    return v.kind == MP_KIND_STR && v.as.text ? v.as.text : "";
}

const void *mp_value_bytes(mp_value_t v, size_t *size)
{
    bool is = v.kind == MP_KIND_BYTES;
    if (size)
        *size = is ? (size_t)v.end.size : 0;
    return is ? v.as.data : NULL;
}

mp_function_t mp_value_function(mp_value_t v)
{
    return v.kind == MP_KIND_FUNCTION ? v.as.function : NULL;
}

intptr_t mp_value_descriptor(mp_value_t v)
{
    return v.kind == MP_KIND_DESCRIPTOR ? v.as.descriptor : -1;
}

mp_value_t mp_value_item(mp_value_t v, size_t i)
{
    if (i >= mp_value_len(v))
        return MP_NONE;
    switch (v.kind) {
    case MP_KIND_LIST:
        return v.as.items[i];
    case MP_KIND_DICT:
        return v.as.items[2 * i + 1];
    case MP_KIND_RANGE:
        return mp__of_int((int64_t)(v.as.natural + i));
    default:
        return MP_NONE;
    }
}

mp_value_t mp_value_key(mp_value_t v, size_t i)
{
    return v.kind == MP_KIND_DICT && i < v.end.size ? v.as.items[2 * i] : MP_NONE;
}

mp_value_t mp__value_get(mp_value_t dict, mp_value_t key)
{
    size_t i = mp__dict_find(&dict, &key);
    return i == SIZE_MAX ? MP_NONE : dict.as.items[2 * i + 1];
}

bool mp__value_has(mp_value_t container, mp_value_t x)
{
    if (container.kind == MP_KIND_DICT)
        return mp__dict_find(&container, &x) != SIZE_MAX;
    for (size_t i = 0; i < mp_value_len(container); i++)
        if (mp__value_equal(mp_value_item(container, i), x))
            return true;
    return false;
}

/* The live object of that kind in a value. */
static void *object(const mp_value_t *v, mp_kind_t kind)
{
    return v->kind == (uint8_t)kind && mp__handle_is(v->as.object, kind) ? v->as.object : NULL;
}

mp_conn_t *mp_value_conn(mp_value_t v)
{
    return object(&v, MP_KIND_CONN);
}

mp_queue_t *mp_value_queue(mp_value_t v)
{
    return object(&v, MP_KIND_QUEUE);
}

mp_lock_t *mp_value_lock(mp_value_t v)
{
    return object(&v, MP_KIND_LOCK);
}

mp_rlock_t *mp_value_rlock(mp_value_t v)
{
    return object(&v, MP_KIND_RLOCK);
}

mp_semaphore_t *mp_value_semaphore(mp_value_t v)
{
    return object(&v, MP_KIND_SEMAPHORE);
}

mp_condition_t *mp_value_condition(mp_value_t v)
{
    return object(&v, MP_KIND_CONDITION);
}

mp_event_t *mp_value_event(mp_value_t v)
{
    return object(&v, MP_KIND_EVENT);
}

mp_barrier_t *mp_value_barrier(mp_value_t v)
{
    return object(&v, MP_KIND_BARRIER);
}

mp_shared_memory_t *mp_value_shared_memory(mp_value_t v)
{
    return object(&v, MP_KIND_SHARED_MEMORY);
}

mp_shared_value_t *mp_value_shared_value(mp_value_t v)
{
    return object(&v, MP_KIND_SHARED_VALUE);
}

mp_shared_array_t *mp_value_shared_array(mp_value_t v)
{
    return object(&v, MP_KIND_SHARED_ARRAY);
}

mp_shareable_list_t *mp_value_shareable_list(mp_value_t v)
{
    return object(&v, MP_KIND_SHAREABLE_LIST);
}

mp_manager_t *mp_value_manager(mp_value_t v)
{
    return object(&v, MP_KIND_MANAGER);
}

mp_dict_t *mp_value_dict_proxy(mp_value_t v)
{
    return object(&v, MP_KIND_DICT_PROXY);
}

mp_list_t *mp_value_list_proxy(mp_value_t v)
{
    return object(&v, MP_KIND_LIST_PROXY);
}
