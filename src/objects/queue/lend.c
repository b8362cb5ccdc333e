/* Payloads lent in place: written and read where they lie. The block is this process's as long as it is lent. */
#include <multiproc/lend.h>

#include "objects/queue/chain.h"

static void set_lent(mp_lent_t *lent, mp__block_t block, uint64_t size)
{
    lent->data = mp__block_at(block, NULL);
    lent->size = (size_t)size;
    lent->block = block;
}

static mp_status_t no_place(const char *step)
{
    return mp__error(MP_INVALID, step, "no place for what is lent");
}

mp_status_t mp_queue_reserve(mp_queue_t *queue, size_t size, mp_lent_t *lent, double timeout)
{
    mp__deadline_t deadline;
    mp__block_t block;
    if (lent)
        *lent = (mp_lent_t){NULL, 0, 0};
    mp_status_t status = lent ? mp__queue_begin(queue, timeout) : no_place("reserve in a queue");
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    if (status == MP_OK)
        status = mp__queue_alloc(queue, size, deadline, &block);
    if (status == MP_OK)
        set_lent(lent, block, size);
    return status;
}

mp_status_t mp_queue_commit(mp_queue_t *queue, mp_lent_t *lent, size_t size, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = lent ? mp__queue_begin(queue, timeout) : no_place("commit to a queue");
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    if (status != MP_OK)
        return status;
    mp__block_t block;
    uint64_t room;
    mp__owner_t self = mp__owner_process(mp__family.process);
    if (!mp__block_owned(mp__low(lent->block), self, &block, &room) || block != lent->block)
        return mp__error(MP_INVALID, "commit to a queue", "this process does not have it");
    if (size > lent->size || size > room) /* behind it lies what others had there before */
        return mp__error(MP_INVALID, "commit to a queue", "%llu bytes of %llu", (unsigned long long)size,
                         (unsigned long long)lent->size);
    status = mp__queue_put_block(queue, MP__ITEM_BYTES, block, size, deadline);
    if (status == MP_OK)
        *lent = (mp_lent_t){NULL, 0, 0};
    return status;
}

mp_status_t mp_queue_get_lent(mp_queue_t *queue, mp_lent_t *lent, double timeout)
{
    if (lent)
        *lent = (mp_lent_t){NULL, 0, 0};
    mp_status_t status = lent ? mp__queue_begin(queue, timeout) : no_place("get from a queue");
    if (status != MP_OK)
        return status;
    mp__wanted_t wanted;
    mp__want(&wanted, MP__LENT, MP__ITEM_BYTES, UINT64_MAX);
    status = mp__queue_take_in(queue, &wanted, timeout);
    if (status == MP_OK)
        set_lent(lent, wanted.block, wanted.size);
    return status;
}

mp_status_t mp_lent_return(mp_lent_t *lent)
{
    mp__block_t block;
    uint64_t room;
    if (!lent || !lent->block)
        return MP_OK;
    mp_status_t status = mp__family_join();
    if (status != MP_OK)
        return status;
    bool mine = mp__block_owned(mp__low(lent->block), mp__owner_process(mp__family.process), &block, &room) &&
                block == lent->block;
    *lent = (mp_lent_t){NULL, 0, 0};
    if (!mine)
        return mp__error(MP_INVALID, "return what was lent", "this process does not have it");
    mp__block_free(block);
    return MP_OK;
}
