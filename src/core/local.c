/* APR inside one process. */
#include "core/local.h"

#include "core/atomic.h"
#include "core/error.h"
#include "core/once.h"
#include "platform.h"

#include <apr_general.h>

static uint32_t threads; /* of the library's own that run, or are about to */
static MP__THREAD_LOCAL bool is_own;

/* In a fork's child. */
static void forget_threads(void)
{
    threads = 0;
    is_own = false;
}

static mp_status_t initialize(void)
{
    int code = apr_initialize();
    return code == APR_SUCCESS ? mp__os_on_fork(forget_threads) : mp__error_apr(MP_SYSTEM, "initialise APR", code);
}

mp_status_t mp__local_init(void)
{
    static mp__once_t once;
    return mp__once(&once, initialize);
}

mp_status_t mp__local_pool(apr_pool_t **pool)
{
    mp_status_t status = mp__local_init();
    if (status != MP_OK)
        return status;
    /* Unmanaged: it shares no lock with other pools, which a thread of the parent may hold when a child is forked. */
    int code = apr_pool_create_unmanaged_ex(pool, NULL, NULL);
    return code == APR_SUCCESS ? MP_OK : mp__error_apr(MP_NO_MEMORY, "make a memory pool", code);
}

mp_status_t mp__local_mutex(apr_thread_mutex_t **mutex, apr_pool_t *pool)
{
    int code = apr_thread_mutex_create(mutex, APR_THREAD_MUTEX_UNNESTED, pool);
    return code == APR_SUCCESS ? MP_OK : mp__error_apr(MP_NO_MEMORY, "make a mutex", code);
}

typedef struct routine {
    void (*run)(void *context);
    void *context;
} routine_t;

static void *APR_THREAD_FUNC run_routine(apr_thread_t *thread, void *data)
{
    (void)thread;
    routine_t routine = *(routine_t *)data;
    mp__os_block_signals();
    is_own = true;
    routine.run(routine.context);
    mp__add32(&threads, UINT32_MAX);
    return NULL;
}

mp_status_t mp__local_thread(apr_thread_t **thread, size_t stack, void (*run)(void *context), void *context,
                             apr_pool_t *pool)
{
    routine_t *routine = apr_palloc(pool, sizeof *routine);
    *routine = (routine_t){run, context};
    apr_threadattr_t *attributes;
    apr_thread_t *made;
    int code = apr_threadattr_create(&attributes, pool);
    if (code == APR_SUCCESS && stack)
        code = apr_threadattr_stacksize_set(attributes, stack);
    if (code == APR_SUCCESS)
        code = apr_threadattr_detach_set(attributes, thread == NULL);
    mp__add32(&threads, 1);
    if (code == APR_SUCCESS)
        code = apr_thread_create(&made, attributes, run_routine, routine, pool);
    if (code != APR_SUCCESS) {
        mp__add32(&threads, UINT32_MAX);
        return mp__error_apr(MP_LIMIT, "start a thread of the library", code);
    }
    if (thread)
        *thread = made;
    return MP_OK;
}

unsigned mp__local_threads(void)
{
    return mp__load32(&threads);
}

bool mp__local_thread_is_own(void)
{
    return is_own;
}
