/* What a child may use, and what ends it when it uses more. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include "family/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

static mp_process_result_t run(mp_function_t function, mp_args_t args, const mp_limits_t *limits)
{
    mp_process_options_t options = {.limits = *limits};
    mp_process_result_t result = {.known = false};
    mp_process_t *process;
    REQUIRE_OK(mp_process_start_with(&process, function, args, &options));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_result(process, &result));
    EXPECT_OK(mp_process_close(process));
    return result;
}

/* ---- processor time ---- */

static mp_status_t spin(mp_call_t *call)
{
    (void)call;
    for (volatile unsigned i = 0;; i++)
        ;
    return MP_OK;
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

static void expect_cpu_limit(void)
{
    mp_process_result_t result = run(spin, mp_args(), &(mp_limits_t){.cpu_time = 0.3});
    CU_ASSERT(result.known && result.signal == 9);
    CU_ASSERT_EQUAL(result.cause, MP_CAUSE_CPU_TIME);
    double used = result.user_time + result.system_time;
    CU_ASSERT(used >= 0.29 && used < mp_test_seconds(1));
    result = run(work, mp_args(0.1), &(mp_limits_t){.cpu_time = 30});
    CU_ASSERT(result.known && result.exit_code == 0 && result.signal == 0);
    CU_ASSERT_EQUAL(result.cause, MP_CAUSE_NONE);
}

MP_CASE(a_child_that_uses_the_processor_too_long_is_ended_for_it)
{
    mp_test_objects();
    mp_test_each_method(expect_cpu_limit);
}

/* Sleeping is not using: it lives longer than its limit. */
static mp_status_t sleep_long(mp_call_t *call)
{
    (void)call;
    mp_sleep(0.5);
    return MP_OK;
}

static void expect_sleep(void)
{
    mp_process_result_t result = run(sleep_long, mp_args(), &(mp_limits_t){.cpu_time = 0.4});
    CU_ASSERT(result.known && result.exit_code == 0 && result.signal == 0);
}

MP_CASE(sleeping_uses_no_processor)
{
    mp_test_objects();
    mp_test_each_method(expect_sleep);
}

/* Its cause is not that of the one before it in the same slot. */
static void expect_no_cause(void)
{
    mp_process_t *process;
    mp_process_result_t result;
    CU_ASSERT_EQUAL(run(spin, mp_args(), &(mp_limits_t){.cpu_time = 0.01}).cause, MP_CAUSE_CPU_TIME);
    for (int i = 0; i < 20; i++) {
        REQUIRE_OK(mp_process_start_begin(&process, spin, mp_args(), NULL));
        EXPECT_OK(mp_process_kill(process));
        EXPECT_OK(mp_process_join(process, mp_test_patience()));
        EXPECT_OK(mp_process_result(process, &result));
        CU_ASSERT(result.signal == 9 && result.cause == MP_CAUSE_NONE);
        EXPECT_OK(mp_process_close(process));
    }
}

MP_CASE(who_is_killed_by_others_has_no_cause)
{
    mp_test_objects();
    mp_test_each_method(expect_no_cause);
}

/* ---- memory ---- */

/* In steps; then stays for a while. */
static mp_status_t use_memory(mp_call_t *call)
{
    uint64_t size = mp_arg_uint(call, 0);
    char *memory = malloc((size_t)size);
    MP_CHECK(memory);
    for (uint64_t done = 0; done < size; done += MIB) {
        memset(memory + done, (int)(done / MIB) + 1, MIB);
        mp_sleep(0.001);
    }
    mp_sleep(0.3);
    int first = memory[0];
    free(memory);
    return mp_exit(call, first - 1);
}

/* A limit that the program itself does not reach, here with what sanitizers need. */
static uint64_t memory_limit(void)
{
    mp__os_usage_t usage;
    mp__os_usage(&usage, true);
    return usage.peak / MIB * MIB + 64 * MIB;
}

static void expect_memory_limit(void)
{
    uint64_t most = memory_limit();
    mp_process_result_t result = run(use_memory, mp_args(most + 64 * MIB), &(mp_limits_t){.memory = most});
    CU_ASSERT(result.known && result.signal == 9);
    CU_ASSERT_EQUAL(result.cause, MP_CAUSE_MEMORY);
    CU_ASSERT(result.peak_memory >= most);
    result = run(use_memory, mp_args(8 * MIB), &(mp_limits_t){.memory = most});
    CU_ASSERT(result.known && result.exit_code == 0 && result.signal == 0);
    CU_ASSERT_EQUAL(result.cause, MP_CAUSE_NONE);
}

MP_CASE(a_child_that_uses_too_much_memory_is_ended_for_it)
{
    mp_test_objects();
    if (!mp__os_caps()->memory_use)
        mp_skip("this system does not tell how much memory is used");
    mp_test_each_method(expect_memory_limit);
}

/* The family's memory does not count: it takes an item of twice its limit out of a queue, where it lies. */
static mp_status_t touch_arena(mp_call_t *call)
{
    uint64_t room;
    volatile const uint8_t *block = mp__block_at(mp_arg_uint(call, 0), &room);
    MP_CHECK(block);
    unsigned sum = 0;
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < mp_arg_uint(call, 1); i += 4096)
            sum += block[i];
        mp_sleep(0.1);
    }
    return mp_exit(call, sum == 0 ? 0 : 1);
}

static void expect_shared_free(void)
{
    uint64_t most = memory_limit(), name;
    (void)mp_test_board_create((size_t)(most + 64 * MIB), &name);
    mp_process_result_t result = run(touch_arena, mp_args(name, most + 64 * MIB), &(mp_limits_t){.memory = most});
    CU_ASSERT(result.known && result.exit_code == 0 && result.signal == 0);
    mp_test_board_free(name);
}

MP_CASE(shared_memory_does_not_count)
{
    mp_test_objects();
    if (!mp__os_caps()->memory_use)
        mp_skip("this system does not tell how much memory is used");
    mp_test_each_method(expect_shared_free);
}

/* ---- files and processes ---- */

static mp_status_t open_files(mp_call_t *call)
{
    FILE *files[64];
    int count = 0;
    while (count < 64 && (files[count] = fopen(mp_arg_str(call, 0), "rb")) != NULL)
        count++;
    for (int i = 0; i < count; i++)
        fclose(files[i]);
    return mp_exit(call, count);
}

static void expect_few_files(void)
{
    mp_limits_t limits = {.open_files = 40};
    mp_process_result_t result = run(open_files, mp_args(mp_test_program()), &limits);
    CU_ASSERT(result.known && result.exit_code > 0 && result.exit_code < 40);
    result = run(open_files, mp_args(mp_test_program()), &(mp_limits_t){.open_files = 0});
    CU_ASSERT_EQUAL(result.exit_code, 64);
}

MP_CASE(a_child_opens_no_more_files_than_it_may)
{
    mp_test_objects();
    if (!mp__os_caps()->limit_files)
        mp_skip("this system has no limit of files");
    mp_test_each_method(expect_few_files);
}

/* How many of four children came to be? */
static mp_status_t start_four(mp_call_t *call)
{
    mp_process_t *processes[4];
    int count = 0;
    for (int i = 0; i < 4; i++)
        if (mp_process_start(&processes[count], sleep_long, mp_args()) == MP_OK)
            count++;
    for (int i = 0; i < count; i++) {
        MP_CHECK(mp_process_kill(processes[i]) == MP_OK);
        MP_CHECK(mp_process_join(processes[i], mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_close(processes[i]) == MP_OK);
    }
    return mp_exit(call, count);
}

MP_CASE(a_child_starts_no_more_processes_than_it_may)
{
    mp_test_objects();
    if (!mp__os_caps()->limit_processes)
        mp_skip("this system has no limit of a child's processes");
    mp_process_result_t result = run(start_four, mp_args(), &(mp_limits_t){.processes = 3});
    if (mp_test_emulator() && result.exit_code == 4)
        mp_skip("Wine takes the limit and does not keep it");
    CU_ASSERT(result.known && result.exit_code == 2);
}

/* ---- what cannot be limited ---- */

static void expect_refused(const mp_limits_t *limits, mp_status_t expected)
{
    mp_process_options_t options = {.limits = *limits};
    mp_process_t *process = mp_current_process();
    EXPECT_STATUS(mp_process_start_with(&process, nothing, mp_args(), &options), expected);
    CU_ASSERT_PTR_NULL(process);
}

MP_CASE(limits_that_cannot_be_had_are_refused)
{
    mp_test_objects();
    const mp__os_caps_t *caps = mp__os_caps();
    expect_refused(&(mp_limits_t){.cpu_time = -1}, MP_INVALID);
    expect_refused(&(mp_limits_t){.cpu_time = (double)NAN}, MP_INVALID);
    if (!caps->memory_use)
        expect_refused(&(mp_limits_t){.memory = MIB}, MP_UNSUPPORTED);
    if (!caps->limit_files)
        expect_refused(&(mp_limits_t){.open_files = 40}, MP_UNSUPPORTED);
    if (!caps->limit_processes)
        expect_refused(&(mp_limits_t){.processes = 40}, MP_UNSUPPORTED);
    mp_process_result_t result = run(nothing, mp_args(), &(mp_limits_t){.cpu_time = MP_FOREVER});
    CU_ASSERT(result.known && result.exit_code == 0);
}

MP_GUARDED_CASES(MP_ROW(a_child_that_uses_the_processor_too_long_is_ended_for_it), MP_ROW(sleeping_uses_no_processor),
                 MP_ROW(who_is_killed_by_others_has_no_cause),
                 MP_ROW(a_child_that_uses_too_much_memory_is_ended_for_it), MP_ROW(shared_memory_does_not_count),
                 MP_ROW(a_child_opens_no_more_files_than_it_may), MP_ROW(a_child_starts_no_more_processes_than_it_may),
                 MP_ROW(limits_that_cannot_be_had_are_refused));
