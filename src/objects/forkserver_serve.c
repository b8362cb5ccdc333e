/*
 * The fork server's own side: it calls what is to be called first, then waits for requests and for the ends of the
 * children that it forked. It has one thread, so that what it forks is whole; it looks at its lifeline by itself.
 */
#include "objects/forkserver.h"

#include "core/local.h"
#include "objects/bootstrap.h"
#include "objects/process.h"
#include "wire/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_ORPHAN 255

typedef struct child {
    mp__os_process_t os;
    uint32_t slot;
    uint32_t epoch;
} child_t;

typedef struct server {
    mp__os_handle_t channel; /* MP__NO_HANDLE once it does not serve any more */
    mp__os_handle_t lifeline;
    bool serves; /* the client has not let go of it */
    child_t *children;
    mp__os_handle_t *handles; /* to wait for: the two above, then the children's sentinels */
    bool *ready;
    size_t count; /* of children */
    size_t room;
} server_t;

enum { CHANNEL, LIFELINE, FIRST };

/* ---- how children end */

static uint32_t as_record(const mp__os_exit_t *end)
{
    uint32_t bits = (end->core_dumped ? MP__REAPED_CORE : 0) | (end->cpu_limit ? MP__REAPED_CPU_LIMIT : 0);
    if (end->end == MP__OS_EXITED)
        return bits | MP__REAPED_EXITED | ((uint32_t)end->code & 0xffff);
    return end->end == MP__OS_SIGNALLED ? bits | MP__REAPED_SIGNALLED | ((uint32_t)end->code & 0xffff)
                                        : MP__REAPED_UNKNOWN;
}

/* The slot is another's as soon as the parent has read the record; before it is there the parent waits for it. */
static void record_end(const child_t *child)
{
    mp__process_slot_t *place = &mp__family.processes[child->slot];
    uint64_t none = mp__pair(child->epoch, 0);
    const mp__os_usage_t *usage = &child->os.exit.usage;
    if (mp__load64(&place->reaped) == none && place->usage.user + place->usage.system == 0) {
        place->usage.user = usage->user;
        place->usage.system = usage->system;
        place->usage.peak = place->usage.peak ? place->usage.peak : usage->peak;
    }
    mp__cas64(&place->reaped, &none, mp__pair(child->epoch, as_record(&child->os.exit)));
    mp__add32(&place->told, 1);
    mp__wake(&place->told, true);
}

/* Was there one? */
static bool reap(server_t *server, const bool *ready)
{
    size_t kept = 0, before = server->count;
    for (size_t i = 0; i < server->count; i++) {
        child_t *child = &server->children[i];
        if ((!ready || ready[i]) && mp__os_process_wait(&child->os, 0) == MP_OK) {
            record_end(child);
            mp__os_process_close(&child->os);
        } else {
            server->children[kept++] = *child;
        }
    }
    server->count = kept;
    return kept < before;
}

/* ---- requests */

static mp_status_t make_room(server_t *server)
{
    if (server->count < server->room)
        return MP_OK;
    size_t room = server->room ? 2 * server->room : 16;
    child_t *children = realloc(server->children, room * sizeof *children);
    server->children = children ? children : server->children;
    mp__os_handle_t *handles = realloc(server->handles, (room + FIRST) * sizeof *handles);
    server->handles = handles ? handles : server->handles;
    bool *ready = realloc(server->ready, (room + FIRST) * sizeof *ready);
    server->ready = ready ? ready : server->ready;
    if (!children || !handles || !ready)
        return mp__error(MP_NO_MEMORY, "fork a process", "no memory");
    server->room = room;
    return MP_OK;
}

/* The new process leaves all that is the server's behind, and becomes the child. */
static void be_child(const server_t *server, const mp__fork_request_t *request, const mp__transfer_t *transfer,
                     const mp__os_handle_t handles[MP__FORK_HANDLES])
{
    mp__os_handle_t lifeline = server->lifeline;
    mp__os_handle_close(server->channel);
    for (size_t i = 0; i < server->count; i++)
        mp__os_process_close(&server->children[i].os);
    mp__os_heed_interrupt();
    (void)mp__os_standard_set(handles);
    for (size_t i = 0; i < MP__FORK_LIFELINE; i++)
        mp__os_handle_close(handles[i]);
    if (request->detached || handles[MP__FORK_LIFELINE] != MP__NO_HANDLE) {
        mp__os_handle_close(lifeline);
        lifeline = handles[MP__FORK_LIFELINE];
    }
    const mp__invitation_t invitation = {.slot = request->slot, .epoch = request->epoch, .nonce = request->nonce};
    mp__forked_child(&invitation, lifeline, transfer);
}

/* What came with a request; all of it is closed in the end. */
typedef struct parcel {
    mp__transfer_t transfer;
    mp__os_handle_t handles[MP__FORK_HANDLES];
} parcel_t;

/* MP_LIMIT: there is no room for it in this process, and the next request stands in the channel. Another error: what
 * stands there is not to be told. */
static mp_status_t take_parcel(mp__os_handle_t channel, const mp__fork_request_t *request, parcel_t *parcel)
{
    mp__os_handle_t present[MP__FORK_HANDLES];
    size_t count = 0, next = 0;
    for (uint32_t i = 0; i < MP__FORK_HANDLES; i++) {
        parcel->handles[i] = MP__NO_HANDLE;
        count += request->present >> i & 1;
    }
    parcel->transfer.count = 0;
    if (request->handle_count > MP__TRANSFER_MOST)
        return mp__error(MP_MALFORMED, "fork a process", "too many handles");
    mp_status_t status = mp__os_channel_take(channel, parcel->transfer.handles, request->handle_count);
    parcel->transfer.count = status == MP_OK ? request->handle_count : 0;
    if (status != MP_OK && status != MP_LIMIT)
        return status;
    mp_status_t second = mp__os_channel_take(channel, present, count);
    for (uint32_t i = 0; i < MP__FORK_HANDLES && second == MP_OK; i++)
        if (request->present >> i & 1)
            parcel->handles[i] = present[next++];
    return second != MP_OK ? second : status;
}

static void drop_parcel(parcel_t *parcel)
{
    mp__transfer_drop(&parcel->transfer);
    for (size_t i = 0; i < MP__FORK_HANDLES; i++)
        mp__os_handle_close(parcel->handles[i]);
}

/* What was called first may have left threads, and a fork would copy what they are in the middle of. */
static mp_status_t check_threads(void)
{
    return mp__start_has_threads() ? mp__error(MP_THREADED, "fork a process", "the fork server has other threads")
                                   : MP_OK;
}

static mp_status_t fork_child(server_t *server, const mp__fork_request_t *request, const parcel_t *parcel)
{
    child_t *child = NULL;
    bool in_child = false;
    mp_status_t status = check_threads();
    if (status == MP_OK)
        status = make_room(server);
    if (status == MP_OK) {
        child = &server->children[server->count];
        *child = (child_t){.slot = request->slot, .epoch = request->epoch};
        mp__program()->flush(true);
        status = mp__os_fork(&child->os, &in_child);
    }
    if (in_child)
        be_child(server, request, &parcel->transfer, parcel->handles);
    if (status == MP_OK)
        server->count++;
    return status;
}

static mp_status_t answer(const server_t *server, mp_status_t status, const child_t *child)
{
    mp__fork_answer_t told;
    memset(&told, 0, sizeof told);
    if (status != MP_OK)
        told.error = *mp_error();
    else if (child)
        told.pid = child->os.pid;
    status = mp__os_channel_write(server->channel, &told, sizeof told);
    if (status == MP_OK && told.pid)
        status = mp__os_channel_pass(server->channel, &child->os.sentinel, 1, (int32_t)mp__family.head->root_pid);
    return status;
}

/* An error: the client is not to be served any more. */
static mp_status_t serve_request(server_t *server)
{
    mp__fork_request_t request;
    parcel_t parcel;
    mp_status_t status = mp__os_channel_read(server->channel, &request, sizeof request);
    if (status != MP_OK)
        return status;
    status = take_parcel(server->channel, &request, &parcel);
    if (status != MP_OK && status != MP_LIMIT) {
        drop_parcel(&parcel);
        return status;
    }
    if (status == MP_OK)
        status = fork_child(server, &request, &parcel);
    mp_error_t error = *mp_error();
    drop_parcel(&parcel);
    if (status != MP_OK)
        status = mp__error_again(&error);
    return answer(server, status, status == MP_OK ? &server->children[server->count - 1] : NULL);
}

/* ---- the server */

/* The client may wait for more. */
static void stop_serving(server_t *server)
{
    mp__os_handle_close(server->channel);
    server->channel = MP__NO_HANDLE;
    server->serves = false;
}

static void serve(server_t *server)
{
    while (server->serves || server->count) {
        server->handles[CHANNEL] = server->serves ? server->channel : server->lifeline;
        server->handles[LIFELINE] = server->lifeline;
        for (size_t i = 0; i < server->count; i++)
            server->handles[FIRST + i] = server->children[i].os.sentinel;
        /* In slices: a sentinel may be late where a grandchild holds its other end. */
        mp_status_t status =
            mp__os_wait_any(server->handles, FIRST + server->count, mp__os_now() + MP__PARK_SLICE, server->ready);
        if (status == MP_OK && server->ready[LIFELINE])
            mp__os_end_now(EXIT_ORPHAN);
        bool reaped = reap(server, status == MP_OK ? server->ready + FIRST : NULL);
        bool asked = status == MP_OK && server->ready[CHANNEL] && server->serves;
        if (asked && serve_request(server) != MP_OK)
            stop_serving(server);
        /* Where a sentinel is a pipe it may be ready though the child lives, which has closed its end. */
        if (status != MP_TIMEOUT && !reaped && !asked)
            mp__os_sleep(mp__os_now() + 10 * MP__MILLISECOND);
    }
}

static mp_status_t call_first(mp_value_t functions)
{
    mp_status_t status = MP_OK;
    for (size_t i = 0; i < mp_value_len(functions) && status == MP_OK; i++) {
        mp_call_t call;
        mp__call_init(&call, mp_value_function(mp_value_item(functions, i)), mp_args());
        status = mp__call_run(&call);
        mp__call_fini(&call);
    }
    return status;
}

/* "NAME=value" is not in the environment any more. */
static mp_status_t forget_variable(const char *entry)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(entry, "="), entry);
    return mp__os_environment_set(name);
}

/* What the call is about, and then nothing is left of it: its channel must end with the server's own. */
static mp_status_t begin(mp_call_t *call, server_t *server)
{
    mp_status_t status = mp__os_handle_copy(mp_arg_descriptor(call, 0), &server->channel);
    if (mp_arg_bool(call, 2))
        (void)forget_variable(mp__os_caps()->bind_early);
    if (status == MP_OK)
        status = make_room(server);
    if (status == MP_OK)
        status = call_first(mp_arg(call, 1));
    mp_error_t error = *mp_error();
    mp_value_free(&call->message);
    return status == MP_OK ? MP_OK : mp__error_again(&error);
}

mp_status_t mp__forkserver_serve(mp_call_t *call)
{
    intptr_t lifeline;
    mp_status_t status = mp_process_sentinel(mp_parent_process(), &lifeline);
    if (status != MP_OK)
        return status;
    server_t server = {.channel = MP__NO_HANDLE, .lifeline = lifeline, .serves = true};
    mp__os_reap_children();
    status = begin(call, &server);
    if (answer(&server, status, NULL) == MP_OK && status == MP_OK)
        serve(&server);
    mp__os_handle_close(server.channel);
    free(server.children);
    free(server.handles);
    free(server.ready);
    return status;
}
