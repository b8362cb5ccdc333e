/* Waiting for any of many objects: each kind, before and during the wait, with deaths, for many who wait. */
#include "scene.h"
#include "system.h"

#include "family/family.h"
#include "objects/process.h"
#include "objects/shared.h"

#include <stdlib.h>
#include <string.h>

static mp_lock_t *make_lock(void)
{
    mp_lock_t *lock;
    REQUIRE_OK(mp_lock_create(&lock));
    return lock;
}

/* As mp_test_objects(), with what the first waits make and keep. */
static void use_waits(void)
{
    mp_conn_t *first, *second;
    bool ready[2];
    mp_test_objects();
    mp_queue_t *queue = mp_test_queue(0);
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    const mp_value_t both[] = {mp_of(queue), mp_of(first)};
    EXPECT_STATUS(mp_wait(both, 2, ready, 0.01), MP_TIMEOUT);
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
    EXPECT_OK(mp_queue_close(queue));
    mp_test_baseline();
}

static void expect_ready(mp_value_t object, bool expected)
{
    bool ready = !expected;
    EXPECT_STATUS(mp_wait(&object, 1, &ready, 0), expected ? MP_OK : MP_TIMEOUT);
    CU_ASSERT_EQUAL(ready, expected);
    if (expected) {
        ready = false;
        EXPECT_OK(mp_wait(&object, 1, &ready, MP_FOREVER));
        CU_ASSERT(ready);
    }
}

/* ---- each kind, at a look */

MP_CASE(a_queue_with_an_item_is_ready)
{
    mp_value_t got;
    use_waits();
    mp_queue_t *queue = mp_test_queue(0);
    expect_ready(mp_of(queue), false);
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    expect_ready(mp_of(queue), true);
    expect_ready(mp_of(queue), true); /* until it is taken */
    EXPECT_OK(mp_queue_get(queue, &got, 0));
    expect_ready(mp_of(queue), false);
    EXPECT_OK(mp_queue_put_bytes(queue, NULL, 0, 0));
    expect_ready(mp_of(queue), true);
    EXPECT_OK(mp_queue_shutdown(queue, true));
    expect_ready(mp_of(queue), true); /* a get says so at once */
    EXPECT_OK(mp_queue_close(queue));
}

/* Takes a lock, says so, and ends when told, holding it. */
static mp_status_t hold(mp_call_t *call)
{
    mp_lock_t *lock = mp_arg_lock(call, 0);
    mp_conn_t *conn = mp_arg_conn(call, 1);
    mp_value_t word;
    MP_CHECK(mp_lock_acquire(lock, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_conn_send(conn, 1) == MP_OK);
    if (mp_conn_recv(conn, &word) == MP_OK && mp_value_int(word) == 1)
        MP_CHECK(mp_lock_release(lock) == MP_OK);
    return MP_OK;
}

typedef struct holder {
    mp_process_t *process;
    mp_conn_t *conn;
} holder_t;

static void start_holder(holder_t *holder, mp_lock_t *lock)
{
    mp_conn_t *theirs;
    mp_value_t got;
    REQUIRE_OK(mp_pipe(&holder->conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&holder->process, hold, mp_args(lock, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(holder->conn, &got));
}

MP_CASE(a_lock_that_can_be_acquired_is_ready)
{
    holder_t holder;
    use_waits();
    mp_lock_t *lock = make_lock();
    expect_ready(mp_of(lock), true);
    EXPECT_OK(mp_lock_acquire(lock, 0));
    expect_ready(mp_of(lock), true); /* the holder would not wait */
    EXPECT_OK(mp_lock_release(lock));
    start_holder(&holder, lock);
    expect_ready(mp_of(lock), false);
    EXPECT_OK(mp_process_kill(holder.process));
    mp_test_expect_end(holder.process, -9);
    expect_ready(mp_of(lock), true);
    EXPECT_STATUS(mp_lock_acquire(lock, 0), MP_OWNER_DIED);
    EXPECT_OK(mp_lock_release(lock));
    EXPECT_OK(mp_conn_close(holder.conn));
    EXPECT_OK(mp_lock_close(lock));
}

MP_CASE(an_rlock_is_ready_as_a_lock_is)
{
    use_waits();
    mp_rlock_t *rlock;
    REQUIRE_OK(mp_rlock_create(&rlock));
    expect_ready(mp_of(rlock), true);
    EXPECT_OK(mp_rlock_acquire(rlock, 0));
    expect_ready(mp_of(rlock), true);
    EXPECT_OK(mp_rlock_release(rlock));
    EXPECT_OK(mp_rlock_close(rlock));
}

static mp_status_t die_with_permits(mp_call_t *call)
{
    mp_value_t word;
    MP_CHECK(mp_semaphore_acquire(mp_arg_semaphore(call, 0), 0) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 1), &word);
    return MP_OK;
}

MP_CASE(a_semaphore_with_a_permit_is_ready)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_semaphore_t *semaphore;
    mp_value_t got;
    use_waits();
    for (unsigned flags = 0; flags <= MP_OWNED; flags++) {
        const mp_semaphore_options_t options = {.flags = flags};
        REQUIRE_OK(mp_semaphore_create_with(&semaphore, 1, &options));
        expect_ready(mp_of(semaphore), true);
        EXPECT_OK(mp_semaphore_acquire(semaphore, 0));
        expect_ready(mp_of(semaphore), false);
        EXPECT_OK(mp_semaphore_release(semaphore));
        expect_ready(mp_of(semaphore), true);
        REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
        REQUIRE_OK(mp_process_start(&process, die_with_permits, mp_args(semaphore, theirs)));
        EXPECT_OK(mp_conn_close(theirs));
        EXPECT_OK(mp_conn_recv(conn, &got));
        expect_ready(mp_of(semaphore), false);
        mp_test_expect_killed(process);
        EXPECT_OK(mp_conn_close(conn));
        expect_ready(mp_of(semaphore), flags == MP_OWNED);
        EXPECT_STATUS(mp_semaphore_acquire(semaphore, 0), flags == MP_OWNED ? MP_OWNER_DIED : MP_TIMEOUT);
        EXPECT_OK(mp_semaphore_close(semaphore));
    }
}

MP_CASE(an_event_that_is_set_is_ready)
{
    mp_event_t *event;
    use_waits();
    REQUIRE_OK(mp_event_create(&event));
    expect_ready(mp_of(event), false);
    EXPECT_OK(mp_event_set(event));
    expect_ready(mp_of(event), true);
    EXPECT_OK(mp_event_clear(event));
    expect_ready(mp_of(event), false);
    EXPECT_OK(mp_event_close(event));
}

MP_CASE(a_connection_with_a_message_is_ready)
{
    mp_conn_t *first, *second;
    char room[8];
    size_t size = 0;
    use_waits();
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    expect_ready(mp_of(first), false);
    EXPECT_OK(mp_conn_send_bytes(second, "text", 4));
    expect_ready(mp_of(first), true);
    EXPECT_STATUS(mp_conn_recv_bytes(first, room, &size), MP_TOO_LARGE); /* its head was read */
    expect_ready(mp_of(first), true);
    EXPECT_OK(mp_conn_recv_bytes(first, room, &size));
    expect_ready(mp_of(first), false);
    EXPECT_OK(mp_conn_close(second));
    expect_ready(mp_of(first), true); /* the end */
    EXPECT_OK(mp_conn_close(first));
}

static mp_status_t end_when_told(mp_call_t *call)
{
    mp_value_t word;
    return mp_conn_recv(mp_arg_conn(call, 0), &word);
}

MP_CASE(a_process_that_has_ended_is_ready)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    bool ready;
    use_waits();
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, end_when_told, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    mp_value_t object = mp_of(process);
    expect_ready(object, false);
    EXPECT_OK(mp_conn_send(conn, 1));
    EXPECT_OK(mp_wait(&object, 1, &ready, mp_test_patience()));
    expect_ready(object, true);
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    expect_ready(object, true); /* also when it was joined */
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(a_descriptor_is_ready)
{
    mp__os_event_t event;
    use_waits();
    REQUIRE_OK(mp__os_event_create(&event));
    expect_ready(mp_descriptor(event.wait), false);
    mp__os_event_set(&event);
    expect_ready(mp_descriptor(event.wait), true);
    mp__os_event_clear(&event);
    expect_ready(mp_descriptor(event.wait), false);
    mp__os_event_close(&event);
}

/* ---- what cannot be waited for */

MP_CASE(nothing_to_wait_for_lasts_until_the_deadline)
{
    bool ready;
    use_waits();
    double began = mp_now();
    EXPECT_STATUS(mp_wait(NULL, 0, NULL, 0.05), MP_TIMEOUT);
    CU_ASSERT(mp_now() - began >= 0.05);
    EXPECT_STATUS(mp_wait(NULL, 0, &ready, 0), MP_TIMEOUT);
    EXPECT_STATUS(mp_wait(NULL, 0, &ready, -1), MP_TIMEOUT);
    EXPECT_STATUS(mp_wait(NULL, 0, &ready, MP_FOREVER), MP_INVALID); /* it would never end */
    EXPECT_STATUS(mp_wait(NULL, 0, &ready, (double)NAN), MP_INVALID);
}

MP_CASE(what_cannot_be_waited_for)
{
    mp_conn_t *first, *second;
    bool ready[2];
    use_waits();
    mp_queue_t *queue = mp_test_queue(0);
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    REQUIRE_OK(mp_pipe(&first, &second, MP_ONE_WAY));
    const struct {
        mp_value_t object;
        mp_status_t status;
    } rows[] = {
        {mp_of(1), MP_TYPE},
        {MP_NONE, MP_TYPE},
        {mp_of("queue"), MP_TYPE},
        {mp_of((mp_barrier_t *)NULL), MP_TYPE},
        {mp_of((mp_pool_t *)NULL), MP_TYPE},
        {mp_of((mp_queue_t *)NULL), MP_INVALID},
        {mp_of((mp_lock_t *)(void *)queue), MP_INVALID},
        {mp_of((mp_result_t *)NULL), MP_INVALID},
        {mp_of((mp_process_t *)NULL), MP_INVALID},
        {mp_of(mp_current_process()), MP_INVALID},
        {mp_of(mp_parent_process()), MP_INVALID}, /* there is none */
        {mp_of((mp_conn_t *)NULL), MP_INVALID},
        {mp_of(second), MP_INVALID},
        {mp_descriptor(-1), MP_INVALID},
        {mp_descriptor(3996), MP_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const mp_value_t both[] = {mp_of(queue), rows[i].object};
        EXPECT_STATUS(mp_wait(both, 2, ready, 0), rows[i].status); /* also beside what is ready */
        EXPECT_STATUS(mp_wait(&rows[i].object, 1, ready, MP_FOREVER), rows[i].status);
    }
    mp_value_t object = mp_of(queue);
    EXPECT_STATUS(mp_wait(NULL, 1, ready, 0), MP_INVALID);
    EXPECT_STATUS(mp_wait(&object, 1, NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_wait(&object, 1, ready, (double)NAN), MP_INVALID);
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
    EXPECT_OK(mp_queue_close(queue));
}

/* The event that handles and shared objects meet at cannot be made: a status, nothing is left, and later it works. */
MP_CASE(without_handles)
{
    mp_conn_t *first, *second;
    bool ready[2];
    use_waits();
    mp_queue_t *queue = mp_test_queue(0);
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    const mp_value_t both[] = {mp_of(queue), mp_of(first)};
    if (!mp_test_limit_handles(0)) {
        EXPECT_OK(mp_conn_close(first));
        EXPECT_OK(mp_conn_close(second));
        EXPECT_OK(mp_queue_close(queue));
        mp_skip("the system sets no limit to a process's handles");
    }
    mp_test_baseline(); /* what fills the places up to the limit stays */
    EXPECT_STATUS(mp_wait(both, 2, ready, 10), MP_LIMIT);
    EXPECT_STATUS(mp_wait(both, 1, ready, 0.05), MP_TIMEOUT); /* one that needs none */
    mp_test_lift_limits();
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    EXPECT_OK(mp_wait(both, 2, ready, mp_test_patience()));
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- several */

MP_CASE(all_that_are_ready_are_told)
{
    mp_conn_t *first, *second;
    bool ready[6];
    use_waits();
    mp_queue_t *queues[] = {mp_test_queue(0), mp_test_queue(0)};
    mp_lock_t *lock = make_lock();
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    const mp_value_t objects[] = {mp_of(queues[0]), mp_of(first),     mp_of(queues[1]),
                                  mp_of(lock),      mp_of(queues[0]), mp_of(second)};
    EXPECT_OK(mp_queue_put(queues[0], 1, 0));
    EXPECT_OK(mp_conn_send(second, 1));
    for (int round = 0; round < 2; round++) {
        memset(ready, 7, sizeof ready);
        EXPECT_OK(mp_wait(objects, 6, ready, round ? MP_FOREVER : 0));
        CU_ASSERT(ready[0] && ready[1] && !ready[2] && ready[3] && ready[4] && !ready[5]);
    }
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
    EXPECT_OK(mp_queue_close(queues[0]));
    EXPECT_OK(mp_queue_close(queues[1]));
    EXPECT_OK(mp_lock_close(lock));
}

MP_CASE(the_deadline_holds)
{
    mp_conn_t *first, *second;
    bool ready[2];
    use_waits();
    mp_queue_t *queue = mp_test_queue(0);
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    const mp_value_t both[] = {mp_of(queue), mp_of(first)};
    for (size_t n = 1; n <= 2; n++)
        for (double timeout = 0.01; timeout < 1; timeout *= 8) {
            double began = mp_now();
            memset(ready, 7, sizeof ready);
            EXPECT_STATUS(mp_wait(both, n, ready, timeout), MP_TIMEOUT);
            EXPECT_TOOK(began, timeout);
            CU_ASSERT(!ready[0] && (n == 1 || !ready[1]));
        }
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
    EXPECT_OK(mp_queue_close(queue));
}

/* ---- during the wait */

typedef struct waiter {
    mp_test_thread_t thread;
    const mp_value_t *objects;
    size_t n;
    bool ready[8];
    mp_status_t status;
    uint32_t slot; /* + 1 */
} waiter_t;

static void wait_as_thread(void *context)
{
    waiter_t *waiter = context;
    MP_CHECK(mp__family_join() == MP_OK);
    mp__store32(&waiter->slot, mp__low(mp__self));
    waiter->status = mp_wait(waiter->objects, waiter->n, waiter->ready, mp_test_patience());
}

/* Starts a wait and returns once it has told its objects that it watches. */
static void start_waiter(waiter_t *waiter, const mp_value_t *objects, size_t n)
{
    memset(waiter, 0, sizeof *waiter);
    waiter->objects = objects;
    waiter->n = n;
    mp_test_thread_start(&waiter->thread, wait_as_thread, waiter);
    uint32_t slot;
    while ((slot = mp__load32(&waiter->slot)) == 0 || !(mp__load32(&mp__family.threads[slot - 1].door) & 1))
        mp__os_yield();
}

static void expect_only(waiter_t *waiter, size_t which)
{
    mp_test_thread_join(&waiter->thread);
    CU_ASSERT_EQUAL(waiter->status, MP_OK);
    for (size_t i = 0; i < waiter->n; i++)
        CU_ASSERT_EQUAL(waiter->ready[i], i == which);
}

static mp_status_t put_later(mp_call_t *call)
{
    mp_value_t word;
    while (mp_conn_recv(mp_arg_conn(call, 1), &word) == MP_OK)
        MP_CHECK(mp_queue_put(mp_arg_queue(call, 0), 1, 0) == MP_OK);
    return MP_OK;
}

#define ROUNDS 8

/* A wait that nobody's ring ends does so by itself, twice a second. On a machine that stands still for a moment one or
 * the other takes as long all the same. */
typedef struct tally {
    int waits;
    int late;
} tally_t;

static void tally_wait(tally_t *tally, double began)
{
    tally->waits++;
    tally->late += mp_now() - began > 0.25;
}

static void expect_rung(const tally_t *tally)
{
    CU_ASSERT(tally->late <= 1 + tally->waits / 8);
}

/* The same queue, lock and connection again and again, alone (shared objects only) and together (with handles). */
static void wake_from_here(bool together)
{
    mp_conn_t *first, *second;
    holder_t holder;
    mp_value_t got;
    waiter_t waiter;
    mp_queue_t *queue = mp_test_queue(0);
    mp_lock_t *lock = make_lock();
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    const mp_value_t objects[] = {mp_of(queue), mp_of(lock), mp_of(first)};
    const size_t n = together ? 3 : 2;
    tally_t tally = {0, 0};
    for (int round = 0; round < ROUNDS; round++) {
        start_holder(&holder, lock);
        start_waiter(&waiter, objects, n);
        double began = mp_now();
        EXPECT_OK(mp_queue_put(queue, 1, 0));
        expect_only(&waiter, 0);
        EXPECT_OK(mp_queue_get(queue, &got, 0));
        tally_wait(&tally, began);
        start_waiter(&waiter, objects, n);
        began = mp_now();
        EXPECT_OK(mp_conn_send(holder.conn, 1));
        expect_only(&waiter, 1);
        tally_wait(&tally, began);
        mp_test_expect_end(holder.process, 0);
        EXPECT_OK(mp_conn_close(holder.conn));
        if (!together)
            continue;
        start_holder(&holder, lock);
        start_waiter(&waiter, objects, n);
        began = mp_now();
        EXPECT_OK(mp_conn_send(second, 1));
        expect_only(&waiter, 2);
        EXPECT_OK(mp_conn_recv(first, &got));
        tally_wait(&tally, began);
        EXPECT_OK(mp_conn_send(holder.conn, 1));
        mp_test_expect_end(holder.process, 0);
        EXPECT_OK(mp_conn_close(holder.conn));
    }
    expect_rung(&tally);
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_lock_close(lock));
}

MP_CASE(a_change_wakes_who_waits_for_shared_objects)
{
    use_waits();
    wake_from_here(false);
}

MP_CASE(a_change_wakes_who_waits_for_handles_too)
{
    use_waits();
    wake_from_here(true);
}

/* A semaphore's release and an event's set, for several who wait, beside handles. */
MP_CASE(synchronisation_wakes)
{
    mp_conn_t *first, *second;
    mp_semaphore_t *semaphore;
    mp_event_t *event;
    waiter_t waiters[2];
    use_waits();
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    REQUIRE_OK(mp_semaphore_create(&semaphore, 0));
    REQUIRE_OK(mp_event_create(&event));
    const mp_value_t objects[] = {mp_of(semaphore), mp_of(event), mp_of(first)};
    tally_t tally = {0, 0};
    for (int round = 0; round < 2 * ROUNDS; round++) {
        for (size_t i = 0; i < 2; i++)
            start_waiter(&waiters[i], objects, 2 + i);
        double began = mp_now();
        if (round % 2)
            EXPECT_OK(mp_event_set(event));
        else
            EXPECT_OK(mp_semaphore_release(semaphore));
        for (size_t i = 0; i < 2; i++)
            expect_only(&waiters[i], (size_t)round % 2);
        tally_wait(&tally, began);
        if (round % 2)
            EXPECT_OK(mp_event_clear(event));
        else
            EXPECT_OK(mp_semaphore_acquire(semaphore, 0));
    }
    expect_rung(&tally);
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
    EXPECT_OK(mp_semaphore_close(semaphore));
    EXPECT_OK(mp_event_close(event));
}

/* From another process; here, and in a child that itself waits. */
static void wake_from_there(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t got;
    waiter_t waiter;
    mp_queue_t *queue = mp_test_queue(0);
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, put_later, mp_args(queue, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    const mp_value_t objects[] = {mp_of(queue), mp_of(process)};
    tally_t tally = {0, 0};
    for (int round = 0; round < 2 * ROUNDS; round++) {
        start_waiter(&waiter, objects, 1 + (size_t)round % 2);
        double began = mp_now();
        EXPECT_OK(mp_conn_send(conn, 1));
        expect_only(&waiter, 0);
        tally_wait(&tally, began);
        EXPECT_OK(mp_queue_get(queue, &got, 0));
    }
    expect_rung(&tally);
    start_waiter(&waiter, objects, 2);
    EXPECT_OK(mp_conn_close(conn));
    expect_only(&waiter, 1);
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(a_change_in_another_process_wakes)
{
    use_waits();
    mp_test_each_method(wake_from_there);
}

/* (questions, answers, conn): answers what comes by either way, until both are told to end. */
static mp_status_t answer(mp_call_t *call)
{
    mp_queue_t *questions = mp_arg_queue(call, 0), *answers = mp_arg_queue(call, 1);
    mp_conn_t *conn = mp_arg_conn(call, 2);
    const mp_value_t objects[] = {mp_of(questions), mp_of(conn)}, parent = mp_of(mp_parent_process());
    bool ready[2];
    mp_value_t got;
    MP_CHECK(mp_wait(&parent, 1, ready, 0.01) == MP_TIMEOUT && !ready[0]); /* it lives as long as anybody can ask */
    for (int left = 2; left > 0;) {
        MP_CHECK(mp_wait(objects, 2, ready, mp_test_patience()) == MP_OK);
        MP_CHECK(ready[0] || ready[1]);
        if (ready[0])
            MP_CHECK(mp_queue_get(questions, &got, 0) == MP_OK);
        else
            MP_CHECK(mp_conn_recv(conn, &got) == MP_OK);
        left -= mp_value_int(got) == 0;
        MP_CHECK(mp_queue_put(answers, mp_value_int(got), 0) == MP_OK);
    }
    return MP_OK;
}

static void expect_answers(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t got;
    mp_queue_t *questions = mp_test_queue(0), *answers = mp_test_queue(0);
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, answer, mp_args(questions, answers, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    tally_t tally = {0, 0};
    for (int i = 20; i >= 0; i--) {
        double began = mp_now();
        EXPECT_OK(mp_queue_put(questions, i, 0));
        EXPECT_OK(mp_queue_get(answers, &got, mp_test_patience()));
        CU_ASSERT_EQUAL(mp_value_int(got), i);
        if (i < 20) /* the first has to wait for the start */
            tally_wait(&tally, began);
        EXPECT_OK(mp_conn_send(conn, i));
        EXPECT_OK(mp_queue_get(answers, &got, mp_test_patience()));
        CU_ASSERT_EQUAL(mp_value_int(got), i);
    }
    expect_rung(&tally);
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_queue_close(questions));
    EXPECT_OK(mp_queue_close(answers));
}

/* A child that was forked while this process has a porter gets one of its own. */
MP_CASE(children_wait_too)
{
    use_waits();
    mp_test_each_method(expect_answers);
}

/* ---- results */

static mp_status_t pass(mp_call_t *call)
{
    mp_value_t word;
    return mp_queue_get(mp_arg_queue(call, 0), &word, mp_test_patience());
}

typedef struct called {
    mp_result_t *other;
    uint32_t over;
} called_t;

static void wait_in_callback(const mp_result_t *result, void *context)
{
    called_t *called = context;
    mp_value_t other = mp_of(called->other), own = mp_of((mp_result_t *)(uintptr_t)result);
    bool ready = false;
    MP_CHECK(mp_wait(&other, 1, &ready, MP_FOREVER) == MP_DEADLOCK);
    MP_CHECK(mp_wait(&own, 1, &ready, MP_FOREVER) == MP_OK && ready);
    mp__store32(&called->over, 1);
}

MP_CASE(a_settled_result_is_ready)
{
    mp_pool_t *pool;
    mp_result_t *results[3];
    waiter_t waiter;
    called_t called = {NULL, 0};
    mp_task_t task = {.callback = wait_in_callback, .context = &called};
    use_waits();
    REQUIRE_OK(mp_pool_create(&pool, 2));
    mp_test_baseline();
    mp_queue_t *gates[] = {mp_test_queue(0), mp_test_queue(0)};
    tally_t tally = {0, 0};
    for (int round = 0; round < ROUNDS; round++) {
        REQUIRE_OK(mp_pool_apply_async(pool, pass, mp_args(gates[0]), &(mp_task_t){.result = &results[0]}));
        REQUIRE_OK(mp_pool_apply_async(pool, pass, mp_args(gates[1]), &(mp_task_t){.result = &results[1]}));
        const mp_value_t objects[] = {mp_of(results[0]), mp_of(results[1])};
        expect_ready(objects[1], false);
        start_waiter(&waiter, objects, 2);
        double began = mp_now();
        EXPECT_OK(mp_queue_put(gates[1], 1, 0));
        expect_only(&waiter, 1);
        tally_wait(&tally, began);
        EXPECT_OK(mp_queue_put(gates[0], 1, 0));
        EXPECT_OK(mp_result_wait(results[0], mp_test_patience()));
        expect_ready(objects[0], true);
        mp_result_free(results[0]);
        mp_result_free(results[1]);
    }
    expect_rung(&tally);
    REQUIRE_OK(mp_pool_apply_async(pool, pass, mp_args(gates[0]), &(mp_task_t){.result = &called.other}));
    task.result = &results[2];
    REQUIRE_OK(mp_pool_apply_async(pool, pass, mp_args(gates[1]), &task));
    EXPECT_OK(mp_queue_put(gates[1], 1, 0));
    mp_value_t last = mp_of(results[2]);
    bool ready;
    EXPECT_OK(mp_wait(&last, 1, &ready, mp_test_patience()));
    CU_ASSERT_EQUAL(mp__load32(&called.over), 1); /* it is ready for all after its callback */
    EXPECT_OK(mp_queue_put(gates[0], 1, 0));
    mp_result_free(called.other);
    mp_result_free(results[2]);
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_OK(mp_queue_close(gates[0]));
    EXPECT_OK(mp_queue_close(gates[1]));
}

/* ---- ends and deaths */

/* The maker's close wakes who waits with another holder. */
MP_CASE(closing_wakes)
{
    mp_conn_t *first, *second;
    mp_value_t lent[2];
    waiter_t waiter;
    use_waits();
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    tally_t tally = {0, 0};
    for (int round = 0; round < ROUNDS; round++) {
        mp_queue_t *queue = mp_test_queue(0);
        mp_event_t *event;
        REQUIRE_OK(mp_event_create(&event));
        EXPECT_OK(mp_conn_send(first, queue));
        EXPECT_OK(mp_conn_send(first, event));
        EXPECT_OK(mp_conn_recv(second, &lent[0]));
        EXPECT_OK(mp_conn_recv(second, &lent[1]));
        start_waiter(&waiter, lent, 2);
        double began = mp_now();
        EXPECT_OK(round % 2 ? mp_queue_close(queue) : mp_event_close(event));
        expect_only(&waiter, round % 2 ? 0 : 1);
        tally_wait(&tally, began);
        EXPECT_OK(round % 2 ? mp_event_close(event) : mp_queue_close(queue));
        mp_value_free(&lent[0]);
        mp_value_free(&lent[1]);
    }
    expect_rung(&tally);
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
}

static mp_status_t make_and_lend(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    mp_queue_t *queue;
    mp_lock_t *lock;
    mp_value_t word;
    MP_CHECK(mp_queue_create(&queue, 0) == MP_OK);
    MP_CHECK(mp_lock_create(&lock) == MP_OK);
    MP_CHECK(mp_lock_acquire(lock, 0) == MP_OK);
    MP_CHECK(mp_conn_send(conn, mp_list(queue, lock)) == MP_OK);
    while (mp_conn_recv(conn, &word) == MP_OK)
        MP_CHECK(mp_queue_close(queue) == MP_OK);
    return MP_OK;
}

static void lose_the_maker(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t lent, got;
    waiter_t waiter;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, make_and_lend, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &lent));
    const mp_value_t objects[] = {mp_value_item(lent, 0), mp_value_item(lent, 1)};
    start_waiter(&waiter, objects, 2);
    EXPECT_OK(mp_conn_send(conn, 1)); /* it closes the queue */
    expect_only(&waiter, 0);
    EXPECT_STATUS(mp_queue_get(mp_value_queue(objects[0]), &got, 0), MP_GONE);
    expect_ready(objects[0], true);
    start_waiter(&waiter, &objects[1], 1);
    double began = mp_now();
    EXPECT_OK(mp_process_kill(process)); /* the lock's holder and maker: nobody else looks for its death */
    expect_only(&waiter, 0);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
    mp_status_t status = mp_lock_acquire(mp_value_lock(objects[1]), mp_test_patience());
    CU_ASSERT(status == MP_GONE || status == MP_OWNER_DIED);
    mp_test_expect_end(process, -9);
    expect_ready(objects[1], true);
    EXPECT_STATUS(mp_lock_acquire(mp_value_lock(objects[1]), 0), MP_GONE);
    mp_value_free(&lent);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(what_is_gone_is_ready)
{
    use_waits();
    mp_test_each_method(lose_the_maker);
}

/* Only its maker's death, which nobody reports: the queue is empty, and the maker is no child of this process. */
static mp_status_t start_maker(mp_call_t *call)
{
    mp_process_t *process;
    mp_value_t word;
    MP_CHECK(mp_process_start(&process, make_and_lend, mp_args(mp_arg_conn(call, 0))) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), mp_process_pid(process)) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 1), &word); /* it does not reap meanwhile */
    return mp_process_join(process, mp_test_patience());
}

MP_CASE(a_death_that_nobody_tells_is_found)
{
    mp_conn_t *conns[2], *theirs[2];
    mp_process_t *process;
    mp_value_t lent, pid;
    waiter_t waiter;
    use_waits();
    for (int i = 0; i < 2; i++)
        REQUIRE_OK(mp_pipe(&conns[i], &theirs[i], MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, start_maker, mp_args(theirs[0], theirs[1])));
    for (int i = 0; i < 2; i++)
        EXPECT_OK(mp_conn_close(theirs[i]));
    REQUIRE_OK(mp_conn_recv(conns[1], &pid));
    REQUIRE_OK(mp_conn_recv(conns[0], &lent));
    mp_value_t queue = mp_value_item(lent, 0);
    start_waiter(&waiter, &queue, 1);
    double began = mp_now();
    CU_ASSERT(mp_test_kill_pid((int32_t)mp_value_int(pid)));
    expect_only(&waiter, 0);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1.5));
    mp_value_free(&lent);
    EXPECT_OK(mp_conn_close(conns[1]));
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_conn_close(conns[0]));
}

static mp_status_t take_on_lease(mp_call_t *call)
{
    mp_lease_t *lease;
    mp_value_t word;
    MP_CHECK(mp_queue_get_leased(mp_arg_queue(call, 0), &lease, 0) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 1), &word);
    return MP_OK;
}

/* From the moment in which its holder's end is known. Beside a handle, so that the sweep's ring has to reach the
 * porter. */
static void lose_a_lease(mp_queue_t *queue, mp_conn_t *silent, tally_t *tally)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t got;
    waiter_t waiter;
    const mp_value_t objects[] = {mp_of(queue), mp_of(silent)};
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, take_on_lease, mp_args(queue, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_recv(conn, &got));
    expect_ready(objects[0], false);
    start_waiter(&waiter, objects, 2);
    mp_test_expect_killed(process);
    double began = mp_now();
    expect_only(&waiter, 0);
    tally_wait(tally, began);
    EXPECT_OK(mp_conn_close(conn));
}

static void lose_leases(void)
{
    mp_conn_t *first, *second;
    mp_queue_t *queue = mp_test_queue(0);
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    tally_t tally = {0, 0};
    for (int round = 0; round < ROUNDS; round++)
        lose_a_lease(queue, first, &tally);
    expect_rung(&tally);
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(an_item_whose_lease_ended_with_its_holder_is_ready)
{
    use_waits();
    mp_test_each_method(lose_leases);
}

/* Waits until it is killed. */
static mp_status_t wait_in_vain(mp_call_t *call)
{
    const mp_value_t objects[] = {mp_of(mp_arg_queue(call, 0)), mp_of(mp_arg_lock(call, 1))};
    bool ready[2];
    mp_wait(objects, 2, ready, MP_FOREVER);
    return MP_OK;
}

static void kill_watchers(void)
{
    mp_process_t *processes[3];
    mp_value_t got;
    waiter_t waiter;
    mp_queue_t *queue = mp_test_queue(0);
    mp_lock_t *lock = make_lock();
    mp__header_t *header = ((mp__shared_t *)(void *)queue)->header;
    EXPECT_OK(mp_lock_acquire(lock, 0));
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_process_start(&processes[i], wait_in_vain, mp_args(queue, lock)));
    for (uint32_t bits = 0, count = 0; count < 3; bits = mp__load32(&header->watchers)) {
        for (count = 0; bits; bits &= bits - 1)
            count++;
        mp__os_yield();
    }
    for (int i = 0; i < 3; i++)
        mp_test_expect_killed(processes[i]);
    const mp_value_t objects[] = {mp_of(queue)};
    tally_t tally = {0, 0};
    for (int round = 0; round < ROUNDS; round++) {
        start_waiter(&waiter, objects, 1);
        double began = mp_now();
        EXPECT_OK(mp_queue_put(queue, 1, 0));
        expect_only(&waiter, 0);
        tally_wait(&tally, began);
        EXPECT_OK(mp_queue_get(queue, &got, 0));
    }
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    CU_ASSERT_EQUAL(mp__load32(&header->watchers), 0); /* nothing is left of the dead, nor of who waited last */
    expect_rung(&tally);
    EXPECT_OK(mp_lock_release(lock));
    EXPECT_OK(mp_lock_close(lock));
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(killed_watchers_leave_nothing)
{
    use_waits();
    mp_test_each_method(kill_watchers);
}

/* ---- many who wait, many who are killed */

#define QUEUES 3

typedef struct ledger {
    uint64_t puts[QUEUES];
    uint64_t gets[QUEUES];
    uint64_t here[2]; /* the pids of those who take */
} ledger_t;

/* (queues..., board): puts into one after the other, until it is killed. */
static mp_status_t put_for_ever(mp_call_t *call)
{
    ledger_t *ledger = mp_test_board(call, QUEUES);
    for (size_t i = 0;; i = (i + 1) % QUEUES) {
        MP_CHECK(mp_queue_put(mp_arg_queue(call, i), 1, MP_FOREVER) == MP_OK);
        mp__add64(&ledger->puts[i], 1);
    }
    return MP_OK;
}

/* (queues..., board, number): takes from whichever has something, until one says that it is over. */
static mp_status_t take_any(mp_call_t *call)
{
    ledger_t *ledger = mp_test_board(call, QUEUES);
    mp__store64(&ledger->here[mp_arg_uint(call, QUEUES + 1)], (uint64_t)mp_getpid());
    mp_value_t objects[QUEUES], got;
    bool ready[QUEUES];
    for (size_t i = 0; i < QUEUES; i++)
        objects[i] = mp_of(mp_arg_queue(call, i));
    for (;;) {
        MP_CHECK(mp_wait(objects, QUEUES, ready, mp_test_patience()) == MP_OK);
        for (size_t i = 0; i < QUEUES; i++) {
            mp_status_t status = ready[i] ? mp_queue_get(mp_value_queue(objects[i]), &got, 0) : MP_TIMEOUT;
            if (status == MP_GONE)
                return MP_OK;
            MP_CHECK(status == MP_OK || status == MP_TIMEOUT); /* another may have been faster */
            if (status == MP_OK)
                mp__add64(&ledger->gets[i], 1);
        }
    }
}

static uint64_t taken(const ledger_t *ledger)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < QUEUES; i++)
        sum += mp__load64(&ledger->gets[i]);
    return sum;
}

typedef struct crowd {
    mp_queue_t *queues[QUEUES];
    ledger_t *ledger;
    uint64_t name;
    mp_process_t *putters[2];
    mp_process_t *takers[2];
} crowd_t;

static mp_process_t *start_one(const crowd_t *c, mp_function_t function, unsigned number)
{
    mp_process_t *process;
    mp_args_t args = mp_args(c->queues[0], c->queues[1], c->queues[2], c->name, number);
    REQUIRE_OK(mp_process_start(&process, function, args));
    return process;
}

static void expect_progress(const crowd_t *c)
{
    uint64_t before = taken(c->ledger);
    for (double late = mp_now() + mp_test_seconds(2); taken(c->ledger) == before && mp_now() < late;)
        mp__os_yield();
    CU_ASSERT(taken(c->ledger) != before);
}

/* Those who put and those who wait are killed at any moment; the others go on. */
static void kill_a_crowd(void)
{
    crowd_t c;
    uint64_t random = 11;
    c.ledger = mp_test_board_create(sizeof *c.ledger, &c.name);
    for (size_t i = 0; i < QUEUES; i++)
        REQUIRE_OK(mp_queue_create(&c.queues[i], 4));
    for (unsigned i = 0; i < 2; i++) {
        c.putters[i] = start_one(&c, put_for_ever, i);
        c.takers[i] = start_one(&c, take_any, i);
    }
    unsigned kills = 0;
    for (double until = mp_now() + mp_test_seconds(3); kills < 10 || (kills < 100 && mp_now() < until); kills++) {
        bool putter = mp_test_below(&random, 2);
        unsigned number = (unsigned)mp_test_below(&random, 2);
        mp_process_t **victim = &(putter ? c.putters : c.takers)[number];
        mp_test_wander(&random, 3000);
        mp_test_expect_killed(*victim);
        expect_progress(&c);
        *victim = start_one(&c, putter ? put_for_ever : take_any, number);
    }
    for (int i = 0; i < 2; i++) {
        mp_test_expect_killed(c.putters[i]);
        while (mp__load64(&c.ledger->here[i]) != (uint64_t)mp_process_pid(c.takers[i]))
            mp__os_yield(); /* it has opened the queues */
    }
    /* What is in the queues, those who wait find. */
    uint64_t size = 1;
    for (double late = mp_now() + mp_test_seconds(3); size > 0 && mp_now() < late; mp__os_yield())
        for (size_t i = size = 0; i < QUEUES; i++) {
            uint64_t one;
            EXPECT_OK(mp_queue_size(c.queues[i], &one));
            size += one;
        }
    CU_ASSERT_EQUAL(size, 0);
    for (size_t i = 0; i < QUEUES; i++) {
        CU_ASSERT(c.ledger->gets[i] + kills >= c.ledger->puts[i]);
        CU_ASSERT(c.ledger->gets[i] <= c.ledger->puts[i] + kills + 2);
        EXPECT_OK(mp_queue_close(c.queues[i]));
    }
    for (int i = 0; i < 2; i++)
        mp_test_expect_end(c.takers[i], 0);
    mp_test_board_free(c.name);
}

MP_CASE(putters_and_watchers_are_killed)
{
    use_waits();
    mp_test_each_method(kill_a_crowd);
}

#define THREADS 4
#define ITEMS   600

typedef struct team {
    const mp_value_t *objects; /* QUEUES queues, then one that says when to end, then a connection's end */
    uint32_t taken;
} team_t;

static void take_as_thread(void *context)
{
    team_t *team = context;
    bool ready[QUEUES + 2];
    mp_value_t got;
    for (;;) {
        MP_CHECK(mp_wait(team->objects, QUEUES + 2, ready, mp_test_patience()) == MP_OK);
        MP_CHECK(!ready[QUEUES + 1]);
        for (size_t i = 0; i < QUEUES; i++)
            if (ready[i] && mp_queue_get(mp_value_queue(team->objects[i]), &got, 0) == MP_OK)
                mp__add32(&team->taken, 1);
        if (ready[QUEUES])
            return;
    }
}

/* One process waits with several threads for the same objects, handles among them. */
MP_CASE(threads_wait_for_the_same_objects)
{
    mp_conn_t *first, *second;
    mp_value_t objects[QUEUES + 2];
    mp_test_thread_t threads[THREADS];
    use_waits();
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    for (size_t i = 0; i <= QUEUES; i++)
        objects[i] = mp_of(mp_test_queue(0));
    objects[QUEUES + 1] = mp_of(first);
    team_t team = {objects, 0};
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_start(&threads[i], take_as_thread, &team);
    for (int i = 0; i < ITEMS; i++) {
        EXPECT_OK(mp_queue_put(mp_value_queue(objects[i % QUEUES]), i, 0));
        if (i % 50 == 0) /* let them sleep */
            while (mp__load32(&team.taken) <= (uint32_t)i)
                mp__os_yield();
    }
    while (mp__load32(&team.taken) < ITEMS)
        mp__os_yield();
    EXPECT_OK(mp_queue_put(mp_value_queue(objects[QUEUES]), 1, 0)); /* all of them see it */
    for (int i = 0; i < THREADS; i++)
        mp_test_thread_join(&threads[i]);
    CU_ASSERT_EQUAL(team.taken, ITEMS);
    for (size_t i = 0; i <= QUEUES; i++)
        EXPECT_OK(mp_queue_close(mp_value_queue(objects[i])));
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
}

/* ---- a thousand */

#define MANY 1000

static struct {
    mp_value_t objects[MANY];
    mp_conn_t *others[MANY];
    bool ready[MANY];
} many;

static void make_many(mp_lock_t *held)
{
    for (size_t i = 0; i < MANY; i++) {
        mp_conn_t *conn;
        switch (i % 4) {
        case 0:
        case 1:
            many.objects[i] = mp_of(mp_test_queue(0));
            break;
        case 2:
            many.objects[i] = mp_of(held);
            break;
        default:
            REQUIRE_OK(mp_pipe(&conn, &many.others[i], MP_DUPLEX));
            many.objects[i] = mp_of(conn);
        }
    }
}

static void close_many(void)
{
    for (size_t i = 0; i < MANY; i++) {
        if (i % 4 < 2)
            EXPECT_OK(mp_queue_close(mp_value_queue(many.objects[i])));
        if (i % 4 == 3) {
            EXPECT_OK(mp_conn_close(mp_value_conn(many.objects[i])));
            EXPECT_OK(mp_conn_close(many.others[i]));
        }
    }
}

typedef struct poker {
    mp_test_thread_t thread;
    uint32_t go; /* the next that shall become ready, + 1 */
    uint32_t slot;
    uint64_t random;
} poker_t;

static void poke(void *context)
{
    poker_t *poker = context;
    for (;;) {
        uint32_t which;
        while ((which = mp__swap32(&poker->go, 0)) == 0)
            mp__os_yield();
        if (which > MANY)
            return;
        while (!(mp__load32(&mp__family.threads[poker->slot].door) & 1))
            mp__os_yield();
        mp_test_wander(&poker->random, 3000); /* it still looks at them, or sleeps by now */
        if (which % 4 == 0)
            MP_CHECK(mp_conn_send(many.others[which - 1], 1) == MP_OK);
        else
            MP_CHECK(mp_queue_put(mp_value_queue(many.objects[which - 1]), 1, 0) == MP_OK);
    }
}

MP_CASE(a_thousand_objects)
{
    holder_t holder;
    mp_value_t got;
    poker_t poker = {.random = 7};
    use_waits();
    mp_lock_t *held = make_lock();
    start_holder(&holder, held);
    make_many(held);
    EXPECT_STATUS(mp_wait(many.objects, MANY, many.ready, 0), MP_TIMEOUT);
    poker.slot = mp__low(mp__self) - 1;
    mp_test_thread_start(&poker.thread, poke, &poker);
    tally_t tally = {0, 0};
    for (size_t i = 0; i < MANY; i += i % 4 == 1 ? 46 : 45) {
        if (i % 4 == 2)
            continue;
        double began = mp_now();
        mp__store32(&poker.go, (uint32_t)i + 1);
        EXPECT_OK(mp_wait(many.objects, MANY, many.ready, mp_test_patience()));
        tally_wait(&tally, began);
        for (size_t k = 0; k < MANY; k++)
            if (many.ready[k] != (k == i))
                CU_FAIL("another one is ready");
        if (i % 4 == 3)
            EXPECT_OK(mp_conn_recv(mp_value_conn(many.objects[i]), &got));
        else
            EXPECT_OK(mp_queue_get(mp_value_queue(many.objects[i]), &got, 0));
    }
    /* Each call of an emulated system takes a good part of a millisecond, and a wait begins with some for each pipe. */
    CU_ASSERT(tally.waits > 10);
    if (!mp_test_emulator())
        expect_rung(&tally);
    mp__store32(&poker.go, MANY + 1);
    mp_test_thread_join(&poker.thread);
    EXPECT_OK(mp_conn_send(holder.conn, 1));
    EXPECT_OK(mp_wait(many.objects, MANY, many.ready, mp_test_patience()));
    EXPECT_OK(mp_wait(many.objects, MANY, many.ready, 0)); /* the first look may have begun before the release */
    CU_ASSERT(many.ready[2] && many.ready[998] && !many.ready[0] && !many.ready[3]);
    mp_test_expect_end(holder.process, 0);
    EXPECT_OK(mp_conn_close(holder.conn));
    close_many();
    EXPECT_OK(mp_lock_close(held));
}

MP_GUARDED_CASES(MP_ROW(a_queue_with_an_item_is_ready), MP_ROW(a_lock_that_can_be_acquired_is_ready),
                 MP_ROW(an_rlock_is_ready_as_a_lock_is), MP_ROW(a_semaphore_with_a_permit_is_ready),
                 MP_ROW(an_event_that_is_set_is_ready), MP_ROW(synchronisation_wakes),
                 MP_ROW(a_connection_with_a_message_is_ready), MP_ROW(a_process_that_has_ended_is_ready),
                 MP_ROW(a_descriptor_is_ready), MP_ROW(nothing_to_wait_for_lasts_until_the_deadline),
                 MP_ROW(what_cannot_be_waited_for), MP_ROW(without_handles), MP_ROW(all_that_are_ready_are_told),
                 MP_ROW(the_deadline_holds), MP_ROW(a_change_wakes_who_waits_for_shared_objects),
                 MP_ROW(a_change_wakes_who_waits_for_handles_too), MP_ROW(a_change_in_another_process_wakes),
                 MP_ROW(children_wait_too), MP_ROW(a_settled_result_is_ready), MP_ROW(closing_wakes),
                 MP_ROW(what_is_gone_is_ready), MP_ROW(a_death_that_nobody_tells_is_found),
                 MP_ROW(an_item_whose_lease_ended_with_its_holder_is_ready), MP_ROW(killed_watchers_leave_nothing),
                 MP_ROW(putters_and_watchers_are_killed), MP_ROW(threads_wait_for_the_same_objects),
                 MP_ROW(a_thousand_objects));
