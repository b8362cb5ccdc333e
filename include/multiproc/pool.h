/**
 * @file pool.h
 * Pools: worker processes that call functions for this one.
 *
 *     mp_pool_t *pool;
 *     mp_value_t squares;
 *     mp_pool_create(&pool, 0);
 *     mp_pool_map(pool, square, mp_range(0, 100), 0, &squares, MP_FOREVER);
 *
 * A task is given to one worker, and its result is always settled: with a value, with the error that its function
 * returned, with ::MP_WORKER_DIED, or with ::MP_CANCELLED. A worker that dies fails only the task that it was at, and
 * another takes its place. Arguments are encoded by the caller; they and results can hold queues, locks and managers'
 * objects, but no connections or descriptors. A worker is a process like any other: it may start processes and pools.
 * It ignores Ctrl-C, and ends with the process that made the pool.
 *
 * Callbacks run one at a time on a thread of the pool, soon after the result arrived, whatever the program's own
 * threads do. While one runs the pool takes no other result and hands out no waiting task, so they should be short. A
 * callback may give the pool more tasks; it cannot join or free its own pool, nor wait for an unsettled result of it.
 *
 * A pool and its results are used by the process that made them, from any of its threads; mp_pool_free() and
 * mp_result_free() must be the last use of their pointers. A result may outlive its pool. Every function here returns
 * ::MP_INVALID for NULL, for what is no pool, and in a child made by fork. A pool that is still open when the program
 * ends is terminated.
 *
 * Under the start method fork, workers that replace others are forked from the pool's thread; once the program has
 * threads of its own, by a fork server, which has none.
 */
#ifndef MULTIPROC_POOL_H
#define MULTIPROC_POOL_H

#include <multiproc/call.h>
#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** The most workers of a pool. */
#define MP_POOL_WORKERS_MAX 2048

/** How to make a pool; zero is the default for each field. */
typedef struct mp_pool_options {
    int workers;                /**< how many; 0: mp_cpu_count() */
    mp_function_t initializer;  /**< runs in each worker before its first task */
    mp_args_t initializer_args; /**< its arguments, encoded before the call returns */
    int max_tasks_per_worker;   /**< a worker is replaced after so many tasks (of a map: chunks); 0: never */
    const char *name;           /**< workers are named "<name>-1", "<name>-2"...; NULL: "PoolWorker" */
    mp_start_method_t method;   /**< how they are started; overrides every other setting */
} mp_pool_options_t;

/** Called on the pool's thread when a result is there; result is borrowed until it returns. */
typedef void (*mp_result_callback_t)(const mp_result_t *result, void *context);

/** What is to be done with the result of a task; zero is the default for each field. */
typedef struct mp_task {
    mp_result_callback_t callback;       /**< called when the task succeeded */
    mp_result_callback_t error_callback; /**< called when it failed, but not when it was cancelled */
    void *context;                       /**< handed to them */
    mp_result_t **result;                /**< where to put the result, which the caller then frees; NULL: nowhere */
} mp_task_t;

/** @cond internal */
MP_API mp_status_t mp__pool_create(mp_pool_t **pool, const mp_pool_options_t *options, size_t options_size);
MP_API mp_status_t mp__pool_apply_async(mp_pool_t *pool, mp_function_t function, mp_args_t args, const mp_task_t *task,
                                        size_t task_size);
MP_API mp_status_t mp__pool_map_async(mp_pool_t *pool, mp_function_t function, mp_value_t items, size_t chunk_size,
                                      const mp_task_t *task, size_t task_size);
/** @endcond */

/**
 * Makes a pool and starts its workers; does not wait until they run.
 * @param pool where the new object goes, to be freed by mp_pool_free().
 * @param workers how many; 0: mp_cpu_count().
 * @return ::MP_OK; ::MP_INVALID: workers is negative or more than ::MP_POOL_WORKERS_MAX; ::MP_NOT_GUARDED and the
 *         other statuses of mp_process_start(): a worker could not be started, the others were ended.
 */
static inline mp_status_t mp_pool_create(mp_pool_t **pool, int workers)
{
    mp_pool_options_t options;
    memset(&options, 0, sizeof options);
    options.workers = workers;
    return mp__pool_create(pool, &options, sizeof options);
}

/**
 * mp_pool_create() with options, which are copied. If the initializer fails in a worker, the pool is broken: it starts
 * no more workers, and the tasks that wait, and all later ones, fail with the initializer's error. So it is when
 * workers keep ending before they are ready.
 * @return as mp_pool_create(), and the statuses of encoding for the initializer and its arguments.
 */
static inline mp_status_t mp_pool_create_with(mp_pool_t **pool, const mp_pool_options_t *options)
{
    return mp__pool_create(pool, options, sizeof *options);
}

/**
 * Calls a function in a worker and waits for its result.
 * @param value where the result goes, to be freed by mp_value_free(); NULL: it is dropped. None on failure.
 * @param timeout seconds to wait; a task that is not done by then runs on, and its result is dropped.
 * @return ::MP_OK; ::MP_TIMEOUT; the statuses of mp_pool_apply_async(), and those of mp_result_get().
 */
MP_API mp_status_t mp_pool_apply(mp_pool_t *pool, mp_function_t function, mp_args_t args, mp_value_t *value,
                                 double timeout);

/**
 * Gives the pool a task: to call a function in a worker. Never waits for a worker.
 * @param task what to do with the result; copied; NULL: nothing.
 * @return ::MP_OK; ::MP_STATE: the pool was closed or terminated; the error of a broken pool; statuses of encoding:
 *         ::MP_INVALID, ::MP_NOT_SENDABLE, ::MP_TYPE, ::MP_TOO_LARGE, ::MP_NOT_FOUND, ::MP_UNSUPPORTED; ::MP_NO_MEMORY.
 *         On failure there is no task, and no result.
 */
static inline mp_status_t mp_pool_apply_async(mp_pool_t *pool, mp_function_t function, mp_args_t args,
                                              const mp_task_t *task)
{
    return mp__pool_apply_async(pool, function, args, task, sizeof *task);
}

/**
 * Calls a function with each item of a list or range as its only argument, spread over the workers in chunks, and waits
 * for the list of its results, in the items' order.
 * @param chunk_size items that go to a worker at once; 0: a quarter of each worker's share.
 * @param list where the results go, to be freed by mp_value_free(); NULL: they are dropped. None on failure.
 * @return ::MP_OK, at once for no items; ::MP_TYPE: items is no list or range; ::MP_TIMEOUT: it runs on; the statuses
 * of mp_pool_apply_async(); else the first error that a call returned, once all chunks are done (of the chunk that it
 * happened in, the rest is not called).
 */
MP_API mp_status_t mp_pool_map(mp_pool_t *pool, mp_function_t function, mp_value_t items, size_t chunk_size,
                               mp_value_t *list, double timeout);

/** mp_pool_map() without waiting: one result for all. @return as mp_pool_apply_async(), and ::MP_TYPE. */
static inline mp_status_t mp_pool_map_async(mp_pool_t *pool, mp_function_t function, mp_value_t items,
                                            size_t chunk_size, const mp_task_t *task)
{
    return mp__pool_map_async(pool, function, items, chunk_size, task, sizeof *task);
}

/** No more tasks: those that it has are done, then its workers end. Again does nothing. @return ::MP_OK; ::MP_INVALID.
 */
MP_API mp_status_t mp_pool_close(mp_pool_t *pool);

/**
 * Ends it at once: the workers are killed, all results that are not settled are ::MP_CANCELLED, and no further callback
 * is called. Does not wait for a callback that runs. @return ::MP_OK; ::MP_INVALID.
 */
MP_API mp_status_t mp_pool_terminate(mp_pool_t *pool);

/**
 * Waits until a closed or terminated pool is done: all tasks, all workers, all callbacks. Afterwards no callback runs.
 * @return ::MP_OK; ::MP_TIMEOUT; ::MP_STATE: it was not closed; ::MP_DEADLOCK: in a callback of this pool;
 * ::MP_INVALID.
 */
MP_API mp_status_t mp_pool_join(mp_pool_t *pool, double timeout);

/** Terminates the pool unless it is done, joins it, and gives it back. NULL is fine. @return ::MP_OK; ::MP_DEADLOCK: in
 * a callback of this pool; ::MP_INVALID. */
MP_API mp_status_t mp_pool_free(mp_pool_t *pool);

/** Is it settled? False for NULL, and in a child of fork for what its parent's pool does. Does not block. */
MP_API bool mp_result_ready(const mp_result_t *result);

/**
 * Waits until it is settled, one way or the other.
 * @return ::MP_OK; ::MP_TIMEOUT; ::MP_DEADLOCK: in a callback of its pool, where it never would be; ::MP_INVALID, also
 * for the result of another process's pool (a parent's, before a fork).
 */
MP_API mp_status_t mp_result_wait(const mp_result_t *result, double timeout);

/**
 * Waits for it and hands out what it is. It may be called any number of times.
 * @param value where the value goes, to be freed by mp_value_free(); NULL: nowhere. None on failure.
 * @return ::MP_OK; the statuses of mp_result_wait(), and of mp_result_status(); mp_error() then is mp_result_error().
 */
MP_API mp_status_t mp_result_get(const mp_result_t *result, mp_value_t *value, double timeout);

/**
 * What became of it: ::MP_OK; ::MP_RUNNING: it is not settled; the status that the function returned (::MP_FAILED by
 * mp_fail()); ::MP_WORKER_DIED; ::MP_CANCELLED; ::MP_NOT_SENDABLE and others: what it returned could not be sent;
 * ::MP_GONE, ::MP_MALFORMED and others: what was sent could not be received; ::MP_INVALID. Does not block.
 */
MP_API mp_status_t mp_result_status(const mp_result_t *result);

/**
 * The detail behind mp_result_status(), as the worker saw it: step, text, mp_fail()'s code; for ::MP_WORKER_DIED the
 * exit code, or -N for signal N. Never NULL, borrowed from the result; its status is ::MP_OK while there is no error.
 */
MP_API const mp_error_t *mp_result_error(const mp_result_t *result);

/** The value: borrowed, until the result is freed; None if there is none (yet). Does not block. */
MP_API mp_value_t mp_result_value(const mp_result_t *result);

/** Lets go of it. A task that is not done runs on. NULL is fine. */
MP_API void mp_result_free(mp_result_t *result);

MP_END_DECLS

#endif
