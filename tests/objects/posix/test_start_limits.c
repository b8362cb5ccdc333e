/* Starts for which the system has no process left. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define NO_LIMIT 55
#define NOBODY   65534

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

/* As programs do that become daemons, but too late. Whatever takes the number then, no child runs this main. */
MP_PROGRAM(closes_all_descriptors)
{
    mp_process_t *process;
    MP_CHECK(mp_process_start(&process, nothing, mp_args()) == MP_OK);
    MP_CHECK(mp_process_join(process, MP_FOREVER) == MP_OK && mp_process_close(process) == MP_OK);
    for (int fd = 3; fd < 100; fd++)
        close(fd);
    for (int round = 0; round < 2; round++) {
        MP_CHECK(mp_process_start(&process, nothing, mp_args()) == MP_STATE && !process);
        MP_CHECK(strstr(mp_error()->text, "closed"));
        for (int i = 0; i < 10; i++)
            MP_CHECK(open("/dev/null", O_RDWR | O_CLOEXEC) >= 0);
    }
    mp_test_end_now(0);
    return 0;
}

MP_CASE(a_program_that_closes_all_descriptors_starts_nothing_more)
{
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "closes_all_descriptors", NULL, 0), 0);
}

/* The superuser has no limit of processes; another one has them all together. */
MP_PROGRAM(has_no_processes_left)
{
    struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    mp_process_t *process;
    MP_CHECK(mp_process_start(&process, nothing, mp_args()) == MP_OK);
    MP_CHECK(mp_process_join(process, MP_FOREVER) == MP_OK && mp_process_close(process) == MP_OK);
    if ((getuid() == 0 && setuid(NOBODY) != 0) || setrlimit(RLIMIT_NPROC, &none) != 0)
        return NO_LIMIT;
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        mp_status_t status = mp_process_start(&process, nothing, mp_args());
        if (status == MP_OK)
            return NO_LIMIT;
        MP_CHECK(status == MP_LIMIT && mp_error()->code == EAGAIN && !process);
    }
    mp_test_end_now(0);
    return 0;
}

MP_CASE(no_processes_left)
{
    int code = mp_test_run(mp_test_program(), "has_no_processes_left", NULL, 0);
    if (code == NO_LIMIT)
        mp_skip("no such limit here");
    CU_ASSERT_EQUAL(code, 0);
}

/* The system's own limit of processor time, should a child's watching thread not get to it. */
static mp_status_t spin_under_a_limit(mp_call_t *call)
{
    (void)call;
    struct rlimit second = {.rlim_cur = 1, .rlim_max = 10};
    MP_CHECK(setrlimit(RLIMIT_CPU, &second) == 0);
    for (volatile unsigned i = 0;; i++)
        ;
    return MP_OK;
}

MP_CASE(the_systems_limit_of_processor_time_is_a_cause_too)
{
    mp_test_objects();
    mp_process_t *process;
    mp_process_result_t result;
    REQUIRE_OK(mp_process_start(&process, spin_under_a_limit, mp_args()));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_result(process, &result));
    CU_ASSERT(result.known && result.signal == SIGXCPU);
    CU_ASSERT_EQUAL(result.cause, MP_CAUSE_CPU_TIME);
    EXPECT_OK(mp_process_close(process));
}

/* A limit of memory is looked after, and is not the system's limit of addresses: the family's memory needs those. */
static mp_status_t tell_address_limit(mp_call_t *call)
{
    struct rlimit limit;
    MP_CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    return mp_exit(call, limit.rlim_cur == (rlim_t)mp_arg_uint(call, 0) ? 3 : 4);
}

static void expect_all_addresses(void)
{
    struct rlimit own;
    mp_process_t *process;
    mp_process_options_t options = {.limits = {.memory = (uint64_t)1 << 40, .cpu_time = 100, .open_files = 200}};
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_AS, &own), 0);
    if (!mp__os_caps()->memory_use)
        options.limits.memory = 0;
    REQUIRE_OK(mp_process_start_with(&process, tell_address_limit, mp_args((uint64_t)own.rlim_cur), &options));
    mp_test_expect_end(process, 3);
}

MP_CASE(limits_leave_the_addresses_alone)
{
    mp_test_objects();
    mp_test_each_method(expect_all_addresses);
}

/* What is lower already stays: a limit takes, it does not give. */
static mp_status_t tell_soft_limits(mp_call_t *call)
{
    struct rlimit files, processor;
    MP_CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0 && getrlimit(RLIMIT_CPU, &processor) == 0);
    MP_CHECK(files.rlim_max == 500);
    return mp_exit(call, files.rlim_cur == 400 && processor.rlim_cur == 50 ? 3 : 4);
}

static void expect_lower_limits(void)
{
    mp_process_t *process;
    mp_process_options_t options = {.limits = {.cpu_time = 90, .open_files = 500}};
    REQUIRE_OK(mp_process_start_with(&process, tell_soft_limits, mp_args(), &options));
    mp_test_expect_end(process, 3);
}

static void lower_soft(bool files, rlim_t value)
{
    struct rlimit limit;
    CU_ASSERT_EQUAL_FATAL(getrlimit(files ? RLIMIT_NOFILE : RLIMIT_CPU, &limit), 0);
    limit.rlim_cur = value;
    CU_ASSERT_EQUAL_FATAL(setrlimit(files ? RLIMIT_NOFILE : RLIMIT_CPU, &limit), 0);
}

MP_CASE(limits_raise_nothing)
{
    lower_soft(RLIMIT_NOFILE, 400);
    lower_soft(false, 50);
    mp_test_objects();
    mp_test_each_method(expect_lower_limits);
}

MP_GUARDED_CASES(MP_ROW(a_program_that_closes_all_descriptors_starts_nothing_more), MP_SUB(closes_all_descriptors),
                 MP_ROW(limits_raise_nothing), MP_ROW(no_processes_left),
                 MP_ROW(the_systems_limit_of_processor_time_is_a_cause_too), MP_ROW(limits_leave_the_addresses_alone),
                 MP_SUB(has_no_processes_left));
