/* RLocks: taken again by their holder, refused to others, told when the holder died at any depth. */
#include "scene.h"
#include "system.h"

#include "family/family.h"

static mp_rlock_t *make_rlock(void)
{
    mp_rlock_t *rlock;
    REQUIRE_OK(mp_rlock_create(&rlock));
    return rlock;
}

/* ---- one thread (D1) ---- */

MP_CASE(three_times_and_back)
{
    mp_test_objects();
    mp_rlock_t *rlock = make_rlock();
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
    EXPECT_OK(mp_rlock_close(rlock));
}

MP_CASE(nothing_is_no_rlock)
{
    mp_lock_t *lock;
    mp_test_objects();
    REQUIRE_OK(mp_lock_create(&lock));
    EXPECT_STATUS(mp_rlock_create(NULL), MP_INVALID);
    EXPECT_STATUS(mp_rlock_acquire(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_rlock_acquire((mp_rlock_t *)(void *)lock, 0), MP_INVALID);
    EXPECT_STATUS(mp_rlock_release(NULL), MP_INVALID);
    EXPECT_STATUS(mp_rlock_close((mp_rlock_t *)(void *)lock), MP_INVALID);
    EXPECT_OK(mp_rlock_close(NULL));
    EXPECT_OK(mp_lock_close(lock));
}

MP_CASE(a_held_rlock_is_not_closed)
{
    mp_test_objects();
    mp_rlock_t *rlock = make_rlock();
    EXPECT_OK(mp_rlock_acquire(rlock, 0));
    EXPECT_OK(mp_rlock_acquire(rlock, 0));
    EXPECT_STATUS(mp_rlock_close(rlock), MP_BUSY);
    EXPECT_OK(mp_rlock_release(rlock));
    EXPECT_STATUS(mp_rlock_close(rlock), MP_BUSY);
    EXPECT_OK(mp_rlock_release(rlock));
    EXPECT_OK(mp_rlock_close(rlock));
}

/* ---- other threads ---- */

static void refuse(void *rlock)
{
    MP_CHECK(mp_rlock_release(rlock) == MP_NOT_OWNER);
    MP_CHECK(mp_rlock_acquire(rlock, 0) == MP_TIMEOUT);
}

static void take(void *rlock)
{
    MP_CHECK(mp_rlock_acquire(rlock, 0) == MP_OK);
    MP_CHECK(mp_rlock_acquire(rlock, 0) == MP_OK);
}

static void in_a_thread(void (*run)(void *), mp_rlock_t *rlock)
{
    mp_test_thread_t thread;
    mp_test_thread_start(&thread, run, rlock);
    mp_test_thread_join(&thread);
}

MP_CASE(a_thread_holds_it_until_its_last_release)
{
    mp_test_objects();
    mp_rlock_t *rlock = make_rlock();
    EXPECT_OK(mp_rlock_acquire(rlock, 0));
    EXPECT_OK(mp_rlock_acquire(rlock, 0));
    in_a_thread(refuse, rlock);
    EXPECT_OK(mp_rlock_release(rlock));
    in_a_thread(refuse, rlock);
    EXPECT_OK(mp_rlock_release(rlock));
    in_a_thread(take, rlock); /* and ends holding it */
    EXPECT_STATUS(mp_rlock_acquire(rlock, mp_test_patience()), MP_OWNER_DIED);
    EXPECT_OK(mp_rlock_release(rlock));
    EXPECT_STATUS(mp_rlock_release(rlock), MP_NOT_OWNER);
    EXPECT_OK(mp_rlock_close(rlock));
}

/* ---- other processes ---- */

/* Takes it three times, says so, waits for a word, and lets go. */
static mp_status_t hold(mp_call_t *call)
{
    mp_rlock_t *rlock = mp_arg_rlock(call, 0);
    mp_conn_t *conn = mp_arg_conn(call, 1);
    mp_value_t word;
    mp_status_t status = mp_rlock_acquire(rlock, mp_test_patience());
    MP_CHECK(mp_rlock_acquire(rlock, 0) == MP_OK && mp_rlock_acquire(rlock, 0) == MP_OK);
    MP_CHECK(mp_conn_send(conn, (int)status) == MP_OK);
    if (mp_conn_recv(conn, &word) == MP_OK)
        for (int i = 0; i < 3; i++)
            MP_CHECK(mp_rlock_release(rlock) == MP_OK);
    mp_value_free(&word);
    MP_CHECK(mp_rlock_release(rlock) == MP_NOT_OWNER);
    return MP_OK;
}

typedef struct holder {
    mp_process_t *process;
    mp_conn_t *conn;
} holder_t;

static void start_holder(holder_t *holder, mp_rlock_t *rlock, mp_status_t expected)
{
    mp_conn_t *theirs;
    mp_value_t got;
    REQUIRE_OK(mp_pipe(&holder->conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&holder->process, hold, mp_args(rlock, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(holder->conn, &got));
    CU_ASSERT_EQUAL(mp_value_int(got), (int)expected);
}

/* D1, D2 */
static void hold_and_die(void)
{
    holder_t holder;
    mp_rlock_t *rlock = make_rlock();
    start_holder(&holder, rlock, MP_OK);
    EXPECT_STATUS(mp_rlock_acquire(rlock, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_rlock_release(rlock), MP_NOT_OWNER);
    EXPECT_STATUS(mp_rlock_close(rlock), MP_BUSY);
    EXPECT_OK(mp_conn_send(holder.conn, "release"));
    EXPECT_OK(mp_rlock_acquire(rlock, mp_test_patience()));
    EXPECT_OK(mp_rlock_release(rlock));
    mp_test_expect_end(holder.process, 0);
    EXPECT_OK(mp_conn_close(holder.conn));

    start_holder(&holder, rlock, MP_OK);
    mp_test_expect_killed(holder.process);
    EXPECT_OK(mp_conn_close(holder.conn));
    start_holder(&holder, rlock, MP_OWNER_DIED); /* who takes over has it thrice, too, and dies */
    mp_test_expect_killed(holder.process);
    EXPECT_OK(mp_conn_close(holder.conn));
    EXPECT_STATUS(mp_rlock_acquire(rlock, mp_test_patience()), MP_OWNER_DIED);
    EXPECT_OK(mp_rlock_acquire(rlock, 0));
    EXPECT_OK(mp_rlock_release(rlock));
    EXPECT_OK(mp_rlock_release(rlock)); /* it was taken over once, not three times */
    EXPECT_STATUS(mp_rlock_release(rlock), MP_NOT_OWNER);
    EXPECT_OK(mp_rlock_close(rlock));
}

MP_CASE(another_process_holds_it_and_dies_in_it)
{
    mp_test_objects();
    mp_test_each_method(hold_and_die);
}

static mp_status_t send_back(mp_call_t *call)
{
    mp_rlock_t *rlock = mp_arg_rlock(call, 0);
    MP_CHECK(mp_rlock_acquire(rlock, 0) == MP_OK && mp_rlock_acquire(rlock, 0) == MP_OK);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), rlock, 0) == MP_OK);
    MP_CHECK(mp_rlock_release(rlock) == MP_OK && mp_rlock_release(rlock) == MP_OK);
    return MP_OK;
}

static void travel(void)
{
    mp_process_t *process;
    mp_queue_t *queue;
    mp_value_t value;
    mp_rlock_t *rlock = make_rlock();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_process_start(&process, send_back, mp_args(rlock, queue)));
    mp_test_expect_end(process, 0);
    REQUIRE_OK(mp_queue_get(queue, &value, mp_test_patience()));
    EXPECT_OK(mp_rlock_acquire(mp_value_rlock(value), 0)); /* the same one by another pointer */
    EXPECT_OK(mp_rlock_acquire(rlock, 0));
    EXPECT_OK(mp_rlock_release(mp_value_rlock(value)));
    EXPECT_OK(mp_rlock_release(rlock));
    EXPECT_STATUS(mp_rlock_release(rlock), MP_NOT_OWNER);
    EXPECT_OK(mp_rlock_close(rlock));
    EXPECT_STATUS(mp_rlock_acquire(mp_value_rlock(value), 0), MP_GONE);
    EXPECT_STATUS(mp_rlock_release(mp_value_rlock(value)), MP_GONE);
    mp_value_free(&value);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(it_travels)
{
    mp_test_objects();
    mp_test_each_method(travel);
}

/* ---- killed at any moment ---- */

static mp_status_t fight(mp_call_t *call)
{
    mp_rlock_t *rlock = mp_arg_rlock(call, 0);
    uint64_t *board = mp_test_board(call, 1);
    for (;;) {
        mp_status_t status = mp_rlock_acquire(rlock, mp_test_patience());
        MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
        MP_CHECK(mp_rlock_acquire(rlock, 0) == MP_OK && mp_rlock_acquire(rlock, 0) == MP_OK);
        MP_CHECK(board[0] == board[1] || status == MP_OWNER_DIED);
        board[1] = ++board[0];
        MP_CHECK(mp_rlock_release(rlock) == MP_OK && mp_rlock_release(rlock) == MP_OK);
        MP_CHECK(mp_rlock_release(rlock) == MP_OK);
    }
    return MP_OK;
}

static void kill_fighters(void)
{
    mp_process_t *processes[3];
    uint64_t random = 22, name, *board = mp_test_board_create(2 * sizeof *board, &name);
    mp_rlock_t *rlock = make_rlock();
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_process_start(&processes[i], fight, mp_args(rlock, name)));
    unsigned kills = 0;
    for (double until = mp_now() + mp_test_seconds(1); kills < 10 || (kills < 50 && mp_now() < until); kills++) {
        mp_process_t **victim = &processes[mp_test_below(&random, 3)];
        mp_test_wander(&random, 3000);
        mp_test_expect_killed(*victim);
        uint64_t before = mp__load64(&board[0]);
        for (double late = mp_now() + mp_test_seconds(1.5); mp__load64(&board[0]) == before && mp_now() < late;)
            mp__os_yield();
        CU_ASSERT(mp__load64(&board[0]) != before);
        REQUIRE_OK(mp_process_start(victim, fight, mp_args(rlock, name)));
    }
    for (int i = 0; i < 3; i++)
        mp_test_expect_killed(processes[i]);
    mp_status_t last = mp_rlock_acquire(rlock, 0);
    CU_ASSERT(last == MP_OK || last == MP_OWNER_DIED);
    EXPECT_OK(mp_rlock_release(rlock));
    EXPECT_STATUS(mp_rlock_release(rlock), MP_NOT_OWNER);
    EXPECT_OK(mp_rlock_close(rlock));
    mp_test_board_free(name);
}

MP_CASE(holders_and_waiters_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_fighters);
}

MP_GUARDED_CASES(MP_ROW(three_times_and_back), MP_ROW(nothing_is_no_rlock), MP_ROW(a_held_rlock_is_not_closed),
                 MP_ROW(a_thread_holds_it_until_its_last_release), MP_ROW(another_process_holds_it_and_dies_in_it),
                 MP_ROW(it_travels), MP_ROW(holders_and_waiters_are_killed));
