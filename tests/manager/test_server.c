/* A manager's server: many clients, deaths on both sides, what comes of bad requests. */
#include "served.h"

#include "objects/manager.h"
#include "random.h"
#include "system.h"

#include <stdio.h>
#include <stdlib.h>

static mp_dict_t *new_dict(mp_manager_t *manager, mp_value_t content)
{
    mp_dict_t *dict = NULL;
    REQUIRE_OK(mp_manager_dict(manager, &dict, content));
    return dict;
}

static mp_list_t *new_list(mp_manager_t *manager, mp_value_t content)
{
    mp_list_t *list = NULL;
    REQUIRE_OK(mp_manager_list(manager, &list, content));
    return list;
}

/* Joins a child that must have succeeded. */
static void join(mp_process_t *process)
{
    int code = -1;
    REQUIRE_OK(mp_process_join(process, mp_test_seconds(30)));
    EXPECT_OK(mp_process_exitcode(process, &code));
    CU_ASSERT_EQUAL(code, 0);
    EXPECT_OK(mp_process_close(process));
}

/* ---- many clients */

static mp_status_t add_thousand(mp_call_t *call)
{
    mp_dict_t *d = mp_arg_dict(call, 0);
    mp_list_t *l = mp_arg_list(call, 1);
    for (int i = 0; i < 1000; i++)
        MP_CHECK(mp_dict_add(d, "n", 1, NULL) == MP_OK);
    return mp_list_append(l, mp_getpid());
}

static void use_from_processes(mp_start_method_t method, int count)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE);
    mp_list_t *l = new_list(m, MP_NONE);
    mp_process_t *p[10];
    mp_value_t v;
    const mp_process_options_t options = {.method = method};
    EXPECT_OK(mp_dict_set(d, "n", 0)); /* what a call leaves for the next one must not be a forked child's */
    for (int i = 0; i < count; i++)
        REQUIRE_OK(mp_process_start_with(&p[i], add_thousand, mp_args(d, l), &options));
    for (int i = 0; i < count; i++)
        join(p[i]);
    EXPECT_OK(mp_dict_get(d, "n", &v));
    CU_ASSERT_EQUAL(mp_value_int(v), count * 1000);
    EXPECT_OK(mp_list_copy(l, &v));
    CU_ASSERT_EQUAL(mp_value_len(v), (size_t)count);
    mp_value_free(&v);
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(ten_processes_at_once)
{
    use_from_processes(MP_START_SPAWN, 10);
}

MP_CASE(four_forked_processes_at_once)
{
    if (!mp__os_caps()->fork)
        mp_skip("there is no fork");
    use_from_processes(MP_START_FORK, 4);
}

static void add_from_thread(void *context)
{
    for (int i = 0; i < 500; i++)
        MP_CHECK(mp_dict_add(context, "n", 1, NULL) == MP_OK);
}

/* More threads than reply queues are kept. */
MP_CASE(twenty_threads_at_once)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE);
    mp_test_thread_t threads[20];
    for (int i = 0; i < 20; i++)
        mp_test_thread_start(&threads[i], add_from_thread, d);
    for (int i = 0; i < 20; i++)
        mp_test_thread_join(&threads[i]);
    EXPECT_SHOWN(d, "{'n': 10000}");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(two_managers_know_nothing_of_each_other)
{
    mp_manager_t *m = mp_test_manager(), *other;
    REQUIRE_OK(mp_manager_start(&other));
    mp_dict_t *d = new_dict(m, mp_dict("a", 1)), *e = new_dict(other, mp_dict("a", 2));
    CU_ASSERT_NOT_EQUAL(mp_manager_pid(m), mp_manager_pid(other));
    EXPECT_OK(mp_dict_set(d, "b", 3));
    EXPECT_SHOWN(d, "{'a': 1, 'b': 3}");
    EXPECT_SHOWN(e, "{'a': 2}");
    EXPECT_OK(mp_manager_shutdown(m));
    EXPECT_SHOWN(e, "{'a': 2}");
    EXPECT_OK(mp_manager_shutdown(other));
}

/* ---- objects inside */

static mp_status_t use_nested(mp_call_t *call)
{
    mp_value_t l, q;
    mp_dict_t *d = mp_arg_dict(call, 0);
    MP_CHECK(mp_dict_get(d, "list", &l) == MP_OK);
    MP_CHECK(mp_list_append(mp_value_list_proxy(l), "from the child") == MP_OK);
    MP_CHECK(mp_dict_get(d, "queue", &q) == MP_OK);
    MP_CHECK(mp_queue_put(mp_value_queue(q), 7, 0) == MP_OK);
    mp_value_free(&l);
    mp_value_free(&q);
    return MP_OK;
}

MP_CASE(values_hold_proxies_and_queues)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE);
    mp_list_t *l = new_list(m, mp_list(1));
    mp_queue_t *q;
    mp_process_t *p;
    mp_value_t v;
    size_t n;
    REQUIRE_OK(mp_queue_create(&q, 0));
    EXPECT_OK(mp_dict_set(d, "list", l));
    EXPECT_OK(mp_dict_set(d, "queue", q));
    EXPECT_OK(mp_list_append(l, l)); /* itself */
    REQUIRE_OK(mp_process_start(&p, use_nested, mp_args(d)));
    join(p);
    EXPECT_OK(mp_list_get(l, 2, &v));
    EXPECT_MADE(v, "'from the child'");
    EXPECT_OK(mp_queue_get(q, &v, mp_test_seconds(10)));
    EXPECT_MADE(v, "7");
    EXPECT_OK(mp_list_index(l, l, &n));
    CU_ASSERT_EQUAL(n, 1);
    char *shown = mp_repr(l);
    CU_ASSERT_EQUAL(strncmp(shown, "[1, <ListProxy ", 15), 0);
    mp_free(shown);
    EXPECT_OK(mp_queue_close(q));
    EXPECT_STATUS(mp_dict_get(d, "queue", &v), MP_GONE);
    EXPECT_OK(mp_dict_set(d, "queue", MP_NONE));
    EXPECT_OK(mp_manager_shutdown(m));
}

static mp_status_t make_in_manager(mp_call_t *call)
{
    mp_list_t *l;
    mp_dict_t *d = mp_arg_dict(call, 1);
    MP_CHECK(mp_manager_list(mp_arg_manager(call, 0), &l, mp_list("made by the child")) == MP_OK);
    MP_CHECK(mp_manager_shutdown(NULL) == MP_OK);
    return mp_dict_set(d, "child's", l);
}

MP_CASE(what_a_child_makes_outlives_it)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE);
    mp_process_t *p;
    mp_value_t v;
    REQUIRE_OK(mp_process_start(&p, make_in_manager, mp_args(m, d)));
    join(p);
    EXPECT_OK(mp_dict_get(d, "child's", &v));
    EXPECT_OK(mp_list_append(mp_value_list_proxy(v), 2));
    EXPECT_SHOWN(v, "['made by the child', 2]");
    mp_value_free(&v);
    EXPECT_OK(mp_manager_shutdown(m));
}

static mp_status_t have_own_manager(mp_call_t *call)
{
    mp_manager_t *own;
    mp_list_t *l;
    mp_value_t v;
    MP_CHECK(mp_manager_start(&own) == MP_OK);
    MP_CHECK(mp_manager_list(own, &l, mp_range(0, 3)) == MP_OK);
    MP_CHECK(mp_list_copy(l, &v) == MP_OK);
    MP_CHECK(mp_list_extend(mp_arg_list(call, 0), v) == MP_OK);
    mp_value_free(&v);
    return mp_manager_shutdown(own);
}

MP_CASE(a_child_has_a_manager_of_its_own)
{
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, MP_NONE);
    mp_process_t *p;
    REQUIRE_OK(mp_process_start(&p, have_own_manager, mp_args(l)));
    join(p);
    EXPECT_SHOWN(l, "[0, 1, 2]");
    EXPECT_OK(mp_manager_shutdown(m));
}

/* ---- the server's death */

typedef struct waiter {
    mp_test_thread_t thread;
    mp_list_t *list;
    mp_status_t status;
} waiter_t;

static void append_one(void *context)
{
    waiter_t *waiter = context;
    waiter->status = mp_list_append(waiter->list, 1);
}

static mp_status_t expect_gone(mp_call_t *call)
{
    mp_list_t *l = mp_arg_list(call, 0);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), "about to wait", 0) == MP_OK);
    MP_CHECK(mp_list_append(l, 1) == MP_GONE);
    MP_CHECK(mp_list_append(l, 1) == MP_GONE);
    return MP_OK;
}

/* Its stopped server is asked by threads and a child; then it dies. */
MP_CASE(a_dead_server_is_an_error_at_once)
{
    mp_manager_t *m = mp_test_manager();
    mp_list_t *l = new_list(m, MP_NONE);
    mp_dict_t *d = new_dict(m, MP_NONE);
    mp_queue_t *q;
    mp_process_t *p;
    mp_value_t v;
    waiter_t waiters[3];
    REQUIRE_OK(mp_queue_create(&q, 0));
    CU_ASSERT_TRUE_FATAL(mp_test_pause(mp_manager_pid(m)));
    for (int i = 0; i < 3; i++) {
        waiters[i] = (waiter_t){.list = l, .status = MP_OK};
        mp_test_thread_start(&waiters[i].thread, append_one, &waiters[i]);
    }
    REQUIRE_OK(mp_process_start(&p, expect_gone, mp_args(l, q)));
    REQUIRE_OK(mp_queue_get(q, &v, mp_test_seconds(30)));
    mp_value_free(&v);
    double begin = mp_now();
    CU_ASSERT_TRUE(mp_test_kill_pid(mp_manager_pid(m)));
    for (int i = 0; i < 3; i++) {
        mp_test_thread_join(&waiters[i].thread);
        CU_ASSERT_EQUAL(waiters[i].status, MP_GONE);
    }
    EXPECT_STATUS(mp_dict_set(d, 1, 1), MP_GONE);
    EXPECT_STATUS(mp_print(d), MP_GONE);
    EXPECT_STATUS(mp_manager_dict(m, &d, MP_NONE), MP_GONE);
    CU_ASSERT_TRUE(mp_now() - begin < mp_test_seconds(1));
    join(p);
    CU_ASSERT_TRUE(mp_now() - begin < mp_test_seconds(2));
    EXPECT_OK(mp_queue_close(q));
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(a_stopped_server_is_not_dead)
{
    mp_manager_t *m = mp_test_manager();
    waiter_t waiter = {.list = new_list(m, MP_NONE), .status = MP_SYSTEM};
    CU_ASSERT_TRUE_FATAL(mp_test_pause(mp_manager_pid(m)));
    mp_test_thread_start(&waiter.thread, append_one, &waiter);
    CU_ASSERT_TRUE(mp_test_resume(mp_manager_pid(m)));
    mp_test_thread_join(&waiter.thread);
    EXPECT_OK(waiter.status);
    EXPECT_SHOWN(waiter.list, "[1]");
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_CASE(a_stopped_server_is_shut_down_all_the_same)
{
    mp_manager_t *m = mp_test_manager();
    CU_ASSERT_TRUE_FATAL(mp_test_pause(mp_manager_pid(m)));
    EXPECT_OK(mp_manager_shutdown(m));
}

/* ---- clients' deaths */

/* Until it is killed. */
static mp_status_t write_on(mp_call_t *call)
{
    static char large[100000];
    mp_dict_t *d = mp_arg_dict(call, 0);
    mp_value_t v;
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), "running", 0) == MP_OK);
    for (int i = 0; mp_dict_set(d, i % 10, i % 3 ? mp_of("small") : mp_bytes(large, sizeof large)) == MP_OK; i++) {
        MP_CHECK(mp_dict_get(d, i % 10, &v) == MP_OK);
        mp_value_free(&v);
    }
    return MP_OK;
}

MP_CASE(clients_that_are_killed_leave_the_server_working)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE);
    mp_queue_t *q;
    uint64_t random = 42;
    REQUIRE_OK(mp_queue_create(&q, 0));
    for (int i = 0; i < 30; i++) {
        mp_process_t *p;
        mp_value_t v;
        REQUIRE_OK(mp_process_start(&p, write_on, mp_args(d, q)));
        REQUIRE_OK(mp_queue_get(q, &v, mp_test_seconds(30)));
        mp_value_free(&v);
        for (uint64_t turns = 1 + mp_test_random(&random) % 40; turns > 0; turns--)
            EXPECT_OK(mp_dict_set(d, "parent", i));
        EXPECT_OK(mp_process_kill(p));
        REQUIRE_OK(mp_process_join(p, mp_test_seconds(30)));
        EXPECT_OK(mp_process_close(p));
        EXPECT_OK(mp_dict_get(d, "parent", &v));
        mp_value_free(&v);
    }
    EXPECT_OK(mp_dict_clear(d));
    EXPECT_OK(mp_queue_close(q));
    EXPECT_OK(mp_manager_shutdown(m));
}

/* ---- shutdown */

MP_CASE(shutdown_ends_proxies_that_are_kept)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE);
    mp_list_t *l = new_list(m, MP_NONE), *closed = new_list(m, MP_NONE);
    size_t n;
    EXPECT_OK(mp_list_close(closed));
    EXPECT_OK(mp_dict_close(NULL));
    EXPECT_STATUS(mp_dict_close((mp_dict_t *)(void *)l), MP_INVALID);
    EXPECT_STATUS(mp_dict_len((mp_dict_t *)(void *)l, &n), MP_INVALID);
    EXPECT_STATUS(mp_manager_shutdown((mp_manager_t *)(void *)l), MP_INVALID);
    mp_keep(d);
    EXPECT_OK(mp_manager_shutdown(m));
    EXPECT_STATUS(mp_dict_len(d, &n), MP_GONE);
    EXPECT_OK(mp_dict_close(d));
    EXPECT_STATUS(mp_manager_start(NULL), MP_INVALID);
    CU_ASSERT_EQUAL(mp_manager_pid(NULL), 0);
}

/* Leaves its manager to the program's end. */
MP_PROGRAM(forgetful)
{
    mp_manager_t *m;
    mp_dict_t *d;
    MP_CHECK(mp_manager_start(&m) == MP_OK);
    MP_CHECK(mp_manager_dict(m, &d, mp_dict("a", 1)) == MP_OK);
    printf("%d\n", mp_manager_pid(m));
    return 0;
}

MP_CASE(a_manager_that_is_left_ends_with_the_program)
{
    char output[100];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "forgetful", output, sizeof output), 0);
    int pid = atoi(output);
    CU_ASSERT_TRUE_FATAL(pid > 0);
    CU_ASSERT_FALSE(mp_test_kill_pid(pid));
}

/* ---- bad requests */

static mp_status_t ask(mp_manager_t *m, int operation, uint64_t item, const mp_value_t *first, const mp_value_t *second)
{
    const mp__question_t question = {
        .operation = (mp__operation_t)operation, .item = item, .arguments = {first, second}};
    return mp__manager_call((const mp__client_t *)(void *)m, &question, NULL);
}

MP_CASE(requests_that_mean_nothing_are_errors)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d = new_dict(m, MP_NONE); /* number 1 */
    new_list(m, MP_NONE);                /* number 2 */
    const mp_value_t one = mp_of(1), empty = mp_list();
    EXPECT_OK(ask(m, MP__OP_PING, 0, NULL, NULL));
    EXPECT_STATUS(ask(m, MP__OPERATIONS, 1, NULL, NULL), MP_MALFORMED);
    EXPECT_STATUS(ask(m, -1, 1, NULL, NULL), MP_MALFORMED);
    EXPECT_STATUS(ask(m, MP__OP_DICT_LEN, 0, NULL, NULL), MP_MALFORMED);
    EXPECT_STATUS(ask(m, MP__OP_DICT_LEN, 3, NULL, NULL), MP_MALFORMED);
    EXPECT_STATUS(ask(m, MP__OP_DICT_LEN, UINT64_MAX, NULL, NULL), MP_MALFORMED);
    EXPECT_STATUS(ask(m, MP__OP_DICT_LEN, 2, NULL, NULL), MP_MALFORMED);
    EXPECT_STATUS(ask(m, MP__OP_LIST_LEN, 1, NULL, NULL), MP_MALFORMED);
    EXPECT_STATUS(ask(m, MP__OP_DICT_SET, 1, &one, NULL), MP_MALFORMED);
    EXPECT_STATUS(ask(m, MP__OP_DICT_LEN, 1, &one, NULL), MP_MALFORMED);
    EXPECT_STATUS(ask(m, MP__OP_DICT_SET, 1, &empty, &one), MP_TYPE);
    EXPECT_ERROR_TEXT("unhashable type: 'list'");
    EXPECT_STATUS(ask(m, MP__OP_DICT_UPDATE, 1, &empty, NULL), MP_TYPE);
    EXPECT_STATUS(ask(m, MP__OP_LIST_EXTEND, 2, &one, NULL), MP_TYPE);
    EXPECT_STATUS(ask(m, MP__OP_NEW_DICT, 0, &empty, NULL), MP_TYPE);
    EXPECT_STATUS(ask(m, MP__OP_NEW_LIST, 0, &one, NULL), MP_TYPE);
    EXPECT_SHOWN(d, "{}");
    EXPECT_OK(mp_manager_shutdown(m));
}

static void put_request(mp_queue_t *requests, const void *data, size_t size)
{
    EXPECT_OK(mp_queue_put_bytes(requests, data, size, mp_test_seconds(10)));
}

/* 'abc', then [1, a float, {'k': four bytes}], then -1 */
static const uint8_t good_arguments[] = {0x63, 'a', 'b', 'c',  0x83, 0x01, 0xfb, '1', '2', '3', '4', '5',
                                         '6',  '7', '8', 0xa1, 0x61, 'k',  0x44, 'w', 'x', 'y', 'z', 0x20};

/* Changes a few bytes of good requests. The answers go to a queue that holds two and is never emptied, or to nobody. */
MP_CASE(random_requests_leave_the_server_working)
{
    mp_manager_t *m = mp_test_manager();
    mp_queue_t *requests = ((mp__client_t *)(void *)m)->requests, *full;
    mp_dict_t *d = new_dict(m, mp_dict("a", 1));
    new_list(m, mp_range(0, 10));
    uint64_t random = 7, size;
    REQUIRE_OK(mp_queue_create(&full, 2));
    struct {
        mp__request_t head;
        uint8_t arguments[sizeof good_arguments];
    } request, changed;
    memset(&request, 0, sizeof request);
    request.head.reply = ((mp__shared_t *)(void *)full)->handle.reference;
    memcpy(request.arguments, good_arguments, sizeof good_arguments);
    for (int i = 0; i < 3000; i++) {
        changed = request;
        changed.head.operation = (uint32_t)(mp_test_random(&random) % (MP__OPERATIONS + 1));
        changed.head.item = mp_test_random(&random) % 4;
        for (int k = 0; k < MP__REQUEST_NUMBERS; k++)
            changed.head.numbers[k] = (int64_t)(mp_test_random(&random) >> mp_test_random(&random) % 64);
        for (uint64_t k = mp_test_random(&random) % 5; k > 0; k--)
            ((uint8_t *)&changed)[mp_test_random(&random) % sizeof changed] = (uint8_t)mp_test_random(&random);
        size_t length = mp_test_random(&random) % 3 ? sizeof changed : mp_test_random(&random) % sizeof changed;
        put_request(requests, &changed, length);
    }
    EXPECT_OK(mp_queue_put(requests, mp_list("no request"), 0));
    EXPECT_OK(mp_dict_clear(d));
    EXPECT_OK(mp_dict_set(d, "still", "there"));
    EXPECT_SHOWN(d, "{'still': 'there'}");
    EXPECT_OK(mp_queue_size(full, &size));
    CU_ASSERT_EQUAL(size, 2);
    EXPECT_OK(mp_queue_close(full));
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_GUARDED_CASES(MP_ROW(ten_processes_at_once), MP_ROW(four_forked_processes_at_once), MP_ROW(twenty_threads_at_once),
                 MP_ROW(two_managers_know_nothing_of_each_other), MP_ROW(values_hold_proxies_and_queues),
                 MP_ROW(what_a_child_makes_outlives_it), MP_ROW(a_child_has_a_manager_of_its_own),
                 MP_ROW(a_dead_server_is_an_error_at_once), MP_ROW(a_stopped_server_is_not_dead),
                 MP_ROW(a_stopped_server_is_shut_down_all_the_same),
                 MP_ROW(clients_that_are_killed_leave_the_server_working), MP_ROW(shutdown_ends_proxies_that_are_kept),
                 MP_ROW(a_manager_that_is_left_ends_with_the_program), MP_ROW(requests_that_mean_nothing_are_errors),
                 MP_ROW(random_requests_leave_the_server_working), MP_SUB(forgetful));
