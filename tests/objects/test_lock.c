/* Locks: one at a time, fairly, deaths at any moment and of the maker. (D1, D2: test_conformance_lock.c) */
#include "scene.h"
#include "system.h"

#include "family/family.h"

#include <string.h>

static mp_lock_t *make_lock(void)
{
    mp_lock_t *lock;
    REQUIRE_OK(mp_lock_create(&lock));
    return lock;
}

MP_CASE(nothing_is_no_lock)
{
    mp_queue_t *queue;
    mp_test_objects();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_STATUS(mp_lock_create(NULL), MP_INVALID);
    EXPECT_STATUS(mp_lock_acquire(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_lock_acquire((mp_lock_t *)(void *)queue, 0), MP_INVALID);
    EXPECT_STATUS(mp_lock_release(NULL), MP_INVALID);
    EXPECT_OK(mp_lock_close(NULL));
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(a_held_lock_is_not_closed)
{
    mp_test_objects();
    mp_lock_t *lock = make_lock();
    EXPECT_OK(mp_lock_acquire(lock, 0));
    EXPECT_STATUS(mp_lock_close(lock), MP_BUSY);
    EXPECT_OK(mp_lock_release(lock));
    EXPECT_OK(mp_lock_acquire(lock, 0));
    EXPECT_OK(mp_lock_release(lock));
    EXPECT_OK(mp_lock_close(lock));
}

MP_CASE(thousands_of_locks)
{
    static mp_lock_t *locks[5000];
    mp_test_objects();
    for (int i = 0; i < 5000; i++)
        locks[i] = make_lock();
    for (int i = 0; i < 5000; i++)
        EXPECT_OK(mp_lock_acquire(locks[i], 0));
    for (int i = 0; i < 5000; i++)
        EXPECT_OK(mp_lock_release(locks[i]));
    for (int i = 0; i < 5000; i++)
        EXPECT_OK(mp_lock_close(locks[i]));
}

/* ---- other processes ---- */

static void acquire_and_end(void *lock)
{
    MP_CHECK(mp_lock_acquire(lock, 0) == MP_OK);
}

static void release_as_another(void *lock)
{
    MP_CHECK(mp_lock_release(lock) == MP_NOT_OWNER);
    MP_CHECK(mp_lock_acquire(lock, 0) == MP_TIMEOUT);
}

MP_CASE(a_thread_holds_it_not_the_process)
{
    mp_test_thread_t thread;
    mp_test_objects();
    mp_lock_t *lock = make_lock();
    EXPECT_OK(mp_lock_acquire(lock, 0));
    mp_test_thread_start(&thread, release_as_another, lock);
    mp_test_thread_join(&thread);
    EXPECT_OK(mp_lock_release(lock));
    mp_test_thread_start(&thread, acquire_and_end, lock);
    mp_test_thread_join(&thread);
    EXPECT_STATUS(mp_lock_acquire(lock, mp_test_patience()), MP_OWNER_DIED);
    EXPECT_OK(mp_lock_release(lock));
    EXPECT_OK(mp_lock_close(lock));
}

#define ROUNDS 5000

static mp_status_t count(mp_call_t *call)
{
    mp_lock_t *lock = mp_arg_lock(call, 0);
    uint64_t *board = mp_test_board(call, 1);
    for (int i = 0; i < ROUNDS; i++) {
        MP_CHECK(mp_lock_acquire(lock, mp_test_patience()) == MP_OK);
        uint64_t n = board[0];
        mp__cpu_relax();
        board[0] = n + 1;
        MP_CHECK(mp_lock_release(lock) == MP_OK);
    }
    return MP_OK;
}

static void count_together(void)
{
    mp_process_t *processes[4];
    uint64_t name, *board = mp_test_board_create(sizeof *board, &name);
    mp_lock_t *lock = make_lock();
    for (int i = 0; i < 4; i++)
        REQUIRE_OK(mp_process_start(&processes[i], count, mp_args(lock, name)));
    for (int i = 0; i < 4; i++)
        mp_test_expect_end(processes[i], 0);
    CU_ASSERT_EQUAL(*board, 4 * ROUNDS);
    EXPECT_OK(mp_lock_close(lock));
    mp_test_board_free(name);
}

MP_CASE(one_process_at_a_time)
{
    mp_test_objects();
    mp_test_each_method(count_together);
}

/* ---- fairness ---- */

enum { SHARERS = 3, TAKEN = 0, WORST = SHARERS, GO = 2 * SHARERS, WORDS };

#define HAND_OVERS 20 /* that somebody may lose to others before its own */

/* Holds it for a millisecond, and wants it again at once. */
static mp_status_t want_it_all(mp_call_t *call)
{
    mp_lock_t *lock = mp_arg_lock(call, 0);
    uint64_t *board = mp_test_board(call, 1), i = mp_arg_uint(call, 2), worst = 0;
    mp__add64(&board[GO], 1);
    while (mp__load64(&board[GO]) < SHARERS)
        mp__os_yield();
    for (double until = mp_now() + 2; mp_now() < until;) {
        int64_t began = mp__os_now();
        MP_CHECK(mp_lock_acquire(lock, mp_test_patience()) == MP_OK);
        int64_t taken = mp__os_now();
        if ((uint64_t)(taken - began) > worst)
            worst = (uint64_t)(taken - began);
        while (mp__os_now() < taken + MP__MILLISECOND)
            mp__cpu_relax();
        mp__add64(&board[TAKEN + i], 1);
        MP_CHECK(mp_lock_release(lock) == MP_OK);
    }
    board[WORST + i] = worst;
    return MP_OK;
}

/* How long who is woken has to wait for a processor: the longest that a short sleep lasted, in seconds. */
typedef struct control {
    uint32_t over;
    double late;
} control_t;

static void sleep_again_and_again(void *context)
{
    control_t *control = context;
    while (!mp__load32(&control->over)) {
        int64_t began = mp__os_now();
        mp__os_sleep(began + MP__MILLISECOND);
        double took = (double)(mp__os_now() - began) / 1e9;
        if (took > control->late)
            control->late = took;
    }
}

/* None gets less than half its share; none waits for long, as machines go: on one that is busy, a hand-over takes as
 * long as anybody waits for a processor. */
static void share(void)
{
    mp_process_t *processes[SHARERS];
    mp_test_thread_t thread;
    control_t control = {0, 0};
    uint64_t name, *board = mp_test_board_create(WORDS * sizeof *board, &name), all = 0;
    mp_lock_t *lock = make_lock();
    for (int i = 0; i < SHARERS; i++)
        REQUIRE_OK(mp_process_start(&processes[i], want_it_all, mp_args(lock, name, i)));
    mp_test_thread_start(&thread, sleep_again_and_again, &control);
    for (int i = 0; i < SHARERS; i++) {
        mp_test_expect_end(processes[i], 0);
        all += board[TAKEN + i];
    }
    mp__store32(&control.over, 1);
    mp_test_thread_join(&thread);
    printf("    the machine was late by %.1f ms at most\n", control.late * 1e3);
    for (int i = 0; i < SHARERS; i++) {
        printf("    taken %llu times, waited for %.1f ms at most\n", (unsigned long long)board[TAKEN + i],
               (double)board[WORST + i] / 1e6);
        CU_ASSERT(board[TAKEN + i] >= all / SHARERS / 2);
        CU_ASSERT((double)board[WORST + i] < (mp_test_seconds(0.05) + HAND_OVERS * control.late) * 1e9);
    }
    EXPECT_OK(mp_lock_close(lock));
    mp_test_board_free(name);
}

MP_CASE(who_takes_it_again_at_once_lets_others_have_it)
{
    mp_test_objects();
    mp_test_each_method(share);
}

/* ---- killed at any moment ---- */

static mp_status_t fight(mp_call_t *call)
{
    mp_lock_t *lock = mp_arg_lock(call, 0);
    uint64_t *board = mp_test_board(call, 1);
    for (;;) {
        mp_status_t status = mp_lock_acquire(lock, mp_test_patience());
        MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
        MP_CHECK(board[0] == board[1] || status == MP_OWNER_DIED);
        board[2] += status == MP_OWNER_DIED;
        board[1] = ++board[0];
        MP_CHECK(mp_lock_release(lock) == MP_OK);
    }
    return MP_OK;
}

static void kill_fighters(void)
{
    mp_process_t *processes[3];
    uint64_t random = 21, name, *board = mp_test_board_create(3 * sizeof *board, &name);
    mp_lock_t *lock = make_lock();
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_process_start(&processes[i], fight, mp_args(lock, name)));
    unsigned kills = 0;
    for (double until = mp_now() + mp_test_seconds(3); kills < 10 || (kills < 100 && mp_now() < until); kills++) {
        mp_process_t **victim = &processes[mp_test_below(&random, 3)];
        mp_test_wander(&random, 3000);
        mp_test_expect_killed(*victim);
        uint64_t before = mp__load64(&board[0]);
        for (double late = mp_now() + mp_test_seconds(1.5); mp__load64(&board[0]) == before && mp_now() < late;)
            mp__os_yield();
        CU_ASSERT(mp__load64(&board[0]) != before); /* the others go on */
        REQUIRE_OK(mp_process_start(victim, fight, mp_args(lock, name)));
    }
    for (int i = 0; i < 3; i++)
        mp_test_expect_killed(processes[i]);
    mp_status_t last = mp_lock_acquire(lock, 0);
    CU_ASSERT(last == MP_OK || last == MP_OWNER_DIED);
    CU_ASSERT(board[0] == board[1] || last == MP_OWNER_DIED);
    CU_ASSERT(board[2] <= kills + 3);
    EXPECT_OK(mp_lock_release(lock));
    EXPECT_OK(mp_lock_close(lock));
    mp_test_board_free(name);
}

MP_CASE(holders_and_waiters_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_fighters);
}

/* ---- the end ---- */

static mp_status_t wait_for_end(mp_call_t *call)
{
    mp_lock_t *lock = mp_arg_lock(call, 0);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), 1, MP_FOREVER) == MP_OK);
    mp_status_t status = mp_lock_acquire(lock, MP_FOREVER);
    if (status == MP_OK) { /* it came before the end; then the end comes now */
        MP_CHECK(mp_lock_release(lock) == MP_OK || mp_error()->status == MP_GONE);
        while ((status = mp_lock_acquire(lock, MP_FOREVER)) == MP_OK)
            MP_CHECK(mp_lock_release(lock) == MP_OK || mp_error()->status == MP_GONE);
    }
    return mp_exit(call, (int)status);
}

/* By the maker's close: those who wait, and those who come. */
static void expect_gone(void)
{
    mp_process_t *processes[3];
    mp_queue_t *ready;
    mp_value_t one;
    mp_lock_t *lock = make_lock();
    REQUIRE_OK(mp_queue_create(&ready, 0));
    EXPECT_OK(mp_lock_acquire(lock, 0));
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_process_start(&processes[i], wait_for_end, mp_args(lock, ready)));
    for (int i = 0; i < 3; i++)
        EXPECT_OK(mp_queue_get(ready, &one, mp_test_patience()));
    EXPECT_OK(mp_lock_release(lock));
    mp_status_t status;
    while ((status = mp_lock_close(lock)) == MP_BUSY)
        mp__os_yield();
    EXPECT_OK(status);
    for (int i = 0; i < 3; i++)
        mp_test_expect_end(processes[i], MP_GONE);
    EXPECT_OK(mp_queue_close(ready));
}

MP_CASE(its_makers_close_ends_it_for_all)
{
    mp_test_objects();
    mp_test_each_method(expect_gone);
}

static mp_status_t make_and_hold(mp_call_t *call)
{
    mp_lock_t *lock;
    mp_value_t none;
    MP_CHECK(mp_lock_create(&lock) == MP_OK);
    if (mp_arg_bool(call, 1))
        MP_CHECK(mp_lock_acquire(lock, 0) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), lock) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 0), &none);
    return MP_OK;
}

typedef struct waiter {
    mp_lock_t *lock;
    uint32_t waiting;
    mp_status_t status;
} waiter_t;

static void wait_as_thread(void *context)
{
    waiter_t *waiter = context;
    mp__add32(&waiter->waiting, 1);
    waiter->status = mp_lock_acquire(waiter->lock, MP_FOREVER);
}

/* Its maker holds it, and is killed. */
static void kill_the_maker(bool holds)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t message;
    mp_test_thread_t thread;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, make_and_hold, mp_args(theirs, mp_bool(holds))));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &message));
    waiter_t waiter = {.lock = mp_value_lock(message)};
    if (!holds)
        EXPECT_OK(mp_lock_acquire(waiter.lock, 0));
    mp_test_thread_start(&thread, wait_as_thread, &waiter);
    while (!mp__load32(&waiter.waiting))
        mp__os_yield();
    double began = mp_now();
    EXPECT_OK(mp_process_kill(process));
    mp_test_thread_join(&thread);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
    /* Its thread may be seen to be dead before all of it is. */
    CU_ASSERT(waiter.status == MP_GONE || (holds && waiter.status == MP_OWNER_DIED));
    mp_test_expect_end(process, -9);
    EXPECT_STATUS(mp_lock_acquire(waiter.lock, MP_FOREVER), MP_GONE);
    EXPECT_STATUS(mp_lock_acquire(waiter.lock, 0), MP_GONE);
    EXPECT_STATUS(mp_lock_release(waiter.lock), MP_GONE);
    mp_value_free(&message);
    EXPECT_OK(mp_conn_close(conn));
}

static void kill_makers(void)
{
    kill_the_maker(true);
    kill_the_maker(false);
}

MP_CASE(it_goes_with_its_maker)
{
    mp_test_objects();
    mp_test_each_method(kill_makers);
}

MP_GUARDED_CASES(MP_ROW(nothing_is_no_lock), MP_ROW(a_held_lock_is_not_closed), MP_ROW(thousands_of_locks),
                 MP_ROW(a_thread_holds_it_not_the_process), MP_ROW(one_process_at_a_time),
                 MP_ROW(who_takes_it_again_at_once_lets_others_have_it), MP_ROW(holders_and_waiters_are_killed),
                 MP_ROW(its_makers_close_ends_it_for_all), MP_ROW(it_goes_with_its_maker));
