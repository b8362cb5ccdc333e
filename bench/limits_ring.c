/* The limit of queues: one ring, one producer, one consumer, each with the other's place remembered, so that a cache
 * line moves once for many items. */
#include "limits.h"

#include "core/atomic.h"

#include <string.h>

#define SLOTS    1024u
#define AHEAD    64u  /* who finds nothing to do looks away for so long: the other gets ahead by some items */
#define PATIENCE 100u /* such times before the processor is given away */

typedef struct ring {
    uint64_t items;
    uint64_t pad[7];
    uint64_t head;
    uint64_t pad2[7];
    uint64_t tail;
    uint64_t pad3[7];
    uint8_t slots[SLOTS][64];
} ring_t;

static void relax(unsigned *rounds)
{
    for (unsigned i = 0; i < AHEAD; i++)
        mp__cpu_relax();
    if (++*rounds % PATIENCE == 0)
        bench_yield();
}

void bench_ring_produce(void *shared)
{
    ring_t *ring = shared;
    uint8_t item[64] = {0};
    uint64_t head = 0, items = ring->items;
    unsigned rounds = 0;
    for (uint64_t tail = 0; tail < items; tail++) {
        while (tail - head == SLOTS)
            if ((head = mp__load64(&ring->head)) + SLOTS == tail)
                relax(&rounds);
        memcpy(item, &tail, sizeof tail);
        memcpy(ring->slots[tail % SLOTS], item, sizeof item);
        mp__store64(&ring->tail, tail + 1);
    }
}

static uint64_t consume(ring_t *ring, uint64_t from, uint64_t upto)
{
    uint8_t item[64];
    uint64_t tail = from, sum = 0;
    unsigned rounds = 0;
    for (uint64_t head = from; head < upto; head++) {
        while (tail == head)
            if ((tail = mp__load64(&ring->tail)) == head)
                relax(&rounds);
        memcpy(item, ring->slots[head % SLOTS], sizeof item);
        mp__store64(&ring->head, head + 1);
        sum += item[63];
    }
    return sum;
}

double bench_raw_ring(uint64_t items)
{
    ring_t *ring = bench_shared_create(sizeof *ring);
    ring->items = items;
    bench_partner_t producer = bench_partner_start(bench_ring_produce, ring);
    consume(ring, 0, 1);
    int64_t began = bench_now();
    consume(ring, 1, items);
    double rate = (double)(items - 1) * 1e9 / (double)(bench_now() - began);
    bench_partner_join(&producer);
    bench_shared_free(ring, sizeof *ring);
    return rate;
}
