/* Starting children: methods, and what a child is told (bootstrap.c is the other side). */
#ifndef MP_OBJECTS_START_H
#define MP_OBJECTS_START_H

#include <multiproc/process.h>

#include "family/family.h"
#include "objects/log.h"
#include "objects/process_options.h"
#include "objects/transfer.h"
#include "wire/buffer.h"

typedef struct mp__start {
    mp_function_t function;
    mp_args_t args;
    const char *name;     /* fewer than 64 bytes */
    const char *identity; /* its number in its parent, behind the parent's: "2:1"; fewer than 64 bytes */
    mp_start_method_t method;
    bool service;
    bool daemon;
    bool fork_with_threads;
    bool unwatched;          /* it sees by itself when its parent is gone, without a thread for that */
    mp__deadline_t deadline; /* for the fork server */
    const mp__outfit_t *outfit;
} mp__start_t;

/* Starts a child by the method in force; its slot in the family goes to *slot, *epoch. */
mp_status_t mp__start_child(const mp__start_t *start, mp__os_process_t *process, uint32_t *slot, uint32_t *epoch);

/* What a child wrote down that it failed with, checked; status MP_OK: nothing. */
void mp__start_failure(const mp__process_slot_t *child, mp_error_t *failure);

/* How far is it? MP_OK: it runs its function, or did; MP_RUNNING: on its way; else why it failed. MP_DIED: the slot is
 * another's by now. */
mp_status_t mp__start_progress(uint32_t slot, uint32_t epoch);

/* Sleeps until there may be progress. */
void mp__start_await(uint32_t slot, mp__deadline_t deadline);

/* Exit codes of a child that did not come to its function. */
#define MP__EXIT_MISMATCH 124 /* another version of the library */
#define MP__EXIT_UNUSABLE 125

/* The method in force for `wanted`. MP_INVALID: the environment names an unknown one; MP_UNSUPPORTED. */
mp_status_t mp__start_method(mp_start_method_t wanted, mp_start_method_t *method);

/* The child takes its parent's method over. */
void mp__start_method_inherit(mp_start_method_t method);

/* The image to start children from: what mp_set_executable said, else this program's own. */
const char *mp__start_image(void);

/* A program's key (authkey.c). */
typedef struct mp__authkey {
    uint32_t size;
    uint8_t bytes[MP_AUTHKEY_MAX];
} mp__authkey_t;

/* For a child: this process's. MP_SYSTEM. */
mp_status_t mp__authkey_give(mp__authkey_t *copy);

/* In the child. */
void mp__authkey_take(const mp__authkey_t *parents);

/* What the argument block in the arena begins with; the encoded call follows, then the settings' texts. */
typedef struct mp__start_block {
    uint64_t size;   /* of the call */
    uint32_t method; /* mp_start_method_t */
    uint32_t service;
    uint32_t handle_count; /* the handles that the child was given for its arguments */
    uint32_t parent_slot;
    uint32_t parent_epoch;
    uint32_t daemon;
    uint32_t parent_serves; /* so it ignores Ctrl-C because the library wants it, which is no wish of its own */
    uint32_t unwatched;
    mp__authkey_t authkey;
    uint32_t own_lifeline; /* its lifeline is its alone */
    char identity[64];
    mp__log_route_t log;
    mp__settings_t settings; /* their texts follow the call */
    mp__os_handle_t handles[MP__TRANSFER_MOST];
} mp__start_block_t;

/* Has the program threads beside the one that calls? The library's own do not count: they are parked at a fork.
 * False where the system does not tell. */
bool mp__start_has_threads(void);

/* The program's own functions, as its inline code handed them over; NULL before mp_freeze_support. */
const mp__program_t *mp__program(void);

/* Flushes what the program has printed; with `all` what it has written to any stream, which waits for threads that read
 * from one. */
void mp__program_flush(bool all);

#endif
