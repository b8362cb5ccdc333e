/* The clock, the processors, the memory, and this process. */
#include "child.h"
#include "harness.h"
#include "member.h"
#include "system.h"

#include <stdlib.h>

MP_CASE(clock_never_goes_back_and_is_never_zero)
{
    int64_t last = mp__os_now();
    bool moved = false;
    for (int i = 0; i < 100000; i++) {
        int64_t now = mp__os_now();
        CU_ASSERT_FATAL(now > 0 && now >= last);
        moved = moved || now > last;
        last = now;
    }
    CU_ASSERT(moved);
}

/* Nanoseconds, and not some other unit. */
MP_CASE(clock_counts_nanoseconds)
{
    double there = mp_test_clock();
    int64_t begin = mp__os_now();
    mp__os_sleep(begin + 300 * MP__MILLISECOND);
    double here = (double)(mp__os_now() - begin) / (double)MP__SECOND;
    there = mp_test_clock() - there;
    CU_ASSERT(here >= 0.3 && here < there + 0.1 && there < here + mp_test_seconds(1));
}

MP_CASE(sleep_lasts_until_the_deadline)
{
    for (int64_t wait = 0; wait < 40 * MP__MILLISECOND; wait += 7 * MP__MILLISECOND) {
        int64_t deadline = mp__os_now() + wait;
        mp__os_sleep(deadline);
        CU_ASSERT(mp__os_now() >= deadline);
    }
}

MP_CASE(sleep_until_the_past_returns_at_once)
{
    int64_t begin = mp__os_now();
    mp__os_sleep(0);
    mp__os_sleep(begin - MP__SECOND);
    CU_ASSERT(mp__os_now() - begin < (int64_t)(mp_test_seconds(1) * (double)MP__SECOND));
}

MP_CASE(yield_returns)
{
    int64_t begin = mp__os_now();
    for (int i = 0; i < 100; i++)
        mp__os_yield();
    CU_ASSERT(mp__os_now() - begin < (int64_t)(mp_test_seconds(10) * (double)MP__SECOND));
}

/* In a process of its own, because a library may ask once and remember. */
MP_PROGRAM(counts_processors)
{
    if (mp_test_word(0)[0] == '1')
        MP_CHECK(mp_test_bind_to_one_processor());
    return (int)mp__os_cpu_count();
}

static int count_processors(const char *bound)
{
    mp_test_child_t child;
    mp_test_start(&child, "counts_processors", NULL, 0, (const char *const[]){bound, NULL});
    return mp_test_join(&child).code;
}

MP_CASE(processors_of_the_affinity)
{
    mp_test_warm_up();
    int all = count_processors("0");
    CU_ASSERT(all >= 1);
    CU_ASSERT_EQUAL((unsigned)all, mp__os_cpu_count());
    if (mp_test_is_plain_posix())
        mp_skip("plain POSIX does not tell the affinity");
    CU_ASSERT_EQUAL(count_processors("1"), 1);
}

MP_CASE(memory_size_is_credible)
{
    uint64_t size = mp__os_memory_size();
    CU_ASSERT(size >= (uint64_t)1 << 25);
    CU_ASSERT(size <= (uint64_t)1 << 50);
}

MP_CASE(address_space_has_no_limit)
{
    CU_ASSERT_EQUAL(mp__os_address_space_left(), UINT64_MAX);
}

MP_CASE(address_space_has_a_limit)
{
    uint64_t allowed = (uint64_t)1 << 32;
    if (!mp_test_limit_address_space(allowed))
        mp_skip("no limit on address space here");
    uint64_t left = mp__os_address_space_left();
    CU_ASSERT(left != UINT64_MAX);
    if (!mp_test_is_plain_posix()) /* which does not tell what is in use */
        CU_ASSERT(left <= allowed);
    CU_ASSERT(left >= allowed - allowed / 8);
}

MP_CASE(pids_are_what_the_other_side_sees)
{
    mp_test_child_t child;
    int32_t pids[2] = {0, 0};
    mp_test_warm_up();
    mp_test_start(&child, "tells_its_pid", NULL, 0, NULL);
    EXPECT_OK(mp__os_channel_read(child.talk, pids, sizeof pids));
    CU_ASSERT_EQUAL(pids[0], child.process.pid);
    CU_ASSERT_NOT_EQUAL(pids[0], mp__os_pid());
    CU_ASSERT_EQUAL(pids[1], mp__os_pid());
    mp_test_join(&child);
}

MP_PROGRAM(tells_its_pid)
{
    int32_t pids[] = {mp__os_pid(), mp__os_parent_pid()};
    MP_CHECK(mp__os_channel_write(mp_test_talk(), pids, sizeof pids) == MP_OK);
    return 0;
}

MP_CASE(an_ordinary_process_is_not_privileged)
{
    CU_ASSERT_FALSE(mp__os_is_privileged());
}

/* No handler, no flush: the buffered byte and the handler's must not arrive. */
static mp__os_handle_t end_talk;

static void say_handler(void)
{
    mp_test_tell(end_talk, 'h');
}

MP_PROGRAM(ends_now)
{
    end_talk = mp_test_talk();
    MP_CHECK(atexit(say_handler) == 0);
    mp__os_end_now(7);
    mp_test_tell(end_talk, 'r');
    return 1;
}

MP_CASE(end_now_runs_no_handler)
{
    mp_test_child_t child;
    char byte;
    mp_test_warm_up();
    mp_test_start(&child, "ends_now", NULL, 0, NULL);
    EXPECT_STATUS(mp__os_channel_read(child.talk, &byte, 1), MP_END);
    mp__os_exit_t end = mp_test_join(&child);
    CU_ASSERT_EQUAL(end.end, MP__OS_EXITED);
    CU_ASSERT_EQUAL(end.code, 7);
}

MP_CASE(capabilities_stay)
{
    const mp__os_caps_t *caps = mp__os_caps();
    CU_ASSERT_PTR_NOT_NULL_FATAL(caps);
    CU_ASSERT_PTR_EQUAL(caps, mp__os_caps());
}

static int in_children;

static void note_child(void)
{
    in_children++;
}

MP_CASE(on_fork_is_called_in_the_child)
{
    EXPECT_OK(mp__os_on_fork(note_child));
    if (!mp__os_caps()->fork)
        mp_skip("no fork here");
    mp__os_process_t process;
    bool in_child;
    REQUIRE_OK(mp__os_fork(&process, &in_child));
    if (in_child)
        mp__os_end_now(in_children);
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.code, 1);
    CU_ASSERT_EQUAL(in_children, 0);
    mp__os_process_close(&process);
}

MP_CASES(MP_ROW(clock_never_goes_back_and_is_never_zero), MP_ROW(clock_counts_nanoseconds),
         MP_ROW(sleep_lasts_until_the_deadline), MP_ROW(sleep_until_the_past_returns_at_once), MP_ROW(yield_returns),
         MP_ROW(processors_of_the_affinity), MP_SUB(counts_processors), MP_ROW(memory_size_is_credible),
         MP_ROW(address_space_has_no_limit), MP_ROW(address_space_has_a_limit),
         MP_ROW(pids_are_what_the_other_side_sees), MP_SUB(tells_its_pid),
         MP_ROW(an_ordinary_process_is_not_privileged), MP_ROW(end_now_runs_no_handler), MP_SUB(ends_now),
         MP_ROW(capabilities_stay), MP_ROW(on_fork_is_called_in_the_child));
