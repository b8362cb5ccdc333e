/* What the pool's tests give the workers to do, and how they get at the workers. */
#ifndef MP_TEST_HANDS_H
#define MP_TEST_HANDS_H

#include <multiproc.h>

/* Makes what the library makes once, then takes the leak check's baseline. First in a case. */
void mp_test_pools(void);

/* ---- tasks */

mp_status_t task_add(mp_call_t *call);    /* (a, b): a + b */
mp_status_t task_square(mp_call_t *call); /* (x): x * x */
mp_status_t task_pid(mp_call_t *call);    /* (...): its process */
mp_status_t task_echo(mp_call_t *call);   /* (x): x */
mp_status_t task_fail(mp_call_t *call);   /* (code): fails with it */

/* (here, gate, x): puts its pid into `here`, takes an item from `gate`, then x. */
mp_status_t task_pass_gate(mp_call_t *call);

/* ---- a gate: tasks that wait in it, and how they go on */

typedef struct mp_test_gate {
    mp_queue_t *here;
    mp_queue_t *gate;
} mp_test_gate_t;

void mp_test_gate_create(mp_test_gate_t *gate);
void mp_test_gate_close(mp_test_gate_t *gate);

/* Waits until another task is in it; its worker's pid. */
int mp_test_gate_arrival(const mp_test_gate_t *gate);

/* Lets n tasks pass. */
void mp_test_gate_open(const mp_test_gate_t *gate, int n);

/* ---- workers */

/* Kills the worker with that pid; false: there is none. */
bool mp_test_kill_worker(mp_pool_t *pool, int pid);

/* Waits until n workers are idle; false: not within 20 s. */
bool mp_test_idle_workers(mp_pool_t *pool, unsigned n);

#endif
