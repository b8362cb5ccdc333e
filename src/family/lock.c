/*
 * The lock: one 64-bit word, the same algorithm on all systems.
 *
 *   bit 31 WAITERS   somebody sleeps (or slept) on the low half
 *   bit 30 STARVING  somebody has waited for more than a millisecond
 *   bits 0..29       the owner's thread slot + 1; 0 = free
 *   high half        that slot's epoch
 *
 * Who has slept takes the word with WAITERS set, because others may sleep still. A newcomer lets the starving go first,
 * for a millisecond at most. A dead owner is replaced by one compare-and-swap; the new one is told (MP_OWNER_DIED), and
 * if it dies the next one is told again: every repair is done under the lock and can be repeated.
 */
#include "family/family.h"
#include "family/watch.h"

#define WAITERS   UINT64_C(0x80000000)
#define STARVING  UINT64_C(0x40000000)
#define OWNER     UINT64_C(0x3fffffff)
#define ABANDONED OWNER /* as owner: a thread that never was, and so is dead */
#define SPINS     100
#define IMPATIENT MP__MILLISECOND

/* The half that is slept on: bits 0..31. */
static uint32_t *low_half(mp__lock_word_t *word)
{
    const uint16_t probe = 1;
    bool little = *(const uint8_t *)&probe == 1;
    return (uint32_t *)(void *)word + (little ? 0 : 1);
}

static bool dead_owner(uint64_t value)
{
    return mp__thread_dead(value & ~(WAITERS | STARVING));
}

static bool try_free(mp__lock_word_t *word, uint64_t *value, uint64_t flags)
{
    return (*value & OWNER) == 0 && mp__cas64(word, value, mp__self | flags);
}

/* Waits a moment for a holder that is about to let go. */
static bool spin(mp__lock_word_t *word)
{
    if (!mp__may_spin())
        return false;
    for (int i = 0; i < SPINS; i++) {
        uint64_t value = mp__load64(word);
        if (value == 0 && try_free(word, &value, 0))
            return true;
        if (value & WAITERS)
            return false;
        mp__cpu_relax();
    }
    return false;
}

typedef struct attempt {
    mp__lock_word_t *word;
    mp__deadline_t deadline;
    int64_t began;
    uint64_t flags; /* to set when it is taken */
    bool yielded;
} attempt_t;

/* A newcomer that meets a free word which somebody starves for lets that one go first, once: it was woken just now, and
 * needs a moment to come. */
static bool yields(attempt_t *a, uint64_t value)
{
    if (!(value & STARVING) || (a->flags & WAITERS) || a->yielded || a->deadline == 0)
        return false;
    a->yielded = true;
    mp__deadline_t until = mp__sooner(a->deadline, mp__os_now() + IMPATIENT);
    while ((mp__load64(a->word) & OWNER) == 0 && mp__os_now() < until)
        mp__os_yield();
    return true;
}

static bool impatient(const attempt_t *a)
{
    return mp__os_now() - a->began > IMPATIENT;
}

/* Who has starved leaves STARVING for the next one, who would else lose its place to a newcomer again and again. It
 * ends with one who came sooner, or a newcomer that waits in vain: so locks that are held for less than it takes to
 * wake somebody are not handed on in turn, which would be slow. */
static uint64_t flags_of(const attempt_t *a, uint64_t value)
{
    return a->flags && (value & STARVING) && impatient(a) ? a->flags | STARVING : a->flags;
}

/* Sleeps until the word may have changed. MP_TIMEOUT: the deadline. */
static mp_status_t sleep_on(attempt_t *a, uint64_t value)
{
    uint64_t wanted = value | WAITERS;
    if ((a->flags & WAITERS) && impatient(a))
        wanted |= STARVING;
    if (wanted != value && !mp__cas64(a->word, &value, wanted))
        return MP_OK;
    a->flags = WAITERS;
    return mp__park(low_half(a->word), (uint32_t)wanted, a->deadline);
}

static MP__NOINLINE mp_status_t lock_slowly(mp__lock_word_t *word, mp__deadline_t deadline)
{
    if (deadline != 0 && spin(word))
        return MP_OK;
    attempt_t a = {word, deadline, mp__os_now(), 0, false};
    for (;;) {
        uint64_t value = mp__load64(word);
        if ((value & OWNER) == 0) {
            if (!yields(&a, value) && try_free(word, &value, flags_of(&a, value)))
                return MP_OK;
            continue;
        }
        if ((value & ~(WAITERS | STARVING)) == mp__self)
            return deadline <= a.began ? MP_BUSY : MP_DEADLOCK;
        if (dead_owner(value)) {
            if (mp__cas64(word, &value, mp__self | WAITERS))
                return MP_OWNER_DIED;
            continue;
        }
        if (deadline <= a.began || sleep_on(&a, value) == MP_TIMEOUT)
            return MP_TIMEOUT;
    }
}

mp_status_t mp__word_lock(mp__lock_word_t *word, mp__deadline_t deadline)
{
    return mp__word_try(word) ? MP_OK : lock_slowly(word, deadline);
}

/* After the word was let go of with WAITERS set. */
static void wake_next(mp__lock_word_t *word)
{
    mp__wake(low_half(word), false);
    mp__watch_ring_lock(word);
}

bool mp__word_release(mp__lock_word_t *word)
{
    uint64_t old = mp__self;
    while (MP__UNLIKELY(!mp__cas64(word, &old, old & STARVING)))
        if ((old & ~(WAITERS | STARVING)) != mp__self)
            return false;
    if (MP__UNLIKELY(old & WAITERS))
        wake_next(word);
    return true;
}

void mp__word_unlock(mp__lock_word_t *word)
{
    mp__word_release(word);
}

void mp__word_abandon(mp__lock_word_t *word)
{
    uint64_t old = mp__self;
    while (!mp__cas64(word, &old, ABANDONED | (old & (WAITERS | STARVING))))
        if ((old & ~(WAITERS | STARVING)) != mp__self)
            return;
    if (old & WAITERS)
        wake_next(word);
}

/* Who watches is one more who waits. */
void mp__word_watch(mp__lock_word_t *word)
{
    uint64_t value = mp__load64(word);
    while ((value & OWNER) != 0 && !(value & WAITERS) && !mp__cas64(word, &value, value | WAITERS))
        ;
}

uint64_t mp__word_owner(const mp__lock_word_t *word)
{
    uint64_t value = mp__load64(word);
    return (value & OWNER) != 0 ? value & ~(WAITERS | STARVING) : 0;
}
