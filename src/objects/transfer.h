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
} mp__transfer_t;

/* A carrier that collects the handles of a message in *transfer, which keeps them borrowed. */
mp__carrier_t mp__transfer_carrier(mp__transfer_t *transfer);

/* A receiver that opens references, and takes handles out of *transfer. */
mp__receiver_t mp__transfer_receiver(mp__transfer_t *transfer);

/* Closes what nobody took. */
void mp__transfer_drop(mp__transfer_t *transfer);

/* A receiver for messages that only carry references. */
extern const mp__receiver_t mp__shared_receiver;

#endif
