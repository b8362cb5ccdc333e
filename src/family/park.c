/*
 * Sleep on a word of the arena, and wake who sleeps there.
 *
 * Each sleeper writes the word's place into its slot first, so that a sweep can wake everybody wherever they sleep.
 * Where the system can park on shared words (caps.shared_wait) that is all. Elsewhere a sleeper also sets its bit in
 * the word's bucket and sleeps on its bell; a waker looks through the bucket's bits, takes a sleeper's `parked` by
 * compare-and-swap and rings that one.
 */
#include "family/family.h"
#include "family/watch.h"

bool mp__may_spin(void)
{
    static uint32_t known; /* 0: not asked yet; else processors + 1 */
    uint32_t n = mp__load32(&known);
    if (!n) {
        n = mp__os_cpu_count() + 1;
        mp__store32(&known, n);
    }
    return n > 2;
}

/* A sleep and a wake-up cost 10 to 50 us; what comes sooner is worth spinning for. So a wait that was short, asleep or
 * not, makes the next moment twice as long as it was; after a long one the moment is just more than the way of a hot
 * item there and back. */
#define PATIENCE_LEAST (5 * MP__MILLISECOND / 1000)
#define ROUNDS         16                           /* between two looks at the clock */
#define JUST_AFTER     (2 * MP__MILLISECOND / 1000) /* what is found at the end of the moment is taken by then */

/* A moment that was in vain costs more than itself where the processors are busy: the very one that is waited for may
 * want this processor. So after each such the next ones are left out, more of them each time, until one pays again. */
#define LEFT_OUT_MOST 15u

static MP__THREAD_LOCAL int64_t patience = PATIENCE_LEAST;
static MP__THREAD_LOCAL uint32_t left_out; /* after the last moment that was in vain */
static MP__THREAD_LOCAL uint32_t to_leave_out;

bool mp__spin(mp__spin_t *spin, mp__deadline_t deadline)
{
    if (spin->rounds++ % ROUNDS == 0) {
        if (!mp__may_spin() || spin->left_out)
            return false;
        spin->left_out = !spin->begun && to_leave_out;
        if (spin->left_out)
            return false;
        int64_t now = mp__os_now();
        if (!spin->begun) {
            spin->begun = now;
            spin->until = mp__sooner(deadline, now + mp__sooner(patience, spin->most));
        }
        if (now >= spin->until)
            return false;
    }
    mp__cpu_relax();
    return true;
}

void mp__spin_end(const mp__spin_t *spin)
{
    if (spin->left_out)
        to_leave_out--;
    if (!spin->begun)
        return;
    int64_t now = mp__os_now(), waited = now - spin->begun;
    if (now <= spin->until + JUST_AFTER)
        left_out = 0;
    else
        to_leave_out = left_out = left_out < LEFT_OUT_MOST ? 2 * left_out + 1 : LEFT_OUT_MOST;
    patience = waited > MP__SPIN_CALL || waited < PATIENCE_LEAST / 2 ? PATIENCE_LEAST : 2 * waited;
}

static uint64_t *bucket_of(uint64_t offset)
{
    uint64_t hash = (offset >> 2) * UINT64_C(0x9e3779b97f4a7c15);
    return mp__family.parking->sleepers[hash >> 58];
}

static void mark_sleeper(uint64_t offset, bool sleeping)
{
    uint32_t index = mp__low(mp__self) - 1;
    uint64_t *word = &bucket_of(offset)[index / 64];
    uint64_t bit = UINT64_C(1) << (index % 64);
    if (sleeping)
        mp__or64(word, bit);
    else
        mp__and64(word, ~bit);
}

static void sleep_on_bell(mp__thread_slot_t *slot, uint32_t *word, uint32_t expected, mp__deadline_t until)
{
    uint64_t offset = mp__offset_of(word);
    mark_sleeper(offset, true);
    /* The waker changes the word first and looks at the bits then; here it is the other way round: one of the two sees
     * it. */
    mp__fence();
    while (mp__load32(word) == expected && mp__load64(&slot->parked) == offset &&
           mp__os_bell_wait(&slot->bell, until) == MP_OK)
        ;
    mark_sleeper(offset, false);
}

void mp__park_until(uint32_t *word, uint32_t expected, mp__deadline_t until)
{
    mp__thread_slot_t *slot = mp__own_thread_slot();
    mp__swap64(&slot->parked, mp__offset_of(word));
    if (mp__os_caps()->shared_wait)
        mp__os_word_wait(word, expected, until);
    else
        sleep_on_bell(slot, word, expected, until);
    mp__store64(&slot->parked, 0);
}

mp_status_t mp__park(uint32_t *word, uint32_t expected, mp__deadline_t deadline)
{
    int64_t now = mp__os_now();
    if (deadline <= now)
        return MP_TIMEOUT;
    mp__park_until(word, expected, mp__sooner(deadline, now + MP__PARK_SLICE));
    return MP_OK;
}

/* Rings thread `index` if it sleeps on the word. */
static bool ring(uint32_t index, uint64_t offset)
{
    mp__thread_slot_t *slot = &mp__family.threads[index];
    uint64_t parked = offset;
    if (!mp__cas64(&slot->parked, &parked, 0))
        return false;
    mp__os_bell_ring(&slot->bell);
    return true;
}

bool mp__threads_visible(uint32_t *count)
{
    *count = mp__load32(&mp__family.head->thread_mark);
    return mp__region_touchable(MP__REGION_THREADS, (uint64_t)*count * sizeof(mp__thread_slot_t));
}

/* Rings who sleeps there among these 64; true: that was enough. */
static bool ring_among(uint64_t bits, uint32_t first, uint64_t offset, bool all)
{
    for (uint32_t bit = 0; bits; bit++, bits >>= 1)
        if ((bits & 1) && ring(first + bit, offset) && !all)
            return true;
    return false;
}

/* From the thread behind this one on, and round: so those who pass a lock on to each other have it in turn. */
static void ring_sleepers(uint64_t offset, uint32_t count, bool all)
{
    uint64_t *bucket = bucket_of(offset);
    uint32_t words = (count + 63) / 64, start = mp__low(mp__self);
    uint64_t behind = ~UINT64_C(0) << start % 64;
    for (uint32_t i = 0; words && i <= words; i++) {
        uint32_t at = (start / 64 + i) % words;
        uint64_t mask = i == 0 ? behind : i == words ? ~behind : ~UINT64_C(0);
        if (ring_among(mp__load64(&bucket[at]) & mask, at * 64, offset, all))
            return;
    }
}

void mp__wake(uint32_t *word, bool all)
{
    uint32_t count;
    if (mp__os_caps()->shared_wait) {
        mp__os_word_wake(word, all);
        return;
    }
    mp__fence();
    if (mp__threads_visible(&count))
        ring_sleepers(mp__offset_of(word), count, all);
}

void mp__wake_everyone(void)
{
    uint32_t count;
    if (!mp__threads_visible(&count))
        return;
    for (uint32_t i = 0; i < count; i++) {
        mp__watch_ring_thread(i);
        uint64_t offset = mp__load64(&mp__family.threads[i].parked);
        /* The place is only a number here: a futex call checks it, a ring compares it. */
        if (offset == 0 || offset % 4 != 0 || offset >= mp__family.arena.size)
            continue;
        if (mp__os_caps()->shared_wait)
            mp__os_word_wake((uint32_t *)(void *)(mp__family.base + offset), true);
        else
            ring(i, offset);
    }
}
