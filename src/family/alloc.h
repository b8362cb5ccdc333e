/*
 * The arena's allocator: blocks that belong to a process, or to an object (its container).
 *
 * A block's state word {generation, LIVE | FREE, owner} is the only truth; free lists and counts are caches that
 * whoever finds a dead holder of their lock rebuilds. A block's name carries its generation: with another generation
 * nothing is found and nothing is freed.
 */
#ifndef MP_FAMILY_ALLOC_H
#define MP_FAMILY_ALLOC_H

#include "family/family.h"

typedef uint64_t mp__block_t; /* {generation, place in units of 64 bytes}; 0 = none */

typedef uint32_t mp__owner_t; /* a process slot, or a container */

#define MP__OWNER_CONTAINER UINT32_C(0x10000000)

/* With an owner: the block's memory is handed out as pointers, so it is not used again before every process that has
 * attached to it (attach.h) has detached or died. Freeing it means: as soon as that is so. */
#define MP__OWNER_LENT UINT32_C(0x20000000)

static inline mp__owner_t mp__owner_process(uint32_t slot)
{
    return slot;
}

/* place: an object header's. */
static inline mp__owner_t mp__owner_container(uint32_t place)
{
    return MP__OWNER_CONTAINER | place / 4;
}

#define MP__BLOCK_MOST UINT64_C(0x40000000000) /* larger is refused before any arithmetic */

/* At least `size` bytes, not cleared, aligned to 64. The caller's process must be a member. MP_NO_MEMORY: the cap or
 * the system; the text names the option. */
mp_status_t mp__block_alloc(uint64_t size, mp__owner_t owner, mp__block_t *block);

/* The same, which waits no longer than that for others who allocate (one of them may be stopped). MP_TIMEOUT. */
mp_status_t mp__block_alloc_until(uint64_t size, mp__owner_t owner, mp__deadline_t deadline, mp__block_t *block);

/* Once; a second time, or by a stale name, it does nothing. Waits for nobody for long. */
void mp__block_free(mp__block_t block);

/* Where it lies and how many bytes it has (size may be NULL); NULL if there is no such block (any more). Any name is
 * safe. */
void *mp__block_at(mp__block_t block, uint64_t *size);

/* A process has detached from it: if it was freed before, and nobody is attached any more, it goes now. */
void mp__block_detached(mp__block_t block);

/* The live block in this place if the owner has it, and its size. */
bool mp__block_owned(uint32_t place, mp__owner_t owner, mp__block_t *block, uint64_t *size);

/* The same for who looks at a block again and again: as long as its state word is as it was, all the rest holds. */
typedef struct mp__block_view {
    mp__block_t block;
    uint64_t size;
    uint8_t *data;
    const uint64_t *state; /* NULL: no block */
    uint64_t seen;
} mp__block_view_t;

bool mp__block_look(uint32_t place, mp__owner_t owner, mp__block_view_t *view);

static inline bool mp__block_view_holds(const mp__block_view_t *view, uint32_t place)
{
    return view->state && (uint32_t)view->block == place && mp__load64(view->state) == view->seen;
}

/* Takes it from whoever owns it; false: no such block. */
bool mp__block_take(mp__block_t block, mp__owner_t to);

/* Hands it from one owner to another; false: it was not that owner's. */
bool mp__block_give(mp__block_t block, mp__owner_t from, mp__owner_t to);

/* Frees what the object in this place owns. */
void mp__release_content(uint32_t place);

/* Frees what the process in this slot owned, its objects first. Under the sweep lock. False: a process is in one of
 * them, and stays there for longer than `patience`; that one is left for another time. */
bool mp__release_all_of(uint32_t process, int64_t patience);

/* Blocks in use, object headers included, in the whole arena; and bytes of memory that it has. Exact when nobody
 * allocates. */
uint64_t mp__blocks_in_use(void);
uint64_t mp__bytes_committed(void);

/* So many free pages keep their memory for the next; tests want fewer. */
extern uint64_t mp__keep_pages;

/* ---- for objects: the type-stable headers */

mp_status_t mp__header_alloc(mp__owner_t owner, mp__block_t *block);

/* Is there a header block at this place, in use or not? Then the memory is a header for ever. */
bool mp__header_at(uint32_t place);

/* The header's current state: its generation; false when free. */
bool mp__header_live(uint32_t place, uint32_t *generation);

/* The process that owns the object of that generation; false: it is over, or its owner (which *process is then, too) is
 * about to end it. */
bool mp__header_owner(uint32_t place, uint32_t generation, uint32_t *process);

/* Its owner's end of it begins: from now on nobody adopts it. False: that process does not own it (any more). */
bool mp__header_close(uint32_t place, uint32_t generation, uint32_t process);

#endif
