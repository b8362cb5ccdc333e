/*
 * The bench: subjects, each with its rows. In every round each row of a subject is measured once, one after the other,
 * so that what else the machine does meets all of them; the medians over the rounds are what counts.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <multiproc.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct bench_row {
    const char *name; /* limit.*: the raw system; mp.*: the library; peer.*: others */
    const char *unit;
    bool (*measure)(const struct bench_row *row, double *value); /* false: it is not to be had here */
    const char *peer;                                            /* a peer's command */
    bool once;                                                   /* in the first round only */
} bench_row_t;

/* What the library promises: a figure, or how it compares with another. */
typedef struct bench_ratio {
    const char *name;
    const char *of;
    const char *by; /* NULL: the figure itself counts */
    double floor;
    bool at_most; /* else: at least */
} bench_ratio_t;

typedef struct bench_subject {
    const bench_row_t *rows; /* up to a NULL name */
    const bench_ratio_t *ratios;
} bench_subject_t;

extern const bench_subject_t bench_lock, bench_queue, bench_trip, bench_bytes, bench_create, bench_idle, bench_wait,
    bench_process;

/* Seconds for what must happen: no figure takes so long, so who waits longer has found a fault. */
#define BENCH_PATIENCE 60.0

/* This program as others see it who start it without the library: with this argument it ends at once, or stays until it
 * is killed. */
#define BENCH_BARE "--bench-bare"
#define BENCH_STAY "--bench-stay"

/* Says so, and ends the program. */
void bench_fail(const char *what);
void bench_check(mp_status_t status, const char *what);

/* A process of the library, and its end, which must be a good one. */
mp_process_t *bench_start(mp_function_t function, mp_args_t args);
void bench_join(mp_process_t *process);

/* A row of a peer: peers/ has the programs. */
bool bench_peer(const bench_row_t *row, double *value);

/* The k-th of n. Sorts. */
double bench_quantile(double *values, size_t n, size_t k);

#endif
