/* Dumps: they name who holds an object and who waits at it, also when those are stuck or dead. */
#include "scene.h"
#include "system.h"

#include "family/family.h"

#include <stdio.h>
#include <string.h>

/* Is there a line with all of that? The text is freed. */
static void expect_line(char *text, const char *first, const char *second)
{
    bool found = false;
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (const char *line = text, *end; !found && *line; line = end + 1) {
        char copy[512];
        end = strchr(line, '\n');
        CU_ASSERT_PTR_NOT_NULL_FATAL(end);
        snprintf(copy, sizeof copy, "%.*s", (int)(end - line), line);
        found = strstr(copy, first) && strstr(copy, second);
    }
    CU_ASSERT(found);
    if (!found)
        printf("no line with \"%s\" and \"%s\" in:\n%s", first, second, text);
    mp_free(text);
}

static const char *pid_of(mp_process_t *process)
{
    static char text[32];
    snprintf(text, sizeof text, "(pid %d)", mp_process_pid(process));
    return text;
}

/* Takes whatever it is given, or waits for it, and stays. */
static mp_status_t use(mp_call_t *call)
{
    mp_value_t object = mp_arg(call, 0);
    switch (mp_value_kind(object)) {
    case MP_KIND_LOCK:
        (void)mp_lock_acquire(mp_arg_lock(call, 0), MP_FOREVER);
        break;
    case MP_KIND_RLOCK:
        for (int i = 0; i < 3; i++)
            (void)mp_rlock_acquire(mp_arg_rlock(call, 0), MP_FOREVER);
        break;
    case MP_KIND_SEMAPHORE:
        for (int i = 0; i < 2; i++)
            (void)mp_semaphore_acquire(mp_arg_semaphore(call, 0), MP_FOREVER);
        break;
    case MP_KIND_CONDITION:
        (void)mp_condition_acquire(mp_arg_condition(call, 0), MP_FOREVER);
        (void)mp_condition_wait(mp_arg_condition(call, 0), MP_FOREVER);
        break;
    case MP_KIND_EVENT:
        (void)mp_event_wait(mp_arg_event(call, 0), MP_FOREVER);
        break;
    case MP_KIND_BARRIER:
        (void)mp_barrier_wait(mp_arg_barrier(call, 0), MP_FOREVER, NULL);
        break;
    default:
        (void)mp_queue_get(mp_arg_queue(call, 0), &object, MP_FOREVER);
    }
    if (mp_arg_count(call) > 1)
        MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), 1, 0) == MP_OK);
    mp_sleep(1000);
    return MP_OK;
}

/* One that has it, and one that waits for it; then the first is killed. */
#define DUMP_HELD(object, held_more)                                                                                   \
    do {                                                                                                               \
        mp_process_t *holder, *waiter;                                                                                 \
        mp_queue_t *ready;                                                                                             \
        mp_value_t one;                                                                                                \
        REQUIRE_OK(mp_queue_create(&ready, 0));                                                                        \
        REQUIRE_OK(mp_process_start(&holder, use, mp_args(object, ready)));                                            \
        REQUIRE_OK(mp_queue_get(ready, &one, mp_test_patience()));                                                     \
        REQUIRE_OK(mp_process_start(&waiter, use, mp_args(object)));                                                   \
        mp_test_await_sleepers(1);                                                                                     \
        expect_line(mp_dump_text(object), " of MainProcess", "");                                                      \
        expect_line(mp_dump_text(object), "held by", pid_of(holder));                                                  \
        expect_line(mp_dump_text(object), "held by", held_more);                                                       \
        expect_line(mp_dump_text(object), "waits", pid_of(waiter));                                                    \
        mp_test_expect_killed(waiter);                                                                                 \
        mp_test_expect_killed(holder);                                                                                 \
        expect_line(mp_dump_text(object), "held by", "ended");                                                         \
        EXPECT_OK(mp_queue_close(ready));                                                                              \
    } while (0)

static void dump_holders(void)
{
    mp_lock_t *lock;
    mp_rlock_t *rlock;
    mp_semaphore_t *semaphore;
    const mp_semaphore_options_t owned = {.flags = MP_OWNED};
    REQUIRE_OK(mp_lock_create(&lock));
    REQUIRE_OK(mp_rlock_create(&rlock));
    REQUIRE_OK(mp_semaphore_create_with(&semaphore, 2, &owned));
    DUMP_HELD(lock, "thread");
    DUMP_HELD(rlock, "3 times");
    DUMP_HELD(semaphore, "2 permits");
    EXPECT_OK(mp_lock_close(lock));
    EXPECT_OK(mp_rlock_close(rlock));
    EXPECT_OK(mp_semaphore_close(semaphore));
}

MP_CASE(who_holds_and_who_waits_for_it)
{
    mp_test_objects();
    mp_test_each_method(dump_holders);
}

#define DUMP_WAITER(object, waits, state)                                                                              \
    do {                                                                                                               \
        mp_process_t *waiter;                                                                                          \
        REQUIRE_OK(mp_process_start(&waiter, use, mp_args(object)));                                                   \
        mp_test_await_sleepers(1);                                                                                     \
        expect_line(mp_dump_text(object), waits, pid_of(waiter));                                                      \
        expect_line(mp_dump_text(object), state, "");                                                                  \
        mp_test_expect_killed(waiter);                                                                                 \
    } while (0)

static void dump_waiters(void)
{
    mp_condition_t *condition;
    mp_event_t *event;
    mp_barrier_t *barrier;
    mp_queue_t *queue;
    REQUIRE_OK(mp_condition_create(&condition));
    REQUIRE_OK(mp_event_create(&event));
    REQUIRE_OK(mp_barrier_create(&barrier, 3));
    REQUIRE_OK(mp_queue_create(&queue, 0));
    DUMP_WAITER(condition, "waits", "<Condition");
    DUMP_WAITER(event, "waits", "not set");
    DUMP_WAITER(barrier, "is there", "1 of 3");
    DUMP_WAITER(queue, "waits to get", "<Queue");
    EXPECT_OK(mp_condition_close(condition));
    EXPECT_OK(mp_event_close(event));
    EXPECT_OK(mp_barrier_close(barrier));
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(who_waits)
{
    mp_test_objects();
    mp_test_each_method(dump_waiters);
}

MP_CASE(what_is_no_object_and_what_has_ended)
{
    mp_value_t kept;
    mp_queue_t *queue;
    mp_lock_t *lock;
    mp_test_objects();
    CU_ASSERT_PTR_NULL(mp_dump_text(42));
    CU_ASSERT_EQUAL(mp_error()->status, MP_TYPE);
    EXPECT_STATUS(mp_dump("text"), MP_TYPE);
    EXPECT_STATUS(mp_dump((mp_lock_t *)NULL), MP_INVALID);
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_lock_create(&lock));
    REQUIRE_OK(mp_queue_put(queue, lock, 0));
    REQUIRE_OK(mp_queue_get(queue, &kept, 0));
    EXPECT_OK(mp_lock_close(lock));
    expect_line(mp_dump_text(mp_value_lock(kept)), "has ended", "");
    mp_value_free(&kept);
    EXPECT_OK(mp_queue_close(queue));
}

/* Shows on stdout what came to stderr. */
MP_PROGRAM(dumps)
{
    static const char name[] = "mp_dump.txt";
    char line[200];
    mp_event_t *event;
    int code = 1;
    if (freopen(name, "w", stderr) && mp_event_create(&event) == MP_OK && mp_event_set(event) == MP_OK)
        code = mp_dump(event) == MP_OK && mp_event_close(event) == MP_OK ? 0 : 2;
    fclose(stderr);
    FILE *file = fopen(name, "r");
    while (file && fgets(line, sizeof line, file))
        fputs(line, stdout);
    if (file)
        fclose(file);
    remove(name);
    return code;
}

MP_CASE(it_is_printed_to_stderr)
{
    char text[300] = "";
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "dumps", text, sizeof text), 0);
    CU_ASSERT(strncmp(text, "<Event ", 7) == 0 && strstr(text, "\n  set"));
}

MP_CASE(what_a_queue_has)
{
    mp_queue_t *queue;
    mp_lease_t *lease;
    mp_value_t value;
    const mp_queue_options_t options = {.max_items = 3, .max_bytes = 1000, .joinable = true};
    mp_test_objects();
    REQUIRE_OK(mp_queue_create_with(&queue, &options));
    expect_line(mp_dump_text(queue), "items: 0 of 3", "");
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_queue_put_bytes(queue, "abcde", 5, 0));
    expect_line(mp_dump_text(queue), "items: 3 of 3", "");
    expect_line(mp_dump_text(queue), "bytes: 15 of 1000", "");
    expect_line(mp_dump_text(queue), "unfinished tasks: 3", "");
    REQUIRE_OK(mp_queue_get_leased(queue, &lease, 0));
    expect_line(mp_dump_text(queue), "items: 2 of 3", "");
    expect_line(mp_dump_text(queue), "on lease: 1", "");
    EXPECT_OK(mp_lease_done(lease));
    expect_line(mp_dump_text(queue), "unfinished tasks: 2", "");
    EXPECT_OK(mp_queue_shutdown(queue, false));
    expect_line(mp_dump_text(queue), "shut down", "");
    EXPECT_OK(mp_queue_shutdown(queue, true));
    expect_line(mp_dump_text(queue), "shut down", "dropped");
    expect_line(mp_dump_text(queue), "items: 0", "");
    EXPECT_OK(mp_queue_close(queue));
    REQUIRE_OK(mp_queue_create(&queue, 0));
    REQUIRE_OK(mp_queue_put(queue, 1, 0));
    expect_line(mp_dump_text(queue), "items: 1", "");
    EXPECT_OK(mp_queue_get(queue, &value, 0));
    EXPECT_OK(mp_queue_close(queue));
}

MP_CASE(what_memory_has)
{
    mp_shared_memory_t *memory;
    mp_shared_value_t *value;
    mp_shared_array_t *array;
    mp_test_objects();
    REQUIRE_OK(mp_shared_memory_create(&memory, 12345));
    expect_line(mp_dump_text(memory), "size: 12345 bytes", "");
    EXPECT_OK(mp_shared_memory_close(memory));
    REQUIRE_OK(mp_shared_value_create(&value, MP_CTYPE_INT32));
    REQUIRE_OK(mp_shared_value_set_int(value, -42));
    expect_line(mp_dump_text(value), "value: -42", "");
    EXPECT_OK(mp_shared_value_close(value));
    REQUIRE_OK(mp_shared_value_create(&value, MP_CTYPE_DOUBLE));
    REQUIRE_OK(mp_shared_value_set_double(value, 0.5));
    expect_line(mp_dump_text(value), "value: 0.5", "double");
    EXPECT_OK(mp_shared_value_close(value));
    REQUIRE_OK(mp_shared_array_create(&array, MP_CTYPE_DOUBLE, 7));
    REQUIRE_OK(mp_shared_array_lock(array, 0));
    expect_line(mp_dump_text(array), "items: 7", "double");
    expect_line(mp_dump_text(array), "held by", "MainProcess");
    EXPECT_OK(mp_shared_array_unlock(array));
    EXPECT_OK(mp_shared_array_close(array));
}

MP_GUARDED_CASES(MP_ROW(who_holds_and_who_waits_for_it), MP_ROW(who_waits),
                 MP_ROW(what_is_no_object_and_what_has_ended), MP_ROW(it_is_printed_to_stderr), MP_SUB(dumps),
                 MP_ROW(what_a_queue_has), MP_ROW(what_memory_has));
