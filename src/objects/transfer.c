/* Objects inside messages. A connection's number among the message's handles carries its directions in the two lowest
 * bits. */
#include "objects/transfer.h"

#include "objects/connection.h"
#include "objects/lock.h"
#include "objects/manager.h"
#include "objects/queue.h"

static mp_status_t attach(void *context, const mp_value_t *object, uint32_t *index)
{
    mp__transfer_t *transfer = context;
    if (transfer->count == MP__TRANSFER_MOST)
        return mp__error(MP_TOO_LARGE, "send", "more than %d connections and descriptors in one message",
                         MP__TRANSFER_MOST);
    mp__os_handle_t handle = object->as.descriptor;
    uint32_t directions = 0;
    if (mp_value_kind(*object) == MP_KIND_CONN) {
        mp_status_t status = mp__conn_lend(object->as.object, &handle, &directions);
        if (status != MP_OK)
            return status;
    }
    *index = (uint32_t)transfer->count << 2 | directions;
    transfer->handles[transfer->count++] = handle;
    return MP_OK;
}

mp__carrier_t mp__transfer_carrier(mp__transfer_t *transfer)
{
    transfer->count = 0;
    transfer->copied = 0;
    return (mp__carrier_t){attach, transfer};
}

_Static_assert(MP__TRANSFER_MOST <= 64, "a bit each");

/* Would the child that closes it close something else, too? */
static bool is_shared(const mp__transfer_t *transfer, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (transfer->handles[before] == transfer->handles[i])
            return true;
    for (size_t number = 0; number < 3; number++)
        if (mp__os_standard(number) == transfer->handles[i])
            return true;
    return false;
}

mp_status_t mp__transfer_separate(mp__transfer_t *transfer)
{
    mp_status_t status = MP_OK;
    for (size_t i = 0; i < transfer->count && status == MP_OK; i++) {
        if (!is_shared(transfer, i))
            continue;
        status = mp__os_handle_copy(transfer->handles[i], &transfer->handles[i]);
        if (status == MP_OK)
            transfer->copied |= UINT64_C(1) << i;
    }
    return status;
}

void mp__transfer_close_copies(mp__transfer_t *transfer)
{
    for (size_t i = 0; i < transfer->count; i++)
        if (transfer->copied >> i & 1)
            mp__os_handle_close(transfer->handles[i]);
    transfer->copied = 0;
}

static mp_status_t take(void *context, uint32_t index, mp_kind_t kind, void **object)
{
    mp__transfer_t *transfer = context;
    uint32_t number = index >> 2, directions = index & 3;
    bool conn = kind == MP_KIND_CONN;
    if (!transfer || number >= transfer->count || transfer->handles[number] == MP__NO_HANDLE ||
        conn != (directions != 0))
        return mp__error(MP_MALFORMED, "receive", "the message names a handle that did not come with it");
    mp__os_handle_t handle = transfer->handles[number];
    if (conn) {
        mp_status_t status = mp__conn_adopt(handle, directions, object);
        if (status != MP_OK)
            return status;
    } else {
        *object = (void *)handle;
    }
    transfer->handles[number] = MP__NO_HANDLE;
    return MP_OK;
}

static mp_status_t open(void *context, mp_kind_t kind, const mp__reference_t *reference, uint64_t item, void **object)
{
    (void)context;
    switch (kind) {
    case MP_KIND_QUEUE:
        return mp__queue_open(reference, object);
    case MP_KIND_LOCK:
        return mp__lock_open(reference, object);
    case MP_KIND_RLOCK:
    case MP_KIND_SEMAPHORE:
    case MP_KIND_CONDITION:
    case MP_KIND_EVENT:
    case MP_KIND_BARRIER:
    case MP_KIND_SHARED_MEMORY:
    case MP_KIND_SHARED_VALUE:
    case MP_KIND_SHARED_ARRAY:
    case MP_KIND_SHAREABLE_LIST:
        return mp__shared_open(kind, reference, object);
    case MP_KIND_MANAGER:
    case MP_KIND_DICT_PROXY:
    case MP_KIND_LIST_PROXY:
        return mp__manager_open(kind, reference, item, object);
    default:
        return mp__error(MP_MALFORMED, "receive", "a %s does not travel by reference", mp_kind_name(kind));
    }
}

mp__receiver_t mp__transfer_receiver(mp__transfer_t *transfer)
{
    return (mp__receiver_t){open, take, transfer};
}

void mp__transfer_drop(mp__transfer_t *transfer)
{
    for (size_t i = 0; i < transfer->count; i++)
        mp__os_handle_close(transfer->handles[i]);
    transfer->count = 0;
}

const mp__receiver_t mp__shared_receiver = {open, take, NULL};
