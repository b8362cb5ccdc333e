/*
 * The barrier: rounds, and a roster of who waits in the present one.
 *
 * The header's state is {number of the round, how the round before ended, phase}, changed under the header's lock only
 * and looked at by all who wait. The store that ends a round, well or not, is the one that counts; then the rows of
 * that round get its outcome, for those who are too slow to see it in the state. Whoever finds that somebody died in
 * between gives the rows their outcome first: no second round can have ended meanwhile.
 *
 * The action runs outside the lock, in the phase ACTING, by the party that came last. Its row is one of those who wait:
 * if it dies, or any other, whoever looks next breaks the barrier.
 */
#include <multiproc/barrier.h>

#include "family/wait.h"
#include "objects/dump.h"
#include "objects/roster.h"
#include "objects/shared.h"
#include "objects/transfer.h"
#include "wire/call.h"

#include <string.h>

#define STEP_WAIT "wait at a barrier"

/* Others are in the lock for less, unless they are stopped. */
#define MOMENT (20 * MP__MILLISECOND)

struct mp_barrier {
    mp__shared_t shared;
};

typedef struct content {
    uint64_t parties;
    mp__block_t action; /* an encoded call; 0: none */
    uint64_t action_size;
    mp__roster_t waiters;
} content_t;

static content_t *content_of(mp__header_t *header)
{
    return (content_t *)(void *)header->body;
}

static mp__owner_t container_of(const mp__header_t *header)
{
    return mp__owner_container((uint32_t)(mp__offset_of(header) / MP__UNIT));
}

/* ---- the state */

typedef enum phase { FILLING, ACTING, BROKEN } phase_t;

/* How a round ended. */
typedef enum outcome { PASSED, ABORTED, RESET, TIMED_OUT, DIED, ACTION_FAILED, OUTCOMES } outcome_t;

static const char *const reasons[OUTCOMES] = {
    "",
    "it was aborted",
    "it was reset",
    "another's time was over",
    "a thread that waited at it died",
    "its action failed",
};

#define PHASE(state)   ((phase_t)((state)&3u))
#define OUTCOME(state) ((state) >> 2 & 7u)
#define ROUND(state)   ((state) >> 5)
#define ONE_ROUND      32u

static uint32_t next_state(uint32_t state, outcome_t outcome, phase_t phase)
{
    return (state & ~31u) + ONE_ROUND + ((uint32_t)outcome << 2 | (uint32_t)phase);
}

static mp_status_t broken(uint32_t outcome)
{
    return mp__error(MP_STATE, STEP_WAIT, "it is broken: %s", reasons[outcome < OUTCOMES ? outcome : ABORTED]);
}

static bool read_state(const mp__shared_t *shared, uint32_t *state)
{
    return mp__state_get(shared->header, &shared->handle.reference, state);
}

/* ---- rows: {round, index, outcome + 1} */

#define PENDING(value)     (((value)&0xff) == 0)
#define ROW_OUTCOME(value) ((uint32_t)((value)&0xff) - 1)
#define ROW_ROUND(value)   mp__high(value)
#define ROW_INDEX(value)   (mp__low(value) >> 8)

static bool waits(const mp__row_t *row, uint32_t state)
{
    return row->thread && PENDING(row->value) && ROW_ROUND(row->value) == ROUND(state);
}

/* The rows of the round before get its outcome. */
static void settle(const mp__rows_t *rows, uint32_t state)
{
    for (size_t i = 0; i < rows->count; i++) {
        mp__row_t *row = &rows->at[i];
        if (row->thread && PENDING(row->value) && ROW_ROUND(row->value) != ROUND(state))
            mp__row_set(row, row->value | (OUTCOME(state) + 1));
    }
}

static uint32_t count(const mp__rows_t *rows, uint32_t state)
{
    uint32_t n = 0;
    for (size_t i = 0; i < rows->count; i++)
        n += waits(&rows->at[i], state);
    return n;
}

static bool any_dead(const mp__rows_t *rows, uint32_t state)
{
    for (size_t i = 0; i < rows->count; i++)
        if (waits(&rows->at[i], state) && mp__thread_dead(rows->at[i].thread))
            return true;
    return false;
}

static void strike(const mp__rows_t *rows, uint64_t thread)
{
    mp__row_t *row = mp__roster_find(rows, thread);
    if (row)
        mp__row_remove(row);
}

/* Of rounds that have ended. */
static void strike_the_dead(const mp__rows_t *rows, uint32_t state)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->at[i].thread && !waits(&rows->at[i], state) && mp__thread_dead(rows->at[i].thread))
            mp__row_remove(&rows->at[i]);
}

/* ---- under the lock */

typedef struct inside {
    const mp__shared_t *shared;
    mp__rows_t rows;
    uint32_t state;
    bool ended; /* a round has ended: all are to be woken */
} inside_t;

static mp_status_t enter(const mp__shared_t *shared, mp__deadline_t deadline, inside_t *in)
{
    mp__header_t *header = shared->header;
    mp__deadline_t least = mp__os_now() + MOMENT;
    mp_status_t entered =
        mp__object_lock(header, &header->lock, &shared->handle.reference, deadline < least ? least : deadline);
    if (entered != MP_OK && entered != MP_OWNER_DIED)
        return entered;
    if (entered == MP_OWNER_DIED)
        mp__roster_repair(&content_of(header)->waiters);
    in->shared = shared;
    in->ended = entered == MP_OWNER_DIED; /* perhaps */
    mp_status_t status = mp__roster_rows(header, &content_of(header)->waiters, &in->rows);
    if (status == MP_OK && !read_state(shared, &in->state))
        status = mp__object_gone(STEP_WAIT);
    if (status != MP_OK)
        mp__word_unlock(&header->lock);
    else if (entered == MP_OWNER_DIED)
        settle(&in->rows, in->state);
    return status;
}

static void change_state(inside_t *in, uint32_t to)
{
    if (mp__state_change(in->shared->header, &in->shared->handle.reference, in->state, to))
        in->state = to;
}

static void end_round(inside_t *in, outcome_t outcome, phase_t phase)
{
    change_state(in, next_state(in->state, outcome, phase));
    settle(&in->rows, in->state);
    in->ended = true;
}

static void leave(const inside_t *in)
{
    mp__header_t *header = in->shared->header;
    mp__word_unlock(&header->lock);
    if (in->ended)
        mp__wait_notify_all(&header->waits[0]);
}

/* ---- the action */

static mp_status_t run(mp_call_t *call)
{
    mp_status_t status = mp__call_run(call);
    mp__call_fini(call);
    return status;
}

static mp_status_t call_action(mp__header_t *header)
{
    const content_t *c = content_of(header);
    mp__block_t name = c->action, block;
    uint64_t size = c->action_size, room;
    mp_call_t call;
    mp__buffer_t copy;
    if (!mp__block_owned(mp__low(name), container_of(header), &block, &room) || block != name || size > room)
        return mp__error(MP_CORRUPT, STEP_WAIT, "its action is not there");
    mp__buffer_init(&copy);
    mp_status_t status = mp__buffer_append(&copy, mp__block_at(block, NULL), (size_t)size);
    if (status == MP_OK)
        status = mp__call_decode(copy.data, copy.size, &mp__shared_receiver, &call);
    if (status == MP_OK)
        status = run(&call);
    mp__buffer_fini(&copy);
    return status;
}

/* By the party that came last; all others wait. */
static mp_status_t act(const mp__shared_t *shared, uint32_t round)
{
    inside_t in;
    mp_status_t acted = call_action(shared->header);
    const mp_error_t error = *mp_error();
    mp_status_t status = enter(shared, MP__NEVER, &in);
    if (status != MP_OK)
        return status;
    strike(&in.rows, mp__self);
    if (ROUND(in.state) != round)
        status = broken(OUTCOME(in.state));
    else if (acted == MP_OK)
        end_round(&in, PASSED, FILLING);
    else
        end_round(&in, ACTION_FAILED, BROKEN);
    leave(&in);
    return acted == MP_OK ? status : mp__error_again(&error);
}

/* ---- waiting */

typedef struct party {
    const mp__shared_t *shared;
    mp__deadline_t deadline;
    uint32_t round;
    uint32_t index;
} party_t;

static bool has_ended(const party_t *party)
{
    uint32_t state;
    return !read_state(party->shared, &state) || ROUND(state) != party->round;
}

/* Looks after those who wait: when one of them was woken for no reason, or after a while, or when somebody asks. */
static void look_for_the_dead(const mp__shared_t *shared)
{
    inside_t in;
    if (enter(shared, 0, &in) != MP_OK)
        return;
    if (PHASE(in.state) != BROKEN && any_dead(&in.rows, in.state))
        end_round(&in, DIED, BROKEN);
    leave(&in);
}

/* Until the round has ended. MP_TIMEOUT, MP_GONE. */
static mp_status_t await_end(const party_t *party)
{
    mp__header_t *header = party->shared->header;
    mp__spin_t spin = {.most = MP__SPIN_BRIEF};
    bool ended;
    while (!(ended = has_ended(party)) && mp__spin(&spin, party->deadline))
        ;
    if (ended)
        mp__spin_end(&spin);
    while (!ended) {
        uint32_t seen = mp__wait_announce(&header->waits[0]);
        if (has_ended(party))
            break;
        mp_status_t status =
            mp__wait_sleep(header, &party->shared->handle.reference, &header->waits[0], seen, party->deadline);
        ended = has_ended(party);
        if (status != MP_OK && !ended)
            return status;
        if (!ended)
            look_for_the_dead(party->shared);
    }
    return MP_OK;
}

/* What became of the round; if the time is over and it has not ended, it ends now. */
static mp_status_t depart(const party_t *party, bool time_over)
{
    inside_t in;
    mp_status_t status = enter(party->shared, party->deadline, &in);
    if (status == MP_TIMEOUT)
        return mp__error(status, STEP_WAIT, "another is at it");
    if (status != MP_OK)
        return status;
    uint32_t outcome = OUTCOME(in.state);
    const mp__row_t *row = mp__roster_find(&in.rows, mp__self);
    if (time_over && ROUND(in.state) == party->round) {
        end_round(&in, TIMED_OUT, BROKEN);
        status = MP_TIMEOUT;
    } else if (row && !PENDING(row->value)) {
        outcome = ROW_OUTCOME(row->value);
    }
    strike(&in.rows, mp__self);
    leave(&in);
    if (status == MP_TIMEOUT)
        return mp__error(status, STEP_WAIT, "not all came");
    return outcome == PASSED ? MP_OK : broken(outcome);
}

/* Its row, and whether it is the last. Under the lock. */
static mp_status_t add_party(inside_t *in, party_t *party)
{
    content_t *c = content_of(in->shared->header);
    strike(&in->rows, mp__self);
    if (!mp__roster_find(&in->rows, 0))
        strike_the_dead(&in->rows, in->state);
    party->round = ROUND(in->state);
    party->index = count(&in->rows, in->state);
    mp_status_t status =
        mp__roster_add(in->shared->header, &c->waiters, mp__self, mp__pair(party->round, party->index << 8));
    return status == MP_OK ? mp__roster_rows(in->shared->header, &c->waiters, &in->rows) : status;
}

/* MP_OK: it is there; MP_RUNNING: and the action is for it to call; MP_BUSY: the action of the last round is running;
 * MP_STATE. */
static mp_status_t arrive(void *context)
{
    party_t *party = context;
    inside_t in;
    mp_status_t status = enter(party->shared, party->deadline, &in);
    if (status != MP_OK)
        return status;
    const content_t *c = content_of(party->shared->header);
    if (PHASE(in.state) == BROKEN)
        status = broken(OUTCOME(in.state));
    else if (PHASE(in.state) == FILLING)
        status = add_party(&in, party);
    else
        status = any_dead(&in.rows, in.state) ? MP_DIED : MP_BUSY;
    if (status == MP_DIED) {
        end_round(&in, DIED, BROKEN);
        status = broken(DIED);
    }
    if (status == MP_OK && party->index + 1 >= c->parties) {
        if (any_dead(&in.rows, in.state)) {
            end_round(&in, DIED, BROKEN);
        } else if (c->action) {
            change_state(&in, in.state | ACTING);
            status = MP_RUNNING;
        } else {
            end_round(&in, PASSED, FILLING);
        }
    }
    leave(&in);
    return status;
}

static mp_status_t wait_as(party_t *party)
{
    mp__header_t *header = party->shared->header;
    bool slept;
    mp_status_t status = mp__wait_for(header, &party->shared->handle.reference, &header->waits[0], arrive, party, 0,
                                      party->deadline, &slept);
    if (status == MP_RUNNING)
        return act(party->shared, party->round);
    if (status == MP_TIMEOUT)
        return mp__error(status, STEP_WAIT, "another is at it, or the action of the round before");
    if (status == MP_OK)
        status = await_end(party);
    return status == MP_OK || status == MP_TIMEOUT ? depart(party, status == MP_TIMEOUT) : status;
}

mp_status_t mp_barrier_wait(mp_barrier_t *barrier, double timeout, uint32_t *index)
{
    party_t party = {(const mp__shared_t *)barrier, 0, 0, 0};
    mp_status_t status = mp__shared_use(party.shared, MP_KIND_BARRIER);
    if (status == MP_OK)
        status = mp__deadline(timeout, &party.deadline);
    if (status == MP_OK)
        status = wait_as(&party);
    if (status == MP_OK && index)
        *index = party.index;
    return status;
}

/* ---- the rest */

static mp_status_t begin(const mp_barrier_t *barrier, inside_t *in)
{
    mp_status_t status = mp__shared_use((const mp__shared_t *)barrier, MP_KIND_BARRIER);
    return status == MP_OK ? enter(&barrier->shared, MP__NEVER, in) : status;
}

mp_status_t mp_barrier_abort(mp_barrier_t *barrier)
{
    inside_t in;
    mp_status_t status = begin(barrier, &in);
    if (status != MP_OK)
        return status;
    if (PHASE(in.state) != BROKEN)
        end_round(&in, ABORTED, BROKEN);
    leave(&in);
    return MP_OK;
}

mp_status_t mp_barrier_reset(mp_barrier_t *barrier)
{
    inside_t in;
    mp_status_t status = begin(barrier, &in);
    if (status != MP_OK)
        return status;
    if (PHASE(in.state) != FILLING || count(&in.rows, in.state))
        end_round(&in, RESET, FILLING);
    leave(&in);
    return MP_OK;
}

/* Begins a question. */
static mp_status_t ask(const mp_barrier_t *barrier, const void *answer, uint32_t *state)
{
    mp_status_t status = answer ? mp__shared_use((const mp__shared_t *)barrier, MP_KIND_BARRIER)
                                : mp__error(MP_INVALID, "ask a barrier", "no place for the answer");
    if (status == MP_OK && !read_state(&barrier->shared, state))
        status = mp__object_gone("ask a barrier");
    return status == MP_OK ? mp__shared_unmet(&barrier->shared, status, "ask a barrier") : status;
}

mp_status_t mp_barrier_waiting(mp_barrier_t *barrier, uint32_t *waiting)
{
    inside_t in;
    uint32_t state;
    mp_status_t status = ask(barrier, waiting, &state);
    if (status == MP_OK) {
        look_for_the_dead(&barrier->shared);
        status = enter(&barrier->shared, MP__NEVER, &in);
    }
    if (status != MP_OK)
        return status;
    *waiting = count(&in.rows, in.state);
    leave(&in);
    return MP_OK;
}

mp_status_t mp_barrier_parties(mp_barrier_t *barrier, uint32_t *parties)
{
    uint32_t state;
    mp_status_t status = ask(barrier, parties, &state);
    if (status == MP_OK)
        *parties = (uint32_t)content_of(barrier->shared.header)->parties;
    return status;
}

mp_status_t mp_barrier_broken(mp_barrier_t *barrier, bool *answer)
{
    uint32_t state;
    mp_status_t status = ask(barrier, answer, &state);
    if (status != MP_OK)
        return status;
    look_for_the_dead(&barrier->shared);
    status = ask(barrier, answer, &state);
    if (status == MP_OK)
        *answer = PHASE(state) == BROKEN;
    return status;
}

static mp_status_t keep_action(mp__header_t *header, const mp_barrier_options_t *options)
{
    content_t *c = content_of(header);
    mp__buffer_t call;
    mp__buffer_init(&call);
    mp_status_t status = mp__call_encode(options->action, options->args, NULL, &call);
    if (status == MP_OK)
        status = mp__block_alloc(call.size, container_of(header), &c->action);
    if (status == MP_OK) {
        memcpy(mp__block_at(c->action, NULL), call.data, call.size);
        c->action_size = call.size;
    }
    mp__buffer_fini(&call);
    return status;
}

static mp_status_t furnish(mp__header_t *header, uint32_t parties, const mp_barrier_options_t *options)
{
    content_t *c = content_of(header);
    c->parties = parties;
    mp_status_t status = mp__roster_create(header, &c->waiters);
    return status == MP_OK && options->action ? keep_action(header, options) : status;
}

mp_status_t mp__barrier_create(mp_barrier_t **barrier, uint32_t parties, const mp_barrier_options_t *given, size_t size)
{
    mp_barrier_options_t options = {0};
    if (barrier)
        *barrier = NULL;
    if (given)
        memcpy(&options, given, size < sizeof options ? size : sizeof options);
    if (parties == 0 || parties > MP_BARRIER_MAX)
        return mp__error(MP_INVALID, "create a barrier", "%u parties", parties);
    mp_status_t status = mp__shared_create(MP_KIND_BARRIER, (mp__shared_t **)barrier);
    if (status != MP_OK)
        return status;
    status = furnish((*barrier)->shared.header, parties, &options);
    if (status != MP_OK) {
        mp_barrier_close(*barrier);
        *barrier = NULL;
    }
    return status;
}

static void release(mp__header_t *header)
{
    mp__roster_release(&content_of(header)->waiters);
    mp__block_free(content_of(header)->action);
}

mp_status_t mp_barrier_close(mp_barrier_t *barrier)
{
    return mp__shared_close((mp__shared_t *)barrier, MP_KIND_BARRIER, release);
}

void mp__barrier_dump(mp__header_t *header, const mp__reference_t *reference, mp__dump_t *dump)
{
    static const char *const phases[] = {"waits for its parties", "its action is running", "broken", "?"};
    const content_t *c = content_of(header);
    uint32_t state = 0;
    mp__rows_t rows;
    (void)mp__state_get(header, reference, &state);
    if (mp__roster_rows(header, &c->waiters, &rows) != MP_OK)
        return;
    mp__dump_line(dump, "  %s: %lu of %llu are there", phases[state & 3], (unsigned long)count(&rows, state),
                  (unsigned long long)c->parties);
    for (size_t i = 0; i < rows.count; i++)
        if (waits(&rows.at[i], state))
            mp__dump_thread(dump, "is there", rows.at[i].thread, "");
}
