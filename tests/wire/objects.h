/* Objects for tests of the wire that stand for no real ones: handles that count how many of them live. */
#ifndef MP_TEST_OBJECTS_H
#define MP_TEST_OBJECTS_H

#include "wire/codec.h"
#include "wire/handle.h"

/* How many were made and not destroyed. */
extern int mp_test_objects_alive;

/* A new one with one holder; its reference is {place, generation 7, kind}. */
mp__handle_t *mp_test_object(mp_kind_t kind, uint32_t place);

/* What mp_test_receiver does with the place `gone`, or the index: refuse with `status`. 0: nothing is refused. */
typedef struct mp_test_refusal {
    uint32_t place;
    mp_status_t status;
} mp_test_refusal_t;

/* A receiver that makes such objects; a descriptor is a real one, which it opens. */
mp__receiver_t mp_test_receiver(mp_test_refusal_t *refusal);

/* A carrier that numbers what it is given; *count is the next number. */
mp__carrier_t mp_test_carrier(uint32_t *count);

/* A descriptor or handle that is open, and whether one is. */
intptr_t mp_test_open_descriptor(void);
bool mp_test_is_open(intptr_t descriptor);

#endif
