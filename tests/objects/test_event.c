/* Events: set, cleared and waited for between threads and processes, also by those who are killed. */
#include "scene.h"
#include "system.h"

#include "core/atomic.h"
#include "platform.h"

#include <signal.h>

static mp_event_t *make_event(void)
{
    mp_event_t *event;
    REQUIRE_OK(mp_event_create(&event));
    return event;
}

static bool is_set(mp_event_t *event)
{
    bool set = false;
    EXPECT_OK(mp_event_is_set(event, &set));
    return set;
}

/* ---- D5: a child sets it; wait's times; a signal handler sets it (one that interrupts the library in the middle of
 * something: posix/test_event_signals.c) */

static void set_and_clear_it(void)
{
    mp_event_t *event = make_event();
    CU_ASSERT_FALSE(is_set(event));
    EXPECT_STATUS(mp_event_wait(event, (double)NAN), MP_INVALID);
    double began = mp_now();
    EXPECT_STATUS(mp_event_wait(event, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_event_wait(event, -1), MP_TIMEOUT);
    EXPECT_TOOK(began, 0);
    began = mp_now();
    EXPECT_STATUS(mp_event_wait(event, 0.2), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.2);
    EXPECT_OK(mp_event_set(event));
    EXPECT_OK(mp_event_set(event));
    CU_ASSERT(is_set(event));
    began = mp_now();
    EXPECT_OK(mp_event_wait(event, 0));
    EXPECT_OK(mp_event_wait(event, 0.2));
    EXPECT_OK(mp_event_wait(event, MP_FOREVER));
    EXPECT_TOOK(began, 0);
    EXPECT_OK(mp_event_clear(event));
    EXPECT_OK(mp_event_clear(event));
    CU_ASSERT_FALSE(is_set(event));
    EXPECT_STATUS(mp_event_wait(event, 0), MP_TIMEOUT);
    EXPECT_OK(mp_event_close(event));
}

static mp_status_t answer(mp_call_t *call)
{
    MP_CHECK(mp_event_wait(mp_arg_event(call, 0), mp_test_patience()) == MP_OK);
    MP_CHECK(mp_event_set(mp_arg_event(call, 1)) == MP_OK);
    return MP_OK;
}

static mp_event_t *volatile handled;

static void set_it(int signal)
{
    (void)signal;
    if (mp_event_set(handled) != MP_OK)
        handled = NULL;
}

/* The child waits for what the handler sets, and sets the other. */
static void set_by_handler_and_child(void)
{
    mp_process_t *process;
    mp_event_t *question = make_event(), *answered = make_event();
    REQUIRE_OK(mp_process_start(&process, answer, mp_args(question, answered)));
    mp_test_await_sleepers(1);
    double began = mp_now();
    EXPECT_STATUS(mp_event_wait(answered, 0.05), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.05);
    handled = question;
    CU_ASSERT(signal(SIGTERM, set_it) != SIG_ERR);
    CU_ASSERT_EQUAL(raise(SIGTERM), 0);
    CU_ASSERT(signal(SIGTERM, SIG_DFL) != SIG_ERR);
    CU_ASSERT_PTR_EQUAL(handled, question);
    CU_ASSERT(is_set(question));
    began = mp_now();
    EXPECT_OK(mp_event_wait(answered, mp_test_patience()));
    EXPECT_WITHIN(began, 0.4); /* woken, not found at a second look */
    CU_ASSERT(is_set(answered));
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_event_close(question));
    EXPECT_OK(mp_event_close(answered));
}

MP_CASE(D5)
{
    mp_test_objects();
    set_and_clear_it();
    mp_test_each_method(set_by_handler_and_child);
}

MP_CASE(nothing_is_no_event)
{
    mp_lock_t *lock;
    bool set;
    mp_test_objects();
    REQUIRE_OK(mp_lock_create(&lock));
    mp_event_t *event = make_event(), *other = (mp_event_t *)(void *)lock;
    EXPECT_STATUS(mp_event_create(NULL), MP_INVALID);
    CU_ASSERT_EQUAL(mp_event_set(NULL), MP_INVALID);
    CU_ASSERT_EQUAL(mp_event_set(other), MP_INVALID);
    EXPECT_STATUS(mp_event_clear(NULL), MP_INVALID);
    EXPECT_STATUS(mp_event_wait(other, 0), MP_INVALID);
    EXPECT_STATUS(mp_event_is_set(NULL, &set), MP_INVALID);
    EXPECT_STATUS(mp_event_is_set(event, NULL), MP_INVALID);
    EXPECT_OK(mp_event_close(NULL));
    EXPECT_OK(mp_event_close(event));
    EXPECT_OK(mp_lock_close(lock));
}

/* ---- all who wait ---- */

static mp_status_t wait_once(mp_call_t *call)
{
    MP_CHECK(mp_event_wait(mp_arg_event(call, 0), mp_test_patience()) == MP_OK);
    return MP_OK;
}

static void wait_in_thread(void *event)
{
    MP_CHECK(mp_event_wait(event, mp_test_patience()) == MP_OK);
}

/* Set and cleared at once: who waits returns all the same. */
static void pulse(void)
{
    enum { PROCESSES = 3, THREADS = 2 };
    mp_process_t *processes[PROCESSES], *victim;
    mp_test_thread_t threads[THREADS];
    mp_event_t *event = make_event();
    for (int i = 0; i < PROCESSES; i++)
        REQUIRE_OK(mp_process_start(&processes[i], wait_once, mp_args(event)));
    REQUIRE_OK(mp_process_start(&victim, wait_once, mp_args(event)));
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_start(&threads[i], wait_in_thread, event);
    mp_test_await_sleepers(PROCESSES + 1 + THREADS);
    mp_test_expect_killed(victim);
    mp_test_await_sleepers(PROCESSES + THREADS);
    double began = mp_now();
    CU_ASSERT(mp_test_pause(mp_process_pid(processes[0]))); /* this one does not look in between */
    EXPECT_OK(mp_event_set(event));
    EXPECT_OK(mp_event_clear(event));
    CU_ASSERT(mp_test_resume(mp_process_pid(processes[0])));
    for (int i = 0; i < PROCESSES; i++)
        mp_test_expect_end(processes[i], 0);
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_join(&threads[i]);
    CU_ASSERT(mp_now() - began < mp_test_seconds(2));
    CU_ASSERT_FALSE(is_set(event));
    EXPECT_OK(mp_event_close(event));
}

MP_CASE(all_who_wait_return_even_if_it_is_cleared_at_once)
{
    mp_test_objects();
    mp_test_each_method(pulse);
}

/* ---- killed at any moment ---- */

static mp_status_t set_and_clear(mp_call_t *call)
{
    for (;;) {
        MP_CHECK(mp_event_set(mp_arg_event(call, 0)) == MP_OK);
        MP_CHECK(mp_event_clear(mp_arg_event(call, 0)) == MP_OK);
        mp__os_yield();
    }
    return MP_OK;
}

static mp_status_t wait_again(mp_call_t *call)
{
    uint64_t *board = mp_test_board(call, 1);
    for (;;) {
        MP_CHECK(mp_event_wait(mp_arg_event(call, 0), mp_test_patience()) == MP_OK);
        mp__add64(board, 1);
    }
    return MP_OK;
}

static void kill_them(void)
{
    mp_process_t *processes[4];
    uint64_t random = 24, name, *board = mp_test_board_create(sizeof *board, &name);
    mp_event_t *event = make_event();
    for (int i = 0; i < 4; i++)
        REQUIRE_OK(mp_process_start(&processes[i], i < 2 ? set_and_clear : wait_again, mp_args(event, name)));
    unsigned kills = 0;
    for (double until = mp_now() + mp_test_seconds(1); kills < 10 || (kills < 50 && mp_now() < until); kills++) {
        uint64_t i = mp_test_below(&random, 4);
        mp_test_wander(&random, 2000);
        mp_test_expect_killed(processes[i]);
        uint64_t before = mp__load64(board);
        for (double late = mp_now() + mp_test_seconds(1.5); mp__load64(board) == before && mp_now() < late;)
            mp__os_yield();
        CU_ASSERT(mp__load64(board) != before);
        REQUIRE_OK(mp_process_start(&processes[i], i < 2 ? set_and_clear : wait_again, mp_args(event, name)));
    }
    for (int i = 0; i < 4; i++)
        mp_test_expect_killed(processes[i]);
    EXPECT_OK(mp_event_set(event));
    EXPECT_OK(mp_event_wait(event, 0));
    EXPECT_OK(mp_event_close(event));
    mp_test_board_free(name);
}

MP_CASE(setters_and_waiters_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_them);
}

/* ---- the end ---- */

static mp_status_t wait_for_end(mp_call_t *call)
{
    mp_event_t *event = mp_arg_event(call, 0);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), event, MP_FOREVER) == MP_OK);
    return mp_exit(call, (int)mp_event_wait(event, MP_FOREVER));
}

static void expect_gone(void)
{
    mp_process_t *process;
    mp_queue_t *ready;
    mp_value_t value;
    bool set;
    mp_event_t *event = make_event();
    REQUIRE_OK(mp_queue_create(&ready, 0));
    REQUIRE_OK(mp_process_start(&process, wait_for_end, mp_args(event, ready)));
    REQUIRE_OK(mp_queue_get(ready, &value, mp_test_patience()));
    EXPECT_OK(mp_event_close(event));
    mp_test_expect_end(process, MP_GONE);
    event = mp_value_event(value);
    CU_ASSERT_EQUAL(mp_event_set(event), MP_GONE);
    EXPECT_STATUS(mp_event_clear(event), MP_GONE);
    EXPECT_STATUS(mp_event_wait(event, 0), MP_GONE);
    EXPECT_STATUS(mp_event_is_set(event, &set), MP_GONE);
    mp_value_free(&value);
    EXPECT_OK(mp_queue_close(ready));
}

MP_CASE(its_makers_close_ends_it_for_all)
{
    mp_test_objects();
    mp_test_each_method(expect_gone);
}

/* The place's next object is not the late user's. */
MP_CASE(a_late_set_does_nothing)
{
    mp_value_t kept;
    mp_queue_t *queue;
    mp_event_t *next[8];
    mp_test_objects();
    mp_event_t *event = make_event();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_queue_put(queue, event, 0));
    REQUIRE_OK(mp_queue_get(queue, &kept, 0));
    EXPECT_OK(mp_event_close(event));
    for (int i = 0; i < 8; i++)
        next[i] = make_event();
    CU_ASSERT_EQUAL(mp_event_set(mp_value_event(kept)), MP_GONE);
    for (int i = 0; i < 8; i++) {
        CU_ASSERT_FALSE(is_set(next[i]));
        EXPECT_OK(mp_event_close(next[i]));
    }
    mp_value_free(&kept);
    EXPECT_OK(mp_queue_close(queue));
}

MP_GUARDED_CASES(MP_ROW(D5), MP_ROW(nothing_is_no_event), MP_ROW(all_who_wait_return_even_if_it_is_cleared_at_once),
                 MP_ROW(setters_and_waiters_are_killed), MP_ROW(its_makers_close_ends_it_for_all),
                 MP_ROW(a_late_set_does_nothing));
