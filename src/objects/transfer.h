/* Objects inside messages: how connections and descriptors travel beside the bytes, and how references become holders
 * again. */
#ifndef MP_OBJECTS_TRANSFER_H
#define MP_OBJECTS_TRANSFER_H

#include "platform.h"
#include "wire/codec.h"

#define MP__TRANSFER_MOST 64 /* handles in one message */

/* The handles of one message, on either side. */
typedef struct mp__transfer {
    mp__os_handle_t
        handles[MP__TRANSFER_MOST]; /* the sender's own, or the receiver's until they are taken (then MP__NO_HANDLE) */
    size_t count;
    uint64_t copied; /* a bit each, of those that mp__transfer_separate() made */
} mp__transfer_t;

/* A carrier that collects the handles of a message in *transfer, which keeps them borrowed. */
mp__carrier_t mp__transfer_carrier(mp__transfer_t *transfer);

/* Gives each collected handle a number of its own, which is none of the standard ones', by copies where needed: for a
 * child that gets them under these numbers, and closes each of them. Once it has them the copies are closed. MP_LIMIT.
 */
mp_status_t mp__transfer_separate(mp__transfer_t *transfer);
void mp__transfer_close_copies(mp__transfer_t *transfer);

/* A receiver that opens references, and takes handles out of *transfer. */
mp__receiver_t mp__transfer_receiver(mp__transfer_t *transfer);

/* Closes what nobody took. */
void mp__transfer_drop(mp__transfer_t *transfer);

/* A receiver for messages that only carry references. */
extern const mp__receiver_t mp__shared_receiver;

#endif
