/* The limit of round trips, hot: two processes that look at each other's cache line all the time. */
#include "limits.h"

#include "core/atomic.h"

typedef struct court {
    uint64_t trips;
    uint64_t pad[7];
    uint64_t there[8]; /* a number, and what else fills 64 bytes */
    uint64_t back[8];
} court_t;

static void await(const uint64_t *word, uint64_t number)
{
    for (unsigned rounds = 1; mp__load64(word) != number; rounds++) {
        if (rounds % 10000 == 0)
            bench_yield();
        mp__cpu_relax();
    }
}

void bench_spin_answer(void *shared)
{
    court_t *court = shared;
    uint64_t trips = court->trips;
    for (uint64_t i = 1; i <= trips; i++) {
        await(court->there, i);
        mp__store64(court->back, i);
    }
}

static void serve(court_t *court, uint64_t from, uint64_t upto)
{
    for (uint64_t i = from; i <= upto; i++) {
        mp__store64(court->there, i);
        await(court->back, i);
    }
}

double bench_raw_spin(uint64_t trips)
{
    court_t *court = bench_shared_create(sizeof *court);
    court->trips = trips + 1;
    bench_partner_t partner = bench_partner_start(bench_spin_answer, court);
    serve(court, 1, 1);
    int64_t began = bench_now();
    serve(court, 2, trips + 1);
    double each = (double)(bench_now() - began) / (double)trips;
    bench_partner_join(&partner);
    bench_shared_free(court, sizeof *court);
    return each;
}
