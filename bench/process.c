/* Processes: start and join, beside the raw system's, from small and large parents, one after the other and side by
 * side; what a thousand of them take, and joining any of many. */
#include "bench.h"
#include "system.h"

#include "platform.h"

#include <stdlib.h>
#include <string.h>

#define STARTS    100
#define SIDE      64
#define THOUSAND  1000
#define JOINS     50
#define MIB       ((size_t)1 << 20)
#define BALLAST   (4096 * MIB)
#define TO_MICROS 1e-3

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

static mp_status_t stay(mp_call_t *call)
{
    (void)call;
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

/* ---- one start and its join */

static void run_raw(const char *program)
{
    bench_program_end(bench_program_begin(program, BENCH_BARE), false);
}

static void run_same(void)
{
    run_raw(mp__os_program_path());
}

static void run_libc(void)
{
    run_raw(BENCH_EMPTY);
}

static void run_child(const char *method)
{
    mp_process_t *process;
    bench_check(mp_set_start_method(method, true), "set the start method");
    bench_check(mp_process_start(&process, nothing, mp_args()), "start a process");
    bench_join(process);
}

static void run_spawn(void)
{
    run_child("spawn");
}

static void run_fork(void)
{
    run_child("fork");
}

static void run_forkserver(void)
{
    run_child("forkserver");
}

/* Microseconds, the median. */
static double time_of(void (*run)(void))
{
    static double times[STARTS];
    run();
    for (int i = 0; i < STARTS; i++) {
        int64_t began = bench_now();
        run();
        times[i] = (double)(bench_now() - began) * TO_MICROS;
    }
    return bench_quantile(times, STARTS, STARTS / 2);
}

static bool same_program(const bench_row_t *row, double *value)
{
    (void)row;
    *value = time_of(run_same);
    return true;
}

static bool libc_only(const bench_row_t *row, double *value)
{
    (void)row;
    *value = time_of(run_libc);
    return true;
}

static bool spawned(const bench_row_t *row, double *value)
{
    (void)row;
    *value = time_of(run_spawn);
    return true;
}

static bool has_method(const char *name)
{
    for (const char *const *method = mp_all_start_methods(); *method; method++)
        if (strcmp(*method, name) == 0)
            return true;
    return false;
}

static bool forked(const bench_row_t *row, double *value)
{
    (void)row;
    if (!has_method("fork"))
        return false;
    *value = time_of(run_fork);
    return true;
}

static bool by_forkserver(const bench_row_t *row, double *value)
{
    (void)row;
    if (!has_method("forkserver"))
        return false;
    *value = time_of(run_forkserver);
    return true;
}

/* ---- what the parent holds */

static bool with_ballast(size_t size, double *value)
{
    char *ballast = malloc(size);
    if (!ballast || bench_free_memory() < 2 * (uint64_t)size) {
        free(ballast);
        return false;
    }
    memset(ballast, 1, size);
    *value = time_of(run_spawn);
    volatile char last = ballast[size - 1]; /* it was needed until here */
    (void)last;
    free(ballast);
    return true;
}

static bool from_small(const bench_row_t *row, double *value)
{
    (void)row;
    return with_ballast(10 * MIB, value);
}

static bool from_large(const bench_row_t *row, double *value)
{
    (void)row;
    return sizeof(size_t) > 4 && with_ballast((size_t)BALLAST, value);
}

/* ---- many */

static bool one_by_one(const bench_row_t *row, double *value)
{
    (void)row;
    run_spawn();
    int64_t began = bench_now();
    for (int i = 0; i < SIDE; i++)
        run_spawn();
    *value = (double)(bench_now() - began) * TO_MICROS / SIDE;
    return true;
}

static void begin_many(mp_process_t **processes, int n, mp_function_t function)
{
    bench_check(mp_set_start_method("spawn", true), "set the start method");
    for (int i = 0; i < n; i++)
        bench_check(mp_process_start_begin(&processes[i], function, mp_args(), NULL), "begin a start");
}

static bool side_by_side(const bench_row_t *row, double *value)
{
    mp_process_t *processes[SIDE];
    (void)row;
    run_spawn();
    int64_t began = bench_now();
    begin_many(processes, SIDE, nothing);
    for (int i = 0; i < SIDE; i++)
        bench_join(processes[i]);
    *value = (double)(bench_now() - began) * TO_MICROS / SIDE;
    return true;
}

static mp_process_t *thousand[THOUSAND];

static void start_many(int n)
{
    if (!bench_allow_handles(THOUSAND + 200))
        bench_fail("the system allows too few handles");
    begin_many(thousand, n, stay);
    for (int i = 0; i < n; i++)
        bench_check(mp_process_start_wait(thousand[i], BENCH_PATIENCE), "wait for a start");
}

static void kill_and_join(mp_process_t *process)
{
    bench_check(mp_process_kill(process), "kill a process");
    bench_check(mp_process_join(process, BENCH_PATIENCE), "join a process");
    bench_check(mp_process_close(process), "close a process");
}

static void end_many(int n)
{
    for (int i = 0; i < n; i++)
        bench_check(mp_process_kill(thousand[i]), "kill a process");
    for (int i = 0; i < n; i++)
        kill_and_join(thousand[i]);
}

/* KiB of a child's that are on top of this program's, before its first line. */
static bool private_memory(const bench_row_t *row, double *value)
{
    (void)row;
    bench_program_t empty = bench_program_begin(mp__os_program_path(), BENCH_STAY);
    bench_pause(0.2);
    int64_t least = bench_private_memory(empty.process);
    bench_program_end(empty, true);
    if (least < 0)
        return false;
    start_many(THOUSAND);
    double sum = 0;
    for (int i = 0; i < THOUSAND; i++)
        sum += (double)(bench_private_memory(mp_process_pid(thousand[i])) - least);
    *value = sum / THOUSAND / 1024;
    end_many(THOUSAND);
    return true;
}

/* From the kill of one to the end of its join, for who waits for any. */
static double time_of_any(int n)
{
    static mp_value_t objects[THOUSAND];
    static bool ready[THOUSAND];
    static double times[JOINS];
    start_many(n);
    for (int i = 0; i < JOINS; i++) {
        int which = (i * 617 + n / 2) % n;
        for (int k = 0; k < n; k++)
            objects[k] = mp_of(thousand[k]);
        int64_t began = bench_now();
        bench_check(mp_process_kill(thousand[which]), "kill a process");
        bench_check(mp_wait(objects, (size_t)n, ready, BENCH_PATIENCE), "wait for any");
        for (int k = 0; k < n; k++)
            if (ready[k])
                bench_check(mp_process_join(thousand[k], 0), "join a process");
        times[i] = (double)(bench_now() - began) * TO_MICROS;
        bench_check(mp_process_close(thousand[which]), "close a process");
        begin_many(&thousand[which], 1, stay);
        bench_check(mp_process_start_wait(thousand[which], BENCH_PATIENCE), "wait for a start");
    }
    end_many(n);
    return bench_quantile(times, JOINS, JOINS / 2);
}

static bool any_of_ten(const bench_row_t *row, double *value)
{
    (void)row;
    *value = time_of_any(10);
    return true;
}

static bool any_of_thousand(const bench_row_t *row, double *value)
{
    (void)row;
    *value = time_of_any(THOUSAND);
    return true;
}

static const bench_row_t rows[] = {
    {"limit.process.same_program", "us", same_program, NULL, false},
    {"limit.process.libc_only", "us", libc_only, NULL, false},
    {"mp.process.spawn", "us", spawned, NULL, false},
    {"mp.process.spawn.lean", "us", bench_peer, "lean", false},
    {"mp.process.fork", "us", forked, NULL, false},
    {"mp.process.forkserver", "us", by_forkserver, NULL, false},
    {"mp.process.from_10_mib", "us", from_small, NULL, false},
    {"mp.process.from_4_gib", "us", from_large, NULL, false},
    {"mp.process.one_by_one", "us", one_by_one, NULL, false},
    {"mp.process.side_by_side", "us", side_by_side, NULL, false},
    {"mp.process.private_memory", "KiB", private_memory, NULL, true},
    {"mp.process.any_of_10", "us", any_of_ten, NULL, true},
    {"mp.process.any_of_1000", "us", any_of_thousand, NULL, true},
    {"peer.python.process.spawn", "us", bench_peer, "python spawn", false},
    {"peer.python.process.fork", "us", bench_peer, "python fork", false},
    {0},
};

static const bench_ratio_t ratios[] = {
    {"ratio.process.same_program", "mp.process.spawn", "limit.process.same_program", 1.3, true},
    {"ratio.process.libc_only", "mp.process.spawn.lean", "limit.process.libc_only", 1.6, true},
    {"ratio.process.forkserver", "mp.process.forkserver", "mp.process.spawn", 0.5, true},
    {"ratio.process.large_parent", "mp.process.from_4_gib", "mp.process.from_10_mib", 1.3, true},
    {"ratio.process.side_by_side", "mp.process.one_by_one", "mp.process.side_by_side", 1.5, false},
    {"ratio.process.private_memory", "mp.process.private_memory", NULL, 1024, true},
    {"ratio.process.any_of_1000", "mp.process.any_of_1000", "mp.process.any_of_10", 5, true},
    {"ratio.process.python_spawn", "peer.python.process.spawn", "mp.process.spawn", 20, false},
    {"ratio.process.python_fork", "peer.python.process.fork", "mp.process.fork", 2, false},
    {0},
};

const bench_subject_t bench_process = {rows, ratios};
