/* The acts. */
#include "acts.h"

#include "family/alloc.h"
#include "harness.h"
#include "objects/queue/chain.h"
#include "system.h"

#include <string.h>

const char *const role_names[ROLES] = {"producer", "consumer", "waiter",    "waker",
                                       "maker",    "member",   "recoverer", "sweeper"};

/* ---- producers */

static void fill_small(stage_t *stage)
{
    for (int i = 0; i < 6; i++)
        put(stage, 40);
}

/* Nearly two chunks. */
static void fill_chunks(stage_t *stage)
{
    for (int i = 0; i < 16; i++)
        put(stage, 3000);
}

static void fill_many_chunks(stage_t *stage)
{
    for (int i = 0; i < 24; i++)
        put(stage, 3000);
}

static void fill_large(stage_t *stage)
{
    for (int i = 0; i < 4; i++)
        put(stage, i % 2 ? 100000 : 9000);
}

static void put_small(stage_t *stage)
{
    put(stage, 40);
    put(stage, 50);
}

static void put_over_chunks(stage_t *stage)
{
    for (int i = 0; i < 12; i++)
        put(stage, 3000);
}

static void put_large(stage_t *stage)
{
    put(stage, 9000);
    put(stage, 100000);
}

static void put_batches(stage_t *stage)
{
    put_many(stage, 40, 5);
    put_many(stage, 3000, BATCH);
}

static void put_in_place(stage_t *stage)
{
    put_lent(stage, 300);
    put_lent(stage, 9000);
}

/* Up to the bound, and one more: it sleeps. */
static void put_until_full(stage_t *stage)
{
    for (uint64_t i = 0; i <= stage->options.max_items; i++)
        put(stage, 40);
}

static void put_batch_until_full(stage_t *stage)
{
    put_many(stage, 40, (unsigned)stage->options.max_items + 1);
}

static void get_one(stage_t *stage)
{
    get(stage);
}

static void get_one_if_any(stage_t *stage)
{
    get_if_any(stage);
}

/* ---- consumers */

static void get_small(stage_t *stage)
{
    get(stage);
    get(stage);
}

static void get_over_chunks(stage_t *stage)
{
    for (int i = 0; i < 13; i++)
        get(stage);
}

static void get_few(stage_t *stage)
{
    for (int i = 0; i < 3; i++)
        get(stage);
}

static void get_all_large(stage_t *stage)
{
    for (int i = 0; i < 4; i++)
        get(stage);
}

static void get_batches(stage_t *stage)
{
    get_many(stage);
    get_many(stage);
}

static void get_batch(stage_t *stage)
{
    get_many(stage);
}

static void get_in_place(stage_t *stage)
{
    get_lent(stage);
    get_lent(stage);
}

static void get_tasks(stage_t *stage)
{
    for (int i = 0; i < 2; i++) {
        get(stage);
        HOLDS(mp_queue_task_done(stage->queue) == MP_OK);
    }
    get(stage); /* is not done with it */
}

static void lease_and_be_done(stage_t *stage)
{
    mp_lease_t *one = lease(stage), *two = lease(stage);
    HOLDS(mp_lease_return(one) == MP_OK);
    done(stage, two);
    done(stage, lease(stage));
    lease(stage); /* comes back when it has ended */
}

static void lease_two(stage_t *stage)
{
    lease(stage);
    lease(stage);
}

/* More than the book has room for at first. */
static void lease_many(stage_t *stage)
{
    for (int i = 0; i < 22; i++)
        lease(stage);
}

static void fill_many(stage_t *stage)
{
    for (int i = 0; i < 24; i++)
        put(stage, 40);
}

static void return_to_letters(stage_t *stage)
{
    HOLDS(mp_lease_return(lease(stage)) == MP_OK);
    HOLDS(mp_lease_return(lease(stage)) == MP_OK);
}

static void fill_and_return(stage_t *stage)
{
    fill_small(stage);
    mp_lease_t *leases[3] = {lease(stage), lease(stage), lease(stage)};
    for (int i = 0; i < 3; i++)
        HOLDS(mp_lease_return(leases[i]) == MP_OK);
}

static void get_what_came_back(stage_t *stage)
{
    get(stage);
    done(stage, lease(stage));
    get(stage);
}

static void shut(stage_t *stage)
{
    HOLDS(mp_queue_shutdown(stage->queue, true) == MP_OK);
}

static void fill_and_lease(stage_t *stage)
{
    fill_and_return(stage);
    put(stage, 9000);
}

/* ---- waiters, and what they wait for */

static void hold_lock(stage_t *stage)
{
    HOLDS(mp_lock_acquire(stage->lock, soon()) == MP_OK);
}

static void let_lock_go(stage_t *stage)
{
    HOLDS(mp_lock_release(stage->lock) == MP_OK);
}

static void change_under_lock(stage_t *stage)
{
    mp_status_t status = mp_lock_acquire(stage->lock, soon());
    HOLDS(acquired(status));
    if (status == MP_OWNER_DIED)
        guarded_repair(stage);
    HOLDS(stage->board->guarded[0] == stage->board->guarded[1]);
    guarded_change(stage);
    HOLDS(mp_lock_release(stage->lock) == MP_OK);
}

static void take_rlock(stage_t *stage)
{
    for (int i = 0; i < 3; i++)
        HOLDS(acquired(mp_rlock_acquire(stage->rlock, soon())));
    for (int i = 0; i < 3; i++)
        HOLDS(mp_rlock_release(stage->rlock) == MP_OK);
}

static void hold_rlock(stage_t *stage)
{
    HOLDS(mp_rlock_acquire(stage->rlock, soon()) == MP_OK);
}

static void let_rlock_go(stage_t *stage)
{
    HOLDS(mp_rlock_release(stage->rlock) == MP_OK);
}

static void put_one(stage_t *stage)
{
    put(stage, 40);
}

static void take_permits(stage_t *stage)
{
    for (uint32_t i = 0; i < PERMITS; i++) {
        HOLDS(mp_semaphore_acquire(stage->plain, 0) == MP_OK);
        HOLDS(mp_semaphore_acquire(stage->owned, 0) == MP_OK);
    }
}

static void give_permits(stage_t *stage)
{
    for (uint32_t i = 0; i < PERMITS; i++) {
        HOLDS(mp_semaphore_release(stage->plain) == MP_OK);
        HOLDS(mp_semaphore_release(stage->owned) == MP_OK);
    }
}

static void use_plain(stage_t *stage)
{
    HOLDS(mp_semaphore_acquire(stage->plain, soon()) == MP_OK);
    HOLDS(mp_semaphore_release(stage->plain) == MP_OK);
}

static void use_owned(stage_t *stage)
{
    HOLDS(acquired(mp_semaphore_acquire(stage->owned, soon())));
    HOLDS(acquired(mp_semaphore_acquire(stage->owned, soon())));
    HOLDS(mp_semaphore_release(stage->owned) == MP_OK);
    HOLDS(mp_semaphore_release(stage->owned) == MP_OK);
}

static void await_event(stage_t *stage)
{
    HOLDS(mp_event_wait(stage->event, soon()) == MP_OK);
}

static void set_event(stage_t *stage)
{
    HOLDS(mp_event_set(stage->event) == MP_OK);
}

static void await_condition(stage_t *stage)
{
    HOLDS(acquired(mp_condition_acquire(stage->condition, soon())));
    HOLDS(acquired(mp_condition_wait(stage->condition, soon())));
    HOLDS(mp_condition_release(stage->condition) == MP_OK);
}

static void notify_one(stage_t *stage)
{
    HOLDS(acquired(mp_condition_acquire(stage->condition, soon())));
    HOLDS(mp_condition_notify(stage->condition, 1) == MP_OK);
    HOLDS(mp_condition_release(stage->condition) == MP_OK);
}

static void notify_all(stage_t *stage)
{
    HOLDS(acquired(mp_condition_acquire(stage->condition, soon())));
    HOLDS(mp_condition_notify_all(stage->condition) == MP_OK);
    HOLDS(mp_condition_release(stage->condition) == MP_OK);
}

static void await_nothing(stage_t *stage)
{
    HOLDS(acquired(mp_condition_acquire(stage->condition, soon())));
    HOLDS(mp_condition_wait(stage->condition, 0.002) == MP_TIMEOUT);
    HOLDS(mp_condition_release(stage->condition) == MP_OK);
    HOLDS(mp_event_wait(stage->event, 0.002) == MP_TIMEOUT);
    HOLDS(mp_barrier_wait(stage->barrier, 0.002, NULL) != MP_OK);
    const mp_value_t all[] = {mp_of(stage->event), mp_of(stage->letters)};
    bool ready[2];
    HOLDS(mp_wait(all, 2, ready, 0.002) == MP_TIMEOUT);
}

/* It breaks when one of them dies. */
static void meet(stage_t *stage)
{
    mp_status_t status = mp_barrier_wait(stage->barrier, soon(), NULL);
    HOLDS(status == MP_OK || status == MP_STATE);
}

static void meet_shortly(stage_t *stage)
{
    mp_status_t status = mp_barrier_wait(stage->barrier, 0.002, NULL);
    HOLDS(status == MP_OK || status == MP_STATE || status == MP_TIMEOUT);
}

static void reset_barrier(stage_t *stage)
{
    HOLDS(mp_barrier_reset(stage->barrier) == MP_OK);
}

static void abort_barrier(stage_t *stage)
{
    HOLDS(mp_barrier_abort(stage->barrier) == MP_OK);
    HOLDS(mp_barrier_reset(stage->barrier) == MP_OK);
}

static void await_any(stage_t *stage)
{
    const mp_value_t all[] = {mp_of(stage->event), mp_of(stage->letters), mp_of(stage->lock)};
    bool ready[3];
    HOLDS(mp_wait(all, 3, ready, soon()) == MP_OK);
}

/* One of them is the system's to tell. */
static void await_connection_or_event(stage_t *stage)
{
    mp_conn_t *one, *other;
    HOLDS(mp_pipe(&one, &other, MP_DUPLEX) == MP_OK);
    const mp_value_t all[] = {mp_of(one), mp_of(stage->event)};
    bool ready[2];
    HOLDS(mp_wait(all, 2, ready, soon()) == MP_OK);
    HOLDS(mp_conn_close(one) == MP_OK && mp_conn_close(other) == MP_OK);
}

static void set_event_and_let_lock_go(stage_t *stage)
{
    set_event(stage);
    let_lock_go(stage);
}

static void await_tasks(stage_t *stage)
{
    mp_status_t status = mp_queue_join(stage->queue, soon());
    HOLDS(status == MP_OK || status == MP_OWNER_DIED);
}

static void fill_and_take(stage_t *stage)
{
    fill_small(stage);
    for (int i = 0; i < 6; i++)
        get(stage);
}

static void be_done(stage_t *stage)
{
    for (int i = 0; i < 6; i++)
        HOLDS(mp_queue_task_done(stage->queue) == MP_OK);
}

static void fill_two(stage_t *stage)
{
    put(stage, 40);
    put(stage, 40);
}

static void be_done_with_all(stage_t *stage)
{
    while (get_if_any(stage))
        ;
    while (mp_queue_task_done(stage->queue) == MP_OK)
        ;
}

static void get_two_tasks(stage_t *stage)
{
    for (int i = 0; i < 2; i++) {
        get(stage);
        HOLDS(mp_queue_task_done(stage->queue) == MP_OK);
    }
}

/* ---- those who wake: somebody sleeps, and the case does it once more */

static void hold_and_change(stage_t *stage)
{
    guarded_change(stage);
    HOLDS(mp_lock_release(stage->lock) == MP_OK);
}

static void take_lock(stage_t *stage)
{
    HOLDS(mp_lock_acquire(stage->lock, soon()) == MP_OK);
}

static void take_owned(stage_t *stage)
{
    for (uint32_t i = 0; i < PERMITS; i++)
        HOLDS(mp_semaphore_acquire(stage->owned, soon()) == MP_OK);
}

static void give_owned(stage_t *stage)
{
    for (uint32_t i = 0; i < PERMITS; i++)
        HOLDS(mp_semaphore_release(stage->owned) == MP_OK);
}

static void drain_plain(stage_t *stage)
{
    for (uint32_t i = 0; i < PERMITS; i++)
        HOLDS(mp_semaphore_acquire(stage->plain, 0) == MP_OK);
}

static void give_plain(stage_t *stage)
{
    HOLDS(mp_semaphore_release(stage->plain) == MP_OK);
}

/* One more than is due if the victim's was given. */
static void refill_plain(stage_t *stage)
{
    for (uint32_t i = 0; i < PERMITS; i++)
        HOLDS(mp_semaphore_release(stage->plain) == MP_OK);
}

/* A lock is let go of as if its holder had died. */
static void give_lock_up(stage_t *stage)
{
    HOLDS(mp__word_lock(&stage->board->word, MP__NEVER) == MP_OK);
    mp__word_abandon(&stage->board->word);
}

static void take_given_up(stage_t *stage)
{
    HOLDS(acquired(mp__word_lock(&stage->board->word, mp__os_now() + MP__SECOND)));
    mp__word_unlock(&stage->board->word);
}

static void adopt_orphan(stage_t *stage)
{
    HOLDS(mp_adopt(stage->orphan) == MP_OK);
}

static void end_orphan(stage_t *stage)
{
    mp_keep(stage->orphan);
    HOLDS(mp_event_close(stage->orphan) == MP_OK);
}

/* Its new owner ends it, or dies. */
static void await_end(stage_t *stage)
{
    HOLDS(mp_event_wait(stage->orphan, soon()) == MP_GONE);
}

static void watch_and_put(stage_t *stage)
{
    mp__queue_watch_begin(stage->queue);
    put(stage, 40);
    mp__queue_watch_end(stage->queue);
}

/* What somebody else has got: it is refused. */
static void have_block(stage_t *stage)
{
    HOLDS(mp__block_alloc(5000, mp__owner_process(mp__family.process), &stage->board->told) == MP_OK);
}

static void put_what_is_not_own(stage_t *stage)
{
    HOLDS(mp__queue_put_block(stage->queue, MP__ITEM_BYTES, stage->board->told, 5000, 0) == MP_GONE);
}

static void free_block(stage_t *stage)
{
    HOLDS(mp__block_at(stage->board->told, NULL));
    mp__block_free(stage->board->told);
}

static void fill_to_bound(stage_t *stage)
{
    for (uint64_t i = 0; i < stage->options.max_items; i++)
        put(stage, 40);
}

/* ---- makers */

static void make_and_end_all(stage_t *stage)
{
    stage_t own = *stage;
    mp_queue_options_t options = {.max_items = 5};
    HOLDS(mp_queue_create_with(&own.queue, &options) == MP_OK && mp_lock_create(&own.lock) == MP_OK);
    HOLDS(mp_event_create(&own.event) == MP_OK && mp_condition_create(&own.condition) == MP_OK);
    HOLDS(mp_semaphore_create_with(&own.owned, 2, &(mp_semaphore_options_t){.flags = MP_OWNED}) == MP_OK);
    HOLDS(mp_barrier_create(&own.barrier, 2) == MP_OK);
    HOLDS(mp_shareable_list_create(&own.list, mp_list(1, "two")) == MP_OK);
    HOLDS(mp_queue_put_bytes(own.queue, "one", 3, 0) == MP_OK);
    HOLDS(mp_queue_close(own.queue) == MP_OK && mp_lock_close(own.lock) == MP_OK);
    HOLDS(mp_event_close(own.event) == MP_OK && mp_condition_close(own.condition) == MP_OK);
    HOLDS(mp_semaphore_close(own.owned) == MP_OK && mp_barrier_close(own.barrier) == MP_OK);
    HOLDS(mp_shareable_list_close(own.list) == MP_OK);
}

static void use_memory(stage_t *stage)
{
    int64_t before, expected = 1000;
    bool swapped;
    double real;
    mp_shared_value_t *own;
    mp_shared_memory_t *memory;
    void *data;
    size_t size;
    mp_keep(stage->memory);
    mp_keep(stage->value);
    HOLDS(mp_shared_memory_data(stage->memory, &data, &size) == MP_OK);
    HOLDS(mp_shared_value_add_int(stage->value, 1, &before) == MP_OK);
    HOLDS(mp_shared_value_cas_int(stage->value, &expected, 5, &swapped) == MP_OK && !swapped);
    HOLDS(mp_shared_value_exchange_int(stage->value, 3, &before) == MP_OK);
    HOLDS(mp_shared_value_create(&own, MP_CTYPE_DOUBLE) == MP_OK);
    HOLDS(mp_shared_value_add_double(own, 1.5, &real) == MP_OK);
    HOLDS(mp_shared_value_exchange_double(own, 2.5, &real) == MP_OK && real == 1.5);
    real = 2.5;
    HOLDS(mp_shared_value_cas_double(own, &real, 3.5, &swapped) == MP_OK && swapped);
    HOLDS(mp_shared_value_close(own) == MP_OK);
    HOLDS(mp_shared_memory_create(&memory, 9000) == MP_OK);
    HOLDS(mp_shared_memory_data(memory, &data, &size) == MP_OK);
    HOLDS(mp_shared_memory_close(memory) == MP_OK);
    HOLDS(mp_shared_memory_close(stage->memory) == MP_OK && mp_shared_value_close(stage->value) == MP_OK);
}

static void use_list(stage_t *stage)
{
    HOLDS(mp_shareable_list_set(stage->list, 1, "six") == MP_OK);
    HOLDS(mp_shareable_list_set(stage->list, 0, 7) == MP_OK);
}

static void allocate(uint64_t size, int n)
{
    mp__block_t blocks[8];
    for (int i = 0; i < n; i++)
        HOLDS(mp__block_alloc(size, mp__owner_process(mp__family.process), &blocks[i]) == MP_OK);
    for (int i = 0; i < n; i++)
        mp__block_free(blocks[i]);
}

static void use_blocks(stage_t *stage)
{
    (void)stage;
    allocate(100, 2);
    allocate(200000, 2);
}

/* All blocks of the largest class, so that the victim must cut a page. */
static mp__block_t taken[4096];
static size_t taken_count;

static void take_all_free(stage_t *stage)
{
    const mp__class_t *cache = &mp__family.head->classes[MP__CLASSES - 2];
    (void)stage;
    for (taken_count = 0; (cache->free || cache->stale) && taken_count < 4096; taken_count++)
        HOLDS(mp__block_alloc(32768, mp__owner_process(mp__family.process), &taken[taken_count]) == MP_OK);
}

static void give_all_back(stage_t *stage)
{
    (void)stage;
    while (taken_count > 0)
        mp__block_free(taken[--taken_count]);
}

static void cut_page(stage_t *stage)
{
    (void)stage;
    allocate(32768, 3);
}

static void cut_and_give_back(stage_t *stage)
{
    cut_page(stage);
    give_all_back(stage);
}

static void mark_stale(stage_t *stage)
{
    (void)stage;
    mp__family.head->pages_stale = 1;
    mp__family.head->classes[1].stale = 1;
}

/* Longer than what is free before the end: pages that were never used. */
static void measure_free(stage_t *stage)
{
    const mp__head_t *head = mp__family.head;
    uint64_t n = 0;
    while (n < head->page_mark && (mp__low(mp__family.pages[head->page_mark - 1 - n]) & 0xff) == 0)
        n++;
    stage->board->told = n + 1;
}

static void use_fresh_pages(stage_t *stage)
{
    allocate(stage->board->told * MP__PAGE_SIZE, 1);
}

/* So many pages that their memory is given back at once. */
static void use_many_pages(stage_t *stage)
{
    (void)stage;
    allocate(UINT64_C(1030) * MP__PAGE_SIZE, 1);
}

/* Somebody sits on the allocator's locks, and the others free all the same. */
static bool victim_has_ended(const stage_t *stage)
{
    return mp__load32(&stage->board->over[VICTIM]) || mp__load32(&stage->board->witness[VICTIM].dead);
}

static void sit_on_locks(stage_t *stage)
{
    mp__class_t *cache = &mp__family.head->classes[1];
    HOLDS(acquired(mp__word_lock(&cache->lock, MP__NEVER)));
    HOLDS(acquired(mp__word_lock(&mp__family.head->page_lock, MP__NEVER)));
    mp__store32(&stage->board->ready[SURVIVOR], 1);
    for (double end = mp_now() + soon(); !victim_has_ended(stage) && mp_now() < end;)
        mp__os_yield();
    mp__word_unlock(&mp__family.head->page_lock);
    mp__word_unlock(&cache->lock);
}

static mp__block_t own_blocks[2];

static void have_blocks(stage_t *stage)
{
    (void)stage;
    HOLDS(mp__block_alloc(100, mp__owner_process(mp__family.process), &own_blocks[0]) == MP_OK);
    HOLDS(mp__block_alloc(200000, mp__owner_process(mp__family.process), &own_blocks[1]) == MP_OK);
}

static void free_blocks(stage_t *stage)
{
    (void)stage;
    mp__block_free(own_blocks[0]);
    mp__block_free(own_blocks[1]);
}

/* ---- members */

static void nothing(stage_t *stage)
{
    (void)stage;
}

/* Slots for children that are never started: one more than were ever used. */
static void prepare_children(stage_t *stage)
{
    uint32_t slot, epoch, mark = mp__load32(&mp__family.head->process_mark);
    uint64_t nonce;
    mp__block_t block;
    (void)stage;
    do
        HOLDS(mp__process_prepare(&slot, &epoch, &nonce) == MP_OK);
    while (mp__load32(&mp__family.head->process_mark) == mark);
    HOLDS(mp__block_alloc(100, mp__owner_process(slot), &block) == MP_OK);
}

/* The slots that nobody has are as if they had never been used, and without memory. */
static void forget_slots(stage_t *stage)
{
    mp__head_t *head = mp__family.head;
    uint32_t mark = head->process_mark;
    (void)stage;
    while (mark > 0 && (mp__family.processes[mark - 1].claim & 0xff) == MP__PROCESS_FREE)
        mark--;
    head->process_mark = mark;
    head->committed[MP__REGION_PROCESSES] = mark * sizeof(mp__process_slot_t);
}

static void use_lock(void *context)
{
    stage_t *stage = context;
    mp_test_fate_begin(stage->fate, &stage->board->witness[VICTIM]);
    change_under_lock(stage);
}

/* One after the other: each may find what the ones before it left. */
static void use_threads(stage_t *stage)
{
    for (int i = 0; i < 4; i++) {
        mp_test_thread_t thread;
        mp_test_thread_start(&thread, use_lock, stage);
        mp_test_thread_join(&thread);
    }
}

/* So many have a permit that their table must grow. */
#define HOLDERS 16

static void hold_permit(void *context)
{
    stage_t *stage = context;
    HOLDS(acquired(mp_semaphore_acquire(stage->owned, soon())));
    mp__add32(&stage->board->holders, 1);
    while (!mp__load32(&stage->board->holders_may_go))
        mp__os_yield();
    HOLDS(mp_semaphore_release(stage->owned) == MP_OK);
}

static void hold_many(stage_t *stage)
{
    mp_test_thread_t threads[HOLDERS];
    stage->board->holders = stage->board->holders_may_go = 0;
    for (int i = 0; i < HOLDERS; i++)
        mp_test_thread_start(&threads[i], hold_permit, stage);
    while (mp__load32(&stage->board->holders) < HOLDERS)
        mp__os_yield();
    HOLDS(acquired(mp_semaphore_acquire(stage->owned, soon())));
    HOLDS(mp_semaphore_release(stage->owned) == MP_OK);
    mp__store32(&stage->board->holders_may_go, 1);
    for (int i = 0; i < HOLDERS; i++)
        mp_test_thread_join(&threads[i]);
}

/* A child of somebody's fork, which the library did not start, joins by itself. */
static void be_foreign(void *context)
{
    change_under_lock(context);
}

static void fork_foreign(stage_t *stage)
{
    if (!mp_test_fork(be_foreign, stage))
        return;
    if (mp__load32(&stage->board->witness[VICTIM].dead))
        mp_test_die_now(&stage->board->witness[VICTIM]);
}

/* ---- the dead, for recoverers and sweepers */

static void leave_much(stage_t *stage)
{
    uint32_t slot, epoch;
    uint64_t nonce;
    mp_queue_t *queue;
    mp_lock_t *lock = NULL;
    mp_event_t *event;
    mp_shared_memory_t *memory = NULL;
    mp__block_t block;
    static const char bytes[40000];
    void *data;
    size_t size;
    HOLDS(mp_queue_create(&queue, 0) == MP_OK && mp_lock_create(&lock) == MP_OK);
    HOLDS(mp_event_create(&event) == MP_OK && mp_shared_memory_create(&memory, 9000) == MP_OK);
    HOLDS(mp_shared_memory_data(memory, &data, &size) == MP_OK);
    HOLDS(mp_shared_memory_data(stage->memory, &data, &size) == MP_OK);
    HOLDS(mp_queue_put_bytes(queue, bytes, 10, 0) == MP_OK);
    HOLDS(mp_queue_put_bytes(queue, bytes, sizeof bytes, 0) == MP_OK);
    HOLDS(mp_lock_acquire(lock, 0) == MP_OK && mp_lock_acquire(stage->lock, 0) == MP_OK);
    HOLDS(mp_semaphore_acquire(stage->owned, 0) == MP_OK);
    HOLDS(mp__process_prepare(&slot, &epoch, &nonce) == MP_OK);
    HOLDS(mp__block_alloc(4000, mp__owner_process(slot), &block) == MP_OK);
    HOLDS(mp__block_alloc(200000, mp__owner_process(mp__family.process), &block) == MP_OK);
    lease(stage);
}

static void sweep(stage_t *stage)
{
    (void)stage;
    mp__sweep_the_dead();
}

static void sweep_and_use(stage_t *stage)
{
    sweep(stage);
    change_under_lock(stage);
    use_owned(stage);
    done(stage, lease(stage));
}

/* A slot of its own making stands for a dead process. */
static void make_and_sweep(stage_t *stage)
{
    uint32_t slot, epoch;
    uint64_t nonce;
    mp__block_t block;
    (void)stage;
    HOLDS(mp__process_prepare(&slot, &epoch, &nonce) == MP_OK);
    for (uint64_t size = 100; size < 1000000; size *= 50)
        HOLDS(mp__block_alloc(size, mp__owner_process(slot), &block) == MP_OK);
    mp__process_sweep(slot, epoch);
}

#define JOINABLE .options = {.joinable = true}
#define BOUNDED  .options = {.max_items = 3}
#define WEIGHED  .options = {.max_bytes = 60000}

const act_t acts[] = {
    {PRODUCER, "small items", .run = put_small},
    {PRODUCER, "a small item behind others", .before = fill_small, .run = put_small},
    {PRODUCER, "items over chunks", .run = put_over_chunks},
    {PRODUCER, "large items", .before = fill_small, .run = put_large},
    {PRODUCER, "batches", .run = put_batches},
    {PRODUCER, "batches whose bytes are counted", WEIGHED, .run = put_batches},
    {PRODUCER, "a batch of more than there is room for", BOUNDED, .run = put_batch_until_full,
     .meanwhile = get_one_if_any},
    {PRODUCER, "lent items", .run = put_in_place},
    {PRODUCER, "items whose bytes are counted", WEIGHED, .before = fill_small, .run = put_over_chunks},
    {PRODUCER, "items that are tasks", JOINABLE, .before = fill_small, .run = put_small},
    {PRODUCER, "an item that somebody sleeps for", .run = put_one, .survivor = get_one, .after = put_one},
    {PRODUCER, "more than there is room for", BOUNDED, .run = put_until_full, .meanwhile = get_one_if_any},

    {PRODUCER, "an item of who watches", .run = watch_and_put, .survivor = get_one, .after = put_one},

    {PRODUCER, "another's block", .before = have_block, .run = put_what_is_not_own, .after = free_block},

    {CONSUMER, "small items", .before = fill_small, .run = get_small},
    {CONSUMER, "items over chunks", .before = fill_chunks, .run = get_over_chunks},
    {CONSUMER, "large items", .before = fill_large, .run = get_all_large},
    {CONSUMER, "batches", .before = fill_many_chunks, .run = get_batches},
    {CONSUMER, "a batch of small ones", .before = fill_many, .run = get_batch},
    {CONSUMER, "a batch whose bytes are counted", WEIGHED, .before = fill_chunks, .run = get_batch},
    {CONSUMER, "lent items", .before = fill_large, .run = get_in_place},
    {CONSUMER, "items whose bytes are counted", WEIGHED, .before = fill_small, .run = get_small},
    {CONSUMER, "tasks", JOINABLE, .before = fill_small, .run = get_tasks},
    {CONSUMER, "large tasks", JOINABLE, .before = fill_large, .run = get_tasks},
    {CONSUMER, "leases", .before = fill_small, .run = lease_and_be_done},
    {CONSUMER, "large leases", .before = fill_large, .run = lease_and_be_done},
    {CONSUMER, "leases of tasks", JOINABLE, .before = fill_small, .run = lease_and_be_done},
    {CONSUMER, "many leases", .before = fill_many, .run = lease_many},
    {CONSUMER, "dead letters", .letters = true, .before = fill_small, .run = return_to_letters},
    {CONSUMER, "large dead letters", .letters = true, .before = fill_large, .run = return_to_letters},
    {CONSUMER, "what came back", .before = fill_and_return, .run = get_what_came_back},
    {CONSUMER, "tasks that came back", JOINABLE, .before = fill_and_return, .run = get_what_came_back},
    {CONSUMER, "the shutdown", .dropped = true, .before = fill_and_lease, .run = shut},
    {CONSUMER, "the shutdown of tasks", JOINABLE, .dropped = true, .before = fill_and_lease, .run = shut},
    {CONSUMER, "an item whose room somebody sleeps for", BOUNDED, .before = fill_to_bound, .run = get_one,
     .survivor = put_one, .after = get_one},

    {WAITER, "a lock", .before = hold_lock, .run = change_under_lock, .meanwhile = let_lock_go},
    {WAITER, "an rlock", .before = hold_rlock, .run = take_rlock, .meanwhile = let_rlock_go},
    {WAITER, "an item", .run = get_one, .meanwhile = put_one},
    {WAITER, "room", BOUNDED, .before = fill_to_bound, .run = put_one, .meanwhile = get_one},
    {WAITER, "a permit", .before = take_permits, .run = use_plain, .meanwhile = give_permits},
    {WAITER, "an own permit", .before = take_permits, .run = use_owned, .meanwhile = give_permits},
    {WAITER, "an event", .run = await_event, .meanwhile = set_event},
    {WAITER, "a condition", .run = await_condition, .meanwhile = notify_one},
    {WAITER, "a barrier", .run = meet, .meanwhile = meet_shortly},
    {WAITER, "any of several", .before = hold_lock, .run = await_any, .meanwhile = let_lock_go},
    {WAITER, "an event among several", .before = hold_lock, .run = await_any, .meanwhile = set_event,
     .after = let_lock_go},
    {WAITER, "an event or a connection", .run = await_connection_or_event, .meanwhile = set_event},
    {WAITER, "tasks", JOINABLE, .before = fill_and_take, .run = await_tasks, .meanwhile = be_done},
    {WAITER, "nothing", .run = await_nothing},

    {WAKER, "who wants the lock", .prepare = take_lock, .run = hold_and_change, .survivor = change_under_lock},
    {WAKER, "who wants permits", .prepare = take_owned, .run = give_owned, .survivor = use_owned},
    {WAKER, "who wants a permit", .before = drain_plain, .run = give_plain, .survivor = use_plain,
     .after = refill_plain},
    {WAKER, "who waits for an event", .run = set_event, .survivor = await_event, .after = set_event},
    {WAKER, "who waits at a condition", .run = notify_one, .survivor = await_condition, .after = notify_one},
    {WAKER, "all at a condition", .run = notify_all, .survivor = await_condition, .after = notify_one},
    {WAKER, "the other party", .run = meet, .survivor = meet, .after = reset_barrier},
    {WAKER, "who waits at a barrier", .run = abort_barrier, .survivor = meet, .after = reset_barrier},
    {WAKER, "who waits for any", .before = hold_lock, .run = set_event, .survivor = await_any,
     .after = set_event_and_let_lock_go},
    {WAKER, "who waits for tasks", JOINABLE, .before = fill_two, .run = get_two_tasks, .survivor = await_tasks,
     .after = be_done_with_all},

    {WAKER, "who gives the lock up", .run = give_lock_up, .after = take_given_up},
    {WAKER, "who waits for the end", .prepare = adopt_orphan, .run = end_orphan, .survivor = await_end},

    {MAKER, "objects", .run = make_and_end_all},
    {MAKER, "a table that grows", .run = hold_many},
    {MAKER, "shared memory", .run = use_memory},
    {MAKER, "a list", .run = use_list},
    {MAKER, "an adoption", .run = adopt_orphan},
    {MAKER, "blocks", .run = use_blocks, .after = use_blocks},
    {MAKER, "blocks that caches do not know", .prepare = mark_stale, .run = use_blocks},
    {MAKER, "blocks of a new page", .before = take_all_free, .run = cut_page, .after = cut_and_give_back},
    {MAKER, "fresh pages", .slow = true, .before = measure_free, .run = use_fresh_pages, .after = use_fresh_pages},
    {MAKER, "blocks while others allocate", .prepare = have_blocks, .run = free_blocks, .survivor = sit_on_locks},
    {MAKER, "many pages", .slow = true, .run = use_many_pages, .after = use_many_pages},

    {MEMBER, "a process", .run = nothing, .born = true},
    {MEMBER, "threads", .run = use_threads},
    {MEMBER, "a child of somebody's fork", .run = fork_foreign},
    {MEMBER, "children", .prepare = forget_slots, .run = prepare_children},

    {RECOVERER, "of a producer", .before = fill_small, .run = put_small, .first = put_small},
    {RECOVERER, "of a producer over chunks", .before = fill_small, .run = put_small, .first = put_over_chunks},
    {RECOVERER, "of a producer of large ones", .run = put_large, .first = put_large},
    {RECOVERER, "of a batch", .before = fill_small, .run = put_small, .first = put_batches},
    {RECOVERER, "of a producer, as a consumer", .before = fill_small, .run = get_small, .first = put_large},
    {RECOVERER, "of a producer of counted bytes", WEIGHED, .run = put_small, .first = put_over_chunks},
    {RECOVERER, "of a consumer", .before = fill_chunks, .run = get_few, .first = get_over_chunks},
    {RECOVERER, "of a consumer of large ones", .before = fill_large, .run = get_one, .first = get_small},
    {RECOVERER, "of a batch's consumer", .before = fill_many_chunks, .run = get_few, .first = get_batch},
    {RECOVERER, "of tasks", JOINABLE, .before = fill_small, .run = get_tasks, .first = get_tasks},
    {RECOVERER, "of leases", .before = fill_small, .run = lease_and_be_done, .first = lease_and_be_done},
    {RECOVERER, "of many leases", .before = fill_many, .run = lease_two, .first = lease_many},
    {RECOVERER, "of dead letters", .letters = true, .before = fill_small, .run = return_to_letters,
     .first = return_to_letters},
    {RECOVERER, "of what came back", .before = fill_and_return, .run = get_what_came_back, .first = get_what_came_back},
    {RECOVERER, "of a lock", .run = change_under_lock, .first = change_under_lock},
    {RECOVERER, "of an rlock", .run = take_rlock, .first = take_rlock},
    {RECOVERER, "of permits", .run = use_owned, .first = use_owned},
    {RECOVERER, "of a table that grows", .run = use_owned, .first = hold_many},
    {RECOVERER, "of a barrier", .run = meet_shortly, .first = meet_shortly},
    {RECOVERER, "of a condition", .run = notify_all, .first = await_nothing},
    {RECOVERER, "of a list", .run = use_list, .first = use_list},
    {RECOVERER, "of the allocator", .run = use_blocks, .first = use_blocks, .after = use_blocks},
    {RECOVERER, "of a new page", .before = take_all_free, .run = cut_page, .first = cut_page,
     .after = cut_and_give_back},

    {SWEEPER, "of much", .before = fill_small, .run = sweep_and_use, .first = leave_much, .last = true},
    {SWEEPER, "of a maker", .run = sweep, .first = make_and_end_all},
    {SWEEPER, "of shared memory", .run = sweep, .first = use_memory},
    {SWEEPER, "of an adoption", .run = sweep, .first = adopt_orphan, .last = true},
    {SWEEPER, "of a slot of its own making", .run = make_and_sweep},
    {SWEEPER, "of a sweeper", .run = sweep, .first = make_and_sweep},
};

const size_t act_count = sizeof acts / sizeof *acts;
