/* Queues of bytes, for the rest of the library: the public queue's values, the pool's tasks and results, the manager's
 * requests. */
#ifndef MP_OBJECTS_QUEUE_H
#define MP_OBJECTS_QUEUE_H

#include <multiproc/queue.h>

#include "core/deadline.h"
#include "objects/shared.h"
#include "wire/buffer.h"

/* What an item's bytes are. */
typedef enum mp__item {
    MP__ITEM_VALUE = 0, /* an encoded value */
    MP__ITEM_BYTES = 1, /* the user's own bytes */
    MP__ITEM_ANY = 2    /* in a question: either */
} mp__item_t;

/* A process whose death ends a wait. */
typedef struct mp__peer {
    uint32_t slot;
    uint32_t epoch;
} mp__peer_t;

/* The bytes of a queue's first chunk and of its other ones. Tests set them, before any queue is made, so that a few
 * items fill a chunk; each must have room for the largest small item that is put. */
extern uint64_t mp__queue_first_chunk;
extern uint64_t mp__queue_chunk;

/* A holder (mp_queue_t) of what a reference names. */
mp_status_t mp__queue_open(const mp__reference_t *reference, void **queue);

/* Puts one item; statuses as mp_queue_put_bytes(). */
mp_status_t mp__queue_put_item(mp_queue_t *queue, mp__item_t type, const void *data, size_t size,
                               mp__deadline_t deadline);

/* Takes the first item into `out`, which is emptied first. MP_TYPE: it is of the other type, and stays; MP_TOO_LARGE:
 * it has more than `most` bytes, and stays; its size is then in out->size... nothing is appended. Else as
 * mp_queue_get_bytes(). */
mp_status_t mp__queue_get_item(mp_queue_t *queue, mp__item_t type, uint64_t most, mp__buffer_t *out, uint64_t *size,
                               mp__deadline_t deadline);

/* The same for the bytes that only `peer` puts there: MP_GONE also when it has died and left nothing. */
mp_status_t mp__queue_get_from(mp_queue_t *queue, const mp__peer_t *peer, mp__buffer_t *out, mp__deadline_t deadline);

#define MP__QUEUE_NOT_EMPTY 0 /* which of its header's `waits` tells of new items */

/* Is there an item, at a glance? Once in a while wrong, while somebody is at it or after somebody died in it. */
bool mp__queue_has_items(const mp_queue_t *queue);

/* Waits until there seems to be an item, spinning for no more than spin_most nanoseconds. MP_OK, MP_TIMEOUT, MP_GONE.
 */
mp_status_t mp__queue_await(mp_queue_t *queue, int64_t spin_most, mp__deadline_t deadline);

/* Between the two the calling thread looks at the queue all the time, so nobody who sleeps at it need be woken for a
 * new item. */
void mp__queue_watch_begin(mp_queue_t *queue);
void mp__queue_watch_end(mp_queue_t *queue);

/* Ends the queue as its maker's mp_queue_close() does, but keeps the holder, which other threads may be using. */
mp_status_t mp__queue_end(mp_queue_t *queue);

#endif
