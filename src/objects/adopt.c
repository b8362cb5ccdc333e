/* Moving an object to another process: from then on it ends with that one. */
#include <multiproc/value.h>

#include "objects/shared.h"

static bool is_adoptable(mp_kind_t kind)
{
    return kind >= MP_KIND_QUEUE && kind <= MP_KIND_SHAREABLE_LIST;
}

mp_status_t mp_adopt(void *object)
{
    mp__shared_t *shared = object;
    if (!shared || shared->handle.magic != MP__HANDLE_MAGIC) {
        bool closed = shared && shared->handle.magic == MP__HANDLE_CLOSED; /* else it may be as small as an int */
        return mp__handle_refuse(object, closed ? (mp_kind_t)shared->handle.kind : MP_KIND_NONE, "adopt an object",
                                 "object");
    }
    mp_kind_t kind = (mp_kind_t)shared->handle.kind;
    if (!is_adoptable(kind))
        return mp__error(MP_UNSUPPORTED, "adopt an object", "a %s stays its maker's", mp_kind_name(kind));
    mp_status_t status = mp__shared_use(shared, kind);
    if (status == MP_OK)
        status = mp__object_adopt(shared->header, &shared->handle.reference);
    if (status == MP_OK)
        mp__shared_make_mine(shared);
    return status;
}
