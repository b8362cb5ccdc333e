/* Values as Python's repr() shows them. */
#ifndef MP_WIRE_REPR_H
#define MP_WIRE_REPR_H

#include <multiproc/print.h>

#include "wire/buffer.h"
#include "wire/handle.h"

/* Appends the text of v, without a '\0'. MP_NO_MEMORY; MP_TOO_LARGE: nested too deeply; what a manager reports. */
mp_status_t mp__repr(const mp_value_t *v, mp__buffer_t *out);

/* Appends the contents of a manager's dict or list, which the room that knows managers fetches; NULL until it said how.
 */
extern mp_status_t (*mp__repr_proxy)(mp__handle_t *proxy, mp__buffer_t *out);

#endif
