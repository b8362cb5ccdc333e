/* The pool's thread: it takes the workers' reports, hands out tasks, calls back, and replaces workers. */
#include "objects/pool_core.h"

#include "core/atomic.h"

#include <stdlib.h>
#include <string.h>

/* When nothing happens it looks around this often: a note may not have got into the queue. */
#define SLICE MP__SECOND

/* How soon a task that found no memory is tried again. */
#define RETRY (20 * MP__MILLISECOND)

static MP__THREAD_LOCAL mp_pool_t *own;

mp_pool_t *mp__pool_own(void)
{
    return own;
}

void mp__pool_thread_forget(void)
{
    own = NULL;
}

/* ---- sleeping and waking: bit 0 of a word says that somebody sleeps on it, the rest counts */

mp_status_t mp__pool_wait(uint32_t *word, const uint32_t *flag, uint32_t wanted, mp__deadline_t deadline)
{
    mp_status_t status = mp__family_join();
    while (status == MP_OK && mp__load32(flag) < wanted) {
        uint32_t seen = mp__or32(word, 1) | 1;
        mp__fence_after_rmw();
        if (mp__load32(flag) < wanted)
            status = mp__park(word, seen, deadline);
    }
    return mp__load32(flag) >= wanted ? MP_OK : status;
}

void mp__pool_rouse(uint32_t *word)
{
    mp__fence();
    uint32_t value = mp__load32(word);
    while (value & 1)
        if (mp__cas32(word, &value, (value + 2) & ~1u)) {
            mp__wake(word, true);
            return;
        }
}

void mp__pool_notify(mp_pool_t *pool)
{
    mp__report_head_t note = {.kind = MP__REPORT_LOOK};
    if (mp__queue_put_item(pool->reports, MP__ITEM_BYTES, &note, sizeof note, 0) != MP_OK)
        mp__store32(&pool->look, 1);
}

/* ---- reports; under the mutex */

/* The error in a report, made fit to be shown. */
static mp_error_t read_error(const mp__buffer_t *report)
{
    mp_error_t error = {.status = MP_MALFORMED, .step = "receive a result", .text = "no error where one was announced"};
    if (report->size != sizeof(mp__report_head_t) + sizeof error)
        return error;
    mp_error_t sent;
    memcpy(&sent, report->data + sizeof(mp__report_head_t), sizeof sent);
    sent.step[sizeof sent.step - 1] = '\0';
    sent.text[sizeof sent.text - 1] = '\0';
    return sent.status != MP_OK ? sent : error;
}

/* The value in a report, as memory of its own. Large ones take the buffer's along instead of copying it. */
static mp_status_t take_value(mp__buffer_t *report, mp__chunk_t *value)
{
    size_t head = sizeof(mp__report_head_t);
    value->size = report->size - head;
    if (report->data != report->storage && report->size > report->capacity / 2) {
        value->memory = report->data;
        value->data = report->data + head;
        mp__buffer_init(report);
        return MP_OK;
    }
    uint8_t *copy = malloc(value->size ? value->size : 1);
    if (!copy)
        return mp__error(MP_NO_MEMORY, "receive a result", "no memory for it");
    memcpy(copy, report->data + head, value->size);
    value->memory = copy;
    value->data = copy;
    return MP_OK;
}

/* The worker is done with its task. */
static void finish_task(mp__worker_t *worker, const mp__report_head_t *head, mp__buffer_t *report)
{
    mp__task_t *task = worker->task;
    uint64_t id;
    if (!task || (memcpy(&id, task->message, sizeof id), id != head->task))
        return;
    mp_error_t error = {.status = MP_OK};
    mp__chunk_t value = {0};
    if (head->kind == MP__REPORT_ERROR)
        error = read_error(report);
    else if (take_value(report, &value) != MP_OK)
        error = *mp_error();
    worker->task = NULL;
    worker->done++;
    worker->pool->busy--;
    mp__worker_next(worker);
    mp__pool_dispatch(worker->pool);
    if (error.status == MP_OK)
        mp__task_succeed(task, &value);
    else
        mp__task_fail(task, &error);
}

static void take_report(mp_pool_t *pool, mp__buffer_t *report)
{
    mp__report_head_t head;
    if (report->size < sizeof head)
        return;
    memcpy(&head, report->data, sizeof head);
    if (head.worker >= pool->size || head.kind == MP__REPORT_LOOK)
        return;
    mp__worker_t *worker = &pool->workers[head.worker];
    if (worker->state == MP__WORKER_VACANT || worker->number != head.number)
        return;
    mp_error_t error;
    switch ((mp__report_kind_t)head.kind) {
    case MP__REPORT_READY:
        pool->unready = 0;
        if (worker->state == MP__WORKER_BORN) {
            mp__worker_next(worker);
            mp__pool_dispatch(pool);
        }
        break;
    case MP__REPORT_UNFIT:
        error = read_error(report);
        mp__pool_break(pool, &error);
        break;
    case MP__REPORT_ENDED:
        if (worker->process && !mp_process_is_alive(worker->process))
            mp__worker_ended(worker);
        break;
    default:
        finish_task(worker, &head, report);
    }
}

/* Finds the ends that no note tells of. */
static void look_around(mp_pool_t *pool)
{
    if (!mp__swap32(&pool->look, 0))
        return;
    for (uint32_t i = 0; i < pool->size; i++) {
        mp__worker_t *worker = &pool->workers[i];
        if (worker->state != MP__WORKER_VACANT && !mp_process_is_alive(worker->process))
            mp__worker_ended(worker);
    }
}

/* ---- the staff */

/* Shall vacant places be filled? Under the mutex. */
static bool needs_staff(const mp_pool_t *pool)
{
    return pool->vacant && pool->broken.status == MP_OK &&
           (pool->state == MP__POOL_OPEN || (pool->state == MP__POOL_CLOSED && pool->first));
}

/* A vacant place whose time has come, or NULL; *next: when the next one's comes. Under the mutex. */
static mp__worker_t *find_vacant(mp_pool_t *pool, mp__deadline_t *next)
{
    int64_t now = mp__os_now();
    if (!needs_staff(pool))
        return NULL;
    for (uint32_t i = 0; i < pool->size; i++) {
        mp__worker_t *worker = &pool->workers[i];
        if (worker->state == MP__WORKER_VACANT && worker->start_at <= now)
            return worker;
        if (worker->state == MP__WORKER_VACANT)
            *next = mp__sooner(*next, worker->start_at);
    }
    return NULL;
}

/* Fills the vacant places, each in its time. Under the mutex, which is released meanwhile. */
static void fill_vacant(mp_pool_t *pool, mp__deadline_t *next)
{
    mp__worker_t *worker;
    while ((worker = find_vacant(pool, next)) != NULL) {
        mp__pool_unlock(pool);
        mp__local_park();
        mp_status_t status = mp__worker_start(worker);
        mp__local_unpark();
        mp__pool_lock(pool);
        if (status != MP_OK)
            mp__worker_not_started(worker);
    }
}

/* Tells the workers of a closed pool to stop when there is nothing left for them. Under the mutex. */
static void stop_idle(mp_pool_t *pool)
{
    if (pool->state != MP__POOL_CLOSED || pool->first || pool->busy)
        return;
    for (uint32_t i = 0; i < pool->size; i++) {
        mp__worker_t *worker = &pool->workers[i];
        if (worker->state == MP__WORKER_BORN || worker->state == MP__WORKER_IDLE)
            mp__worker_stop(worker);
    }
}

/* ---- the thread */

/* What follows from what happened; *next: when to look again. Under the mutex. True: nothing is left to do. */
static bool settle_down(mp_pool_t *pool, mp__deadline_t *next)
{
    look_around(pool);
    mp__pool_dispatch(pool);
    fill_vacant(pool, next);
    stop_idle(pool);
    if (pool->starving)
        *next = mp__sooner(*next, mp__os_now() + RETRY);
    return pool->state != MP__POOL_OPEN && pool->vacant == pool->size && !pool->first && !pool->calls;
}

/* The queue of reports is of no use any more: everything ends with this thread's last error. Under the mutex. */
static void fall_apart(mp_pool_t *pool)
{
    mp_error_t error = *mp_error();
    mp__pool_break(pool, &error);
    mp__pool_abandon(pool, &error);
    for (uint32_t i = 0; i < pool->size; i++)
        if (pool->workers[i].state != MP__WORKER_VACANT)
            mp_process_kill(pool->workers[i].process);
    mp__store32(&pool->look, 1);
}

/* Takes one report, if there is one, and deals with it. MP_OK, MP_TIMEOUT, or what is wrong with the queue. */
static mp_status_t take_next(mp_pool_t *pool, mp__buffer_t *report)
{
    uint64_t size;
    apr_thread_mutex_lock(pool->taking);
    mp_status_t status = mp__queue_get_item(pool->reports, MP__ITEM_BYTES, UINT64_MAX, report, &size, 0);
    if (status == MP_OK) {
        mp__pool_lock(pool);
        take_report(pool, report);
        mp__pool_unlock(pool);
    }
    apr_thread_mutex_unlock(pool->taking);
    return status;
}

static mp_status_t await_report(mp_pool_t *pool, mp__deadline_t deadline)
{
    if (mp__queue_has_items(pool->reports))
        return MP_OK;
    mp__local_park();
    mp_status_t status = mp__queue_await(pool->reports, pool->spin, deadline);
    mp__local_unpark();
    return status;
}

/* Takes one report, or waits until there is one. */
static void take_or_wait(mp_pool_t *pool, mp__buffer_t *report, mp__deadline_t deadline)
{
    mp_status_t status = await_report(pool, deadline);
    /* Also when nothing seems to be there: that is only a glance. */
    if (status == MP_OK || status == MP_TIMEOUT)
        status = take_next(pool, report);
    if (status == MP_OK || status == MP_TIMEOUT)
        return;
    mp__pool_lock(pool);
    if (status != MP_NO_MEMORY)
        fall_apart(pool);
    mp__pool_unlock(pool);
    mp__local_nap(RETRY);
}

/* The next result to be called back, or NULL. */
static mp_result_t *next_call(mp_pool_t *pool)
{
    mp__pool_lock(pool);
    mp_result_t *result = pool->calls;
    if (result) {
        pool->calls = result->next_call;
        if (!pool->calls)
            pool->last_call = &pool->calls;
    }
    mp__pool_unlock(pool);
    return result;
}

/* Takes the reports that are there, at most one a worker: so the workers are busy again before the user is called. */
static void take_all(mp_pool_t *pool, mp__buffer_t *report)
{
    for (uint32_t i = 0; i < pool->size && mp__queue_has_items(pool->reports); i++)
        if (take_next(pool, report) != MP_OK)
            return;
}

/* Is there something that only the pool's thread can do? */
static bool has_news(mp_pool_t *pool)
{
    mp__pool_lock(pool);
    bool news = pool->calls || pool->vacant || pool->starving || pool->state != MP__POOL_OPEN;
    mp__pool_unlock(pool);
    return news;
}

/* Looks at the queue until the flag is there, something else is to be done, or it was long enough. True: something
 * else. */
static bool help(mp_pool_t *pool, mp__spin_t *spin, const uint32_t *flag, uint32_t wanted, mp__deadline_t deadline)
{
    mp__buffer_t report;
    bool news = false, over = false;
    mp__buffer_init(&report);
    while (!news && !over && mp__load32(flag) < wanted) {
        if (!mp__queue_has_items(pool->reports))
            over = !mp__spin(spin, deadline);
        else
            news = take_next(pool, &report) != MP_OK || has_news(pool);
    }
    mp__buffer_fini(&report);
    return news;
}

static void help_or_not(mp_pool_t *pool, mp__spin_t *spin, const uint32_t *flag, uint32_t wanted,
                        mp__deadline_t deadline)
{
    if (!mp__may_spin() || has_news(pool))
        return;
    mp__queue_watch_begin(pool->reports);
    bool news = help(pool, spin, flag, wanted, deadline);
    mp__queue_watch_end(pool->reports);
    if (news)
        mp__pool_notify(pool);
}

mp_status_t mp__pool_await(mp_pool_t *pool, uint32_t *word, const uint32_t *flag, uint32_t wanted,
                           mp__deadline_t deadline)
{
    mp__spin_t spin = {.most = MP__SPIN_CALL};
    mp_status_t status = mp__family_join();
    if (status == MP_OK && deadline != 0)
        help_or_not(pool, &spin, flag, wanted, deadline);
    if (status == MP_OK)
        status = mp__pool_wait(word, flag, wanted, deadline);
    if (status == MP_OK)
        mp__spin_end(&spin);
    return status;
}

static void take_turns(mp_pool_t *pool)
{
    mp__buffer_t report;
    mp__buffer_init(&report);
    for (;;) {
        mp__deadline_t next = mp__os_now() + SLICE;
        mp__pool_lock(pool);
        bool done = settle_down(pool, &next), calls = pool->calls != NULL;
        mp__pool_unlock(pool);
        if (done)
            break;
        if (!calls) {
            take_or_wait(pool, &report, next);
            continue;
        }
        take_all(pool, &report);
        mp_result_t *result = next_call(pool);
        if (result)
            mp__result_call(result);
    }
    mp__buffer_fini(&report);
}

/* A thread's step, for who waits for it. */
static void reach(mp_pool_t *pool, uint32_t step)
{
    mp__store32(&pool->step, step);
    mp__pool_rouse(&pool->words[0]);
}

static void run(void *context)
{
    mp_pool_t *pool = context;
    own = pool;
    if (mp__family_join() == MP_OK) {
        reach(pool, MP__THREAD_RUNS);
        take_turns(pool);
    }
    reach(pool, MP__THREAD_DONE);
}

mp_status_t mp__pool_thread_start(mp_pool_t *pool)
{
    apr_status_t unused;
    /* A stack as for any code of the user's: callbacks run on it, and forked workers. */
    mp_status_t status = mp__local_thread(&pool->thread, 0, run, pool, pool->memory);
    if (status != MP_OK)
        return status;
    status = mp__pool_wait(&pool->words[0], &pool->step, MP__THREAD_RUNS, MP__NEVER);
    if (status == MP_OK && mp__load32(&pool->step) == MP__THREAD_RUNS)
        return MP_OK;
    apr_thread_join(&unused, pool->thread);
    return mp__error(MP_LIMIT, "start a pool's thread", "it found no place in the family");
}
