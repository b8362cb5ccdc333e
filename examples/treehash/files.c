/* Walks a directory. */
#include "files.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct walk {
    apr_pool_t *pool;
    apr_array_header_t *files;
    int failures;
} walk_t;

static void complain(walk_t *walk, const char *path, apr_status_t code)
{
    char text[200];
    fprintf(stderr, "treehash: %s: %s\n", path, apr_strerror(code, text, sizeof text));
    walk->failures++;
}

static void walk_directory(walk_t *walk, const char *directory);

static void add_file(walk_t *walk, const char *path)
{
    apr_finfo_t info;
    apr_status_t code = apr_stat(&info, path, APR_FINFO_TYPE | APR_FINFO_SIZE | APR_FINFO_LINK, walk->pool);
    if (code != APR_SUCCESS && code != APR_INCOMPLETE) {
        complain(walk, path, code);
    } else if (info.filetype == APR_REG) {
        treehash_file_t *file = apr_array_push(walk->files);
        *file = (treehash_file_t){.path = path, .size = info.size};
    }
}

/* Most systems tell an entry's type with its name; only for a file more is asked. */
static void visit(walk_t *walk, const char *directory, const apr_finfo_t *entry)
{
    size_t length = strlen(directory);
    bool slash = length && directory[length - 1] == '/';
    const char *path = apr_pstrcat(walk->pool, directory, slash ? "" : "/", entry->name, NULL);
    if (entry->filetype == APR_DIR)
        walk_directory(walk, path);
    else if (entry->filetype == APR_REG)
        add_file(walk, path);
    else if (!(entry->valid & APR_FINFO_TYPE))
        complain(walk, path, APR_INCOMPLETE);
}

static void walk_directory(walk_t *walk, const char *directory)
{
    apr_pool_t *own;
    apr_dir_t *open;
    apr_pool_create(&own, walk->pool);
    apr_status_t code = apr_dir_open(&open, directory, own);
    if (code != APR_SUCCESS) {
        complain(walk, directory, code);
    } else {
        apr_finfo_t entry;
        while ((code = apr_dir_read(&entry, APR_FINFO_NAME | APR_FINFO_TYPE, open)) == APR_SUCCESS ||
               code == APR_INCOMPLETE)
            if (strcmp(entry.name, ".") != 0 && strcmp(entry.name, "..") != 0)
                visit(walk, directory, &entry);
        apr_dir_close(open);
    }
    apr_pool_destroy(own);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const treehash_file_t *)a)->path, ((const treehash_file_t *)b)->path);
}

int treehash_files(const char *directory, apr_pool_t *pool, apr_array_header_t **files)
{
    walk_t walk = {pool, apr_array_make(pool, 1024, sizeof(treehash_file_t)), 0};
    walk_directory(&walk, directory);
    qsort(walk.files->elts, (size_t)walk.files->nelts, sizeof(treehash_file_t), by_path);
    *files = walk.files;
    return walk.failures;
}
