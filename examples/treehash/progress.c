/* The progress bar. */
#include "progress.h"

#include "terminal.h"

#include <multiproc.h>
#include <inttypes.h>
#include <stdio.h>

#define WIDTH 24

void treehash_progress_show(const treehash_progress_t *progress)
{
    if (!treehash_on_terminal())
        return;
    double seconds = mp_now() - progress->began;
    double rate = seconds > 0 ? (double)progress->bytes_done / seconds : 0;
    double share = progress->bytes ? (double)progress->bytes_done / (double)progress->bytes : 1;
    double left = rate > 0 ? (double)(progress->bytes - progress->bytes_done) / rate : 0;
    char bar[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < (int)(share * WIDTH) ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3.0f%%  %" PRIu64 "/%" PRIu64 " files  %.1f/%.1f MiB  %.1f MiB/s  %.0f s left \033[K", bar,
            share * 100, progress->files_done, progress->files, (double)progress->bytes_done / 1048576,
            (double)progress->bytes / 1048576, rate / 1048576, left);
    fflush(stderr);
}

void treehash_progress_clear(void)
{
    if (treehash_on_terminal())
        fputs("\r\033[K", stderr);
}
