/* What looks after a child: its parent's end, its limits, and being asked to end. */
#ifndef MP_OBJECTS_WATCHER_H
#define MP_OBJECTS_WATCHER_H

#include "objects/process_options.h"

/* Begins, if there is something to look after. lifeline: MP__NO_HANDLE if it may outlive its parent; own: no
 * other process has it. MP_NO_MEMORY, MP_LIMIT. */
mp_status_t mp__watcher_begin(mp__os_handle_t lifeline, bool own, const mp__settings_t *settings);

/* A process does not end while the thread begins: Wine complains about that on standard error. */
void mp__watcher_await(void);

#endif
