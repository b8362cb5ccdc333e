/**
 * @file event.h
 * Events: a flag that any process and thread of a family sets, clears and waits for.
 *
 * An event belongs to the process that made it. Any thread of any process may use it; mp_event_close() must be the last
 * use of its pointer.
 *
 * Timeouts: see ::MP_FOREVER.
 */
#ifndef MULTIPROC_EVENT_H
#define MULTIPROC_EVENT_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** Makes an event, not set. @return ::MP_OK; ::MP_INVALID; ::MP_NO_MEMORY; ::MP_LIMIT; ::MP_SYSTEM. */
MP_API mp_status_t mp_event_create(mp_event_t **event);

/**
 * Sets it, and wakes all who wait for it. Never blocks. Async-signal-safe: a signal handler may call it whatever it
 * interrupted; errno and mp_error() stay as they are.
 * @return ::MP_OK, also if it was set; ::MP_GONE: its owner closed it or died; ::MP_INVALID.
 */
MP_API mp_status_t mp_event_set(mp_event_t *event);

/** Takes that back. Does not block. @return ::MP_OK, also if it was not set; ::MP_GONE; ::MP_INVALID. */
MP_API mp_status_t mp_event_clear(mp_event_t *event);

/** Is it set? Does not block. @return ::MP_OK; ::MP_GONE; ::MP_INVALID. */
MP_API mp_status_t mp_event_is_set(mp_event_t *event, bool *set);

/**
 * Waits until it is set. Who waits when it is set returns, also if it is cleared again at once.
 * @return ::MP_OK; ::MP_TIMEOUT; ::MP_GONE; ::MP_INVALID.
 */
MP_API mp_status_t mp_event_wait(mp_event_t *event, double timeout);

/** In the process that made it: ends it for all, who waits gets ::MP_GONE. Elsewhere: lets go of this process's
 * pointer. @return ::MP_OK; ::MP_GONE: it was over, and the pointer is let go of; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_event_close(mp_event_t *event);

MP_END_DECLS

#endif
