/* What the child of a fork leaves behind of its parent's, whoever forked: the library or the host itself. */
#ifndef MP_OBJECTS_FORKED_H
#define MP_OBJECTS_FORKED_H

#include <multiproc/status.h>

/* From now on each such child forgets its parent's children, finalizers, reaper, pools and managers. To be called by
 * who makes the first of them; again is fine. MP_NO_MEMORY. */
mp_status_t mp__forks_watch(void);

#endif
