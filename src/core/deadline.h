/* Deadlines: nanoseconds on the monotonic clock, made once from the seconds that a caller gave. */
#ifndef MP_CORE_DEADLINE_H
#define MP_CORE_DEADLINE_H

#include <multiproc/status.h>

#include <stdint.h>

typedef int64_t mp__deadline_t;

#define MP__NEVER       INT64_MAX /* no deadline */
#define MP__MILLISECOND INT64_C(1000000)
#define MP__SECOND      INT64_C(1000000000)

/* MP_FOREVER and everything beyond 292 years is MP__NEVER; 0 and less is a deadline in the past (try once); NaN:
 * MP_INVALID. */
mp_status_t mp__deadline_soon(double seconds, mp__deadline_t *deadline);

#define MP__FOR_EVER 9.2e9 /* seconds: nearly all that the clock can count */

/* Without a look at the clock where none is needed: it costs as much as a small put. */
static inline mp_status_t mp__deadline(double seconds, mp__deadline_t *deadline)
{
    *deadline = seconds > 0 ? MP__NEVER : 0;
    return seconds > MP__FOR_EVER || seconds <= 0 ? MP_OK : mp__deadline_soon(seconds, deadline);
}

/* The deadline that comes first. */
static inline mp__deadline_t mp__sooner(mp__deadline_t a, mp__deadline_t b)
{
    return a < b ? a : b;
}

#endif
