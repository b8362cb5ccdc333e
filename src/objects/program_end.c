/* The end of the program: daemons are ended, and the other children joined. */
#include "objects/process_object.h"

#include "objects/log.h"

/* A child that runs and must be waited for, kept: another thread's start may meet it when it has ended, and forget it.
 * NULL: there is no other one. */
static mp_process_t *find_running(bool daemon)
{
    if (mp__children_lock() != MP_OK)
        return NULL;
    mp_process_t *found = mp__children_first();
    while (found && (found->daemon != daemon || found->service || found->detached || found->awaited ||
                     mp__load32(&found->ended)))
        found = found->next;
    if (found) {
        found->awaited = true;
        mp__handle_keep(&found->handle);
    }
    mp__children_unlock();
    return found;
}

static void terminate_daemons(void)
{
    if (mp__children_lock() != MP_OK)
        return;
    for (mp_process_t *process = mp__children_first(); process; process = process->next)
        if (process->daemon && !process->known) {
            mp__log(MP_LOG_DEBUG, "terminating daemon %s", process->name);
            (void)mp__os_process_signal(&process->os, false);
        }
    mp__children_unlock();
}

/* Nobody reads and writes them any more, and a child that waits for the end of its input, or for room in its output,
 * would wait for ever. */
static void close_streams(void)
{
    if (mp__children_lock() != MP_OK)
        return;
    for (mp_process_t *process = mp__children_first(); process; process = process->next)
        mp__streams_retire(&process->streams);
    mp__children_unlock();
}

static void join_all(bool daemon, mp__deadline_t deadline)
{
    mp_process_t *process;
    while ((process = find_running(daemon)) != NULL) {
        mp__log(MP_LOG_DEBUG, "joining %s", process->name);
        if (mp__process_join_until(process, deadline) == MP_TIMEOUT) {
            (void)mp_process_kill(process);
            (void)mp__process_join_until(process, MP__NEVER);
        }
        mp__handle_release(&process->handle);
    }
}

/* For all daemons that do not heed SIGTERM together. */
#define DAEMON_GRACE (2 * MP__SECOND)

void mp__processes_end_all(void)
{
    if (!mp__children_ever()) /* there was no child ever; most processes need no APR at their end, then */
        return;
    terminate_daemons();
    close_streams();
    join_all(true, mp__os_now() + DAEMON_GRACE);
    join_all(false, MP__NEVER);
}
