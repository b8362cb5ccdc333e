/* What the makers of objects say when the family's memory is used up. */
#include "scene.h"

#include <string.h>

#define MIB   ((uint64_t)1 << 20)
#define LOCKS 64
#define EXPECT_NO_MEMORY(call, object)                                                                                 \
    do {                                                                                                               \
        EXPECT_STATUS(call, MP_NO_MEMORY);                                                                             \
        CU_ASSERT_EQUAL(mp_error()->status, MP_NO_MEMORY);                                                             \
        CU_ASSERT_PTR_NULL(object);                                                                                    \
    } while (0)

/* Lends all that can be had, each piece of memory naming the one before. */
static mp_lent_t lend_all(mp_queue_t *queue)
{
    mp_lent_t last = {0}, next;
    for (size_t size = MIB; size >= 64; size /= 2)
        while (mp_queue_reserve(queue, size, &next, 0) == MP_OK) {
            memcpy(next.data, &last, sizeof last);
            last = next;
        }
    return last;
}

static void return_all(mp_lent_t last)
{
    while (last.data) {
        mp_lent_t next;
        memcpy(&next, last.data, sizeof next);
        EXPECT_OK(mp_lent_return(&last));
        last = next;
    }
}

/* There is room for headers, but for nothing that belongs to them. */
static mp_lent_t use_up(mp_queue_t *queue)
{
    mp_lock_t *locks[LOCKS];
    for (int i = 0; i < LOCKS; i++)
        REQUIRE_OK(mp_lock_create(&locks[i]));
    mp_lent_t all = lend_all(queue);
    for (int i = 0; i < LOCKS; i++)
        EXPECT_OK(mp_lock_close(locks[i]));
    return all;
}

MP_CASE(who_finds_no_memory_is_told_just_that)
{
    static char nothing[1];
    mp_condition_t *condition = (void *)nothing;
    mp_barrier_t *barrier = (void *)nothing;
    mp_semaphore_t *semaphore = (void *)nothing;
    mp_queue_t *lender, *queue = (void *)nothing, *joinable = (void *)nothing;
    mp_shared_value_t *value = (void *)nothing;
    mp_shared_array_t *array = (void *)nothing;
    mp_shared_memory_t *memory = (void *)nothing;
    mp_shareable_list_t *list = (void *)nothing;
    REQUIRE_OK(mp_configure(64 * MIB, 8 * MIB));
    mp_test_objects();
    REQUIRE_OK(mp_queue_create(&lender, 0));
    mp_lent_t all = use_up(lender);
    EXPECT_NO_MEMORY(mp_condition_create(&condition), condition);
    EXPECT_NO_MEMORY(mp_barrier_create(&barrier, 9000), barrier);
    EXPECT_NO_MEMORY(mp_semaphore_create_with(&semaphore, 1, &(mp_semaphore_options_t){.flags = MP_OWNED}), semaphore);
    EXPECT_NO_MEMORY(mp_queue_create(&queue, 0), queue);
    EXPECT_NO_MEMORY(mp_queue_create_with(&joinable, &(mp_queue_options_t){.joinable = true}), joinable);
    EXPECT_NO_MEMORY(mp_shared_value_create(&value, MP_CTYPE_INT32), value);
    EXPECT_NO_MEMORY(mp_shared_array_create(&array, MP_CTYPE_DOUBLE, 5000), array);
    EXPECT_NO_MEMORY(mp_shared_memory_create(&memory, 5000), memory);
    EXPECT_NO_MEMORY(mp_shareable_list_create(&list, mp_list(1)), list);
    return_all(all);
    REQUIRE_OK(mp_condition_create(&condition)); /* and then there is room again */
    EXPECT_OK(mp_condition_close(condition));
    EXPECT_OK(mp_queue_close(lender));
}

MP_GUARDED_CASES(MP_ROW(who_finds_no_memory_is_told_just_that));
