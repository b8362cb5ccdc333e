/* What mp_dump() prints: lines that the objects add about who holds and who waits. Everything is read at a glance,
 * without a lock, so that it can be asked of an object in which somebody is stuck. */
#ifndef MP_OBJECTS_DUMP_H
#define MP_OBJECTS_DUMP_H

#include "family/object.h"
#include "objects/roster.h"
#include "wire/buffer.h"

typedef struct mp__dump {
    mp__buffer_t text;
    mp_status_t status; /* MP_NO_MEMORY once, and nothing more is added */
} mp__dump_t;

/* A line. */
void mp__dump_line(mp__dump_t *dump, const char *format, ...) MP__PRINTF(2, 3);

/* "  <what>: <which thread of which process>[, <more>]" */
void mp__dump_thread(mp__dump_t *dump, const char *what, uint64_t thread, const char *more);

/* Who has the users' lock of this header. */
void mp__dump_held(mp__dump_t *dump, const mp__header_t *header);

/* What each kind has to add. */
void mp__queue_dump(mp__header_t *header, mp__dump_t *dump);
void mp__shared_value_dump(mp__header_t *header, mp__dump_t *dump);
void mp__shared_array_dump(mp__header_t *header, mp__dump_t *dump);
void mp__semaphore_dump(mp__header_t *header, const mp__reference_t *reference, mp__dump_t *dump);
void mp__event_dump(mp__header_t *header, const mp__reference_t *reference, mp__dump_t *dump);
void mp__condition_dump(mp__header_t *header, const mp__reference_t *reference, mp__dump_t *dump);
void mp__barrier_dump(mp__header_t *header, const mp__reference_t *reference, mp__dump_t *dump);

#endif
