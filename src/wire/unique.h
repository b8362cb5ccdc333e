/* Are the keys of a dict in a message all different? Answered without more memory than a part of the message's size. */
#ifndef MP_WIRE_UNIQUE_H
#define MP_WIRE_UNIQUE_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

/* The dict's pairs, found well formed, stand in bytes begin to end of data. MP_MALFORMED, MP_NO_MEMORY, MP_TOO_LARGE.
 */
mp_status_t mp__check_unique(const uint8_t *data, size_t begin, size_t end, size_t pairs);

#endif
