/**
 * @file named.h
 * Shared memory and locks with a name, for programs that are not of one family. Inside a family use shared_memory.h and
 * lock.h: they need no name and cost less.
 *
 * A name is 1 to 30 letters, digits, '_', '-' or '.', the first not a '.'; memory and locks have names of their own. It
 * is known to all processes whose temporary directory (TMPDIR, or TEMP on Windows) is the same.
 *
 * The process that makes it owns it, for ever: the others only open it. When the owner closes it, or ends in order
 * (returns from main, exits), nothing is left of it; when the owner dies, whoever comes across the name next finds that
 * out and takes the leavings away (in the owner's family that is at once). From then on every call is ::MP_GONE for
 * those who have it open; on Windows the name can be used again when they have closed it.
 *
 * The files belong to the user; but the Apache Portable Runtime makes the memory readable for all users of the machine.
 *
 * Any thread may use such an object; its close must be the last use of its pointer. It does not travel in messages, and
 * a child made by fork opens it by its name.
 */
#ifndef MULTIPROC_NAMED_H
#define MULTIPROC_NAMED_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** Shared memory with a name. */
typedef struct mp_named_memory mp_named_memory_t;
/** A lock with a name. */
typedef struct mp_named_lock mp_named_lock_t;

/**
 * Makes named memory of so many bytes, all 0.
 * @param memory where the new object goes; mp_named_memory_close() gives it back.
 * @param name what others open it by.
 * @param size bytes, at least 1.
 * @return ::MP_OK; ::MP_EXISTS: the name is taken; ::MP_INVALID: also, a name that is none; ::MP_NO_MEMORY;
 * ::MP_DENIED;
 * ::MP_LIMIT; ::MP_SYSTEM. May wait for a moment for another who makes or removes the same name.
 */
MP_API mp_status_t mp_named_memory_create(mp_named_memory_t **memory, const char *name, size_t size);

/** Opens what another process, or this one, has made. @return ::MP_OK; ::MP_NOT_FOUND: nobody alive owns such a name;
 * ::MP_INVALID; ::MP_DENIED; ::MP_MISMATCH: another version of the library made it; ::MP_NO_MEMORY; ::MP_LIMIT: no
 * descriptor is free; ::MP_SYSTEM. */
MP_API mp_status_t mp_named_memory_open(mp_named_memory_t **memory, const char *name);

/** Where the bytes lie in this process, aligned to 64. @param data valid until mp_named_memory_close(). @param size may
 * be NULL. @return ::MP_OK; ::MP_GONE: its owner closed it or died; ::MP_INVALID. */
MP_API mp_status_t mp_named_memory_data(mp_named_memory_t *memory, void **data, size_t *size);

/** Nobody finds it by its name any more; who has it open keeps it. The name is free again when the owner closes it.
 * @return ::MP_OK; ::MP_NOT_OWNER: another process made it; ::MP_NOT_FOUND: it was done before; ::MP_INVALID. */
MP_API mp_status_t mp_named_memory_unlink(mp_named_memory_t *memory);

/** In the owner: takes it back for all; bytes that others have open stay readable until they close it, too. Elsewhere:
 * lets go of it. @return ::MP_OK; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_named_memory_close(mp_named_memory_t *memory);

/** Makes a named lock, free. @return as mp_named_memory_create(). */
MP_API mp_status_t mp_named_lock_create(mp_named_lock_t **lock, const char *name);

/** Opens what another process, or this one, has made. @return as mp_named_memory_open(). */
MP_API mp_status_t mp_named_lock_open(mp_named_lock_t **lock, const char *name);

/**
 * Takes it. It is held by a thread, as mp_lock_t is. The system's own lock is behind it: a call costs microseconds, and
 * a wait that ends some time looks for it again and again (up to 100 times a second); one without end sleeps.
 * @return ::MP_OK; ::MP_OWNER_DIED: taken, and its last holder's process died holding it (on Windows also: its thread
 * ended); ::MP_TIMEOUT; ::MP_DEADLOCK: this thread holds it by this pointer (with a timeout of 0 or less: ::MP_BUSY);
 * ::MP_GONE: its owner closed it or died; ::MP_INVALID; ::MP_SYSTEM.
 */
MP_API mp_status_t mp_named_lock_acquire(mp_named_lock_t *lock, double timeout);

/** Lets go. @return ::MP_OK; ::MP_NOT_OWNER: this thread does not hold it by this pointer; ::MP_INVALID; ::MP_SYSTEM.
 */
MP_API mp_status_t mp_named_lock_release(mp_named_lock_t *lock);

/** As mp_named_memory_unlink(). */
MP_API mp_status_t mp_named_lock_unlink(mp_named_lock_t *lock);

/** In the owner: takes it back for all. Elsewhere: lets go of it. @return ::MP_OK; ::MP_BUSY: it is held, by anybody in
 * the owner, or by this pointer elsewhere; it stays open; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_named_lock_close(mp_named_lock_t *lock);

MP_END_DECLS

#endif
