/* What only Windows has: the job that ends children, exit codes of 32 bits, and numbers that are used again. */
#include "child.h"
#include "harness.h"
#include "member.h"

#include <windows.h>

/* ---- the job ---- */

/* It watches no lifeline: only the job can end it. */
MP_PROGRAM(stays)
{
    mp_test_tell(mp_test_handle(0), 'l');
    mp__os_sleep(mp_test_deadline(60));
    return 1;
}

MP_PROGRAM(starts_one_that_stays)
{
    mp_test_child_t child;
    mp__os_handle_t given = mp_test_handle(0);
    mp_test_talk();
    mp_test_start(&child, "stays", &given, 1, NULL);
    mp__os_handle_close(given);
    mp__os_process_close(&child.process); /* forgotten, and in the job all the same */
    mp_test_hear(mp_test_talk(), 'e');
    return 0;
}

/* The test holds the other end of what only the grandchild has open. */
static void expect_end_of_both(bool kill)
{
    mp_test_child_t middle;
    mp__os_handle_t ends[2];
    char byte;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_channel_create(true, ends));
    mp_test_start(&middle, "starts_one_that_stays", &ends[1], 1, NULL);
    mp__os_handle_close(ends[1]);
    CU_ASSERT(mp_test_hear(ends[0], 'l'));
    if (kill) {
        mp_test_kill(&middle);
    } else {
        CU_ASSERT(mp_test_tell(middle.talk, 'e'));
        CU_ASSERT_EQUAL(mp_test_join(&middle).code, 0);
    }
    EXPECT_OK(mp__os_channel_poll(ends[0], mp_test_deadline(30)));
    EXPECT_STATUS(mp__os_channel_read(ends[0], &byte, 1), MP_END);
    mp__os_handle_close(ends[0]);
}

MP_CASE(the_job_ends_children_of_a_killed_process)
{
    expect_end_of_both(true);
}

MP_CASE(the_job_ends_children_of_a_process_that_ends)
{
    expect_end_of_both(false);
}

/* ---- exit codes ---- */

MP_PROGRAM(ends_with_a_large_code)
{
    ExitProcess(0x87654321);
    return 0;
}

MP_CASE(exit_codes_have_32_bits)
{
    mp_test_child_t child;
    mp_test_warm_up();
    mp_test_start(&child, "ends_with_a_large_code", NULL, 0, NULL);
    mp__os_exit_t end = mp_test_join(&child);
    CU_ASSERT_EQUAL(end.end, MP__OS_EXITED);
    CU_ASSERT_EQUAL((uint32_t)end.code, 0x87654321);
}

/* One that the host, or the task manager, ends. */
MP_CASE(ended_by_somebody_else)
{
    mp_test_child_t child;
    mp_test_warm_up();
    mp_test_start(&child, "waits", NULL, 0, NULL);
    CU_ASSERT(mp_test_hear(child.talk, 'r'));
    CU_ASSERT(TerminateProcess((HANDLE)child.process.sentinel, 5));
    mp__os_exit_t end = mp_test_join(&child);
    CU_ASSERT_EQUAL(end.end, MP__OS_EXITED);
    CU_ASSERT_EQUAL(end.code, 5);
}

MP_PROGRAM(waits)
{
    mp_test_tell(mp_test_talk(), 'r');
    return mp_test_hear(mp_test_talk(), 'e') ? 0 : 1;
}

/* ---- numbers that are used again ---- */

/* Words 1 and 3 of a life are the times of birth: who was born at another time is another one, so the first has ended.
 */
MP_PROGRAM(lives)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    mp__os_process_life_t *process = (mp__os_process_life_t *)(void *)arena.base;
    mp__os_thread_life_t *thread = (mp__os_thread_life_t *)(void *)(arena.base + 64);
    MP_CHECK(mp__os_process_live(&arena, 1, process) == MP_OK);
    MP_CHECK(mp__os_thread_live(thread) == MP_OK);
    mp_test_tell(mp_test_talk(), 'r');
    return mp_test_hear(mp_test_talk(), 'e') ? 0 : 1;
}

MP_CASE(the_number_of_another_process)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    mp_test_arena_create(&arena);
    mp_test_start_member(&child, "lives", &arena, NULL);
    CU_ASSERT(mp_test_hear(child.talk, 'r'));
    mp__os_process_life_t process = *(mp__os_process_life_t *)(void *)arena.base;
    mp__os_thread_life_t thread = *(mp__os_thread_life_t *)(void *)(arena.base + 64);
    CU_ASSERT_FALSE(mp__os_process_ended(&arena, 1, &process));
    CU_ASSERT_FALSE(mp__os_thread_ended(&thread));
    process.words[1] -= 1;
    thread.words[3] -= 1;
    CU_ASSERT(mp__os_process_ended(&arena, 1, &process));
    CU_ASSERT(mp__os_thread_ended(&thread));
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    mp_test_join(&child);
    mp__os_arena_close(&arena);
}

MP_CASES(MP_ROW(the_job_ends_children_of_a_killed_process), MP_ROW(the_job_ends_children_of_a_process_that_ends),
         MP_SUB(stays), MP_SUB(starts_one_that_stays), MP_ROW(exit_codes_have_32_bits), MP_SUB(ends_with_a_large_code),
         MP_ROW(ended_by_somebody_else), MP_SUB(waits), MP_ROW(the_number_of_another_process), MP_SUB(lives));
