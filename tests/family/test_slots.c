/* The participants: their slots, who is found dead, and the sweep of what the dead leave. */
#include "harness.h"
#include "kin.h"
#include "random.h"
#include "system.h"

#include "family/alloc.h"

#include <string.h>

static mp__process_state_t state_of(uint32_t slot)
{
    return (mp__process_state_t)(mp__low(mp__load64(&mp__family.processes[slot].claim)) & 0xff);
}

static bool alive(const mp_test_kin_t *kin)
{
    return !mp__process_dead(kin->slot, kin->epoch);
}

/* ---- threads ---- */

static void claim_slot(void *context)
{
    MP_CHECK(mp__family_join() == MP_OK);
    MP_CHECK(mp__self != 0 && !mp__thread_dead(mp__self));
    *(uint64_t *)context = mp__self;
}

MP_CASE(threads_use_slots_again_and_epochs_rise)
{
    static uint64_t seen[300];
    mp_test_family();
    CU_ASSERT_FALSE(mp__thread_dead(mp__self));
    for (size_t i = 0; i < 300; i++) {
        mp_test_thread_t thread;
        mp_test_thread_start(&thread, claim_slot, &seen[i]);
        mp_test_thread_join(&thread);
        CU_ASSERT(mp__thread_dead(seen[i]));
    }
    for (size_t i = 0; i < 300; i++)
        for (size_t j = 0; j < i; j++) {
            CU_ASSERT_NOT_EQUAL(seen[i], seen[j]);
            if (mp__low(seen[i]) == mp__low(seen[j]))
                CU_ASSERT(mp__high(seen[i]) > mp__high(seen[j]));
        }
    CU_ASSERT(mp__family.head->thread_mark <= 40);
    CU_ASSERT_FALSE(mp__thread_dead(mp__self));
}

/* ---- processes ---- */

MP_PROGRAM(lives)
{
    (void)mp_test_kin_accept();
    MP_CHECK(mp_test_tell(mp_test_talk(), 'l'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'g'));
    return 0;
}

static void start_living(mp_test_kin_t *kin)
{
    mp_test_kin_start(kin, "lives", 0, NULL);
    CU_ASSERT(mp_test_hear(kin->child.talk, 'l'));
}

MP_CASE(a_death_is_seen_and_a_slot_freed)
{
    mp_test_kin_t kin;
    mp_test_family();
    start_living(&kin);
    CU_ASSERT_EQUAL(state_of(kin.slot), MP__PROCESS_RUNNING);
    CU_ASSERT_EQUAL(mp__family.processes[kin.slot].pid, (uint32_t)kin.child.process.pid);
    CU_ASSERT(alive(&kin));
    mp_test_kin_kill(&kin);
    CU_ASSERT_FALSE(alive(&kin));
    CU_ASSERT_EQUAL(state_of(kin.slot), MP__PROCESS_RUNNING);
    mp_test_kin_sweep(&kin);
    CU_ASSERT_EQUAL(state_of(kin.slot), MP__PROCESS_FREE);
    CU_ASSERT_FALSE(alive(&kin));
}

MP_CASE(a_stopped_process_is_not_dead)
{
    mp_test_kin_t kin;
    mp_test_family();
    start_living(&kin);
    if (mp_test_pause(kin.child.process.pid)) {
        CU_ASSERT(alive(&kin));
        mp__sweep_the_dead();
        CU_ASSERT_EQUAL(state_of(kin.slot), MP__PROCESS_RUNNING);
        CU_ASSERT(mp_test_resume(kin.child.process.pid));
    }
    CU_ASSERT(mp_test_tell(kin.child.talk, 'g'));
    CU_ASSERT_EQUAL(mp_test_kin_join(&kin).code, 0);
}

/* How it ended is kept for its parent, whoever notices the death. */
MP_CASE(a_slot_waits_for_the_parent)
{
    mp_test_kin_t kin;
    uint64_t nonce;
    uint32_t slot, epoch;
    mp_test_family();
    start_living(&kin);
    CU_ASSERT(mp_test_tell(kin.child.talk, 'g'));
    CU_ASSERT_EQUAL(mp_test_join(&kin.child).code, 0);
    mp__sweep_the_dead();
    CU_ASSERT_EQUAL(state_of(kin.slot), MP__PROCESS_ENDED);
    CU_ASSERT_FALSE(alive(&kin));
    for (int i = 0; i < 40; i++) {
        REQUIRE_OK(mp__process_prepare(&slot, &epoch, &nonce));
        CU_ASSERT_NOT_EQUAL(slot, kin.slot);
        mp__process_sweep(slot, epoch);
        CU_ASSERT_EQUAL(state_of(slot), MP__PROCESS_FREE);
    }
    CU_ASSERT_EQUAL(state_of(kin.slot), MP__PROCESS_ENDED);
    mp_test_kin_sweep(&kin);
    CU_ASSERT_EQUAL(state_of(kin.slot), MP__PROCESS_FREE);
}

/* Who is to have a slot that nobody has claimed takes it back; a claimed one stays. */
MP_CASE(a_slot_is_taken_back_while_nobody_has_claimed_it)
{
    mp_test_kin_t kin;
    uint64_t nonce;
    uint32_t slot, epoch;
    mp_test_family();
    REQUIRE_OK(mp__process_prepare(&slot, &epoch, &nonce));
    mp__process_take_back(slot, epoch);
    CU_ASSERT_EQUAL(state_of(slot), MP__PROCESS_FREE);
    EXPECT_STATUS(mp__process_accept(slot, epoch, nonce), MP_INVALID);
    start_living(&kin);
    mp__process_take_back(kin.slot, kin.epoch);
    CU_ASSERT_EQUAL(state_of(kin.slot), MP__PROCESS_RUNNING);
    CU_ASSERT(mp_test_tell(kin.child.talk, 'g'));
    CU_ASSERT_EQUAL(mp_test_kin_join(&kin).code, 0);
}

MP_PROGRAM(holds_up_sweeps)
{
    (void)mp_test_kin_accept();
    MP_CHECK(mp__word_lock(&mp__family.head->sweep_lock, MP__NEVER) == MP_OK);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'l'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'g'));
    mp__word_unlock(&mp__family.head->sweep_lock);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'u'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'e'));
    return 0;
}

/* The parent wants a slot no more, but cannot sweep it: whoever looks next can, while the parent lives. */
MP_CASE(a_slot_whose_sweep_failed_is_swept_later)
{
    mp_test_kin_t kin, holder;
    uint64_t nonce;
    uint32_t slot, epoch;
    mp_test_family();
    start_living(&kin);
    mp_test_kin_start(&holder, "holds_up_sweeps", 0, NULL);
    CU_ASSERT(mp_test_hear(holder.child.talk, 'l'));
    CU_ASSERT(mp_test_tell(kin.child.talk, 'g'));
    CU_ASSERT_EQUAL(mp_test_kin_join(&kin).code, 0);
    CU_ASSERT_NOT_EQUAL(state_of(kin.slot), MP__PROCESS_FREE);
    REQUIRE_OK(mp__process_prepare(&slot, &epoch, &nonce));
    mp__process_sweep(slot, epoch);
    CU_ASSERT_NOT_EQUAL(state_of(slot), MP__PROCESS_FREE);
    EXPECT_STATUS(mp__process_accept(slot, epoch, nonce), MP_INVALID);
    CU_ASSERT(mp_test_tell(holder.child.talk, 'g'));
    CU_ASSERT(mp_test_hear(holder.child.talk, 'u'));
    mp__sweep_the_dead();
    CU_ASSERT_EQUAL(state_of(kin.slot), MP__PROCESS_FREE);
    CU_ASSERT_EQUAL(state_of(slot), MP__PROCESS_FREE);
    CU_ASSERT(mp_test_tell(holder.child.talk, 'e'));
    CU_ASSERT_EQUAL(mp_test_kin_join(&holder).code, 0);
}

/* Nobody sweeps them here: whoever looks for a slot does. */
MP_CASE(two_hundred_short_processes_share_few_slots)
{
    uint32_t epochs[200];
    uint32_t slots[200];
    mp_test_family();
    for (int i = 0; i < 200; i++) {
        mp_test_kin_t kin;
        start_living(&kin);
        slots[i] = kin.slot;
        epochs[i] = kin.epoch;
        CU_ASSERT(mp_test_tell(kin.child.talk, 'g'));
        CU_ASSERT_EQUAL(mp_test_join(&kin.child).code, 0);
        CU_ASSERT_FALSE(alive(&kin));
        mp__family.processes[kin.slot].keeper = 0; /* as if its parent were gone */
        for (int j = 0; j < i; j++)
            if (slots[j] == slots[i])
                CU_ASSERT(epochs[j] < epochs[i]);
    }
    CU_ASSERT(mp__family.head->process_mark <= 40);
    CU_ASSERT(mp__family.head->thread_mark <= 60);
    mp__sweep_the_dead();
    for (uint32_t i = 0; i < mp__family.head->process_mark; i++)
        CU_ASSERT_EQUAL(state_of(i), i == mp__family.process ? MP__PROCESS_RUNNING : MP__PROCESS_FREE);
}

/* ---- invitations ---- */

MP_CASE(an_invitation_must_be_right_in_everything)
{
    uint32_t slot, epoch;
    uint64_t nonce;
    mp_test_family();
    REQUIRE_OK(mp__process_prepare(&slot, &epoch, &nonce));
    CU_ASSERT_EQUAL(state_of(slot), MP__PROCESS_STARTING);
    CU_ASSERT_FALSE(mp__process_dead(slot, epoch));
    EXPECT_STATUS(mp__process_accept(slot, epoch, nonce + 1), MP_INVALID);
    EXPECT_STATUS(mp__process_accept(slot, epoch + 1, nonce), MP_INVALID);
    EXPECT_STATUS(mp__process_accept(slot + 1, epoch, nonce), MP_INVALID);
    EXPECT_STATUS(mp__process_accept(UINT32_MAX, epoch, nonce), MP_INVALID);
    EXPECT_STATUS(mp__process_accept(mp__family.process, mp__family.epoch, nonce), MP_INVALID);
    mp__process_sweep(slot, epoch);
    CU_ASSERT_EQUAL(state_of(slot), MP__PROCESS_FREE);
    EXPECT_STATUS(mp__process_accept(slot, epoch, nonce), MP_INVALID);
}

/* An invitation was used by the one that it started; a copy of it is worth nothing. */
MP_PROGRAM(accepts_twice)
{
    (void)mp_test_kin_accept();
    mp__process_slot_t *slot = &mp__family.processes[mp__family.process];
    MP_CHECK(mp__process_accept(mp__family.process, mp__family.epoch, slot->nonce) == MP_INVALID);
    return 0;
}

MP_CASE(an_invitation_is_good_once)
{
    mp_test_kin_t kin;
    mp_test_family();
    mp_test_kin_start(&kin, "accepts_twice", 0, NULL);
    CU_ASSERT_EQUAL(mp_test_kin_join(&kin).code, 0);
}

MP_PROGRAM(takes_what_is_no_arena)
{
    mp__invitation_t invitation = {.memory = mp_test_handle(0), .life = MP__NO_HANDLE, .size = (uint64_t)64 << 20};
    MP_CHECK(mp__family_accept(&invitation) == MP_INVALID);
    MP_CHECK(!mp__family_joined());
    return 0;
}

MP_CASE(a_handle_that_is_no_arena_is_refused)
{
    mp_test_child_t child;
    mp__os_handle_t ends[2];
    mp_test_family();
    REQUIRE_OK(mp__os_channel_create(true, ends));
    mp_test_start(&child, "takes_what_is_no_arena", ends, 1, NULL);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    mp__os_handle_close(ends[0]);
    mp__os_handle_close(ends[1]);
}

/* ---- the sweep ---- */

typedef struct post {
    uint32_t slots[2];
    uint32_t epochs[2];
} post_t;

MP_PROGRAM(prepares)
{
    post_t *post = mp_test_kin_accept();
    uint64_t nonce;
    mp__block_t block;
    for (int i = 0; i < 2; i++) {
        MP_CHECK(mp__process_prepare(&post->slots[i], &post->epochs[i], &nonce) == MP_OK);
        MP_CHECK(mp__block_alloc(1000, mp__owner_process(post->slots[i]), &block) == MP_OK);
    }
    MP_CHECK(mp_test_tell(mp_test_talk(), 'p'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'g'));
    return 0;
}

MP_CASE(children_that_were_never_started_go_with_their_maker)
{
    mp_test_kin_t kin;
    mp__block_t block;
    mp_test_family();
    REQUIRE_OK(mp__block_alloc(sizeof(post_t), mp__owner_process(mp__family.process), &block));
    post_t *post = mp__block_at(block, NULL);
    uint64_t before = mp__blocks_in_use();
    mp_test_kin_start(&kin, "prepares", block, NULL);
    CU_ASSERT(mp_test_hear(kin.child.talk, 'p'));
    CU_ASSERT_FALSE(mp__process_dead(post->slots[0], post->epochs[0]));
    mp_test_kin_kill(&kin);
    CU_ASSERT(mp__process_dead(post->slots[0], post->epochs[0]));
    mp_test_kin_sweep(&kin);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(state_of(post->slots[i]), MP__PROCESS_FREE);
        CU_ASSERT(mp__process_dead(post->slots[i], post->epochs[i]));
    }
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    mp__block_free(block);
}

/* Owns some, then dies or sweeps others until it is killed itself. */
MP_PROGRAM(owns_and_sweeps)
{
    uint64_t random = 1 + (uint64_t)mp__os_pid();
    mp__block_t block;
    (void)mp_test_kin_accept();
    for (int i = 0; i < 200; i++)
        MP_CHECK(mp__block_alloc(1 + mp_test_below(&random, 100000), mp__owner_process(mp__family.process), &block) ==
                 MP_OK);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'o'));
    while (mp_test_kin_wanted())
        mp__sweep_the_dead();
    return 0;
}

/* Each sweeps the others, and is killed in it. */
MP_CASE(killed_while_sweeping)
{
    mp_test_kin_t kin[4];
    uint64_t random = 9;
    mp_test_family();
    uint64_t before = mp__blocks_in_use();
    for (int i = 0; i < 4; i++)
        mp_test_kin_start(&kin[i], "owns_and_sweeps", 0, NULL);
    for (int i = 0; i < 4; i++)
        CU_ASSERT(mp_test_hear(kin[i].child.talk, 'o'));
    int kills = 0;
    for (mp__deadline_t enough = mp_test_deadline(4); kills < 10 || (kills < 150 && mp__os_now() < enough); kills++) {
        mp_test_kin_t *victim = &kin[mp_test_below(&random, 4)];
        mp_test_jitter(&random, 1000);
        mp_test_kin_kill(victim);
        mp_test_kin_start(victim, "owns_and_sweeps", 0, NULL);
        CU_ASSERT(mp_test_hear(victim->child.talk, 'o'));
        CU_ASSERT(alive(victim));
    }
    for (int i = 0; i < 4; i++)
        mp_test_kin_kill(&kin[i]);
    mp__sweep_the_dead();
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    for (uint32_t i = 0; i < mp__family.head->process_mark; i++)
        CU_ASSERT(i == mp__family.process ? state_of(i) == MP__PROCESS_RUNNING
                                          : state_of(i) == MP__PROCESS_FREE || state_of(i) == MP__PROCESS_ENDED);
}

MP_CASES(MP_ROW(threads_use_slots_again_and_epochs_rise), MP_ROW(a_death_is_seen_and_a_slot_freed),
         MP_ROW(a_stopped_process_is_not_dead), MP_ROW(two_hundred_short_processes_share_few_slots),
         MP_ROW(a_slot_waits_for_the_parent), MP_ROW(a_slot_whose_sweep_failed_is_swept_later), MP_SUB(holds_up_sweeps),
         MP_ROW(a_slot_is_taken_back_while_nobody_has_claimed_it), MP_ROW(an_invitation_must_be_right_in_everything),
         MP_ROW(an_invitation_is_good_once), MP_ROW(a_handle_that_is_no_arena_is_refused),
         MP_ROW(children_that_were_never_started_go_with_their_maker), MP_ROW(killed_while_sweeping), MP_SUB(lives),
         MP_SUB(accepts_twice), MP_SUB(takes_what_is_no_arena), MP_SUB(prepares), MP_SUB(owns_and_sweeps));
