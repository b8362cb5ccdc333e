/* Locks, for the rest of the library. */
#ifndef MP_OBJECTS_LOCK_H
#define MP_OBJECTS_LOCK_H

#include "family/reference.h"
#include <multiproc/status.h>

/* A holder (mp_lock_t) of what a reference names. */
mp_status_t mp__lock_open(const mp__reference_t *reference, void **lock);

#endif
