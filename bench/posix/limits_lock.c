/* The limit of locks: a process-shared mutex that tells of its holder's death. */
#include "system.h"
#include "bench.h"

#include <pthread.h>

double bench_raw_lock(uint64_t times)
{
    pthread_mutexattr_t kind;
    pthread_mutex_t *mutex = bench_shared_create(sizeof *mutex);
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
#if !defined(__APPLE__)
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
#endif
    if (pthread_mutex_init(mutex, &kind) != 0)
        bench_fail("no robust mutex");
    pthread_mutexattr_destroy(&kind);
    int64_t began = bench_now();
    for (uint64_t i = 0; i < times; i++) {
        pthread_mutex_lock(mutex);
        pthread_mutex_unlock(mutex);
    }
    double each = (double)(bench_now() - began) / (double)times;
    pthread_mutex_destroy(mutex);
    bench_shared_free(mutex, sizeof *mutex);
    return each;
}
