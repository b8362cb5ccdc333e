/*
 * Other processes for a test: this executable's sub-programs (MP_PROGRAM), started through the platform contract, each
 * with a channel to its starter over which single bytes tell how far each side is.
 */
#ifndef MP_TEST_CHILD_H
#define MP_TEST_CHILD_H

#include "platform.h"

typedef struct mp_test_child {
    mp__os_process_t process;
    mp__os_handle_t talk; /* the starter's end */
} mp_test_child_t;

/* Starts a sub-program. It gets the handles, and what `arguments` (NULL-terminated, or NULL) says. A failure fails the
 * case. */
void mp_test_start(mp_test_child_t *child, const char *program, const mp__os_handle_t *handles, size_t handle_count,
                   const char *const *arguments);

/* Uses everything once, and then takes the leak check's baseline: some things are made at the first use and kept. */
void mp_test_warm_up(void);

/* Sends and receives one byte; false: the other side is gone, or nothing came for 30 s. */
bool mp_test_tell(mp__os_handle_t talk, char byte);
bool mp_test_hear(mp__os_handle_t talk, char byte);

/* Waits for its end, closes everything. */
mp__os_exit_t mp_test_join(mp_test_child_t *child);

/* Kills it, without its doing, and joins. */
void mp_test_kill(mp_test_child_t *child);

/* In a sub-program: the channel to the starter, and handle number i that it passed, both closed to children again. */
mp__os_handle_t mp_test_talk(void);
mp__os_handle_t mp_test_handle(size_t index);
size_t mp_test_handle_count(void);

/* Number i of the arguments that followed. */
const char *mp_test_word(size_t index);

/* Fork servers serve until the program ends: this ends them, so that they are no leak (for mp_test_settle). */
void mp_test_end_servers(void);

/* A deadline that many seconds from now, longer on slow machines. */
mp__deadline_t mp_test_deadline(double seconds);

#endif
