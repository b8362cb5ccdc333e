/*
 * treehash DIR [-j N]: SHA-256 of every regular file below DIR, in sha256sum's format, sorted by path, computed by N
 * worker processes (as many as there are processors by default). Errors of single files are told on standard error, the
 * rest is done; the exit code is then 1.
 */
#include "digest.h"
#include "files.h"
#include "progress.h"
#include "terminal.h"

#include <multiproc.h>

#include <apr_general.h>
#include <apr_getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A task is so much work: big enough to make the hand-over cheap, small enough to keep all workers busy to the end. */
#define BATCH_FILES 64
#define BATCH_BYTES ((apr_off_t)1 << 20)

typedef struct run {
    treehash_file_t *files;
    int count;
    int failures;
    treehash_progress_t progress; /* changed on the pool's thread, shown by the main thread */
} run_t;

typedef struct batch {
    run_t *run;
    int first;
    int count;
} batch_t;

static void fail_file(run_t *run, const treehash_file_t *file, const char *why)
{
    treehash_progress_clear();
    fprintf(stderr, "treehash: %s: %s\n", file->path, why);
    run->failures++;
}

static void count_done(const batch_t *batch)
{
    for (int i = 0; i < batch->count; i++)
        batch->run->progress.bytes_done += (uint64_t)batch->run->files[batch->first + i].size;
    batch->run->progress.files_done += (uint64_t)batch->count;
}

static void batch_done(const mp_result_t *result, void *context)
{
    batch_t *batch = context;
    mp_value_t digests = mp_result_value(result);
    for (int i = 0; i < batch->count; i++) {
        treehash_file_t *file = &batch->run->files[batch->first + i];
        size_t size;
        mp_value_t item = mp_value_item(digests, (size_t)i);
        const unsigned char *digest = mp_value_bytes(item, &size);
        if (digest && size == TREEHASH_DIGEST_SIZE) {
            memcpy(file->digest, digest, size);
            file->done = true;
        } else {
            fail_file(batch->run, file, mp_value_str(item));
        }
    }
    count_done(batch);
    free(batch);
}

static void batch_failed(const mp_result_t *result, void *context)
{
    batch_t *batch = context;
    for (int i = 0; i < batch->count; i++)
        fail_file(batch->run, &batch->run->files[batch->first + i], mp_result_error(result)->text);
    count_done(batch);
    free(batch);
}

static mp_status_t submit(mp_pool_t *pool, run_t *run, int first, int count)
{
    mp_value_t paths[BATCH_FILES];
    for (int i = 0; i < count; i++) {
        const char *path = run->files[first + i].path;
        paths[i] = mp_bytes(path, strlen(path) + 1); /* a path may be no UTF-8 */
    }
    batch_t *batch = malloc(sizeof *batch);
    if (!batch)
        return MP_NO_MEMORY;
    *batch = (batch_t){run, first, count};
    mp_status_t status =
        mp_pool_apply_async(pool, treehash_digest, mp_value_args(paths, (size_t)count),
                            &(mp_task_t){.callback = batch_done, .error_callback = batch_failed, .context = batch});
    if (status != MP_OK)
        free(batch);
    return status;
}

static mp_status_t submit_all(mp_pool_t *pool, run_t *run)
{
    for (int first = 0; first < run->count;) {
        int count = 0;
        apr_off_t bytes = 0;
        while (first + count < run->count && count < BATCH_FILES && (count == 0 || bytes < BATCH_BYTES))
            bytes += run->files[first + count++].size;
        mp_status_t status = submit(pool, run, first, count);
        if (status != MP_OK)
            return status;
        first += count;
    }
    return MP_OK;
}

static int hash_all(run_t *run, int workers)
{
    mp_pool_t *pool;
    if (mp_pool_create(&pool, workers) != MP_OK)
        return mp_perror("treehash");
    if (submit_all(pool, run) != MP_OK) {
        mp_perror("treehash");
        mp_pool_free(pool);
        return 1;
    }
    mp_pool_close(pool);
    while (mp_pool_join(pool, 0.1) == MP_TIMEOUT)
        treehash_progress_show(&run->progress);
    treehash_progress_clear();
    mp_pool_free(pool);
    return run->failures ? 1 : 0;
}

static void print_digest(const unsigned char *digest)
{
    static const char figures[] = "0123456789abcdef";
    char text[2 * TREEHASH_DIGEST_SIZE + 1];
    for (size_t i = 0; i < TREEHASH_DIGEST_SIZE; i++) {
        text[2 * i] = figures[digest[i] >> 4];
        text[2 * i + 1] = figures[digest[i] & 15];
    }
    text[sizeof text - 1] = '\0';
    fputs(text, stdout);
}

static void print_escaped(const char *path)
{
    for (const char *c = path; *c; c++) {
        if (*c == '\\')
            fputs("\\\\", stdout);
        else if (*c == '\n')
            fputs("\\n", stdout);
        else if (*c == '\r')
            fputs("\\r", stdout);
        else
            putchar(*c);
    }
}

/* As sha256sum: a name with a backslash or a line's end is escaped, and the line begins with a backslash. */
static void print_line(const treehash_file_t *file)
{
    bool escape = strpbrk(file->path, "\\\n\r") != NULL;
    if (escape)
        putchar('\\');
    print_digest(file->digest);
    fputs("  ", stdout);
    if (escape)
        print_escaped(file->path);
    else
        fputs(file->path, stdout);
    putchar('\n');
}

static int treehash(const char *directory, int workers, apr_pool_t *pool)
{
    run_t run = {.progress = {.began = mp_now()}};
    apr_array_header_t *files;
    run.failures = treehash_files(directory, pool, &files);
    run.files = (treehash_file_t *)files->elts;
    run.count = files->nelts;
    run.progress.files = (uint64_t)run.count;
    for (int i = 0; i < run.count; i++)
        run.progress.bytes += (uint64_t)run.files[i].size;
    int code = hash_all(&run, workers);
    treehash_binary_output();
    for (int i = 0; i < run.count; i++)
        if (run.files[i].done)
            print_line(&run.files[i]);
    if (fflush(stdout) != 0) {
        perror("treehash: standard output");
        code = 1;
    }
    return code;
}

static int usage(void)
{
    fputs("usage: treehash DIR [-j WORKERS]\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    mp_freeze_support(argc, argv);
    apr_pool_t *pool;
    apr_getopt_t *options;
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS ||
        apr_getopt_init(&options, pool, argc, (const char *const *)argv) != APR_SUCCESS)
        return 1;
    options->interleave = 1;
    static const apr_getopt_option_t known[] = {{"jobs", 'j', 1, "worker processes"}, {NULL, 0, 0, NULL}};
    int option, workers = 0;
    const char *value;
    apr_status_t code;
    while ((code = apr_getopt_long(options, known, &option, &value)) == APR_SUCCESS) {
        char *end;
        long number = strtol(value, &end, 10);
        if (*end || number < 1 || number > MP_POOL_WORKERS_MAX)
            return usage();
        workers = (int)number;
    }
    if (code != APR_EOF || options->ind != argc - 1)
        return usage();
    return treehash(options->argv[options->ind], workers, pool);
}
