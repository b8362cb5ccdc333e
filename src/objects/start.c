/* Starting children: the method in force, the child's slot and argument block, and the two ways to begin it. */
#include "objects/start.h"

#include "core/local.h"
#include "family/alloc.h"
#include "objects/bootstrap.h"
#include "objects/forkserver.h"
#include "objects/host.h"
#include "objects/lifeline.h"
#include "wire/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METHOD_VARIABLE "MP_START_METHOD"

/* ---- methods */

static const char *const method_names[] = {
    [MP_START_SPAWN] = "spawn", [MP_START_FORK] = "fork", [MP_START_FORKSERVER] = "forkserver"};

static uint32_t chosen;    /* by mp_set_start_method */
static uint32_t inherited; /* from the parent */

static bool supported(mp_start_method_t method)
{
    return method == MP_START_SPAWN || mp__os_caps()->fork;
}

static mp_start_method_t method_named(const char *name)
{
    for (unsigned i = MP_START_SPAWN; i < MP__COUNT_OF(method_names); i++)
        if (strcmp(name, method_names[i]) == 0)
            return (mp_start_method_t)i;
    return MP_START_DEFAULT;
}

/* The environment's word, or NULL. It is copied: the environment may change. */
static const char *environment_method(void)
{
    static MP__THREAD_LOCAL char name[32];
    if (mp__os_is_privileged() || !mp__os_environment_get(METHOD_VARIABLE, name, sizeof name))
        return NULL;
    return name[0] ? name : NULL;
}

mp_status_t mp__start_method(mp_start_method_t wanted, mp_start_method_t *method)
{
    const char *step = "choose the start method";
    *method = wanted ? wanted : chosen ? (mp_start_method_t)chosen : (mp_start_method_t)inherited;
    if (*method == MP_START_DEFAULT) {
        const char *name = environment_method();
        *method = name ? method_named(name) : MP_START_SPAWN;
        if (*method == MP_START_DEFAULT)
            return mp__error(MP_INVALID, step, "%s=%s: there is no such method", METHOD_VARIABLE, name);
    }
    if ((unsigned)*method >= MP__COUNT_OF(method_names))
        return mp__error(MP_INVALID, step, "there is no method %d", (int)*method);
    if (!supported(*method))
        return mp__error(MP_UNSUPPORTED, step, "this system has no %s", method_names[*method]);
    return MP_OK;
}

void mp__start_method_inherit(mp_start_method_t method)
{
    inherited = (uint32_t)method;
}

mp_status_t mp_set_start_method(const char *name, bool force)
{
    const char *step = "set the start method";
    mp_start_method_t method = name ? method_named(name) : MP_START_DEFAULT;
    if (method == MP_START_DEFAULT)
        return mp__error(MP_INVALID, step, "%s: there is no such method", name ? name : "NULL");
    if (!supported(method))
        return mp__error(MP_UNSUPPORTED, step, "this system has no %s", name);
    uint32_t none = 0;
    if (!mp__cas32(&chosen, &none, (uint32_t)method)) {
        if (!force)
            return mp__error(MP_STATE, step, "it was set to %s before", method_names[none]);
        mp__store32(&chosen, (uint32_t)method);
    }
    return MP_OK;
}

mp_status_t mp_start_method_named(const char *name, mp_start_method_t *method)
{
    const char *step = "ask for a start method";
    if (!method)
        return mp__error(MP_INVALID, step, "no place for it");
    *method = MP_START_DEFAULT;
    if (!name)
        return mp__start_method(MP_START_DEFAULT, method);
    mp_start_method_t named = method_named(name);
    if (named == MP_START_DEFAULT)
        return mp__error(MP_INVALID, step, "%s: there is no such method", name);
    return mp__start_method(named, method);
}

const char *mp_get_start_method(void)
{
    mp_start_method_t method = chosen ? (mp_start_method_t)chosen : (mp_start_method_t)inherited;
    const char *name = method ? method_names[method] : environment_method();
    return name ? name : method_names[MP_START_SPAWN];
}

const char *const *mp_all_start_methods(void)
{
    static const char *const all[] = {"spawn", "fork", "forkserver", NULL};
    static const char *const spawn_only[] = {"spawn", NULL};
    return mp__os_caps()->fork ? all : spawn_only;
}

/* ---- the image */

typedef struct image {
    struct image *before; /* those that were set before may be in use, and stay */
    char path[];
} image_t;

static image_t *images;
static const char *executable; /* the last one; NULL: the program's own */

mp_status_t mp_set_executable(const char *path)
{
    size_t size = path ? strlen(path) + 1 : 0;
    image_t *image = path ? malloc(sizeof *image + size) : NULL;
    if (path && !image)
        return mp__error(MP_NO_MEMORY, "set the executable", "no memory");
    if (image) {
        memcpy(image->path, path, size);
        image->before = images;
        images = image;
    }
    executable = image ? image->path : NULL;
    return MP_OK;
}

const char *mp__start_image(void)
{
    return executable ? executable : mp__host_image() ? mp__host_image() : mp__os_program_path();
}

/* ---- what the child is told */

/* What a started program gets: numbers there, and here. */
typedef struct given {
    mp__os_handle_t numbers[MP__TRANSFER_MOST + 3];
    mp__os_handle_t sources[MP__TRANSFER_MOST + 3];
    size_t count;
    size_t own; /* of these, the library's own, in front of the call's */
} given_t;

/* The number there. They are compact where they can be chosen, so that all others are closed at once. */
static mp__os_handle_t give(given_t *given, mp__os_handle_t source)
{
    uint32_t first = mp__os_caps()->first_number;
    if (source == MP__NO_HANDLE)
        return source;
    mp__os_handle_t number = first ? (mp__os_handle_t)(first + given->count) : source;
    given->sources[given->count] = source;
    given->numbers[given->count++] = number;
    return number;
}

/* Room for the argument block: in the child's slot, or where that is too small in a block that belongs to it. */
static mp_status_t place_block(mp__process_slot_t *child, uint32_t slot, size_t size, mp__start_block_t **block)
{
    mp_status_t status = MP_OK;
    child->arguments = 0;
    if (size > sizeof child->block)
        status = mp__block_alloc(size, mp__owner_process(slot), &child->arguments);
    if (status == MP_OK)
        *block = child->arguments ? mp__block_at(child->arguments, NULL) : (void *)child->block;
    return status;
}

/* Writes the arguments, and the settings' texts behind them, and the child's name. */
static mp_status_t fill_block(const mp__start_t *start, uint32_t slot, bool own_lifeline, const given_t *given,
                              const mp__buffer_t *call, const mp__settings_t *settings, const mp__buffer_t *texts)
{
    mp__process_slot_t *child = &mp__family.processes[slot];
    mp__start_block_t *head = NULL;
    mp__authkey_t authkey;
    mp_status_t status = mp__authkey_give(&authkey);
    if (status == MP_OK)
        status = place_block(child, slot, sizeof *head + call->size + texts->size, &head);
    if (status != MP_OK)
        return status;
    memset(head, 0, sizeof *head);
    head->size = call->size;
    head->method = (uint32_t)start->method;
    head->service = start->service;
    head->daemon = start->daemon;
    head->parent_serves = mp__serves();
    head->unwatched = start->unwatched;
    head->own_lifeline = own_lifeline;
    head->authkey = authkey;
    head->handle_count = (uint32_t)(given->count - given->own);
    head->parent_slot = mp__family.process;
    head->parent_epoch = mp__family.epoch;
    snprintf(head->identity, sizeof head->identity, "%s", start->identity);
    memcpy(head->handles, &given->numbers[given->own], head->handle_count * sizeof head->handles[0]);
    head->log = mp__log_route();
    head->settings = *settings;
    uint8_t *rest = (uint8_t *)(head + 1);
    memcpy(rest, call->data, call->size);
    if (texts->size)
        memcpy(rest + call->size, texts->data, texts->size);
    snprintf(child->name, sizeof child->name, "%s", start->name);
    return MP_OK;
}

/* Does the child get the handles of its arguments under the numbers that they have here? */
static bool keeps_numbers(mp_start_method_t way)
{
    return way == MP_START_FORK || (way == MP_START_SPAWN && !mp__os_caps()->first_number);
}

/* *transfer: what goes with the arguments, and for a program that is to be started *given, too. */
static mp_status_t write_block(const mp__start_t *start, mp_start_method_t way, uint32_t slot, bool own_lifeline,
                               mp__transfer_t *transfer, given_t *given)
{
    mp__buffer_t call, texts;
    mp__buffer_init(&call);
    mp__buffer_init(&texts);
    mp__settings_t settings;
    mp__carrier_t carrier = mp__transfer_carrier(transfer);
    mp_status_t status = mp__call_encode(start->function, start->args, &carrier, &call);
    if (status == MP_OK && keeps_numbers(way))
        status = mp__transfer_separate(transfer);
    for (size_t i = 0; i < transfer->count && way == MP_START_SPAWN; i++)
        give(given, transfer->handles[i]);
    if (status == MP_OK && way == MP_START_FORKSERVER)
        status = mp__forkserver_outfit(start->outfit, &settings, &texts);
    if (status == MP_OK && way == MP_START_FORKSERVER)
        status = fill_block(start, slot, own_lifeline, given, &call, &settings, &texts);
    else if (status == MP_OK)
        status = fill_block(start, slot, own_lifeline, given, &call, &start->outfit->settings, &start->outfit->texts);
    mp__buffer_fini(&call);
    mp__buffer_fini(&texts);
    return status;
}

static mp__invitation_t invite(uint32_t slot, uint32_t epoch, uint64_t nonce)
{
    mp__invitation_t invitation = {.memory = mp__family.arena.memory,
                                   .life = mp__family.arena.life,
                                   .size = mp__family.arena.size,
                                   .slot = slot,
                                   .epoch = epoch,
                                   .nonce = nonce};
    memcpy(invitation.family, mp__family.head->family, sizeof invitation.family);
    return invitation;
}

/* ---- the two ways */

static mp_status_t start_by_spawn(const mp__start_t *start, const mp__invitation_t *invitation, mp__os_handle_t watched,
                                  const given_t *given, mp__os_process_t *process)
{
    char variable[256];
    const mp_process_options_t *options = start->outfit->options;
    mp__invitation_print(variable, sizeof variable, invitation, watched);
    const char **environment = mp__outfit_environment(start->outfit, variable, mp__host_variable());
    if (!environment)
        return mp__error(MP_NO_MEMORY, "start a process", "no memory for its environment");
    mp__os_spawn_t spawn = {.path = options->executable ? options->executable : mp__start_image(),
                            .arguments = mp__host_arguments(),
                            .environment = environment,
                            .handles = given->numbers,
                            .sources = given->sources,
                            .handle_count = given->count,
                            .standard = start->outfit->standard,
                            .detached = options->detach,
                            .grouped = options->group,
                            .process_limit = options->limits.processes};
    mp_status_t status = mp__os_spawn(&spawn, process);
    free(environment);
    bool about_image = status == MP_NOT_FOUND || status == MP_DENIED || status == MP_SYSTEM;
    return about_image ? mp__error_about(spawn.path) : status;
}

/* A thread that has ended is counted for a moment longer. A pool does not wait for that: it has the server. */
#define THREAD_END (50 * MP__MILLISECOND)

bool mp__start_has_threads(void)
{
    int64_t until = mp__os_now() + (mp__local_thread_is_own() ? 0 : THREAD_END);
    while (mp__os_thread_count() > 1 + mp__local_threads()) {
        if (mp__os_now() >= until)
            return true;
        mp__os_sleep(mp__os_now() + MP__MILLISECOND);
    }
    return false;
}

static mp_status_t start_by_fork(const mp__start_t *start, const mp__invitation_t *invitation, mp__os_handle_t watched,
                                 const mp__transfer_t *transfer, mp__os_process_t *process)
{
    bool in_child;
    mp__log_pause();
    mp__lifeline_keep(watched);
    mp_status_t status = mp__os_fork(process, &in_child);
    mp__lifeline_keep(MP__NO_HANDLE);
    mp__log_resume();
    if (status != MP_OK || !in_child)
        return status;
    mp__streams_t streams = start->outfit->streams;
    mp__streams_close(&streams); /* the parent's ends */
    (void)mp__os_standard_set(start->outfit->standard);
    for (size_t i = 0; i < MP__COUNT_OF(start->outfit->opened); i++)
        mp__os_handle_close(start->outfit->opened[i]);
    mp__forked_child(invitation, watched, transfer);
    return MP_SYSTEM; /* not reached */
}

static mp_status_t begin(mp_start_method_t way, const mp__start_t *start, mp__invitation_t *invitation,
                         mp__os_handle_t *watched, mp__transfer_t *transfer, mp__os_process_t *process)
{
    given_t given;
    given.count = 0;
    mp__os_handle_t theirs = MP__NO_HANDLE; /* what is watched, in a started program */
    if (way == MP_START_SPAWN) {
        invitation->memory = give(&given, invitation->memory);
        invitation->life = give(&given, invitation->life);
        theirs = give(&given, *watched);
    }
    given.own = given.count;
    mp_status_t status = write_block(start, way, invitation->slot, mp__lifeline_is_own(*watched), transfer, &given);
    if (status != MP_OK)
        return status;
    /* What was printed before the start comes before what the child prints; and a fork's child must not print it again.
     */
    mp__program_flush(way == MP_START_FORK && !start->fork_with_threads);
    mp__os_handle_t end = *watched;
    switch (way) {
    case MP_START_FORK:
        return start_by_fork(start, invitation, end, transfer, process);
    case MP_START_FORKSERVER:
        *watched = MP__NO_HANDLE; /* the call closes it */
        return mp__forkserver_fork(start, invitation, mp__lifeline_is_own(end) ? end : MP__NO_HANDLE, transfer,
                                   process);
    default:
        return start_by_spawn(start, invitation, theirs, &given, process);
    }
}

static mp_status_t start_by(mp_start_method_t way, const mp__start_t *start, uint32_t slot, uint32_t epoch,
                            uint64_t nonce, mp__os_process_t *process)
{
    mp__transfer_t transfer = {.count = 0};
    mp__os_handle_t watched = MP__NO_HANDLE;
    mp__invitation_t invitation = invite(slot, epoch, nonce);
    mp_status_t status = start->outfit->settings.detached ? MP_OK : mp__lifeline_open(&watched);
    if (status == MP_OK)
        status = begin(way, start, &invitation, &watched, &transfer, process);
    mp__transfer_close_copies(&transfer);
    mp__lifeline_close(watched);
    if (status == MP_OK)
        mp__lifeline_prepare();
    return status;
}

static mp_status_t prepare_and_start(mp_start_method_t way, const mp__start_t *start, mp__os_process_t *process,
                                     uint32_t *slot, uint32_t *epoch)
{
    uint64_t nonce;
    mp_status_t status = mp__process_prepare(slot, epoch, &nonce);
    if (status != MP_OK)
        return status;
    status = start_by(way, start, *slot, *epoch, nonce, process);
    if (status == MP_OK)
        return MP_OK;
    mp_error_t error = *mp_error();
    if (way == MP_START_FORKSERVER)
        mp__process_take_back(*slot, *epoch); /* it may have begun; then it ends by itself, and its slot with it */
    else
        mp__process_sweep(*slot, *epoch);
    mp__error_again(&error);
    return status;
}

/* A server that dies is followed by another so often in one start. */
#define SERVERS 3

static mp_status_t start_by_server(const mp__start_t *start, mp__os_process_t *process, uint32_t *slot, uint32_t *epoch)
{
    mp_status_t status = MP_END;
    for (int i = 0; i < SERVERS && status == MP_END; i++) {
        status = mp__forkserver_take(start->deadline);
        if (status != MP_OK)
            return status;
        status = prepare_and_start(MP_START_FORKSERVER, start, process, slot, epoch);
        mp__forkserver_give();
    }
    return status == MP_END ? mp__error(MP_DIED, "start a process", "one fork server after the other died") : status;
}

/* How the child is to be begun, which by its own lights is start->method. */
static mp_status_t choose_way(const mp__start_t *start, mp_start_method_t *way)
{
    *way = start->method;
    if (*way == MP_START_SPAWN)
        return MP_OK;
    if (start->outfit->options->executable)
        return mp__error(MP_UNSUPPORTED, "start a process", "%s executes no image", method_names[*way]);
    if (*way == MP_START_FORKSERVER || start->fork_with_threads || !mp__start_has_threads())
        return MP_OK;
    if (!mp__local_thread_is_own())
        return mp__error(MP_THREADED, "start a process",
                         "this program has threads of its own: fork would copy what they "
                         "were in the middle of, without them");
    /* What a pool replaces was started when there were none yet: the server forks it, which never has any. */
    *way = MP_START_FORKSERVER;
    return MP_OK;
}

mp_status_t mp__start_child(const mp__start_t *start, mp__os_process_t *process, uint32_t *slot, uint32_t *epoch)
{
    mp__start_t chosen_start = *start;
    mp_start_method_t way;
    mp_status_t status = mp__host_prepare(start->function, executable || start->outfit->options->executable);
    if (status == MP_OK)
        status = mp__start_method(start->method, &chosen_start.method);
    if (status == MP_OK)
        status = choose_way(&chosen_start, &way);
    if (status == MP_OK)
        status = mp__family_join();
    if (status == MP_OK) /* else the child would take itself for a program of its own, and run main */
        status = mp__os_arena_check(&mp__family.arena);
    if (status != MP_OK)
        return status;
    status = way == MP_START_FORKSERVER ? start_by_server(&chosen_start, process, slot, epoch)
                                        : prepare_and_start(way, &chosen_start, process, slot, epoch);
    if (status == MP_OK)
        mp__log(MP_LOG_DEBUG, "started %s (pid %d) by %s", start->name, process->pid, method_names[way]);
    return status;
}

/* ---- until it runs */

void mp__start_failure(const mp__process_slot_t *child, mp_error_t *failure)
{
    *failure = child->failure;
    failure->step[sizeof failure->step - 1] = failure->text[sizeof failure->text - 1] = '\0';
    if (failure->status < MP_OK || failure->status > MP_THREADED)
        failure->status = MP_CORRUPT;
}

mp_status_t mp__start_progress(uint32_t slot, uint32_t epoch)
{
    const mp__process_slot_t *child = &mp__family.processes[slot];
    uint32_t report = mp__load32(&child->report);
    mp_error_t failure;
    mp__start_failure(child, &failure);
    if (mp__high(mp__load64(&child->claim)) != epoch)
        return MP_DIED;
    if (report != MP__REPORT_FAILED)
        return report == MP__REPORT_NONE ? MP_RUNNING : MP_OK;
    if (failure.status == MP_OK)
        failure.status = MP_CORRUPT;
    return mp__error_again(&failure);
}

void mp__start_await(uint32_t slot, mp__deadline_t deadline)
{
    mp__park(&mp__family.processes[slot].report, MP__REPORT_NONE, deadline);
}
