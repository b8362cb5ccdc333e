/* Results: how they are settled, waited for and read. */
#include "objects/pool_core.h"

#include "family/watch.h"
#include "objects/transfer.h"
#include "wire/codec.h"
#include "wire/reader.h"

#include <stdlib.h>
#include <string.h>

static void destroy(mp__handle_t *handle)
{
    mp_result_t *result = (mp_result_t *)handle;
    for (size_t i = 0; i < result->chunks; i++)
        free(result->parts[i].memory);
    free(result->data.memory);
    mp_value_free(&result->value);
    mp__handle_release(&result->pool->handle);
    mp__handle_bury(handle);
}

mp_result_t *mp__result_create(mp_pool_t *pool, bool map, size_t chunks, const mp_task_t *wishes)
{
    if (chunks > (SIZE_MAX - sizeof(mp_result_t)) / sizeof(mp__chunk_t))
        return NULL;
    mp_result_t *result = calloc(1, sizeof *result + chunks * sizeof result->parts[0]);
    if (!result)
        return NULL;
    mp__handle_init(&result->handle, MP_KIND_RESULT, &(mp__reference_t){0}, 0, destroy);
    mp__handle_keep(&pool->handle);
    result->pool = pool;
    result->wishes = *wishes;
    result->map = map;
    result->chunks = chunks;
    result->open = map ? chunks : 1;
    return result;
}

/* ---- settling; under the pool's mutex */

void mp__result_release(mp_result_t *result)
{
    mp__store32(&result->state, MP__RESULT_READY);
    mp__pool_rouse(result->word);
    mp__watch_ring(&result->watchers);
    mp__handle_release(&result->handle);
}

static void settle(mp_result_t *result)
{
    mp_pool_t *pool = result->pool;
    bool calls = result->wishes.callback || result->wishes.error_callback;
    if (!calls || pool->state == MP__POOL_TERMINATED) {
        mp__result_release(result);
        return;
    }
    mp__store32(&result->state, MP__RESULT_SETTLED);
    *pool->last_call = result;
    pool->last_call = &result->next_call;
}

/* The values of a chunk without the head of their list; *part then begins there. */
static mp_status_t open_chunk(mp__chunk_t *part, size_t count)
{
    mp__reader_t reader = {.data = part->data, .size = part->size};
    mp_status_t status = mp__reader_next(&reader);
    if (status != MP_OK)
        return status;
    size_t begin = reader.at;
    bool fits = reader.token.type == MP__TOKEN_LIST && reader.token.number == count;
    for (size_t i = 0; i < count && fits && status == MP_OK; i++)
        status = mp__reader_skip(&reader);
    if (status != MP_OK)
        return status;
    if (!fits || reader.at != reader.size)
        return mp__error(MP_MALFORMED, MP__DECODE_STEP, "a chunk of %llu values has another number of them",
                         (unsigned long long)count);
    part->data += begin;
    part->size -= begin;
    return MP_OK;
}

/* All chunks behind each other, as one list. */
static mp_status_t join_chunks(mp_result_t *result)
{
    mp__buffer_t head;
    mp__buffer_init(&head);
    mp_status_t status = mp__encode_head(MP_KIND_LIST, result->items, &head);
    size_t size = head.size;
    for (size_t i = 0; i < result->chunks; i++)
        size += result->parts[i].size;
    uint8_t *all = status == MP_OK ? malloc(size) : NULL;
    if (!all)
        return mp__error(MP_NO_MEMORY, "collect the results of a map", "no memory for %llu bytes",
                         (unsigned long long)size);
    memcpy(all, head.data, head.size);
    size_t at = head.size;
    for (size_t i = 0; i < result->chunks; i++) {
        const mp__chunk_t *part = &result->parts[i];
        if (part->size)
            memcpy(all + at, part->data, part->size);
        at += part->size;
    }
    result->data = (mp__chunk_t){all, all, size};
    return MP_OK;
}

static void free_parts(mp_result_t *result)
{
    for (size_t i = 0; i < result->chunks; i++) {
        free(result->parts[i].memory);
        result->parts[i] = (mp__chunk_t){0};
    }
}

/* One task less. */
static void close_task(mp__task_t *task)
{
    mp_result_t *result = task->result;
    free(task);
    if (--result->open > 0)
        return;
    if (result->map && result->error.status == MP_OK && join_chunks(result) != MP_OK)
        result->error = *mp_error();
    free_parts(result);
    settle(result);
}

void mp__task_fail(mp__task_t *task, const mp_error_t *error)
{
    if (task->result->error.status == MP_OK)
        task->result->error = *error;
    close_task(task);
}

void mp__task_succeed(mp__task_t *task, const mp__chunk_t *data)
{
    mp_result_t *result = task->result;
    if (!result->map) {
        result->data = *data;
        close_task(task);
        return;
    }
    size_t first = task->chunk * result->per_chunk, left = result->items - first;
    mp__chunk_t *part = &result->parts[task->chunk];
    *part = *data;
    if (open_chunk(part, left < result->per_chunk ? left : result->per_chunk) == MP_OK)
        close_task(task);
    else
        mp__task_fail(task, mp_error());
}

void mp__result_empty(mp_result_t *result)
{
    if (join_chunks(result) != MP_OK)
        result->error = *mp_error();
    settle(result);
}

/* ---- reading */

#define STEP_STATUS "ask a result's status"

/* Is it one, and of a pool of this process? A fork's child has the memory, but nobody who settles it, and whoever was
 * at it there holds the pool's mutex here for ever. */
static mp_status_t check(const mp_result_t *result, const char *step)
{
    if (!result || !mp__handle_is(&result->handle, MP_KIND_RESULT))
        return mp__handle_refuse((const mp__handle_t *)result, MP_KIND_RESULT, step, "result");
    if (!mp__pool_is_mine(result->pool))
        return mp__error(MP_INVALID, step, "this is another process's result");
    return MP_OK;
}

/* May the calling thread look? The pool's own may before all others. */
static uint32_t wanted_state(const mp_result_t *result)
{
    return mp__pool_own() == result->pool ? MP__RESULT_SETTLED : MP__RESULT_READY;
}

static bool is_settled(const mp_result_t *result)
{
    return mp__load32(&result->state) >= wanted_state(result);
}

static mp_status_t raise_error(const mp_error_t *error)
{
    return mp__error_code(error->status, error->step, error->code, error->text);
}

/* Makes the value that is lent, once. Two threads may decode at the same time; one of the values stays. */
static void decode(const mp_result_t *settled)
{
    mp_result_t *result = (mp_result_t *)settled;
    mp_pool_t *pool = result->pool;
    mp__pool_lock(pool);
    bool decoded = result->decoded || result->error.status != MP_OK;
    mp__pool_unlock(pool);
    if (decoded)
        return;
    mp_value_t value;
    mp_status_t status = mp__decode(result->data.data, result->data.size, &mp__shared_receiver, &value);
    mp__pool_lock(pool);
    if (!result->decoded && status == MP_OK) {
        result->value = value;
        value = MP_NONE;
    }
    if (!result->decoded && status != MP_OK)
        result->undecodable = *mp_error();
    result->decoded = true;
    mp__pool_unlock(pool);
    mp_value_free(&value);
}

const mp_error_t *mp_result_error(const mp_result_t *result)
{
    static const mp_error_t none;
    static const mp_error_t foreign = {
        .status = MP_INVALID, .step = STEP_STATUS, .text = "this is no result of this process"};
    if (result && check(result, STEP_STATUS) != MP_OK)
        return &foreign;
    if (!result || !is_settled(result))
        return &none;
    decode(result);
    return result->error.status != MP_OK ? &result->error : &result->undecodable;
}

mp_status_t mp_result_status(const mp_result_t *result)
{
    mp_status_t status = check(result, STEP_STATUS);
    if (status != MP_OK)
        return status;
    return is_settled(result) ? mp_result_error(result)->status : MP_RUNNING;
}

mp_value_t mp_result_value(const mp_result_t *result)
{
    if (check(result, "ask for a result's value") != MP_OK || !is_settled(result))
        return MP_NONE;
    decode(result);
    return result->value;
}

bool mp_result_ready(const mp_result_t *result)
{
    return check(result, "ask for a result") == MP_OK && is_settled(result);
}

mp_status_t mp__result_use(const mp_result_t *result, const char *step)
{
    mp_status_t status = check(result, step);
    if (status != MP_OK)
        return status;
    if (mp__pool_own() == result->pool && !is_settled(result))
        return mp__error(MP_DEADLOCK, step, "in a callback of its pool it is never settled");
    return MP_OK;
}

mp_status_t mp_result_wait(const mp_result_t *result, double timeout)
{
    const char *step = "wait for a result";
    mp__deadline_t deadline;
    mp_status_t status = check(result, step);
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    if (status != MP_OK || is_settled(result))
        return status;
    status = mp__result_use(result, step);
    if (status != MP_OK)
        return status;
    status = mp__pool_await(result->pool, result->word, &result->state, MP__RESULT_READY, deadline);
    return status == MP_TIMEOUT ? mp__error(MP_TIMEOUT, step, "it is not settled yet") : status;
}

mp_status_t mp_result_get(const mp_result_t *result, mp_value_t *value, double timeout)
{
    if (value)
        *value = MP_NONE;
    mp_status_t status = mp_result_wait(result, timeout);
    if (status != MP_OK)
        return status;
    if (result->error.status != MP_OK)
        return raise_error(&result->error);
    return value ? mp__decode(result->data.data, result->data.size, &mp__shared_receiver, value) : MP_OK;
}

void mp_result_free(mp_result_t *result)
{
    mp__handle_release((mp__handle_t *)result);
}

/* ---- calling back */

void mp__result_call(mp_result_t *result)
{
    mp_pool_t *pool = result->pool;
    const mp_task_t *wishes = &result->wishes;
    mp_result_callback_t call = mp_result_status(result) == MP_OK ? wishes->callback : wishes->error_callback;
    if (call) {
        mp__local_park();
        call(result, wishes->context);
        mp__local_unpark();
    }
    mp__pool_lock(pool);
    mp__result_release(result);
    mp__pool_unlock(pool);
}
