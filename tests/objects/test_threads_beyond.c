/* A thread for which the family has no place left gets an error from what needs one, and what needs none works. */
#include "scene.h"
#include "system.h"

#include "family/family.h"
#include "objects/process.h"

#include <string.h>

static mp_process_t *runs, *ended;

static bool is_mine[MP__MAX_THREADS];

/* All places that no other living process has are this process's living threads'. */
static void take_all_places(void)
{
    mp__thread_slot_t *threads = mp__family.threads;
    MP_CHECK(mp__region_commit(MP__REGION_THREADS, MP__MAX_THREADS * sizeof *threads) == MP_OK);
    mp__store32(&mp__family.head->thread_mark, MP__MAX_THREADS);
    for (uint32_t i = 0; i < MP__MAX_THREADS; i++) {
        uint64_t claim = mp__load64(&threads[i].claim);
        is_mine[i] = mp__thread_dead(mp__pair(mp__high(claim), i + 1));
        if (is_mine[i])
            mp__store64(&threads[i].claim, mp__pair(mp__high(claim) + 1, mp__family.process + 1));
    }
}

static void give_places_back(void)
{
    for (uint32_t i = 0; i < MP__MAX_THREADS; i++)
        if (is_mine[i])
            mp__store64(&mp__family.threads[i].claim, mp__pair(mp__high(mp__family.threads[i].claim), 0));
}

static void use_processes(void *unused)
{
    int code = 0;
    (void)unused;
    MP_CHECK(mp_process_is_alive(runs));
    MP_CHECK(mp_process_start_wait(runs, 0.01) == MP_LIMIT);
    MP_CHECK(mp_process_join(runs, 0.01) == MP_TIMEOUT);
    MP_CHECK(!mp_process_is_alive(ended));
    MP_CHECK(mp_process_join(ended, mp_test_patience()) == MP_LIMIT);
    MP_CHECK(mp_process_exitcode(ended, &code) == MP_LIMIT);
    MP_CHECK(mp_process_close(ended) == MP_LIMIT);
    MP_CHECK(mp_log_set(MP_LOG_OFF, NULL) == MP_LIMIT);
}

static mp_status_t stay(mp_call_t *call)
{
    (void)call;
    mp_sleep(1000);
    return MP_OK;
}

static void be_silent(const mp_log_line_t *line)
{
    (void)line;
}

MP_CASE(a_thread_without_a_place)
{
    mp_test_thread_t thread;
    bool ready;
    mp_test_objects();
    REQUIRE_OK(mp_log_set(MP_LOG_CRITICAL, be_silent));
    mp_test_baseline(); /* what a sink's thread makes is kept for its place's next one */
    REQUIRE_OK(mp_process_start(&runs, stay, mp_args()));
    REQUIRE_OK(mp_process_start(&ended, stay, mp_args()));
    REQUIRE_OK(mp_process_kill(ended));
    mp__os_handle_t sentinel = mp__process_sentinel(ended);
    REQUIRE_OK(mp__os_wait_any(&sentinel, 1, MP__NEVER, &ready));
    take_all_places();
    mp_test_thread_start(&thread, use_processes, NULL);
    mp_test_thread_join(&thread);
    give_places_back();
    mp_test_expect_killed(runs);
    EXPECT_OK(mp_process_join(ended, mp_test_patience()));
    EXPECT_OK(mp_process_close(ended));
    EXPECT_OK(mp_log_set(MP_LOG_OFF, NULL));
}

MP_GUARDED_CASES(MP_ROW(a_thread_without_a_place));
