/* Several items with one call. */
#include "objects/queue/chain.h"

#include "objects/transfer.h"
#include "wire/codec.h"

#define ROW  64    /* values taken at once */
#define ROOM 16384 /* bytes for them; a larger one comes alone */

static mp_status_t no_items(const char *step)
{
    return mp__error(MP_INVALID, step, "no items, or no place for their number");
}

static mp_status_t got_none(mp_status_t status, size_t *n)
{
    if (n)
        *n = 0;
    return status;
}

/* ---- bytes */

mp_status_t mp_queue_put_bytes_many(mp_queue_t *queue, const mp_bytes_t *items, size_t n, size_t *done, double timeout)
{
    size_t count = 0;
    mp__deadline_t deadline;
    mp_status_t status = items || !n ? mp__queue_begin(queue, timeout) : no_items("put into a queue");
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    for (size_t i = 0; i < n && status == MP_OK; i++)
        if (!items[i].data && items[i].size)
            status = no_items("put into a queue");
    if (status == MP_OK)
        status = mp__queue_put_items(queue, MP__ITEM_BYTES, items, n, &count, deadline);
    if (done)
        *done = count;
    return status;
}

mp_status_t mp_queue_get_bytes_many(mp_queue_t *queue, void *room, size_t *size, mp_bytes_t *items, size_t *n,
                                    double timeout)
{
    bool good = room && size && items && n && *n;
    mp_status_t status = good ? mp__queue_begin(queue, timeout) : no_items("get from a queue");
    if (status != MP_OK)
        return got_none(status, n);
    mp__wanted_t wanted;
    mp__want(&wanted, MP__COPIED, MP__ITEM_BYTES, *size);
    wanted.room = room;
    wanted.items = items;
    wanted.n = *n;
    status = mp__queue_take_in(queue, &wanted, timeout);
    *n = status == MP_OK ? wanted.n : 0;
    if (status == MP_OK || status == MP_TOO_LARGE)
        *size = (size_t)wanted.size;
    return status;
}

/* ---- values */

/* Encodes all of them; ends[i] is where the i-th one ends. */
static mp_status_t encode_all(const mp_value_t *values, size_t n, mp__buffer_t *out, mp__buffer_t *ends)
{
    mp_status_t status = MP_OK;
    for (size_t i = 0; i < n && status == MP_OK; i++) {
        status = mp__encode(&values[i], NULL, out);
        if (status == MP_OK)
            status = mp__buffer_append(ends, &out->size, sizeof out->size);
    }
    return status;
}

/* A row of encoded items. */
static mp_status_t put_encoded(mp_queue_t *queue, const mp__buffer_t *bytes, const mp__buffer_t *ends, size_t n,
                               size_t *done, mp__deadline_t deadline)
{
    mp_status_t status = MP_OK;
    size_t begin = 0, end;
    while (status == MP_OK && *done < n) {
        mp_bytes_t row[ROW];
        size_t count = n - *done < ROW ? n - *done : ROW, put;
        for (size_t i = 0; i < count; i++, begin = end) {
            memcpy(&end, ends->data + (*done + i) * sizeof end, sizeof end);
            row[i] = (mp_bytes_t){bytes->data + begin, end - begin};
        }
        status = mp__queue_put_items(queue, MP__ITEM_VALUE, row, count, &put, deadline);
        *done += put;
    }
    return status;
}

mp_status_t mp_queue_put_many(mp_queue_t *queue, const mp_value_t *values, size_t n, size_t *done, double timeout)
{
    size_t count = 0;
    mp__deadline_t deadline;
    mp__buffer_t bytes, ends;
    mp_status_t status = values || !n ? mp__queue_begin(queue, timeout) : no_items("put into a queue");
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    mp__buffer_init(&bytes);
    mp__buffer_init(&ends);
    if (status == MP_OK)
        status = encode_all(values, n, &bytes, &ends);
    if (status == MP_OK)
        status = put_encoded(queue, &bytes, &ends, n, &count, deadline);
    mp__buffer_fini(&bytes);
    mp__buffer_fini(&ends);
    if (done)
        *done = count;
    return status;
}

/* Takes up to a row of values; the first status of decoding that is not MP_OK, and that value is None. */
static mp_status_t get_row(mp_queue_t *queue, mp_value_t *values, size_t *n, double timeout)
{
    uint8_t room[ROOM];
    mp_bytes_t items[ROW];
    mp__wanted_t wanted;
    mp__want(&wanted, MP__COPIED, MP__ITEM_VALUE, ROOM);
    wanted.room = room;
    wanted.items = items;
    wanted.n = *n < ROW ? *n : ROW;
    *n = 0;
    mp_status_t status = mp__queue_take_in(queue, &wanted, timeout);
    if (status != MP_OK)
        return status;
    *n = wanted.n;
    for (size_t i = 0; i < wanted.n; i++) {
        mp_status_t decoded = mp__decode(items[i].data, items[i].size, &mp__shared_receiver, &values[i]);
        status = status == MP_OK ? decoded : status;
    }
    return status;
}

mp_status_t mp_queue_get_many(mp_queue_t *queue, mp_value_t *values, size_t *n, double timeout)
{
    mp_status_t status = values && n && *n ? mp__queue_begin(queue, timeout) : no_items("get from a queue");
    if (status != MP_OK)
        return got_none(status, n);
    size_t most = *n, count = most;
    status = get_row(queue, values, &count, timeout);
    if (status == MP_TOO_LARGE) {
        status = mp_queue_get(queue, values, timeout);
        count = status == MP_OK;
    }
    *n = count;
    while (status == MP_OK && *n < most) {
        count = most - *n;
        status = get_row(queue, values + *n, &count, 0);
        *n += count;
        if (count == 0)
            return MP_OK; /* that was all for now */
    }
    return status;
}
