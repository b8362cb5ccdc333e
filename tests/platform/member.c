/* A small arena that a test and its sub-programs share. */
#include "member.h"

#include "harness.h"

#include <stdlib.h>

void mp_test_arena_create(mp__os_arena_t *arena)
{
    mp_test_warm_up();
    REQUIRE_OK(mp__os_arena_create(MP_TEST_ARENA_SIZE, arena));
    REQUIRE_OK(mp__os_arena_commit(arena, 0, MP_TEST_ARENA_USABLE));
    REQUIRE_OK(mp__os_arena_expose(arena, 0, MP_TEST_ARENA_USABLE));
}

void mp_test_start_member(mp_test_child_t *child, const char *program, const mp__os_arena_t *arena,
                          const char *const *arguments)
{
    const mp__os_handle_t handles[] = {arena->memory, arena->life};
    mp_test_start(child, program, handles, arena->life == MP__NO_HANDLE ? 1 : 2, arguments);
}

void mp_test_arena_open(mp__os_arena_t *arena)
{
    mp__os_handle_t memory = mp_test_handle(0);
    mp__os_handle_t life = mp_test_handle_count() > 1 ? mp_test_handle(1) : MP__NO_HANDLE;
    MP_CHECK(mp__os_arena_open(memory, life, MP_TEST_ARENA_SIZE, arena) == MP_OK);
    MP_CHECK(mp__os_arena_expose(arena, 0, MP_TEST_ARENA_USABLE) == MP_OK);
}

bool mp_test_is_plain_posix(void)
{
    return mp__os_caps()->fork && !mp__os_caps()->shared_wait;
}
