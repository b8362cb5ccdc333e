/* Ending a child: asked first, or with all that it started. */
#include <multiproc/process_control.h>

#include "core/atomic.h"
#include "core/error.h"
#include "objects/process.h"

/* Who cannot be asked yet is on its way; it is asked again this often. */
#define RETRY (5 * MP__MILLISECOND)

static mp_status_t ask(mp_process_t *process, void *context)
{
    (void)context;
    uint32_t slot, epoch;
    mp__process_slot_of(process, &slot, &epoch);
    const mp__process_slot_t *place = &mp__family.processes[slot];
    uint64_t door = mp__load64(&place->door);
    if (mp__high(mp__load64(&place->claim)) != epoch)
        return MP_OK; /* it was swept */
    return mp__os_process_ask(mp__process_os(process), door);
}

static mp_status_t end_tree(mp_process_t *process, void *context)
{
    (void)context;
    return mp__os_process_kill_tree(mp__process_os(process));
}

mp_status_t mp_process_kill_tree(mp_process_t *process)
{
    return mp__process_alone(process, "end a tree of processes", end_tree, NULL);
}

mp_status_t mp_process_stop(mp_process_t *process, double grace)
{
    mp__deadline_t deadline;
    mp_status_t status = mp__deadline(grace, &deadline);
    if (status != MP_OK)
        return status;
    while ((status = mp__process_alone(process, "stop a process", ask, NULL)) == MP_BUSY && mp__os_now() < deadline &&
           mp__process_poll(process) != MP_OK)
        mp__os_sleep(mp__sooner(deadline, mp__os_now() + RETRY));
    if (status != MP_OK && status != MP_BUSY)
        return status;
    status = mp__process_join_until(process, deadline);
    if (status != MP_TIMEOUT)
        return status;
    status = mp_process_kill(process);
    return status == MP_OK ? mp_process_join(process, MP_FOREVER) : status;
}
