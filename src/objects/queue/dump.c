/* What mp_dump() says of a queue. */
#include "objects/dump.h"

#include "objects/queue/book.h"

static void dump_sizes(const mp__content_t *c, mp__dump_t *dump)
{
    unsigned long long items = mp__queue_count(c), most = c->max_items;
    uint64_t put = mp__load64(&c->put_bytes), got = mp__load64(&c->got_bytes);
    if (most)
        mp__dump_line(dump, "  items: %llu of %llu at most", items, most);
    else
        mp__dump_line(dump, "  items: %llu", items);
    if (c->flags & MP__QUEUE_BYTES)
        mp__dump_line(dump, "  bytes: %llu of %llu at most", (unsigned long long)(put > got ? put - got : 0),
                      (unsigned long long)c->max_bytes);
}

void mp__queue_dump(mp__header_t *header, mp__dump_t *dump)
{
    const mp__content_t *c = mp__content(header);
    uint64_t unfinished, closed = mp__load64(&c->closed), leases = mp__load64(&c->leases);
    dump_sizes(c, dump);
    if (leases)
        mp__dump_line(dump, "  on lease: %llu", (unsigned long long)leases);
    if ((c->flags & MP__QUEUE_JOINABLE) && mp__book_glance(header, &unfinished))
        mp__dump_line(dump, "  unfinished tasks: %llu", (unsigned long long)unfinished);
    if (closed & MP__QUEUE_SHUT)
        mp__dump_line(dump, "  shut down%s", closed & MP__QUEUE_DROPPED ? ", and what was in it dropped" : "");
}
