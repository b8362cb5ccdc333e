/* This process's holder of a shared object of the arena: what mp_queue_t, mp_lock_t and other such types begin with. */
#ifndef MP_OBJECTS_SHARED_H
#define MP_OBJECTS_SHARED_H

#include "family/object.h"
#include "wire/handle.h"

typedef struct mp__shared {
    mp__handle_t handle;
    mp__header_t *header;
    uint64_t maker; /* the process that made it with this holder ({epoch, slot + 1}), else 0 */
} mp__shared_t;

/* Makes an object and its holder. MP_INVALID: out is NULL. */
mp_status_t mp__shared_create(mp_kind_t kind, mp__shared_t **out);

/* A holder of what a reference names. */
mp_status_t mp__shared_open(mp_kind_t kind, const mp__reference_t *reference, void **out);

/* Does closing this holder end the object for all: was it made with it, by this very process? (Not by a parent before a
 * fork.) */
static inline bool mp__shared_mine(const mp__shared_t *shared)
{
    return shared->maker != 0 && shared->maker == mp__pair(mp__family.epoch, mp__family.process + 1);
}

/* This holder is the maker's from now on. */
static inline void mp__shared_make_mine(mp__shared_t *shared)
{
    shared->maker = mp__pair(mp__family.epoch, mp__family.process + 1);
}

/* Why mp__shared_use() cannot say yes at once; makes the caller's thread a participant. */
mp_status_t mp__shared_use_slowly(const mp__shared_t *shared, mp_kind_t kind);

/* Is the pointer one of this kind, and the caller's thread a participant? (Who has a thread slot is a member: a fork's
 * child has neither.) */
static inline bool mp__shared_usable(const mp__shared_t *shared, mp_kind_t kind)
{
    return MP__LIKELY(shared && mp__handle_is(&shared->handle, kind) && mp__self != 0);
}

/* Begins each use: the same, and if not, why; or the thread becomes one. */
static inline mp_status_t mp__shared_use(const mp__shared_t *shared, mp_kind_t kind)
{
    return mp__shared_usable(shared, kind) ? MP_OK : mp__shared_use_slowly(shared, kind);
}

/* The maker's close ends the object (mp__object_end), any close lets go of the holder. */
mp_status_t mp__shared_close(mp__shared_t *shared, mp_kind_t kind, void (*release)(mp__header_t *));

#endif
