/*
 * The queue: a chain of chunks in the arena.
 *
 * A chunk is a row of items, each a 64-bit word and its body. A word that is 0 ends the chain; one release store of an
 * item's word makes the item visible, one store of `head` takes it. What a death leaves is therefore the state before
 * or after; the counts beside are set anew by whoever finds the dead holder of their lock:
 *
 *   put side (header.lock):   body, next word = 0, WORD, puts, tail
 *   get side (header.second): gets, HEAD, free what was taken
 *
 * A put side's successor walks from tail over what is there, a get side's reads the number in head's item.
 *
 * An item's word carries the low half of its number, so size = puts - gets is exact. A JUMP word leads to the next
 * chunk; it is followed once tail has gone there, so that the chunk with tail in it is never freed. Payloads of 4 KiB
 * and more lie in blocks of their own: the queue owns the block before its word is visible, the getter takes it before
 * it moves head, so a sweep frees what belonged to a dead one, and an item whose block is gone is passed over.
 */
#include "objects/queue.h"

#include "family/wait.h"
#include "objects/transfer.h"
#include "wire/codec.h"

#include <stdlib.h>
#include <string.h>

#define NOT_EMPTY MP__QUEUE_NOT_EMPTY /* index into header.waits */
#define NOT_FULL  1

#define FIRST_CHUNK  UINT64_C(2048)
#define CHUNK        UINT64_C(32768)
#define LARGE        UINT64_C(4096)
#define MEMORY_PAUSE (20 * MP__MILLISECOND) /* when the cap is reached, room may come from anywhere */

/* Others are in a lock for less, unless they are stopped: so long a try waits, too. */
#define MOMENT (20 * MP__MILLISECOND)

struct mp_queue {
    mp__shared_t shared;
};

typedef struct content {
    uint64_t max_items;
    uint64_t tail;     /* where the next word goes: {chunk's place, offset} */
    uint64_t puts;     /* items ever put */
    uint64_t spare;    /* a chunk on its way into the chain */
    uint64_t arriving; /* a big item's block on its way into the chain */
    uint64_t padding[3];
    uint64_t head;    /* the first item's word: {chunk's place, offset} */
    uint64_t gets;    /* items ever taken */
    uint64_t retired; /* a chunk on its way out */
} content_t;

/* ---- words */

enum { END = 0, SMALL = 1, BIG = 2, JUMP = 3 };

#define WORD_KIND(word)   ((unsigned)(word)&3u)
#define WORD_TYPE(word)   ((mp__item_t)((word) >> 2 & 1))
#define WORD_LENGTH(word) ((uint64_t)(uint32_t)(word) >> 3) /* of the body */
#define WORD_NUMBER(word) mp__high(word)                    /* an item's; a JUMP's chunk */
#define WORD_SIZE         sizeof(uint64_t)

static uint64_t make_word(unsigned kind, mp__item_t type, uint64_t length, uint32_t number)
{
    return mp__pair(number, (uint32_t)(length << 3 | (uint64_t)type << 2 | kind));
}

typedef struct big {
    mp__block_t block;
    uint64_t size;
} big_t;

static uint64_t padded(uint64_t length)
{
    return (length + 7) & ~UINT64_C(7);
}

static content_t *content_of(mp__header_t *header)
{
    return (content_t *)(void *)header->body;
}

static mp__owner_t container_of(const mp__header_t *header)
{
    return mp__owner_container((uint32_t)(mp__offset_of(header) / MP__UNIT));
}

/* ---- positions */

typedef struct spot {
    uint8_t *chunk;
    mp__block_t block;
    uint64_t size; /* the chunk's */
    uint64_t at;   /* offset of the word */
} spot_t;

/* Finds a position, believing nothing: the chunk must be the queue's and the word inside. */
static bool find_spot(const mp__header_t *header, uint64_t position, spot_t *spot)
{
    uint32_t place = mp__high(position);
    spot->at = mp__low(position);
    if (!mp__block_owned(place, container_of(header), &spot->block, &spot->size))
        return false;
    spot->chunk = mp__family.base + (uint64_t)place * MP__UNIT;
    return spot->at % WORD_SIZE == 0 && spot->at + WORD_SIZE <= spot->size;
}

static uint64_t *word_at(const spot_t *spot)
{
    return (uint64_t *)(void *)(spot->chunk + spot->at);
}

/* Is a body of this length inside the chunk, with room for the word behind it? */
static bool fits(const spot_t *spot, uint64_t length)
{
    return spot->at + 2 * WORD_SIZE + padded(length) <= spot->size;
}

static mp_status_t corrupt(void)
{
    return mp__error(MP_CORRUPT, "use a queue", "its chain does not hold");
}

/* ---- waiting */

/* Sleeps until notified; also sees the death of the queue's owner, and of a peer. MP_TIMEOUT, MP_GONE. */
static mp_status_t await(mp_queue_t *queue, uint32_t *wait, uint32_t seen, const mp__peer_t *peer,
                         mp__deadline_t deadline)
{
    mp_status_t status = mp__wait_sleep(queue->shared.header, &queue->shared.handle.reference, wait, seen, deadline);
    if (status == MP_OK && mp__load32(wait) == seen && peer && mp__process_dead(peer->slot, peer->epoch))
        return mp__error(MP_GONE, "wait at a queue", "the process that was to fill it died");
    return status;
}

/* How many items there are, unless somebody is at it, or died: then it is about right, until the repair. */
static uint64_t count_of(const content_t *c)
{
    uint64_t gets = mp__load64(&c->gets), puts = mp__load64(&c->puts);
    return puts > gets ? puts - gets : 0;
}

static bool full(const content_t *c)
{
    return c->max_items && count_of(c) >= c->max_items;
}

static bool has_more(mp__header_t *header)
{
    return count_of(content_of(header)) > 0;
}

/* Who was woken hands on what is left: others may sleep still whom the waker counted as woken, too. */
static void hand_on(mp__header_t *header, unsigned which)
{
    mp__wait_announce(&header->waits[which]);
    if (which == NOT_EMPTY ? has_more(header) : !full(content_of(header)))
        mp__wait_notify(&header->waits[which]);
}

/* ---- the put side */

/* Counts an item that is there, and moves the tail behind it. */
static void pass_put(content_t *c, const spot_t *spot, uint64_t word)
{
    big_t big = {0, 0};
    if (WORD_KIND(word) == BIG)
        memcpy(&big, spot->chunk + spot->at + WORD_SIZE, sizeof big);
    if (big.block == c->arriving)
        mp__store64(&c->arriving, 0);
    mp__store64(&c->puts, c->puts + (uint64_t)(int32_t)(WORD_NUMBER(word) + 1 - (uint32_t)c->puts));
    mp__store64(&c->tail, c->tail + WORD_SIZE + padded(WORD_LENGTH(word)));
}

/* Moves the tail over what was committed: one put at most, a JUMP and an item. */
static mp_status_t follow_puts(mp__header_t *header)
{
    content_t *c = content_of(header);
    for (int steps = 0; steps <= 2; steps++) {
        spot_t spot;
        if (!find_spot(header, c->tail, &spot))
            return corrupt();
        uint64_t word = mp__load64(word_at(&spot));
        if (WORD_KIND(word) == END)
            return MP_OK;
        if (WORD_KIND(word) == JUMP)
            mp__store64(&c->tail, mp__pair(WORD_NUMBER(word), 0));
        else if (fits(&spot, WORD_LENGTH(word)) && (WORD_KIND(word) == SMALL || WORD_LENGTH(word) == sizeof(big_t)))
            pass_put(c, &spot, word);
        else
            break;
    }
    return corrupt();
}

/* After a death in it: the tail goes on; what did not get into the chain goes back. */
static mp_status_t repair_tail(mp__header_t *header)
{
    content_t *c = content_of(header);
    mp_status_t status = follow_puts(header);
    if (status != MP_OK)
        return status;
    mp__block_free(c->arriving);
    mp__store64(&c->arriving, 0);
    if (mp__low(c->spare) != mp__high(c->tail))
        mp__block_free(c->spare);
    mp__store64(&c->spare, 0);
    return MP_OK;
}

/* Takes one side's lock and repairs that side after a death. */
static mp_status_t lock_side(mp_queue_t *queue, mp__lock_word_t *lock, mp_status_t (*repair)(mp__header_t *),
                             mp__deadline_t deadline)
{
    mp__header_t *header = queue->shared.header;
    const mp__reference_t *reference = &queue->shared.handle.reference;
    mp_status_t status = mp__object_lock(header, lock, reference, deadline);
    if (status == MP_TIMEOUT && deadline == 0)
        status = mp__object_lock(header, lock, reference, mp__os_now() + MOMENT);
    if (status != MP_OWNER_DIED)
        return status;
    status = repair(header);
    if (status != MP_OK)
        mp__word_abandon(lock); /* it stays damaged, for all */
    return status;
}

static mp__deadline_t at_least_a_moment(mp__deadline_t deadline)
{
    mp__deadline_t least = mp__os_now() + MOMENT;
    return deadline < least ? least : deadline;
}

/* Chains a fresh chunk behind the spot and moves the spot there. */
static mp_status_t add_chunk(mp__header_t *header, spot_t *spot, mp__deadline_t deadline)
{
    content_t *c = content_of(header);
    mp__owner_t self = mp__owner_process(mp__family.process);
    mp__block_t block;
    mp_status_t status = mp__block_alloc_until(CHUNK, self, at_least_a_moment(deadline), &block);
    if (status != MP_OK)
        return status;
    uint32_t place = mp__low(block);
    mp__store64((uint64_t *)(void *)(mp__family.base + (uint64_t)place * MP__UNIT), 0);
    mp__store64(&c->spare, block);
    mp__block_give(block, self, container_of(header));
    mp__store64(word_at(spot), make_word(JUMP, 0, 0, place));
    mp__store64(&c->tail, mp__pair(place, 0));
    mp__store64(&c->spare, 0);
    return find_spot(header, c->tail, spot) ? MP_OK : corrupt();
}

/* One item behind the tail. Under the lock; there is room in the queue. */
static mp_status_t append(mp__header_t *header, unsigned kind, mp__item_t type, const void *body, uint64_t length,
                          mp__deadline_t deadline)
{
    content_t *c = content_of(header);
    spot_t spot;
    if (!find_spot(header, c->tail, &spot))
        return corrupt();
    mp_status_t status = fits(&spot, length) ? MP_OK : add_chunk(header, &spot, deadline);
    if (status != MP_OK)
        return status;
    uint8_t *at = spot.chunk + spot.at;
    if (length)
        memcpy(at + WORD_SIZE, body, (size_t)length);
    uint64_t next = spot.at + WORD_SIZE + padded(length);
    mp__store64((uint64_t *)(void *)(spot.chunk + next), 0);
    if (kind == BIG) {
        const big_t *big = body;
        mp__store64(&c->arriving, big->block);
        mp__block_give(big->block, mp__owner_process(mp__family.process), container_of(header));
    }
    mp__store64(word_at(&spot), make_word(kind, type, length, (uint32_t)c->puts));
    if (kind == BIG)
        mp__store64(&c->arriving, 0);
    mp__store64(&c->puts, c->puts + 1);
    mp__store64(&c->tail, mp__pair(mp__high(c->tail), (uint32_t)next));
    return MP_OK;
}

/* Puts when there is room, else says how to wait for it: MP_BUSY with *seen. */
static mp_status_t try_put(mp_queue_t *queue, unsigned kind, mp__item_t type, const void *body, uint64_t length,
                           mp__deadline_t deadline, uint32_t *seen)
{
    mp__header_t *header = queue->shared.header;
    mp_status_t status = lock_side(queue, &header->lock, repair_tail, deadline);
    if (status != MP_OK)
        return status;
    content_t *c = content_of(header);
    if (full(c)) {
        *seen = mp__wait_announce(&header->waits[NOT_FULL]);
        status = MP_BUSY;
    }
    if (status == MP_OK || !full(c))
        status = append(header, kind, type, body, length, deadline);
    mp__word_unlock(&header->lock);
    return status;
}

static mp_status_t busy(void)
{
    return mp__error(MP_TIMEOUT, "put into a queue", "another is at it");
}

static mp_status_t put_body(mp_queue_t *queue, unsigned kind, mp__item_t type, const void *body, uint64_t length,
                            mp__deadline_t deadline)
{
    mp__header_t *header = queue->shared.header;
    bool slept = false;
    for (;;) {
        uint32_t seen = 0;
        mp_status_t status = try_put(queue, kind, type, body, length, deadline, &seen);
        if (status == MP_OK)
            mp__wait_notify(&header->waits[NOT_EMPTY]);
        if (slept && status != MP_BUSY && status != MP_GONE)
            hand_on(header, NOT_FULL);
        if (status == MP_OK)
            return MP_OK;
        if (status == MP_NO_MEMORY && deadline > mp__os_now()) {
            mp__sweep_the_dead();
            mp__os_sleep(mp__sooner(deadline, mp__os_now() + MEMORY_PAUSE));
            continue;
        }
        if (status != MP_BUSY)
            return status == MP_TIMEOUT ? busy() : status;
        slept = true;
        status = await(queue, &header->waits[NOT_FULL], seen, NULL, deadline);
        if (status == MP_TIMEOUT)
            return mp__error(MP_TIMEOUT, "put into a queue", "it is full");
        if (status != MP_OK)
            return status;
    }
}

/* A payload of its own block: the putter's until it goes into the chain. */
static mp_status_t put_big(mp_queue_t *queue, mp__item_t type, const void *data, uint64_t size, mp__deadline_t deadline)
{
    mp__owner_t self = mp__owner_process(mp__family.process);
    big_t big = {0, size};
    mp_status_t status;
    while ((status = mp__block_alloc_until(size, self, at_least_a_moment(deadline), &big.block)) == MP_NO_MEMORY &&
           deadline > mp__os_now() && size < mp__family.head->cap &&
           mp__object_is(queue->shared.header, &queue->shared.handle.reference)) {
        mp__sweep_the_dead();
        mp__os_sleep(mp__sooner(deadline, mp__os_now() + MEMORY_PAUSE));
    }
    if (status != MP_OK)
        return status == MP_TIMEOUT ? busy() : status;
    memcpy(mp__block_at(big.block, NULL), data, (size_t)size);
    status = put_body(queue, BIG, type, &big, sizeof big, deadline);
    if (status != MP_OK)
        mp__block_free(big.block);
    return status;
}

mp_status_t mp__queue_put_item(mp_queue_t *queue, mp__item_t type, const void *data, size_t size,
                               mp__deadline_t deadline)
{
    return size >= LARGE ? put_big(queue, type, data, size, deadline)
                         : put_body(queue, SMALL, type, data, size, deadline);
}

/* ---- the get side */

/* After a death in it: the first item says how many went before it; a chunk that was left behind goes back. */
static mp_status_t repair_head(mp__header_t *header)
{
    content_t *c = content_of(header);
    spot_t spot;
    if (!find_spot(header, c->head, &spot))
        return corrupt();
    uint64_t word = mp__load64(word_at(&spot));
    if (WORD_KIND(word) == SMALL || WORD_KIND(word) == BIG)
        mp__store64(&c->gets, c->gets + (uint64_t)(int32_t)(WORD_NUMBER(word) - (uint32_t)c->gets));
    if (c->retired != spot.block)
        mp__block_free(c->retired);
    mp__store64(&c->retired, 0);
    return MP_OK;
}

/* The first item's spot and word, past jumps. MP_BUSY: there is none. Under the lock. */
static mp_status_t first_item(mp__header_t *header, spot_t *spot, uint64_t *word)
{
    content_t *c = content_of(header);
    for (;;) {
        if (!find_spot(header, c->head, spot))
            return corrupt();
        *word = mp__load64(word_at(spot));
        switch (WORD_KIND(*word)) {
        case END:
            return MP_BUSY;
        case JUMP:
            if (mp__high(mp__load64(&c->tail)) == mp__high(c->head))
                return MP_BUSY; /* who chained the next one is still at it, or died: nothing is there yet */
            mp__store64(&c->retired, spot->block);
            mp__store64(&c->head, mp__pair(WORD_NUMBER(*word), 0));
            mp__block_free(spot->block);
            mp__store64(&c->retired, 0);
            break;
        default:
            return fits(spot, WORD_LENGTH(*word)) ? MP_OK : corrupt();
        }
    }
}

/* The store that takes an item. The count comes first: a repair sets it back if head did not follow. */
static void pass_item(content_t *c, const spot_t *spot, uint64_t word)
{
    mp__store64(&c->gets, c->gets + 1);
    mp__store64(&c->head, mp__pair(mp__high(c->head), (uint32_t)(spot->at + WORD_SIZE + padded(WORD_LENGTH(word)))));
}

typedef struct wanted {
    mp__item_t type;
    uint64_t most;
    mp__buffer_t *out;
    uint64_t size;     /* the item's */
    mp__block_t block; /* a big one's, taken */
} wanted_t;

static mp_status_t check_item(const wanted_t *wanted, uint64_t word)
{
    if (WORD_TYPE(word) != wanted->type)
        return mp__error(MP_TYPE, "get from a queue", "the first item is %s",
                         WORD_TYPE(word) == MP__ITEM_BYTES ? "raw bytes" : "a value");
    if (wanted->size > wanted->most)
        return mp__error(MP_TOO_LARGE, "get from a queue", "the first item has %llu bytes",
                         (unsigned long long)wanted->size);
    return MP_OK;
}

/* Takes a big item's block. MP_BUSY: it is gone; MP_NO_MEMORY: no room for its bytes, it stays. */
static mp_status_t take_block(wanted_t *wanted, const big_t *big)
{
    uint64_t room;
    if (!mp__block_at(big->block, &room))
        return MP_BUSY;
    if (big->size > room)
        return corrupt();
    if (!mp__buffer_reserve(wanted->out, (size_t)big->size))
        return MP_NO_MEMORY;
    if (!mp__block_take(big->block, mp__owner_process(mp__family.process)))
        return MP_BUSY;
    wanted->block = big->block;
    return MP_OK;
}

/* Takes the item at the spot. MP_BUSY: its block went with a dead process; it is passed over. */
static mp_status_t take_item(mp__header_t *header, const spot_t *spot, uint64_t word, wanted_t *wanted)
{
    content_t *c = content_of(header);
    const uint8_t *body = spot->chunk + spot->at + WORD_SIZE;
    big_t big = {0, 0};
    bool is_big = WORD_KIND(word) == BIG;
    if (is_big) {
        if (WORD_LENGTH(word) != sizeof big)
            return corrupt();
        memcpy(&big, body, sizeof big);
    }
    wanted->size = is_big ? big.size : WORD_LENGTH(word);
    mp_status_t status = check_item(wanted, word);
    if (status == MP_OK)
        status = is_big ? take_block(wanted, &big) : mp__buffer_append(wanted->out, body, (size_t)wanted->size);
    if (status == MP_OK || status == MP_BUSY)
        pass_item(c, spot, word);
    return status;
}

/* Takes the first item if there is one, else says how to wait for it: MP_BUSY with *seen (unless it only tries: a
 * deadline of 0). */
static mp_status_t try_get(mp_queue_t *queue, wanted_t *wanted, mp__deadline_t deadline, uint32_t *seen)
{
    mp__header_t *header = queue->shared.header;
    mp_status_t status = lock_side(queue, &header->second, repair_head, deadline);
    if (status != MP_OK)
        return status;
    bool announced = deadline == 0;
    for (;;) {
        spot_t spot;
        uint64_t word;
        status = first_item(header, &spot, &word);
        if (status == MP_OK) {
            status = take_item(header, &spot, word, wanted);
            if (status == MP_BUSY)
                continue;
            break;
        }
        if (status != MP_BUSY || announced)
            break;
        /* Announce, then look once more: a putter looks for the announcement after its item is visible. */
        *seen = mp__wait_announce(&header->waits[NOT_EMPTY]);
        announced = true;
    }
    mp__word_unlock(&header->second);
    return status;
}

/* Copies a big item out of its block, which is this process's now. */
static mp_status_t fetch_big(wanted_t *wanted)
{
    uint64_t room;
    const void *data = mp__block_at(wanted->block, &room);
    mp_status_t status =
        data && wanted->size <= room ? mp__buffer_append(wanted->out, data, (size_t)wanted->size) : corrupt();
    mp__block_free(wanted->block);
    return status;
}

/* Waits for an item without sleeping, for a moment. */
static bool spin_for_item(mp__header_t *header, mp__spin_t *spin, mp__deadline_t deadline)
{
    bool found;
    while (!(found = has_more(header)) && mp__spin(spin, deadline))
        ;
    return found;
}

/* Takes what is wanted; waits for it until the deadline, or the peer's end. */
static mp_status_t get(mp_queue_t *queue, wanted_t *wanted, const mp__peer_t *peer, mp__deadline_t deadline)
{
    mp__header_t *header = queue->shared.header;
    mp_status_t end = MP_OK; /* else: one last look, so that neither a wake-up nor what a dead peer left is wasted */
    mp__spin_t spin = {.most = MP__SPIN_BRIEF};
    mp__buffer_clear(wanted->out);
    if (deadline != 0)
        (void)spin_for_item(header, &spin, deadline);
    for (bool slept = false;; slept = true) {
        uint32_t seen = 0;
        mp_status_t status = try_get(queue, wanted, deadline, &seen);
        if (status == MP_OK)
            mp__wait_notify(&header->waits[NOT_FULL]);
        if (slept && status != MP_BUSY && status != MP_GONE)
            hand_on(header, NOT_EMPTY);
        if (status == MP_OK) {
            mp__spin_end(&spin);
            return wanted->block ? fetch_big(wanted) : MP_OK;
        }
        if (status == MP_BUSY && end == MP_GONE)
            return MP_GONE;
        if (status == MP_TIMEOUT || (status == MP_BUSY && end == MP_TIMEOUT))
            return mp__error(MP_TIMEOUT, "get from a queue", "it is empty");
        if (status != MP_BUSY)
            return status;
        end = await(queue, &header->waits[NOT_EMPTY], seen, peer, deadline);
    }
}

mp_status_t mp__queue_get_item(mp_queue_t *queue, mp__item_t type, uint64_t most, mp__buffer_t *out, uint64_t *size,
                               mp__deadline_t deadline)
{
    wanted_t wanted = {type, most, out, 0, 0};
    mp_status_t status = get(queue, &wanted, NULL, deadline);
    *size = wanted.size;
    return status;
}

mp_status_t mp__queue_get_from(mp_queue_t *queue, const mp__peer_t *peer, mp__buffer_t *out, mp__deadline_t deadline)
{
    wanted_t wanted = {MP__ITEM_BYTES, UINT64_MAX, out, 0, 0};
    return get(queue, &wanted, peer, deadline);
}

/* ---- without taking */

bool mp__queue_has_items(const mp_queue_t *queue)
{
    return has_more(queue->shared.header);
}

mp_status_t mp__queue_await(mp_queue_t *queue, int64_t spin_most, mp__deadline_t deadline)
{
    mp__header_t *header = queue->shared.header;
    mp_status_t status = MP_OK;
    mp__spin_t spin = {.most = spin_most};
    while (status == MP_OK && !spin_for_item(header, &spin, deadline)) {
        uint32_t seen = mp__wait_announce(&header->waits[NOT_EMPTY]);
        if (!has_more(header))
            status = await(queue, &header->waits[NOT_EMPTY], seen, NULL, deadline);
    }
    if (status == MP_OK)
        mp__spin_end(&spin);
    return status;
}

void mp__queue_watch_begin(mp_queue_t *queue)
{
    mp__header_t *header = queue->shared.header;
    uint32_t *wait = &header->waits[NOT_EMPTY];
    uint32_t value = mp__load32(wait);
    if ((value & MP__WAIT_NOW) && mp__object_is(header, &queue->shared.handle.reference))
        mp__cas32(wait, &value, value & ~MP__WAIT_NOW);
}

void mp__queue_watch_end(mp_queue_t *queue)
{
    mp__header_t *header = queue->shared.header;
    hand_on(header, NOT_EMPTY);
}

/* ---- the public queue */

mp_status_t mp__queue_open(const mp__reference_t *reference, void **queue)
{
    return mp__shared_open(MP_KIND_QUEUE, reference, queue);
}

mp_status_t mp_queue_create(mp_queue_t **queue, uint64_t max_items)
{
    mp_status_t status = mp__shared_create(MP_KIND_QUEUE, (mp__shared_t **)queue);
    if (status != MP_OK)
        return status;
    mp__header_t *header = (*queue)->shared.header;
    content_t *c = content_of(header);
    mp__block_t block;
    status = mp__block_alloc(FIRST_CHUNK, container_of(header), &block);
    if (status != MP_OK) {
        mp_queue_close(*queue);
        *queue = NULL;
        return status;
    }
    mp__store64((uint64_t *)(void *)(mp__family.base + (uint64_t)mp__low(block) * MP__UNIT), 0);
    c->max_items = max_items;
    c->tail = c->head = mp__pair(mp__low(block), 0);
    return MP_OK;
}

/* Frees the chain and what it names. Nobody is in the queue any more. */
static void release_chain(mp__header_t *header)
{
    content_t *c = content_of(header);
    spot_t spot;
    uint64_t word;
    while (find_spot(header, c->head, &spot)) {
        mp_status_t status = first_item(header, &spot, &word);
        if (status != MP_OK) {
            mp__block_free(spot.block);
            return;
        }
        big_t big;
        if (WORD_KIND(word) == BIG && WORD_LENGTH(word) == sizeof big) {
            memcpy(&big, spot.chunk + spot.at + WORD_SIZE, sizeof big);
            mp__block_free(big.block);
        }
        pass_item(c, &spot, word);
    }
}

mp_status_t mp_queue_close(mp_queue_t *queue)
{
    return mp__shared_close((mp__shared_t *)queue, MP_KIND_QUEUE, release_chain);
}

mp_status_t mp__queue_end(mp_queue_t *queue)
{
    mp__shared_t *shared = &queue->shared;
    if (!mp__shared_mine(shared))
        return mp__error(MP_STATE, "end a queue", "this process did not make it, or has ended it");
    shared->maker = 0;
    return mp__object_end(shared->header, &shared->handle.reference, release_chain);
}

mp_status_t mp_queue_size(mp_queue_t *queue, uint64_t *size)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)queue, MP_KIND_QUEUE);
    if (status != MP_OK)
        return status;
    uint64_t count = count_of(content_of(queue->shared.header));
    if (!mp__object_is(queue->shared.header, &queue->shared.handle.reference))
        return mp__object_gone("ask a queue's size");
    *size = count;
    return MP_OK;
}

/* Begins a put or get. */
static mp_status_t begin(mp_queue_t *queue, double timeout, mp__deadline_t *deadline)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)queue, MP_KIND_QUEUE);
    return status == MP_OK ? mp__deadline(timeout, deadline) : status;
}

mp_status_t mp__queue_put(mp_queue_t *queue, mp_value_t value, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = begin(queue, timeout, &deadline);
    if (status != MP_OK)
        return status;
    mp__buffer_t buffer;
    mp__buffer_init(&buffer);
    status = mp__encode(&value, NULL, &buffer);
    if (status == MP_OK)
        status = mp__queue_put_item(queue, MP__ITEM_VALUE, buffer.data, buffer.size, deadline);
    mp__buffer_fini(&buffer);
    return status;
}

mp_status_t mp_queue_get(mp_queue_t *queue, mp_value_t *value, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status =
        value ? begin(queue, timeout, &deadline) : mp__error(MP_INVALID, "get from a queue", "no place for the value");
    if (status != MP_OK)
        return status;
    *value = MP_NONE;
    uint64_t size;
    mp__buffer_t buffer;
    mp__buffer_init(&buffer);
    status = mp__queue_get_item(queue, MP__ITEM_VALUE, UINT64_MAX, &buffer, &size, deadline);
    if (status == MP_OK)
        status = mp__decode(buffer.data, buffer.size, &mp__shared_receiver, value);
    mp__buffer_fini(&buffer);
    return status;
}

mp_status_t mp_queue_put_bytes(mp_queue_t *queue, const void *data, size_t size, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status =
        data || !size ? begin(queue, timeout, &deadline) : mp__error(MP_INVALID, "put into a queue", "no data");
    return status == MP_OK ? mp__queue_put_item(queue, MP__ITEM_BYTES, data, size, deadline) : status;
}

mp_status_t mp_queue_get_bytes(mp_queue_t *queue, void *data, size_t *size, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = size && (data || !*size) ? begin(queue, timeout, &deadline)
                                                  : mp__error(MP_INVALID, "get from a queue", "no room for the bytes");
    if (status != MP_OK)
        return status;
    uint64_t length = 0;
    mp__buffer_t buffer;
    mp__buffer_init(&buffer);
    status = mp__queue_get_item(queue, MP__ITEM_BYTES, *size, &buffer, &length, deadline);
    if (status == MP_OK && length)
        memcpy(data, buffer.data, buffer.size);
    if (status == MP_OK || status == MP_TOO_LARGE)
        *size = (size_t)length;
    mp__buffer_fini(&buffer);
    return status;
}
