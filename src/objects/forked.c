/* What the child of a fork leaves behind. */
#include "objects/forked.h"

#include "core/once.h"
#include "objects/finalize.h"
#include "objects/listener.h"
#include "objects/manager.h"
#include "objects/pool.h"
#include "objects/process.h"
#include "objects/reaper.h"
#include "platform.h"

static void leave(void)
{
    mp__processes_forget();
    mp__finalize_reset();
    mp__reaper_reset();
    mp__pools_forget();
    mp__managers_forget();
    mp__listeners_forget();
}

static mp_status_t watch(void)
{
    return mp__os_on_fork(leave);
}

mp_status_t mp__forks_watch(void)
{
    static mp__once_t watched;
    return mp__once(&watched, watch);
}

mp_status_t mp__forks_mutex(apr_thread_mutex_t **mutex)
{
    apr_pool_t *pool;
    mp_status_t status = mp__forks_watch();
    if (status == MP_OK)
        status = mp__local_pool(&pool);
    return status == MP_OK ? mp__local_mutex(mutex, pool) : status;
}
