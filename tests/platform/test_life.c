/* Who is dead: processes and threads that ended in every way, and those that only look so. */
#include "harness.h"
#include "member.h"
#include "system.h"

#include <stdlib.h>
#include <string.h>

#define INDEX 5u

/* What lies in the arena. */
typedef struct board {
    mp__os_process_life_t process;
    mp__os_process_life_t second;
    mp__os_thread_life_t thread;
    mp__os_thread_life_t other;
} board_t;

static board_t *board_of(const mp__os_arena_t *arena)
{
    return (board_t *)(void *)arena->base;
}

/* Lives until it is told how to end. */
MP_PROGRAM(lives)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    board_t *board = board_of(&arena);
    MP_CHECK(mp__os_process_live(&arena, INDEX, &board->process) == MP_OK);
    MP_CHECK(mp__os_thread_live(&board->thread) == MP_OK);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'l'));
    char how = 0;
    MP_CHECK(mp__os_channel_read(mp_test_talk(), &how, 1) == MP_OK);
    if (how == 'e')
        exit(3);
    if (how == 'n')
        mp__os_end_now(4);
    if (how == 'a')
        abort();
    return 5;
}

typedef struct scene {
    mp__os_arena_t arena;
    board_t *board;
    mp_test_child_t child;
} scene_t;

static void scene_create(scene_t *scene)
{
    mp_test_arena_create(&scene->arena);
    scene->board = board_of(&scene->arena);
    mp_test_start_member(&scene->child, "lives", &scene->arena, NULL);
    CU_ASSERT(mp_test_hear(scene->child.talk, 'l'));
}

static bool process_ended(const scene_t *scene)
{
    return mp__os_process_ended(&scene->arena, INDEX, &scene->board->process);
}

static void wait_for_end(const scene_t *scene)
{
    bool ready = false;
    EXPECT_OK(mp__os_wait_any(&scene->child.process.sentinel, 1, mp_test_deadline(30), &ready));
    CU_ASSERT(ready);
}

/* Both are seen before anybody reaps it: a zombie has ended. Plain POSIX leaves a thread's end to its process'. */
static void expect_death(const char *how)
{
    scene_t scene;
    scene_create(&scene);
    CU_ASSERT_FALSE(process_ended(&scene));
    CU_ASSERT_FALSE(mp__os_thread_ended(&scene.board->thread));
    if (how)
        CU_ASSERT(mp_test_tell(scene.child.talk, *how));
    if (!how)
        EXPECT_OK(mp__os_process_signal(&scene.child.process, true));
    wait_for_end(&scene);
    CU_ASSERT(process_ended(&scene));
    CU_ASSERT_EQUAL(mp__os_thread_ended(&scene.board->thread), !mp_test_is_plain_posix());
    mp_test_join(&scene.child);
    CU_ASSERT(process_ended(&scene));
    CU_ASSERT_EQUAL(mp__os_thread_ended(&scene.board->thread), !mp_test_is_plain_posix());
    mp__os_arena_close(&scene.arena);
}

MP_CASE(killed_process_has_ended)
{
    expect_death(NULL);
}

MP_CASE(exited_process_has_ended)
{
    expect_death("e");
}

MP_CASE(process_that_ended_without_handlers_has_ended)
{
    expect_death("n");
}

MP_CASE(aborted_process_has_ended)
{
    expect_death("a");
}

MP_CASE(returned_process_has_ended)
{
    expect_death("r");
}

MP_CASE(stopped_process_lives)
{
    scene_t scene;
    scene_create(&scene);
    CU_ASSERT(mp_test_pause(scene.child.process.pid));
    CU_ASSERT_FALSE(process_ended(&scene));
    CU_ASSERT_FALSE(mp__os_thread_ended(&scene.board->thread));
    CU_ASSERT(mp_test_resume(scene.child.process.pid));
    CU_ASSERT_FALSE(process_ended(&scene));
    mp_test_kill(&scene.child);
    CU_ASSERT(process_ended(&scene));
    mp__os_arena_close(&scene.arena);
}

/* Not only the parent sees it: a sibling does, too. */
MP_PROGRAM(looks)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    const board_t *board = board_of(&arena);
    MP_CHECK(!mp__os_process_ended(&arena, INDEX, &board->process));
    MP_CHECK(!mp__os_thread_ended(&board->thread));
    MP_CHECK(mp_test_tell(mp_test_talk(), 'a'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'k'));
    MP_CHECK(mp__os_process_ended(&arena, INDEX, &board->process));
    MP_CHECK(mp__os_thread_ended(&board->thread) == !mp_test_is_plain_posix());
    mp__os_arena_close(&arena);
    return 0;
}

MP_CASE(a_sibling_sees_the_death)
{
    scene_t scene;
    mp_test_child_t sibling;
    scene_create(&scene);
    mp_test_start_member(&sibling, "looks", &scene.arena, NULL);
    CU_ASSERT(mp_test_hear(sibling.talk, 'a'));
    EXPECT_OK(mp__os_process_signal(&scene.child.process, true));
    wait_for_end(&scene);
    CU_ASSERT(mp_test_tell(sibling.talk, 'k'));
    CU_ASSERT_EQUAL(mp_test_join(&sibling).code, 0);
    mp_test_join(&scene.child);
    mp__os_arena_close(&scene.arena);
}

/* A child sees that its parent, or any other that it did not start, is alive. */
MP_PROGRAM(looks_at_parent)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    const board_t *board = board_of(&arena);
    MP_CHECK(!mp__os_process_ended(&arena, INDEX, &board->process));
    MP_CHECK(!mp__os_thread_ended(&board->thread));
    mp__os_arena_close(&arena);
    return 0;
}

MP_CASE(a_child_sees_its_parent_live)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    mp_test_arena_create(&arena);
    board_t *board = board_of(&arena);
    EXPECT_OK(mp__os_process_live(&arena, INDEX, &board->process));
    EXPECT_OK(mp__os_thread_live(&board->thread));
    mp_test_start_member(&child, "looks_at_parent", &arena, NULL);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    mp__os_thread_leave(&board->thread);
    mp__os_arena_close(&arena);
}

/* The number of a dead one serves the next. */
MP_CASE(an_index_serves_again)
{
    scene_t scene;
    scene_create(&scene);
    mp_test_kill(&scene.child);
    CU_ASSERT(process_ended(&scene));
    mp_test_start_member(&scene.child, "lives", &scene.arena, NULL);
    CU_ASSERT(mp_test_hear(scene.child.talk, 'l'));
    CU_ASSERT_FALSE(process_ended(&scene));
    CU_ASSERT_FALSE(mp__os_thread_ended(&scene.board->thread));
    mp_test_kill(&scene.child);
    CU_ASSERT(process_ended(&scene));
    mp__os_arena_close(&scene.arena);
}

/* The highest index, and one beside it, do not disturb each other. */
MP_PROGRAM(lives_at_the_end)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    MP_CHECK(mp__os_process_live(&arena, (1u << 20) - 1, &board_of(&arena)->second) == MP_OK);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'l'));
    mp_test_hear(mp_test_talk(), 'x');
    return 0;
}

MP_CASE(indices_are_apart)
{
    scene_t scene;
    mp_test_child_t last;
    const uint32_t end = (1u << 20) - 1;
    scene_create(&scene);
    mp_test_start_member(&last, "lives_at_the_end", &scene.arena, NULL);
    CU_ASSERT(mp_test_hear(last.talk, 'l'));
    CU_ASSERT_FALSE(mp__os_process_ended(&scene.arena, end, &scene.board->second));
    mp_test_kill(&scene.child);
    CU_ASSERT(process_ended(&scene));
    CU_ASSERT_FALSE(mp__os_process_ended(&scene.arena, end, &scene.board->second));
    mp_test_kill(&last);
    CU_ASSERT(mp__os_process_ended(&scene.arena, end, &scene.board->second));
    mp__os_arena_close(&scene.arena);
}

/* ---- threads of a process that lives on ---- */

typedef struct worker {
    mp__os_thread_life_t *life;
    mp__os_event_t lives;
    mp__os_event_t end;
    bool leaves;
} worker_t;

static void wait_event(const mp__os_event_t *event)
{
    bool ready;
    MP_CHECK(mp__os_wait_any(&event->wait, 1, mp_test_deadline(30), &ready) == MP_OK);
}

static void work(void *context)
{
    worker_t *worker = context;
    MP_CHECK(mp__os_thread_live(worker->life) == MP_OK);
    mp__os_event_set(&worker->lives);
    wait_event(&worker->end);
    if (worker->leaves)
        mp__os_thread_leave(worker->life);
}

static void run_worker(worker_t *worker)
{
    mp_test_thread_t thread;
    REQUIRE_OK(mp__os_event_create(&worker->lives));
    REQUIRE_OK(mp__os_event_create(&worker->end));
    mp_test_thread_start(&thread, work, worker);
    wait_event(&worker->lives);
    CU_ASSERT_FALSE(mp__os_thread_ended(worker->life));
    mp__os_event_set(&worker->end);
    mp_test_thread_join(&thread);
    mp__os_event_close(&worker->lives);
    mp__os_event_close(&worker->end);
}

MP_CASE(ended_thread_of_a_living_process)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    worker_t worker = {.life = &board_of(&arena)->thread};
    run_worker(&worker);
    bool ended = mp__os_thread_ended(worker.life);
    CU_ASSERT_EQUAL(ended, !mp_test_is_plain_posix());
    /* Its place serves another thread. */
    run_worker(&worker);
    mp__os_arena_close(&arena);
}

MP_CASE(a_place_that_was_left_serves_again)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    worker_t worker = {.life = &board_of(&arena)->thread, .leaves = true};
    run_worker(&worker);
    EXPECT_OK(mp__os_thread_live(worker.life));
    mp__os_thread_leave(worker.life);
    run_worker(&worker);
    mp__os_arena_close(&arena);
}

/* ---- hostile bytes ---- */

MP_CASE(any_content_is_safe_to_ask)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    board_t *board = board_of(&arena);
    uint32_t random = 12345;
    for (int round = 0; round < 3000; round++) {
        uint8_t *bytes = (uint8_t *)board;
        for (size_t i = 0; i < sizeof *board; i++) {
            random = random * 1103515245u + 12345u;
            bytes[i] = round == 0 ? 0 : round == 1 ? 0xff : (uint8_t)(random >> 16);
        }
        (void)mp__os_process_ended(&arena, INDEX, &board->process);
        (void)mp__os_process_ended(&arena, (1u << 20) - 1, &board->second);
        (void)mp__os_thread_ended(&board->thread);
        (void)mp__os_thread_ended(&board->other);
    }
    /* A true one lives as before in the same place. */
    EXPECT_OK(mp__os_thread_live(&board->thread));
    CU_ASSERT_FALSE(mp__os_thread_ended(&board->thread));
    mp__os_thread_leave(&board->thread);
    mp__os_arena_close(&arena);
}

MP_CASES(MP_ROW(killed_process_has_ended), MP_ROW(exited_process_has_ended),
         MP_ROW(process_that_ended_without_handlers_has_ended), MP_ROW(aborted_process_has_ended),
         MP_ROW(returned_process_has_ended), MP_ROW(stopped_process_lives), MP_ROW(a_sibling_sees_the_death),
         MP_ROW(a_child_sees_its_parent_live), MP_ROW(an_index_serves_again), MP_ROW(indices_are_apart),
         MP_ROW(ended_thread_of_a_living_process), MP_ROW(a_place_that_was_left_serves_again),
         MP_ROW(any_content_is_safe_to_ask), MP_SUB(lives), MP_SUB(looks), MP_SUB(looks_at_parent),
         MP_SUB(lives_at_the_end));
