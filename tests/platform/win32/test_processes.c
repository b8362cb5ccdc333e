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

/* ---- somebody else's handles and jobs ---- */

static mp__os_spawn_t one(const mp__os_handle_t *handle, bool grouped, uint32_t limit)
{
    static const char *arguments[] = {NULL, "-", NULL};
    arguments[0] = mp_test_program();
    return (mp__os_spawn_t){.path = mp_test_program(),
                            .arguments = arguments,
                            .handles = handle,
                            .handle_count = handle ? 1 : 0,
                            .grouped = grouped,
                            .process_limit = limit};
}

static mp_status_t spawn_one(const mp__os_handle_t *handle, bool grouped, uint32_t limit, mp__os_process_t *process)
{
    const mp__os_spawn_t spawn = one(handle, grouped, limit);
    return mp__os_spawn(&spawn, process);
}

static void expect_end(mp__os_process_t *process)
{
    EXPECT_OK(mp__os_process_wait(process, mp_test_deadline(30)));
    mp__os_process_close(process);
}

MP_CASE(a_handle_that_was_inheritable_stays_so)
{
    mp__os_event_t event;
    mp__os_process_t process;
    DWORD flags = 0;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_event_create(&event));
    HANDLE handle = (HANDLE)event.wait;
    CU_ASSERT(SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
    REQUIRE_OK(spawn_one(&event.wait, false, 0, &process));
    expect_end(&process);
    CU_ASSERT(GetHandleInformation(handle, &flags) && (flags & HANDLE_FLAG_INHERIT));
    CU_ASSERT(SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0));
    REQUIRE_OK(spawn_one(&event.wait, false, 0, &process));
    expect_end(&process);
    CU_ASSERT(GetHandleInformation(handle, &flags) && !(flags & HANDLE_FLAG_INHERIT));
    mp__os_event_close(&event);
}

typedef BOOL(WINAPI *update_t)(LPPROC_THREAD_ATTRIBUTE_LIST, DWORD, DWORD_PTR, PVOID, SIZE_T, PVOID, PSIZE_T);

static bool refuses_jobs;

/* What the library calls instead of the system's own: a system that is too old for jobs to be named at the start. */
static BOOL WINAPI update(LPPROC_THREAD_ATTRIBUTE_LIST list, DWORD flags, DWORD_PTR attribute, PVOID value, SIZE_T size,
                          PVOID before, PSIZE_T returned)
{
    const DWORD_PTR jobs = 0x2000D;
    update_t own =
        (update_t)(void (*)(void))GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "UpdateProcThreadAttribute");
    if (refuses_jobs && attribute == jobs) {
        SetLastError(ERROR_NOT_SUPPORTED);
        return FALSE;
    }
    return own(list, flags, attribute, value, size, before, returned);
}

const update_t __imp_UpdateProcThreadAttribute = update;

MP_CASE(a_job_that_was_not_taken_is_none)
{
    mp__os_process_t process;
    mp_test_warm_up();
    REQUIRE_OK(spawn_one(NULL, true, 0, &process));
    CU_ASSERT_NOT_EQUAL(process.job, MP__NO_HANDLE);
    expect_end(&process);
    refuses_jobs = true;
    REQUIRE_OK(spawn_one(NULL, true, 0, &process));
    CU_ASSERT_EQUAL(process.job, MP__NO_HANDLE);
    expect_end(&process);
    const mp__os_spawn_t limited = one(NULL, false, 5);
    EXPECT_STATUS(mp__os_spawn(&limited, &process), MP_UNSUPPORTED);
    refuses_jobs = false;
    REQUIRE_OK(spawn_one(NULL, false, 5, &process));
    expect_end(&process);
}

MP_CASES(MP_ROW(a_handle_that_was_inheritable_stays_so), MP_ROW(a_job_that_was_not_taken_is_none),
         MP_ROW(the_job_ends_children_of_a_killed_process), MP_ROW(the_job_ends_children_of_a_process_that_ends),
         MP_SUB(stays), MP_SUB(starts_one_that_stays), MP_ROW(exit_codes_have_32_bits), MP_SUB(ends_with_a_large_code),
         MP_ROW(ended_by_somebody_else), MP_SUB(waits), MP_ROW(the_number_of_another_process), MP_SUB(lives));
