/* The end of the program: daemons are ended, and the other children joined. */
#include "objects/process_object.h"

#include "objects/log.h"

/* A child that runs and must be waited for, kept: another thread's start may meet it when it has ended, and forget it.
 * NULL: there is no other one. */
static mp_process_t *find_running(void)
{
    if (mp__children_lock() != MP_OK)
        return NULL;
    mp_process_t *found = mp__children_first();
    while (found && (found->service || found->detached || found->awaited || mp__load32(&found->ended)))
        found = found->next;
    if (found) {
        found->awaited = true;
        mp__handle_keep(&found->handle);
    }
    mp__children_unlock();
    return found;
}

/* A daemon that does not heed SIGTERM. */
#define DAEMON_GRACE 2.0

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

static mp_status_t join_last(mp_process_t *process)
{
    mp__log(MP_LOG_DEBUG, "joining %s", process->name);
    if (process->daemon && mp_process_join(process, DAEMON_GRACE) == MP_TIMEOUT)
        (void)mp_process_kill(process);
    return mp_process_join(process, MP_FOREVER);
}

void mp__processes_end_all(void)
{
    mp_process_t *process;
    if (!mp__children_ever()) /* there was no child ever; most processes need no APR at their end, then */
        return;
    terminate_daemons();
    while ((process = find_running()) != NULL) {
        (void)join_last(process);
        mp__handle_release(&process->handle);
    }
}
