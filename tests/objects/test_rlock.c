/* RLocks: held until the last release, told when the holder died at any depth. (D1, D2: test_conformance_lock.c) */
#include "scene.h"
#include "system.h"

#include "family/family.h"

static mp_rlock_t *make_rlock(void)
{
    mp_rlock_t *rlock;
    REQUIRE_OK(mp_rlock_create(&rlock));
    return rlock;
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

MP_GUARDED_CASES(MP_ROW(nothing_is_no_rlock), MP_ROW(a_held_rlock_is_not_closed),
                 MP_ROW(a_thread_holds_it_until_its_last_release), MP_ROW(it_travels),
                 MP_ROW(holders_and_waiters_are_killed));
