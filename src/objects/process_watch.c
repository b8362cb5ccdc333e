/* Watching a process that is no child of this one. */
#include <multiproc/process_watch.h>

#include "core/error.h"
#include "core/local.h"
#include "platform.h"

#include <stdlib.h>

struct mp_watch {
    int pid;
    mp__os_handle_t sentinel;
};

mp_status_t mp_watch_open(mp_watch_t **watch, int pid)
{
    const char *step = "watch a process";
    if (!watch || pid <= 0)
        return mp__error(MP_INVALID, step, watch ? "%d is no process's id" : "no place for the new object", pid);
    *watch = NULL;
    mp_status_t status = mp__local_init();
    if (status != MP_OK)
        return status;
    mp_watch_t *made = malloc(sizeof *made);
    if (!made)
        return mp__error(MP_NO_MEMORY, step, "no memory");
    made->pid = pid;
    status = mp__os_sentinel_open(pid, &made->sentinel);
    if (status == MP_OK)
        *watch = made;
    else
        free(made);
    return status;
}

mp_status_t mp_watch_join(const mp_watch_t *watch, double timeout)
{
    mp__deadline_t deadline;
    bool ready;
    if (!watch)
        return mp__error(MP_INVALID, "wait for a watched process", "there is none");
    mp_status_t status = mp__deadline(timeout, &deadline);
    if (status == MP_OK)
        status = mp__os_wait_any(&watch->sentinel, 1, deadline, &ready);
    return status == MP_TIMEOUT ? mp__error(MP_TIMEOUT, "wait for a watched process", "%d still lives", watch->pid)
                                : status;
}

bool mp_watch_is_alive(const mp_watch_t *watch)
{
    return watch && mp_watch_join(watch, 0) == MP_TIMEOUT;
}

int mp_watch_pid(const mp_watch_t *watch)
{
    return watch ? watch->pid : 0;
}

void mp_watch_close(mp_watch_t *watch)
{
    if (!watch)
        return;
    mp__os_handle_close(watch->sentinel);
    free(watch);
}
