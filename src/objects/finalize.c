/* What is done when a process ends in order. */
#include "objects/finalize.h"

#include "core/atomic.h"
#include "core/error.h"
#include "core/local.h"
#include "core/once.h"
#include "objects/forked.h"
#include "objects/log.h"
#include "objects/process.h"

#include <multiproc/runtime.h>

#include <limits.h>
#include <stdlib.h>

struct mp__finalizer {
    int priority;
    void (*run)(void *context);
    void *context;
    mp__finalizer_t *next;
};

static mp__once_t mutex_made;
static apr_thread_mutex_t *mutex;
static mp__finalizer_t *first; /* in the order of running */

static mp_status_t make_mutex(void)
{
    return mp__forks_mutex(&mutex);
}

mp_status_t mp__finalize_add(int priority, void (*run)(void *context), void *context, mp__finalizer_t **finalizer)
{
    mp_status_t status = mp__once(&mutex_made, make_mutex);
    if (status != MP_OK)
        return status;
    mp__finalizer_t *added = malloc(sizeof *added);
    if (!added)
        return mp__error(MP_NO_MEMORY, "add a finalizer", "no memory");
    *added = (mp__finalizer_t){priority, run, context, NULL};
    apr_thread_mutex_lock(mutex);
    mp__finalizer_t **link = &first;
    while (*link && (*link)->priority > priority)
        link = &(*link)->next;
    added->next = *link;
    *link = added;
    apr_thread_mutex_unlock(mutex);
    *finalizer = added;
    return MP_OK;
}

/* Takes it out of the list; false: it is not in it. */
static bool unlink_finalizer(const mp__finalizer_t *finalizer)
{
    for (mp__finalizer_t **link = &first; *link; link = &(*link)->next)
        if (*link == finalizer) {
            *link = finalizer->next;
            return true;
        }
    return false;
}

void mp__finalize_remove(mp__finalizer_t *finalizer)
{
    if (!finalizer || mp__once(&mutex_made, make_mutex) != MP_OK)
        return;
    apr_thread_mutex_lock(mutex);
    bool ours = unlink_finalizer(finalizer);
    apr_thread_mutex_unlock(mutex);
    if (ours)
        free(finalizer);
}

/* The first one of at least that priority. */
static mp__finalizer_t *take_first(int least)
{
    if (!mp__once_made(&mutex_made)) /* nobody added one */
        return NULL;
    apr_thread_mutex_lock(mutex);
    mp__finalizer_t *taken = first && first->priority >= least ? first : NULL;
    if (taken)
        first = taken->next;
    apr_thread_mutex_unlock(mutex);
    return taken;
}

static void run_from(int least)
{
    mp__finalizer_t *finalizer;
    while ((finalizer = take_first(least)) != NULL) {
        finalizer->run(finalizer->context);
        free(finalizer);
    }
}

void mp__finalize_run(void)
{
    mp__log(MP_LOG_INFO, "process shutting down");
    mp__log(MP_LOG_DEBUG, "running all finalizers with priority >= 0");
    run_from(0);
    mp__processes_end_all();
    mp__log(MP_LOG_DEBUG, "running the remaining finalizers");
    run_from(INT_MIN);
}

mp_status_t mp_at_exit(int priority, void (*run)(void *context), void *context)
{
    mp__finalizer_t *unused;
    return run ? mp__finalize_add(priority, run, context, &unused)
               : mp__error(MP_INVALID, "add a finalizer", "no function");
}

void mp__finalize_reset(void)
{
    mutex_made = 0; /* a thread of the parent may have held it */
    first = NULL;
}
