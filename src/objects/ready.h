/*
 * Is it ready? What mp_wait() must know of each kind of object: how to look at it, and what tells of its changes: a
 * handle of the system, or whoever changes it (family/watch.h).
 */
#ifndef MP_OBJECTS_READY_H
#define MP_OBJECTS_READY_H

#include "objects/shared.h"
#include "platform.h"

/* How closely to look: what costs a call of the system is not asked each time. */
typedef enum mp__depth {
    MP__GLANCE,  /* after somebody told of a change */
    MP__FIRST,   /* also for what was there before */
    MP__THOROUGH /* now and then, also for what nobody tells */
} mp__depth_t;

/* Answers that many objects of one look share. Zeroed at first. */
typedef struct mp__look {
    mp__depth_t depth;
    uint64_t thread; /* the last that was asked for, as in mp__self */
    bool thread_dead;
    uint32_t process; /* slot + 1 */
    uint32_t epoch;
} mp__look_t;

typedef struct mp__target mp__target_t;

typedef struct mp__readiness {
    bool (*ready)(const mp__target_t *target, mp__look_t *look);
    void (*announce)(const mp__target_t *target); /* from now on its changes ring; NULL: its handle tells them */
} mp__readiness_t;

/* An object of a wait. */
struct mp__target {
    const mp__readiness_t *readiness;
    void *object;
    uint32_t *wait;         /* of its header's, where its changes are told; NULL: none of them */
    mp__os_handle_t handle; /* MP__NO_HANDLE: none */
    bool channel;
};

/* Of kinds whose content only their own rooms know: would acquiring it, or waiting for it, return at once? */
bool mp__queue_ready(mp_queue_t *queue, bool in_doubt); /* in_doubt: do not rely on its counts */
bool mp__semaphore_ready(const mp__shared_t *semaphore);
bool mp__event_ready(const mp__shared_t *event);

/* MP_TYPE: no such thing can be waited for; MP_INVALID, MP_DEADLOCK. */
mp_status_t mp__target_init(mp__target_t *target, const mp_value_t *object);

#endif
