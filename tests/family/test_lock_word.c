/* The lock word: who gets it, who waits, and what is told when its holder dies. */
#include "harness.h"
#include "kin.h"
#include "random.h"
#include "system.h"

#include "family/alloc.h"

#include <string.h>

#define PATIENCE 20.0

/* What lies in the arena. */
typedef struct board {
    mp__lock_word_t lock;
    uint64_t padding[7];
    uint64_t first; /* under the lock: both the same */
    uint64_t second;
    uint32_t deaths; /* MP_OWNER_DIED that somebody got */
    uint32_t passes; /* MP_OK that somebody got */
    uint32_t waiting;
    uint32_t stop;
    uint64_t taken[4];
} board_t;

static board_t *make_board(mp__block_t *block)
{
    mp_test_family();
    REQUIRE_OK(mp__block_alloc(sizeof(board_t), mp__owner_process(mp__family.process), block));
    board_t *board = mp__block_at(*block, NULL);
    memset(board, 0, sizeof *board);
    return board;
}

static mp__deadline_t patience(void)
{
    return mp_test_deadline(PATIENCE);
}

/* ---- one thread ---- */

MP_CASE(a_free_word_is_taken_and_given_back)
{
    mp__block_t block;
    board_t *board = make_board(&block);
    EXPECT_OK(mp__word_lock(&board->lock, 0));
    CU_ASSERT(mp__word_mine(&board->lock));
    CU_ASSERT_EQUAL(board->lock, mp__self);
    mp__word_unlock(&board->lock);
    CU_ASSERT_FALSE(mp__word_mine(&board->lock));
    CU_ASSERT_EQUAL(board->lock, 0);
    EXPECT_OK(mp__word_lock(&board->lock, MP__NEVER));
    CU_ASSERT(mp__word_release(&board->lock));
    mp__block_free(block);
}

MP_CASE(the_holder_itself_is_told)
{
    mp__block_t block;
    board_t *board = make_board(&block);
    EXPECT_OK(mp__word_lock(&board->lock, 0));
    EXPECT_STATUS(mp__word_lock(&board->lock, MP__NEVER), MP_DEADLOCK);
    EXPECT_STATUS(mp__word_lock(&board->lock, patience()), MP_DEADLOCK);
    EXPECT_STATUS(mp__word_lock(&board->lock, 0), MP_BUSY);
    CU_ASSERT(mp__word_mine(&board->lock));
    CU_ASSERT(mp__word_release(&board->lock));
    CU_ASSERT_FALSE(mp__word_release(&board->lock));
    CU_ASSERT_EQUAL(board->lock, 0);
    mp__block_free(block);
}

/* ---- a holder in another process ---- */

MP_PROGRAM(holds)
{
    board_t *board = mp_test_kin_accept();
    mp_status_t status = mp__word_lock(&board->lock, patience());
    MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
    if (status == MP_OWNER_DIED)
        mp__add32(&board->deaths, 1);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'h'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'g'));
    MP_CHECK(mp__word_mine(&board->lock));
    mp__word_unlock(&board->lock);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'f'));
    return 0;
}

static void start_holder(mp_test_kin_t *kin, mp__block_t block)
{
    mp_test_kin_start(kin, "holds", block, NULL);
    CU_ASSERT(mp_test_hear(kin->child.talk, 'h'));
}

static void let_go(mp_test_kin_t *kin)
{
    CU_ASSERT(mp_test_tell(kin->child.talk, 'g'));
    CU_ASSERT_EQUAL(mp_test_kin_join(kin).code, 0);
}

MP_CASE(a_held_word_is_waited_for_until_the_deadline)
{
    mp__block_t block;
    mp_test_kin_t holder;
    board_t *board = make_board(&block);
    start_holder(&holder, block);
    EXPECT_STATUS(mp__word_lock(&board->lock, 0), MP_TIMEOUT);
    mp__deadline_t deadline = mp__os_now() + 80 * MP__MILLISECOND;
    EXPECT_STATUS(mp__word_lock(&board->lock, deadline), MP_TIMEOUT);
    CU_ASSERT(mp__os_now() >= deadline);
    CU_ASSERT_FALSE(mp__word_mine(&board->lock));
    CU_ASSERT_FALSE(mp__word_release(&board->lock));
    CU_ASSERT(mp_test_tell(holder.child.talk, 'g'));
    EXPECT_OK(mp__word_lock(&board->lock, patience()));
    mp__word_unlock(&board->lock);
    CU_ASSERT_EQUAL(mp_test_kin_join(&holder).code, 0);
    mp__block_free(block);
}

/* Longer than a sleeper's slice: it looks at the owner, and the owner lives. */
MP_CASE(a_stopped_holder_is_not_dead)
{
    mp__block_t block;
    mp_test_kin_t holder;
    board_t *board = make_board(&block);
    start_holder(&holder, block);
    if (!mp_test_pause(holder.child.process.pid)) {
        let_go(&holder);
        mp__block_free(block);
        mp_skip("no process can be stopped here");
    }
    EXPECT_STATUS(mp__word_lock(&board->lock, mp__os_now() + MP__PARK_SLICE * 3 / 2), MP_TIMEOUT);
    CU_ASSERT(mp_test_resume(holder.child.process.pid));
    let_go(&holder);
    EXPECT_OK(mp__word_lock(&board->lock, 0));
    mp__word_unlock(&board->lock);
    mp__block_free(block);
}

/* ---- many ---- */

#define ROUNDS 20000u

static void count(board_t *board, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        MP_CHECK(mp__word_lock(&board->lock, patience()) == MP_OK);
        uint64_t n = board->first;
        MP_CHECK(board->second == n);
        board->first = n + 1;
        mp__cpu_relax();
        board->second = n + 1;
        mp__word_unlock(&board->lock);
    }
}

MP_PROGRAM(counts)
{
    count(mp_test_kin_accept(), ROUNDS);
    return 0;
}

MP_CASE(only_one_process_at_a_time_holds_it)
{
    mp__block_t block;
    mp_test_kin_t kin[3];
    board_t *board = make_board(&block);
    for (int i = 0; i < 3; i++)
        mp_test_kin_start(&kin[i], "counts", block, NULL);
    count(board, ROUNDS);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(mp_test_kin_join(&kin[i]).code, 0);
    CU_ASSERT_EQUAL(board->first, 4 * ROUNDS);
    CU_ASSERT_EQUAL(board->second, 4 * ROUNDS);
    mp__block_free(block);
}

static void count_as_thread(void *board)
{
    MP_CHECK(mp__family_join() == MP_OK);
    count(board, ROUNDS);
}

MP_CASE(only_one_thread_at_a_time_holds_it)
{
    mp__block_t block;
    mp_test_thread_t threads[3];
    board_t *board = make_board(&block);
    for (int i = 0; i < 3; i++)
        mp_test_thread_start(&threads[i], count_as_thread, board);
    count(board, ROUNDS);
    for (int i = 0; i < 3; i++)
        mp_test_thread_join(&threads[i]);
    CU_ASSERT_EQUAL(board->first, 4 * ROUNDS);
    mp__block_free(block);
}

/* Holds it for a millisecond and takes it again at once, for as long as it is wanted. */
MP_PROGRAM(hogs)
{
    board_t *board = mp_test_kin_accept();
    size_t self = (size_t)(mp_test_kin_word(0)[0] - '0');
    MP_CHECK(mp_test_tell(mp_test_talk(), 'r'));
    while (!mp__load32(&board->stop) && mp_test_kin_wanted()) {
        MP_CHECK(mp__word_lock(&board->lock, patience()) == MP_OK);
        mp__add64(&board->taken[self], 1);
        for (int64_t until = mp__os_now() + MP__MILLISECOND; mp__os_now() < until;)
            mp__cpu_relax();
        mp__word_unlock(&board->lock);
    }
    return 0;
}

static uint64_t taken(const board_t *board, int hog)
{
    return mp__load64(&board->taken[hog]);
}

/* Counted in what happens, not in time: while one waits, the others take the lock only so often; and all get it. */
MP_CASE(nobody_starves)
{
    mp__block_t block;
    mp_test_kin_t hogs[2];
    board_t *board = make_board(&block);
    mp_test_kin_start(&hogs[0], "hogs", block, (const char *const[]){"0", NULL});
    mp_test_kin_start(&hogs[1], "hogs", block, (const char *const[]){"1", NULL});
    CU_ASSERT(mp_test_hear(hogs[0].child.talk, 'r'));
    CU_ASSERT(mp_test_hear(hogs[1].child.talk, 'r'));
    uint64_t worst = 0;
    mp__deadline_t late = mp_test_deadline(10);
    for (int i = 0; i < 100 || taken(board, 0) < 20 || taken(board, 1) < 20; i++) {
        uint64_t before = taken(board, 0) + taken(board, 1);
        REQUIRE_OK(mp__word_lock(&board->lock, patience()));
        uint64_t others = taken(board, 0) + taken(board, 1) - before;
        mp__word_unlock(&board->lock);
        worst = others > worst ? others : worst;
        if (mp__os_now() > late)
            break;
    }
    mp__store32(&board->stop, 1);
    CU_ASSERT_EQUAL(mp_test_kin_join(&hogs[0]).code, 0);
    CU_ASSERT_EQUAL(mp_test_kin_join(&hogs[1]).code, 0);
    CU_ASSERT(worst < 300);
    CU_ASSERT(board->taken[0] >= 20);
    CU_ASSERT(board->taken[1] >= 20);
    mp__block_free(block);
}

/* ---- deaths ---- */

/* Who joined when there were few slots meets a holder in one whose memory came later. */
MP_PROGRAM(tries)
{
    board_t *board = mp_test_kin_accept();
    MP_CHECK(mp_test_tell(mp_test_talk(), 'r'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'g'));
    MP_CHECK(mp__word_lock(&board->lock, 0) == MP_TIMEOUT);
    return 0;
}

MP_CASE(a_holder_among_later_slots)
{
    enum { MANY = 300 };
    uint32_t slots[MANY], epochs[MANY];
    uint64_t nonce;
    mp__block_t block;
    mp_test_kin_t early, late;
    make_board(&block);
    mp_test_kin_start(&early, "tries", block, NULL);
    CU_ASSERT(mp_test_hear(early.child.talk, 'r'));
    for (int i = 0; i < MANY; i++)
        REQUIRE_OK(mp__process_prepare(&slots[i], &epochs[i], &nonce));
    start_holder(&late, block);
    CU_ASSERT(late.slot >= MANY);
    CU_ASSERT(mp_test_tell(early.child.talk, 'g'));
    CU_ASSERT_EQUAL(mp_test_kin_join(&early).code, 0);
    let_go(&late);
    for (int i = 0; i < MANY; i++)
        mp__process_sweep(slots[i], epochs[i]);
    mp__block_free(block);
}

MP_CASE(a_killed_holder_is_reported_once)
{
    mp__block_t block;
    mp_test_kin_t holder;
    board_t *board = make_board(&block);
    start_holder(&holder, block);
    mp_test_kin_kill(&holder);
    EXPECT_STATUS(mp__word_lock(&board->lock, 0), MP_OWNER_DIED);
    CU_ASSERT(mp__word_mine(&board->lock));
    EXPECT_STATUS(mp__word_lock(&board->lock, MP__NEVER), MP_DEADLOCK);
    mp__word_unlock(&board->lock);
    EXPECT_OK(mp__word_lock(&board->lock, 0));
    mp__word_unlock(&board->lock);
    mp_test_kin_sweep(&holder);
    mp__block_free(block);
}

MP_CASE(a_death_is_reported_after_the_sweep_too)
{
    mp__block_t block;
    mp_test_kin_t holder;
    board_t *board = make_board(&block);
    start_holder(&holder, block);
    mp_test_kin_kill(&holder);
    mp_test_kin_sweep(&holder);
    EXPECT_STATUS(mp__word_lock(&board->lock, 0), MP_OWNER_DIED);
    mp__word_unlock(&board->lock);
    EXPECT_OK(mp__word_lock(&board->lock, 0));
    mp__word_unlock(&board->lock);
    mp__block_free(block);
}

/* Waits for the word once. */
static void wait_once(board_t *board)
{
    mp__add32(&board->waiting, 1);
    mp_status_t status = mp__word_lock(&board->lock, patience());
    MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
    mp__add32(status == MP_OK ? &board->passes : &board->deaths, 1);
    mp__word_unlock(&board->lock);
}

MP_PROGRAM(waits)
{
    wait_once(mp_test_kin_accept());
    return 0;
}

static void await_count(const uint32_t *counter, uint32_t wanted)
{
    for (mp__deadline_t deadline = patience(); mp__load32(counter) < wanted && mp__os_now() < deadline;)
        mp__os_yield();
    CU_ASSERT(mp__load32(counter) >= wanted);
}

MP_CASE(of_many_who_wait_one_is_told_of_the_death)
{
    mp__block_t block;
    mp_test_kin_t holder, waiters[3];
    board_t *board = make_board(&block);
    for (int round = 0; round < 5; round++) {
        board->waiting = board->deaths = board->passes = 0;
        start_holder(&holder, block);
        for (int i = 0; i < 3; i++)
            mp_test_kin_start(&waiters[i], "waits", block, NULL);
        await_count(&board->waiting, 3);
        mp_test_kin_kill(&holder);
        for (int i = 0; i < 3; i++)
            CU_ASSERT_EQUAL(mp_test_kin_join(&waiters[i]).code, 0);
        mp_test_kin_sweep(&holder);
        CU_ASSERT_EQUAL(board->deaths, 1);
        CU_ASSERT_EQUAL(board->passes, 2);
    }
    mp__block_free(block);
}

MP_CASE(a_recoverer_that_dies_is_reported_again)
{
    mp__block_t block;
    mp_test_kin_t holder;
    board_t *board = make_board(&block);
    for (uint32_t i = 0; i < 4; i++) {
        start_holder(&holder, block);
        CU_ASSERT_EQUAL(board->deaths, i);
        mp_test_kin_kill(&holder);
        mp_test_kin_sweep(&holder);
    }
    EXPECT_STATUS(mp__word_lock(&board->lock, 0), MP_OWNER_DIED);
    mp__word_unlock(&board->lock);
    EXPECT_OK(mp__word_lock(&board->lock, 0));
    mp__word_unlock(&board->lock);
    mp__block_free(block);
}

static void end_holding(void *context)
{
    board_t *board = context;
    MP_CHECK(mp__family_join() == MP_OK);
    MP_CHECK(mp__word_lock(&board->lock, 0) == MP_OK);
}

MP_CASE(a_thread_that_ends_holding_is_reported)
{
    mp__block_t block;
    mp_test_thread_t thread;
    board_t *board = make_board(&block);
    mp_test_thread_start(&thread, end_holding, board);
    mp_test_thread_join(&thread);
    EXPECT_STATUS(mp__word_lock(&board->lock, patience()), MP_OWNER_DIED);
    mp__word_unlock(&board->lock);
    EXPECT_OK(mp__word_lock(&board->lock, 0));
    mp__word_unlock(&board->lock);
    mp__block_free(block);
}

static void fight(board_t *board, uint64_t n)
{
    mp_status_t status = mp__word_lock(&board->lock, patience());
    MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
    if (status == MP_OWNER_DIED) {
        mp__add32(&board->deaths, 1);
        mp__store64(&board->second, mp__load64(&board->first));
    }
    MP_CHECK(mp__load64(&board->first) == mp__load64(&board->second));
    mp__store64(&board->first, mp__load64(&board->first) + n);
    for (int i = 0; i < 200; i++) /* most deaths shall come here */
        mp__cpu_relax();
    mp__store64(&board->second, mp__load64(&board->first));
    mp__word_unlock(&board->lock);
}

MP_PROGRAM(fights)
{
    board_t *board = mp_test_kin_accept();
    MP_CHECK(mp_test_tell(mp_test_talk(), 'r'));
    while (mp_test_kin_wanted())
        for (int i = 0; i < 200; i++)
            fight(board, 1);
    return 0;
}

#define FIGHTERS 3u
#define KILLS    200u

static void start_fighter(mp_test_kin_t *kin, mp__block_t block)
{
    mp_test_kin_start(kin, "fights", block, NULL);
    CU_ASSERT(mp_test_hear(kin->child.talk, 'r'));
}

/* What the lock guards is found half changed only after a death that was reported; and nobody hangs. */
MP_CASE(killed_at_any_moment)
{
    mp__block_t block;
    mp_test_kin_t fighters[FIGHTERS];
    uint64_t random = 42;
    board_t *board = make_board(&block);
    for (unsigned i = 0; i < FIGHTERS; i++)
        start_fighter(&fighters[i], block);
    unsigned kills = 0;
    for (mp__deadline_t enough = mp_test_deadline(4); kills < 10 || (kills < KILLS && mp__os_now() < enough); kills++) {
        mp_test_kin_t *victim = &fighters[mp_test_below(&random, FIGHTERS)];
        mp_test_jitter(&random, 3000);
        mp_test_kin_kill(victim);
        fight(board, 1);
        mp_test_kin_sweep(victim);
        start_fighter(victim, block);
    }
    for (unsigned i = 0; i < FIGHTERS; i++) {
        mp_test_kin_kill(&fighters[i]);
        mp_test_kin_sweep(&fighters[i]);
    }
    fight(board, 1);
    CU_ASSERT(board->deaths > 0);
    CU_ASSERT(board->deaths <= kills + FIGHTERS);
    mp__block_free(block);
}

MP_CASES(MP_ROW(a_free_word_is_taken_and_given_back), MP_ROW(the_holder_itself_is_told),
         MP_ROW(a_held_word_is_waited_for_until_the_deadline), MP_ROW(a_stopped_holder_is_not_dead),
         MP_ROW(only_one_process_at_a_time_holds_it), MP_ROW(only_one_thread_at_a_time_holds_it),
         MP_ROW(nobody_starves), MP_ROW(a_holder_among_later_slots), MP_ROW(a_killed_holder_is_reported_once),
         MP_ROW(a_death_is_reported_after_the_sweep_too), MP_ROW(of_many_who_wait_one_is_told_of_the_death),
         MP_ROW(a_recoverer_that_dies_is_reported_again), MP_ROW(a_thread_that_ends_holding_is_reported),
         MP_ROW(killed_at_any_moment), MP_SUB(holds), MP_SUB(tries), MP_SUB(counts), MP_SUB(hogs), MP_SUB(waits),
         MP_SUB(fights));
