/* The raw limits: what the machine gives to a program that does without any library, without safety, without waiting
 * politely. */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H

#include "system.h"

/* All that partners do, up to a NULL. */
extern bench_role_t *const bench_roles[];

bench_role_t bench_ring_produce, bench_spin_answer, bench_sleep_answer, bench_pipe_produce;

/* 64-byte items a second through a ring, from one process to another. */
double bench_raw_ring(uint64_t items);

/* Nanoseconds for a word and back, both spinning. */
double bench_raw_spin(uint64_t trips);

/* Round trips of two who sleep. */
typedef struct bench_raw_sleeper bench_raw_sleeper_t;
bench_raw_sleeper_t *bench_raw_sleep_open(uint64_t trips);
int64_t bench_raw_sleep_trip(bench_raw_sleeper_t *sleeper); /* nanoseconds */
void bench_raw_sleep_close(bench_raw_sleeper_t *sleeper);   /* after all of them */

/* Bytes a second. */
double bench_raw_pipe(size_t size, uint64_t messages);
double bench_raw_memcpy(size_t size, uint64_t messages);

#endif
