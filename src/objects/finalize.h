/* What is done when a process ends in order (return from main, exit, a target's return): by priority, among equals the
 * newest first, each once, never in a forked child for its parent's. */
#ifndef MP_OBJECTS_FINALIZE_H
#define MP_OBJECTS_FINALIZE_H

#include <multiproc/status.h>

typedef struct mp__finalizer mp__finalizer_t;

#define MP__FINALIZE_POOL    15
#define MP__FINALIZE_MANAGER 0

/* MP_NO_MEMORY. */
mp_status_t mp__finalize_add(int priority, void (*run)(void *context), void *context, mp__finalizer_t **finalizer);

/* Takes it back; one that runs or ran is MP_OK too. NULL is fine. */
void mp__finalize_remove(mp__finalizer_t *finalizer);

/* Those of priority 0 and more; then daemons are terminated and every child that is no service is joined; then the
 * rest. Once a process. */
void mp__finalize_run(void);

/* In a fork's child. */
void mp__finalize_reset(void);

#endif
