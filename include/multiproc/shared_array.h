/**
 * @file shared_array.h
 * An array of C numbers that the processes of a family share (Python's Array).
 *
 *     double *x;
 *     size_t n;
 *     mp_shared_array_create(&array, MP_CTYPE_DOUBLE, 1000);
 *     mp_shared_array_data(array, &x, &n); // the compiler refuses what is no pointer to a number
 *
 * Its items are plain memory: who writes which of them when is the processes' own agreement, for example by the array's
 * lock, which costs nothing until it is used. It belongs to the process that made it (or adopted it: mp_adopt()): when
 * that one closes it or ends, every call anywhere is ::MP_GONE; items that a process has got a pointer to by then stay
 * where they are until it closes its own pointer, or ends.
 */
#ifndef MULTIPROC_SHARED_ARRAY_H
#define MULTIPROC_SHARED_ARRAY_H

#include <multiproc/ctype.h>
#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/**
 * Makes an array, all 0.
 * @param array where the new object goes; mp_shared_array_close() gives it back.
 * @param type of its items.
 * @param count how many; 0 is fine.
 * @return ::MP_OK; ::MP_TYPE: no such type; ::MP_NO_MEMORY: the family's cap of memory is reached (mp_error() names the
 * option); ::MP_INVALID; ::MP_LIMIT; ::MP_SYSTEM.
 */
MP_API mp_status_t mp_shared_array_create(mp_shared_array_t **array, mp_ctype_t type, size_t count);

/** What its items are. @return ::MP_OK; ::MP_GONE; ::MP_INVALID. */
MP_API mp_status_t mp_shared_array_type(mp_shared_array_t *array, mp_ctype_t *type);

/** How many items it has. @return as mp_shared_array_data(). */
MP_API mp_status_t mp_shared_array_length(mp_shared_array_t *array, size_t *count);

/** @cond internal */
MP_API mp_status_t mp__shared_array_data(mp_shared_array_t *array, int type, void *out, size_t *count);
/** @endcond */

/**
 * @def mp_shared_array_data(array, out, count)
 * Where the items lie in this process: the same in each call; in other processes elsewhere.
 * @param out where the pointer goes: a `double **`, `int **`, ... of the array's type, or a `void **` for any; valid
 * until this process's pointer is closed and every value that it came in is freed.
 * @param count a `size_t *` for how many items; may be NULL.
 * @return ::MP_OK; ::MP_TYPE: the items are of another type; ::MP_GONE; ::MP_INVALID; ::MP_NO_MEMORY; ::MP_CORRUPT.
 * Does not block. From any thread.
 */
#if defined(__cplusplus)
MP_END_DECLS
/** @cond internal */
static inline int mp__ctype_behind(void **)
{
    return 0;
}
#define MP__CTYPE_BEHIND(type, code)                                                                                   \
    static inline int mp__ctype_behind(type **)                                                                        \
    {                                                                                                                  \
        return code;                                                                                                   \
    }
MP__CTYPE_BEHIND(char, MP_CTYPE_CHAR)
MP__CTYPE_BEHIND(signed char, MP_CTYPE_INT8)
MP__CTYPE_BEHIND(unsigned char, MP_CTYPE_UINT8)
MP__CTYPE_BEHIND(short, MP_CTYPE_INT16)
MP__CTYPE_BEHIND(unsigned short, MP_CTYPE_UINT16)
MP__CTYPE_BEHIND(int, MP_CTYPE_INT32)
MP__CTYPE_BEHIND(unsigned, MP_CTYPE_UINT32)
MP__CTYPE_BEHIND(long, MP_CTYPE_LONG)
MP__CTYPE_BEHIND(unsigned long, MP_CTYPE_ULONG)
MP__CTYPE_BEHIND(long long, MP_CTYPE_INT64)
MP__CTYPE_BEHIND(unsigned long long, MP_CTYPE_UINT64)
MP__CTYPE_BEHIND(float, MP_CTYPE_FLOAT)
MP__CTYPE_BEHIND(double, MP_CTYPE_DOUBLE)
MP__CTYPE_BEHIND(bool, MP_CTYPE_BOOL)
#undef MP__CTYPE_BEHIND
/** @endcond */
MP_BEGIN_DECLS
#else
/** @cond internal */
#define mp__ctype_behind(out)                                                                                          \
    _Generic((out), void **                                                                                            \
             : 0, char **                                                                                              \
             : MP_CTYPE_CHAR, signed char **                                                                           \
             : MP_CTYPE_INT8, unsigned char **                                                                         \
             : MP_CTYPE_UINT8, short **                                                                                \
             : MP_CTYPE_INT16, unsigned short **                                                                       \
             : MP_CTYPE_UINT16, int **                                                                                 \
             : MP_CTYPE_INT32, unsigned **                                                                             \
             : MP_CTYPE_UINT32, long **                                                                                \
             : MP_CTYPE_LONG, unsigned long **                                                                         \
             : MP_CTYPE_ULONG, long long **                                                                            \
             : MP_CTYPE_INT64, unsigned long long **                                                                   \
             : MP_CTYPE_UINT64, float **                                                                               \
             : MP_CTYPE_FLOAT, double **                                                                               \
             : MP_CTYPE_DOUBLE, bool **                                                                                \
             : MP_CTYPE_BOOL)
/** @endcond */
#endif
#define mp_shared_array_data(array, out, count)                                                                        \
    mp__shared_array_data((array), (int)mp__ctype_behind(out), (out), (count))

/** Takes its lock. @return as mp_lock_acquire(). */
MP_API mp_status_t mp_shared_array_lock(mp_shared_array_t *array, double timeout);

/** Lets its lock go. @return as mp_lock_release(). */
MP_API mp_status_t mp_shared_array_unlock(mp_shared_array_t *array);

/** In the process that it belongs to: ends it for all. Elsewhere: lets go of this process's pointer. @return ::MP_OK;
 * ::MP_BUSY: its lock is held (only where it would end; it stays open); ::MP_GONE: it was over, and the pointer is let
 * go of; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_shared_array_close(mp_shared_array_t *array);

MP_END_DECLS

#endif
