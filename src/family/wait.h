/*
 * Waiting at an object: a word of its header's `waits`, to sleep on until somebody changed what is waited for.
 *
 * A waiter announces itself, looks once more at what it waits for, and sleeps while the word is as it was. Whoever
 * changes something notifies afterwards: a load and a branch unless somebody announced. A notification may be lost
 * with its waiter (killed between waking and acting): so who was woken and leaves something for others notifies again,
 * and every sleeper looks again by itself now and then.
 */
#ifndef MP_FAMILY_WAIT_H
#define MP_FAMILY_WAIT_H

#include "family/object.h"

/* Before a last look at what is waited for. Returns what mp__wait_sleep() is to be told as `seen`. */
static inline uint32_t mp__wait_announce(uint32_t *wait)
{
    const uint32_t both = MP__WAIT_NOW | MP__WAIT_EVER;
    uint32_t value = mp__or32(wait, both) | both;
    mp__fence_after_rmw();
    return value;
}

/* Wakes one, or all, who announced themselves at that word, and all who watch it. */
void mp__wait_wake(uint32_t *wait, bool all);

/* Wakes one who waits; was there anybody? After a change that was made by, or under, an atomic read-modify-write. */
static inline bool mp__wait_notify(uint32_t *wait)
{
    mp__fence_after_rmw();
    if (MP__LIKELY(!(mp__load32(wait) & (MP__WAIT_NOW | MP__WAIT_WATCHED))))
        return false;
    mp__wait_wake(wait, false);
    return true;
}

static inline void mp__wait_notify_all(uint32_t *wait)
{
    mp__fence_after_rmw();
    if (MP__UNLIKELY(mp__load32(wait) & (MP__WAIT_NOW | MP__WAIT_EVER | MP__WAIT_WATCHED)))
        mp__wait_wake(wait, true);
}

/* Sleeps unless the word has changed since the announcement. MP_OK: look again (woken, or for no reason); MP_TIMEOUT;
 * MP_GONE: the object has ended, or its owner has died. */
mp_status_t mp__wait_sleep(mp__header_t *header, const mp__reference_t *reference, uint32_t *wait, uint32_t seen,
                           mp__deadline_t deadline);

/* Tries until the attempt is anything but MP_BUSY: at first again and again, for no more than spin_most nanoseconds,
 * then it sleeps in between. The attempt's status; MP_TIMEOUT, MP_GONE. *slept: it was perhaps woken, so what is left
 * is for it to hand on. */
typedef mp_status_t (*mp__attempt_t)(void *context);
mp_status_t mp__wait_for(mp__header_t *header, const mp__reference_t *reference, uint32_t *wait, mp__attempt_t attempt,
                         void *context, int64_t spin_most, mp__deadline_t deadline, bool *slept);

#endif
