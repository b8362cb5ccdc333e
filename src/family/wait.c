/* Waiting at an object. */
#include "family/wait.h"

#include "family/watch.h"

/* One change of the word for each wake-up: a sleeper that has not gone to sleep yet sees it. EVER stays while others
 * may sleep. */
void mp__wait_wake(uint32_t *wait, bool all)
{
    const uint32_t asleep = all ? MP__WAIT_NOW | MP__WAIT_EVER : MP__WAIT_NOW, cleared = asleep | MP__WAIT_WATCHED;
    uint32_t value = mp__load32(wait);
    while (value & cleared)
        if (mp__cas32(wait, &value, (value + MP__WAIT_STEP) & ~cleared)) {
            if (value & asleep)
                mp__wake(wait, all);
            if (value & MP__WAIT_WATCHED)
                mp__watch_ring(&mp__header_around(wait)->watchers);
            return;
        }
}

mp_status_t mp__wait_sleep(mp__header_t *header, const mp__reference_t *reference, uint32_t *wait, uint32_t seen,
                           mp__deadline_t deadline)
{
    if (!mp__object_is(header, reference)) /* its end may have come before the announcement */
        return mp__object_gone("wait at an object");
    if (mp__park(wait, seen, deadline) == MP_TIMEOUT)
        return MP_TIMEOUT;
    if (mp__load32(wait) == seen && mp__object_owner_died(header, reference))
        return mp__object_gone("wait at an object");
    return MP_OK;
}

static mp_status_t try_for_a_moment(mp__attempt_t attempt, void *context, int64_t most, mp__deadline_t deadline)
{
    mp__spin_t spin = {.most = most};
    mp_status_t status = attempt(context);
    while (status == MP_BUSY && most != 0 && deadline != 0 && mp__spin(&spin, deadline))
        status = attempt(context);
    if (status != MP_BUSY)
        mp__spin_end(&spin);
    return status;
}

mp_status_t mp__wait_for(mp__header_t *header, const mp__reference_t *reference, uint32_t *wait, mp__attempt_t attempt,
                         void *context, int64_t spin_most, mp__deadline_t deadline, bool *slept)
{
    mp_status_t end = MP_OK;
    mp_status_t status = try_for_a_moment(attempt, context, spin_most, deadline);
    *slept = false;
    while (status == MP_BUSY) {
        if (deadline == 0 || end != MP_OK)
            return end == MP_OK ? MP_TIMEOUT : end;
        uint32_t seen = mp__wait_announce(wait);
        status = attempt(context);
        if (status != MP_BUSY)
            break;
        *slept = true;
        end = mp__wait_sleep(header, reference, wait, seen, deadline);
        status = attempt(context); /* also at the end, so that a wake-up is not wasted */
    }
    return status;
}
