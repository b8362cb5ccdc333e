/*
 * The pool from the inside.
 *
 * Each worker has a queue of its own, in which at most one task lies; all share the queue of results. Who has which
 * task is written down here, in the process that made the pool, under `mutex`: any thread that brings a task hands it
 * to an idle worker itself, or appends it to the waiting ones. Everything else is the business of the pool's thread:
 * it takes the results, hands out the waiting tasks, calls back, and replaces workers. That a worker ended it learns
 * from the same queue, by a note of the reaper: so a result that the worker had put there before counts. A thread that
 * waits for a result takes some from the queue itself before it sleeps; what follows it leaves to the pool's thread.
 *
 *   pool.c         the public object: create, close, terminate, join, free
 *   pool_thread.c  the pool's thread
 *   pool_staff.c   the workers as the pool sees them: start, end, replacement
 *   pool_task.c    from calls and lists to tasks; handing them out
 *   pool_result.c  results: settling, waiting, reading
 *   pool_worker.c  what runs in the worker
 */
#ifndef MP_OBJECTS_POOL_CORE_H
#define MP_OBJECTS_POOL_CORE_H

#include <multiproc/pool.h>

#include "core/local.h"
#include "objects/finalize.h"
#include "objects/process.h"
#include "objects/queue.h"

/* ---- messages, as raw bytes in the queues; both sides are the same build */

typedef enum mp__task_kind { MP__TASK_STOP, MP__TASK_CALL, MP__TASK_CHUNK } mp__task_kind_t;

/* A CALL is followed by the encoded call; a CHUNK by a call whose only argument is the list of items. */
typedef struct mp__task_head {
    uint64_t id;
    uint32_t kind;
    uint32_t reserved;
} mp__task_head_t;

typedef enum mp__report_kind {
    MP__REPORT_READY, /* the initializer is done */
    MP__REPORT_VALUE, /* the encoded value follows; of a chunk, the list of its values */
    MP__REPORT_ERROR, /* an mp_error_t follows */
    MP__REPORT_UNFIT, /* the initializer failed; an mp_error_t follows */
    MP__REPORT_ENDED, /* by the reaper: the worker has ended */
    MP__REPORT_LOOK   /* by this process: something changed */
} mp__report_kind_t;

typedef struct mp__report_head {
    uint64_t task;
    uint32_t worker;
    uint32_t number;
    uint32_t kind;
    uint32_t reserved;
} mp__report_head_t;

/* ---- */

typedef struct mp__task mp__task_t;
typedef struct mp__worker mp__worker_t;

/* A call, or a chunk of a map, until it is settled. */
struct mp__task {
    mp__task_t *next; /* among the waiting */
    mp_result_t *result;
    size_t chunk;      /* which part of the result */
    uint32_t returned; /* how often a worker ended before it took it */
    size_t size;
    uint8_t message[]; /* an mp__task_head_t and what follows */
};

typedef enum mp__worker_state {
    MP__WORKER_VACANT, /* no process; to be started at start_at */
    MP__WORKER_BORN,   /* not ready yet; process is NULL until it was started */
    MP__WORKER_IDLE,
    MP__WORKER_BUSY,
    MP__WORKER_LEAVING /* was told to stop */
} mp__worker_state_t;

struct mp__worker {
    mp_pool_t *pool;
    mp__worker_state_t state;
    uint32_t index;
    uint32_t number; /* counts all that the pool ever started; in notes and messages for people */
    mp_process_t *process;
    mp_queue_t *tasks;
    mp__task_t *task;
    int done;           /* tasks in this life */
    uint32_t fruitless; /* lives in a row that did nothing */
    int64_t start_at;
    mp__worker_t *next_idle;
};

typedef enum mp__pool_state { MP__POOL_OPEN, MP__POOL_CLOSED, MP__POOL_TERMINATED } mp__pool_state_t;

#define MP__POOL_WORDS 64u

enum { MP__THREAD_STARTS = 0, MP__THREAD_RUNS = 1, MP__THREAD_DONE = 2 };

struct mp_pool {
    mp__handle_t handle; /* held by the user and by each result */
    uint32_t process;    /* whose it is */
    uint32_t epoch;
    apr_pool_t *memory;
    apr_thread_mutex_t *taking; /* held while a report is taken and dealt with, so that they stay in order; before: */
    apr_thread_mutex_t *mutex;  /* of all below that changes */
    apr_thread_t *thread;
    mp__finalizer_t *finalizer;
    mp__block_t block;
    uint32_t *words; /* in that block: what waiters sleep on; the first is for the end, results share the rest */
    uint32_t step;   /* the thread's: MP__THREAD_... */

    int64_t spin; /* how long the thread may spin: not on a processor that a worker could use */
    char name[40];
    int max_tasks;
    mp_start_method_t method;
    mp__buffer_t initializer; /* the encoded call; empty: none */

    mp_queue_t *reports;
    mp__pool_state_t state;
    mp_error_t broken; /* status MP_OK: it is not */
    uint32_t look;     /* 1: a note did not get into the queue: ask the workers themselves */

    uint64_t last_id;
    mp__task_t *first; /* waiting */
    mp__task_t **last;
    int64_t starving; /* since when a waiting task does not get into an idle worker's queue; 0: it does not */

    uint32_t size;
    uint32_t vacant;
    uint32_t busy;
    uint32_t started; /* numbers given out */
    uint32_t unready; /* workers in a row that ended before they were ready */
    mp__worker_t *idle;
    mp__worker_t *workers;

    mp_result_t *calls; /* settled, to be called back; the thread's own */
    mp_result_t **last_call;
};

typedef struct mp__chunk {
    void *memory; /* what to free */
    const uint8_t *data;
    size_t size;
} mp__chunk_t;

enum { MP__RESULT_OPEN = 0, MP__RESULT_SETTLED = 1 /* for callbacks */, MP__RESULT_READY = 2 /* for all */ };

struct mp_result {
    mp__handle_t handle;
    mp_pool_t *pool;
    uint32_t state;
    uint32_t watchers; /* see family/watch.h */
    uint32_t *word;    /* its waiters sleep on it */
    mp_task_t wishes;
    mp_result_t *next_call;
    mp_error_t error; /* the first */
    mp__chunk_t data; /* once settled: the value's message */
    mp_value_t value; /* decoded, if somebody asked for it to borrow */
    bool decoded;     /* or its decoding failed, and `undecodable` says how */
    mp_error_t undecodable;
    bool map;    /* of chunks; else of one call */
    size_t open; /* tasks that are not settled */
    size_t chunks;
    size_t items; /* of all chunks */
    size_t per_chunk;
    mp__chunk_t parts[];
};

/* Did this process make it, not the one that it was forked from? */
bool mp__pool_is_mine(const mp_pool_t *pool);

/* Is it a pool of this process? MP_INVALID. */
mp_status_t mp__pool_use(const mp_pool_t *pool, const char *step);

/* The pool whose thread this is, or NULL. */
mp_pool_t *mp__pool_own(void);

static inline void mp__pool_lock(mp_pool_t *pool)
{
    apr_thread_mutex_lock(pool->mutex);
}

static inline void mp__pool_unlock(mp_pool_t *pool)
{
    apr_thread_mutex_unlock(pool->mutex);
}

/* ---- pool_thread.c */

mp_status_t mp__pool_thread_start(mp_pool_t *pool);

/* In a fork's child. */
void mp__pool_thread_forget(void);

/* Makes the thread look at what changed. */
void mp__pool_notify(mp_pool_t *pool);

/* Waits until *flag >= wanted, sleeping on the word. MP_TIMEOUT and what mp__family_join() returns. */
mp_status_t mp__pool_wait(uint32_t *word, const uint32_t *flag, uint32_t wanted, mp__deadline_t deadline);

/* The same for what reports bring: before it sleeps, the thread takes some itself for a moment, so that a hot call
 * needs nobody to be woken. */
mp_status_t mp__pool_await(mp_pool_t *pool, uint32_t *word, const uint32_t *flag, uint32_t wanted,
                           mp__deadline_t deadline);

/* Wakes all who sleep on the word; after the flag has changed. */
void mp__pool_rouse(uint32_t *word);

/* ---- pool_staff.c */

/* Starts a worker in a vacant place. Without the mutex; by the pool's thread, or before there is one. */
mp_status_t mp__worker_start(mp__worker_t *worker);

/* That failed, see mp_error(). Under the mutex. */
void mp__worker_not_started(mp__worker_t *worker);

/* It is ready, or done with its task: it gets the next one, stops, or is idle. Under the mutex. */
void mp__worker_next(mp__worker_t *worker);

/* Tells a worker that has no task to stop. Under the mutex. */
void mp__worker_stop(mp__worker_t *worker);

/* Its process has ended: what follows from that. Under the mutex. */
void mp__worker_ended(mp__worker_t *worker);

/* Ends a worker that was started, when the pool has no thread. Keeps mp_error(). */
void mp__worker_remove(mp__worker_t *worker);

/* ---- pool_task.c */

/* Hands waiting tasks to idle workers. Under the mutex. */
void mp__pool_dispatch(mp_pool_t *pool);

/* Puts a task back before all others. Under the mutex. */
void mp__task_return(mp_pool_t *pool, mp__task_t *task);

/* No more tasks: all that wait get the error. Under the mutex. */
void mp__pool_break(mp_pool_t *pool, const mp_error_t *error);

/* All waiting and running tasks get the error. Under the mutex. */
void mp__pool_abandon(mp_pool_t *pool, const mp_error_t *error);

/* ---- pool_result.c */

/* The result of a call, or of a map's chunks, held by the caller until the pool takes it over. NULL: no memory. */
mp_result_t *mp__result_create(mp_pool_t *pool, bool map, size_t chunks, const mp_task_t *wishes);

/* Settles a task with its value, whose memory it takes over, or with an error; frees it. Under the mutex. */
void mp__task_succeed(mp__task_t *task, const mp__chunk_t *data);
void mp__task_fail(mp__task_t *task, const mp_error_t *error);

/* Settles the result of a map over nothing. Under the mutex. */
void mp__result_empty(mp_result_t *result);

/* Calls back and lets the waiters go on. By the pool's thread, without the mutex. */
void mp__result_call(mp_result_t *result);

/* Is it a result, that the calling thread may wait for? MP_INVALID; MP_DEADLOCK: in a callback of its pool. */
mp_status_t mp__result_use(const mp_result_t *result, const char *step);

/* Lets the waiters go on and lets go of the pool's hold. */
void mp__result_release(mp_result_t *result);

/* ---- pool_worker.c */

/* A worker's target: (tasks, reports, index, number, initializer). */
mp_status_t mp__pool_worker(mp_call_t *call);

#endif
