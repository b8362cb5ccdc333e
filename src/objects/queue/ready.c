/* Is there something to get? For who waits for any of several objects. */
#include "objects/ready.h"

#include "objects/queue/book.h"

/* Looks at what is first without taking it, after a repair where one is due. */
static bool look_inside(mp_queue_t *queue)
{
    mp__header_t *header = queue->shared.header;
    const mp__content_t *c = mp__content(header);
    mp__spot_t spot;
    uint64_t word;
    mp_status_t status = mp__lock_get_side(queue, 0);
    if (status != MP_OK)
        return status != MP_TIMEOUT;
    mp__book_find_dead(queue);
    bool any = mp__load64(&c->returned) || mp__first_item(header, &queue->get_chunk, &spot, &word) != MP_BUSY;
    mp__unlock_side(&header->second);
    return any;
}

bool mp__queue_ready(mp_queue_t *queue, bool in_doubt)
{
    const mp__content_t *c = mp__content(queue->shared.header);
    /* What was leased to somebody who died comes back only when somebody looks. */
    return mp__queue_count(c) > 0 || mp__load64(&c->closed) ||
           ((in_doubt || mp__book_look_due(c)) && look_inside(queue));
}
