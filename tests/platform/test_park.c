/* Sleeping and waking: words of the arena, and bells. */
#include "harness.h"
#include "member.h"
#include "system.h"

#include "core/atomic.h"

#include <errno.h>
#include <string.h>

#define ROUNDS 300u

/* What lies in the arena. */
typedef struct board {
    uint32_t ball; /* who may play: even the test, odd the child */
    uint32_t sleepers;
    uint32_t gate;
    mp__os_bell_t bell;
    mp__os_bell_t second;
} board_t;

static board_t *board_of(const mp__os_arena_t *arena)
{
    return (board_t *)(void *)arena->base;
}

static void need_shared_wait(void)
{
    if (!mp__os_caps()->shared_wait)
        mp_skip("no waiting on shared words here");
}

/* ---- words ---- */

MP_CASE(word_wait_without_the_capability)
{
    mp__os_arena_t arena;
    if (mp__os_caps()->shared_wait)
        mp_skip("this system waits on shared words");
    mp_test_arena_create(&arena);
    EXPECT_STATUS(mp__os_word_wait(&board_of(&arena)->gate, 0, 0), MP_UNSUPPORTED);
    mp__os_word_wake(&board_of(&arena)->gate, true);
    mp__os_arena_close(&arena);
}

MP_CASE(a_word_that_differs_is_not_waited_for)
{
    mp__os_arena_t arena;
    need_shared_wait();
    mp_test_arena_create(&arena);
    EXPECT_STATUS(mp__os_word_wait(&board_of(&arena)->gate, 1, MP__NEVER), MP_OK);
    mp__os_arena_close(&arena);
}

/* MP_OK may come for no reason, but not for ever. */
static mp_status_t wait_till_timeout(uint32_t *word, mp__deadline_t deadline)
{
    mp_status_t status;
    for (int tries = 0; (status = mp__os_word_wait(word, 0, deadline)) == MP_OK && tries < 1000; tries++)
        continue;
    return status;
}

MP_CASE(word_wait_times_out)
{
    mp__os_arena_t arena;
    need_shared_wait();
    mp_test_arena_create(&arena);
    uint32_t *word = &board_of(&arena)->gate;
    EXPECT_STATUS(mp__os_word_wait(word, 0, 0), MP_TIMEOUT);
    mp__deadline_t deadline = mp__os_now() + 50 * MP__MILLISECOND;
    EXPECT_STATUS(wait_till_timeout(word, deadline), MP_TIMEOUT);
    CU_ASSERT(mp__os_now() >= deadline);
    mp__os_arena_close(&arena);
}

/* Each side sleeps until the other one has played. A lost wake hangs. */
static void play(uint32_t *ball, uint32_t first)
{
    for (uint32_t turn = first; turn < 2 * ROUNDS; turn += 2) {
        for (uint32_t seen; (seen = mp__load32(ball)) != turn;)
            MP_CHECK(mp__os_word_wait(ball, seen, mp_test_deadline(30)) == MP_OK);
        mp__store32(ball, turn + 1);
        mp__os_word_wake(ball, false);
    }
}

MP_PROGRAM(plays)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    play(&board_of(&arena)->ball, 1);
    mp__os_arena_close(&arena);
    return 0;
}

MP_CASE(words_wake_across_processes)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    need_shared_wait();
    mp_test_arena_create(&arena);
    mp_test_start_member(&child, "plays", &arena, NULL);
    play(&board_of(&arena)->ball, 0);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    CU_ASSERT_EQUAL(board_of(&arena)->ball, 2 * ROUNDS);
    mp__os_arena_close(&arena);
}

/* Three sleep at the gate in two processes; one wake for all opens it. */
static void sleep_at_gate(void *context)
{
    board_t *board = context;
    mp__add32(&board->sleepers, 1);
    while (mp__load32(&board->gate) == 0)
        MP_CHECK(mp__os_word_wait(&board->gate, 0, mp_test_deadline(30)) == MP_OK);
    mp__add32(&board->sleepers, (uint32_t)-1);
}

MP_PROGRAM(sleeps_at_gate)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    sleep_at_gate(board_of(&arena));
    mp__os_arena_close(&arena);
    return 0;
}

MP_CASE(one_wake_for_all)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    mp_test_thread_t threads[2];
    need_shared_wait();
    mp_test_arena_create(&arena);
    board_t *board = board_of(&arena);
    mp_test_start_member(&child, "sleeps_at_gate", &arena, NULL);
    for (int i = 0; i < 2; i++)
        mp_test_thread_start(&threads[i], sleep_at_gate, board);
    for (mp__deadline_t end = mp_test_deadline(30); mp__load32(&board->sleepers) < 3 && mp__os_now() < end;)
        mp__os_yield();
    CU_ASSERT_EQUAL(mp__load32(&board->sleepers), 3);
    mp__store32(&board->gate, 1);
    mp__os_word_wake(&board->gate, true);
    for (int i = 0; i < 2; i++)
        mp_test_thread_join(&threads[i]);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    CU_ASSERT_EQUAL(mp__load32(&board->sleepers), 0);
    mp__os_arena_close(&arena);
}

/* A sleeper that is killed takes no other one's wake with it. */
MP_CASE(words_wake_after_a_sleeper_was_killed)
{
    mp__os_arena_t arena;
    mp_test_child_t doomed, child;
    need_shared_wait();
    mp_test_arena_create(&arena);
    board_t *board = board_of(&arena);
    mp_test_start_member(&doomed, "sleeps_at_gate", &arena, NULL);
    for (mp__deadline_t end = mp_test_deadline(30); mp__load32(&board->sleepers) < 1 && mp__os_now() < end;)
        mp__os_yield();
    mp_test_kill(&doomed);
    mp_test_start_member(&child, "plays", &arena, NULL);
    play(&board->ball, 0);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    mp__os_arena_close(&arena);
}

MP_CASE(waking_keeps_errno)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    board_t *board = board_of(&arena);
    EXPECT_OK(mp__os_bell_init(&board->bell));
    memset(&board->second, 0xa5, sizeof board->second);
    errno = 4711;
    mp__os_word_wake(&board->gate, true);
    mp__os_bell_ring(&board->bell);
    mp__os_bell_ring(&board->second);
    CU_ASSERT_EQUAL(errno, 4711);
    mp__os_bell_fini(&board->bell);
    mp__os_arena_close(&arena);
}

/* ---- bells ---- */

static mp_status_t bell_till_timeout(mp__os_bell_t *bell, mp__deadline_t deadline)
{
    mp_status_t status;
    for (int tries = 0; (status = mp__os_bell_wait(bell, deadline)) == MP_OK && tries < 1000; tries++)
        continue;
    return status;
}

MP_CASE(a_ring_is_kept_until_the_wait)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    mp__os_bell_t *bell = &board_of(&arena)->bell;
    REQUIRE_OK(mp__os_bell_init(bell));
    EXPECT_STATUS(bell_till_timeout(bell, 0), MP_TIMEOUT);
    for (int round = 0; round < 3; round++) {
        mp__os_bell_ring(bell);
        EXPECT_STATUS(mp__os_bell_wait(bell, 0), MP_OK);
        EXPECT_STATUS(bell_till_timeout(bell, 0), MP_TIMEOUT);
    }
    mp__os_bell_fini(bell);
    mp__os_arena_close(&arena);
}

MP_CASE(bell_wait_times_out)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    mp__os_bell_t *bell = &board_of(&arena)->bell;
    REQUIRE_OK(mp__os_bell_init(bell));
    mp__deadline_t deadline = mp__os_now() + 50 * MP__MILLISECOND;
    EXPECT_STATUS(bell_till_timeout(bell, deadline), MP_TIMEOUT);
    CU_ASSERT(mp__os_now() >= deadline);
    EXPECT_STATUS(mp__os_bell_wait(bell, 0), MP_TIMEOUT);
    mp__os_bell_fini(bell);
    mp__os_arena_close(&arena);
}

/* Each side waits at its own bell and rings the other one's. */
static void ring_and_wait(uint32_t *ball, uint32_t first, mp__os_bell_t *mine, mp__os_bell_t *theirs)
{
    for (uint32_t turn = first; turn < 2 * ROUNDS; turn += 2) {
        while (mp__load32(ball) != turn)
            MP_CHECK(mp__os_bell_wait(mine, mp_test_deadline(30)) == MP_OK);
        mp__store32(ball, turn + 1);
        mp__os_bell_ring(theirs);
    }
}

MP_PROGRAM(answers_bells)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    board_t *board = board_of(&arena);
    MP_CHECK(mp__os_bell_init(&board->second) == MP_OK);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'b'));
    ring_and_wait(&board->ball, 1, &board->second, &board->bell);
    MP_CHECK(mp_test_hear(mp_test_talk(), 'e'));
    mp__os_bell_fini(&board->second);
    mp__os_arena_close(&arena);
    return 0;
}

MP_CASE(bells_ring_across_processes)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    mp_test_arena_create(&arena);
    board_t *board = board_of(&arena);
    REQUIRE_OK(mp__os_bell_init(&board->bell));
    mp_test_start_member(&child, "answers_bells", &arena, NULL);
    CU_ASSERT(mp_test_hear(child.talk, 'b'));
    ring_and_wait(&board->ball, 0, &board->bell, &board->second);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    CU_ASSERT_EQUAL(board->ball, 2 * ROUNDS);
    mp__os_bell_fini(&board->bell);
    mp__os_arena_close(&arena);
}

/* Two children that know nothing of each other but the arena. */
MP_PROGRAM(waits_at_bell)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    board_t *board = board_of(&arena);
    MP_CHECK(mp__os_bell_init(&board->bell) == MP_OK);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'b'));
    while (mp__load32(&board->gate) == 0)
        MP_CHECK(mp__os_bell_wait(&board->bell, mp_test_deadline(30)) == MP_OK);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'w'));
    mp_test_hear(mp_test_talk(), 'x');
    return 0;
}

MP_PROGRAM(rings)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    board_t *board = board_of(&arena);
    mp__store32(&board->gate, 1);
    mp__os_bell_ring(&board->bell);
    mp__os_arena_close(&arena);
    return 0;
}

MP_CASE(a_sibling_rings)
{
    mp__os_arena_t arena;
    mp_test_child_t waiter, ringer;
    mp_test_arena_create(&arena);
    mp_test_start_member(&waiter, "waits_at_bell", &arena, NULL);
    CU_ASSERT(mp_test_hear(waiter.talk, 'b'));
    mp_test_start_member(&ringer, "rings", &arena, NULL);
    CU_ASSERT_EQUAL(mp_test_join(&ringer).code, 0);
    CU_ASSERT(mp_test_hear(waiter.talk, 'w'));
    mp_test_kill(&waiter);
    mp__os_arena_close(&arena);
}

/* The bell of one that was killed at it: silence, and its place serves another. */
MP_CASE(the_bell_of_a_killed_process)
{
    mp__os_arena_t arena;
    mp_test_child_t waiter;
    mp_test_arena_create(&arena);
    mp__os_bell_t *bell = &board_of(&arena)->bell;
    for (int round = 0; round < 3; round++) {
        mp_test_start_member(&waiter, "waits_at_bell", &arena, NULL);
        CU_ASSERT(mp_test_hear(waiter.talk, 'b'));
        mp__os_bell_ring(bell);
        mp_test_kill(&waiter);
        for (int i = 0; i < 10; i++)
            mp__os_bell_ring(bell);
        mp__os_bell_fini(bell);
    }
    REQUIRE_OK(mp__os_bell_init(bell));
    EXPECT_STATUS(bell_till_timeout(bell, 0), MP_TIMEOUT);
    mp__os_bell_ring(bell);
    EXPECT_STATUS(mp__os_bell_wait(bell, 0), MP_OK);
    mp__os_bell_fini(bell);
    mp__os_arena_close(&arena);
}

MP_CASE(ringing_any_content_is_safe)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    mp__os_bell_t *bell = &board_of(&arena)->bell;
    uint32_t random = 4711;
    for (int round = 0; round < 500; round++) {
        for (size_t i = 0; i < 8; i++) {
            random = random * 1103515245u + 12345u;
            bell->words[i] = round == 0 ? 0 : round == 1 ? UINT64_MAX : (uint64_t)random << (round % 33);
        }
        mp__os_bell_ring(bell);
    }
    memset(bell, 0, sizeof *bell);
    REQUIRE_OK(mp__os_bell_init(bell));
    mp__os_bell_ring(bell);
    EXPECT_STATUS(mp__os_bell_wait(bell, 0), MP_OK);
    mp__os_bell_fini(bell);
    mp__os_arena_close(&arena);
}

MP_CASES(MP_ROW(word_wait_without_the_capability), MP_ROW(a_word_that_differs_is_not_waited_for),
         MP_ROW(word_wait_times_out), MP_ROW(words_wake_across_processes), MP_SUB(plays), MP_ROW(one_wake_for_all),
         MP_SUB(sleeps_at_gate), MP_ROW(words_wake_after_a_sleeper_was_killed), MP_ROW(waking_keeps_errno),
         MP_ROW(a_ring_is_kept_until_the_wait), MP_ROW(bell_wait_times_out), MP_ROW(bells_ring_across_processes),
         MP_SUB(answers_bells), MP_ROW(a_sibling_rings), MP_SUB(waits_at_bell), MP_SUB(rings),
         MP_ROW(the_bell_of_a_killed_process), MP_ROW(ringing_any_content_is_safe));
