/* The parent's ends of a child's standard streams. */
#include <multiproc/process_control.h>

#include "core/deadline.h"
#include "core/error.h"
#include "objects/process.h"

static mp_status_t find(const mp_process_t *process, mp_stream_t stream, const char *step, mp__os_handle_t *end)
{
    mp_status_t status = mp__process_check(process, step);
    if (status != MP_OK)
        return status;
    const mp__streams_t *streams = mp__process_streams(process);
    if ((unsigned)stream > MP_STDERR || !streams->were_pipes[stream])
        return mp__error(MP_INVALID, step, "this is no stream of a child that is a pipe");
    *end = streams->ends[stream];
    return MP_OK;
}

static mp_status_t find_open(const mp_process_t *process, mp_stream_t stream, const char *step, mp__os_handle_t *end)
{
    mp_status_t status = find(process, stream, step, end);
    return status == MP_OK && *end == MP__NO_HANDLE ? mp__error(MP_INVALID, step, "it was closed") : status;
}

mp_status_t mp_process_read(mp_process_t *process, mp_stream_t stream, void *data, size_t *size, double timeout)
{
    const char *step = "read what a child wrote";
    mp__os_handle_t end = MP__NO_HANDLE;
    mp__deadline_t deadline;
    if (stream == MP_STDIN || !data || !size || !*size)
        return mp__error(MP_INVALID, step, "no room, or the child's input");
    mp_status_t status = find_open(process, stream, step, &end);
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    return status == MP_OK ? mp__os_pipe_read(end, data, *size, deadline, size) : status;
}

mp_status_t mp_process_write(mp_process_t *process, const void *data, size_t size)
{
    mp__os_handle_t end = MP__NO_HANDLE;
    mp_status_t status = find_open(process, MP_STDIN, "write to a child", &end);
    if (status == MP_OK && !data && size)
        return mp__error(MP_INVALID, "write to a child", "no data");
    return status == MP_OK ? mp__os_pipe_write(end, data, size) : status;
}

mp_status_t mp_process_close_stream(mp_process_t *process, mp_stream_t stream)
{
    mp__os_handle_t end = MP__NO_HANDLE;
    mp_status_t status = find(process, stream, "close a child's stream", &end);
    if (status != MP_OK)
        return status;
    mp__process_streams(process)->ends[stream] = MP__NO_HANDLE;
    mp__os_handle_close(end);
    return MP_OK;
}

mp_status_t mp_process_stream(const mp_process_t *process, mp_stream_t stream, intptr_t *descriptor)
{
    mp__os_handle_t end = MP__NO_HANDLE;
    if (!descriptor)
        return mp__error(MP_INVALID, "ask for a child's stream", "no place for it");
    mp_status_t status = find_open(process, stream, "ask for a child's stream", &end);
    if (status == MP_OK)
        *descriptor = end;
    return status;
}
