/*
 * The thread of a child that looks after it: its parent's end, its limits, and being asked to end; only where the
 * system does none of it.
 *
 * A child's limits are its own thread's affair: that thread lives exactly as long as what it watches, needs nobody's
 * rights, and cannot mistake a process for another one.
 */
#include "objects/watcher.h"

#include "core/local.h"
#include "family/family.h"
#include "objects/start.h"

#include <multiproc/process_control.h>

#define EXIT_ORPHAN 255
#define PERIOD      (50 * MP__MILLISECOND) /* of looking at limits */

enum { UNWATCHED, BEGINNING, WATCHED };

static struct {
    uint32_t state;
    mp__os_handle_t lifeline;
    mp__os_event_t asked;
    int64_t cpu_time;
    uint64_t memory;
} watcher;

/* Its parent learns why, whatever ends it first. */
static void end_for(mp_cause_t cause)
{
    mp__process_slot_t *slot = &mp__family.processes[mp__family.process];
    mp__os_usage(&slot->usage, true);
    mp__store32(&slot->cause, (uint32_t)cause);
    mp__os_end_by_signal(true);
}

static void look_at_limits(void)
{
    mp__os_usage_t usage;
    mp__os_usage(&usage, false);
    if (watcher.cpu_time && usage.user + usage.system >= watcher.cpu_time)
        end_for(MP_CAUSE_CPU_TIME);
    if (watcher.memory && mp__os_memory_used() > watcher.memory)
        end_for(MP_CAUSE_MEMORY);
}

/* As SIGTERM does, where there are signals: a program that handles it is told, any other ends. */
static void be_asked(void)
{
    mp__os_event_clear(&watcher.asked);
    if (!mp__program()->terminate())
        mp__os_end_by_signal(false);
}

static void watch(void *unused)
{
    (void)unused;
    mp__os_handle_t handles[2];
    size_t count = 0;
    if (watcher.lifeline != MP__NO_HANDLE)
        handles[count++] = watcher.lifeline;
    if (watcher.asked.wait != MP__NO_HANDLE)
        handles[count++] = watcher.asked.wait;
    bool limited = watcher.cpu_time || watcher.memory;
    mp__store32(&watcher.state, WATCHED);
    for (;;) {
        bool ready[2] = {false, false};
        mp__local_park();
        mp_status_t status = mp__os_wait_any(handles, count, limited ? mp__os_now() + PERIOD : MP__NEVER, ready);
        mp__local_unpark();
        /* A lifeline that the program closed itself tells nothing any more, and is another thing soon. */
        if (watcher.lifeline != MP__NO_HANDLE && (ready[0] || status == MP_INVALID))
            mp__os_end_now(EXIT_ORPHAN);
        if (watcher.asked.wait != MP__NO_HANDLE && ready[count - 1])
            be_asked();
        if (limited)
            look_at_limits();
        if (status != MP_OK && status != MP_TIMEOUT)
            mp__local_nap(PERIOD);
    }
}

/* The parent may have ended before the system was told to look. */
static void end_if_orphaned(mp__os_handle_t lifeline)
{
    bool ready;
    if (mp__os_wait_any(&lifeline, 1, 0, &ready) == MP_OK)
        mp__os_end_now(EXIT_ORPHAN);
}

mp_status_t mp__watcher_begin(mp__os_handle_t lifeline, bool own, const mp__settings_t *settings)
{
    uint64_t door;
    apr_pool_t *pool;
    mp_status_t status = mp__os_door_create(&watcher.asked, &door);
    bool armed = own && mp__os_lifeline_arm(lifeline);
    if (armed)
        end_if_orphaned(lifeline);
    watcher.lifeline = armed ? MP__NO_HANDLE : lifeline;
    watcher.cpu_time = settings->cpu_time;
    watcher.memory = settings->memory;
    if (status == MP_OK && watcher.lifeline == MP__NO_HANDLE && !door && !watcher.cpu_time && !watcher.memory)
        return MP_OK;
    if (status == MP_OK)
        status = mp__local_pool(&pool);
    if (status != MP_OK)
        return status;
    mp__store32(&watcher.state, BEGINNING);
    status = mp__local_thread(NULL, MP__SMALL_STACK, watch, NULL, pool);
    if (status == MP_OK)
        mp__store64(&mp__family.processes[mp__family.process].door, door);
    else
        mp__store32(&watcher.state, UNWATCHED);
    return status;
}

void mp__watcher_await(void)
{
    while (mp__load32(&watcher.state) == BEGINNING)
        mp__os_yield();
}
