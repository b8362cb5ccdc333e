/* How a child ended and what it used. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

/* Waits for the end; closes it. */
static mp_process_result_t end_of(mp_process_t *process)
{
    mp_process_result_t result;
    memset(&result, 0xff, sizeof result);
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_result(process, &result));
    EXPECT_OK(mp_process_close(process));
    return result;
}

static mp_status_t stay(mp_call_t *call)
{
    (void)call;
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_status_t leave(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

static void expect_codes(void)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, leave, mp_args(7)));
    mp_process_result_t result = end_of(process);
    CU_ASSERT(result.known && result.exit_code == 7 && result.signal == 0 && !result.core_dumped);
    CU_ASSERT_EQUAL(result.cause, MP_CAUSE_NONE);
    REQUIRE_OK(mp_process_start(&process, stay, mp_args()));
    EXPECT_STATUS(mp_process_result(process, &result), MP_RUNNING);
    EXPECT_OK(mp_process_terminate(process));
    result = end_of(process);
    CU_ASSERT(result.known && result.exit_code == 0 && result.signal == 15);
    CU_ASSERT_EQUAL(result.cause, MP_CAUSE_NONE);
    REQUIRE_OK(mp_process_start(&process, stay, mp_args()));
    EXPECT_OK(mp_process_kill(process));
    result = end_of(process);
    CU_ASSERT(result.known && result.exit_code == 0 && result.signal == 9);
}

MP_CASE(a_result_is_an_exit_code_or_a_signal)
{
    mp_test_objects();
    mp_test_each_method(expect_codes);
}

static mp_status_t fail_with_words(mp_call_t *call)
{
    return mp_fail(call, 77, "no such file: %s", "x");
}

static mp_status_t want_a_number(mp_call_t *call)
{
    return mp_arg_int(call, 0) ? MP_OK : mp_call_status(call);
}

static void expect_words(void)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, fail_with_words, mp_args()));
    mp_process_result_t result = end_of(process);
    CU_ASSERT(result.exit_code == 1 && result.error.status == MP_FAILED && result.error.code == 77);
    CU_ASSERT_STRING_EQUAL(result.error.text, "no such file: x");
    REQUIRE_OK(mp_process_start(&process, want_a_number, mp_args("many")));
    result = end_of(process);
    CU_ASSERT(result.exit_code == 1 && result.error.status == MP_TYPE);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.error.text, "expected int"));
    REQUIRE_OK(mp_process_start(&process, leave, mp_args(7)));
    CU_ASSERT_EQUAL(end_of(process).error.status, MP_OK);
    REQUIRE_OK(mp_process_start(&process, stay, mp_args()));
    EXPECT_OK(mp_process_kill(process));
    CU_ASSERT_EQUAL(end_of(process).error.status, MP_OK);
}

MP_CASE(a_failed_functions_words_reach_the_parent)
{
    mp_test_objects();
    mp_test_each_method(expect_words);
}

static mp_status_t work(mp_call_t *call)
{
    double seconds = mp_arg_double(call, 0);
    mp__os_usage_t used;
    do {
        mp__os_usage(&used, false);
    } while ((double)(used.user + used.system) / 1e9 < seconds);
    return MP_OK;
}

static void expect_times(void)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, leave, mp_args(0)));
    mp_process_result_t idle = end_of(process);
    REQUIRE_OK(mp_process_start(&process, work, mp_args(0.4)));
    mp_process_result_t busy = end_of(process);
    double used = busy.user_time + busy.system_time;
    CU_ASSERT(used >= 0.4 && used < mp_test_seconds(2));
    CU_ASSERT(idle.user_time + idle.system_time < used);
}

MP_CASE(a_result_has_the_processor_time)
{
    mp_test_objects();
    mp_test_each_method(expect_times);
}

static mp_status_t use_memory(mp_call_t *call)
{
    size_t size = (size_t)mp_arg_uint(call, 0);
    char *memory = malloc(size);
    MP_CHECK(memory);
    mp__os_usage_t used;
    do { /* long enough to be told */
        memset(memory, 1, size);
        mp__os_usage(&used, false);
    } while (used.user + used.system < 20 * MP__MILLISECOND);
    int sum = memory[size / 3] + memory[size / 2];
    free(memory);
    return mp_exit(call, sum - 2);
}

/* The parent's own memory does not count. */
static void expect_peak(void)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, use_memory, mp_args(60 * MIB)));
    mp_process_result_t large = end_of(process);
    REQUIRE_OK(mp_process_start(&process, use_memory, mp_args(1 * MIB)));
    mp_process_result_t small = end_of(process);
    CU_ASSERT(large.exit_code == 0 && small.exit_code == 0);
    CU_ASSERT(large.peak_memory >= 60 * MIB);
    CU_ASSERT(small.peak_memory > 0);
    bool fresh = strcmp(mp_get_start_method(), "spawn") == 0 && mp__os_caps()->memory_use && !mp_test_is_sanitized();
    if (fresh)
        CU_ASSERT(small.peak_memory < 60 * MIB);
}

MP_CASE(a_result_has_the_peak_of_memory)
{
    mp_test_objects();
    size_t size = (size_t)100 << 20;
    char *ballast = malloc(size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ballast);
    memset(ballast, 1, size);
    mp_test_each_method(expect_peak);
    CU_ASSERT_EQUAL(ballast[size / 2], 1);
    free(ballast);
}

MP_CASE(what_has_no_result)
{
    mp_test_objects();
    mp_process_result_t result;
    mp_process_t *process;
    EXPECT_STATUS(mp_process_result(NULL, &result), MP_INVALID);
    EXPECT_STATUS(mp_process_result(mp_current_process(), &result), MP_INVALID);
    REQUIRE_OK(mp_process_start(&process, leave, mp_args(0)));
    EXPECT_STATUS(mp__process_result(process, NULL, sizeof result), MP_INVALID);
    /* A program that was compiled when a result was shorter. */
    memset(&result, 0x55, sizeof result);
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp__process_result(process, &result, offsetof(mp_process_result_t, core_dumped)));
    CU_ASSERT(result.exit_code == 0 && result.signal == 0);
    CU_ASSERT_EQUAL((unsigned)result.cause, 0x55555555u);
    mp_test_expect_end(process, 0);
}

MP_GUARDED_CASES(MP_ROW(a_result_is_an_exit_code_or_a_signal), MP_ROW(a_failed_functions_words_reach_the_parent),
                 MP_ROW(a_result_has_the_processor_time), MP_ROW(a_result_has_the_peak_of_memory),
                 MP_ROW(what_has_no_result));
