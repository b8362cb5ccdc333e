/* Waiting for any of many things, and events. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include <string.h>

#define NOT_A_HANDLE ((mp__os_handle_t)3996)
#define MANY         300u /* several times Windows' 64 */

MP_CASE(an_event_is_set_and_cleared)
{
    mp__os_event_t event;
    bool ready = true;
    REQUIRE_OK(mp__os_event_create(&event));
    EXPECT_STATUS(mp__os_wait_any(&event.wait, 1, 0, &ready), MP_TIMEOUT);
    CU_ASSERT_FALSE(ready);
    for (int round = 0; round < 3; round++) {
        mp__os_event_set(&event);
        mp__os_event_set(&event);
        EXPECT_STATUS(mp__os_wait_any(&event.wait, 1, 0, &ready), MP_OK);
        CU_ASSERT(ready);
        /* It stays set until it is cleared. */
        EXPECT_OK(mp__os_wait_any(&event.wait, 1, MP__NEVER, &ready));
        mp__os_event_clear(&event);
        EXPECT_STATUS(mp__os_wait_any(&event.wait, 1, 0, &ready), MP_TIMEOUT);
        CU_ASSERT_FALSE(ready);
    }
    mp__os_event_clear(&event);
    mp__os_event_close(&event);
}

/* Often enough to fill whatever it is made of. */
MP_CASE(setting_never_blocks)
{
    mp__os_event_t event;
    bool ready;
    REQUIRE_OK(mp__os_event_create(&event));
    for (int i = 0; i < 100000; i++)
        mp__os_event_set(&event);
    EXPECT_OK(mp__os_wait_any(&event.wait, 1, 0, &ready));
    mp__os_event_clear(&event);
    EXPECT_STATUS(mp__os_wait_any(&event.wait, 1, 0, &ready), MP_TIMEOUT);
    mp__os_event_close(&event);
}

MP_CASE(events_beyond_the_limit)
{
    mp__os_event_t event;
    if (!mp_test_limit_handles(0))
        mp_skip("the system sets no limit to a process's handles");
    mp_test_baseline();
    EXPECT_STATUS(mp__os_event_create(&event), MP_LIMIT);
}

MP_CASE(waiting_lasts_until_the_deadline)
{
    mp__os_event_t event;
    bool ready;
    REQUIRE_OK(mp__os_event_create(&event));
    for (int64_t wait = 0; wait < 30 * MP__MILLISECOND; wait += 7 * MP__MILLISECOND) {
        mp__deadline_t deadline = mp__os_now() + wait;
        EXPECT_STATUS(mp__os_wait_any(&event.wait, 1, deadline, &ready), MP_TIMEOUT);
        CU_ASSERT(mp__os_now() >= deadline);
    }
    mp__os_event_close(&event);
}

MP_CASE(waiting_for_nothing_lasts_until_the_deadline)
{
    bool ready;
    mp__deadline_t deadline = mp__os_now() + 20 * MP__MILLISECOND;
    EXPECT_STATUS(mp__os_wait_any(NULL, 0, 0, &ready), MP_TIMEOUT);
    EXPECT_STATUS(mp__os_wait_any(NULL, 0, deadline, &ready), MP_TIMEOUT);
    CU_ASSERT(mp__os_now() >= deadline);
}

MP_CASE(no_handle_cannot_be_waited_for)
{
    mp__os_event_t event;
    bool ready[2];
    REQUIRE_OK(mp__os_event_create(&event));
    const mp__os_handle_t wrong[] = {event.wait, NOT_A_HANDLE};
    const mp__os_handle_t none[] = {MP__NO_HANDLE, event.wait};
    EXPECT_STATUS(mp__os_wait_any(wrong, 2, 0, ready), MP_INVALID);
    EXPECT_STATUS(mp__os_wait_any(none, 2, 0, ready), MP_INVALID);
    EXPECT_STATUS(mp__os_wait_any(wrong, 2, MP__NEVER, ready), MP_INVALID);
    mp__os_event_close(&event);
}

/* ---- many ---- */

static mp__os_event_t events[MANY];
static mp__os_handle_t handles[MANY];
static bool ready[MANY];

static void create_many(void)
{
    for (size_t i = 0; i < MANY; i++) {
        REQUIRE_OK(mp__os_event_create(&events[i]));
        handles[i] = events[i].wait;
    }
}

static void close_many(void)
{
    for (size_t i = 0; i < MANY; i++)
        mp__os_event_close(&events[i]);
}

static size_t count_ready(void)
{
    size_t count = 0;
    for (size_t i = 0; i < MANY; i++)
        count += ready[i];
    return count;
}

MP_CASE(each_of_many_is_found)
{
    const size_t places[] = {0, 1, 62, 63, 64, 65, 127, 128, MANY - 1};
    create_many();
    EXPECT_STATUS(mp__os_wait_any(handles, MANY, 0, ready), MP_TIMEOUT);
    CU_ASSERT_EQUAL(count_ready(), 0);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        mp__os_event_set(&events[places[i]]);
        memset(ready, 1, sizeof ready);
        EXPECT_OK(mp__os_wait_any(handles, MANY, MP__NEVER, ready));
        CU_ASSERT_EQUAL(count_ready(), 1);
        CU_ASSERT(ready[places[i]]);
        mp__os_event_clear(&events[places[i]]);
    }
    close_many();
}

MP_CASE(all_that_are_ready_are_told)
{
    create_many();
    for (size_t i = 0; i < MANY; i += 3)
        mp__os_event_set(&events[i]);
    EXPECT_OK(mp__os_wait_any(handles, MANY, MP__NEVER, ready));
    for (size_t i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL(ready[i], i % 3 == 0);
    close_many();
}

typedef struct setter {
    const mp__os_event_t *event;
    const mp__os_event_t *go;
} setter_t;

static void set_later(void *context)
{
    const setter_t *setter = context;
    bool went;
    MP_CHECK(mp__os_wait_any(&setter->go->wait, 1, mp_test_deadline(30), &went) == MP_OK);
    mp__os_event_set(setter->event);
}

/* The wait really sleeps, and for each of them. */
static void sleep_among(size_t n, size_t place)
{
    mp__os_event_t go;
    mp_test_thread_t thread;
    REQUIRE_OK(mp__os_event_create(&go));
    setter_t setter = {&events[place], &go};
    mp_test_thread_start(&thread, set_later, &setter);
    EXPECT_STATUS(mp__os_wait_any(handles, n, mp__os_now() + 20 * MP__MILLISECOND, ready), MP_TIMEOUT);
    mp__os_event_set(&go);
    EXPECT_OK(mp__os_wait_any(handles, n, mp_test_deadline(30), ready));
    CU_ASSERT(ready[place]);
    mp__os_event_clear(&events[place]);
    mp_test_thread_join(&thread);
    mp__os_event_close(&go);
}

MP_CASE(sleeping_among_few_and_many)
{
    create_many();
    sleep_among(MANY, MANY - 1);
    close_many();
    mp_test_baseline(); /* the threads that the system waits with stay */
    create_many();
    sleep_among(1, 0);
    sleep_among(64, 63);
    sleep_among(65, 64);
    sleep_among(MANY, 0);
    sleep_among(MANY, MANY - 1);
    close_many();
}

MP_CASE(many_without_memory)
{
    create_many();
    if (!mp_test_exhaust_memory()) {
        close_many();
        mp_skip("no limit on this process's memory here");
    }
    mp__os_watch_t *watch;
    EXPECT_STATUS(mp__os_wait_any(handles, MANY, 0, ready), MP_NO_MEMORY);
    EXPECT_STATUS(mp__os_watch_begin(handles, NULL, MANY, &watch), MP_NO_MEMORY);
    mp_test_give_memory_back();
    EXPECT_STATUS(mp__os_wait_any(handles, MANY, 0, ready), MP_TIMEOUT);
    close_many();
}

/* ---- again and again ---- */

#define CHANNELS 100u

typedef struct reader {
    mp__os_handle_t end;
    const mp__os_event_t *go;
} reader_t;

/* Takes the byte that the watch below has seen already. */
static void take_when_told(void *context)
{
    const reader_t *reader = context;
    bool went;
    char byte;
    MP_CHECK(mp__os_wait_any(&reader->go->wait, 1, mp_test_deadline(30), &went) == MP_OK);
    MP_CHECK(mp__os_channel_read(reader->end, &byte, 1) == MP_OK);
    mp__os_event_clear(reader->go);
}

/* Ends of channels and an event, by one watch: what is there stays ready until it is taken, by whomever. */
static void watch_channels(size_t n, size_t place)
{
    static mp__os_handle_t ends[CHANNELS][2], all[CHANNELS + 1];
    static bool channel[CHANNELS + 1], found[CHANNELS + 1];
    mp__os_watch_t *watch;
    mp__os_event_t event;
    mp_test_thread_t thread;
    REQUIRE_OK(mp__os_event_create(&event));
    all[0] = event.wait;
    for (size_t i = 1; i <= n; i++) {
        REQUIRE_OK(mp__os_channel_create(true, ends[i - 1]));
        all[i] = ends[i - 1][0];
        channel[i] = true;
    }
    REQUIRE_OK(mp__os_watch_begin(all, channel, n + 1, &watch));
    for (int round = 0; round < 2; round++) {
        EXPECT_STATUS(mp__os_watch_wait(watch, 0, found), MP_TIMEOUT);
        EXPECT_STATUS(mp__os_watch_wait(watch, mp__os_now() + 20 * MP__MILLISECOND, found), MP_TIMEOUT);
        EXPECT_OK(mp__os_channel_write(ends[place][1], "x", 1));
        for (int again = 0; again < 2; again++) {
            EXPECT_OK(mp__os_watch_wait(watch, mp_test_deadline(30), found));
            for (size_t i = 0; i <= n; i++)
                CU_ASSERT_EQUAL(found[i], i == place + 1);
        }
        reader_t reader = {ends[place][0], &event};
        mp__os_event_set(&event);
        mp_test_thread_start(&thread, take_when_told, &reader);
        mp_test_thread_join(&thread);
        EXPECT_STATUS(mp__os_watch_wait(watch, mp__os_now() + 20 * MP__MILLISECOND, found), MP_TIMEOUT);
    }
    mp__os_event_set(&event);
    EXPECT_OK(mp__os_watch_wait(watch, MP__NEVER, found));
    CU_ASSERT(found[0] && !found[place + 1]);
    mp__os_handle_close(ends[place][1]);
    EXPECT_OK(mp__os_watch_wait(watch, MP__NEVER, found)); /* the end */
    CU_ASSERT(found[0] && found[place + 1]);
    mp__os_watch_end(watch);
    ends[place][1] = MP__NO_HANDLE;
    for (size_t i = 0; i < n; i++) {
        mp__os_handle_close(ends[i][0]);
        mp__os_handle_close(ends[i][1]);
    }
    mp__os_event_close(&event);
}

MP_CASE(channels_are_watched)
{
    watch_channels(CHANNELS, CHANNELS - 1);
    mp_test_baseline(); /* the threads that the system waits with stay */
    watch_channels(1, 0);
    watch_channels(62, 61);
    watch_channels(63, 62);
    watch_channels(CHANNELS, 0);
    watch_channels(CHANNELS, CHANNELS - 1);
    mp__os_watch_end(NULL);
}

MP_CASE(what_cannot_be_watched)
{
    mp__os_event_t event;
    mp__os_watch_t *watch;
    REQUIRE_OK(mp__os_event_create(&event));
    const mp__os_handle_t both[] = {event.wait, MP__NO_HANDLE};
    EXPECT_STATUS(mp__os_watch_begin(both, NULL, 2, &watch), MP_INVALID);
    CU_ASSERT_PTR_NULL(watch);
    mp__os_event_close(&event);
}

/* ---- of different kinds ---- */

MP_PROGRAM(ends_when_told)
{
    mp_test_tell(mp_test_talk(), 'r');
    return mp_test_hear(mp_test_talk(), 'e') ? 0 : 1;
}

MP_CASE(a_process_and_an_event)
{
    mp_test_child_t child;
    mp__os_event_t event;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_event_create(&event));
    mp_test_start(&child, "ends_when_told", NULL, 0, NULL);
    CU_ASSERT(mp_test_hear(child.talk, 'r'));
    const mp__os_handle_t both[] = {child.process.sentinel, event.wait};
    EXPECT_STATUS(mp__os_wait_any(both, 2, 0, ready), MP_TIMEOUT);
    mp__os_event_set(&event);
    EXPECT_OK(mp__os_wait_any(both, 2, MP__NEVER, ready));
    CU_ASSERT(!ready[0] && ready[1]);
    mp__os_event_clear(&event);
    CU_ASSERT(mp_test_tell(child.talk, 'e'));
    EXPECT_OK(mp__os_wait_any(both, 2, mp_test_deadline(30), ready));
    CU_ASSERT(ready[0] && !ready[1]);
    mp_test_join(&child);
    mp__os_event_close(&event);
}

MP_CASES(MP_ROW(an_event_is_set_and_cleared), MP_ROW(setting_never_blocks), MP_ROW(events_beyond_the_limit),
         MP_ROW(waiting_lasts_until_the_deadline), MP_ROW(waiting_for_nothing_lasts_until_the_deadline),
         MP_ROW(no_handle_cannot_be_waited_for), MP_ROW(many_without_memory), MP_ROW(each_of_many_is_found),
         MP_ROW(all_that_are_ready_are_told), MP_ROW(sleeping_among_few_and_many), MP_ROW(a_process_and_an_event),
         MP_ROW(channels_are_watched), MP_ROW(what_cannot_be_watched), MP_SUB(ends_when_told));
