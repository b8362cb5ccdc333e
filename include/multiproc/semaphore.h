/**
 * @file semaphore.h
 * Semaphores between any processes and threads of a family.
 *
 * A semaphore has permits; acquire takes one and waits while there is none, release gives one back. Plain ones are
 * Python's: anybody releases, and a permit that a process had when it died is lost. One that is made with ::MP_OWNED
 * knows who has its permits: only those release, and what a dead one had (process or thread) returns.
 *
 * A semaphore belongs to the process that made it. Any thread of any process may use it; mp_semaphore_close() must be
 * the last use of its pointer.
 *
 * Timeouts: see ::MP_FOREVER.
 */
#ifndef MULTIPROC_SEMAPHORE_H
#define MULTIPROC_SEMAPHORE_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** The most permits of a semaphore. */
#define MP_SEMAPHORE_MAX INT32_MAX

/** What kind of semaphore; they may be or-ed together. */
typedef enum mp_semaphore_flags {
    MP_PLAIN = 0,   /**< as Python's Semaphore: it may get more permits than it was made with */
    MP_BOUNDED = 1, /**< as Python's BoundedSemaphore: it may not */
    MP_OWNED = 2    /**< a permit belongs to the thread that acquired it; bounded, too */
} mp_semaphore_flags_t;

/** How to make a semaphore; zero is the default for each field. */
typedef struct mp_semaphore_options {
    unsigned flags; /**< of ::mp_semaphore_flags */
} mp_semaphore_options_t;

/** @cond internal */
MP_API mp_status_t mp__semaphore_create(mp_semaphore_t **semaphore, uint32_t permits,
                                        const mp_semaphore_options_t *options, size_t options_size);
/** @endcond */

/**
 * Makes a semaphore with options, which are copied. It belongs to this process.
 * @param permits how many it has at first; at most ::MP_SEMAPHORE_MAX.
 * @return ::MP_OK; ::MP_INVALID: too many permits, no such flag; ::MP_NO_MEMORY; ::MP_LIMIT; ::MP_SYSTEM.
 */
static inline mp_status_t mp_semaphore_create_with(mp_semaphore_t **semaphore, uint32_t permits,
                                                   const mp_semaphore_options_t *options)
{
    return mp__semaphore_create(semaphore, permits, options, sizeof *options);
}

/** Makes a plain semaphore. As mp_semaphore_create_with(). */
static inline mp_status_t mp_semaphore_create(mp_semaphore_t **semaphore, uint32_t permits)
{
    mp_semaphore_options_t options;
    options.flags = MP_PLAIN;
    return mp__semaphore_create(semaphore, permits, &options, sizeof options);
}

/** Makes a bounded one. As mp_semaphore_create_with(). */
static inline mp_status_t mp_bounded_semaphore_create(mp_semaphore_t **semaphore, uint32_t permits)
{
    mp_semaphore_options_t options;
    options.flags = MP_BOUNDED;
    return mp__semaphore_create(semaphore, permits, &options, sizeof options);
}

/**
 * Takes a permit; waits while there is none.
 * @return ::MP_OK; ::MP_OWNER_DIED (::MP_OWNED only): taken, and it is one that a dead holder had: told to the one who
 * found it; ::MP_TIMEOUT; ::MP_GONE: its owner closed it or died; ::MP_NO_MEMORY (::MP_OWNED only); ::MP_INVALID.
 */
MP_API mp_status_t mp_semaphore_acquire(mp_semaphore_t *semaphore, double timeout);

/**
 * Gives a permit back.
 * @return ::MP_OK; ::MP_STATE: it has all that it may have; ::MP_NOT_OWNER (::MP_OWNED only): this thread has none of
 * it; ::MP_GONE; ::MP_INVALID. Does not block, but for moments.
 */
MP_API mp_status_t mp_semaphore_release(mp_semaphore_t *semaphore);

/** How many permits there are to take, those of the dead among them (who acquires one is still told). @return ::MP_OK;
 * ::MP_GONE; ::MP_INVALID. Does not block, but for moments. */
MP_API mp_status_t mp_semaphore_value(mp_semaphore_t *semaphore, uint32_t *value);

/** In the process that made it: ends it for all, who waits gets ::MP_GONE. Elsewhere: lets go of this process's
 * pointer. @return ::MP_OK; ::MP_GONE: it was over, and the pointer is let go of; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_semaphore_close(mp_semaphore_t *semaphore);

MP_END_DECLS

#endif
