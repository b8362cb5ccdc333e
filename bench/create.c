/* Making and closing objects, warm: the time, and what stays open meanwhile. */
#include "bench.h"
#include "system.h"

#define TIMES   UINT64_C(100000)
#define OBJECTS 100u

static void make_lock(void)
{
    mp_lock_t *lock;
    bench_check(mp_lock_create(&lock), "make a lock");
    bench_check(mp_lock_close(lock), "close a lock");
}

static void make_queue(void)
{
    mp_queue_t *queue;
    bench_check(mp_queue_create(&queue, 0), "make a queue");
    bench_check(mp_queue_close(queue), "close a queue");
}

static double time_of(void (*make)(void))
{
    for (int i = 0; i < 1000; i++)
        make();
    int64_t began = bench_now();
    for (uint64_t i = 0; i < TIMES; i++)
        make();
    return (double)(bench_now() - began) / (double)TIMES;
}

static bool lock(const bench_row_t *row, double *value)
{
    (void)row;
    *value = time_of(make_lock);
    return true;
}

static bool queue(const bench_row_t *row, double *value)
{
    (void)row;
    *value = time_of(make_queue);
    return true;
}

/* Handles that so many locks and queues have open. */
static bool handles(const bench_row_t *row, double *value)
{
    static mp_lock_t *locks[OBJECTS];
    static mp_queue_t *queues[OBJECTS];
    (void)row;
    make_queue();
    int64_t before = bench_open_handles();
    for (unsigned i = 0; i < OBJECTS; i++) {
        bench_check(mp_lock_create(&locks[i]), "make a lock");
        bench_check(mp_queue_create(&queues[i], 0), "make a queue");
    }
    *value = (double)(bench_open_handles() - before);
    for (unsigned i = 0; i < OBJECTS; i++) {
        mp_lock_close(locks[i]);
        mp_queue_close(queues[i]);
    }
    return before >= 0;
}

static const bench_row_t rows[] = {
    {"mp.create.lock", "ns", lock, NULL, false},
    {"mp.create.queue", "ns", queue, NULL, false},
    {"mp.create.handles", "of 200 objects", handles, NULL, true},
    {0},
};

static const bench_ratio_t ratios[] = {
    {"ratio.create.lock", "mp.create.lock", NULL, 300, true},
    {"ratio.create.queue", "mp.create.queue", NULL, 2000, true},
    {"ratio.create.handles", "mp.create.handles", NULL, 0, true},
    {0},
};

const bench_subject_t bench_create = {rows, ratios};
