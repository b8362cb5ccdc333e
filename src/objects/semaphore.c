/*
 * Semaphores.
 *
 * Plain and bounded: the permits are the header's state; each operation is one compare-and-swap.
 *
 * Owned: a table {holder, permits that it has}, under the header's lock. What is free is the bound less what living
 * holders have: the rows are the only truth. Each changes by one store of its holder, and rows of the dead go when
 * somebody who wants a permit finds none free, and is told. Who only asks leaves them.
 */
#include <multiproc/semaphore.h>

#include "family/wait.h"
#include "objects/dump.h"
#include "objects/ready.h"
#include "objects/shared.h"
#include "objects/roster.h"

#include <stdio.h>
#include <string.h>

#define STEP_ACQUIRE "acquire a semaphore"
#define STEP_RELEASE "release a semaphore"

/* Others are in the lock for less, unless they are stopped: so long a try waits, too. */
#define MOMENT (20 * MP__MILLISECOND)

struct mp_semaphore {
    mp__shared_t shared;
};

typedef struct content {
    uint64_t bound; /* the most permits */
    uint64_t owned; /* 1: they belong to holders */
    mp__roster_t holders;
} content_t;

static content_t *content_of(mp__header_t *header)
{
    return (content_t *)(void *)header->body;
}

/* ---- plain: the state */

static mp_status_t take_plain(const mp__shared_t *shared)
{
    uint32_t permits;
    while (mp__state_get(shared->header, &shared->handle.reference, &permits)) {
        if (!permits)
            return MP_BUSY;
        if (mp__state_change(shared->header, &shared->handle.reference, permits, permits - 1))
            return MP_OK;
    }
    return mp__object_gone(STEP_ACQUIRE);
}

static mp_status_t give_plain(const mp__shared_t *shared)
{
    uint32_t permits;
    while (mp__state_get(shared->header, &shared->handle.reference, &permits)) {
        uint64_t bound = content_of(shared->header)->bound;
        if (permits >= bound)
            return mp__error(MP_STATE, STEP_RELEASE, "it has all its %llu permits", (unsigned long long)bound);
        if (mp__state_change(shared->header, &shared->handle.reference, permits, permits + 1))
            return MP_OK;
    }
    return mp__object_gone(STEP_RELEASE);
}

/* ---- owned: the table */

static mp_status_t lock_table(const mp__shared_t *shared, mp__deadline_t deadline, mp__rows_t *rows)
{
    mp__header_t *header = shared->header;
    content_t *c = content_of(header);
    mp__deadline_t least = mp__os_now() + MOMENT;
    mp_status_t status =
        mp__object_lock(header, &header->lock, &shared->handle.reference, deadline < least ? least : deadline);
    if (status == MP_OWNER_DIED)
        mp__roster_repair(&c->holders);
    else if (status != MP_OK)
        return status;
    status = mp__roster_rows(header, &c->holders, rows);
    if (status != MP_OK)
        mp__word_unlock(&header->lock);
    return status;
}

static uint64_t free_permits(const content_t *c, const mp__rows_t *rows)
{
    uint64_t used = 0;
    for (size_t i = 0; i < rows->count; i++)
        used += rows->at[i].thread ? rows->at[i].value : 0;
    return used < c->bound ? c->bound - used : 0;
}

/* What the dead had returns. Did any have something? */
static bool bury(const mp__rows_t *rows)
{
    bool any = false;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->at[i].thread && mp__thread_dead(rows->at[i].thread)) {
            mp__row_remove(&rows->at[i]);
            any = true;
        }
    return any;
}

static mp_status_t note_holder(const mp__shared_t *shared, const mp__rows_t *rows)
{
    mp__row_t *row = mp__roster_find(rows, mp__self);
    if (!row)
        return mp__roster_add(shared->header, &content_of(shared->header)->holders, mp__self, 1);
    mp__row_set(row, row->value + 1);
    return MP_OK;
}

static mp_status_t take_owned(const mp__shared_t *shared, mp__deadline_t deadline)
{
    mp__rows_t rows;
    mp_status_t status = lock_table(shared, deadline, &rows);
    if (status != MP_OK)
        return status;
    const content_t *c = content_of(shared->header);
    bool died = false;
    if (!free_permits(c, &rows))
        died = bury(&rows);
    status = free_permits(c, &rows) ? note_holder(shared, &rows) : MP_BUSY;
    mp__word_unlock(&shared->header->lock);
    if (status == MP_OK && died)
        return mp__error(MP_OWNER_DIED, STEP_ACQUIRE, "taken; a holder died, and its permits returned");
    return status;
}

static mp_status_t give_owned(const mp__shared_t *shared)
{
    mp__rows_t rows;
    mp_status_t status = lock_table(shared, MP__NEVER, &rows);
    if (status != MP_OK)
        return status;
    mp__row_t *row = mp__roster_find(&rows, mp__self);
    if (!row)
        status = mp__error(MP_NOT_OWNER, STEP_RELEASE, "this thread has none of its permits");
    else if (row->value > 1)
        mp__row_set(row, row->value - 1);
    else
        mp__row_remove(row);
    mp__word_unlock(&shared->header->lock);
    return status;
}

/* What nobody has that lives. */
static uint64_t unheld_permits(const content_t *c, const mp__rows_t *rows)
{
    uint64_t used = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->at[i].thread && !mp__thread_dead(rows->at[i].thread))
            used += rows->at[i].value;
    return used < c->bound ? c->bound - used : 0;
}

/* Rows of the dead stay: who acquires what they had is told. */
static mp_status_t count_owned(const mp__shared_t *shared, mp__deadline_t deadline, uint64_t *count)
{
    mp__rows_t rows;
    mp_status_t status = lock_table(shared, deadline, &rows);
    if (status != MP_OK)
        return status;
    *count = unheld_permits(content_of(shared->header), &rows);
    mp__word_unlock(&shared->header->lock);
    return MP_OK;
}

/* ---- the public semaphore */

static bool owned(const mp__shared_t *shared)
{
    return content_of(shared->header)->owned != 0;
}

static mp_status_t furnish(mp__shared_t *shared, uint32_t permits, unsigned flags)
{
    content_t *c = content_of(shared->header);
    c->owned = (flags & MP_OWNED) != 0;
    c->bound = flags ? permits : MP_SEMAPHORE_MAX;
    mp__state_change(shared->header, &shared->handle.reference, 0, permits);
    return c->owned ? mp__roster_create(shared->header, &c->holders) : MP_OK;
}

mp_status_t mp__semaphore_create(mp_semaphore_t **semaphore, uint32_t permits, const mp_semaphore_options_t *given,
                                 size_t size)
{
    mp_semaphore_options_t options = {0};
    if (semaphore)
        *semaphore = NULL;
    if (given)
        memcpy(&options, given, size < sizeof options ? size : sizeof options);
    if (permits > MP_SEMAPHORE_MAX || options.flags > (MP_BOUNDED | MP_OWNED))
        return mp__error(MP_INVALID, "create a semaphore", "%u permits, flags %u", permits, options.flags);
    mp_status_t status = mp__shared_create(MP_KIND_SEMAPHORE, (mp__shared_t **)semaphore);
    if (status != MP_OK)
        return status;
    status = furnish(&(*semaphore)->shared, permits, options.flags);
    if (status != MP_OK) {
        mp_semaphore_close(*semaphore);
        *semaphore = NULL;
    }
    return status;
}

typedef struct wait {
    const mp__shared_t *shared;
    mp__deadline_t deadline;
} wait_t;

static mp_status_t take(void *context)
{
    const wait_t *wait = context;
    return owned(wait->shared) ? take_owned(wait->shared, wait->deadline) : take_plain(wait->shared);
}

static mp_status_t count(const mp__shared_t *shared, mp__deadline_t deadline, uint64_t *permits)
{
    uint32_t state;
    if (owned(shared))
        return count_owned(shared, deadline, permits);
    if (!mp__state_get(shared->header, &shared->handle.reference, &state))
        return mp__object_gone("ask a semaphore");
    *permits = state;
    return MP_OK;
}

/* Who was woken hands on what is left: others may sleep still whom the waker counted as woken, too. */
static void hand_on(const mp__shared_t *shared)
{
    uint32_t *wait = &shared->header->waits[0];
    uint64_t permits = 0;
    mp__wait_announce(wait);
    if (count(shared, 0, &permits) != MP_OK || permits)
        mp__wait_notify(wait);
}

mp_status_t mp_semaphore_acquire(mp_semaphore_t *semaphore, double timeout)
{
    wait_t wait = {(mp__shared_t *)semaphore, 0};
    bool slept;
    mp_status_t status = mp__shared_use(wait.shared, MP_KIND_SEMAPHORE);
    if (status == MP_OK)
        status = mp__deadline(timeout, &wait.deadline);
    if (status != MP_OK)
        return status;
    mp__header_t *header = wait.shared->header;
    int64_t spin_most = owned(wait.shared) ? 0 : MP__SPIN_BRIEF; /* looking at a table keeps others from it */
    status = mp__wait_for(header, &wait.shared->handle.reference, &header->waits[0], take, &wait, spin_most,
                          wait.deadline, &slept);
    /* The dead may have had more than one. */
    if ((slept && status != MP_GONE) || status == MP_OWNER_DIED) {
        const mp_error_t error = *mp_error();
        hand_on(wait.shared);
        if (status == MP_OWNER_DIED)
            mp__error_again(&error);
    }
    return status == MP_TIMEOUT
               ? mp__shared_unmet(wait.shared, mp__error(status, STEP_ACQUIRE, "it has no permit"), STEP_ACQUIRE)
               : status;
}

mp_status_t mp_semaphore_release(mp_semaphore_t *semaphore)
{
    const mp__shared_t *shared = (mp__shared_t *)semaphore;
    mp_status_t status = mp__shared_use(shared, MP_KIND_SEMAPHORE);
    if (status == MP_OK)
        status = owned(shared) ? give_owned(shared) : give_plain(shared);
    if (status == MP_OK)
        mp__wait_notify(&shared->header->waits[0]);
    return status;
}

mp_status_t mp_semaphore_value(mp_semaphore_t *semaphore, uint32_t *value)
{
    uint64_t permits = 0;
    mp_status_t status = value ? mp__shared_use((mp__shared_t *)semaphore, MP_KIND_SEMAPHORE)
                               : mp__error(MP_INVALID, "ask a semaphore", "no place for the answer");
    if (status == MP_OK)
        status = count((mp__shared_t *)semaphore, MP__NEVER, &permits);
    if (status == MP_OK)
        *value = (uint32_t)permits;
    return status == MP_OK ? mp__shared_unmet((mp__shared_t *)semaphore, MP_OK, "ask a semaphore") : status;
}

/* Permits of the dead are left to the one who acquires them, who is told. */
static bool any_dead(const mp__rows_t *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->at[i].thread && mp__thread_dead(rows->at[i].thread))
            return true;
    return false;
}

bool mp__semaphore_ready(const mp__shared_t *shared)
{
    uint32_t permits;
    mp__rows_t rows;
    if (!owned(shared))
        return !mp__state_get(shared->header, &shared->handle.reference, &permits) || permits;
    mp_status_t status = lock_table(shared, 0, &rows);
    if (status != MP_OK)
        return status != MP_TIMEOUT;
    bool ready = free_permits(content_of(shared->header), &rows) || any_dead(&rows);
    mp__word_unlock(&shared->header->lock);
    return ready;
}

static void release_holders(mp__header_t *header)
{
    mp__roster_release(&content_of(header)->holders);
}

mp_status_t mp_semaphore_close(mp_semaphore_t *semaphore)
{
    return mp__shared_close((mp__shared_t *)semaphore, MP_KIND_SEMAPHORE, release_holders);
}

void mp__semaphore_dump(mp__header_t *header, const mp__reference_t *reference, mp__dump_t *dump)
{
    const content_t *c = content_of(header);
    uint32_t permits = 0;
    mp__rows_t rows;
    (void)mp__state_get(header, reference, &permits);
    if (!c->owned) {
        mp__dump_line(dump, "  permits: %lu", (unsigned long)permits);
        return;
    }
    if (mp__roster_rows(header, &c->holders, &rows) != MP_OK)
        return;
    mp__dump_line(dump, "  permits: %llu of %llu", (unsigned long long)free_permits(c, &rows),
                  (unsigned long long)c->bound);
    for (size_t i = 0; i < rows.count; i++) {
        char more[48];
        const mp__row_t row = rows.at[i];
        snprintf(more, sizeof more, "%llu permits", (unsigned long long)row.value);
        if (row.thread)
            mp__dump_thread(dump, "held by", row.thread, more);
    }
}
