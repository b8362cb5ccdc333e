/**
 * @file process.h
 * Processes: start, join, end, exit codes.
 *
 * Every function may be called from any thread; mp_process_close() must be the last use of its pointer.
 */
#ifndef MULTIPROC_PROCESS_H
#define MULTIPROC_PROCESS_H

#include <multiproc/call.h>
#include <multiproc/process_options.h>
#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** How to start a process; zero is the default for each field. */
typedef struct mp_process_options {
    const char *name;         /**< its name; NULL: "Process-1", "Process-2", in children "Process-1:1"... */
    mp_start_method_t method; /**< overrides every other setting */
    double start_timeout;     /**< seconds that the start may take, then the child is killed; 0: no limit; less, or NaN:
                                 ::MP_INVALID */
    bool daemon;              /**< terminated when this process ends, instead of joined; may start no processes */
    bool fork_with_threads;   /**< fork also where the program has threads of its own: ::MP_THREADED otherwise. Of its
                                 streams only stdout and stderr are flushed then: what is in others' buffers both write */
    const char
        *executable; /**< the image to start instead of this program's own: one that calls mp_freeze_support
                        and has the function, so another copy of this build, or one that exports it (UTF-8; as
                        the parent's current directory sees it; not with fork and forkserver: ::MP_UNSUPPORTED) */
    const char *const *environment; /**< ended by NULL: "NAME=value" is added or replaced, "NAME" taken out, in what
                                       it has from the parent; the last word on a name holds; NULL: nothing changes */
    const char *directory;          /**< its current directory (UTF-8); NULL: the parent's */
    mp_stdio_t input;               /**< its standard input; by default it has none */
    mp_stdio_t output;              /**< its standard output */
    mp_stdio_t error;               /**< its standard error */
    const int *processors;  /**< the numbers of the processors that it may run on, `processor_count` of them; NULL:
                               the parent's. 0 to 1023; Windows: 0 to 63; POSIX beside Linux: ::MP_UNSUPPORTED */
    size_t processor_count; /**< of `processors` */
    int priority;           /**< 0: the parent's; -20 (first; needs rights) to 19 (last). On Windows from -15 down the
                               class "high", then "above normal"; below 15 "below normal", then "idle" */
    bool group;             /**< it leads a group of its own (Windows: a job): Ctrl-C at the parent's terminal does not
                               reach it; mp_process_kill_tree() reaches all of it */
    bool detach;            /**< it may outlive its parent, which does not wait for it at its own end; it has a session
                               of its own (Windows: is in no job of its parent's). What it shares with others ends
                               with its owner as ever. Not with `daemon`: ::MP_INVALID */
    mp_limits_t limits;     /**< what it may use */
} mp_process_options_t;

/** @cond internal */
MP_API mp_status_t mp__process_start(mp_process_t **process, mp_function_t function, mp_args_t args,
                                     const mp_process_options_t *options, size_t options_size);
MP_API mp_status_t mp__process_start_begin(mp_process_t **process, mp_function_t function, mp_args_t args,
                                           const mp_process_options_t *options, size_t options_size);
/** @endcond */

/**
 * Runs a function in a new process; returns when it runs there. What this process wrote to stdout and stderr, by fork
 * to any stream, is flushed before.
 * @param process where the new object goes, to be closed by mp_process_close(); NULL: nobody cares: the library joins
 * it when the program ends, and closes its pipes (::MP_STDIO_PIPE) at once.
 * @param function runs there; as its result MP_OK is exit code 0, everything else 1, mp_exit() any code.
 * @param args from mp_args(); encoded before this returns, nothing is borrowed afterwards. Queues, locks, managers'
 * objects, connections and descriptors can be among them; of connections and descriptors the child gets its own copy.
 * @return ::MP_OK; ::MP_NOT_GUARDED: mp_freeze_support was not called, and the function is the
 * program's own; ::MP_INVALID: no function, an option that makes no sense (the text names it), or an argument that
 * cannot be encoded (the text has its number, from 0 on); ::MP_NOT_SENDABLE: an argument that cannot be handed on (a
 * process, a result); ::MP_TOO_LARGE: a name of more than 63 bytes, or more than 64 connections and descriptors;
 * ::MP_STATE: this process is a daemon; ::MP_THREADED: by fork, and the program has threads of its own (where the
 * system can count them: on Linux); ::MP_UNSUPPORTED; ::MP_NOT_FOUND, ::MP_DENIED: the program's image, the helper, the
 * directory or a file, which the text names; ::MP_NO_MEMORY; ::MP_LIMIT: of processes or handles; ::MP_SYSTEM. From the
 * child: ::MP_DIED: it ended before it ran the function; ::MP_MISMATCH: it is another build of the program or the
 * library; ::MP_TIMEOUT: options' start_timeout; ::MP_GONE: an object among the arguments has ended; other statuses of
 * decoding. After an error there is no child.
 */
static inline mp_status_t mp_process_start(mp_process_t **process, mp_function_t function, mp_args_t args)
{
    return mp__process_start(process, function, args, NULL, 0);
}

/** mp_process_start() with options, which are copied. */
static inline mp_status_t mp_process_start_with(mp_process_t **process, mp_function_t function, mp_args_t args,
                                                const mp_process_options_t *options)
{
    return mp__process_start(process, function, args, options, sizeof *options);
}

/**
 * The first half of a start: returns as soon as the child is on its way, so that many can start side by side.
 * @param process must not be NULL.
 * @param options may be NULL; their start_timeout does not count here.
 * @return as mp_process_start(), but for what comes from the child. Does not wait for the child; for a fork server that
 * has to begin, is busy for others or is stopped, a minute at most: ::MP_TIMEOUT.
 */
static inline mp_status_t mp_process_start_begin(mp_process_t **process, mp_function_t function, mp_args_t args,
                                                 const mp_process_options_t *options)
{
    return mp__process_start_begin(process, function, args, options, sizeof *options);
}

/**
 * The other half: waits until it runs its function. It may be left out; may be called again.
 * @return ::MP_OK: it does, or did; ::MP_TIMEOUT: not yet; what comes from the child as mp_process_start(): the object
 * is still to be closed, by then it has ended, or will at once; ::MP_CLOSED; ::MP_INVALID; ::MP_LIMIT: this thread is
 * one more than the family can hold.
 */
MP_API mp_status_t mp_process_start_wait(mp_process_t *process, double timeout);

/**
 * Waits for its end; of mp_parent_process(), too.
 * @return ::MP_OK: it has ended; ::MP_TIMEOUT; ::MP_CLOSED; ::MP_INVALID: no process, NaN, or neither a child of this
 * process nor its parent (those of a process that forked this one are neither); ::MP_LIMIT: it has ended, but this
 * thread is one more than the family can hold, so what the child owned is not.
 */
MP_API mp_status_t mp_process_join(mp_process_t *process, double timeout);

/** Asks it to end: SIGTERM on POSIX; on Windows it ends at once. @return ::MP_OK, also when it has ended; ::MP_INVALID;
 * ::MP_CLOSED; ::MP_DENIED. */
MP_API mp_status_t mp_process_terminate(mp_process_t *process);

/** Ends it at once: SIGKILL. @return as mp_process_terminate(). */
MP_API mp_status_t mp_process_kill(mp_process_t *process);

/** Interrupts it as Ctrl-C does: SIGINT. @return as mp_process_terminate(); ::MP_UNSUPPORTED: on Windows, which brings
 * Ctrl-C only to all processes of a console. */
MP_API mp_status_t mp_process_interrupt(mp_process_t *process);

/**
 * Does it still run? False for NULL. Does not wait for it; but who is the first to see its end also ends what it owned,
 * which takes up to a second where another process is stopped in the middle of that.
 */
MP_API bool mp_process_is_alive(mp_process_t *process);

/**
 * How it ended: its exit code, or -N when signal N ended it (on Windows -15 and -9 after terminate and kill).
 * @return ::MP_OK; ::MP_RUNNING; ::MP_DIED: it ended, and somebody else took its exit code; ::MP_CLOSED; ::MP_INVALID;
 * ::MP_LIMIT as mp_process_join(). Does not wait for its end, see mp_process_is_alive(); for the word of a fork server
 * that is stopped it waits two seconds.
 */
MP_API mp_status_t mp_process_exitcode(mp_process_t *process, int *code);

/** The name of an exit code that says what ended a process: "SIGKILL" for -9, on Windows also "STATUS_ACCESS_VIOLATION"
 * and the like; "" for every other. A static string. */
MP_API const char *mp_exitcode_name(int code);

/**
 * What the system's own calls can wait for: a descriptor that becomes readable when the process has ended (poll), on
 * Windows a HANDLE. It is the object's, and not to be read or closed.
 * @param process a child, or mp_parent_process().
 * @return ::MP_OK; ::MP_CLOSED; ::MP_INVALID; ::MP_UNSUPPORTED: the parent did not give one.
 */
MP_API mp_status_t mp_process_sentinel(mp_process_t *process, intptr_t *sentinel);

/** Was it started as a daemon? False for NULL. */
MP_API bool mp_process_is_daemon(const mp_process_t *process);

/**
 * The children of this process that run, and whose objects somebody holds; those that have ended are reaped, and
 * freed where nobody holds them.
 * @param list gets up to `capacity` of them, borrowed: they stay those of who started them; may be NULL with 0.
 * @param count how many there are.
 * @return ::MP_OK; ::MP_INVALID. Does not wait for any, see mp_process_is_alive().
 */
MP_API mp_status_t mp_active_children(mp_process_t **list, size_t capacity, size_t *count);

/** Its name; "" for NULL. Lives as long as the object. */
MP_API const char *mp_process_name(const mp_process_t *process);

/** Its id; 0 for NULL. */
MP_API int mp_process_pid(const mp_process_t *process);

/** The most bytes of a key. */
#define MP_AUTHKEY_MAX 64

/**
 * The key by which processes of this program know each other over connections that others could reach: 32 random bytes,
 * unless it was set. Each child begins with its parent's.
 * @param data where it lies: the library's, until it is set anew.
 * @return ::MP_OK; ::MP_INVALID; ::MP_SYSTEM: no random bytes. Any thread.
 */
MP_API mp_status_t mp_authkey(const void **data, size_t *size);

/** Sets this process's key, for itself and children started later. Not while another thread uses it. @return ::MP_OK;
 * ::MP_INVALID: no bytes, or more than ::MP_AUTHKEY_MAX. */
MP_API mp_status_t mp_set_authkey(const void *data, size_t size);

/** The process that calls. Never NULL; the library's own, not to be closed. */
MP_API mp_process_t *mp_current_process(void);

/** The process that started this one; NULL in the root. The library's own, not to be closed. It can be asked for its
 *  name, its pid and whether it is alive. */
MP_API mp_process_t *mp_parent_process(void);

/**
 * Gives the object back. Its pointer is not to be used any more; because such mistakes happen, the memory is kept until
 * at least 64 more were closed, and meanwhile calls with it do nothing and return ::MP_CLOSED (a second close ::MP_OK).
 * @return ::MP_OK; ::MP_RUNNING: it still runs (join or end it first); ::MP_INVALID; ::MP_LIMIT as mp_process_join().
 * NULL is fine.
 */
MP_API mp_status_t mp_process_close(mp_process_t *process);

MP_END_DECLS

#endif
