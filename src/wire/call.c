/* A call as its function sees it, and as a message. */
#include "wire/call.h"

#include "wire/handle.h"
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STEP "call a function"

/* ---- as a message */

/* [function, arguments]; who fails is told by its number. */
static mp_status_t encode_call(mp_function_t function, mp_args_t args, const mp__carrier_t *carrier, mp__buffer_t *out)
{
    mp_value_t target = mp__of_function(function), list = mp_value_list(args.items, args.count);
    mp_status_t status = mp__encode_head(MP_KIND_LIST, 2, out);
    if (status == MP_OK)
        status = mp__encode_item(&target, 1, carrier, out);
    if (status == MP_OK)
        status = mp__encode_head(MP_KIND_LIST, (size_t)list.end.size, out);
    for (size_t i = 0; status == MP_OK && i < list.end.size; i++) {
        char number[40];
        status = mp__encode_item(&list.as.items[i], 2, carrier, out);
        if (status == MP_OK)
            continue;
        snprintf(number, sizeof number, "argument %llu", (unsigned long long)i);
        (void)mp__error_about(number);
    }
    return status;
}

mp_status_t mp__call_encode(mp_function_t function, mp_args_t args, const mp__carrier_t *carrier, mp__buffer_t *out)
{
    size_t before = out->size;
    mp_status_t status = encode_call(function, args, carrier, out);
    if (status != MP_OK)
        out->size = before;
    return status;
}

mp_status_t mp__call_decode(const void *data, size_t size, const mp__receiver_t *receiver, mp_call_t *call)
{
    mp_value_t message;
    mp_status_t status = mp__decode(data, size, receiver, &message);
    if (status != MP_OK)
        return status;
    mp_value_t function = mp_value_item(message, 0), args = mp_value_item(message, 1);
    if (message.kind != MP_KIND_LIST || message.end.size != 2 || function.kind != MP_KIND_FUNCTION ||
        args.kind != MP_KIND_LIST) {
        mp_value_free(&message);
        return mp__error(MP_MALFORMED, STEP, "the message is not a call");
    }
    mp__call_init(call, function.as.function, mp_value_args(args.as.items, (size_t)args.end.size));
    call->message = message;
    return MP_OK;
}

void mp__call_init(mp_call_t *call, mp_function_t function, mp_args_t args)
{
    call->function = function;
    call->args = args;
    call->message = MP_NONE;
    call->error.status = MP_OK;
    call->exits = false;
    call->exit_code = 0;
    call->returned = false;
    mp__buffer_init(&call->result);
}

void mp__call_fini(mp_call_t *call)
{
    mp_value_free(&call->message);
    mp__buffer_fini(&call->result);
}

/* ---- how it ends */

/* The thread's last error becomes the call's, unless it has one. */
static mp_status_t keep_error(mp_call_t *call)
{
    if (call->error.status == MP_OK)
        call->error = *mp_error();
    return mp_error()->status;
}

mp_status_t mp__call_run(mp_call_t *call)
{
    mp_status_t status = call->function(call);
    const mp_error_t *error = &call->error;
    if (error->status != MP_OK) {
        status = mp__error_code(error->status, error->step, error->code, error->text);
    } else if (status != MP_OK && mp_error()->status != status) {
        status = mp__error(status, STEP, "%s", mp_status_text(status));
    }
    return status;
}

void mp__call_result(const mp_call_t *call, const void **data, size_t *size)
{
    static const uint8_t none[] = {0xf6};
    *data = call->returned ? call->result.data : none;
    *size = call->returned ? call->result.size : sizeof none;
}

static mp_status_t no_call(const char *step)
{
    return mp__error(MP_INVALID, step, "there is no call");
}

mp_status_t mp__return(mp_call_t *call, mp_value_t v)
{
    if (!call)
        return no_call(STEP);
    mp__buffer_clear(&call->result);
    mp_status_t status = mp__encode(&v, NULL, &call->result);
    call->returned = status == MP_OK;
    return status == MP_OK ? MP_OK : keep_error(call);
}

mp_status_t mp_fail(mp_call_t *call, int code, const char *format, ...)
{
    char text[sizeof call->error.text];
    va_list arguments;
    if (!call)
        return no_call(STEP);
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mp__error_code(MP_FAILED, STEP, code, text);
    return keep_error(call);
}

mp_status_t mp_exit(mp_call_t *call, int code)
{
    char text[64];
    if (!call)
        return no_call(STEP);
    call->exits = true;
    call->exit_code = code;
    if (code == 0)
        return MP_OK;
    snprintf(text, sizeof text, "it ended its process with exit code %d", code);
    mp__error_code(MP_FAILED, STEP, code, text);
    return keep_error(call);
}

mp_status_t mp_call_status(const mp_call_t *call)
{
    return call ? call->error.status : no_call(STEP);
}

/* ---- arguments */

#define ARGUMENT_STEP "read the arguments"

/* What an accessor that failed says becomes the call's error, with the argument's number. */
static void wrong(mp_call_t *call, size_t i, mp_status_t status)
{
    mp__error(status, ARGUMENT_STEP, "argument %llu: %s", (unsigned long long)i, mp_error()->text);
    (void)keep_error(call);
}

static void expected(mp_call_t *call, size_t i, mp_kind_t kind, mp_value_t v)
{
    const char *name = mp_kind_name(kind);
    if (v.kind == (uint8_t)kind)
        mp__error(MP_CLOSED, ARGUMENT_STEP, "argument %llu: the %s is closed", (unsigned long long)i, name);
    else
        mp__error(MP_TYPE, ARGUMENT_STEP, "argument %llu: expected %s, got %s", (unsigned long long)i, name,
                  mp_kind_name(mp_value_kind(v)));
    (void)keep_error(call);
}

size_t mp_arg_count(const mp_call_t *call)
{
    return call ? call->args.count : 0;
}

/* Is there an argument i? */
static bool take(mp_call_t *call, size_t i, mp_value_t *v)
{
    *v = MP_NONE;
    if (!call) {
        no_call(ARGUMENT_STEP);
        return false;
    }
    if (i >= call->args.count) {
        mp__error(MP_INDEX, ARGUMENT_STEP, "argument %llu: there are %llu", (unsigned long long)i,
                  (unsigned long long)call->args.count);
        (void)keep_error(call);
        return false;
    }
    *v = call->args.items[i];
    return true;
}

mp_value_t mp_arg(mp_call_t *call, size_t i)
{
    mp_value_t v;
    (void)take(call, i, &v);
    return v;
}

/* Reads argument i with one of the accessors that report. */
#define READ(type, zero, read)                                                                                         \
    type result = zero;                                                                                                \
    mp_value_t v;                                                                                                      \
    if (take(call, i, &v)) {                                                                                           \
        mp_status_t status = read(v, &result);                                                                         \
        if (status != MP_OK)                                                                                           \
            wrong(call, i, status);                                                                                    \
    }                                                                                                                  \
    return result

bool mp_arg_bool(mp_call_t *call, size_t i)
{
    READ(bool, false, mp_value_as_bool);
}

int64_t mp_arg_int(mp_call_t *call, size_t i)
{
    READ(int64_t, 0, mp_value_as_int);
}

uint64_t mp_arg_uint(mp_call_t *call, size_t i)
{
    READ(uint64_t, 0, mp_value_as_uint);
}

double mp_arg_double(mp_call_t *call, size_t i)
{
    READ(double, 0, mp_value_as_double);
}

const char *mp_arg_str(mp_call_t *call, size_t i)
{
    READ(const char *, "", mp_value_as_str);
}

const void *mp_arg_bytes(mp_call_t *call, size_t i, size_t *size)
{
    mp_value_t v;
    if (take(call, i, &v) && v.kind != MP_KIND_BYTES)
        expected(call, i, MP_KIND_BYTES, v);
    return mp_value_bytes(v, size);
}

mp_function_t mp_arg_function(mp_call_t *call, size_t i)
{
    mp_value_t v;
    if (take(call, i, &v) && v.kind != MP_KIND_FUNCTION)
        expected(call, i, MP_KIND_FUNCTION, v);
    return mp_value_function(v);
}

intptr_t mp_arg_descriptor(mp_call_t *call, size_t i)
{
    mp_value_t v;
    if (take(call, i, &v) && v.kind != MP_KIND_DESCRIPTOR)
        expected(call, i, MP_KIND_DESCRIPTOR, v);
    return mp_value_descriptor(v);
}

/* Argument i, a live object of that kind. */
static void *object(mp_call_t *call, size_t i, mp_kind_t kind)
{
    mp_value_t v;
    if (!take(call, i, &v))
        return NULL;
    if (v.kind == (uint8_t)kind && mp__handle_is(v.as.object, kind))
        return v.as.object;
    expected(call, i, kind, v);
    return NULL;
}

mp_conn_t *mp_arg_conn(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_CONN);
}

mp_queue_t *mp_arg_queue(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_QUEUE);
}

mp_lock_t *mp_arg_lock(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_LOCK);
}

mp_rlock_t *mp_arg_rlock(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_RLOCK);
}

mp_semaphore_t *mp_arg_semaphore(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_SEMAPHORE);
}

mp_condition_t *mp_arg_condition(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_CONDITION);
}

mp_event_t *mp_arg_event(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_EVENT);
}

mp_barrier_t *mp_arg_barrier(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_BARRIER);
}

mp_shared_memory_t *mp_arg_shared_memory(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_SHARED_MEMORY);
}

mp_shared_value_t *mp_arg_shared_value(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_SHARED_VALUE);
}

mp_shared_array_t *mp_arg_shared_array(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_SHARED_ARRAY);
}

mp_shareable_list_t *mp_arg_shareable_list(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_SHAREABLE_LIST);
}

mp_manager_t *mp_arg_manager(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_MANAGER);
}

mp_dict_t *mp_arg_dict(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_DICT_PROXY);
}

mp_list_t *mp_arg_list(mp_call_t *call, size_t i)
{
    return object(call, i, MP_KIND_LIST_PROXY);
}
