/*
 * Killed at any instruction: a scene is one operation on the arena. One run of it, step by step, lists its places: each
 * instruction, each time that it is executed. For each try another victim runs to one of them and is killed there;
 * whoever comes next must be able to go on at once, and nothing may be missing, twice there, or left over.
 *
 * Where nine or more rounds of a loop (or of a copy) in a row go the same way, instruction by instruction, the list has
 * the first, the middle and the last of them; the others are printed as left out. A round that goes another way, as
 * where a sweep meets a block of the dead one, is listed, and begins a new row.
 *
 * Places are drawn by chance, as many as fit into a short time (MP_TEST_STEP_SEED in the environment: another seed);
 * with MP_TEST_EVERY_STEP=1 all are tried, with =5 every fifth.
 */
#ifndef MP_TEST_SCENE_H
#define MP_TEST_SCENE_H

#include "stepper.h"

#define SOON 2.0 /* seconds within which the next one must be able to go on */

typedef struct scene {
    void (*set)(void);             /* the state before, made by the case; may be NULL */
    void (*prepare)(void);         /* the victim's, not stepped through; may be NULL */
    void (*act)(void);             /* the victim's */
    void (*meanwhile)(void);       /* done by the case while the victim stands still; may be NULL */
    void (*check)(bool completed); /* by the case, afterwards; did the victim come to the end? */
    const int64_t *more;           /* blocks in use after the whole of `act`, more than before; NULL: not looked at */
    bool resume;                   /* the victim goes on after `meanwhile`, instead of being killed */
} scene_t;

/* The queues of scenes have small chunks: so many items of that size fill one. */
#define SCENE_CHUNK 512
#define SCENE_ITEM  ((size_t)64)
#define SCENE_ROW   6

/* The case becomes the root of a family. */
void scene_begin(void);
void scene_end(void);

/* Plays it again and again, and looks each time for what is left over. Prints how many places there are,
 * how many of them were tried, how many tries were broken, how many victims did not come to their place. */
void scene_play(const scene_t *scene);

/* Plays it once: the victim is killed while it sleeps in the kernel. */
void scene_play_asleep(const scene_t *scene);

/* For `set` of a scene about two deaths: the first victim of another scene, killed somewhere. Its `check` is not
 * called. */
void scene_kill_first(const scene_t *scene);

/* The usual `prepare`: becomes a member. */
void scene_join(void);

/* Waits until so many threads of the family sleep, or are about to. */
void scene_wait_for_sleepers(uint32_t n);

/* A number below n, by chance. */
uint64_t scene_below(uint64_t n);

/* What must hold, in the case's process; else the scene ends, and the case has failed. */
#define HOLDS(condition) ((condition) ? (void)0 : scene_fails(#condition, __FILE__, __LINE__))

void scene_fails(const char *condition, const char *file, int line);
bool scene_failed(void);

/* Another member, which runs by itself; one at a time. scene_helped: did it come to its end by now, or soon? */
void scene_help(void (*run)(void));
bool scene_helped(void);

#endif
