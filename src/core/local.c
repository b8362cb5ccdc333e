/* APR inside one process. */
#include "core/local.h"

#include "core/atomic.h"
#include "core/error.h"
#include "core/once.h"
#include "platform.h"

#include <apr_general.h>

#define PATIENCE MP__SECOND /* of a fork: a thread's work takes moments, but the machine may be busy */
#define YIELDS   100
#define NAP      (MP__MILLISECOND / 10)

static uint32_t threads; /* of the library's own that run, or are about to */
static uint32_t at_work; /* so many of them are not parked */
static uint32_t forks;   /* under way */
static MP__THREAD_LOCAL bool is_own;
static MP__THREAD_LOCAL uint32_t parked; /* so often, one in the other */

/* ---- parking around forks */

/* What is waited for takes moments. */
static void wait_a_bit(unsigned round)
{
    if (round < YIELDS)
        mp__os_yield();
    else
        mp__os_sleep(mp__os_now() + NAP);
}

void mp__local_park(void)
{
    if (is_own && parked++ == 0)
        mp__add32(&at_work, UINT32_MAX);
}

/* A thread counts itself in and then looks for forks; a fork does it the other way round: one of the two sees it. */
static void begin_work(void)
{
    for (unsigned round = 0;; round++) {
        mp__add32(&at_work, 1);
        mp__fence_after_rmw();
        if (!mp__load32(&forks))
            return;
        mp__add32(&at_work, UINT32_MAX);
        wait_a_bit(round);
    }
}

void mp__local_unpark(void)
{
    if (is_own && --parked == 0)
        begin_work();
}

void mp__local_nap(int64_t length)
{
    mp__local_park();
    mp__os_sleep(mp__os_now() + length);
    mp__local_unpark();
}

/* Who forks may be one of them itself. */
static void begin_fork(void)
{
    const uint32_t own = is_own && !parked;
    int64_t until = mp__os_now() + PATIENCE;
    mp__add32(&forks, 1);
    mp__fence_after_rmw();
    for (unsigned round = 0; mp__load32(&at_work) > own && mp__os_now() < until; round++)
        wait_a_bit(round);
}

static void end_fork(void)
{
    mp__add32(&forks, UINT32_MAX);
}

/* In a fork's child. */
static void forget_threads(void)
{
    threads = at_work = forks = 0;
    is_own = false;
}

static mp_status_t initialize(void)
{
    int code = apr_initialize();
    mp_status_t status = code == APR_SUCCESS ? MP_OK : mp__error_apr(MP_SYSTEM, "initialise APR", code);
    if (status == MP_OK)
        status = mp__os_around_forks(begin_fork, end_fork);
    return status == MP_OK ? mp__os_on_fork(forget_threads) : status;
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
    begin_work();
    routine.run(routine.context);
    mp__local_park();
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
