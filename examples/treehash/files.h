/* The regular files below a directory. */
#ifndef TREEHASH_FILES_H
#define TREEHASH_FILES_H

#include "digest.h"

#include <apr_pools.h>
#include <apr_tables.h>
#include <stdbool.h>

typedef struct treehash_file {
    const char *path; /* as DIR/name/name */
    apr_off_t size;
    bool done;
    unsigned char digest[TREEHASH_DIGEST_SIZE]; /* when it is done */
} treehash_file_t;

/* Collects them, sorted by path; symbolic links are not followed. What cannot be read is told on standard error;
 * returns how many times. The array of treehash_file_t lives in the pool. */
int treehash_files(const char *directory, apr_pool_t *pool, apr_array_header_t **files);

#endif
