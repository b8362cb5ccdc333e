/* The public pool: how it comes and goes. */
#include "objects/pool_core.h"

#include "objects/pool.h"
#include "wire/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long the program's end waits for a callback that runs. */
#define LAST_SECONDS 5.0

/* ---- making one */

bool mp__pool_is_mine(const mp_pool_t *pool)
{
    return mp__family_joined() && pool->process == mp__family.process && pool->epoch == mp__family.epoch;
}

/* What only a pool at work needs. Threads that still wait for a result of it may be looking at its queue. */
static void clear_out(mp_pool_t *pool)
{
    apr_thread_mutex_lock(pool->taking);
    mp__queue_end(pool->reports);
    apr_thread_mutex_unlock(pool->taking);
    free(pool->workers);
    pool->workers = NULL;
}

/* Nobody holds it, and no result of it is left. */
static void destroy(mp__handle_t *handle)
{
    mp_pool_t *pool = (mp_pool_t *)handle;
    mp_queue_close(pool->reports);
    mp__buffer_fini(&pool->initializer);
    free(pool->workers);
    if (mp__pool_is_mine(pool) && mp__family_join() == MP_OK)
        mp__block_free(pool->block);
    if (pool->memory)
        apr_pool_destroy(pool->memory);
    mp__handle_bury(handle);
}

static mp_status_t check_options(mp_pool_options_t *options)
{
    const char *step = "create a pool";
    if (options->workers < 0 || options->workers > MP_POOL_WORKERS_MAX)
        return mp__error(MP_INVALID, step, "%d workers", options->workers);
    if (options->max_tasks_per_worker < 0)
        return mp__error(MP_INVALID, step, "%d tasks per worker", options->max_tasks_per_worker);
    if (options->initializer_args.count && !options->initializer)
        return mp__error(MP_INVALID, step, "arguments, but no initializer");
    if (options->name && strlen(options->name) >= sizeof((mp_pool_t *)0)->name)
        return mp__error(MP_TOO_LARGE, step, "its name has more than %d bytes", (int)sizeof((mp_pool_t *)0)->name - 1);
    if (!options->workers)
        options->workers = mp_cpu_count();
    return MP_OK;
}

/* The words that waiters sleep on: in the arena, where one can sleep with a deadline of the monotonic clock. */
static mp_status_t make_words(mp_pool_t *pool)
{
    mp_status_t status = mp__family_join();
    size_t size = MP__POOL_WORDS * sizeof(uint32_t);
    if (status == MP_OK)
        status = mp__block_alloc(size, mp__owner_process(mp__family.process), &pool->block);
    if (status != MP_OK)
        return status;
    pool->process = mp__family.process;
    pool->epoch = mp__family.epoch;
    pool->words = mp__block_at(pool->block, NULL);
    memset(pool->words, 0, size);
    return MP_OK;
}

/* Everything but the workers and the thread. */
static mp_status_t furnish(mp_pool_t *pool, const mp_pool_options_t *options)
{
    snprintf(pool->name, sizeof pool->name, "%s", options->name ? options->name : "PoolWorker");
    pool->max_tasks = options->max_tasks_per_worker;
    pool->method = options->method;
    pool->spin = options->workers < mp_cpu_count() ? MP__SPIN_BRIEF : 0;
    pool->last = &pool->first;
    pool->last_call = &pool->calls;
    pool->size = pool->vacant = (uint32_t)options->workers;
    pool->workers = calloc(pool->size, sizeof *pool->workers);
    if (!pool->workers)
        return mp__error(MP_NO_MEMORY, "create a pool", "no memory for its workers");
    for (uint32_t i = 0; i < pool->size; i++)
        pool->workers[i] = (mp__worker_t){.pool = pool, .index = i};
    mp_status_t status = mp__local_pool(&pool->memory);
    if (status == MP_OK)
        status = mp__local_mutex(&pool->mutex, pool->memory);
    if (status == MP_OK)
        status = mp__local_mutex(&pool->taking, pool->memory);
    if (status == MP_OK)
        status = make_words(pool);
    if (status == MP_OK && options->initializer)
        status = mp__call_encode(options->initializer, options->initializer_args, NULL, &pool->initializer);
    return status == MP_OK ? mp_queue_create(&pool->reports, 0) : status;
}

static mp_pool_t *new_pool(void)
{
    mp_pool_t *pool = calloc(1, sizeof *pool);
    if (pool) {
        mp__handle_init(&pool->handle, MP_KIND_POOL, &(mp__reference_t){0}, 0, destroy);
        mp__buffer_init(&pool->initializer);
    }
    return pool;
}

static void end_with_program(void *context)
{
    mp_pool_terminate(context);
    mp_pool_join(context, LAST_SECONDS);
}

/* The first workers and the thread; on failure they are gone again. */
static mp_status_t man(mp_pool_t *pool)
{
    mp_status_t status = MP_OK;
    uint32_t started = 0;
    while (started < pool->size && (status = mp__worker_start(&pool->workers[started])) == MP_OK)
        started++;
    if (status == MP_OK)
        status = mp__finalize_add(MP__FINALIZE_POOL, end_with_program, pool, &pool->finalizer);
    if (status == MP_OK)
        status = mp__pool_thread_start(pool);
    if (status == MP_OK)
        return MP_OK;
    mp__finalize_remove(pool->finalizer);
    while (started > 0)
        mp__worker_remove(&pool->workers[--started]);
    return status;
}

mp_status_t mp__pool_create(mp_pool_t **out, const mp_pool_options_t *given, size_t size)
{
    mp_pool_options_t options = {0};
    if (!out)
        return mp__error(MP_INVALID, "create a pool", "no place for the new pool");
    *out = NULL;
    if (given)
        memcpy(&options, given, size < sizeof options ? size : sizeof options);
    mp_status_t status = check_options(&options);
    if (status != MP_OK)
        return status;
    mp_pool_t *pool = new_pool();
    if (!pool)
        return mp__error(MP_NO_MEMORY, "create a pool", "no memory for it");
    status = furnish(pool, &options);
    if (status == MP_OK)
        status = man(pool);
    if (status == MP_OK)
        *out = pool;
    else
        mp__handle_release(&pool->handle);
    return status;
}

/* ---- using it */

mp_status_t mp__pool_use(const mp_pool_t *pool, const char *step)
{
    if (!pool || !mp__handle_is(&pool->handle, MP_KIND_POOL))
        return mp__handle_refuse((const mp__handle_t *)pool, MP_KIND_POOL, step, "pool");
    if (!mp__pool_is_mine(pool))
        return mp__error(MP_INVALID, step, "this is another process's pool");
    return mp__family_join();
}

mp_status_t mp_pool_close(mp_pool_t *pool)
{
    mp_status_t status = mp__pool_use(pool, "close a pool");
    if (status != MP_OK)
        return status;
    mp__pool_lock(pool);
    if (pool->state == MP__POOL_OPEN)
        pool->state = MP__POOL_CLOSED;
    mp__pool_unlock(pool);
    mp__pool_notify(pool);
    return MP_OK;
}

/* Nobody is called back any more. Under the mutex. */
static void drop_calls(mp_pool_t *pool)
{
    while (pool->calls) {
        mp_result_t *result = pool->calls;
        pool->calls = result->next_call;
        mp__result_release(result);
    }
    pool->last_call = &pool->calls;
}

mp_status_t mp_pool_terminate(mp_pool_t *pool)
{
    static const mp_error_t cancelled = {
        .status = MP_CANCELLED, .step = "run a task", .text = "its pool was terminated before it was done"};
    mp_status_t status = mp__pool_use(pool, "terminate a pool");
    if (status != MP_OK)
        return status;
    mp__pool_lock(pool);
    if (pool->state != MP__POOL_TERMINATED) {
        pool->state = MP__POOL_TERMINATED;
        for (uint32_t i = 0; i < pool->size; i++)
            if (pool->workers[i].state != MP__WORKER_VACANT)
                mp_process_kill(pool->workers[i].process);
        mp__pool_abandon(pool, &cancelled);
        drop_calls(pool);
    }
    mp__pool_unlock(pool);
    mp__pool_notify(pool);
    return MP_OK;
}

mp_status_t mp_pool_join(mp_pool_t *pool, double timeout)
{
    const char *step = "join a pool";
    mp__deadline_t deadline;
    mp_status_t status = mp__pool_use(pool, step);
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    if (status != MP_OK)
        return status;
    if (mp__pool_own() == pool)
        return mp__error(MP_DEADLOCK, step, "it waits for this callback");
    mp__pool_lock(pool);
    bool open = pool->state == MP__POOL_OPEN;
    mp__pool_unlock(pool);
    if (open)
        return mp__error(MP_STATE, step, "it was neither closed nor terminated");
    status = mp__pool_wait(&pool->words[0], &pool->step, MP__THREAD_DONE, deadline);
    return status == MP_TIMEOUT ? mp__error(MP_TIMEOUT, step, "it is not done") : status;
}

mp_status_t mp_pool_free(mp_pool_t *pool)
{
    if (!pool)
        return MP_OK;
    mp_status_t status = mp__pool_use(pool, "free a pool");
    if (status != MP_OK)
        return status == MP_CLOSED ? MP_OK : status;
    if (mp__pool_own() == pool)
        return mp__error(MP_DEADLOCK, "free a pool", "in a callback of its own");
    if (mp__load32(&pool->step) != MP__THREAD_DONE)
        mp_pool_terminate(pool);
    apr_status_t unused;
    apr_thread_join(&unused, pool->thread);
    mp__finalize_remove(pool->finalizer);
    clear_out(pool);
    pool->handle.magic = MP__HANDLE_CLOSED; /* results may keep its memory */
    mp__handle_release(&pool->handle);
    return MP_OK;
}

void mp__pools_forget(void)
{
    mp__pool_thread_forget();
}
