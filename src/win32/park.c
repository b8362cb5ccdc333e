/* Sleep and wake. WaitOnAddress does not reach beyond its process, so that all parking goes by bells: each is an
 * auto-reset event of the process that waits; who rings it from elsewhere duplicates it once and keeps it.
 *
 * An event is closed after the words of its bell were taken back, and who duplicated it looks at the words again before
 * using it: so a late ringer never touches a handle that got the event's number. */
#include "win32.h"

#include "core/atomic.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

mp_status_t mp__os_word_wait(uint32_t *word, uint32_t expected, mp__deadline_t deadline)
{
    (void)word;
    (void)expected;
    (void)deadline;
    return mp__error(MP_UNSUPPORTED, "wait for a word", "this system cannot wait for a word across processes");
}

void mp__os_word_wake(uint32_t *word, bool all)
{
    (void)word;
    (void)all;
}

/* What the words of a bell say; together they name it for ever. */
enum {
    SERIAL, /* the process' pid and the number of the bell in it; 0: no bell. Written last, taken back first. */
    BORN,   /* when the process was created */
    EVENT,  /* the event's handle in its process */
    INDEX   /* in `own` of its process */
};

/* ---- the bells of this process ---- */

typedef struct own {
    HANDLE event; /* NULL: free */
    mp__os_bell_t *bell;
    uint64_t serial;
    mp__os_thread_life_t thread;
} own_t;

static SRWLOCK own_lock = SRWLOCK_INIT;
static own_t *own;
static size_t own_count, own_room;
static size_t sweep_next;
static uint32_t last_number;

static DWORD process_of(const mp__os_bell_t *copy)
{
    return (DWORD)(copy->words[SERIAL] >> 32);
}

static void release(own_t *place)
{
    if (place->event)
        CloseHandle(place->event);
    place->event = NULL;
}

/* Has a later user taken the bell's words, or has its thread ended without a word? */
static bool is_over(const own_t *place)
{
    uint64_t serial = place->serial;
    if (mp__load64(&place->bell->words[SERIAL]) != serial)
        return true;
    if (!mp__os_thread_ended(&place->thread))
        return false;
    mp__cas64(&place->bell->words[SERIAL], &serial, 0); /* unless that user takes them just now */
    return true;
}

/* Goes on through the places, a few at a time, and frees those of bells that are over. */
static void sweep(size_t most)
{
    for (size_t i = 0; i < most && i < own_count; i++) {
        own_t *place = &own[sweep_next++ % own_count];
        if (place->event && is_over(place))
            release(place);
    }
}

void mp__win_bells_sweep(void)
{
    AcquireSRWLockExclusive(&own_lock);
    sweep(own_count);
    ReleaseSRWLockExclusive(&own_lock);
}

static bool grow(void)
{
    if (own_count < own_room)
        return true;
    size_t room = own_room ? own_room * 2 : 16;
    own_t *grown = realloc(own, room * sizeof *own);
    if (!grown)
        return false;
    own = grown;
    own_room = room;
    return true;
}

/* A free place of `own`, and an event in it. */
static mp_status_t find_place(own_t **found)
{
    size_t i = 0;
    while (i < own_count && own[i].event)
        i++;
    if (i == own_count) {
        if (!grow())
            return mp__error(MP_NO_MEMORY, "make a bell", "no memory");
        own[own_count++].event = NULL;
    }
    *found = &own[i];
    own[i].event = CreateEventW(NULL, FALSE, FALSE, NULL);
    return own[i].event ? MP_OK : mp__win_failure("make a bell");
}

static void fill(own_t *place, mp__os_bell_t *bell)
{
    place->bell = bell;
    place->serial = (uint64_t)GetCurrentProcessId() << 32 | ++last_number;
    mp__os_thread_live(&place->thread);
    mp__store64(&bell->words[SERIAL], 0);
    mp__store64(&bell->words[BORN], mp__win_process_born(GetCurrentProcess()));
    mp__store64(&bell->words[EVENT], (uint64_t)(uintptr_t)place->event);
    mp__store64(&bell->words[INDEX], (uint64_t)(place - own));
    mp__store64(&bell->words[SERIAL], place->serial);
}

mp_status_t mp__os_bell_init(mp__os_bell_t *bell)
{
    own_t *place = NULL;
    AcquireSRWLockExclusive(&own_lock);
    sweep(2); /* one makes up for the new one */
    mp_status_t status = find_place(&place);
    if (!status)
        fill(place, bell);
    ReleaseSRWLockExclusive(&own_lock);
    return status;
}

/* The place of a bell of this process; NULL: it is not one. Under the lock. */
static own_t *place_of(const mp__os_bell_t *bell)
{
    uint64_t index = mp__load64(&bell->words[INDEX]);
    return index < own_count && own[index].event && own[index].bell == bell ? &own[index] : NULL;
}

mp_status_t mp__os_bell_wait(mp__os_bell_t *bell, mp__deadline_t deadline)
{
    AcquireSRWLockShared(&own_lock);
    const own_t *place = place_of(bell);
    HANDLE event = place ? place->event : NULL; /* it stays: only this thread ends the bell */
    ReleaseSRWLockShared(&own_lock);
    if (!event)
        return mp__error(MP_INVALID, "wait for a bell", "it is not a bell of this process");
    switch (mp__win_wait(event, deadline)) {
    case WAIT_OBJECT_0:
        return MP_OK;
    case WAIT_TIMEOUT:
        return mp__error(MP_TIMEOUT, "wait for a bell", "nobody rang");
    default:
        return mp__win_failure("wait for a bell");
    }
}

static void ring_own(const mp__os_bell_t *bell)
{
    AcquireSRWLockShared(&own_lock);
    const own_t *place = place_of(bell);
    if (place)
        SetEvent(place->event);
    ReleaseSRWLockShared(&own_lock);
}

void mp__os_bell_fini(mp__os_bell_t *bell)
{
    AcquireSRWLockExclusive(&own_lock);
    own_t *place = place_of(bell);
    for (size_t i = 0; i < MP__COUNT_OF(bell->words); i++)
        mp__store64(&bell->words[i], 0);
    mp__fence();
    if (place)
        release(place);
    ReleaseSRWLockExclusive(&own_lock);
}

/* ---- the bells of others ---- */

#define RUNG 251 /* bells that this process keeps events of; prime, because bells lie at equal distances */

static struct rung {
    const mp__os_bell_t *bell;
    mp__os_bell_t copy; /* of the words when the event was duplicated */
    HANDLE event;
} rung[RUNG];
static SRWLOCK rung_lock = SRWLOCK_INIT;

static struct rung *rung_place(const mp__os_bell_t *bell)
{
    return &rung[(uintptr_t)bell / sizeof *bell % RUNG];
}

/* The event in this process; NULL: that process is gone, or out of reach. */
static HANDLE duplicate(const mp__os_bell_t *copy)
{
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process_of(copy));
    if (!process)
        return NULL;
    HANDLE event = NULL;
    if (mp__win_process_born(process) != copy->words[BORN] ||
        !DuplicateHandle(process, (HANDLE)(uintptr_t)copy->words[EVENT], GetCurrentProcess(), &event,
                         EVENT_MODIFY_STATE, FALSE, 0))
        event = NULL;
    CloseHandle(process);
    return event;
}

/* Rings by the event that is kept. False: none is. */
static bool ring_kept(const mp__os_bell_t *bell, const mp__os_bell_t *copy)
{
    const struct rung *place = rung_place(bell);
    AcquireSRWLockShared(&rung_lock);
    bool known = place->event && place->bell == bell && memcmp(&place->copy, copy, sizeof *copy) == 0;
    if (known)
        SetEvent(place->event);
    ReleaseSRWLockShared(&rung_lock);
    return known;
}

static mp__os_bell_t read_words(const mp__os_bell_t *bell)
{
    mp__os_bell_t copy;
    for (size_t i = 0; i < MP__COUNT_OF(copy.words); i++)
        copy.words[i] = mp__load64(&bell->words[i]);
    return copy;
}

static void ring_foreign(const mp__os_bell_t *bell, const mp__os_bell_t *copy)
{
    if (ring_kept(bell, copy))
        return;
    HANDLE event = duplicate(copy);
    if (!event)
        return;
    const mp__os_bell_t again = read_words(bell);
    if (memcmp(&again, copy, sizeof again) != 0) { /* the bell has ended: that may not be its event */
        CloseHandle(event);
        return;
    }
    SetEvent(event);
    struct rung *place = rung_place(bell);
    AcquireSRWLockExclusive(&rung_lock);
    HANDLE evicted = place->event;
    place->bell = bell;
    place->copy = *copy;
    place->event = event;
    ReleaseSRWLockExclusive(&rung_lock);
    if (evicted)
        CloseHandle(evicted);
}

void mp__os_bell_ring(mp__os_bell_t *bell)
{
    DWORD code = GetLastError();
    const mp__os_bell_t copy = read_words(bell);
    if (copy.words[SERIAL] != 0) {
        if (process_of(&copy) == GetCurrentProcessId())
            ring_own(bell);
        else
            ring_foreign(bell, &copy);
    }
    SetLastError(code);
}

void mp__win_rung_forget(void)
{
    AcquireSRWLockExclusive(&rung_lock);
    for (size_t i = 0; i < RUNG; i++) {
        if (rung[i].event)
            CloseHandle(rung[i].event);
        rung[i].event = NULL;
    }
    ReleaseSRWLockExclusive(&rung_lock);
}

void mp__win_bells_forget(const uint8_t *base, size_t size)
{
    AcquireSRWLockExclusive(&own_lock);
    for (size_t i = 0; i < own_count; i++)
        if ((uintptr_t)own[i].bell - (uintptr_t)base < size)
            release(&own[i]);
    ReleaseSRWLockExclusive(&own_lock);
    mp__win_rung_forget();
}
