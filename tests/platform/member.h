/* A small arena that a test and its sub-programs share. */
#ifndef MP_TEST_MEMBER_H
#define MP_TEST_MEMBER_H

#include "child.h"

#define MP_TEST_ARENA_SIZE   ((size_t)1 << 20)
#define MP_TEST_ARENA_USABLE ((size_t)1 << 16) /* from its beginning */

/* A new one, with its usable part committed and exposed. */
void mp_test_arena_create(mp__os_arena_t *arena);

/* Starts a sub-program that gets the arena, and `arguments`. */
void mp_test_start_member(mp_test_child_t *child, const char *program, const mp__os_arena_t *arena,
                          const char *const *arguments);

/* A POSIX system without what only some of them add, or a build that does without: it cannot tell the end of a thread,
 * the affinity, the address space in use, nor its own command line. */
bool mp_test_is_plain_posix(void);

/* In a sub-program that was started so: its arena. */
void mp_test_arena_open(mp__os_arena_t *arena);

#endif
