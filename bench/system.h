/*
 * What the raw limits need of the system, without the library: a clock, memory shared with a partner process, a bell to
 * sleep on, a pipe. posix/ and win32/ implement it, file for file.
 */
#ifndef BENCH_SYSTEM_H
#define BENCH_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds. */
int64_t bench_now(void);

void bench_pause(double seconds);
void bench_yield(void);

/* Memory, zeroed, for this process and one partner at a time. */
void *bench_shared_create(size_t size);
void bench_shared_free(void *shared, size_t size);

/* What a partner does with the shared memory; each is in bench_roles (limits.h). */
typedef void bench_role_t(void *shared);

typedef struct bench_partner {
    intptr_t process;
} bench_partner_t;

/* Starts a process that does it, and ends. */
bench_partner_t bench_partner_start(bench_role_t *role, void *shared);
void bench_partner_join(bench_partner_t *partner);

/* main's first call: in a partner that was started as a new program it does not return. */
void bench_partner_main(int argc, char **argv);

/* One sleeper, one ringer, of either process; a ring is kept until the wait. In shared memory, made before the partner
 * is. No spinning: this is what the kernel's sleep and wake-up cost. */
typedef struct bench_bell {
    intptr_t handle;
    uint32_t rung;
} bench_bell_t;

void bench_bell_init(bench_bell_t *bell);
void bench_bell_wait(bench_bell_t *bell);
void bench_bell_ring(bench_bell_t *bell);
void bench_bell_fini(bench_bell_t *bell);

/* A pipe that the partner inherits. */
typedef struct bench_pipe {
    intptr_t ends[2]; /* to read, to write */
} bench_pipe_t;

void bench_pipe_open(bench_pipe_t *pipe);
void bench_pipe_read(const bench_pipe_t *pipe, void *data, size_t size);
void bench_pipe_write(const bench_pipe_t *pipe, const void *data, size_t size);
void bench_pipe_close(bench_pipe_t *pipe);

/* Times that the calling thread has gone to sleep of itself, and nanoseconds of processor that it used; -1: the system
 * does not tell. */
int64_t bench_sleeps(void);
int64_t bench_processor_time(void);

/* Descriptors or handles that this process has open; -1: the system does not tell. */
int64_t bench_open_handles(void);

/* A program that is started by the system's own means, with one argument, and its end, which is waited for. */
typedef struct bench_program {
    intptr_t process; /* POSIX: its number */
} bench_program_t;

bench_program_t bench_program_begin(const char *program, const char *argument);
void bench_program_end(bench_program_t program, bool kill_it);

/* Lets this process have so many handles open; false: it must not. */
bool bench_allow_handles(uint64_t count);

/* Bytes of memory that a process shares with nobody; -1: the system does not tell. */
int64_t bench_private_memory(int64_t process);

/* Bytes of memory that can be had; 0: the system does not tell. */
uint64_t bench_free_memory(void);

/* Runs a program and reads the number that it prints. False: it failed, or there is no such way here. */
bool bench_ask(const char *command, double *value);

/* Nanoseconds for taking and releasing the system's own lock, free; `what` says which one it is. */
double bench_raw_lock(uint64_t times);

#endif
