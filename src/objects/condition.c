/*
 * The condition: a roster of who waits, in the order in which they came, each asleep until it is its turn (turn.h).
 *
 * A waiter enlists, lets go of the user's lock and sleeps. Who notifies marks the oldest row CALLED and gives that
 * thread its turn; a thread whose time was over before takes no turn, and the next one is called. A row goes when its
 * thread's wait returns. So a CALLED row of a dead thread is a notification that never arrived: whoever finds it calls
 * the next one, and then removes it. Rows are changed under the header's lock only, which is taken after the user's.
 *
 * killed after               what the next one finds
 *   row added                a dead thread's row, not called: removed
 *   row marked               its turn was not given: given now
 *   turn given, not woken    the sleeper looks by itself, 500 ms later at most
 *   next one called          the dead one's row is still there: one more is called than need be
 */
#include <multiproc/condition.h>

#include "family/turn.h"
#include "objects/dump.h"
#include "objects/mutex.h"
#include "objects/roster.h"

#include <string.h>

#define STEP_WAIT "wait at a condition"

/* Others are in the header's lock for less, unless they are stopped. */
#define MOMENT (20 * MP__MILLISECOND)

struct mp_condition {
    mp__shared_t shared;
};

typedef struct content {
    mp__reference_t lock; /* the one it was made with; kind 0: its own */
    uint64_t tickets;     /* given out so far */
    mp__roster_t waiters;
} content_t;

static content_t *content_of(mp__header_t *header)
{
    return (content_t *)(void *)header->body;
}

/* ---- the user's lock */

typedef struct lock {
    mp__mutex_t mutex;
    mp__reference_t reference;
} lock_t;

static mp_status_t find_lock(const mp__shared_t *shared, lock_t *lock)
{
    lock->reference = content_of(shared->header)->lock;
    if (!mp__object_is(shared->header, &shared->handle.reference))
        return mp__object_gone("use a condition");
    lock->mutex = mp__mutex_of(shared, true);
    if (lock->reference.kind == 0)
        return MP_OK;
    lock->mutex.reference = &lock->reference;
    lock->mutex.recursive = lock->reference.kind == MP_KIND_RLOCK;
    return mp__object_open(&lock->reference, lock->mutex.recursive ? MP_KIND_RLOCK : MP_KIND_LOCK, &lock->mutex.header);
}

static mp_status_t begin(const mp_condition_t *condition, lock_t *lock)
{
    mp_status_t status = mp__shared_use((const mp__shared_t *)condition, MP_KIND_CONDITION);
    return status == MP_OK ? find_lock(&condition->shared, lock) : status;
}

/* The same for what only its holder may do. */
static mp_status_t begin_held(const mp_condition_t *condition, const char *step, lock_t *lock)
{
    mp_status_t status = begin(condition, lock);
    if (status == MP_OK && !mp__mutex_mine(&lock->mutex))
        status = mp__error(MP_NOT_OWNER, step, "this thread does not hold its lock");
    return status;
}

/* ---- rows: {ticket, number of the turn, CALLED} */

#define CALLED        UINT64_C(1)
#define TICKET(value) mp__high(value)
#define NUMBER(value) (mp__low(value) >> 2)

static uint64_t row_value(uint32_t ticket, uint32_t number)
{
    return mp__pair(ticket, number << 2);
}

/* The living one that has waited longest and is not called yet; NULL: none. */
static mp__row_t *oldest(const mp__rows_t *rows)
{
    mp__row_t *found = NULL;
    for (size_t i = 0; i < rows->count; i++) {
        mp__row_t *row = &rows->at[i];
        if (row->thread && !(row->value & CALLED) &&
            (!found || (int32_t)(TICKET(row->value) - TICKET(found->value)) < 0) && !mp__thread_dead(row->thread))
            found = row;
    }
    return found;
}

static void call(const mp__rows_t *rows, uint32_t n)
{
    mp__row_t *row;
    while (n && (row = oldest(rows))) {
        mp__row_set(row, row->value | CALLED);
        if (mp__turn_give(row->thread, NUMBER(row->value)))
            n--;
        else
            mp__row_remove(row); /* its time was over just before */
    }
}

/* Removes what the dead and the gone have left, and passes the notifications of the dead on. Asking who is dead takes
 * time on some systems: it is done by those who were woken for no reason, and when there is no room. */
static void tidy(const mp__rows_t *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        mp__row_t *row = &rows->at[i];
        if (!row->thread)
            continue;
        bool dead = mp__thread_dead(row->thread);
        if (dead && (row->value & CALLED))
            call(rows, 1);
        if (dead || mp__turn_of(row->thread, NUMBER(row->value)) == MP__TURN_OVER)
            mp__row_remove(row);
    }
}

/* After a death under the lock: who was marked gets its turn. */
static void finish_calls(const mp__rows_t *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->at[i].thread && (rows->at[i].value & CALLED))
            mp__turn_give(rows->at[i].thread, NUMBER(rows->at[i].value));
}

static mp_status_t enter(const mp__shared_t *shared, mp__deadline_t deadline, mp__rows_t *rows)
{
    mp__header_t *header = shared->header;
    mp__deadline_t least = mp__os_now() + MOMENT;
    mp_status_t entered =
        mp__object_lock(header, &header->lock, &shared->handle.reference, deadline < least ? least : deadline);
    if (entered != MP_OK && entered != MP_OWNER_DIED)
        return entered;
    if (entered == MP_OWNER_DIED)
        mp__roster_repair(&content_of(header)->waiters);
    mp_status_t status = mp__roster_rows(header, &content_of(header)->waiters, rows);
    if (status != MP_OK) {
        mp__word_unlock(&header->lock);
        return status;
    }
    if (entered == MP_OWNER_DIED)
        finish_calls(rows);
    return MP_OK;
}

static void leave(const mp__shared_t *shared)
{
    mp__word_unlock(&shared->header->lock);
}

static void strike(const mp__rows_t *rows, uint64_t thread)
{
    mp__row_t *row = mp__roster_find(rows, thread);
    if (row)
        mp__row_remove(row);
}

/* ---- waiting */

static mp_status_t enlist(const mp__shared_t *shared, mp__deadline_t deadline, uint32_t *number)
{
    mp__rows_t rows;
    mp_status_t status = enter(shared, deadline, &rows);
    if (status != MP_OK)
        return status;
    content_t *c = content_of(shared->header);
    strike(&rows, mp__self);
    if (!mp__roster_find(&rows, 0))
        tidy(&rows);
    *number = mp__turn_begin();
    status = mp__roster_add(shared->header, &c->waiters, mp__self, row_value((uint32_t)c->tickets++, *number));
    if (status != MP_OK)
        mp__turn_end(*number);
    leave(shared);
    return status;
}

/* Until the turn is given. MP_TIMEOUT, MP_GONE. */
static mp_status_t await_turn(const mp__shared_t *shared, uint32_t number, mp__deadline_t deadline)
{
    const mp__reference_t *reference = &shared->handle.reference;
    mp__rows_t rows;
    for (;;) {
        mp_status_t status = mp__turn_sleep(number, deadline);
        if (!mp__object_is(shared->header, reference))
            return MP_GONE;
        if (mp__turn_of(mp__self, number) == MP__TURN_GIVEN)
            return MP_OK;
        if (status == MP_TIMEOUT)
            return mp__turn_leave(number) ? MP_TIMEOUT : MP_OK;
        /* Woken for no reason, or after a while: somebody may have died. */
        if (mp__object_owner_died(shared->header, reference))
            return MP_GONE;
        if (enter(shared, 0, &rows) == MP_OK) {
            tidy(&rows);
            leave(shared);
        }
    }
}

/* The wait is over: from here on this thread's death passes nothing on. If somebody stands still in the object, others
 * find that the turn is over. */
static void discharge(const mp__shared_t *shared, uint32_t number)
{
    mp__rows_t rows;
    if (enter(shared, 0, &rows) == MP_OK) {
        strike(&rows, mp__self);
        leave(shared);
    }
    mp__turn_end(number);
}

static mp_status_t wait_until(const mp__shared_t *shared, const lock_t *lock, mp__deadline_t deadline)
{
    uint32_t number;
    mp_status_t status = enlist(shared, deadline, &number);
    if (status != MP_OK)
        return status;
    uint32_t depth = mp__mutex_leave(&lock->mutex);
    status = await_turn(shared, number, deadline);
    mp_status_t resumed = mp__mutex_resume(&lock->mutex, depth);
    const mp_error_t error = *mp_error();
    discharge(shared, number);
    if (resumed != MP_OK)
        return mp__error_again(&error);
    if (status == MP_GONE)
        return mp__object_gone(STEP_WAIT);
    return status == MP_TIMEOUT ? mp__error(status, STEP_WAIT, "it was not notified") : status;
}

mp_status_t mp_condition_wait(mp_condition_t *condition, double timeout)
{
    lock_t lock;
    mp__deadline_t deadline;
    mp_status_t status = begin_held(condition, STEP_WAIT, &lock);
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    return status == MP_OK ? wait_until(&condition->shared, &lock, deadline) : status;
}

mp_status_t mp_condition_wait_for(mp_condition_t *condition, mp_predicate_t predicate, void *context, double timeout)
{
    lock_t lock;
    mp__deadline_t deadline;
    if (!predicate)
        return mp__error(MP_INVALID, STEP_WAIT, "no predicate");
    mp_status_t status = begin_held(condition, STEP_WAIT, &lock);
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    while (status == MP_OK && !predicate(context))
        status = wait_until(&condition->shared, &lock, deadline);
    if (status == MP_TIMEOUT && predicate(context))
        return MP_OK;
    return status;
}

/* ---- the rest */

mp_status_t mp_condition_notify(mp_condition_t *condition, uint32_t n)
{
    lock_t lock;
    mp__rows_t rows;
    mp_status_t status = begin_held(condition, "notify a condition", &lock);
    if (status == MP_OK)
        status = enter(&condition->shared, MP__NEVER, &rows);
    if (status != MP_OK)
        return status;
    call(&rows, n);
    leave(&condition->shared);
    return MP_OK;
}

mp_status_t mp_condition_notify_all(mp_condition_t *condition)
{
    return mp_condition_notify(condition, UINT32_MAX);
}

mp_status_t mp_condition_acquire(mp_condition_t *condition, double timeout)
{
    lock_t lock;
    mp_status_t status = begin(condition, &lock);
    return status == MP_OK ? mp__mutex_acquire(&lock.mutex, timeout) : status;
}

mp_status_t mp_condition_release(mp_condition_t *condition)
{
    lock_t lock;
    mp_status_t status = begin(condition, &lock);
    return status == MP_OK ? mp__mutex_release(&lock.mutex) : status;
}

/* The reference of the lock that it is to use; all zero for None. */
static mp_status_t choose_lock(mp_value_t lock, mp__reference_t *reference)
{
    const char *step = "create a condition";
    mp_kind_t kind = mp_value_kind(lock);
    memset(reference, 0, sizeof *reference);
    if (kind == MP_KIND_NONE)
        return MP_OK;
    if (kind != MP_KIND_LOCK && kind != MP_KIND_RLOCK)
        return mp__error(MP_TYPE, step, "a %s is no lock", mp_kind_name(kind));
    mp_status_t status = mp__shared_use(lock.as.object, kind);
    if (status == MP_OK)
        *reference = ((const mp__shared_t *)lock.as.object)->handle.reference;
    return status;
}

mp_status_t mp__condition_create(mp_condition_t **condition, mp_value_t lock)
{
    mp__reference_t reference;
    if (condition)
        *condition = NULL;
    mp_status_t status = choose_lock(lock, &reference);
    if (status == MP_OK)
        status = mp__shared_create(MP_KIND_CONDITION, (mp__shared_t **)condition);
    if (status != MP_OK)
        return status;
    mp__header_t *header = (*condition)->shared.header;
    content_of(header)->lock = reference;
    status = mp__roster_create(header, &content_of(header)->waiters);
    if (status != MP_OK) {
        mp_condition_close(*condition);
        *condition = NULL;
    }
    return status;
}

void mp__condition_dump(mp__header_t *header, const mp__reference_t *reference, mp__dump_t *dump)
{
    mp__rows_t rows;
    mp__reference_t lock = content_of(header)->lock;
    mp__header_t *held = header;
    (void)reference;
    if (lock.kind && mp__object_open(&lock, lock.kind, &held) != MP_OK)
        mp__dump_line(dump, "  its lock has ended");
    else
        mp__dump_held(dump, held);
    if (mp__roster_rows(header, &content_of(header)->waiters, &rows) != MP_OK)
        return;
    for (size_t i = 0; i < rows.count; i++) {
        const mp__row_t row = rows.at[i];
        if (row.thread)
            mp__dump_thread(dump, "waits", row.thread, row.value & CALLED ? "notified" : "");
    }
}

/* The end has begun: who waits sees it. */
static void dismiss(mp__header_t *header)
{
    mp__rows_t rows;
    if (mp__roster_rows(header, &content_of(header)->waiters, &rows) == MP_OK)
        for (size_t i = 0; i < rows.count; i++)
            if (rows.at[i].thread)
                mp__turn_give(rows.at[i].thread, NUMBER(rows.at[i].value));
    mp__roster_release(&content_of(header)->waiters);
}

mp_status_t mp_condition_close(mp_condition_t *condition)
{
    return mp__mutex_close((mp__shared_t *)condition, MP_KIND_CONDITION, dismiss);
}
