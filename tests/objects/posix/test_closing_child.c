/* A child that closes all its descriptors, also its end of what its parent waits for. */
#include "../scene.h"
#include "system.h"

#include <unistd.h>

#define STAYS 0.5

static mp_status_t close_all(mp_call_t *call)
{
    (void)call;
    for (int i = 3; i < 1024; i++)
        close(i);
    mp_sleep(STAYS);
    _exit(3);
}

MP_CASE(its_parent_does_not_ask_all_the_time)
{
    mp_process_t *process;
    mp_process_options_t options = {.method = MP_START_SPAWN, .detach = true}; /* else it ends with its lifeline */
    mp_test_objects();
    REQUIRE_OK(mp_process_start_with(&process, close_all, mp_args(), &options));
    double before = mp_test_processor_time();
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    CU_ASSERT(mp_test_processor_time() - before < STAYS / 5);
    mp_test_expect_end(process, 3);
}

MP_GUARDED_CASES(MP_ROW(its_parent_does_not_ask_all_the_time));
