/* A progress bar on a terminal's standard error; nothing where that is no terminal. */
#ifndef TREEHASH_PROGRESS_H
#define TREEHASH_PROGRESS_H

#include <stdint.h>

typedef struct treehash_progress {
    uint64_t files, files_done;
    uint64_t bytes, bytes_done;
    double began; /* mp_now() */
} treehash_progress_t;

void treehash_progress_show(const treehash_progress_t *progress);
void treehash_progress_clear(void);

#endif
