/* Objects for tests of the wire that stand for no real ones. */
#include "objects.h"

#include "core/error.h"
#include "platform.h"

#include <stdlib.h>

int mp_test_objects_alive;

static void destroy(mp__handle_t *handle)
{
    mp_test_objects_alive--;
    free(handle);
}

static mp__handle_t *make(mp_kind_t kind, const mp__reference_t *reference, uint64_t item)
{
    mp__handle_t *handle = malloc(sizeof *handle);
    if (!handle)
        abort();
    mp__handle_init(handle, kind, reference, item, destroy);
    mp_test_objects_alive++;
    return handle;
}

mp__handle_t *mp_test_object(mp_kind_t kind, uint32_t place)
{
    mp__reference_t reference = {.place = place, .generation = 7, .kind = (uint16_t)kind};
    return make(kind, &reference, 0);
}

static mp_status_t open_object(void *context, mp_kind_t kind, const mp__reference_t *reference, uint64_t item,
                               void **object)
{
    const mp_test_refusal_t *refusal = context;
    if (refusal && reference->place == refusal->place)
        return mp__error(refusal->status, "open an object", "refused");
    *object = make(kind, reference, item);
    return MP_OK;
}

static mp_status_t take_object(void *context, uint32_t index, mp_kind_t kind, void **object)
{
    mp__reference_t none = {0};
    const mp_test_refusal_t *refusal = context;
    if (refusal && refusal->place == 0)
        return mp__error(refusal->status, "take an object", "nothing came with number %lu", (unsigned long)index);
    *object = kind == MP_KIND_DESCRIPTOR ? (void *)mp_test_open_descriptor() : make(kind, &none, 0);
    return MP_OK;
}

mp__receiver_t mp_test_receiver(mp_test_refusal_t *refusal)
{
    return (mp__receiver_t){open_object, take_object, refusal};
}

static mp_status_t attach(void *context, const mp_value_t *object, uint32_t *index)
{
    (void)object;
    *index = (*(uint32_t *)context)++;
    return MP_OK;
}

mp__carrier_t mp_test_carrier(uint32_t *count)
{
    return (mp__carrier_t){attach, count};
}

intptr_t mp_test_open_descriptor(void)
{
    mp__os_handle_t ends[2];
    if (mp__os_channel_create(true, ends) != MP_OK)
        abort();
    mp__os_handle_close(ends[1]);
    return ends[0];
}

bool mp_test_is_open(intptr_t descriptor)
{
    mp__os_handle_t copy;
    if (mp__os_handle_copy(descriptor, &copy) != MP_OK)
        return false;
    mp__os_handle_close(copy);
    return true;
}
