/**
 * @file log.h
 * Logging: lines of a program and of all its descendants, in one place.
 *
 * The process that calls mp_log_set() gets its own lines and those of all the processes that are started below it from
 * then on, also by its children: each line whole, those of one thread, or of one process' threads one after the other,
 * in their order. A descendant that calls mp_log_set() itself takes over for itself and what it starts.
 *
 * Lines go through the family's shared memory and wait there, so that what a process had logged when it was killed
 * arrives; at most the line that it was writing is lost. Who logs does not wait for a slow sink: a process that
 * finds 4096 lines waiting waits once, for at most 20 ms, and then not at all until half of them are taken; lines that
 * find no place are dropped, and a line says later how many.
 *
 * The library itself logs what multiprocessing's logger does: ::MP_LOG_INFO: children begin, end, are killed, workers
 * die; ::MP_LOG_DEBUG: starts, ordinary ends, workers that are added, what is done at the program's end.
 */
#ifndef MULTIPROC_LOG_H
#define MULTIPROC_LOG_H

#include <multiproc/runtime.h>

#include <string.h>

MP_BEGIN_DECLS

/** How much a line matters: Python's numbers. Any other between 1 and 100 will do, too. */
typedef enum mp_log_level {
    MP_LOG_OFF = 0,         /**< of mp_log_set(): nothing is logged */
    MP_LOG_SUBDEBUG = 5,    /**< "SUBDEBUG" */
    MP_LOG_DEBUG = 10,      /**< "DEBUG" */
    MP_LOG_INFO = 20,       /**< "INFO" */
    MP_LOG_SUBWARNING = 25, /**< "SUBWARNING" */
    MP_LOG_WARNING = 30,    /**< "WARNING" */
    MP_LOG_ERROR = 40,      /**< "ERROR" */
    MP_LOG_CRITICAL = 50    /**< "CRITICAL" */
} mp_log_level_t;

/** Bytes of a line's text; what is longer is cut. */
#define MP_LOG_TEXT_MAX 3900

/** A line on its way into the sink. Everything in it is borrowed for the call. */
typedef struct mp_log_line {
    int level;           /**< of the line */
    int pid;             /**< of the process that logged it */
    const char *process; /**< that one's name */
    double time;         /**< when: seconds since 1970 by the wall clock */
    const char *text;    /**< what was logged, without a newline at its end */
    size_t size;         /**< bytes of text, which ends with a zero, too */
    uint64_t lost;       /**< not 0: the library's own line that says how many were lost since it last said so */
} mp_log_line_t;

/**
 * Takes one line. It is called by a thread of the library's own, one line at a time, in the process that set it; what
 * it logs itself is dropped.
 */
typedef void (*mp_log_sink_t)(const mp_log_line_t *line);

/**
 * Sets what is logged by this process and by those that are started below it from now on, and where that goes.
 * @param level lines of this level and higher; ::MP_LOG_OFF: none.
 * @param sink takes them. NULL: they go where they went, into this process' sink or an ancestor's; only the level
 * changes. With ::MP_LOG_OFF it is not looked at: this process lets go of its own sink, which gets the lines that wait,
 * for at most two seconds; that is done at the program's end, too. An ancestor's is kept for the next level.
 * @return ::MP_OK; ::MP_INVALID: no such level, or no sink here; ::MP_TIMEOUT: off, but the sink has not returned for
 * so long; it gets no further line; ::MP_DEADLOCK: off, from the sink itself; ::MP_NO_MEMORY; ::MP_LIMIT; ::MP_SYSTEM.
 * Any thread.
 */
MP_API mp_status_t mp_log_set(int level, mp_log_sink_t sink);

/** The level that this process logs at; ::MP_LOG_OFF: it does not. Never blocks. */
MP_API int mp_log_level(void);

/**
 * Logs a line, `printf`-like, if its level is logged: `mp_log(MP_LOG_INFO, "%d files", n);`
 * A line of a level that does not exist (0 or less, above 100) is dropped. A newline at a line's end is taken off.
 * Waits for 20 ms at most; leaves mp_error() and errno alone. Any thread, any process.
 */
MP_API void mp_log(int level, const char *format, ...) MP_PRINTF(2, 3);

/** The name of a level: "INFO"; "Level 7" for one that has none. Valid until the thread's next call of it. */
MP_API const char *mp_log_level_name(int level);

/** A line as Python's log_to_stderr shows it, "[INFO/Process-1] text", cut to size and ended by a zero. Its length. */
MP_API size_t mp_log_format(const mp_log_line_t *line, char *buffer, size_t size);

/** @cond internal */
static inline void mp__log_stderr(const mp_log_line_t *line)
{
    char text[MP_LOG_TEXT_MAX + 100];
    size_t size = mp_log_format(line, text, sizeof text - 1);
    text[size] = '\n';
    (void)fwrite(text, 1, size + 1, stderr);
    (void)fflush(stderr);
}
/** @endcond */

/** mp_log_set() with the program's standard error output as the sink, as Python's log_to_stderr. */
static inline mp_status_t mp_log_to_stderr(int level)
{
    return mp_log_set(level, mp__log_stderr);
}

MP_END_DECLS

#endif
