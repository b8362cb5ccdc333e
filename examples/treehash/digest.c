/* SHA-256 of files, by libgcrypt. Runs in the workers. */
#include "digest.h"

#include <apr_file_io.h>
#include <apr_general.h>
#include <gcrypt.h>
#include <stdlib.h>
#include <string.h>

#define READ_SIZE ((apr_size_t)256 * 1024)

typedef struct outcome {
    unsigned char digest[TREEHASH_DIGEST_SIZE];
    char error[120]; /* "": it worked */
} outcome_t;

static apr_status_t read_all(apr_file_t *file, gcry_md_hd_t hash, unsigned char *buffer)
{
    for (;;) {
        apr_size_t length = READ_SIZE;
        apr_status_t code = apr_file_read(file, buffer, &length);
        if (code != APR_SUCCESS)
            return code == APR_EOF ? APR_SUCCESS : code;
        gcry_md_write(hash, buffer, length);
    }
}

static void digest_file(const char *path, gcry_md_hd_t hash, unsigned char *buffer, outcome_t *outcome)
{
    apr_pool_t *pool;
    apr_file_t *file;
    apr_pool_create(&pool, NULL);
    gcry_md_reset(hash);
    apr_status_t code = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_FPROT_OS_DEFAULT, pool);
    if (code == APR_SUCCESS)
        code = read_all(file, hash, buffer);
    if (code == APR_SUCCESS)
        memcpy(outcome->digest, gcry_md_read(hash, GCRY_MD_SHA256), TREEHASH_DIGEST_SIZE);
    else
        apr_strerror(code, outcome->error, sizeof outcome->error);
    apr_pool_destroy(pool);
}

/* The worker's own, made at its first task and kept: a digest's state and room to read into. */
static gcry_md_hd_t worker_hash;
static unsigned char *worker_buffer;

static mp_status_t prepare(mp_call_t *call)
{
    if (worker_hash)
        return MP_OK;
    if (apr_initialize() != APR_SUCCESS || !gcry_check_version(NULL))
        return mp_fail(call, 1, "APR or libgcrypt cannot be used");
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    worker_buffer = malloc(READ_SIZE);
    if (!worker_buffer || gcry_md_open(&worker_hash, GCRY_MD_SHA256, 0) != 0)
        return mp_fail(call, 1, "no memory");
    return MP_OK;
}

static mp_status_t digest_all(mp_call_t *call, outcome_t *outcomes, mp_value_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length;
        const char *path = mp_arg_bytes(call, i, &length); /* with its '\0' */
        if (!path || !length || path[length - 1] != '\0')
            return mp_fail(call, 2, "argument %u is no path", (unsigned)i);
        digest_file(path, worker_hash, worker_buffer, &outcomes[i]);
        items[i] = outcomes[i].error[0] ? mp_of(outcomes[i].error) : mp_bytes(outcomes[i].digest, TREEHASH_DIGEST_SIZE);
    }
    return mp_return(call, mp_value_list(items, count));
}

mp_status_t treehash_digest(mp_call_t *call)
{
    size_t count = mp_arg_count(call);
    mp_status_t status = prepare(call);
    if (status != MP_OK)
        return status;
    outcome_t *outcomes = calloc(count, sizeof *outcomes);
    mp_value_t *items = calloc(count, sizeof *items);
    status = outcomes && items ? digest_all(call, outcomes, items, count) : mp_fail(call, 1, "no memory");
    free(outcomes);
    free(items);
    return status;
}
