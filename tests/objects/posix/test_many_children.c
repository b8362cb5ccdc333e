/* What a child costs its parent: one descriptor; and what happens when there are none left. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define NO_LIMIT 55
#define MOST     1000

static mp_status_t stay(mp_call_t *call)
{
    (void)call;
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static mp_process_t *processes[MOST + 200];

static void end_all(int n)
{
    for (int i = 0; i < n; i++)
        MP_CHECK(mp_process_kill(processes[i]) == MP_OK);
    for (int i = 0; i < n; i++) {
        MP_CHECK(mp_process_join(processes[i], mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_close(processes[i]) == MP_OK);
    }
}

static size_t descriptors(void)
{
    static uintptr_t open[2 * MOST];
    return mp_test_handles(open, sizeof open / sizeof open[0]);
}

static bool limit_descriptors(rlim_t most)
{
    struct rlimit limit;
    MP_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < most)
        return false;
    limit.rlim_cur = most;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* A sanitizer's shadow makes each child large. */
static int count_of_many(void)
{
    return mp_test_is_sanitized() ? MOST / 20 : MOST;
}

/* What is made once is made then. */
static void start_one(void)
{
    MP_CHECK(mp_process_start(&processes[0], stay, mp_args()) == MP_OK);
    end_all(1);
}

MP_PROGRAM(starts_many)
{
    int n = count_of_many();
    if (!limit_descriptors((rlim_t)n + 100))
        return NO_LIMIT;
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        start_one();
        size_t before = descriptors();
        for (int i = 0; i < n; i++)
            MP_CHECK(mp_process_start_begin(&processes[i], stay, mp_args(), NULL) == MP_OK);
        MP_CHECK(descriptors() <= before + (size_t)n);
        for (int i = 0; i < n; i++)
            MP_CHECK(mp_process_start_wait(processes[i], mp_test_patience()) == MP_OK);
        for (int i = 0; i < n; i++)
            MP_CHECK(mp_process_is_alive(processes[i]));
        end_all(n);
        MP_CHECK(descriptors() == before);
    }
    mp_test_end_now(0); /* a sanitizer would like more files at the end */
    return 0;
}

MP_CASE(a_thousand_children_take_a_thousand_descriptors)
{
    int code = mp_test_run(mp_test_program(), "starts_many", NULL, 0);
    if (code == NO_LIMIT)
        mp_skip("this process may not have so many descriptors");
    CU_ASSERT_EQUAL(code, 0);
}

/* Until there are none left: that is said, the others live, and one that ends makes room for another. */
MP_PROGRAM(uses_them_up)
{
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        start_one();
    }
    if (!mp_test_limit_handles(12))
        return NO_LIMIT;
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        int n = 0;
        mp_status_t status;
        mp_process_t *refused;
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        while ((status = mp_process_start(&processes[n], stay, mp_args())) == MP_OK && n < 50)
            n++;
        MP_CHECK(status == MP_LIMIT && (mp_error()->code == EMFILE || mp_error()->code == ENFILE));
        MP_CHECK(mp_error()->step[0] && !processes[n]);
        MP_CHECK(n >= 4);
        for (int i = 0; i < n; i++)
            MP_CHECK(mp_process_is_alive(processes[i]));
        end_all(1);
        MP_CHECK(mp_process_start(&processes[0], stay, mp_args()) == MP_OK);
        MP_CHECK(mp_process_start(&refused, stay, mp_args()) == MP_LIMIT);
        end_all(n);
    }
    mp_test_end_now(0);
    return 0;
}

MP_CASE(no_descriptors_left_is_an_error_with_a_name)
{
    int code = mp_test_run(mp_test_program(), "uses_them_up", NULL, 0);
    if (code == NO_LIMIT)
        mp_skip("no such limit here");
    CU_ASSERT_EQUAL(code, 0);
}

/* Where the kernel ends a child with its parent, no thread need watch. */
static mp_status_t count_threads(mp_call_t *call)
{
    int count = 0;
    DIR *threads = opendir("/proc/self/task");
    MP_CHECK(threads);
    for (const struct dirent *entry; (entry = readdir(threads)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(threads);
    return mp_exit(call, count);
}

static void expect_one_thread(void)
{
    mp_process_t *process;
    mp_process_options_t options = {.limits = {.cpu_time = 100}};
    int one = mp__os_caps()->ends_stopped ? 1 : 2;
    REQUIRE_OK(mp_process_start(&process, count_threads, mp_args()));
    mp_test_expect_end(process, one);
    REQUIRE_OK(mp_process_start_with(&process, count_threads, mp_args(), &options));
    mp_test_expect_end(process, 2);
}

MP_CASE(a_child_has_a_thread_of_the_librarys_only_for_its_limits)
{
    mp_test_objects();
    if (access("/proc/self/task", R_OK) != 0 || mp_test_is_sanitized())
        mp_skip("nobody counts threads here");
    mp_test_each_method(expect_one_thread);
}

MP_GUARDED_CASES(MP_ROW(a_thousand_children_take_a_thousand_descriptors), MP_SUB(starts_many),
                 MP_ROW(no_descriptors_left_is_an_error_with_a_name), MP_SUB(uses_them_up),
                 MP_ROW(a_child_has_a_thread_of_the_librarys_only_for_its_limits));
