/* The put side: bodies behind the tail, and the word that makes them visible. */
#include "objects/queue/chain.h"

#define MEMORY_PAUSE (20 * MP__MILLISECOND) /* when the cap is reached, room may come from anywhere */
#define LINE         64                     /* bytes, usually */
#define AHEAD        512 /* bytes: the lines that puts are going to write are asked for, as they are with the getters */
#define LULL         64  /* rounds between two looks at a full queue: looking holds up the getters */
#define SOME         8   /* that part of a queue is room worth waiting for */

uint64_t mp__queue_first_chunk = 2048;
uint64_t mp__queue_chunk = 32768;

static mp_status_t busy(void)
{
    return mp__error(MP_TIMEOUT, "put into a queue", "another is at it");
}

static mp__deadline_t at_least_a_moment(mp__deadline_t deadline)
{
    if (deadline == MP__NEVER)
        return deadline;
    mp__deadline_t least = mp__os_now() + MP__QUEUE_MOMENT;
    return deadline < least ? least : deadline;
}

/* ---- room */

static inline bool has_room(const mp__content_t *c, uint64_t n, uint64_t bytes)
{
    return (!c->max_items || c->puts - c->gets_seen + n <= c->max_items) &&
           (!c->max_bytes || c->put_bytes - c->bytes_seen + bytes <= c->max_bytes);
}

/* What is left of a bound. More than it says may be used: dead letters are put whatever it says. */
static inline uint64_t left_of(uint64_t most, uint64_t used)
{
    return !most ? UINT64_MAX : used < most ? most - used : 0;
}

/* What the getters did is looked up only when what was seen of it does not suffice: that line is theirs. */
static MP__NOINLINE bool look_for_room(mp__content_t *c, uint64_t n, uint64_t bytes)
{
    c->gets_seen = mp__load64(&c->gets);
    c->bytes_seen = mp__load64(&c->got_bytes);
    return has_room(c, n, bytes);
}

/* Is there room for n items of so many bytes together? Under header.lock. */
static inline bool find_room(mp__content_t *c, uint64_t n, uint64_t bytes)
{
    return MP__LIKELY(has_room(c, n, bytes)) || look_for_room(c, n, bytes);
}

/* ---- laying down */

/* A word and, where bytes are counted, the sum of those before it. */
static inline void lay_word(uint8_t *at, uint64_t prefix, uint64_t word, uint64_t bytes)
{
    if (prefix)
        memcpy(at + MP__WORD_SIZE, &bytes, sizeof bytes);
    mp__store64((uint64_t *)(void *)at, word);
}

/* What stands behind the last item: the number of the next one. */
static inline void lay_end(uint8_t *at, uint64_t prefix, uint64_t number, uint64_t bytes)
{
    lay_word(at, prefix, mp__word(MP__END, MP__ITEM_VALUE, 0, (uint32_t)number), bytes);
}

void mp__lay_first(uint8_t *chunk, const mp__content_t *c)
{
    lay_end(chunk, mp__prefix(c), c->puts, c->put_bytes);
}

/* Chains a fresh chunk behind the spot and moves the spot there. */
static MP__NOINLINE mp_status_t add_chunk(mp__header_t *header, mp__spot_t *spot, mp__deadline_t deadline)
{
    mp__content_t *c = mp__content(header);
    mp__owner_t self = mp__owner_process(mp__family.process);
    mp__block_t block;
    mp_status_t status = mp__block_alloc_until(mp__queue_chunk, self, at_least_a_moment(deadline), &block);
    if (status != MP_OK)
        return status;
    uint32_t place = mp__low(block);
    mp__lay_first(mp__family.base + (uint64_t)place * MP__UNIT, c);
    mp__store64(&c->spare, block);
    mp__block_give(block, self, mp__container(header));
    mp__store64(mp__word_at(spot), mp__word(MP__JUMP, 0, 0, place));
    mp__store64(&c->tail, mp__pair(place, 0));
    mp__store64(&c->spare, 0);
    return mp__find_spot(header, mp__pair(place, 0), spot->chunk, spot) ? MP_OK : mp__queue_corrupt();
}

/* Finds the place behind the tail for so many bytes, in a new chunk if need be. */
static inline mp_status_t tail_spot(mp__header_t *header, mp__block_view_t *view, uint64_t length,
                                    mp__deadline_t deadline, mp__spot_t *spot)
{
    if (MP__UNLIKELY(!mp__find_spot(header, mp__content(header)->tail, view, spot)))
        return mp__queue_corrupt();
    if (MP__LIKELY(mp__fits(spot, length)))
        return MP_OK;
    mp_status_t status = add_chunk(header, spot, deadline);
    return status == MP_OK && !mp__fits(spot, length) ? mp__queue_corrupt() : status;
}

/* Writes a body at the spot; returns what follows it. */
static inline uint64_t lay_body(const mp__spot_t *spot, uint64_t prefix, const void *body, uint64_t length)
{
    uint64_t next = spot->at + MP__WORD_SIZE + mp__padded(prefix + length);
    if (length)
        memcpy(mp__body_at(spot) + prefix, body, (size_t)length);
    MP__WRITES_SOON(spot->data + next + AHEAD);
    MP__WRITES_SOON(spot->data + next + AHEAD + LINE);
    return next;
}

/* Counts what was made visible. */
static inline void pass_items(mp__content_t *c, uint64_t n, uint64_t bytes, uint64_t next)
{
    mp__store64(&c->puts, c->puts + n);
    if (c->flags & MP__QUEUE_BYTES)
        mp__store64(&c->put_bytes, c->put_bytes + bytes);
    mp__store64(&c->tail, mp__pair(mp__high(c->tail), (uint32_t)next));
}

static inline mp_status_t append_small(mp__header_t *header, mp__block_view_t *view, mp__item_t type, const void *data,
                                       uint64_t size, mp__deadline_t deadline)
{
    mp__content_t *c = mp__content(header);
    mp__spot_t spot;
    uint64_t prefix = mp__prefix(c);
    mp_status_t status = tail_spot(header, view, prefix + size, deadline, &spot);
    if (status != MP_OK)
        return status;
    uint64_t next = lay_body(&spot, prefix, data, size);
    lay_end(spot.data + next, prefix, c->puts + 1, c->put_bytes + size);
    mp__store64(mp__word_at(&spot), mp__word(MP__SMALL, type, prefix + size, (uint32_t)c->puts));
    pass_items(c, 1, size, next);
    return MP_OK;
}

mp_status_t mp__append_block(mp__header_t *header, mp__block_view_t *view, mp__item_t type, const mp__big_t *big,
                             mp__owner_t from, mp__deadline_t deadline)
{
    mp__content_t *c = mp__content(header);
    mp__spot_t spot;
    uint64_t prefix = mp__prefix(c);
    mp_status_t status = tail_spot(header, view, prefix + sizeof *big, deadline, &spot);
    if (status != MP_OK)
        return status;
    uint64_t next = lay_body(&spot, prefix, big, sizeof *big);
    lay_end(spot.data + next, prefix, c->puts + 1, c->put_bytes + big->size);
    mp__store64(&c->arriving, big->block);
    if (!mp__block_give(big->block, from, mp__container(header))) {
        mp__store64(&c->arriving, 0);
        return mp__error(MP_GONE, "put into a queue", "its memory is not there any more");
    }
    mp__store64(mp__word_at(&spot), mp__word(MP__BIG, type, prefix + sizeof *big, (uint32_t)c->puts));
    mp__store64(&c->arriving, 0);
    pass_items(c, 1, big->size, next);
    return MP_OK;
}

/* ---- several at once */

/* As many of n small items as there is room for in the queue and in one chunk: they become visible together, by the
 * word of the first, for which there is room. */
static MP__NOINLINE mp_status_t append_some(mp__header_t *header, mp__block_view_t *view, mp__item_t type,
                                            const mp_bytes_t *items, size_t n, mp__deadline_t deadline, size_t *done)
{
    mp__content_t *c = mp__content(header);
    mp__spot_t first;
    uint64_t prefix = mp__prefix(c);
    mp_status_t status = tail_spot(header, view, prefix + items[0].size, deadline, &first);
    if (status != MP_OK)
        return status;
    if (c->max_bytes || !has_room(c, n, 0))
        (void)look_for_room(c, n, 0);
    mp__spot_t spot = first;
    uint64_t puts = c->puts, begin = c->put_bytes, bytes = begin, size;
    uint64_t roomy = left_of(c->max_items, puts - c->gets_seen), most = left_of(c->max_bytes, begin - c->bytes_seen);
    size_t i = 0;
    n = n < roomy ? n : (size_t)roomy;
    for (; i < n && (size = items[i].size) <= most && mp__fits(&spot, prefix + size); i++) {
        if (i > 0)
            lay_word(spot.data + spot.at, prefix, mp__word(MP__SMALL, type, prefix + size, (uint32_t)(puts + i)),
                     bytes);
        spot.at = lay_body(&spot, prefix, items[i].data, size);
        bytes += size;
        most -= size;
    }
    if (i == 0)
        return mp__queue_corrupt();
    lay_end(spot.data + spot.at, prefix, puts + i, bytes);
    mp__store64(mp__word_at(&first), mp__word(MP__SMALL, type, prefix + items[0].size, (uint32_t)puts));
    pass_items(c, i, bytes - begin, spot.at);
    *done = i;
    return MP_OK;
}

/* ---- one attempt */

/* What is to be put: a block, or bytes. */
typedef struct offer {
    mp__item_t type;
    const mp__big_t *big;
    const mp_bytes_t *items; /* small ones */
    size_t n;
    uint64_t size; /* of the first */
    size_t done;
} offer_t;

static mp_status_t append(mp_queue_t *queue, offer_t *offer, mp__deadline_t deadline)
{
    mp__header_t *header = queue->shared.header;
    mp__block_view_t *view = &queue->put_chunk;
    if (offer->n > 1)
        return append_some(header, view, offer->type, offer->items, offer->n, deadline, &offer->done);
    offer->done = 1;
    if (offer->big)
        return mp__append_block(header, view, offer->type, offer->big, mp__owner_process(mp__family.process), deadline);
    return append_small(header, view, offer->type, offer->items->data, offer->items->size, deadline);
}

/* Puts when there is room; else MP_BUSY, and with `announce` how to wait for it in *seen. */
static mp_status_t try_put(mp_queue_t *queue, offer_t *offer, mp__deadline_t deadline, bool announce, uint32_t *seen)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    mp_status_t status = mp__lock_put_side(queue, deadline);
    if (status != MP_OK)
        return status;
    bool room = find_room(c, 1, offer->size);
    if (!room && announce) {
        *seen = mp__wait_announce(&header->waits[MP__NOT_FULL]);
        room = find_room(c, 1, offer->size);
    }
    if (MP__UNLIKELY(c->closed))
        status = mp__queue_closed("put into a queue");
    else if (MP__UNLIKELY(!room))
        status = c->max_bytes && offer->size > c->max_bytes
                     ? mp__error(MP_TOO_LARGE, "put into a queue", "it holds no more than %llu bytes",
                                 (unsigned long long)c->max_bytes)
                     : MP_BUSY;
    else
        status = append(queue, offer, deadline);
    mp__unlock_side(&header->lock);
    return status;
}

/* Looks now and then whether there is room, without a lock, for a moment: for some room, because who finds but one
 * place is back here with the next item, and each look holds up the getters. */
static void spin_for_room(mp_queue_t *queue, mp__deadline_t deadline)
{
    const mp__content_t *c = mp__content(queue->shared.header);
    uint64_t before = mp__load64(&c->gets), enough = c->max_items / SOME + 1, more;
    mp__spin_t spin = {.most = MP__SPIN_BRIEF};
    do {
        for (int i = 0; i < LULL; i++)
            mp__cpu_relax();
        more = mp__load64(&c->gets) - before;
    } while (more < enough && mp__spin(&spin, deadline));
    if (more)
        mp__spin_end(&spin);
}

static void wait_for_memory(mp__deadline_t deadline)
{
    mp__sweep_the_dead();
    mp__os_sleep(mp__sooner(deadline, mp__os_now() + MEMORY_PAUSE));
}

/* Waits as long as it is full. */
static MP__NOINLINE mp_status_t put_slowly(mp_queue_t *queue, offer_t *offer, mp__deadline_t deadline)
{
    mp__header_t *header = queue->shared.header;
    bool slept = false;
    if (mp__may_spin())
        spin_for_room(queue, deadline);
    for (;;) {
        uint32_t seen = 0;
        mp_status_t status = try_put(queue, offer, deadline, true, &seen);
        if (status == MP_OK)
            mp__notify_item(header);
        if (slept && status != MP_BUSY && status != MP_GONE)
            mp__queue_hand_on(header, MP__NOT_FULL);
        if (status == MP_NO_MEMORY && deadline > mp__os_now()) {
            wait_for_memory(deadline);
            continue;
        }
        if (status != MP_BUSY)
            return status == MP_TIMEOUT ? busy() : status;
        slept = true;
        status = mp__queue_sleep(queue, MP__NOT_FULL, seen, NULL, deadline);
        if (status == MP_TIMEOUT)
            return mp__error(MP_TIMEOUT, "put into a queue", "it is full");
        if (status != MP_OK)
            return status;
    }
}

static MP__NOINLINE mp_status_t full(const mp_queue_t *queue)
{
    const char *step = "put into a queue";
    return mp__shared_unmet(&queue->shared, mp__error(MP_TIMEOUT, step, "it is full"), step);
}

static inline mp_status_t put(mp_queue_t *queue, offer_t *offer, mp__deadline_t deadline)
{
    mp_status_t status = try_put(queue, offer, deadline, false, NULL);
    if (MP__LIKELY(status == MP_OK)) {
        mp__notify_item(queue->shared.header);
        return MP_OK;
    }
    if ((status == MP_BUSY || status == MP_NO_MEMORY) && deadline != 0)
        return put_slowly(queue, offer, deadline);
    if (status == MP_BUSY)
        return full(queue);
    return status == MP_TIMEOUT ? busy() : status;
}

/* ---- blocks */

mp_status_t mp__queue_alloc(mp_queue_t *queue, uint64_t size, mp__deadline_t deadline, mp__block_t *block)
{
    mp__owner_t self = mp__owner_process(mp__family.process);
    mp_status_t status;
    while ((status = mp__block_alloc_until(size, self, at_least_a_moment(deadline), block)) == MP_NO_MEMORY &&
           deadline > mp__os_now() && size < mp__family.head->cap &&
           mp__object_is(queue->shared.header, &queue->shared.handle.reference))
        wait_for_memory(deadline);
    return status == MP_TIMEOUT ? busy() : status;
}

mp_status_t mp__queue_put_block(mp_queue_t *queue, mp__item_t type, mp__block_t block, uint64_t size,
                                mp__deadline_t deadline)
{
    mp__big_t big = {block, size, (uint64_t)type};
    offer_t offer = {.type = type, .big = &big, .n = 1, .size = size};
    return put(queue, &offer, deadline);
}

/* A payload of its own block: the putter's until it goes into the chain. */
static mp_status_t put_big(mp_queue_t *queue, mp__item_t type, const void *data, uint64_t size, mp__deadline_t deadline)
{
    mp__block_t block;
    mp_status_t status = mp__queue_alloc(queue, size, deadline, &block);
    if (status != MP_OK)
        return status;
    memcpy(mp__block_at(block, NULL), data, (size_t)size);
    status = mp__queue_put_block(queue, type, block, size, deadline);
    if (status != MP_OK)
        mp__block_free(block);
    return status;
}

mp_status_t mp__queue_put_item(mp_queue_t *queue, mp__item_t type, const void *data, size_t size,
                               mp__deadline_t deadline)
{
    if (size >= MP__QUEUE_LARGE)
        return put_big(queue, type, data, size, deadline);
    mp_bytes_t item = {data, size};
    offer_t offer = {.type = type, .items = &item, .n = 1, .size = size};
    return put(queue, &offer, deadline);
}

mp_status_t mp__queue_put_in(mp_queue_t *queue, mp__item_t type, const void *data, size_t size, double seconds)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    mp__deadline_t deadline;
    mp_status_t status = MP_BUSY;
    if (MP__LIKELY(size < MP__QUEUE_LARGE && mp__lock_free_side(queue, &header->lock))) {
        if (MP__LIKELY(!c->closed && find_room(c, 1, size)))
            status = append_small(header, &queue->put_chunk, type, data, size, 0);
        mp__unlock_side(&header->lock);
    }
    if (MP__LIKELY(status == MP_OK)) {
        mp__notify_item(header);
        return MP_OK;
    }
    status = mp__deadline(seconds, &deadline);
    return status == MP_OK ? mp__queue_put_item(queue, type, data, size, deadline) : status;
}

/* Small items, as many at once as there is room for. */
static mp_status_t put_row(mp_queue_t *queue, mp__item_t type, const mp_bytes_t *items, size_t n, size_t *done,
                           mp__deadline_t deadline)
{
    mp_status_t status = MP_OK;
    for (size_t i = 0; i < n && status == MP_OK;) {
        offer_t offer = {.type = type, .items = items + i, .n = n - i, .size = items[i].size};
        status = put(queue, &offer, deadline);
        if (status == MP_OK) {
            i += offer.done;
            *done += offer.done;
        }
    }
    return status;
}

mp_status_t mp__queue_put_items(mp_queue_t *queue, mp__item_t type, const mp_bytes_t *items, size_t n, size_t *done,
                                mp__deadline_t deadline)
{
    mp_status_t status = MP_OK;
    for (*done = 0; status == MP_OK && *done < n;) {
        const mp_bytes_t *next = items + *done;
        size_t small = 0;
        while (small < n - *done && next[small].size < MP__QUEUE_LARGE)
            small++;
        if (small > 0) {
            status = put_row(queue, type, next, small, done, deadline);
        } else {
            status = put_big(queue, type, next->data, next->size, deadline);
            *done += status == MP_OK;
        }
    }
    return status;
}
