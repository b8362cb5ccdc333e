/* Queues whose memory another process wrote nonsense into: a status, nothing outside a chunk or the caller's room is
 * touched, and the host lives. */
#include "scene.h"
#include "system.h"

#include "objects/queue/chain.h"

#include <string.h>

#define ITEMS 3u
#define SIZE  40u
#define ROOM  1000000u

static const uint64_t bounds[] = {0, 100000}; /* the bytes are not counted, or they are */

/* With some small items in it, which were put at once. */
static mp_queue_t *make_queue(uint64_t max_bytes)
{
    static const uint8_t data[SIZE];
    const mp_bytes_t items[ITEMS] = {{data, SIZE}, {data, SIZE}, {data, SIZE}};
    const mp_queue_options_t options = {.max_bytes = max_bytes};
    mp_queue_t *queue;
    REQUIRE_OK(mp_queue_create_with(&queue, &options));
    REQUIRE_OK(mp_queue_put_bytes_many(queue, items, ITEMS, NULL, 0));
    return queue;
}

static mp__content_t *content_of(const mp_queue_t *queue)
{
    return mp__content(queue->shared.header);
}

/* The word of the n-th item that is there. */
static uint64_t *word_of(const mp_queue_t *queue, uint64_t n)
{
    const mp__content_t *c = content_of(queue);
    mp__block_view_t view = {0};
    mp__spot_t spot = {0};
    CU_ASSERT_FATAL(mp__find_spot(queue->shared.header, c->head, &view, &spot));
    for (; n > 0; n--)
        spot.at += MP__WORD_SIZE + mp__padded(MP__WORD_LENGTH(*mp__word_at(&spot)));
    return mp__word_at(&spot);
}

/* Gets what is there, of so many bytes at most; *count: how many items. */
static mp_status_t get_many(mp_queue_t *queue, size_t most, size_t *count)
{
    static uint8_t room[ROOM + 1];
    mp_bytes_t items[ITEMS];
    size_t size = most;
    *count = ITEMS;
    room[most] = 77;
    mp_status_t status = mp_queue_get_bytes_many(queue, room, &size, items, count, 0);
    CU_ASSERT_EQUAL(room[most], 77);
    return status;
}

/* With the second item's word being that. */
static void expect_row_ends(uint64_t max_bytes, size_t most, uint64_t word, mp_status_t then)
{
    size_t count;
    mp_queue_t *queue = make_queue(max_bytes);
    *word_of(queue, 1) = word;
    EXPECT_OK(get_many(queue, most, &count));
    CU_ASSERT_EQUAL(count, 1);
    EXPECT_STATUS(get_many(queue, most, &count), then);
    CU_ASSERT_EQUAL(count, 0);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(a_length_that_leaves_the_chunk_ends_the_row)
{
    mp_test_objects();
    for (size_t i = 0; i < MP__COUNT_OF(bounds); i++) {
        expect_row_ends(bounds[i], ROOM, mp__word(MP__SMALL, MP__ITEM_BYTES, 100000, 1), MP_CORRUPT);
        expect_row_ends(bounds[i], ROOM, mp__word(MP__SMALL, MP__ITEM_BYTES, UINT32_MAX >> 3, 1), MP_CORRUPT);
        expect_row_ends(bounds[i], ROOM, mp__word(MP__BIG, MP__ITEM_BYTES, 1, 1), MP_CORRUPT);
    }
    /* Its sum is part of what is counted. */
    expect_row_ends(bounds[1], ROOM, mp__word(MP__SMALL, MP__ITEM_BYTES, 7, 1), MP_CORRUPT);
}

MP_CASE(a_length_of_more_than_was_asked_for_stays)
{
    mp_test_objects();
    expect_row_ends(0, ITEMS * SIZE, mp__word(MP__SMALL, MP__ITEM_BYTES, ITEMS * SIZE + 1, 1), MP_TOO_LARGE);
}

MP_CASE(a_jump_into_nowhere_ends_the_row)
{
    mp_test_objects();
    expect_row_ends(0, ROOM, mp__word(MP__JUMP, MP__ITEM_VALUE, 0, 0), MP_TIMEOUT); /* nobody chained that one */
}

/* More were got than put. */
MP_CASE(counts_that_cannot_be_are_seen)
{
    static const uint8_t data[SIZE];
    const mp_bytes_t items[ITEMS] = {{data, SIZE}, {data, SIZE}, {data, SIZE}};
    size_t done;
    mp_test_objects();
    for (size_t i = 0; i < MP__COUNT_OF(bounds); i++) {
        mp_queue_t *queue = make_queue(bounds[i]);
        mp__content_t *c = content_of(queue);
        c->max_items = 10;
        c->gets = c->gets_seen = c->puts + 1;
        EXPECT_STATUS(mp_queue_put_bytes_many(queue, items, ITEMS, &done, 0), MP_CORRUPT);
        CU_ASSERT_EQUAL(done, 0);
        EXPECT_OK(mp_queue_close(queue));
    }
}

MP_CASE(a_tail_at_the_chunks_end_is_not_written_behind)
{
    static const uint8_t data[SIZE];
    mp_test_objects();
    for (size_t i = 0; i < MP__COUNT_OF(bounds); i++) {
        mp_queue_t *queue = make_queue(bounds[i]);
        mp__content_t *c = content_of(queue);
        c->tail = mp__pair(mp__high(c->tail), UINT32_MAX & ~7u);
        EXPECT_STATUS(mp_queue_put_bytes(queue, data, SIZE, 0), MP_CORRUPT);
        c->tail = mp__pair(UINT32_MAX, 0);
        EXPECT_STATUS(mp_queue_put_bytes(queue, data, SIZE, 0), MP_CORRUPT);
        EXPECT_OK(mp_queue_close(queue));
    }
}

/* What the end of a damaged queue meets is not what its user last heard of; what the close itself fails with is. */
MP_CASE(a_close_keeps_the_last_error_or_tells_its_own)
{
    mp_queue_t *way, *queue, *other;
    mp_value_t value;
    mp_test_objects();
    queue = make_queue(0);
    *word_of(queue, 0) = mp__word(MP__SMALL, MP__ITEM_BYTES, 100000, 0);
    EXPECT_STATUS(mp_queue_create(NULL, 0), MP_INVALID);
    EXPECT_OK(mp_queue_close(queue));
    CU_ASSERT_EQUAL(mp_error()->status, MP_INVALID);

    queue = make_queue(0);
    REQUIRE_OK(mp_queue_create(&way, 0));
    EXPECT_OK(mp_queue_put(way, queue, 0));
    REQUIRE_OK(mp_queue_get(way, &value, mp_test_patience()));
    other = mp_value_queue(value);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_STATUS(mp_queue_close(other), MP_GONE);
    CU_ASSERT_EQUAL(mp_error()->status, MP_GONE);
    CU_ASSERT_STRING_EQUAL(mp_error()->step, "close an object");
    mp_value_free(&value);
    EXPECT_OK(mp_queue_close(way));
}

MP_GUARDED_CASES(MP_ROW(a_length_that_leaves_the_chunk_ends_the_row), MP_ROW(a_length_of_more_than_was_asked_for_stays),
                 MP_ROW(a_jump_into_nowhere_ends_the_row), MP_ROW(counts_that_cannot_be_are_seen),
                 MP_ROW(a_tail_at_the_chunks_end_is_not_written_behind),
                 MP_ROW(a_close_keeps_the_last_error_or_tells_its_own));
