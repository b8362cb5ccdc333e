/* Messages of few items, decoded in one pass. */
#ifndef MP_WIRE_SMALL_H
#define MP_WIRE_SMALL_H

#include <multiproc/value.h>

/* Makes the value of a message, as mp__decode() does. False: *out is nothing; the message is not small, or out of the
 * ordinary, or wrong, and mp__decode() finds out. */
bool mp__decode_small(const void *data, size_t size, mp_value_t *out);

#endif
