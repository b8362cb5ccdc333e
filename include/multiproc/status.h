/**
 * @file status.h
 * What a call reports: a stable status, and the thread's last error in detail.
 */
#ifndef MULTIPROC_STATUS_H
#define MULTIPROC_STATUS_H

#include <multiproc/api.h>

#include <stddef.h>

MP_BEGIN_DECLS

/** Every status: its name, its number (stable for ever) and what it means. */
#define MP_STATUS_TABLE(X)                                                                                             \
    X(OK, 0, "success")                                                                                                \
    X(TIMEOUT, 1, "the deadline passed")                                                                               \
    X(INVALID, 2, "invalid argument")                                                                                  \
    X(NO_MEMORY, 3, "out of memory")                                                                                   \
    X(CLOSED, 4, "the object was closed by this process")                                                              \
    X(GONE, 5, "the object's owner closed it or died")                                                                 \
    X(OWNER_DIED, 6, "the previous holder died holding it")                                                            \
    X(NOT_OWNER, 7, "the caller does not hold it")                                                                     \
    X(DEADLOCK, 8, "the caller already holds it")                                                                      \
    X(BUSY, 9, "in use")                                                                                               \
    X(END, 10, "the other side closed the connection")                                                                 \
    X(TRUNCATED, 11, "the other side ended in the middle of a message")                                                \
    X(TOO_LARGE, 12, "larger than the limit")                                                                          \
    X(NOT_SENDABLE, 13, "this value cannot travel this way")                                                           \
    X(TYPE, 14, "wrong type")                                                                                          \
    X(KEY, 15, "no such key")                                                                                          \
    X(INDEX, 16, "index out of range")                                                                                 \
    X(VALUE, 17, "no such value")                                                                                      \
    X(MALFORMED, 18, "malformed message")                                                                              \
    X(FOREIGN, 19, "belongs to another family of processes")                                                           \
    X(CORRUPT, 20, "shared memory is damaged")                                                                         \
    X(UNSUPPORTED, 21, "not supported on this system")                                                                 \
    X(NOT_GUARDED, 22, "mp_freeze_support was not called as main's first line")                                        \
    X(MISMATCH, 23, "another build of the program or of the library")                                                  \
    X(NOT_FOUND, 24, "no such file")                                                                                   \
    X(DENIED, 25, "permission denied")                                                                                 \
    X(LIMIT, 26, "a limit of the system was reached")                                                                  \
    X(DIED, 27, "the process died")                                                                                    \
    X(WORKER_DIED, 28, "the worker died")                                                                              \
    X(CANCELLED, 29, "cancelled")                                                                                      \
    X(FAILED, 30, "the called function failed")                                                                        \
    X(RUNNING, 31, "still running")                                                                                    \
    X(STATE, 32, "not possible in this state")                                                                         \
    X(SYSTEM, 33, "the system reported an error")

/** The result of every call; ::MP_OK is 0, everything else says why the call did not do its work. */
typedef enum mp_status {
#define MP_STATUS_ENUM(name, number, text) MP_##name = number,
    MP_STATUS_TABLE(MP_STATUS_ENUM)
#undef MP_STATUS_ENUM
} mp_status_t;

/** The detail behind a status. */
typedef struct mp_error {
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

/** mp_perror() without the printing: "what: step: text (MP_NAME)" written to buffer, cut to size, always terminated. */
MP_API const char *mp_error_format(char *buffer, size_t size, const char *what);

MP_END_DECLS

#endif
