/* Being told of the end of a thread, by the thread itself. */
#include "posix/posix.h"

#include "core/error.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_code;

static void run(void *end)
{
    ((const mp__os_thread_end_t *)end)->run();
}

static void make_key(void)
{
    key_code = pthread_key_create(&key, run);
}

mp_status_t mp__os_thread_on_end(const mp__os_thread_end_t *end)
{
    pthread_once(&once, make_key);
    int code = key_code ? key_code : pthread_setspecific(key, end);
    return code ? mp__posix_error("ask to be called at a thread's end", code) : MP_OK;
}
