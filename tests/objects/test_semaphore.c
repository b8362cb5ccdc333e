/* Semaphores: counting, bounds, permits that return from the dead and those that do not. */
#include "scene.h"
#include "system.h"

#include "family/family.h"

static mp_semaphore_t *make(uint32_t permits, unsigned flags)
{
    mp_semaphore_t *semaphore;
    const mp_semaphore_options_t options = {.flags = flags};
    REQUIRE_OK(mp_semaphore_create_with(&semaphore, permits, &options));
    return semaphore;
}

static uint32_t value_of(mp_semaphore_t *semaphore)
{
    uint32_t value = UINT32_MAX;
    EXPECT_OK(mp_semaphore_value(semaphore, &value));
    return value;
}

/* ---- one thread ---- */

static void count(unsigned flags)
{
    mp_semaphore_t *semaphore = make(2, flags);
    CU_ASSERT_EQUAL(value_of(semaphore), 2);
    EXPECT_OK(mp_semaphore_acquire(semaphore, 0));
    EXPECT_OK(mp_semaphore_acquire(semaphore, MP_FOREVER));
    CU_ASSERT_EQUAL(value_of(semaphore), 0);
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, (double)NAN), MP_INVALID);
    double began = mp_now();
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, -1), MP_TIMEOUT);
    EXPECT_TOOK(began, 0);
    began = mp_now();
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, 0.2), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.2);
    EXPECT_OK(mp_semaphore_release(semaphore));
    CU_ASSERT_EQUAL(value_of(semaphore), 1);
    EXPECT_OK(mp_semaphore_acquire(semaphore, 0.1));
    EXPECT_OK(mp_semaphore_release(semaphore));
    EXPECT_OK(mp_semaphore_release(semaphore));
    EXPECT_OK(mp_semaphore_close(semaphore));
}

static void release_too_often(void)
{
    mp_semaphore_t *semaphore;
    REQUIRE_OK(mp_semaphore_create(&semaphore, 1));
    EXPECT_OK(mp_semaphore_release(semaphore));
    CU_ASSERT_EQUAL(value_of(semaphore), 2);
    EXPECT_OK(mp_semaphore_close(semaphore));
    REQUIRE_OK(mp_bounded_semaphore_create(&semaphore, 1));
    EXPECT_STATUS(mp_semaphore_release(semaphore), MP_STATE);
    EXPECT_OK(mp_semaphore_acquire(semaphore, 0));
    EXPECT_OK(mp_semaphore_release(semaphore));
    EXPECT_STATUS(mp_semaphore_release(semaphore), MP_STATE);
    CU_ASSERT_EQUAL(value_of(semaphore), 1);
    EXPECT_OK(mp_semaphore_close(semaphore));
    semaphore = make(1, MP_OWNED);
    EXPECT_STATUS(mp_semaphore_release(semaphore), MP_NOT_OWNER);
    EXPECT_OK(mp_semaphore_close(semaphore));
    REQUIRE_OK(mp_semaphore_create(&semaphore, MP_SEMAPHORE_MAX));
    EXPECT_STATUS(mp_semaphore_release(semaphore), MP_STATE);
    EXPECT_OK(mp_semaphore_close(semaphore));
    REQUIRE_OK(mp_bounded_semaphore_create(&semaphore, 0)); /* as Python's: of no use, but no error */
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, 0), MP_TIMEOUT);
    EXPECT_OK(mp_semaphore_close(semaphore));
}

/* D3: counting; bounds: an error; a timed acquire within tolerance */
MP_CASE(D3)
{
    mp_test_objects();
    for (unsigned flags = 0; flags < 4; flags++)
        count(flags);
    release_too_often();
}

MP_CASE(nothing_is_no_semaphore)
{
    mp_semaphore_t *semaphore;
    mp_lock_t *lock;
    uint32_t value;
    const mp_semaphore_options_t wrong = {.flags = 4};
    mp_test_objects();
    REQUIRE_OK(mp_lock_create(&lock));
    EXPECT_STATUS(mp_semaphore_create(NULL, 1), MP_INVALID);
    EXPECT_STATUS(mp_semaphore_create(&semaphore, (uint32_t)MP_SEMAPHORE_MAX + 1), MP_INVALID);
    EXPECT_STATUS(mp_semaphore_create(&semaphore, (uint32_t)-1), MP_INVALID);
    EXPECT_STATUS(mp_semaphore_create_with(&semaphore, 1, &wrong), MP_INVALID);
    CU_ASSERT_PTR_NULL(semaphore);
    EXPECT_STATUS(mp_semaphore_acquire(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_semaphore_acquire((mp_semaphore_t *)(void *)lock, 0), MP_INVALID);
    EXPECT_STATUS(mp_semaphore_release(NULL), MP_INVALID);
    EXPECT_STATUS(mp_semaphore_value(NULL, &value), MP_INVALID);
    REQUIRE_OK(mp_semaphore_create(&semaphore, 1));
    EXPECT_STATUS(mp_semaphore_value(semaphore, NULL), MP_INVALID);
    EXPECT_OK(mp_semaphore_close(semaphore));
    EXPECT_OK(mp_semaphore_close(NULL));
    EXPECT_OK(mp_lock_close(lock));
}

/* ---- holders ---- */

static void give_back(void *semaphore)
{
    MP_CHECK(mp_semaphore_release(semaphore) == MP_OK);
}

static void refuse_to_give(void *semaphore)
{
    MP_CHECK(mp_semaphore_release(semaphore) == MP_NOT_OWNER);
}

static void take_two(void *semaphore)
{
    MP_CHECK(mp_semaphore_acquire(semaphore, 0) == MP_OK);
    MP_CHECK(mp_semaphore_acquire(semaphore, 0) == MP_OK);
}

static void in_a_thread(void (*run)(void *), mp_semaphore_t *semaphore)
{
    mp_test_thread_t thread;
    mp_test_thread_start(&thread, run, semaphore);
    mp_test_thread_join(&thread);
}

MP_CASE(who_may_release)
{
    mp_test_objects();
    mp_semaphore_t *semaphore = make(2, MP_PLAIN);
    EXPECT_OK(mp_semaphore_acquire(semaphore, 0));
    in_a_thread(give_back, semaphore);
    in_a_thread(take_two, semaphore);
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, 0.05), MP_TIMEOUT); /* a thread's end returns nothing */
    EXPECT_OK(mp_semaphore_close(semaphore));

    semaphore = make(3, MP_OWNED);
    EXPECT_OK(mp_semaphore_acquire(semaphore, 0));
    in_a_thread(refuse_to_give, semaphore);
    in_a_thread(take_two, semaphore);
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, mp_test_patience()), MP_OWNER_DIED);
    EXPECT_OK(mp_semaphore_acquire(semaphore, 0)); /* both are back, and that was told */
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, 0), MP_TIMEOUT);
    for (int i = 0; i < 3; i++)
        EXPECT_OK(mp_semaphore_release(semaphore));
    EXPECT_STATUS(mp_semaphore_release(semaphore), MP_NOT_OWNER);
    EXPECT_OK(mp_semaphore_close(semaphore));
}

typedef struct many {
    mp_semaphore_t *semaphore;
    uint32_t ready, end;
} many_t;

static void hold_until_the_end(void *context)
{
    many_t *many = context;
    MP_CHECK(mp_semaphore_acquire(many->semaphore, 0) == MP_OK);
    mp__add32(&many->ready, 1);
    while (!mp__load32(&many->end))
        mp__os_sleep(mp__os_now() + MP__MILLISECOND);
    MP_CHECK(mp_semaphore_release(many->semaphore) == MP_OK);
}

MP_CASE(more_holders_than_the_first_table_has_rows)
{
    enum { MANY = 70 };
    static mp_test_thread_t threads[MANY];
    mp_test_objects();
    many_t many = {.semaphore = make(MANY, MP_OWNED)};
    for (int i = 0; i < MANY; i++)
        mp_test_thread_start(&threads[i], hold_until_the_end, &many);
    while (mp__load32(&many.ready) < MANY)
        mp__os_sleep(mp__os_now() + MP__MILLISECOND);
    EXPECT_STATUS(mp_semaphore_acquire(many.semaphore, 0), MP_TIMEOUT);
    mp__store32(&many.end, 1);
    for (int i = 0; i < MANY; i++)
        mp_test_thread_join(&threads[i]);
    CU_ASSERT_EQUAL(value_of(many.semaphore), MANY);
    EXPECT_OK(mp_semaphore_close(many.semaphore));
}

/* ---- other processes ---- */

/* Takes so many permits, says so, and holds them for ever. */
static mp_status_t hold(mp_call_t *call)
{
    mp_semaphore_t *semaphore = mp_arg_semaphore(call, 0);
    for (int64_t i = mp_arg_int(call, 2); i > 0; i--)
        MP_CHECK(mp_semaphore_acquire(semaphore, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), 1, 0) == MP_OK);
    mp_sleep(1000);
    return MP_OK;
}

static mp_process_t *start_holder(mp_semaphore_t *semaphore, int permits)
{
    mp_process_t *process;
    mp_queue_t *ready;
    mp_value_t one;
    REQUIRE_OK(mp_queue_create(&ready, 0));
    REQUIRE_OK(mp_process_start(&process, hold, mp_args(semaphore, ready, permits)));
    REQUIRE_OK(mp_queue_get(ready, &one, mp_test_patience()));
    EXPECT_OK(mp_queue_close(ready));
    return process;
}

typedef struct waiter {
    mp_semaphore_t *semaphore;
    uint32_t waiting;
    mp_status_t status;
} waiter_t;

static void wait_as_thread(void *context)
{
    waiter_t *waiter = context;
    mp__store32(&waiter->waiting, 1);
    waiter->status = mp_semaphore_acquire(waiter->semaphore, mp_test_patience());
    if (waiter->status == MP_OK || waiter->status == MP_OWNER_DIED)
        MP_CHECK(mp_semaphore_release(waiter->semaphore) == MP_OK);
}

static void holders_die(void)
{
    mp_test_thread_t thread;
    mp_semaphore_t *semaphore = make(3, MP_OWNED);
    mp_process_t *process = start_holder(semaphore, 3);
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, 0), MP_TIMEOUT);
    waiter_t waiter = {.semaphore = semaphore};
    mp_test_thread_start(&thread, wait_as_thread, &waiter);
    while (!mp__load32(&waiter.waiting))
        mp__os_yield();
    mp_test_expect_killed(process);
    double began = mp_now();
    mp_test_thread_join(&thread);
    CU_ASSERT_EQUAL(waiter.status, MP_OWNER_DIED);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1));
    CU_ASSERT_EQUAL(value_of(semaphore), 3);
    EXPECT_OK(mp_semaphore_close(semaphore));

    semaphore = make(3, MP_BOUNDED);
    mp_test_expect_killed(start_holder(semaphore, 2));
    CU_ASSERT_EQUAL(value_of(semaphore), 1); /* as Python's */
    EXPECT_OK(mp_semaphore_release(semaphore));
    EXPECT_OK(mp_semaphore_close(semaphore));
}

MP_CASE(owned_permits_return_from_the_dead_and_others_do_not)
{
    mp_test_objects();
    mp_test_each_method(holders_die);
}

/* Never more than two at once. */
static mp_status_t enter_and_leave(mp_call_t *call)
{
    mp_semaphore_t *semaphore = mp_arg_semaphore(call, 0);
    uint64_t *board = mp_test_board(call, 1);
    for (int i = 0; i < 500; i++) {
        MP_CHECK(mp_semaphore_acquire(semaphore, mp_test_patience()) == MP_OK);
        MP_CHECK(mp__add64(&board[0], 1) < 2);
        if (i % 16 == 0)
            mp__os_yield();
        mp__add64(&board[0], UINT64_MAX);
        mp__add64(&board[1], 1);
        MP_CHECK(mp_semaphore_release(semaphore) == MP_OK);
    }
    return MP_OK;
}

static void share(unsigned flags)
{
    mp_process_t *processes[4];
    uint64_t name, *board = mp_test_board_create(2 * sizeof *board, &name);
    mp_semaphore_t *semaphore = make(2, flags);
    for (int i = 0; i < 4; i++)
        REQUIRE_OK(mp_process_start(&processes[i], enter_and_leave, mp_args(semaphore, name)));
    for (int i = 0; i < 4; i++)
        mp_test_expect_end(processes[i], 0);
    CU_ASSERT_EQUAL(board[1], 2000);
    CU_ASSERT_EQUAL(value_of(semaphore), 2);
    EXPECT_OK(mp_semaphore_close(semaphore));
    mp_test_board_free(name);
}

static void share_plain_and_owned(void)
{
    share(MP_PLAIN);
    share(MP_OWNED);
}

MP_CASE(two_at_a_time)
{
    mp_test_objects();
    mp_test_each_method(share_plain_and_owned);
}

/* ---- killed at any moment ---- */

static mp_status_t fight(mp_call_t *call)
{
    mp_semaphore_t *semaphore = mp_arg_semaphore(call, 0);
    uint64_t *board = mp_test_board(call, 1);
    for (;;) {
        mp_status_t status = mp_semaphore_acquire(semaphore, mp_test_patience());
        MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
        mp__add64(&board[0], 1);
        MP_CHECK(mp_semaphore_release(semaphore) == MP_OK);
    }
    return MP_OK;
}

static void kill_fighters(void)
{
    mp_process_t *processes[3];
    uint64_t random = 23, name, *board = mp_test_board_create(sizeof *board, &name);
    mp_semaphore_t *semaphore = make(2, MP_OWNED);
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_process_start(&processes[i], fight, mp_args(semaphore, name)));
    unsigned kills = 0;
    for (double until = mp_now() + mp_test_seconds(1.5); kills < 10 || (kills < 50 && mp_now() < until); kills++) {
        mp_process_t **victim = &processes[mp_test_below(&random, 3)];
        mp_test_wander(&random, 3000);
        mp_test_expect_killed(*victim);
        uint64_t before = mp__load64(&board[0]);
        for (double late = mp_now() + mp_test_seconds(1.5); mp__load64(&board[0]) == before && mp_now() < late;)
            mp__os_yield();
        CU_ASSERT(mp__load64(&board[0]) != before);
        REQUIRE_OK(mp_process_start(victim, fight, mp_args(semaphore, name)));
    }
    for (int i = 0; i < 3; i++)
        mp_test_expect_killed(processes[i]);
    CU_ASSERT_EQUAL(value_of(semaphore), 2); /* none is lost, none is there twice */
    EXPECT_OK(mp_semaphore_close(semaphore));
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
    mp_semaphore_t *semaphore = mp_arg_semaphore(call, 0);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), semaphore, MP_FOREVER) == MP_OK);
    return mp_exit(call, (int)mp_semaphore_acquire(semaphore, MP_FOREVER));
}

static void end_for(unsigned flags)
{
    mp_process_t *process;
    mp_queue_t *ready;
    mp_value_t value;
    uint32_t permits;
    mp_semaphore_t *semaphore = make(0, flags);
    REQUIRE_OK(mp_queue_create(&ready, 0));
    REQUIRE_OK(mp_process_start(&process, wait_for_end, mp_args(semaphore, ready)));
    REQUIRE_OK(mp_queue_get(ready, &value, mp_test_patience()));
    EXPECT_OK(mp_semaphore_close(semaphore));
    mp_test_expect_end(process, MP_GONE);
    semaphore = mp_value_semaphore(value);
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, 0), MP_GONE);
    EXPECT_STATUS(mp_semaphore_release(semaphore), MP_GONE);
    EXPECT_STATUS(mp_semaphore_value(semaphore, &permits), MP_GONE);
    mp_value_free(&value);
    EXPECT_OK(mp_queue_close(ready));
}

static void end_each(void)
{
    end_for(MP_PLAIN);
    end_for(MP_OWNED);
}

MP_CASE(its_makers_close_ends_it_for_all)
{
    mp_test_objects();
    mp_test_each_method(end_each);
}

/* ---- who is told of the dead */

static void ask_after_a_death(void)
{
    bool ready;
    char *text;
    mp_semaphore_t *semaphore = make(2, MP_OWNED);
    mp_test_expect_killed(start_holder(semaphore, 2));
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(value_of(semaphore), 2);
    EXPECT_OK(mp_wait((mp_value_t[]){mp_of(semaphore)}, 1, &ready, 0));
    text = mp_dump_text(semaphore);
    free(text);
    EXPECT_STATUS(mp_semaphore_acquire(semaphore, 0), MP_OWNER_DIED);
    CU_ASSERT_EQUAL(value_of(semaphore), 1);
    EXPECT_OK(mp_semaphore_acquire(semaphore, 0));
    EXPECT_OK(mp_semaphore_close(semaphore));
}

MP_CASE(who_acquires_is_told_of_the_dead_whoever_asked_before)
{
    mp_test_objects();
    mp_test_each_method(ask_after_a_death);
}

MP_GUARDED_CASES(MP_ROW(D3), MP_ROW(nothing_is_no_semaphore), MP_ROW(who_may_release),
                 MP_ROW(more_holders_than_the_first_table_has_rows),
                 MP_ROW(owned_permits_return_from_the_dead_and_others_do_not), MP_ROW(two_at_a_time),
                 MP_ROW(holders_and_waiters_are_killed), MP_ROW(its_makers_close_ends_it_for_all),
                 MP_ROW(who_acquires_is_told_of_the_dead_whoever_asked_before));
