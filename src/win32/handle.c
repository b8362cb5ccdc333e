/* Handles: closing, copying, adopting those that this process was born with. */
#include "win32.h"

#include "core/error.h"

void mp__os_handle_close(mp__os_handle_t handle)
{
    if (handle != MP__NO_HANDLE)
        CloseHandle(mp__win_handle(handle));
}

mp_status_t mp__os_handle_copy(mp__os_handle_t handle, mp__os_handle_t *copy)
{
    if (handle == MP__NO_HANDLE) /* to the system it would be this very process */
        return mp__error(MP_INVALID, "copy a handle", "there is no handle");
    HANDLE process = GetCurrentProcess();
    HANDLE made;
    if (!DuplicateHandle(process, mp__win_handle(handle), process, &made, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return mp__win_failure("copy a handle");
    *copy = (mp__os_handle_t)made;
    return MP_OK;
}

mp_status_t mp__os_handle_adopt(mp__os_handle_t handle)
{
    if (handle == MP__NO_HANDLE)
        return mp__error(MP_INVALID, "adopt a handle", "there is no handle");
    if (!SetHandleInformation(mp__win_handle(handle), HANDLE_FLAG_INHERIT, 0))
        return mp__win_failure("adopt a handle");
    return MP_OK;
}
