/**
 * @file status.h
 * What a call reports: a stable status, and the thread's last error in detail.
 */
#ifndef MULTIPROC_STATUS_H
#define MULTIPROC_STATUS_H

#include <multiproc/api.h>

#include <stddef.h>

MP_BEGIN_DECLS

/** The result of every call; ::MP_OK is 0, everything else says why the call did not do its work. Numbers are stable
 * for ever. */
typedef enum mp_status {
    MP_OK = 0,            /**< success */
    MP_TIMEOUT = 1,       /**< the deadline passed */
    MP_INVALID = 2,       /**< invalid argument */
    MP_NO_MEMORY = 3,     /**< out of memory */
    MP_CLOSED = 4,        /**< the object was closed by this process; a late use is told so as long as no 64 other
                               objects were closed since, and a second close is ::MP_OK */
    MP_GONE = 5,          /**< the object's owner closed it or died */
    MP_OWNER_DIED = 6,    /**< the previous holder died holding it */
    MP_NOT_OWNER = 7,     /**< the caller does not hold it */
    MP_DEADLOCK = 8,      /**< the caller already holds it */
    MP_BUSY = 9,          /**< in use */
    MP_END = 10,          /**< the other side closed the connection */
    MP_TRUNCATED = 11,    /**< the other side ended in the middle of a message */
    MP_TOO_LARGE = 12,    /**< larger than the limit */
    MP_NOT_SENDABLE = 13, /**< this value cannot travel this way */
    MP_TYPE = 14,         /**< wrong type */
    MP_KEY = 15,          /**< no such key */
    MP_INDEX = 16,        /**< index out of range */
    MP_VALUE = 17,        /**< no such value */
    MP_MALFORMED = 18,    /**< malformed message */
    MP_FOREIGN = 19,      /**< belongs to another family of processes */
    MP_CORRUPT = 20,      /**< shared memory is damaged */
    MP_UNSUPPORTED = 21,  /**< not supported on this system */
    MP_NOT_GUARDED = 22,  /**< mp_freeze_support was not called as main's first line */
    MP_MISMATCH = 23,     /**< another build of the program or of the library */
    MP_NOT_FOUND = 24,    /**< no such file */
    MP_DENIED = 25,       /**< permission denied */
    MP_LIMIT = 26,        /**< a limit of the system was reached */
    MP_DIED = 27,         /**< the process died */
    MP_WORKER_DIED = 28,  /**< the worker died */
    MP_CANCELLED = 29,    /**< cancelled */
    MP_FAILED = 30,       /**< the called function failed */
    MP_RUNNING = 31,      /**< still running */
    MP_STATE = 32,        /**< not possible in this state */
    MP_SYSTEM = 33,       /**< the system reported an error */
    MP_EXISTS = 34,       /**< the name is taken */
    MP_THREADED = 35      /**< fork in a program that has threads of its own */
} mp_status_t;

/** The detail behind a status. (It has no tag: in C++ mp_error() would hide it.) */
typedef struct {
    mp_status_t status; /**< the status that the failed call returned */
    int code;           /**< the system's own code (errno, GetLastError), mp_fail()'s code, or 0 */
    char step[64];      /**< the step that failed, for example "map the arena" */
    char text[256];     /**< the cause in words */
} mp_error_t;

/**
 * The last error of the calling thread: the detail behind a status, right after the call that returned it. A call that
 * succeeds may leave something else there.
 * @return never NULL; owned by the library, valid until the thread's next call of it. Before any error its status is
 *         ::MP_OK. Never blocks.
 */
MP_API const mp_error_t *mp_error(void);

/** The name of a status, for example "MP_TIMEOUT"; "MP_?" for a number that is none. A static string. */
MP_API const char *mp_status_name(mp_status_t status);

/** What a status means, in a few words. A static string. */
MP_API const char *mp_status_text(mp_status_t status);

/** mp_perror() without the printing: "what: step: text (MP_NAME)" written to buffer, cut to size, always terminated.
 * what may be NULL: without it. */
MP_API const char *mp_error_format(char *buffer, size_t size, const char *what);

MP_END_DECLS

#endif
