/* The thread's last error, and the names and texts of the statuses. */
#include "core/error.h"

#include <apr_errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static MP__THREAD_LOCAL mp_error_t own;
static MP__THREAD_LOCAL mp_error_t *diverted;

static mp_error_t *last(void)
{
    return diverted ? diverted : &own;
}

static void record(mp_status_t status, const char *step, int code)
{
    mp_error_t *error = last();
    error->status = status;
    error->code = code;
    snprintf(error->step, sizeof error->step, "%s", step);
}

mp_status_t mp__error(mp_status_t status, const char *step, const char *format, ...)
{
    /* The text may quote the record that it replaces. */
    char text[sizeof last()->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    record(status, step, 0);
    memcpy(last()->text, text, sizeof text);
    return status;
}

mp_status_t mp__error_apr(mp_status_t status, const char *step, int code)
{
    record(status, step, APR_TO_OS_ERROR(code));
    apr_strerror(code, last()->text, sizeof last()->text);
    return status;
}

mp_status_t mp__error_native(mp_status_t status, const char *step, int code)
{
    return mp__error_apr(status, step, APR_FROM_OS_ERROR(code));
}

mp_status_t mp__error_code(mp_status_t status, const char *step, int code, const char *text)
{
    record(status, step, code);
    snprintf(last()->text, sizeof last()->text, "%s", text);
    return status;
}

/* Where its last bytes begin, so many at most, at the beginning of a character. */
static const char *tail(const char *text, size_t most)
{
    size_t length = strlen(text);
    if (length <= most)
        return text;
    text += length - most;
    while ((*text & 0xc0) == 0x80)
        text++;
    return text;
}

mp_status_t mp__error_about(const char *what)
{
    char text[sizeof last()->text / 2];
    snprintf(text, sizeof text, "%.*s", (int)sizeof text - 1, last()->text);
    size_t room = sizeof last()->text - strlen(text) - sizeof "...: ";
    const char *shown = tail(what, room);
    snprintf(last()->text, sizeof last()->text, "%s%.*s: %s", shown == what ? "" : "...", (int)room, shown, text);
    return last()->status;
}

mp_status_t mp__error_again(const mp_error_t *error)
{
    *last() = *error;
    return error->status;
}

void mp__error_divert(mp__error_aside_t *aside)
{
    aside->error.status = MP_OK;
    aside->error.code = 0;
    aside->error.step[0] = aside->error.text[0] = '\0';
    aside->before = diverted;
    diverted = &aside->error;
}

void mp__error_return(const mp__error_aside_t *aside, bool failed)
{
    diverted = aside->before;
    if (failed)
        *last() = aside->error;
}

const mp_error_t *mp_error(void)
{
    return last();
}

static const struct {
    mp_status_t status;
    const char *name;
    const char *text;
} statuses[] = {
#define ROW(name, text)                                                                                                \
    {                                                                                                                  \
        MP_##name, "MP_" #name, text                                                                                   \
    }
    ROW(OK, "success"),
    ROW(TIMEOUT, "the deadline passed"),
    ROW(INVALID, "invalid argument"),
    ROW(NO_MEMORY, "out of memory"),
    ROW(CLOSED, "the object was closed by this process"),
    ROW(GONE, "the object's owner closed it or died"),
    ROW(OWNER_DIED, "the previous holder died holding it"),
    ROW(NOT_OWNER, "the caller does not hold it"),
    ROW(DEADLOCK, "the caller already holds it"),
    ROW(BUSY, "in use"),
    ROW(END, "the other side closed the connection"),
    ROW(TRUNCATED, "the other side ended in the middle of a message"),
    ROW(TOO_LARGE, "larger than the limit"),
    ROW(NOT_SENDABLE, "this value cannot travel this way"),
    ROW(TYPE, "wrong type"),
    ROW(KEY, "no such key"),
    ROW(INDEX, "index out of range"),
    ROW(VALUE, "no such value"),
    ROW(MALFORMED, "malformed message"),
    ROW(FOREIGN, "belongs to another family of processes"),
    ROW(CORRUPT, "shared memory is damaged"),
    ROW(UNSUPPORTED, "not supported on this system"),
    ROW(NOT_GUARDED, "mp_freeze_support was not called as main's first line"),
    ROW(MISMATCH, "another build of the program or of the library"),
    ROW(NOT_FOUND, "no such file"),
    ROW(DENIED, "permission denied"),
    ROW(LIMIT, "a limit of the system was reached"),
    ROW(DIED, "the process died"),
    ROW(WORKER_DIED, "the worker died"),
    ROW(CANCELLED, "cancelled"),
    ROW(FAILED, "the called function failed"),
    ROW(RUNNING, "still running"),
    ROW(STATE, "not possible in this state"),
    ROW(SYSTEM, "the system reported an error"),
    ROW(EXISTS, "the name is taken"),
    ROW(THREADED, "fork in a program that has threads of its own"),
#undef ROW
};

const char *mp_status_name(mp_status_t status)
{
    for (size_t i = 0; i < MP__COUNT_OF(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].name;
    return "MP_?";
}

const char *mp_status_text(mp_status_t status)
{
    for (size_t i = 0; i < MP__COUNT_OF(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].text;
    return "unknown status";
}

const char *mp_error_format(char *buffer, size_t size, const char *what)
{
    const mp_error_t *error = last();
    const char *colon = what ? ": " : "";
    what = what ? what : "";
    if (error->status == MP_OK)
        snprintf(buffer, size, "%s%sno error", what, colon);
    else
        snprintf(buffer, size, "%s%s%s: %s (%s)", what, colon, error->step, error->text, mp_status_name(error->status));
    return buffer;
}
