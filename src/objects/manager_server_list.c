/* What the server does with a list. */
#include "objects/manager_server.h"

#include "wire/codec.h"

static mp__row_t *row_of(mp__job_t *job)
{
    return &job->stored->as.row;
}

static mp__bytes_t item_at(mp__job_t *job, size_t place)
{
    return mp__blob_bytes(&row_of(job)->items[place]);
}

/* The place that the first number names. MP_INDEX. */
static mp_status_t find(mp__job_t *job, size_t *place)
{
    return mp__row_place(row_of(job), job->numbers[0], place);
}

static mp_status_t get(mp__job_t *job)
{
    size_t place;
    mp_status_t status = find(job, &place);
    return status == MP_OK ? mp__append_bytes(job->out, item_at(job, place)) : status;
}

static mp_status_t set(mp__job_t *job)
{
    size_t place;
    mp_status_t status = find(job, &place);
    return status == MP_OK ? mp__row_replace(row_of(job), place, job->arguments[0]) : status;
}

static mp_status_t del(mp__job_t *job)
{
    size_t place;
    mp_status_t status = find(job, &place);
    if (status == MP_OK)
        mp__row_remove(row_of(job), place);
    return status;
}

static mp_status_t append(mp__job_t *job)
{
    return mp__row_insert(row_of(job), row_of(job)->count, job->arguments[0]);
}

static mp_status_t extend(mp__job_t *job)
{
    return mp__row_splice(row_of(job), row_of(job)->count, 0, job->arguments[0]);
}

/* The empty slice that begins at the first number is where Python inserts. */
static mp_status_t insert(mp__job_t *job)
{
    mp__slice_t slice;
    mp_status_t status = mp__row_slice(row_of(job), job->numbers[0], INT64_MAX, 1, &slice);
    return status == MP_OK ? mp__row_insert(row_of(job), (size_t)slice.first, job->arguments[0]) : status;
}

static mp_status_t pop(mp__job_t *job)
{
    size_t place;
    mp_status_t status = find(job, &place);
    if (status == MP_OK)
        status = mp__append_bytes(job->out, item_at(job, place));
    if (status == MP_OK)
        mp__row_remove(row_of(job), place);
    return status;
}

/* The first item of a slice that equals the argument; SIZE_MAX: none. */
static size_t search(mp__job_t *job, const mp__slice_t *slice)
{
    mp__wanted_t wanted;
    mp__wanted_init(&wanted, job->arguments[0]);
    size_t first = (size_t)slice->first, place = mp__row_search(row_of(job), &wanted, first, first + slice->count);
    mp__wanted_fini(&wanted);
    return place;
}

static mp__slice_t whole(mp__job_t *job)
{
    return (mp__slice_t){0, 1, row_of(job)->count};
}

static mp_status_t not_in(void)
{
    return mp__error(MP_VALUE, "use a list", "the value is not in the list");
}

static mp_status_t remove_value(mp__job_t *job)
{
    const mp__slice_t slice = whole(job);
    size_t place = search(job, &slice);
    if (place == SIZE_MAX)
        return not_in();
    mp__row_remove(row_of(job), place);
    return MP_OK;
}

static mp_status_t find_index(mp__job_t *job)
{
    mp__slice_t slice;
    mp_status_t status = mp__row_slice(row_of(job), job->numbers[0], job->numbers[1], 1, &slice);
    size_t place = status == MP_OK ? search(job, &slice) : SIZE_MAX;
    return place == SIZE_MAX ? not_in() : mp__answer_size(job, place);
}

static mp_status_t contains(mp__job_t *job)
{
    const mp__slice_t slice = whole(job);
    return mp__answer_bool(job, search(job, &slice) != SIZE_MAX);
}

static mp_status_t count(mp__job_t *job)
{
    size_t n = 0, place = 0;
    mp__wanted_t wanted;
    mp__wanted_init(&wanted, job->arguments[0]);
    while ((place = mp__row_search(row_of(job), &wanted, place, SIZE_MAX)) != SIZE_MAX) {
        n++;
        place++;
    }
    mp__wanted_fini(&wanted);
    return mp__answer_size(job, n);
}

static mp_status_t add(mp__job_t *job)
{
    size_t place, before = job->out->size;
    mp_status_t status = find(job, &place);
    if (status == MP_OK)
        status = mp__bytes_add(item_at(job, place), job->arguments[0], job->out);
    mp__bytes_t sum = {job->out->data + before, job->out->size - before};
    return status == MP_OK ? mp__row_replace(row_of(job), place, sum) : status;
}

static mp_status_t len(mp__job_t *job)
{
    return mp__answer_size(job, row_of(job)->count);
}

static mp_status_t answer_slice(mp__job_t *job, const mp__slice_t *slice)
{
    mp_status_t status = mp__encode_head(MP_KIND_LIST, slice->count, job->out);
    for (size_t i = 0; i < slice->count && status == MP_OK; i++)
        status = mp__append_bytes(job->out, item_at(job, (size_t)(slice->first + slice->step * (int64_t)i)));
    return status;
}

static mp_status_t copy(mp__job_t *job)
{
    const mp__slice_t slice = whole(job);
    return answer_slice(job, &slice);
}

/* The slice that the numbers name. */
static mp_status_t resolve(mp__job_t *job, mp__slice_t *slice)
{
    return mp__row_slice(row_of(job), job->numbers[0], job->numbers[1], job->numbers[2], slice);
}

static mp_status_t get_slice(mp__job_t *job)
{
    mp__slice_t slice;
    mp_status_t status = resolve(job, &slice);
    return status == MP_OK ? answer_slice(job, &slice) : status;
}

static mp_status_t set_slice(mp__job_t *job)
{
    mp__slice_t slice;
    mp_status_t status = resolve(job, &slice);
    if (status != MP_OK)
        return status;
    return slice.step == 1 ? mp__row_splice(row_of(job), (size_t)slice.first, slice.count, job->arguments[0])
                           : mp__row_replace_slice(row_of(job), &slice, job->arguments[0]);
}

static mp_status_t del_slice(mp__job_t *job)
{
    mp__slice_t slice;
    mp_status_t status = resolve(job, &slice);
    if (status == MP_OK)
        mp__row_remove_slice(row_of(job), &slice);
    return status;
}

static mp_status_t reverse(mp__job_t *job)
{
    mp__row_reverse(row_of(job));
    return MP_OK;
}

static mp_status_t sort(mp__job_t *job)
{
    return mp__row_sort(row_of(job), job->numbers[0] != 0);
}

static mp_status_t clear(mp__job_t *job)
{
    mp__row_clear(row_of(job));
    return MP_OK;
}

const mp__server_operation_t mp__list_operations[] = {
    [MP__OP_LIST_GET - MP__OP_LIST_GET] = {get, 0},
    [MP__OP_LIST_SET - MP__OP_LIST_GET] = {set, 1},
    [MP__OP_LIST_DEL - MP__OP_LIST_GET] = {del, 0},
    [MP__OP_LIST_APPEND - MP__OP_LIST_GET] = {append, 1},
    [MP__OP_LIST_EXTEND - MP__OP_LIST_GET] = {extend, 1},
    [MP__OP_LIST_INSERT - MP__OP_LIST_GET] = {insert, 1},
    [MP__OP_LIST_POP - MP__OP_LIST_GET] = {pop, 0},
    [MP__OP_LIST_REMOVE - MP__OP_LIST_GET] = {remove_value, 1},
    [MP__OP_LIST_INDEX - MP__OP_LIST_GET] = {find_index, 1},
    [MP__OP_LIST_COUNT - MP__OP_LIST_GET] = {count, 1},
    [MP__OP_LIST_CONTAINS - MP__OP_LIST_GET] = {contains, 1},
    [MP__OP_LIST_ADD - MP__OP_LIST_GET] = {add, 1},
    [MP__OP_LIST_LEN - MP__OP_LIST_GET] = {len, 0},
    [MP__OP_LIST_COPY - MP__OP_LIST_GET] = {copy, 0},
    [MP__OP_LIST_SLICE - MP__OP_LIST_GET] = {get_slice, 0},
    [MP__OP_LIST_SET_SLICE - MP__OP_LIST_GET] = {set_slice, 1},
    [MP__OP_LIST_DEL_SLICE - MP__OP_LIST_GET] = {del_slice, 0},
    [MP__OP_LIST_REVERSE - MP__OP_LIST_GET] = {reverse, 0},
    [MP__OP_LIST_SORT - MP__OP_LIST_GET] = {sort, 0},
    [MP__OP_LIST_CLEAR - MP__OP_LIST_GET] = {clear, 0},
};
