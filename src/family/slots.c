/*
 * The participants: process slots and thread slots, who is dead, and the sweep of what the dead owned.
 *
 * A process slot goes FREE -> STARTING (by the parent, epoch + 1) -> RUNNING (by the child, once) -> SWEEPING -> FREE;
 * where it has a living parent (its keeper) that has not read how it ended, -> ENDED until it has. A parent that gives
 * up on a start goes STARTING -> SWEEPING by itself. A root or the child of a foreign fork goes FREE -> RUNNING. A
 * thread slot is free when it names no process; taking it raises its epoch in the same compare-and-swap that names the
 * process, so whoever held it before is dead from that moment on.
 */
#include "family/alloc.h"
#include "family/family.h"

#include <apr_general.h>
#include <string.h>

#define STATE(claim)  ((mp__process_state_t)(mp__low(claim) & 0xff))
#define PARENT(claim) (mp__low(claim) >> 8) /* of a STARTING slot: its maker's slot + 1; 0: it starts itself */

#define FRESH_SLOTS 16u
#define PROBES      8u
#define SETTLE_TIME (200 * MP__MILLISECOND) /* for those who are in an object whose owner died to leave it */

int64_t mp__sweep_time = 500 * MP__MILLISECOND;

MP__THREAD_WORD uint64_t mp__self;

void (*mp__sweep_name)(const char *name);

static mp__process_slot_t *process_slot(uint32_t index)
{
    return &mp__family.processes[index];
}

/* Lets this process read the slot; false: there is no such slot. */
static bool process_visible(uint32_t index)
{
    return index < mp__load32(&mp__family.head->process_mark) &&
           mp__region_touchable(MP__REGION_PROCESSES, (index + 1) * sizeof(mp__process_slot_t));
}

/* ---- threads */

static mp__thread_slot_t *thread_slot(uint32_t index)
{
    return &mp__family.threads[index];
}

/* A thread that ends frees its slot: from then on it is dead for all who find its name in a lock. */
static void leave_thread(void)
{
    uint64_t self = mp__self;
    if (!self || !mp__family_joined())
        return;
    mp__thread_slot_t *slot = thread_slot(mp__low(self) - 1);
    mp__os_bell_fini(&slot->bell);
    mp__os_thread_leave(&slot->life);
    mp__store64(&slot->claim, mp__pair(mp__high(self), 0));
    mp__self = 0;
}

bool mp__thread_dead(uint64_t self)
{
    uint32_t index = mp__low(self) - 1;
    if (index >= mp__load32(&mp__family.head->thread_mark) ||
        !mp__region_touchable(MP__REGION_THREADS, (index + 1) * sizeof(mp__thread_slot_t)))
        return true;
    const mp__thread_slot_t *slot = thread_slot(index);
    uint64_t claim = mp__load64(&slot->claim);
    if (mp__high(claim) != mp__high(self) || mp__low(claim) == 0)
        return true;
    uint32_t process = mp__low(claim) - 1;
    if (!process_visible(process))
        return true;
    bool dead = mp__load32(&slot->life_epoch) == mp__high(self) && mp__os_thread_ended(&slot->life);
    if (!dead && process != mp__family.process)
        dead = mp__process_dead(process, mp__high(mp__load64(&process_slot(process)->claim)));
    return dead;
}

/* Takes slot `index` if it is free; with `probe` also if its thread turns out to be dead. */
static bool take_thread_slot(uint32_t index, bool probe)
{
    mp__thread_slot_t *slot = thread_slot(index);
    uint64_t claim = mp__load64(&slot->claim);
    if (mp__low(claim) != 0 && !(probe && mp__thread_dead(mp__pair(mp__high(claim), index + 1))))
        return false;
    uint32_t epoch = mp__high(claim) + 1;
    if (!mp__cas64(&slot->claim, &claim, mp__pair(epoch, mp__family.process + 1)))
        return false;
    if (mp__load32(&slot->life_epoch) != 0)
        mp__os_bell_fini(&slot->bell);
    mp__store64(&slot->parked, 0);
    mp__store32(&slot->porter, 0);
    mp__self = mp__pair(epoch, index + 1);
    return true;
}

static mp_status_t live_in_slot(void)
{
    static const mp__os_thread_end_t end = {leave_thread};
    mp__thread_slot_t *slot = thread_slot(mp__low(mp__self) - 1);
    mp_status_t status = mp__os_bell_init(&slot->bell);
    if (status == MP_OK)
        status = mp__os_thread_live(&slot->life);
    if (status == MP_OK) {
        mp__store32(&slot->life_epoch, mp__high(mp__self));
        status = mp__os_thread_on_end(&end);
    }
    if (status != MP_OK)
        leave_thread();
    return status;
}

/* Raises a mark that says how many slots were ever used, after its region got memory. */
static mp_status_t raise_mark(uint32_t *mark, uint32_t upto, mp__region_t region, size_t slot_size)
{
    mp_status_t status = mp__region_commit(region, (uint64_t)upto * slot_size);
    uint32_t old = mp__load32(mark);
    while (status == MP_OK && old < upto && !mp__cas32(mark, &old, upto))
        ;
    return status;
}

/* Goes once round the used slots, oldest first, and takes a free one. The first that it looks at is probed for death,
 * so that every claim clears a little; with `probe` all are. */
static bool go_round(uint32_t *cursor, uint32_t used, bool probe, bool (*take)(uint32_t, bool), uint32_t *found)
{
    for (uint32_t i = 0; i < used; i++) {
        *found = mp__add32(cursor, 1) % used;
        if (take(*found, probe || i == 0))
            return true;
    }
    return false;
}

typedef struct slots {
    uint32_t *cursor;
    uint32_t *mark;
    uint32_t most;
    mp__region_t region;
    size_t size; /* of one */
    bool (*take)(uint32_t index, bool probe);
} slots_t;

/* A free slot; else one that was never used; else a dead one's. */
static mp_status_t find_slot(const slots_t *slots, uint32_t *found)
{
    for (;;) {
        uint32_t used = mp__load32(slots->mark);
        if (used && !mp__region_touchable(slots->region, (uint64_t)used * slots->size))
            return MP_CORRUPT;
        /* At first fresh ones, so that an epoch does not rise with every short thread or process. */
        if (used >= FRESH_SLOTS && go_round(slots->cursor, used, used == slots->most, slots->take, found))
            return MP_OK;
        if (used == slots->most)
            return mp__error(MP_LIMIT, "join the family", "all %u slots are taken", slots->most);
        mp_status_t status = raise_mark(slots->mark, used + 1, slots->region, slots->size);
        if (status != MP_OK)
            return status;
        *found = used;
        if (slots->take(used, false))
            return MP_OK;
    }
}

mp_status_t mp__self_claim(void)
{
    uint32_t index;
    mp__head_t *head = mp__family.head;
    const slots_t slots = {&head->thread_cursor, &head->thread_mark,        MP__MAX_THREADS,
                           MP__REGION_THREADS,   sizeof(mp__thread_slot_t), take_thread_slot};
    mp_status_t status = find_slot(&slots, &index);
    return status == MP_OK ? live_in_slot() : status;
}

/* ---- processes */

bool mp__process_dead(uint32_t index, uint32_t epoch)
{
    if (!process_visible(index))
        return true;
    const mp__process_slot_t *slot = process_slot(index);
    uint64_t claim = mp__load64(&slot->claim);
    if (mp__high(claim) != epoch || STATE(claim) == MP__PROCESS_FREE || STATE(claim) == MP__PROCESS_SWEEPING ||
        STATE(claim) == MP__PROCESS_ENDED)
        return true;
    if (index == mp__family.process && epoch == mp__family.epoch && mp__family_joined())
        return false;
    if (STATE(claim) == MP__PROCESS_STARTING) {
        /* Nobody's process yet: it lives as long as its maker can still start it; a swept maker took it along. */
        uint32_t maker = PARENT(claim) - 1;
        return PARENT(claim) && process_visible(maker) &&
               mp__process_dead(maker, mp__high(mp__load64(&process_slot(maker)->claim)));
    }
    return mp__load32(&slot->life_epoch) == epoch && mp__os_process_ended(&mp__family.arena, index, &slot->life);
}

uint32_t mp__process_epoch(uint32_t index)
{
    return process_visible(index) ? mp__high(mp__load64(&process_slot(index)->claim)) : 0;
}

bool mp__process_stands(uint32_t index, uint32_t epoch)
{
    if (!process_visible(index))
        return false;
    uint64_t claim = mp__load64(&process_slot(index)->claim);
    return mp__high(claim) == epoch && (STATE(claim) == MP__PROCESS_RUNNING || STATE(claim) == MP__PROCESS_STARTING);
}

static bool take_process_slot(uint32_t index, bool probe)
{
    mp__process_slot_t *slot = process_slot(index);
    uint64_t claim = mp__load64(&slot->claim);
    if (STATE(claim) != MP__PROCESS_FREE) {
        if (!probe || !mp__self || !mp__process_dead(index, mp__high(claim)))
            return false;
        (void)mp__process_bury(index, mp__high(claim));
        claim = mp__load64(&slot->claim);
        if (STATE(claim) != MP__PROCESS_FREE)
            return false;
    }
    return mp__cas64(&slot->claim, &claim,
                     mp__pair(mp__high(claim) + 1, MP__PROCESS_STARTING | (mp__family.process + 1) << 8));
}

/* The same for this process itself, without a moment in which nobody answers for the slot: it lives there first, and
 * gives that up if another takes the slot. */
static bool take_own_slot(uint32_t index, bool probe)
{
    (void)probe; /* who is no member yet cannot sweep */
    mp__process_slot_t *slot = process_slot(index);
    uint64_t claim = mp__load64(&slot->claim);
    uint32_t epoch = mp__high(claim) + 1;
    if (STATE(claim) != MP__PROCESS_FREE || mp__os_process_live(&mp__family.arena, index, &slot->life) != MP_OK)
        return false;
    mp__store32(&slot->life_epoch, epoch);
    if (mp__cas64(&slot->claim, &claim, mp__pair(epoch, MP__PROCESS_RUNNING)))
        return true;
    mp__os_process_leave(&mp__family.arena, index);
    return false;
}

/* A slot that nobody has, by one of those two. */
static mp_status_t take_any_process_slot(bool (*take)(uint32_t, bool), uint32_t *index, uint32_t *epoch)
{
    mp__head_t *head = mp__family.head;
    const slots_t slots = {&head->process_cursor, &head->process_mark,        MP__MAX_PROCESSES,
                           MP__REGION_PROCESSES,  sizeof(mp__process_slot_t), take};
    mp_status_t status = find_slot(&slots, index);
    if (status != MP_OK)
        return status;
    mp__process_slot_t *slot = process_slot(*index);
    *epoch = mp__high(mp__load64(&slot->claim));
    slot->exit = 0;
    slot->pid = 0;
    slot->parent_pid = 0;
    slot->arguments = 0;
    slot->door = 0;
    slot->owns = 0;
    slot->cause = 0;
    slot->keeper = 0;
    slot->server = 0;
    mp__store64(&slot->reaped, mp__pair(*epoch, 0));
    slot->usage = (mp__os_usage_t){.peak = 0};
    mp__store32(&slot->report, MP__REPORT_NONE);
    mp__store64(&slot->attached, 0);
    slot->name[0] = '\0';
    slot->parent_name[0] = '\0';
    slot->failure.status = MP_OK;
    return MP_OK;
}

/* A child of somebody's fork may live in the place for the moment in which it loses the slot to this process. */
static mp_status_t live_in_process_slot(uint32_t index, mp__process_slot_t *slot)
{
    mp__deadline_t deadline = mp__os_now() + MP__SECOND;
    mp_status_t status;
    while ((status = mp__os_process_live(&mp__family.arena, index, &slot->life)) == MP_SYSTEM &&
           mp__os_now() < deadline)
        mp__os_yield();
    return status;
}

static void be_process(uint32_t index, uint32_t epoch)
{
    process_slot(index)->pid = (uint32_t)mp__os_pid();
    mp__family.process = index;
    mp__family.epoch = epoch;
}

/* This process becomes the slot's: first its life, then the claim that everybody believes. */
static mp_status_t run_in_slot(uint32_t index, uint32_t epoch)
{
    mp__process_slot_t *slot = process_slot(index);
    mp_status_t status = live_in_process_slot(index, slot);
    if (status != MP_OK)
        return status;
    mp__store32(&slot->life_epoch, epoch);
    uint64_t claim = mp__load64(&slot->claim);
    if (mp__high(claim) != epoch || STATE(claim) != MP__PROCESS_STARTING ||
        !mp__cas64(&slot->claim, &claim, mp__pair(epoch, MP__PROCESS_RUNNING)))
        return mp__error(MP_INVALID, "join the family", "the slot was taken back");
    be_process(index, epoch);
    return MP_OK;
}

mp_status_t mp__process_claim(void)
{
    uint32_t index = 0, epoch = 0;
    mp_status_t status = take_any_process_slot(take_own_slot, &index, &epoch);
    if (status != MP_OK)
        return status;
    be_process(index, epoch);
    memcpy(process_slot(index)->name, "MainProcess", sizeof "MainProcess");
    return MP_OK;
}

/* False: the next ones need not be looked at, because there are none, or because another one's sweep stands still. */
static bool sweep_if_dead(uint32_t index)
{
    if (!process_visible(index))
        return false;
    uint64_t claim = mp__load64(&process_slot(index)->claim);
    return STATE(claim) == MP__PROCESS_FREE || !mp__process_dead(index, mp__high(claim)) ||
           mp__process_bury(index, mp__high(claim));
}

/* Those whose parents died before them are nobody's to reap in the family: each start looks at a few. */
static void probe_some(void)
{
    static uint32_t cursor;
    uint32_t mark = mp__load32(&mp__family.head->process_mark);
    for (uint32_t i = 0; i < PROBES && i < mark && sweep_if_dead(mp__add32(&cursor, 1) % mark); i++)
        ;
}

mp_status_t mp__process_prepare(uint32_t *index, uint32_t *epoch, uint64_t *nonce)
{
    const mp__family_t *f = &mp__family;
    if (apr_generate_random_bytes((unsigned char *)nonce, sizeof *nonce) != APR_SUCCESS)
        return mp__error(MP_SYSTEM, "prepare a process", "no random bytes");
    probe_some();
    mp_status_t status = take_any_process_slot(take_process_slot, index, epoch);
    if (status != MP_OK)
        return status;
    mp__process_slot_t *slot = process_slot(*index);
    slot->nonce = *nonce;
    slot->keeper = mp__pair(f->epoch, f->process + 1);
    slot->parent_pid = (uint32_t)mp__os_pid();
    memcpy(slot->parent_name, process_slot(f->process)->name, sizeof slot->parent_name);
    return MP_OK;
}

mp_status_t mp__process_accept(uint32_t index, uint32_t epoch, uint64_t nonce)
{
    if (!process_visible(index))
        return mp__error(MP_INVALID, "join the family", "there is no slot %u", index);
    mp__process_slot_t *slot = process_slot(index);
    uint64_t claim = mp__load64(&slot->claim);
    if (mp__high(claim) != epoch || STATE(claim) != MP__PROCESS_STARTING || slot->nonce != nonce)
        return mp__error(MP_INVALID, "join the family", "the invitation was used or taken back");
    return run_in_slot(index, epoch);
}

/* ---- the sweep */

static void free_threads_of(uint32_t process)
{
    uint32_t mark = mp__load32(&mp__family.head->thread_mark);
    if (!mark || !mp__region_touchable(MP__REGION_THREADS, (uint64_t)mark * sizeof(mp__thread_slot_t)))
        return;
    for (uint32_t i = 0; i < mark; i++) {
        uint64_t claim = mp__load64(&thread_slot(i)->claim);
        if (mp__low(claim) == process + 1)
            mp__cas64(&thread_slot(i)->claim, &claim, mp__pair(mp__high(claim), 0));
    }
}

/* Does the process live that wants to know how this one ended? */
static bool is_awaited(const mp__process_slot_t *slot)
{
    uint64_t keeper = slot->keeper;
    return mp__low(keeper) && !mp__process_dead(mp__low(keeper) - 1, mp__high(keeper));
}

/* A free slot has no keeper: its next process may die before it wrote down its own. */
static void free_process_slot(uint32_t index, uint64_t claim)
{
    mp__store64(&process_slot(index)->keeper, 0);
    mp__cas64(&process_slot(index)->claim, &claim, mp__pair(mp__high(claim), MP__PROCESS_FREE));
}

/* What is owned by, or in, a slot that is SWEEPING; then the slot itself, unless something is left to be swept later:
 * an object that somebody has been in for longer than `patience`. */
static void empty_slot(uint32_t index, uint32_t epoch, int64_t patience)
{
    uint64_t claim = mp__pair(epoch, MP__PROCESS_SWEEPING);
    free_threads_of(index);
    if (!mp__release_all_of(index, patience))
        return;
    if (is_awaited(process_slot(index)))
        mp__cas64(&process_slot(index)->claim, &claim, mp__pair(epoch, MP__PROCESS_ENDED));
    else
        free_process_slot(index, claim);
}

/* The slots that a dead process had made for children which it never came to start; and those of children that ended
 * before it. */
static void empty_children(uint32_t maker, uint32_t epoch)
{
    uint32_t mark = mp__load32(&mp__family.head->process_mark);
    for (uint32_t i = 0; i < mark; i++) {
        uint64_t claim = process_visible(i) ? mp__load64(&process_slot(i)->claim) : 0;
        if (STATE(claim) == MP__PROCESS_STARTING && PARENT(claim) == maker + 1 &&
            mp__cas64(&process_slot(i)->claim, &claim, mp__pair(mp__high(claim), MP__PROCESS_SWEEPING)))
            empty_slot(i, mp__high(claim), SETTLE_TIME);
        else if (STATE(claim) == MP__PROCESS_ENDED && process_slot(i)->keeper == mp__pair(epoch, maker + 1))
            free_process_slot(i, claim);
    }
}

/* What the last sweeper left when it died. */
static void finish_sweeps(void)
{
    uint32_t mark = mp__load32(&mp__family.head->process_mark);
    for (uint32_t i = 0; i < mark; i++) {
        uint64_t claim = process_visible(i) ? mp__load64(&process_slot(i)->claim) : 0;
        if (STATE(claim) == MP__PROCESS_SWEEPING) {
            empty_children(i, mp__high(claim));
            empty_slot(i, mp__high(claim), 0);
        }
    }
}

/* Is there anything to do for a slot that is swept already? */
static bool is_left(const mp__process_slot_t *slot, uint32_t epoch)
{
    uint64_t claim = mp__load64(&slot->claim);
    return mp__high(claim) == epoch && (STATE(claim) != MP__PROCESS_ENDED || !is_awaited(slot));
}

/* Under the lock. */
static bool sweep_slot(uint32_t index, uint32_t epoch)
{
    mp__process_slot_t *slot = process_slot(index);
    uint64_t claim = mp__load64(&slot->claim);
    mp__process_state_t state = STATE(claim);
    if (mp__high(claim) != epoch || state == MP__PROCESS_FREE)
        return false;
    if (state == MP__PROCESS_ENDED) {
        if (!is_awaited(slot))
            free_process_slot(index, claim);
        return false;
    }
    /* SWEEPING: the last sweeper died at it, or somebody stood still in one of its objects. Each step can be done
     * again. */
    bool again = state == MP__PROCESS_SWEEPING;
    if (!again && !mp__cas64(&slot->claim, &claim, mp__pair(epoch, MP__PROCESS_SWEEPING)))
        return false;
    mp__add32(&mp__family.head->deaths, 1);
    empty_children(index, epoch);
    empty_slot(index, epoch, again ? 0 : SETTLE_TIME);
    return true;
}

bool mp__process_bury(uint32_t index, uint32_t epoch)
{
    mp__head_t *head = mp__family.head;
    if (mp__family_join() != MP_OK || !process_visible(index) || !is_left(process_slot(index), epoch))
        return true;
    /* A sweeper may be stopped: then the next probe of the slot tries again. */
    mp_status_t locked = mp__word_lock(&head->sweep_lock, mp__os_now() + mp__sweep_time);
    if (locked != MP_OK && locked != MP_OWNER_DIED)
        return false;
    bool swept = sweep_slot(index, epoch);
    if (locked == MP_OWNER_DIED)
        finish_sweeps();
    mp__word_unlock(&head->sweep_lock);
    if (swept)
        mp__wake_everyone();
    return true;
}

void mp__process_let_go(uint32_t index, uint32_t epoch)
{
    mp__process_slot_t *slot = process_slot(index);
    uint64_t claim = mp__load64(&slot->claim);
    if (mp__high(claim) != epoch)
        return;
    mp__store64(&slot->keeper, 0);
    if (STATE(claim) == MP__PROCESS_STARTING)
        mp__cas64(&slot->claim, &claim, mp__pair(epoch, MP__PROCESS_SWEEPING));
}

void mp__process_sweep(uint32_t index, uint32_t epoch)
{
    mp__process_let_go(index, epoch);
    (void)mp__process_bury(index, epoch);
}

void mp__process_take_back(uint32_t index, uint32_t epoch)
{
    mp__process_let_go(index, epoch);
    if (mp__process_dead(index, epoch))
        (void)mp__process_bury(index, epoch);
}

void mp__sweep_the_dead(void)
{
    uint32_t mark = mp__load32(&mp__family.head->process_mark);
    for (uint32_t i = 0; i < mark && sweep_if_dead(i); i++)
        ;
}
