/*
 * The soak: a mixed load whose processes are killed at random, and the ledger that it keeps.
 *
 * The ledger lies in memory that the workers share with the checker. Each worker writes into its own part only: a
 * number before an operation, another one after. So when it was killed the checker knows what it was at, and which
 * operations had returned.
 */
#ifndef BENCH_SOAK_H
#define BENCH_SOAK_H

#include <multiproc.h>

#include "core/atomic.h"

#define SOAK_PATIENCE 30.0 /* seconds: nothing takes so long unless it hangs */

#define SOAK_WORKERS 16384u /* that are started in all */
#define SOAK_SERIES  65536u /* of items: a producer begins a new one when one is full */
#define SOAK_SERIALS 2048u  /* items of a series */

typedef enum soak_role {
    SOAK_PRODUCER,
    SOAK_CONSUMER,
    SOAK_LOCKER,
    SOAK_ALLOCATOR,
    SOAK_MANAGER,
    SOAK_POOL,
    SOAK_ROLES
} soak_role_t;

typedef struct soak_worker {
    uint64_t begun;    /* operations, before each */
    uint64_t returned; /* after each */
} soak_worker_t;

typedef struct soak_series {
    uint32_t producer;
    uint32_t begun;    /* puts, before each */
    uint32_t returned; /* after each that returned MP_OK */
    uint32_t spare;
    uint64_t received[SOAK_SERIALS / 64]; /* a bit for each item, set by the consumer that got it */
} soak_series_t;

typedef struct soak_ledger {
    uint32_t stop_producers, stop; /* for all but the consumers; for all */
    uint32_t series_used;
    uint32_t faults;       /* what must never be, each told on standard error */
    uint64_t twice;        /* items received more than once */
    uint64_t owner_deaths; /* locks taken over from the dead */
    /* guarded by the lock */
    uint32_t inside; /* the worker that has the lock, plus 1 */
    uint32_t halves[2];
    soak_worker_t workers[SOAK_WORKERS];
    soak_series_t series[SOAK_SERIES];
} soak_ledger_t;

/* What a worker does until it is told to stop. Its arguments: queue, lock, the ledger's name, its number, a random
 * seed. */
extern const mp_function_t soak_works[SOAK_ROLES];

/* An item that came is ticked off; false: it is damaged. */
bool soak_receive(soak_ledger_t *ledger, const uint8_t *bytes, size_t size);

#define SOAK_ITEM_MOST 100000u

static inline uint64_t soak_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t soak_below(uint64_t *state, uint64_t n)
{
    return (soak_random(state) >> 11) % n;
}

#endif
