/*
 * The family as this process sees it: the arena's mapping, its own process slot, its threads' slots.
 *
 * A process is a member from mp__family_join() on: the root makes the arena then, a child has mapped it in
 * mp_freeze_support. A forked child that the library did not start (daemon(), system()) is no member until it calls in
 * again; then it claims a slot of its own.
 */
#ifndef MP_FAMILY_FAMILY_H
#define MP_FAMILY_FAMILY_H

#include "core/atomic.h"
#include "core/error.h"
#include "family/layout.h"

/* What a parent hands to a child so that it becomes the member that the parent prepared. */
typedef struct mp__invitation {
    mp__os_handle_t memory;
    mp__os_handle_t life;
    uint64_t size;
    uint16_t family[4];
    uint32_t slot;
    uint32_t epoch;
    uint64_t nonce;
} mp__invitation_t;

typedef struct mp__family {
    uint8_t *base;
    mp__head_t *head;
    mp__process_slot_t *processes;
    mp__thread_slot_t *threads;
    mp__parking_t *parking;
    uint64_t *pages;  /* the page map */
    uint64_t *states; /* MP__BLOCKS_PER_PAGE words a page */
    size_t offsets[MP__REGIONS];
    size_t sizes[MP__REGIONS];
    uint64_t exposed[MP__REGIONS]; /* how far this process may touch each region */
    size_t opened;                 /* up to here the system lets it touch all */
    mp__os_arena_t arena;
    uint32_t process; /* this process's slot */
    uint32_t epoch;
} mp__family_t;

extern mp__family_t mp__family;

/* Settings for the root, before the first object (0: the default). */
mp_status_t mp__family_configure(uint64_t arena_size, uint64_t memory_cap);

/* Makes this process a member and this thread a participant. The first call of everything that touches shared objects;
 * cheap afterwards. MP_NO_MEMORY, MP_LIMIT, MP_SYSTEM. */
mp_status_t mp__family_join(void);

/* Is this process a member now? */
bool mp__family_joined(void);

/* The child's side of a start: maps the arena, checks everything it was told, claims its slot. MP_INVALID: this is no
 * invitation to it; MP_MISMATCH: another version. On success it is a member. */
mp_status_t mp__family_accept(const mp__invitation_t *invitation);

/* The forked child's side: the mapping is there already. */
mp_status_t mp__family_accept_forked(const mp__invitation_t *invitation);

/* Forgets the membership without giving anything up: what a child of fork does. */
void mp__family_forget(void);

/* ---- places in the arena */

static inline uint64_t mp__offset_of(const void *place)
{
    return (uint64_t)((const uint8_t *)place - mp__family.base);
}

/* Puts memory behind the first `bytes` of a region, for all. MP_NO_MEMORY. */
mp_status_t mp__region_commit(mp__region_t region, uint64_t bytes);

/* Lets this process touch the first `bytes` of a region, which have memory or (states, payload) are known to where they
 * matter. */
mp_status_t mp__region_expose(mp__region_t region, uint64_t bytes);

static inline bool mp__region_touchable(mp__region_t region, uint64_t bytes)
{
    return MP__LIKELY(bytes <= mp__load64(&mp__family.exposed[region])) || mp__region_expose(region, bytes) == MP_OK;
}

/* ---- participants (slots.c) */

extern MP__THREAD_WORD uint64_t mp__self; /* {epoch, thread slot + 1} of the calling thread; 0: none yet */

/* The calling thread's slot; it has one. */
static inline mp__thread_slot_t *mp__own_thread_slot(void)
{
    return &mp__family.threads[mp__low(mp__self) - 1];
}

/* Claims a thread slot for the calling thread if it has none. MP_LIMIT: 16384 threads live. */
mp_status_t mp__self_claim(void);

/* Claims any process slot for this process (root, or a child of a foreign fork). MP_LIMIT */
mp_status_t mp__process_claim(void);

/* Makes a slot for a child: STARTING, owned by this process until the child claims it. MP_LIMIT: 4096 processes live.
 */
mp_status_t mp__process_prepare(uint32_t *slot, uint32_t *epoch, uint64_t *nonce);

/* Claims a prepared slot. MP_INVALID: it is not there to be claimed (any more). */
mp_status_t mp__process_accept(uint32_t slot, uint32_t epoch, uint64_t nonce);

/* Is {slot, epoch} of a process dead (or swept)? */
bool mp__process_dead(uint32_t slot, uint32_t epoch);

/* Does {slot, epoch} still stand for a process that nobody sweeps? */
bool mp__process_stands(uint32_t slot, uint32_t epoch);

/* The epoch of whoever has the slot now. */
uint32_t mp__process_epoch(uint32_t slot);

/* Is the thread that a lock word or mp__self names dead? */
bool mp__thread_dead(uint64_t self);

/* Ends all that a dead process owned (the process {slot, epoch} has ended, or never began: the caller knows it, or
 * mp__process_dead said so) and frees its slot, unless it has a parent that is to learn how it ended; then wakes all
 * who sleep anywhere in the family, so that they look again. Once: later callers find nothing to do. It waits for
 * another who sweeps, but for no longer than mp__sweep_time (tests shorten it): false then, and what is left is found
 * by who looks next. */
bool mp__process_bury(uint32_t slot, uint32_t epoch);

extern int64_t mp__sweep_time;

/* For its parent, once: it knows how it ended, or will not start it after all; so nobody waits for the slot any more,
 * and if no process has claimed it yet then none will. Whoever looks at the slot next may sweep it. */
void mp__process_let_go(uint32_t slot, uint32_t epoch);

/* Both. */
void mp__process_sweep(uint32_t slot, uint32_t epoch);

/* For a parent that does not know whether any process has claimed it: that one stays, and is nobody's to wait for. */
void mp__process_take_back(uint32_t slot, uint32_t epoch);

/* Called in each sweep for the name that a dead process had made known outside of the family (object.h). */
extern void (*mp__sweep_name)(const char *name);

/* The running processes other than this one whose death nobody noticed yet are swept. */
void mp__sweep_the_dead(void);

/* ---- park.c */

#define MP__PARK_SLICE (500 * MP__MILLISECOND) /* a sleeper looks again this often: its waker may have been killed */

/* Sleeps while *word == expected until woken, the deadline, or a slice is over. MP_OK: look again. MP_TIMEOUT: the
 * deadline. */
mp_status_t mp__park(uint32_t *word, uint32_t expected, mp__deadline_t deadline);
void mp__wake(uint32_t *word, bool all);

/* The same without slices, for who may miss a wake-up for so long. */
void mp__park_until(uint32_t *word, uint32_t expected, mp__deadline_t until);

void mp__wake_everyone(void);

/* How many thread slots were ever used; false: this process cannot look at them. */
bool mp__threads_visible(uint32_t *count);

/* Spinning before sleeping is of use here (more than one processor). */
bool mp__may_spin(void);

/* Looking again and again for a moment before sleeping, as long as this thread's last waits make it worth while. */
typedef struct mp__spin {
    int64_t most;  /* never longer: MP__SPIN_... */
    int64_t begun; /* from here on zero at first */
    int64_t until;
    uint32_t rounds;
    bool left_out;
} mp__spin_t;

#define MP__SPIN_BRIEF (35 * MP__MILLISECOND / 1000)
#define MP__SPIN_CALL  (100 * MP__MILLISECOND / 1000) /* who waits for an answer has nothing else to do */

/* One round; false: the moment is over, or there is none. */
bool mp__spin(mp__spin_t *spin, mp__deadline_t deadline);

/* What was waited for is there, whether it came while the thread spun or while it slept. */
void mp__spin_end(const mp__spin_t *spin);

/* ---- lock.c */

/* MP_OK; MP_OWNER_DIED: acquired, and its last owner died in it; MP_TIMEOUT; MP_DEADLOCK: the caller has it (MP_BUSY
 * when the deadline has passed: a try). The caller has a thread slot. */
mp_status_t mp__word_lock(mp__lock_word_t *word, mp__deadline_t deadline);
void mp__word_unlock(mp__lock_word_t *word);

/* Lets go as if the caller had died holding it: the next one is told. For who was told of a death and cannot repair
 * what it left. */
void mp__word_abandon(mp__lock_word_t *word);

/* The same as mp__word_unlock() for a word whose place may hold another lock by now: false if the caller does not hold
 * it. */
bool mp__word_release(mp__lock_word_t *word);

/* For who watches the word: unless it is free, its release will ring (watch.h). */
void mp__word_watch(mp__lock_word_t *word);

/* Who holds it, as in mp__self; 0: nobody. */
uint64_t mp__word_owner(const mp__lock_word_t *word);

/* What most take and let go of: a word that is free, or that nobody waits for. False: see the functions above. */
static inline bool mp__word_try(mp__lock_word_t *word)
{
    uint64_t none = 0;
    return MP__LIKELY(mp__cas64(word, &none, mp__self));
}

static inline bool mp__word_let_go(mp__lock_word_t *word)
{
    uint64_t mine = mp__self;
    return MP__LIKELY(mp__cas64(word, &mine, 0));
}

static inline bool mp__word_mine(const mp__lock_word_t *word)
{
    uint64_t value = mp__load64(word) & ~UINT64_C(0xc0000000);
    return value == mp__self && value != 0;
}

#endif
