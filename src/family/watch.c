/* Watching many objects: the doors, and who rings them. */
#include "family/watch.h"

/* Of a door: its thread watches, and has not been rung since. The rest counts. */
#define ARMED 1u
#define STEP  2u

#define LISTEN (2 * MP__SECOND)

_Static_assert(sizeof(mp__header_t) == 256, "headers lie at multiples of 256 bytes: see mp__header_around");

static mp__thread_slot_t *slot_of(uint32_t index)
{
    return &mp__family.threads[index];
}

uint32_t mp__watch_begin(void)
{
    uint32_t seen = mp__or32(&mp__own_thread_slot()->door, ARMED) | ARMED;
    mp__fence();
    return seen;
}

void mp__watch_end(void)
{
    mp__thread_slot_t *slot = mp__own_thread_slot();
    uint32_t value = mp__load32(&slot->door);
    while ((value & ARMED) && !mp__cas32(&slot->door, &value, value & ~ARMED))
        ;
}

mp_status_t mp__watch_sleep(uint32_t seen, mp__deadline_t deadline)
{
    return mp__park(&mp__own_thread_slot()->door, seen, deadline);
}

void mp__watch_listen(uint32_t seen)
{
    mp__park_until(&mp__own_thread_slot()->door, seen, mp__os_now() + LISTEN);
}

void mp__watch_leave_to(uint32_t porter)
{
    mp__store32(&mp__own_thread_slot()->porter, porter);
}

bool mp__watch_rung(uint32_t slot)
{
    return !(mp__load32(&slot_of(slot)->door) & ARMED);
}

/* The first who rings an armed door has to see to it that it is heard. */
static bool ring(uint32_t *door)
{
    uint32_t value = mp__load32(door);
    while (value & ARMED)
        if (mp__cas32(door, &value, (value + STEP) & ~ARMED))
            return true;
    return false;
}

void mp__watch_ring_thread(uint32_t index)
{
    mp__thread_slot_t *slot = slot_of(index);
    if (!ring(&slot->door))
        return;
    uint32_t porter = mp__load32(&slot->porter);
    if (porter == 0) {
        mp__wake(&slot->door, false);
        return;
    }
    mp__fence_after_rmw(); /* the porter arms its own door before it looks at those of others */
    if (porter <= mp__load32(&mp__family.head->thread_mark) && ring(&slot_of(porter - 1)->door))
        mp__wake(&slot_of(porter - 1)->door, false);
}

void mp__watch_ring(uint32_t *watchers)
{
    uint32_t count;
    mp__fence_after_rmw();
    if (mp__load32(watchers) == 0)
        return;
    uint32_t bits = mp__swap32(watchers, 0);
    mp__fence_after_rmw(); /* a watcher arms its door before it writes itself in */
    if (!bits || !mp__threads_visible(&count))
        return;
    for (uint32_t i = 0; i < count; i++)
        if (bits >> i % 32 & 1)
            mp__watch_ring_thread(i);
}

void mp__watch_ring_lock(const mp__lock_word_t *word)
{
    uint64_t offset = mp__offset_of(word) - offsetof(mp__header_t, held);
    if (offset % MP__UNIT != 0 || !mp__header_at((uint32_t)(offset / MP__UNIT)))
        return;
    mp__watch_ring(&((mp__header_t *)(void *)(mp__family.base + offset))->watchers);
}

mp__header_t *mp__header_around(const uint32_t *wait)
{
    return (mp__header_t *)(void *)(mp__family.base +
                                    mp__offset_of(wait) / sizeof(mp__header_t) * sizeof(mp__header_t));
}
