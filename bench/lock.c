/* Locks: a free one, taken and released. */
#include "bench.h"
#include "system.h"

#define TIMES UINT64_C(2000000)

static bool raw(const bench_row_t *row, double *value)
{
    (void)row;
    *value = bench_raw_lock(TIMES);
    return true;
}

static bool library(const bench_row_t *row, double *value)
{
    mp_lock_t *lock;
    (void)row;
    bench_check(mp_lock_create(&lock), "make a lock");
    int64_t began = bench_now();
    for (uint64_t i = 0; i < TIMES; i++) {
        mp_lock_acquire(lock, MP_FOREVER);
        mp_lock_release(lock);
    }
    *value = (double)(bench_now() - began) / (double)TIMES;
    bench_check(mp_lock_close(lock), "close a lock");
    return true;
}

static const bench_row_t rows[] = {
    {"limit.lock", "ns", raw, NULL, false},
    {"mp.lock", "ns", library, NULL, false},
    {"peer.python.lock", "ns", bench_peer, "python lock", false},
    {0},
};

static const bench_ratio_t ratios[] = {
    {"ratio.lock", "mp.lock", "limit.lock", 1.0, true},
    {"ratio.lock.ns", "mp.lock", NULL, 1000, true},
    {0},
};

const bench_subject_t bench_lock = {rows, ratios};
