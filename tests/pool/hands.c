/* Tasks, gates and workers for the pool's tests. */
#include "hands.h"

#include "child.h"
#include "harness.h"
#include "system.h"

#include "family/alloc.h"
#include "objects/pool_core.h"

static size_t blocks(void)
{
    return (size_t)mp__blocks_in_use();
}

void mp_test_pools(void)
{
    mp_pool_t *pool;
    REQUIRE_OK(mp_pool_create(&pool, 1));
    REQUIRE_OK(mp_pool_apply(pool, task_pid, mp_args(), NULL, mp_test_seconds(20)));
    REQUIRE_OK(mp_pool_free(pool));
    mp_test_settle = mp_test_end_servers;
    mp_test_arena_blocks = blocks;
    mp_test_baseline();
}

mp_status_t task_add(mp_call_t *call)
{
    return mp_return(call, mp_arg_int(call, 0) + mp_arg_int(call, 1));
}

mp_status_t task_square(mp_call_t *call)
{
    return mp_return(call, mp_arg_int(call, 0) * mp_arg_int(call, 0));
}

mp_status_t task_pid(mp_call_t *call)
{
    return mp_return(call, mp_getpid());
}

mp_status_t task_echo(mp_call_t *call)
{
    return mp_return(call, mp_arg(call, 0));
}

mp_status_t task_fail(mp_call_t *call)
{
    return mp_fail(call, (int)mp_arg_int(call, 0), "no %s", "luck");
}

mp_status_t task_pass_gate(mp_call_t *call)
{
    mp_value_t unused;
    mp_status_t status = mp_queue_put(mp_arg_queue(call, 0), mp_getpid(), MP_FOREVER);
    if (status == MP_OK)
        status = mp_queue_get(mp_arg_queue(call, 1), &unused, MP_FOREVER);
    return status == MP_OK ? mp_return(call, mp_arg(call, 2)) : status;
}

void mp_test_gate_create(mp_test_gate_t *gate)
{
    REQUIRE_OK(mp_queue_create(&gate->here, 0));
    REQUIRE_OK(mp_queue_create(&gate->gate, 0));
}

void mp_test_gate_close(mp_test_gate_t *gate)
{
    EXPECT_OK(mp_queue_close(gate->here));
    EXPECT_OK(mp_queue_close(gate->gate));
}

int mp_test_gate_arrival(const mp_test_gate_t *gate)
{
    mp_value_t pid;
    REQUIRE_OK(mp_queue_get(gate->here, &pid, mp_test_seconds(20)));
    return (int)mp_value_int(pid);
}

void mp_test_gate_open(const mp_test_gate_t *gate, int n)
{
    for (int i = 0; i < n; i++)
        REQUIRE_OK(mp_queue_put(gate->gate, i, MP_FOREVER));
}

bool mp_test_kill_worker(mp_pool_t *pool, int pid)
{
    bool found = false;
    mp__pool_lock(pool);
    for (uint32_t i = 0; i < pool->size && !found; i++) {
        const mp__worker_t *worker = &pool->workers[i];
        found = worker->state != MP__WORKER_VACANT && mp_process_pid(worker->process) == pid;
        if (found)
            EXPECT_OK(mp_process_kill(worker->process));
    }
    mp__pool_unlock(pool);
    return found;
}

static unsigned count_idle(mp_pool_t *pool)
{
    unsigned n = 0;
    mp__pool_lock(pool);
    for (uint32_t i = 0; i < pool->size; i++)
        n += pool->workers[i].state == MP__WORKER_IDLE;
    mp__pool_unlock(pool);
    return n;
}

bool mp_test_idle_workers(mp_pool_t *pool, unsigned n)
{
    mp__deadline_t deadline = mp_test_deadline(20);
    while (count_idle(pool) != n) {
        if (mp__os_now() > deadline)
            return false;
        mp_test_moment();
    }
    return true;
}
