/*
 * The reaper: a thread that waits for any of the watched children, reaps the one that ended, and tells who watched it.
 *
 * The thread works in rounds: it copies the list, waits, and deals with what ended. Entries that leave the list are
 * freed at the next round's begin only, so that a round never meets freed memory; and whoever makes the reaper forget a
 * child waits for the round's end, because the round may still wait for the child's sentinel.
 */
#include "objects/reaper.h"

#include "core/local.h"
#include "core/once.h"
#include "objects/forked.h"
#include "objects/process.h"

#include <apr_thread_cond.h>
#include <stdlib.h>

/* A sentinel may come late, where a grandchild holds its other end: children are asked themselves this often. */
#define SLICE MP__PARK_SLICE

/* A process is not always reapable the moment its sentinel is ready. */
#define RETRY (2 * MP__MILLISECOND)

typedef struct watch watch_t;

struct watch {
    mp_process_t *process;
    mp__ended_t ended;
    void *context;
    bool forgotten;
    watch_t *next;
};

/* What one round waits for; the event comes first. Used by the thread only. */
typedef struct round {
    size_t count;
    size_t capacity; /* of the arrays, without the event */
    watch_t **watches;
    mp__os_handle_t *handles;
    bool *ready;
    bool all; /* there is no memory for the arrays: ask every child, soon */
} round_t;

static mp__once_t made;

static struct {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed; /* a round or a call ended */
    mp__os_event_t event;       /* the list changed */
    watch_t *watched;
    watch_t *gone; /* out of the list, to be freed */
    size_t count;
    uint64_t number;             /* of the round */
    const mp_process_t *calling; /* whom the thread deals with just now */
} reaper;

static MP__THREAD_LOCAL bool is_reaper;

static void lock(void)
{
    apr_thread_mutex_lock(reaper.mutex);
}

static void unlock(void)
{
    apr_thread_mutex_unlock(reaper.mutex);
}

/* Takes an entry out of the list; it is freed later. */
static void drop(watch_t *watch)
{
    watch_t **link = &reaper.watched;
    while (*link != watch)
        link = &(*link)->next;
    *link = watch->next;
    watch->forgotten = true;
    watch->next = reaper.gone;
    reaper.gone = watch;
    reaper.count--;
}

static void free_gone(void)
{
    while (reaper.gone) {
        watch_t *watch = reaper.gone;
        reaper.gone = watch->next;
        free(watch);
    }
}

/* ---- a round */

static bool make_room(round_t *round, size_t count)
{
    if (count <= round->capacity)
        return true;
    size_t capacity = 2 * count;
    watch_t **watches = malloc(capacity * sizeof(watch_t *));
    mp__os_handle_t *handles = malloc((capacity + 1) * sizeof *handles);
    bool *ready = malloc((capacity + 1) * sizeof *ready);
    if (!watches || !handles || !ready) {
        free(watches);
        free(handles);
        free(ready);
        return false;
    }
    free(round->watches);
    free(round->handles);
    free(round->ready);
    *round = (round_t){.capacity = capacity, .watches = watches, .handles = handles, .ready = ready};
    return true;
}

/* Copies the list. Under the mutex. */
static void begin_round(round_t *round)
{
    reaper.number++;
    apr_thread_cond_broadcast(reaper.changed);
    free_gone();
    mp__os_event_clear(&reaper.event);
    round->count = 0;
    round->all = !make_room(round, reaper.count);
    if (round->all)
        return;
    round->handles[0] = reaper.event.wait;
    for (watch_t *watch = reaper.watched; watch; watch = watch->next) {
        round->watches[round->count++] = watch;
        round->handles[round->count] = mp__process_sentinel(watch->process);
    }
}

/* Reaps one, and tells. Under the mutex, which is released meanwhile. MP_TIMEOUT: it has not ended. */
static mp_status_t reap(watch_t *watch)
{
    mp_process_t *process = watch->process;
    reaper.calling = process;
    unlock();
    mp_status_t status = mp__process_poll(process);
    lock();
    if (status == MP_OK && !watch->forgotten) {
        drop(watch);
        unlock();
        watch->ended(watch->context, process);
        lock();
    }
    reaper.calling = NULL;
    apr_thread_cond_broadcast(reaper.changed);
    return status;
}

/* Deals with those that are ready, or with all. False: one that is ready could not be reaped yet. */
static bool end_round(round_t *round, bool ask_all)
{
    bool done = true;
    for (size_t i = 0; i < round->count; i++) {
        bool ready = !ask_all && round->ready[i + 1];
        if ((ready || ask_all) && !round->watches[i]->forgotten && reap(round->watches[i]) != MP_OK && ready)
            done = false;
    }
    return done;
}

/* The list itself instead of a copy: when somebody left it meanwhile, it is begun anew. */
static void ask_everybody(void)
{
    for (watch_t *watch = reaper.watched; watch;) {
        mp_status_t status = reap(watch);
        watch = status == MP_OK || watch->forgotten ? reaper.watched : watch->next;
    }
}

static mp_status_t await_any(round_t *round)
{
    if (round->all) {
        mp__local_nap(10 * RETRY);
        return MP_NO_MEMORY;
    }
    mp__local_park();
    mp_status_t status = mp__os_wait_any(round->handles, round->count + 1, mp__os_now() + SLICE, round->ready);
    mp__local_unpark();
    return status;
}

static void watch_children(void *unused)
{
    (void)unused;
    is_reaper = true;
    round_t round = {0};
    (void)mp__family_join();
    lock();
    (void)make_room(&round, 8);
    for (;;) {
        begin_round(&round);
        unlock();
        mp_status_t status = await_any(&round);
        lock();
        if (round.all)
            ask_everybody();
        else if (!end_round(&round, status != MP_OK))
            status = MP_BUSY;
        if (status != MP_OK && status != MP_TIMEOUT) {
            unlock();
            mp__local_nap(RETRY);
            lock();
        }
    }
}

/* ---- for the rest of the library */

static mp_status_t make_reaper(void)
{
    apr_pool_t *pool;
    mp_status_t status = mp__forks_watch();
    if (status == MP_OK)
        status = mp__local_pool(&pool);
    if (status != MP_OK)
        return status;
    status = mp__local_mutex(&reaper.mutex, pool);
    int code = status == MP_OK ? apr_thread_cond_create(&reaper.changed, pool) : APR_SUCCESS;
    if (code != APR_SUCCESS)
        status = mp__error_apr(MP_NO_MEMORY, "make a condition", code);
    bool has_event = status == MP_OK && (status = mp__os_event_create(&reaper.event)) == MP_OK;
    if (status == MP_OK)
        status = mp__local_thread(NULL, MP__SMALL_STACK, watch_children, NULL, pool);
    if (status == MP_OK)
        return MP_OK;
    if (has_event)
        mp__os_event_close(&reaper.event);
    apr_pool_destroy(pool);
    return status;
}

mp_status_t mp__reaper_watch(mp_process_t *process, mp__ended_t ended, void *context)
{
    mp_status_t status = mp__once(&made, make_reaper);
    if (status != MP_OK)
        return status;
    watch_t *watch = malloc(sizeof *watch);
    if (!watch)
        return mp__error(MP_NO_MEMORY, "watch a process", "no memory");
    *watch = (watch_t){.process = process, .ended = ended, .context = context};
    lock();
    watch->next = reaper.watched;
    reaper.watched = watch;
    reaper.count++;
    mp__os_event_set(&reaper.event);
    unlock();
    return MP_OK;
}

void mp__reaper_forget(mp_process_t *process)
{
    if (mp__once(&made, make_reaper) != MP_OK)
        return;
    lock();
    watch_t *watch = reaper.watched;
    while (watch && watch->process != process)
        watch = watch->next;
    if (watch) {
        drop(watch);
        mp__os_event_set(&reaper.event);
    }
    uint64_t number = reaper.number;
    while (!is_reaper && (reaper.calling == process || (watch && reaper.number == number)))
        apr_thread_cond_wait(reaper.changed, reaper.mutex);
    unlock();
}

void mp__reaper_reset(void)
{
    if (mp__once_made(&made)) /* what a thread of the parent was making stays unmade */
        mp__os_event_close(&reaper.event);
    made = 0;
    reaper.watched = NULL; /* the memory stays, and the mutex too: a thread of the parent may have held it */
    reaper.gone = NULL;
    reaper.count = 0;
    reaper.calling = NULL;
    is_reaper = false;
}
