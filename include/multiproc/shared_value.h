/**
 * @file shared_value.h
 * One number that the processes of a family share (Python's Value).
 *
 * Each call is atomic and never waits: also add, exchange and compare-and-exchange. A value has a lock, too, for those
 * who do several things in a row; unlike Python's, a single call does not take it, so all who touch the value in that
 * way have to agree on the lock. It costs nothing until it is used, so there is no second sort of value without one.
 *
 * The type decides which calls a value takes: ..._double() for float and double; ..._uint() for unsigned types and
 * bool; ..._int() for all whole numbers but unsigned long and unsigned long long, and for bool. Others are ::MP_TYPE.
 *
 * A value belongs to the process that made it (or adopted it: mp_adopt()): when that one closes it or ends, every call
 * anywhere is ::MP_GONE. Any thread of any process may use it; mp_shared_value_close() must be the last use of its
 * pointer. Beside the statuses that are named each call may return ::MP_GONE, ::MP_INVALID, ::MP_NO_MEMORY (a process's
 * first use), ::MP_LIMIT, ::MP_CORRUPT.
 */
#ifndef MULTIPROC_SHARED_VALUE_H
#define MULTIPROC_SHARED_VALUE_H

#include <multiproc/ctype.h>
#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** Makes a value, 0. @return ::MP_OK; ::MP_TYPE: no such type; ::MP_NO_MEMORY: the family's cap of memory is reached;
 * ::MP_SYSTEM. */
MP_API mp_status_t mp_shared_value_create(mp_shared_value_t **value, mp_ctype_t type);

/** What it was made with. @return ::MP_OK. */
MP_API mp_status_t mp_shared_value_type(mp_shared_value_t *value, mp_ctype_t *type);

/** Reads it. @return ::MP_OK; ::MP_TYPE. */
MP_API mp_status_t mp_shared_value_get_int(mp_shared_value_t *value, int64_t *x);
MP_API mp_status_t mp_shared_value_get_uint(mp_shared_value_t *value,
                                            uint64_t *x); /**< @copydoc mp_shared_value_get_int */
MP_API mp_status_t mp_shared_value_get_double(mp_shared_value_t *value,
                                              double *x); /**< @copydoc mp_shared_value_get_int */

/** Writes it. A float holds x rounded; any x but 0 makes a bool true. @return ::MP_OK; ::MP_TYPE; ::MP_TOO_LARGE: the
 * type does not hold x, nothing was written. */
MP_API mp_status_t mp_shared_value_set_int(mp_shared_value_t *value, int64_t x);
MP_API mp_status_t mp_shared_value_set_uint(mp_shared_value_t *value,
                                            uint64_t x); /**< @copydoc mp_shared_value_set_int */
MP_API mp_status_t mp_shared_value_set_double(mp_shared_value_t *value,
                                              double x); /**< @copydoc mp_shared_value_set_int */

/** Adds to it; whole numbers wrap round at the type's width. @param by what to add. @param before what it was; may be
 * NULL. @return ::MP_OK; ::MP_TYPE, also for bool. */
MP_API mp_status_t mp_shared_value_add_int(mp_shared_value_t *value, int64_t by, int64_t *before);
/** @copydoc mp_shared_value_add_int */
MP_API mp_status_t mp_shared_value_add_uint(mp_shared_value_t *value, uint64_t by, uint64_t *before);
/** @copydoc mp_shared_value_add_int */
MP_API mp_status_t mp_shared_value_add_double(mp_shared_value_t *value, double by, double *before);

/** Writes x. @param before what it was; may be NULL. @return as mp_shared_value_set_int(). */
MP_API mp_status_t mp_shared_value_exchange_int(mp_shared_value_t *value, int64_t x, int64_t *before);
/** @copydoc mp_shared_value_exchange_int */
MP_API mp_status_t mp_shared_value_exchange_uint(mp_shared_value_t *value, uint64_t x, uint64_t *before);
/** @copydoc mp_shared_value_exchange_int */
MP_API mp_status_t mp_shared_value_exchange_double(mp_shared_value_t *value, double x, double *before);

/**
 * Writes x if it is *expected. Floating numbers are compared bit by bit: NaN is found again, and -0.0 is not 0.0.
 * @param expected in: what it should be; out: what it was.
 * @param done was x written?
 * @return as mp_shared_value_set_int(), whether x was written or not.
 */
MP_API mp_status_t mp_shared_value_cas_int(mp_shared_value_t *value, int64_t *expected, int64_t x, bool *done);
/** @copydoc mp_shared_value_cas_int */
MP_API mp_status_t mp_shared_value_cas_uint(mp_shared_value_t *value, uint64_t *expected, uint64_t x, bool *done);
/** @copydoc mp_shared_value_cas_int */
MP_API mp_status_t mp_shared_value_cas_double(mp_shared_value_t *value, double *expected, double x, bool *done);

/** Takes its lock. @return as mp_lock_acquire(). */
MP_API mp_status_t mp_shared_value_lock(mp_shared_value_t *value, double timeout);

/** Lets its lock go. @return as mp_lock_release(). */
MP_API mp_status_t mp_shared_value_unlock(mp_shared_value_t *value);

/** In the process that it belongs to: ends it for all. Elsewhere: lets go of this process's pointer. @return ::MP_OK;
 * ::MP_BUSY: its lock is held (only where it would end; it stays open); ::MP_GONE: it was over, and the pointer is let
 * go of; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_shared_value_close(mp_shared_value_t *value);

MP_END_DECLS

#endif
