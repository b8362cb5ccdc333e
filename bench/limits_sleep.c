/* The limit of waking: two processes that sleep in the kernel, and nothing else. */
#include "limits.h"

#include <string.h>

struct bench_raw_sleeper {
    uint64_t trips;
    bench_bell_t there, back;
    uint8_t item[64], answer[64];
    bench_partner_t partner;
};

void bench_sleep_answer(void *shared)
{
    bench_raw_sleeper_t *sleeper = shared;
    uint64_t trips = sleeper->trips;
    for (uint64_t i = 0; i < trips; i++) {
        bench_bell_wait(&sleeper->there);
        memcpy(sleeper->answer, sleeper->item, sizeof sleeper->answer);
        bench_bell_ring(&sleeper->back);
    }
}

bench_raw_sleeper_t *bench_raw_sleep_open(uint64_t trips)
{
    bench_raw_sleeper_t *sleeper = bench_shared_create(sizeof *sleeper);
    sleeper->trips = trips;
    bench_bell_init(&sleeper->there);
    bench_bell_init(&sleeper->back);
    sleeper->partner = bench_partner_start(bench_sleep_answer, sleeper);
    return sleeper;
}

int64_t bench_raw_sleep_trip(bench_raw_sleeper_t *sleeper)
{
    int64_t began = bench_now();
    memcpy(sleeper->item, &began, sizeof began);
    bench_bell_ring(&sleeper->there);
    bench_bell_wait(&sleeper->back);
    return bench_now() - began;
}

void bench_raw_sleep_close(bench_raw_sleeper_t *sleeper)
{
    bench_partner_join(&sleeper->partner);
    bench_bell_fini(&sleeper->there);
    bench_bell_fini(&sleeper->back);
    bench_shared_free(sleeper, sizeof *sleeper);
}
