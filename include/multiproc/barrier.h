/**
 * @file barrier.h
 * Barriers: a fixed number of threads, of any processes of a family, wait for each other, again and again.
 *
 * A barrier breaks when a wait at it is over in time but not in number, when it is aborted, when its action fails, and
 * when a thread that waits at it dies. Then all who wait, and all who come, get ::MP_STATE, until mp_barrier_reset();
 * mp_error() says why it broke.
 *
 * A barrier belongs to the process that made it. Any thread of any process may use it; mp_barrier_close() must be the
 * last use of its pointer.
 *
 * Timeouts: see ::MP_FOREVER.
 */
#ifndef MULTIPROC_BARRIER_H
#define MULTIPROC_BARRIER_H

#include <multiproc/call.h>
#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** The most parties of a barrier. */
#define MP_BARRIER_MAX 16384

/** How to make a barrier; zero is the default for each field. */
typedef struct mp_barrier_options {
    mp_function_t action; /**< called each time by the party that came last, before any returns; NULL: nothing */
    mp_args_t args;       /**< its arguments, encoded before the call returns */
} mp_barrier_options_t;

/** @cond internal */
MP_API mp_status_t mp__barrier_create(mp_barrier_t **barrier, uint32_t parties, const mp_barrier_options_t *options,
                                      size_t options_size);
/** @endcond */

/**
 * Makes a barrier. It belongs to this process.
 * @param parties how many threads wait for each other: 1 to ::MP_BARRIER_MAX.
 * @return ::MP_OK; ::MP_INVALID; ::MP_NO_MEMORY; ::MP_LIMIT; ::MP_SYSTEM.
 */
static inline mp_status_t mp_barrier_create(mp_barrier_t **barrier, uint32_t parties)
{
    mp_barrier_options_t options;
    memset(&options, 0, sizeof options);
    return mp__barrier_create(barrier, parties, &options, sizeof options);
}

/** mp_barrier_create() with options, which are copied. @return as that, and the statuses of encoding for the action and
 * its arguments. */
static inline mp_status_t mp_barrier_create_with(mp_barrier_t **barrier, uint32_t parties,
                                                 const mp_barrier_options_t *options)
{
    return mp__barrier_create(barrier, parties, options, sizeof *options);
}

/**
 * Waits until all parties are there. The last one calls the action.
 * @param index how many were there before this one: each of 0 to parties - 1 is one party's; NULL: not wanted.
 * @return ::MP_OK; ::MP_TIMEOUT: the deadline passed, and the barrier is broken (unless the action of the round before
 * was still running); ::MP_STATE: it is broken, or was reset; what the action returned, if this thread called it and it
 * failed; ::MP_GONE: its owner closed it or died; ::MP_NO_MEMORY; ::MP_INVALID.
 */
MP_API mp_status_t mp_barrier_wait(mp_barrier_t *barrier, double timeout, uint32_t *index);

/** Breaks it. @return ::MP_OK, also if it was broken; ::MP_GONE; ::MP_INVALID. Blocks for moments only. */
MP_API mp_status_t mp_barrier_abort(mp_barrier_t *barrier);

/** Makes it as new; who waits gets ::MP_STATE. @return as mp_barrier_abort(). */
MP_API mp_status_t mp_barrier_reset(mp_barrier_t *barrier);

/** How many parties it is for. Does not block. @return ::MP_OK; ::MP_GONE; ::MP_INVALID. */
MP_API mp_status_t mp_barrier_parties(mp_barrier_t *barrier, uint32_t *parties);

/** How many of them wait. Blocks for moments only. @return ::MP_OK; ::MP_GONE; ::MP_INVALID. */
MP_API mp_status_t mp_barrier_waiting(mp_barrier_t *barrier, uint32_t *waiting);

/** Is it broken? Blocks for moments only. @return ::MP_OK; ::MP_GONE; ::MP_INVALID. */
MP_API mp_status_t mp_barrier_broken(mp_barrier_t *barrier, bool *broken);

/** In the process that made it: ends it for all, who waits gets ::MP_GONE. Elsewhere: lets go of this process's
 * pointer. @return ::MP_OK; ::MP_GONE: it was over, and the pointer is let go of; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_barrier_close(mp_barrier_t *barrier);

MP_END_DECLS

#endif
