/* Messages of 1 MiB from one process to another. */
#include "bench.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

#define SIZE     ((size_t)1 << 20)
#define MESSAGES UINT64_C(200)
#define BOUND    4u

static char *new_message(void)
{
    char *message = malloc(SIZE);
    if (!message)
        bench_fail("no memory");
    memset(message, 1, SIZE);
    return message;
}

/* arguments: queue, how many */
static mp_status_t produce(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    uint64_t messages = mp_arg_uint(call, 1);
    bench_check(mp_call_status(call), "take arguments");
    char *message = new_message();
    for (uint64_t i = 0; i < messages; i++)
        bench_check(mp_queue_put_bytes(queue, message, SIZE, BENCH_PATIENCE), "put");
    free(message);
    return MP_OK;
}

static void get(mp_queue_t *queue, char *message)
{
    size_t size = SIZE;
    bench_check(mp_queue_get_bytes(queue, message, &size, BENCH_PATIENCE), "get");
}

static bool copied(const bench_row_t *row, double *value)
{
    mp_queue_t *queue;
    char *message = new_message();
    (void)row;
    bench_check(mp_queue_create(&queue, BOUND), "make a queue");
    mp_process_t *producer = bench_start(produce, mp_args(queue, MESSAGES + 1));
    get(queue, message);
    int64_t began = bench_now();
    for (uint64_t i = 0; i < MESSAGES; i++)
        get(queue, message);
    *value = (double)(SIZE * MESSAGES) * 1e9 / (double)(bench_now() - began);
    bench_join(producer);
    mp_queue_close(queue);
    free(message);
    return true;
}

static bool pipe_limit(const bench_row_t *row, double *value)
{
    (void)row;
    *value = bench_raw_pipe(SIZE, MESSAGES);
    return true;
}

static bool memcpy_limit(const bench_row_t *row, double *value)
{
    (void)row;
    *value = bench_raw_memcpy(SIZE, MESSAGES);
    return true;
}

static const bench_row_t rows[] = {
    {"limit.bytes.pipe", "B/s", pipe_limit, NULL, false},
    {"limit.bytes.memcpy", "B/s", memcpy_limit, NULL, false},
    {"mp.bytes", "B/s", copied, NULL, false},
    {"peer.python.bytes", "B/s", bench_peer, "python bytes", false},
    {0},
};

static const bench_ratio_t ratios[] = {
    {"ratio.bytes", "mp.bytes", "limit.bytes.pipe", 2, false},
    {0},
};

const bench_subject_t bench_bytes = {rows, ratios};
