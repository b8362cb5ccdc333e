/* Named memory: names, owners, deaths. E2; and E3, for memory without a name, too. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include "family/alloc.h"

#include <multiproc/named.h>

#include <stdio.h>
#include <string.h>

/* Programs that run beside this one have other names. */
static const char *name_of(const char *base)
{
    static char text[40];
    snprintf(text, sizeof text, "t%d_%s", mp_getpid(), base);
    return text;
}

static mp_named_memory_t *make(const char *name, size_t size)
{
    mp_named_memory_t *memory;
    REQUIRE_OK(mp_named_memory_create(&memory, name, size));
    return memory;
}

/* Uses a name once: some systems keep something for those who do. */
static void begin(void)
{
    mp_test_objects();
    EXPECT_OK(mp_named_memory_close(make(name_of("first"), 10)));
    mp_test_baseline();
}

static uint8_t *data_of(mp_named_memory_t *memory)
{
    void *data = NULL;
    REQUIRE_OK(mp_named_memory_data(memory, &data, NULL));
    return data;
}

/* ---- E2: create, attach, exists, missing, invalid size, unlinked twice */

static void make_and_open(void)
{
    mp_named_memory_t *memory, *second, *none = NULL;
    const char *name = name_of("a");
    void *data = NULL;
    size_t size;
    EXPECT_STATUS(mp_named_memory_open(&none, name), MP_NOT_FOUND);
    memory = make(name, 1000);
    EXPECT_STATUS(mp_named_memory_create(&none, name, 1000), MP_EXISTS);
    CU_ASSERT_PTR_NULL(none);
    EXPECT_OK(mp_named_memory_data(memory, &data, &size));
    CU_ASSERT(size == 1000 && (uintptr_t)data % 64 == 0);
    for (size_t i = 0; i < size; i++)
        CU_ASSERT_EQUAL(((uint8_t *)data)[i], 0);
    memset(data, 1, size);
    REQUIRE_OK(mp_named_memory_open(&second, name));
    EXPECT_OK(mp_named_memory_data(second, &data, &size));
    CU_ASSERT(size == 1000 && data_of(second)[999] == 1);
    data_of(second)[0] = 7;
    CU_ASSERT_EQUAL(data_of(memory)[0], 7);
    EXPECT_OK(mp_named_memory_close(second));
    EXPECT_STATUS(mp_named_memory_create(&none, name, 1000), MP_EXISTS); /* still locked */
    EXPECT_OK(mp_named_memory_close(memory));
    EXPECT_STATUS(mp_named_memory_open(&none, name), MP_NOT_FOUND);
    memory = make(name, 2000); /* zero again */
    CU_ASSERT(data_of(memory)[0] == 0 && data_of(memory)[999] == 0);
    EXPECT_OK(mp_named_memory_close(memory));
}

static void unlink_twice(void)
{
    mp_named_memory_t *memory, *second, *none;
    const char *name = name_of("b");
    memory = make(name, 10);
    REQUIRE_OK(mp_named_memory_open(&second, name));
    EXPECT_STATUS(mp_named_memory_unlink(second), MP_NOT_OWNER);
    EXPECT_OK(mp_named_memory_unlink(memory));
    EXPECT_STATUS(mp_named_memory_unlink(memory), MP_NOT_FOUND);
    EXPECT_STATUS(mp_named_memory_open(&none, name), MP_NOT_FOUND);
    data_of(memory)[1] = 4;
    CU_ASSERT_EQUAL(data_of(second)[1], 4);
    EXPECT_OK(mp_named_memory_close(memory));
    void *data = NULL;
    EXPECT_STATUS(mp_named_memory_data(second, &data, NULL), MP_GONE);
    EXPECT_OK(mp_named_memory_close(second));
}

MP_CASE(E2)
{
    static const size_t invalid[] = {0, SIZE_MAX / 4, SIZE_MAX};
    mp_named_memory_t *memory = NULL;
    begin();
    make_and_open();
    unlink_twice();
    for (size_t i = 0; i < MP__COUNT_OF(invalid); i++) {
        EXPECT_STATUS(mp_named_memory_create(&memory, name_of("c"), invalid[i]), i ? MP_NO_MEMORY : MP_INVALID);
        CU_ASSERT_PTR_NULL(memory);
        EXPECT_STATUS(mp_named_memory_open(&memory, name_of("c")), MP_NOT_FOUND); /* nothing is left of it */
    }
}

MP_CASE(wrong_arguments)
{
    static const char *const bad[] = {
        "", ".a", "a/b", "a b", "\xc3\xa4", "a\\b", "1234567890123456789012345678901", "../a", "a:b", NULL};
    mp_named_memory_t *memory = NULL;
    void *data = NULL;
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_STATUS(mp_named_memory_create(&memory, bad[i], 10), MP_INVALID);
        EXPECT_STATUS(mp_named_memory_open(&memory, bad[i]), MP_INVALID);
    }
    EXPECT_STATUS(mp_named_memory_create(NULL, name_of("c"), 10), MP_INVALID);
    CU_ASSERT_PTR_NULL(memory);
    memory = make(name_of("c"), 10);
    EXPECT_STATUS(mp_named_memory_data(memory, NULL, NULL), MP_INVALID);
    EXPECT_STATUS(mp_named_memory_data(NULL, &data, NULL), MP_INVALID);
    EXPECT_STATUS(mp_named_memory_unlink(NULL), MP_INVALID);
    EXPECT_OK(mp_named_memory_close(memory));
    EXPECT_OK(mp_named_memory_close(NULL));
}

/* ---- E3: who is attached ends, or is killed: it stays; the owner is killed: it is gone within seconds */

static mp_status_t open_and_write(mp_call_t *call)
{
    mp_named_memory_t *memory;
    mp_value_t word;
    MP_CHECK(mp_named_memory_open(&memory, mp_arg_str(call, 0)) == MP_OK);
    void *data = NULL;
    MP_CHECK(mp_named_memory_data(memory, &data, NULL) == MP_OK);
    ((uint8_t *)data)[3]++;
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 1), &word);
    MP_CHECK(mp_named_memory_close(memory) == MP_OK);
    return MP_OK;
}

static mp_status_t make_and_wait(mp_call_t *call)
{
    mp_named_memory_t *memory;
    mp_value_t word;
    void *data = NULL;
    MP_CHECK(mp_named_memory_create(&memory, mp_arg_str(call, 0), 100) == MP_OK);
    MP_CHECK(mp_named_memory_data(memory, &data, NULL) == MP_OK);
    memset(data, 6, 100);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
    if (mp_conn_recv(mp_arg_conn(call, 1), &word) == MP_OK) {
        MP_CHECK(mp_named_memory_close(memory) == MP_OK);
        MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
        mp_conn_recv(mp_arg_conn(call, 1), &word);
    }
    return MP_OK;
}

#define start(target, memory, conn) start_with(target, mp_of(memory), conn)

static mp_process_t *start_with(mp_function_t target, mp_value_t memory, mp_conn_t **conn)
{
    mp_process_t *process;
    mp_conn_t *theirs;
    mp_value_t one;
    REQUIRE_OK(mp_pipe(conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, target, mp_args(memory, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(*conn, &one));
    return process;
}

/* Who opened it ends or is killed: it stays. */
static void attach_and_die(void)
{
    mp_conn_t *conn;
    const char *name = name_of("d");
    mp_named_memory_t *memory = make(name, 100);
    for (int i = 0; i < 4; i++) {
        mp_process_t *process = start(open_and_write, name, &conn);
        if (i % 2)
            mp_test_expect_killed(process);
        EXPECT_OK(mp_conn_close(conn));
        if (i % 2 == 0)
            mp_test_expect_end(process, 0);
        CU_ASSERT_EQUAL(data_of(memory)[3], i + 1);
    }
    EXPECT_OK(mp_named_memory_close(memory));
}

/* The owner closes it, or is killed: it is gone at once, and nothing is left (the leak check looks). */
static void lose_owner(void)
{
    const char *name = name_of("e");
    for (int killed = 0; killed < 2; killed++) {
        mp_conn_t *conn;
        mp_named_memory_t *memory, *none;
        void *data;
        mp_value_t one;
        mp_process_t *process = start(make_and_wait, name, &conn);
        REQUIRE_OK(mp_named_memory_open(&memory, name));
        EXPECT_STATUS(mp_named_memory_create(&none, name, 100), MP_EXISTS);
        uint8_t *bytes = data_of(memory);
        double began = mp_now();
        if (killed) {
            EXPECT_OK(mp_process_kill(process)); /* nobody reaps it yet */
        } else {
            EXPECT_OK(mp_conn_send(conn, 1));
            REQUIRE_OK(mp_conn_recv(conn, &one));
        }
        mp_status_t status;
        while ((status = mp_named_memory_data(memory, &data, NULL)) == MP_OK && mp_now() < began + mp_test_patience())
            mp__os_yield();
        EXPECT_STATUS(status, MP_GONE);
        EXPECT_WITHIN(began, 2);
        CU_ASSERT_EQUAL(bytes[99], 6);
        EXPECT_STATUS(mp_named_memory_open(&none, name), MP_NOT_FOUND);
        EXPECT_OK(mp_named_memory_close(memory));
        memory = make(name, 50);
        CU_ASSERT_EQUAL(data_of(memory)[49], 0);
        EXPECT_OK(mp_named_memory_close(memory));
        EXPECT_OK(mp_conn_close(conn));
        mp_test_expect_end(process, killed ? -9 : 0);
    }
}

/* Nobody opens it again: the sweep of the dead one removes it. */
static void kill_unseen(void)
{
    mp_conn_t *conn;
    mp_process_t *process = start(make_and_wait, name_of("f"), &conn);
    mp_test_expect_killed(process);
    EXPECT_OK(mp_conn_close(conn));
}

/* Memory without a name: attaches to it, changes it, and waits. */
static mp_status_t attach(mp_call_t *call)
{
    void *data = NULL;
    mp_value_t word;
    MP_CHECK(mp_shared_memory_data(mp_arg_shared_memory(call, 0), &data, NULL) == MP_OK);
    ((uint8_t *)data)[3]++;
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 1), &word);
    return MP_OK;
}

static void attach_unnamed_and_die(void)
{
    mp_shared_memory_t *memory;
    mp_conn_t *conn;
    void *data = NULL;
    REQUIRE_OK(mp_shared_memory_create(&memory, 5000));
    REQUIRE_OK(mp_shared_memory_data(memory, &data, NULL));
    for (int i = 0; i < 4; i++) {
        mp_process_t *process = start(attach, memory, &conn);
        if (i % 2)
            mp_test_expect_killed(process);
        EXPECT_OK(mp_conn_close(conn));
        if (i % 2 == 0)
            mp_test_expect_end(process, 0);
        void *again = NULL;
        EXPECT_OK(mp_shared_memory_data(memory, &again, NULL));
        CU_ASSERT_PTR_EQUAL(again, data);
        CU_ASSERT_EQUAL(((uint8_t *)data)[3], i + 1);
    }
    EXPECT_OK(mp_shared_memory_close(memory));
}

static mp_status_t own(mp_call_t *call)
{
    mp_value_t none;
    mp_shared_memory_t *memory;
    void *data = NULL;
    MP_CHECK(mp_shared_memory_create(&memory, 5000) == MP_OK);
    MP_CHECK(mp_shared_memory_data(memory, &data, NULL) == MP_OK);
    memset(data, 5, 5000);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), memory) == MP_OK);
    mp_conn_recv(mp_arg_conn(call, 0), &none);
    return MP_OK;
}

static void lose_unnameds_owner(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t message;
    void *data = NULL, *none;
    uint64_t before = mp__blocks_in_use();
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, own, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &message));
    mp_shared_memory_t *memory = mp_value_shared_memory(message);
    REQUIRE_OK(mp_shared_memory_data(memory, &data, NULL));
    double began = mp_now();
    EXPECT_OK(mp_process_kill(process));
    mp_status_t status;
    while ((status = mp_shared_memory_data(memory, &none, NULL)) == MP_OK && mp_now() < began + mp_test_patience())
        (void)mp_process_is_alive(process); /* who asks after it sees to what it leaves */
    EXPECT_STATUS(status, MP_GONE);
    EXPECT_WITHIN(began, 2);
    mp_test_expect_end(process, -9);
    for (int i = 0; i < 5000; i++)
        CU_ASSERT(((uint8_t *)data)[i] == 5);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before + 1); /* the bytes, until: */
    mp_value_free(&message);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(E3)
{
    begin();
    mp_test_each_method(attach_and_die);
    mp_test_each_method(lose_owner);
    mp_test_each_method(kill_unseen);
    mp_test_each_method(attach_unnamed_and_die);
    mp_test_each_method(lose_unnameds_owner);
}

/* ---- many who want the same name: one has it, and a death frees it */

static mp_status_t fight(mp_call_t *call)
{
    const char *name = mp_arg_str(call, 0);
    mp_shared_value_t *inside = mp_arg_shared_value(call, 1);
    for (;;) {
        mp_named_memory_t *memory;
        int64_t before;
        mp_status_t status = mp_named_memory_create(&memory, name, 100);
        MP_CHECK(status == MP_OK || status == MP_EXISTS);
        if (status != MP_OK)
            continue;
        MP_CHECK(mp_shared_value_exchange_int(inside, mp_getpid(), &before) == MP_OK);
        MP_CHECK(mp_shared_value_exchange_int(inside, 0, &before) == MP_OK);
        MP_CHECK(before == mp_getpid());
        MP_CHECK(mp_named_memory_close(memory) == MP_OK);
    }
    return MP_OK;
}

static void kill_fighters(void)
{
    mp_process_t *processes[3];
    mp_shared_value_t *inside;
    mp_named_memory_t *memory = NULL;
    uint64_t random = 12;
    const char *name = name_of("g");
    REQUIRE_OK(mp_shared_value_create(&inside, MP_CTYPE_INT64));
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_process_start(&processes[i], fight, mp_args(name, inside)));
    for (int kills = 0; kills < 15; kills++) {
        mp_process_t **victim = &processes[mp_test_below(&random, 3)];
        mp_test_wander(&random, 5000);
        mp_test_expect_killed(*victim);
        REQUIRE_OK(mp_process_start(victim, fight, mp_args(name, inside)));
    }
    for (int i = 0; i < 3; i++)
        mp_test_expect_killed(processes[i]);
    EXPECT_OK(mp_named_memory_create(&memory, name, 100));
    EXPECT_OK(mp_named_memory_close(memory));
    EXPECT_OK(mp_shared_value_close(inside));
}

MP_CASE(makers_are_killed)
{
    begin();
    mp_test_each_method(kill_fighters);
}

/* ---- the owner ends and has closed nothing */

MP_PROGRAM(leaves_names)
{
    mp_named_memory_t *memory;
    mp_named_lock_t *lock;
    MP_CHECK(mp_named_memory_create(&memory, mp_test_word(0), 100) == MP_OK);
    MP_CHECK(mp_named_lock_create(&lock, mp_test_word(0)) == MP_OK);
    MP_CHECK(mp_named_lock_acquire(lock, 0) == MP_OK);
    return 0;
}

static mp_status_t leave_names(mp_call_t *call)
{
    mp_named_memory_t *memory;
    return mp_named_memory_create(&memory, mp_arg_str(call, 0), 100);
}

/* Not by opening it: that takes leavings away. */
static int files_of(const char *name)
{
    static mp_test_file_t files[500];
    size_t count = mp_test_files(files, 500);
    int n = 0;
    for (size_t i = 0; i < count && i < 500; i++)
        n += strstr(files[i].path, name) != NULL;
    return n;
}

static void expect_nothing_left(void)
{
    mp_process_t *process;
    const char *name = name_of("left-by-a-child");
    REQUIRE_OK(mp_process_start(&process, leave_names, mp_args(name)));
    mp_test_expect_end(process, 0);
    CU_ASSERT_EQUAL(files_of(name), 0);
}

MP_CASE(an_owner_that_ends_in_order_leaves_nothing)
{
    const char *name = name_of("left");
    const char *const arguments[] = {name, NULL};
    mp_test_child_t child;
    begin();
    mp_named_memory_t *memory = make(name, 10);
    CU_ASSERT(files_of(name) > 0);
    EXPECT_OK(mp_named_memory_close(memory));
    mp_test_start(&child, "leaves_names", NULL, 0, arguments);
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
    CU_ASSERT_EQUAL(files_of(name), 0);
    mp_test_each_method(expect_nothing_left);
}

/* ---- no descriptor is free, at any step */

static mp_status_t make_both(const char *name, mp_named_memory_t **memory, mp_named_lock_t **lock)
{
    *lock = NULL;
    mp_status_t status = mp_named_memory_create(memory, name, 10);
    return status == MP_OK ? mp_named_lock_create(lock, name) : status;
}

static mp_status_t open_both(const char *name, mp_named_memory_t **memory, mp_named_lock_t **lock)
{
    *lock = NULL;
    mp_status_t status = mp_named_memory_open(memory, name);
    return status == MP_OK ? mp_named_lock_open(lock, name) : status;
}

#define NO_LIMIT 3

/* With ever more descriptors, until there are enough; false: they cannot be limited here. */
static bool try_with_few(mp_status_t (*get)(const char *, mp_named_memory_t **, mp_named_lock_t **), const char *name)
{
    mp_named_memory_t *memory;
    mp_named_lock_t *lock;
    mp_status_t status = MP_LIMIT;
    for (size_t more = 0; more < 20 && status != MP_OK; more++) {
        if (!mp_test_limit_handles(more))
            return false;
        status = get(name, &memory, &lock);
        MP_CHECK(status == MP_OK ? more > 0 : status == MP_LIMIT && mp_error()->status == MP_LIMIT);
        MP_CHECK(mp_named_memory_close(memory) == MP_OK);
        MP_CHECK(mp_named_lock_close(lock) == MP_OK);
    }
    MP_CHECK(status == MP_OK);
    return true;
}

MP_PROGRAM(has_few_descriptors)
{
    const char *name = name_of("few");
    mp_named_memory_t *memory;
    mp_named_lock_t *lock;
    if (!try_with_few(make_both, name))
        return NO_LIMIT;
    mp_test_lift_limits();
    MP_CHECK(files_of(name) == 0);
    MP_CHECK(make_both(name, &memory, &lock) == MP_OK);
    MP_CHECK(try_with_few(open_both, name));
    mp_test_lift_limits();
    MP_CHECK(mp_named_memory_close(memory) == MP_OK);
    MP_CHECK(mp_named_lock_close(lock) == MP_OK);
    return 0;
}

MP_CASE(too_few_descriptors_are_a_limit)
{
    char output[300];
    int code = mp_test_run(mp_test_program(), "has_few_descriptors", output, sizeof output);
    if (code == NO_LIMIT)
        mp_skip("descriptors cannot be limited here");
    CU_ASSERT_EQUAL(code, 0);
    CU_ASSERT_STRING_EQUAL(output, "");
}

MP_GUARDED_CASES(MP_ROW(E2), MP_ROW(wrong_arguments), MP_ROW(E3), MP_ROW(makers_are_killed),
                 MP_ROW(an_owner_that_ends_in_order_leaves_nothing), MP_SUB(leaves_names),
                 MP_ROW(too_few_descriptors_are_a_limit), MP_SUB(has_few_descriptors));
