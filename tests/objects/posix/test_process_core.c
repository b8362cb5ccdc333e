/* How children end that crash, and what is known of those whom the host reaps. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* argument 0: may it leave a core? */
static mp_status_t crash(mp_call_t *call)
{
    struct rlimit limit;
    MP_CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
    limit.rlim_cur = mp_arg_bool(call, 0) ? limit.rlim_max : 0;
    MP_CHECK(setrlimit(RLIMIT_CORE, &limit) == 0);
    signal(SIGABRT, SIG_DFL);
    raise(SIGABRT);
    return MP_OK;
}

static mp_process_result_t crash_in(const char *folder, bool core)
{
    mp_process_options_t options = {.directory = folder};
    mp_process_result_t result = {.known = false};
    mp_process_t *process;
    REQUIRE_OK(mp_process_start_with(&process, crash, mp_args(mp_bool(core)), &options));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_result(process, &result));
    EXPECT_OK(mp_process_close(process));
    return result;
}

static size_t empty_folder(const char *folder)
{
    size_t count = 0;
    DIR *list = opendir(folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(list);
    struct dirent *entry;
    while ((entry = readdir(list)) != NULL) {
        char path[1000];
        if (entry->d_name[0] == '.')
            continue;
        count++;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    closedir(list);
    return count;
}

static void expect_core(void)
{
    char folder[700];
    snprintf(folder, sizeof folder, "%s/mp-core-%ld", mp_test_folder(), mp_test_pid());
    CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0700), 0);
    mp_process_result_t result = crash_in(folder, false);
    CU_ASSERT(result.known && result.signal == SIGABRT && result.exit_code == 0 && !result.core_dumped);
    CU_ASSERT_EQUAL(empty_folder(folder), 0);
    result = crash_in(folder, true);
    CU_ASSERT(result.known && result.signal == SIGABRT);
    if (empty_folder(folder) > 0) /* the system writes them there */
        CU_ASSERT(result.core_dumped);
    rmdir(folder);
}

MP_CASE(a_crash_may_leave_a_core)
{
    mp_test_objects();
    mp_test_each_method(expect_core);
}

static mp_status_t leave(mp_call_t *call)
{
    return mp_exit(call, 9);
}

static mp_status_t die(mp_call_t *call)
{
    (void)call;
    raise(SIGKILL);
    return MP_OK;
}

static void expect_own_word(void)
{
    mp_process_t *process;
    mp_process_result_t result;
    REQUIRE_OK(mp_process_start(&process, leave, mp_args()));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_result(process, &result));
    CU_ASSERT(result.known && result.exit_code == 9 && result.signal == 0);
    EXPECT_OK(mp_process_close(process));
    REQUIRE_OK(mp_process_start(&process, die, mp_args()));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_result(process, &result));
    if (strcmp(mp_get_start_method(), "forkserver") == 0) { /* it is the server that reaps it */

        CU_ASSERT(result.known && result.signal == SIGKILL);
    } else {
        CU_ASSERT(!result.known && result.exit_code == 0 && result.signal == 0);
    }
    EXPECT_OK(mp_process_close(process));
}

MP_CASE(a_host_that_ignores_its_children_has_their_own_word)
{
    mp_test_objects();
    signal(SIGCHLD, SIG_IGN);
    mp_test_each_method(expect_own_word);
    signal(SIGCHLD, SIG_DFL);
}

MP_GUARDED_CASES(MP_ROW(a_crash_may_leave_a_core), MP_ROW(a_host_that_ignores_its_children_has_their_own_word));
