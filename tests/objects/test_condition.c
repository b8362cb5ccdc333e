/* Conditions: exactly so many are woken, the oldest first, and only the living count. */
#include "scene.h"
#include "system.h"

#include "family/family.h"

#include <string.h>

static mp_condition_t *make_condition(void)
{
    mp_condition_t *condition;
    REQUIRE_OK(mp_condition_create(&condition));
    return condition;
}

static void await_count(uint64_t *board, uint64_t n)
{
    for (double late = mp_now() + mp_test_patience(); mp__load64(board) < n && mp_now() < late;)
        mp__os_yield();
    CU_ASSERT_EQUAL(mp__load64(board), n);
}

/* ---- one thread ---- */

MP_CASE(its_lock_must_be_held)
{
    mp_test_objects();
    mp_condition_t *condition = make_condition();
    EXPECT_STATUS(mp_condition_wait(condition, 0), MP_NOT_OWNER);
    EXPECT_STATUS(mp_condition_notify(condition, 1), MP_NOT_OWNER);
    EXPECT_STATUS(mp_condition_notify_all(condition), MP_NOT_OWNER);
    EXPECT_STATUS(mp_condition_release(condition), MP_NOT_OWNER);
    EXPECT_OK(mp_condition_acquire(condition, 0));
    EXPECT_STATUS(mp_condition_close(condition), MP_BUSY);
    EXPECT_OK(mp_condition_notify(condition, 3)); /* nobody waits: nothing is kept */
    EXPECT_OK(mp_condition_notify_all(condition));
    double began = mp_now();
    EXPECT_STATUS(mp_condition_wait(condition, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_condition_wait(condition, -1), MP_TIMEOUT);
    CU_ASSERT(mp_now() - began < mp_test_seconds(0.3));
    EXPECT_STATUS(mp_condition_wait(condition, (double)NAN), MP_INVALID);
    began = mp_now();
    EXPECT_STATUS(mp_condition_wait(condition, 0.1), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.1);
    EXPECT_OK(mp_condition_release(condition));
    EXPECT_STATUS(mp_condition_release(condition), MP_NOT_OWNER);
    EXPECT_OK(mp_condition_close(condition));
}

MP_CASE(nothing_is_no_condition)
{
    mp_condition_t *condition;
    mp_queue_t *queue;
    mp_test_objects();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_STATUS(mp_condition_create(NULL), MP_INVALID);
    EXPECT_STATUS(mp_condition_create_with(&condition, queue), MP_TYPE);
    EXPECT_STATUS(mp_condition_create_with(&condition, (mp_lock_t *)NULL), MP_INVALID);
    CU_ASSERT_PTR_NULL(condition);
    EXPECT_STATUS(mp_condition_wait(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_condition_wait_for(NULL, NULL, NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_condition_notify((mp_condition_t *)(void *)queue, 1), MP_INVALID);
    EXPECT_STATUS(mp_condition_acquire(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_condition_release(NULL), MP_INVALID);
    EXPECT_OK(mp_condition_close(NULL));
    EXPECT_OK(mp_queue_close(queue));
}

typedef struct shared {
    mp_condition_t *condition;
    uint64_t woken;
    uint64_t order[8]; /* who was woken when */
    double timeout;
    mp_status_t status;
} shared_t;

/* ---- D4: notify 1, n, all over threads and processes wake exactly that many; killed sleepers: notify returns */

typedef struct waiter {
    shared_t *shared;
    uint64_t number;
} waiter_t;

static void wait_in_turn(void *context)
{
    waiter_t *waiter = context;
    shared_t *s = waiter->shared;
    MP_CHECK(mp_condition_acquire(s->condition, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_condition_wait(s->condition, mp_test_patience()) == MP_OK);
    s->order[mp__add64(&s->woken, 1)] = waiter->number;
    MP_CHECK(mp_condition_release(s->condition) == MP_OK);
}

/* Waits once, counts itself, and waits for the end, so that its thread's death is no news. */
static mp_status_t wait_once(mp_call_t *call)
{
    mp_condition_t *condition = mp_arg_condition(call, 0);
    uint64_t *board = mp_test_board(call, 1);
    MP_CHECK(mp_condition_acquire(condition, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_condition_wait(condition, mp_test_patience()) == MP_OK);
    mp__add64(board, 1);
    MP_CHECK(mp_condition_release(condition) == MP_OK);
    return MP_OK;
}

static size_t count_in(const char *text, const char *words)
{
    size_t n = 0;
    for (; (text = strstr(text, words)) != NULL; text += strlen(words))
        n++;
    return n;
}

/* Notifies: exactly so many have been when it returns. 0: all. */
static void notify(mp_condition_t *condition, uint32_t n, size_t expected)
{
    EXPECT_OK(mp_condition_acquire(condition, mp_test_patience()));
    double began = mp_now();
    EXPECT_OK(n ? mp_condition_notify(condition, n) : mp_condition_notify_all(condition));
    EXPECT_TOOK(began, 0);
    char *text = mp_dump_text(condition);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL(count_in(text, ", notified"), expected);
    mp_free(text);
    EXPECT_STATUS(mp_condition_wait(condition, 0), MP_TIMEOUT); /* a notification is for those who waited */
    EXPECT_OK(mp_condition_release(condition));
}

/* The oldest first. */
static void wake_threads(void)
{
    enum { THREADS = 6 };
    mp_test_thread_t threads[THREADS];
    waiter_t waiters[THREADS];
    shared_t s = {.condition = make_condition()};
    for (uint32_t i = 0; i < THREADS; i++) {
        waiters[i] = (waiter_t){&s, i};
        mp_test_thread_start(&threads[i], wait_in_turn, &waiters[i]);
        mp_test_await_sleepers(i + 1);
    }
    notify(s.condition, 1, 1);
    mp_test_await_sleepers(THREADS - 1);
    await_count(&s.woken, 1);
    EXPECT_OK(mp_condition_acquire(s.condition, 0));
    EXPECT_OK(mp_condition_notify(s.condition, 0)); /* nobody */
    EXPECT_OK(mp_condition_release(s.condition));
    notify(s.condition, 2, 2);
    mp_test_await_sleepers(THREADS - 3);
    await_count(&s.woken, 3);
    CU_ASSERT_EQUAL(s.order[0], 0);
    CU_ASSERT_EQUAL(s.order[1] + s.order[2], 1 + 2);
    notify(s.condition, 0, THREADS - 3);
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_join(&threads[i]);
    CU_ASSERT_EQUAL(s.woken, THREADS);
    EXPECT_OK(mp_condition_close(s.condition));
}

/* Processes and then threads wait; some of them are killed. */
static void wake_both(void)
{
    enum { PROCESSES = 6, THREADS = 2 };
    mp_process_t *processes[PROCESSES];
    mp_test_thread_t threads[THREADS];
    waiter_t waiters[THREADS];
    uint64_t name, *board = mp_test_board_create(sizeof *board, &name);
    mp_condition_t *condition = make_condition();
    shared_t s = {.condition = condition};
    for (uint32_t i = 0; i < PROCESSES; i++) {
        REQUIRE_OK(mp_process_start(&processes[i], wait_once, mp_args(condition, name)));
        mp_test_await_sleepers(i + 1);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        waiters[i] = (waiter_t){&s, i};
        mp_test_thread_start(&threads[i], wait_in_turn, &waiters[i]);
        mp_test_await_sleepers(PROCESSES + i + 1);
    }
    mp_test_expect_killed(processes[0]);
    EXPECT_OK(mp_process_kill(processes[2])); /* nobody reaps it yet */
    notify(condition, 1, 1);                  /* returns, and wakes the oldest one that lives */
    await_count(board, 1);
    mp_test_expect_end(processes[1], 0);
    mp_test_expect_end(processes[2], -9);
    notify(condition, 2, 2);
    await_count(board, 3);
    mp_test_expect_end(processes[3], 0);
    mp_test_expect_end(processes[4], 0);
    CU_ASSERT_EQUAL(mp__load64(&s.woken), 0);
    notify(condition, 0, 1 + THREADS); /* all: a process and the threads */
    mp_test_expect_end(processes[5], 0);
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_join(&threads[i]);
    CU_ASSERT_EQUAL(mp__load64(board), 4);
    CU_ASSERT_EQUAL(mp__load64(&s.woken), THREADS);
    EXPECT_OK(mp_condition_close(condition));
    mp_test_board_free(name);
}

/* Nobody lives who waits: notify returns, and none is kept for later. */
static void notify_the_dead(void)
{
    enum { PROCESSES = 3 };
    mp_process_t *processes[PROCESSES];
    uint64_t name;
    (void)mp_test_board_create(sizeof(uint64_t), &name);
    mp_condition_t *condition = make_condition();
    for (uint32_t i = 0; i < PROCESSES; i++) {
        REQUIRE_OK(mp_process_start(&processes[i], wait_once, mp_args(condition, name)));
        mp_test_await_sleepers(i + 1);
    }
    for (int i = 0; i < PROCESSES; i++)
        mp_test_expect_killed(processes[i]);
    notify(condition, 1, 0);
    notify(condition, 0, 0);
    EXPECT_OK(mp_condition_close(condition));
    mp_test_board_free(name);
}

MP_CASE(D4)
{
    mp_test_objects();
    wake_threads();
    mp_test_each_method(wake_both);
    mp_test_each_method(notify_the_dead);
}

/* ---- threads ---- */

static void wait_deep(void *context)
{
    shared_t *s = context;
    for (int i = 0; i < 3; i++)
        MP_CHECK(mp_condition_acquire(s->condition, mp_test_patience()) == MP_OK);
    s->status = mp_condition_wait(s->condition, s->timeout);
    for (int i = 0; i < 3; i++)
        MP_CHECK(mp_condition_release(s->condition) == MP_OK);
    MP_CHECK(mp_condition_release(s->condition) == MP_NOT_OWNER);
}

MP_CASE(a_lock_taken_thrice_is_let_go_of_and_taken_thrice)
{
    mp_test_thread_t thread;
    mp_test_objects();
    shared_t s = {.condition = make_condition(), .timeout = MP_FOREVER};
    mp_test_thread_start(&thread, wait_deep, &s);
    mp_test_await_sleepers(1);
    EXPECT_OK(mp_condition_acquire(s.condition, 0));
    EXPECT_OK(mp_condition_acquire(s.condition, 0));
    EXPECT_OK(mp_condition_notify(s.condition, 1));
    EXPECT_OK(mp_condition_release(s.condition));
    EXPECT_OK(mp_condition_release(s.condition));
    mp_test_thread_join(&thread);
    CU_ASSERT_EQUAL(s.status, MP_OK);
    EXPECT_OK(mp_condition_close(s.condition));
}

static bool is_three(void *number)
{
    return mp__load64(number) == 3;
}

typedef struct count {
    mp_condition_t *condition;
    uint64_t number;
} count_t;

static void count_up(void *context)
{
    count_t *count = context;
    for (int i = 0; i < 3; i++) {
        mp_test_await_sleepers(1); /* who waits looked, and waits on */
        MP_CHECK(mp_condition_acquire(count->condition, mp_test_patience()) == MP_OK);
        mp__add64(&count->number, 1);
        MP_CHECK(mp_condition_notify(count->condition, 1) == MP_OK);
        MP_CHECK(mp_condition_release(count->condition) == MP_OK);
    }
}

MP_CASE(waiting_for_a_predicate)
{
    mp_test_thread_t thread;
    mp_test_objects();
    count_t count = {make_condition(), 0};
    EXPECT_STATUS(mp_condition_wait_for(count.condition, is_three, &count.number, 0), MP_NOT_OWNER);
    EXPECT_OK(mp_condition_acquire(count.condition, 0));
    EXPECT_STATUS(mp_condition_wait_for(count.condition, NULL, NULL, 0), MP_INVALID);
    double began = mp_now();
    EXPECT_STATUS(mp_condition_wait_for(count.condition, is_three, &count.number, 0.05), MP_TIMEOUT);
    CU_ASSERT(mp_now() - began >= 0.05);
    mp_test_thread_start(&thread, count_up, &count);
    EXPECT_OK(mp_condition_wait_for(count.condition, is_three, &count.number, mp_test_patience()));
    EXPECT_OK(mp_condition_wait_for(count.condition, is_three, &count.number, 0)); /* at once */
    EXPECT_OK(mp_condition_release(count.condition));
    mp_test_thread_join(&thread);
    EXPECT_OK(mp_condition_close(count.condition));
}

/* ---- with a lock that is given ---- */

static mp_status_t wait_with_given(mp_call_t *call)
{
    mp_condition_t *condition = mp_arg_condition(call, 0);
    mp_lock_t *lock = mp_arg_lock(call, 1);
    MP_CHECK(mp_lock_acquire(lock, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_condition_acquire(condition, 0) == MP_BUSY); /* it is the same */
    MP_CHECK(mp_condition_wait(condition, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_condition_release(condition) == MP_OK);
    MP_CHECK(mp_lock_release(lock) == MP_NOT_OWNER);
    return MP_OK;
}

static void use_given_lock(void)
{
    mp_process_t *process;
    mp_condition_t *condition, *other;
    mp_lock_t *lock;
    mp_rlock_t *rlock;
    REQUIRE_OK(mp_lock_create(&lock));
    REQUIRE_OK(mp_rlock_create(&rlock));
    REQUIRE_OK(mp_condition_create_with(&condition, lock));
    REQUIRE_OK(mp_condition_create_with(&other, rlock));
    REQUIRE_OK(mp_process_start(&process, wait_with_given, mp_args(condition, lock)));
    mp_test_await_sleepers(1);
    EXPECT_OK(mp_lock_acquire(lock, mp_test_patience()));
    EXPECT_OK(mp_condition_notify(condition, 1));
    EXPECT_OK(mp_condition_release(condition));
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_rlock_acquire(rlock, 0));
    EXPECT_OK(mp_condition_acquire(other, 0));
    EXPECT_STATUS(mp_condition_wait(other, 0), MP_TIMEOUT);
    EXPECT_OK(mp_rlock_release(rlock));
    EXPECT_OK(mp_rlock_release(rlock));
    EXPECT_OK(mp_lock_acquire(lock, 0));
    EXPECT_OK(mp_condition_close(condition)); /* the lock is not its own */
    EXPECT_OK(mp_lock_release(lock));
    EXPECT_OK(mp_lock_close(lock));
    EXPECT_OK(mp_rlock_close(rlock));
    EXPECT_STATUS(mp_condition_acquire(other, 0), MP_GONE);
    EXPECT_OK(mp_condition_close(other));
}

MP_CASE(a_condition_with_a_given_lock)
{
    mp_test_objects();
    mp_test_each_method(use_given_lock);
}

/* ---- processes ---- */

/* The living one stands still, so that nobody has removed what the dead one left. */
static void notify_past_the_dead(void)
{
    mp_process_t *dead, *living;
    uint64_t name, *board = mp_test_board_create(sizeof *board, &name);
    mp_condition_t *condition = make_condition();
    REQUIRE_OK(mp_process_start(&dead, wait_once, mp_args(condition, name)));
    mp_test_await_sleepers(1);
    REQUIRE_OK(mp_process_start(&living, wait_once, mp_args(condition, name)));
    mp_test_await_sleepers(2);
    CU_ASSERT_FATAL(mp_test_pause(mp_process_pid(living)));
    mp_test_expect_killed(dead);
    EXPECT_OK(mp_condition_acquire(condition, 0));
    EXPECT_OK(mp_condition_notify(condition, 1));
    char *text = mp_dump_text(condition);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT(strstr(text, ", notified") != NULL);
    CU_ASSERT(strstr(text, "which has ended, notified") == NULL);
    mp_free(text);
    EXPECT_OK(mp_condition_release(condition));
    CU_ASSERT_FATAL(mp_test_resume(mp_process_pid(living)));
    await_count(board, 1);
    mp_test_expect_end(living, 0);
    EXPECT_OK(mp_condition_close(condition));
    mp_test_board_free(name);
}

MP_CASE(a_notification_is_for_the_living)
{
    mp_test_objects();
    mp_test_each_method(notify_past_the_dead);
}

/* The one that was notified is killed while it waits for the lock. */
static void kill_the_notified(void)
{
    mp_process_t *first, *second;
    uint64_t name, *board = mp_test_board_create(sizeof *board, &name);
    mp_condition_t *condition = make_condition();
    REQUIRE_OK(mp_process_start(&first, wait_once, mp_args(condition, name)));
    mp_test_await_sleepers(1);
    REQUIRE_OK(mp_process_start(&second, wait_once, mp_args(condition, name)));
    mp_test_await_sleepers(2);
    EXPECT_OK(mp_condition_acquire(condition, 0));
    EXPECT_OK(mp_condition_notify(condition, 1));
    mp_test_expect_killed(first);
    double began = mp_now();
    EXPECT_OK(mp_condition_release(condition));
    await_count(board, 1); /* it went on to the other */
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
    mp_test_expect_end(second, 0);
    EXPECT_OK(mp_condition_close(condition));
    mp_test_board_free(name);
}

MP_CASE(a_notification_to_one_who_dies_goes_to_the_next)
{
    mp_test_objects();
    mp_test_each_method(kill_the_notified);
}

/* The holder of the lock is killed while the notified wait for it. */
static mp_status_t notify_and_hold(mp_call_t *call)
{
    mp_condition_t *condition = mp_arg_condition(call, 0);
    MP_CHECK(mp_condition_acquire(condition, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_condition_notify_all(condition) == MP_OK);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), 1, 0) == MP_OK);
    mp_sleep(1000);
    return MP_OK;
}

static void kill_the_notifier(void)
{
    mp_process_t *process;
    mp_test_thread_t thread;
    mp_queue_t *ready;
    mp_value_t one;
    shared_t s = {.condition = make_condition(), .timeout = mp_test_patience()};
    REQUIRE_OK(mp_queue_create(&ready, 0));
    mp_test_thread_start(&thread, wait_deep, &s);
    mp_test_await_sleepers(1);
    REQUIRE_OK(mp_process_start_with(&process, notify_and_hold, mp_args(s.condition, ready),
                                     &(mp_process_options_t){.fork_with_threads = true}));
    REQUIRE_OK(mp_queue_get(ready, &one, mp_test_patience()));
    mp_test_expect_killed(process);
    mp_test_thread_join(&thread);
    CU_ASSERT_EQUAL(s.status, MP_OWNER_DIED);
    EXPECT_OK(mp_queue_close(ready));
    EXPECT_OK(mp_condition_close(s.condition));
}

MP_CASE(the_death_of_the_locks_holder_is_told)
{
    mp_test_objects();
    mp_test_each_method(kill_the_notifier);
}

/* ---- killed at any moment ---- */

/* Takes what was brought, or brings something. */
static mp_status_t play(mp_call_t *call)
{
    mp_condition_t *condition = mp_arg_condition(call, 0);
    uint64_t *board = mp_test_board(call, 1);
    bool brings = mp_arg_bool(call, 2);
    for (;;) {
        mp_status_t status = mp_condition_acquire(condition, mp_test_patience());
        MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
        if (brings) {
            mp__add64(&board[0], 1);
            MP_CHECK(mp_condition_notify(condition, 1) == MP_OK);
        }
        while (!brings && mp__load64(&board[0]) == 0) {
            status = mp_condition_wait(condition, 0.05);
            MP_CHECK(status == MP_OK || status == MP_TIMEOUT || status == MP_OWNER_DIED);
        }
        if (!brings)
            mp__add64(&board[0], UINT64_MAX);
        mp__add64(&board[1], !brings);
        MP_CHECK(mp_condition_release(condition) == MP_OK);
    }
    return MP_OK;
}

static void kill_players(void)
{
    mp_process_t *processes[4];
    uint64_t random = 25, name, *board = mp_test_board_create(2 * sizeof *board, &name);
    mp_condition_t *condition = make_condition();
    for (int i = 0; i < 4; i++)
        REQUIRE_OK(mp_process_start(&processes[i], play, mp_args(condition, name, mp_bool(i < 2))));
    unsigned kills = 0;
    for (double until = mp_now() + mp_test_seconds(1.5); kills < 10 || (kills < 50 && mp_now() < until); kills++) {
        uint64_t i = mp_test_below(&random, 4);
        mp_test_wander(&random, 3000);
        mp_test_expect_killed(processes[i]);
        uint64_t before = mp__load64(&board[1]);
        for (double late = mp_now() + mp_test_seconds(1.5); mp__load64(&board[1]) == before && mp_now() < late;)
            mp__os_yield();
        CU_ASSERT(mp__load64(&board[1]) != before);
        REQUIRE_OK(mp_process_start(&processes[i], play, mp_args(condition, name, mp_bool(i < 2))));
    }
    for (int i = 0; i < 4; i++)
        mp_test_expect_killed(processes[i]);
    mp_status_t last = mp_condition_acquire(condition, mp_test_patience());
    CU_ASSERT(last == MP_OK || last == MP_OWNER_DIED);
    EXPECT_OK(mp_condition_notify_all(condition));
    EXPECT_OK(mp_condition_release(condition));
    EXPECT_OK(mp_condition_close(condition));
    mp_test_board_free(name);
}

MP_CASE(waiters_and_notifiers_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_players);
}

/* ---- the end ---- */

static mp_status_t wait_for_end(mp_call_t *call)
{
    mp_condition_t *condition = mp_arg_condition(call, 0);
    MP_CHECK(mp_condition_acquire(condition, mp_test_patience()) == MP_OK);
    return mp_exit(call, (int)mp_condition_wait(condition, MP_FOREVER));
}

static void expect_gone(void)
{
    mp_process_t *processes[2];
    mp_condition_t *condition = make_condition();
    for (uint32_t i = 0; i < 2; i++) {
        REQUIRE_OK(mp_process_start(&processes[i], wait_for_end, mp_args(condition)));
        mp_test_await_sleepers(i + 1);
    }
    double began = mp_now();
    EXPECT_OK(mp_condition_close(condition));
    for (int i = 0; i < 2; i++)
        mp_test_expect_end(processes[i], MP_GONE);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
}

MP_CASE(its_makers_close_ends_it_for_all)
{
    mp_test_objects();
    mp_test_each_method(expect_gone);
}

static mp_status_t make_and_wait(mp_call_t *call)
{
    mp_condition_t *condition;
    mp_value_t none;
    MP_CHECK(mp_condition_create(&condition) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), condition) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 0), &none);
    return MP_OK;
}

static void wait_for_the_makers_death(void *context)
{
    shared_t *s = context;
    MP_CHECK(mp_condition_acquire(s->condition, mp_test_patience()) == MP_OK);
    s->status = mp_condition_wait(s->condition, MP_FOREVER);
}

static void kill_maker(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t message;
    mp_test_thread_t thread;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, make_and_wait, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &message));
    shared_t s = {.condition = mp_value_condition(message)};
    mp_test_thread_start(&thread, wait_for_the_makers_death, &s);
    mp_test_await_sleepers(1);
    mp_test_expect_killed(process);
    mp_test_thread_join(&thread);
    CU_ASSERT_EQUAL(s.status, MP_GONE);
    EXPECT_STATUS(mp_condition_acquire(s.condition, 0), MP_GONE);
    EXPECT_STATUS(mp_condition_notify(s.condition, 1), MP_GONE);
    mp_value_free(&message);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(it_goes_with_its_maker)
{
    mp_test_objects();
    mp_test_each_method(kill_maker);
}

MP_GUARDED_CASES(MP_ROW(its_lock_must_be_held), MP_ROW(nothing_is_no_condition), MP_ROW(D4),
                 MP_ROW(a_lock_taken_thrice_is_let_go_of_and_taken_thrice), MP_ROW(waiting_for_a_predicate),
                 MP_ROW(a_condition_with_a_given_lock), MP_ROW(a_notification_is_for_the_living),
                 MP_ROW(a_notification_to_one_who_dies_goes_to_the_next), MP_ROW(the_death_of_the_locks_holder_is_told),
                 MP_ROW(waiters_and_notifiers_are_killed), MP_ROW(its_makers_close_ends_it_for_all),
                 MP_ROW(it_goes_with_its_maker));
