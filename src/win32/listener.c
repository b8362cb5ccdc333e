/* Listeners: named pipes.
 *
 * Each that comes takes an instance of the pipe. One instance always waits for the next: it is made before the one that
 * was taken is handed out, so that the name stays this process's. Only this user may open it, which the system sees to;
 * who connects looks whether the pipe is this user's own, because anybody may have made one of that name first. */
#include "win32.h"

#include "core/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "\\\\.\\pipe\\"
#define MOST   256 /* characters, with the prefix */
#define BUFFER 65536u

struct mp__os_listener {
    SRWLOCK lock;
    HANDLE pipe; /* the instance that waits; NULL: it was removed */
    OVERLAPPED call;
    bool pending; /* the call is the system's yet; its event is set when somebody has come */
    wchar_t *wide;
    char address[MOST * 4 + 1];
};

static const char listening[] = "listen", accepting[] = "accept a connection", connecting[] = "connect";

/* ---- this user */

typedef struct user {
    union {
        TOKEN_USER user;
        BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } token;
    union {
        ACL list;
        BYTE room[sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE];
    } access;
    SECURITY_DESCRIPTOR descriptor;
    SECURITY_ATTRIBUTES attributes;
} user_t;

static bool find_user(user_t *user)
{
    HANDLE token;
    DWORD size;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    BOOL found = GetTokenInformation(token, TokenUser, &user->token, sizeof user->token, &size);
    DWORD code = GetLastError();
    CloseHandle(token);
    SetLastError(code);
    return found;
}

/* What belongs to this user, and is nobody else's to open. */
static bool make_private(user_t *user)
{
    if (!find_user(user))
        return false;
    PSID self = user->token.user.User.Sid;
    user->attributes = (SECURITY_ATTRIBUTES){sizeof user->attributes, &user->descriptor, FALSE};
    return InitializeAcl(&user->access.list, sizeof user->access, ACL_REVISION) &&
           AddAccessAllowedAce(&user->access.list, ACL_REVISION, GENERIC_ALL, self) &&
           InitializeSecurityDescriptor(&user->descriptor, SECURITY_DESCRIPTOR_REVISION) &&
           SetSecurityDescriptorDacl(&user->descriptor, TRUE, &user->access.list, FALSE) &&
           SetSecurityDescriptorOwner(&user->descriptor, self, FALSE);
}

/* MP_DENIED: the pipe is another user's. */
static mp_status_t check_owner(HANDLE pipe)
{
    union {
        SECURITY_DESCRIPTOR descriptor;
        BYTE room[sizeof(SECURITY_DESCRIPTOR) + SECURITY_MAX_SID_SIZE];
    } found;
    user_t user;
    PSID owner;
    BOOL defaulted;
    DWORD size;
    if (!find_user(&user) || !GetKernelObjectSecurity(pipe, OWNER_SECURITY_INFORMATION, &found, sizeof found, &size) ||
        !GetSecurityDescriptorOwner(&found, &owner, &defaulted))
        return mp__win_failure(connecting);
    return owner && EqualSid(owner, user.token.user.User.Sid)
               ? MP_OK
               : mp__error(MP_DENIED, connecting, "another user listens there");
}

/* ---- addresses */

/* The whole name, and as the system takes it. */
static mp_status_t set_address(const char *address, char whole[MOST * 4 + 1], wchar_t **wide, const char *step)
{
    bool prefixed = _strnicmp(address, PREFIX, strlen(PREFIX)) == 0;
    const char *name = prefixed ? address + strlen(PREFIX) : address;
    if (!name[0] || strchr(name, '\\'))
        return mp__error(MP_INVALID, step, "a pipe's name is not empty and has no \\ in it");
    int length = snprintf(whole, MOST * 4 + 1, PREFIX "%s", name);
    *wide = length > 0 && length <= MOST * 4 ? mp__win_wide(whole) : NULL;
    if (length > 0 && length <= MOST * 4 && !*wide)
        return mp__win_failure(step);
    if (*wide && wcslen(*wide) <= MOST)
        return MP_OK;
    free(*wide);
    *wide = NULL;
    return mp__error(MP_TOO_LARGE, step, "an address has %d characters at most", MOST);
}

/* ---- instances */

/* Waits for the next; the event tells when somebody has come. */
static mp_status_t begin(mp__os_listener_t *listener)
{
    ResetEvent(listener->call.hEvent);
    DWORD code = ConnectNamedPipe(listener->pipe, &listener->call) ? ERROR_PIPE_CONNECTED : GetLastError();
    listener->pending = code == ERROR_IO_PENDING;
    if (listener->pending)
        return MP_OK;
    if (code != ERROR_PIPE_CONNECTED && code != ERROR_NO_DATA) /* no data: that one has left again */
        return mp__win_failure_code(listening, code);
    SetEvent(listener->call.hEvent);
    return MP_OK;
}

static mp_status_t make_instance(const mp__os_listener_t *listener, DWORD flags, HANDLE *pipe)
{
    user_t user;
    if (!make_private(&user))
        return mp__win_failure(listening);
    *pipe = CreateNamedPipeW(listener->wide, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | flags,
                             PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                             PIPE_UNLIMITED_INSTANCES, BUFFER, BUFFER, 0, &user.attributes);
    if (*pipe != INVALID_HANDLE_VALUE)
        return MP_OK;
    DWORD code = GetLastError();
    *pipe = NULL;
    if (flags && (code == ERROR_ACCESS_DENIED || code == ERROR_PIPE_BUSY)) /* it would not be the first */
        return mp__error_native(MP_EXISTS, listening, (int)code);
    return mp__win_failure_code(listening, code);
}

/* Wine takes the flag for the first instance and does not keep to it: several who begin at once may all be refused. */
static mp_status_t check_first(HANDLE pipe)
{
    DWORD instances;
    if (!GetNamedPipeHandleStateW(pipe, NULL, &instances, NULL, NULL, NULL, 0))
        return mp__win_failure(listening);
    return instances == 1 ? MP_OK : mp__error_native(MP_EXISTS, listening, ERROR_PIPE_BUSY);
}

/* Ends the wait: its memory is ours again. */
static void end_wait(mp__os_listener_t *listener)
{
    DWORD done;
    if (listener->pending) {
        CancelIoEx(listener->pipe, &listener->call);
        GetOverlappedResult(listener->pipe, &listener->call, &done, TRUE);
    }
    listener->pending = false;
}

/* Has somebody come? A wait that was ended with the thread that began it begins again. */
static mp_status_t look(mp__os_listener_t *listener)
{
    DWORD done;
    while (listener->pending) {
        if (GetOverlappedResult(listener->pipe, &listener->call, &done, FALSE))
            break;
        DWORD code = GetLastError();
        if (code == ERROR_IO_INCOMPLETE)
            return mp__error_native(MP_TIMEOUT, accepting, WAIT_TIMEOUT);
        if (code != ERROR_OPERATION_ABORTED)
            break; /* it has come and left */
        mp_status_t status = begin(listener);
        if (status != MP_OK)
            return status;
    }
    listener->pending = false;
    return MP_OK;
}

/* ---- the contract */

static mp_status_t open_listener(mp__os_listener_t *listener, const char *address)
{
    char own[MP__WIN_PIPE_NAME];
    mp_status_t status = address ? MP_OK : mp__win_pipe_name(own, sizeof own);
    if (status == MP_OK)
        status = set_address(address ? address : own, listener->address, &listener->wide, listening);
    if (status != MP_OK)
        return status;
    listener->call.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!listener->call.hEvent)
        return mp__win_failure(listening);
    status = make_instance(listener, FILE_FLAG_FIRST_PIPE_INSTANCE, &listener->pipe);
    if (status == MP_OK)
        status = check_first(listener->pipe);
    return status == MP_OK ? begin(listener) : status;
}

mp_status_t mp__os_listen(const char *address, mp__os_listener_t **out)
{
    *out = NULL;
    mp__os_listener_t *listener = calloc(1, sizeof *listener);
    if (!listener)
        return mp__error(MP_NO_MEMORY, listening, "no memory");
    InitializeSRWLock(&listener->lock);
    mp_status_t status = open_listener(listener, address);
    if (status == MP_OK)
        *out = listener;
    else
        mp__os_listener_close(listener);
    return status;
}

const char *mp__os_listener_address(const mp__os_listener_t *listener)
{
    return listener->address;
}

mp__os_handle_t mp__os_listener_handle(const mp__os_listener_t *listener)
{
    return (mp__os_handle_t)listener->call.hEvent;
}

/* The lock is held, and somebody has come: the next one gets another instance. */
static mp_status_t take(mp__os_listener_t *listener, mp__os_handle_t *end)
{
    HANDLE next, taken = listener->pipe;
    mp_status_t status = make_instance(listener, 0, &next);
    if (status != MP_OK)
        return status;
    listener->pipe = next;
    status = begin(listener);
    if (status != MP_OK) {
        CloseHandle(next);
        listener->pipe = taken;
        SetEvent(listener->call.hEvent);
        return status;
    }
    *end = (mp__os_handle_t)taken;
    return MP_OK;
}

mp_status_t mp__os_accept(mp__os_listener_t *listener, mp__os_handle_t *end)
{
    AcquireSRWLockExclusive(&listener->lock);
    mp_status_t status =
        listener->pipe ? look(listener) : mp__error(MP_TIMEOUT, accepting, "nobody comes there any more");
    if (status == MP_OK)
        status = take(listener, end);
    ReleaseSRWLockExclusive(&listener->lock);
    return status;
}

void mp__os_listener_remove(mp__os_listener_t *listener)
{
    AcquireSRWLockExclusive(&listener->lock);
    if (listener->pipe) {
        end_wait(listener);
        CloseHandle(listener->pipe);
        listener->pipe = NULL;
    }
    ReleaseSRWLockExclusive(&listener->lock);
}

void mp__os_listener_close(mp__os_listener_t *listener)
{
    if (!listener)
        return;
    mp__os_listener_remove(listener);
    if (listener->call.hEvent)
        CloseHandle(listener->call.hEvent);
    free(listener->wide);
    free(listener);
}

static mp_status_t connect_to(const wchar_t *name, mp__os_handle_t *end)
{
    HANDLE pipe = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                              FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL);
    if (pipe == INVALID_HANDLE_VALUE) {
        DWORD code = GetLastError();
        return code == ERROR_PIPE_BUSY ? mp__error_native(MP_BUSY, connecting, (int)code)
                                       : mp__win_failure_code(connecting, code);
    }
    mp_status_t status = check_owner(pipe);
    if (status == MP_OK)
        *end = (mp__os_handle_t)pipe;
    else
        CloseHandle(pipe);
    return status;
}

mp_status_t mp__os_connect(const char *address, mp__os_handle_t *end)
{
    char whole[MOST * 4 + 1];
    wchar_t *wide = NULL;
    mp_status_t status = set_address(address, whole, &wide, connecting);
    if (status == MP_OK)
        status = connect_to(wide, end);
    free(wide);
    return status;
}
