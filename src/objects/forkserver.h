/*
 * The fork server: a child of this process, begun from the program's image and single-threaded, that forks further ones
 * for it. forkserver.c is its client's side, forkserver_serve.c its own.
 *
 * Each request is answered at once by the new process's sentinel. How it ended the server writes into its slot.
 */
#ifndef MP_OBJECTS_FORKSERVER_H
#define MP_OBJECTS_FORKSERVER_H

#include "objects/start.h"

/* From the client; behind it the handles of the call's arguments, then the standard ones and a lifeline of the child's
 * own, as far as they are there. */
#define MP__FORK_LIFELINE 3u
#define MP__FORK_HANDLES  4u

typedef struct mp__fork_request {
    uint64_t nonce;
    uint32_t slot;
    uint32_t epoch;
    uint32_t handle_count;
    uint32_t present; /* a bit each, of those: it is there */
    uint32_t detached;
} mp__fork_request_t;

/* From the server, also unasked when it has begun; behind it, if it forked, the sentinel. */
typedef struct mp__fork_answer {
    mp_error_t error; /* status MP_OK: none */
    int32_t pid;      /* of the new process; 0: none */
} mp__fork_answer_t;

/* What the server runs: (channel, list of functions to call first, was caps.bind_early put into its environment?). */
mp_status_t mp__forkserver_serve(mp_call_t *call);

/* Takes the server for one start, and begins one if there is none that fits. Threads take turns. MP_TIMEOUT: it is
 * another's all the time, or does not say that it serves; what a start returns. */
mp_status_t mp__forkserver_take(mp__deadline_t deadline);

/* Gives it back for others. */
void mp__forkserver_give(void);

/* How this process's directory and environment differ by now from those that the server began with, as texts in front
 * of the outfit's own, and the settings that count them. By who has taken the server. MP_NO_MEMORY. */
mp_status_t mp__forkserver_outfit(const mp__outfit_t *outfit, mp__settings_t *settings, mp__buffer_t *texts);

/* Lets it fork the prepared process; by who has taken it. lifeline: the child's own, to be closed by this call, or
 * MP__NO_HANDLE. MP_END: it died, and there is no child. MP_TIMEOUT. */
mp_status_t mp__forkserver_fork(const mp__start_t *start, const mp__invitation_t *invitation, mp__os_handle_t lifeline,
                                const mp__transfer_t *transfer, mp__os_process_t *process);

/* Has the server of a child whose sentinel is ready said how it ended, which then goes to *end? True also when it never
 * will. */
bool mp__forkserver_told(uint32_t slot, uint32_t epoch, mp__os_exit_t *end);

/* Sleeps until it may have. */
void mp__forkserver_await(uint32_t slot, uint32_t epoch);

/* Lets go of the server: it ends when the children that it forked have. The next start begins another. */
void mp__forkserver_stop(void);

/* In a fork's child: the parent's server is not its own. */
void mp__forkserver_forget(void);

#endif
