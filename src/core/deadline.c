/* From seconds to a deadline. */
#include "core/deadline.h"

#include "core/error.h"
#include "platform.h"

mp_status_t mp__deadline_soon(double seconds, mp__deadline_t *deadline)
{
    if (seconds != seconds)
        return mp__error(MP_INVALID, "set the deadline", "the time is NaN");
    int64_t now = mp__os_now();
    double limit = (double)(MP__NEVER - now) / (double)MP__SECOND;
    *deadline = seconds >= limit ? MP__NEVER : now + (int64_t)(seconds * (double)MP__SECOND);
    return MP_OK;
}
