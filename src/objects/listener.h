/* Listeners, for the rest of the library. */
#ifndef MP_OBJECTS_LISTENER_H
#define MP_OBJECTS_LISTENER_H

#include <multiproc/listener.h>

#include "platform.h"

/* For who waits until somebody has come: the handle. MP_INVALID; MP_CLOSED. */
mp_status_t mp__listener_watch(const mp_listener_t *listener, mp__os_handle_t *handle);

/* In every fork's child: closes all listeners that its parent had; their addresses are the parent's. */
void mp__listeners_forget(void);

#endif
