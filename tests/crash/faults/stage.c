/* The stage. */
#include "stage.h"

#include "family/alloc.h"
#include "harness.h"
#include "objects/queue/chain.h"

#include <stdio.h>
#include <string.h>

static const char *trying = "";
static bool broken;
static bool is_player;
static uint64_t blocks_before;
static uint64_t blocks_made; /* with the stage's objects */

void stage_tries(const char *what)
{
    trying = what;
}

void stage_is_players(void)
{
    is_player = true;
}

void stage_breaks(const char *condition, const char *file, int line)
{
    if (is_player)
        mp_test_die(condition, file, line);
    if (!broken)
        printf("BROKEN %s\n    %s:%d: %s; last error: %s: %s\n", trying, file, line, condition, mp_error()->step,
               mp_error()->text);
    broken = true;
}

bool stage_broken(void)
{
    return broken;
}

double soon(void)
{
    return mp_test_seconds(2.0);
}

bool acquired(mp_status_t status)
{
    return status == MP_OK || status == MP_OWNER_DIED;
}

/* ---- items: who put it, which it is, and something that shows damage */

#define BOUND_SIZE 500 /* of the items that try the bounds */

typedef struct item {
    uint32_t player;
    uint32_t serial;
} item_t;

static void make_item(uint8_t *bytes, player_t player, uint32_t serial, size_t size)
{
    item_t item = {player, serial};
    memset(bytes, (int)(player * 31 + serial), size);
    memcpy(bytes, &item, sizeof item);
}

/* Who and which; false: it is damaged. */
static bool read_item(const void *data, size_t size, item_t *item)
{
    const uint8_t *bytes = data;
    if (size < sizeof *item)
        return false;
    memcpy(item, bytes, sizeof *item);
    if (item->player >= PLAYERS || item->serial >= SERIALS)
        return false;
    for (size_t i = sizeof *item; i < size; i++)
        if (bytes[i] != (uint8_t)(item->player * 31 + item->serial))
            return false;
    return true;
}

static void tick(stage_t *stage, const void *data, size_t size)
{
    item_t item;
    bool good = read_item(data, size, &item);
    HOLDS(good);
    if (good)
        stage->board->ticks[item.player][item.serial]++;
}

static void puts_begin(stage_t *stage, uint32_t n)
{
    HOLDS(stage->board->puts[stage->self].begun + n <= SERIALS);
    stage->board->puts[stage->self].begun += n;
}

static void puts_end(stage_t *stage, uint32_t n)
{
    stage->board->puts[stage->self].returned += n;
}

static void get_begins(stage_t *stage, uint32_t width)
{
    stage->board->gets[stage->self].width = width;
    stage->board->gets[stage->self].begun++;
}

static void get_ends(stage_t *stage)
{
    stage->board->gets[stage->self].ended++;
}

void put(stage_t *stage, size_t size)
{
    static uint8_t bytes[ITEM_MOST];
    make_item(bytes, stage->self, stage->board->puts[stage->self].returned, size);
    puts_begin(stage, 1);
    HOLDS(mp_queue_put_bytes(stage->queue, bytes, size, soon()) == MP_OK);
    puts_end(stage, 1);
}

void put_many(stage_t *stage, size_t size, uint32_t n)
{
    static uint8_t bytes[BATCH][4096];
    mp_bytes_t items[BATCH];
    for (uint32_t i = 0; i < n; i++) {
        make_item(bytes[i], stage->self, stage->board->puts[stage->self].returned + i, size);
        items[i] = (mp_bytes_t){bytes[i], size};
    }
    puts_begin(stage, n);
    HOLDS(mp_queue_put_bytes_many(stage->queue, items, n, NULL, soon()) == MP_OK);
    puts_end(stage, n);
}

void put_lent(stage_t *stage, size_t size)
{
    mp_lent_t lent = {NULL, 0, 0};
    HOLDS(mp_queue_reserve(stage->queue, size, &lent, soon()) == MP_OK);
    make_item(lent.data, stage->self, stage->board->puts[stage->self].returned, size);
    puts_begin(stage, 1);
    HOLDS(mp_queue_commit(stage->queue, &lent, size, soon()) == MP_OK);
    puts_end(stage, 1);
}

static mp_status_t try_get(stage_t *stage, mp_queue_t *queue, double timeout)
{
    static uint8_t bytes[ITEM_MOST];
    size_t size = sizeof bytes;
    get_begins(stage, 1);
    mp_status_t status = mp_queue_get_bytes(queue, bytes, &size, timeout);
    if (status == MP_OK)
        tick(stage, bytes, size);
    get_ends(stage);
    return status;
}

void get(stage_t *stage)
{
    HOLDS(try_get(stage, stage->queue, soon()) == MP_OK);
}

bool get_if_any(stage_t *stage)
{
    return try_get(stage, stage->queue, 0) == MP_OK;
}

void get_many(stage_t *stage)
{
    static uint8_t room[BATCH * 4096];
    mp_bytes_t items[BATCH];
    size_t size = sizeof room, n = BATCH;
    get_begins(stage, BATCH);
    HOLDS(mp_queue_get_bytes_many(stage->queue, room, &size, items, &n, soon()) == MP_OK);
    for (size_t i = 0; i < n; i++)
        tick(stage, items[i].data, items[i].size);
    get_ends(stage);
}

void get_lent(stage_t *stage)
{
    mp_lent_t lent = {NULL, 0, 0};
    get_begins(stage, 1);
    HOLDS(mp_queue_get_lent(stage->queue, &lent, soon()) == MP_OK);
    tick(stage, lent.data, lent.size);
    get_ends(stage);
    HOLDS(mp_lent_return(&lent) == MP_OK);
}

mp_lease_t *lease(stage_t *stage)
{
    mp_lease_t *lease = NULL;
    HOLDS(mp_queue_get_leased(stage->queue, &lease, soon()) == MP_OK);
    return lease;
}

/* Killed within, the item may be done with or not: that is its one in flight. */
void done(stage_t *stage, mp_lease_t *lease)
{
    const void *data = NULL;
    size_t size = 0;
    item_t item = {0, 0};
    HOLDS(mp_lease_bytes(lease, &data, &size) == MP_OK);
    get_begins(stage, 1);
    bool good = read_item(data, size, &item);
    HOLDS(good && mp_lease_done(lease) == MP_OK);
    stage->board->ticks[item.player][item.serial] += good;
    get_ends(stage);
}

void guarded_change(stage_t *stage)
{
    int64_t before;
    mp__store64(&stage->board->guarded[0], stage->board->guarded[0] + 1);
    HOLDS(mp_shared_value_add_int(stage->value, 1, &before) == MP_OK); /* where it may die in between */
    mp__store64(&stage->board->guarded[1], stage->board->guarded[1] + 1);
}

void guarded_repair(stage_t *stage)
{
    mp__store64(&stage->board->guarded[0], stage->board->guarded[1]);
}

/* ---- the case's */

void stage_set(stage_t *stage, const mp_queue_options_t *options, bool letters)
{
    mp_queue_options_t *own = &stage->options;
    *own = *options;
    broken = false;
    stage->self = CASE;
    memset(stage->board, 0, sizeof *stage->board);
    stage->board->self[CASE] = mp__self;
    blocks_before = mp__blocks_in_use();
    HOLDS(mp_queue_create(&stage->letters, 1) == MP_OK);
    if (letters) {
        own->dead_letters = stage->letters;
        own->attempts = 1;
    }
    HOLDS(mp_queue_create_with(&stage->queue, own) == MP_OK);
    HOLDS(mp_lock_create(&stage->lock) == MP_OK);
    HOLDS(mp_rlock_create(&stage->rlock) == MP_OK);
    HOLDS(mp_semaphore_create(&stage->plain, PERMITS) == MP_OK);
    HOLDS(mp_semaphore_create_with(&stage->owned, PERMITS, &(mp_semaphore_options_t){.flags = MP_OWNED}) == MP_OK);
    HOLDS(mp_event_create(&stage->event) == MP_OK);
    HOLDS(mp_event_create(&stage->orphan) == MP_OK);
    HOLDS(mp_condition_create(&stage->condition) == MP_OK);
    HOLDS(mp_barrier_create(&stage->barrier, PARTIES) == MP_OK);
    HOLDS(mp_shared_value_create(&stage->value, MP_CTYPE_INT64) == MP_OK);
    HOLDS(mp_shared_memory_create(&stage->memory, 5000) == MP_OK);
    HOLDS(mp_shareable_list_create(&stage->list, mp_list(1, "two", 3.0)) == MP_OK);
    blocks_made = mp__blocks_in_use();
}

static void check_lock(stage_t *stage)
{
    const board_t *board = stage->board;
    mp_status_t status = mp_lock_acquire(stage->lock, soon());
    HOLDS(acquired(status));
    HOLDS(status == MP_OWNER_DIED || board->guarded[0] == board->guarded[1]);
    guarded_repair(stage);
    HOLDS(mp_lock_release(stage->lock) == MP_OK);
    HOLDS(mp_lock_acquire(stage->lock, 0) == MP_OK); /* it is told once */
    HOLDS(mp_lock_release(stage->lock) == MP_OK);
    HOLDS(acquired(mp_rlock_acquire(stage->rlock, soon())) && mp_rlock_acquire(stage->rlock, 0) == MP_OK);
    HOLDS(mp_rlock_release(stage->rlock) == MP_OK && mp_rlock_release(stage->rlock) == MP_OK);
    HOLDS(mp_rlock_release(stage->rlock) == MP_NOT_OWNER);
}

static void check_signals(stage_t *stage)
{
    bool is = false;
    HOLDS(mp_event_set(stage->event) == MP_OK && mp_event_is_set(stage->event, &is) == MP_OK && is);
    HOLDS(mp_event_wait(stage->event, 0) == MP_OK && mp_event_clear(stage->event) == MP_OK);
    HOLDS(acquired(mp_condition_acquire(stage->condition, soon())));
    HOLDS(mp_condition_notify_all(stage->condition) == MP_OK && mp_condition_release(stage->condition) == MP_OK);
    HOLDS(mp_barrier_reset(stage->barrier) == MP_OK);
    HOLDS(mp_barrier_broken(stage->barrier, &is) == MP_OK && !is);
}

static void check_memory(stage_t *stage)
{
    int64_t before;
    mp_value_t item;
    void *data;
    size_t size;
    HOLDS(acquired(mp_shared_value_lock(stage->value, soon())) && mp_shared_value_unlock(stage->value) == MP_OK);
    HOLDS(mp_shared_value_add_int(stage->value, 1, &before) == MP_OK && before >= 0 && before <= 8);
    HOLDS(mp_shared_memory_data(stage->memory, &data, &size) == MP_OK && size == 5000);
    HOLDS(mp_shareable_list_get(stage->list, 1, &item) == MP_OK);
    HOLDS(mp_value_kind(item) == MP_KIND_STR &&
          (strcmp(mp_value_str(item), "two") == 0 || strcmp(mp_value_str(item), "six") == 0));
    mp_value_free(&item);
    HOLDS(mp_shareable_list_set(stage->list, 1, "two") == MP_OK);
}

/* A survivor has one through the queue: not its own, perhaps. What is over is told as that. */
static void check_queue(stage_t *stage)
{
    uint8_t bytes[40];
    make_item(bytes, CASE, stage->board->puts[CASE].returned, sizeof bytes);
    puts_begin(stage, 1);
    mp_status_t status = mp_queue_put_bytes(stage->queue, bytes, sizeof bytes, 0);
    if (status == MP_TIMEOUT) { /* full: one must be there */
        HOLDS(try_get(stage, stage->queue, soon()) == MP_OK);
        status = mp_queue_put_bytes(stage->queue, bytes, sizeof bytes, soon());
    }
    HOLDS(status == MP_OK || status == MP_CLOSED);
    if (status != MP_OK) {
        stage->board->puts[CASE].begun--;
        return;
    }
    puts_end(stage, 1);
    HOLDS(try_get(stage, stage->queue, soon()) == MP_OK);
}

void stage_check(stage_t *stage)
{
    double begun = mp_now();
    check_queue(stage);
    check_lock(stage);
    check_signals(stage);
    check_memory(stage);
    HOLDS(mp_now() - begun < soon());
}

/* ---- accounts */

/* Takes what is left. */
static uint64_t drain(stage_t *stage, mp_queue_t *queue)
{
    uint64_t size = 0, n = 0;
    mp_status_t status;
    HOLDS(mp_queue_size(queue, &size) == MP_OK);
    while ((status = try_get(stage, queue, 0)) == MP_OK)
        n++;
    HOLDS(status == MP_TIMEOUT || status == MP_CLOSED);
    HOLDS(n == size);
    HOLDS(mp_queue_size(queue, &size) == MP_OK && size == 0);
    return n;
}

/* Rule 2: what was put is received once, but for one in-flight get of each killed player; of a killed player's puts
 * the one in flight may have happened (of a batch the first ones). */
static void audit(const board_t *board, bool dropped)
{
    uint32_t lost = 0, most = 0;
    for (uint32_t i = 0; i < PLAYERS; i++) {
        uint32_t returned = board->puts[i].returned, begun = board->puts[i].begun, end = begun;
        HOLDS(returned == begun || board->witness[i].dead);
        for (uint32_t serial = 0; serial < returned; serial++) {
            lost += board->ticks[i][serial] == 0;
            HOLDS(board->ticks[i][serial] <= 1);
        }
        for (uint32_t serial = returned; serial < SERIALS; serial++) {
            uint8_t ticks = board->ticks[i][serial];
            HOLDS(ticks <= 1 && (!ticks || (serial < begun && serial <= end)));
            if (!ticks && end > serial)
                end = serial; /* none after one that did not happen */
        }
        most += board->gets[i].begun > board->gets[i].ended ? board->gets[i].width : 0;
        HOLDS(board->gets[i].begun == board->gets[i].ended || board->witness[i].dead);
    }
    HOLDS(lost <= most || dropped);
}

/* It holds what it may and not one more. */
static void check_bound(stage_t *stage)
{
    uint8_t bytes[BOUND_SIZE];
    uint64_t most = stage->options.max_items ? stage->options.max_items : stage->options.max_bytes / sizeof bytes;
    for (uint64_t n = 0; n < most; n++)
        put(stage, sizeof bytes);
    memset(bytes, 0, sizeof bytes);
    HOLDS(most == 0 || mp_queue_put_bytes(stage->queue, bytes, sizeof bytes, 0) == MP_TIMEOUT);
    drain(stage, stage->queue);
}

static void settle_tasks(stage_t *stage)
{
    if (!stage->options.joinable)
        return;
    while (mp_queue_task_done(stage->queue) == MP_OK)
        ;
    mp_status_t status = mp_queue_join(stage->queue, soon());
    HOLDS(status == MP_OK || status == MP_OWNER_DIED);
    HOLDS(mp_queue_join(stage->queue, soon()) == MP_OK);
}

static void settle_semaphores(stage_t *stage)
{
    uint32_t value = 0;
    /* What the dead had is free again; of the plain one's permits two may be gone, or one more be there. */
    for (uint32_t i = 0; i < PERMITS; i++)
        HOLDS(acquired(mp_semaphore_acquire(stage->owned, soon())));
    HOLDS(mp_semaphore_acquire(stage->owned, 0) == MP_TIMEOUT);
    for (uint32_t i = 0; i < PERMITS; i++)
        HOLDS(mp_semaphore_release(stage->owned) == MP_OK);
    HOLDS(mp_semaphore_value(stage->plain, &value) == MP_OK && value >= PERMITS - 2 && value <= PERMITS + 1);
}

/* The objects are as they were made, but for a book: nothing hangs about in them until they end. */
static void check_blocks(stage_t *stage)
{
    const mp__content_t *c = mp__content(stage->queue->shared.header);
    mp__sweep_the_dead();
    HOLDS(mp__blocks_in_use() <= blocks_made + (c->book != 0));
}

void stage_settle(stage_t *stage, bool dropped)
{
    drain(stage, stage->queue);
    drain(stage, stage->letters);
    audit(stage->board, dropped);
    if (!dropped)
        check_bound(stage);
    settle_tasks(stage);
    settle_semaphores(stage);
    if (!dropped)
        check_blocks(stage);
}

/* The one that may have been adopted is not the case's then, or gone with the dead. */
static void close_orphan(stage_t *stage)
{
    mp_status_t status = mp_event_close(stage->orphan);
    HOLDS(status == MP_OK || status == MP_GONE || status == MP_NOT_OWNER);
}

/* All that the dead had is given back, and so are their slots. */
static void check_nothing_left(void)
{
    mp__sweep_the_dead();
    for (uint32_t i = 0; i < mp__load32(&mp__family.head->process_mark); i++)
        HOLDS(i == mp__family.process || (mp__family.processes[i].claim & 0xff) == MP__PROCESS_FREE);
    for (uint32_t i = 0; i < mp__load32(&mp__family.head->thread_mark); i++)
        HOLDS(mp__low(mp__family.threads[i].claim) == 0 ||
              mp__low(mp__family.threads[i].claim) == mp__family.process + 1);
    HOLDS(mp__blocks_in_use() == blocks_before);
}

void stage_clear(stage_t *stage)
{
    HOLDS(mp_queue_close(stage->queue) == MP_OK);
    HOLDS(mp_queue_close(stage->letters) == MP_OK);
    HOLDS(mp_lock_close(stage->lock) == MP_OK);
    HOLDS(mp_rlock_close(stage->rlock) == MP_OK);
    HOLDS(mp_semaphore_close(stage->plain) == MP_OK);
    HOLDS(mp_semaphore_close(stage->owned) == MP_OK);
    HOLDS(mp_event_close(stage->event) == MP_OK);
    close_orphan(stage);
    HOLDS(mp_condition_close(stage->condition) == MP_OK);
    HOLDS(mp_barrier_close(stage->barrier) == MP_OK);
    HOLDS(mp_shared_value_close(stage->value) == MP_OK);
    HOLDS(mp_shared_memory_close(stage->memory) == MP_OK);
    HOLDS(mp_shareable_list_close(stage->list) == MP_OK);
    check_nothing_left();
}
