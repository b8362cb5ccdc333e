/* Killed after any instruction of what the family does: locks, blocks, joining, sweeping. */
#include "harness.h"
#include "scene.h"

#include "family/alloc.h"
#include "family/object.h"

#include <multiproc.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static mp__owner_t self(void)
{
    return mp__owner_process(mp__family.process);
}

/* ---- the public lock */

typedef struct board {
    uint64_t guarded[2]; /* changed by the lock's holder only, both */
    uint64_t told;       /* what one tells another */
    mp__lock_word_t word;
    uint8_t rest[4000]; /* few blocks of that size are in a page, so that a sweep is short */
} board_t;

static mp_lock_t *lock;
static board_t *board;
static mp__block_t board_block;

static void board_set(void)
{
    HOLDS(mp__block_alloc(sizeof *board, self(), &board_block) == MP_OK);
    board = mp__block_at(board_block, NULL);
    *board = (board_t){{0, 0}, 0, 0, {0}};
}

static void lock_set(void)
{
    board_set();
    HOLDS(mp_lock_create(&lock) == MP_OK);
}

static void lock_act(void)
{
    MP_CHECK(mp_lock_acquire(lock, MP_FOREVER) == MP_OK);
    mp__store64(&board->guarded[0], board->guarded[0] + 1);
    mp__store64(&board->guarded[1], board->guarded[1] + 1);
    MP_CHECK(mp_lock_release(lock) == MP_OK);
}

static void lock_over(void)
{
    HOLDS(mp_lock_acquire(lock, SOON) == MP_OK);
    HOLDS(mp_lock_release(lock) == MP_OK);
    HOLDS(mp_lock_close(lock) == MP_OK);
    mp__block_free(board_block);
}

static void lock_check(bool completed)
{
    mp_status_t status = mp_lock_acquire(lock, SOON);
    HOLDS(status == MP_OK || status == MP_OWNER_DIED);
    HOLDS(status == MP_OWNER_DIED || board->guarded[0] == board->guarded[1]);
    HOLDS(!completed || (status == MP_OK && board->guarded[0] == 1));
    HOLDS(mp_lock_release(lock) == MP_OK);
    lock_over();
}

static const scene_t lock_scene = {.set = lock_set, .prepare = scene_join, .act = lock_act, .check = lock_check};

MP_CASE(a_lock)
{
    scene_begin();
    scene_play(&lock_scene);
    scene_end();
}

static void lock_set_twice(void)
{
    lock_set();
    scene_kill_first(&lock_scene);
}

static void lock_act_again(void)
{
    mp_status_t status = mp_lock_acquire(lock, MP_FOREVER);
    MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
    if (status == MP_OWNER_DIED)
        board->guarded[0] = board->guarded[1] = 0;
    MP_CHECK(mp_lock_release(lock) == MP_OK);
}

static void lock_check_again(bool completed)
{
    mp_status_t status = mp_lock_acquire(lock, SOON);
    HOLDS(status == MP_OK || status == MP_OWNER_DIED);
    HOLDS(status == MP_OWNER_DIED || board->guarded[0] == board->guarded[1]);
    HOLDS(!completed || status == MP_OK);
    HOLDS(mp_lock_release(lock) == MP_OK);
    lock_over();
}

MP_CASE(a_lock_after_a_death)
{
    scene_begin();
    scene_play(
        &(scene_t){.set = lock_set_twice, .prepare = scene_join, .act = lock_act_again, .check = lock_check_again});
    scene_end();
}

/* ---- a straggler: the lock has been closed, and its place is another lock's */

static mp_lock_t *second;
static bool replaced;

static void die_holding(void)
{
    MP_CHECK(mp_lock_acquire(second, 0) == MP_OK);
    raise(SIGKILL);
}

static void replace_lock(void)
{
    replaced = mp_lock_close(lock) == MP_OK; /* else the victim holds it */
    if (!replaced)
        return;
    HOLDS(mp_lock_create(&second) == MP_OK);
    scene_help(die_holding);
    HOLDS(!scene_helped());
}

static void late_act(void)
{
    mp_status_t status = mp_lock_acquire(lock, MP_FOREVER);
    MP_CHECK(status == MP_OK || status == MP_GONE);
    if (status == MP_OK) {
        status = mp_lock_release(lock);
        MP_CHECK(status == MP_OK || status == MP_GONE);
    }
}

/* The death is told to who takes the new lock. */
static void second_check(bool completed)
{
    (void)completed;
    if (replaced) {
        HOLDS(mp_lock_acquire(second, SOON) == MP_OWNER_DIED);
        HOLDS(mp_lock_release(second) == MP_OK);
        HOLDS(mp_lock_close(second) == MP_OK);
        mp__block_free(board_block);
    } else {
        lock_over();
    }
}

MP_CASE(a_late_acquire)
{
    scene_begin();
    scene_play(&(scene_t){.set = lock_set,
                          .prepare = scene_join,
                          .act = late_act,
                          .meanwhile = replace_lock,
                          .check = second_check,
                          .resume = true});
    scene_end();
}

static void held_lock_set(void)
{
    lock_set();
    HOLDS(mp_lock_acquire(lock, 0) == MP_OK);
}

static void release_and_replace(void)
{
    HOLDS(mp_lock_release(lock) == MP_OK);
    replace_lock();
}

static void late_try(void)
{
    mp_status_t status = mp_lock_acquire(lock, 0);
    MP_CHECK(status == MP_TIMEOUT || status == MP_GONE);
}

MP_CASE(a_late_try)
{
    scene_begin();
    scene_play(&(scene_t){.set = held_lock_set,
                          .prepare = scene_join,
                          .act = late_try,
                          .meanwhile = release_and_replace,
                          .check = second_check,
                          .resume = true});
    scene_end();
}

/* ---- a lock that somebody sleeps for */

#define WAITERS UINT64_C(0x80000000)

static void wait_for_word(void)
{
    while (!mp__load64(&board->told))
        mp__os_yield();
    mp_status_t status = mp__word_lock(&board->word, MP__NEVER);
    MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
    mp__word_unlock(&board->word);
}

static void sleeper_set(void)
{
    board_set();
    scene_help(wait_for_word);
}

static void hold_word(void)
{
    scene_join();
    MP_CHECK(mp__word_lock(&board->word, 0) == MP_OK);
    mp__store64(&board->told, 1);
    while (!(mp__load64(&board->word) & WAITERS))
        mp__os_yield();
}

static void release_act(void)
{
    mp__word_release(&board->word);
}

static void sleeper_check(bool completed)
{
    (void)completed;
    HOLDS(scene_helped());
    mp_status_t status = mp__word_lock(&board->word, mp__os_now() + MP__SECOND);
    HOLDS(status == MP_OK || status == MP_OWNER_DIED);
    mp__word_unlock(&board->word);
    mp__block_free(board_block);
}

MP_CASE(a_release_that_somebody_sleeps_for)
{
    scene_begin();
    scene_play(&(scene_t){.set = sleeper_set, .prepare = hold_word, .act = release_act, .check = sleeper_check});
    scene_end();
}

/* ---- blocks */

static uint64_t block_size;

static void block_act(void)
{
    mp__block_t block;
    MP_CHECK(mp__block_alloc(block_size, self(), &block) == MP_OK);
    mp__block_free(block);
}

/* Blocks can be had, lie apart, and go back. */
static void block_check(bool completed)
{
    mp__block_t blocks[6];
    uint8_t *places[6];
    (void)completed;
    for (size_t i = 0; i < 6; i++) {
        HOLDS(mp__block_alloc(block_size, self(), &blocks[i]) == MP_OK);
        places[i] = mp__block_at(blocks[i], NULL);
        for (size_t j = 0; j < i; j++)
            HOLDS(places[i] >= places[j] + block_size || places[j] >= places[i] + block_size);
        memset(places[i], (int)i, 64);
    }
    for (size_t i = 0; i < 6; i++) {
        HOLDS(places[i][0] == i && places[i][63] == i);
        mp__block_free(blocks[i]);
    }
}

static mp__block_t taken[4096];
static size_t taken_count;

/* All that a class has without a new page. */
static void take_all_free(uint32_t class, uint64_t size)
{
    const mp__class_t *cache = &mp__family.head->classes[class];
    taken_count = 0;
    while ((cache->free || cache->stale) && taken_count < 4096)
        HOLDS(mp__block_alloc(size, self(), &taken[taken_count++]) == MP_OK);
}

static size_t give_all_taken(void)
{
    size_t n = taken_count;
    while (taken_count > 0)
        mp__block_free(taken[--taken_count]);
    return n;
}

/* What the caches know of. */
typedef struct caches {
    size_t listed;
    uint64_t committed;
    uint64_t kept;
} caches_t;

static caches_t ask_caches(void)
{
    take_all_free(1, 100);
    return (caches_t){give_all_taken(), mp__bytes_committed(), mp__family.head->pages_kept};
}

static void play_blocks(uint64_t size)
{
    const scene_t scene = {.prepare = scene_join, .act = block_act, .check = block_check};
    scene_begin();
    block_size = size;
    mp__block_t block;
    REQUIRE_OK(mp__block_alloc(size, self(), &block)); /* as a victim's that is not swept yet */
    block_check(true);
    mp__block_free(block);
    caches_t before = ask_caches();
    scene_play(&scene);
    caches_t after = ask_caches();
    CU_ASSERT_EQUAL(after.listed, before.listed);
    CU_ASSERT_EQUAL(after.committed, before.committed);
    CU_ASSERT_EQUAL(after.kept, before.kept);
    scene_end();
}

MP_CASE(a_small_block)
{
    play_blocks(100);
}

MP_CASE(a_run_of_pages)
{
    play_blocks(200000);
}

/* So many pages that their memory is given back at once. */
MP_CASE(a_run_that_loses_its_memory)
{
    mp__keep_pages = 8;
    play_blocks(UINT64_C(20) * 65536);
}

/* The class has no free block: a page is cut. */
static void page_set(void)
{
    take_all_free(MP__CLASSES - 2, block_size);
}

static void page_check(bool completed)
{
    block_check(completed);
    give_all_taken();
}

MP_CASE(a_page_of_blocks)
{
    scene_begin();
    block_size = 32768;
    scene_play(&(scene_t){.set = page_set, .prepare = scene_join, .act = block_act, .check = page_check});
    scene_end();
}

/* One who stands still while it allocates keeps those who free from nothing. */
static mp__block_t before_stop[4];

static void stop_set(void)
{
    for (size_t i = 0; i < 4; i++)
        HOLDS(mp__block_alloc(block_size, self(), &before_stop[i]) == MP_OK);
}

static void free_meanwhile(void)
{
    mp__block_t block;
    for (size_t i = 0; i < 4; i++) {
        mp__block_free(before_stop[i]);
        HOLDS(mp__block_at(before_stop[i], NULL) == NULL);
    }
    mp_status_t status = mp__block_alloc_until(block_size, self(), mp__os_now() + MP__MILLISECOND, &block);
    HOLDS(status == MP_OK || status == MP_TIMEOUT);
    if (status == MP_OK)
        mp__block_free(block);
}

static void play_stopped(uint64_t size, bool resume)
{
    scene_begin();
    block_size = size;
    stop_set();
    block_check(true);
    free_meanwhile();
    caches_t before = ask_caches();
    scene_play(&(scene_t){.set = stop_set,
                          .prepare = scene_join,
                          .act = block_act,
                          .meanwhile = free_meanwhile,
                          .check = block_check,
                          .resume = resume});
    CU_ASSERT_EQUAL(ask_caches().listed, before.listed);
    CU_ASSERT(mp__bytes_committed() <= before.committed + 2 * size);
    scene_end();
}

MP_CASE(a_small_block_while_others_free)
{
    play_stopped(100, false);
}

MP_CASE(a_run_while_others_free)
{
    play_stopped(100000, false);
}

MP_CASE(a_stop_in_a_small_block)
{
    play_stopped(100, true);
}

MP_CASE(a_stop_in_a_run)
{
    play_stopped(100000, true);
}

/* ---- membership */

static void nothing_more(bool completed)
{
    (void)completed;
}

MP_CASE(joining)
{
    scene_begin();
    scene_play(&(scene_t){.act = scene_join, .check = nothing_more});
    scene_end();
}

static void prepare_act(void)
{
    uint32_t slot, epoch;
    uint64_t nonce;
    mp__block_t block;
    MP_CHECK(mp__process_prepare(&slot, &epoch, &nonce) == MP_OK);
    MP_CHECK(mp__block_alloc(4000, mp__owner_process(slot), &block) == MP_OK);
}

MP_CASE(preparing_a_child)
{
    scene_begin();
    scene_play(&(scene_t){.prepare = scene_join, .act = prepare_act, .check = nothing_more});
    scene_end();
}

static mp__invitation_t invitation;

static void invite(void)
{
    HOLDS(mp__process_prepare(&invitation.slot, &invitation.epoch, &invitation.nonce) == MP_OK);
}

static void accept_act(void)
{
    MP_CHECK(mp__family_accept_forked(&invitation) == MP_OK);
}

/* As the parent does when it has reaped the child. */
static void sweep_invited(bool completed)
{
    (void)completed;
    mp__process_sweep(invitation.slot, invitation.epoch);
}

MP_CASE(accepting_an_invitation)
{
    scene_begin();
    scene_play(&(scene_t){.set = invite, .act = accept_act, .check = sweep_invited});
    scene_end();
}

/* The invitation is taken back while the child is about to accept it: one of the two happens. */
static void take_back(void)
{
    mp__process_sweep(invitation.slot, invitation.epoch);
}

static void accept_or_not(void)
{
    mp_status_t status = mp__family_accept_forked(&invitation);
    MP_CHECK(status == MP_OK || status == MP_INVALID);
}

static void still_good(bool completed)
{
    (void)completed;
    take_back();
    invite();
    take_back();
}

MP_CASE(accepting_what_is_taken_back)
{
    scene_begin();
    scene_play(
        &(scene_t){.set = invite, .act = accept_or_not, .meanwhile = take_back, .check = still_good, .resume = false});
    scene_end();
}

/* ---- the sweep */

static mp__block_t legacy; /* a block of a dead process */

static void leave_much(void)
{
    uint32_t slot, epoch;
    uint64_t nonce;
    mp_queue_t *queue;
    mp_lock_t *own_lock = NULL;
    mp__block_t block;
    static const char bytes[40000];
    MP_CHECK(mp_queue_create(&queue, 0) == MP_OK && mp_lock_create(&own_lock) == MP_OK);
    MP_CHECK(mp_queue_put_bytes(queue, bytes, 10, 0) == MP_OK &&
             mp_queue_put_bytes(queue, bytes, sizeof bytes, 0) == MP_OK);
    MP_CHECK(mp_lock_acquire(own_lock, 0) == MP_OK);
    MP_CHECK(mp__process_prepare(&slot, &epoch, &nonce) == MP_OK);
    MP_CHECK(mp__block_alloc(4000, mp__owner_process(slot), &block) == MP_OK);
    MP_CHECK(mp__block_alloc(5000, self(), &block) == MP_OK);
    mp__store64(&board->told, block);
    raise(SIGKILL);
}

static void leave_a_block(void)
{
    mp__block_t block;
    MP_CHECK(mp__block_alloc(5000, self(), &block) == MP_OK);
    mp__store64(&board->told, block);
    raise(SIGKILL);
}

static void legacy_of(void (*leave)(void))
{
    board_set();
    scene_help(leave);
    HOLDS(!scene_helped());
    legacy = board->told;
    mp__block_free(board_block);
}

static void legacy_set(void)
{
    legacy_of(leave_much);
}

static void small_legacy_set(void)
{
    legacy_of(leave_a_block);
}

MP_CASE(sweeping)
{
    scene_begin();
    scene_play(&(scene_t){.set = legacy_set, .prepare = scene_join, .act = mp__sweep_the_dead, .check = nothing_more});
    scene_end();
}

/* A living one takes a block from the dead: it is not swept from under it. */
static bool taken_over;

static void take_over(void)
{
    taken_over = mp__block_take(legacy, self());
}

static void taken_check(bool completed)
{
    (void)completed;
    HOLDS(taken_over == (mp__block_at(legacy, NULL) != NULL));
    if (taken_over)
        mp__block_free(legacy);
}

MP_CASE(sweeping_while_others_take)
{
    scene_begin();
    scene_play(&(scene_t){.set = small_legacy_set,
                          .prepare = scene_join,
                          .act = mp__sweep_the_dead,
                          .meanwhile = take_over,
                          .check = taken_check,
                          .resume = true});
    scene_end();
}

/* A sweeper that stands still keeps nobody waiting for ever. */
static void sweep_too(void)
{
    int64_t before = mp__os_now();
    mp__sweep_the_dead();
    HOLDS(mp__os_now() - before < (int64_t)(mp_test_seconds(SOON) * (double)MP__SECOND));
}

MP_CASE(a_stop_in_a_sweep)
{
    mp__sweep_time = 10 * MP__MILLISECOND; /* that long each try, for nearly all */
    scene_begin();
    scene_play(&(scene_t){.set = legacy_set,
                          .prepare = scene_join,
                          .act = mp__sweep_the_dead,
                          .meanwhile = sweep_too,
                          .check = nothing_more,
                          .resume = true});
    scene_end();
}

MP_CASES(MP_ROW(a_lock), MP_ROW(a_lock_after_a_death), MP_ROW(a_late_acquire), MP_ROW(a_late_try),
         MP_ROW(a_release_that_somebody_sleeps_for), MP_ROW(a_small_block), MP_ROW(a_run_of_pages),
         MP_ROW(a_run_that_loses_its_memory), MP_ROW(a_page_of_blocks), MP_ROW(a_small_block_while_others_free),
         MP_ROW(a_run_while_others_free), MP_ROW(a_stop_in_a_small_block), MP_ROW(a_stop_in_a_run), MP_ROW(joining),
         MP_ROW(preparing_a_child), MP_ROW(accepting_an_invitation), MP_ROW(accepting_what_is_taken_back),
         MP_ROW(sweeping), MP_ROW(sweeping_while_others_take), MP_ROW(a_stop_in_a_sweep));
