/* Things made once. */
#include "core/once.h"

#include "core/atomic.h"
#include "platform.h"

enum { NOT_MADE = 0, MAKING = 1 };

mp_status_t mp__once(mp__once_t *once, mp_status_t (*make)(void))
{
    if (mp__load32(once) == MP__MADE)
        return MP_OK;
    /* Another process's number: that one's thread does not go on here. */
    const uint32_t mine = (uint32_t)mp__os_pid() << 2 | MAKING;
    uint32_t found;
    while ((found = mp__load32(once)) != MP__MADE) {
        if (found == mine || !mp__cas32(once, &found, mine)) {
            mp__os_yield();
            continue;
        }
        mp_status_t status = make();
        mp__store32(once, status == MP_OK ? MP__MADE : NOT_MADE);
        return status;
    }
    return MP_OK;
}

bool mp__once_made(const mp__once_t *once)
{
    return mp__load32(once) == MP__MADE;
}
