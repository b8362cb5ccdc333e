/* Channels: a private pipe, and handles that travel over it by way of the keeper.
 *
 * A pipe here needs a name for the moment between the making of its two ends; it is a random one, only one instance of
 * it may exist, and nobody from another machine may connect. What was written stays readable when the writer closes, or
 * is killed. */
#include "win32.h"

#include "core/error.h"

#include <bcrypt.h>
#include <stdio.h>
#include <string.h>

/* ---- the pipe ---- */

#define BUFFER 65536u

mp_status_t mp__win_pipe_name(char *name, size_t size)
{
    /* apr_generate_random_bytes opens a cryptographic provider for each call, and on some systems leaves handles open.
     */
    uint32_t random[4];
    NTSTATUS result = BCryptGenRandom(NULL, (UCHAR *)random, sizeof random, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    if (result < 0)
        return mp__error(MP_SYSTEM, "name a pipe", "no random bytes: %08lx", (unsigned long)result);
    snprintf(name, size, "\\\\.\\pipe\\multiproc-%lu-%08lx%08lx%08lx%08lx", GetCurrentProcessId(),
             (unsigned long)random[0], (unsigned long)random[1], (unsigned long)random[2], (unsigned long)random[3]);
    return MP_OK;
}

mp_status_t mp__win_pipe(DWORD direction, DWORD flags, HANDLE ends[2])
{
    char name[MP__WIN_PIPE_NAME];
    mp_status_t status = mp__win_pipe_name(name, sizeof name);
    if (status)
        return status;
    const DWORD access =
        (direction & PIPE_ACCESS_OUTBOUND ? GENERIC_READ : 0) | (direction & PIPE_ACCESS_INBOUND ? GENERIC_WRITE : 0);
    ends[0] = CreateNamedPipeA(name, direction | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                               PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, BUFFER,
                               BUFFER, 0, NULL);
    if (ends[0] == INVALID_HANDLE_VALUE)
        return mp__win_failure("create a pipe");
    ends[1] =
        CreateFileA(name, access, 0, NULL, OPEN_EXISTING, flags | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL);
    if (ends[1] == INVALID_HANDLE_VALUE) {
        status = mp__win_failure("open a pipe");
        CloseHandle(ends[0]);
    }
    return status;
}

mp_status_t mp__os_channel_create(bool duplex, mp__os_handle_t ends[2])
{
    HANDLE made[2];
    mp_status_t status = mp__win_pipe(duplex ? PIPE_ACCESS_DUPLEX : PIPE_ACCESS_INBOUND, FILE_FLAG_OVERLAPPED, made);
    if (status)
        return status;
    ends[0] = (mp__os_handle_t)made[0];
    ends[1] = (mp__os_handle_t)made[1];
    return MP_OK;
}

/* Writes size bytes, or reads up to size as soon as there are some. Returns the system's code; that of who was not done
 * in time is ERROR_OPERATION_ABORTED. */
static DWORD transfer(HANDLE pipe, bool writing, void *data, DWORD size, mp__deadline_t deadline, DWORD *done)
{
    OVERLAPPED call = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    if (!call.hEvent)
        return GetLastError();
    BOOL at_once = writing ? WriteFile(pipe, data, size, NULL, &call) : ReadFile(pipe, data, size, NULL, &call);
    DWORD code = at_once ? ERROR_SUCCESS : GetLastError();
    if (code == ERROR_IO_PENDING && deadline != MP__NEVER && mp__win_wait(call.hEvent, deadline) != WAIT_OBJECT_0)
        CancelIoEx(pipe, &call);
    if (code == ERROR_SUCCESS || code == ERROR_IO_PENDING)
        code = GetOverlappedResult(pipe, &call, done, TRUE) ? ERROR_SUCCESS : GetLastError();
    CloseHandle(call.hEvent);
    return code;
}

mp_status_t mp__win_write_until(mp__os_handle_t end, const void *data, size_t size, mp__deadline_t deadline,
                                size_t *written)
{
    /* In parts, because the system holds what it has not passed on yet in its own memory; in small ones where the time
     * may pass, because it does not tell how much of a part was read that is taken back. */
    const size_t part = deadline == MP__NEVER ? 4 * BUFFER : 4096;
    char *next = (char *)data; /* it is only read */
    *written = 0;
    while (*written < size) {
        size_t left = size - *written;
        DWORD done = 0;
        DWORD code =
            transfer(mp__win_handle(end), true, next + *written, (DWORD)(left < part ? left : part), deadline, &done);
        *written += done;
        if (code == ERROR_OPERATION_ABORTED)
            return mp__error(MP_TIMEOUT, "write to a pipe", "it has no room");
        if (code != ERROR_SUCCESS)
            return mp__win_failure_code("write to a pipe", code);
    }
    return MP_OK;
}

mp_status_t mp__os_channel_write(mp__os_handle_t end, const void *data, size_t size)
{
    size_t written;
    return mp__win_write_until(end, data, size, MP__NEVER, &written);
}

mp_status_t mp__win_read_some(mp__os_handle_t end, void *data, size_t size, size_t *got)
{
    const DWORD most = size < INT32_MAX ? (DWORD)size : INT32_MAX;
    DWORD done = 0;
    DWORD code = ERROR_SUCCESS;
    while (code == ERROR_SUCCESS && done == 0) /* somebody else may have written nothing */
        code = transfer(mp__win_handle(end), false, data, most, MP__NEVER, &done);
    if (code != ERROR_SUCCESS)
        return mp__win_failure_code("read from a pipe", code);
    *got = done;
    return MP_OK;
}

/* Reads size bytes; *have says how many came. */
static mp_status_t read_all(mp__os_handle_t end, void *data, size_t size, size_t *have)
{
    *have = 0;
    while (*have < size) {
        size_t got = 0;
        mp_status_t status = mp__win_read_some(end, (char *)data + *have, size - *have, &got);
        if (status)
            return status;
        *have += got;
    }
    return MP_OK;
}

static mp_status_t truncated(size_t have, size_t size)
{
    return mp__error(MP_TRUNCATED, "read from a pipe", "it ended after %llu of %llu bytes", (unsigned long long)have,
                     (unsigned long long)size);
}

mp_status_t mp__os_channel_read(mp__os_handle_t end, void *data, size_t size)
{
    size_t have;
    mp_status_t status = read_all(end, data, size, &have);
    return status == MP_END && have > 0 ? truncated(have, size) : status;
}

/* ---- polling ---- */

/* Something to read, or the end? */
static bool is_readable(HANDLE pipe, mp_status_t *status)
{
    DWORD available;
    if (PeekNamedPipe(pipe, NULL, 0, NULL, &available, NULL))
        return available > 0;
    *status = mp__win_failure("poll a pipe");
    if (*status == MP_END)
        *status = MP_OK;
    return true;
}

/* Waits by a read of no bytes, which ends when there are some. False: the deadline passed. */
static bool wait_readable(HANDLE pipe, mp__deadline_t deadline, mp_status_t *status)
{
    char nothing;
    DWORD done;
    OVERLAPPED call = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    if (!call.hEvent) {
        *status = mp__win_failure("poll a pipe");
        return true;
    }
    bool passed = false;
    if (!ReadFile(pipe, &nothing, 0, NULL, &call) && GetLastError() == ERROR_IO_PENDING) {
        passed = mp__win_wait(call.hEvent, deadline) != WAIT_OBJECT_0;
        if (passed)
            CancelIoEx(pipe, &call);
        GetOverlappedResult(pipe, &call, &done, TRUE); /* its memory is ours again */
    }
    CloseHandle(call.hEvent);
    return !passed;
}

mp_status_t mp__os_channel_poll(mp__os_handle_t end, mp__deadline_t deadline)
{
    HANDLE pipe = mp__win_handle(end);
    mp_status_t status = MP_OK;
    bool waiting = mp__win_milliseconds(deadline) > 0;
    while (!is_readable(pipe, &status)) {
        if (!waiting)
            return mp__error(MP_TIMEOUT, "poll a pipe", "nothing to read");
        waiting = wait_readable(pipe, deadline, &status);
    }
    return status;
}

/* ---- handles over the pipe ---- */

#define PASS_MAX 64

/* What stands in the stream; the values, those of the copies in the keeper, follow. */
typedef struct passage {
    uint8_t magic[8];
    uint32_t count;
    uint32_t keeper; /* its pid */
} passage_t;

static const uint8_t passage_magic[8] = {0x93, 'H', 'A', 'N', 'D', 'L', 'E', 0x0A};

/* NULL: it is out of reach. */
static HANDLE open_keeper(DWORD pid)
{
    return pid == GetCurrentProcessId() ? GetCurrentProcess() : OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid);
}

static void close_keeper(HANDLE keeper)
{
    if (keeper != GetCurrentProcess())
        CloseHandle(keeper);
}

static void close_in_keeper(HANDLE keeper, uint64_t value)
{
    DuplicateHandle(keeper, (HANDLE)(uintptr_t)value, NULL, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE);
}

typedef struct message {
    passage_t head;
    uint64_t values[PASS_MAX];
} message_t;

/* Leaves copies of the handles in the keeper. */
static mp_status_t deposit(HANDLE keeper, const mp__os_handle_t *handles, message_t *message)
{
    for (size_t i = 0; i < message->head.count; i++) {
        HANDLE there;
        if (handles[i] == MP__NO_HANDLE || !DuplicateHandle(GetCurrentProcess(), mp__win_handle(handles[i]), keeper,
                                                            &there, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
            mp_status_t status = handles[i] == MP__NO_HANDLE ? mp__error(MP_INVALID, "pass a handle", "there is none")
                                                             : mp__win_failure("pass a handle");
            while (i-- > 0)
                close_in_keeper(keeper, message->values[i]);
            return status;
        }
        message->values[i] = (uint64_t)(uintptr_t)there;
    }
    return MP_OK;
}

mp_status_t mp__os_channel_pass(mp__os_handle_t end, const mp__os_handle_t *handles, size_t n, int32_t keeper)
{
    if (n == 0 || n > PASS_MAX)
        return mp__error(MP_INVALID, "pass handles", "%llu handles at once", (unsigned long long)n);
    message_t message = {.head = {.count = (uint32_t)n, .keeper = (uint32_t)keeper}};
    memcpy(message.head.magic, passage_magic, sizeof passage_magic);
    HANDLE process = open_keeper((DWORD)keeper);
    if (!process)
        return mp__win_failure("open the process that keeps passed handles");
    mp_status_t status = deposit(process, handles, &message);
    if (!status) {
        status = mp__os_channel_write(end, &message, sizeof message.head + n * sizeof message.values[0]);
        for (size_t i = 0; status && i < n; i++) /* who did not get the whole message takes nothing */
            close_in_keeper(process, message.values[i]);
    }
    close_keeper(process);
    return status;
}

/* Reads the head; what differs from one is seen as soon as it comes, because nothing more may come after it. */
static mp_status_t read_head(mp__os_handle_t end, passage_t *head)
{
    for (size_t have = 0; have < sizeof *head;) {
        size_t got = 0;
        mp_status_t status = mp__win_read_some(end, (char *)head + have, sizeof *head - have, &got);
        if (status)
            return status == MP_END && have > 0 ? truncated(have, sizeof *head) : status;
        have += got;
        if (memcmp(head->magic, passage_magic, have < sizeof passage_magic ? have : sizeof passage_magic) != 0)
            return mp__error(MP_MALFORMED, "take handles", "something else stands in the pipe");
    }
    if (head->count == 0 || head->count > PASS_MAX)
        return mp__error(MP_MALFORMED, "take handles", "%lu handles", (unsigned long)head->count);
    return MP_OK;
}

/* Moves the handles from the keeper to this process. After a failure they are closed, those that were moved and the
 * rest. */
static mp_status_t withdraw(HANDLE keeper, const uint64_t *values, size_t n, mp__os_handle_t *handles)
{
    for (size_t i = 0; i < n; i++) {
        HANDLE mine;
        if (!DuplicateHandle(keeper, (HANDLE)(uintptr_t)values[i], GetCurrentProcess(), &mine, 0, FALSE,
                             DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE)) {
            DWORD code = GetLastError();
            for (size_t rest = i + 1; rest < n; rest++)
                close_in_keeper(keeper, values[rest]);
            while (i-- > 0)
                mp__os_handle_close(handles[i]);
            return code == ERROR_INVALID_HANDLE ? mp__error_native(MP_MALFORMED, "take a handle", (int)code)
                                                : mp__win_failure_code("take a handle", code);
        }
        handles[i] = (mp__os_handle_t)mine;
    }
    return MP_OK;
}

/* Reads the values. When they are cut off, those that came are closed: the sender, gone since, cannot do it. */
static mp_status_t read_values(mp__os_handle_t end, HANDLE keeper, message_t *message)
{
    const size_t size = message->head.count * sizeof message->values[0];
    size_t have;
    memset(message->values, 0, size);
    mp_status_t status = read_all(end, message->values, size, &have);
    /* One is known with its lower half: handles have 32 significant bits. */
    for (size_t i = 0; status && i < (have + 4) / sizeof message->values[0]; i++)
        close_in_keeper(keeper, message->values[i]);
    return status == MP_END ? truncated(have, size) : status;
}

mp_status_t mp__os_channel_take(mp__os_handle_t end, mp__os_handle_t *handles, size_t n)
{
    message_t message;
    mp_status_t status = read_head(end, &message.head);
    if (status)
        return status;
    HANDLE keeper = open_keeper(message.head.keeper);
    if (!keeper)
        return mp__win_failure("open the process that keeps passed handles");
    status = read_values(end, keeper, &message);
    const size_t count = message.head.count;
    if (!status && count == n)
        status = withdraw(keeper, message.values, n, handles);
    else if (!status) {
        for (size_t i = 0; i < count; i++)
            close_in_keeper(keeper, message.values[i]);
        status = mp__error(MP_MALFORMED, "take handles", "%llu handles came instead of %llu", (unsigned long long)count,
                           (unsigned long long)n);
    }
    close_keeper(keeper);
    return status;
}
