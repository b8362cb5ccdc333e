/* Killed at any instruction of an operation that has to wait, and asleep in it. */
#include "harness.h"
#include "scene.h"

#include "family/alloc.h"

#include <multiproc.h>

#include <string.h>
#include <unistd.h>

/* What is waited for. Another member wakes the victim as soon as it sleeps, or when it is told that there is nobody to
 * be waited for any more. */
typedef struct wait {
    void (*make)(void);
    void (*hold)(void);            /* by the other, first; may be NULL */
    void (*act)(void);             /* the victim's */
    void (*wake)(void);            /* by the other */
    void (*check)(bool completed); /* by the case, when the other has ended */
} wait_t;

typedef struct board {
    uint64_t held;   /* the other has done `hold` */
    uint64_t victim; /* its process id */
    uint64_t enough; /* it is no more */
} board_t;

static const wait_t *playing;
static bool until_told; /* the other does not wake a sleeper by itself */
static board_t *board;
static mp__block_t board_block;

static bool taken(mp_status_t status)
{
    return status == MP_OK || status == MP_OWNER_DIED;
}

static void wake_it(void)
{
    if (playing->hold)
        playing->hold();
    mp__store64(&board->held, 1);
    while (!mp__load64(&board->enough) && (until_told || !mp_test_asleep((int64_t)mp__load64(&board->victim))))
        mp__os_yield();
    playing->wake();
}

static void prepare(void)
{
    scene_join();
    mp__store64(&board->victim, (uint64_t)getpid());
}

static void set(void)
{
    HOLDS(mp__block_alloc(sizeof *board, mp__owner_process(mp__family.process), &board_block) == MP_OK);
    board = mp__block_at(board_block, NULL);
    memset(board, 0, sizeof *board);
    playing->make();
    scene_help(wake_it);
    while (!mp__load64(&board->held))
        mp__os_yield();
}

static void check(bool completed)
{
    mp__store64(&board->enough, 1);
    HOLDS(scene_helped());
    playing->check(completed);
    mp__block_free(board_block);
}

static void play(const wait_t *wait)
{
    const scene_t scene = {.set = set, .prepare = prepare, .act = wait->act, .check = check};
    playing = wait;
    scene_begin();
    scene_play(&scene);
    until_told = true;
    scene_play_asleep(&scene);
    scene_end();
}

/* ---- a lock */

static mp_lock_t *lock;

static void make_lock(void)
{
    HOLDS(mp_lock_create(&lock) == MP_OK);
}

static void hold_lock(void)
{
    MP_CHECK(mp_lock_acquire(lock, 0) == MP_OK);
}

static void release_lock(void)
{
    MP_CHECK(mp_lock_release(lock) == MP_OK);
}

static void take_lock(void)
{
    MP_CHECK(mp_lock_acquire(lock, MP_FOREVER) == MP_OK);
    release_lock();
}

static void check_lock(bool completed)
{
    mp_status_t status = mp_lock_acquire(lock, SOON);
    HOLDS(completed ? status == MP_OK : taken(status));
    HOLDS(mp_lock_release(lock) == MP_OK);
    HOLDS(mp_lock_close(lock) == MP_OK);
}

MP_CASE(a_held_lock)
{
    play(&(wait_t){make_lock, hold_lock, take_lock, release_lock, check_lock});
}

/* ---- semaphores */

static mp_semaphore_t *semaphore;

static void make_plain(void)
{
    HOLDS(mp_semaphore_create(&semaphore, 0) == MP_OK);
}

static void make_owned(void)
{
    HOLDS(mp_semaphore_create_with(&semaphore, 1, &(mp_semaphore_options_t){.flags = MP_OWNED}) == MP_OK);
}

static void hold_permit(void)
{
    MP_CHECK(mp_semaphore_acquire(semaphore, 0) == MP_OK);
}

static void take_permit(void)
{
    MP_CHECK(mp_semaphore_acquire(semaphore, MP_FOREVER) == MP_OK);
}

static void release_permit(void)
{
    MP_CHECK(mp_semaphore_release(semaphore) == MP_OK);
}

/* A permit that a dead one took is lost; one that it did not come to take is there. */
static void check_plain(bool completed)
{
    uint32_t permits = 2;
    HOLDS(mp_semaphore_value(semaphore, &permits) == MP_OK && permits <= (completed ? 0 : 1));
    HOLDS(!permits || mp_semaphore_acquire(semaphore, SOON) == MP_OK);
    HOLDS(mp_semaphore_close(semaphore) == MP_OK);
}

static void check_owned(bool completed)
{
    (void)completed;
    HOLDS(taken(mp_semaphore_acquire(semaphore, SOON)));
    HOLDS(mp_semaphore_release(semaphore) == MP_OK);
    HOLDS(mp_semaphore_close(semaphore) == MP_OK);
}

MP_CASE(a_semaphore)
{
    play(&(wait_t){make_plain, NULL, take_permit, release_permit, check_plain});
}

MP_CASE(an_owned_semaphore)
{
    play(&(wait_t){make_owned, hold_permit, take_permit, release_permit, check_owned});
}

/* ---- an event */

static mp_event_t *event;

static void make_event(void)
{
    HOLDS(mp_event_create(&event) == MP_OK);
}

static void wait_for_event(void)
{
    MP_CHECK(mp_event_wait(event, MP_FOREVER) == MP_OK);
}

static void set_event(void)
{
    MP_CHECK(mp_event_set(event) == MP_OK);
}

static void check_event(bool completed)
{
    (void)completed;
    HOLDS(mp_event_wait(event, SOON) == MP_OK);
    HOLDS(mp_event_close(event) == MP_OK);
}

MP_CASE(an_event)
{
    play(&(wait_t){make_event, NULL, wait_for_event, set_event, check_event});
}

/* ---- a condition */

static mp_condition_t *condition;

static void make_condition(void)
{
    HOLDS(mp_condition_create(&condition) == MP_OK);
}

static void wait_at_condition(void)
{
    MP_CHECK(mp_condition_acquire(condition, MP_FOREVER) == MP_OK);
    MP_CHECK(mp_condition_wait(condition, MP_FOREVER) == MP_OK);
    MP_CHECK(mp_condition_release(condition) == MP_OK);
}

static void notify(void)
{
    MP_CHECK(taken(mp_condition_acquire(condition, MP_FOREVER)));
    MP_CHECK(mp_condition_notify(condition, 1) == MP_OK);
    MP_CHECK(mp_condition_release(condition) == MP_OK);
}

static void check_condition(bool completed)
{
    mp_status_t status = mp_condition_acquire(condition, SOON);
    HOLDS(completed ? status == MP_OK : taken(status));
    HOLDS(mp_condition_release(condition) == MP_OK);
    HOLDS(mp_condition_close(condition) == MP_OK);
}

MP_CASE(a_condition)
{
    play(&(wait_t){make_condition, NULL, wait_at_condition, notify, check_condition});
}

/* ---- a barrier */

static mp_barrier_t *barrier;

static void make_barrier(void)
{
    HOLDS(mp_barrier_create(&barrier, 2) == MP_OK);
}

static void wait_at_barrier(void)
{
    uint32_t index;
    MP_CHECK(mp_barrier_wait(barrier, MP_FOREVER, &index) == MP_OK);
}

/* Together with the victim, or alone. */
static void come_to_barrier(void)
{
    uint32_t index;
    mp_status_t status = mp_barrier_wait(barrier, mp__load64(&board->enough) ? 0 : MP_FOREVER, &index);
    MP_CHECK(status == MP_OK || mp__load64(&board->enough));
}

static void check_barrier(bool completed)
{
    bool broken = true;
    HOLDS(!completed || (mp_barrier_broken(barrier, &broken) == MP_OK && !broken));
    HOLDS(mp_barrier_reset(barrier) == MP_OK);
    HOLDS(mp_barrier_broken(barrier, &broken) == MP_OK && !broken);
    HOLDS(mp_barrier_close(barrier) == MP_OK);
}

MP_CASE(a_barrier)
{
    play(&(wait_t){make_barrier, NULL, wait_at_barrier, come_to_barrier, check_barrier});
}

/* ---- queues */

static mp_queue_t *queue;

static void put_number(uint64_t number)
{
    MP_CHECK(mp_queue_put_bytes(queue, &number, sizeof number, MP_FOREVER) == MP_OK);
}

static uint64_t get_number(double timeout)
{
    uint64_t number = 0;
    size_t size = sizeof number;
    mp_status_t status = mp_queue_get_bytes(queue, &number, &size, timeout);
    MP_CHECK(status == MP_OK || status == MP_TIMEOUT);
    return status == MP_OK ? number : 0;
}

static void make_empty(void)
{
    HOLDS(mp_queue_create(&queue, 0) == MP_OK);
}

static void make_full(void)
{
    HOLDS(mp_queue_create(&queue, 1) == MP_OK);
    put_number(1);
}

static void get_item(void)
{
    MP_CHECK(get_number(MP_FOREVER) == 1);
}

static void put_first(void)
{
    put_number(1);
}

static void put_second(void)
{
    put_number(2);
}

/* The item is there, unless the victim took it; and the queue goes on. */
static void check_empty(bool completed)
{
    uint64_t number = get_number(0);
    HOLDS(number == 0 || (number == 1 && !completed));
    put_number(3);
    HOLDS(get_number(SOON) == 3);
    HOLDS(mp_queue_close(queue) == MP_OK);
}

static void check_full(bool completed)
{
    uint64_t number = get_number(0);
    HOLDS(number == 2 || (number == 0 && !completed));
    put_number(3);
    HOLDS(mp_queue_put_bytes(queue, "x", 1, 0) == MP_TIMEOUT);
    HOLDS(get_number(SOON) == 3);
    HOLDS(mp_queue_close(queue) == MP_OK);
}

MP_CASE(an_empty_queue)
{
    play(&(wait_t){make_empty, NULL, get_item, put_first, check_empty});
}

MP_CASE(a_full_queue)
{
    play(&(wait_t){make_full, NULL, put_second, get_item, check_full});
}

MP_CASES(MP_ROW(a_held_lock), MP_ROW(a_semaphore), MP_ROW(an_owned_semaphore), MP_ROW(an_event), MP_ROW(a_condition),
         MP_ROW(a_barrier), MP_ROW(an_empty_queue), MP_ROW(a_full_queue));
