/* What the library needs of APR inside one process: its initialisation, memory pools, mutexes, threads of its own. */
#ifndef MP_CORE_LOCAL_H
#define MP_CORE_LOCAL_H

#include <multiproc/status.h>

#include <apr_pools.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <stdbool.h>
#include <stdint.h>

/* Before the first call of APR. MP_NO_MEMORY, MP_SYSTEM. */
mp_status_t mp__local_init(void);

/* A memory pool without a parent, to be destroyed by its owner. One thread at a time uses it. MP_NO_MEMORY. */
mp_status_t mp__local_pool(apr_pool_t **pool);

/* A mutex for the threads of this process, living as long as the pool. MP_NO_MEMORY. */
mp_status_t mp__local_mutex(apr_thread_mutex_t **mutex, apr_pool_t *pool);

#define MP__SMALL_STACK ((size_t)256 * 1024)

/* A thread of the library's own that gets no signals of the host. stack: bytes, 0 for the system's default where it
 * runs the user's code. It lives in `pool`; thread (may be NULL: detached) is for apr_thread_join. It begins unparked.
 * MP_LIMIT. */
mp_status_t mp__local_thread(apr_thread_t **thread, size_t stack, void (*run)(void *context), void *context,
                             apr_pool_t *pool);

/*
 * A fork finds the library's threads parked, so that its child inherits nothing that they were in the middle of, and
 * no thread is there that would finish it. Each parks itself before it waits, starts a process or calls the user back,
 * and goes on behind that only when no fork is under way. So it waits for no other one of them unparked, which may be
 * waiting for the fork. Nothing in other threads.
 */
void mp__local_park(void);
void mp__local_unpark(void);

/* Sleeps for so long, parked. */
void mp__local_nap(int64_t length);

/* How many of those run, and whether the caller is one. */
unsigned mp__local_threads(void);
bool mp__local_thread_is_own(void);

#endif
