/*
 * The server process of a manager: takes requests one by one, answers each.
 *
 * Whatever a request holds, the worst that comes of it is an error for who asked. The server never waits for a caller:
 * an answer that finds no queue, or a full one, is dropped. Only when the family's memory is used up it waits, as every
 * put does then, for room for a short answer.
 */
#include "objects/manager_server.h"

#include "wire/call.h"
#include "wire/codec.h"
#include "wire/reader.h"

#include <stdlib.h>

#define STEP  "serve a request"
#define PAUSE (20 * MP__MILLISECOND) /* when there is no memory */

typedef struct server {
    mp__stored_t **stored; /* number n's is stored[n - 1] */
    size_t count;
    size_t capacity;
} server_t;

/* ---- answers */

mp_status_t mp__answer_size(mp__job_t *job, size_t n)
{
    mp_value_t value = mp__of_uint(n);
    return mp__encode(&value, NULL, job->out);
}

mp_status_t mp__answer_bool(mp__job_t *job, bool truth)
{
    mp_value_t value = mp_bool(truth);
    return mp__encode(&value, NULL, job->out);
}

/* Turns what is in out into the answer that says this thread's error. */
static void make_error(mp__buffer_t *out, uint64_t serial, mp_status_t status)
{
    const mp__answer_t answer = {.serial = serial, .status = (uint32_t)status};
    const char *text = mp_error()->text;
    mp__buffer_clear(out);
    /* Fits into the buffer as it is. */
    (void)mp__buffer_append(out, &answer, sizeof answer);
    size_t size = strlen(text), room = out->capacity - out->size;
    (void)mp__buffer_append(out, text, size < room ? size : room);
}

/* Hands the answer over, or drops it. */
static void deliver(const mp__request_t *request, mp__buffer_t *out)
{
    void *object;
    if (mp__queue_open(&request->reply, &object) != MP_OK)
        return;
    mp_queue_t *queue = object;
    mp_status_t status = mp__queue_put_item(queue, MP__ITEM_BYTES, out->data, out->size, 0);
    if (status == MP_NO_MEMORY)
        make_error(out, request->serial, MP_NO_MEMORY);
    while (status == MP_NO_MEMORY) {
        mp__os_sleep(mp__os_now() + PAUSE);
        status = mp__queue_put_item(queue, MP__ITEM_BYTES, out->data, out->size, 0);
    }
    mp_queue_close(queue);
}

/* ---- new objects */

static mp_status_t make_room(server_t *server)
{
    if (server->count < server->capacity)
        return MP_OK;
    size_t capacity = server->capacity ? 2 * server->capacity : 16;
    mp__stored_t **stored = realloc(server->stored, capacity * sizeof *stored);
    if (!stored)
        return mp__error(MP_NO_MEMORY, STEP, "no memory for one more object");
    server->stored = stored;
    server->capacity = capacity;
    return MP_OK;
}

static void free_stored(mp__stored_t *stored)
{
    if (stored->is_list)
        mp__row_clear(&stored->as.row);
    else
        mp__table_clear(&stored->as.table);
    free(stored);
}

/* A dict or list with what the job's first argument holds. */
static mp_status_t make(server_t *server, mp__job_t *job, bool is_list)
{
    mp_status_t status = make_room(server);
    if (status != MP_OK)
        return status;
    job->stored = calloc(1, sizeof *job->stored);
    if (!job->stored)
        return mp__error(MP_NO_MEMORY, STEP, "no memory for one more object");
    job->stored->is_list = is_list;
    /* What fills it is the operation that does so later, too. */
    status = is_list ? mp__list_operations[MP__OP_LIST_EXTEND - MP__OP_LIST_GET].run(job)
                     : mp__dict_operations[MP__OP_DICT_UPDATE - MP__OP_DICT_SET].run(job);
    if (status == MP_OK)
        status = mp__answer_size(job, server->count + 1);
    if (status == MP_OK)
        server->stored[server->count++] = job->stored;
    else
        free_stored(job->stored);
    return status;
}

/* ---- requests */

/* Finds the arguments behind the head. */
static mp_status_t read_arguments(const mp__buffer_t *in, size_t count, mp__job_t *job)
{
    mp__reader_t reader = {.data = in->data + sizeof(mp__request_t), .size = in->size - sizeof(mp__request_t)};
    for (size_t i = 0; i < count; i++) {
        size_t at = reader.at;
        mp_status_t status = mp__reader_skip(&reader);
        if (status == MP_OK) {
            job->arguments[i] = (mp__bytes_t){reader.data + at, reader.at - at};
            status = mp__decode_check(reader.data + at, reader.at - at);
        }
        if (status != MP_OK)
            return status;
    }
    return reader.at == reader.size ? MP_OK : mp__error(MP_MALFORMED, STEP, "more arguments than there are");
}

static mp_status_t find_stored(const server_t *server, uint64_t item, bool is_list, mp__job_t *job)
{
    if (item == 0 || item > server->count || server->stored[item - 1]->is_list != is_list)
        return mp__error(MP_MALFORMED, STEP, "the manager has no such %s", is_list ? "list" : "dict");
    job->stored = server->stored[item - 1];
    return MP_OK;
}

static mp_status_t run(server_t *server, const mp__request_t *request, const mp__buffer_t *in, mp__job_t *job)
{
    uint32_t operation = request->operation;
    mp_status_t status;
    if (operation == MP__OP_PING)
        return MP_OK;
    if (operation == MP__OP_NEW_DICT || operation == MP__OP_NEW_LIST) {
        status = read_arguments(in, 1, job);
        return status == MP_OK ? make(server, job, operation == MP__OP_NEW_LIST) : status;
    }
    if (operation >= MP__OPERATIONS)
        return mp__error(MP_MALFORMED, STEP, "there is no operation %lu", (unsigned long)operation);
    bool is_list = operation >= MP__OP_LIST_GET;
    const mp__server_operation_t *it =
        is_list ? &mp__list_operations[operation - MP__OP_LIST_GET] : &mp__dict_operations[operation - MP__OP_DICT_SET];
    status = read_arguments(in, it->arguments, job);
    if (status == MP_OK)
        status = find_stored(server, request->item, is_list, job);
    return status == MP_OK ? it->run(job) : status;
}

/* Makes the answer to a request. */
static void answer(server_t *server, const mp__request_t *request, const mp__buffer_t *in, mp__buffer_t *out)
{
    const mp__answer_t head = {.serial = request->serial, .status = MP_OK};
    const mp_value_t none = MP_NONE;
    mp__job_t job = {.numbers = request->numbers, .out = out};
    (void)mp__buffer_append(out, &head, sizeof head); /* fits in as it is */
    mp_status_t status = run(server, request, in, &job);
    if (status == MP_OK && out->size == sizeof head)
        status = mp__encode(&none, NULL, out);
    if (status != MP_OK)
        make_error(out, request->serial, status);
}

static void serve_request(server_t *server, const mp__buffer_t *in)
{
    mp__request_t request;
    mp__buffer_t out;
    if (in->size < sizeof request)
        return; /* nobody to answer to */
    memcpy(&request, in->data, sizeof request);
    mp__buffer_init(&out);
    answer(server, &request, in, &out);
    deliver(&request, &out);
    mp__buffer_fini(&out);
}

/* Waits for a request and serves it. MP_GONE: there will be none any more. */
static mp_status_t serve_next(server_t *server, mp_queue_t *requests)
{
    uint64_t size;
    mp__buffer_t in;
    mp__buffer_init(&in);
    mp_status_t status = mp__queue_get_item(requests, MP__ITEM_BYTES, UINT64_MAX, &in, &size, MP__NEVER);
    if (status == MP_OK) {
        serve_request(server, &in);
    } else if (status == MP_NO_MEMORY) {
        mp__os_sleep(mp__os_now() + PAUSE); /* it waits */
        status = MP_OK;
    } else if (status == MP_TYPE) {
        /* No request at all, and in the way of others. */
        status = mp__queue_get_item(requests, MP__ITEM_VALUE, UINT64_MAX, &in, &size, 0);
        status = status == MP_TIMEOUT || status == MP_TYPE ? MP_OK : status;
    }
    mp__buffer_fini(&in);
    return status;
}

mp_status_t mp__manager_serve(mp_call_t *call)
{
    server_t server = {0};
    mp_queue_t *requests = mp_arg_queue(call, 0);
    mp_status_t status = requests ? MP_OK : MP_INVALID;
    while (status == MP_OK)
        status = serve_next(&server, requests);
    for (size_t i = 0; i < server.count; i++)
        free_stored(server.stored[i]);
    free(server.stored);
    return status == MP_GONE ? MP_OK : status;
}
