/* A thread of the program waits for its standard input, and so has the stream locked. */
#include "../scene.h"
#include "child.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static mp_status_t end_with(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

static void *read_a_line(void *line)
{
    return fgets(line, 100, stdin);
}

static void start_by(const char *method)
{
    mp_process_t *process;
    mp_process_options_t options = {.fork_with_threads = true};
    REQUIRE_OK(mp_start_method_named(method, &options.method));
    REQUIRE_OK(mp_process_start_with(&process, end_with, mp_args(3), &options));
    mp_test_expect_end(process, 3);
}

MP_CASE(a_start_does_not_wait_for_who_reads)
{
    int ends[2], before = dup(STDIN_FILENO);
    char line[100];
    pthread_t reader;
    mp_test_objects();
    start_by("forkserver");
    mp_test_settle = mp_test_end_servers;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&reader, NULL, read_a_line, line), 0);
    while (ftrylockfile(stdin) == 0) {
        funlockfile(stdin);
        mp_sleep(0.001);
    }
    for (const char *const *method = mp_all_start_methods(); *method; method++)
        start_by(*method);
    CU_ASSERT_EQUAL(write(ends[1], "x\n", 2), 2);
    pthread_join(reader, NULL);
    CU_ASSERT_EQUAL(line[0], 'x');
    if (before >= 0)
        dup2(before, STDIN_FILENO);
    else
        close(STDIN_FILENO);
    close(before);
    close(ends[0]);
    close(ends[1]);
}

MP_GUARDED_CASES(MP_ROW(a_start_does_not_wait_for_who_reads));
