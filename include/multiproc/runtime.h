/**
 * @file runtime.h
 * The program and its family of processes: the guard at the top of main, start methods, time, identity.
 */
#ifndef MULTIPROC_RUNTIME_H
#define MULTIPROC_RUNTIME_H

#include <multiproc/value.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

MP_BEGIN_DECLS

/** The version of what the inline parts of these headers and the library agree on. */
#define MP_ABI_VERSION 4u

/**
 * Wait without a deadline.
 *
 * A timeout is a number of seconds, parts of them too, from the call on. 0 or less: one try, without waiting (but for
 * moments, for others who are in the same object). NaN is ::MP_INVALID. It is about waiting for others: the time that
 * it takes to encode, copy or decode a value is not covered, so a call with a large one may last longer.
 */
#define MP_FOREVER ((double)HUGE_VAL)

/** How a child process comes to be. */
typedef enum mp_start_method {
    MP_START_DEFAULT = 0,   /**< the next one that says something: set method, parent's, environment, spawn */
    MP_START_SPAWN = 1,     /**< a fresh run of the program's image: the same on all systems */
    MP_START_FORK = 2,      /**< a copy of this process; POSIX only */
    MP_START_FORKSERVER = 3 /**< a copy of a server that was begun as by spawn and has one thread; POSIX only */
} mp_start_method_t;

/** @cond internal */
typedef struct mp__program {
    int (*at_exit)(void (*)(void)); /* the program's own: on Windows the library may have another C runtime */
    void (*flush)(bool all);
    int (*terminate)(void);
} mp__program_t;

MP_API bool mp__freeze_support(int argc, char **argv, uint32_t abi, const mp__program_t *program, int *code);

/* all: every stream; it waits for threads that read from one. */
static inline void mp__flush_program(bool all)
{
    if (all) {
        fflush(NULL);
    } else {
        fflush(stdout);
        fflush(stderr);
    }
}

/* What SIGTERM does where the system has no signals; 0: the program does not handle it. */
static inline int mp__terminate_program(void)
{
    void (*handler)(int) = signal(SIGTERM, SIG_DFL);
    if (handler == SIG_DFL || handler == SIG_ERR)
        return 0;
    signal(SIGTERM, handler);
    if (handler != SIG_IGN)
        raise(SIGTERM);
    return 1;
}
/** @endcond */

/**
 * main's first line. (A plug-in does not call it: its children run in the helper multiproc-host, see docs/hosts.md.) In
 * a child that was started by this library it runs the child's function and ends the process; in the program itself it
 * notes that children can be started, and returns. Children that nobody joined are joined when the program ends (by
 * return from main or exit).
 * @param argc,argv main's own; (0, NULL): the command line is taken from the system where it can be asked.
 */
static inline void mp_freeze_support(int argc, char **argv)
{
    mp__program_t program;
    int code = 0;
    program.at_exit = atexit;
    program.flush = mp__flush_program;
    program.terminate = mp__terminate_program;
    if (mp__freeze_support(argc, argv, MP_ABI_VERSION, &program, &code))
        exit(code);
}

/**
 * Sets how children of this process are started, and theirs.
 * @return ::MP_OK; ::MP_INVALID: no such method; ::MP_UNSUPPORTED: not on this system; ::MP_STATE: it was set before
 * (pass force to set it all the same).
 */
MP_API mp_status_t mp_set_start_method(const char *name, bool force);

/** The name of the method that the next start will use: "spawn", "fork" or "forkserver"; if the environment variable
 * MP_START_METHOD names none, its content. Never NULL; valid until the environment or the method changes. */
MP_API const char *mp_get_start_method(void);

/** The names of this system's methods, the default first, ended by NULL. Static. */
MP_API const char *const *mp_all_start_methods(void);

/**
 * The method of that name, for options: `options.method` is to a process, pool or manager what a context is in Python.
 * @param name NULL: the one that the next start will use.
 * @return ::MP_OK; ::MP_INVALID: no such method; ::MP_UNSUPPORTED: not on this system.
 */
MP_API mp_status_t mp_start_method_named(const char *name, mp_start_method_t *method);

/**
 * Sets functions that each fork server of this process calls before it forks anything, in this order and without
 * arguments: what they load, every child then has. A server that runs already ends with its last child, and the next
 * start begins a new one. A function that fails is the error of the start that began the server; one that leaves
 * threads behind makes each start ::MP_THREADED.
 * @param functions are copied; NULL with a count of 0: none.
 * @return ::MP_OK, also where there is no fork server; ::MP_INVALID: no function; ::MP_NO_MEMORY. Any thread.
 */
MP_API mp_status_t mp_set_forkserver_preload(const mp_function_t *functions, size_t count);

/**
 * Sets the image that children of this process are started from, instead of the program's own: another copy of the same
 * build; where mp_freeze_support was not called, instead of the helper multiproc-host. (It does not matter to fork; a
 * fork server is begun anew.) Not while another thread starts processes.
 * @param path is copied; a start reports what is wrong with it. NULL: the program's own again.
 * @return ::MP_OK; ::MP_NO_MEMORY.
 */
MP_API mp_status_t mp_set_executable(const char *path);

/**
 * Lets a function be called when this process ends in order: by return from main or exit, in a child when its function
 * has returned. Those of priority 0 and more run first, the highest first, of equals the newest first; then daemons are
 * terminated and the other children are joined; then those of negative priorities run. Each runs once, in the process
 * that called this and in no child of it, also not in one made by fork. The library ends a pool at 15, a manager at 0.
 * @return ::MP_OK; ::MP_INVALID: no function; ::MP_NO_MEMORY. Any thread.
 */
MP_API mp_status_t mp_at_exit(int priority, void (*run)(void *context), void *context);

/**
 * Sizes of the family's shared memory; only before the first object or process of the program's root process.
 * @param arena_size bytes of address space (0: a default); less than 64 MiB is 64 MiB.
 * @param memory_cap bytes of memory that may be in use (0: half of the machine's, or of the cgroup's limit).
 * @return ::MP_OK; ::MP_STATE: too late.
 */
MP_API mp_status_t mp_configure(uint64_t arena_size, uint64_t memory_cap);

/** Sleeps for so many seconds of the monotonic clock; signals do not shorten it. 0, negative, NaN: returns at once. */
MP_API void mp_sleep(double seconds);

/** Seconds on the monotonic clock since some moment in the past. */
MP_API double mp_now(void);

/** This process's id. */
MP_API int mp_getpid(void);

/** The id of the process that started this one; in the root process that of its parent in the system (0 if it has
 * none). */
MP_API int mp_getppid(void);

/** Processors that this process may use: affinity and the cgroup's quota counted. At least 1. */
MP_API int mp_cpu_count(void);

MP_END_DECLS

#endif
