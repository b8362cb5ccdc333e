/* Starts that go wrong: each is an error of the start, and leaves nothing. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include "family/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEN_MEGABYTES ((size_t)10000000)
#define NO_LIMIT      55

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

/* What the family holds: blocks, and slots of processes that somebody has. */
typedef struct holdings {
    uint64_t blocks;
    uint32_t slots;
} holdings_t;

static holdings_t held(void)
{
    holdings_t held = {.blocks = mp__blocks_in_use()};
    for (uint32_t i = 0; i < mp__load32(&mp__family.head->process_mark); i++)
        held.slots += (mp__load64(&mp__family.processes[i].claim) & 0xff) != MP__PROCESS_FREE;
    return held;
}

static bool holds(const holdings_t *expected)
{
    holdings_t now = held();
    return now.blocks == expected->blocks && now.slots == expected->slots;
}

static const char *const dies[] = {"MP_TEST_EARLY=9", NULL};
static const char *const waits[] = {"MP_TEST_EARLY=wait", NULL};

static void expect_error(const mp_process_options_t *options, mp_args_t args, mp_status_t expected)
{
    mp_process_t *process = mp_current_process();
    holdings_t before = held();
    double began = mp_now();
    EXPECT_STATUS(mp_process_start_with(&process, nothing, args, options), expected);
    CU_ASSERT(mp_now() - began < mp_test_seconds(1));
    CU_ASSERT_PTR_NULL(process);
    CU_ASSERT(holds(&before));
    CU_ASSERT(strlen(mp_error()->step) > 0 && strlen(mp_error()->text) > 0);
}

/* ---- the image ---- */

static void write_image(char *path, size_t size, const void *content, size_t length, bool executable)
{
    snprintf(path, size, "%s/mp-image-%ld.exe", mp_test_folder(), mp_test_pid());
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fwrite(content, 1, length, file);
    fclose(file);
    if (executable)
        mp_test_allow_execution(path);
}

MP_CASE(an_image_that_is_not_there)
{
    mp_test_objects();
    mp_process_options_t options = {.method = MP_START_SPAWN, .executable = "/there/is/no/such/image"};
    expect_error(&options, mp_args(), MP_NOT_FOUND);
    CU_ASSERT_NOT_EQUAL(mp_error()->code, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "/there/is/no/such/image: "));
}

MP_CASE(an_argument_that_cannot_be_encoded)
{
    mp_test_objects();
    mp_process_options_t options = {0};
    expect_error(&options, mp_args(1, "good", "\xff"), MP_INVALID);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "argument 2: a str that is not UTF-8");
    expect_error(&options, mp_args((mp_queue_t *)NULL), MP_INVALID);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "argument 0: no live Queue");
}

MP_CASE(an_image_that_cannot_be_executed)
{
    char path[700];
    mp_test_objects();
    mp_process_options_t options = {.method = MP_START_SPAWN, .executable = path};
    write_image(path, sizeof path, "text\n", 5, false);
    expect_error(&options, mp_args(), MP_DENIED);
    CU_ASSERT_NOT_EQUAL(mp_error()->code, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, ".exe: "));
    remove(path);
    options.executable = mp_test_folder();
    expect_error(&options, mp_args(), MP_DENIED);
}

/* This program's own head, with another machine's number in it, for ELF and for PE; and garbage behind a good head. */
MP_CASE(an_image_for_another_machine)
{
    static unsigned char head[4096];
    char path[700];
    mp_test_objects();
    mp_process_options_t options = {.method = MP_START_SPAWN, .executable = path};
    FILE *own = fopen(mp_test_program(), "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(own);
    size_t size = fread(head, 1, sizeof head, own);
    fclose(own);
    size_t machine = head[0] == 'M' ? (size_t)(head[0x3c] | head[0x3d] << 8) + 4 : 18;
    CU_ASSERT_FATAL(machine + 2 < size);
    unsigned char right[2] = {head[machine], head[machine + 1]};
    head[machine] = 0x55;
    head[machine + 1] = 0x77;
    write_image(path, sizeof path, head, size, true);
    expect_error(&options, mp_args(), MP_DENIED);
    CU_ASSERT_NOT_EQUAL(mp_error()->code, 0);
    memcpy(head + machine, right, sizeof right);
    size_t good = head[0] == 'M' ? machine + sizeof right : 8;
    memset(head + good, 0xa5, sizeof head - good);
    write_image(path, sizeof path, head, sizeof head, true);
    expect_error(&options, mp_args(), MP_DENIED);
    remove(path);
}

/* ---- a child that does not come to its function ---- */

/* A21 */
MP_CASE(an_image_that_dies_at_once_with_ten_megabytes_of_arguments)
{
    mp_test_objects();
    uint8_t *bytes = calloc(1, TEN_MEGABYTES);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    mp_process_options_t options = {.method = MP_START_SPAWN, .environment = dies};
    expect_error(&options, mp_args(mp_bytes(bytes, TEN_MEGABYTES)), MP_DIED);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "exit code 9"));
    free(bytes);
}

MP_CASE(an_image_with_another_version_of_the_library)
{
    static const char *const version[] = {"MP_TEST_EARLY=version", NULL};
    mp_test_objects();
    mp_process_options_t options = {.method = MP_START_SPAWN, .environment = version};
    expect_error(&options, mp_args("some", "arguments"), MP_MISMATCH);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "version"));
}

/* Of the arena, which another build of the same version could lay out otherwise. */
MP_CASE(a_library_with_another_arena)
{
    mp_test_objects();
    mp_process_options_t options = {.method = MP_START_SPAWN};
    mp__family.head->version++;
    expect_error(&options, mp_args(), MP_MISMATCH);
    mp__family.head->version--;
}

/* Between STARTING and RUNNING for certain: it waits for its input's end before it joins. */
MP_CASE(a_child_that_is_killed_before_it_joins)
{
    mp_test_objects();
    mp_process_t *process;
    holdings_t before = held();
    mp_process_options_t options = {
        .method = MP_START_SPAWN, .environment = waits, .input = {MP_STDIO_PIPE, NULL}, .start_timeout = 0.05};
    REQUIRE_OK(mp_process_start_begin(&process, nothing, mp_args("some", "arguments"), &options));
    EXPECT_STATUS(mp_process_start_wait(process, 0.05), MP_TIMEOUT);
    EXPECT_OK(mp_process_kill(process));
    EXPECT_STATUS(mp_process_start_wait(process, mp_test_patience()), MP_DIED);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "before it ran"));
    CU_ASSERT(holds(&before));
    mp_test_expect_end(process, -9);
    /* One that takes too long is ended by the start itself. */
    expect_error(&options, mp_args("some", "arguments"), MP_TIMEOUT);
    /* And one that is let go on runs. */
    REQUIRE_OK(mp_process_start_begin(&process, nothing, mp_args("some", "arguments"), &options));
    EXPECT_OK(mp_process_close_stream(process, MP_STDIN));
    EXPECT_OK(mp_process_start_wait(process, mp_test_patience()));
    mp_test_expect_end(process, 0);
    CU_ASSERT(holds(&before));
}

static const uint8_t much[4000]; /* more arguments than a slot has room for */

/* Begins such a child, which waits for the end of this one's input and holds the connection too; and stays. */
static mp_status_t begin_and_stay(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    mp_process_t *process;
    mp_process_options_t options = {.method = MP_START_SPAWN, .environment = waits, .input = {MP_STDIO_INHERIT, NULL}};
    MP_CHECK(mp_process_start_begin(&process, nothing, mp_args(conn, mp_bytes(much, sizeof much)), &options) == MP_OK);
    MP_CHECK(mp_conn_send(conn, mp_process_pid(process)) == MP_OK);
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

/* The child goes on when the parent is dead, and finds that there is nothing to join. */
static void expect_parent_killed(void)
{
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t value;
    mp_process_options_t options = {.input = {MP_STDIO_PIPE, NULL}};
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    holdings_t before = held();
    REQUIRE_OK(mp_process_start_with(&process, begin_and_stay, mp_args(theirs), &options));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &value));
    holdings_t meanwhile = held();
    CU_ASSERT(meanwhile.slots == before.slots + 2 && meanwhile.blocks > before.blocks);
    EXPECT_OK(mp_process_kill(process));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    CU_ASSERT(holds(&before));
    if (mp_test_is_posix()) /* elsewhere it is in its parent's job already */
        EXPECT_STATUS(mp_conn_poll(conn, 0), MP_TIMEOUT);
    mp_test_expect_end(process, -9); /* closes the input */
    EXPECT_OK(mp_conn_poll(conn, mp_test_patience()));
    EXPECT_STATUS(mp_conn_recv(conn, &value), MP_END);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(a_parent_that_is_killed_before_its_child_joins)
{
    mp_test_objects();
    mp_test_each_method(expect_parent_killed);
}

/* ---- arguments that do not fit ---- */

MP_PROGRAM(has_little_memory)
{
    size_t size = (size_t)64 << 20;
    mp_process_t *process;
    uint8_t *bytes = calloc(1, size);
    MP_CHECK(bytes && mp_configure(0, (uint64_t)16 << 20) == MP_OK);
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        MP_CHECK(mp_process_start(&process, nothing, mp_args()) == MP_OK);
        MP_CHECK(mp_process_join(process, MP_FOREVER) == MP_OK && mp_process_close(process) == MP_OK);
        holdings_t before = held();
        MP_CHECK(mp_process_start(&process, nothing, mp_args(mp_bytes(bytes, size))) == MP_NO_MEMORY);
        MP_CHECK(!process && holds(&before));
        MP_CHECK(mp_process_start(&process, nothing, mp_args(mp_bytes(bytes, size / 64))) == MP_OK);
        MP_CHECK(mp_process_join(process, MP_FOREVER) == MP_OK && mp_process_close(process) == MP_OK);
    }
    free(bytes);
    return 0;
}

/* The starter's own memory. */
MP_PROGRAM(has_no_memory)
{
    mp_process_t *process;
    MP_CHECK(mp_process_start(&process, nothing, mp_args()) == MP_OK);
    MP_CHECK(mp_process_join(process, MP_FOREVER) == MP_OK && mp_process_close(process) == MP_OK);
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        holdings_t before = held();
        if (!mp_test_exhaust_memory())
            return NO_LIMIT;
        MP_CHECK(mp_process_start(&process, nothing, mp_args("some", "arguments")) == MP_NO_MEMORY);
        MP_CHECK(!process && mp_error()->step[0]);
        mp_test_give_memory_back();
        MP_CHECK(holds(&before));
        MP_CHECK(mp_process_start(&process, nothing, mp_args()) == MP_OK);
        MP_CHECK(mp_process_join(process, MP_FOREVER) == MP_OK && mp_process_close(process) == MP_OK);
    }
    return 0;
}

MP_CASE(no_memory_left_to_start)
{
    int code = mp_test_run(mp_test_program(), "has_no_memory", NULL, 0);
    if (code == NO_LIMIT)
        mp_skip("no limit on a process's memory here");
    CU_ASSERT_EQUAL(code, 0);
}

MP_CASE(arguments_beyond_the_familys_memory)
{
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "has_little_memory", NULL, 0), 0);
}

MP_GUARDED_CASES(MP_ROW(an_image_that_is_not_there), MP_ROW(an_argument_that_cannot_be_encoded),
                 MP_ROW(an_image_that_cannot_be_executed), MP_ROW(an_image_for_another_machine),
                 MP_ROW(an_image_that_dies_at_once_with_ten_megabytes_of_arguments),
                 MP_ROW(an_image_with_another_version_of_the_library), MP_ROW(a_library_with_another_arena),
                 MP_ROW(a_child_that_is_killed_before_it_joins), MP_ROW(a_parent_that_is_killed_before_its_child_joins),
                 MP_ROW(no_memory_left_to_start), MP_SUB(has_no_memory), MP_ROW(arguments_beyond_the_familys_memory),
                 MP_SUB(has_little_memory));
