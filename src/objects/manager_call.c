/*
 * Calls of a manager's server: a request into its queue, the answer from a queue of this process.
 *
 * A reply queue serves one call at a time and any manager. Idle ones are kept in a few slots that are taken and given
 * back by one atomic operation each, so that threads need no queues of their own and a fork meets no lock. What is left
 * in one by a call that failed is known by its serial number, and passed over.
 */
#include "objects/manager.h"

#include "objects/transfer.h"
#include "wire/codec.h"

#include <stdlib.h>

#define STEP      "ask a manager"
#define IDLE_MOST 16

typedef struct reply {
    mp_queue_t *queue;
    uint64_t serial; /* of the last call */
} reply_t;

static uint64_t idle[IDLE_MOST]; /* pointers; 0: none */
static uint32_t holders;

/* ---- reply queues */

static mp__shared_t *shared_of(const reply_t *reply)
{
    return (mp__shared_t *)(void *)reply->queue;
}

static void close_reply(reply_t *reply)
{
    mp_queue_close(reply->queue);
    free(reply);
}

static mp_status_t create_reply(reply_t **out)
{
    reply_t *reply = calloc(1, sizeof *reply);
    if (!reply)
        return mp__error(MP_NO_MEMORY, STEP, "no memory");
    mp_status_t status = mp_queue_create(&reply->queue, 0);
    if (status == MP_OK)
        *out = reply;
    else
        free(reply);
    return status;
}

static reply_t *take_idle(size_t i)
{
    return mp__load64(&idle[i]) ? (reply_t *)(uintptr_t)mp__swap64(&idle[i], 0) : NULL;
}

static mp_status_t take_reply(reply_t **out)
{
    for (size_t i = 0; i < IDLE_MOST; i++) {
        reply_t *reply = take_idle(i);
        if (reply && mp__shared_mine(shared_of(reply))) {
            *out = reply;
            return MP_OK;
        }
        if (reply)
            close_reply(reply); /* the parent's, in a child of fork: lets go of the holder only */
    }
    return create_reply(out);
}

static void give_reply(reply_t *reply)
{
    for (size_t i = 0; i < IDLE_MOST; i++) {
        uint64_t none = 0;
        if (!mp__load64(&idle[i]) && mp__cas64(&idle[i], &none, (uintptr_t)reply))
            return;
    }
    close_reply(reply);
}

void mp__replies_hold(void)
{
    mp__add32(&holders, 1);
}

void mp__replies_release(void)
{
    if (mp__add32(&holders, UINT32_MAX) != 1)
        return;
    for (size_t i = 0; i < IDLE_MOST; i++) {
        reply_t *reply = take_idle(i);
        if (reply)
            close_reply(reply);
    }
}

/* ---- calls */

static mp_status_t gone(void)
{
    return mp__error(MP_GONE, STEP, "the manager was shut down, or its server died");
}

/* The request's bytes. */
static mp_status_t build(const mp__question_t *question, const reply_t *reply, mp__buffer_t *out)
{
    mp__request_t head = {.operation = (uint32_t)question->operation,
                          .item = question->item,
                          .serial = reply->serial,
                          .reply = shared_of(reply)->handle.reference};
    memcpy(head.numbers, question->numbers, sizeof head.numbers);
    mp_status_t status = mp__buffer_append(out, &head, sizeof head);
    for (size_t i = 0; i < MP__REQUEST_ARGUMENTS && question->arguments[i] && status == MP_OK; i++)
        status = mp__encode(question->arguments[i], NULL, out);
    return status;
}

static mp_status_t send_request(const mp__client_t *client, const mp__question_t *question, const reply_t *reply)
{
    mp__buffer_t out;
    mp__buffer_init(&out);
    mp_status_t status = build(question, reply, &out);
    if (status == MP_OK)
        status = mp__queue_put_item(client->requests, MP__ITEM_BYTES, out.data, out.size, MP__NEVER);
    mp__buffer_fini(&out);
    return status;
}

/* Takes this call's answer. */
static mp_status_t receive_answer(const mp__client_t *client, reply_t *reply, mp__buffer_t *in, mp__answer_t *answer)
{
    for (;;) {
        mp_status_t status = mp__queue_get_from(reply->queue, &client->server, in, MP__NEVER);
        if (status != MP_OK)
            return status == MP_GONE ? gone() : status;
        if (in->size < sizeof *answer)
            continue;
        memcpy(answer, in->data, sizeof *answer);
        if (answer->serial == reply->serial)
            return MP_OK;
    }
}

/* What the answer says: its value, or the server's error as this thread's. */
static mp_status_t read_answer(const mp__answer_t *answer, const mp__buffer_t *in, mp_value_t *value)
{
    const uint8_t *rest = in->data + sizeof *answer;
    size_t size = in->size - sizeof *answer;
    if (answer->status == MP_OK)
        return value ? mp__decode(rest, size, &mp__shared_receiver, value) : MP_OK;
    if (answer->status > MP_THREADED)
        return mp__error(MP_MALFORMED, STEP, "its answer is none");
    return mp__error((mp_status_t)answer->status, STEP, "%.*s", (int)(size < 256 ? size : 255), (const char *)rest);
}

mp_status_t mp__manager_call(const mp__client_t *client, const mp__question_t *question, mp_value_t *value)
{
    reply_t *reply = NULL;
    mp__answer_t answer;
    if (value)
        *value = MP_NONE;
    mp_status_t status = mp__family_join();
    if (status == MP_OK && !mp__object_is(client->shared.header, &client->shared.handle.reference))
        status = gone();
    if (status == MP_OK)
        status = take_reply(&reply);
    if (status != MP_OK)
        return status;
    reply->serial++;
    status = send_request(client, question, reply);
    if (status != MP_OK) {
        give_reply(reply);
        return status == MP_GONE ? gone() : status;
    }
    mp__buffer_t in;
    mp__buffer_init(&in);
    status = receive_answer(client, reply, &in, &answer);
    if (status == MP_OK) {
        give_reply(reply);
        status = read_answer(&answer, &in, value);
    } else {
        close_reply(reply); /* what goes wrong with it must not go wrong again */
    }
    mp__buffer_fini(&in);
    return status;
}

/* ---- for dicts and lists */

mp_status_t mp__proxy_call(const mp__proxy_t *proxy, mp_kind_t kind, mp__question_t *question, mp_value_t *answer)
{
    if (answer)
        *answer = MP_NONE;
    if (!proxy || !mp__handle_is(&proxy->client.shared.handle, kind))
        return mp__handle_refuse((const mp__handle_t *)(const void *)proxy, kind, STEP, mp_kind_name(kind));
    question->item = proxy->client.shared.handle.item;
    return mp__manager_call(&proxy->client, question, answer);
}

static mp_status_t no_place(void)
{
    return mp__error(MP_INVALID, STEP, "no place for the answer");
}

mp_status_t mp__proxy_value(const mp__proxy_t *proxy, mp_kind_t kind, mp__question_t *question, mp_value_t *answer)
{
    return answer ? mp__proxy_call(proxy, kind, question, answer) : no_place();
}

mp_status_t mp__proxy_size(const mp__proxy_t *proxy, mp_kind_t kind, mp__question_t *question, size_t *answer)
{
    mp_value_t value;
    if (!answer)
        return no_place();
    mp_status_t status = mp__proxy_call(proxy, kind, question, &value);
    *answer = (size_t)mp_value_uint(value);
    mp_value_free(&value);
    return status;
}

mp_status_t mp__proxy_bool(const mp__proxy_t *proxy, mp_kind_t kind, mp__question_t *question, bool *answer)
{
    mp_value_t value;
    if (!answer)
        return no_place();
    mp_status_t status = mp__proxy_call(proxy, kind, question, &value);
    *answer = mp_value_bool(value);
    mp_value_free(&value);
    return status;
}
