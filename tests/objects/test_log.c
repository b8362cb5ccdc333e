/* Logging: lines of all generations reach one sink, whole and in order; nobody waits for it, and what is lost is
 * counted. */
#include "scene.h"
#include "system.h"

#include "core/atomic.h"
#include "objects/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a sink that keeps everything */

#define KEPT_MOST 30000

typedef struct kept {
    int level;
    int pid;
    uint64_t lost;
    char process[64];
    char text[80];
} kept_t;

static kept_t *kept;
static uint32_t kept_count;

static void keep(const mp_log_line_t *line)
{
    uint32_t i = mp__load32(&kept_count);
    if (i == KEPT_MOST)
        return;
    kept[i].level = line->level;
    kept[i].pid = line->pid;
    kept[i].lost = line->lost;
    snprintf(kept[i].process, sizeof kept[i].process, "%s", line->process);
    snprintf(kept[i].text, sizeof kept[i].text, "%s", line->text);
    mp__store32(&kept_count, i + 1);
}

/* What the first sink makes and keeps is there from now on. */
static void warm_up(void)
{
    mp_test_objects();
    REQUIRE_OK(mp_log_set(MP_LOG_CRITICAL, keep));
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    mp_test_baseline();
}

static void begin(void)
{
    warm_up();
    free(kept);
    kept = calloc(KEPT_MOST, sizeof *kept);
    kept_count = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(kept);
}

static void end(void)
{
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    CU_ASSERT_EQUAL(mp_log_level(), MP_LOG_OFF);
    free(kept);
    kept = NULL;
}

/* Everything that was logged so far has come. */
static void drain(mp_log_sink_t sink, int level)
{
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    REQUIRE_OK(mp_log_set(level, sink));
}

static uint32_t count_lines(const char *process, const char *text)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < kept_count; i++)
        count += (!process || strcmp(kept[i].process, process) == 0) && strstr(kept[i].text, text);
    return count;
}

static void expect_line(int level, const char *process, const char *text)
{
    for (uint32_t i = 0; i < kept_count; i++)
        if (kept[i].level == level && strcmp(kept[i].process, process) == 0 && strstr(kept[i].text, text))
            return;
    printf("    no line of level %d by %s with: %s\n", level, process, text);
    for (uint32_t i = 0; i < kept_count; i++)
        printf("      %d %s: %s\n", kept[i].level, kept[i].process, kept[i].text);
    CU_FAIL("a line is missing");
}

/* ---- one process */

MP_CASE(lines_reach_the_sink_in_order_from_their_level_on)
{
    begin();
    CU_ASSERT_EQUAL(mp_log_level(), MP_LOG_OFF);
    mp_log(MP_LOG_CRITICAL, "nobody sees this");
    REQUIRE_OK(mp_log_set(MP_LOG_INFO, keep));
    CU_ASSERT_EQUAL(mp_log_level(), MP_LOG_INFO);
    mp_log(MP_LOG_DEBUG, "nor this");
    for (int i = 0; i < 100; i++)
        mp_log(i % 2 ? MP_LOG_INFO : MP_LOG_CRITICAL, "line %d\n", i);
    EXPECT_OK(mp_log_set(MP_LOG_ERROR, NULL));
    mp_log(MP_LOG_WARNING, "nor this");
    mp_log(41, "the last");
    end();
    CU_ASSERT_EQUAL(kept_count, 101);
}

static char formatted[2][200];

static void keep_format(const mp_log_line_t *line)
{
    mp_log_format(line, formatted[0], sizeof formatted[0]);
    CU_ASSERT_EQUAL(mp_log_format(line, formatted[1], 8), 7);
    MP_CHECK(line->size == strlen(line->text));
    MP_CHECK(line->time > 1.6e9);
}

MP_CASE(a_line_looks_as_in_python)
{
    begin();
    REQUIRE_OK(mp_log_set(MP_LOG_DEBUG, keep_format));
    mp_log(MP_LOG_INFO, "%s %d", "done", 5);
    drain(keep_format, MP_LOG_DEBUG);
    CU_ASSERT_STRING_EQUAL(formatted[0], "[INFO/MainProcess] done 5");
    CU_ASSERT_STRING_EQUAL(formatted[1], "[INFO/M");
    mp_log(7, "x");
    mp_log(99, "y");
    end();
    CU_ASSERT_STRING_EQUAL(formatted[0], "[Level 99/MainProcess] y");
    CU_ASSERT_STRING_EQUAL(mp_log_level_name(MP_LOG_SUBWARNING), "SUBWARNING");
}

static void check_long(const mp_log_line_t *line)
{
    MP_CHECK(line->size == MP_LOG_TEXT_MAX && strlen(line->text) == line->size);
    mp__add32(&kept_count, 1);
}

MP_CASE(a_line_that_is_too_long_is_cut)
{
    begin();
    static char text[2 * MP_LOG_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    REQUIRE_OK(mp_log_set(1, check_long));
    mp_log(1, "%s", text);
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    CU_ASSERT_EQUAL(kept_count, 1);
    end();
}

MP_CASE(what_cannot_be_set)
{
    begin();
    EXPECT_STATUS(mp_log_set(-1, keep), MP_INVALID);
    EXPECT_STATUS(mp_log_set(101, keep), MP_INVALID);
    EXPECT_STATUS(mp_log_set(MP_LOG_INFO, NULL), MP_INVALID);
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    EXPECT_OK(mp_log_set(MP_LOG_OFF, keep));
    REQUIRE_OK(mp_log_set(MP_LOG_INFO, keep));
    mp_log(0, "no level");
    mp_log(-5, "no level");
    mp_log(101, "no level");
    mp_log(MP_LOG_INFO, NULL);
    end();
    CU_ASSERT_EQUAL(kept_count, 0);
}

MP_CASE(logging_leaves_errors_alone)
{
    begin();
    REQUIRE_OK(mp_log_set(MP_LOG_INFO, keep));
    EXPECT_STATUS(mp_queue_create(NULL, 0), MP_INVALID);
    mp_error_t before = *mp_error();
    errno = 77;
    mp_log(MP_LOG_INFO, "%s", "x");
    CU_ASSERT_EQUAL(errno, 77);
    CU_ASSERT_EQUAL(memcmp(&before, mp_error(), sizeof before), 0);
    end();
}

/* What it logs itself would come back to it for ever; and it cannot wait for its own end. */
static void log_again(const mp_log_line_t *line)
{
    mp_log(MP_LOG_CRITICAL, "again");
    MP_CHECK(mp_log_set(MP_LOG_OFF, NULL) == MP_DEADLOCK);
    MP_CHECK(mp_log_set(MP_LOG_DEBUG, NULL) == MP_OK);
    keep(line);
}

MP_CASE(a_sink_may_call_the_library)
{
    begin();
    REQUIRE_OK(mp_log_set(MP_LOG_INFO, log_again));
    mp_log(MP_LOG_INFO, "once");
    while (mp__load32(&kept_count) == 0)
        mp_test_moment();
    end();
    CU_ASSERT_EQUAL(kept_count, 1);
}

/* ---- generations */

#define LINES 200

static mp_status_t log_lines(mp_call_t *call)
{
    int64_t depth = mp_arg_int(call, 0);
    mp_process_t *process = NULL;
    if (depth > 0)
        MP_CHECK(mp_process_start(&process, log_lines, mp_args(depth - 1)) == MP_OK);
    for (int i = 0; i < LINES; i++)
        mp_log(MP_LOG_WARNING, "%d of %d: %.*s.", i, mp_getpid(), i % 40, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop");
    mp_log(MP_LOG_DEBUG, "never");
    if (process)
        MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
    return MP_OK;
}

/* The lines of one process, each as it was logged. */
static uint32_t check_lines_of(int pid)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < kept_count; i++) {
        char expected[80];
        if (kept[i].pid != pid || kept[i].level != MP_LOG_WARNING)
            continue;
        snprintf(expected, sizeof expected, "%u of %d: %.*s.", next, pid, (int)(next % 40),
                 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop");
        CU_ASSERT_STRING_EQUAL(kept[i].text, expected);
        next++;
    }
    return next;
}

static uint32_t check_all_lines(void)
{
    uint32_t processes = 0;
    for (uint32_t i = 0; i < kept_count; i++)
        if (kept[i].level == MP_LOG_WARNING && strncmp(kept[i].text, "0 of ", 5) == 0) {
            CU_ASSERT_EQUAL(check_lines_of(kept[i].pid), LINES);
            processes++;
        }
    return processes;
}

#define CHILDREN 3

static void log_by_generations(void)
{
    mp_process_t *processes[CHILDREN];
    kept_count = 0;
    REQUIRE_OK(mp_log_set(MP_LOG_WARNING, keep));
    for (int i = 0; i < CHILDREN; i++)
        REQUIRE_OK(mp_process_start(&processes[i], log_lines, mp_args(2)));
    for (int i = 0; i < CHILDREN; i++)
        mp_test_expect_end(processes[i], 0);
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    CU_ASSERT_EQUAL(check_all_lines(), 3 * CHILDREN);
    CU_ASSERT_EQUAL(count_lines(NULL, "never"), 0);
}

MP_CASE(lines_of_all_generations_are_whole_and_in_order)
{
    begin();
    mp_test_each_method(log_by_generations);
    end();
}

/* ---- pools, and what the library says */

static mp_status_t log_task(mp_call_t *call)
{
    mp_log(MP_LOG_ERROR, "task %lld", (long long)mp_arg_int(call, 0));
    return MP_OK;
}

static mp_status_t die(mp_call_t *call)
{
    (void)call;
    MP_CHECK(mp_process_kill(mp_current_process()) != MP_OK);
    mp_test_kill_pid(mp_getpid());
    return MP_OK;
}

static void log_by_workers(void)
{
    mp_pool_t *pool;
    mp_process_t *process;
    kept_count = 0;
    REQUIRE_OK(mp_log_set(MP_LOG_DEBUG, keep));
    REQUIRE_OK(mp_pool_create(&pool, 2));
    EXPECT_OK(mp_pool_map(pool, log_task, mp_range(0, 20), 1, NULL, mp_test_patience()));
    EXPECT_STATUS(mp_pool_apply(pool, die, mp_args(), NULL, mp_test_patience()), MP_WORKER_DIED);
    EXPECT_OK(mp_pool_apply(pool, log_task, mp_args(20), NULL, mp_test_patience()));
    EXPECT_OK(mp_pool_close(pool));
    EXPECT_OK(mp_pool_join(pool, mp_test_patience()));
    EXPECT_OK(mp_pool_free(pool));
    mp_process_options_t options = {.name = "Worker"};
    REQUIRE_OK(mp_process_start_with(&process, log_task, mp_args(21), &options));
    mp_test_expect_end(process, 0);
    REQUIRE_OK(mp_process_start_with(&process, die, mp_args(), &options));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_close(process));
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    CU_ASSERT_EQUAL(count_lines(NULL, "task "), 22);
    for (int i = 0; i < 22; i++) {
        char text[20];
        snprintf(text, sizeof text, "task %d", i);
        CU_ASSERT(count_lines(NULL, text) >= 1);
    }
    expect_line(MP_LOG_ERROR, "Worker", "task 21");
    expect_line(MP_LOG_DEBUG, "MainProcess", "started Worker (pid ");
    expect_line(MP_LOG_INFO, "Worker", "child process calling its function");
    expect_line(MP_LOG_INFO, "Worker", "process shutting down");
    expect_line(MP_LOG_INFO, "Worker", "process exiting with exitcode 0");
    expect_line(MP_LOG_DEBUG, "MainProcess", "ended with exitcode 0");
    expect_line(MP_LOG_DEBUG, "MainProcess", "added worker 3");
    if (mp_test_is_posix()) {
        expect_line(MP_LOG_INFO, "MainProcess", "was ended by SIGKILL (-9)");
        expect_line(MP_LOG_INFO, "MainProcess", "was killed by signal 9");
    } else { /* there it is not seen whether a process ended itself */
        expect_line(MP_LOG_DEBUG, "MainProcess", "ended with exitcode 9");
        expect_line(MP_LOG_INFO, "MainProcess", "ended with exit code 9");
    }
}

MP_CASE(workers_log_and_the_library_says_what_happens)
{
    begin();
    mp_pool_t *pool;
    REQUIRE_OK(mp_pool_create(&pool, 1));
    EXPECT_OK(mp_pool_free(pool));
    free(kept);
    mp_test_baseline(); /* the thread that watches workers is made once and stays */
    kept = calloc(KEPT_MOST, sizeof *kept);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kept);
    mp_test_each_method(log_by_workers);
    end();
}

/* ---- a child of its own mind */

static uint32_t own_lines;

static void count_own(const mp_log_line_t *line)
{
    if (line->level == MP_LOG_ERROR)
        mp__add32(&own_lines, 1);
}

static mp_status_t take_over(mp_call_t *call)
{
    mp_process_t *process;
    MP_CHECK(mp_log_level() == MP_LOG_WARNING);
    MP_CHECK(mp_log_set(MP_LOG_ERROR, NULL) == MP_OK);
    mp_log(MP_LOG_WARNING, "not this");
    mp_log(MP_LOG_ERROR, "to the parent");
    own_lines = 0;
    MP_CHECK(mp_log_set(MP_LOG_ERROR, count_own) == MP_OK);
    MP_CHECK(mp_process_start(&process, log_task, mp_args(5)) == MP_OK);
    MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
    mp_log(MP_LOG_ERROR, "to itself");
    MP_CHECK(mp_log_set(MP_LOG_OFF, NULL) == MP_OK);
    mp_log(MP_LOG_ERROR, "to nobody");
    (void)call;
    return mp__load32(&own_lines) == 2 ? MP_OK : MP_FAILED;
}

static void expect_take_over(void)
{
    mp_process_t *process;
    kept_count = 0;
    REQUIRE_OK(mp_log_set(MP_LOG_WARNING, keep));
    REQUIRE_OK(mp_process_start(&process, take_over, mp_args()));
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    CU_ASSERT_EQUAL(kept_count, 1);
    CU_ASSERT_EQUAL(count_lines(NULL, "to the parent"), 1);
}

MP_CASE(a_child_may_have_a_sink_of_its_own)
{
    begin();
    mp_test_each_method(expect_take_over);
    end();
}

/* ---- kills */

/* (board): counts what it has logged. */
static mp_status_t log_until_killed(mp_call_t *call)
{
    uint32_t *logged = mp_test_board(call, 0);
    for (;;) {
        mp_log(MP_LOG_WARNING, "%u", mp__load32(logged));
        mp__add32(logged, 1);
        for (int i = 0; i < 2000; i++) /* the sink keeps up */
            mp__cpu_relax();
    }
    return MP_OK;
}

#define KILLS 15

static void kill_who_logs(void)
{
    uint64_t name, random = 1;
    for (int round = 0; round < KILLS; round++) {
        mp_process_t *process;
        uint32_t *logged = mp_test_board_create(sizeof *logged, &name);
        kept_count = 0;
        REQUIRE_OK(mp_log_set(MP_LOG_WARNING, keep));
        REQUIRE_OK(mp_process_start(&process, log_until_killed, mp_args(name)));
        while (mp__load32(logged) < 10)
            mp_test_moment();
        mp_test_wander(&random, 2000);
        mp_test_expect_killed(process);
        EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
        uint32_t returned = mp__load32(logged), next = 0, lost = 0;
        for (uint32_t i = 0; i < kept_count; i++) {
            lost += (uint32_t)kept[i].lost;
            if (kept[i].lost)
                continue;
            uint32_t number = (uint32_t)strtoul(kept[i].text, NULL, 10);
            CU_ASSERT(number >= next); /* whole, in order, none twice */
            next = number + 1;
        }
        uint32_t lines = 0;
        for (uint32_t i = 0; i < kept_count; i++)
            lines += kept[i].lost == 0;
        /* All that were logged, and perhaps the one that it was at. */
        CU_ASSERT(lines + lost == returned || lines + lost == returned + 1);
        mp_test_board_free(name);
    }
}

MP_CASE(a_killed_process_loses_at_most_the_line_it_was_writing)
{
    begin();
    mp_test_each_method(kill_who_logs);
    end();
}

/* ---- a sink that does not keep up */

static uint32_t released;

static void keep_when_released(const mp_log_line_t *line)
{
    while (!mp__load32(&released))
        mp_test_moment();
    keep(line);
}

#define FLOOD 10000

/* (board): floods the log, says how long that took. */
static mp_status_t flood(mp_call_t *call)
{
    uint32_t *milliseconds = mp_test_board(call, 0);
    double began = mp_test_clock();
    for (int i = 0; i < FLOOD; i++)
        mp_log(MP_LOG_WARNING, "%d", i);
    mp__store32(milliseconds, (uint32_t)((mp_test_clock() - began) * 1000));
    return MP_OK;
}

MP_CASE(nobody_waits_for_a_slow_sink_and_losses_are_told)
{
    begin();
    uint64_t name;
    mp_process_t *process;
    uint32_t *milliseconds = mp_test_board_create(sizeof *milliseconds, &name);
    released = 0;
    REQUIRE_OK(mp_log_set(MP_LOG_WARNING, keep_when_released));
    REQUIRE_OK(mp_process_start(&process, flood, mp_args(name)));
    mp_test_expect_end(process, 0);
    CU_ASSERT(mp__load32(milliseconds) < mp_test_seconds(5) * 1000);
    double began = mp_test_clock();
    for (int i = 0; i < FLOOD; i++)
        mp_log(MP_LOG_WARNING, "own %d", i);
    CU_ASSERT(mp_test_clock() - began < mp_test_seconds(5));
    mp__store32(&released, 1);
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    uint64_t lines = 0, lost = 0;
    for (uint32_t i = 0; i < kept_count; i++) {
        lines += kept[i].lost == 0;
        lost += kept[i].lost;
        CU_ASSERT(kept[i].lost == 0 || (kept[i].level == MP_LOG_WARNING && strstr(kept[i].text, "lines were lost")));
    }
    CU_ASSERT_EQUAL(lines + lost, 2 * FLOOD);
    CU_ASSERT(lines >= 4096 && lost > 0);
    mp_test_board_free(name);
    end();
}

MP_CASE(a_sink_that_does_not_return_is_left_behind)
{
    warm_up();
    kept = calloc(KEPT_MOST, sizeof *kept);
    released = 0;
    REQUIRE_OK(mp_log_set(MP_LOG_WARNING, keep_when_released));
    mp_log(MP_LOG_WARNING, "taken");
    mp_log(MP_LOG_WARNING, "not taken");
    double began = mp_test_clock();
    EXPECT_STATUS(mp_log_set(MP_LOG_OFF, NULL), MP_TIMEOUT);
    CU_ASSERT(mp_test_clock() - began < mp_test_seconds(10));
    mp_log(MP_LOG_WARNING, "not even logged");
    REQUIRE_OK(mp_log_set(MP_LOG_WARNING, keep));
    mp__store32(&released, 1);
    while (mp__load32(&kept_count) == 0)
        mp_test_moment();
    mp_log(MP_LOG_WARNING, "by the next one");
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    CU_ASSERT_EQUAL(count_lines(NULL, "taken"), 1);
    CU_ASSERT_EQUAL(count_lines(NULL, "by the next one"), 1);
    mp_test_baseline(); /* what the thread left behind holds stays */
}

/* ---- the program's end */

static void print(const mp_log_line_t *line)
{
    char text[200];
    mp_log_format(line, text, sizeof text);
    puts(text);
}

/* Logs, and ends at once: it all comes out before. */
MP_PROGRAM(logs_and_ends)
{
    MP_CHECK(mp_log_set(MP_LOG_WARNING, print) == MP_OK);
    MP_CHECK(mp_process_start(NULL, log_task, mp_args(1)) == MP_OK);
    for (int i = 0; i < 50; i++)
        mp_log(MP_LOG_WARNING, "line %d", i);
    return 0;
}

static mp_status_t exit_with(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

MP_CASE(the_end_of_a_child_that_nobody_holds_is_told)
{
    mp_process_t *process;
    begin();
    REQUIRE_OK(mp_log_set(MP_LOG_DEBUG, keep));
    REQUIRE_OK(mp_process_start(NULL, exit_with, mp_args(9)));
    double until = mp_now() + mp_test_patience();
    for (drain(keep, MP_LOG_DEBUG); !count_lines("MainProcess", "ended with exitcode 9") && mp_now() < until;
         drain(keep, MP_LOG_DEBUG)) {
        REQUIRE_OK(mp_process_start(&process, exit_with, mp_args(0))); /* which looks for such */
        EXPECT_OK(mp_process_kill(process));
        EXPECT_OK(mp_process_join(process, mp_test_patience()));
        EXPECT_OK(mp_process_close(process));
    }
    end();
    CU_ASSERT(mp_now() < until);
}

static uint32_t resumed, seen_resumed;

static void see_resumed(const mp_log_line_t *line)
{
    (void)line;
    mp__store32(&seen_resumed, mp__load32(&resumed) + 1);
}

/* Two threads fork, and one is done. */
MP_CASE(a_sink_is_paused_until_the_last_fork_is_over)
{
    warm_up();
    REQUIRE_OK(mp_log_set(MP_LOG_INFO, see_resumed));
    mp__log_pause();
    mp__log_pause();
    mp__log_resume();
    mp_log(MP_LOG_INFO, "a line");
    mp_sleep(0.05); /* for a sink that is called all the same */
    mp__store32(&resumed, 1);
    mp__log_resume();
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    CU_ASSERT_EQUAL(seen_resumed, 2);
}

/* What is printed goes to the standard error of its starter. */
MP_PROGRAM(logs_to_stderr)
{
    mp_log_line_t line = {.level = MP_LOG_INFO, .process = "P", .text = "x", .size = 1};
    mp__log_stderr(&line);
    return mp_log_to_stderr(MP_LOG_WARNING) == MP_OK ? 0 : 1;
}

MP_CASE(the_end_of_a_program_waits_for_its_lines)
{
    char output[4000], expected[60];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "logs_and_ends", output, sizeof output), 0);
    for (int i = 0; i < 50; i++) {
        snprintf(expected, sizeof expected, "[WARNING/MainProcess] line %d", i);
        CU_ASSERT_PTR_NOT_NULL(strstr(output, expected));
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "[ERROR/Process-1] task 1"));
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "logs_to_stderr", NULL, 0), 0);
}

static void keep_slowly(const mp_log_line_t *line)
{
    if (!mp__load32(&released))
        mp_sleep(0.0002);
    keep(line);
}

/* The lines beyond the first 4096 would take it more than three seconds: nobody may wait for the room that it makes. */
MP_CASE(nobody_goes_as_slowly_as_a_slow_sink)
{
    enum { MANY = 20000 };
    begin();
    released = 0;
    REQUIRE_OK(mp_log_set(MP_LOG_WARNING, keep_slowly));
    double began = mp_test_clock();
    for (int i = 0; i < MANY; i++)
        mp_log(MP_LOG_WARNING, "%d", i);
    CU_ASSERT(mp_test_clock() - began < mp_test_seconds(1.5));
    mp__store32(&released, 1);
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    uint64_t lines = 0, lost = 0;
    for (uint32_t i = 0; i < kept_count; i++) {
        lines += kept[i].lost == 0;
        lost += kept[i].lost;
    }
    CU_ASSERT_EQUAL(lines + lost, MANY);
    CU_ASSERT(lost > 0);
    end();
}

static mp_status_t log_off_and_on(mp_call_t *call)
{
    (void)call;
    MP_CHECK(mp_log_set(MP_LOG_OFF, NULL) == MP_OK && mp_log_level() == MP_LOG_OFF);
    mp_log(MP_LOG_CRITICAL, "not this");
    MP_CHECK(mp_log_set(MP_LOG_OFF, NULL) == MP_OK);
    MP_CHECK(mp_log_set(MP_LOG_WARNING, NULL) == MP_OK);
    mp_log(MP_LOG_WARNING, "on again");
    return MP_OK;
}

static void expect_on_again(void)
{
    mp_process_t *process;
    kept_count = 0;
    REQUIRE_OK(mp_log_set(MP_LOG_WARNING, keep));
    REQUIRE_OK(mp_process_start(&process, log_off_and_on, mp_args()));
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
    CU_ASSERT_EQUAL(kept_count, 1);
    CU_ASSERT_EQUAL(count_lines(NULL, "on again"), 1);
}

MP_CASE(a_child_that_was_off_finds_its_ancestors_sink_again)
{
    begin();
    mp_test_each_method(expect_on_again);
    EXPECT_STATUS(mp_log_set(MP_LOG_WARNING, NULL), MP_INVALID); /* one's own is gone */
    end();
}

MP_GUARDED_CASES(MP_ROW(lines_reach_the_sink_in_order_from_their_level_on), MP_ROW(a_line_looks_as_in_python),
                 MP_ROW(a_line_that_is_too_long_is_cut), MP_ROW(what_cannot_be_set),
                 MP_ROW(logging_leaves_errors_alone), MP_ROW(a_sink_may_call_the_library),
                 MP_ROW(lines_of_all_generations_are_whole_and_in_order),
                 MP_ROW(workers_log_and_the_library_says_what_happens), MP_ROW(a_child_may_have_a_sink_of_its_own),
                 MP_ROW(a_killed_process_loses_at_most_the_line_it_was_writing),
                 MP_ROW(nobody_waits_for_a_slow_sink_and_losses_are_told),
                 MP_ROW(a_sink_that_does_not_return_is_left_behind), MP_ROW(the_end_of_a_program_waits_for_its_lines),
                 MP_ROW(the_end_of_a_child_that_nobody_holds_is_told),
                 MP_ROW(a_sink_is_paused_until_the_last_fork_is_over), MP_SUB(logs_and_ends), MP_SUB(logs_to_stderr),
                 MP_ROW(nobody_goes_as_slowly_as_a_slow_sink),
                 MP_ROW(a_child_that_was_off_finds_its_ancestors_sink_again));
