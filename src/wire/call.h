/* A call: a function and its arguments, as a message and while it runs. */
#ifndef MP_WIRE_CALL_H
#define MP_WIRE_CALL_H

#include <multiproc/call.h>

#include "wire/buffer.h"
#include "wire/codec.h"

struct mp_call {
    mp_function_t function;
    mp_args_t args;      /* borrowed: from `message`, or from who called mp__call_init */
    mp_value_t message;  /* what mp__call_decode made; else None */
    mp_error_t error;    /* the first wrong argument, or what mp_fail said; status MP_OK: none */
    bool exits;          /* mp_exit was called */
    int exit_code;       /* with this */
    bool returned;       /* mp_return was called */
    mp__buffer_t result; /* what it encoded */
};

/* As a message: the list [function, [arguments...]]. Errors: those of mp__encode. */
mp_status_t mp__call_encode(mp_function_t function, mp_args_t args, const mp__carrier_t *carrier, mp__buffer_t *out);

/* From a message. Errors: those of mp__decode; MP_MALFORMED also for a value that is no call. On failure there is
 * nothing to fini. */
mp_status_t mp__call_decode(const void *data, size_t size, const mp__receiver_t *receiver, mp_call_t *call);

/* A call in this process; args and what they point to stay the caller's, until mp__call_fini. */
void mp__call_init(mp_call_t *call, mp_function_t function, mp_args_t args);

/* Runs it in this thread. An error of the call wins over MP_OK from the function. When it is not MP_OK, mp_error() is
 * the error to hand to the caller: status, code and text. */
mp_status_t mp__call_run(mp_call_t *call);

/* The result as a message: what mp_return encoded, or None. It lives as long as the call. */
void mp__call_result(const mp_call_t *call, const void **data, size_t *size);

void mp__call_fini(mp_call_t *call);

#endif
