/**
 * @file shared_memory.h
 * Memory that the processes of a family share.
 *
 *     mp_shared_memory_t *memory;
 *     mp_shared_memory_create(&memory, 1 << 20);
 *     mp_process_start(&p, f, mp_args(memory)); // f: mp_shared_memory_data(mp_arg_shared_memory(call, 0), &data,
 * &size)
 *
 * It has no name and leaves nothing behind. It belongs to the process that made it (or adopted it: mp_adopt()): when
 * that one closes it or ends, every call anywhere is ::MP_GONE; bytes that a process has got a pointer to by then stay
 * where they are until it closes its own pointer, or ends. Who writes what is the processes' own agreement: a lock, a
 * queue, or mp_shared_array_t and mp_shared_value_t where that fits better. For memory that other programs find by a
 * name see named.h.
 */
#ifndef MULTIPROC_SHARED_MEMORY_H
#define MULTIPROC_SHARED_MEMORY_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/**
 * Makes shared memory of so many bytes, all 0.
 * @param memory where the new object goes; mp_shared_memory_close() gives it back.
 * @param size bytes, at least 1.
 * @return ::MP_OK; ::MP_INVALID; ::MP_NO_MEMORY: the family's cap of memory is reached (mp_error() names the option);
 * ::MP_LIMIT; ::MP_SYSTEM.
 */
MP_API mp_status_t mp_shared_memory_create(mp_shared_memory_t **memory, size_t size);

/**
 * Where the bytes lie in this process. Aligned to 64 bytes; the same in each call; in other processes elsewhere.
 * @param data valid until this process's pointer is closed and every value that it came in is freed.
 * @param size how many bytes; may be NULL.
 * @return ::MP_OK; ::MP_GONE; ::MP_INVALID; ::MP_NO_MEMORY; ::MP_CORRUPT. Does not block. From any thread.
 */
MP_API mp_status_t mp_shared_memory_data(mp_shared_memory_t *memory, void **data, size_t *size);

/** How many bytes it has: what it was made with. @return as mp_shared_memory_data(). */
MP_API mp_status_t mp_shared_memory_size(mp_shared_memory_t *memory, size_t *size);

/** In the process that it belongs to: ends it for all. Elsewhere: lets go of this process's pointer. @return ::MP_OK;
 * ::MP_GONE: it was over, and the pointer is let go of; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_shared_memory_close(mp_shared_memory_t *memory);

MP_END_DECLS

#endif
