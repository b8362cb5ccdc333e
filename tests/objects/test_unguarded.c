/* A program that never calls mp_freeze_support: it gets an error, and starts nothing. */
#include "harness.h"
#include "system.h"

#include "core/local.h"
#include "objects/start.h"

#include <multiproc.h>

#include <apr_env.h>

#include <stdio.h>
#include <string.h>

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

/* What a user wrote who forgot the guard. */
MP_PROGRAM(forgets_the_guard)
{
    mp_process_t *process;
    for (int i = 0; i < 3; i++) {
        mp_status_t status = mp_process_start(&process, nothing, mp_args());
        if (status != MP_OK) {
            char text[400];
            puts(mp_error_format(text, sizeof text, "start"));
            return 1;
        }
    }
    puts("started");
    return 0;
}

MP_CASE(an_unguarded_program_starts_nothing)
{
    long pids[8];
    mp_process_t *none;
    EXPECT_STATUS(mp_process_start(&none, nothing, mp_args()), MP_NOT_GUARDED);
    mp_test_baseline();
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        mp_process_t *process = mp_current_process();
        REQUIRE_OK(mp_set_start_method(*method, true));
        EXPECT_STATUS(mp_process_start(&process, nothing, mp_args()), MP_NOT_GUARDED);
        CU_ASSERT_PTR_NULL(process);
        CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "mp_freeze_support"));
        EXPECT_STATUS(mp_process_start(NULL, nothing, mp_args()), MP_NOT_GUARDED);
        CU_ASSERT_EQUAL(mp_test_children(pids, 8), 0);
    }
}

/* One clear error, an exit code, no storm of processes. */
static void expect_one_line(char *output, size_t size)
{
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "forgets_the_guard", output, size), 1);
    const char *end = strchr(output, '\n');
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "mp_freeze_support"));
    CU_ASSERT(end && (end[1] == '\0' || strcmp(end, "\r\n") == 0)); /* one line, so no process but that one ran main */
}

MP_CASE(A18)
{
    char output[1000];
    apr_pool_t *pool;
    REQUIRE_OK(mp__local_pool(&pool));
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        CU_ASSERT_EQUAL(apr_env_set("MP_START_METHOD", *method, pool), APR_SUCCESS);
        expect_one_line(output, sizeof output);
    }
    CU_ASSERT_EQUAL(apr_env_delete("MP_START_METHOD", pool), APR_SUCCESS);
    apr_pool_destroy(pool);
}

/* Everything else is there for it. */
MP_CASE(it_can_use_objects)
{
    mp_queue_t *queue;
    mp_value_t value;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_OK(mp_queue_put(queue, 5, 0));
    EXPECT_OK(mp_queue_get(queue, &value, 0));
    CU_ASSERT_EQUAL(mp_value_int(value), 5);
    EXPECT_OK(mp_queue_close(queue));
    mp_test_baseline();
}

static int refuse(void (*handler)(void))
{
    (void)handler;
    return 1;
}

/* A child that cannot prepare itself does not run the program's main in its function's place. */
MP_CASE(who_is_invited_and_unable_ends)
{
    const mp__program_t program = {.at_exit = refuse, .flush = mp__flush_program, .terminate = mp__terminate_program};
    int code = 0;
    REQUIRE_OK(mp__os_environment_set("MULTIPROC_CHILD=1:"));
    CU_ASSERT(mp__freeze_support(0, NULL, MP_ABI_VERSION, &program, &code));
    CU_ASSERT_EQUAL(code, MP__EXIT_UNUSABLE);
    CU_ASSERT_FALSE(mp__freeze_support(0, NULL, MP_ABI_VERSION, &program, &code));
}

MP_CASES(MP_ROW(who_is_invited_and_unable_ends), MP_ROW(an_unguarded_program_starts_nothing), MP_ROW(A18),
         MP_ROW(it_can_use_objects), MP_SUB(forgets_the_guard));
