/* The lock that a user takes around an object's memory: the header's `held`, with a lock's statuses. */
#ifndef MP_OBJECTS_GUARD_H
#define MP_OBJECTS_GUARD_H

#include "objects/shared.h"

/* Statuses as mp_lock_acquire(). */
mp_status_t mp__guard_lock(mp__shared_t *shared, mp_kind_t kind, double timeout);

/* Statuses as mp_lock_release(). */
mp_status_t mp__guard_unlock(mp__shared_t *shared, mp_kind_t kind);

/* mp__shared_close() for such an object: MP_BUSY in the process that would end it while somebody holds it. */
mp_status_t mp__guard_close(mp__shared_t *shared, mp_kind_t kind, void (*release)(mp__header_t *));

#endif
