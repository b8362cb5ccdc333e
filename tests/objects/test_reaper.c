/* The reaper: who watches a child is told of its end, once, and not after it forgot it. */
#include "harness.h"
#include "child.h"
#include "random.h"
#include "system.h"

#include "core/atomic.h"
#include "family/alloc.h"
#include "objects/process.h"
#include "objects/reaper.h"

#include <multiproc.h>

#define PATIENCE mp_test_seconds(30)

static mp_status_t leave_with(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

/* (queue): until it is killed. */
static mp_status_t wait_for_ever(mp_call_t *call)
{
    mp_value_t unused;
    return mp_queue_get(mp_arg_queue(call, 0), &unused, MP_FOREVER);
}

typedef struct seen {
    uint32_t ends;
    uint32_t forgotten;
    int code;
    mp_process_t *forget; /* when told */
} seen_t;

static void note(void *context, mp_process_t *process)
{
    seen_t *seen = context;
    MP_CHECK(!mp__load32(&seen->forgotten));
    MP_CHECK(mp_process_exitcode(process, &seen->code) == MP_OK); /* it was reaped */
    if (seen->forget)
        mp__reaper_forget(seen->forget);
    mp__add32(&seen->ends, 1);
}

static bool reaches(const uint32_t *count, uint32_t n)
{
    double end = mp_test_clock() + PATIENCE;
    while (mp__load32(count) < n && mp_test_clock() < end)
        mp_test_moment();
    return mp__load32(count) == n;
}

static size_t blocks(void)
{
    return (size_t)mp__blocks_in_use();
}

static mp_process_t *start(mp_function_t function, mp_args_t args)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, function, args));
    return process;
}

/* The reaper itself, and what starts make and keep, are there from now on. */
static void warm_up(void)
{
    seen_t seen = {0};
    mp_process_t *process = start(leave_with, mp_args(0));
    REQUIRE_OK(mp__reaper_watch(process, note, &seen));
    CU_ASSERT(reaches(&seen.ends, 1));
    mp__reaper_forget(process);
    REQUIRE_OK(mp_process_close(process));
    mp_test_arena_blocks = blocks;
    mp_test_baseline();
}

MP_CASE(each_end_is_told_once)
{
    enum { CHILDREN = 70 }; /* more than a wait for handles takes on Windows */
    warm_up();
    static seen_t seen[CHILDREN];
    mp_process_t *processes[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        processes[i] = start(leave_with, mp_args(i % 7));
        REQUIRE_OK(mp__reaper_watch(processes[i], note, &seen[i]));
    }
    for (int i = 0; i < CHILDREN; i++) {
        CU_ASSERT(reaches(&seen[i].ends, 1));
        CU_ASSERT_EQUAL(seen[i].code, i % 7);
        mp__reaper_forget(processes[i]);
        EXPECT_OK(mp_process_close(processes[i]));
    }
}

MP_CASE(a_killed_child_is_told_at_once)
{
    warm_up();
    seen_t seen = {0};
    mp_queue_t *never;
    REQUIRE_OK(mp_queue_create(&never, 0));
    mp_process_t *process = start(wait_for_ever, mp_args(never));
    REQUIRE_OK(mp__reaper_watch(process, note, &seen));
    double begin = mp_test_clock();
    EXPECT_OK(mp_process_kill(process));
    CU_ASSERT(reaches(&seen.ends, 1));
    CU_ASSERT(mp_test_clock() - begin < mp_test_seconds(0.4)); /* by its sentinel, not by the rare look at everybody */
    CU_ASSERT_EQUAL(seen.code, -9);
    mp__reaper_forget(process);
    EXPECT_OK(mp_process_close(process));
    EXPECT_OK(mp_queue_close(never));
}

MP_CASE(one_that_ended_before_is_told_too)
{
    warm_up();
    seen_t seen = {0};
    mp_process_t *process = start(leave_with, mp_args(3));
    REQUIRE_OK(mp_process_join(process, PATIENCE));
    REQUIRE_OK(mp__reaper_watch(process, note, &seen));
    CU_ASSERT(reaches(&seen.ends, 1));
    CU_ASSERT_EQUAL(seen.code, 3);
    mp__reaper_forget(process);
    EXPECT_OK(mp_process_close(process));
}

MP_CASE(a_forgotten_child_is_told_to_nobody)
{
    warm_up();
    seen_t one = {0}, other = {0};
    mp_queue_t *never;
    REQUIRE_OK(mp_queue_create(&never, 0));
    mp_process_t *forgotten = start(wait_for_ever, mp_args(never));
    mp_process_t *watched = start(wait_for_ever, mp_args(never));
    REQUIRE_OK(mp__reaper_watch(forgotten, note, &one));
    REQUIRE_OK(mp__reaper_watch(watched, note, &other));
    mp__reaper_forget(forgotten);
    mp__reaper_forget(forgotten);
    mp__store32(&one.forgotten, 1);
    EXPECT_OK(mp_process_kill(forgotten));
    EXPECT_OK(mp_process_join(forgotten, PATIENCE));
    EXPECT_OK(mp_process_close(forgotten));
    EXPECT_OK(mp_process_kill(watched));
    CU_ASSERT(reaches(&other.ends, 1));
    CU_ASSERT_EQUAL(one.ends, 0);
    mp__reaper_forget(watched);
    EXPECT_OK(mp_process_close(watched));
    EXPECT_OK(mp_queue_close(never));
}

MP_CASE(who_is_told_may_forget_another)
{
    warm_up();
    seen_t one = {0}, other = {0};
    mp_queue_t *never;
    REQUIRE_OK(mp_queue_create(&never, 0));
    mp_process_t *first = start(wait_for_ever, mp_args(never));
    mp_process_t *second = start(wait_for_ever, mp_args(never));
    one.forget = second;
    REQUIRE_OK(mp__reaper_watch(first, note, &one));
    REQUIRE_OK(mp__reaper_watch(second, note, &other));
    EXPECT_OK(mp_process_kill(first));
    CU_ASSERT(reaches(&one.ends, 1));
    mp__store32(&other.forgotten, 1);
    EXPECT_OK(mp_process_kill(second));
    EXPECT_OK(mp_process_join(second, PATIENCE));
    mp__reaper_forget(first);
    EXPECT_OK(mp_process_close(first));
    EXPECT_OK(mp_process_close(second));
    EXPECT_OK(mp_queue_close(never));
}

MP_CASE(an_end_and_being_forgotten_at_the_same_time)
{
    enum { ROUNDS = 30 };
    warm_up();
    uint64_t random = 99;
    for (int i = 0; i < ROUNDS; i++) {
        seen_t *seen = &(seen_t){0};
        mp_process_t *process = start(leave_with, mp_args(0));
        REQUIRE_OK(mp__reaper_watch(process, note, seen));
        mp__os_sleep(mp__os_now() + (int64_t)mp_test_below(&random, 4000000));
        mp__reaper_forget(process);
        mp__store32(&seen->forgotten, 1); /* note() checks */
        uint32_t ends = mp__load32(&seen->ends);
        CU_ASSERT(ends <= 1);
        EXPECT_OK(mp_process_join(process, PATIENCE));
        EXPECT_OK(mp_process_close(process));
        CU_ASSERT_EQUAL(mp__load32(&seen->ends), ends);
    }
}

/* In a forked child: a reaper and children of its own. */
static mp_status_t watch_own(mp_call_t *call)
{
    seen_t seen = {0};
    mp_process_t *process;
    (void)call;
    MP_CHECK(mp_process_start(&process, leave_with, mp_args(5)) == MP_OK);
    MP_CHECK(mp__reaper_watch(process, note, &seen) == MP_OK);
    MP_CHECK(reaches(&seen.ends, 1) && seen.code == 5);
    mp__reaper_forget(process);
    return mp_process_close(process);
}

MP_CASE(a_forked_child_has_its_own)
{
    if (!mp__os_caps()->fork)
        mp_skip("there is no fork here");
    warm_up();
    seen_t seen = {0};
    mp_queue_t *never;
    mp_process_t *process;
    int code = -1;
    REQUIRE_OK(mp_queue_create(&never, 0));
    mp_process_t *watched = start(wait_for_ever, mp_args(never));
    REQUIRE_OK(mp__reaper_watch(watched, note, &seen));
    REQUIRE_OK(mp_process_start_with(&process, watch_own, mp_args(), &(mp_process_options_t){.method = MP_START_FORK}));
    EXPECT_OK(mp_process_join(process, PATIENCE));
    EXPECT_OK(mp_process_exitcode(process, &code));
    CU_ASSERT_EQUAL(code, 0);
    EXPECT_OK(mp_process_close(process));
    EXPECT_OK(mp_process_kill(watched)); /* and the parent's works as before */
    CU_ASSERT(reaches(&seen.ends, 1));
    mp__reaper_forget(watched);
    EXPECT_OK(mp_process_close(watched));
    EXPECT_OK(mp_queue_close(never));
}

/* clang-format off */
MP_GUARDED_CASES(
    MP_ROW(each_end_is_told_once),
    MP_ROW(a_killed_child_is_told_at_once),
    MP_ROW(one_that_ended_before_is_told_too),
    MP_ROW(a_forgotten_child_is_told_to_nobody),
    MP_ROW(who_is_told_may_forget_another),
    MP_ROW(an_end_and_being_forgotten_at_the_same_time),
    MP_ROW(a_forked_child_has_its_own));
/* clang-format on */
