/* Shared objects: making, finding and ending them. */
#include "family/object.h"

#include "family/watch.h"

#include <stdlib.h>
#include <string.h>

#define GLANCE (10 * MP__MILLISECOND)

#define SETTLE_TIME (200 * MP__MILLISECOND)

static uint32_t check_of(uint32_t place, uint32_t generation, uint16_t kind)
{
    return mp__high((mp__pair(generation, place) ^ (uint64_t)kind << 48) * UINT64_C(0x9e3779b97f4a7c15)) + 1;
}

static uint32_t place_of(const mp__header_t *header)
{
    return (uint32_t)(mp__offset_of(header) / MP__UNIT);
}

static mp__header_t *header_in(uint32_t place)
{
    return (mp__header_t *)(void *)(mp__family.base + (uint64_t)place * MP__UNIT);
}

mp_status_t mp__object_create(uint16_t kind, mp__header_t **header, mp__reference_t *reference)
{
    mp__block_t block;
    mp_status_t status = mp__header_alloc(mp__owner_process(mp__family.process), &block);
    if (status != MP_OK)
        return status;
    uint32_t place = mp__low(block), generation = mp__high(block);
    mp__header_t *h = header_in(place);
    /* The locks, waits and watchers are left alone: a straggler may be about to let go of them. */
    memset(h->body, 0, sizeof h->body);
    mp__store64(&h->held, 0); /* a straggler then finds that it does not hold it */
    mp__store64(&h->state, mp__pair(generation, 0));
    h->kind = kind;
    h->damaged = h->settled = 0;
    h->owner = mp__family.process;
    h->owner_epoch = mp__family.epoch;
    h->check = check_of(place, generation, kind);
    mp__store32(&h->generation, generation);
    reference->place = place;
    reference->generation = generation;
    reference->kind = kind;
    memcpy(reference->family, mp__family.head->family, sizeof reference->family);
    *header = h;
    return MP_OK;
}

mp_status_t mp__object_gone(const char *step)
{
    return mp__error(MP_GONE, step, "its owner closed it or died");
}

mp_status_t mp__object_open(const mp__reference_t *reference, uint16_t kind, mp__header_t **header)
{
    const char *step = "open a reference";
    if (memcmp(reference->family, mp__family.head->family, sizeof reference->family) != 0)
        return mp__error(MP_FOREIGN, step, "it belongs to another family of processes");
    if (reference->kind != kind || reference->generation == 0 || !mp__header_at(reference->place))
        return mp__error(MP_MALFORMED, step, "it names no object of this kind");
    uint32_t generation;
    if (!mp__header_live(reference->place, &generation) || generation != reference->generation)
        return mp__object_gone(step);
    mp__header_t *h = header_in(reference->place);
    if (!mp__object_is(h, reference))
        return mp__object_gone(step);
    bool other = h->kind != kind;
    if (!other && h->check == check_of(reference->place, reference->generation, kind)) {
        *header = h;
        return MP_OK;
    }
    mp__fence();
    if (!mp__object_is(h, reference)) /* it ended just now, and this is the place's next object */
        return mp__object_gone(step);
    return other ? mp__error(MP_MALFORMED, step, "it names an object of another kind")
                 : mp__error(MP_CORRUPT, step, "the object's header is damaged");
}

mp_status_t mp__object_lock(mp__header_t *header, mp__lock_word_t *lock, const mp__reference_t *reference,
                            mp__deadline_t deadline)
{
    if (!mp__object_is(header, reference))
        return mp__object_gone("use an object");
    mp_status_t status = mp__word_lock(lock, deadline);
    if (status != MP_OK && status != MP_OWNER_DIED)
        return status;
    mp__fence_after_rmw();
    if (mp__object_is(header, reference)) {
        if (status == MP_OWNER_DIED)
            header->damaged = 1;
        return status;
    }
    /* It is the place's next object that somebody died in: for those to repair who use it. */
    if (status == MP_OWNER_DIED)
        mp__word_abandon(lock);
    else
        mp__word_unlock(lock);
    return mp__object_gone("use an object");
}

bool mp__object_owner_died(const mp__header_t *header, const mp__reference_t *reference)
{
    uint32_t owner = MP__MAX_PROCESSES, after;
    if (!mp__object_is(header, reference))
        return true;
    /* Also if that one has begun to end it: it may have died at that. The slot is nobody else's before what its process
     * owned is swept. */
    mp__header_owner(reference->place, reference->generation, &owner);
    uint32_t epoch = mp__process_epoch(owner);
    if (!mp__process_dead(owner, epoch))
        return !mp__object_is(header, reference);
    (void)mp__process_bury(owner, epoch);
    return !mp__header_owner(reference->place, reference->generation, &after) || after == owner;
}

bool mp__object_glance(const mp__header_t *header, const mp__reference_t *reference)
{
    static MP__THREAD_LOCAL int64_t next;
    if (mp__load32(&header->owner) == mp__family.process)
        return false;
    int64_t now = mp__os_now();
    if (now < next)
        return false;
    next = now + GLANCE;
    return mp__object_owner_died(header, reference);
}

/* Raises the generation, for one caller only, and wakes all who sleep in it or watch it. */
static bool end_generation(mp__header_t *header, uint32_t generation)
{
    bool ended = mp__cas32(&header->generation, &generation, generation + 1);
    mp__fence_after_rmw();
    for (size_t i = 0; i < MP__COUNT_OF(header->waits); i++) {
        const uint32_t announced = MP__WAIT_NOW | MP__WAIT_EVER | MP__WAIT_WATCHED;
        uint32_t *wait = &header->waits[i], old = mp__load32(wait);
        /* Who announces itself from here on looks at the generation before it sleeps. */
        while ((old & announced) && !mp__cas32(wait, &old, (old + MP__WAIT_STEP) & ~announced))
            ;
        if (old & announced)
            mp__wake(wait, true);
    }
    mp__watch_ring(&header->watchers);
    return ended;
}

/* Waits until whoever took a lock before the generation rose has let go; later comers see the new generation and touch
 * nothing: each takes the lock and then looks at the generation, as the end raises the generation and then looks at the
 * lock. */
static bool settle(mp__header_t *header, int64_t patience)
{
    mp__lock_word_t *locks[] = {&header->lock, &header->second};
    for (size_t i = 0; i < MP__COUNT_OF(locks); i++) {
        if (mp__load64(locks[i]) == 0)
            continue;
        mp_status_t status = mp__word_lock(locks[i], mp__os_now() + patience);
        if (status == MP_OWNER_DIED)
            header->damaged = 1;
        else if (status != MP_OK)
            return false;
        mp__word_unlock(locks[i]);
    }
    header->settled = 1;
    return true;
}

/* Nobody is in it any more. */
static void dissolve(mp__header_t *header, uint32_t generation, void (*release)(mp__header_t *))
{
    uint32_t place = place_of(header);
    if (header->damaged)
        mp__release_content(place);
    else if (release)
        release(header);
    mp__block_free(mp__pair(generation, place));
}

/* ---- who stands still in an ended object keeps its memory, until he goes on or dies */

typedef struct unsettled {
    uint32_t place;
    uint32_t generation;
    void (*release)(mp__header_t *);
    uint32_t process; /* whose it was; a fork's child has others' here */
    uint32_t epoch;
    struct unsettled *next;
} unsettled_t;

static uint64_t left_behind; /* the first of this process's, as a number */

static void leave_behind(unsettled_t *object)
{
    uint64_t first = mp__load64(&left_behind);
    do
        object->next = (unsettled_t *)(uintptr_t)first;
    while (!mp__cas64(&left_behind, &first, (uint64_t)(uintptr_t)object));
}

/* Without memory for that the object's blocks go with this process. */
static void settle_later(const mp__header_t *header, uint32_t generation, void (*release)(mp__header_t *))
{
    unsettled_t *object = malloc(sizeof *object);
    if (!object)
        return;
    *object = (unsettled_t){.place = place_of(header),
                            .generation = generation,
                            .release = release,
                            .process = mp__family.process,
                            .epoch = mp__family.epoch};
    leave_behind(object);
}

void mp__objects_settle(void)
{
    if (mp__load64(&left_behind) == 0)
        return;
    unsettled_t *object = (unsettled_t *)(uintptr_t)mp__swap64(&left_behind, 0);
    while (object) {
        unsettled_t *next = object->next;
        mp__header_t *header = header_in(object->place);
        bool own = object->process == mp__family.process && object->epoch == mp__family.epoch;
        if (own && !settle(header, 0)) {
            leave_behind(object);
        } else {
            if (own)
                dissolve(header, object->generation, object->release);
            free(object);
        }
        object = next;
    }
}

static void end_or_leave(mp__header_t *header, uint32_t generation, void (*release)(mp__header_t *))
{
    mp__objects_settle();
    if (settle(header, SETTLE_TIME))
        dissolve(header, generation, release);
    else
        settle_later(header, generation, release);
}

mp_status_t mp__object_end(mp__header_t *header, const mp__reference_t *reference, void (*release)(mp__header_t *))
{
    const char *step = "close an object";
    if (!mp__header_close(place_of(header), reference->generation, mp__family.process))
        return mp__object_was_adopted(header, reference)
                   ? mp__error(MP_NOT_OWNER, step, "another process has adopted it")
                   : mp__object_gone(step);
    if (!end_generation(header, reference->generation))
        return mp__object_gone(step);
    end_or_leave(header, reference->generation, release);
    return MP_OK;
}

bool mp__object_was_adopted(const mp__header_t *header, const mp__reference_t *reference)
{
    uint32_t owner;
    return mp__header_owner(place_of(header), reference->generation, &owner) && owner != mp__family.process;
}

mp_status_t mp__object_adopt(mp__header_t *header, const mp__reference_t *reference)
{
    const char *step = "adopt an object";
    uint32_t place = place_of(header), generation = reference->generation, owner, epoch;
    do {
        if (!mp__header_owner(place, generation, &owner) || !mp__object_is(header, reference))
            return mp__object_gone(step);
        if (owner == mp__family.process)
            return MP_OK;
        epoch = mp__process_epoch(owner);
    } while (
        !mp__block_give(mp__pair(generation, place), mp__owner_process(owner), mp__owner_process(mp__family.process)));
    mp__fence_after_rmw();
    header->owner = mp__family.process;
    header->owner_epoch = mp__family.epoch;
    if (mp__process_stands(owner, epoch))
        return MP_OK;
    /* Its sweep may have met the object as the dead one's, or may have been just too late: then nobody else ends it. */
    end_generation(header, generation);
    header->damaged = 1;
    end_or_leave(header, generation, NULL);
    return mp__object_gone(step);
}

bool mp__object_end_at(uint32_t place, uint32_t generation, int64_t patience)
{
    mp__header_t *header = header_in(place);
    end_generation(header, generation);
    return settle(header, patience);
}

bool mp__object_settled(uint32_t place)
{
    return header_in(place)->settled != 0;
}
