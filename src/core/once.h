/* Things that a process makes once, when first needed, whichever thread comes first. */
#ifndef MP_CORE_ONCE_H
#define MP_CORE_ONCE_H

#include <multiproc/status.h>

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t mp__once_t; /* 0: not made; set it to 0 again in a fork's child to make it anew */

#define MP__MADE 2u

/* Calls make() unless it succeeded before; others wait meanwhile. A failure is returned, and the next call tries again.
 * What a thread of the parent was making at a fork is made anew in the child. */
mp_status_t mp__once(mp__once_t *once, mp_status_t (*make)(void));

/* Was it made? */
bool mp__once_made(const mp__once_t *once);

#endif
