/* The calling thread's last error: every failure in the library is recorded here before its status is returned. */
#ifndef MP_CORE_ERROR_H
#define MP_CORE_ERROR_H

#include <multiproc/status.h>

#include "core/compiler.h"

#include <stdbool.h>

/* Records {status, step, text} and returns status: `return mp__error(MP_INVALID, "create a queue", "negative bound")`.
 */
mp_status_t mp__error(mp_status_t status, const char *step, const char *format, ...) MP__PRINTF(3, 4);

/* The same for a failed call of the system: the text is the system's own for `code` (errno or GetLastError). */
mp_status_t mp__error_native(mp_status_t status, const char *step, int code);

/* The same for APR's status codes. */
mp_status_t mp__error_apr(mp_status_t status, const char *step, int code);

/* The same with a code of the program's own (mp_fail). */
mp_status_t mp__error_code(mp_status_t status, const char *step, int code, const char *text);

/* Puts what the record is about in front of its text: "/no/such/file: No such file or directory". What has no room
 * loses its beginning. The record's status. */
mp_status_t mp__error_about(const char *what);

/* Where the thread's errors are recorded meanwhile: for a clean-up that keeps the last error of who calls it, without
 * a copy of half a KiB. They nest, and lie on the stack. */
typedef struct mp__error_aside {
    mp_error_t error;
    mp_error_t *before;
} mp__error_aside_t;

void mp__error_divert(mp__error_aside_t *aside);

/* Ends it; with `failed`, what was recorded there is the last error from now on. */
void mp__error_return(const mp__error_aside_t *aside, bool failed);

/* Records what was kept, or a copy of mp_error(), again, after a clean-up that may have recorded something of its own.
 * Its status. */
mp_status_t mp__error_again(const mp_error_t *error);

#endif
