/* Things that a process makes once, when first needed, whichever thread comes first. */
#ifndef MP_CORE_ONCE_H
#define MP_CORE_ONCE_H

#include <multiproc/status.h>

#include <stdint.h>

typedef uint32_t mp__once_t; /* 0: not made; set it to 0 again in a fork's child to make it anew */

/* Calls make() unless it succeeded before; others wait meanwhile. A failure is returned, and the next call tries again.
 */
mp_status_t mp__once(mp__once_t *once, mp_status_t (*make)(void));

#endif
