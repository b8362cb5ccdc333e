/* The get side: the first item's bytes, and the store that takes it. */
#include "objects/queue/chain.h"

#include "objects/queue/book.h"

#define LINE    64  /* bytes, usually */
#define AHEAD   192 /* bytes: how far before the item that is taken the next ones are asked for */
#define GLANCES 100
#define ROW     4   /* so many gets without a wait are a stream of items */
#define LULL    128 /* rounds: what a stream's next few items take to come */

/* ---- what is first */

/* Frees the chunk that head leaves by a JUMP. */
static MP__NOINLINE void leave_chunk(mp__content_t *c, const mp__spot_t *spot, uint64_t word)
{
    mp__store64(&c->retired, spot->chunk->block);
    mp__store64(&c->head, mp__pair(MP__WORD_NUMBER(word), 0));
    mp__block_free(c->retired);
    mp__store64(&c->retired, 0);
}

static inline mp_status_t first_item(mp__header_t *header, mp__block_view_t *view, mp__spot_t *spot, uint64_t *word)
{
    mp__content_t *c = mp__content(header);
    *word = 0;
    for (;;) {
        if (MP__UNLIKELY(!mp__find_spot(header, c->head, view, spot)))
            return mp__queue_corrupt();
        *word = mp__load64(mp__word_at(spot));
        switch (MP__WORD_KIND(*word)) {
        case MP__END:
            return MP_BUSY;
        case MP__JUMP:
            if (mp__high(mp__load64(&c->tail)) == mp__high(c->head))
                return MP_BUSY; /* who chained the next one is still at it, or died: nothing is there yet */
            leave_chunk(c, spot, *word);
            break;
        default:
            return MP__LIKELY(mp__item_holds(c, spot, *word)) ? MP_OK : mp__queue_corrupt();
        }
    }
}

mp_status_t mp__first_item(mp__header_t *header, mp__block_view_t *view, mp__spot_t *spot, uint64_t *word)
{
    return first_item(header, view, spot, word);
}

static inline mp_status_t wanted_fits(const mp__wanted_t *wanted, mp__item_t type, uint64_t size)
{
    if (MP__UNLIKELY(type != wanted->type && wanted->type != MP__ITEM_ANY))
        return mp__error(MP_TYPE, "get from a queue", "the first item is %s",
                         type == MP__ITEM_BYTES ? "raw bytes" : "a value");
    if (MP__UNLIKELY(size > wanted->most))
        return mp__error(MP_TOO_LARGE, "get from a queue", "the first item has %llu bytes", (unsigned long long)size);
    return MP_OK;
}

mp_status_t mp__wanted_fits(const mp__wanted_t *wanted, mp__item_t type, uint64_t size)
{
    return wanted_fits(wanted, type, size);
}

uint8_t *mp__wanted_room(mp__wanted_t *wanted, uint64_t size)
{
    return wanted->room ? wanted->room : mp__buffer_reserve(wanted->out, (size_t)size);
}

/* ---- taking it */

/* Takes a big item's block. MP_BUSY: it is gone; MP_NO_MEMORY: no room for its bytes, it stays. */
static MP__NOINLINE mp_status_t take_block(mp__wanted_t *wanted, const mp__big_t *big)
{
    uint64_t room;
    if (!mp__block_at(big->block, &room))
        return MP_BUSY;
    if (big->size > room)
        return mp__queue_corrupt();
    if (wanted->way == MP__COPIED && !mp__wanted_room(wanted, big->size))
        return MP_NO_MEMORY;
    if (!mp__block_take(big->block, mp__owner_process(mp__family.process)))
        return MP_BUSY;
    wanted->block = big->block;
    return MP_OK;
}

/* A small item is lent in a block of its own. */
static MP__NOINLINE mp_status_t lend_small(mp__wanted_t *wanted, const uint8_t *body)
{
    mp_status_t status = mp__block_alloc_until(wanted->size, mp__owner_process(mp__family.process),
                                               mp__os_now() + MP__QUEUE_MOMENT, &wanted->block);
    if (status == MP_OK)
        memcpy(mp__block_at(wanted->block, NULL), body, (size_t)wanted->size);
    return status;
}

static inline mp_status_t copy_small(mp__wanted_t *wanted, const uint8_t *body)
{
    uint8_t *to = mp__wanted_room(wanted, wanted->size);
    if (!to)
        return MP_NO_MEMORY;
    memcpy(to, body, (size_t)wanted->size);
    if (!wanted->room)
        wanted->out->size += (size_t)wanted->size;
    return MP_OK;
}

/* The payload of the item at the spot: copied, or in a block of this process. MP_BUSY: its block is gone. */
static inline mp_status_t take_payload(const mp__content_t *c, const mp__spot_t *spot, uint64_t word,
                                       mp__wanted_t *wanted)
{
    if (MP__WORD_KIND(word) == MP__BIG) {
        mp__big_t big = mp__big_at(c, spot);
        return take_block(wanted, &big);
    }
    const uint8_t *body = mp__body_at(spot) + mp__prefix(c);
    return MP__UNLIKELY(wanted->way == MP__LENT) ? lend_small(wanted, body) : copy_small(wanted, body);
}

/* The same where the book tells who has the item. */
static MP__NOINLINE mp_status_t take_booked(mp_queue_t *queue, const mp__spot_t *spot, uint64_t word,
                                            mp__wanted_t *wanted)
{
    mp__content_t *c = mp__content(queue->shared.header);
    mp_status_t status = wanted->way == MP__LEASED ? mp__book_lease(queue, spot, word, wanted) : mp__book_taker(queue);
    if (status == MP_OK && wanted->way != MP__LEASED)
        status = take_payload(c, spot, word, wanted);
    if (status == MP_BUSY)
        status = mp__book_lost(queue) == MP_OK ? MP_BUSY : MP_NO_MEMORY;
    if (status == MP_OK || status == MP_BUSY) {
        mp__pass_items(c, spot, word, 1, wanted->size);
        mp__book_apply(queue);
    } else {
        mp__book_forget(queue);
    }
    return status;
}

/* Where more items follow their lines are asked for; else they are left to who writes them. */
static inline void ask_ahead(const mp__spot_t *spot, uint64_t word)
{
    const uint8_t *next = mp__body_at(spot) + mp__padded(MP__WORD_LENGTH(word));
    if (MP__WORD_KIND(mp__load64((const uint64_t *)(const void *)next)) == MP__END)
        return;
    MP__READS_SOON(next + AHEAD);
    MP__READS_SOON(next + AHEAD + LINE);
}

/* Takes the item at the spot. MP_BUSY: its block went with a dead process; it is passed over. */
static inline mp_status_t take_item(mp_queue_t *queue, const mp__spot_t *spot, uint64_t word, mp__wanted_t *wanted)
{
    mp__content_t *c = mp__content(queue->shared.header);
    wanted->size = mp__item_size(c, spot, word);
    mp_status_t status = wanted_fits(wanted, MP__WORD_TYPE(word), wanted->size);
    if (MP__UNLIKELY(status != MP_OK))
        return status;
    if (MP__UNLIKELY(wanted->way == MP__LEASED || (c->flags & MP__QUEUE_JOINABLE))) {
        status = take_booked(queue, spot, word, wanted);
    } else {
        status = take_payload(c, spot, word, wanted);
        ask_ahead(spot, word);
        if (MP__LIKELY(status == MP_OK || status == MP_BUSY))
            mp__pass_items(c, spot, word, 1, wanted->size);
    }
    wanted->type = MP__WORD_TYPE(word);
    return status;
}

/* What most gets are: a small item of a queue that keeps no books, copied. False: nothing was taken, and the long way
 * says why. */
static inline bool take_plain(mp_queue_t *queue, mp__wanted_t *wanted)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    mp__spot_t spot;
    if (MP__UNLIKELY(c->book || mp__load64(&c->closed) || c->flags || wanted->way != MP__COPIED || wanted->items) ||
        MP__UNLIKELY(!mp__find_spot(header, c->head, &queue->get_chunk, &spot)))
        return false;
    uint64_t word = mp__load64(mp__word_at(&spot)), size = MP__WORD_LENGTH(word);
    if (MP__UNLIKELY(MP__WORD_KIND(word) != MP__SMALL || MP__WORD_TYPE(word) != wanted->type || size > wanted->most ||
                     !mp__fits(&spot, size)))
        return false;
    wanted->size = size;
    if (MP__UNLIKELY(copy_small(wanted, mp__body_at(&spot)) != MP_OK))
        return false;
    ask_ahead(&spot, word);
    mp__pass_items(c, &spot, word, 1, size);
    return true;
}

/* ---- several at once */

/* Copies the small items from the spot on, as many as are wanted, are there in this chunk and have room; the spot and
 * word are then the last one's. */
static size_t copy_row(const mp__content_t *c, mp__spot_t *spot, uint64_t *word, mp__wanted_t *wanted, size_t from,
                       uint64_t *used)
{
    mp__spot_t here = *spot, last = here;
    mp_bytes_t *item = wanted->items + from, *end = wanted->items + wanted->n;
    uint8_t *to = wanted->room + *used;
    uint64_t left = wanted->most - *used, prefix = mp__prefix(c), size;
    mp__item_t type = wanted->type;
    for (uint64_t w = *word; item < end; w = mp__load64(mp__word_at(&here))) {
        if (MP__WORD_KIND(w) != MP__SMALL || MP__WORD_TYPE(w) != type || !mp__fits(&here, MP__WORD_LENGTH(w)) ||
            MP__WORD_LENGTH(w) < prefix || (size = MP__WORD_LENGTH(w) - prefix) > left)
            break;
        MP__READS_SOON(mp__body_at(&here) + 4 * AHEAD);
        MP__READS_SOON(mp__body_at(&here) + 4 * AHEAD + LINE);
        if (size)
            memcpy(to, mp__body_at(&here) + prefix, (size_t)size);
        *item++ = (mp_bytes_t){to, (size_t)size};
        to += size;
        left -= size;
        *word = w;
        last = here;
        here.at += MP__WORD_SIZE + mp__padded(MP__WORD_LENGTH(w));
    }
    *spot = last;
    *used = wanted->most - left;
    return (size_t)(item - wanted->items);
}

/* Takes the first items; a large one, or one that the book counts, comes alone. */
static MP__NOINLINE mp_status_t take_items(mp_queue_t *queue, mp__spot_t *spot, uint64_t word, mp__wanted_t *wanted)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    size_t taken = 0;
    uint64_t used = 0;
    mp_status_t status = MP_OK;
    while (status == MP_OK && taken < wanted->n && !(c->flags & MP__QUEUE_JOINABLE)) {
        uint64_t before = used;
        size_t count = copy_row(c, spot, &word, wanted, taken, &used);
        if (count == taken)
            break;
        mp__pass_items(c, spot, word, count - taken, used - before);
        taken = count;
        status = first_item(header, &queue->get_chunk, spot, &word);
    }
    if (taken == 0) {
        status = take_item(queue, spot, word, wanted);
        if (status != MP_OK)
            return status;
        wanted->items[taken++] = (mp_bytes_t){wanted->room, (size_t)wanted->size};
    }
    wanted->n = taken;
    return MP_OK;
}

/* ---- one attempt */

/* What came back from a lease goes first; else the first of the chain. MP_BUSY: there is none. */
static inline mp_status_t take_first(mp_queue_t *queue, mp__wanted_t *wanted)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    mp__spot_t spot;
    uint64_t word;
    mp_status_t status = MP_BUSY;
    if (MP__UNLIKELY(c->closed & MP__QUEUE_DROPPED))
        return mp__queue_closed("get from a queue");
    if (MP__UNLIKELY(c->book != 0))
        status = mp__book_take_returned(queue, wanted);
    while (status == MP_BUSY) {
        status = first_item(header, &queue->get_chunk, &spot, &word);
        if (status != MP_OK)
            break;
        status = wanted->items ? take_items(queue, &spot, word, wanted) : take_item(queue, &spot, word, wanted);
    }
    if (status == MP_BUSY) {
        wanted->word = mp__word_at(&spot);
        wanted->seen = word;
    }
    return status;
}

/* Takes what is first if it is there; else MP_BUSY, and with `announce` how to wait for it in *seen. */
static inline mp_status_t try_take(mp_queue_t *queue, mp__wanted_t *wanted, mp__deadline_t deadline, bool announce,
                                   uint32_t *seen)
{
    mp__header_t *header = queue->shared.header;
    mp_status_t status = mp__lock_get_side(queue, deadline);
    if (status != MP_OK)
        return status;
    status = take_first(queue, wanted);
    if (status == MP_BUSY && announce) {
        /* Announce, then look once more: a putter looks for the announcement after its item is visible. */
        *seen = mp__wait_announce(&header->waits[MP__NOT_EMPTY]);
        mp__book_find_dead(queue);
        status = take_first(queue, wanted);
    }
    /* No put comes after it was closed, so one more look is the last. */
    if (status == MP_BUSY && MP__UNLIKELY(mp__load64(&mp__content(header)->closed))) {
        status = take_first(queue, wanted);
        if (status == MP_BUSY)
            status = mp__queue_closed("get from a queue");
    }
    mp__unlock_side(&header->second);
    return status;
}

/* ---- waiting for it */

/* Copies a big item out of its block, which is this process's now (or, on lease, the queue's still). */
static MP__NOINLINE mp_status_t fetch_big(mp__wanted_t *wanted)
{
    uint64_t room;
    uint8_t *to = mp__wanted_room(wanted, wanted->size);
    const void *data = mp__block_at(wanted->block, &room);
    mp_status_t status = !to ? MP_NO_MEMORY : data && wanted->size <= room ? MP_OK : mp__queue_corrupt();
    if (status == MP_OK)
        memcpy(to, data, (size_t)wanted->size);
    if (status == MP_OK && !wanted->room)
        wanted->out->size += (size_t)wanted->size;
    if (wanted->way == MP__COPIED)
        mp__block_free(wanted->block);
    return status;
}

static inline mp_status_t taken(mp_queue_t *queue, mp__wanted_t *wanted)
{
    mp__notify_room(queue->shared.header);
    return MP__UNLIKELY(wanted->block && wanted->way != MP__LENT) ? fetch_big(wanted) : MP_OK;
}

/* Looks without a lock at the place where the next item's word will be. The memory is there as long as the arena is;
 * whatever it becomes, it is only a reason to look. */
static void spin_at_word(const mp__wanted_t *wanted, mp__spin_t *spin, mp__deadline_t deadline)
{
    while (mp__load64(wanted->word) == wanted->seen && mp__spin(spin, deadline))
        ;
}

MP__THREAD_LOCAL bool mp__shares_processor;

/* After the first look. */
static MP__NOINLINE mp_status_t take_slowly(mp_queue_t *queue, mp__wanted_t *wanted, const mp__peer_t *peer,
                                            mp__deadline_t deadline)
{
    mp__header_t *header = queue->shared.header;
    mp_status_t end = MP_OK; /* else: one last look, so that neither a wake-up nor what a dead peer left is wasted */
    mp__spin_t spin = {.most = MP__SPIN_BRIEF};
    spin_at_word(wanted, &spin, deadline);
    for (bool slept = false;; slept = true) {
        uint32_t seen = 0;
        mp_status_t status = try_take(queue, wanted, deadline, true, &seen);
        if (slept && status != MP_BUSY && status != MP_GONE)
            mp__queue_hand_on(header, MP__NOT_EMPTY);
        if (status == MP_OK) {
            mp__spin_end(&spin);
            mp__shares_processor |= slept;
            return taken(queue, wanted);
        }
        if (status == MP_BUSY && end == MP_GONE)
            return MP_GONE;
        if (status == MP_TIMEOUT || (status == MP_BUSY && end == MP_TIMEOUT))
            return mp__error(MP_TIMEOUT, "get from a queue", "it is empty");
        if (status != MP_BUSY)
            return status;
        end = mp__queue_sleep(queue, MP__NOT_EMPTY, seen, peer, deadline);
    }
}

static MP__NOINLINE mp_status_t none(const mp_queue_t *queue)
{
    const char *step = "get from a queue";
    return mp__shared_unmet(&queue->shared, mp__error(MP_TIMEOUT, step, "it is empty"), step);
}

mp_status_t mp__queue_take(mp_queue_t *queue, mp__wanted_t *wanted, const mp__peer_t *peer, mp__deadline_t deadline)
{
    mp_status_t status = try_take(queue, wanted, deadline, false, NULL);
    if (MP__LIKELY(status == MP_OK))
        return taken(queue, wanted);
    if (status == MP_BUSY && deadline != 0)
        return take_slowly(queue, wanted, peer, deadline);
    return status == MP_BUSY || status == MP_TIMEOUT ? none(queue) : status;
}

/* One attempt that waits for nobody. */
static inline mp_status_t take_at_once(mp_queue_t *queue, mp__wanted_t *wanted)
{
    if (MP__UNLIKELY(!mp__lock_free_side(queue, &queue->shared.header->second)))
        return MP_BUSY;
    mp_status_t status = MP__LIKELY(take_plain(queue, wanted)) ? MP_OK : take_first(queue, wanted);
    mp__store64(&queue->row, mp__load64(&queue->row) + (status == MP_OK));
    mp__unlock_side(&queue->shared.header->second);
    return status;
}

/* Who takes item after item and overtakes the putter looks away for as long as a few more take to come: at the place
 * where the next one is being written it would hold up the putter, who holds it up, with each of them. */
static void fall_behind(mp_queue_t *queue)
{
    if (mp__load64(&queue->row) > ROW)
        for (int i = 0; i < LULL; i++)
            mp__cpu_relax();
    mp__store64(&queue->row, 0);
}

/* Looks for the next item a little, without the clock: an answer on its way comes sooner than the time is told. */
static bool glance(mp_queue_t *queue, const mp__wanted_t *wanted)
{
    if (mp__shares_processor) {
        mp__shares_processor = false;
        mp__os_yield();
    }
    if (!wanted->word || !mp__may_spin())
        return false;
    fall_behind(queue);
    for (int i = 0; i < GLANCES; i++) {
        if (mp__load64(wanted->word) != wanted->seen) {
            MP__READS_SOON(wanted->word + LINE / sizeof *wanted->word);
            return true;
        }
        mp__cpu_relax();
    }
    return false;
}

mp_status_t mp__queue_take_in(mp_queue_t *queue, mp__wanted_t *wanted, double seconds)
{
    mp__deadline_t deadline;
    mp_status_t status = take_at_once(queue, wanted);
    if (status == MP_BUSY && seconds > 0 && glance(queue, wanted))
        status = take_at_once(queue, wanted);
    if (MP__LIKELY(status == MP_OK))
        return taken(queue, wanted);
    if (status == MP_BUSY && (status = mp__deadline(seconds, &deadline)) == MP_OK)
        status = mp__queue_take(queue, wanted, NULL, deadline);
    return status;
}

mp_status_t mp__queue_get_item(mp_queue_t *queue, mp__item_t type, uint64_t most, mp__buffer_t *out, uint64_t *size,
                               mp__deadline_t deadline)
{
    mp__wanted_t wanted;
    mp__want(&wanted, MP__COPIED, type, most);
    wanted.out = out;
    mp__buffer_clear(out);
    mp_status_t status = mp__queue_take(queue, &wanted, NULL, deadline);
    *size = wanted.size;
    return status;
}

mp_status_t mp__queue_get_from(mp_queue_t *queue, const mp__peer_t *peer, mp__buffer_t *out, mp__deadline_t deadline)
{
    mp__wanted_t wanted;
    mp__want(&wanted, MP__COPIED, MP__ITEM_BYTES, UINT64_MAX);
    wanted.out = out;
    mp__buffer_clear(out);
    return mp__queue_take(queue, &wanted, peer, deadline);
}

/* ---- without taking */

static bool has_more(mp__header_t *header)
{
    return mp__queue_count(mp__content(header)) > 0;
}

bool mp__queue_has_items(const mp_queue_t *queue)
{
    return has_more(queue->shared.header);
}

/* Waits for an item without sleeping, for a moment. */
static bool spin_for_item(mp__header_t *header, mp__spin_t *spin, mp__deadline_t deadline)
{
    bool found;
    while (!(found = has_more(header)) && mp__spin(spin, deadline))
        ;
    return found;
}

mp_status_t mp__queue_await(mp_queue_t *queue, int64_t spin_most, mp__deadline_t deadline)
{
    mp__header_t *header = queue->shared.header;
    mp_status_t status = MP_OK;
    mp__spin_t spin = {.most = spin_most};
    while (status == MP_OK && !spin_for_item(header, &spin, deadline)) {
        uint32_t seen = mp__wait_announce(&header->waits[MP__NOT_EMPTY]);
        if (!has_more(header))
            status = mp__queue_sleep(queue, MP__NOT_EMPTY, seen, NULL, deadline);
    }
    if (status == MP_OK)
        mp__spin_end(&spin);
    return status;
}

void mp__queue_watch_begin(mp_queue_t *queue)
{
    mp__header_t *header = queue->shared.header;
    uint32_t *wait = &header->waits[MP__NOT_EMPTY];
    uint32_t value = mp__load32(wait);
    if ((value & MP__WAIT_NOW) && mp__object_is(header, &queue->shared.handle.reference))
        mp__cas32(wait, &value, value & ~MP__WAIT_NOW);
}

void mp__queue_watch_end(mp_queue_t *queue)
{
    mp__queue_hand_on(queue->shared.header, MP__NOT_EMPTY);
}
