/**
 * @file process_control.h
 * Children from outside: their standard streams, how they ended and what they used, ending them with all they started.
 *
 * Every function may be called from any thread; mp_process_close() must be the last use of its pointer.
 */
#ifndef MULTIPROC_PROCESS_CONTROL_H
#define MULTIPROC_PROCESS_CONTROL_H

#include <multiproc/process.h>

MP_BEGIN_DECLS

/**
 * Reads what a child wrote to a stream that is a pipe (::MP_STDIO_PIPE).
 * @param stream ::MP_STDOUT or ::MP_STDERR.
 * @param data,size in: the room (> 0); out: how many bytes came, at least 1.
 * @return ::MP_OK; ::MP_END: all was read, and nobody writes any more (children of the child may still hold the pipe
 * open when it has ended); ::MP_TIMEOUT; ::MP_INVALID: no such pipe, or closed; ::MP_CLOSED: the process is. Two
 * streams are read by two threads, or in turn with short timeouts: who waits for one while the child fills the other
 * waits for ever.
 */
MP_API mp_status_t mp_process_read(mp_process_t *process, mp_stream_t stream, void *data, size_t *size, double timeout);

/**
 * Writes to a child's standard input that is a pipe. Blocks until the pipe took all, or the time is over; no signal is
 * raised when nobody reads any more.
 * @param written how many bytes the pipe took, also when the call failed; may be NULL.
 * @return ::MP_OK: all; ::MP_TIMEOUT: the pipe is full, and the child does not read enough of it (on Windows, if it
 * reads just then, it may get up to 4095 bytes more than `written` says); ::MP_END: nobody reads any more;
 * ::MP_INVALID: no such pipe, or closed, no data, NaN; ::MP_CLOSED: the process is.
 */
MP_API mp_status_t mp_process_write(mp_process_t *process, const void *data, size_t size, size_t *written,
                                    double timeout);

/**
 * Closes this process's end of a pipe: the child's input ends; its writes fail. mp_process_close() closes them all, and
 * so does the end of the program before it joins its children: what they wrote and nobody has read is lost then. While
 * another thread reads or writes by it, it closes when that call returns; later ones are ::MP_INVALID.
 * @return ::MP_OK, also if it was closed before; ::MP_INVALID: no such pipe; ::MP_CLOSED: the process is.
 */
MP_API mp_status_t mp_process_close_stream(mp_process_t *process, mp_stream_t stream);

/**
 * This process's end of a pipe as the system has it: a descriptor that does not block (O_NONBLOCK) or, on Windows, a
 * HANDLE whose calls overlap. It stays the library's, until mp_process_close_stream() or mp_process_close().
 * @return ::MP_OK; ::MP_INVALID: no such pipe, or closed; ::MP_CLOSED: the process is.
 */
MP_API mp_status_t mp_process_stream(const mp_process_t *process, mp_stream_t stream, intptr_t *descriptor);

/**
 * Ends a child at once with all that it started, and they did.
 *
 * What of them the library started ends with its parent anyway. Programs that the child started by other means are
 * reached if they are in its group (options' `group`; Windows: its job, which nothing leaves), or, on Linux and
 * Windows, descend from it by an unbroken chain of living parents. Best effort on POSIX: a program that left the group
 * (setsid) and whose parent has ended is not found.
 * @return ::MP_OK, also when it has ended: on POSIX its descendants are out of reach once its end was seen (join,
 * exitcode, is_alive), so call this before; ::MP_INVALID; ::MP_CLOSED; ::MP_DENIED.
 */
MP_API mp_status_t mp_process_kill_tree(mp_process_t *process);

/**
 * Asks a child to end, and ends it if it does not: SIGTERM, then SIGKILL after `grace` seconds. On Windows a child is
 * asked through the library: if its program handles SIGTERM by C's signal(), the handler is called, on another thread;
 * else it ends at once and reads as -15.
 * @return ::MP_OK: it has ended, mp_process_result() tells how; ::MP_INVALID: no child of this process, NaN;
 * ::MP_CLOSED; ::MP_DENIED; ::MP_LIMIT as mp_process_join().
 */
MP_API mp_status_t mp_process_stop(mp_process_t *process, double grace);

/** What ended a child beside itself and others. */
typedef enum mp_cause {
    MP_CAUSE_NONE = 0,     /**< nothing of the library: it ended itself, or somebody ended it */
    MP_CAUSE_CPU_TIME = 1, /**< its limit of processor time */
    MP_CAUSE_MEMORY = 2    /**< its limit of memory */
} mp_cause_t;

/** How a child ended, and what it used. */
typedef struct {
    bool known;           /**< false: somebody else took its exit code, and it left no word itself: exit_code and signal
                             are 0 */
    int exit_code;        /**< when no signal ended it */
    int signal;           /**< the number of the signal that ended it (on Windows 15 and 9 after terminate and kill); 0:
                             none did */
    bool core_dumped;     /**< the system wrote an image of its memory */
    mp_cause_t cause;     /**< the limit that it was ended for (by signal 9; the system's own limit of processor time,
                             which comes later, by SIGXCPU) */
    double user_time;     /**< seconds of processors in its own code; of one that was killed, with those of its children
                             that it waited for where the system adds them; 0: nobody knows */
    double system_time;   /**< the same in the system's */
    uint64_t peak_memory; /**< bytes that were resident at most, shared ones too. Of one that did not end by itself, or
                             used less than 10 ms of processors, Linux tells no less than its parent had when it started
                             it; 0: nobody knows */
    mp_error_t error;     /**< what its function failed with: mp_fail()'s code and text, or a wrong argument; status
                             ::MP_OK: it did not fail, or it was ended before it returned */
} mp_process_result_t;

/** @cond internal */
MP_API mp_status_t mp__process_result(mp_process_t *process, mp_process_result_t *result, size_t size);
/** @endcond */

/**
 * How a child ended, and what it used. Waits no more than mp_process_exitcode().
 * @return ::MP_OK; ::MP_RUNNING; ::MP_INVALID: no child of this process, or no place for it; ::MP_CLOSED; ::MP_LIMIT as
 * mp_process_join().
 */
static inline mp_status_t mp_process_result(mp_process_t *process, mp_process_result_t *result)
{
    return mp__process_result(process, result, sizeof *result);
}

MP_END_DECLS

#endif
