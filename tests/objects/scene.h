/* What the tests of processes, and of what processes share, have in common. */
#ifndef MP_TEST_SCENE_H
#define MP_TEST_SCENE_H

#include "harness.h"
#include "random.h"

#include <multiproc.h>

#define MP_TEST_PATIENCE 20.0 /* seconds for what must happen */

/* Uses everything once that the library makes at its first use and keeps; then the leak check's baseline. */
void mp_test_objects(void);

/* A queue of at most so many items, 0 for any number; how many are in it; the next one, a number. */
mp_queue_t *mp_test_queue(uint64_t most);
uint64_t mp_test_queue_size(mp_queue_t *queue);
int64_t mp_test_get_int(mp_queue_t *queue);

/* Runs it once under each start method of this system. */
void mp_test_each_method(void (*run)(void));

/* Is it a system on which signals end processes, exit codes have 8 bits, and fork works? */
bool mp_test_is_posix(void);

/* Joins it, expects that exit code, closes it. */
void mp_test_expect_end(mp_process_t *process, int code);

/* Kills it and closes it. */
void mp_test_expect_killed(mp_process_t *process);

/* Waits for a random time of at most so many microseconds. */
void mp_test_wander(uint64_t *random, uint64_t most);

/* MP_TEST_PATIENCE, longer on slow machines. */
double mp_test_patience(void);

/* What began then took that long: not less, and not much more. EXPECT_WITHIN: no more than that. Longer on slow
 * machines, and on those that are busy just now. Only for the case's own thread. */
#define EXPECT_TOOK(began, seconds)                                                                                    \
    mp_test_expect_took(began, seconds, (seconds) + mp_test_seconds(0.3), __FILE__, __LINE__)
#define EXPECT_WITHIN(began, seconds) mp_test_expect_took(began, 0, mp_test_seconds(seconds), __FILE__, __LINE__)

void mp_test_expect_took(double began, double least, double most, const char *file, int line);

/* Until so many threads of the family sleep in the library. */
void mp_test_await_sleepers(uint32_t n);

/* Memory that a case and its processes share: zeroed, freed with the name; the name is an argument for the process. */
void *mp_test_board_create(size_t size, uint64_t *name);
void mp_test_board_free(uint64_t name);
void *mp_test_board(mp_call_t *call, size_t argument);

#endif
