/* The list of this process's children, and how their ends are seen. */
#include "objects/process_object.h"

#include "core/local.h"
#include "core/once.h"
#include "family/object.h"
#include "objects/forked.h"
#include "objects/forkserver.h"
#include "objects/log.h"

static mp__once_t mutex_made;
static apr_thread_mutex_t *mutex;
static mp_process_t *children;

static mp_status_t make_mutex(void)
{
    return mp__forks_mutex(&mutex);
}

mp_status_t mp__children_lock(void)
{
    mp_status_t status = mp__once(&mutex_made, make_mutex);
    if (status == MP_OK)
        apr_thread_mutex_lock(mutex);
    return status;
}

void mp__children_unlock(void)
{
    apr_thread_mutex_unlock(mutex);
}

bool mp__children_ever(void)
{
    return mp__once_made(&mutex_made);
}

mp_process_t *mp__children_first(void)
{
    return children;
}

void mp__children_add(mp_process_t *process)
{
    process->next = children;
    children = process;
}

void mp__children_remove(const mp_process_t *process)
{
    for (mp_process_t **link = &children; *link; link = &(*link)->next)
        if (*link == process) {
            *link = process->next;
            return;
        }
}

/* ---- their ends */

/* What the system said of the end, or the process itself did. */
static void note_exit(mp_process_t *process)
{
    process->beginning.status = mp__start_progress(process->slot, process->epoch);
    if (process->beginning.status != MP_OK && process->beginning.status != MP_RUNNING)
        process->beginning = *mp_error();
    const mp__process_slot_t *slot = &mp__family.processes[process->slot];
    bool swept = mp__high(mp__load64(&slot->claim)) != process->epoch; /* by somebody; it is another's by now */
    mp__process_ending(&process->ending, &process->os.exit, swept ? NULL : slot);
}

static void log_end(const mp_process_t *process)
{
    const mp__ending_t *end = &process->ending;
    int pid = process->os.pid;
    if (!end->known)
        mp__log(MP_LOG_INFO, "%s (pid %d) died, nobody knows how", process->name, pid);
    else if (end->code < 0)
        mp__log(MP_LOG_INFO, "%s (pid %d) was ended by %s (%d)", process->name, pid, mp_exitcode_name(end->code),
                end->code);
    else
        mp__log(MP_LOG_DEBUG, "%s (pid %d) ended with exitcode %d", process->name, pid, end->code);
}

/* A fork server that is stopped, or has much to do, does not say how its child ended; then the child's own word has to
 * do. */
#define UNTOLD (2 * MP__SECOND)

static bool is_told(mp_process_t *process)
{
    if (!process->os.foreign || mp__forkserver_told(process->slot, process->epoch, &process->os.exit))
        return true;
    int64_t now = mp__os_now();
    if (!process->untold)
        process->untold = now;
    return now - process->untold >= UNTOLD;
}

/* Has it ended? Then how is noted. Under the mutex; does not wait. MP_TIMEOUT: it runs; MP_BUSY: its fork server is to
 * say how it ended. */
static mp_status_t reap(mp_process_t *process)
{
    if (process->known)
        return MP_OK;
    mp_status_t status = mp__os_process_wait(&process->os, 0);
    if (status != MP_OK)
        return status;
    if (!is_told(process))
        return MP_BUSY;
    note_exit(process);
    mp__process_let_go(process->slot, process->epoch);
    mp__store32(&process->known, 1);
    log_end(process);
    return MP_OK;
}

mp_status_t mp__child_sweep(mp_process_t *process)
{
    mp_status_t status = mp__family_join();
    if (status != MP_OK)
        return status;
    (void)mp__process_bury(process->slot, process->epoch);
    mp__objects_settle(); /* it may have been what stood still in one of them */
    mp__store32(&process->ended, 1);
    return MP_OK;
}

mp_status_t mp__child_look_at(mp_process_t *process)
{
    if (mp__load32(&process->known))
        return MP_OK;
    mp_status_t status = mp__children_lock();
    if (status != MP_OK)
        return status;
    status = reap(process);
    mp__children_unlock();
    return status;
}

mp_status_t mp__process_poll(mp_process_t *process)
{
    mp_status_t status;
    if (mp__load32(&process->ended))
        return MP_OK;
    while ((status = mp__child_look_at(process)) == MP_BUSY) {
        mp__local_park();
        mp__forkserver_await(process->slot, process->epoch);
        mp__local_unpark();
    }
    return status == MP_OK ? mp__child_sweep(process) : status;
}

void mp__processes_collect(void)
{
    if (!mp__family_joined() || mp__children_lock() != MP_OK)
        return;
    mp_process_t *done = NULL;
    for (mp_process_t **link = &children; *link;) {
        mp_process_t *process = *link;
        if (process->abandoned && reap(process) == MP_OK) {
            *link = process->next;
            process->next = done;
            done = process;
        } else {
            link = &process->next;
        }
    }
    mp__children_unlock();
    while (done) {
        mp_process_t *process = done;
        done = process->next;
        (void)mp__child_sweep(process);
        mp__handle_release(&process->handle);
    }
}

/* ---- who is left */

/* One that was reaped, and whose things were not ended yet, kept; or NULL. */
static mp_process_t *find_unswept(void)
{
    if (mp__children_lock() != MP_OK)
        return NULL;
    mp_process_t *found = children;
    while (found && (!found->known || mp__load32(&found->ended)))
        found = found->next;
    if (found)
        mp__handle_keep(&found->handle);
    mp__children_unlock();
    return found;
}

static void sweep_reaped(void)
{
    mp_process_t *process;
    mp_status_t status = MP_OK;
    while (status == MP_OK && (process = find_unswept()) != NULL) {
        status = mp__child_sweep(process);
        mp__handle_release(&process->handle);
    }
}

mp_status_t mp_active_children(mp_process_t **list, size_t capacity, size_t *count)
{
    if (!count || (!list && capacity))
        return mp__error(MP_INVALID, "list the children", "no place for them");
    *count = 0;
    if (!mp__family_joined())
        return MP_OK;
    mp__processes_collect();
    mp_status_t status = mp__children_lock();
    if (status != MP_OK)
        return status;
    for (mp_process_t *process = children; process; process = process->next)
        if (!process->service && !process->abandoned && reap(process) == MP_TIMEOUT) {
            if (*count < capacity)
                list[*count] = process;
            ++*count;
        }
    mp__children_unlock();
    sweep_reaped();
    return MP_OK;
}

void mp__processes_forget(void)
{
    mutex_made = 0; /* a thread of the parent may have held it */
    for (mp_process_t *process = children; process; process = process->next) {
        process->role = MP__ROLE_PARENTS;
        mp__os_process_close(&process->os);
        mp__streams_close(&process->streams);
    }
    children = NULL; /* the memory stays: the parent's pointers to it are in this process, too */
    mp__process_graves_forget();
    mp__process_starts_forget();
    mp__self_forget();
}
