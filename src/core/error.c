/* The thread's last error, and the names and texts of the statuses. */
#include "core/error.h"

#include <apr_errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static MP__THREAD_LOCAL mp_error_t last_error;

static void record(mp_status_t status, const char *step, int code)
{
    last_error.status = status;
    last_error.code = code;
    snprintf(last_error.step, sizeof last_error.step, "%s", step);
}

mp_status_t mp__error(mp_status_t status, const char *step, const char *format, ...)
{
    /* The text may quote the record that it replaces. */
    char text[sizeof last_error.text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    record(status, step, 0);
    memcpy(last_error.text, text, sizeof text);
    return status;
}

mp_status_t mp__error_apr(mp_status_t status, const char *step, int code)
{
    record(status, step, APR_TO_OS_ERROR(code));
    apr_strerror(code, last_error.text, sizeof last_error.text);
    return status;
}

mp_status_t mp__error_native(mp_status_t status, const char *step, int code)
{
    return mp__error_apr(status, step, APR_FROM_OS_ERROR(code));
}

mp_status_t mp__error_code(mp_status_t status, const char *step, int code, const char *text)
{
    record(status, step, code);
    snprintf(last_error.text, sizeof last_error.text, "%s", text);
    return status;
}

mp_status_t mp__error_again(const mp_error_t *error)
{
    last_error = *error;
    return error->status;
}

const mp_error_t *mp_error(void)
{
    return &last_error;
}

static const struct {
    mp_status_t status;
    const char *name;
    const char *text;
} statuses[] = {
#define STATUS_ROW(name, number, text) {MP_##name, "MP_" #name, text},
    MP_STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
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
    const mp_error_t *error = &last_error;
    if (error->status == MP_OK)
        snprintf(buffer, size, "%s: no error", what);
    else
        snprintf(buffer, size, "%s: %s: %s (%s)", what, error->step, error->text, mp_status_name(error->status));
    return buffer;
}
