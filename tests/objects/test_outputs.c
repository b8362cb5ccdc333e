/* What a call that failed leaves where its result would have gone: nothing, however early it failed. */
#include "scene.h"

#include <math.h>
#include <string.h>

static char there[1]; /* a pointer to it was never anything */

#define EXPECT_NO_OBJECT(type, call, status)                                                                           \
    do {                                                                                                               \
        type *object = (void *)there;                                                                                  \
        EXPECT_STATUS(call, status);                                                                                   \
        CU_ASSERT_PTR_NULL(object);                                                                                    \
    } while (0)

MP_CASE(makers_leave_no_object)
{
    mp_conn_t *first = (void *)there, *second = (void *)there;
    mp_test_objects();
    EXPECT_NO_OBJECT(mp_queue_t, mp_queue_create_with(&object, &(mp_queue_options_t){.attempts = 1}), MP_INVALID);
    EXPECT_NO_OBJECT(mp_semaphore_t, mp_semaphore_create(&object, UINT32_MAX), MP_INVALID);
    EXPECT_NO_OBJECT(mp_barrier_t, mp_barrier_create(&object, 0), MP_INVALID);
    EXPECT_NO_OBJECT(mp_condition_t, mp_condition_create_with(&object, 5), MP_TYPE);
    EXPECT_NO_OBJECT(mp_shared_memory_t, mp_shared_memory_create(&object, 0), MP_INVALID);
    EXPECT_NO_OBJECT(mp_shared_value_t, mp_shared_value_create(&object, (mp_ctype_t)0), MP_TYPE);
    EXPECT_NO_OBJECT(mp_shared_array_t, mp_shared_array_create(&object, (mp_ctype_t)0, 1), MP_TYPE);
    EXPECT_NO_OBJECT(mp_shareable_list_t, mp_shareable_list_create(&object, 5), MP_TYPE);
    EXPECT_NO_OBJECT(mp_pool_t, mp_pool_create(&object, -1), MP_INVALID);
    EXPECT_NO_OBJECT(mp_named_lock_t, mp_named_lock_open(&object, "/"), MP_INVALID);
    EXPECT_NO_OBJECT(mp_named_memory_t, mp_named_memory_create(&object, "x", 0), MP_INVALID);
    EXPECT_NO_OBJECT(mp_lease_t, mp_queue_get_leased(NULL, &object, 0), MP_INVALID);
    EXPECT_STATUS(mp_pipe(&first, &second, (mp_direction_t)9), MP_INVALID);
    CU_ASSERT_PTR_NULL(first);
    CU_ASSERT_PTR_NULL(second);
    first = (void *)there;
    EXPECT_STATUS(mp_pipe(&first, NULL, MP_DUPLEX), MP_INVALID);
    CU_ASSERT_PTR_NULL(first);
}

/* Whatever was there. */
static mp_value_t garbage(void)
{
    mp_value_t value;
    memset(&value, 0xaa, sizeof value);
    return value;
}

#define EXPECT_NONE(call, status)                                                                                      \
    do {                                                                                                               \
        value = garbage();                                                                                             \
        EXPECT_STATUS(call, status);                                                                                   \
        CU_ASSERT_EQUAL(mp_value_kind(value), MP_KIND_NONE);                                                           \
    } while (0)

MP_CASE(takers_leave_none)
{
    mp_value_t value;
    mp_queue_t *queue;
    mp_conn_t *receiver, *sender;
    mp_shareable_list_t *list;
    mp_lent_t lent = {there, 1, 0};
    mp_test_objects();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_pipe(&receiver, &sender, MP_ONE_WAY));
    REQUIRE_OK(mp_shareable_list_create(&list, mp_list(1)));
    EXPECT_NONE(mp_queue_get(NULL, &value, 0), MP_INVALID);
    EXPECT_NONE(mp_queue_get(queue, &value, (double)NAN), MP_INVALID);
    EXPECT_NONE(mp_queue_get(queue, &value, 0), MP_TIMEOUT);
    EXPECT_NONE(mp_conn_recv(NULL, &value), MP_INVALID);
    EXPECT_NONE(mp_conn_recv(sender, &value), MP_INVALID);
    EXPECT_NONE(mp_lease_value(NULL, &value), MP_INVALID);
    EXPECT_NONE(mp_shareable_list_get(NULL, 0, &value), MP_INVALID);
    EXPECT_NONE(mp_shareable_list_get(list, 5, &value), MP_INDEX);
    EXPECT_NONE(mp_dict_get(NULL, mp_list(), &value), MP_TYPE);
    EXPECT_NONE(mp_dict_get(NULL, 1, &value), MP_INVALID);
    EXPECT_NONE(mp_pool_apply(NULL, NULL, mp_args(), &value, 0), MP_INVALID);
    EXPECT_NONE(mp_result_get(NULL, &value, 0), MP_INVALID);
    size_t n = 1;
    EXPECT_STATUS(mp_queue_get_many(NULL, &value, &n, 0), MP_INVALID);
    CU_ASSERT_EQUAL(n, 0);
    EXPECT_STATUS(mp_queue_get_lent(NULL, &lent, 0), MP_INVALID);
    CU_ASSERT_PTR_NULL(lent.data);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_conn_close(receiver));
    EXPECT_OK(mp_conn_close(sender));
    EXPECT_OK(mp_shareable_list_close(list));
}

MP_GUARDED_CASES(MP_ROW(makers_leave_no_object), MP_ROW(takers_leave_none));
