/* Calls that do not wait meet a dead owner too, though nobody asks after its process. */
#include "scene.h"

#include <stdio.h>

/* Makes one of each and hands them over; lives until it is killed. */
static mp_status_t make_each(mp_call_t *call)
{
    mp_lock_t *lock;
    mp_rlock_t *rlock;
    mp_semaphore_t *semaphore;
    mp_event_t *event;
    mp_barrier_t *barrier;
    mp_queue_t *empty, *full;
    mp_shared_memory_t *memory;
    mp_value_t none;
    MP_CHECK(mp_lock_create(&lock) == MP_OK && mp_lock_acquire(lock, 0) == MP_OK);
    MP_CHECK(mp_rlock_create(&rlock) == MP_OK && mp_rlock_acquire(rlock, 0) == MP_OK);
    MP_CHECK(mp_semaphore_create(&semaphore, 0) == MP_OK);
    MP_CHECK(mp_event_create(&event) == MP_OK);
    MP_CHECK(mp_barrier_create(&barrier, 2) == MP_OK);
    MP_CHECK(mp_queue_create(&empty, 0) == MP_OK);
    MP_CHECK(mp_queue_create(&full, 1) == MP_OK && mp_queue_put(full, 1, 0) == MP_OK);
    MP_CHECK(mp_shared_memory_create(&memory, 100) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), mp_list(lock, rlock, semaphore, event, barrier, empty, full, memory)) ==
             MP_OK);
    mp_conn_recv(mp_arg_conn(call, 0), &none);
    return MP_OK;
}

enum { LOCK, RLOCK, SEMAPHORE, EVENT, BARRIER, EMPTY, FULL, MEMORY, OBJECTS };

static mp_status_t use(mp_value_t objects, int which, int way)
{
    mp_value_t object = mp_value_item(objects, (size_t)which), item;
    uint32_t number;
    uint64_t size;
    bool set;
    void *data;
    switch (which) {
    case LOCK:
        return mp_lock_acquire(mp_value_lock(object), 0);
    case RLOCK:
        return mp_rlock_acquire(mp_value_rlock(object), 0);
    case SEMAPHORE:
        return way ? mp_semaphore_acquire(mp_value_semaphore(object), 0)
                   : mp_semaphore_value(mp_value_semaphore(object), &number);
    case EVENT:
        return way ? mp_event_wait(mp_value_event(object), 0) : mp_event_is_set(mp_value_event(object), &set);
    case BARRIER:
        return mp_barrier_waiting(mp_value_barrier(object), &number);
    case EMPTY:
        return way ? mp_queue_get(mp_value_queue(object), &item, 0) : mp_queue_size(mp_value_queue(object), &size);
    case FULL:
        return mp_queue_put(mp_value_queue(object), 1, 0);
    default:
        return mp_shared_memory_data(mp_value_shared_memory(object), &data, NULL);
    }
}

/* Each object once more, from a process of its own: the first call that meets the death ends them all. */
static void kill_owner_and_use(int which, int way)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *owner;
    mp_value_t objects;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&owner, make_each, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &objects));
    mp_status_t status = use(objects, which, way);
    CU_ASSERT(status == MP_OK || status == MP_TIMEOUT);
    EXPECT_OK(mp_process_kill(owner));
    double began = mp_now();
    do {
        status = use(objects, which, way);
    } while ((status == MP_OK || status == MP_TIMEOUT) && mp_now() < began + mp_test_patience());
    /* The end of a lock's holder may be seen before its process'. */
    bool met = status == MP_GONE || (status == MP_OWNER_DIED && which <= RLOCK);
    if (!met)
        printf("    object %d, way %d: %s\n", which, way, mp_status_text(status));
    CU_ASSERT(met);
    mp_value_free(&objects);
    mp_test_expect_end(owner, -9);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(calls_that_do_not_wait_meet_it)
{
    mp_test_objects();
    for (int which = 0; which < OBJECTS; which++)
        for (int way = 0; way < 2; way++)
            kill_owner_and_use(which, way);
}

MP_GUARDED_CASES(MP_ROW(calls_that_do_not_wait_meet_it));
