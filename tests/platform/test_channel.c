/* Byte streams between two ends, and handles that travel in them. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include <stdlib.h>
#include <string.h>

#define NOT_A_HANDLE ((mp__os_handle_t)3996)
#define LARGE        ((size_t)3 << 20) /* more than any system keeps for a reader */

static void channel(bool duplex, mp__os_handle_t ends[2])
{
    mp_test_warm_up();
    REQUIRE_OK(mp__os_channel_create(duplex, ends));
}

static void close_both(const mp__os_handle_t ends[2])
{
    mp__os_handle_close(ends[0]);
    mp__os_handle_close(ends[1]);
}

/* ---- bytes ---- */

MP_CASE(duplex_goes_both_ways)
{
    mp__os_handle_t ends[2];
    char text[6] = "";
    channel(true, ends);
    EXPECT_OK(mp__os_channel_write(ends[0], "there", 6));
    EXPECT_OK(mp__os_channel_write(ends[1], "back!", 6));
    EXPECT_OK(mp__os_channel_read(ends[1], text, 6));
    CU_ASSERT_STRING_EQUAL(text, "there");
    EXPECT_OK(mp__os_channel_read(ends[0], text, 6));
    CU_ASSERT_STRING_EQUAL(text, "back!");
    close_both(ends);
}

MP_CASE(one_way_goes_one_way)
{
    mp__os_handle_t ends[2];
    char text[6] = "";
    channel(false, ends);
    EXPECT_OK(mp__os_channel_write(ends[1], "there", 6));
    EXPECT_OK(mp__os_channel_read(ends[0], text, 6));
    CU_ASSERT_STRING_EQUAL(text, "there");
    CU_ASSERT_NOT_EQUAL(mp__os_channel_write(ends[0], "x", 1), MP_OK);
    close_both(ends);
}

/* It is a stream: what was written in one piece is read in others. */
MP_CASE(pieces_do_not_matter)
{
    mp__os_handle_t ends[2];
    char text[10];
    channel(true, ends);
    EXPECT_OK(mp__os_channel_write(ends[0], "abc", 3));
    EXPECT_OK(mp__os_channel_write(ends[0], "defghij", 7));
    EXPECT_OK(mp__os_channel_read(ends[1], text, 1));
    EXPECT_OK(mp__os_channel_read(ends[1], text + 1, 5));
    EXPECT_OK(mp__os_channel_read(ends[1], text + 6, 4));
    CU_ASSERT_NSTRING_EQUAL(text, "abcdefghij", 10);
    close_both(ends);
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

/* Sends back, piece by piece, all that comes. */
MP_PROGRAM(echoes)
{
    static uint8_t piece[50000];
    for (size_t left = LARGE; left > 0;) {
        size_t n = left < sizeof piece ? left : sizeof piece;
        MP_CHECK(mp__os_channel_read(mp_test_talk(), piece, n) == MP_OK);
        MP_CHECK(mp__os_channel_write(mp_test_talk(), piece, n) == MP_OK);
        left -= n;
    }
    return 0;
}

typedef struct sending {
    mp__os_handle_t end;
    uint8_t *bytes;
    size_t size;
    mp_status_t status;
} sending_t;

static void send_all(void *context)
{
    sending_t *sending = context;
    sending->status = mp__os_channel_write(sending->end, sending->bytes, sending->size);
}

/* Both directions are full at times; one thread writes what another one reads back. */
MP_CASE(large_writes_block_and_arrive_whole)
{
    mp_test_child_t child;
    mp_test_thread_t thread;
    mp_test_warm_up();
    uint8_t *bytes = malloc(LARGE);
    uint8_t *back = malloc(LARGE);
    CU_ASSERT_FATAL(bytes && back);
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = pattern(i);
    mp_test_start(&child, "echoes", NULL, 0, NULL);
    sending_t sending = {child.talk, bytes, LARGE, MP_STATE};
    mp_test_thread_start(&thread, send_all, &sending);
    EXPECT_OK(mp__os_channel_read(child.talk, back, LARGE));
    mp_test_thread_join(&thread);
    EXPECT_OK(sending.status);
    CU_ASSERT_EQUAL(memcmp(bytes, back, LARGE), 0);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    free(bytes);
    free(back);
}

/* ---- the other side is gone ---- */

MP_CASE(reading_after_the_other_side_closed)
{
    mp__os_handle_t ends[2];
    char text[8];
    channel(true, ends);
    EXPECT_OK(mp__os_channel_write(ends[0], "last", 4));
    mp__os_handle_close(ends[0]);
    EXPECT_OK(mp__os_channel_read(ends[1], text, 4));
    CU_ASSERT_NSTRING_EQUAL(text, "last", 4);
    EXPECT_STATUS(mp__os_channel_read(ends[1], text, 4), MP_END);
    EXPECT_STATUS(mp__os_channel_read(ends[1], text, 4), MP_END);
    mp__os_handle_close(ends[1]);
}

MP_CASE(the_end_in_the_middle)
{
    mp__os_handle_t ends[2];
    char text[8];
    channel(false, ends);
    EXPECT_OK(mp__os_channel_write(ends[1], "abc", 3));
    mp__os_handle_close(ends[1]);
    EXPECT_STATUS(mp__os_channel_read(ends[0], text, 8), MP_TRUNCATED);
    mp__os_handle_close(ends[0]);
}

/* Writing to nobody is a status, and no signal ends this process. */
MP_CASE(writing_to_nobody)
{
    for (int duplex = 0; duplex < 2; duplex++) {
        mp__os_handle_t ends[2];
        channel(duplex, ends);
        mp__os_handle_close(ends[0]);
        EXPECT_STATUS(mp__os_channel_write(ends[1], "x", 1), MP_END);
        EXPECT_STATUS(mp__os_channel_write(ends[1], "x", 1), MP_END);
        mp__os_handle_close(ends[1]);
    }
}

MP_PROGRAM(waits)
{
    mp_test_tell(mp_test_talk(), 'r');
    mp__os_sleep(mp_test_deadline(60)); /* reading nothing */
    return 1;
}

MP_CASE(the_other_side_was_killed)
{
    mp_test_child_t child;
    char byte;
    mp_test_warm_up();
    mp_test_start(&child, "waits", NULL, 0, NULL);
    CU_ASSERT(mp_test_hear(child.talk, 'r'));
    EXPECT_OK(mp__os_process_signal(&child.process, true));
    EXPECT_OK(mp__os_channel_poll(child.talk, mp_test_deadline(30)));
    EXPECT_STATUS(mp__os_channel_read(child.talk, &byte, 1), MP_END);
    EXPECT_STATUS(mp__os_channel_write(child.talk, &byte, 1), MP_END);
    mp_test_join(&child);
}

typedef struct kill_later {
    mp_test_child_t *child;
    mp__os_handle_t end;
} kill_later_t;

static void kill_when_full(void *context)
{
    kill_later_t *later = context;
    mp__os_sleep(mp__os_now() + 50 * MP__MILLISECOND); /* so that the writer blocks; if not, the result is the same */
    MP_CHECK(mp__os_process_signal(&later->child->process, true) == MP_OK);
}

MP_CASE(killing_the_reader_frees_the_writer)
{
    mp_test_child_t child;
    mp_test_thread_t thread;
    mp_test_warm_up();
    char *bytes = calloc(LARGE, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    mp_test_start(&child, "waits", NULL, 0, NULL);
    CU_ASSERT(mp_test_hear(child.talk, 'r'));
    kill_later_t later = {.child = &child};
    mp_test_thread_start(&thread, kill_when_full, &later);
    EXPECT_STATUS(mp__os_channel_write(child.talk, bytes, LARGE), MP_END);
    mp_test_thread_join(&thread);
    mp_test_join(&child);
    free(bytes);
}

/* ---- poll ---- */

MP_CASE(poll_tells_what_can_be_read)
{
    mp__os_handle_t ends[2];
    char byte;
    channel(true, ends);
    EXPECT_STATUS(mp__os_channel_poll(ends[1], 0), MP_TIMEOUT);
    mp__deadline_t deadline = mp__os_now() + 30 * MP__MILLISECOND;
    EXPECT_STATUS(mp__os_channel_poll(ends[1], deadline), MP_TIMEOUT);
    CU_ASSERT(mp__os_now() >= deadline);
    EXPECT_OK(mp__os_channel_write(ends[0], "ab", 2));
    EXPECT_OK(mp__os_channel_poll(ends[1], 0));
    EXPECT_OK(mp__os_channel_poll(ends[1], MP__NEVER));
    EXPECT_OK(mp__os_channel_read(ends[1], &byte, 1));
    CU_ASSERT_EQUAL(byte, 'a');
    EXPECT_OK(mp__os_channel_poll(ends[1], 0));
    EXPECT_OK(mp__os_channel_read(ends[1], &byte, 1));
    EXPECT_STATUS(mp__os_channel_poll(ends[1], 0), MP_TIMEOUT);
    mp__os_handle_close(ends[0]);
    EXPECT_OK(mp__os_channel_poll(ends[1], 0)); /* the end can be read, too */
    EXPECT_STATUS(mp__os_channel_read(ends[1], &byte, 1), MP_END);
    mp__os_handle_close(ends[1]);
}

MP_PROGRAM(answers)
{
    MP_CHECK(mp_test_hear(mp_test_talk(), 'q'));
    return mp_test_tell(mp_test_talk(), 'a') ? 0 : 1;
}

MP_CASE(poll_sleeps_until_something_comes)
{
    mp_test_child_t child;
    char byte;
    mp_test_warm_up();
    mp_test_start(&child, "answers", NULL, 0, NULL);
    EXPECT_STATUS(mp__os_channel_poll(child.talk, mp__os_now() + 20 * MP__MILLISECOND), MP_TIMEOUT);
    CU_ASSERT(mp_test_tell(child.talk, 'q'));
    EXPECT_OK(mp__os_channel_poll(child.talk, mp_test_deadline(30)));
    EXPECT_OK(mp__os_channel_read(child.talk, &byte, 1));
    CU_ASSERT_EQUAL(byte, 'a');
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
}

MP_CASE(channels_beyond_the_limit)
{
    mp__os_handle_t ends[2];
    if (!mp_test_limit_handles(1))
        mp_skip("the system sets no limit to a process's handles");
    mp_test_baseline();
    EXPECT_STATUS(mp__os_channel_create(true, ends), MP_LIMIT);
    EXPECT_STATUS(mp__os_channel_create(false, ends), MP_LIMIT);
}

/* ---- handles ---- */

static mp_status_t pass(mp__os_handle_t end, const mp__os_handle_t *handles, size_t n)
{
    return mp__os_channel_pass(end, handles, n, mp__os_pid());
}

/* The test passes its own channel's end, closes its own, and hears through it. */
MP_PROGRAM(talks_through_what_it_takes)
{
    mp__os_handle_t taken;
    char before;
    MP_CHECK(mp__os_channel_read(mp_test_talk(), &before, 1) == MP_OK && before == 'b');
    MP_CHECK(mp__os_channel_take(mp_test_talk(), &taken, 1) == MP_OK);
    MP_CHECK(mp_test_hear(mp_test_talk(), 'c'));
    MP_CHECK(mp_test_tell(taken, 't'));
    mp__os_handle_close(taken);
    return 0;
}

MP_CASE(a_handle_travels_at_its_place_in_the_stream)
{
    mp_test_child_t child;
    mp__os_handle_t ends[2];
    char byte;
    channel(true, ends);
    mp_test_start(&child, "talks_through_what_it_takes", NULL, 0, NULL);
    CU_ASSERT(mp_test_tell(child.talk, 'b'));
    EXPECT_OK(pass(child.talk, &ends[1], 1));
    mp__os_handle_close(ends[1]);
    CU_ASSERT(mp_test_tell(child.talk, 'c'));
    CU_ASSERT(mp_test_hear(ends[0], 't'));
    EXPECT_STATUS(mp__os_channel_read(ends[0], &byte, 1), MP_END);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    mp__os_handle_close(ends[0]);
}

/* The sender is dead before anybody takes what it passed. The keeper is the test, which is the root of this family. */
MP_PROGRAM(passes_and_ends)
{
    mp__os_handle_t ends[2];
    int32_t keeper = (int32_t)strtol(mp_test_word(0), NULL, 10);
    MP_CHECK(mp__os_channel_create(false, ends) == MP_OK);
    MP_CHECK(mp__os_channel_pass(mp_test_talk(), &ends[0], 1, keeper) == MP_OK);
    MP_CHECK(mp__os_channel_write(ends[1], "from the dead", 14) == MP_OK);
    mp__os_end_now(0);
    return 1;
}

static void to_text(char *text, int32_t number)
{
    size_t n = 0;
    char digits[12];
    do {
        digits[n++] = (char)('0' + number % 10);
    } while (number /= 10);
    while (n > 0)
        *text++ = digits[--n];
    *text = '\0';
}

MP_CASE(handles_of_a_sender_that_has_ended)
{
    mp_test_child_t child;
    mp__os_handle_t taken = MP__NO_HANDLE;
    char keeper[12], text[14] = "";
    mp_test_warm_up();
    to_text(keeper, mp__os_pid());
    mp_test_start(&child, "passes_and_ends", NULL, 0, (const char *const[]){keeper, NULL});
    EXPECT_OK(mp__os_process_wait(&child.process, mp_test_deadline(30)));
    CU_ASSERT_EQUAL(child.process.exit.code, 0);
    REQUIRE_OK(mp__os_channel_take(child.talk, &taken, 1));
    EXPECT_OK(mp__os_channel_read(taken, text, 14));
    CU_ASSERT_STRING_EQUAL(text, "from the dead");
    EXPECT_STATUS(mp__os_channel_read(taken, text, 1), MP_END);
    mp__os_handle_close(taken);
    mp_test_join(&child);
}

/* Between two children, the keeper being neither. */
MP_PROGRAM(passes_to_a_sibling)
{
    mp__os_handle_t sibling = mp_test_handle(0);
    int32_t keeper = (int32_t)strtol(mp_test_word(0), NULL, 10);
    mp__os_handle_t mine[2];
    MP_CHECK(mp__os_channel_create(true, mine) == MP_OK);
    MP_CHECK(mp__os_channel_pass(sibling, &mine[1], 1, keeper) == MP_OK);
    mp__os_handle_close(mine[1]);
    return mp_test_hear(mine[0], 's') ? 0 : 1;
}

MP_PROGRAM(takes_from_a_sibling)
{
    mp__os_handle_t taken;
    MP_CHECK(mp__os_channel_take(mp_test_handle(0), &taken, 1) == MP_OK);
    return mp_test_tell(taken, 's') ? 0 : 1;
}

MP_CASE(handles_travel_between_siblings)
{
    mp_test_child_t sender, taker;
    mp__os_handle_t ends[2];
    char keeper[12];
    channel(true, ends);
    to_text(keeper, mp__os_pid());
    mp_test_start(&sender, "passes_to_a_sibling", &ends[0], 1, (const char *const[]){keeper, NULL});
    mp_test_start(&taker, "takes_from_a_sibling", &ends[1], 1, NULL);
    close_both(ends);
    CU_ASSERT_EQUAL(mp_test_join(&sender).code, 0);
    CU_ASSERT_EQUAL(mp_test_join(&taker).code, 0);
}

MP_CASE(as_many_as_allowed)
{
    enum { MOST = 64 };
    mp__os_handle_t ends[2], taken[MOST], same[MOST];
    mp__os_event_t event;
    bool ready[MOST];
    channel(true, ends);
    REQUIRE_OK(mp__os_event_create(&event));
    for (size_t i = 0; i < MOST; i++)
        same[i] = event.wait;
    EXPECT_OK(pass(ends[0], same, MOST));
    REQUIRE_OK(mp__os_channel_take(ends[1], taken, MOST));
    EXPECT_STATUS(mp__os_wait_any(taken, MOST, 0, ready), MP_TIMEOUT);
    mp__os_event_set(&event);
    EXPECT_OK(mp__os_wait_any(taken, MOST, 0, ready));
    for (size_t i = 0; i < MOST; i++) {
        CU_ASSERT(ready[i]);
        mp__os_handle_close(taken[i]);
    }
    mp__os_event_close(&event);
    close_both(ends);
}

/* The bytes around it, and several passages one after the other. */
MP_CASE(passages_and_bytes_keep_their_order)
{
    mp__os_handle_t ends[2], taken[3];
    mp__os_event_t event;
    char byte = 0;
    channel(true, ends);
    REQUIRE_OK(mp__os_event_create(&event));
    const mp__os_handle_t both[] = {event.wait, event.set};
    EXPECT_OK(mp__os_channel_write(ends[0], "1", 1));
    EXPECT_OK(pass(ends[0], both, 2));
    EXPECT_OK(mp__os_channel_write(ends[0], "2", 1));
    EXPECT_OK(pass(ends[0], both, 1));
    EXPECT_OK(mp__os_channel_write(ends[0], "3", 1));
    EXPECT_OK(mp__os_channel_read(ends[1], &byte, 1));
    CU_ASSERT_EQUAL(byte, '1');
    EXPECT_OK(mp__os_channel_poll(ends[1], 0));
    REQUIRE_OK(mp__os_channel_take(ends[1], taken, 2));
    EXPECT_OK(mp__os_channel_read(ends[1], &byte, 1));
    CU_ASSERT_EQUAL(byte, '2');
    REQUIRE_OK(mp__os_channel_take(ends[1], taken + 2, 1));
    EXPECT_OK(mp__os_channel_read(ends[1], &byte, 1));
    CU_ASSERT_EQUAL(byte, '3');
    for (size_t i = 0; i < 3; i++)
        mp__os_handle_close(taken[i]);
    mp__os_event_close(&event);
    close_both(ends);
}

MP_CASE(passing_what_is_no_handle)
{
    mp__os_handle_t ends[2];
    channel(true, ends);
    const mp__os_handle_t wrong[] = {ends[0], NOT_A_HANDLE};
    const mp__os_handle_t none[] = {ends[0], MP__NO_HANDLE};
    EXPECT_STATUS(mp__os_channel_pass(ends[0], wrong, 2, mp__os_pid()), MP_INVALID);
    EXPECT_STATUS(mp__os_channel_pass(ends[0], none, 2, mp__os_pid()), MP_INVALID);
    EXPECT_STATUS(mp__os_channel_poll(ends[1], 0), MP_TIMEOUT); /* nothing went out */
    close_both(ends);
}

MP_CASE(passing_to_nobody)
{
    mp__os_handle_t ends[2];
    channel(true, ends);
    mp__os_handle_t one = ends[0];
    mp__os_handle_close(ends[1]);
    EXPECT_STATUS(mp__os_channel_pass(ends[0], &one, 1, mp__os_pid()), MP_END);
    mp__os_handle_close(ends[0]);
}

MP_CASE(taking_from_nobody)
{
    mp__os_handle_t ends[2], taken;
    channel(true, ends);
    mp__os_handle_close(ends[0]);
    EXPECT_STATUS(mp__os_channel_take(ends[1], &taken, 1), MP_END);
    mp__os_handle_close(ends[1]);
}

MP_CASE(taking_where_bytes_stand)
{
    mp__os_handle_t ends[2], taken;
    static const char bytes[256] = "these are bytes and no handles";
    channel(true, ends);
    EXPECT_OK(mp__os_channel_write(ends[0], bytes, sizeof bytes));
    EXPECT_STATUS(mp__os_channel_take(ends[1], &taken, 1), MP_MALFORMED);
    close_both(ends);
}

/* The leak check sees whether what came was closed. */
MP_CASE(taking_another_number)
{
    mp__os_handle_t ends[2], taken[4];
    for (size_t n = 1; n <= 4; n++) {
        if (n == 3)
            continue;
        channel(true, ends);
        const mp__os_handle_t three[] = {ends[0], ends[1], ends[0]};
        EXPECT_OK(pass(ends[0], three, 3));
        EXPECT_STATUS(mp__os_channel_take(ends[1], taken, n), MP_MALFORMED);
        close_both(ends);
    }
}

/* A passage that is cut off: its bytes are copied, all but the last, into another channel that ends there. */
MP_CASE(taking_half_a_passage)
{
    mp__os_handle_t ends[2], others[2], taken;
    char bytes[600];
    size_t size = 0;
    channel(true, ends);
    EXPECT_OK(pass(ends[0], &ends[0], 1));
    while (size < sizeof bytes && mp__os_channel_poll(ends[1], 0) == MP_OK)
        if (mp__os_channel_read(ends[1], bytes + size++, 1) != MP_OK)
            break;
    CU_ASSERT(size > 0);
    if (size == 1) {
        close_both(ends);
        mp_skip("a passage is one byte here, of which there is no half");
    }
    mp_test_baseline(); /* the copy that nobody can take any more, in the keeper, which is this process */
    REQUIRE_OK(mp__os_channel_create(true, others));
    EXPECT_OK(mp__os_channel_write(others[0], bytes, size - 1));
    mp__os_handle_close(others[0]);
    EXPECT_STATUS(mp__os_channel_take(others[1], &taken, 1), MP_TRUNCATED);
    mp__os_handle_close(others[1]);
    close_both(ends);
}

MP_CASE(taking_without_room)
{
    mp__os_handle_t ends[2], taken[3];
    channel(true, ends);
    const mp__os_handle_t three[] = {ends[0], ends[1], ends[0]};
    if (!mp_test_limit_handles(1)) {
        close_both(ends);
        mp_skip("the system sets no limit to a process's handles");
    }
    mp_test_baseline();
    EXPECT_OK(pass(ends[0], three, 3));
    EXPECT_STATUS(mp__os_channel_take(ends[1], taken, 3), MP_LIMIT);
    close_both(ends);
}

MP_CASES(MP_ROW(duplex_goes_both_ways), MP_ROW(one_way_goes_one_way), MP_ROW(pieces_do_not_matter),
         MP_ROW(large_writes_block_and_arrive_whole), MP_SUB(echoes), MP_ROW(reading_after_the_other_side_closed),
         MP_ROW(the_end_in_the_middle), MP_ROW(writing_to_nobody), MP_ROW(the_other_side_was_killed), MP_SUB(waits),
         MP_ROW(killing_the_reader_frees_the_writer), MP_ROW(poll_tells_what_can_be_read),
         MP_ROW(poll_sleeps_until_something_comes), MP_SUB(answers), MP_ROW(channels_beyond_the_limit),
         MP_ROW(a_handle_travels_at_its_place_in_the_stream), MP_SUB(talks_through_what_it_takes),
         MP_ROW(handles_of_a_sender_that_has_ended), MP_SUB(passes_and_ends), MP_ROW(handles_travel_between_siblings),
         MP_SUB(passes_to_a_sibling), MP_SUB(takes_from_a_sibling), MP_ROW(as_many_as_allowed),
         MP_ROW(passages_and_bytes_keep_their_order), MP_ROW(passing_what_is_no_handle), MP_ROW(passing_to_nobody),
         MP_ROW(taking_from_nobody), MP_ROW(taking_where_bytes_stand), MP_ROW(taking_another_number),
         MP_ROW(taking_half_a_passage), MP_ROW(taking_without_room));
