/* What a server keeps, without a server: dicts under random changes compared with a plain array; sums; the order of
 * numbers. */
#include "../harness/harness.h"

#include "objects/manager_number.h"
#include "objects/manager_store.h"
#include "random.h"
#include "wire/codec.h"

#include <math.h>
#include <stdio.h>

enum { KEYS = 400 };

/* The same dict, kept the slow way. */
typedef struct model {
    int keys[KEYS]; /* in order */
    int values[KEYS];
    int count;
} model_t;

static int find(const model_t *model, int key)
{
    int i = 0;
    while (i < model->count && model->keys[i] != key)
        i++;
    return i;
}

static void model_put(model_t *model, int key, int value)
{
    int i = find(model, key);
    if (i == model->count)
        model->keys[model->count++] = key;
    model->values[i] = value;
}

static void model_remove(model_t *model, int i)
{
    model->count--;
    for (; i < model->count; i++) {
        model->keys[i] = model->keys[i + 1];
        model->values[i] = model->values[i + 1];
    }
}

typedef struct encoded {
    mp__buffer_t buffer;
} encoded_t;

static mp__bytes_t encode(encoded_t *e, mp_value_t v)
{
    mp__buffer_init(&e->buffer);
    REQUIRE_OK(mp__encode(&v, NULL, &e->buffer));
    return (mp__bytes_t){e->buffer.data, e->buffer.size};
}

/* Keys of all lengths, numbers among them. */
static mp__bytes_t encode_key(encoded_t *e, int key)
{
    char text[64];
    snprintf(text, sizeof text, "%0*d", 1 + key % 40, key);
    return encode(e, key % 3 ? mp_of(text) : mp_of(key));
}

static void check_same(const mp__table_t *table, const model_t *model)
{
    size_t place = mp__table_next(table, 0);
    CU_ASSERT_EQUAL_FATAL(table->live, (size_t)model->count);
    for (int i = 0; i < model->count; i++) {
        encoded_t key;
        mp_value_t value;
        size_t found;
        CU_ASSERT_NOT_EQUAL_FATAL(place, SIZE_MAX);
        REQUIRE_OK(mp__table_find(table, encode_key(&key, model->keys[i]), &found));
        CU_ASSERT_EQUAL_FATAL(found, place);
        CU_ASSERT_TRUE_FATAL(mp__bytes_scalar(mp__table_value(table, place), &value));
        CU_ASSERT_EQUAL_FATAL(mp_value_int(value), model->values[i]);
        place = mp__table_next(table, place + 1);
    }
    CU_ASSERT_EQUAL_FATAL(place, SIZE_MAX);
}

/* One change: mostly additions or mostly removals, in turns; removals of any key, or of the last one as popitem does.
 */
static void change(mp__table_t *table, model_t *model, uint64_t *random, bool grow)
{
    encoded_t key, value;
    size_t place;
    int k = (int)mp_test_below(random, KEYS), x = (int)mp_test_below(random, 1000000000);
    if (mp_test_below(random, 10) < (grow ? 8u : 2u)) {
        mp__bytes_t key_bytes = encode_key(&key, k);
        REQUIRE_OK(mp__table_put(table, key_bytes, encode(&value, mp_of(x))));
        model_put(model, k, x);
        return;
    }
    if (model->count > 0 && x % 2)
        k = model->keys[model->count - 1];
    REQUIRE_OK(mp__table_find(table, encode_key(&key, k), &place));
    int i = find(model, k);
    CU_ASSERT_EQUAL_FATAL(place == SIZE_MAX, i == model->count);
    if (place == SIZE_MAX)
        return;
    mp__table_remove(table, place);
    model_remove(model, i);
}

MP_CASE(a_dict_under_random_changes)
{
    static model_t model;
    mp__table_t table = {0};
    uint64_t random = 11;
    for (int i = 0; i < 20000; i++) {
        change(&table, &model, &random, i / 1000 % 2 == 0);
        if (i % 50 == 0)
            check_same(&table, &model);
    }
    check_same(&table, &model);
    CU_ASSERT_TRUE(table.capacity <= 4 * KEYS);
    mp__table_clear(&table);
    CU_ASSERT_PTR_NULL(table.entries);
}

/* Each fills a slot of the index that no removal frees. */
MP_CASE(a_dict_as_a_stack_for_ever)
{
    mp__table_t table = {0};
    encoded_t key;
    size_t place;
    for (int i = 0; i < 5; i++)
        REQUIRE_OK(mp__table_put(&table, encode_key(&key, i), (mp__bytes_t){(const uint8_t *)"\1", 1}));
    for (int i = 5; i < 10000; i++) {
        mp__bytes_t bytes = encode_key(&key, i);
        REQUIRE_OK(mp__table_put(&table, bytes, bytes));
        REQUIRE_OK(mp__table_find(&table, bytes, &place));
        CU_ASSERT_EQUAL(place, table.used - 1);
        mp__table_remove(&table, place);
    }
    CU_ASSERT_EQUAL(table.live, 5);
    CU_ASSERT_TRUE(table.capacity <= 16);
    mp__table_clear(&table);
}

static mp_value_t sum(mp_value_t a, mp_value_t b)
{
    mp_value_t s = MP_NONE;
    EXPECT_OK(mp__number_sum(a, b, &s));
    return s;
}

MP_CASE(sums_at_the_ends_of_the_integers)
{
    const mp_value_t max = mp_of(INT64_MAX), min = mp_of(INT64_MIN), most = mp_of(UINT64_MAX);
    mp_value_t s;
    CU_ASSERT_TRUE(mp_value_equal(sum(max, mp_of(1)), UINT64_C(9223372036854775808)));
    CU_ASSERT_TRUE(mp_value_equal(sum(min, max), -1));
    CU_ASSERT_TRUE(mp_value_equal(sum(max, min), -1));
    CU_ASSERT_TRUE(mp_value_equal(sum(most, min), INT64_MAX));
    CU_ASSERT_TRUE(mp_value_equal(sum(most, mp_of(0)), UINT64_MAX));
    CU_ASSERT_TRUE(mp_value_equal(sum(mp_of(-1), most), UINT64_MAX - 1));
    CU_ASSERT_TRUE(mp_value_equal(sum(mp_of(INT64_MIN + 5), mp_of(-5)), INT64_MIN));
    CU_ASSERT_TRUE(mp_value_equal(sum(mp_of(-3), mp_of(3)), 0));
    CU_ASSERT_EQUAL(mp_value_kind(sum(most, mp_of(-1))), MP_KIND_UINT);
    CU_ASSERT_EQUAL(mp_value_kind(sum(most, min)), MP_KIND_INT);
    CU_ASSERT_EQUAL(mp_value_kind(sum(mp_of(1), mp_of(2.0))), MP_KIND_DOUBLE);
    CU_ASSERT_TRUE(mp_value_equal(sum(MP_TRUE, MP_TRUE), 2));
    EXPECT_STATUS(mp__number_sum(most, mp_of(1), &s), MP_VALUE);
    EXPECT_STATUS(mp__number_sum(min, mp_of(-1), &s), MP_VALUE);
    EXPECT_STATUS(mp__number_sum(min, min, &s), MP_VALUE);
    EXPECT_STATUS(mp__number_sum(MP_NONE, mp_of(1), &s), MP_TYPE);
}

MP_CASE(numbers_are_ordered_by_what_they_are_worth)
{
    const mp_value_t ascending[] = {mp_of(-(double)INFINITY),
                                    mp_of(-1e19),
                                    mp_of(INT64_MIN),
                                    mp_of(-2),
                                    mp_of(-1.5),
                                    mp_of(-1),
                                    mp_of(-0.5),
                                    mp_of(0),
                                    mp_of(0.5),
                                    MP_TRUE,
                                    mp_of(9007199254740992.0),
                                    mp_of(9007199254740993),
                                    mp_of(INT64_MAX),
                                    mp_of(9223372036854775808.0),
                                    mp_of(UINT64_MAX),
                                    mp_of(18446744073709551616.0),
                                    mp_of((double)INFINITY),
                                    mp_of((double)NAN)};
    const int count = (int)(sizeof ascending / sizeof ascending[0]);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < count; k++) {
            int order = mp__number_compare(ascending[i], ascending[k]);
            CU_ASSERT_EQUAL((order > 0) - (order < 0), (i > k) - (i < k));
        }
    CU_ASSERT_EQUAL(mp__number_compare(mp_of(1), mp_of(1.0)), 0);
    CU_ASSERT_EQUAL(mp__number_compare(mp_of(-9223372036854775808.0), mp_of(INT64_MIN)), 0);
}

MP_CASES(MP_ROW(a_dict_under_random_changes), MP_ROW(a_dict_as_a_stack_for_ever),
         MP_ROW(sums_at_the_ends_of_the_integers), MP_ROW(numbers_are_ordered_by_what_they_are_worth));
