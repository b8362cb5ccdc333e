/* What the system's error codes mean to the library. */
#include "win32.h"

#include "core/error.h"

static const struct {
    DWORD code;
    mp_status_t status;
} meanings[] = {
    {ERROR_FILE_NOT_FOUND, MP_NOT_FOUND},
    {ERROR_PATH_NOT_FOUND, MP_NOT_FOUND},
    {ERROR_BAD_PATHNAME, MP_NOT_FOUND},
    {ERROR_INVALID_NAME, MP_NOT_FOUND},
    {ERROR_DIRECTORY, MP_NOT_FOUND},
    {ERROR_MOD_NOT_FOUND, MP_NOT_FOUND},
    {ERROR_ACCESS_DENIED, MP_DENIED},
    {ERROR_BAD_EXE_FORMAT, MP_DENIED},
    {ERROR_EXE_MACHINE_TYPE_MISMATCH, MP_DENIED},
    {740, MP_DENIED}, /* ERROR_ELEVATION_REQUIRED, which some headers do not know */
    {ERROR_SHARING_VIOLATION, MP_DENIED},
    {ERROR_NOT_ENOUGH_MEMORY, MP_NO_MEMORY},
    {ERROR_OUTOFMEMORY, MP_NO_MEMORY},
    {ERROR_COMMITMENT_LIMIT, MP_NO_MEMORY},
    {ERROR_DISK_FULL, MP_NO_MEMORY}, /* the paging file's */
    {ERROR_INVALID_HANDLE, MP_INVALID},
    {ERROR_NO_UNICODE_TRANSLATION, MP_INVALID},
    {ERROR_TOO_MANY_OPEN_FILES, MP_LIMIT},
    {ERROR_NO_SYSTEM_RESOURCES, MP_LIMIT},
    {ERROR_NOT_ENOUGH_QUOTA, MP_LIMIT},
    {ERROR_NO_PROC_SLOTS, MP_LIMIT},
    {ERROR_MAX_THRDS_REACHED, MP_LIMIT},
    {ERROR_BROKEN_PIPE, MP_END},
    {ERROR_PIPE_NOT_CONNECTED, MP_END},
    {ERROR_NO_DATA, MP_END}, /* a write to a pipe whose other end is being closed */
    {ERROR_HANDLE_EOF, MP_END},
};

mp_status_t mp__win_failure_code(const char *step, DWORD code)
{
    mp_status_t status = MP_SYSTEM;
    for (size_t i = 0; i < MP__COUNT_OF(meanings); i++)
        if (meanings[i].code == code)
            status = meanings[i].status;
    return mp__error_native(status, step, (int)code);
}

mp_status_t mp__win_failure(const char *step)
{
    return mp__win_failure_code(step, GetLastError());
}
