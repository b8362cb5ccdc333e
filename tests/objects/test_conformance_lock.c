/* Locks and rlocks behave as Python's, and tell deaths: D1 and D2, one case a line of that list, each asserting all of
 * it. */
#include "scene.h"
#include "system.h"

#include "platform.h"

/* ---- either kind */

static mp_status_t acquire(mp_value_t lock, double timeout)
{
    return mp_value_kind(lock) == MP_KIND_LOCK ? mp_lock_acquire(mp_value_lock(lock), timeout)
                                               : mp_rlock_acquire(mp_value_rlock(lock), timeout);
}

static mp_status_t release(mp_value_t lock)
{
    return mp_value_kind(lock) == MP_KIND_LOCK ? mp_lock_release(mp_value_lock(lock))
                                               : mp_rlock_release(mp_value_rlock(lock));
}

static mp_status_t close_it(mp_value_t lock)
{
    return mp_value_kind(lock) == MP_KIND_LOCK ? mp_lock_close(mp_value_lock(lock))
                                               : mp_rlock_close(mp_value_rlock(lock));
}

/* ---- another process that holds it */

/* Takes it, an rlock three times, says what came of that, and waits for a word: to let go (true), or to end (false). */
static mp_status_t hold(mp_call_t *call)
{
    mp_value_t lock = mp_arg(call, 0), word;
    mp_conn_t *conn = mp_arg_conn(call, 1);
    int times = mp_value_kind(lock) == MP_KIND_LOCK ? 1 : 3;
    mp_status_t status = acquire(lock, MP_FOREVER);
    for (int i = 1; i < times; i++)
        MP_CHECK(acquire(lock, 0) == MP_OK);
    MP_CHECK(mp_conn_send(conn, (int)status) == MP_OK);
    MP_CHECK(mp_conn_recv(conn, &word) == MP_OK);
    if (mp_value_bool(word)) {
        for (int i = 0; i < times; i++)
            MP_CHECK(release(lock) == MP_OK);
        MP_CHECK(release(lock) == MP_NOT_OWNER);
    }
    return MP_OK;
}

typedef struct holder {
    mp_process_t *process;
    mp_conn_t *conn;
} holder_t;

static void start_holder(holder_t *holder, mp_value_t lock)
{
    mp_conn_t *theirs;
    REQUIRE_OK(mp_pipe(&holder->conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&holder->process, hold, mp_args(lock, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
}

static void expect_taken(holder_t *holder, mp_status_t expected)
{
    mp_value_t got;
    REQUIRE_OK(mp_conn_recv(holder->conn, &got));
    CU_ASSERT_EQUAL(mp_value_int(got), (int)expected);
}

static void expect_end(holder_t *holder, int code)
{
    mp_test_expect_end(holder->process, code);
    EXPECT_OK(mp_conn_close(holder->conn));
}

/* ---- D1: lock: acquire, try: false, release, once more: error; rlock: 3 and 3, once more: error; another process's
 * release is refused */

static void take_lock(mp_lock_t *lock)
{
    EXPECT_STATUS(mp_lock_release(lock), MP_NOT_OWNER);
    EXPECT_OK(mp_lock_acquire(lock, MP_FOREVER));
    EXPECT_STATUS(mp_lock_acquire(lock, 0), MP_BUSY);
    EXPECT_STATUS(mp_lock_acquire(lock, -1), MP_BUSY);
    EXPECT_STATUS(mp_lock_acquire(lock, 10), MP_DEADLOCK);
    EXPECT_STATUS(mp_lock_acquire(lock, MP_FOREVER), MP_DEADLOCK);
    EXPECT_STATUS(mp_lock_acquire(lock, (double)NAN), MP_INVALID);
    EXPECT_OK(mp_lock_release(lock));
    EXPECT_STATUS(mp_lock_release(lock), MP_NOT_OWNER);
    EXPECT_STATUS(mp_lock_acquire(lock, (double)NAN), MP_INVALID); /* also when it is free: it was not taken */
    EXPECT_OK(mp_lock_acquire(lock, 0));
    EXPECT_OK(mp_lock_release(lock));
}

static void take_rlock(mp_rlock_t *rlock)
{
    EXPECT_STATUS(mp_rlock_release(rlock), MP_NOT_OWNER);
    for (int round = 0; round < 2; round++) {
        EXPECT_OK(mp_rlock_acquire(rlock, MP_FOREVER));
        EXPECT_OK(mp_rlock_acquire(rlock, 0));
        EXPECT_OK(mp_rlock_acquire(rlock, 0.1));
        EXPECT_STATUS(mp_rlock_acquire(rlock, (double)NAN), MP_INVALID);
        EXPECT_OK(mp_rlock_release(rlock));
        EXPECT_OK(mp_rlock_release(rlock));
        EXPECT_OK(mp_rlock_release(rlock));
        EXPECT_STATUS(mp_rlock_release(rlock), MP_NOT_OWNER);
    }
}

static void expect_held(mp_value_t lock)
{
    holder_t holder;
    start_holder(&holder, lock);
    expect_taken(&holder, MP_OK);
    double began = mp_now();
    EXPECT_STATUS(acquire(lock, 0), MP_TIMEOUT);
    EXPECT_STATUS(acquire(lock, -1), MP_TIMEOUT);
    EXPECT_TOOK(began, 0);
    began = mp_now();
    EXPECT_STATUS(acquire(lock, 0.2), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.2);
    EXPECT_STATUS(release(lock), MP_NOT_OWNER);
    EXPECT_STATUS(close_it(lock), MP_BUSY);
    EXPECT_STATUS(acquire(lock, 0), MP_TIMEOUT); /* it is held as before */
    EXPECT_OK(mp_conn_send(holder.conn, MP_TRUE));
    EXPECT_OK(acquire(lock, mp_test_patience()));
    EXPECT_OK(release(lock));
    EXPECT_STATUS(release(lock), MP_NOT_OWNER);
    expect_end(&holder, 0);
}

static void expect_d1(void)
{
    mp_lock_t *lock;
    mp_rlock_t *rlock;
    REQUIRE_OK(mp_lock_create(&lock));
    REQUIRE_OK(mp_rlock_create(&rlock));
    take_lock(lock);
    take_rlock(rlock);
    expect_held(mp_of(lock));
    expect_held(mp_of(rlock));
    EXPECT_OK(mp_lock_close(lock));
    EXPECT_OK(mp_rlock_close(rlock));
}

MP_CASE(D1)
{
    mp_test_objects();
    mp_test_each_method(expect_d1);
}

/* ---- D2: the holder is killed: the next one gets "owner died", and does not hang */

typedef struct next {
    mp_value_t lock;
    mp_status_t status;
} next_t;

static void be_next(void *context)
{
    next_t *next = context;
    next->status = acquire(next->lock, mp_test_patience());
    MP_CHECK(release(next->lock) == MP_OK);
    MP_CHECK(release(next->lock) == MP_NOT_OWNER); /* it was taken over once, however often it was taken */
}

/* Told once: it is a lock as any other then. */
static void expect_whole(mp_value_t lock)
{
    EXPECT_OK(acquire(lock, 0));
    EXPECT_OK(release(lock));
    EXPECT_STATUS(release(lock), MP_NOT_OWNER);
}

/* Another process waits for it when its holder is killed, and is killed in it, too, when a thread waits for it. */
static void kill_holders(mp_value_t lock)
{
    holder_t holder, second;
    mp_test_thread_t thread;
    next_t next = {lock, MP_OK};
    start_holder(&holder, lock);
    expect_taken(&holder, MP_OK);
    start_holder(&second, lock);
    mp_test_await_sleepers(1);
    double began = mp_now();
    EXPECT_OK(mp_process_kill(holder.process)); /* nobody reaps it yet */
    expect_taken(&second, MP_OWNER_DIED);
    EXPECT_WITHIN(began, 1);
    expect_end(&holder, -9);
    mp_test_thread_start(&thread, be_next, &next);
    mp_test_await_sleepers(1);
    began = mp_now();
    EXPECT_OK(mp_process_kill(second.process));
    mp_test_thread_join(&thread);
    EXPECT_WITHIN(began, 1);
    EXPECT_STATUS(next.status, MP_OWNER_DIED);
    expect_end(&second, -9);
    expect_whole(lock);
}

/* Nobody waits for it: who comes next is told. The holder is killed, or ends without letting go. */
static void expect_told(mp_value_t lock)
{
    for (int killed = 0; killed < 2; killed++) {
        holder_t holder;
        start_holder(&holder, lock);
        expect_taken(&holder, MP_OK);
        if (killed)
            EXPECT_OK(mp_process_kill(holder.process));
        else
            EXPECT_OK(mp_conn_send(holder.conn, MP_FALSE));
        double began = mp_now();
        EXPECT_STATUS(acquire(lock, mp_test_patience()), MP_OWNER_DIED);
        EXPECT_WITHIN(began, 1);
        EXPECT_OK(release(lock));
        expect_end(&holder, killed ? -9 : 0);
        expect_whole(lock);
    }
}

static void expect_close(mp_value_t lock)
{
    holder_t holder;
    start_holder(&holder, lock);
    expect_taken(&holder, MP_OK);
    EXPECT_STATUS(close_it(lock), MP_BUSY);
    EXPECT_OK(mp_process_kill(holder.process));
    expect_end(&holder, -9);
    EXPECT_OK(close_it(lock));
}

static void expect_d2(void)
{
    mp_lock_t *lock;
    mp_rlock_t *rlock;
    REQUIRE_OK(mp_lock_create(&lock));
    REQUIRE_OK(mp_rlock_create(&rlock));
    const mp_value_t both[] = {mp_of(lock), mp_of(rlock)};
    for (int i = 0; i < 2; i++) {
        kill_holders(both[i]);
        expect_told(both[i]);
        expect_close(both[i]);
    }
}

MP_CASE(D2)
{
    mp_test_objects();
    mp_test_each_method(expect_d2);
}

MP_GUARDED_CASES(MP_ROW(D1), MP_ROW(D2));
