/*
 * The queue: a chain of chunks in the arena. For the rooms of this folder only.
 *
 * A chunk is a row of items, each a 64-bit word and its body. An END word ends the chain and carries the number of the
 * item that will stand there. One release store of an item's word makes it visible (a batch is laid down from behind:
 * the word of its first one comes last), one store of `head` takes it. What a death leaves is therefore the state
 * before or after; the counts beside are set anew, from the numbers in the chain, by whoever finds the dead holder of
 * their lock:
 *
 *   put side (header.lock):   bodies, END behind them, WORD, puts, put_bytes, tail
 *   get side (header.second): HEAD, gets, got_bytes, free what was taken
 *
 * So until that repair `gets` is at most too small and the queue looks fuller than it is: a bound holds all the same.
 *
 * A JUMP word leads to the next chunk; it is followed once tail has gone there, so that the chunk with tail in it is
 * never freed. Payloads of 4 KiB and more, and those that were lent, lie in blocks of their own: the queue owns the
 * block before its word is visible, the getter takes it before it moves head, so a sweep frees what belonged to a dead
 * one, and an item whose block is gone is passed over. Once the queue owns the block the put is finished, if need be by
 * who repairs: its body lies behind the tail already, only the WORD is missing.
 *
 * Where a queue is bounded in bytes each word, END too, is followed by the sum of the bytes before it.
 */
#ifndef MP_OBJECTS_QUEUE_CHAIN_H
#define MP_OBJECTS_QUEUE_CHAIN_H

#include "family/wait.h"
#include "objects/queue.h"

#include <string.h>

/* Indexes into header.waits. */
#define MP__NOT_EMPTY MP__QUEUE_NOT_EMPTY
#define MP__NOT_FULL  1
#define MP__ALL_DONE  2 /* for joins */

#define MP__QUEUE_LARGE UINT64_C(4096) /* such a payload lies in a block of its own */

/* Others are in a lock for less, unless they are stopped: so long a try waits, too. */
#define MP__QUEUE_MOMENT (20 * MP__MILLISECOND)

/* In this process. The views are used under the lock of their side. */
struct mp_queue {
    mp__shared_t shared;
    mp__block_view_t put_chunk;
    uint64_t padding[8];
    mp__block_view_t get_chunk;
    uint64_t row; /* gets that found their item at the first look, one after the other */
    mp__block_view_t book;
    uint64_t taker; /* where this process's record was in the book */
};

#define MP__QUEUE_BYTES    1u /* flags: bounded in bytes */
#define MP__QUEUE_JOINABLE 2u
#define MP__QUEUE_BURIES   4u /* has a queue for dead letters */

#define MP__QUEUE_SHUT    1u /* closed: no more puts */
#define MP__QUEUE_DROPPED 2u /* nor gets */

/* The header's body, in lines: the put side with header.lock, what seldom changes, the get side with header.second. */
typedef struct mp__content {
    uint64_t tail;       /* where the next word goes: {chunk's place, offset} */
    uint64_t puts;       /* items ever put */
    uint64_t gets_seen;  /* `gets` as it was some time ago */
    uint64_t put_bytes;  /* theirs, where bytes are counted */
    uint64_t bytes_seen; /* `got_bytes` some time ago */
    uint64_t spare;      /* a chunk on its way into the chain */
    uint64_t arriving;   /* a big item's block on its way into the chain */

    uint64_t max_items;      /* 0: any number */
    uint64_t max_bytes;      /* likewise */
    uint32_t flags;          /* MP__QUEUE_... */
    uint32_t attempts;       /* after so many an item is a dead letter */
    uint64_t closed;         /* MP__QUEUE_SHUT, then perhaps MP__QUEUE_DROPPED; changes under header.lock */
    mp__reference_t letters; /* the queue for dead letters */
    uint64_t book;           /* the block with what was taken and is not done; 0: none yet. Under header.second */
    uint64_t growing;        /* such a block that is about to be it */

    uint64_t head;      /* the first item's word: {chunk's place, offset} */
    uint64_t gets;      /* items ever taken */
    uint64_t got_bytes; /* theirs */
    uint64_t retired;   /* a chunk on its way out */
    uint64_t returned;  /* items that came back and wait to be taken again */
    uint64_t leases;    /* items that are on lease */
    uint64_t deaths;    /* of the family, when the book was last looked through for dead ones */
} mp__content_t;

typedef char mp__content_fits[sizeof(mp__content_t) <= sizeof(((mp__header_t *)0)->body) ? 1 : -1];

static inline mp__content_t *mp__content(mp__header_t *header)
{
    return (mp__content_t *)(void *)header->body;
}

static inline mp__owner_t mp__container(const mp__header_t *header)
{
    return mp__owner_container((uint32_t)(mp__offset_of(header) / MP__UNIT));
}

/* ---- words: {an item's number, or a JUMP's chunk | the body's length, type, kind} */

enum { MP__END = 0, MP__SMALL = 1, MP__BIG = 2, MP__JUMP = 3 };

#define MP__WORD_KIND(word)   ((unsigned)(word)&3u)
#define MP__WORD_TYPE(word)   ((mp__item_t)((word) >> 2 & 1))
#define MP__WORD_LENGTH(word) ((uint64_t)(uint32_t)(word) >> 3)
#define MP__WORD_NUMBER(word) mp__high(word)
#define MP__WORD_SIZE         sizeof(uint64_t)

static inline uint64_t mp__word(unsigned kind, mp__item_t type, uint64_t length, uint32_t number)
{
    return mp__pair(number, (uint32_t)(length << 3 | (uint64_t)type << 2 | kind));
}

/* The body of a big item. */
typedef struct mp__big {
    mp__block_t block;
    uint64_t size;
    uint64_t type; /* as in its word, for who finishes the put of a dead one */
} mp__big_t;

static inline uint64_t mp__padded(uint64_t length)
{
    return (length + 7) & ~UINT64_C(7);
}

/* How much of a body is the sum of the bytes before it. */
static inline uint64_t mp__prefix(const mp__content_t *c)
{
    return c->flags & MP__QUEUE_BYTES ? sizeof(uint64_t) : 0;
}

/* ---- places in the chain */

typedef struct mp__spot {
    mp__block_view_t *chunk;
    uint8_t *data; /* the chunk's, and its size: as in the view, but no store to a byte can mean these */
    uint64_t size;
    uint64_t at; /* offset of the word */
} mp__spot_t;

/* Finds a position, believing nothing: the chunk must be the queue's and the word inside. */
static inline bool mp__find_spot(const mp__header_t *header, uint64_t position, mp__block_view_t *view,
                                 mp__spot_t *spot)
{
    uint32_t place = mp__high(position);
    spot->at = mp__low(position);
    spot->chunk = view;
    if (MP__UNLIKELY(!mp__block_view_holds(view, place)) && !mp__block_look(place, mp__container(header), view))
        return false;
    spot->data = view->data;
    spot->size = view->size;
    return spot->at % MP__WORD_SIZE == 0 && spot->at + 2 * MP__WORD_SIZE <= view->size;
}

static inline uint64_t *mp__word_at(const mp__spot_t *spot)
{
    return (uint64_t *)(void *)(spot->data + spot->at);
}

static inline uint8_t *mp__body_at(const mp__spot_t *spot)
{
    return spot->data + spot->at + MP__WORD_SIZE;
}

/* Is a body of this length inside the chunk, with room for END and a sum behind it? */
static inline bool mp__fits(const mp__spot_t *spot, uint64_t length)
{
    return spot->at + 3 * MP__WORD_SIZE + mp__padded(length) <= spot->size;
}

/* What a word that is an item says about its size: its payload begins behind the sum. False: it does not hold. */
static inline bool mp__item_holds(const mp__content_t *c, const mp__spot_t *spot, uint64_t word)
{
    uint64_t length = MP__WORD_LENGTH(word), prefix = mp__prefix(c);
    return mp__fits(spot, length) && length >= prefix &&
           (MP__WORD_KIND(word) == MP__SMALL || length == prefix + sizeof(mp__big_t));
}

static inline mp__big_t mp__big_at(const mp__content_t *c, const mp__spot_t *spot)
{
    mp__big_t big;
    memcpy(&big, mp__body_at(spot) + mp__prefix(c), sizeof big);
    return big;
}

/* The payload's size. */
static inline uint64_t mp__item_size(const mp__content_t *c, const mp__spot_t *spot, uint64_t word)
{
    return MP__WORD_KIND(word) == MP__BIG ? mp__big_at(c, spot).size : MP__WORD_LENGTH(word) - mp__prefix(c);
}

/* ---- chain.c */

mp_status_t mp__queue_corrupt(void);
mp_status_t mp__queue_closed(const char *step);

/* Take one side's lock and repair that side after a death. */
mp_status_t mp__lock_put_slowly(mp_queue_t *queue, mp__deadline_t deadline);
mp_status_t mp__lock_get_slowly(mp_queue_t *queue, mp__deadline_t deadline);

/* If it is free, as nearly always: one compare-and-swap, and the look at the generation behind it. */
static inline bool mp__lock_free_side(mp_queue_t *queue, mp__lock_word_t *lock)
{
    uint64_t none = 0;
    if (MP__UNLIKELY(!mp__cas64(lock, &none, mp__self)))
        return false;
    if (mp__object_is(queue->shared.header, &queue->shared.handle.reference))
        return true;
    mp__word_unlock(lock);
    return false;
}

static inline mp_status_t mp__lock_put_side(mp_queue_t *queue, mp__deadline_t deadline)
{
    return MP__LIKELY(mp__lock_free_side(queue, &queue->shared.header->lock)) ? MP_OK
                                                                              : mp__lock_put_slowly(queue, deadline);
}

static inline mp_status_t mp__lock_get_side(mp_queue_t *queue, mp__deadline_t deadline)
{
    return MP__LIKELY(mp__lock_free_side(queue, &queue->shared.header->second)) ? MP_OK
                                                                                : mp__lock_get_slowly(queue, deadline);
}

/* The put side of a queue that is only known by its header: no waiting. Its repair uses `view`. */
mp_status_t mp__try_put_side(mp__header_t *header, const mp__reference_t *reference, mp__block_view_t *view);

static inline void mp__unlock_side(mp__lock_word_t *lock)
{
    uint64_t mine = mp__self;
    if (MP__UNLIKELY(!mp__cas64(lock, &mine, 0)))
        mp__word_unlock(lock);
}

/* Sleeps until notified; also sees the death of the queue's owner, and of a peer (may be NULL). MP_TIMEOUT, MP_GONE. */
mp_status_t mp__queue_sleep(mp_queue_t *queue, unsigned which, uint32_t seen, const mp__peer_t *peer,
                            mp__deadline_t deadline);

/* How many items there are, unless somebody is at it, or died: then it is about right, until the repair. */
static inline uint64_t mp__queue_count(const mp__content_t *c)
{
    uint64_t gets = mp__load64(&c->gets), puts = mp__load64(&c->puts);
    return (puts > gets ? puts - gets : 0) + mp__load64(&c->returned);
}

/* Who was woken hands on what is left: others may sleep still whom the waker counted as woken, too. */
void mp__queue_hand_on(mp__header_t *header, unsigned which);

/* Frees the chain and what it names, when nobody is in the queue any more. */
void mp__release_chain(mp__header_t *header);

/* ---- put.c */

/* Puts a block of `from` as an item, whatever the bounds say. Under header.lock. */
mp_status_t mp__append_block(mp__header_t *header, mp__block_view_t *view, mp__item_t type, const mp__big_t *big,
                             mp__owner_t from, mp__deadline_t deadline);

/* A block of this process of so many bytes, for a payload; waits while the memory cap is reached. */
mp_status_t mp__queue_alloc(mp_queue_t *queue, uint64_t size, mp__deadline_t deadline, mp__block_t *block);

/* mp__queue_put_item() that looks at the clock only if it must. */
mp_status_t mp__queue_put_in(mp_queue_t *queue, mp__item_t type, const void *data, size_t size, double seconds);

/* Puts a block of this process as an item; it keeps the block unless MP_OK. */
mp_status_t mp__queue_put_block(mp_queue_t *queue, mp__item_t type, mp__block_t block, uint64_t size,
                                mp__deadline_t deadline);

/* Puts the first *done of n items, several at once. */
mp_status_t mp__queue_put_items(mp_queue_t *queue, mp__item_t type, const mp_bytes_t *items, size_t n, size_t *done,
                                mp__deadline_t deadline);

/* What a new chunk begins with. */
void mp__lay_first(uint8_t *chunk, const mp__content_t *c);

/* ---- get.c */

/* Did the thread just wake somebody, or was it woken? The other one is often put on the same processor, and cannot go
 * on while this one looks for its answer. */
extern MP__THREAD_LOCAL bool mp__shares_processor;

/* Tells one who waits for items that there is one. */
static inline void mp__notify_item(mp__header_t *header)
{
    if (MP__UNLIKELY(mp__wait_notify(&header->waits[MP__NOT_EMPTY])))
        mp__shares_processor = true;
}

/* What becomes of an item's bytes. */
typedef enum mp__way {
    MP__COPIED, /* into `room`, or into `out`, and the item is gone */
    MP__LENT,   /* they stay in their block, which is this process's then */
    MP__LEASED  /* into `out`, and the item stays the queue's until it is done with */
} mp__way_t;

/* What a get wants, and what it got. */
typedef struct mp__wanted {
    mp__way_t way;
    mp__item_t type; /* MP__ITEM_ANY: either; out: what it was */
    uint64_t most;   /* bytes */
    uint8_t *room;
    mp__buffer_t *out;

    mp_bytes_t *items; /* several: where each lies in `room` */
    size_t n;          /* in: how many at most; out: how many there were */

    uint64_t size;     /* the item's */
    mp__block_t block; /* a big one's, taken or lent */
    uint64_t number;   /* of a lease: the item's */
    uint32_t record;   /* its place in the book */
    uint32_t attempt;  /* how often it was given out, with this time */

    const uint64_t *word; /* where the next item's word will be */
    uint64_t seen;        /* and what is there now */
} mp__wanted_t;

/* Field by field: the rest is set when it is used. */
static inline void mp__want(mp__wanted_t *wanted, mp__way_t way, mp__item_t type, uint64_t most)
{
    wanted->way = way;
    wanted->type = type;
    wanted->most = most;
    wanted->room = NULL;
    wanted->out = NULL;
    wanted->items = NULL;
    wanted->size = 0;
    wanted->block = 0;
    wanted->word = NULL;
}

/* Takes what is wanted; waits for it so many seconds. The clock is looked at only if it must. */
mp_status_t mp__queue_take_in(mp_queue_t *queue, mp__wanted_t *wanted, double seconds);

/* Takes what is wanted; waits for it until the deadline, or the peer's end (may be NULL). */
mp_status_t mp__queue_take(mp_queue_t *queue, mp__wanted_t *wanted, const mp__peer_t *peer, mp__deadline_t deadline);

/* Is it of the type that is wanted, and not too large? MP_TYPE, MP_TOO_LARGE. */
mp_status_t mp__wanted_fits(const mp__wanted_t *wanted, mp__item_t type, uint64_t size);

/* Room for the payload of an item that is going to be taken. */
uint8_t *mp__wanted_room(mp__wanted_t *wanted, uint64_t size);

/* The first item's spot and word, past jumps. MP_BUSY: there is none, and the spot is where it will be. Under
 * header.second. */
mp_status_t mp__first_item(mp__header_t *header, mp__block_view_t *view, mp__spot_t *spot, uint64_t *word);

/* The store that takes n items, the last of which is at the spot. */
static inline void mp__pass_items(mp__content_t *c, const mp__spot_t *spot, uint64_t word, uint64_t n, uint64_t bytes)
{
    uint64_t next = spot->at + MP__WORD_SIZE + mp__padded(MP__WORD_LENGTH(word));
    mp__store64(&c->head, mp__pair(mp__high(c->head), (uint32_t)next));
    mp__store64(&c->gets, c->gets + n);
    if (c->flags & MP__QUEUE_BYTES)
        mp__store64(&c->got_bytes, c->got_bytes + bytes);
}

/* Tells those who wait for room that there is some. */
static inline void mp__notify_room(mp__header_t *header)
{
    if (mp__content(header)->flags & MP__QUEUE_BYTES)
        mp__wait_notify_all(&header->waits[MP__NOT_FULL]);
    else
        mp__wait_notify(&header->waits[MP__NOT_FULL]);
}

/* Begins a public call. MP_INVALID. */
static inline mp_status_t mp__queue_begin(mp_queue_t *queue, double timeout)
{
    mp__deadline_t never;
    mp_status_t status = mp__shared_use((mp__shared_t *)queue, MP_KIND_QUEUE);
    return status == MP_OK && MP__UNLIKELY(timeout != timeout) ? mp__deadline(timeout, &never) : status;
}

#endif
