/* The chain: its two sides' locks and repairs, waiting at it, its end. */
#include "objects/queue/chain.h"

#include "objects/queue/book.h"

mp_status_t mp__queue_corrupt(void)
{
    return mp__error(MP_CORRUPT, "use a queue", "its chain does not hold");
}

mp_status_t mp__queue_closed(const char *step)
{
    return mp__error(MP_CLOSED, step, "it was shut down");
}

/* ---- waiting */

mp_status_t mp__queue_sleep(mp_queue_t *queue, unsigned which, uint32_t seen, const mp__peer_t *peer,
                            mp__deadline_t deadline)
{
    mp__header_t *header = queue->shared.header;
    uint32_t *wait = &header->waits[which];
    mp_status_t status = mp__wait_sleep(header, &queue->shared.handle.reference, wait, seen, deadline);
    if (status == MP_OK && mp__load32(wait) == seen && peer && mp__process_dead(peer->slot, peer->epoch))
        return mp__error(MP_GONE, "wait at a queue", "the process that was to fill it died");
    return status;
}

static bool seems_full(const mp__content_t *c)
{
    uint64_t count = mp__load64(&c->puts) - mp__load64(&c->gets);
    return c->max_items && count >= c->max_items;
}

void mp__queue_hand_on(mp__header_t *header, unsigned which)
{
    mp__wait_announce(&header->waits[which]);
    const mp__content_t *c = mp__content(header);
    bool more = which == MP__NOT_EMPTY ? mp__queue_count(c) > 0 : !seems_full(c);
    if (more || mp__load64(&c->closed))
        mp__wait_notify(&header->waits[which]);
}

/* ---- the put side's repair */

/* The first of a chunk, or what stands behind a spot. */
static void move_spot(mp__spot_t *spot, uint64_t length)
{
    spot->at += MP__WORD_SIZE + mp__padded(length);
}

/* Counts an item that is there, and moves the tail behind it. */
static void pass_put(mp__content_t *c, mp__spot_t *spot, uint64_t word)
{
    if (MP__WORD_KIND(word) == MP__BIG && mp__big_at(c, spot).block == c->arriving)
        mp__store64(&c->arriving, 0);
    mp__store64(&c->puts, c->puts + (uint64_t)(int32_t)(MP__WORD_NUMBER(word) + 1 - (uint32_t)c->puts));
    if (c->flags & MP__QUEUE_BYTES) {
        uint64_t before;
        memcpy(&before, mp__body_at(spot), sizeof before);
        mp__store64(&c->put_bytes, before + mp__item_size(c, spot, word));
    }
    move_spot(spot, MP__WORD_LENGTH(word));
    mp__store64(&c->tail, mp__pair(mp__high(c->tail), (uint32_t)spot->at));
}

/* Moves the tail over what was committed: a JUMP and a batch at most, so no more than two chunks hold. */
static mp_status_t follow_puts(mp__header_t *header, mp__block_view_t *view)
{
    mp__content_t *c = mp__content(header);
    for (int jumps = 0; jumps <= 2;) {
        mp__spot_t spot;
        if (!mp__find_spot(header, c->tail, view, &spot))
            break;
        uint64_t word = mp__load64(mp__word_at(&spot));
        if (MP__WORD_KIND(word) == MP__END)
            return MP_OK;
        if (MP__WORD_KIND(word) == MP__JUMP) {
            jumps++;
            mp__store64(&c->tail, mp__pair(MP__WORD_NUMBER(word), 0));
        } else if (mp__item_holds(c, &spot, word)) {
            pass_put(c, &spot, word);
        } else {
            break;
        }
    }
    return mp__queue_corrupt();
}

/* A block that the queue owns already, whose item was to be the next: its body and the END behind it are there. */
static void finish_put(mp__header_t *header, mp__block_view_t *view)
{
    mp__content_t *c = mp__content(header);
    uint64_t length = mp__prefix(c) + sizeof(mp__big_t), size;
    mp__block_t block;
    mp__spot_t spot;
    if (!mp__block_owned(mp__low(c->arriving), mp__container(header), &block, &size) || block != c->arriving)
        return; /* it is still the dead one's, or another queue's */
    if (mp__find_spot(header, c->tail, view, &spot) && mp__fits(&spot, length) && mp__big_at(c, &spot).block == block) {
        mp__item_t type = mp__big_at(c, &spot).type ? MP__ITEM_BYTES : MP__ITEM_VALUE;
        mp__store64(mp__word_at(&spot), mp__word(MP__BIG, type, length, (uint32_t)c->puts));
    } else {
        mp__block_free(block);
    }
}

/* After a death in it: the tail goes on; what did not get into the chain goes back. */
static mp_status_t repair_tail(mp__header_t *header, mp__block_view_t *view)
{
    mp__content_t *c = mp__content(header);
    mp_status_t status = follow_puts(header, view);
    if (status == MP_OK && c->arriving) {
        finish_put(header, view);
        status = follow_puts(header, view);
    }
    if (status != MP_OK)
        return status;
    mp__store64(&c->arriving, 0);
    if (mp__low(c->spare) != mp__high(c->tail))
        mp__block_free(c->spare);
    mp__store64(&c->spare, 0);
    return MP_OK;
}

/* ---- the get side's repair */

/* After a death in it: the number at head says how many went before; a chunk that was left behind goes back. */
static mp_status_t repair_head(mp__header_t *header, mp__block_view_t *view)
{
    mp__content_t *c = mp__content(header);
    mp__block_view_t next = {0};
    mp__spot_t spot;
    if (!mp__find_spot(header, c->head, view, &spot))
        return mp__queue_corrupt();
    mp__block_t chunk = spot.chunk->block;
    uint64_t word = mp__load64(mp__word_at(&spot));
    if (MP__WORD_KIND(word) == MP__JUMP) {
        if (!mp__find_spot(header, mp__pair(MP__WORD_NUMBER(word), 0), &next, &spot))
            return mp__queue_corrupt();
        word = mp__load64(mp__word_at(&spot));
    }
    mp__store64(&c->gets, c->gets + (uint64_t)(int32_t)(MP__WORD_NUMBER(word) - (uint32_t)c->gets));
    if (c->flags & MP__QUEUE_BYTES)
        memcpy(&c->got_bytes, mp__body_at(&spot), sizeof c->got_bytes);
    if (c->retired != chunk)
        mp__block_free(c->retired);
    mp__store64(&c->retired, 0);
    return mp__book_repair(header);
}

/* ---- the locks */

typedef mp_status_t (*repair_t)(mp__header_t *header, mp__block_view_t *view);

static mp_status_t repaired(mp__header_t *header, mp__lock_word_t *lock, mp__block_view_t *view, repair_t repair)
{
    mp_status_t status = repair(header, view);
    if (status != MP_OK)
        mp__word_abandon(lock); /* it stays damaged, for all */
    return status;
}

static mp_status_t lock_slowly(mp_queue_t *queue, mp__lock_word_t *lock, mp__block_view_t *view, repair_t repair,
                               mp__deadline_t deadline)
{
    mp__header_t *header = queue->shared.header;
    const mp__reference_t *reference = &queue->shared.handle.reference;
    mp_status_t status = mp__object_lock(header, lock, reference, deadline);
    if (status == MP_TIMEOUT && deadline == 0)
        status = mp__object_lock(header, lock, reference, mp__os_now() + MP__QUEUE_MOMENT);
    return status == MP_OWNER_DIED ? repaired(header, lock, view, repair) : status;
}

mp_status_t mp__lock_put_slowly(mp_queue_t *queue, mp__deadline_t deadline)
{
    return lock_slowly(queue, &queue->shared.header->lock, &queue->put_chunk, repair_tail, deadline);
}

mp_status_t mp__lock_get_slowly(mp_queue_t *queue, mp__deadline_t deadline)
{
    return lock_slowly(queue, &queue->shared.header->second, &queue->get_chunk, repair_head, deadline);
}

mp_status_t mp__try_put_side(mp__header_t *header, const mp__reference_t *reference, mp__block_view_t *view)
{
    mp_status_t status = mp__object_lock(header, &header->lock, reference, 0);
    return status == MP_OWNER_DIED ? repaired(header, &header->lock, view, repair_tail) : status;
}

/* ---- the end */

void mp__release_chain(mp__header_t *header)
{
    mp__content_t *c = mp__content(header);
    mp__block_view_t view = {0};
    mp__spot_t spot;
    uint64_t word;
    mp__book_release(header);
    while (mp__find_spot(header, c->head, &view, &spot)) {
        if (mp__first_item(header, &view, &spot, &word) != MP_OK) {
            mp__block_free(view.block);
            return;
        }
        if (MP__WORD_KIND(word) == MP__BIG)
            mp__block_free(mp__big_at(c, &spot).block);
        mp__pass_items(c, &spot, word, 1, 0);
    }
}
