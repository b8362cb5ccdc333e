/* From calls and lists to tasks, and how those come to the workers. */
#include "objects/pool_core.h"

#include "wire/call.h"

#include <stdlib.h>
#include <string.h>

#define STEP "give a task to a pool"

/* How long a task that does not fit into the family's memory is tried again. */
#define STARVE (5 * MP__SECOND)

/* ---- the waiting tasks; under the mutex */

static void append(mp_pool_t *pool, mp__task_t *task)
{
    task->next = NULL;
    *pool->last = task;
    pool->last = &task->next;
}

void mp__task_return(mp_pool_t *pool, mp__task_t *task)
{
    task->next = pool->first;
    if (!pool->first)
        pool->last = &task->next;
    pool->first = task;
}

static mp__task_t *take_first(mp_pool_t *pool)
{
    mp__task_t *task = pool->first;
    pool->first = task->next;
    if (!pool->first)
        pool->last = &pool->first;
    return task;
}

/* What becomes of the first task if it did not get into a worker's queue: for a while it stays the first. */
static bool give_up(mp_pool_t *pool, mp_status_t status)
{
    int64_t now = mp__os_now();
    if (status != MP_NO_MEMORY && status != MP_TIMEOUT)
        return true;
    if (!pool->starving)
        pool->starving = now;
    return pool->first->size >= mp__family.head->cap || now - pool->starving > STARVE;
}

void mp__pool_dispatch(mp_pool_t *pool)
{
    while (pool->first && pool->idle) {
        mp__worker_t *worker = pool->idle;
        mp__task_t *task = pool->first;
        mp__task_head_t head = {.id = ++pool->last_id};
        memcpy(task->message, &head.id, sizeof head.id);
        mp_status_t status = mp__queue_put_item(worker->tasks, MP__ITEM_BYTES, task->message, task->size, 0);
        if (status != MP_OK && !give_up(pool, status))
            return;
        pool->starving = 0;
        (void)take_first(pool);
        if (status != MP_OK) {
            mp__task_fail(task, mp_error());
            continue;
        }
        pool->idle = worker->next_idle;
        pool->busy++;
        worker->task = task;
        worker->state = MP__WORKER_BUSY;
    }
}

static void fail_waiting(mp_pool_t *pool, const mp_error_t *error)
{
    while (pool->first)
        mp__task_fail(take_first(pool), error);
    pool->starving = 0;
}

void mp__pool_break(mp_pool_t *pool, const mp_error_t *error)
{
    if (pool->broken.status == MP_OK)
        pool->broken = *error;
    fail_waiting(pool, error);
}

void mp__pool_abandon(mp_pool_t *pool, const mp_error_t *error)
{
    fail_waiting(pool, error);
    for (uint32_t i = 0; i < pool->size; i++) {
        mp__worker_t *worker = &pool->workers[i];
        if (worker->task)
            mp__task_fail(worker->task, error);
        worker->task = NULL;
    }
}

/* ---- bringing tasks */

/* The tasks of one result, before the pool has them. */
typedef struct batch {
    mp__task_t *first;
    mp__task_t **last;
    mp_result_t *result;
} batch_t;

static mp_status_t no_memory(void)
{
    return mp__error(MP_NO_MEMORY, STEP, "no memory for it");
}

/* Adds a call to the batch. */
static mp_status_t add_task(batch_t *batch, mp__task_kind_t kind, size_t chunk, mp_function_t function, mp_args_t args)
{
    mp__task_head_t head = {.kind = (uint32_t)kind};
    mp__buffer_t message;
    mp__buffer_init(&message);
    mp_status_t status = mp__buffer_append(&message, &head, sizeof head);
    if (status == MP_OK)
        status = mp__call_encode(function, args, NULL, &message);
    mp__task_t *task = status == MP_OK ? malloc(sizeof *task + message.size) : NULL;
    if (task) {
        *task = (mp__task_t){.result = batch->result, .chunk = chunk, .size = message.size};
        memcpy(task->message, message.data, message.size);
        *batch->last = task;
        batch->last = &task->next;
    } else if (status == MP_OK) {
        status = no_memory();
    }
    mp__buffer_fini(&message);
    return status;
}

/* Nothing came of it. */
static void drop_batch(batch_t *batch)
{
    while (batch->first) {
        mp__task_t *task = batch->first;
        batch->first = task->next;
        free(task);
    }
    if (batch->result)
        mp_result_free(batch->result);
}

/* Does the pool take tasks? Under the mutex. */
static mp_status_t admit(const mp_pool_t *pool)
{
    const mp_error_t *broken = &pool->broken;
    if (pool->state != MP__POOL_OPEN)
        return mp__error(MP_STATE, STEP, pool->state == MP__POOL_CLOSED ? "it was closed" : "it was terminated");
    return broken->status == MP_OK ? MP_OK : mp__error_code(broken->status, broken->step, broken->code, broken->text);
}

/* Appends the batch to the waiting tasks. Under the mutex. */
static void take_batch(mp_pool_t *pool, batch_t *batch)
{
    mp_result_t *result = batch->result;
    result->word = &pool->words[1 + pool->last_id % (MP__POOL_WORDS - 1)];
    if (result->wishes.result) {
        mp__handle_keep(&result->handle);
        *result->wishes.result = result;
    }
    if (!batch->first)
        mp__result_empty(result);
    while (batch->first) {
        mp__task_t *task = batch->first;
        batch->first = task->next;
        append(pool, task);
    }
    batch->result = NULL;
}

/* Hands the batch to the pool, all or nothing. */
static mp_status_t submit(mp_pool_t *pool, batch_t *batch)
{
    mp__pool_lock(pool);
    mp_result_t **last_call = pool->last_call;
    bool starving = pool->starving != 0;
    mp_status_t status = admit(pool);
    if (status == MP_OK) {
        take_batch(pool, batch);
        mp__pool_dispatch(pool);
    }
    /* What the pool's thread must know, while it waits for results. */
    bool news = pool->last_call != last_call || (pool->starving && !starving);
    mp__pool_unlock(pool);
    if (news)
        mp__pool_notify(pool);
    return status;
}

/* What the caller wished, as far as it knew of it. */
static mp_task_t copy_wishes(const mp_task_t *task, size_t size)
{
    mp_task_t wishes = {0};
    if (task)
        memcpy(&wishes, task, size < sizeof wishes ? size : sizeof wishes);
    if (wishes.result)
        *wishes.result = NULL;
    return wishes;
}

static mp_status_t check_call(const mp_pool_t *pool, mp_function_t function)
{
    mp_status_t status = mp__pool_use(pool, STEP);
    return status != MP_OK || function ? status : mp__error(MP_INVALID, STEP, "no function");
}

mp_status_t mp__pool_apply_async(mp_pool_t *pool, mp_function_t function, mp_args_t args, const mp_task_t *task,
                                 size_t task_size)
{
    mp_task_t wishes = copy_wishes(task, task_size);
    mp_status_t status = check_call(pool, function);
    if (status != MP_OK)
        return status;
    batch_t batch = {.last = &batch.first, .result = mp__result_create(pool, false, 0, &wishes)};
    status = batch.result ? add_task(&batch, MP__TASK_CALL, 0, function, args) : no_memory();
    if (status == MP_OK)
        status = submit(pool, &batch);
    drop_batch(&batch);
    return status;
}

/* The items from `begin` on. */
static mp_value_t slice(mp_value_t items, size_t begin, size_t count)
{
    if (mp_value_kind(items) == MP_KIND_LIST)
        return mp_value_list(items.as.items + begin, count);
    int64_t start = items.as.integer + (int64_t)begin;
    return mp_range(start, start + (int64_t)count);
}

static mp_status_t add_chunks(batch_t *batch, mp_function_t function, mp_value_t items)
{
    const mp_result_t *result = batch->result;
    mp_status_t status = MP_OK;
    for (size_t i = 0; i < result->chunks && status == MP_OK; i++) {
        size_t begin = i * result->per_chunk, left = result->items - begin;
        mp_value_t part = slice(items, begin, left < result->per_chunk ? left : result->per_chunk);
        status = add_task(batch, MP__TASK_CHUNK, i, function, mp_value_args(&part, 1));
    }
    return status;
}

mp_status_t mp__pool_map_async(mp_pool_t *pool, mp_function_t function, mp_value_t items, size_t chunk_size,
                               const mp_task_t *task, size_t task_size)
{
    mp_task_t wishes = copy_wishes(task, task_size);
    mp_status_t status = check_call(pool, function);
    if (status != MP_OK)
        return status;
    mp_kind_t kind = mp_value_kind(items);
    if (kind != MP_KIND_LIST && kind != MP_KIND_RANGE)
        return mp__error(MP_TYPE, STEP, "expected a list or range, got %s", mp_kind_name(kind));
    size_t n = mp_value_len(items), share = 4 * (size_t)pool->size;
    if (chunk_size == 0)
        chunk_size = n / share + (n % share != 0);
    size_t chunks = n ? (n - 1) / chunk_size + 1 : 0;
    batch_t batch = {.last = &batch.first, .result = mp__result_create(pool, true, chunks, &wishes)};
    if (!batch.result)
        return no_memory();
    batch.result->items = n;
    batch.result->per_chunk = chunk_size;
    status = add_chunks(&batch, function, items);
    if (status == MP_OK)
        status = submit(pool, &batch);
    drop_batch(&batch);
    return status;
}

/* ---- waiting for them */

/* Waits for a result that nobody else has, and frees it. */
static mp_status_t fetch(mp_status_t status, mp_result_t *result, mp_value_t *value, double timeout)
{
    if (value)
        *value = MP_NONE;
    if (status == MP_OK)
        status = mp_result_get(result, value, timeout);
    mp_result_free(result);
    return status;
}

mp_status_t mp_pool_apply(mp_pool_t *pool, mp_function_t function, mp_args_t args, mp_value_t *value, double timeout)
{
    mp_result_t *result = NULL;
    mp_status_t status = mp_pool_apply_async(pool, function, args, &(mp_task_t){.result = &result});
    return fetch(status, result, value, timeout);
}

mp_status_t mp_pool_map(mp_pool_t *pool, mp_function_t function, mp_value_t items, size_t chunk_size, mp_value_t *list,
                        double timeout)
{
    mp_result_t *result = NULL;
    mp_status_t status = mp_pool_map_async(pool, function, items, chunk_size, &(mp_task_t){.result = &result});
    return fetch(status, result, list, timeout);
}
