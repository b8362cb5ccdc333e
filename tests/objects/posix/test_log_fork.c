/* Logging and fork: a child is not forked in the midst of a call of the sink, whose locks it would inherit for ever. */
#include "../scene.h"
#include "system.h"

#include <multiproc.h>

#include <pthread.h>

static pthread_mutex_t sinks_lock = PTHREAD_MUTEX_INITIALIZER;

static void take_long(const mp_log_line_t *line)
{
    (void)line;
    pthread_mutex_lock(&sinks_lock);
    mp_sleep(0.002);
    pthread_mutex_unlock(&sinks_lock);
}

static mp_status_t lock_too(mp_call_t *call)
{
    (void)call;
    pthread_mutex_lock(&sinks_lock);
    pthread_mutex_unlock(&sinks_lock);
    return MP_OK;
}

MP_CASE(no_fork_in_the_midst_of_a_sink)
{
    mp_test_objects();
    REQUIRE_OK(mp_set_start_method("fork", true));
    REQUIRE_OK(mp_log_set(MP_LOG_WARNING, take_long));
    for (int i = 0; i < 50; i++) {
        mp_process_t *process;
        for (int j = 0; j < 3; j++)
            mp_log(MP_LOG_WARNING, "line %d", j);
        REQUIRE_OK(mp_process_start(&process, lock_too, mp_args()));
        mp_test_expect_end(process, 0);
    }
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
}

MP_GUARDED_CASES(MP_ROW(no_fork_in_the_midst_of_a_sink));
