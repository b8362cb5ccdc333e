/*
 * One thread a process that watches the children which the library itself depends on (pools' workers, managers'
 * servers): when one ends, however it ended, it is reaped and swept at once, so that all who wait for something of it
 * wake, and its pool or manager is told.
 */
#ifndef MP_OBJECTS_REAPER_H
#define MP_OBJECTS_REAPER_H

#include <multiproc/process.h>

/* Called on the reaper's thread once the process was reaped and swept; must not block for long. */
typedef void (*mp__ended_t)(void *context, mp_process_t *process);

/* Watches a child until it ends or is forgotten. The thread starts with the first. MP_NO_MEMORY, MP_LIMIT, MP_SYSTEM.
 */
mp_status_t mp__reaper_watch(mp_process_t *process, mp__ended_t ended, void *context);

/* Stops watching; when it returns, `ended` does not run for this process and will not (unless called from `ended`
 * itself). */
void mp__reaper_forget(mp_process_t *process);

/* In a fork's child: there is no thread and nothing to watch. */
void mp__reaper_reset(void);

#endif
