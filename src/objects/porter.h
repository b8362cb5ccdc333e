/*
 * The porter: a thread that hears the doors of threads of this process (family/watch.h) which wait for handles of the
 * system, and wakes them by an event beside those handles. For a thread in another process can ring a door, but set no
 * event here. It starts with the first who needs it, and sleeps without waking while nobody does.
 */
#ifndef MP_OBJECTS_PORTER_H
#define MP_OBJECTS_PORTER_H

#include "platform.h"

/* A thread that waits for handles. */
typedef struct mp__guest mp__guest_t;

struct mp__guest {
    mp__os_event_t event; /* set when its door was rung */
    uint32_t slot;        /* the thread's */
    mp__guest_t *next;
    mp__guest_t **link;
};

/* For the calling thread, before it arms its door. MP_LIMIT, MP_NO_MEMORY, MP_SYSTEM. */
mp_status_t mp__porter_call(mp__guest_t *guest);

/* By the same thread, after mp__watch_end(). */
void mp__porter_dismiss(mp__guest_t *guest);

#endif
