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
