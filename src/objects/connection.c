/*
 * Connections: messages over a channel of the system.
 *
 * A message is a head of 16 bytes, then the handles that it carries, then its payload. All that is read is checked
 * before it is used: the other end may be any process that was handed it.
 */
#include "objects/connection.h"

#include "core/local.h"
#include "core/once.h"
#include "family/family.h"
#include "objects/transfer.h"
#include "wire/buffer.h"
#include "wire/handle.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_MAGIC   UINT32_C(0x6d70666d)
#define PAYLOAD_MOST (UINT64_C(1) << 40)
#define READ_STEP    ((uint64_t)1 << 20) /* memory follows what has really come, not what a head promises */

typedef enum content { VALUE = 0, BYTES = 1 } content_t;

typedef struct head {
    uint32_t magic;
    uint16_t content;
    uint16_t handles;
    uint64_t size;
} head_t;

struct mp_conn {
    mp__handle_t handle;
    mp__os_handle_t end;
    uint32_t directions;
    apr_pool_t *pool;
    apr_thread_mutex_t *sending;
    apr_thread_mutex_t *receiving;
    head_t head; /* of the message whose payload is next; magic 0: none was read yet */
    mp_conn_t *next;
    mp_conn_t **link; /* NULL: it is shut */
};

/* ---- all connections of this process, for fork's child */

static mp__once_t list_made;
static apr_thread_mutex_t *list_mutex;
static mp_conn_t *conns;

static mp_status_t make_list(void)
{
    apr_pool_t *pool;
    mp_status_t status = mp__local_pool(&pool);
    return status == MP_OK ? mp__local_mutex(&list_mutex, pool) : status;
}

static void list(mp_conn_t *conn)
{
    apr_thread_mutex_lock(list_mutex);
    conn->next = conns;
    conn->link = &conns;
    if (conns)
        conns->link = &conn->next;
    conns = conn;
    apr_thread_mutex_unlock(list_mutex);
}

static void unlist(mp_conn_t *conn)
{
    apr_thread_mutex_lock(list_mutex);
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    conn->link = NULL;
    apr_thread_mutex_unlock(list_mutex);
}

void mp__conns_forget(const mp__transfer_t *keep)
{
    list_made = 0; /* a thread of the parent may have held the mutex */
    for (mp_conn_t *conn = conns; conn; conn = conn->next) {
        bool kept = false;
        for (size_t i = 0; i < keep->count; i++)
            kept = kept || keep->handles[i] == conn->end;
        if (!kept)
            mp__os_handle_close(conn->end);
        conn->end = MP__NO_HANDLE;
        conn->link = NULL;
    }
    conns = NULL;
}

/* ---- making and closing */

static void shut(mp__handle_t *handle)
{
    mp_conn_t *conn = (mp_conn_t *)handle;
    if (!conn->link)
        return;
    unlist(conn);
    mp__os_handle_close(conn->end);
}

static void destroy(mp__handle_t *handle)
{
    mp_conn_t *conn = (mp_conn_t *)handle;
    shut(handle);
    apr_pool_destroy(conn->pool);
    mp__handle_bury(handle);
}

mp_status_t mp__conn_adopt(mp__os_handle_t end, uint32_t directions, void **out)
{
    mp_status_t status = mp__once(&list_made, make_list);
    if (status != MP_OK)
        return status;
    mp_conn_t *conn = calloc(1, sizeof *conn);
    if (!conn)
        return mp__error(MP_NO_MEMORY, "make a connection", "no memory for its object");
    status = mp__local_pool(&conn->pool);
    if (status == MP_OK)
        status = mp__local_mutex(&conn->sending, conn->pool);
    if (status == MP_OK)
        status = mp__local_mutex(&conn->receiving, conn->pool);
    if (status != MP_OK) {
        if (conn->pool)
            apr_pool_destroy(conn->pool);
        free(conn);
        return status;
    }
    mp__handle_init(&conn->handle, MP_KIND_CONN, &(mp__reference_t){0}, 0, destroy);
    conn->handle.shut = shut;
    conn->end = end;
    conn->directions = directions;
    list(conn);
    *out = conn;
    return MP_OK;
}

static mp_status_t adopt_pair(const mp__os_handle_t ends[2], mp_direction_t direction, mp_conn_t **first,
                              mp_conn_t **second)
{
    uint32_t both = MP__CONN_RECEIVES | MP__CONN_SENDS;
    void *conns_made[2] = {NULL, NULL};
    mp_status_t status = mp__conn_adopt(ends[0], direction == MP_DUPLEX ? both : MP__CONN_RECEIVES, &conns_made[0]);
    if (status == MP_OK)
        status = mp__conn_adopt(ends[1], direction == MP_DUPLEX ? both : MP__CONN_SENDS, &conns_made[1]);
    if (status != MP_OK) {
        if (conns_made[0])
            mp_conn_close(conns_made[0]);
        else
            mp__os_handle_close(ends[0]);
        mp__os_handle_close(ends[1]);
        return status;
    }
    *first = conns_made[0];
    *second = conns_made[1];
    return MP_OK;
}

mp_status_t mp_pipe(mp_conn_t **first, mp_conn_t **second, mp_direction_t direction)
{
    if (first)
        *first = NULL;
    if (second)
        *second = NULL;
    if (!first || !second || (direction != MP_ONE_WAY && direction != MP_DUPLEX))
        return mp__error(MP_INVALID, "make a pipe", "no place for its ends, or no such direction");
    mp__os_handle_t ends[2];
    mp_status_t status = mp__local_init();
    if (status == MP_OK)
        status = mp__os_channel_create(direction == MP_DUPLEX, ends);
    return status == MP_OK ? adopt_pair(ends, direction, first, second) : status;
}

mp_status_t mp_conn_close(mp_conn_t *conn)
{
    if (!conn)
        return MP_OK;
    if (!mp__handle_is(&conn->handle, MP_KIND_CONN)) {
        mp_status_t status = mp__handle_refuse(&conn->handle, MP_KIND_CONN, "close a connection", "connection");
        return status == MP_CLOSED ? MP_OK : status;
    }
    mp__handle_close(&conn->handle);
    return MP_OK;
}

static mp_status_t check(const mp_conn_t *conn, uint32_t direction, const char *step)
{
    if (!conn || !mp__handle_is(&conn->handle, MP_KIND_CONN))
        return mp__handle_refuse((const mp__handle_t *)conn, MP_KIND_CONN, step, "connection");
    if (!(conn->directions & direction))
        return mp__error(MP_INVALID, step, "this end only %s", direction == MP__CONN_SENDS ? "receives" : "sends");
    return MP_OK;
}

mp_status_t mp__conn_lend(mp_conn_t *conn, mp__os_handle_t *handle, uint32_t *directions)
{
    if (conn->head.magic)
        return mp__error(MP_BUSY, "send a connection", "a message was begun to be read from it");
    *handle = conn->end;
    *directions = conn->directions;
    return MP_OK;
}

/* ---- sending */

/* The pid of the family's root, which keeps handles on their way where the system needs that. */
static int32_t keeper(void)
{
    return mp__family_joined() ? (int32_t)mp__family.head->root_pid : mp__os_pid();
}

/* The head and, unless handles stand between them, the payload in one write. */
static mp_status_t write_message(mp_conn_t *conn, mp__buffer_t *message, const mp__transfer_t *transfer)
{
    size_t count = transfer ? transfer->count : 0;
    size_t first = count ? sizeof(head_t) : message->size;
    mp_status_t status = mp__os_channel_write(conn->end, message->data, first);
    if (status == MP_OK && count)
        status = mp__os_channel_pass(conn->end, transfer->handles, count, keeper());
    if (status == MP_OK && first < message->size)
        status = mp__os_channel_write(conn->end, message->data + first, message->size - first);
    return status;
}

static mp_status_t send_message(mp_conn_t *conn, mp__buffer_t *message, content_t content,
                                const mp__transfer_t *transfer)
{
    head_t head = {HEAD_MAGIC, (uint16_t)content, transfer ? (uint16_t)transfer->count : 0,
                   message->size - sizeof head};
    memcpy(message->data, &head, sizeof head);
    apr_thread_mutex_lock(conn->sending);
    mp_status_t status = write_message(conn, message, transfer);
    apr_thread_mutex_unlock(conn->sending);
    return status;
}

/* A message begins with room for its head. */
static mp_status_t begin_message(mp__buffer_t *message)
{
    head_t head = {0};
    mp__buffer_init(message);
    return mp__buffer_append(message, &head, sizeof head);
}

mp_status_t mp__conn_send(mp_conn_t *conn, mp_value_t value)
{
    mp_status_t status = check(conn, MP__CONN_SENDS, "send");
    if (status != MP_OK)
        return status;
    mp__buffer_t message;
    mp__transfer_t transfer;
    mp__carrier_t carrier = mp__transfer_carrier(&transfer);
    status = begin_message(&message);
    if (status == MP_OK)
        status = mp__encode(&value, &carrier, &message);
    if (status == MP_OK)
        status = send_message(conn, &message, VALUE, &transfer);
    mp__buffer_fini(&message);
    return status;
}

mp_status_t mp_conn_send_bytes(mp_conn_t *conn, const void *data, size_t size)
{
    mp_status_t status = check(conn, MP__CONN_SENDS, "send");
    if (status == MP_OK && !data && size)
        status = mp__error(MP_INVALID, "send", "no data");
    if (status == MP_OK && size > PAYLOAD_MOST)
        status = mp__error(MP_TOO_LARGE, "send", "more than 1 TiB");
    if (status != MP_OK)
        return status;
    mp__buffer_t message;
    status = begin_message(&message);
    if (status == MP_OK)
        status = mp__buffer_append(&message, data, size);
    if (status == MP_OK)
        status = send_message(conn, &message, BYTES, NULL);
    mp__buffer_fini(&message);
    return status;
}

/* ---- receiving: under `receiving` */

/* Reads the next head unless it was read before. */
static mp_status_t read_head(mp_conn_t *conn)
{
    if (conn->head.magic)
        return MP_OK;
    head_t head;
    mp_status_t status = mp__os_channel_read(conn->end, &head, sizeof head);
    if (status == MP_END)
        return mp__error(MP_END, "receive", "the other end is closed");
    if (status != MP_OK)
        return status;
    unsigned most = head.content == VALUE ? MP__TRANSFER_MOST : 0;
    if (head.magic != HEAD_MAGIC || head.content > BYTES || head.handles > most || head.size > PAYLOAD_MOST)
        return mp__error(MP_MALFORMED, "receive", "this is no head of a message");
    conn->head = head;
    return MP_OK;
}

/* The end in the middle of a message is no clean one. */
static mp_status_t inside(mp_status_t status)
{
    return status == MP_END ? mp__error(MP_TRUNCATED, "receive", "the other end closed in the middle of a message")
                            : status;
}

static mp_status_t read_payload(mp_conn_t *conn, uint64_t size, mp__buffer_t *out)
{
    mp_status_t status = MP_OK;
    while (status == MP_OK && size) {
        size_t step = (size_t)(size < READ_STEP ? size : READ_STEP);
        uint8_t *room = mp__buffer_reserve(out, step);
        status = room ? inside(mp__os_channel_read(conn->end, room, step)) : MP_NO_MEMORY;
        if (status == MP_OK)
            out->size += step;
        size -= step;
    }
    return status;
}

/* The whole next message, a value. */
static mp_status_t read_value_message(mp_conn_t *conn, mp__buffer_t *payload, mp__transfer_t *transfer)
{
    mp_status_t status = read_head(conn);
    if (status != MP_OK)
        return status;
    head_t head = conn->head;
    if (head.content != VALUE)
        return mp__error(MP_TYPE, "receive", "the next message is raw bytes");
    conn->head.magic = 0;
    if (head.handles) {
        status = inside(mp__os_channel_take(conn->end, transfer->handles, head.handles));
        transfer->count = status == MP_OK ? head.handles : 0;
    }
    return status == MP_OK ? read_payload(conn, head.size, payload) : status;
}

mp_status_t mp_conn_recv(mp_conn_t *conn, mp_value_t *value)
{
    if (value)
        *value = MP_NONE;
    mp_status_t status =
        value ? check(conn, MP__CONN_RECEIVES, "receive") : mp__error(MP_INVALID, "receive", "no place for the value");
    if (status != MP_OK)
        return status;
    mp__buffer_t payload;
    mp__transfer_t transfer = {.count = 0};
    mp__buffer_init(&payload);
    apr_thread_mutex_lock(conn->receiving);
    status = read_value_message(conn, &payload, &transfer);
    apr_thread_mutex_unlock(conn->receiving);
    mp__receiver_t receiver = mp__transfer_receiver(&transfer);
    if (status == MP_OK)
        status = mp__decode(payload.data, payload.size, &receiver, value);
    mp__transfer_drop(&transfer);
    mp__buffer_fini(&payload);
    return status;
}

static mp_status_t read_bytes_message(mp_conn_t *conn, void *data, size_t *size)
{
    mp_status_t status = read_head(conn);
    if (status != MP_OK)
        return status;
    uint64_t length = conn->head.size;
    size_t room = *size;
    if (conn->head.content != BYTES)
        return mp__error(MP_TYPE, "receive", "the next message is a value");
    *size = (size_t)length;
    if (length > room)
        return mp__error(MP_TOO_LARGE, "receive", "the message has %llu bytes, there is room for %llu",
                         (unsigned long long)length, (unsigned long long)room);
    conn->head.magic = 0;
    return length ? inside(mp__os_channel_read(conn->end, data, (size_t)length)) : MP_OK;
}

mp_status_t mp_conn_recv_bytes(mp_conn_t *conn, void *data, size_t *size)
{
    mp_status_t status = size && (data || !*size) ? check(conn, MP__CONN_RECEIVES, "receive")
                                                  : mp__error(MP_INVALID, "receive", "no room for the bytes");
    if (status != MP_OK)
        return status;
    apr_thread_mutex_lock(conn->receiving);
    status = read_bytes_message(conn, data, size);
    apr_thread_mutex_unlock(conn->receiving);
    return status;
}

mp_status_t mp__conn_watch(const mp_conn_t *conn, mp__os_handle_t *handle)
{
    mp_status_t status = check(conn, MP__CONN_RECEIVES, "wait for a connection");
    if (status == MP_OK)
        *handle = conn->head.magic ? MP__NO_HANDLE : conn->end;
    return status;
}

mp_status_t mp_conn_poll(mp_conn_t *conn, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = check(conn, MP__CONN_RECEIVES, "poll");
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    if (status != MP_OK || conn->head.magic)
        return status;
    status = mp__os_channel_poll(conn->end, deadline);
    return status == MP_TIMEOUT ? mp__error(MP_TIMEOUT, "poll", "nothing to receive") : status;
}
