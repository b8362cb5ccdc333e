/*
 * Waiting for any of many objects.
 *
 * Shared objects and results tell their changes by ringing the thread's door; processes, connections and descriptors
 * are handles of the system. Who waits for both kinds waits for the handles and an event, which the porter sets when
 * the door was rung. A thread that is woken looks at all its objects.
 */
#include <multiproc/wait.h>

#include "family/watch.h"
#include "objects/porter.h"
#include "objects/ready.h"

#include <stdlib.h>

static const char step[] = "wait for any";

#define FEW 16 /* so many are looked at again and again before the thread sleeps */

typedef struct wait {
    size_t n;
    mp__target_t *targets;
    bool *ready;
    mp__deadline_t deadline;
    bool rings;   /* there are objects that ring the door */
    bool guest;   /* and handles: the porter hears it */
    bool begun;   /* the door is, or was, armed */
    size_t count; /* of the handles; with `guest` the event is one of them, the first */
    mp__os_handle_t *handles;
    bool *channel;
    bool *signalled;
    size_t *indices; /* whose they are */
    mp__os_watch_t *watch;
    mp__guest_t porter;
    mp__spin_t spin;
} wait_t;

/* ---- the objects */

static mp_status_t init_targets(wait_t *w, const mp_value_t *objects)
{
    w->targets = w->n <= SIZE_MAX / sizeof *w->targets ? malloc(w->n * sizeof *w->targets) : NULL;
    if (!w->targets)
        return mp__error(MP_NO_MEMORY, step, "no memory for %llu objects", (unsigned long long)w->n);
    for (size_t i = 0; i < w->n; i++) {
        mp__target_t *target = &w->targets[i];
        mp_status_t status = mp__target_init(target, &objects[i]);
        if (status != MP_OK)
            return status;
        /* The parent's end rings as every death does, once somebody sees it. */
        w->rings = w->rings || target->readiness->announce || target->handle == MP__NO_HANDLE;
        w->count += target->handle != MP__NO_HANDLE;
    }
    return MP_OK;
}

static bool look(const wait_t *w, mp__depth_t depth)
{
    mp__look_t answers = {.depth = depth};
    bool any = false;
    for (size_t i = 0; i < w->n; i++) {
        w->ready[i] = w->targets[i].readiness->ready(&w->targets[i], &answers);
        any = any || w->ready[i];
    }
    return any;
}

/* ---- the handles */

static mp_status_t make_room(wait_t *w)
{
    size_t most = w->count + 1;
    w->handles = calloc(most, sizeof *w->handles);
    w->channel = calloc(most, sizeof *w->channel);
    w->signalled = calloc(most, sizeof *w->signalled);
    w->indices = calloc(most, sizeof *w->indices);
    return w->handles && w->channel && w->signalled && w->indices ? MP_OK : mp__error(MP_NO_MEMORY, step, "no memory");
}

static void list_handles(wait_t *w)
{
    size_t at = 0;
    if (w->guest)
        w->handles[at++] = w->porter.event.wait;
    for (size_t i = 0; i < w->n; i++)
        if (w->targets[i].handle != MP__NO_HANDLE) {
            w->handles[at] = w->targets[i].handle;
            w->channel[at] = w->targets[i].channel;
            w->indices[at++] = i;
        }
    w->count = at;
}

static mp_status_t begin_handles(wait_t *w, bool sleeps)
{
    if (w->count == 0)
        return MP_OK;
    mp_status_t status = make_room(w);
    if (status == MP_OK && sleeps && w->rings) {
        status = mp__porter_call(&w->porter);
        w->guest = status == MP_OK;
    }
    if (status != MP_OK)
        return status;
    list_handles(w);
    return mp__os_watch_begin(w->handles, w->channel, w->count, &w->watch);
}

/* Waits for the handles until then. MP_OK, also when none is ready. */
static mp_status_t wait_for_handles(wait_t *w, mp__deadline_t until)
{
    mp_status_t status = mp__os_watch_wait(w->watch, until, w->signalled);
    return status == MP_TIMEOUT ? MP_OK : status;
}

/* After a look: adds what the handles told. */
static bool add_handles(const wait_t *w, bool any)
{
    for (size_t i = w->guest; i < w->count; i++)
        if (w->signalled[i])
            any = w->ready[w->indices[i]] = true;
    return any;
}

static void end_handles(wait_t *w)
{
    mp__os_watch_end(w->watch);
    if (w->guest)
        mp__porter_dismiss(&w->porter);
    free(w->handles);
    free(w->channel);
    free(w->signalled);
    free(w->indices);
}

/* ---- waiting */

/* A moment without sleeping, where looking costs little. */
static bool spin(wait_t *w)
{
    bool any = false;
    w->spin.most = MP__SPIN_BRIEF;
    while (!any && w->count == 0 && w->n <= FEW && mp__spin(&w->spin, w->deadline))
        any = look(w, MP__GLANCE);
    return any;
}

/* From here on changes ring. */
static uint32_t announce(wait_t *w)
{
    if (!w->rings)
        return 0;
    if (w->guest)
        mp__os_event_clear(&w->porter.event);
    uint32_t seen = mp__watch_begin();
    w->begun = true;
    for (size_t i = 0; i < w->n; i++)
        if (w->targets[i].readiness->announce)
            w->targets[i].readiness->announce(&w->targets[i]);
    mp__fence();
    return seen;
}

/* Sleeps until something changed, or then. */
static mp_status_t sleep_until(wait_t *w, uint32_t seen, mp__deadline_t until)
{
    if (w->count > 0)
        return wait_for_handles(w, until);
    (void)mp__watch_sleep(seen, until);
    return MP_OK;
}

static mp_status_t wait_for_any(wait_t *w)
{
    int64_t now = mp__os_now(), thorough = now;
    for (bool any = false; !any;) {
        uint32_t seen = announce(w);
        any = look(w, MP__GLANCE);
        mp_status_t status = sleep_until(w, seen, any ? 0 : mp__sooner(w->deadline, now + MP__PARK_SLICE));
        if (status != MP_OK)
            return status;
        now = mp__os_now();
        bool slice = now - thorough >= MP__PARK_SLICE;
        if (slice)
            thorough = now;
        any = add_handles(w, look(w, slice ? MP__THOROUGH : MP__GLANCE));
        if (!any && now >= w->deadline)
            return mp__error(MP_TIMEOUT, step, "none is ready");
    }
    return MP_OK;
}

static mp_status_t run(wait_t *w, const mp_value_t *objects)
{
    mp_status_t status = init_targets(w, objects);
    if (status != MP_OK)
        return status;
    bool any = look(w, MP__FIRST) || (w->deadline > 0 && spin(w));
    if (any)
        w->deadline = 0;
    if (any && w->count == 0)
        return MP_OK;
    status = begin_handles(w, w->deadline > 0);
    if (status == MP_OK && w->deadline > 0)
        return wait_for_any(w);
    if (status == MP_OK && w->count > 0)
        status = wait_for_handles(w, 0);
    if (status == MP_OK && !add_handles(w, any))
        status = mp__error(MP_TIMEOUT, step, "none is ready");
    return status;
}

/* Waiting for nothing. */
static mp_status_t pass_time(mp__deadline_t deadline)
{
    if (deadline == MP__NEVER)
        return mp__error(MP_INVALID, step, "nothing to wait for, and no deadline");
    if (deadline > 0)
        mp__os_sleep(deadline);
    return mp__error(MP_TIMEOUT, step, "nothing to wait for");
}

mp_status_t mp_wait(const mp_value_t *objects, size_t n, bool *ready, double timeout)
{
    wait_t w = {.n = n, .ready = ready};
    if (n > 0 && (!objects || !ready))
        return mp__error(MP_INVALID, step, "no objects, or no place for what is ready");
    mp_status_t status = mp__deadline(timeout, &w.deadline);
    if (status != MP_OK || n == 0)
        return status == MP_OK ? pass_time(w.deadline) : status;
    status = run(&w, objects);
    if (status == MP_OK)
        mp__spin_end(&w.spin);
    if (w.begun)
        mp__watch_end();
    end_handles(&w);
    free(w.targets);
    return status;
}
