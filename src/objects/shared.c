/* This process's holders of shared objects. */
#include "objects/shared.h"

#include <stdlib.h>

static void destroy(mp__handle_t *handle)
{
    mp__shared_t *shared = (mp__shared_t *)(void *)handle;
    mp__detach(&shared->attachment);
    mp__handle_bury(handle);
}

static mp__shared_t *new_holder(mp_kind_t kind, size_t size, const mp__reference_t *reference, mp__header_t *header)
{
    mp__shared_t *shared = calloc(1, size);
    if (shared) {
        mp__handle_init(&shared->handle, kind, reference, 0, destroy);
        shared->header = header;
    }
    return shared;
}

mp_status_t mp__shared_create_sized(mp_kind_t kind, size_t size, mp__shared_t **out)
{
    if (!out)
        return mp__error(MP_INVALID, "create an object", "no place for the new object");
    *out = NULL;
    mp__header_t *header;
    mp__reference_t reference;
    mp_status_t status = mp__family_join();
    if (status == MP_OK)
        status = mp__object_create((uint16_t)kind, &header, &reference);
    if (status != MP_OK)
        return status;
    *out = new_holder(kind, size, &reference, header);
    if (!*out) {
        mp__object_end(header, &reference, NULL);
        return mp__error(MP_NO_MEMORY, "create an object", "no memory for its holder");
    }
    mp__shared_make_mine(*out);
    return MP_OK;
}

mp_status_t mp__shared_open_sized(mp_kind_t kind, size_t size, const mp__reference_t *reference, void **out)
{
    mp__header_t *header;
    mp_status_t status = mp__family_join();
    if (status == MP_OK)
        status = mp__object_open(reference, (uint16_t)kind, &header);
    if (status != MP_OK)
        return status;
    *out = new_holder(kind, size, reference, header);
    return *out ? MP_OK : mp__error(MP_NO_MEMORY, "open a reference", "no memory for its holder");
}

mp_status_t mp__shared_create(mp_kind_t kind, mp__shared_t **out)
{
    return mp__shared_create_sized(kind, sizeof(mp__shared_t), out);
}

mp_status_t mp__shared_open(mp_kind_t kind, const mp__reference_t *reference, void **out)
{
    return mp__shared_open_sized(kind, sizeof(mp__shared_t), reference, out);
}

mp_status_t mp__shared_use_slowly(const mp__shared_t *shared, mp_kind_t kind)
{
    if (!shared || !mp__handle_is(&shared->handle, kind))
        return mp__handle_refuse(shared ? &shared->handle : NULL, kind, "use an object", mp_kind_name(kind));
    return mp__family_join();
}

mp_status_t mp__shared_lend(mp_kind_t kind, uint64_t bytes, mp__shared_t **out)
{
    mp_status_t status = mp__shared_create(kind, out);
    if (status == MP_OK)
        status = mp__lend((*out)->header, bytes);
    if (status != MP_OK && out && *out) {
        mp__shared_close(*out, kind, NULL);
        *out = NULL;
    }
    return status;
}

mp_status_t mp__shared_unmet(const mp__shared_t *shared, mp_status_t status, const char *step)
{
    return mp__object_glance(shared->header, &shared->handle.reference) ? mp__object_gone(step) : status;
}

/* A thread's uses of memory between two glances at an owner: the clock alone takes longer than such a use. */
#define USES_PER_GLANCE 16

mp_status_t mp__shared_attach(mp__shared_t *shared, mp_kind_t kind, void **memory, uint64_t *bytes)
{
    static MP__THREAD_LOCAL uint32_t uses;
    mp_status_t status = mp__shared_use(shared, kind);
    if (status == MP_OK && uses++ % USES_PER_GLANCE == 0)
        status = mp__shared_unmet(shared, status, "use an object's memory");
    return MP__LIKELY(status == MP_OK)
               ? mp__attach(&shared->attachment, shared->header, &shared->handle.reference, memory, bytes)
               : status;
}

mp_status_t mp__shared_close(mp__shared_t *shared, mp_kind_t kind, void (*release)(mp__header_t *))
{
    if (!shared)
        return MP_OK;
    mp_status_t status = mp__shared_use(shared, kind);
    if (status != MP_OK)
        return status == MP_CLOSED ? MP_OK : status;
    mp__error_aside_t aside;
    mp__error_divert(&aside); /* whoever gives up what it was making tells why, not what it met in half an object */
    if (mp__shared_made_here(shared)) {
        shared->maker = 0;
        status = mp__object_end(shared->header, &shared->handle.reference, release);
        if (status == MP_NOT_OWNER) /* adopted by another */
            status = MP_OK;
    } else if (!mp__object_is(shared->header, &shared->handle.reference)) {
        status = mp__object_gone("close an object");
    }
    mp__handle_close(&shared->handle);
    mp__error_return(&aside, status != MP_OK);
    return status;
}
