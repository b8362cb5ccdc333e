/* Pointers that this process has closed: a late use is told so, a second close is fine, and nothing of another object
 * is touched. */
#include "scene.h"

#include <stdio.h>

#define EXPECT_CLOSED(call) EXPECT_STATUS(call, MP_CLOSED)

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

MP_CASE(queues_and_connections)
{
    mp_queue_t *queue, *next;
    mp_conn_t *conn, *other;
    mp_value_t value;
    uint64_t size = 0;
    bool ready;
    mp_test_objects();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_OK(mp_queue_close(queue));
    REQUIRE_OK(mp_queue_create(&next, 0));
    REQUIRE_OK(mp_queue_put(next, 1, 0));
    EXPECT_CLOSED(mp_queue_put(queue, 1, 0));
    EXPECT_CLOSED(mp_queue_get(queue, &value, 0));
    EXPECT_CLOSED(mp_queue_size(queue, &size));
    EXPECT_CLOSED(mp_queue_shutdown(queue, true));
    EXPECT_CLOSED(mp_adopt(queue));
    EXPECT_CLOSED(mp_wait((mp_value_t[]){mp_of(queue)}, 1, &ready, 0));
    EXPECT_STATUS(mp_queue_put(next, queue, 0), MP_INVALID); /* no live one is in it */
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_queue_size(next, &size));
    CU_ASSERT_EQUAL(size, 1);
    EXPECT_OK(mp_queue_close(next));

    REQUIRE_OK(mp_pipe(&conn, &other, MP_DUPLEX));
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_CLOSED(mp_conn_send(conn, 1));
    EXPECT_CLOSED(mp_conn_recv(conn, &value));
    EXPECT_CLOSED(mp_conn_poll(conn, 0));
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_conn_close(other));
}

MP_CASE(what_is_taken_and_waited_for)
{
    mp_lock_t *lock, *free_lock;
    mp_rlock_t *rlock;
    mp_semaphore_t *semaphore;
    mp_condition_t *condition;
    mp_event_t *event;
    mp_barrier_t *barrier;
    mp_test_objects();
    REQUIRE_OK(mp_lock_create(&lock));
    EXPECT_OK(mp_lock_close(lock));
    REQUIRE_OK(mp_lock_create(&free_lock));
    EXPECT_CLOSED(mp_lock_acquire(lock, 0));
    EXPECT_CLOSED(mp_lock_release(lock));
    EXPECT_OK(mp_lock_close(lock));
    EXPECT_OK(mp_lock_acquire(free_lock, 0));
    EXPECT_OK(mp_lock_release(free_lock));
    EXPECT_OK(mp_lock_close(free_lock));
    REQUIRE_OK(mp_rlock_create(&rlock));
    EXPECT_OK(mp_rlock_close(rlock));
    EXPECT_CLOSED(mp_rlock_acquire(rlock, 0));
    EXPECT_OK(mp_rlock_close(rlock));
    EXPECT_STATUS(mp_lock_acquire((mp_lock_t *)(void *)rlock, 0), MP_INVALID); /* nor was it one */
    REQUIRE_OK(mp_semaphore_create(&semaphore, 1));
    EXPECT_OK(mp_semaphore_close(semaphore));
    EXPECT_CLOSED(mp_semaphore_acquire(semaphore, 0));
    EXPECT_OK(mp_semaphore_close(semaphore));
    REQUIRE_OK(mp_condition_create(&condition));
    EXPECT_OK(mp_condition_close(condition));
    EXPECT_CLOSED(mp_condition_acquire(condition, 0));
    EXPECT_OK(mp_condition_close(condition));
    REQUIRE_OK(mp_event_create(&event));
    EXPECT_OK(mp_event_close(event));
    CU_ASSERT_EQUAL(mp_event_set(event), MP_CLOSED);
    EXPECT_CLOSED(mp_event_wait(event, 0));
    EXPECT_OK(mp_event_close(event));
    REQUIRE_OK(mp_barrier_create(&barrier, 2));
    EXPECT_OK(mp_barrier_close(barrier));
    EXPECT_CLOSED(mp_barrier_wait(barrier, 0, NULL));
    EXPECT_OK(mp_barrier_close(barrier));
}

MP_CASE(memory)
{
    mp_shared_memory_t *memory;
    mp_shared_value_t *value;
    mp_shared_array_t *array;
    mp_shareable_list_t *list;
    mp_value_t item;
    void *data;
    int64_t number;
    size_t length;
    mp_test_objects();
    REQUIRE_OK(mp_shared_memory_create(&memory, 100));
    EXPECT_OK(mp_shared_memory_close(memory));
    EXPECT_CLOSED(mp_shared_memory_data(memory, &data, NULL));
    EXPECT_OK(mp_shared_memory_close(memory));
    REQUIRE_OK(mp_shared_value_create(&value, MP_CTYPE_INT32));
    EXPECT_OK(mp_shared_value_close(value));
    EXPECT_CLOSED(mp_shared_value_get_int(value, &number));
    EXPECT_OK(mp_shared_value_close(value));
    REQUIRE_OK(mp_shared_array_create(&array, MP_CTYPE_INT32, 3));
    EXPECT_OK(mp_shared_array_close(array));
    EXPECT_CLOSED(mp_shared_array_length(array, &length));
    EXPECT_OK(mp_shared_array_close(array));
    REQUIRE_OK(mp_shareable_list_create(&list, mp_list(1)));
    EXPECT_OK(mp_shareable_list_close(list));
    EXPECT_CLOSED(mp_shareable_list_get(list, 0, &item));
    EXPECT_OK(mp_shareable_list_close(list));
}

/* The first pool makes things that are kept. */
static mp_result_t *run_one(mp_pool_t **pool)
{
    mp_result_t *result;
    REQUIRE_OK(mp_pool_create(pool, 1));
    REQUIRE_OK(mp_pool_apply_async(*pool, nothing, mp_args(), &(mp_task_t){.result = &result}));
    EXPECT_OK(mp_result_wait(result, mp_test_patience()));
    return result;
}

MP_CASE(pools_and_results)
{
    mp_pool_t *pool;
    mp_test_objects();
    mp_result_t *result = run_one(&pool);
    EXPECT_OK(mp_pool_free(pool));
    mp_result_free(result);
    mp_test_baseline();
    result = run_one(&pool);
    EXPECT_OK(mp_pool_free(pool));
    EXPECT_CLOSED(mp_pool_apply(pool, nothing, mp_args(), NULL, 0));
    EXPECT_OK(mp_pool_free(pool));
    mp_result_free(result); /* the pool does not hold it any more */
    EXPECT_CLOSED(mp_result_wait(result, 0));
    EXPECT_CLOSED(mp_result_status(result));
    CU_ASSERT_FALSE(mp_result_ready(result));
}

MP_CASE(names)
{
    char name[30];
    mp_named_memory_t *memory;
    mp_named_lock_t *lock;
    mp_queue_t *queue;
    void *data;
    mp_test_objects();
    snprintf(name, sizeof name, "closed-%d", mp_getpid());
    REQUIRE_OK(mp_named_memory_create(&memory, name, 10)); /* the first name makes things that are kept */
    EXPECT_OK(mp_named_memory_close(memory));
    mp_test_baseline();
    REQUIRE_OK(mp_named_memory_create(&memory, name, 10));
    REQUIRE_OK(mp_named_lock_create(&lock, name));
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_STATUS(mp_named_memory_data((mp_named_memory_t *)(void *)lock, &data, NULL), MP_INVALID);
    EXPECT_STATUS(mp_named_memory_close((mp_named_memory_t *)(void *)lock), MP_INVALID);
    EXPECT_STATUS(mp_named_memory_unlink((mp_named_memory_t *)(void *)queue), MP_INVALID);
    EXPECT_STATUS(mp_named_lock_acquire((mp_named_lock_t *)(void *)memory, 0), MP_INVALID);
    EXPECT_STATUS(mp_named_lock_close((mp_named_lock_t *)(void *)memory), MP_INVALID);
    EXPECT_STATUS(mp_queue_put((mp_queue_t *)(void *)lock, 1, 0), MP_INVALID);
    EXPECT_OK(mp_named_memory_close(memory));
    EXPECT_CLOSED(mp_named_memory_data(memory, &data, NULL));
    CU_ASSERT_PTR_NULL(data);
    EXPECT_CLOSED(mp_named_memory_unlink(memory));
    EXPECT_OK(mp_named_memory_close(memory));
    EXPECT_OK(mp_named_lock_close(lock));
    EXPECT_CLOSED(mp_named_lock_acquire(lock, 0));
    EXPECT_CLOSED(mp_named_lock_release(lock));
    EXPECT_CLOSED(mp_named_lock_unlink(lock));
    EXPECT_OK(mp_named_lock_close(lock));
    EXPECT_OK(mp_queue_close(queue));
}

/* It is told for as long as status.h says. */
MP_CASE(sixty_four_are_remembered)
{
    mp_event_t *events[64], *first;
    mp_test_objects();
    REQUIRE_OK(mp_event_create(&first));
    for (int i = 0; i < 63; i++)
        REQUIRE_OK(mp_event_create(&events[i]));
    EXPECT_OK(mp_event_close(first));
    for (int i = 0; i < 63; i++)
        EXPECT_OK(mp_event_close(events[i]));
    EXPECT_CLOSED(mp_event_wait(first, 0));
}

MP_GUARDED_CASES(MP_ROW(queues_and_connections), MP_ROW(what_is_taken_and_waited_for), MP_ROW(memory),
                 MP_ROW(pools_and_results), MP_ROW(names), MP_ROW(sixty_four_are_remembered));
