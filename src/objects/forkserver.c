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

#include <apr_file_info.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Its server may be killed before it says how a child ended. */
#define LOOK (20 * MP__MILLISECOND)

static const char step[] = "start a process by the fork server";

static mp__once_t mutex_made;
static apr_thread_mutex_t *mutex; /* guards all here, and a request until it is answered */

static struct {
    mp_process_t *process;
    mp__os_handle_t channel; /* MP__NO_HANDLE: there is no server */
    char *image;             /* what it was begun from */
    char *directory;         /* what it was born with; NULL: not to be known */
    char **environment;
    size_t variables;
    uint32_t preloads; /* how often they had been changed then */
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
    mp__os_handle_close(server.channel);
    server.channel = MP__NO_HANDLE;
    server.process = NULL; /* the memory stays: it may have been in change */
}

static mp_status_t make_mutex(void)
{
    static bool told;
    mp__finalizer_t *finalizer;
    apr_pool_t *pool;
    mp_status_t status = mp__local_pool(&pool);
    if (status == MP_OK)
        status = mp__local_mutex(&mutex, pool);
    if (status == MP_OK && !told) {
        /* Also in children of forks that are not the library's: a copy of the channel would keep the server alive. */
        status = mp__os_on_fork(mp__forkserver_forget);
        told = status == MP_OK;
    }
    return status == MP_OK ? mp__finalize_add(INT_MIN, end_server, NULL, &finalizer) : status;
}

/* ---- what the server was born with */

static void forget_birth(void)
{
    for (size_t i = 0; i < server.variables; i++)
        free(server.environment[i]);
    free(server.environment);
    free(server.directory);
    free(server.image);
    server.image = server.directory = NULL;
    server.environment = NULL;
    server.variables = 0;
}

/* This process's current directory, of malloc; NULL: nobody knows. */
static char *current_directory(void)
{
    apr_pool_t *pool;
    char *path;
    if (mp__local_pool(&pool) != MP_OK)
        return NULL;
    char *copy = apr_filepath_get(&path, APR_FILEPATH_NATIVE, pool) == APR_SUCCESS ? strdup(path) : NULL;
    apr_pool_destroy(pool);
    return copy;
}

static mp_status_t note_birth(void)
{
    const char *const *list = mp__os_environment();
    const char *image = mp__start_image();
    size_t n = 0;
    while (list && list[n])
        n++;
    forget_birth();
    server.directory = current_directory();
    server.image = strdup(image ? image : "");
    server.environment = calloc(n + 1, sizeof *server.environment);
    for (; server.environment && server.variables < n; server.variables++)
        if (!(server.environment[server.variables] = strdup(list[server.variables])))
            break;
    server.preloads = preload_changes;
    return server.image && server.environment && server.variables == n ? MP_OK
                                                                       : mp__error(MP_NO_MEMORY, step, "no memory");
}

static bool same_name(const char *variable, const char *other)
{
    size_t length = strcspn(variable, "=");
    return strncmp(variable, other, length + 1) == 0;
}

static bool has_variable(const char *const *list, const char *variable, bool value)
{
    for (size_t i = 0; list && list[i]; i++)
        if (value ? strcmp(list[i], variable) == 0 : same_name(list[i], variable))
            return true;
    return false;
}

static mp_status_t add_text(mp__buffer_t *texts, const char *text, size_t length, uint32_t *count)
{
    static const char zero = '\0';
    mp_status_t status = mp__buffer_append(texts, text, length);
    ++*count;
    return status == MP_OK ? mp__buffer_append(texts, &zero, 1) : status;
}

/* Nearly always all is as it was, and in the same order. */
static bool same_environment(const char *const *now)
{
    size_t n = 0;
    for (; now && now[n]; n++)
        if (n == server.variables || strcmp(now[n], server.environment[n]) != 0)
            return false;
    return n == server.variables;
}

/* What was added or changed since, and what was taken out. */
static mp_status_t add_environment(mp__buffer_t *texts, uint32_t *count)
{
    const char *const *now = mp__os_environment();
    const char *const *then = (const char *const *)server.environment;
    mp_status_t status = MP_OK;
    if (same_environment(now))
        return MP_OK;
    for (size_t i = 0; now && now[i] && status == MP_OK; i++)
        if (strchr(now[i], '=') && !has_variable(then, now[i], true))
            status = add_text(texts, now[i], strlen(now[i]), count);
    for (size_t i = 0; i < server.variables && status == MP_OK; i++)
        if (strchr(then[i], '=') && !has_variable(now, then[i], false))
            status = add_text(texts, then[i], strcspn(then[i], "="), count);
    return status;
}

/* The directory that the child has to go to, if it is another than the server's. */
static mp_status_t add_directory(mp__buffer_t *texts, const char *wanted, uint32_t *count)
{
    char *now = current_directory();
    bool same = now && server.directory && strcmp(now, server.directory) == 0;
    mp_status_t status = MP_OK;
    if (wanted && (wanted[0] == '/' || same || !now))
        status = add_text(texts, wanted, strlen(wanted), count);
    else if (wanted) {
        status = mp__buffer_append(texts, now, strlen(now));
        if (status == MP_OK)
            status = mp__buffer_append(texts, "/", 1);
        if (status == MP_OK)
            status = add_text(texts, wanted, strlen(wanted), count);
    } else if (now && !same)
        status = add_text(texts, now, strlen(now), count);
    free(now);
    return status;
}

mp_status_t mp__forkserver_outfit(const mp__outfit_t *outfit, mp__settings_t *settings, mp__buffer_t *texts)
{
    const char *own = (const char *)outfit->texts.data;
    const char *wanted = outfit->settings.has_directory ? own : NULL;
    size_t skipped = wanted ? strlen(wanted) + 1 : 0;
    *settings = outfit->settings;
    settings->has_directory = 0;
    mp_status_t status = add_directory(texts, wanted, &settings->has_directory);
    if (status == MP_OK)
        status = add_environment(texts, &settings->variables);
    if (status == MP_OK && outfit->texts.size > skipped)
        status = mp__buffer_append(texts, own + skipped, outfit->texts.size - skipped);
    settings->text_size = (uint32_t)texts->size;
    return texts->size <= UINT32_MAX ? status : mp__error(MP_TOO_LARGE, step, "its environment is larger than 4 GiB");
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

static mp_status_t read_answer(mp__fork_answer_t *answer, mp__deadline_t deadline)
{
    mp_status_t status = mp__os_channel_poll(server.channel, deadline);
    if (status == MP_TIMEOUT)
        return mp__error(MP_TIMEOUT, step, "the fork server does not answer yet");
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

static mp_status_t begin_process(mp__os_handle_t theirs, mp__deadline_t deadline)
{
    mp_value_t *functions = calloc(preload_count + 1, sizeof *functions);
    if (!functions)
        return mp__error(MP_NO_MEMORY, step, "no memory");
    for (size_t i = 0; i < preload_count; i++)
        functions[i] = mp_of(preload[i]);
    /* What each child would look up for itself, because its server never called it, the server looks up once. */
    const char *early = mp__os_caps()->bind_early;
    bool asked = early && !has_variable(mp__os_environment(), early, false);
    const char *const environment[] = {asked ? early : NULL, NULL};
    mp_value_t args[] = {mp_descriptor(theirs), mp_value_list(functions, preload_count), mp_bool(asked)};
    mp_status_t status = mp__process_start_forkserver(&server.process, mp__forkserver_serve,
                                                      (mp_args_t){args, MP__COUNT_OF(args)}, environment, deadline);
    free(functions);
    return status;
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
    let_go();
    return mp__error_again(&error);
}

void mp__forkserver_stop(void)
{
    if (mp__load32(&mutex_made) != MP__MADE)
        return; /* there never was one */
    apr_thread_mutex_lock(mutex);
    if (server.channel != MP__NO_HANDLE)
        let_go();
    apr_thread_mutex_unlock(mutex);
}

static bool fits(void)
{
    const char *image = mp__start_image();
    return strcmp(server.image, image ? image : "") == 0 && server.preloads == preload_changes;
}

mp_status_t mp__forkserver_take(mp__deadline_t deadline)
{
    mp_status_t status = mp__once(&mutex_made, make_mutex);
    if (status != MP_OK)
        return status;
    apr_thread_mutex_lock(mutex);
    bool died = server.channel != MP__NO_HANDLE && mp__process_poll(server.process) == MP_OK;
    if (died)
        mp__log(MP_LOG_INFO, "the fork server has died, another one follows");
    if (server.channel != MP__NO_HANDLE && (died || !fits()))
        let_go();
    status = server.channel == MP__NO_HANDLE ? begin(deadline) : MP_OK;
    if (status != MP_OK)
        apr_thread_mutex_unlock(mutex);
    return status;
}

void mp__forkserver_give(void)
{
    apr_thread_mutex_unlock(mutex);
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
