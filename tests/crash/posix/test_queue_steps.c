/* Killed after any instruction of a put, a get, or the making and closing of a queue. */
#include "harness.h"
#include "scene.h"

#include "family/alloc.h"
#include "objects/queue.h"

#include <multiproc.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST ((size_t)40000)
#define NONE UINT64_MAX

#define LARGE     5000 /* in a block of its own */
#define LARGE_ROW 15   /* so many fill a chunk */

/* The queue, and which items should be in it. */
static mp_queue_t *queue;
static struct {
    uint64_t max_items;
    size_t size;     /* of an item */
    unsigned before; /* items put before the victim acts */
    unsigned got;    /* and taken again */
    uint64_t first;  /* the items in it */
    uint64_t next;
    uint64_t maybe; /* from here to `maybe_end`: items that may be missing */
    uint64_t maybe_end;
} model;

static const int64_t *more; /* blocks in use after the victim's act, more than before; NULL: not looked at */

static uint64_t blocks_empty; /* in use when the queue is empty */

static uint8_t item[MOST], other[MOST];

static void make_item(uint8_t *bytes, uint64_t number)
{
    memset(bytes, (int)(number * 37 % 251), model.size);
    memcpy(bytes, &number, sizeof number);
}

static mp_status_t put(double timeout)
{
    make_item(item, model.next);
    mp_status_t status = mp_queue_put_bytes(queue, item, model.size, timeout);
    if (status == MP_OK)
        model.next++;
    return status;
}

/* The number of the item that it got whole. */
static uint64_t get(double timeout)
{
    size_t size = sizeof item;
    uint64_t number;
    mp_status_t status = mp_queue_get_bytes(queue, item, &size, timeout);
    if (status != MP_OK) {
        HOLDS(status == MP_TIMEOUT);
        return NONE;
    }
    HOLDS(size == model.size);
    memcpy(&number, item, sizeof number);
    make_item(other, number);
    HOLDS(memcmp(item, other, model.size) == 0);
    return number;
}

/* Was it its turn? */
static void tick_off(uint64_t number)
{
    while (model.first < number && model.first >= model.maybe && model.first < model.maybe_end)
        model.first++;
    HOLDS(number == model.first);
    model.first++;
}

static void model_is(uint64_t max_items, size_t size, unsigned before, unsigned got)
{
    model.max_items = max_items;
    model.size = size;
    model.before = before;
    model.got = got;
    more = NULL;
}

static void queue_set(void)
{
    model.first = model.next = 0;
    model.maybe = model.maybe_end = NONE;
    HOLDS(mp_queue_create(&queue, model.max_items) == MP_OK);
    blocks_empty = mp__blocks_in_use();
    for (unsigned i = 0; i < model.before; i++)
        HOLDS(put(SOON) == MP_OK);
    for (unsigned i = 0; i < model.got; i++)
        tick_off(get(SOON));
}

/* ---- the victims */

static void before_put(void)
{
    scene_join();
    make_item(item, model.next);
}

static void put_act(void)
{
    MP_CHECK(mp_queue_put_bytes(queue, item, model.size, MP_FOREVER) == MP_OK);
}

static void get_act(void)
{
    size_t size = sizeof item;
    MP_CHECK(mp_queue_get_bytes(queue, item, &size, MP_FOREVER) == MP_OK);
}

/* ---- afterwards */

/* What remains comes in order, and the size is right once both sides were used. */
static void drain(void)
{
    uint64_t size = 0, count = 0;
    HOLDS(put(SOON) == MP_OK);
    uint64_t last = model.next - 1, number = get(SOON);
    HOLDS(mp_queue_size(queue, &size) == MP_OK);
    while (number != last && !scene_failed()) {
        tick_off(number);
        number = get(SOON);
        count++;
    }
    tick_off(last);
    HOLDS(size == count);
    HOLDS(get(0) == NONE);
    HOLDS(mp_queue_size(queue, &size) == MP_OK && size == 0);
}

/* It is as good as new: bounded as before, and has no more memory. */
static void check_as_new(void)
{
    uint64_t rounds = model.max_items ? model.max_items : 5;
    drain();
    for (uint64_t i = 0; i < rounds; i++)
        HOLDS(put(SOON) == MP_OK);
    if (model.max_items)
        HOLDS(put(0) == MP_TIMEOUT);
    for (uint64_t i = 0; i < rounds; i++)
        tick_off(get(SOON));
    mp__sweep_the_dead();
    HOLDS(mp__blocks_in_use() == blocks_empty);
    HOLDS(mp_queue_close(queue) == MP_OK);
}

/* The item is there, or not; whole. */
static void put_check(bool completed)
{
    if (!completed) {
        model.maybe = model.next;
        model.maybe_end = model.next + 1;
    }
    model.next++;
    check_as_new();
}

/* The item that it took is missing, or not. */
static void get_check(bool completed)
{
    if (completed) {
        model.first++;
    } else {
        model.maybe = model.first;
        model.maybe_end = model.first + 1;
    }
    check_as_new();
}

/* The owner closes it, and nobody has repaired it. */
static void close_check(bool completed)
{
    (void)completed;
    HOLDS(mp_queue_close(queue) == MP_OK);
}

static void play(void (*act)(void), void (*check)(bool))
{
    scene_begin();
    scene_play(&(scene_t){.set = queue_set, .prepare = before_put, .act = act, .check = check, .more = more});
    scene_end();
}

MP_CASE(a_small_put)
{
    model_is(4, SCENE_ITEM, 2, 0);
    more = &(int64_t){0};
    play(put_act, put_check);
}

MP_CASE(a_put_into_an_empty_queue)
{
    model_is(2, SCENE_ITEM, 0, 0);
    more = &(int64_t){0};
    play(put_act, put_check);
}

MP_CASE(a_put_that_adds_a_chunk)
{
    model_is(10, SCENE_ITEM, SCENE_ROW, 0);
    more = &(int64_t){1};
    play(put_act, put_check);
}

MP_CASE(a_large_put)
{
    model_is(10, LARGE, 2, 0);
    more = &(int64_t){1};
    play(put_act, put_check);
}

MP_CASE(a_large_put_that_adds_a_chunk)
{
    model_is(20, LARGE, LARGE_ROW, 0);
    more = &(int64_t){2};
    play(put_act, put_check);
}

MP_CASE(a_put_of_pages)
{
    model_is(0, 33000, 1, 0);
    play(put_act, put_check);
}

MP_CASE(a_small_get)
{
    model_is(4, SCENE_ITEM, 3, 1);
    more = &(int64_t){0};
    play(get_act, get_check);
}

MP_CASE(a_get_of_the_last)
{
    model_is(2, SCENE_ITEM, 1, 0);
    more = &(int64_t){0};
    play(get_act, get_check);
}

MP_CASE(a_get_that_leaves_a_chunk)
{
    model_is(10, SCENE_ITEM, SCENE_ROW + 2, SCENE_ROW);
    more = &(int64_t){-1};
    play(get_act, get_check);
}

MP_CASE(a_large_get)
{
    model_is(10, LARGE, 3, 0);
    more = &(int64_t){-1};
    play(get_act, get_check);
}

MP_CASE(a_large_get_that_leaves_a_chunk)
{
    model_is(20, LARGE, LARGE_ROW + 1, LARGE_ROW);
    more = &(int64_t){-2};
    play(get_act, get_check);
}

MP_CASE(a_get_of_pages)
{
    model_is(0, 33000, 2, 0);
    play(get_act, get_check);
}

MP_CASE(a_put_then_the_close)
{
    model_is(10, SCENE_ITEM, SCENE_ROW, 0);
    more = &(int64_t){1};
    play(put_act, close_check);
}

MP_CASE(a_large_put_then_the_close)
{
    model_is(10, LARGE, 2, 0);
    play(put_act, close_check);
}

MP_CASE(a_large_get_then_the_close)
{
    model_is(10, LARGE, 3, 0);
    play(get_act, close_check);
}

/* ---- two deaths: the second one in what the first one left */

static scene_t first_scene;

static void set_after_death(void)
{
    queue_set();
    scene_kill_first(&first_scene);
    if (first_scene.act == put_act)
        model.next++;
}

static void put_check_again(bool completed)
{
    model.maybe = model.next - 1;
    model.maybe_end = completed ? model.next : model.next + 1;
    model.next++;
    check_as_new();
}

static void get_check_again(bool completed)
{
    (void)completed;
    model.maybe = model.first;
    model.maybe_end = model.first + 2;
    check_as_new();
}

static void play_again(void (*act)(void), void (*check)(bool))
{
    scene_begin();
    first_scene = (scene_t){.prepare = before_put, .act = act};
    scene_play(&(scene_t){.set = set_after_death, .prepare = before_put, .act = act, .check = check});
    scene_end();
}

MP_CASE(a_put_after_a_death)
{
    model_is(10, SCENE_ITEM, SCENE_ROW, 0);
    play_again(put_act, put_check_again);
}

MP_CASE(a_large_put_after_a_death)
{
    model_is(10, LARGE, 1, 0);
    play_again(put_act, put_check_again);
}

MP_CASE(a_get_after_a_death)
{
    model_is(10, SCENE_ITEM, SCENE_ROW + 3, SCENE_ROW);
    play_again(get_act, get_check_again);
}

MP_CASE(a_large_get_after_a_death)
{
    model_is(10, LARGE, 4, 0);
    play_again(get_act, get_check_again);
}

/* ---- the other side goes on while the victim stands still; then it is killed, or goes on */

static void take_meanwhile(void)
{
    uint64_t number;
    while ((number = get(0)) != NONE)
        tick_off(number);
}

static void put_meanwhile(void)
{
    for (int i = 0; i < 4; i++)
        if (put(0) != MP_OK)
            return;
}

static void play_both(void (*act)(void), void (*meanwhile)(void), void (*check)(bool), bool resume)
{
    scene_begin();
    scene_play(&(scene_t){
        .set = queue_set, .prepare = before_put, .act = act, .meanwhile = meanwhile, .check = check, .resume = resume});
    scene_end();
}

MP_CASE(a_put_while_others_get)
{
    model_is(10, SCENE_ITEM, SCENE_ROW, 0);
    play_both(put_act, take_meanwhile, put_check, false);
}

MP_CASE(a_large_put_while_others_get)
{
    model_is(10, LARGE, 1, 0);
    play_both(put_act, take_meanwhile, put_check, false);
}

MP_CASE(a_get_while_others_put)
{
    model_is(10, SCENE_ITEM, SCENE_ROW + 3, SCENE_ROW);
    play_both(get_act, put_meanwhile, get_check, false);
}

MP_CASE(a_stop_in_a_put)
{
    model_is(10, SCENE_ITEM, SCENE_ROW, 0);
    play_both(put_act, take_meanwhile, put_check, true);
}

MP_CASE(a_stop_in_a_large_put)
{
    model_is(10, LARGE, 1, 0);
    play_both(put_act, take_meanwhile, put_check, true);
}

MP_CASE(a_stop_in_a_get)
{
    model_is(10, SCENE_ITEM, SCENE_ROW + 3, SCENE_ROW);
    play_both(get_act, put_meanwhile, get_check, true);
}

/* ---- somebody sleeps for it */

static void get_one(void)
{
    mp_queue_t *own = queue;
    size_t size = sizeof item;
    MP_CHECK(mp_queue_get_bytes(own, item, &size, MP_FOREVER) == MP_OK);
}

static void sleeping_set(void)
{
    queue_set();
    scene_help(get_one);
}

static void before_waking_put(void)
{
    before_put();
    scene_wait_for_sleepers(1);
}

static void woken_check(bool completed)
{
    model.next++;
    HOLDS(put(SOON) == MP_OK);
    HOLDS(scene_helped());
    uint64_t number = get(completed ? SOON : 0);
    HOLDS(number == NONE || number == model.next - 1);
    HOLDS(!completed || number != NONE);
    HOLDS(mp_queue_close(queue) == MP_OK);
}

MP_CASE(a_put_that_somebody_sleeps_for)
{
    model_is(0, SCENE_ITEM, 0, 0);
    scene_begin();
    scene_play(&(scene_t){.set = sleeping_set, .prepare = before_waking_put, .act = put_act, .check = woken_check});
    scene_end();
}

/* Each waker wakes one; who was woken wakes the next, so that nobody sleeps on while there is something for it. */
MP_CASE(two_who_sleep_get_what_comes_at_once)
{
    enum { ROUNDS = 20 };
    model_is(0, SCENE_ITEM, 0, 0);
    scene_begin();
    queue_set();
    int64_t before = mp__os_now();
    for (int i = 0; i < ROUNDS; i++) {
        scene_help(get_one);
        pid_t child = fork();
        if (child == 0) {
            scene_join();
            get_one();
            _exit(0);
        }
        scene_wait_for_sleepers(2);
        CU_ASSERT(put(SOON) == MP_OK && put(SOON) == MP_OK);
        CU_ASSERT(scene_helped());
        waitpid(child, NULL, 0);
        mp__sweep_the_dead();
    }
    CU_ASSERT(mp__os_now() - before < ROUNDS * MP__PARK_SLICE / 2);
    EXPECT_OK(mp_queue_close(queue));
    CU_ASSERT_FALSE(scene_failed());
    scene_end();
}

/* ---- stragglers: the queue has ended, and its place is another's */

static mp_queue_t *second;
static uint32_t deaths;

static mp__header_t *header_of(const mp_queue_t *any)
{
    return ((const mp__shared_t *)(const void *)any)->header;
}

static void die_in_it(void)
{
    MP_CHECK(mp__word_lock(&header_of(second)->lock, 0) == MP_OK);
    raise(SIGKILL);
}

/* Unless the victim is in it. */
static void replace_queue(void)
{
    deaths = 0;
    second = queue;
    if (mp__load64(&header_of(queue)->lock))
        return;
    HOLDS(mp_queue_close(queue) == MP_OK);
    HOLDS(mp_queue_create(&second, 0) == MP_OK);
    scene_help(die_in_it);
    HOLDS(!scene_helped());
    deaths = 1;
}

static void late_put(void)
{
    mp_status_t status = mp_queue_put_bytes(queue, item, model.size, 0);
    MP_CHECK(status == MP_OK || status == MP_GONE);
}

/* The death is told to who uses the new queue. */
static void second_check(bool completed)
{
    mp__header_t *header = header_of(second);
    (void)completed;
    mp_status_t status = mp__word_lock(&header->lock, mp__os_now() + MP__SECOND);
    HOLDS(status == (deaths ? MP_OWNER_DIED : MP_OK));
    mp__word_unlock(&header->lock);
    HOLDS(mp_queue_close(second) == MP_OK);
}

MP_CASE(a_late_put)
{
    model_is(0, SCENE_ITEM, 0, 0);
    play_both(late_put, replace_queue, second_check, true);
}

/* ---- its making and its end */

static void live_act(void)
{
    mp_queue_t *own;
    MP_CHECK(mp_queue_create(&own, 0) == MP_OK);
    for (int i = 0; i <= SCENE_ROW; i++)
        MP_CHECK(mp_queue_put_bytes(own, item, SCENE_ITEM, 0) == MP_OK);
    MP_CHECK(mp_queue_put_bytes(own, item, 4096, 0) == MP_OK);
    MP_CHECK(mp_queue_close(own) == MP_OK);
}

static void nothing_more(bool completed)
{
    (void)completed;
}

MP_CASE(a_queue_from_its_making_to_its_end)
{
    scene_begin();
    scene_play(&(scene_t){.prepare = scene_join, .act = live_act, .check = nothing_more});
    scene_end();
}

MP_CASES(MP_ROW(a_small_put), MP_ROW(a_put_into_an_empty_queue), MP_ROW(a_put_that_adds_a_chunk), MP_ROW(a_large_put),
         MP_ROW(a_large_put_that_adds_a_chunk), MP_ROW(a_put_of_pages), MP_ROW(a_small_get), MP_ROW(a_get_of_the_last),
         MP_ROW(a_get_that_leaves_a_chunk), MP_ROW(a_large_get), MP_ROW(a_large_get_that_leaves_a_chunk),
         MP_ROW(a_get_of_pages), MP_ROW(a_put_then_the_close), MP_ROW(a_large_put_then_the_close),
         MP_ROW(a_large_get_then_the_close), MP_ROW(a_put_after_a_death), MP_ROW(a_large_put_after_a_death),
         MP_ROW(a_get_after_a_death), MP_ROW(a_large_get_after_a_death), MP_ROW(a_put_while_others_get),
         MP_ROW(a_large_put_while_others_get), MP_ROW(a_get_while_others_put), MP_ROW(a_stop_in_a_put),
         MP_ROW(a_stop_in_a_large_put), MP_ROW(a_stop_in_a_get), MP_ROW(a_put_that_somebody_sleeps_for),
         MP_ROW(two_who_sleep_get_what_comes_at_once), MP_ROW(a_late_put), MP_ROW(a_queue_from_its_making_to_its_end));
