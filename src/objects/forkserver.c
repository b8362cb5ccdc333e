/*
 * The fork server as its client sees it: begun when the first start needs it, and anew when it died or no longer fits.
 *
 * One that does not fit any more (another image, other functions to call first) is let go of: it ends when the children
 * that it forked have ended. A start whose server dies under it takes the child back: who has not said yet that it runs
 * its function never will (MP__REPORT_BACK); whoever has is a child like any other.
 */
#include "objects/forkserver.h"

#include "core/local.h"
#include "core/once.h"
#include "family/alloc.h"
#include "objects/finalize.h"
#include "objects/log.h"
#include "objects/process.h"
#include "objects/surroundings.h"

#include <apr_thread_cond.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Its server may be killed before it says how a child ended. */
#define LOOK (20 * MP__MILLISECOND)

static const char step[] = "start a process by the fork server";

static mp__once_t mutex_made;
static apr_thread_mutex_t *mutex; /* guards whose the server is, and what is to be called first */
static apr_thread_cond_t *given;
static bool taken; /* by the thread that begins it, or waits for its answer: all of `server` is that one's */

static struct {
    mp_process_t *process;
    mp__os_handle_t channel; /* MP__NO_HANDLE: there is no server */
    char *image;             /* what it was begun from */
    mp__surroundings_t born; /* what it was born with */
    uint32_t preloads;       /* how often they had been changed then */
} server = {.channel = MP__NO_HANDLE};

static mp_function_t *preload; /* to be called first in each server */
static size_t preload_count;
static uint32_t preload_changes;

/* ---- the program's end, and forks */

static void end_server(void *unused)
{
    (void)unused;
    mp__os_handle_close(server.channel);
    server.channel = MP__NO_HANDLE;
    if (!server.process || mp_process_kill(server.process) != MP_OK)
        return;
    (void)mp_process_join(server.process, MP_FOREVER);
    (void)mp_process_close(server.process);
    server.process = NULL;
}

void mp__forkserver_forget(void)
{
    mutex_made = 0; /* a thread of the parent may have held it */
    taken = false;
    mp__os_handle_close(server.channel);
    server.channel = MP__NO_HANDLE;
    server.process = NULL; /* the memory stays: it may have been in change */
    server.image = NULL;
    server.born = (mp__surroundings_t){0};
}

static mp_status_t make_mutex(void)
{
    static bool told;
    mp__finalizer_t *finalizer;
    apr_pool_t *pool;
    mp_status_t status = mp__local_pool(&pool);
    if (status == MP_OK)
        status = mp__local_mutex(&mutex, pool);
    int code = status == MP_OK ? apr_thread_cond_create(&given, pool) : APR_SUCCESS;
    if (code != APR_SUCCESS)
        status = mp__error_apr(MP_NO_MEMORY, step, code);
    if (status == MP_OK && !told) {
        /* Also in children of forks that are not the library's: a copy of the channel would keep the server alive. */
        status = mp__os_on_fork(mp__forkserver_forget);
        told = status == MP_OK;
    }
    return status == MP_OK ? mp__finalize_add(INT_MIN, end_server, NULL, &finalizer) : status;
}

/* ---- whose it is */

static mp_status_t claim(mp__deadline_t deadline)
{
    mp_status_t status = mp__once(&mutex_made, make_mutex);
    if (status != MP_OK)
        return status;
    apr_thread_mutex_lock(mutex);
    for (;;) {
        int64_t left = mp__sooner(deadline, mp__os_now() + MP__PARK_SLICE) - mp__os_now();
        if (!taken || left <= 0)
            break;
        (void)apr_thread_cond_timedwait(given, mutex, left / 1000 + 1);
    }
    bool mine = !taken;
    taken = true;
    apr_thread_mutex_unlock(mutex);
    return mine ? MP_OK : mp__error(MP_TIMEOUT, step, "the fork server is busy for others");
}

void mp__forkserver_give(void)
{
    apr_thread_mutex_lock(mutex);
    taken = false;
    apr_thread_cond_signal(given);
    apr_thread_mutex_unlock(mutex);
}

/* ---- beginning and letting go */

/* It serves the children that it has, and ends with the last. */
static void let_go(void)
{
    mp__os_handle_close(server.channel);
    server.channel = MP__NO_HANDLE;
    if (server.process)
        mp__process_abandon(server.process);
    server.process = NULL;
}

static mp_status_t await_server(mp__deadline_t deadline)
{
    mp_status_t status = mp__os_channel_poll(server.channel, deadline);
    return status == MP_TIMEOUT ? mp__error(MP_TIMEOUT, step, "the fork server does not answer yet") : status;
}

static mp_status_t read_answer(mp__fork_answer_t *answer, mp__deadline_t deadline)
{
    mp_status_t status = await_server(deadline);
    if (status == MP_OK)
        status = mp__os_channel_read(server.channel, answer, sizeof *answer);
    return status == MP_TRUNCATED ? MP_END : status;
}

/* Waits until it has called what it calls first. */
static mp_status_t greet(mp__deadline_t deadline)
{
    mp__fork_answer_t answer;
    mp_status_t status = read_answer(&answer, deadline);
    if (status == MP_END)
        return mp__error(MP_DIED, step, "the fork server died before it served");
    if (status != MP_OK)
        return status;
    answer.error.step[sizeof answer.error.step - 1] = answer.error.text[sizeof answer.error.text - 1] = '\0';
    return answer.error.status == MP_OK ? MP_OK : mp__error_again(&answer.error);
}

/* What it is to call first, as a list of the caller's. NULL: no memory. */
static mp_value_t *list_preloads(size_t *count)
{
    apr_thread_mutex_lock(mutex);
    mp_value_t *functions = calloc(preload_count + 1, sizeof *functions);
    *count = preload_count;
    for (size_t i = 0; functions && i < preload_count; i++)
        functions[i] = mp_of(preload[i]);
    server.preloads = preload_changes;
    apr_thread_mutex_unlock(mutex);
    return functions;
}

static mp_status_t begin_process(mp__os_handle_t theirs, mp__deadline_t deadline)
{
    size_t count;
    mp_value_t *functions = list_preloads(&count);
    if (!functions)
        return mp__error(MP_NO_MEMORY, step, "no memory");
    /* What each child would look up for itself, because its server never called it, the server looks up once. */
    const char *early = mp__os_caps()->bind_early;
    bool asked = early && !mp__has_variable(mp__os_environment(), early);
    const char *const environment[] = {asked ? early : NULL, NULL};
    mp_value_t args[] = {mp_descriptor(theirs), mp_value_list(functions, count), mp_bool(asked)};
    mp_status_t status = mp__process_start_forkserver(&server.process, mp__forkserver_serve,
                                                      (mp_args_t){args, MP__COUNT_OF(args)}, environment, deadline);
    free(functions);
    return status;
}

static mp_status_t note_birth(void)
{
    const char *image = mp__start_image();
    free(server.image);
    server.image = strdup(image ? image : "");
    return server.image ? mp__surroundings_note(&server.born) : mp__error(MP_NO_MEMORY, step, "no memory");
}

static mp_status_t begin(mp__deadline_t deadline)
{
    mp__os_handle_t ends[2];
    mp_status_t status = note_birth();
    if (status == MP_OK)
        status = mp__os_channel_create(true, ends);
    if (status != MP_OK)
        return status;
    status = begin_process(ends[1], deadline);
    mp__os_handle_close(ends[1]);
    server.channel = ends[0];
    if (status == MP_OK)
        status = greet(deadline);
    if (status == MP_OK)
        return MP_OK;
    mp_error_t error = *mp_error();
    if (server.process) /* it has no children yet, and may be for ever in what it calls first */
        (void)mp_process_kill(server.process);
    let_go();
    return mp__error_again(&error);
}

void mp__forkserver_stop(void)
{
    if (!mp__once_made(&mutex_made) || claim(MP__NEVER) != MP_OK)
        return; /* there never was one */
    if (server.channel != MP__NO_HANDLE)
        let_go();
    mp__forkserver_give();
}

static bool fits(void)
{
    const char *image = mp__start_image();
    apr_thread_mutex_lock(mutex);
    bool same = server.preloads == preload_changes;
    apr_thread_mutex_unlock(mutex);
    return same && strcmp(server.image, image ? image : "") == 0;
}

mp_status_t mp__forkserver_take(mp__deadline_t deadline)
{
    mp_status_t status = claim(deadline);
    if (status != MP_OK)
        return status;
    bool died = server.channel != MP__NO_HANDLE && mp__process_poll(server.process) == MP_OK;
    if (died)
        mp__log(MP_LOG_INFO, "the fork server has died, another one follows");
    if (server.channel != MP__NO_HANDLE && (died || !fits()))
        let_go();
    status = server.channel == MP__NO_HANDLE ? begin(deadline) : MP_OK;
    if (status != MP_OK)
        mp__forkserver_give();
    return status;
}

mp_status_t mp__forkserver_outfit(const mp__outfit_t *outfit, mp__settings_t *settings, mp__buffer_t *texts)
{
    return mp__surroundings_outfit(&server.born, outfit, settings, texts);
}

mp_status_t mp_set_forkserver_preload(const mp_function_t *functions, size_t count)
{
    const char *what = "set what the fork server calls first";
    mp_status_t status = mp__once(&mutex_made, make_mutex);
    if (status != MP_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        if (!functions || !functions[i])
            return mp__error(MP_INVALID, what, "no function");
    mp_function_t *copy = count ? malloc(count * sizeof *copy) : NULL;
    if (count && !copy)
        return mp__error(MP_NO_MEMORY, what, "no memory");
    if (count)
        memcpy(copy, functions, count * sizeof *copy);
    apr_thread_mutex_lock(mutex);
    free(preload);
    preload = copy;
    preload_count = count;
    preload_changes++;
    apr_thread_mutex_unlock(mutex);
    return MP_OK;
}

/* ---- a request */

/* The server is lost, or does not answer. Has the child begun its function? If not, it never will. */
static bool take_back(uint32_t slot, uint32_t epoch)
{
    mp__process_slot_t *place = &mp__family.processes[slot];
    uint32_t report = MP__REPORT_NONE;
    if (!mp__cas32(&place->report, &report, MP__REPORT_BACK))
        return false;
    place->keeper = 0; /* if it has the slot already, whoever meets it there dead sweeps it */
    mp__process_take_back(slot, epoch);
    return true;
}

/* It runs its function, though the server did not come to say so. */
static mp_status_t adopt(uint32_t slot, uint32_t epoch, mp__os_process_t *process)
{
    *process = (mp__os_process_t){.sentinel = MP__NO_HANDLE, .job = MP__NO_HANDLE, .foreign = true};
    process->pid = (int32_t)mp__family.processes[slot].pid;
    bool has_sentinel = process->pid > 1 && mp__os_sentinel_open(process->pid, &process->sentinel) == MP_OK;
    if (mp__process_dead(slot, epoch)) {
        process->exit = (mp__os_exit_t){.end = MP__OS_UNKNOWN};
        process->reaped = true;
        return MP_OK;
    }
    if (has_sentinel)
        return MP_OK;
    /* Without one it cannot be waited for: then there shall be none. */
    if (process->pid > 1)
        (void)mp__os_process_signal(process, true);
    return mp__error(MP_DIED, step, "the fork server died in a start");
}

static mp_status_t lose(const mp__invitation_t *invitation, mp_status_t status, mp__os_process_t *process)
{
    mp_error_t error = *mp_error();
    let_go();
    if (take_back(invitation->slot, invitation->epoch))
        return status == MP_END ? MP_END : mp__error_again(&error);
    return adopt(invitation->slot, invitation->epoch, process);
}

/* There is no room for its sentinel in this process: then there shall be no child. */
static mp_status_t refuse(const mp__invitation_t *invitation, int32_t pid)
{
    mp_error_t error = *mp_error();
    mp__os_process_t process = {.pid = pid, .sentinel = MP__NO_HANDLE, .job = MP__NO_HANDLE, .foreign = true};
    if (!take_back(invitation->slot, invitation->epoch) && !mp__process_dead(invitation->slot, invitation->epoch))
        (void)mp__os_process_signal(&process, true);
    mp__family.processes[invitation->slot].keeper = 0;
    return mp__error_again(&error);
}

static mp_status_t ask(const mp__start_t *start, const mp__invitation_t *invitation, mp__os_handle_t lifeline,
                       const mp__transfer_t *transfer)
{
    const mp__os_handle_t *standard = start->outfit->standard;
    const mp__os_handle_t all[MP__FORK_HANDLES] = {standard[0], standard[1], standard[2], lifeline};
    mp__os_handle_t present[MP__FORK_HANDLES];
    size_t count = 0;
    mp__fork_request_t request = {.nonce = invitation->nonce,
                                  .slot = invitation->slot,
                                  .epoch = invitation->epoch,
                                  .handle_count = (uint32_t)transfer->count,
                                  .detached = start->outfit->settings.detached};
    for (uint32_t i = 0; i < MP__FORK_HANDLES; i++)
        if (all[i] != MP__NO_HANDLE) {
            present[count++] = all[i];
            request.present |= 1u << i;
        }
    int32_t keeper = (int32_t)mp__family.head->root_pid;
    mp_status_t status = mp__os_channel_write(server.channel, &request, sizeof request);
    if (status == MP_OK)
        status = mp__os_channel_pass(server.channel, transfer->handles, transfer->count, keeper);
    return status == MP_OK ? mp__os_channel_pass(server.channel, present, count, keeper) : status;
}

mp_status_t mp__forkserver_fork(const mp__start_t *start, const mp__invitation_t *invitation, mp__os_handle_t lifeline,
                                const mp__transfer_t *transfer, mp__os_process_t *process)
{
    mp__fork_answer_t answer;
    answer.pid = 0;
    uint32_t slot, epoch;
    mp__process_slot_of(server.process, &slot, &epoch);
    mp__family.processes[invitation->slot].server = mp__pair(epoch, slot + 1);
    *process = (mp__os_process_t){.sentinel = MP__NO_HANDLE, .job = MP__NO_HANDLE, .foreign = true};
    mp_status_t status = ask(start, invitation, lifeline, transfer);
    mp__os_handle_close(lifeline); /* which makes room for the sentinel */
    if (status == MP_OK)
        status = read_answer(&answer, start->deadline);
    if (status == MP_OK && answer.pid)
        status = await_server(start->deadline);
    if (status == MP_OK && answer.pid)
        status = mp__os_channel_take(server.channel, &process->sentinel, 1);
    if (status == MP_LIMIT && answer.pid)
        return refuse(invitation, answer.pid);
    if (status != MP_OK)
        return lose(invitation, status, process);
    answer.error.step[sizeof answer.error.step - 1] = answer.error.text[sizeof answer.error.text - 1] = '\0';
    process->pid = answer.pid;
    return answer.error.status == MP_OK ? MP_OK : mp__error_again(&answer.error);
}

/* ---- the end of a child */

static bool read_record(const mp__process_slot_t *place, uint32_t epoch, mp__os_exit_t *end)
{
    uint64_t record = mp__load64(&place->reaped);
    uint32_t how = mp__low(record);
    if (mp__high(record) != epoch || how == 0)
        return false;
    if (how & (MP__REAPED_EXITED | MP__REAPED_SIGNALLED))
        *end = (mp__os_exit_t){.end = how & MP__REAPED_EXITED ? MP__OS_EXITED : MP__OS_SIGNALLED,
                               .code = (int32_t)(how & 0xffff),
                               .core_dumped = (how & MP__REAPED_CORE) != 0,
                               .cpu_limit = (how & MP__REAPED_CPU_LIMIT) != 0};
    return true;
}

bool mp__forkserver_told(uint32_t slot, uint32_t epoch, mp__os_exit_t *end)
{
    const mp__process_slot_t *place = &mp__family.processes[slot];
    uint64_t by = place->server;
    bool dead = !mp__low(by) || mp__process_dead(mp__low(by) - 1, mp__high(by));
    return read_record(place, epoch, end) || dead;
}

void mp__forkserver_await(uint32_t slot, uint32_t epoch)
{
    uint32_t *told = &mp__family.processes[slot].told, seen = mp__load32(told);
    mp__os_exit_t unused;
    if (mp__forkserver_told(slot, epoch, &unused))
        return;
    if (mp__family_join() == MP_OK)
        mp__park(told, seen, mp__os_now() + LOOK);
    else
        mp__os_sleep(mp__os_now() + LOOK);
}
