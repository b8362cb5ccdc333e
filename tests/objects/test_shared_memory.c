/* Shared memory: what processes see of it, and how long it stays. E4; E2 and E3 are in test_named_memory.c. */
#include "scene.h"
#include "system.h"

#include "family/alloc.h"

#include <string.h>

static mp_shared_memory_t *make(size_t size)
{
    mp_shared_memory_t *memory;
    REQUIRE_OK(mp_shared_memory_create(&memory, size));
    return memory;
}

static uint8_t *data_of(mp_shared_memory_t *memory)
{
    void *data = NULL;
    REQUIRE_OK(mp_shared_memory_data(memory, &data, NULL));
    return data;
}

static bool all_are(const uint8_t *data, size_t size, uint8_t byte)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] != byte)
            return false;
    return true;
}

/* ---- one process ---- */

MP_CASE(it_has_its_size_and_is_zero)
{
    static const size_t sizes[] = {1, 7, 64, 65, 4096, 32768, 32769, 1000000};
    mp_test_objects();
    for (int again = 0; again < 2; again++) /* the second time the memory was used before */
        for (size_t i = 0; i < MP__COUNT_OF(sizes); i++) {
            size_t size = 0, told = 0;
            void *data;
            mp_shared_memory_t *memory = make(sizes[i]);
            EXPECT_OK(mp_shared_memory_size(memory, &size));
            CU_ASSERT_EQUAL(size, sizes[i]);
            EXPECT_OK(mp_shared_memory_data(memory, &data, &told));
            CU_ASSERT_EQUAL(told, sizes[i]);
            CU_ASSERT_EQUAL((uintptr_t)data % 64, 0);
            CU_ASSERT(all_are(data, size, 0));
            memset(data, 0xa5, size);
            CU_ASSERT_PTR_EQUAL(data_of(memory), data);
            EXPECT_OK(mp_shared_memory_close(memory));
        }
}

MP_CASE(wrong_arguments)
{
    mp_shared_memory_t *memory = NULL;
    mp_queue_t *queue;
    void *data = NULL;
    size_t size;
    mp_test_objects();
    EXPECT_STATUS(mp_shared_memory_create(NULL, 1), MP_INVALID);
    EXPECT_STATUS(mp_shared_memory_create(&memory, 0), MP_INVALID);
    CU_ASSERT_PTR_NULL(memory);
    memory = make(10);
    EXPECT_STATUS(mp_shared_memory_data(memory, NULL, &size), MP_INVALID);
    EXPECT_STATUS(mp_shared_memory_size(memory, NULL), MP_INVALID);
    EXPECT_STATUS(mp_shared_memory_data(NULL, &data, NULL), MP_INVALID);
    CU_ASSERT_PTR_NULL(data);
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_STATUS(mp_shared_memory_data((mp_shared_memory_t *)(void *)queue, &data, NULL), MP_INVALID);
    EXPECT_OK(mp_queue_close(queue));
    EXPECT_OK(mp_shared_memory_close(memory));
    EXPECT_OK(mp_shared_memory_close(NULL));
}

MP_CASE(beyond_the_cap_the_option_is_named)
{
    mp_shared_memory_t *memory = NULL;
    static const size_t sizes[] = {(size_t)1 << 29, SIZE_MAX / 2, SIZE_MAX};
    REQUIRE_OK(mp_configure((uint64_t)1 << 30, (uint64_t)64 << 20));
    mp_test_objects();
    for (size_t i = 0; i < MP__COUNT_OF(sizes); i++) {
        EXPECT_STATUS(mp_shared_memory_create(&memory, sizes[i]), MP_NO_MEMORY);
        CU_ASSERT(strstr(mp_error()->text, "memory_cap") != NULL);
        CU_ASSERT_PTR_NULL(memory);
    }
    memory = make((size_t)40 << 20);
    mp_shared_memory_t *second = NULL;
    EXPECT_STATUS(mp_shared_memory_create(&second, (size_t)40 << 20), MP_NO_MEMORY);
    EXPECT_OK(mp_shared_memory_close(memory));
    second = make((size_t)40 << 20);
    EXPECT_OK(mp_shared_memory_close(second));
}

/* ---- E4: 5000 random alloc/free: what must hold holds, all memory comes back */

enum { MOST = 200, ROUNDS = 5000 };

static mp_shared_memory_t *memories[MOST];
static size_t sizes[MOST];

static void make_one(uint64_t i, size_t size)
{
    sizes[i] = size;
    memories[i] = make(size);
    uint8_t *data = data_of(memories[i]);
    CU_ASSERT(all_are(data, size, 0));
    memset(data, (int)(i + 1), size);
}

static void close_one(uint64_t i)
{
    size_t size = 0;
    EXPECT_OK(mp_shared_memory_size(memories[i], &size));
    CU_ASSERT_EQUAL(size, sizes[i]);
    CU_ASSERT(all_are(data_of(memories[i]), size, (uint8_t)(i + 1))); /* no other lies there */
    EXPECT_OK(mp_shared_memory_close(memories[i]));
    memories[i] = NULL;
}

static uint64_t close_all(void)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < MOST; i++)
        if (memories[i]) {
            close_one(i);
            n++;
        }
    return n;
}

MP_CASE(E4)
{
    uint64_t random = 4, committed = 0;
    mp_test_objects();
    for (uint64_t i = 0; i < MOST; i++) /* makes the tables of attach records, which this process keeps */
        make_one(i, 1);
    (void)close_all();
    mp_test_baseline();
    uint64_t before = mp__blocks_in_use();
    for (int pass = 0; pass < 4; pass++) {
        for (int round = 0; round < ROUNDS; round++) {
            uint64_t i = mp_test_below(&random, MOST);
            if (memories[i])
                close_one(i);
            else
                make_one(i, 1 + (size_t)mp_test_below(&random, mp_test_below(&random, 8) ? 3000 : 100000));
        }
        uint64_t used = mp__blocks_in_use();
        uint64_t n = close_all();
        CU_ASSERT(n > 0);
        CU_ASSERT_EQUAL(used, before + 2 * n); /* the object and its bytes */
        CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
        if (pass == 0)
            committed = mp__bytes_committed();
    }
    CU_ASSERT(mp__bytes_committed() <= committed + committed / 4); /* it is used again, not more and more */
}

MP_CASE(many_attached_at_once)
{
    enum { MANY = 1000 };
    static mp_shared_memory_t *many[MANY];
    mp_test_objects();
    for (int i = 0; i < MANY; i++) {
        many[i] = make(64);
        data_of(many[i])[0] = (uint8_t)i;
    }
    uint64_t before = mp__blocks_in_use();
    for (int i = 0; i < MANY; i += 2)
        EXPECT_OK(mp_shared_memory_close(many[i]));
    for (int i = 0; i < MANY; i += 2) {
        many[i] = make(64);
        CU_ASSERT_EQUAL(data_of(many[i])[0], 0);
    }
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before); /* records are used again */
    for (int i = 1; i < MANY; i += 2)
        CU_ASSERT_EQUAL(data_of(many[i])[0], (uint8_t)i);
    for (int i = 0; i < MANY; i++)
        EXPECT_OK(mp_shared_memory_close(many[i]));
    mp_test_baseline();
}

/* ---- others ---- */

static mp_status_t write_into(mp_call_t *call)
{
    void *data = NULL;
    size_t size;
    MP_CHECK(mp_shared_memory_data(mp_arg_shared_memory(call, 0), &data, &size) == MP_OK);
    MP_CHECK(size == 100000 && all_are(data, size, 1));
    memset(data, 2, size);
    return MP_OK;
}

static void share(void)
{
    mp_process_t *process;
    mp_shared_memory_t *memory = make(100000);
    memset(data_of(memory), 1, 100000);
    REQUIRE_OK(mp_process_start(&process, write_into, mp_args(memory)));
    mp_test_expect_end(process, 0);
    CU_ASSERT(all_are(data_of(memory), 100000, 2));
    EXPECT_OK(mp_shared_memory_close(memory));
}

MP_CASE(what_one_writes_another_reads)
{
    mp_test_objects();
    mp_test_each_method(share);
}

/* Attaches, says so, and looks at the memory when it is told to. */
static mp_status_t look_later(mp_call_t *call)
{
    mp_shared_memory_t *memory = mp_arg_shared_memory(call, 0);
    mp_conn_t *conn = mp_arg_conn(call, 1);
    void *data = NULL, *again;
    size_t size;
    mp_value_t word;
    MP_CHECK(mp_shared_memory_data(memory, &data, &size) == MP_OK);
    MP_CHECK(mp_conn_send(conn, 1) == MP_OK && mp_conn_recv(conn, &word) == MP_OK);
    MP_CHECK(mp_shared_memory_data(memory, &again, NULL) == MP_GONE);
    MP_CHECK(mp_shared_memory_size(memory, &size) == MP_GONE);
    MP_CHECK(all_are(data, size, 7));                    /* what it had is as it was */
    MP_CHECK(mp_shared_memory_close(memory) == MP_GONE); /* and it is let go of */
    MP_CHECK(mp_conn_send(conn, 2) == MP_OK);
    return mp_conn_recv(conn, &word) == MP_OK ? MP_OK : MP_FAILED;
}

typedef struct looker {
    mp_process_t *process;
    mp_conn_t *conn;
} looker_t;

static void start_looker(looker_t *looker, mp_shared_memory_t *memory)
{
    mp_conn_t *theirs;
    mp_value_t one;
    REQUIRE_OK(mp_pipe(&looker->conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&looker->process, look_later, mp_args(memory, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(looker->conn, &one));
}

/* The owner closes it while another is attached: that one's bytes stay until it lets go. */
static void outlive(void)
{
    looker_t looker;
    mp_value_t two;
    mp_shared_memory_t *memory = make(5000);
    memset(data_of(memory), 7, 5000);
    uint64_t before = mp__blocks_in_use();
    start_looker(&looker, memory);
    EXPECT_OK(mp_shared_memory_close(memory));
    mp_shared_memory_t *others[20];
    for (int i = 0; i < 20; i++) {
        others[i] = make(5000);
        memset(data_of(others[i]), 9, 5000);
    }
    EXPECT_OK(mp_conn_send(looker.conn, 1));
    REQUIRE_OK(mp_conn_recv(looker.conn, &two));
    for (int i = 0; i < 20; i++)
        EXPECT_OK(mp_shared_memory_close(others[i]));
    CU_ASSERT(mp__blocks_in_use() < before + 1); /* the looker's table is one more, the memory and its header less */
    EXPECT_OK(mp_conn_send(looker.conn, 1));
    mp_test_expect_end(looker.process, 0);
    EXPECT_OK(mp_conn_close(looker.conn));
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before - 2);
}

MP_CASE(attached_memory_outlives_the_end)
{
    mp_test_objects();
    mp_test_each_method(outlive);
}

/* The owner has closed it when the one that is attached is killed: then it goes. */
static void kill_attached(void)
{
    looker_t looker;
    mp_shared_memory_t *memory = make(5000);
    uint64_t before = mp__blocks_in_use();
    start_looker(&looker, memory);
    EXPECT_OK(mp_shared_memory_close(memory));
    mp_test_expect_killed(looker.process);
    EXPECT_OK(mp_conn_close(looker.conn));
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before - 2);
}

MP_CASE(ended_memory_goes_with_the_last_that_is_attached)
{
    mp_test_objects();
    mp_test_each_method(kill_attached);
}

/* ---- killed at any moment ---- */

/* Attaches and lets go of it again and again, and looks whether the bytes are another's. */
static mp_status_t come_and_go(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    for (;;) {
        mp_value_t message;
        void *data;
        size_t size;
        mp_status_t status = mp_queue_get(queue, &message, MP_FOREVER);
        MP_CHECK(status == MP_OK || status == MP_GONE);
        if (status == MP_GONE)
            continue; /* a memory that ended on its way here */
        mp_shared_memory_t *memory = mp_value_shared_memory(message);
        status = mp_shared_memory_data(memory, &data, &size);
        MP_CHECK(status == MP_OK || status == MP_GONE);
        if (status == MP_OK) {
            uint8_t first = ((uint8_t *)data)[0];
            for (int i = 0; i < 50; i++)
                MP_CHECK(all_are(data, size, first));
        }
        mp_value_free(&message);
    }
    return MP_OK;
}

static void kill_visitors(void)
{
    mp_process_t *processes[3];
    mp_queue_t *queue;
    uint64_t random = 33;
    REQUIRE_OK(mp_queue_create(&queue, 20));
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_process_start(&processes[i], come_and_go, mp_args(queue)));
    unsigned kills = 0;
    for (double until = mp_now() + mp_test_seconds(2); kills < 10 || (kills < 60 && mp_now() < until); kills++) {
        for (int i = 0; i < 30; i++) {
            mp_shared_memory_t *memory = make(2000);
            memset(data_of(memory), 1 + (int)mp_test_below(&random, 200), 2000);
            mp_status_t status = mp_queue_put(queue, memory, 0);
            CU_ASSERT(status == MP_OK || status == MP_TIMEOUT);
            if (mp_test_below(&random, 2))
                mp_test_wander(&random, 100);
            EXPECT_OK(mp_shared_memory_close(memory));
        }
        mp_process_t **victim = &processes[mp_test_below(&random, 3)];
        mp_test_expect_killed(*victim);
        REQUIRE_OK(mp_process_start(victim, come_and_go, mp_args(queue)));
    }
    for (int i = 0; i < 3; i++)
        mp_test_expect_killed(processes[i]);
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(visitors_are_killed)
{
    mp_test_objects();
    mp_test_each_method(kill_visitors);
}

MP_GUARDED_CASES(MP_ROW(it_has_its_size_and_is_zero), MP_ROW(wrong_arguments),
                 MP_ROW(beyond_the_cap_the_option_is_named), MP_ROW(E4), MP_ROW(many_attached_at_once),
                 MP_ROW(what_one_writes_another_reads), MP_ROW(attached_memory_outlives_the_end),
                 MP_ROW(ended_memory_goes_with_the_last_that_is_attached), MP_ROW(visitors_are_killed));
