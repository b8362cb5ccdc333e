/* Who waits leaves the machine alone: wake-ups while blocked, and what spinning before a sleep costs. */
#include "bench.h"
#include "system.h"

#define SECONDS 3.0
#define WAITS   200

typedef mp_status_t wait_t(void *object, double timeout);

static mp_status_t get(void *queue, double timeout)
{
    mp_value_t value;
    return mp_queue_get(queue, &value, timeout);
}

static mp_status_t put(void *queue, double timeout)
{
    return mp_queue_put(queue, 1, timeout);
}

static mp_status_t acquire(void *lock, double timeout)
{
    return mp_lock_acquire(lock, timeout);
}

static mp_status_t join(void *process, double timeout)
{
    return mp_process_join(process, timeout);
}

static bool wake_ups(wait_t *wait, void *object, double *value)
{
    int64_t before = bench_sleeps();
    if (wait(object, SECONDS) != MP_TIMEOUT)
        bench_fail("a wait ended before its time");
    *value = (double)(bench_sleeps() - before - 1) / SECONDS; /* the last one was the deadline's */
    return before >= 0;
}

static bool at_queue(wait_t *wait, double *value)
{
    mp_queue_t *queue;
    bench_check(mp_queue_create(&queue, 1), "make a queue");
    if (wait == put)
        bench_check(mp_queue_put(queue, 1, 0), "fill a queue");
    bool known = wake_ups(wait, queue, value);
    mp_queue_close(queue);
    return known;
}

static bool at_empty(const bench_row_t *row, double *value)
{
    (void)row;
    return at_queue(get, value);
}

static bool at_full(const bench_row_t *row, double *value)
{
    (void)row;
    return at_queue(put, value);
}

/* arguments: lock, to say that it is held, to be told to let go */
static mp_status_t hold(mp_call_t *call)
{
    mp_lock_t *lock = mp_arg_lock(call, 0);
    mp_queue_t *held = mp_arg_queue(call, 1), *over = mp_arg_queue(call, 2);
    bench_check(mp_call_status(call), "take arguments");
    bench_check(mp_lock_acquire(lock, BENCH_PATIENCE), "take a lock");
    bench_check(mp_queue_put(held, 1, BENCH_PATIENCE), "put");
    bench_check(get(over, BENCH_PATIENCE), "get");
    return mp_lock_release(lock);
}

/* The lock that a process holds, or the process. */
static bool at_holder(wait_t *wait, double *value)
{
    mp_lock_t *lock;
    mp_queue_t *held, *over;
    bench_check(mp_lock_create(&lock), "make a lock");
    bench_check(mp_queue_create(&held, 0), "make a queue");
    bench_check(mp_queue_create(&over, 0), "make a queue");
    mp_process_t *holder = bench_start(hold, mp_args(lock, held, over));
    bench_check(get(held, BENCH_PATIENCE), "get");
    bool known = wake_ups(wait, wait == acquire ? (void *)lock : (void *)holder, value);
    bench_check(mp_queue_put(over, 1, BENCH_PATIENCE), "put");
    bench_join(holder);
    mp_queue_close(over);
    mp_queue_close(held);
    mp_lock_close(lock);
    return known;
}

static bool at_lock(const bench_row_t *row, double *value)
{
    (void)row;
    return at_holder(acquire, value);
}

static bool at_process(const bench_row_t *row, double *value)
{
    (void)row;
    return at_holder(join, value);
}

/* Processor time of one wait that is in vain: spinning, and the sleep itself. */
static bool spin(const bench_row_t *row, double *value)
{
    static double times[WAITS];
    mp_queue_t *queue;
    (void)row;
    bench_check(mp_queue_create(&queue, 0), "make a queue");
    for (int i = 0; i < WAITS; i++) {
        int64_t before = bench_processor_time();
        get(queue, 0.001);
        times[i] = (double)(bench_processor_time() - before) / 1000;
    }
    *value = bench_quantile(times, WAITS, WAITS / 2);
    mp_queue_close(queue);
    return bench_processor_time() >= 0;
}

static const bench_row_t rows[] = {
    {"mp.idle.queue_get", "wake-ups/s", at_empty, NULL, true},
    {"mp.idle.queue_put", "wake-ups/s", at_full, NULL, true},
    {"mp.idle.lock", "wake-ups/s", at_lock, NULL, true},
    {"mp.idle.join", "wake-ups/s", at_process, NULL, true},
    {"mp.idle.spin", "us", spin, NULL, false},
    {0},
};

static const bench_ratio_t ratios[] = {
    {"ratio.idle.queue_get", "mp.idle.queue_get", NULL, 2, true},
    {"ratio.idle.queue_put", "mp.idle.queue_put", NULL, 2, true},
    {"ratio.idle.lock", "mp.idle.lock", NULL, 2, true},
    {"ratio.idle.join", "mp.idle.join", NULL, 2, true},
    {"ratio.idle.spin", "mp.idle.spin", NULL, 50, true},
    {0},
};

const bench_subject_t bench_idle = {rows, ratios};
