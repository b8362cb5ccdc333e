/*
 * The event: one word {generation, how often it was set, is it set}.
 *
 * Setting is one compare-and-swap and the wake-up of all who sleep. It takes no lock, allocates nothing, asks nothing
 * of the calling thread, so a signal handler may do it in the middle of anything. The number lets who waits see that it
 * was set, also when it was cleared again at once.
 */
#include <multiproc/event.h>

#include "family/wait.h"
#include "objects/dump.h"
#include "objects/ready.h"
#include "objects/shared.h"

#define STEP_WAIT "wait for an event"

#define SET      1u /* bit 0 of the state; above it the number of times */
#define ONE_TIME 2u

struct mp_event {
    mp__shared_t shared;
};

mp_status_t mp_event_create(mp_event_t **event)
{
    return mp__shared_create(MP_KIND_EVENT, (mp__shared_t **)event);
}

/* No error is recorded: mp_error() belongs to whatever a signal handler has interrupted. */
mp_status_t mp_event_set(mp_event_t *event)
{
    if (!event || !mp__handle_is(&event->shared.handle, MP_KIND_EVENT))
        return event && event->shared.handle.magic == MP__HANDLE_CLOSED ? MP_CLOSED : MP_INVALID;
    mp__header_t *header = event->shared.header;
    const mp__reference_t *reference = &event->shared.handle.reference;
    uint32_t state;
    do {
        if (!mp__state_get(header, reference, &state))
            return MP_GONE;
    } while (!(state & SET) && !mp__state_change(header, reference, state, (state + ONE_TIME) | SET));
    mp__wait_notify_all(&header->waits[0]); /* also if it was set: whoever set it may have been killed before this */
    return MP_OK;
}

mp_status_t mp_event_clear(mp_event_t *event)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)event, MP_KIND_EVENT);
    if (status != MP_OK)
        return status;
    uint32_t state;
    while (mp__state_get(event->shared.header, &event->shared.handle.reference, &state))
        if (!(state & SET) ||
            mp__state_change(event->shared.header, &event->shared.handle.reference, state, state & ~SET))
            return MP_OK;
    return mp__object_gone("clear an event");
}

mp_status_t mp_event_is_set(mp_event_t *event, bool *set)
{
    mp_status_t status = set ? mp__shared_use((mp__shared_t *)event, MP_KIND_EVENT)
                             : mp__error(MP_INVALID, "ask an event", "no place for the answer");
    if (status != MP_OK)
        return status;
    uint32_t state;
    if (!mp__state_get(event->shared.header, &event->shared.handle.reference, &state))
        return mp__object_gone("ask an event");
    *set = state & SET;
    return mp__shared_unmet(&event->shared, MP_OK, "ask an event");
}

typedef struct wait {
    mp_event_t *event;
    uint32_t before; /* the state when the wait began */
} wait_t;

static mp_status_t look(void *context)
{
    const wait_t *wait = context;
    uint32_t state;
    if (!mp__state_get(wait->event->shared.header, &wait->event->shared.handle.reference, &state))
        return mp__object_gone(STEP_WAIT);
    return (state & SET) || (state ^ wait->before) & ~SET ? MP_OK : MP_BUSY;
}

mp_status_t mp_event_wait(mp_event_t *event, double timeout)
{
    mp__deadline_t deadline;
    bool slept;
    wait_t wait = {event, 0};
    mp_status_t status = mp__shared_use((mp__shared_t *)event, MP_KIND_EVENT);
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    if (status != MP_OK)
        return status;
    mp__header_t *header = event->shared.header;
    const mp__reference_t *reference = &event->shared.handle.reference;
    (void)mp__state_get(header, reference, &wait.before);
    status = mp__wait_for(header, reference, &header->waits[0], look, &wait, MP__SPIN_BRIEF, deadline, &slept);
    return status == MP_TIMEOUT
               ? mp__shared_unmet(&event->shared, mp__error(status, STEP_WAIT, "it was not set"), STEP_WAIT)
               : status;
}

mp_status_t mp_event_close(mp_event_t *event)
{
    return mp__shared_close((mp__shared_t *)event, MP_KIND_EVENT, NULL);
}

bool mp__event_ready(const mp__shared_t *event)
{
    uint32_t state;
    return !mp__state_get(event->header, &event->handle.reference, &state) || (state & SET);
}

void mp__event_dump(mp__header_t *header, const mp__reference_t *reference, mp__dump_t *dump)
{
    uint32_t state = 0;
    (void)mp__state_get(header, reference, &state);
    mp__dump_line(dump, "  %s", state & SET ? "set" : "not set");
}
