/* Shutting a queue down, and waiting until what was put is done with. */
#include "objects/queue/book.h"

#define DROPS 1000 /* items dropped under one lock */

/* ---- the shutdown */

/* Drops some of what is in it; false: that was all. Under header.second. */
static bool drop_some(mp_queue_t *queue)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    mp__spot_t spot;
    uint64_t word;
    if (c->returned)
        mp__book_drop_returned(queue);
    for (int i = 0; i < DROPS; i++) {
        if (mp__first_item(header, &queue->get_chunk, &spot, &word) != MP_OK)
            return false;
        if (MP__WORD_KIND(word) == MP__BIG)
            mp__block_free(mp__big_at(c, &spot).block);
        bool booked = c->book && mp__book_lost(queue) == MP_OK;
        mp__pass_items(c, &spot, word, 1, mp__item_size(c, &spot, word));
        if (booked)
            mp__book_apply(queue);
    }
    return true;
}

mp_status_t mp_queue_shutdown(mp_queue_t *queue, bool immediate)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)queue, MP_KIND_QUEUE);
    if (status == MP_OK)
        status = mp__lock_put_side(queue, MP__NEVER);
    if (status != MP_OK)
        return status;
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    mp__store64(&c->closed, c->closed | MP__QUEUE_SHUT | (immediate ? MP__QUEUE_DROPPED : 0));
    mp__unlock_side(&header->lock);
    for (bool more = immediate; more && status == MP_OK;) {
        status = mp__lock_get_side(queue, MP__NEVER);
        if (status == MP_OK) {
            more = drop_some(queue);
            mp__unlock_side(&header->second);
        }
    }
    mp__wait_notify_all(&header->waits[MP__NOT_EMPTY]);
    mp__wait_notify_all(&header->waits[MP__NOT_FULL]);
    return status;
}

/* ---- the join */

static mp_status_t use_joinable(mp_queue_t *queue)
{
    mp_status_t status = mp__shared_use((mp__shared_t *)queue, MP_KIND_QUEUE);
    if (status == MP_OK && !(mp__content(queue->shared.header)->flags & MP__QUEUE_JOINABLE))
        status = mp__error(MP_STATE, "join a queue", "it was not made joinable");
    return status;
}

mp_status_t mp_queue_task_done(mp_queue_t *queue)
{
    mp_status_t status = use_joinable(queue);
    return status == MP_OK ? mp__book_task_done(queue) : status;
}

/* How many are not done with, exactly, and how many were lost. */
static mp_status_t look(mp_queue_t *queue, mp__deadline_t deadline, uint64_t *unfinished, uint64_t *told,
                        uint64_t *lost)
{
    mp__header_t *header = queue->shared.header;
    mp_status_t status = mp__lock_put_side(queue, deadline);
    if (status != MP_OK)
        return status;
    status = mp__lock_get_side(queue, deadline);
    if (status == MP_OK) {
        /* Who shut it down may have died before all was dropped. */
        for (bool more = (mp__content(header)->closed & MP__QUEUE_DROPPED) != 0; more;)
            more = drop_some(queue);
        *unfinished = mp__book_unfinished(queue, told, lost);
        mp__unlock_side(&header->second);
    }
    mp__unlock_side(&header->lock);
    return status;
}

mp_status_t mp_queue_join(mp_queue_t *queue, double timeout)
{
    mp__deadline_t deadline;
    mp_status_t status = use_joinable(queue);
    if (status == MP_OK)
        status = mp__deadline(timeout, &deadline);
    for (uint64_t unfinished = 0, told = UINT64_MAX, lost = 0; status == MP_OK;) {
        uint32_t seen = mp__wait_announce(&queue->shared.header->waits[MP__ALL_DONE]);
        status = look(queue, deadline, &unfinished, &told, &lost);
        if (status != MP_OK)
            break;
        if (lost)
            return mp__error(MP_OWNER_DIED, "join a queue", "%llu items were with processes that died",
                             (unsigned long long)lost);
        if (!unfinished)
            return MP_OK;
        status = mp__queue_sleep(queue, MP__ALL_DONE, seen, NULL, deadline);
    }
    return status == MP_TIMEOUT ? mp__error(MP_TIMEOUT, "join a queue", "not all is done with") : status;
}
