/* Leases: an item that stays the queue's until its taker says that it is done with it. */
#include <multiproc/lease.h>

#include "objects/queue/book.h"

#include "objects/transfer.h"
#include "wire/codec.h"

#include <stdlib.h>

struct mp_lease {
    mp_queue_t *queue;
    uint64_t number;
    uint32_t record;
    uint32_t attempt;
    mp__item_t type;
    mp__buffer_t bytes; /* the item's: a copy of this process's own */
};

static void free_lease(mp_lease_t *lease)
{
    mp__buffer_fini(&lease->bytes);
    mp__handle_release(&lease->queue->shared.handle);
    free(lease);
}

static mp_status_t end_lease(mp_lease_t *lease, bool done)
{
    if (!lease)
        return MP_OK;
    mp_status_t status = mp__family_join();
    if (status == MP_OK)
        status = mp__book_end_lease(lease->queue, lease->record, lease->number, lease->attempt, done);
    free_lease(lease);
    return status;
}

static mp_lease_t *new_lease(mp_queue_t *queue)
{
    mp_lease_t *lease = malloc(sizeof *lease);
    if (!lease)
        return NULL;
    lease->queue = queue;
    mp__buffer_init(&lease->bytes);
    mp__handle_keep(&queue->shared.handle);
    return lease;
}

mp_status_t mp_queue_get_leased(mp_queue_t *queue, mp_lease_t **out, double timeout)
{
    if (out)
        *out = NULL;
    mp_status_t status =
        out ? mp__queue_begin(queue, timeout) : mp__error(MP_INVALID, "get from a queue", "no place for the lease");
    if (status != MP_OK)
        return status;
    mp_lease_t *lease = new_lease(queue);
    if (!lease)
        return mp__error(MP_NO_MEMORY, "get from a queue", "no memory for a lease");
    mp__wanted_t wanted;
    mp__want(&wanted, MP__LEASED, MP__ITEM_ANY, UINT64_MAX);
    wanted.out = &lease->bytes;
    status = mp__queue_take_in(queue, &wanted, timeout);
    /* A large item was copied without a lock: it was the queue's all the while if there still is one. */
    if (status == MP_OK && !mp__object_is(queue->shared.header, &queue->shared.handle.reference))
        status = mp__object_gone("get from a queue");
    if (status != MP_OK) {
        free_lease(lease);
        return status;
    }
    lease->number = wanted.number;
    lease->record = wanted.record;
    lease->attempt = wanted.attempt;
    lease->type = wanted.type;
    *out = lease;
    return MP_OK;
}

mp_status_t mp_lease_value(const mp_lease_t *lease, mp_value_t *value)
{
    if (value)
        *value = MP_NONE;
    if (!lease || !value)
        return mp__error(MP_INVALID, "look at a lease", "there is none, or no place for the value");
    if (lease->type != MP__ITEM_VALUE)
        return mp__error(MP_TYPE, "look at a lease", "the item is raw bytes");
    return mp__decode(lease->bytes.data, lease->bytes.size, &mp__shared_receiver, value);
}

mp_status_t mp_lease_bytes(const mp_lease_t *lease, const void **data, size_t *size)
{
    if (!lease || !data || !size)
        return mp__error(MP_INVALID, "look at a lease", "there is none, or no place for the bytes");
    if (lease->type != MP__ITEM_BYTES)
        return mp__error(MP_TYPE, "look at a lease", "the item is a value");
    *data = lease->bytes.data;
    *size = lease->bytes.size;
    return MP_OK;
}

uint32_t mp_lease_attempt(const mp_lease_t *lease)
{
    return lease ? lease->attempt : 0;
}

mp_status_t mp_lease_done(mp_lease_t *lease)
{
    return end_lease(lease, true);
}

mp_status_t mp_lease_return(mp_lease_t *lease)
{
    return end_lease(lease, false);
}
