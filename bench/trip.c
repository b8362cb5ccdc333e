/* Round trips of 64 bytes between two processes: hot, and with the partner asleep before each. */
#include "bench.h"
#include "limits.h"

#define SPIN_TRIPS  UINT64_C(100000)
#define HOT_TRIPS   UINT64_C(20000)
#define SLEEP_TRIPS 200u /* a round */
#define ASLEEP      0.005

/* arguments: there, back, how many */
static mp_status_t answer(mp_call_t *call)
{
    mp_queue_t *there = mp_arg_queue(call, 0), *back = mp_arg_queue(call, 1);
    uint64_t trips = mp_arg_uint(call, 2);
    bench_check(mp_call_status(call), "take arguments");
    for (uint64_t i = 0; i < trips; i++) {
        char item[64];
        size_t size = sizeof item;
        bench_check(mp_queue_get_bytes(there, item, &size, BENCH_PATIENCE), "get");
        bench_check(mp_queue_put_bytes(back, item, size, BENCH_PATIENCE), "put");
    }
    return MP_OK;
}

typedef struct court {
    mp_queue_t *there, *back;
    mp_process_t *partner;
} court_t;

static int64_t serve(court_t *court)
{
    char item[64] = {0};
    size_t size = sizeof item;
    int64_t began = bench_now();
    bench_check(mp_queue_put_bytes(court->there, item, size, BENCH_PATIENCE), "put");
    bench_check(mp_queue_get_bytes(court->back, item, &size, BENCH_PATIENCE), "get");
    return bench_now() - began;
}

/* The first trip is over when it returns. */
static void open_court(court_t *court, uint64_t trips)
{
    bench_check(mp_queue_create(&court->there, 0), "make a queue");
    bench_check(mp_queue_create(&court->back, 0), "make a queue");
    court->partner = bench_start(answer, mp_args(court->there, court->back, trips + 1));
    serve(court);
}

static void close_court(court_t *court)
{
    bench_join(court->partner);
    mp_queue_close(court->there);
    mp_queue_close(court->back);
}

static bool raw_hot(const bench_row_t *row, double *value)
{
    (void)row;
    *value = bench_raw_spin(SPIN_TRIPS);
    return true;
}

static bool hot(const bench_row_t *row, double *value)
{
    court_t court;
    (void)row;
    open_court(&court, HOT_TRIPS);
    int64_t began = bench_now();
    for (uint64_t i = 0; i < HOT_TRIPS; i++)
        serve(&court);
    *value = (double)(bench_now() - began) / (double)HOT_TRIPS;
    close_court(&court);
    return true;
}

/* Both kinds, one trip of each in turn; the medians are kept for the two rows. */
static double asleep_medians[2];
static bool asleep_known[2];

static void measure_asleep(void)
{
    static double raw[SLEEP_TRIPS], library[SLEEP_TRIPS];
    court_t court;
    bench_raw_sleeper_t *sleeper = bench_raw_sleep_open(SLEEP_TRIPS);
    open_court(&court, SLEEP_TRIPS);
    for (unsigned i = 0; i < SLEEP_TRIPS; i++) {
        bench_pause(ASLEEP);
        raw[i] = (double)bench_raw_sleep_trip(sleeper);
        bench_pause(ASLEEP);
        library[i] = (double)serve(&court);
    }
    close_court(&court);
    bench_raw_sleep_close(sleeper);
    asleep_medians[0] = bench_quantile(raw, SLEEP_TRIPS, SLEEP_TRIPS / 2);
    asleep_medians[1] = bench_quantile(library, SLEEP_TRIPS, SLEEP_TRIPS / 2);
    asleep_known[0] = asleep_known[1] = true;
}

static double asleep_median(int which)
{
    if (!asleep_known[which])
        measure_asleep();
    asleep_known[which] = false;
    return asleep_medians[which];
}

static bool raw_asleep(const bench_row_t *row, double *value)
{
    (void)row;
    *value = asleep_median(0);
    return true;
}

static bool asleep(const bench_row_t *row, double *value)
{
    (void)row;
    *value = asleep_median(1);
    return true;
}

static const bench_row_t rows[] = {
    {"limit.trip", "ns", raw_hot, NULL, false},
    {"mp.trip", "ns", hot, NULL, false},
    {"peer.zeromq.trip", "ns", bench_peer, "zeromq trip", false},
    {"peer.python.trip", "ns", bench_peer, "python trip", false},
    {"limit.trip.asleep", "ns", raw_asleep, NULL, false},
    {"mp.trip.asleep", "ns", asleep, NULL, false},
    {0},
};

static const bench_ratio_t ratios[] = {
    {"ratio.trip", "mp.trip", "limit.trip", 3, true},
    {"ratio.trip.asleep", "mp.trip.asleep", "limit.trip.asleep", 1.3, true},
    {0},
};

const bench_subject_t bench_trip = {rows, ratios};
