/* Things made once. */
#include "core/once.h"

#include "core/atomic.h"
#include "platform.h"

enum { NOT_MADE = 0, MAKING = 1, MADE = 2 };

mp_status_t mp__once(mp__once_t *once, mp_status_t (*make)(void))
{
    while (mp__load32(once) != MADE) {
        uint32_t none = NOT_MADE;
        if (!mp__cas32(once, &none, MAKING)) {
            mp__os_yield();
            continue;
        }
        mp_status_t status = make();
        mp__store32(once, status == MP_OK ? MADE : NOT_MADE);
        return status;
    }
    return MP_OK;
}
