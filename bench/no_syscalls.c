/* Hot operations, a million or none: what the first run asks of the kernel beyond the second is what they cost there.
 * no_syscalls.cmake counts. */
#include <multiproc.h>

#include <stdlib.h>

static int repeat(mp_lock_t *lock, mp_queue_t *queue, long times)
{
    char item[64] = {0};
    mp_value_t value;
    for (long i = 0; i < times; i++) {
        size_t size = sizeof item;
        if (mp_lock_acquire(lock, MP_FOREVER) != MP_OK || mp_lock_release(lock) != MP_OK ||
            mp_queue_put_bytes(queue, item, sizeof item, MP_FOREVER) != MP_OK ||
            mp_queue_get_bytes(queue, item, &size, MP_FOREVER) != MP_OK ||
            mp_queue_put(queue, mp_list(42, MP_NONE, "hello"), MP_FOREVER) != MP_OK ||
            mp_queue_get(queue, &value, MP_FOREVER) != MP_OK)
            return 1;
        mp_value_free(&value);
    }
    return 0;
}

int main(int argc, char **argv)
{
    mp_freeze_support(argc, argv);
    mp_lock_t *lock;
    mp_queue_t *queue;
    if (mp_lock_create(&lock) != MP_OK || mp_queue_create(&queue, 1000) != MP_OK)
        return 1;
    int code = repeat(lock, queue, argc > 1 ? atol(argv[1]) : 0);
    mp_queue_close(queue);
    mp_lock_close(lock);
    return code;
}
