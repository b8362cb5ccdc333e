/* Killed after any instruction of what a queue can beyond put and get: several at once, bounds in bytes, tasks, leases,
 * dead letters, lending, the shutdown. */
#include "harness.h"
#include "scene.h"

#include "family/alloc.h"
#include "objects/queue.h"

#include <multiproc.h>

#include <string.h>

#define MOST  ((size_t)40000)
#define BATCH 5u
#define LARGE ((size_t)5000) /* in a block of its own */

static mp_queue_t *queue, *letters;
static mp_lease_t *lease; /* the victim's */
static mp_lent_t lent;
static size_t size;     /* of an item */
static uint32_t before; /* items put before the victim acts: 0 .. before - 1 */
static uint32_t taken;  /* and so many of them taken again */
static uint8_t item[MOST];
static uint64_t blocks_empty; /* in use when the queue is new */
static const int64_t *more;   /* blocks in use after the victim's act, more than before; NULL: not looked at */

static mp_queue_options_t options;

static uint8_t *make_item(uint32_t number)
{
    memset(item, (int)(number * 37 % 251), size);
    memcpy(item, &number, sizeof number);
    return item;
}

static uint32_t number_in(const void *data, size_t n)
{
    uint32_t number = UINT32_MAX;
    HOLDS(n == size);
    memcpy(&number, data, sizeof number);
    const uint8_t *bytes = data;
    size_t good = sizeof number;
    while (good < n && bytes[good] == number * 37 % 251)
        good++;
    HOLDS(good == n);
    return number;
}

static void queue_set(void)
{
    HOLDS(mp_queue_create_with(&queue, &options) == MP_OK);
    blocks_empty = mp__blocks_in_use();
    for (uint32_t i = 0; i < before; i++)
        HOLDS(mp_queue_put_bytes(queue, make_item(i), size, SOON) == MP_OK);
    for (uint32_t i = 0; i < taken; i++) {
        size_t n = sizeof item;
        HOLDS(mp_queue_get_bytes(queue, item, &n, SOON) == MP_OK && number_in(item, n) == i);
    }
}

/* The number of the next one, which is then done with; UINT32_MAX: there is none. */
static uint32_t next(mp_queue_t *from, double timeout)
{
    mp_lease_t *own;
    const void *data;
    size_t n;
    mp_status_t status = mp_queue_get_leased(from, &own, timeout);
    if (status != MP_OK) {
        HOLDS(status == MP_TIMEOUT);
        return UINT32_MAX;
    }
    HOLDS(mp_lease_bytes(own, &data, &n) == MP_OK);
    uint32_t number = number_in(data, n);
    HOLDS(mp_lease_done(own) == MP_OK);
    return number;
}

/* It is as good as new: takes and gives, in order, with the right size; and has no more memory, but the book that it
 * got when something was leased first. */
static void expect_as_new(void)
{
    uint64_t count = 1;
    HOLDS(next(queue, 0) == UINT32_MAX);
    HOLDS(mp_queue_size(queue, &count) == MP_OK && count == 0);
    for (uint32_t i = 100; i < 103; i++)
        HOLDS(mp_queue_put_bytes(queue, make_item(i), size, SOON) == MP_OK);
    HOLDS(mp_queue_size(queue, &count) == MP_OK && count == 3);
    for (uint32_t i = 100; i < 103; i++)
        HOLDS(next(queue, SOON) == i);
    mp__sweep_the_dead();
    if (!options.dead_letters)
        HOLDS(mp__blocks_in_use() == blocks_empty + (options.joinable ? 0 : 1));
    HOLDS(mp_queue_close(queue) == MP_OK);
}

/* All from `first` on are there, in order. */
static void expect_from(uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        HOLDS(next(queue, SOON) == i);
    expect_as_new();
}

static void play_with(void (*set)(void), void (*prepare)(void), void (*act)(void), void (*check)(bool))
{
    scene_begin();
    scene_play(&(scene_t){.set = set, .prepare = prepare, .act = act, .check = check, .more = more});
    scene_end();
}

static void items_are(size_t bytes, uint32_t count)
{
    size = bytes;
    before = count;
    taken = 0;
    more = NULL;
    options = (mp_queue_options_t){0};
}

/* ---- several at once */

static uint8_t many[BATCH][2000];

static void put_many(void)
{
    mp_bytes_t items[BATCH];
    for (uint32_t i = 0; i < BATCH; i++)
        items[i] = (mp_bytes_t){many[i], size};
    MP_CHECK(mp_queue_put_bytes_many(queue, items, BATCH, NULL, MP_FOREVER) == MP_OK);
}

static void before_put_many(void)
{
    scene_join();
    for (uint32_t i = 0; i < BATCH; i++)
        memcpy(many[i], make_item(before + i), size);
}

/* Some of the first ones of the batch are there. */
static uint32_t count_many(bool completed)
{
    uint64_t count = 0;
    HOLDS(mp_queue_size(queue, &count) == MP_OK);
    HOLDS(count >= before && count <= before + BATCH && (!completed || count == before + BATCH));
    return (uint32_t)count;
}

static void put_many_check(bool completed)
{
    expect_from(0, count_many(completed));
}

MP_CASE(a_put_of_many)
{
    items_are(SCENE_ITEM, SCENE_ROW - BATCH);
    more = &(int64_t){0};
    play_with(queue_set, before_put_many, put_many, put_many_check);
}

MP_CASE(a_put_of_many_over_chunks)
{
    items_are(SCENE_ITEM, 3);
    more = &(int64_t){1};
    play_with(queue_set, before_put_many, put_many, put_many_check);
}

static uint8_t room[10000];

static void get_many(void)
{
    mp_bytes_t items[BATCH];
    size_t bytes = sizeof room, n = BATCH;
    MP_CHECK(mp_queue_get_bytes_many(queue, room, &bytes, items, &n, MP_FOREVER) == MP_OK && n > 0);
}

/* The batch is lost, or it is not; over chunks a part of it. */
static void get_many_check(bool completed)
{
    uint64_t count = 0;
    HOLDS(mp_queue_size(queue, &count) == MP_OK);
    HOLDS(count >= before - taken - BATCH && count <= before - taken &&
          (!completed || count == before - taken - BATCH));
    expect_from(before - (uint32_t)count, before);
}

MP_CASE(a_get_of_many)
{
    items_are(SCENE_ITEM, SCENE_ROW);
    more = &(int64_t){0};
    play_with(queue_set, scene_join, get_many, get_many_check);
}

MP_CASE(a_get_of_many_over_chunks)
{
    items_are(SCENE_ITEM, SCENE_ROW + BATCH);
    taken = 3;
    more = &(int64_t){-1};
    play_with(queue_set, scene_join, get_many, get_many_check);
}

/* ---- bounds in bytes: exact afterwards */

static void put_one(void)
{
    MP_CHECK(mp_queue_put_bytes(queue, item, size, MP_FOREVER) == MP_OK);
}

static void before_put(void)
{
    scene_join();
    make_item(before);
}

static void get_one(void)
{
    size_t n = sizeof item;
    MP_CHECK(mp_queue_get_bytes(queue, item, &n, MP_FOREVER) == MP_OK);
}

static void fill_check(uint32_t first, uint32_t there)
{
    uint32_t most = (uint32_t)(options.max_bytes / size);
    for (; there < most; there++)
        HOLDS(mp_queue_put_bytes(queue, make_item(first + there), size, 0) == MP_OK);
    HOLDS(mp_queue_put_bytes(queue, make_item(0), size, 0) == MP_TIMEOUT);
    expect_from(first, first + most);
}

static void counted_put_check(bool completed)
{
    uint64_t count = 0;
    HOLDS(mp_queue_size(queue, &count) == MP_OK);
    HOLDS(count == before + 1 || (!completed && count == before));
    fill_check(0, (uint32_t)count);
}

static void counted_get_check(bool completed)
{
    uint64_t count = 0;
    HOLDS(mp_queue_size(queue, &count) == MP_OK);
    HOLDS(count == before - taken - 1 || (!completed && count == before - taken));
    fill_check(before - (uint32_t)count, (uint32_t)count);
}

static void count_bytes(size_t bytes, uint32_t count)
{
    items_are(bytes, count);
    options.max_bytes = 10 * bytes;
}

MP_CASE(a_counted_put)
{
    count_bytes(SCENE_ITEM, SCENE_ROW);
    more = &(int64_t){1};
    play_with(queue_set, before_put, put_one, counted_put_check);
}

MP_CASE(a_counted_large_put)
{
    count_bytes(LARGE, 2);
    more = &(int64_t){1};
    play_with(queue_set, before_put, put_one, counted_put_check);
}

static void counted_put_many_check(bool completed)
{
    fill_check(0, count_many(completed));
}

MP_CASE(a_counted_put_of_many)
{
    count_bytes(SCENE_ITEM, SCENE_ROW + 1 - BATCH); /* so the last one, whose sum counts, is the first of its chunk */
    more = &(int64_t){1};
    play_with(queue_set, before_put_many, put_many, counted_put_many_check);
}

MP_CASE(a_counted_get)
{
    count_bytes(SCENE_ITEM, 4);
    more = &(int64_t){0};
    play_with(queue_set, scene_join, get_one, counted_get_check);
}

MP_CASE(a_counted_get_that_leaves_a_chunk)
{
    count_bytes(SCENE_ITEM, SCENE_ROW + 2);
    taken = SCENE_ROW;
    more = &(int64_t){-1};
    play_with(queue_set, scene_join, get_one, counted_get_check);
}

MP_CASE(a_counted_large_get)
{
    count_bytes(LARGE, 4);
    more = &(int64_t){-1};
    play_with(queue_set, scene_join, get_one, counted_get_check);
}

/* ---- tasks: no join hangs, and none is told that all went well if something was lost */

static void take_and_be_done(void)
{
    get_one();
    MP_CHECK(mp_queue_task_done(queue) == MP_OK);
}

static void task_check(bool completed)
{
    uint64_t count = 0;
    HOLDS(mp_queue_size(queue, &count) == MP_OK);
    HOLDS(count == before - 1 || (!completed && count == before));
    mp_status_t status = mp_queue_join(queue, 0);
    HOLDS(status == MP_TIMEOUT || (status == MP_OWNER_DIED && !completed));
    for (; count > 0; count--) {
        size_t n = sizeof item;
        HOLDS(mp_queue_join(queue, 0) == MP_TIMEOUT);
        HOLDS(mp_queue_get_bytes(queue, item, &n, SOON) == MP_OK);
        HOLDS(mp_queue_task_done(queue) == MP_OK);
    }
    HOLDS(mp_queue_join(queue, 0) == MP_OK);
    HOLDS(mp_queue_task_done(queue) == MP_STATE);
    expect_as_new();
}

MP_CASE(a_task)
{
    items_are(SCENE_ITEM, 3);
    options.joinable = true;
    play_with(queue_set, scene_join, take_and_be_done, task_check);
}

MP_CASE(a_large_task)
{
    items_are(LARGE, 3);
    options.joinable = true;
    play_with(queue_set, scene_join, take_and_be_done, task_check);
}

/* Who finds the dead taker dies, too. */
static void helper_takes(void)
{
    get_one();
}

static void lost_task_set(void)
{
    queue_set();
    scene_help(helper_takes);
    HOLDS(scene_helped());
}

static void join_act(void)
{
    MP_CHECK(mp_queue_join(queue, MP_FOREVER) == MP_OWNER_DIED);
}

static void join_check(bool completed)
{
    mp_status_t status = mp_queue_join(queue, 0);
    HOLDS(status == MP_OWNER_DIED || status == MP_TIMEOUT);
    (void)completed;
    for (uint32_t i = 1; i < before; i++) {
        size_t n = sizeof item;
        HOLDS(mp_queue_get_bytes(queue, item, &n, SOON) == MP_OK && number_in(item, n) == i);
        HOLDS(mp_queue_task_done(queue) == MP_OK);
    }
    HOLDS(mp_queue_join(queue, 0) == MP_OK);
    expect_as_new();
}

MP_CASE(a_join_that_finds_a_dead_taker)
{
    items_are(SCENE_ITEM, 3);
    options.joinable = true;
    play_with(lost_task_set, scene_join, join_act, join_check);
}

/* ---- leases: nothing is lost, and what came back comes first */

static void lease_act(void)
{
    MP_CHECK(mp_queue_get_leased(queue, &lease, MP_FOREVER) == MP_OK);
}

static void leased_before(void)
{
    scene_join();
    lease_act();
}

static void all_come_again(bool completed)
{
    (void)completed;
    mp__sweep_the_dead();
    expect_from(taken, before);
}

MP_CASE(a_lease)
{
    items_are(SCENE_ITEM, 3);
    more = &(int64_t){2};
    play_with(queue_set, scene_join, lease_act, all_come_again);
}

MP_CASE(a_large_lease)
{
    items_are(LARGE, 3);
    play_with(queue_set, scene_join, lease_act, all_come_again);
}

MP_CASE(a_lease_that_leaves_a_chunk)
{
    items_are(SCENE_ITEM, SCENE_ROW + 2);
    taken = SCENE_ROW;
    more = &(int64_t){1};
    play_with(queue_set, scene_join, lease_act, all_come_again);
}

static void return_act(void)
{
    MP_CHECK(mp_lease_return(lease) == MP_OK);
}

MP_CASE(a_lease_that_is_returned)
{
    items_are(SCENE_ITEM, 3);
    play_with(queue_set, leased_before, return_act, all_come_again);
}

static void done_act(void)
{
    MP_CHECK(mp_lease_done(lease) == MP_OK);
}

static void done_check(bool completed)
{
    uint64_t count = 0;
    mp__sweep_the_dead();
    uint32_t first = next(queue, SOON);
    HOLDS(first == 1 || (!completed && first == 0));
    HOLDS(mp_queue_size(queue, &count) == MP_OK && count == before - 1 - first);
    expect_from(first + 1, before);
}

MP_CASE(a_lease_that_is_done)
{
    items_are(SCENE_ITEM, 3);
    play_with(queue_set, leased_before, done_act, done_check);
}

MP_CASE(a_large_lease_that_is_done)
{
    items_are(LARGE, 3);
    play_with(queue_set, leased_before, done_act, done_check);
}

/* The book is full. */
#define RECORDS 19

static mp_lease_t *held[RECORDS];

static void full_book_set(void)
{
    queue_set();
    for (size_t i = 0; i < RECORDS; i++)
        HOLDS(mp_queue_get_leased(queue, &held[i], 0) == MP_OK);
}

static void full_book_check(bool completed)
{
    mp__sweep_the_dead();
    for (size_t i = 0; i < RECORDS; i++)
        HOLDS(mp_lease_return(held[i]) == MP_OK);
    all_come_again(completed);
}

MP_CASE(a_lease_that_makes_the_book_grow)
{
    items_are(SCENE_ITEM, RECORDS + 2);
    play_with(full_book_set, scene_join, lease_act, full_book_check);
}

/* One that came back is taken: on lease again, or for good. */
static void returned_set(void)
{
    mp_lease_t *own;
    queue_set();
    HOLDS(mp_queue_get_leased(queue, &own, 0) == MP_OK);
    HOLDS(mp_lease_return(own) == MP_OK);
}

MP_CASE(a_lease_of_what_came_back)
{
    items_are(SCENE_ITEM, 3);
    play_with(returned_set, scene_join, lease_act, all_come_again);
}

/* At most the one that it took is lost. */
static void get_check(bool completed)
{
    mp__sweep_the_dead();
    uint32_t first = next(queue, SOON);
    HOLDS(first == 1 || (!completed && first == 0));
    expect_from(first + 1, before);
}

MP_CASE(a_get_of_what_came_back)
{
    items_are(SCENE_ITEM, 3);
    play_with(returned_set, scene_join, get_one, get_check);
}

MP_CASE(a_large_get_of_what_came_back)
{
    items_are(LARGE, 3);
    play_with(returned_set, scene_join, get_one, get_check);
}

/* Who finds the dead holder dies, too. */
static void helper_leases(void)
{
    lease_act();
}

static void dead_holder_set(void)
{
    queue_set();
    scene_help(helper_leases);
    HOLDS(scene_helped());
    mp__sweep_the_dead();
}

MP_CASE(a_lease_of_what_a_dead_one_had)
{
    items_are(SCENE_ITEM, 3);
    play_with(dead_holder_set, scene_join, lease_act, all_come_again);
}

/* ---- dead letters: each is in one of the two queues, and in one only */

static void letters_set(void)
{
    HOLDS(mp_queue_create(&letters, 1) == MP_OK);
    HOLDS(mp_queue_put_bytes(letters, make_item(50), size, 0) == MP_OK); /* full, and takes it all the same */
    options.dead_letters = letters;
    options.attempts = 1;
    queue_set();
}

static void letters_check(bool completed)
{
    (void)completed;
    mp__sweep_the_dead();
    for (uint32_t i = 1; i < before; i++)
        HOLDS(next(queue, SOON) == i);
    expect_as_new();
    HOLDS(next(letters, SOON) == 50);
    HOLDS(next(letters, SOON) == 0);
    HOLDS(next(letters, 0) == UINT32_MAX);
    HOLDS(mp_queue_put_bytes(letters, make_item(51), size, 0) == MP_OK);
    HOLDS(next(letters, SOON) == 51);
    HOLDS(mp_queue_close(letters) == MP_OK);
}

MP_CASE(a_return_that_makes_a_dead_letter)
{
    items_are(SCENE_ITEM, 3);
    play_with(letters_set, leased_before, return_act, letters_check);
}

MP_CASE(a_large_dead_letter)
{
    items_are(LARGE, 3);
    play_with(letters_set, leased_before, return_act, letters_check);
}

static void dead_letter_set(void)
{
    letters_set();
    scene_help(helper_leases);
    HOLDS(scene_helped());
    mp__sweep_the_dead();
}

/* The victim makes the dead letter of what a dead one had, and takes the next; nothing takes its own from it. */
static void two_letters_check(bool completed)
{
    (void)completed;
    mp__sweep_the_dead();
    uint32_t first = next(queue, SOON);
    HOLDS(first == 1 || first == 2);
    for (uint32_t i = first + 1; i < before; i++)
        HOLDS(next(queue, SOON) == i);
    expect_as_new();
    HOLDS(next(letters, SOON) == 50);
    HOLDS(next(letters, SOON) == 0);
    HOLDS(next(letters, 0) == (first == 2 ? 1 : UINT32_MAX));
    HOLDS(mp_queue_close(letters) == MP_OK);
}

MP_CASE(a_dead_letter_of_a_dead_one)
{
    items_are(SCENE_ITEM, 3);
    play_with(dead_letter_set, scene_join, lease_act, two_letters_check);
}

/* ---- lending */

static void reserve_and_commit(void)
{
    mp_lent_t own;
    MP_CHECK(mp_queue_reserve(queue, size, &own, MP_FOREVER) == MP_OK);
    memcpy(own.data, item, size);
    MP_CHECK(mp_queue_commit(queue, &own, size, MP_FOREVER) == MP_OK);
}

static void commit_check(bool completed)
{
    uint64_t count = 0;
    mp__sweep_the_dead();
    HOLDS(mp_queue_size(queue, &count) == MP_OK);
    HOLDS(count == before + 1 || (!completed && count == before));
    expect_from(0, (uint32_t)count);
}

MP_CASE(a_commit)
{
    items_are(SCENE_ITEM, 2);
    more = &(int64_t){1};
    play_with(queue_set, before_put, reserve_and_commit, commit_check);
}

static void borrow_and_return(void)
{
    MP_CHECK(mp_queue_get_lent(queue, &lent, MP_FOREVER) == MP_OK);
    MP_CHECK(mp_lent_return(&lent) == MP_OK);
}

MP_CASE(a_borrowed_item)
{
    items_are(SCENE_ITEM, 3);
    play_with(queue_set, scene_join, borrow_and_return, get_check);
}

MP_CASE(a_large_borrowed_item)
{
    items_are(LARGE, 3);
    play_with(queue_set, scene_join, borrow_and_return, get_check);
}

/* ---- the shutdown */

static void shut_act(void)
{
    MP_CHECK(mp_queue_shutdown(queue, true) == MP_OK);
}

static void shut_check(bool completed)
{
    size_t n = sizeof item;
    mp_status_t status = mp_queue_put_bytes(queue, make_item(before), size, 0);
    HOLDS(status == MP_CLOSED || (!completed && status == MP_OK));
    HOLDS(mp_queue_shutdown(queue, true) == MP_OK);
    HOLDS(mp_queue_get_bytes(queue, item, &n, SOON) == MP_CLOSED);
    HOLDS(mp_queue_put_bytes(queue, item, size, SOON) == MP_CLOSED);
    HOLDS(mp_queue_join(queue, 0) == MP_OK);
    HOLDS(mp_queue_close(queue) == MP_OK);
}

MP_CASE(an_immediate_shutdown)
{
    items_are(SCENE_ITEM, SCENE_ROW + 2);
    options.joinable = true;
    play_with(queue_set, scene_join, shut_act, shut_check);
}

MP_CASE(an_immediate_shutdown_of_large_ones)
{
    items_are(LARGE, 3);
    options.joinable = true;
    play_with(queue_set, scene_join, shut_act, shut_check);
}

MP_CASES(MP_ROW(a_put_of_many), MP_ROW(a_put_of_many_over_chunks), MP_ROW(a_get_of_many),
         MP_ROW(a_get_of_many_over_chunks), MP_ROW(a_counted_put), MP_ROW(a_counted_large_put),
         MP_ROW(a_counted_put_of_many), MP_ROW(a_counted_get), MP_ROW(a_counted_get_that_leaves_a_chunk),
         MP_ROW(a_counted_large_get), MP_ROW(a_task), MP_ROW(a_large_task), MP_ROW(a_join_that_finds_a_dead_taker),
         MP_ROW(a_lease), MP_ROW(a_large_lease), MP_ROW(a_lease_that_leaves_a_chunk), MP_ROW(a_lease_that_is_returned),
         MP_ROW(a_lease_that_is_done), MP_ROW(a_large_lease_that_is_done), MP_ROW(a_lease_that_makes_the_book_grow),
         MP_ROW(a_lease_of_what_came_back), MP_ROW(a_get_of_what_came_back), MP_ROW(a_large_get_of_what_came_back),
         MP_ROW(a_lease_of_what_a_dead_one_had), MP_ROW(a_return_that_makes_a_dead_letter), MP_ROW(a_large_dead_letter),
         MP_ROW(a_dead_letter_of_a_dead_one), MP_ROW(a_commit), MP_ROW(a_borrowed_item), MP_ROW(a_large_borrowed_item),
         MP_ROW(an_immediate_shutdown), MP_ROW(an_immediate_shutdown_of_large_ones));
