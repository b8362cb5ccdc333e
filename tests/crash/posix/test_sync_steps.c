/* Killed after any instruction of what semaphores, events, conditions, barriers and RLocks do. */
#include "harness.h"
#include "scene.h"

#include "family/family.h"
#include "objects/roster.h"
#include "objects/shared.h"

#include <multiproc.h>

static mp_semaphore_t *semaphore;
static mp_event_t *event, *done;
static mp_condition_t *condition;
static mp_barrier_t *barrier;
static mp_rlock_t *rlock;

static void play(void (*set)(void), void (*prepare)(void), void (*act)(void), void (*check)(bool))
{
    scene_begin();
    scene_play(&(scene_t){.set = set, .prepare = prepare, .act = act, .check = check});
    scene_end();
}

static bool taken(mp_status_t status)
{
    return status == MP_OK || status == MP_OWNER_DIED;
}

static mp__header_t *header_of(const void *object)
{
    return ((const mp__shared_t *)object)->header;
}

/* ---- RLock */

static void rlock_set(void)
{
    HOLDS(mp_rlock_create(&rlock) == MP_OK);
}

static void rlock_act(void)
{
    for (int i = 0; i < 3; i++)
        MP_CHECK(mp_rlock_acquire(rlock, 0) == MP_OK);
    for (int i = 0; i < 3; i++)
        MP_CHECK(mp_rlock_release(rlock) == MP_OK);
}

static void rlock_check(bool completed)
{
    mp_status_t status = mp_rlock_acquire(rlock, SOON);
    HOLDS(taken(status) && (!completed || status == MP_OK));
    HOLDS(mp_rlock_acquire(rlock, 0) == MP_OK);
    HOLDS(mp_rlock_release(rlock) == MP_OK && mp_rlock_release(rlock) == MP_OK);
    HOLDS(mp_rlock_release(rlock) == MP_NOT_OWNER);
    HOLDS(mp_rlock_close(rlock) == MP_OK);
}

MP_CASE(an_rlock_taken_thrice)
{
    play(rlock_set, scene_join, rlock_act, rlock_check);
}

/* ---- semaphore */

static void make_semaphore(uint32_t permits, unsigned flags)
{
    const mp_semaphore_options_t options = {.flags = flags};
    HOLDS(mp_semaphore_create_with(&semaphore, permits, &options) == MP_OK);
}

static void plain_set(void)
{
    make_semaphore(3, MP_BOUNDED);
}

static void owned_set(void)
{
    make_semaphore(3, MP_OWNED);
}

static void acquire_act(void)
{
    MP_CHECK(mp_semaphore_acquire(semaphore, 0) == MP_OK);
}

static void release_act(void)
{
    MP_CHECK(mp_semaphore_release(semaphore) == MP_OK);
}

static void before_release(void)
{
    scene_join();
    acquire_act();
}

static uint32_t permits(void)
{
    uint32_t n = UINT32_MAX;
    HOLDS(mp_semaphore_value(semaphore, &n) == MP_OK);
    return n;
}

static void plain_acquire_check(bool completed)
{
    HOLDS(permits() == 2 || (permits() == 3 && !completed));
    HOLDS(mp_semaphore_close(semaphore) == MP_OK);
}

static void plain_release_check(bool completed)
{
    HOLDS(permits() == 3 || (permits() == 2 && !completed));
    HOLDS(mp_semaphore_close(semaphore) == MP_OK);
}

/* What it had has returned. */
static void owned_check(bool completed)
{
    (void)completed;
    for (int i = 0; i < 3; i++)
        HOLDS(taken(mp_semaphore_acquire(semaphore, SOON)));
    HOLDS(mp_semaphore_acquire(semaphore, 0) == MP_TIMEOUT);
    for (int i = 0; i < 3; i++)
        HOLDS(mp_semaphore_release(semaphore) == MP_OK);
    HOLDS(permits() == 3);
    HOLDS(mp_semaphore_close(semaphore) == MP_OK);
}

MP_CASE(a_plain_acquire)
{
    play(plain_set, scene_join, acquire_act, plain_acquire_check);
}

MP_CASE(a_plain_release)
{
    play(plain_set, before_release, release_act, plain_release_check);
}

MP_CASE(an_owned_acquire)
{
    play(owned_set, scene_join, acquire_act, owned_check);
}

MP_CASE(an_owned_second_acquire)
{
    play(owned_set, before_release, acquire_act, owned_check);
}

MP_CASE(an_owned_release)
{
    play(owned_set, before_release, release_act, owned_check);
}

/* The table has no free row: holders that never were fill it. */
#define STRANGERS 16

static void add_strangers(void)
{
    mp__roster_t *holders = (mp__roster_t *)(void *)&header_of(semaphore)->body[2];
    for (uint32_t i = 0; i < STRANGERS; i++)
        HOLDS(mp__roster_add(header_of(semaphore), holders, mp__pair(1, 0x10000000 + i), 1) == MP_OK);
}

static void crowded_set(void)
{
    make_semaphore(STRANGERS + 3, MP_OWNED);
    add_strangers();
}

static void crowded_check(bool completed)
{
    (void)completed;
    HOLDS(permits() == STRANGERS + 3); /* the dead are counted out */
    HOLDS(mp_semaphore_acquire(semaphore, SOON) == MP_OK);
    HOLDS(permits() == STRANGERS + 2);
    HOLDS(mp_semaphore_close(semaphore) == MP_OK);
}

MP_CASE(an_owned_acquire_that_makes_room)
{
    play(crowded_set, scene_join, acquire_act, crowded_check);
}

static void look_act(void)
{
    uint32_t n;
    MP_CHECK(mp_semaphore_value(semaphore, &n) == MP_OK && n == STRANGERS + 3);
}

MP_CASE(a_look_past_the_dead)
{
    play(crowded_set, scene_join, look_act, crowded_check);
}

/* All permits are the strangers'. */
static void exhausted_set(void)
{
    make_semaphore(STRANGERS, MP_OWNED);
    add_strangers();
}

static void bury_act(void)
{
    MP_CHECK(mp_semaphore_acquire(semaphore, 0) == MP_OWNER_DIED);
}

static void exhausted_check(bool completed)
{
    (void)completed;
    HOLDS(permits() == STRANGERS);
    for (uint32_t i = 0; i < STRANGERS; i++)
        HOLDS(taken(mp_semaphore_acquire(semaphore, SOON)));
    HOLDS(mp_semaphore_acquire(semaphore, 0) == MP_TIMEOUT);
    HOLDS(mp_semaphore_close(semaphore) == MP_OK);
}

MP_CASE(an_acquire_that_buries_the_dead)
{
    play(exhausted_set, scene_join, bury_act, exhausted_check);
}

static void acquire_one(void)
{
    MP_CHECK(taken(mp_semaphore_acquire(semaphore, MP_FOREVER)));
}

static void sleeping_semaphore_set(void)
{
    make_semaphore(0, MP_PLAIN);
    scene_help(acquire_one);
}

static void before_waking(void)
{
    scene_join();
    scene_wait_for_sleepers(1);
}

static void woken_semaphore_check(bool completed)
{
    (void)completed;
    HOLDS(mp_semaphore_release(semaphore) == MP_OK);
    HOLDS(scene_helped());
    HOLDS(permits() <= 1);
    HOLDS(mp_semaphore_close(semaphore) == MP_OK);
}

MP_CASE(a_release_that_somebody_sleeps_for)
{
    play(sleeping_semaphore_set, before_waking, release_act, woken_semaphore_check);
}

/* ---- event */

static void wait_for_event(void)
{
    MP_CHECK(mp_event_wait(event, MP_FOREVER) == MP_OK);
}

static void event_set(void)
{
    HOLDS(mp_event_create(&event) == MP_OK);
    scene_help(wait_for_event);
}

static void set_act(void)
{
    MP_CHECK(mp_event_set(event) == MP_OK);
}

/* Set or not; if it is, whoever slept comes to know it without another's help. */
static void event_check(bool completed)
{
    bool is_set = false;
    HOLDS(mp_event_is_set(event, &is_set) == MP_OK);
    HOLDS(is_set || !completed);
    HOLDS(is_set || mp_event_set(event) == MP_OK);
    HOLDS(scene_helped());
    HOLDS(mp_event_clear(event) == MP_OK && mp_event_wait(event, 0) == MP_TIMEOUT);
    HOLDS(mp_event_close(event) == MP_OK);
}

MP_CASE(an_event_set_that_somebody_sleeps_for)
{
    play(event_set, before_waking, set_act, event_check);
}

/* The event has ended, and its place is another's: a late set leaves that one alone. */
static void lone_event_set(void)
{
    HOLDS(mp_event_create(&event) == MP_OK);
}

static void replace_event(void)
{
    HOLDS(mp_event_close(event) == MP_OK);
    HOLDS(mp_event_create(&event) == MP_OK);
}

static void late_set_act(void)
{
    mp_event_t *own = event;
    mp_status_t status = mp_event_set(own);
    MP_CHECK(status == MP_OK || status == MP_GONE);
}

static void late_check(bool completed)
{
    bool is_set = true;
    (void)completed;
    HOLDS(mp_event_is_set(event, &is_set) == MP_OK && !is_set);
    HOLDS(mp_event_close(event) == MP_OK);
}

MP_CASE(a_late_set)
{
    scene_begin();
    scene_play(&(scene_t){.set = lone_event_set,
                          .prepare = scene_join,
                          .act = late_set_act,
                          .meanwhile = replace_event,
                          .check = late_check,
                          .resume = true});
    scene_end();
}

/* ---- condition */

static void condition_set(void)
{
    HOLDS(mp_condition_create(&condition) == MP_OK);
    HOLDS(mp_event_create(&done) == MP_OK);
}

static void wait_at_condition(void)
{
    MP_CHECK(taken(mp_condition_acquire(condition, MP_FOREVER)));
    MP_CHECK(taken(mp_condition_wait(condition, MP_FOREVER)));
    MP_CHECK(mp_event_set(done) == MP_OK);
    MP_CHECK(mp_condition_release(condition) == MP_OK);
}

static bool is_done(void)
{
    bool is_set = false;
    HOLDS(mp_event_is_set(done, &is_set) == MP_OK);
    return is_set;
}

/* Whoever waits there is woken, and all is as new. */
static void end_condition(bool helped_already)
{
    if (helped_already)
        HOLDS(mp_event_wait(done, SOON) == MP_OK);
    while (!is_done() && !scene_failed()) {
        HOLDS(taken(mp_condition_acquire(condition, SOON)));
        HOLDS(mp_condition_notify_all(condition) == MP_OK);
        HOLDS(mp_condition_release(condition) == MP_OK);
        (void)mp_event_wait(done, 0.001);
    }
    HOLDS(scene_helped());
    HOLDS(taken(mp_condition_acquire(condition, SOON)));
    HOLDS(mp_condition_wait(condition, 0) == MP_TIMEOUT);
    HOLDS(mp_condition_release(condition) == MP_OK);
    HOLDS(mp_condition_release(condition) == MP_NOT_OWNER);
    HOLDS(mp_condition_close(condition) == MP_OK);
    HOLDS(mp_event_close(done) == MP_OK);
}

static void sleeping_condition_set(void)
{
    condition_set();
    scene_help(wait_at_condition);
}

static void notify_act(void)
{
    MP_CHECK(mp_condition_acquire(condition, 0) == MP_OK);
    MP_CHECK(mp_condition_notify(condition, 1) == MP_OK);
    MP_CHECK(mp_condition_release(condition) == MP_OK);
}

static void notify_check(bool completed)
{
    end_condition(completed);
}

MP_CASE(a_notification)
{
    play(sleeping_condition_set, before_waking, notify_act, notify_check);
}

/* The victim waits for no time; meanwhile another comes to wait, and one is notified: the victim, or the other. When
 * the victim is dead the other one has been woken in any case. */
static bool notified;

static void wait_act(void)
{
    MP_CHECK(mp_condition_acquire(condition, SOON) == MP_OK); /* the one that was notified may have it still */
    mp_status_t status = mp_condition_wait(condition, 0);
    MP_CHECK(status == MP_OK || status == MP_TIMEOUT);
    MP_CHECK(mp_condition_release(condition) == MP_OK);
}

static void notify_one_meanwhile(void)
{
    scene_help(wait_at_condition);
    scene_wait_for_sleepers(1);
    notified = false;
    if (mp__load64(&header_of(condition)->lock) || mp_condition_acquire(condition, 0) != MP_OK)
        return; /* the victim stands in it */
    HOLDS(mp_condition_notify(condition, 1) == MP_OK);
    HOLDS(mp_condition_release(condition) == MP_OK);
    notified = true;
}

static void passed_on_check(bool completed)
{
    end_condition(notified && !completed);
}

static void play_waiter(bool resume)
{
    scene_begin();
    scene_play(&(scene_t){.set = condition_set,
                          .prepare = scene_join,
                          .act = wait_act,
                          .meanwhile = notify_one_meanwhile,
                          .check = passed_on_check,
                          .resume = resume});
    scene_end();
}

MP_CASE(a_notified_one_that_dies_before_it_returns)
{
    play_waiter(false);
}

MP_CASE(a_stop_in_a_wait)
{
    play_waiter(true);
}

/* ---- barrier */

static void wait_at_barrier(void)
{
    mp_status_t status = mp_barrier_wait(barrier, MP_FOREVER, NULL);
    MP_CHECK(status == MP_OK || status == MP_STATE);
}

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

static void barrier_set(void)
{
    HOLDS(mp_barrier_create(&barrier, 2) == MP_OK);
}

static void sleeping_barrier_set(void)
{
    barrier_set();
    scene_help(wait_at_barrier);
}

static void acting_barrier_set(void)
{
    const mp_barrier_options_t options = {.action = nothing};
    HOLDS(mp_barrier_create_with(&barrier, 2, &options) == MP_OK);
    scene_help(wait_at_barrier);
}

static void arrive_act(void)
{
    MP_CHECK(mp_barrier_wait(barrier, MP_FOREVER, NULL) == MP_OK);
}

static void end_barrier(void)
{
    HOLDS(mp_barrier_reset(barrier) == MP_OK);
    HOLDS(mp_barrier_wait(barrier, 0, NULL) == MP_TIMEOUT);
    HOLDS(mp_barrier_wait(barrier, 0, NULL) == MP_STATE);
    HOLDS(mp_barrier_close(barrier) == MP_OK);
}

/* The other one passes, or it finds that the victim died there; unless the victim had not arrived. */
static void arrive_check(bool completed)
{
    uint32_t waiting = 0;
    HOLDS(mp_barrier_waiting(barrier, &waiting) == MP_OK);
    HOLDS(waiting == 0 || !completed);
    if (waiting == 1)
        HOLDS(mp_barrier_abort(barrier) == MP_OK);
    HOLDS(scene_helped());
    end_barrier();
}

MP_CASE(the_last_party_arrives)
{
    play(sleeping_barrier_set, before_waking, arrive_act, arrive_check);
}

MP_CASE(the_last_party_arrives_and_acts)
{
    play(acting_barrier_set, before_waking, arrive_act, arrive_check);
}

static void time_out_act(void)
{
    MP_CHECK(mp_barrier_wait(barrier, 0, NULL) == MP_TIMEOUT);
}

static void abort_act(void)
{
    MP_CHECK(mp_barrier_abort(barrier) == MP_OK);
}

static void reset_act(void)
{
    MP_CHECK(mp_barrier_reset(barrier) == MP_OK);
}

static void lone_barrier_check(bool completed)
{
    bool broken = false;
    HOLDS(mp_barrier_broken(barrier, &broken) == MP_OK);
    HOLDS(broken || !completed);
    /* A dead party that still counts is found by the next one. */
    mp_status_t status = mp_barrier_wait(barrier, 0, NULL);
    HOLDS(status == MP_STATE || (status == MP_TIMEOUT && !broken));
    end_barrier();
}

MP_CASE(a_party_whose_time_is_over)
{
    play(barrier_set, scene_join, time_out_act, lone_barrier_check);
}

MP_CASE(an_abort_that_somebody_sleeps_for)
{
    play(sleeping_barrier_set, before_waking, abort_act, arrive_check);
}

MP_CASE(a_reset_that_somebody_sleeps_for)
{
    play(sleeping_barrier_set, before_waking, reset_act, arrive_check);
}

/* ---- their making and their end */

static void live_act(void)
{
    mp_condition_t *own_condition;
    mp_barrier_t *own_barrier;
    mp_semaphore_t *own_semaphore;
    const mp_semaphore_options_t owned = {.flags = MP_OWNED};
    const mp_barrier_options_t options = {.action = nothing};
    MP_CHECK(mp_semaphore_create_with(&own_semaphore, 2, &owned) == MP_OK);
    MP_CHECK(mp_condition_create(&own_condition) == MP_OK);
    MP_CHECK(mp_barrier_create_with(&own_barrier, 1, &options) == MP_OK);
    MP_CHECK(mp_barrier_close(own_barrier) == MP_OK);
    MP_CHECK(mp_condition_close(own_condition) == MP_OK);
    MP_CHECK(mp_semaphore_close(own_semaphore) == MP_OK);
}

static void nothing_more(bool completed)
{
    (void)completed;
}

MP_CASE(from_their_making_to_their_end)
{
    play(NULL, scene_join, live_act, nothing_more);
}

MP_CASES(MP_ROW(an_rlock_taken_thrice), MP_ROW(a_plain_acquire), MP_ROW(a_plain_release), MP_ROW(an_owned_acquire),
         MP_ROW(an_owned_second_acquire), MP_ROW(an_owned_release), MP_ROW(an_owned_acquire_that_makes_room),
         MP_ROW(a_look_past_the_dead), MP_ROW(an_acquire_that_buries_the_dead),
         MP_ROW(a_release_that_somebody_sleeps_for), MP_ROW(an_event_set_that_somebody_sleeps_for), MP_ROW(a_late_set),
         MP_ROW(a_notification), MP_ROW(a_notified_one_that_dies_before_it_returns), MP_ROW(a_stop_in_a_wait),
         MP_ROW(the_last_party_arrives), MP_ROW(the_last_party_arrives_and_acts), MP_ROW(a_party_whose_time_is_over),
         MP_ROW(an_abort_that_somebody_sleeps_for), MP_ROW(a_reset_that_somebody_sleeps_for),
         MP_ROW(from_their_making_to_their_end));
