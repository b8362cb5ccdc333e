/* A fork that is not the library's (daemon(), system(), a host's own): the child is no member until it calls in. */
#include "../kin.h"
#include "harness.h"

#include "family/alloc.h"

#include "core/once.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What lies in the arena. */
typedef struct board {
    mp__lock_word_t lock;
    uint32_t slot;
    uint32_t epoch;
} board_t;

static board_t *make_board(mp__block_t *block)
{
    mp_test_family();
    REQUIRE_OK(mp__block_alloc(sizeof(board_t), mp__owner_process(mp__family.process), block));
    board_t *board = mp__block_at(*block, NULL);
    memset(board, 0, sizeof *board);
    return board;
}

/* The child's exit code, -1 if it was killed. */
static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) != child)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

MP_PROGRAM(looks)
{
    board_t *board = mp_test_kin_accept();
    MP_CHECK(mp__word_lock(&board->lock, 0) == MP_TIMEOUT);
    MP_CHECK(mp_test_kin_wanted());
    return 0;
}

/* The parent holds a lock; what its child does, or how it ends, changes nothing. */
MP_CASE(a_child_that_never_calls_in_changes_nothing)
{
    mp__block_t block;
    mp_test_kin_t kin;
    board_t *board = make_board(&block);
    EXPECT_OK(mp__word_lock(&board->lock, 0));
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            MP_CHECK(!mp__family_joined());
            MP_CHECK(mp__self == 0);
            MP_CHECK(!mp__word_mine(&board->lock));
            MP_CHECK(mp__blocks_in_use() == 0);
            if (i == 1)
                raise(SIGKILL);
            if (i == 2)
                execl("/bin/true", "true", (char *)NULL);
            _exit(7);
        }
        CU_ASSERT_EQUAL(wait_for(child), i == 0 ? 7 : i == 1 ? -1 : 0);
        mp_test_kin_start(&kin, "looks", block, NULL);
        CU_ASSERT_EQUAL(mp_test_kin_join(&kin).code, 0);
    }
    CU_ASSERT(mp__word_mine(&board->lock));
    CU_ASSERT(mp__word_release(&board->lock));
    mp__block_free(block);
}

MP_CASE(a_child_that_calls_in_is_a_member_of_its_own)
{
    mp__block_t block;
    board_t *board = make_board(&block);
    EXPECT_OK(mp__word_lock(&board->lock, 0));
    uint32_t slot = mp__family.process;
    uint64_t self = mp__self;
    uint64_t before = mp__blocks_in_use();
    pid_t child = fork();
    if (child == 0) {
        mp__block_t own;
        MP_CHECK(mp__family_join() == MP_OK);
        MP_CHECK(mp__family.process != slot && mp__self != self && mp__self != 0);
        MP_CHECK(!mp__process_dead(slot, mp__high(mp__family.processes[slot].claim)));
        MP_CHECK(!mp__thread_dead(self));
        MP_CHECK(mp__word_lock(&board->lock, 0) == MP_TIMEOUT);
        MP_CHECK(!mp__word_release(&board->lock));
        MP_CHECK(mp__block_alloc(1000, mp__owner_process(mp__family.process), &own) == MP_OK);
        board->slot = mp__family.process;
        board->epoch = mp__family.epoch;
        _exit(0);
    }
    CU_ASSERT_EQUAL(wait_for(child), 0);
    CU_ASSERT(mp__process_dead(board->slot, board->epoch));
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before + 1);
    mp__sweep_the_dead();
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    CU_ASSERT(mp__word_mine(&board->lock));
    CU_ASSERT(mp__word_release(&board->lock));
    mp__block_free(block);
}

MP_CASE(a_childs_death_is_reported_as_any_members)
{
    mp__block_t block;
    board_t *board = make_board(&block);
    pid_t child = fork();
    if (child == 0) {
        MP_CHECK(mp__family_join() == MP_OK);
        MP_CHECK(mp__word_lock(&board->lock, 0) == MP_OK);
        raise(SIGKILL);
    }
    CU_ASSERT_EQUAL(wait_for(child), -1);
    EXPECT_STATUS(mp__word_lock(&board->lock, mp_test_deadline(5)), MP_OWNER_DIED);
    mp__word_unlock(&board->lock);
    mp__sweep_the_dead();
    mp__block_free(block);
}

/* daemon(): the member that forked ends, its child goes on. */
MP_PROGRAM(becomes_a_daemon)
{
    board_t *board = mp_test_kin_accept();
    MP_CHECK(mp__word_lock(&board->lock, 0) == MP_OK);
    uint32_t slot = mp__family.process, epoch = mp__family.epoch;
    pid_t child = fork();
    MP_CHECK(child >= 0);
    if (child > 0)
        _exit(0);
    setsid();
    MP_CHECK(mp__family_join() == MP_OK);
    MP_CHECK(mp__word_lock(&board->lock, mp_test_deadline(20)) == MP_OWNER_DIED);
    mp__word_unlock(&board->lock);
    while (!mp__process_dead(slot, epoch)) /* its thread may be seen to be dead before all of it is */
        mp__os_yield();
    board->slot = mp__family.process;
    board->epoch = mp__family.epoch;
    MP_CHECK(mp_test_tell(mp_test_talk(), 'd'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'g'));
    return 0;
}

MP_CASE(a_daemon_finds_what_its_parent_held_reported)
{
    mp__block_t block;
    mp_test_kin_t kin;
    bool closed;
    board_t *board = make_board(&block);
    mp_test_kin_start(&kin, "becomes_a_daemon", block, NULL);
    CU_ASSERT(mp_test_hear(kin.child.talk, 'd'));
    EXPECT_OK(mp__word_lock(&board->lock, 0));
    mp__word_unlock(&board->lock);
    CU_ASSERT_FALSE(mp__process_dead(board->slot, board->epoch));
    CU_ASSERT(mp_test_tell(kin.child.talk, 'g'));
    closed = mp__os_channel_poll(kin.child.talk, mp_test_deadline(20)) == MP_OK; /* its end */
    CU_ASSERT(closed);
    CU_ASSERT_EQUAL(mp_test_kin_join(&kin).code, 0);
    while (!mp__process_dead(board->slot, board->epoch))
        mp__os_yield();
    mp__sweep_the_dead();
    mp__block_free(block);
}

/* ---- a thread of the parent is at something that is made once */

static mp__once_t once;
static uint32_t making, may_end;

static mp_status_t make_slowly(void)
{
    mp__store32(&making, 1);
    while (!mp__load32(&may_end))
        mp__os_yield();
    return MP_OK;
}

static mp_status_t make_at_once(void)
{
    return MP_OK;
}

static void *make_in_thread(void *unused)
{
    (void)unused;
    MP_CHECK(mp__once(&once, make_slowly) == MP_OK);
    return NULL;
}

MP_CASE(what_a_thread_was_making_is_made_anew)
{
    pthread_t thread;
    CU_ASSERT_FATAL(pthread_create(&thread, NULL, make_in_thread, NULL) == 0);
    while (!mp__load32(&making))
        mp__os_yield();
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        MP_CHECK(mp__once(&once, make_at_once) == MP_OK);
        _exit(0);
    }
    CU_ASSERT_EQUAL(wait_for(child), 0);
    mp__store32(&may_end, 1);
    pthread_join(thread, NULL);
    EXPECT_OK(mp__once(&once, make_slowly));
}

MP_CASES(MP_ROW(what_a_thread_was_making_is_made_anew), MP_ROW(a_child_that_never_calls_in_changes_nothing),
         MP_ROW(a_child_that_calls_in_is_a_member_of_its_own), MP_ROW(a_childs_death_is_reported_as_any_members),
         MP_ROW(a_daemon_finds_what_its_parent_held_reported), MP_SUB(looks), MP_SUB(becomes_a_daemon));
