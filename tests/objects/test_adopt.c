/* Moving objects to another process. */
#include "scene.h"
#include "system.h"

#include "family/alloc.h"

#include <string.h>

/* Makes a queue and shared memory, hands them over, waits for a word, closes its pointers, ends. */
static mp_status_t make_and_leave(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    mp_queue_t *queue;
    mp_shared_memory_t *memory = NULL;
    mp_value_t word;
    void *data = NULL;
    MP_CHECK(mp_queue_create(&queue, 0) == MP_OK && mp_shared_memory_create(&memory, 100) == MP_OK);
    MP_CHECK(mp_queue_put(queue, "hello", 0) == MP_OK && mp_shared_memory_data(memory, &data, NULL) == MP_OK);
    memset(data, 3, 100);
    MP_CHECK(mp_conn_send(conn, mp_list(queue, memory)) == MP_OK);
    if (mp_conn_recv(conn, &word) != MP_OK)
        return MP_OK;
    mp_value_free(&word);
    MP_CHECK(mp_queue_close(queue) == MP_OK);
    MP_CHECK(mp_shared_memory_close(memory) == MP_OK);
    MP_CHECK(mp_conn_send(conn, 1) == MP_OK);
    mp_conn_recv(conn, &word);
    return MP_OK;
}

typedef struct maker {
    mp_process_t *process;
    mp_conn_t *conn;
    mp_value_t message;
    mp_queue_t *queue;
    mp_shared_memory_t *memory;
} maker_t;

static void start_maker(maker_t *maker)
{
    mp_conn_t *theirs;
    REQUIRE_OK(mp_pipe(&maker->conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&maker->process, make_and_leave, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(maker->conn, &maker->message));
    maker->queue = mp_value_queue(mp_value_item(maker->message, 0));
    maker->memory = mp_value_shared_memory(mp_value_item(maker->message, 1));
}

static void expect_whole(const maker_t *maker)
{
    mp_value_t text;
    void *data = NULL;
    EXPECT_OK(mp_queue_get(maker->queue, &text, mp_test_patience()));
    CU_ASSERT_STRING_EQUAL(mp_value_str(text), "hello");
    mp_value_free(&text);
    EXPECT_OK(mp_queue_put(maker->queue, 1, 0));
    EXPECT_OK(mp_shared_memory_data(maker->memory, &data, NULL));
    CU_ASSERT_EQUAL(((uint8_t *)data)[99], 3);
}

/* The maker's close, its end, or its being killed: what was adopted stays. */
static void adopt_from(bool killed)
{
    maker_t maker;
    mp_value_t one;
    uint64_t before = mp__blocks_in_use();
    start_maker(&maker);
    EXPECT_OK(mp_adopt(maker.queue));
    EXPECT_OK(mp_adopt(maker.memory));
    EXPECT_OK(mp_adopt(maker.memory)); /* again */
    if (!killed) {
        EXPECT_OK(mp_conn_send(maker.conn, "close"));
        EXPECT_OK(mp_conn_recv(maker.conn, &one));
        expect_whole(&maker);
        EXPECT_OK(mp_queue_put(maker.queue, "hello", 0));
        EXPECT_OK(mp_queue_get(maker.queue, &one, 0));
    }
    mp_test_expect_killed(maker.process);
    expect_whole(&maker);
    mp_queue_t *queue = maker.queue;
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_shared_memory_close(maker.memory));
    mp_value_free(&maker.message);
    EXPECT_OK(mp_conn_close(maker.conn));
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
}

static void adopt_both_ways(void)
{
    adopt_from(false);
    adopt_from(true);
}

MP_CASE(what_is_adopted_outlives_its_maker)
{
    mp_test_objects();
    mp_test_each_method(adopt_both_ways);
}

static void close_elsewhere(void)
{
    maker_t maker;
    mp_value_t none;
    start_maker(&maker);
    mp_test_expect_killed(maker.process);
    EXPECT_STATUS(mp_adopt(maker.queue), MP_GONE);
    EXPECT_STATUS(mp_adopt(maker.memory), MP_GONE);
    EXPECT_STATUS(mp_queue_get(maker.queue, &none, 0), MP_GONE);
    mp_value_free(&maker.message);
    EXPECT_OK(mp_conn_close(maker.conn));
}

MP_CASE(what_is_over_cannot_be_adopted)
{
    mp_test_objects();
    mp_test_each_method(close_elsewhere);
}

static mp_status_t take_over(mp_call_t *call)
{
    mp_value_t word;
    MP_CHECK(mp_adopt(mp_arg_queue(call, 0)) == MP_OK && mp_adopt(mp_arg_lock(call, 1)) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 2), 1) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 2), &word);
    return MP_OK;
}

/* It ends with its new owner, for its maker too. */
static void give_away(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_queue_t *queue;
    mp_lock_t *lock;
    mp_value_t got;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_lock_create(&lock));
    REQUIRE_OK(mp_process_start(&process, take_over, mp_args(queue, lock, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_recv(conn, &got));
    EXPECT_OK(mp_queue_put(queue, 1, 0));
    EXPECT_OK(mp_lock_acquire(lock, 0));
    EXPECT_OK(mp_lock_release(lock));
    EXPECT_OK(mp_process_kill(process));
    EXPECT_STATUS(mp_lock_acquire(lock, mp_test_patience()), MP_OK);
    mp_lock_release(lock);
    mp_test_expect_end(process, -9);
    EXPECT_STATUS(mp_queue_put(queue, 1, 0), MP_GONE);
    EXPECT_STATUS(mp_lock_acquire(lock, 0), MP_GONE);
    EXPECT_STATUS(mp_lock_close(lock), MP_GONE);
    EXPECT_STATUS(mp_queue_close(queue), MP_GONE);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(what_is_given_away_ends_with_its_new_owner)
{
    mp_test_objects();
    mp_test_each_method(give_away);
}

MP_CASE(not_everything_is_adopted)
{
    mp_manager_t *manager;
    mp_conn_t *first, *second;
    int number = 0;
    mp_test_objects();
    REQUIRE_OK(mp_manager_start(&manager));
    EXPECT_OK(mp_manager_shutdown(manager));
    mp_test_baseline();
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    REQUIRE_OK(mp_manager_start(&manager));
    EXPECT_STATUS(mp_adopt(NULL), MP_INVALID);
    EXPECT_STATUS(mp_adopt(&number), MP_INVALID);
    EXPECT_STATUS(mp_adopt(first), MP_UNSUPPORTED);
    EXPECT_STATUS(mp_adopt(manager), MP_UNSUPPORTED);
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
    EXPECT_OK(mp_manager_shutdown(manager));
}

/* ---- two want it ---- */

static mp_status_t grab(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    mp_status_t status;
    while ((status = mp_adopt(queue)) == MP_OK)
        MP_CHECK((status = mp_queue_put(queue, mp_arg_int(call, 1), mp_test_patience())) == MP_OK || status == MP_GONE);
    return status == MP_GONE ? MP_OK : status;
}

/* They take it from each other; one of them is killed. Either it had it, and it is gone, or it lives on. */
static void fight(void)
{
    mp_process_t *processes[2];
    uint64_t random = 5;
    for (int round = 0; round < 20; round++) {
        mp_queue_t *queue;
        REQUIRE_OK(mp_queue_create(&queue, 0));
        for (int i = 0; i < 2; i++)
            REQUIRE_OK(mp_process_start(&processes[i], grab, mp_args(queue, i)));
        mp_value_t number = MP_NONE;
        for (int i = 0; i < 2; i++)
            while (mp_queue_get(queue, &number, mp_test_patience()) == MP_OK && mp_value_int(number) != i)
                ;
        mp_test_wander(&random, 1000);
        mp_test_expect_killed(processes[0]); /* it has not met an end: nobody has closed it */
        mp_status_t status = mp_adopt(queue);
        CU_ASSERT(status == MP_OK || status == MP_GONE);
        mp_status_t closed = mp_queue_close(queue);
        CU_ASSERT(closed == MP_OK || closed == MP_GONE);
        mp_process_kill(processes[1]);
        int code = 1;
        EXPECT_OK(mp_process_join(processes[1], mp_test_patience()));
        EXPECT_OK(mp_process_exitcode(processes[1], &code));
        CU_ASSERT(code == -9 || code == 0);
        EXPECT_OK(mp_process_close(processes[1]));
    }
}

MP_CASE(two_adopt_it_and_one_is_killed)
{
    mp_test_objects();
    mp_test_each_method(fight);
}

MP_GUARDED_CASES(MP_ROW(what_is_adopted_outlives_its_maker), MP_ROW(what_is_over_cannot_be_adopted),
                 MP_ROW(what_is_given_away_ends_with_its_new_owner), MP_ROW(not_everything_is_adopted),
                 MP_ROW(two_adopt_it_and_one_is_killed));
