/* Scenes: see scene.h. */
#include "scene.h"

#include "child.h"
#include "family/alloc.h"

#include <stdio.h>
#include <string.h>

static size_t blocks_in_use(void)
{
    return (size_t)mp__blocks_in_use();
}

double mp_test_patience(void)
{
    return mp_test_seconds(MP_TEST_PATIENCE);
}

#define HAND_OVERS 20 /* from one thread to another, perhaps, in what a case waits for */

/* How long who is woken waits for a processor just now: the longest that a short sleep lasts too long, in seconds. */
static double lateness(void)
{
    double late = 0;
    for (int i = 0; i < 50; i++) {
        int64_t began = mp__os_now();
        mp__os_sleep(began + MP__MILLISECOND);
        double took = (double)(mp__os_now() - began) / 1e9;
        late = took > late ? took : late;
    }
    return late;
}

void mp_test_expect_took(double began, double least, double most, const char *file, int line)
{
    double took = mp_now() - began;
    char text[80];
    if (took >= most)
        most += HAND_OVERS * lateness();
    snprintf(text, sizeof text, "took %.3f s, not %.3f s to %.3f s", took, least, most);
    CU_assertImplementation(took >= least && took < most, (unsigned)line, text, file, "", CU_FALSE);
}

static uint32_t sleepers(void)
{
    uint32_t asleep = 0;
    for (uint32_t i = 0; i < mp__load32(&mp__family.head->thread_mark); i++)
        asleep += mp__low(mp__load64(&mp__family.threads[i].claim)) && mp__load64(&mp__family.threads[i].parked);
    return asleep;
}

void mp_test_await_sleepers(uint32_t n)
{
    while (sleepers() != n)
        mp__os_yield();
}

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

static void use_processes(void)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, nothing, mp_args()));
    mp_test_expect_end(process, 0);
}

void mp_test_objects(void)
{
    mp_conn_t *first, *second;
    mp_queue_t *queue;
    mp_shared_value_t *value;
    REQUIRE_OK(mp_pipe(&first, &second, MP_DUPLEX));
    EXPECT_OK(mp_conn_close(first));
    EXPECT_OK(mp_conn_close(second));
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_OK(mp_queue_close(queue));
    REQUIRE_OK(mp_shared_value_create(&value, MP_CTYPE_INT32));
    EXPECT_OK(mp_shared_value_set_int(value, 1)); /* makes this process's first table of attach records */
    EXPECT_OK(mp_shared_value_close(value));
    mp_test_each_method(use_processes);
    mp_test_arena_blocks = blocks_in_use;
    mp_test_baseline();
}

mp_queue_t *mp_test_queue(uint64_t most)
{
    mp_queue_t *queue;
    REQUIRE_OK(mp_queue_create(&queue, most));
    return queue;
}

uint64_t mp_test_queue_size(mp_queue_t *queue)
{
    uint64_t size = UINT64_MAX;
    EXPECT_OK(mp_queue_size(queue, &size));
    return size;
}

int64_t mp_test_get_int(mp_queue_t *queue)
{
    mp_value_t value = MP_NONE;
    EXPECT_OK(mp_queue_get(queue, &value, mp_test_patience()));
    int64_t n = mp_value_int(value);
    mp_value_free(&value);
    return n;
}

void mp_test_each_method(void (*run)(void))
{
    mp_test_settle = mp_test_end_servers;
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        unsigned failures = CU_get_number_of_failures();
        REQUIRE_OK(mp_set_start_method(*method, true));
        run();
        if (CU_get_number_of_failures() != failures)
            printf("    it failed under %s\n", *method);
    }
}

bool mp_test_is_posix(void)
{
    return mp__os_caps()->fork;
}

void mp_test_expect_end(mp_process_t *process, int expected)
{
    int code = -1000;
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_exitcode(process, &code));
    CU_ASSERT_EQUAL(code, expected);
    if (code != expected)
        printf("    %s ended with %d\n", mp_process_name(process), code);
    EXPECT_OK(mp_process_close(process));
}

void mp_test_expect_killed(mp_process_t *process)
{
    EXPECT_OK(mp_process_kill(process));
    mp_test_expect_end(process, -9);
}

void mp_test_wander(uint64_t *random, uint64_t most)
{
    int64_t until = mp__os_now() + (int64_t)mp_test_below(random, most * 1000);
    while (mp__os_now() < until)
        mp__os_yield();
}

void *mp_test_board_create(size_t size, uint64_t *name)
{
    REQUIRE_OK(mp__family_join());
    REQUIRE_OK(mp__block_alloc(size, mp__owner_process(mp__family.process), name));
    return memset(mp__block_at(*name, NULL), 0, size);
}

void mp_test_board_free(uint64_t name)
{
    mp__block_free(name);
}

void *mp_test_board(mp_call_t *call, size_t argument)
{
    void *board = mp__block_at(mp_arg_uint(call, argument), NULL);
    MP_CHECK(board);
    return board;
}
