/* Ctrl-C: it reaches a program and all its children; the program ends by SIGINT, nobody is left, nobody says a word. */
#include "ctrl_c.h"
#include "scene.h"

#include <signal.h>
#include <stdio.h>

/* ---- the program */

static mp_status_t wait_here(mp_call_t *call)
{
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 0), mp_getpid(), MP_FOREVER) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_status_t never_rest(mp_call_t *call)
{
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 0), mp_getpid(), MP_FOREVER) == MP_OK);
    volatile bool on = true;
    while (on)
        ;
    return MP_OK;
}

static mp_status_t have_a_child(mp_call_t *call)
{
    mp_process_t *process;
    MP_CHECK(mp_process_start(&process, wait_here, mp_args(mp_arg_queue(call, 0))) == MP_OK);
    return mp_process_join(process, MP_FOREVER);
}

static void start_all(mp_queue_t *ready)
{
    static const mp_function_t functions[] = {wait_here, never_rest, have_a_child};
    mp_value_t value;
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
            MP_CHECK(mp_process_start(NULL, functions[i], mp_args(ready)) == MP_OK);
            MP_CHECK(mp_queue_get(ready, &value, mp_test_patience()) == MP_OK);
        }
    }
}

/* A pool with workers that wait, work and do nothing, and a manager. */
static void start_services(mp_queue_t *ready)
{
    mp_pool_t *pool;
    mp_manager_t *manager;
    mp_dict_t *dict;
    mp_value_t value;
    MP_CHECK(mp_pool_create(&pool, 3) == MP_OK);
    MP_CHECK(mp_pool_apply_async(pool, wait_here, mp_args(ready), NULL) == MP_OK);
    MP_CHECK(mp_pool_apply_async(pool, never_rest, mp_args(ready), NULL) == MP_OK);
    MP_CHECK(mp_queue_get(ready, &value, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_queue_get(ready, &value, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_manager_start(&manager) == MP_OK);
    MP_CHECK(mp_manager_dict(manager, &dict, mp_dict("a", 1)) == MP_OK);
}

MP_PROGRAM(works_until_interrupted)
{
    mp_queue_t *ready;
    MP_CHECK(mp_queue_create(&ready, 0) == MP_OK);
    start_all(ready);
    start_services(ready);
    mp_test_press_ctrl_c();
    mp_sleep(MP_FOREVER);
    return 0;
}

MP_CASE(ctrl_c_ends_a_program_and_all_its_children)
{
    char text[1000];
    int code = mp_test_run_group("works_until_interrupted", text, sizeof text);
    CU_ASSERT(mp_test_is_ctrl_c(code));
    CU_ASSERT_STRING_EQUAL(text, "");
    if (!mp_test_is_ctrl_c(code) || text[0])
        printf("    it ended with %d and said: %s\n", code, text);
}

/* ---- who does not end by it */

static volatile sig_atomic_t interrupts;
static mp_event_t *interrupted;

static void count_interrupt(int signal)
{
    (void)signal;
    interrupts++;
    mp_event_set(interrupted);
}

static mp_status_t answer(mp_call_t *call)
{
    return mp_return(call, mp_arg_int(call, 0) + 1);
}

/* A program that handles SIGINT goes on with its pool and its manager; its other children are gone. */
MP_PROGRAM(handles_interrupts)
{
    mp_queue_t *ready;
    mp_process_t *process;
    mp_pool_t *pool;
    mp_manager_t *manager;
    mp_dict_t *dict;
    mp_value_t value;
    int code = 0;
    MP_CHECK(mp_event_create(&interrupted) == MP_OK);
    signal(SIGINT, count_interrupt);
    MP_CHECK(mp_queue_create(&ready, 0) == MP_OK);
    MP_CHECK(mp_pool_create(&pool, 2) == MP_OK);
    MP_CHECK(mp_manager_start(&manager) == MP_OK);
    MP_CHECK(mp_manager_dict(manager, &dict, mp_dict("a", 1)) == MP_OK);
    MP_CHECK(mp_process_start(&process, wait_here, mp_args(ready)) == MP_OK);
    MP_CHECK(mp_queue_get(ready, &value, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_pool_apply(pool, answer, mp_args(1), &value, mp_test_patience()) == MP_OK);
    mp_test_press_ctrl_c();
    MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_event_wait(interrupted, mp_test_patience()) == MP_OK); /* Windows tells in a thread of its own */
    MP_CHECK(interrupts == 1);
    MP_CHECK(mp_process_exitcode(process, &code) == MP_OK && mp_test_is_ctrl_c(code));
    MP_CHECK(mp_pool_apply(pool, answer, mp_args(41), &value, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_value_int(value) == 42);
    MP_CHECK(mp_dict_get(dict, "a", &value) == MP_OK);
    MP_CHECK(mp_process_close(process) == MP_OK);
    MP_CHECK(mp_pool_free(pool) == MP_OK);
    MP_CHECK(mp_dict_close(dict) == MP_OK);
    MP_CHECK(mp_manager_shutdown(manager) == MP_OK);
    MP_CHECK(mp_queue_close(ready) == MP_OK);
    MP_CHECK(mp_event_close(interrupted) == MP_OK);
    return 5;
}

MP_CASE(workers_and_servers_ignore_ctrl_c)
{
    char text[1000];
    CU_ASSERT_EQUAL(mp_test_run_group("handles_interrupts", text, sizeof text), 5);
    CU_ASSERT_STRING_EQUAL(text, "");
}

/* ---- what a worker starts is no worker */

static mp_status_t interrupt_a_child(mp_call_t *call)
{
    mp_process_t *process;
    mp_value_t value;
    int code = 0;
    mp_queue_t *ready = mp_arg_queue(call, 0);
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        MP_CHECK(mp_process_start(&process, wait_here, mp_args(ready)) == MP_OK);
        MP_CHECK(mp_queue_get(ready, &value, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_interrupt(process) == MP_OK);
        MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_exitcode(process, &code) == MP_OK && mp_test_is_ctrl_c(code));
        MP_CHECK(mp_process_close(process) == MP_OK);
    }
    return mp_return(call, 1);
}

MP_CASE(a_workers_child_heeds_ctrl_c)
{
    signal(SIGINT, SIG_DFL); /* who runs the tests may ignore it */
    mp_test_objects();
    if (!mp_test_is_posix())
        mp_skip("Ctrl-C cannot be brought to one process");
    mp_pool_t *pool;
    mp_queue_t *ready;
    mp_value_t value;
    REQUIRE_OK(mp_pool_create(&pool, 1));
    EXPECT_OK(mp_pool_free(pool));
    mp_test_baseline(); /* the thread that watches workers is made once and stays */
    REQUIRE_OK(mp_queue_create(&ready, 0));
    REQUIRE_OK(mp_pool_create(&pool, 1));
    EXPECT_OK(mp_pool_apply(pool, interrupt_a_child, mp_args(ready), &value, mp_test_patience()));
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_OK(mp_queue_close(ready));
}

MP_GUARDED_CASES(MP_ROW(ctrl_c_ends_a_program_and_all_its_children), MP_ROW(workers_and_servers_ignore_ctrl_c),
                 MP_ROW(a_workers_child_heeds_ctrl_c), MP_SUB(works_until_interrupted), MP_SUB(handles_interrupts));
