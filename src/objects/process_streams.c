/* The parent's ends of a child's standard streams. */
#include <multiproc/process_control.h>

#include "core/deadline.h"
#include "core/error.h"
#include "objects/process.h"

/* What a call does with an end. */
typedef struct use {
    mp_stream_t stream;
    const char *step;
    mp__os_handle_t end;
} use_t;

static mp_status_t find(mp_process_t *process, const use_t *use, mp__streams_t **streams)
{
    *streams = mp__process_streams(process);
    if ((unsigned)use->stream > MP_STDERR || !(*streams)->were_pipes[use->stream])
        return mp__error(MP_INVALID, use->step, "this is no stream of a child that is a pipe");
    return MP_OK;
}

static mp_status_t look_up(mp_process_t *process, void *context)
{
    use_t *use = context;
    mp__streams_t *streams;
    mp_status_t status = find(process, use, &streams);
    if (status == MP_OK && streams->closing[use->stream])
        return mp__error(MP_INVALID, use->step, "it was closed");
    if (status == MP_OK)
        use->end = streams->ends[use->stream];
    return status;
}

static mp_status_t begin(mp_process_t *process, void *context)
{
    const use_t *use = context;
    mp_status_t status = look_up(process, context);
    if (status == MP_OK)
        mp__process_streams(process)->users[use->stream]++;
    return status;
}

static mp_status_t finish(mp_process_t *process, void *context)
{
    const use_t *use = context;
    mp__streams_t *streams = mp__process_streams(process);
    streams->users[use->stream]--;
    if (streams->closing[use->stream])
        mp__stream_close(streams, use->stream);
    return MP_OK;
}

static mp_status_t close_end(mp_process_t *process, void *context)
{
    const use_t *use = context;
    mp__streams_t *streams;
    mp_status_t status = find(process, use, &streams);
    if (status == MP_OK)
        mp__stream_close(streams, use->stream);
    return status;
}

mp_status_t mp_process_read(mp_process_t *process, mp_stream_t stream, void *data, size_t *size, double timeout)
{
    use_t use = {stream, "read what a child wrote", MP__NO_HANDLE};
    mp__deadline_t deadline;
    if (stream == MP_STDIN || !data || !size || !*size)
        return mp__error(MP_INVALID, use.step, "no room, or the child's input");
    mp_status_t status = mp__deadline(timeout, &deadline);
    if (status == MP_OK)
        status = mp__process_alone(process, use.step, begin, &use);
    if (status != MP_OK)
        return status;
    status = mp__os_pipe_read(use.end, data, *size, deadline, size);
    (void)mp__process_alone(process, use.step, finish, &use);
    return status;
}

mp_status_t mp_process_write(mp_process_t *process, const void *data, size_t size, size_t *written, double timeout)
{
    use_t use = {MP_STDIN, "write to a child", MP__NO_HANDLE};
    mp__deadline_t deadline;
    size_t count;
    written = written ? written : &count;
    *written = 0;
    if (!data && size)
        return mp__error(MP_INVALID, use.step, "no data");
    mp_status_t status = mp__deadline(timeout, &deadline);
    if (status == MP_OK)
        status = mp__process_alone(process, use.step, begin, &use);
    if (status != MP_OK)
        return status;
    status = mp__os_pipe_write(use.end, data, size, deadline, written);
    (void)mp__process_alone(process, use.step, finish, &use);
    return status;
}

mp_status_t mp_process_close_stream(mp_process_t *process, mp_stream_t stream)
{
    use_t use = {stream, "close a child's stream", MP__NO_HANDLE};
    return mp__process_alone(process, use.step, close_end, &use);
}

mp_status_t mp_process_stream(const mp_process_t *process, mp_stream_t stream, intptr_t *descriptor)
{
    use_t use = {stream, "ask for a child's stream", MP__NO_HANDLE};
    if (!descriptor)
        return mp__error(MP_INVALID, use.step, "no place for it");
    mp_status_t status = mp__process_alone((mp_process_t *)process, use.step, look_up, &use);
    if (status == MP_OK)
        *descriptor = use.end;
    return status;
}
