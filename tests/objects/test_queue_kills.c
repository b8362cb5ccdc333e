/*
 * Queues whose users are killed at any moment, 100 times a case and start method.
 *
 * Every writer has a number of its own and says on the board how many of its puts have returned. Exactly: each of these
 * items is received once and in order, of every killed writer at most one more; of every killed reader at most one is
 * lost. And whoever lives goes on within a second, though nobody reaps the dead one meanwhile.
 */
#include "scene.h"

#include "family/alloc.h"
#include "objects/shared.h"

#include <string.h>

#define KILLS   100
#define WORKERS 256  /* all that are started in one round */
#define SERIALS 8192 /* items of one writer, where each is ticked off */
#define BUDGET  3.0  /* seconds for a round */
#define STALL   4.0  /* a second, and some for a machine with much other work */

typedef struct board {
    uint64_t returned[WORKERS]; /* puts of each writer */
    uint64_t taken[WORKERS];    /* gets of each reader */
    uint8_t ticks[WORKERS][SERIALS];
} board_t;

/* ---- items: who, which, and something that shows damage */

#define ITEM_MOST 200000u

typedef struct item {
    uint32_t writer;
    uint32_t serial;
} item_t;

/* Short ones, some that soon fill a chunk, some that lie in blocks of their own; `large`: these only. */
static size_t size_of_item(uint32_t serial, bool large)
{
    if (large)
        return 20000 + serial % 7 * 25000;
    return serial % 13 == 0 ? 6000 + serial % 5 : serial % 4 == 0 ? 3000 : sizeof(item_t) + serial % 50;
}

static size_t make_item(uint8_t *bytes, uint32_t writer, uint32_t serial, bool large)
{
    item_t item = {writer, serial};
    size_t size = size_of_item(serial, large);
    memset(bytes, (int)(writer * 31 + serial), size);
    memcpy(bytes, &item, sizeof item);
    return size;
}

static bool read_item(const uint8_t *bytes, size_t size, bool large, item_t *item)
{
    memcpy(item, bytes, sizeof *item);
    uint8_t expected = (uint8_t)(item->writer * 31 + item->serial);
    for (size_t i = sizeof *item; i < size; i++)
        if (bytes[i] != expected)
            return false;
    return item->writer < WORKERS && size == size_of_item(item->serial, large);
}

/* ---- the workers */

static mp_status_t write_items(mp_call_t *call)
{
    static uint8_t bytes[ITEM_MOST];
    mp_queue_t *queue = mp_arg_queue(call, 0);
    board_t *board = mp_test_board(call, 1);
    uint32_t self = (uint32_t)mp_arg_int(call, 2), most = (uint32_t)mp_arg_int(call, 3);
    bool large = mp_arg_bool(call, 4);
    for (uint32_t serial = 0; serial < most; serial++) {
        size_t size = make_item(bytes, self, serial, large);
        MP_CHECK(mp_queue_put_bytes(queue, bytes, size, MP_FOREVER) == MP_OK);
        mp__store64(&board->returned[self], serial + 1);
    }
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_status_t read_items(mp_call_t *call)
{
    static uint8_t bytes[ITEM_MOST];
    mp_queue_t *queue = mp_arg_queue(call, 0);
    board_t *board = mp_test_board(call, 1);
    uint32_t self = (uint32_t)mp_arg_int(call, 2);
    bool large = mp_arg_bool(call, 3);
    for (;;) {
        size_t size = sizeof bytes;
        item_t item;
        MP_CHECK(mp_queue_get_bytes(queue, bytes, &size, MP_FOREVER) == MP_OK);
        MP_CHECK(read_item(bytes, size, large, &item) && item.serial < SERIALS);
        board->ticks[item.writer][item.serial]++; /* nobody else has this item */
        mp__add64(&board->taken[self], 1);
    }
    return MP_OK;
}

/* ---- a round */

typedef struct round {
    mp_queue_t *queue;
    board_t *board;
    uint64_t name;
    uint64_t random;
    uint32_t workers; /* started so far */
    unsigned kills;
    bool large;
    uint32_t next[WORKERS]; /* what the case itself must receive of each writer next */
    double until;
} round_t;

typedef struct worker {
    mp_process_t *process;
    uint32_t number;
} worker_t;

static void begin_round(round_t *round, bool large)
{
    static uint64_t seed = 1;
    *round = (round_t){.large = large, .random = ++seed * 7919, .until = mp_now() + mp_test_seconds(BUDGET)};
    round->board = mp_test_board_create(sizeof *round->board, &round->name);
    REQUIRE_OK(mp_queue_create(&round->queue, large ? 5 : 50));
}

static void end_round(round_t *round)
{
    uint64_t size;
    EXPECT_OK(mp_queue_size(round->queue, &size));
    CU_ASSERT_EQUAL(size, 0);
    EXPECT_OK(mp_queue_put(round->queue, "still", 0));
    EXPECT_OK(mp_queue_close(round->queue));
    mp_test_board_free(round->name);
}

static bool goes_on(const round_t *round)
{
    bool few = round->kills < 10;
    return round->workers + 2 < WORKERS && (few || (round->kills < KILLS && mp_now() < round->until));
}

static void start_writer(round_t *round, worker_t *worker, uint32_t most)
{
    worker->number = round->workers++;
    REQUIRE_OK(mp_process_start(&worker->process, write_items,
                                mp_args(round->queue, round->name, worker->number, most, mp_bool(round->large))));
}

static void start_reader(round_t *round, worker_t *worker)
{
    worker->number = round->workers++;
    REQUIRE_OK(mp_process_start(&worker->process, read_items,
                                mp_args(round->queue, round->name, worker->number, mp_bool(round->large))));
}

static void kill_worker(round_t *round, worker_t *worker)
{
    mp_test_expect_killed(worker->process);
    round->kills++;
}

/* Takes an item and checks it; false: none came. */
static bool take_item(round_t *round, double timeout, item_t *item)
{
    static uint8_t bytes[ITEM_MOST];
    size_t size = sizeof bytes;
    mp_status_t status = mp_queue_get_bytes(round->queue, bytes, &size, timeout);
    if (status == MP_TIMEOUT)
        return false;
    REQUIRE_OK(status);
    CU_ASSERT_FATAL(read_item(bytes, size, round->large, item));
    return true;
}

/* The same, where this process is the only reader: each writer's come one after the other. */
static bool take_in_order(round_t *round, double timeout, item_t *item)
{
    if (!take_item(round, timeout, item))
        return false;
    CU_ASSERT_EQUAL_FATAL(item->serial, round->next[item->writer]);
    round->next[item->writer]++;
    return true;
}

/* ---- killed writers */

static void expect_others_to_write(round_t *round, const worker_t *other)
{
    item_t item;
    double deadline = mp_now() + mp_test_seconds(STALL);
    bool came = false;
    while (!came && mp_now() < deadline)
        came = take_in_order(round, deadline - mp_now(), &item) && item.writer == other->number;
    CU_ASSERT(came);
}

static void expect_all_that_returned(const round_t *round)
{
    for (uint32_t i = 0; i < round->workers; i++) {
        uint64_t returned = round->board->returned[i];
        CU_ASSERT(round->next[i] == returned || round->next[i] == returned + 1);
    }
}

static void kill_writers_of(bool large)
{
    static round_t round;
    worker_t writers[2];
    item_t item;
    begin_round(&round, large);
    start_writer(&round, &writers[0], UINT32_MAX);
    start_writer(&round, &writers[1], UINT32_MAX);
    while (goes_on(&round)) {
        for (uint64_t n = mp_test_below(&round.random, large ? 10 : 300); n > 0; n--)
            CU_ASSERT(take_in_order(&round, mp_test_patience(), &item));
        int victim = (int)mp_test_below(&round.random, 2);
        mp_test_wander(&round.random, 200);
        EXPECT_OK(mp_process_kill(writers[victim].process)); /* its sweep comes later */
        expect_others_to_write(&round, &writers[1 - victim]);
        kill_worker(&round, &writers[victim]);
        start_writer(&round, &writers[victim], UINT32_MAX);
    }
    kill_worker(&round, &writers[0]);
    kill_worker(&round, &writers[1]);
    while (take_in_order(&round, 0, &item))
        ;
    expect_all_that_returned(&round);
    end_round(&round);
}

static void kill_writers(void)
{
    kill_writers_of(false);
}

static void kill_large_writers(void)
{
    kill_writers_of(true);
}

MP_CASE(writers_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_writers);
}

MP_CASE(writers_of_large_items_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_large_writers);
}

/* ---- killed readers */

static void expect_others_to_read(round_t *round, const worker_t *other, item_t *next)
{
    static uint8_t bytes[ITEM_MOST];
    const uint64_t *taken = &round->board->taken[other->number];
    uint64_t before = mp__load64(taken);
    double deadline = mp_now() + mp_test_seconds(STALL);
    while (mp__load64(taken) == before && mp_now() < deadline && next->serial < SERIALS) {
        size_t size = make_item(bytes, next->writer, next->serial, round->large);
        if (mp_queue_put_bytes(round->queue, bytes, size, 0.05) == MP_OK)
            next->serial++;
    }
    CU_ASSERT(mp__load64(taken) > before || next->serial == SERIALS);
}

/* Puts some; a new number where the old one's board is full. */
static void put_some(round_t *round, item_t *next, uint64_t n)
{
    static uint8_t bytes[ITEM_MOST];
    if (next->serial + n + 200 > SERIALS) {
        next->writer = round->workers++;
        next->serial = 0;
    }
    for (; n > 0; n--) {
        size_t size = make_item(bytes, next->writer, next->serial++, round->large);
        EXPECT_OK(mp_queue_put_bytes(round->queue, bytes, size, mp_test_patience()));
    }
    round->board->returned[next->writer] = next->serial;
}

/* Takes what is left; then of all that was put each was received once, but for `losses`. */
static void expect_each_once(round_t *round, unsigned losses)
{
    item_t item;
    while (take_item(round, 0, &item))
        round->board->ticks[item.writer][item.serial]++;
    unsigned lost = 0, twice = 0, unknown = 0;
    for (uint32_t i = 0; i < round->workers; i++)
        for (uint32_t serial = 0; serial < SERIALS; serial++) {
            uint8_t ticks = round->board->ticks[i][serial];
            lost += serial < round->board->returned[i] && ticks == 0;
            unknown += serial > round->board->returned[i] && ticks > 0;
            twice += ticks > 1;
        }
    CU_ASSERT(lost <= losses);
    CU_ASSERT_EQUAL(twice, 0);
    CU_ASSERT_EQUAL(unknown, 0);
}

static void kill_readers_of(bool large)
{
    static round_t round;
    worker_t readers[2];
    begin_round(&round, large);
    item_t next = {round.workers++, 0};
    start_reader(&round, &readers[0]);
    start_reader(&round, &readers[1]);
    while (goes_on(&round)) {
        put_some(&round, &next, mp_test_below(&round.random, large ? 10 : 300));
        int victim = (int)mp_test_below(&round.random, 2);
        mp_test_wander(&round.random, 200);
        EXPECT_OK(mp_process_kill(readers[victim].process));
        expect_others_to_read(&round, &readers[1 - victim], &next);
        round.board->returned[next.writer] = next.serial;
        kill_worker(&round, &readers[victim]);
        start_reader(&round, &readers[victim]);
    }
    kill_worker(&round, &readers[0]);
    kill_worker(&round, &readers[1]);
    expect_each_once(&round, round.kills);
    end_round(&round);
}

static void kill_readers(void)
{
    kill_readers_of(false);
}

static void kill_large_readers(void)
{
    kill_readers_of(true);
}

MP_CASE(readers_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_readers);
}

MP_CASE(readers_of_large_items_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_large_readers);
}

/* ---- both, nobody else at the queue */

static void kill_both_of(bool large)
{
    static round_t round;
    worker_t workers[4];
    unsigned readers_killed = 2;
    begin_round(&round, large);
    for (int i = 0; i < 4; i++)
        i < 2 ? start_reader(&round, &workers[i]) : start_writer(&round, &workers[i], SERIALS);
    while (goes_on(&round)) {
        int victim = (int)mp_test_below(&round.random, 4);
        mp_test_wander(&round.random, 5000);
        kill_worker(&round, &workers[victim]);
        readers_killed += victim < 2;
        victim < 2 ? start_reader(&round, &workers[victim]) : start_writer(&round, &workers[victim], SERIALS);
    }
    for (int i = 0; i < 4; i++)
        kill_worker(&round, &workers[i]);
    expect_each_once(&round, readers_killed);
    end_round(&round);
}

static void kill_both(void)
{
    kill_both_of(false);
}

static void kill_large_both(void)
{
    kill_both_of(true);
}

MP_CASE(both_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_both);
}

MP_CASE(both_are_killed_with_large_items)
{
    mp_test_objects();
    mp_test_each_method(kill_large_both);
}

/* ---- one that stands still in a queue when its owner closes it, and is killed then */

static mp_status_t stand_in(mp_call_t *call)
{
    const mp__shared_t *queue = (const mp__shared_t *)(const void *)mp_arg_queue(call, 0);
    mp_conn_t *conn = mp_arg_conn(call, 1);
    mp_value_t word;
    MP_CHECK(mp__word_lock(&queue->header->lock, MP__NEVER) == MP_OK);
    MP_CHECK(mp_conn_send(conn, "in it") == MP_OK);
    return mp_conn_recv(conn, &word);
}

/* What it kept from being freed is not left, which the leak check sees. */
MP_CASE(a_queue_that_one_stood_in_is_freed_when_that_one_is_dead)
{
    mp_queue_t *queue;
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t word;
    mp_test_objects();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, stand_in, mp_args(queue, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &word));
    mp_value_free(&word);
    uint64_t blocks = mp__blocks_in_use();
    EXPECT_OK(mp_queue_close(queue));
    CU_ASSERT_EQUAL(mp__blocks_in_use(), blocks);
    mp_test_expect_killed(process);
    CU_ASSERT(mp__blocks_in_use() < blocks);
    EXPECT_OK(mp_conn_close(conn));
}

MP_GUARDED_CASES(MP_ROW(a_queue_that_one_stood_in_is_freed_when_that_one_is_dead), MP_ROW(writers_are_killed),
                 MP_ROW(writers_of_large_items_are_killed), MP_ROW(readers_are_killed),
                 MP_ROW(readers_of_large_items_are_killed), MP_ROW(both_are_killed),
                 MP_ROW(both_are_killed_with_large_items));
