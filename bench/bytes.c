/* Messages of 1 MiB from one process to another. */
#include "bench.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

#define SIZE     ((size_t)1 << 20)
#define MESSAGES UINT64_C(200)
#define LENT     UINT64_C(1000)
#define WARM     UINT64_C(16)
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

/* arguments: queue, how many. Each is written where it lies: by one copy, as the limit's. */
static mp_status_t produce_lent(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    uint64_t messages = mp_arg_uint(call, 1);
    bench_check(mp_call_status(call), "take arguments");
    char *message = new_message();
    for (uint64_t i = 0; i < messages; i++) {
        mp_lent_t lent;
        bench_check(mp_queue_reserve(queue, SIZE, &lent, BENCH_PATIENCE), "reserve");
        message[0] = (char)i;
        memcpy(lent.data, message, SIZE);
        bench_check(mp_queue_commit(queue, &lent, SIZE, BENCH_PATIENCE), "commit");
    }
    free(message);
    return MP_OK;
}

/* And it is read where it lies. */
static void look(mp_queue_t *queue, uint64_t i)
{
    mp_lent_t lent;
    bench_check(mp_queue_get_lent(queue, &lent, BENCH_PATIENCE), "get");
    const char *message = lent.data;
    if (lent.size != SIZE || message[0] != (char)i || message[SIZE - 1] != 1)
        bench_fail("another message came");
    bench_check(mp_lent_return(&lent), "return what was lent");
}

static bool lent(const bench_row_t *row, double *value)
{
    mp_queue_t *queue;
    (void)row;
    bench_check(mp_queue_create(&queue, BOUND), "make a queue");
    mp_process_t *producer = bench_start(produce_lent, mp_args(queue, LENT + WARM));
    for (uint64_t i = 0; i < WARM; i++)
        look(queue, i);
    int64_t began = bench_now();
    for (uint64_t i = WARM; i < LENT + WARM; i++)
        look(queue, i);
    *value = (double)(SIZE * LENT) * 1e9 / (double)(bench_now() - began);
    bench_join(producer);
    mp_queue_close(queue);
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
    *value = bench_raw_memcpy(SIZE, LENT);
    return true;
}

static const bench_row_t rows[] = {
    {"limit.bytes.pipe", "B/s", pipe_limit, NULL, false},
    {"limit.bytes.memcpy", "B/s", memcpy_limit, NULL, false},
    {"mp.bytes", "B/s", copied, NULL, false},
    {"mp.bytes.lent", "B/s", lent, NULL, false},
    {"peer.python.bytes", "B/s", bench_peer, "python bytes", false},
    {0},
};

static const bench_ratio_t ratios[] = {
    {"ratio.bytes", "mp.bytes", "limit.bytes.pipe", 2, false},
    {"ratio.bytes.lent", "mp.bytes.lent", "limit.bytes.memcpy", 0.8, false},
    {0},
};

const bench_subject_t bench_bytes = {rows, ratios};
