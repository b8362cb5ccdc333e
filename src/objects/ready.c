/* The kinds of objects that can be waited for beside others. */
#include "objects/ready.h"

#include "family/watch.h"
#include "objects/connection.h"
#include "objects/listener.h"
#include "objects/pool_core.h"
#include "objects/process.h"
#include "objects/queue.h"

/* ---- shared objects */

static const mp__shared_t *shared_of(const mp__target_t *target)
{
    return target->object;
}

static mp__header_t *header_of(const mp__target_t *target)
{
    return shared_of(target)->header;
}

/* Its end is told; its owner's death is found by who looks for it. */
static bool is_gone(const mp__target_t *target, mp__look_t *look)
{
    const mp__shared_t *shared = shared_of(target);
    const mp__header_t *header = shared->header;
    if (!mp__object_is(header, &shared->handle.reference))
        return true;
    uint32_t process = header->owner + 1, epoch = header->owner_epoch;
    if (look->depth < MP__THOROUGH || (look->process == process && look->epoch == epoch))
        return false;
    look->process = process;
    look->epoch = epoch;
    return mp__object_owner_died(header, &shared->handle.reference);
}

static void announce(const mp__target_t *target)
{
    mp__watch_announce(header_of(target), target->wait);
}

/* ---- queues */

static bool dead(mp__look_t *look, uint64_t thread)
{
    if (look->thread != thread) {
        look->thread = thread;
        look->thread_dead = mp__thread_dead(thread);
    }
    return look->thread_dead;
}

static bool held_by_dead(const mp__lock_word_t *lock, mp__look_t *look)
{
    uint64_t holder = mp__word_owner(lock);
    return holder && dead(look, holder);
}

/* Its counts may be off by what somebody died at. */
static bool queue_in_doubt(const mp__target_t *target, mp__look_t *look)
{
    const mp__header_t *header = header_of(target);
    return look->depth == MP__THOROUGH ||
           (look->depth == MP__FIRST && (held_by_dead(&header->lock, look) || held_by_dead(&header->second, look)));
}

static bool queue_ready(const mp__target_t *target, mp__look_t *look)
{
    return is_gone(target, look) || mp__queue_ready(target->object, queue_in_doubt(target, look));
}

/* ---- locks */

static bool lock_ready(const mp__target_t *target, mp__look_t *look)
{
    uint64_t holder = mp__word_owner(&header_of(target)->held);
    return is_gone(target, look) || holder == 0 || holder == mp__self ||
           (look->depth >= MP__FIRST && dead(look, holder));
}

static void lock_announce(const mp__target_t *target)
{
    mp__watch_note(&header_of(target)->watchers);
    mp__word_watch(&header_of(target)->held);
}

/* ---- semaphores and events */

static bool semaphore_ready(const mp__target_t *target, mp__look_t *look)
{
    return is_gone(target, look) || mp__semaphore_ready(target->object);
}

static bool event_ready(const mp__target_t *target, mp__look_t *look)
{
    return is_gone(target, look) || mp__event_ready(target->object);
}

/* ---- what belongs to this process */

static bool result_ready(const mp__target_t *target, mp__look_t *look)
{
    (void)look;
    return mp_result_ready(target->object);
}

static void result_announce(const mp__target_t *target)
{
    mp__watch_note(&((mp_result_t *)target->object)->watchers);
}

static bool process_ready(const mp__target_t *target, mp__look_t *look)
{
    mp__depth_t wanted = target->handle == MP__NO_HANDLE ? MP__FIRST : MP__THOROUGH;
    return mp__process_has_ended(target->object, look->depth >= wanted);
}

/* Without a handle it was ready from the beginning. */
static bool handle_ready(const mp__target_t *target, mp__look_t *look)
{
    (void)look;
    return target->handle == MP__NO_HANDLE;
}

/* ---- all of them */

static const mp__readiness_t queues = {queue_ready, announce}, locks = {lock_ready, lock_announce},
                             semaphores = {semaphore_ready, announce}, events = {event_ready, announce},
                             results = {result_ready, result_announce}, processes = {process_ready, NULL},
                             handles = {handle_ready, NULL};

static mp_status_t init_shared(mp__target_t *target, mp_kind_t kind, const mp__readiness_t *readiness, unsigned wait)
{
    mp_status_t status = mp__shared_use(target->object, kind);
    if (status != MP_OK)
        return status;
    target->readiness = readiness;
    target->wait = &header_of(target)->waits[wait];
    return MP_OK;
}

static mp_status_t init_process(mp__target_t *target)
{
    target->readiness = &processes;
    mp_status_t status = mp__process_watch(target->object, &target->handle);
    return status == MP_OK ? mp__family_join() : status;
}

static mp_status_t init_result(mp__target_t *target)
{
    target->readiness = &results;
    mp_status_t status = target->object ? mp__result_use(target->object, "wait for any")
                                        : mp__error(MP_INVALID, "wait for any", "no result");
    return status == MP_OK ? mp__family_join() : status;
}

static mp_status_t init_descriptor(mp__target_t *target, mp__os_handle_t handle)
{
    target->readiness = &handles;
    target->handle = handle;
    return handle != MP__NO_HANDLE ? MP_OK : mp__error(MP_INVALID, "wait for any", "no descriptor");
}

mp_status_t mp__target_init(mp__target_t *target, const mp_value_t *value)
{
    mp_kind_t kind = mp_value_kind(*value);
    *target = (mp__target_t){.object = value->as.object, .handle = MP__NO_HANDLE, .channel = kind == MP_KIND_CONN};
    switch (kind) {
    case MP_KIND_QUEUE:
        return init_shared(target, kind, &queues, MP__QUEUE_NOT_EMPTY);
    case MP_KIND_LOCK:
    case MP_KIND_RLOCK:
        return init_shared(target, kind, &locks, 0);
    case MP_KIND_SEMAPHORE:
        return init_shared(target, kind, &semaphores, 0);
    case MP_KIND_EVENT:
        return init_shared(target, kind, &events, 0);
    case MP_KIND_RESULT:
        return init_result(target);
    case MP_KIND_PROCESS:
        return init_process(target);
    case MP_KIND_CONN:
        target->readiness = &handles;
        return mp__conn_watch(target->object, &target->handle);
    case MP_KIND_LISTENER:
        target->readiness = &handles;
        return mp__listener_watch(target->object, &target->handle);
    case MP_KIND_DESCRIPTOR:
        return init_descriptor(target, value->as.descriptor);
    default:
        return mp__error(MP_TYPE, "wait for any", "a %s cannot be waited for", mp_kind_name(kind));
    }
}
