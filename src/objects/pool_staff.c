/* The workers as the pool sees them: how they start, what they do next, what follows from their end. */
#include "objects/pool_core.h"

#include "objects/log.h"
#include "objects/reaper.h"

#include <stdio.h>
#include <string.h>

/* Workers that end without having done anything are replaced no faster than this. */
#define PAUSE (100 * MP__MILLISECOND)

/* A task that so many workers in a row did not live to take is given up. */
#define RETURNS_MAX 3

/* So many more than the pool's size may end in a row before they are ready. */
#define UNREADY_SPARE 4

/* ---- start */

/* On the reaper's thread: the pool's thread learns of it behind everything that the worker itself put there. */
static void note_end(void *context, mp_process_t *process)
{
    mp__worker_t *worker = context;
    (void)process;
    mp__report_head_t note = {.worker = worker->index, .number = worker->number, .kind = MP__REPORT_ENDED};
    if (mp__family_join() != MP_OK ||
        mp__queue_put_item(worker->pool->reports, MP__ITEM_BYTES, &note, sizeof note, 0) != MP_OK)
        mp__store32(&worker->pool->look, 1);
}

/* The process itself. Only now others may see it; it may have reported already. */
static mp_status_t start_process(mp__worker_t *worker)
{
    mp_pool_t *pool = worker->pool;
    mp_process_t *process;
    char name[64];
    snprintf(name, sizeof name, "%s-%u", pool->name, worker->number);
    mp_args_t args = mp_args(worker->tasks, pool->reports, worker->index, worker->number,
                             mp_bytes(pool->initializer.data, pool->initializer.size));
    mp_status_t status = mp__process_start_service(&process, mp__pool_worker, args, name, pool->method);
    if (status != MP_OK)
        return status;
    mp__pool_lock(pool);
    worker->process = process;
    if (pool->state == MP__POOL_TERMINATED)
        mp_process_kill(process);
    mp__pool_unlock(pool);
    return MP_OK;
}

/* Gives back what belonged to a process that has ended, or never was. */
static void vacate(mp__worker_t *worker)
{
    if (worker->process) {
        mp__local_park(); /* the reaper may be parked itself */
        mp__reaper_forget(worker->process);
        mp__local_unpark();
        mp_process_close(worker->process);
    }
    mp_queue_close(worker->tasks);
    worker->process = NULL;
    worker->tasks = NULL;
    worker->state = MP__WORKER_VACANT;
    worker->pool->vacant++;
}

static void occupy(mp__worker_t *worker)
{
    mp_pool_t *pool = worker->pool;
    mp__pool_lock(pool);
    worker->number = ++pool->started;
    worker->done = 0;
    worker->state = MP__WORKER_BORN;
    pool->vacant--;
    mp__pool_unlock(pool);
}

mp_status_t mp__worker_start(mp__worker_t *worker)
{
    occupy(worker);
    mp_status_t status = mp_queue_create(&worker->tasks, 0);
    if (status == MP_OK)
        status = start_process(worker);
    if (status == MP_OK)
        status = mp__reaper_watch(worker->process, note_end, worker);
    if (status == MP_OK) {
        mp__log(MP_LOG_DEBUG, "added worker %u (pid %d)", worker->number, mp_process_pid(worker->process));
        return MP_OK;
    }
    mp_error_t error = *mp_error();
    if (worker->process) {
        mp_process_kill(worker->process);
        mp_process_join(worker->process, MP_FOREVER);
    }
    mp__pool_lock(worker->pool);
    if (worker->process)
        mp__worker_ended(worker);
    else
        vacate(worker);
    mp__pool_unlock(worker->pool);
    return mp__error_code(error.status, error.step, error.code, error.text);
}

void mp__worker_remove(mp__worker_t *worker)
{
    mp_error_t error = *mp_error();
    mp_process_kill(worker->process);
    mp_process_join(worker->process, MP_FOREVER);
    vacate(worker);
    mp__error_code(error.status, error.step, error.code, error.text);
}

/* ---- what it does next; under the mutex */

static void leave_idle(mp__worker_t *worker)
{
    for (mp__worker_t **link = &worker->pool->idle; *link; link = &(*link)->next_idle)
        if (*link == worker) {
            *link = worker->next_idle;
            return;
        }
}

void mp__worker_stop(mp__worker_t *worker)
{
    mp__task_head_t stop = {.kind = MP__TASK_STOP};
    if (worker->state == MP__WORKER_IDLE)
        leave_idle(worker);
    worker->state = MP__WORKER_LEAVING;
    if (mp__queue_put_item(worker->tasks, MP__ITEM_BYTES, &stop, sizeof stop, 0) != MP_OK)
        mp_process_kill(worker->process);
}

void mp__worker_next(mp__worker_t *worker)
{
    mp_pool_t *pool = worker->pool;
    if (pool->max_tasks && worker->done >= pool->max_tasks) {
        mp__worker_stop(worker);
        return;
    }
    worker->state = MP__WORKER_IDLE;
    worker->next_idle = pool->idle;
    pool->idle = worker;
}

/* ---- the end; under the mutex */

/* How it ended, as an error. */
static void describe_end(const mp__worker_t *worker, mp_error_t *error)
{
    int code = 0, pid = mp_process_pid(worker->process);
    mp_status_t status = mp_process_exitcode(worker->process, &code);
    *error = (mp_error_t){.status = MP_WORKER_DIED, .code = code, .step = "run a task"};
    if (status != MP_OK)
        snprintf(error->text, sizeof error->text, "worker %u (pid %d) ended, nobody knows how", worker->number, pid);
    else if (code < 0)
        snprintf(error->text, sizeof error->text, "worker %u (pid %d) was killed by signal %d", worker->number, pid,
                 -code);
    else
        snprintf(error->text, sizeof error->text, "worker %u (pid %d) ended with exit code %d", worker->number, pid,
                 code);
}

/* Settles the task that it had, or gives it to another if it never took it. */
static void end_task(mp__worker_t *worker, const mp_error_t *error)
{
    mp__task_t *task = worker->task;
    uint64_t left = 0;
    worker->task = NULL;
    bool taken = mp_queue_size(worker->tasks, &left) != MP_OK || left == 0;
    if (taken || ++task->returned >= RETURNS_MAX)
        mp__task_fail(task, error);
    else
        mp__task_return(worker->pool, task);
    if (taken)
        worker->done++;
}

/* Does any other one work? */
static bool has_ready(const mp_pool_t *pool)
{
    for (uint32_t i = 0; i < pool->size; i++)
        if (pool->workers[i].state == MP__WORKER_IDLE || pool->workers[i].state == MP__WORKER_BUSY)
            return true;
    return false;
}

/* One more that was never ready. */
static void count_unready(mp_pool_t *pool, const mp_error_t *error)
{
    if (++pool->unready <= pool->size + UNREADY_SPARE || has_ready(pool))
        return;
    mp_error_t broken = *error;
    snprintf(broken.step, sizeof broken.step, "start a worker");
    mp__pool_break(pool, &broken);
}

void mp__worker_ended(mp__worker_t *worker)
{
    mp_pool_t *pool = worker->pool;
    mp__worker_state_t state = worker->state;
    mp_error_t error;
    describe_end(worker, &error);
    mp__log(state == MP__WORKER_LEAVING || pool->state == MP__POOL_TERMINATED ? MP_LOG_DEBUG : MP_LOG_INFO, "%s",
            error.text);
    if (state == MP__WORKER_IDLE)
        leave_idle(worker);
    if (state == MP__WORKER_BUSY)
        pool->busy--;
    if (worker->task)
        end_task(worker, &error);
    vacate(worker);
    worker->fruitless = worker->done ? 0 : worker->fruitless + 1;
    worker->start_at = mp__os_now() + (worker->fruitless > 1 ? PAUSE : 0);
    if (state == MP__WORKER_BORN)
        count_unready(pool, &error);
}

void mp__worker_not_started(mp__worker_t *worker)
{
    worker->fruitless++;
    worker->start_at = mp__os_now() + PAUSE;
    count_unready(worker->pool, mp_error());
}
