/* Starts: when they return, what of the child's side is their error, and many side by side. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include <string.h>

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

static mp_status_t wait_for_end(mp_call_t *call)
{
    mp_value_t value;
    return mp_conn_recv(mp_arg_conn(call, 0), &value) == MP_END ? MP_OK : MP_FAILED;
}

/* A queue that has ended, and whose reference can still be sent. */
static mp_queue_t *ended_queue(void)
{
    mp_conn_t *a, *b;
    mp_queue_t *queue, *other;
    mp_value_t value;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_pipe(&a, &b, MP_DUPLEX));
    REQUIRE_OK(mp_conn_send(a, queue));
    REQUIRE_OK(mp_conn_recv(b, &value));
    other = mp_value_queue(value);
    mp_keep(other);
    mp_value_free(&value);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_conn_close(a));
    EXPECT_OK(mp_conn_close(b));
    return other;
}

/* ---- what comes from the child ---- */

static void expect_gone(void)
{
    mp_process_t *process;
    mp_queue_t *queue = ended_queue();
    EXPECT_STATUS(mp_process_start(&process, nothing, mp_args(queue)), MP_GONE);
    CU_ASSERT_PTR_NULL(process);
    EXPECT_STATUS(mp_process_start(NULL, nothing, mp_args(queue)), MP_GONE);
    REQUIRE_OK(mp_process_start_begin(&process, nothing, mp_args(queue), NULL));
    EXPECT_STATUS(mp_process_start_wait(process, mp_test_patience()), MP_GONE);
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_STATUS(mp_process_start_wait(process, 0), MP_GONE);
    mp_test_expect_end(process, 125);
    EXPECT_STATUS(mp_queue_close(queue), MP_GONE);
}

MP_CASE(arguments_that_cannot_be_received_are_an_error_of_the_start)
{
    mp_test_objects();
    mp_test_each_method(expect_gone);
}

MP_CASE(a_start_that_takes_too_long_is_withdrawn)
{
    mp_test_objects();
    mp_process_t *process;
    static const char *const waits[] = {"MP_TEST_EARLY=wait", NULL}; /* for the end of its input */
    mp_process_options_t options = {
        .method = MP_START_SPAWN, .start_timeout = 0.05, .environment = waits, .input = {MP_STDIO_PIPE, NULL}};
    EXPECT_STATUS(mp_process_start_with(&process, nothing, mp_args(), &options), MP_TIMEOUT);
    CU_ASSERT_PTR_NULL(process);
    options = (mp_process_options_t){.method = MP_START_SPAWN, .start_timeout = mp_test_patience()};
    REQUIRE_OK(mp_process_start_with(&process, nothing, mp_args(), &options));
    mp_test_expect_end(process, 0);
}

/* ---- in two halves ---- */

#define MANY 24

static void expect_many(void)
{
    mp_process_t *processes[MANY];
    mp_conn_t *mine, *theirs;
    REQUIRE_OK(mp_pipe(&mine, &theirs, MP_DUPLEX));
    for (int i = 0; i < MANY; i++)
        REQUIRE_OK(mp_process_start_begin(&processes[i], wait_for_end, mp_args(theirs), NULL));
    EXPECT_OK(mp_conn_close(theirs));
    for (int i = 0; i < MANY; i++) {
        EXPECT_OK(mp_process_start_wait(processes[i], mp_test_patience()));
        EXPECT_OK(mp_process_start_wait(processes[i], 0));
        CU_ASSERT(mp_process_is_alive(processes[i]));
    }
    EXPECT_OK(mp_conn_close(mine));
    for (int i = 0; i < MANY; i++)
        mp_test_expect_end(processes[i], 0);
}

MP_CASE(many_start_side_by_side)
{
    mp_test_objects();
    mp_test_each_method(expect_many);
}

MP_CASE(what_cannot_begin)
{
    mp_test_objects();
    mp_process_t *process;
    EXPECT_STATUS(mp_process_start_begin(NULL, nothing, mp_args(), NULL), MP_INVALID);
    EXPECT_STATUS(mp_process_start_begin(&process, NULL, mp_args(), NULL), MP_INVALID);
    CU_ASSERT_PTR_NULL(process);
    EXPECT_STATUS(mp_process_start_wait(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_process_start_wait(mp_current_process(), 0), MP_INVALID);
    REQUIRE_OK(mp_process_start(&process, nothing, mp_args()));
    EXPECT_STATUS(mp_process_start_wait(process, (double)NAN), MP_INVALID);
    EXPECT_OK(mp_process_start_wait(process, 0));
    mp_test_expect_end(process, 0);
}

MP_GUARDED_CASES(MP_ROW(arguments_that_cannot_be_received_are_an_error_of_the_start),
                 MP_ROW(a_start_that_takes_too_long_is_withdrawn), MP_ROW(many_start_side_by_side),
                 MP_ROW(what_cannot_begin));
