/* The public queue: its making, its end, values and bytes in and out. */
#include "objects/queue/book.h"

#include "objects/transfer.h"
#include "wire/codec.h"

/* ---- its making and its end */

mp_status_t mp__queue_open(const mp__reference_t *reference, void **queue)
{
    return mp__shared_open_sized(MP_KIND_QUEUE, sizeof(mp_queue_t), reference, queue);
}

static mp_status_t check_options(const mp_queue_options_t *options)
{
    if ((options->attempts != 0) != (options->dead_letters != NULL))
        return mp__error(MP_INVALID, "make a queue", "attempts and dead_letters go together");
    return options->dead_letters ? mp__shared_use((mp__shared_t *)options->dead_letters, MP_KIND_QUEUE) : MP_OK;
}

static void set_options(mp__content_t *c, const mp_queue_options_t *options)
{
    c->max_items = options->max_items;
    c->max_bytes = options->max_bytes;
    c->flags = (options->max_bytes ? MP__QUEUE_BYTES : 0) | (options->joinable ? MP__QUEUE_JOINABLE : 0);
    if (options->dead_letters) {
        c->flags |= MP__QUEUE_BURIES;
        c->attempts = options->attempts;
        c->letters = options->dead_letters->shared.handle.reference;
    }
}

/* The first chunk, and the book where every get needs it. */
static mp_status_t fill(mp_queue_t *queue)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    mp__block_t block;
    mp_status_t status = mp__block_alloc(mp__queue_first_chunk, mp__container(header), &block);
    if (status != MP_OK)
        return status;
    mp__lay_first(mp__family.base + (uint64_t)mp__low(block) * MP__UNIT, c);
    c->tail = c->head = mp__pair(mp__low(block), 0);
    return c->flags & MP__QUEUE_JOINABLE ? mp__book_open(queue) : MP_OK;
}

mp_status_t mp__queue_create_with(mp_queue_t **queue, const mp_queue_options_t *options, size_t options_size)
{
    mp_queue_options_t known = {0};
    if (queue)
        *queue = NULL;
    if (options)
        memcpy(&known, options, options_size < sizeof known ? options_size : sizeof known);
    mp_status_t status = check_options(&known);
    if (status == MP_OK)
        status = mp__shared_create_sized(MP_KIND_QUEUE, sizeof(mp_queue_t), (mp__shared_t **)queue);
    if (status != MP_OK)
        return status;
    set_options(mp__content((*queue)->shared.header), &known);
    status = fill(*queue);
    if (status != MP_OK) {
        mp_queue_close(*queue);
        *queue = NULL;
    }
    return status;
}

mp_status_t mp_queue_create(mp_queue_t **queue, uint64_t max_items)
{
    const mp_queue_options_t options = {.max_items = max_items};
    return mp__queue_create_with(queue, &options, sizeof options);
}

mp_status_t mp_queue_close(mp_queue_t *queue)
{
    return mp__shared_close((mp__shared_t *)queue, MP_KIND_QUEUE, mp__release_chain);
}

mp_status_t mp__queue_end(mp_queue_t *queue)
{
    mp__shared_t *shared = &queue->shared;
    if (!mp__shared_mine(shared))
        return mp__error(MP_STATE, "end a queue", "this process did not make it, or has ended it");
    shared->maker = 0;
    return mp__object_end(shared->header, &shared->handle.reference, mp__release_chain);
}

/* ---- questions */

/* If somebody died in it, the counts are not right before the repair, nor before a dead one's leases came back. */
static mp_status_t settle(mp_queue_t *queue)
{
    mp__header_t *header = queue->shared.header;
    bool due = mp__book_look_due(mp__content(header));
    mp_status_t status = MP_OK;
    if (mp__load64(&header->lock) && (status = mp__lock_put_side(queue, 0)) == MP_OK)
        mp__unlock_side(&header->lock);
    if (status != MP_OK && status != MP_TIMEOUT)
        return status;
    if ((due || mp__load64(&header->second)) && (status = mp__lock_get_side(queue, 0)) == MP_OK) {
        if (due)
            mp__book_find_dead(queue);
        mp__unlock_side(&header->second);
    }
    return status == MP_TIMEOUT ? MP_OK : status;
}

/* How many items are in it, and of how many bytes. */
static mp_status_t measure(mp_queue_t *queue, uint64_t *items, uint64_t *bytes)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)queue, MP_KIND_QUEUE);
    if (status == MP_OK)
        status = mp__shared_unmet((mp__shared_t *)queue, settle(queue), "ask a queue");
    if (status != MP_OK)
        return status;
    const mp__content_t *c = mp__content(queue->shared.header);
    uint64_t got = mp__load64(&c->got_bytes);
    bool dropped = mp__load64(&c->closed) & MP__QUEUE_DROPPED; /* so far or not: nobody gets it any more */
    *items = dropped ? 0 : mp__queue_count(c);
    *bytes = dropped ? 0 : mp__load64(&c->put_bytes) - got;
    return mp__object_is(queue->shared.header, &queue->shared.handle.reference) ? MP_OK
                                                                                : mp__object_gone("ask a queue's size");
}

mp_status_t mp_queue_size(mp_queue_t *queue, uint64_t *size)
{
    uint64_t items = 0, bytes = 0;
    mp_status_t status = size ? measure(queue, &items, &bytes) : mp__error(MP_INVALID, "ask a queue", "no place");
    if (status == MP_OK)
        *size = items;
    return status;
}

mp_status_t mp_queue_is_empty(mp_queue_t *queue, bool *empty)
{
    uint64_t items = 0, bytes = 0;
    mp_status_t status = empty ? measure(queue, &items, &bytes) : mp__error(MP_INVALID, "ask a queue", "no place");
    if (status == MP_OK)
        *empty = items == 0;
    return status;
}

mp_status_t mp_queue_is_full(mp_queue_t *queue, bool *full)
{
    uint64_t items = 0, bytes = 0;
    mp_status_t status = full ? measure(queue, &items, &bytes) : mp__error(MP_INVALID, "ask a queue", "no place");
    if (status != MP_OK)
        return status;
    const mp__content_t *c = mp__content(queue->shared.header);
    *full = (c->max_items && items >= c->max_items) || (c->max_bytes && bytes >= c->max_bytes);
    return MP_OK;
}

/* ---- values */

mp_status_t mp__queue_put(mp_queue_t *queue, mp_value_t value, double timeout)
{
    mp_status_t status = mp__queue_begin(queue, timeout);
    if (status != MP_OK)
        return status;
    mp__buffer_t buffer;
    mp__buffer_init(&buffer);
    status = mp__encode(&value, NULL, &buffer);
    if (status == MP_OK)
        status = mp__queue_put_in(queue, MP__ITEM_VALUE, buffer.data, buffer.size, timeout);
    mp__buffer_fini(&buffer);
    return status;
}

static mp_status_t no_place(void)
{
    return mp__error(MP_INVALID, "get from a queue", "no place for it");
}

mp_status_t mp_queue_get(mp_queue_t *queue, mp_value_t *value, double timeout)
{
    if (value)
        *value = MP_NONE;
    mp_status_t status = value ? mp__queue_begin(queue, timeout) : no_place();
    if (status != MP_OK)
        return status;
    mp__buffer_t buffer;
    mp__buffer_init(&buffer);
    mp__wanted_t wanted;
    mp__want(&wanted, MP__COPIED, MP__ITEM_VALUE, UINT64_MAX);
    wanted.out = &buffer;
    status = mp__queue_take_in(queue, &wanted, timeout);
    if (status == MP_OK)
        status = mp__decode(buffer.data, buffer.size, &mp__shared_receiver, value);
    mp__buffer_fini(&buffer);
    return status;
}

/* ---- bytes */

static mp_status_t no_data(void)
{
    return mp__error(MP_INVALID, "put into a queue", "no data");
}

mp_status_t mp_queue_put_bytes(mp_queue_t *queue, const void *data, size_t size, double timeout)
{
    mp_status_t status = data || !size ? mp__queue_begin(queue, timeout) : no_data();
    return status == MP_OK ? mp__queue_put_in(queue, MP__ITEM_BYTES, data, size, timeout) : status;
}

static uint8_t nowhere; /* where nothing is written: room for no bytes */

mp_status_t mp_queue_get_bytes(mp_queue_t *queue, void *data, size_t *size, double timeout)
{
    mp_status_t status = size && (data || !*size) ? mp__queue_begin(queue, timeout) : no_place();
    if (status != MP_OK)
        return status;
    mp__wanted_t wanted;
    mp__want(&wanted, MP__COPIED, MP__ITEM_BYTES, *size);
    wanted.room = data ? data : &nowhere;
    status = mp__queue_take_in(queue, &wanted, timeout);
    if (status == MP_OK || status == MP_TOO_LARGE)
        *size = (size_t)wanted.size;
    return status;
}
