/* Queues of small items: from some processes to others, and within one. */
#include "bench.h"
#include "limits.h"

#define RING_ITEMS UINT64_C(4000000)
#define ITEMS      UINT64_C(500000) /* through a queue of the library, from process to process */
#define SELF_TIMES UINT64_C(500000)
#define BOUND      1024u

enum { BYTES, VALUES };

static void put(mp_queue_t *queue, int what)
{
    static const char item[64];
    bench_check(what == VALUES ? mp_queue_put(queue, mp_list(42, MP_NONE, "hello"), BENCH_PATIENCE)
                               : mp_queue_put_bytes(queue, item, sizeof item, BENCH_PATIENCE),
                "put");
}

static void get(mp_queue_t *queue, int what)
{
    char item[64];
    size_t size = sizeof item;
    mp_value_t value;
    if (what == VALUES) {
        bench_check(mp_queue_get(queue, &value, BENCH_PATIENCE), "get");
        mp_value_free(&value);
    } else {
        bench_check(mp_queue_get_bytes(queue, item, &size, BENCH_PATIENCE), "get");
    }
}

/* arguments: queue, gate, done, what, how many, is it a producer? */
static mp_status_t work(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0), *gate = mp_arg_queue(call, 1), *done = mp_arg_queue(call, 2);
    int what = (int)mp_arg_int(call, 3);
    uint64_t items = mp_arg_uint(call, 4);
    bool producer = mp_arg_bool(call, 5);
    bench_check(mp_call_status(call), "take arguments");
    put(done, BYTES); /* ready */
    get(gate, BYTES);
    for (uint64_t i = 0; i < items; i++)
        producer ? put(queue, what) : get(queue, what);
    put(done, BYTES);
    return MP_OK;
}

static mp_queue_t *new_queue(uint64_t bound)
{
    mp_queue_t *queue;
    bench_check(mp_queue_create(&queue, bound), "make a queue");
    return queue;
}

/* Items a second from n producers to n consumers. */
static double through(unsigned n, int what)
{
    mp_queue_t *queue = new_queue(BOUND), *gate = new_queue(0), *done = new_queue(0);
    mp_process_t *workers[4];
    for (unsigned i = 0; i < 2 * n; i++)
        workers[i] = bench_start(work, mp_args(queue, gate, done, what, ITEMS / n, mp_bool(i < n)));
    for (unsigned i = 0; i < 2 * n; i++)
        get(done, BYTES);
    int64_t began = bench_now();
    for (unsigned i = 0; i < 2 * n; i++)
        put(gate, BYTES);
    for (unsigned i = 0; i < 2 * n; i++)
        get(done, BYTES);
    double rate = (double)(ITEMS / n * n) * 1e9 / (double)(bench_now() - began);
    for (unsigned i = 0; i < 2 * n; i++)
        bench_join(workers[i]);
    mp_queue_close(done);
    mp_queue_close(gate);
    mp_queue_close(queue);
    return rate;
}

static bool ring(const bench_row_t *row, double *value)
{
    (void)row;
    *value = bench_raw_ring(RING_ITEMS);
    return true;
}

static bool one_to_one(const bench_row_t *row, double *value)
{
    (void)row;
    *value = through(1, BYTES);
    return true;
}

static bool two_to_two(const bench_row_t *row, double *value)
{
    (void)row;
    *value = through(2, BYTES);
    return true;
}

static bool values(const bench_row_t *row, double *value)
{
    (void)row;
    *value = through(1, VALUES);
    return true;
}

static bool within(const bench_row_t *row, double *value)
{
    mp_queue_t *queue = new_queue(BOUND);
    (void)row;
    int64_t began = bench_now();
    for (uint64_t i = 0; i < SELF_TIMES; i++) {
        put(queue, BYTES);
        get(queue, BYTES);
    }
    *value = (double)(bench_now() - began) / (double)SELF_TIMES;
    mp_queue_close(queue);
    return true;
}

static bool reference(const bench_row_t *row, double *value)
{
    mp_queue_t *queue = new_queue(BOUND);
    mp_lock_t *lock;
    (void)row;
    bench_check(mp_lock_create(&lock), "make a lock");
    int64_t began = bench_now();
    for (uint64_t i = 0; i < SELF_TIMES; i++) {
        bench_check(mp_queue_put(queue, lock, BENCH_PATIENCE), "put");
        get(queue, VALUES);
    }
    *value = (double)(bench_now() - began) / (double)SELF_TIMES;
    mp_lock_close(lock);
    mp_queue_close(queue);
    return true;
}

static const bench_row_t rows[] = {
    {"limit.queue", "items/s", ring, NULL, false},
    {"mp.queue", "items/s", one_to_one, NULL, false},
    {"mp.queue.2x2", "items/s", two_to_two, NULL, false},
    {"mp.queue.value", "items/s", values, NULL, false},
    {"mp.queue.self", "ns", within, NULL, false},
    {"mp.queue.reference", "ns", reference, NULL, false},
    {"peer.boost.queue", "items/s", bench_peer, "boost queue", false},
    {"peer.zeromq.queue", "items/s", bench_peer, "zeromq queue", false},
    {"peer.posix_mq.queue", "items/s", bench_peer, "posix_mq queue", false},
    {"peer.python.queue", "items/s", bench_peer, "python queue", false},
    {"peer.python.queue.value", "items/s", bench_peer, "python value", false},
    {0},
};

static const bench_ratio_t ratios[] = {
    {"ratio.queue", "mp.queue", "limit.queue", 0.12, false},
    {"ratio.queue.boost", "mp.queue", "peer.boost.queue", 3, false},
    {"ratio.queue.python", "mp.queue", "peer.python.queue", 50, false},
    {"ratio.queue.2x2", "mp.queue.2x2", "mp.queue", 0.5, false},
    {"ratio.queue.value", "mp.queue.value", NULL, 5e6, false},
    {"ratio.queue.reference", "mp.queue.reference", NULL, 1000, true},
    {"ratio.queue.self.ns", "mp.queue.self", NULL, 2000, true},
    {0},
};

const bench_subject_t bench_queue = {rows, ratios};
