/* Handles: second ones, adopted ones, closed ones, and who inherits them. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include <stdio.h>
#include <stdlib.h>

/* A number that no handle has. */
#define NOT_A_HANDLE ((mp__os_handle_t)3996)

static size_t count_mine(void)
{
    static uintptr_t handles[4096];
    return mp_test_handles(handles, 4096);
}

MP_CASE(copy_is_a_second_handle_on_the_same_thing)
{
    mp__os_handle_t ends[2], copy;
    char byte = 0;
    REQUIRE_OK(mp__os_channel_create(false, ends));
    REQUIRE_OK(mp__os_handle_copy(ends[1], &copy));
    CU_ASSERT_NOT_EQUAL(copy, ends[1]);
    mp__os_handle_close(ends[1]);
    EXPECT_OK(mp__os_channel_write(copy, "x", 1));
    EXPECT_OK(mp__os_channel_read(ends[0], &byte, 1));
    CU_ASSERT_EQUAL(byte, 'x');
    mp__os_handle_close(copy);
    mp__os_handle_close(ends[0]);
}

MP_CASE(copy_of_nothing_is_invalid)
{
    mp__os_handle_t copy = MP__NO_HANDLE;
    EXPECT_STATUS(mp__os_handle_copy(NOT_A_HANDLE, &copy), MP_INVALID);
    CU_ASSERT_EQUAL(mp_error()->status, MP_INVALID);
    EXPECT_STATUS(mp__os_handle_copy(MP__NO_HANDLE, &copy), MP_INVALID);
}

MP_CASE(copy_beyond_the_limit)
{
    mp__os_event_t event;
    mp__os_handle_t copy;
    REQUIRE_OK(mp__os_event_create(&event));
    if (!mp_test_limit_handles(0)) {
        mp__os_event_close(&event);
        mp_skip("the system sets no limit to a process's handles");
    }
    mp_test_baseline();
    EXPECT_STATUS(mp__os_handle_copy(event.wait, &copy), MP_LIMIT);
    mp__os_event_close(&event);
}

MP_CASE(adopting_nothing_is_invalid)
{
    EXPECT_STATUS(mp__os_handle_adopt(NOT_A_HANDLE), MP_INVALID);
    EXPECT_STATUS(mp__os_handle_adopt(MP__NO_HANDLE), MP_INVALID);
}

MP_CASE(closing_no_handle_does_nothing)
{
    size_t before = count_mine();
    mp__os_handle_close(MP__NO_HANDLE);
    CU_ASSERT_EQUAL(count_mine(), before);
}

/* ---- inheritance ---- */

/* Its exit code is the number of handles it was born with. */
MP_PROGRAM(counts_handles)
{
    return (int)count_mine();
}

/* What it was given a host's own start would hand on, until it has adopted it. */
MP_PROGRAM(adopts)
{
    int before = mp_test_run(mp_test_program(), "counts_handles", NULL, 0);
    mp_test_talk();
    mp_test_handle(0);
    return before - mp_test_run(mp_test_program(), "counts_handles", NULL, 0);
}

/* How many handles a child has that is given these. */
static int count_in_child(const mp__os_handle_t *handles, size_t count)
{
    const char *const arguments[] = {mp_test_program(), "counts_handles", NULL};
    const mp__os_spawn_t spawn = {
        .path = mp_test_program(), .arguments = arguments, .handles = handles, .handle_count = count};
    mp__os_process_t process;
    REQUIRE_OK(mp__os_spawn(&spawn, &process));
    REQUIRE_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(process.exit.end, MP__OS_EXITED);
    mp__os_process_close(&process);
    return process.exit.code;
}

MP_CASE(children_get_the_named_handles_and_no_other)
{
    mp__os_handle_t ends[6];
    mp_test_warm_up();
    int before = count_in_child(NULL, 0);
    for (size_t i = 0; i < 6; i += 2)
        REQUIRE_OK(mp__os_channel_create(true, ends + i));
    CU_ASSERT_EQUAL(count_in_child(NULL, 0), before);
    const mp__os_handle_t two[] = {ends[1], ends[4]};
    int theirs = mp_test_run(mp_test_program(), "counts_handles", NULL, 0);
    CU_ASSERT_EQUAL(count_in_child(two, 2), before + 2);
    /* Naming a handle leaves nothing behind for the next child, also not for the host's own. */
    CU_ASSERT_EQUAL(count_in_child(NULL, 0), before);
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "counts_handles", NULL, 0), theirs);
    for (size_t i = 0; i < 6; i++)
        mp__os_handle_close(ends[i]);
}

MP_CASE(adopted_handles_are_closed_to_children_again)
{
    mp__os_event_t event;
    mp_test_child_t child;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_event_create(&event));
    mp_test_start(&child, "adopts", &event.set, 1, NULL);
    mp__os_exit_t end = mp_test_join(&child);
    CU_ASSERT_EQUAL(end.end, MP__OS_EXITED);
    CU_ASSERT_EQUAL(end.code, 2);
    mp__os_event_close(&event);
}

typedef struct objects {
    mp__os_arena_t arena;
    mp__os_event_t event;
    mp__os_handle_t ends[4];
    mp__os_handle_t copy;
    mp__os_handle_t taken;
    mp__os_handle_t lifeline[2];
    mp__os_bell_t *bell;
    mp__os_process_life_t *process_life;
    mp__os_thread_life_t *thread_life;
    mp_test_child_t child;
} objects_t;

static void objects_create(objects_t *objects)
{
    REQUIRE_OK(mp__os_arena_create(1 << 20, &objects->arena));
    REQUIRE_OK(mp__os_arena_commit(&objects->arena, 0, 4096));
    REQUIRE_OK(mp__os_arena_expose(&objects->arena, 0, 4096));
    objects->bell = (mp__os_bell_t *)(void *)objects->arena.base;
    objects->process_life = (mp__os_process_life_t *)(void *)(objects->arena.base + 256);
    objects->thread_life = (mp__os_thread_life_t *)(void *)(objects->arena.base + 512);
    REQUIRE_OK(mp__os_bell_init(objects->bell));
    REQUIRE_OK(mp__os_process_live(&objects->arena, 1, objects->process_life));
    REQUIRE_OK(mp__os_thread_live(objects->thread_life));
    REQUIRE_OK(mp__os_event_create(&objects->event));
    REQUIRE_OK(mp__os_channel_create(true, objects->ends));
    REQUIRE_OK(mp__os_channel_create(false, objects->ends + 2));
    REQUIRE_OK(mp__os_handle_copy(objects->ends[0], &objects->copy));
    REQUIRE_OK(mp__os_channel_pass(objects->ends[0], &objects->event.wait, 1, mp__os_pid()));
    REQUIRE_OK(mp__os_channel_take(objects->ends[1], &objects->taken, 1));
    REQUIRE_OK(mp__os_lifeline_create(&objects->lifeline[0], &objects->lifeline[1]));
    mp_test_start(&objects->child, "waits", NULL, 0, NULL);
}

static void objects_close(objects_t *objects)
{
    CU_ASSERT(mp_test_tell(objects->child.talk, 'e'));
    mp_test_join(&objects->child);
    mp__os_event_close(&objects->event);
    for (size_t i = 0; i < 4; i++)
        mp__os_handle_close(objects->ends[i]);
    mp__os_handle_close(objects->copy);
    mp__os_handle_close(objects->taken);
    mp__os_handle_close(objects->lifeline[0]);
    mp__os_handle_close(objects->lifeline[1]);
    mp__os_thread_leave(objects->thread_life);
    mp__os_bell_fini(objects->bell);
    mp__os_arena_close(&objects->arena);
}

MP_PROGRAM(waits)
{
    return mp_test_hear(mp_test_talk(), 'e') ? 0 : 1;
}

/* One of each, and then two children: one of ours, one that the host starts in its own way, inheriting all it can. */
MP_CASE(every_object_is_born_closed_to_children)
{
    objects_t objects;
    mp_test_warm_up();
    int ours = count_in_child(NULL, 0);
    int theirs = mp_test_run(mp_test_program(), "counts_handles", NULL, 0);
    objects_create(&objects);
    CU_ASSERT_EQUAL(count_in_child(NULL, 0), ours);
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "counts_handles", NULL, 0), theirs);
    objects_close(&objects);
}

MP_CASES(MP_ROW(copy_is_a_second_handle_on_the_same_thing), MP_ROW(copy_of_nothing_is_invalid),
         MP_ROW(copy_beyond_the_limit), MP_ROW(adopting_nothing_is_invalid), MP_ROW(closing_no_handle_does_nothing),
         MP_ROW(children_get_the_named_handles_and_no_other), MP_ROW(adopted_handles_are_closed_to_children_again),
         MP_ROW(every_object_is_born_closed_to_children), MP_SUB(counts_handles), MP_SUB(adopts), MP_SUB(waits));
