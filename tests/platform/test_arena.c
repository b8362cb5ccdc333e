/* The shared mapping: made, opened by children, committed, exposed, given back. */
#include "harness.h"
#include "member.h"
#include "system.h"

#include <string.h>

#define SIZE   MP_TEST_ARENA_SIZE
#define USABLE MP_TEST_ARENA_USABLE

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

MP_CASE(new_memory_reads_as_zeros)
{
    mp__os_arena_t arena;
    REQUIRE_OK(mp__os_arena_create(SIZE, &arena));
    CU_ASSERT_EQUAL(arena.size, SIZE);
    CU_ASSERT_EQUAL((uintptr_t)arena.base % 4096, 0);
    REQUIRE_OK(mp__os_arena_commit(&arena, SIZE - 8192, 8192));
    REQUIRE_OK(mp__os_arena_expose(&arena, SIZE - 8192, 8192));
    CU_ASSERT(is_zero(arena.base + SIZE - 8192, 8192));
    memset(arena.base + SIZE - 8192, 7, 8192);
    CU_ASSERT_EQUAL(arena.base[SIZE - 1], 7);
    mp__os_arena_close(&arena);
}

MP_CASE(a_closed_handle_is_noticed)
{
    mp__os_arena_t arena;
    REQUIRE_OK(mp__os_arena_create(SIZE, &arena));
    EXPECT_OK(mp__os_arena_check(&arena));
    mp__os_arena_t other = arena;
    other.size /= 2;
    if (mp__os_caps()->fork) { /* on Windows handles have no numbers that a program could close by chance */
        EXPECT_STATUS(mp__os_arena_check(&other), MP_STATE);
        other.memory = MP__NO_HANDLE;
        EXPECT_STATUS(mp__os_arena_check(&other), MP_STATE);
    }
    mp__os_arena_close(&arena);
}

MP_CASE(commit_keeps_what_is_there)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    memset(arena.base, 9, USABLE);
    EXPECT_OK(mp__os_arena_commit(&arena, 0, 2 * USABLE));
    EXPECT_OK(mp__os_arena_expose(&arena, 0, 2 * USABLE));
    CU_ASSERT_EQUAL(arena.base[0], 9);
    CU_ASSERT_EQUAL(arena.base[USABLE - 1], 9);
    CU_ASSERT(is_zero(arena.base + USABLE, USABLE));
    mp__os_arena_close(&arena);
}

MP_CASE(discarded_memory_reads_as_zeros_again)
{
    mp__os_arena_t arena;
    mp_test_arena_create(&arena);
    memset(arena.base, 9, USABLE);
    mp__os_arena_discard(&arena, 4096, 8192);
    if (mp__os_caps()->discard) {
        REQUIRE_OK(mp__os_arena_commit(&arena, 4096, 8192));
        CU_ASSERT(is_zero(arena.base + 4096, 8192));
    } else {
        CU_ASSERT_EQUAL(arena.base[4096], 9);
        CU_ASSERT_EQUAL(arena.base[4096 + 8191], 9);
    }
    CU_ASSERT_EQUAL(arena.base[4095], 9);
    CU_ASSERT_EQUAL(arena.base[4096 + 8192], 9);
    mp__os_arena_close(&arena);
}

/* 4 GiB, as Windows gets: nearly nothing of it may have memory behind it, so that many can be made. */
MP_CASE(address_space_costs_no_memory)
{
    mp__os_arena_t arenas[8];
    for (int i = 0; i < 8; i++) {
        REQUIRE_OK(mp__os_arena_create((size_t)4 << 30, &arenas[i]));
        REQUIRE_OK(mp__os_arena_commit(&arenas[i], ((size_t)4 << 30) - 65536, 65536));
        REQUIRE_OK(mp__os_arena_expose(&arenas[i], ((size_t)4 << 30) - 65536, 65536));
        arenas[i].base[((size_t)4 << 30) - 1] = 1;
    }
    for (int i = 0; i < 8; i++)
        mp__os_arena_close(&arenas[i]);
}

MP_CASE(too_large_an_arena_is_refused)
{
    mp__os_arena_t arena;
    EXPECT_STATUS(mp__os_arena_create((size_t)1 << 60, &arena), MP_NO_MEMORY);
    EXPECT_STATUS(mp__os_arena_create(SIZE_MAX - 65535, &arena), MP_NO_MEMORY);
    CU_ASSERT_EQUAL(mp_error()->status, MP_NO_MEMORY);
}

MP_CASE(arena_beyond_the_limit_of_handles)
{
    mp__os_arena_t arena;
    if (!mp_test_limit_handles(0))
        mp_skip("the system sets no limit to a process's handles");
    mp_test_baseline();
    EXPECT_STATUS(mp__os_arena_create(SIZE, &arena), MP_LIMIT);
}

/* ---- several members ---- */

MP_PROGRAM(writes)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    MP_CHECK(arena.size == SIZE);
    MP_CHECK(arena.base[5] == 55);
    arena.base[6] = 66;
    /* What one member commits another one has. */
    MP_CHECK(mp__os_arena_commit(&arena, USABLE, 4096) == MP_OK);
    MP_CHECK(mp__os_arena_expose(&arena, USABLE, 4096) == MP_OK);
    arena.base[USABLE] = 77;
    mp__os_arena_close(&arena);
    return 0;
}

MP_CASE(members_share_it)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    mp_test_arena_create(&arena);
    arena.base[5] = 55;
    mp_test_start_member(&child, "writes", &arena, NULL);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    CU_ASSERT_EQUAL(arena.base[6], 66);
    EXPECT_OK(mp__os_arena_expose(&arena, USABLE, 4096));
    CU_ASSERT_EQUAL(arena.base[USABLE], 77);
    mp__os_arena_close(&arena);
}

/* A member may expose more than is committed, and what is committed later is there without another call. */
MP_PROGRAM(exposes_first)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    MP_CHECK(mp__os_arena_expose(&arena, 0, SIZE) == MP_OK);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'e'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'c'));
    MP_CHECK(arena.base[SIZE - 1] == 88);
    mp__os_arena_close(&arena);
    return 0;
}

MP_CASE(exposed_before_it_is_committed)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    mp_test_arena_create(&arena);
    mp_test_start_member(&child, "exposes_first", &arena, NULL);
    CU_ASSERT(mp_test_hear(child.talk, 'e'));
    REQUIRE_OK(mp__os_arena_commit(&arena, SIZE - 4096, 4096));
    REQUIRE_OK(mp__os_arena_expose(&arena, SIZE - 4096, 4096));
    arena.base[SIZE - 1] = 88;
    CU_ASSERT(mp_test_tell(child.talk, 'c'));
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    mp__os_arena_close(&arena);
}

/* It touches what nobody made accessible. */
MP_PROGRAM(touches)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    MP_CHECK(mp_test_tell(mp_test_talk(), 't'));
    volatile uint8_t *beyond = arena.base + SIZE / 2;
    return *beyond;
}

MP_CASE(what_is_not_exposed_is_not_accessible)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    mp_test_arena_create(&arena);
    mp_test_start_member(&child, "touches", &arena, NULL);
    CU_ASSERT(mp_test_hear(child.talk, 't'));
    mp__os_exit_t end = mp_test_join(&child);
    if (mp_test_emulator()) {
        mp__os_arena_close(&arena);
        mp_skip("Wine makes reserved pages of a mapping accessible");
    }
    CU_ASSERT(end.end == MP__OS_SIGNALLED || (end.end == MP__OS_EXITED && end.code != 0));
    mp__os_arena_close(&arena);
}

/* The arena outlives the member that was killed in it. */
MP_PROGRAM(is_killed)
{
    mp__os_arena_t arena;
    mp_test_arena_open(&arena);
    arena.base[1] = 11;
    MP_CHECK(mp_test_tell(mp_test_talk(), 'w'));
    mp_test_hear(mp_test_talk(), 'x');
    return 1;
}

MP_CASE(a_killed_member_harms_nothing)
{
    mp__os_arena_t arena;
    mp_test_child_t child;
    mp_test_arena_create(&arena);
    mp_test_start_member(&child, "is_killed", &arena, NULL);
    CU_ASSERT(mp_test_hear(child.talk, 'w'));
    mp_test_kill(&child);
    CU_ASSERT_EQUAL(arena.base[1], 11);
    arena.base[1] = 12;
    mp__os_arena_close(&arena);
}

/* ---- opening what is none ---- */

MP_CASE(handles_of_something_else_are_refused)
{
    mp__os_arena_t arena, opened;
    mp__os_handle_t ends[2], copy;
    mp_test_arena_create(&arena);
    REQUIRE_OK(mp__os_channel_create(true, ends));
    EXPECT_STATUS(mp__os_arena_open(ends[0], arena.life, SIZE, &opened), MP_INVALID);
    EXPECT_STATUS(mp__os_arena_open((mp__os_handle_t)3996, arena.life, SIZE, &opened), MP_INVALID);
    EXPECT_STATUS(mp__os_arena_open(MP__NO_HANDLE, MP__NO_HANDLE, SIZE, &opened), MP_INVALID);
    /* Larger than it is. */
    REQUIRE_OK(mp__os_handle_copy(arena.memory, &copy));
    EXPECT_STATUS(mp__os_arena_open(copy, arena.life, 2 * SIZE, &opened), MP_INVALID);
    mp__os_handle_close(copy);
    mp__os_handle_close(ends[0]);
    mp__os_handle_close(ends[1]);
    mp__os_arena_close(&arena);
}

MP_CASE(open_without_room_in_this_process)
{
    mp__os_arena_t arena, opened;
    mp__os_handle_t memory, life = MP__NO_HANDLE;
    REQUIRE_OK(mp__os_arena_create((size_t)4 << 30, &arena));
    if (!mp_test_limit_address_space(SIZE)) {
        mp__os_arena_close(&arena);
        mp_skip("no limit on address space here");
    }
    REQUIRE_OK(mp__os_handle_copy(arena.memory, &memory));
    if (arena.life != MP__NO_HANDLE)
        REQUIRE_OK(mp__os_handle_copy(arena.life, &life));
    EXPECT_STATUS(mp__os_arena_open(memory, life, arena.size, &opened), MP_NO_MEMORY);
    EXPECT_STATUS(mp__os_arena_create((size_t)4 << 30, &opened), MP_NO_MEMORY);
    mp__os_handle_close(memory);
    mp__os_handle_close(life);
    mp__os_arena_close(&arena);
}

MP_CASES(MP_ROW(new_memory_reads_as_zeros), MP_ROW(a_closed_handle_is_noticed), MP_ROW(commit_keeps_what_is_there),
         MP_ROW(discarded_memory_reads_as_zeros_again), MP_ROW(address_space_costs_no_memory),
         MP_ROW(too_large_an_arena_is_refused), MP_ROW(arena_beyond_the_limit_of_handles), MP_ROW(members_share_it),
         MP_SUB(writes), MP_ROW(exposed_before_it_is_committed), MP_SUB(exposes_first),
         MP_ROW(what_is_not_exposed_is_not_accessible), MP_SUB(touches), MP_ROW(a_killed_member_harms_nothing),
         MP_SUB(is_killed), MP_ROW(handles_of_something_else_are_refused), MP_ROW(open_without_room_in_this_process));
