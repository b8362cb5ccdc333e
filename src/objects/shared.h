/* This process's holder of a shared object of the arena: what mp_queue_t, mp_lock_t and other such types begin with. */
#ifndef MP_OBJECTS_SHARED_H
#define MP_OBJECTS_SHARED_H

#include "family/attach.h"
#include "wire/handle.h"

typedef struct mp__shared {
    mp__handle_t handle;
    mp__header_t *header;
    uint64_t maker;              /* the process that made it with this holder ({epoch, slot + 1}), else 0 */
    mp__attachment_t attachment; /* to its memory, where the kind hands that out */
} mp__shared_t;

/* Makes an object and its holder. MP_INVALID: out is NULL. */
mp_status_t mp__shared_create(mp_kind_t kind, mp__shared_t **out);

/* A holder of what a reference names. */
mp_status_t mp__shared_open(mp_kind_t kind, const mp__reference_t *reference, void **out);

/* The same with a holder of `size` bytes, which begins with an mp__shared_t; the rest is zero. */
mp_status_t mp__shared_create_sized(mp_kind_t kind, size_t size, mp__shared_t **out);
mp_status_t mp__shared_open_sized(mp_kind_t kind, size_t size, const mp__reference_t *reference, void **out);

/* Was it made (or adopted) with this holder, by this very process? */
static inline bool mp__shared_made_here(const mp__shared_t *shared)
{
    return shared->maker != 0 && shared->maker == mp__pair(mp__family.epoch, mp__family.process + 1);
}

/* Does closing this holder end the object for all: was it made (or adopted) with it, by this very process, and did
 * nobody adopt it since? (Not by a parent before a fork.) */
static inline bool mp__shared_mine(const mp__shared_t *shared)
{
    return mp__shared_made_here(shared) && !mp__object_was_adopted(shared->header, &shared->handle.reference);
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

/* Begins each use: the same, and if not, why; or the thread becomes one. MP_CLOSED: this process has closed it. */
static inline mp_status_t mp__shared_use(const mp__shared_t *shared, mp_kind_t kind)
{
    return mp__shared_usable(shared, kind) ? MP_OK : mp__shared_use_slowly(shared, kind);
}

/* What a call that did not wait says: its own word, or MP_GONE if the object's owner was met dead just now. */
mp_status_t mp__shared_unmet(const mp__shared_t *shared, mp_status_t status, const char *step);

/* Makes an object that lends so many bytes of memory (mp__lend), and its holder. */
mp_status_t mp__shared_lend(mp_kind_t kind, uint64_t bytes, mp__shared_t **out);

/* That memory, for as long as the holder lives: mp__shared_use(), then mp__attach(). */
mp_status_t mp__shared_attach(mp__shared_t *shared, mp_kind_t kind, void **memory, uint64_t *bytes);

/* The maker's close ends the object (mp__object_end), any close lets go of the holder, also with MP_GONE: the object
 * had ended. With MP_OK, also for one that
 * was closed before, the thread's last error stays as it was. */
mp_status_t mp__shared_close(mp__shared_t *shared, mp_kind_t kind, void (*release)(mp__header_t *));

#endif
