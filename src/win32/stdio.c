/* Standard input, output and error of children: what they get, and this process's ends of their pipes. */
#include "win32.h"

#include "core/error.h"

#include <stdlib.h>

mp__os_handle_t mp__os_standard(size_t number)
{
    static const DWORD names[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    HANDLE handle = GetStdHandle(names[number]);
    return handle && handle != INVALID_HANDLE_VALUE ? (mp__os_handle_t)handle : MP__NO_HANDLE;
}

mp_status_t mp__os_standard_set(const mp__os_handle_t standard[3])
{
    (void)standard;
    return mp__error(MP_UNSUPPORTED, "set the standard handles", "this system has no fork");
}

mp_status_t mp__os_file_open(const char *path, mp__os_file_t mode, mp__os_handle_t *file)
{
    static const char step[] = "open a file for a child";
    static const struct {
        DWORD access;
        DWORD disposition;
    } modes[] = {[MP__OS_FILE_READ] = {GENERIC_READ, OPEN_EXISTING},
                 [MP__OS_FILE_WRITE] = {GENERIC_WRITE, CREATE_ALWAYS},
                 [MP__OS_FILE_APPEND] = {FILE_APPEND_DATA | SYNCHRONIZE | FILE_READ_ATTRIBUTES, OPEN_ALWAYS}};
    *file = MP__NO_HANDLE;
    wchar_t *wide = mp__win_wide(path);
    if (!wide)
        return mp__win_failure(step);
    HANDLE handle = CreateFileW(wide, modes[mode].access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                modes[mode].disposition, FILE_ATTRIBUTE_NORMAL, NULL);
    DWORD code = GetLastError();
    free(wide);
    if (handle == INVALID_HANDLE_VALUE)
        return mp__win_failure_code(step, code);
    *file = (mp__os_handle_t)handle;
    return MP_OK;
}

/* The child's end does not overlap: programs read and write their standard handles in the plain way. */
mp_status_t mp__os_pipe_create(bool input, mp__os_handle_t *mine, mp__os_handle_t *childs)
{
    HANDLE ends[2];
    *mine = *childs = MP__NO_HANDLE;
    mp_status_t status = mp__win_pipe(input ? PIPE_ACCESS_OUTBOUND : PIPE_ACCESS_INBOUND, 0, ends);
    if (status)
        return status;
    *mine = (mp__os_handle_t)ends[0];
    *childs = (mp__os_handle_t)ends[1];
    return MP_OK;
}

mp_status_t mp__os_pipe_read(mp__os_handle_t mine, void *data, size_t size, mp__deadline_t deadline, size_t *got)
{
    mp_status_t status = mp__os_channel_poll(mine, deadline);
    return status ? status : mp__win_read_some(mine, data, size, got);
}

mp_status_t mp__os_pipe_write(mp__os_handle_t mine, const void *data, size_t size, mp__deadline_t deadline,
                              size_t *written)
{
    return mp__win_write_until(mine, data, size, deadline, written);
}
