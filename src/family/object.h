/*
 * Shared objects: their headers, references to them, and how they end.
 *
 * An object belongs to the process that made it. Its header's memory is a header for ever, so an operation may take a
 * lock in it first and check the generation then: whoever still holds an old reference can at worst lock and unlock the
 * place's next object.
 */
#ifndef MP_FAMILY_OBJECT_H
#define MP_FAMILY_OBJECT_H

#include "family/alloc.h"
#include "family/reference.h"

/* In cache lines of what is used together: the first one is read by every use and seldom written; each lock begins or
 * ends the line of what it guards, so that those at one side of a queue do not take it from those at the other. */
typedef struct mp__header {
    uint32_t generation; /* what references must carry; raised when the object ends */
    uint16_t kind;
    uint8_t damaged; /* 1: somebody died in it: blocks may hang about that its content does not name */
    uint8_t settled; /* 1: it has ended and nobody is in it any more: its blocks may be freed */
    uint32_t owner;  /* process slot, for telling: the state of the header's block decides */
    uint32_t owner_epoch;
    uint32_t check;       /* of kind, generation and place */
    uint32_t watchers;    /* the threads that wait for any of several objects, this one among them: see watch.h */
    uint32_t waits[4];    /* to sleep on, in every kind, so that the end can wake all: MP__WAIT_..., the rest counts */
    uint64_t link;        /* the allocator's, while the header is free */
    mp__lock_word_t held; /* a user's lock: stragglers may take it, so nothing else is ever in its place */
    uint64_t state;       /* {generation, a value}: what operations without a lock change; never anything else */
    mp__lock_word_t lock; /* guards the content, for moments only: no user code runs under it */
    uint64_t body[22];    /* the kind's own; zero at first */
    mp__lock_word_t second; /* another one where a kind has two; taken after the first */
} mp__header_t;

#define MP__WAIT_NOW     1u /* somebody sleeps on the word, or is about to */
#define MP__WAIT_EVER    2u /* somebody did since the object was made, and may do so still */
#define MP__WAIT_WATCHED 4u /* somebody among the header's watchers wants to know of the next change */
#define MP__WAIT_STEP    8u

/* An object that stands for a name outside of the family, which nobody but this process's end takes back: its body is
 * the text. The sweep hands it to mp__sweep_name. */
#define MP__KIND_NAME      UINT16_C(0x4e4d)
#define MP__NAME_TEXT_MOST 64

/* A new object of this process. MP_NO_MEMORY. */
mp_status_t mp__object_create(uint16_t kind, mp__header_t **header, mp__reference_t *reference);

/* Finds what a reference names. MP_GONE; MP_FOREIGN: another family's; MP_MALFORMED: it names no object, or one of
 * another kind. Any content is safe. */
mp_status_t mp__object_open(const mp__reference_t *reference, uint16_t kind, mp__header_t **header);

/* Does the reference still hold? */
static inline bool mp__object_is(const mp__header_t *header, const mp__reference_t *reference)
{
    return MP__LIKELY(mp__load32(&header->generation) == reference->generation);
}

/* The state's value, which is 0 at first; false: the object has ended. */
static inline bool mp__state_get(const mp__header_t *header, const mp__reference_t *reference, uint32_t *value)
{
    uint64_t state = mp__load64(&header->state);
    *value = mp__low(state);
    return MP__LIKELY(mp__high(state) == reference->generation) && mp__object_is(header, reference);
}

/* Changes it from `value`; false: it was another, or the place has another object by now, which is left alone. */
static inline bool mp__state_change(mp__header_t *header, const mp__reference_t *reference, uint32_t value, uint32_t to)
{
    uint64_t state = mp__pair(reference->generation, value);
    return mp__cas64(&header->state, &state, mp__pair(reference->generation, to));
}

/* The error of a use after the end. */
mp_status_t mp__object_gone(const char *step);

/* Takes one of the header's locks and then checks the reference. MP_OK; MP_OWNER_DIED: taken, and to be repaired
 * (marked damaged); MP_TIMEOUT; MP_GONE: not taken. */
mp_status_t mp__object_lock(mp__header_t *header, mp__lock_word_t *lock, const mp__reference_t *reference,
                            mp__deadline_t deadline);

/* Is its owner dead? Then it is swept, and gone. For waiters, now and then. */
bool mp__object_owner_died(const mp__header_t *header, const mp__reference_t *reference);

/* The same for calls that do not wait, and so would never meet a dead owner: it looks every 10 ms at most, whatever the
 * object, so that whoever polls pays little. */
bool mp__object_glance(const mp__header_t *header, const mp__reference_t *reference);

/* The object becomes this process's: one compare-and-swap of its block's state. MP_GONE: it is over, or goes with its
 * dead owner. */
mp_status_t mp__object_adopt(mp__header_t *header, const mp__reference_t *reference);

/* Does it belong to another process by now? */
bool mp__object_was_adopted(const mp__header_t *header, const mp__reference_t *reference);

/* The end, by its owner: raises the generation, wakes all, and once nobody is in it any more frees the blocks that it
 * owns and the header. `release` (may be NULL: it owns none) frees the blocks that the content names; if somebody died
 * in the object all blocks are searched instead. A process that is stopped in the middle of it delays the freeing, not
 * this call: mp__objects_settle() does it. MP_GONE: it was over already; MP_NOT_OWNER: another process has adopted it.
 */
mp_status_t mp__object_end(mp__header_t *header, const mp__reference_t *reference, void (*release)(mp__header_t *));

/* Frees what this process ended while somebody stood still in it, if nobody does any more. When a child has died; each
 * end of an object does it, too. */
void mp__objects_settle(void);

/* The same as an end without freeing anything, for the sweep; false: somebody is still in it, after so long a time. Can
 * be repeated. */
bool mp__object_end_at(uint32_t place, uint32_t generation, int64_t patience);

/* Has the object in this header place ended, with nobody in it? */
bool mp__object_settled(uint32_t place);

#endif
