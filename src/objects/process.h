/* Processes, for the rest of the library. */
#ifndef MP_OBJECTS_PROCESS_H
#define MP_OBJECTS_PROCESS_H

#include <multiproc/process.h>

#include "objects/start.h"
#include "platform.h"

/* Starts a child that belongs to the library (a pool's worker, a manager's server): as mp_process_start_with(), but it
 * is not joined at the program's end (it ends with its parent), ignores Ctrl-C, and takes its name whole. */
mp_status_t mp__process_start_service(mp_process_t **process, mp_function_t function, mp_args_t args, const char *name,
                                      mp_start_method_t method);

/* The same for the fork server, which looks after itself; waits until it runs. */
mp_status_t mp__process_start_forkserver(mp_process_t **process, mp_function_t function, mp_args_t args,
                                         const char *const *environment, mp__deadline_t deadline);

/* Nobody holds it from now on. It may end, and be freed, at once. */
void mp__process_abandon(mp_process_t *process);

/* Ready when it has ended (mp__os_wait_any). */
mp__os_handle_t mp__process_sentinel(const mp_process_t *process);

/* For who waits for its end: the sentinel, or MP__NO_HANDLE if it is only to be asked for now and then (the parent).
 * MP_INVALID: no process, or this very one. */
mp_status_t mp__process_watch(const mp_process_t *process, mp__os_handle_t *sentinel);

/* Has it ended, as far as this process knows already; `thoroughly`: as far as can be found out. */
bool mp__process_has_ended(mp_process_t *process, bool thoroughly);

/* Reaps and sweeps it if it has ended; for the word of a fork server that knows how, and is stopped, it waits half a
 * second at most. MP_OK; MP_TIMEOUT; what mp__family_join() returns. */
mp_status_t mp__process_poll(mp_process_t *process);

/* As mp_process_join(), of a child. */
mp_status_t mp__process_join_until(mp_process_t *process, mp__deadline_t deadline);

/* MP_INVALID, MP_CLOSED: it is no child of this process. The other one polls it, too: MP_RUNNING. */
mp_status_t mp__process_check(const mp_process_t *process, const char *step);
mp_status_t mp__process_check_ended(mp_process_t *process, const char *step);

/* Its slot in the family, to own what must end with it. */
void mp__process_slot_of(const mp_process_t *process, uint32_t *slot, uint32_t *epoch);

/* The parent's ends of a child's standard streams. */
mp__streams_t *mp__process_streams(const mp_process_t *process);

/* Calls with the child while nobody reaps it. As mp__process_check(); what the call returns. */
mp_status_t mp__process_alone(mp_process_t *process, const char *step,
                              mp_status_t (*call)(mp_process_t *process, void *context), void *context);

/* The system's side of it; in such a call. */
mp__os_process_t *mp__process_os(mp_process_t *process);

/* How a child ended. */
typedef struct mp__ending {
    bool known; /* the code */
    int code;   /* an exit code, or less the signal */
    uint32_t cause;
    mp__os_exit_t system;
    mp_error_t error; /* of its function */
} mp__ending_t;

/* Puts it together from the system's word and what the slot says (NULL: it is another's by now). */
void mp__process_ending(mp__ending_t *ending, const mp__os_exit_t *system, const mp__process_slot_t *slot);

/* How a child ended, once mp__process_poll() said that it has. */
const mp__ending_t *mp__process_ended_how(const mp_process_t *process);

/* For the program's end: daemons are terminated, the children's streams closed, and whom no one joined is joined. */
void mp__processes_end_all(void);

/* Joins and forgets children that have ended and whose objects nobody holds; at each start, and when the children are
 * listed. */
void mp__processes_collect(void);

/* In a fork's child: the parent's children are not its own. */
void mp__processes_forget(void);

/* Who this process is now, and who started it: for the child's side of a start. lifeline: ready when that one is gone;
 * it stays the caller's. */
void mp__process_become(const char *identity, bool daemon, uint32_t parent_slot, uint32_t parent_epoch,
                        mp__os_handle_t lifeline);

#endif
