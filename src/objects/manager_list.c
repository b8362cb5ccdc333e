/* A list's proxy: each operation is one question. */
#include "objects/manager.h"

/* What to ask: an argument (or NULL) and numbers. */
static mp__question_t ask(mp__operation_t operation, const mp_value_t *argument, int64_t a, int64_t b, int64_t c)
{
    return (mp__question_t){.operation = operation, .arguments = {argument}, .numbers = {a, b, c}};
}

static mp_status_t call(mp_list_t *list, mp__question_t question, mp_value_t *answer)
{
    return mp__proxy_call((const mp__proxy_t *)list, MP_KIND_LIST_PROXY, &question, answer);
}

static mp_status_t fetch(mp_list_t *list, mp__question_t question, mp_value_t *answer)
{
    return mp__proxy_value((const mp__proxy_t *)list, MP_KIND_LIST_PROXY, &question, answer);
}

static mp_status_t fetch_size(mp_list_t *list, mp__question_t question, size_t *answer)
{
    return mp__proxy_size((const mp__proxy_t *)list, MP_KIND_LIST_PROXY, &question, answer);
}

static mp_status_t check_items(const mp_value_t *items)
{
    mp_kind_t kind = mp_value_kind(*items);
    if (kind == MP_KIND_LIST || kind == MP_KIND_RANGE)
        return MP_OK;
    return mp__error(MP_TYPE, "use a list", "expected list, got %s", mp_kind_name(kind));
}

mp_status_t mp_list_get(mp_list_t *list, int64_t index, mp_value_t *value)
{
    return fetch(list, ask(MP__OP_LIST_GET, NULL, index, 0, 0), value);
}

mp_status_t mp__list_set(mp_list_t *list, int64_t index, mp_value_t value)
{
    return call(list, ask(MP__OP_LIST_SET, &value, index, 0, 0), NULL);
}

mp_status_t mp_list_del(mp_list_t *list, int64_t index)
{
    return call(list, ask(MP__OP_LIST_DEL, NULL, index, 0, 0), NULL);
}

mp_status_t mp__list_append(mp_list_t *list, mp_value_t value)
{
    return call(list, ask(MP__OP_LIST_APPEND, &value, 0, 0, 0), NULL);
}

mp_status_t mp__list_extend(mp_list_t *list, mp_value_t items)
{
    mp_status_t status = check_items(&items);
    return status == MP_OK ? call(list, ask(MP__OP_LIST_EXTEND, &items, 0, 0, 0), NULL) : status;
}

mp_status_t mp__list_insert(mp_list_t *list, int64_t index, mp_value_t value)
{
    return call(list, ask(MP__OP_LIST_INSERT, &value, index, 0, 0), NULL);
}

mp_status_t mp_list_pop(mp_list_t *list, int64_t index, mp_value_t *value)
{
    return fetch(list, ask(MP__OP_LIST_POP, NULL, index, 0, 0), value);
}

mp_status_t mp__list_remove(mp_list_t *list, mp_value_t value)
{
    return call(list, ask(MP__OP_LIST_REMOVE, &value, 0, 0, 0), NULL);
}

mp_status_t mp__list_index(mp_list_t *list, mp_value_t value, int64_t start, int64_t stop, size_t *index)
{
    return fetch_size(list, ask(MP__OP_LIST_INDEX, &value, start, stop, 0), index);
}

mp_status_t mp__list_count(mp_list_t *list, mp_value_t value, size_t *count)
{
    return fetch_size(list, ask(MP__OP_LIST_COUNT, &value, 0, 0, 0), count);
}

mp_status_t mp__list_contains(mp_list_t *list, mp_value_t value, bool *contains)
{
    mp__question_t question = ask(MP__OP_LIST_CONTAINS, &value, 0, 0, 0);
    return mp__proxy_bool((const mp__proxy_t *)list, MP_KIND_LIST_PROXY, &question, contains);
}

mp_status_t mp__list_add(mp_list_t *list, int64_t index, mp_value_t delta, mp_value_t *sum)
{
    return call(list, ask(MP__OP_LIST_ADD, &delta, index, 0, 0), sum);
}

mp_status_t mp_list_len(mp_list_t *list, size_t *len)
{
    return fetch_size(list, ask(MP__OP_LIST_LEN, NULL, 0, 0, 0), len);
}

mp_status_t mp_list_copy(mp_list_t *list, mp_value_t *copy)
{
    return fetch(list, ask(MP__OP_LIST_COPY, NULL, 0, 0, 0), copy);
}

mp_status_t mp_list_slice(mp_list_t *list, int64_t start, int64_t stop, int64_t step, mp_value_t *items)
{
    return fetch(list, ask(MP__OP_LIST_SLICE, NULL, start, stop, step), items);
}

mp_status_t mp__list_set_slice(mp_list_t *list, int64_t start, int64_t stop, int64_t step, mp_value_t items)
{
    mp_status_t status = check_items(&items);
    return status == MP_OK ? call(list, ask(MP__OP_LIST_SET_SLICE, &items, start, stop, step), NULL) : status;
}

mp_status_t mp_list_del_slice(mp_list_t *list, int64_t start, int64_t stop, int64_t step)
{
    return call(list, ask(MP__OP_LIST_DEL_SLICE, NULL, start, stop, step), NULL);
}

mp_status_t mp_list_reverse(mp_list_t *list)
{
    return call(list, ask(MP__OP_LIST_REVERSE, NULL, 0, 0, 0), NULL);
}

mp_status_t mp_list_sort(mp_list_t *list, bool descending)
{
    return call(list, ask(MP__OP_LIST_SORT, NULL, descending, 0, 0), NULL);
}

mp_status_t mp_list_clear(mp_list_t *list)
{
    return call(list, ask(MP__OP_LIST_CLEAR, NULL, 0, 0, 0), NULL);
}
