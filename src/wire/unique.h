/* Are the keys of a dict in a message all different? Answered without more memory than a part of the message's size. */
#ifndef MP_WIRE_UNIQUE_H
#define MP_WIRE_UNIQUE_H

#include "wire/reader.h"
#include "wire/values.h"

/* The scalar that was read; text points into the message. False: it is no scalar. */
bool mp__token_key(const mp__token_t *token, mp_value_t *key);

/* The dict's pairs, found well formed, stand in bytes begin to end of data. MP_MALFORMED, MP_NO_MEMORY, MP_TOO_LARGE.
 */
mp_status_t mp__check_unique(const uint8_t *data, size_t begin, size_t end, size_t pairs);

#endif
