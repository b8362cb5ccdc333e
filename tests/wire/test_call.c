/* A call as its function sees it: arguments, errors that stick, results. */
#include "harness.h"

#include "objects.h"
#include "wire/call.h"

#include <string.h>

/* What the function under test found; each case sets what it does. */
static mp_status_t (*body)(mp_call_t *call);

static mp_status_t function(mp_call_t *call)
{
    return body(call);
}

static mp_status_t with_body(mp_status_t (*f)(mp_call_t *call), mp_args_t args, mp_call_t *call)
{
    body = f;
    mp__call_init(call, function, args);
    return mp__call_run(call);
}

/* The result of a call that was run. */
static mp_value_t result_of(mp_call_t *call)
{
    const void *data;
    size_t size;
    mp_value_t v;
    mp__call_result(call, &data, &size);
    CU_ASSERT_EQUAL(mp__decode(data, size, NULL, &v), MP_OK);
    return v;
}

static mp_status_t add(mp_call_t *call)
{
    return mp_return(call, mp_arg_int(call, 0) + mp_arg_int(call, 1));
}

MP_CASE(a_call_travels_and_returns)
{
    mp__buffer_t buffer;
    mp_call_t call;
    mp__buffer_init(&buffer);
    REQUIRE_OK(mp__call_encode(add, mp_args(40, 2), NULL, &buffer));
    REQUIRE_OK(mp__call_decode(buffer.data, buffer.size, NULL, &call));
    mp__buffer_fini(&buffer);
    CU_ASSERT(call.function == add);
    EXPECT_OK(mp__call_run(&call));
    mp_value_t v = result_of(&call);
    CU_ASSERT(mp_value_equal(v, 42));
    mp__call_fini(&call);
}

MP_CASE(a_message_that_is_no_call_is_refused)
{
    const mp_value_t messages[] = {MP_NONE,
                                   mp_list(),
                                   mp_list(add),
                                   mp_list(mp_list(), add),
                                   mp_list("add", mp_list()),
                                   mp_list(add, mp_dict()),
                                   mp_list(add, mp_list(), 1),
                                   mp_dict(0, add, 1, mp_list())};
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        mp__buffer_t buffer;
        mp_call_t call;
        mp__buffer_init(&buffer);
        REQUIRE_OK(mp__encode(&messages[i], NULL, &buffer));
        EXPECT_STATUS(mp__call_decode(buffer.data, buffer.size, NULL, &call), MP_MALFORMED);
        mp__buffer_fini(&buffer);
    }
}

static mp_status_t read_all(mp_call_t *call)
{
    size_t size;
    CU_ASSERT_EQUAL(mp_arg_count(call), 8);
    CU_ASSERT(mp_arg_bool(call, 0));
    CU_ASSERT_EQUAL(mp_arg_int(call, 1), -5);
    CU_ASSERT_EQUAL(mp_arg_uint(call, 2), UINT64_MAX);
    CU_ASSERT(mp_arg_double(call, 1) == -5 && mp_arg_double(call, 3) == 0.5);
    CU_ASSERT_STRING_EQUAL(mp_arg_str(call, 4), "text");
    CU_ASSERT(memcmp(mp_arg_bytes(call, 5, &size), "\x01", 1) == 0 && size == 1);
    CU_ASSERT(mp_arg_function(call, 6) == read_all);
    CU_ASSERT_EQUAL(mp_arg_descriptor(call, 7), 3);
    CU_ASSERT(mp_arg_bool(call, 1)); /* in C11 true is an int */
    CU_ASSERT_EQUAL(mp_value_kind(mp_arg(call, 4)), MP_KIND_STR);
    EXPECT_OK(mp_call_status(call));
    return MP_OK;
}

MP_CASE(arguments_are_read)
{
    mp_call_t call;
    EXPECT_OK(with_body(read_all,
                        mp_args(MP_TRUE, -5, UINT64_MAX, 0.5, "text", mp_bytes("\x01", 1), read_all, mp_descriptor(3)),
                        &call));
    mp_value_t v = result_of(&call);
    CU_ASSERT_EQUAL(mp_value_kind(v), MP_KIND_NONE);
    mp__call_fini(&call);
}

static mp_status_t read_objects(mp_call_t *call)
{
    CU_ASSERT_PTR_NOT_NULL(mp_arg_conn(call, 0));
    CU_ASSERT_PTR_NOT_NULL(mp_arg_queue(call, 1));
    CU_ASSERT_PTR_NOT_NULL(mp_arg_lock(call, 2));
    CU_ASSERT_PTR_NOT_NULL(mp_arg_manager(call, 3));
    CU_ASSERT_PTR_NOT_NULL(mp_arg_dict(call, 4));
    CU_ASSERT_PTR_NOT_NULL(mp_arg_list(call, 5));
    EXPECT_OK(mp_call_status(call));
    CU_ASSERT_PTR_NULL(mp_arg_queue(call, 2));
    return MP_OK;
}

MP_CASE(objects_are_read)
{
    static const mp_kind_t kinds[6] = {MP_KIND_CONN,    MP_KIND_QUEUE,      MP_KIND_LOCK,
                                       MP_KIND_MANAGER, MP_KIND_DICT_PROXY, MP_KIND_LIST_PROXY};
    mp_value_t args[6];
    mp_call_t call;
    for (uint32_t i = 0; i < 6; i++)
        args[i] = mp__of_object(kinds[i], mp_test_object(kinds[i], i + 1));
    EXPECT_STATUS(with_body(read_objects, mp_value_args(args, 6), &call), MP_TYPE);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "argument 2: expected Queue, got Lock");
    mp__call_fini(&call);
    for (int i = 0; i < 6; i++)
        mp__handle_release(args[i].as.object);
}

/* Every accessor on a wrong and on a missing argument. */
#define WRONG(name, read, zero, status_, text_)                                                                        \
    static mp_status_t wrong_##name(mp_call_t *call)                                                                   \
    {                                                                                                                  \
        CU_ASSERT((read) == (zero));                                                                                   \
        EXPECT_STATUS(mp_call_status(call), status_);                                                                  \
        CU_ASSERT_STRING_EQUAL(mp_error()->text, text_);                                                               \
        return MP_OK;                                                                                                  \
    }

WRONG(bool, mp_arg_bool(call, 0), false, MP_TYPE, "argument 0: expected bool, got list")
WRONG(int, mp_arg_int(call, 1), 0, MP_TYPE, "argument 1: expected int, got str")
WRONG(large, mp_arg_int(call, 2), 0, MP_VALUE, "argument 2: 18446744073709551615 does not fit")
WRONG(uint, mp_arg_uint(call, 3), 0, MP_VALUE, "argument 3: -1 is negative")
WRONG(double, mp_arg_double(call, 1), 0, MP_TYPE, "argument 1: expected float, got str")
WRONG(str, strlen(mp_arg_str(call, 3)), 0, MP_TYPE, "argument 3: expected str, got int")
WRONG(bytes, mp_arg_bytes(call, 1, NULL), NULL, MP_TYPE, "argument 1: expected bytes, got str")
WRONG(function, mp_arg_function(call, 1), NULL, MP_TYPE, "argument 1: expected function, got str")
WRONG(descriptor, mp_arg_descriptor(call, 3), -1, MP_TYPE, "argument 3: expected descriptor, got int")
WRONG(conn, mp_arg_conn(call, 1), NULL, MP_TYPE, "argument 1: expected Connection, got str")
WRONG(closed, mp_arg_queue(call, 4), NULL, MP_CLOSED, "argument 4: the Queue is closed")
WRONG(missing, mp_arg_int(call, 5), 0, MP_INDEX, "argument 5: there are 5")
WRONG(missing_str, strlen(mp_arg_str(call, 5)), 0, MP_INDEX, "argument 5: there are 5")
WRONG(missing_value, mp_arg(call, 99).kind, MP_KIND_NONE, MP_INDEX, "argument 99: there are 5")

MP_CASE(wrong_arguments_fail_the_call)
{
    static const struct {
        mp_status_t (*body)(mp_call_t *call);
        mp_status_t status;
    } rows[] = {{wrong_bool, MP_TYPE},         {wrong_int, MP_TYPE},           {wrong_large, MP_VALUE},
                {wrong_uint, MP_VALUE},        {wrong_double, MP_TYPE},        {wrong_str, MP_TYPE},
                {wrong_bytes, MP_TYPE},        {wrong_function, MP_TYPE},      {wrong_descriptor, MP_TYPE},
                {wrong_conn, MP_TYPE},         {wrong_closed, MP_CLOSED},      {wrong_missing, MP_INDEX},
                {wrong_missing_str, MP_INDEX}, {wrong_missing_value, MP_INDEX}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mp_call_t call;
        EXPECT_STATUS(with_body(rows[i].body, mp_args(mp_list(), "text", UINT64_MAX, -1, (mp_queue_t *)NULL), &call),
                      rows[i].status);
        CU_ASSERT_EQUAL(mp_error()->status, rows[i].status);
        mp__call_fini(&call);
    }
}

static mp_status_t first_of_two(mp_call_t *call)
{
    (void)mp_arg_int(call, 0);
    (void)mp_arg_str(call, 7);
    (void)mp_fail(call, 3, "later");
    return mp_return(call, 1);
}

MP_CASE(the_first_error_sticks)
{
    mp_call_t call;
    EXPECT_STATUS(with_body(first_of_two, mp_args("text"), &call), MP_TYPE);
    CU_ASSERT_STRING_EQUAL(mp_error()->step, "read the arguments");
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "argument 0: expected int, got str");
    mp__call_fini(&call);
}

static mp_status_t fails(mp_call_t *call)
{
    return mp_fail(call, 3, "no such file: %s", mp_arg_str(call, 0));
}

MP_CASE(fail_says_code_and_text)
{
    mp_call_t call;
    EXPECT_STATUS(with_body(fails, mp_args("x.txt"), &call), MP_FAILED);
    CU_ASSERT_EQUAL(mp_error()->code, 3);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "no such file: x.txt");
    CU_ASSERT_FALSE(call.exits);
    mp__call_fini(&call);
}

static mp_status_t fails_at_length(mp_call_t *call)
{
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    return mp_fail(call, 0, "%s", text);
}

MP_CASE(a_long_text_is_cut)
{
    mp_call_t call;
    EXPECT_STATUS(with_body(fails_at_length, mp_args(), &call), MP_FAILED);
    CU_ASSERT_EQUAL(strlen(mp_error()->text), sizeof mp_error()->text - 1);
    mp__call_fini(&call);
}

static mp_status_t exits_with_5(mp_call_t *call)
{
    return mp_exit(call, 5);
}

static mp_status_t exits_with_0(mp_call_t *call)
{
    return mp_exit(call, 0);
}

MP_CASE(exit_is_noted)
{
    mp_call_t call;
    EXPECT_STATUS(with_body(exits_with_5, mp_args(), &call), MP_FAILED);
    CU_ASSERT(call.exits && call.exit_code == 5);
    CU_ASSERT_EQUAL(mp_error()->code, 5);
    mp__call_fini(&call);
    EXPECT_OK(with_body(exits_with_0, mp_args(), &call));
    CU_ASSERT(call.exits && call.exit_code == 0);
    mp__call_fini(&call);
}

static mp_status_t returns_a_status(mp_call_t *call)
{
    (void)call;
    return MP_GONE;
}

MP_CASE(a_status_of_the_functions_own_is_an_error_with_its_text)
{
    mp_call_t call;
    int64_t before;
    EXPECT_STATUS(mp_value_as_int(MP_NONE, &before), MP_TYPE);
    EXPECT_STATUS(with_body(returns_a_status, mp_args(), &call), MP_GONE);
    CU_ASSERT_EQUAL(mp_error()->status, MP_GONE);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, mp_status_text(MP_GONE));
    mp__call_fini(&call);
}

static mp_status_t returns_twice(mp_call_t *call)
{
    char text[] = "borrowed";
    CU_ASSERT_EQUAL(mp_return(call, 1), MP_OK);
    CU_ASSERT_EQUAL(mp_return(call, mp_list(text)), MP_OK);
    memset(text, 0, sizeof text);
    return MP_OK;
}

MP_CASE(the_last_result_counts_and_borrows_nothing)
{
    mp_call_t call;
    EXPECT_OK(with_body(returns_twice, mp_args(), &call));
    mp_value_t v = result_of(&call);
    CU_ASSERT(mp_value_equal(v, mp_list("borrowed")));
    mp_value_free(&v);
    mp__call_fini(&call);
}

static mp_status_t returns_what_cannot_be_sent(mp_call_t *call)
{
    CU_ASSERT_EQUAL(mp_return(call, 1), MP_OK);
    CU_ASSERT_EQUAL(mp_return(call, mp_str("\xff", 1)), MP_INVALID);
    return MP_OK;
}

MP_CASE(a_result_that_cannot_be_sent_fails_the_call)
{
    mp_call_t call;
    EXPECT_STATUS(with_body(returns_what_cannot_be_sent, mp_args(), &call), MP_INVALID);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "a str that is not UTF-8");
    mp__call_fini(&call);
}

static mp_status_t keeps(mp_call_t *call)
{
    mp_keep(mp_arg_queue(call, 0));
    return MP_OK;
}

MP_CASE(arguments_are_let_go_unless_kept)
{
    mp__receiver_t receiver = mp_test_receiver(NULL);
    mp__handle_t *sent[2] = {mp_test_object(MP_KIND_QUEUE, 5), mp_test_object(MP_KIND_LOCK, 6)};
    mp_value_t args[2] = {mp__of_object(MP_KIND_QUEUE, sent[0]), mp__of_object(MP_KIND_LOCK, sent[1])};
    mp__buffer_t buffer;
    mp_call_t call;
    mp__buffer_init(&buffer);
    REQUIRE_OK(mp__call_encode(keeps, mp_value_args(args, 2), NULL, &buffer));
    REQUIRE_OK(mp__call_decode(buffer.data, buffer.size, &receiver, &call));
    mp__handle_t *queue = mp_arg(&call, 0).as.object;
    EXPECT_OK(mp__call_run(&call));
    CU_ASSERT_EQUAL(mp_test_objects_alive, 4);
    mp__call_fini(&call);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 3);
    mp__handle_release(queue);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 2);
    mp__handle_release(sent[0]);
    mp__handle_release(sent[1]);
    mp__buffer_fini(&buffer);
}

MP_CASE(without_a_call_nothing_is_read)
{
    size_t size = 1;
    CU_ASSERT_EQUAL(mp_arg_count(NULL), 0);
    CU_ASSERT_EQUAL(mp_value_kind(mp_arg(NULL, 0)), MP_KIND_NONE);
    CU_ASSERT_EQUAL(mp_error()->status, MP_INVALID);
    CU_ASSERT_FALSE(mp_arg_bool(NULL, 0));
    CU_ASSERT_EQUAL(mp_arg_int(NULL, 0), 0);
    CU_ASSERT_EQUAL(mp_arg_uint(NULL, 0), 0);
    CU_ASSERT(mp_arg_double(NULL, 0) == 0);
    CU_ASSERT_STRING_EQUAL(mp_arg_str(NULL, 0), "");
    CU_ASSERT_PTR_NULL(mp_arg_bytes(NULL, 0, &size));
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT(mp_arg_function(NULL, 0) == NULL);
    CU_ASSERT_EQUAL(mp_arg_descriptor(NULL, 0), -1);
    CU_ASSERT_PTR_NULL(mp_arg_conn(NULL, 0));
    CU_ASSERT_PTR_NULL(mp_arg_queue(NULL, 0));
    CU_ASSERT_PTR_NULL(mp_arg_list(NULL, 0));
    EXPECT_STATUS(mp_fail(NULL, 1, "x"), MP_INVALID);
    EXPECT_STATUS(mp_exit(NULL, 1), MP_INVALID);
    EXPECT_STATUS(mp_return(NULL, 1), MP_INVALID);
    EXPECT_STATUS(mp_call_status(NULL), MP_INVALID);
}

MP_CASES(MP_ROW(a_call_travels_and_returns), MP_ROW(a_message_that_is_no_call_is_refused), MP_ROW(arguments_are_read),
         MP_ROW(objects_are_read), MP_ROW(wrong_arguments_fail_the_call), MP_ROW(the_first_error_sticks),
         MP_ROW(fail_says_code_and_text), MP_ROW(a_long_text_is_cut), MP_ROW(exit_is_noted),
         MP_ROW(a_status_of_the_functions_own_is_an_error_with_its_text),
         MP_ROW(the_last_result_counts_and_borrows_nothing), MP_ROW(a_result_that_cannot_be_sent_fails_the_call),
         MP_ROW(arguments_are_let_go_unless_kept), MP_ROW(without_a_call_nothing_is_read));
