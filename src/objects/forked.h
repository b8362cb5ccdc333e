/* What the child of a fork leaves behind of its parent's, whoever forked: the library or the host itself. */
#ifndef MP_OBJECTS_FORKED_H
#define MP_OBJECTS_FORKED_H

#include "core/local.h"

/* From now on each such child forgets its parent's children, finalizers, reaper, pools, managers and listeners. To be
 * called by who makes the first of them; again is fine. MP_NO_MEMORY. */
mp_status_t mp__forks_watch(void);

/* The same, and a mutex for a list of them. It stays for the process's life; who forgets the list makes another one,
 * because a thread of the parent may have held it. MP_NO_MEMORY, MP_SYSTEM. */
mp_status_t mp__forks_mutex(apr_thread_mutex_t **mutex);

#endif
