/*
 * Watching many objects: how a change of any of them reaches a thread that waits for the first.
 *
 * A thread that watches arms its door (a word of its slot), writes itself among the watchers of each object, looks at
 * all of them, and sleeps until the door is rung. Whoever changes an object looks for watchers then, takes them all off
 * the object, and rings their doors. So one of the two sees the other, and what a ring costs is paid once for each time
 * that somebody watches. A watcher is the bit of its slot's number modulo 32: where that stands for several threads,
 * each whose door is armed is rung, and looks at its objects in vain.
 *
 * A killed watcher leaves a bit that the next change takes off. A killed ringer leaves watchers that look again by
 * themselves, as all sleepers do.
 */
#ifndef MP_FAMILY_WATCH_H
#define MP_FAMILY_WATCH_H

#include "family/object.h"

/* ---- the watcher: begin; note and announce for each object; mp__fence(); look at each; sleep; and again, or end */

/* Arms the calling thread's door. Returns what mp__watch_sleep() is to be told. */
uint32_t mp__watch_begin(void);
void mp__watch_end(void);

/* Writes the calling thread among those watchers. */
static inline void mp__watch_note(uint32_t *watchers)
{
    uint32_t bit = UINT32_C(1) << (mp__low(mp__self) - 1) % 32;
    if (!(mp__load32(watchers) & bit))
        mp__or32(watchers, bit);
}

/* The same for an object that tells its changes at one of its header's `waits`. */
static inline void mp__watch_announce(mp__header_t *header, uint32_t *wait)
{
    mp__watch_note(&header->watchers);
    if (!(mp__load32(wait) & MP__WAIT_WATCHED))
        mp__or32(wait, MP__WAIT_WATCHED);
}

/* Sleeps until the door is rung. MP_OK: look again (rung, or for no reason); MP_TIMEOUT. */
mp_status_t mp__watch_sleep(uint32_t seen, mp__deadline_t deadline);

/* ---- the porter: a thread that hears the doors of others in its process */

/* Who hears the calling thread's door: a thread's slot + 1; 0: itself. */
void mp__watch_leave_to(uint32_t porter);

/* The porter's own sleep, between its mp__watch_begin() and the next. It may be longer than others': while it misses a
 * ring, those that it hears for look by themselves. */
void mp__watch_listen(uint32_t seen);

/* Was that thread's door rung since it was armed? */
bool mp__watch_rung(uint32_t slot);

/* ---- who changes something */

/* Rings those watchers' doors and takes them off. After a change that was made by, or under,
 * an atomic read-modify-write. */
void mp__watch_ring(uint32_t *watchers);

/* The same for the watchers of the object whose `held` this is, if it is any's. */
void mp__watch_ring_lock(const mp__lock_word_t *word);

/* Rings one door, for whatever reason, if it is armed. The slot is one that this process may look at. */
void mp__watch_ring_thread(uint32_t slot);

/* The header that a word of its `waits` is in. */
mp__header_t *mp__header_around(const uint32_t *wait);

#endif
