/* A dict's proxy: each operation is one question. */
#include "objects/manager.h"

#include "wire/values.h"

/* What to ask, with up to two arguments. */
static mp__question_t ask(mp__operation_t operation, const mp_value_t *first, const mp_value_t *second)
{
    return (mp__question_t){.operation = operation, .arguments = {first, second}};
}

/* The server refuses it too; here it says so before anything is sent. */
static mp_status_t check_key(const mp_value_t *key, mp_value_t *answer)
{
    if (answer)
        *answer = MP_NONE;
    if (mp__kind_is_key(mp_value_kind(*key)))
        return MP_OK;
    return mp__error(MP_TYPE, "use a dict", "unhashable type: '%s'", mp_kind_name(mp_value_kind(*key)));
}

static mp_status_t call(mp_dict_t *dict, mp__question_t question, mp_value_t *answer)
{
    return mp__proxy_call((const mp__proxy_t *)dict, MP_KIND_DICT_PROXY, &question, answer);
}

static mp_status_t fetch(mp_dict_t *dict, mp__question_t question, mp_value_t *answer)
{
    return mp__proxy_value((const mp__proxy_t *)dict, MP_KIND_DICT_PROXY, &question, answer);
}

mp_status_t mp__dict_set(mp_dict_t *dict, mp_value_t key, mp_value_t value)
{
    mp_status_t status = check_key(&key, NULL);
    return status == MP_OK ? call(dict, ask(MP__OP_DICT_SET, &key, &value), NULL) : status;
}

mp_status_t mp__dict_get(mp_dict_t *dict, mp_value_t key, mp_value_t *value)
{
    mp_status_t status = check_key(&key, value);
    return status == MP_OK ? fetch(dict, ask(MP__OP_DICT_GET, &key, NULL), value) : status;
}

mp_status_t mp__dict_get_or(mp_dict_t *dict, mp_value_t key, mp_value_t otherwise, mp_value_t *value)
{
    mp_status_t status = check_key(&key, value);
    return status == MP_OK ? fetch(dict, ask(MP__OP_DICT_GET_OR, &key, &otherwise), value) : status;
}

mp_status_t mp__dict_setdefault(mp_dict_t *dict, mp_value_t key, mp_value_t otherwise, mp_value_t *value)
{
    mp_status_t status = check_key(&key, value);
    return status == MP_OK ? call(dict, ask(MP__OP_DICT_SETDEFAULT, &key, &otherwise), value) : status;
}

mp_status_t mp__dict_del(mp_dict_t *dict, mp_value_t key)
{
    mp_status_t status = check_key(&key, NULL);
    return status == MP_OK ? call(dict, ask(MP__OP_DICT_DEL, &key, NULL), NULL) : status;
}

mp_status_t mp__dict_pop(mp_dict_t *dict, mp_value_t key, mp_value_t *value)
{
    mp_status_t status = check_key(&key, value);
    return status == MP_OK ? fetch(dict, ask(MP__OP_DICT_POP, &key, NULL), value) : status;
}

mp_status_t mp__dict_pop_or(mp_dict_t *dict, mp_value_t key, mp_value_t otherwise, mp_value_t *value)
{
    mp_status_t status = check_key(&key, value);
    return status == MP_OK ? fetch(dict, ask(MP__OP_DICT_POP_OR, &key, &otherwise), value) : status;
}

mp_status_t mp_dict_popitem(mp_dict_t *dict, mp_value_t *key, mp_value_t *value)
{
    mp_value_t pair;
    if (!key || !value)
        return mp__error(MP_INVALID, "use a dict", "no place for the answer");
    *key = *value = MP_NONE;
    mp_status_t status = call(dict, ask(MP__OP_DICT_POPITEM, NULL, NULL), &pair);
    if (status == MP_OK)
        status = mp_copy(key, mp_value_item(pair, 0));
    if (status == MP_OK)
        status = mp_copy(value, mp_value_item(pair, 1));
    mp_value_free(&pair);
    return status;
}

mp_status_t mp__dict_contains(mp_dict_t *dict, mp_value_t key, bool *contains)
{
    mp_status_t status = check_key(&key, NULL);
    mp__question_t question = ask(MP__OP_DICT_CONTAINS, &key, NULL);
    return status == MP_OK ? mp__proxy_bool((const mp__proxy_t *)dict, MP_KIND_DICT_PROXY, &question, contains)
                           : status;
}

mp_status_t mp__dict_update(mp_dict_t *dict, mp_value_t pairs)
{
    if (mp_value_kind(pairs) != MP_KIND_DICT)
        return mp__error(MP_TYPE, "use a dict", "expected dict, got %s", mp_kind_name(mp_value_kind(pairs)));
    return call(dict, ask(MP__OP_DICT_UPDATE, &pairs, NULL), NULL);
}

mp_status_t mp__dict_add(mp_dict_t *dict, mp_value_t key, mp_value_t delta, mp_value_t *sum)
{
    mp_status_t status = check_key(&key, NULL);
    return status == MP_OK ? call(dict, ask(MP__OP_DICT_ADD, &key, &delta), sum) : status;
}

mp_status_t mp_dict_len(mp_dict_t *dict, size_t *len)
{
    mp__question_t question = ask(MP__OP_DICT_LEN, NULL, NULL);
    return mp__proxy_size((const mp__proxy_t *)dict, MP_KIND_DICT_PROXY, &question, len);
}

mp_status_t mp_dict_keys(mp_dict_t *dict, mp_value_t *keys)
{
    return fetch(dict, ask(MP__OP_DICT_KEYS, NULL, NULL), keys);
}

mp_status_t mp_dict_values(mp_dict_t *dict, mp_value_t *values)
{
    return fetch(dict, ask(MP__OP_DICT_VALUES, NULL, NULL), values);
}

mp_status_t mp_dict_items(mp_dict_t *dict, mp_value_t *items)
{
    return fetch(dict, ask(MP__OP_DICT_ITEMS, NULL, NULL), items);
}

mp_status_t mp_dict_copy(mp_dict_t *dict, mp_value_t *copy)
{
    return fetch(dict, ask(MP__OP_DICT_COPY, NULL, NULL), copy);
}

mp_status_t mp_dict_clear(mp_dict_t *dict)
{
    return call(dict, ask(MP__OP_DICT_CLEAR, NULL, NULL), NULL);
}
