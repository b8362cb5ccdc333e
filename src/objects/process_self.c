/* This process as a process object, and its parent. */
#include "objects/process_object.h"

#include <stdio.h>

static uint32_t started;            /* children so far, for their names */
static char identity[MP__IDENTITY]; /* "" in the root, "2:1" in the first child of the second child */

static mp_process_t self = {.role = MP__ROLE_SELF, .name = "MainProcess"};
static mp_process_t parent = {.role = MP__ROLE_PARENT};
static mp__os_handle_t parent_lifeline = MP__NO_HANDLE;

mp_status_t mp__self_number_child(bool unwatched, char *child_identity, size_t size)
{
    uint32_t number = unwatched ? 0 : mp__add32(&started, 1) + 1;
    int length = snprintf(child_identity, size, identity[0] ? "%s:%u" : "%s%u", identity, number);
    return length < (int)size ? MP_OK : mp__error(MP_LIMIT, "start a process", "too many generations of processes");
}

void mp__self_forget(void)
{
    started = 0;
}

void mp__process_become(const char *own_identity, bool daemon, uint32_t parent_slot, uint32_t parent_epoch,
                        mp__os_handle_t lifeline)
{
    const mp__process_slot_t *slot = &mp__family.processes[mp__family.process];
    snprintf(identity, sizeof identity, "%s", own_identity);
    snprintf(self.name, sizeof self.name, "%.63s", slot->name);
    snprintf(parent.name, sizeof parent.name, "%.63s", slot->parent_name);
    parent.os.pid = (int32_t)slot->parent_pid;
    self.daemon = daemon;
    parent_lifeline = lifeline;
    parent.slot = parent_slot;
    parent.epoch = parent_epoch;
}

bool mp__process_is_parent(const mp_process_t *process)
{
    return process == &parent;
}

bool mp__parent_is_alive(void)
{
    return mp__family_join() == MP_OK && !mp__process_dead(parent.slot, parent.epoch);
}

mp__os_handle_t mp__parent_lifeline(void)
{
    return parent_lifeline;
}

/* The lifeline alone does not do: where it is a pipe, whoever its process forked holds its other end too. */
mp_status_t mp__parent_join(mp__deadline_t deadline)
{
    while (mp__parent_is_alive()) {
        mp__deadline_t slice = mp__sooner(deadline, mp__os_now() + MP__PARK_SLICE);
        bool ready;
        if (deadline <= mp__os_now())
            return mp__error(MP_TIMEOUT, "join a process", "%s still runs", parent.name);
        if (parent_lifeline == MP__NO_HANDLE || mp__os_wait_any(&parent_lifeline, 1, slice, &ready) != MP_TIMEOUT)
            mp__os_sleep(mp__sooner(deadline, mp__os_now() + MP__LOOK));
    }
    return MP_OK;
}

mp_process_t *mp_current_process(void)
{
    return &self;
}

mp_process_t *mp_parent_process(void)
{
    return parent.os.pid ? &parent : NULL;
}
