/*
 * The stage: one shared object of each kind and a ledger, and who plays on it. The case owns it; a victim acts on it
 * and is killed; survivors must find that all of it works, and the ledger that nothing is missing or too much.
 */
#ifndef MP_TEST_STAGE_H
#define MP_TEST_STAGE_H

#include "faults.h"

#include <multiproc.h>

/* Everyone has a number; it is also who put an item. */
typedef enum player { CASE, VICTIM, FIRST, SURVIVOR, PLAYERS } player_t;

#define SERIALS   512u /* items of one player */
#define ITEM_MOST 120000u
#define BATCH     16u
#define PARTIES   2u
#define PERMITS   20u

/* What the case and the players write down, each what is its own, before and after each operation. */
typedef struct board {
    uint64_t guarded[2]; /* changed by the lock's holder only, both */
    uint64_t told;
    uint64_t word; /* a lock */
    uint32_t go;   /* the victim may begin */
    uint32_t holders;
    uint32_t holders_may_go;
    uint64_t self[PLAYERS]; /* mp__self */
    uint32_t ready[PLAYERS];
    uint32_t over[PLAYERS];
    struct {
        uint32_t begun;
        uint32_t returned;
    } puts[PLAYERS];
    struct {
        uint32_t begun;
        uint32_t ended;
        uint32_t width; /* how many the one in flight may lose */
    } gets[PLAYERS];
    uint8_t ticks[PLAYERS][SERIALS]; /* received, and by whom does not matter */
    mp_test_witness_t witness[PLAYERS];
} board_t;

typedef struct stage {
    mp_queue_t *queue;
    mp_queue_t *letters; /* its dead ones */
    mp_lock_t *lock;
    mp_rlock_t *rlock;
    mp_semaphore_t *plain;
    mp_semaphore_t *owned;
    mp_event_t *event;
    mp_event_t *orphan; /* which a victim may adopt */
    mp_condition_t *condition;
    mp_barrier_t *barrier;
    mp_shared_value_t *value;
    mp_shared_memory_t *memory;
    mp_shareable_list_t *list;
    mp_queue_options_t options; /* the queue's */
    board_t *board;
    player_t self;
    mp_test_fate_t fate; /* this player's */
} stage_t;

/* What must hold, for all who live. Else the try is broken; a player ends then. */
#define HOLDS(condition) ((condition) ? (void)0 : stage_breaks(#condition, __FILE__, __LINE__))

void stage_breaks(const char *condition, const char *file, int line);
bool stage_broken(void);            /* since it was set */
void stage_tries(const char *what); /* for messages: what the case tries next */
void stage_is_players(void);        /* this process is not the case's */

/* A survivor's time, in seconds. */
double soon(void);

/* The case's. `letters`: items go there after one attempt. */
void stage_set(stage_t *stage, const mp_queue_options_t *options, bool letters);

/* All works for the survivors, at once and whoever is dead unnoticed. */
void stage_check(stage_t *stage);

/* Nobody but the case is there any more: the ledger, and each object's own account. `dropped`: the queue may have been
 * shut. */
void stage_settle(stage_t *stage, bool dropped);

/* Closes all; then nothing is left. */
void stage_clear(stage_t *stage);

/* ---- everyone's */

void put(stage_t *stage, size_t size);
void put_many(stage_t *stage, size_t size, uint32_t n);
void put_lent(stage_t *stage, size_t size);
void get(stage_t *stage);
bool get_if_any(stage_t *stage);
void get_many(stage_t *stage);
void get_lent(stage_t *stage);

/* A lease's: the tick is made before it is done with, as nobody loses it. */
mp_lease_t *lease(stage_t *stage);
void done(stage_t *stage, mp_lease_t *lease);

/* Changes what the lock guards; and makes it whole again after a death. */
void guarded_change(stage_t *stage);
void guarded_repair(stage_t *stage);

bool acquired(mp_status_t status);

#endif
