/* The key that the processes of a program share, for authenticating each other over connections from outside. */
#include <multiproc/process.h>

#include "core/atomic.h"
#include "core/error.h"
#include "core/once.h"
#include "objects/process.h"

#include <apr_general.h>
#include <string.h>

#define FRESH_SIZE 32u

static mp__once_t made;
static mp__authkey_t key;

static mp_status_t make_key(void)
{
    if (apr_generate_random_bytes(key.bytes, FRESH_SIZE) != APR_SUCCESS)
        return mp__error(MP_SYSTEM, "make the key", "no random bytes");
    key.size = FRESH_SIZE;
    return MP_OK;
}

mp_status_t mp__authkey_give(mp__authkey_t *copy)
{
    mp_status_t status = mp__once(&made, make_key);
    if (status == MP_OK)
        *copy = key;
    return status;
}

void mp__authkey_take(const mp__authkey_t *parents)
{
    key = *parents;
    if (key.size > MP_AUTHKEY_MAX)
        key.size = MP_AUTHKEY_MAX;
    made = MP__MADE;
}

mp_status_t mp_authkey(const void **data, size_t *size)
{
    if (!data || !size)
        return mp__error(MP_INVALID, "ask for the key", "no place for it");
    mp_status_t status = mp__once(&made, make_key);
    *data = status == MP_OK ? key.bytes : NULL;
    *size = status == MP_OK ? key.size : 0;
    return status;
}

mp_status_t mp_set_authkey(const void *data, size_t size)
{
    if (!data || !size || size > MP_AUTHKEY_MAX)
        return mp__error(MP_INVALID, "set the key", "it must have 1 to %d bytes", MP_AUTHKEY_MAX);
    memcpy(key.bytes, data, size);
    key.size = (uint32_t)size;
    mp__store32(&made, MP__MADE);
    return MP_OK;
}
