/* The limits of large messages: a pipe, and a copy within one process. */
#include "limits.h"
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define BUFFERS 4u /* as many as the queue's bound lets be under way */

typedef struct stream {
    bench_pipe_t pipe;
    size_t size;
    uint64_t messages;
} stream_t;

static uint8_t *new_message(size_t size)
{
    uint8_t *message = malloc(size);
    if (!message)
        bench_fail("no memory");
    memset(message, 1, size);
    return message;
}

void bench_pipe_produce(void *shared)
{
    const stream_t *stream = shared;
    uint8_t *message = new_message(stream->size);
    for (uint64_t i = 0; i < stream->messages; i++)
        bench_pipe_write(&stream->pipe, message, stream->size);
    free(message);
}

double bench_raw_pipe(size_t size, uint64_t messages)
{
    stream_t *stream = bench_shared_create(sizeof *stream);
    uint8_t *message = new_message(size);
    bench_pipe_open(&stream->pipe);
    stream->size = size;
    stream->messages = messages + 1;
    bench_partner_t producer = bench_partner_start(bench_pipe_produce, stream);
    bench_pipe_read(&stream->pipe, message, size);
    int64_t began = bench_now();
    for (uint64_t i = 0; i < messages; i++)
        bench_pipe_read(&stream->pipe, message, size);
    double rate = (double)size * (double)messages * 1e9 / (double)(bench_now() - began);
    bench_partner_join(&producer);
    bench_pipe_close(&stream->pipe);
    bench_shared_free(stream, sizeof *stream);
    free(message);
    return rate;
}

double bench_raw_memcpy(size_t size, uint64_t messages)
{
    uint8_t *from = new_message(size), *buffers = bench_shared_create(BUFFERS * size);
    memset(buffers, 1, BUFFERS * size);
    int64_t began = bench_now();
    for (uint64_t i = 0; i < messages; i++) {
        from[0] = (uint8_t)i;
        memcpy(buffers + i % BUFFERS * size, from, size);
    }
    double rate = (double)size * (double)messages * 1e9 / (double)(bench_now() - began);
    free(from);
    bench_shared_free(buffers, BUFFERS * size);
    return rate;
}
