/* Barriers: in step over many rounds, broken for exactly those who wait, and by the death of one of them. */
#include "scene.h"
#include "system.h"

#include "family/family.h"

#include <string.h>

static mp_barrier_t *make_barrier(uint32_t parties)
{
    mp_barrier_t *barrier;
    REQUIRE_OK(mp_barrier_create(&barrier, parties));
    return barrier;
}

static bool is_broken(mp_barrier_t *barrier)
{
    bool broken = false;
    EXPECT_OK(mp_barrier_broken(barrier, &broken));
    return broken;
}

static uint32_t waiting_at(mp_barrier_t *barrier)
{
    uint32_t waiting = UINT32_MAX;
    EXPECT_OK(mp_barrier_waiting(barrier, &waiting));
    return waiting;
}

static void await_waiting(mp_barrier_t *barrier, uint32_t n)
{
    for (double late = mp_now() + mp_test_patience(); waiting_at(barrier) != n && mp_now() < late;)
        mp__os_yield();
    CU_ASSERT_EQUAL(waiting_at(barrier), n);
}

static void expect_reason(const char *words)
{
    CU_ASSERT(strstr(mp_error()->text, words) != NULL);
}

/* ---- one thread ---- */

MP_CASE(alone)
{
    uint32_t index = 7, parties = 0;
    mp_test_objects();
    mp_barrier_t *barrier = make_barrier(1);
    EXPECT_OK(mp_barrier_wait(barrier, 0, &index));
    CU_ASSERT_EQUAL(index, 0);
    EXPECT_OK(mp_barrier_wait(barrier, MP_FOREVER, NULL));
    EXPECT_STATUS(mp_barrier_wait(barrier, (double)NAN, NULL), MP_INVALID);
    CU_ASSERT_FALSE(is_broken(barrier));
    EXPECT_OK(mp_barrier_close(barrier));
    barrier = make_barrier(2);
    EXPECT_OK(mp_barrier_parties(barrier, &parties));
    CU_ASSERT_EQUAL(parties, 2);
    double began = mp_now();
    EXPECT_STATUS(mp_barrier_wait(barrier, 0.1, &index), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.1);
    CU_ASSERT(is_broken(barrier));
    EXPECT_STATUS(mp_barrier_wait(barrier, MP_FOREVER, &index), MP_STATE);
    expect_reason("time was over");
    CU_ASSERT_EQUAL(waiting_at(barrier), 0);
    EXPECT_OK(mp_barrier_reset(barrier));
    CU_ASSERT_FALSE(is_broken(barrier));
    EXPECT_STATUS(mp_barrier_wait(barrier, 0, &index), MP_TIMEOUT);
    EXPECT_OK(mp_barrier_reset(barrier));
    EXPECT_OK(mp_barrier_abort(barrier));
    EXPECT_OK(mp_barrier_abort(barrier));
    EXPECT_STATUS(mp_barrier_wait(barrier, 0, &index), MP_STATE);
    expect_reason("aborted");
    EXPECT_OK(mp_barrier_close(barrier));
}

MP_CASE(nothing_is_no_barrier)
{
    mp_barrier_t *barrier;
    mp_lock_t *lock;
    uint32_t n;
    mp_test_objects();
    REQUIRE_OK(mp_lock_create(&lock));
    EXPECT_STATUS(mp_barrier_create(NULL, 1), MP_INVALID);
    EXPECT_STATUS(mp_barrier_create(&barrier, 0), MP_INVALID);
    EXPECT_STATUS(mp_barrier_create(&barrier, MP_BARRIER_MAX + 1), MP_INVALID);
    CU_ASSERT_PTR_NULL(barrier);
    EXPECT_STATUS(mp_barrier_wait(NULL, 0, &n), MP_INVALID);
    EXPECT_STATUS(mp_barrier_wait((mp_barrier_t *)(void *)lock, 0, &n), MP_INVALID);
    EXPECT_STATUS(mp_barrier_abort(NULL), MP_INVALID);
    EXPECT_STATUS(mp_barrier_reset(NULL), MP_INVALID);
    EXPECT_STATUS(mp_barrier_parties(NULL, &n), MP_INVALID);
    EXPECT_OK(mp_barrier_close(NULL));
    barrier = make_barrier(1);
    EXPECT_STATUS(mp_barrier_waiting(barrier, NULL), MP_INVALID);
    EXPECT_STATUS(mp_barrier_broken(barrier, NULL), MP_INVALID);
    EXPECT_STATUS(mp_barrier_parties(barrier, NULL), MP_INVALID);
    EXPECT_OK(mp_barrier_close(barrier));
    EXPECT_OK(mp_lock_close(lock));
}

/* ---- D6: in step for 1000 rounds x 5; one has index 0; abort, reset and timeout break exactly those who wait */

#define PARTIES 5
#define ROUNDS  1000

/* board: [party] the round that it is in; [ACTIONS] how many there were; [INDICES + round] a byte for each index: how
 * many had it */
enum { ACTIONS = PARTIES, INDICES, BOARD = INDICES + ROUNDS + 1 };

static mp_status_t keep_step(mp_call_t *call)
{
    mp_barrier_t *barrier = mp_arg_barrier(call, 0);
    uint64_t *board = mp_test_board(call, 1), party = mp_arg_uint(call, 2);
    uint32_t index;
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        mp__store64(&board[party], round);
        MP_CHECK(mp_barrier_wait(barrier, mp_test_patience(), &index) == MP_OK);
        MP_CHECK(mp__load64(&board[ACTIONS]) == round);
        for (int i = 0; i < PARTIES; i++)
            MP_CHECK(mp__load64(&board[i]) == round || mp__load64(&board[i]) == round + 1);
        mp__add64(&board[INDICES + round], (uint64_t)1 << 8 * index);
    }
    return MP_OK;
}

static mp_status_t count_round(mp_call_t *call)
{
    uint64_t *board = mp_test_board(call, 0);
    uint64_t round = mp__add64(&board[ACTIONS], 1) + 1;
    for (int i = 0; i < PARTIES; i++)
        MP_CHECK(mp__load64(&board[i]) == round); /* all are there, none has gone on */
    return MP_OK;
}

static void walk_in_step(void)
{
    mp_process_t *processes[PARTIES];
    mp_barrier_t *barrier;
    uint64_t name, *board = mp_test_board_create(BOARD * sizeof *board, &name);
    const mp_barrier_options_t options = {.action = count_round, .args = mp_args(name)};
    REQUIRE_OK(mp_barrier_create_with(&barrier, PARTIES, &options));
    for (int i = 0; i < PARTIES; i++)
        REQUIRE_OK(mp_process_start(&processes[i], keep_step, mp_args(barrier, name, i)));
    for (int i = 0; i < PARTIES; i++)
        mp_test_expect_end(processes[i], 0);
    int wrong = 0;
    for (int round = 1; round <= ROUNDS; round++)
        wrong += board[INDICES + round] != UINT64_C(0x0101010101); /* each index once */
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(board[ACTIONS], ROUNDS);
    CU_ASSERT_EQUAL(waiting_at(barrier), 0);
    EXPECT_OK(mp_barrier_close(barrier));
    mp_test_board_free(name);
}

/* Waits, and tells by its exit code what came of it. */
static mp_status_t wait_and_tell(mp_call_t *call)
{
    return mp_exit(call, (int)mp_barrier_wait(mp_arg_barrier(call, 0), mp_arg_double(call, 1), NULL));
}

static void start_waiting(mp_process_t **processes, uint32_t n, mp_barrier_t *barrier)
{
    uint32_t before = waiting_at(barrier);
    for (uint32_t i = 0; i < n; i++)
        REQUIRE_OK(mp_process_start(&processes[i], wait_and_tell, mp_args(barrier, mp_test_patience())));
    await_waiting(barrier, before + n);
}

static void expect_ends(mp_process_t **processes, int n, int code)
{
    for (int i = 0; i < n; i++)
        mp_test_expect_end(processes[i], code);
}

/* One of those who passed stands still until it is broken: it was none of those who waited, and sees nothing of it. */
static void expect_passed(mp_process_t **processes, mp_barrier_t *barrier, mp_status_t (*then)(mp_barrier_t *))
{
    start_waiting(processes, 3, barrier);
    mp_test_await_sleepers(3);
    CU_ASSERT_FATAL(mp_test_pause(mp_process_pid(processes[0])));
    EXPECT_OK(mp_barrier_wait(barrier, mp_test_patience(), NULL));
    EXPECT_OK(then(barrier));
    CU_ASSERT_FATAL(mp_test_resume(mp_process_pid(processes[0])));
    expect_ends(processes, 3, MP_OK);
}

static mp_status_t time_out(mp_barrier_t *barrier)
{
    double began = mp_now();
    EXPECT_STATUS(mp_barrier_wait(barrier, 0.2, NULL), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.2);
    return MP_OK;
}

static void break_it(void)
{
    static mp_status_t (*const ways[])(mp_barrier_t *) = {mp_barrier_abort, mp_barrier_reset, time_out};
    mp_process_t *processes[3];
    mp_barrier_t *barrier = make_barrier(4);
    for (int i = 0; i < 3; i++) {
        bool stays = ways[i] != mp_barrier_reset; /* by that one those who wait are out, the barrier is as new */
        int n = ways[i] == time_out ? 2 : 3;
        start_waiting(processes, (uint32_t)n, barrier);
        double began = mp_now();
        EXPECT_OK(ways[i](barrier));
        expect_ends(processes, n, MP_STATE);
        EXPECT_WITHIN(began, 1.5);
        CU_ASSERT_EQUAL(is_broken(barrier), stays);
        CU_ASSERT_EQUAL(waiting_at(barrier), 0);
        if (stays)
            EXPECT_STATUS(mp_barrier_wait(barrier, 0, NULL), MP_STATE); /* and those who come */
        EXPECT_OK(mp_barrier_reset(barrier));
        expect_passed(processes, barrier, ways[i]); /* it can be used again */
        EXPECT_OK(mp_barrier_reset(barrier));
    }
    EXPECT_OK(mp_barrier_close(barrier));
}

MP_CASE(D6)
{
    mp_test_objects();
    mp_test_each_method(walk_in_step);
    mp_test_each_method(break_it);
}

/* ---- who dies ---- */

typedef struct late {
    mp_barrier_t *barrier;
    uint32_t index;
    mp_status_t status;
} late_t;

static void wait_as_thread(void *context)
{
    late_t *late = context;
    late->status = mp_barrier_wait(late->barrier, mp_test_patience(), &late->index);
}

static void kill_a_party(void)
{
    mp_process_t *processes[2];
    mp_test_thread_t thread;
    mp_barrier_t *barrier = make_barrier(4);
    late_t late = {.barrier = barrier};
    start_waiting(processes, 2, barrier);
    mp_test_thread_start(&thread, wait_as_thread, &late);
    await_waiting(barrier, 3);
    double began = mp_now();
    mp_test_expect_killed(processes[0]);
    mp_test_expect_end(processes[1], MP_STATE);
    mp_test_thread_join(&thread);
    CU_ASSERT_EQUAL(late.status, MP_STATE);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
    EXPECT_STATUS(mp_barrier_wait(barrier, 0, NULL), MP_STATE);
    expect_reason("died");

    /* Nobody else waits: the one that comes last finds it. */
    EXPECT_OK(mp_barrier_close(barrier));
    barrier = make_barrier(2);
    start_waiting(processes, 1, barrier);
    mp_test_expect_killed(processes[0]);
    EXPECT_STATUS(mp_barrier_wait(barrier, mp_test_patience(), NULL), MP_STATE);
    expect_reason("died");
    EXPECT_OK(mp_barrier_close(barrier));
}

MP_CASE(it_breaks_when_one_that_waits_dies)
{
    mp_test_objects();
    mp_test_each_method(kill_a_party);
}

/* Who has passed is no party of the next round. */
static void kill_one_that_has_passed(void)
{
    mp_process_t *process;
    mp_barrier_t *barrier = make_barrier(2);
    start_waiting(&process, 1, barrier);
    EXPECT_OK(mp_barrier_wait(barrier, mp_test_patience(), NULL));
    mp_test_expect_end(process, 0);
    start_waiting(&process, 1, barrier);
    EXPECT_OK(mp_barrier_wait(barrier, mp_test_patience(), NULL));
    mp_test_expect_end(process, 0);
    CU_ASSERT_FALSE(is_broken(barrier));
    EXPECT_OK(mp_barrier_close(barrier));
}

MP_CASE(one_that_has_passed_may_end)
{
    mp_test_objects();
    mp_test_each_method(kill_one_that_has_passed);
}

/* ---- the action ---- */

static mp_status_t fail_with(mp_call_t *call)
{
    return mp_fail(call, (int)mp_arg_int(call, 0), "no");
}

static mp_status_t tell_and_hang(mp_call_t *call)
{
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 0), 1, 0) == MP_OK);
    mp_sleep(1000);
    return MP_OK;
}

static void use_actions(void)
{
    mp_process_t *processes[2], *last;
    mp_barrier_t *barrier;
    mp_queue_t *queue;
    mp_value_t one;
    const mp_barrier_options_t fails = {.action = fail_with, .args = mp_args(42)};
    REQUIRE_OK(mp_barrier_create_with(&barrier, 3, &fails));
    start_waiting(processes, 2, barrier);
    EXPECT_STATUS(mp_barrier_wait(barrier, mp_test_patience(), NULL), MP_FAILED);
    CU_ASSERT_EQUAL(mp_error()->code, 42);
    expect_ends(processes, 2, MP_STATE);
    EXPECT_STATUS(mp_barrier_wait(barrier, 0, NULL), MP_STATE);
    expect_reason("action failed");
    EXPECT_OK(mp_barrier_close(barrier));

    /* Who calls it is killed in it; meanwhile newcomers wait, and their time runs. */
    REQUIRE_OK(mp_queue_create(&queue, 0));
    const mp_barrier_options_t hangs = {.action = tell_and_hang, .args = mp_args(queue)};
    REQUIRE_OK(mp_barrier_create_with(&barrier, 3, &hangs));
    start_waiting(processes, 2, barrier);
    REQUIRE_OK(mp_process_start(&last, wait_and_tell, mp_args(barrier, MP_FOREVER)));
    REQUIRE_OK(mp_queue_get(queue, &one, mp_test_patience()));
    EXPECT_STATUS(mp_barrier_wait(barrier, 0.05, NULL), MP_TIMEOUT);
    CU_ASSERT_FALSE(is_broken(barrier));
    mp_test_expect_killed(last);
    expect_ends(processes, 2, MP_STATE);
    CU_ASSERT(is_broken(barrier));
    EXPECT_OK(mp_barrier_close(barrier));
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(an_action_that_fails_or_dies_breaks_it)
{
    mp_test_objects();
    mp_test_each_method(use_actions);
}

/* ---- killed at any moment ---- */

static mp_status_t march(mp_call_t *call)
{
    mp_barrier_t *barrier = mp_arg_barrier(call, 0);
    uint64_t *board = mp_test_board(call, 1);
    for (;;) {
        mp_status_t status = mp_barrier_wait(barrier, mp_test_patience(), NULL);
        MP_CHECK(status == MP_OK || status == MP_STATE);
        if (status == MP_OK)
            mp__add64(board, 1);
        else
            MP_CHECK(mp_barrier_reset(barrier) == MP_OK);
    }
    return MP_OK;
}

static void kill_marchers(void)
{
    mp_process_t *processes[4];
    uint64_t random = 26, name, *board = mp_test_board_create(sizeof *board, &name);
    mp_barrier_t *barrier = make_barrier(3); /* one more than needed: so that they go on */
    for (int i = 0; i < 4; i++)
        REQUIRE_OK(mp_process_start(&processes[i], march, mp_args(barrier, name)));
    unsigned kills = 0;
    for (double until = mp_now() + mp_test_seconds(1.5); kills < 10 || (kills < 50 && mp_now() < until); kills++) {
        mp_process_t **victim = &processes[mp_test_below(&random, 4)];
        mp_test_wander(&random, 3000);
        mp_test_expect_killed(*victim);
        uint64_t before = mp__load64(board);
        for (double late = mp_now() + mp_test_seconds(2); mp__load64(board) == before && mp_now() < late;)
            mp__os_yield();
        CU_ASSERT(mp__load64(board) != before);
        REQUIRE_OK(mp_process_start(victim, march, mp_args(barrier, name)));
    }
    for (int i = 0; i < 4; i++)
        mp_test_expect_killed(processes[i]);
    EXPECT_OK(mp_barrier_reset(barrier));
    EXPECT_STATUS(mp_barrier_wait(barrier, 0, NULL), MP_TIMEOUT);
    EXPECT_OK(mp_barrier_close(barrier));
    mp_test_board_free(name);
}

MP_CASE(parties_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_marchers);
}

/* ---- the end ---- */

static void expect_gone(void)
{
    mp_process_t *processes[2];
    mp_barrier_t *barrier = make_barrier(3);
    start_waiting(processes, 2, barrier);
    double began = mp_now();
    EXPECT_OK(mp_barrier_close(barrier));
    expect_ends(processes, 2, MP_GONE);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
}

MP_CASE(its_makers_close_ends_it_for_all)
{
    mp_test_objects();
    mp_test_each_method(expect_gone);
}

/* Nobody is woken, nobody comes: who asks finds it. */
static void ask_after_a_death(void)
{
    mp_process_t *process;
    uint32_t waiting = 7;
    for (int ask_first = 0; ask_first < 2; ask_first++) {
        mp_barrier_t *barrier = make_barrier(3);
        start_waiting(&process, 1, barrier);
        CU_ASSERT_FALSE(is_broken(barrier));
        mp_test_expect_killed(process);
        if (ask_first)
            EXPECT_OK(mp_barrier_waiting(barrier, &waiting));
        CU_ASSERT(is_broken(barrier));
        EXPECT_OK(mp_barrier_waiting(barrier, &waiting));
        CU_ASSERT_EQUAL(waiting, 0);
        EXPECT_STATUS(mp_barrier_wait(barrier, 0, NULL), MP_STATE);
        expect_reason("died");
        EXPECT_OK(mp_barrier_close(barrier));
    }
}

MP_CASE(who_asks_after_a_death_finds_it_broken)
{
    mp_test_objects();
    mp_test_each_method(ask_after_a_death);
}

MP_GUARDED_CASES(MP_ROW(alone), MP_ROW(nothing_is_no_barrier), MP_ROW(D6), MP_ROW(it_breaks_when_one_that_waits_dies),
                 MP_ROW(one_that_has_passed_may_end), MP_ROW(an_action_that_fails_or_dies_breaks_it),
                 MP_ROW(parties_are_killed), MP_ROW(its_makers_close_ends_it_for_all),
                 MP_ROW(who_asks_after_a_death_finds_it_broken));
