/* The bell, where the kernel can sleep on a word of shared memory: a flag that says whether it was rung, or somebody
 * sleeps. */
#include "posix/posix.h"

#if MP__POSIX_WORDS

#include "core/atomic.h"
#include "core/error.h"

#include <errno.h>

enum { SILENT, RUNG, SLEEPING };

static uint32_t *state_of(mp__os_bell_t *bell)
{
    return (uint32_t *)(void *)bell;
}

mp_status_t mp__os_bell_init(mp__os_bell_t *bell)
{
    mp__store32(state_of(bell), SILENT);
    return MP_OK;
}

static mp_status_t sleep_on(uint32_t *state, mp__deadline_t deadline)
{
    if (mp__posix_words_work())
        return mp__os_word_wait(state, SLEEPING, deadline);
    /* An old system of that kind: look now and then. */
    mp__os_sleep(mp__sooner(deadline, mp__os_now() + 10 * MP__MILLISECOND));
    return mp__posix_left(deadline, 1) ? MP_OK : mp__error_native(MP_TIMEOUT, "wait for a bell", ETIMEDOUT);
}

mp_status_t mp__os_bell_wait(mp__os_bell_t *bell, mp__deadline_t deadline)
{
    uint32_t *state = state_of(bell);
    uint32_t found = SILENT;
    mp_status_t status = MP_OK;
    if (mp__cas32(state, &found, SLEEPING) || found == SLEEPING)
        status = sleep_on(state, deadline);
    return mp__swap32(state, SILENT) == RUNG ? MP_OK : status;
}

void mp__os_bell_ring(mp__os_bell_t *bell)
{
    if (mp__swap32(state_of(bell), RUNG) == SLEEPING)
        mp__os_word_wake(state_of(bell), false);
}

void mp__os_bell_fini(mp__os_bell_t *bell)
{
    mp__store32(state_of(bell), SILENT);
}

#endif
