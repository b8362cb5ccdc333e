/* What the server does with a dict. */
#include "objects/manager_server.h"

#include "wire/codec.h"
#include "wire/repr.h"

static mp__table_t *table_of(mp__job_t *job)
{
    return &job->stored->as.table;
}

/* The error of a key that is not there: its text is the key. */
static mp_status_t no_key(mp__bytes_t bytes)
{
    mp_value_t key;
    mp__buffer_t text;
    mp__buffer_init(&text);
    mp_status_t status = mp__bytes_key(bytes, &key);
    if (status == MP_OK)
        status = mp__repr(&key, &text);
    if (status == MP_OK)
        status =
            mp__error(MP_KEY, "use a dict", "%.*s", (int)(text.size < 200 ? text.size : 200), (const char *)text.data);
    mp__buffer_fini(&text);
    return status;
}

/* The place of the first argument. MP_KEY. */
static mp_status_t find(mp__job_t *job, size_t *place)
{
    mp_status_t status = mp__table_find(table_of(job), job->arguments[0], place);
    return status == MP_OK && *place == SIZE_MAX ? no_key(job->arguments[0]) : status;
}

static mp_status_t answer_value(mp__job_t *job, size_t place)
{
    return mp__append_bytes(job->out, place == SIZE_MAX ? job->arguments[1] : mp__table_value(table_of(job), place));
}

static mp_status_t set(mp__job_t *job)
{
    return mp__table_put(table_of(job), job->arguments[0], job->arguments[1]);
}

static mp_status_t get(mp__job_t *job)
{
    size_t place;
    mp_status_t status = find(job, &place);
    return status == MP_OK ? answer_value(job, place) : status;
}

static mp_status_t get_or(mp__job_t *job)
{
    size_t place;
    mp_status_t status = mp__table_find(table_of(job), job->arguments[0], &place);
    return status == MP_OK ? answer_value(job, place) : status;
}

static mp_status_t setdefault(mp__job_t *job)
{
    size_t place;
    mp_status_t status = mp__table_find(table_of(job), job->arguments[0], &place);
    if (status == MP_OK)
        status = answer_value(job, place);
    return status == MP_OK && place == SIZE_MAX ? set(job) : status;
}

static mp_status_t del(mp__job_t *job)
{
    size_t place;
    mp_status_t status = find(job, &place);
    if (status == MP_OK)
        mp__table_remove(table_of(job), place);
    return status;
}

static mp_status_t pop(mp__job_t *job)
{
    size_t place;
    mp_status_t status = find(job, &place);
    if (status == MP_OK)
        status = answer_value(job, place);
    if (status == MP_OK)
        mp__table_remove(table_of(job), place);
    return status;
}

static mp_status_t pop_or(mp__job_t *job)
{
    size_t place;
    mp_status_t status = mp__table_find(table_of(job), job->arguments[0], &place);
    if (status == MP_OK)
        status = answer_value(job, place);
    if (status == MP_OK && place != SIZE_MAX)
        mp__table_remove(table_of(job), place);
    return status;
}

static mp_status_t contains(mp__job_t *job)
{
    size_t place;
    mp_status_t status = mp__table_find(table_of(job), job->arguments[0], &place);
    return status == MP_OK ? mp__answer_bool(job, place != SIZE_MAX) : status;
}

static mp_status_t update(mp__job_t *job)
{
    mp__items_t items;
    if (!mp__items_begin(&items, job->arguments[0], MP_KIND_DICT))
        return mp__error(MP_TYPE, "use a dict", "what it is updated with is no dict");
    mp_status_t status = MP_OK;
    for (size_t i = 0; i < items.count && status == MP_OK; i++) {
        mp__bytes_t key = mp__items_next(&items);
        status = mp__table_put(table_of(job), key, mp__items_next(&items));
    }
    return status;
}

static mp_status_t add(mp__job_t *job)
{
    static const uint8_t zero[] = {0}; /* as it is encoded */
    size_t place, before = job->out->size;
    mp_status_t status = mp__table_find(table_of(job), job->arguments[0], &place);
    if (status != MP_OK)
        return status;
    mp__bytes_t old = place == SIZE_MAX ? (mp__bytes_t){zero, sizeof zero} : mp__table_value(table_of(job), place);
    status = mp__bytes_add(old, job->arguments[1], job->out);
    mp__bytes_t sum = {job->out->data + before, job->out->size - before};
    return status == MP_OK ? mp__table_put(table_of(job), job->arguments[0], sum) : status;
}

static mp_status_t len(mp__job_t *job)
{
    return mp__answer_size(job, table_of(job)->live);
}

/* What of each entry is answered. */
enum { KEY = 1, VALUE = 2 };

static mp_status_t answer_entry(mp__job_t *job, size_t place, int what)
{
    mp_status_t status = MP_OK;
    if (what & KEY)
        status = mp__append_bytes(job->out, mp__table_key(table_of(job), place));
    if ((what & VALUE) && status == MP_OK)
        status = mp__append_bytes(job->out, mp__table_value(table_of(job), place));
    return status;
}

/* All entries as a list or dict; paired: each as a list of two. */
static mp_status_t answer_all(mp__job_t *job, mp_kind_t kind, int what, bool paired)
{
    const mp__table_t *table = table_of(job);
    mp_status_t status = mp__encode_head(kind, table->live, job->out);
    size_t place = mp__table_next(table, 0);
    for (; place != SIZE_MAX && status == MP_OK; place = mp__table_next(table, place + 1)) {
        if (paired)
            status = mp__encode_head(MP_KIND_LIST, 2, job->out);
        if (status == MP_OK)
            status = answer_entry(job, place, what);
    }
    return status;
}

static mp_status_t keys(mp__job_t *job)
{
    return answer_all(job, MP_KIND_LIST, KEY, false);
}

static mp_status_t values(mp__job_t *job)
{
    return answer_all(job, MP_KIND_LIST, VALUE, false);
}

static mp_status_t items(mp__job_t *job)
{
    return answer_all(job, MP_KIND_LIST, KEY | VALUE, true);
}

static mp_status_t copy(mp__job_t *job)
{
    return answer_all(job, MP_KIND_DICT, KEY | VALUE, false);
}

static mp_status_t popitem(mp__job_t *job)
{
    mp__table_t *table = table_of(job);
    if (table->live == 0)
        return mp__error(MP_KEY, "use a dict", "popitem(): dictionary is empty");
    size_t last = table->used - 1;
    mp_status_t status = mp__encode_head(MP_KIND_LIST, 2, job->out);
    if (status == MP_OK)
        status = answer_entry(job, last, KEY | VALUE);
    if (status == MP_OK)
        mp__table_remove(table, last);
    return status;
}

static mp_status_t clear(mp__job_t *job)
{
    mp__table_clear(table_of(job));
    return MP_OK;
}

const mp__server_operation_t mp__dict_operations[] = {
    [MP__OP_DICT_SET - MP__OP_DICT_SET] = {set, 2},
    [MP__OP_DICT_GET - MP__OP_DICT_SET] = {get, 1},
    [MP__OP_DICT_GET_OR - MP__OP_DICT_SET] = {get_or, 2},
    [MP__OP_DICT_SETDEFAULT - MP__OP_DICT_SET] = {setdefault, 2},
    [MP__OP_DICT_DEL - MP__OP_DICT_SET] = {del, 1},
    [MP__OP_DICT_POP - MP__OP_DICT_SET] = {pop, 1},
    [MP__OP_DICT_POP_OR - MP__OP_DICT_SET] = {pop_or, 2},
    [MP__OP_DICT_POPITEM - MP__OP_DICT_SET] = {popitem, 0},
    [MP__OP_DICT_CONTAINS - MP__OP_DICT_SET] = {contains, 1},
    [MP__OP_DICT_UPDATE - MP__OP_DICT_SET] = {update, 1},
    [MP__OP_DICT_ADD - MP__OP_DICT_SET] = {add, 2},
    [MP__OP_DICT_LEN - MP__OP_DICT_SET] = {len, 0},
    [MP__OP_DICT_KEYS - MP__OP_DICT_SET] = {keys, 0},
    [MP__OP_DICT_VALUES - MP__OP_DICT_SET] = {values, 0},
    [MP__OP_DICT_ITEMS - MP__OP_DICT_SET] = {items, 0},
    [MP__OP_DICT_COPY - MP__OP_DICT_SET] = {copy, 0},
    [MP__OP_DICT_CLEAR - MP__OP_DICT_SET] = {clear, 0},
};
