/* Waiting for any of a thousand objects of all kinds: how soon the one that becomes ready is found, and how often the
 * waiter wakes while nothing happens. */
#include "bench.h"
#include "system.h"

#define MANY    1000
#define TRIES   200
#define PAUSE   0.002 /* before each, so that the waiter sleeps */
#define SECONDS 3.0
#define NO_MORE (-1)

static struct {
    mp_value_t objects[MANY];
    bool ready[MANY];
    mp_conn_t *others[MANY]; /* the other ends of connections */
    mp_lock_t *lock;
    mp_queue_t *orders;
    mp_process_t *poker;
} crowd;

/* arguments: a lock to hold, orders, a queue to answer in. An order is the queue that is to become ready. */
static mp_status_t poke(mp_call_t *call)
{
    mp_lock_t *lock = mp_arg_lock(call, 0);
    mp_queue_t *orders = mp_arg_queue(call, 1);
    mp_value_t order;
    bench_check(mp_call_status(call), "take arguments");
    bench_check(mp_lock_acquire(lock, BENCH_PATIENCE), "take a lock");
    bench_check(mp_queue_put(mp_arg_queue(call, 2), 1, BENCH_PATIENCE), "put");
    for (;;) {
        bench_check(mp_queue_get(orders, &order, BENCH_PATIENCE), "get");
        mp_queue_t *queue = mp_value_queue(order);
        if (!queue)
            return mp_lock_release(lock);
        bench_pause(PAUSE);
        bench_check(mp_queue_put(queue, bench_now(), BENCH_PATIENCE), "put");
        mp_value_free(&order);
    }
}

static mp_value_t make_object(int i)
{
    mp_queue_t *queue;
    mp_event_t *event;
    mp_conn_t *conn;
    switch (i % 6) {
    case 0:
        bench_check(mp_pipe(&conn, &crowd.others[i], MP_DUPLEX), "make a pipe");
        return mp_of(conn);
    case 1:
        return mp_of(crowd.lock);
    case 2:
        bench_check(mp_event_create(&event), "make an event");
        return mp_of(event);
    case 3:
        return mp_of(crowd.poker);
    default:
        bench_check(mp_queue_create(&queue, 0), "make a queue");
        return mp_of(queue);
    }
}

static void close_object(int i)
{
    switch (i % 6) {
    case 0:
        mp_conn_close(crowd.others[i]);
        mp_conn_close(mp_value_conn(crowd.objects[i]));
        break;
    case 2:
        mp_event_close(mp_value_event(crowd.objects[i]));
        break;
    case 4:
    case 5:
        mp_queue_close(mp_value_queue(crowd.objects[i]));
        break;
    default:
        break;
    }
}

static void gather(void)
{
    mp_queue_t *answers;
    mp_value_t answer;
    if (!bench_allow_handles(MANY))
        bench_fail("the system allows too few handles");
    bench_check(mp_lock_create(&crowd.lock), "make a lock");
    bench_check(mp_queue_create(&crowd.orders, 0), "make a queue");
    bench_check(mp_queue_create(&answers, 0), "make a queue");
    crowd.poker = bench_start(poke, mp_args(crowd.lock, crowd.orders, answers));
    bench_check(mp_queue_get(answers, &answer, BENCH_PATIENCE), "get");
    mp_queue_close(answers);
    for (int i = 0; i < MANY; i++)
        crowd.objects[i] = make_object(i);
}

static void part(void)
{
    bench_check(mp_queue_put(crowd.orders, NO_MORE, BENCH_PATIENCE), "put");
    bench_join(crowd.poker);
    for (int i = 0; i < MANY; i++)
        close_object(i);
    mp_queue_close(crowd.orders);
    mp_lock_close(crowd.lock);
}

/* Microseconds from the put to the end of the wait. */
static double find(int which)
{
    mp_value_t stamp;
    bench_check(mp_queue_put(crowd.orders, crowd.objects[which], BENCH_PATIENCE), "put");
    bench_check(mp_wait(crowd.objects, MANY, crowd.ready, BENCH_PATIENCE), "wait for any");
    int64_t now = bench_now();
    if (!crowd.ready[which])
        bench_fail("another object is ready");
    bench_check(mp_queue_get(mp_value_queue(crowd.objects[which]), &stamp, 0), "get");
    return (double)(now - mp_value_int(stamp)) * 1e-3;
}

static bool found(const bench_row_t *row, double *value)
{
    static double times[TRIES];
    (void)row;
    gather();
    for (int i = 0; i < TRIES; i++)
        times[i] = find(i * 617 % (MANY / 6) * 6 + 4 + i % 2);
    part();
    *value = bench_quantile(times, TRIES, TRIES / 2);
    return true;
}

static bool idle(const bench_row_t *row, double *value)
{
    (void)row;
    gather();
    int64_t before = bench_sleeps();
    if (mp_wait(crowd.objects, MANY, crowd.ready, SECONDS) != MP_TIMEOUT)
        bench_fail("a wait ended before its time");
    *value = (double)(bench_sleeps() - before - 1) / SECONDS; /* the last one was the deadline's */
    part();
    return before >= 0;
}

static const bench_row_t rows[] = {
    {"mp.wait.found", "us", found, NULL, false},
    {"mp.wait.idle", "wake-ups/s", idle, NULL, true},
    {0},
};

static const bench_ratio_t ratios[] = {
    {"ratio.wait.found", "mp.wait.found", NULL, 300, true},
    {"ratio.wait.idle", "mp.wait.idle", NULL, 5, true},
    {0},
};

const bench_subject_t bench_wait = {rows, ratios};
