/**
 * @file process_watch.h
 * Watching a process that is no child of this one, by its id: does it live, and wait for its end.
 *
 * The id is looked up once, when the watch is opened; if it is another's later the watch does not mistake that one for
 * its own. Every function may be called from any thread; mp_watch_close() must be the last use of its pointer.
 */
#ifndef MULTIPROC_PROCESS_WATCH_H
#define MULTIPROC_PROCESS_WATCH_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** A watched process. */
typedef struct mp_watch mp_watch_t;

/**
 * Watches the process that has this id now. Takes one descriptor.
 * @param watch where the new object goes, to be closed by mp_watch_close().
 * @return ::MP_OK; ::MP_NOT_FOUND: there is none; ::MP_DENIED; ::MP_UNSUPPORTED: the system has no safe way (POSIX
 * alone; Linux before 5.3); ::MP_INVALID; ::MP_LIMIT; ::MP_NO_MEMORY.
 */
MP_API mp_status_t mp_watch_open(mp_watch_t **watch, int pid);

/** Waits for its end; on POSIX one that nobody has reaped has ended. @return ::MP_OK; ::MP_TIMEOUT; ::MP_INVALID. */
MP_API mp_status_t mp_watch_join(const mp_watch_t *watch, double timeout);

/** Does it still live? False for NULL. Does not block. */
MP_API bool mp_watch_is_alive(const mp_watch_t *watch);

/** Its id; 0 for NULL. */
MP_API int mp_watch_pid(const mp_watch_t *watch);

/** Stops watching. NULL is fine. */
MP_API void mp_watch_close(mp_watch_t *watch);

MP_END_DECLS

#endif
