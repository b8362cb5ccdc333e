/* How a child ended: the system's word, else its own; and which limit it was ended for. */
#include <multiproc/process_control.h>

#include "core/atomic.h"
#include "core/error.h"
#include "objects/process.h"
#include "objects/start.h"

#include <string.h>

/* Its own word before the system's: that one adds its children's use of processors on some systems, may tell the
 * memory of who started it, and under Wine tells the processor time of who asks. Who is killed leaves no word. */
static void choose_usage(mp__os_usage_t *usage, const mp__os_usage_t *own)
{
    if (own->user + own->system > 0) {
        usage->user = own->user;
        usage->system = own->system;
    }
    if (own->peak)
        usage->peak = own->peak;
}

void mp__process_ending(mp__ending_t *ending, const mp__os_exit_t *system, const mp__process_slot_t *slot)
{
    uint64_t record = slot ? mp__load64(&slot->exit) : 0;
    uint32_t cause = slot ? mp__load32(&slot->cause) : 0;
    *ending = (mp__ending_t){.known = true, .system = *system};
    if (system->end == MP__OS_SIGNALLED)
        ending->code = -system->code;
    else if (system->end == MP__OS_EXITED)
        ending->code = system->code;
    else if (mp__high(record) == 1)
        ending->code = (int)mp__low(record);
    else
        ending->known = false;
    if (slot) {
        choose_usage(&ending->system.usage, &slot->usage);
        mp__start_failure(slot, &ending->error);
    }
    if (system->end != MP__OS_EXITED && cause <= MP_CAUSE_MEMORY)
        ending->cause = cause;
    if (!ending->cause && system->cpu_limit)
        ending->cause = MP_CAUSE_CPU_TIME;
}

mp_status_t mp__process_result(mp_process_t *process, mp_process_result_t *result, size_t size)
{
    const char *step = "ask how a process ended";
    if (!result)
        return mp__error(MP_INVALID, step, "no place for it");
    mp_status_t status = mp__process_check_ended(process, step);
    if (status != MP_OK)
        return status;
    const mp__ending_t *ending = mp__process_ended_how(process);
    bool signalled = ending->system.end == MP__OS_SIGNALLED;
    mp_process_result_t whole = {.known = ending->known,
                                 .exit_code = ending->known && !signalled ? ending->code : 0,
                                 .signal = signalled ? ending->system.code : 0,
                                 .core_dumped = ending->system.core_dumped,
                                 .cause = (mp_cause_t)ending->cause,
                                 .user_time = (double)ending->system.usage.user / (double)MP__SECOND,
                                 .system_time = (double)ending->system.usage.system / (double)MP__SECOND,
                                 .peak_memory = ending->system.usage.peak,
                                 .error = ending->error};
    memcpy(result, &whole, size < sizeof whole ? size : sizeof whole);
    return MP_OK;
}
