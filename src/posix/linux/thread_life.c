/* Is that thread dead? It holds a robust mutex until it ends, and the kernel marks the mutex then: exact for return,
 * exit, exec and SIGKILL, and while the process lives on. Others only look at the word that the kernel marks. They
 * never try to lock: one that is killed while it holds such a mutex, or makes the mutex anew under another, would
 * damage the lists of the living. */
#include "posix/posix.h"

#include "core/atomic.h"
#include "core/error.h"

#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct life {
    union {
        pthread_mutex_t mutex;
        uint32_t words[14];
    } held;
    uint32_t spare;
    uint32_t place; /* which of the words the kernel marks, plus 1; 0: not known */
} life_t;

_Static_assert(sizeof(life_t) == sizeof(mp__os_thread_life_t), "a mutex does not fit");

/* The C library does not say where in a mutex the word lies that holds its owner's thread number; the first words do.
 */
static uint32_t find_place(const life_t *life)
{
    uint32_t self = (uint32_t)syscall(SYS_gettid);
    for (uint32_t i = 0; i < 4; i++)
        if ((mp__load32(&life->held.words[i]) & FUTEX_TID_MASK) == self)
            return i + 1;
    return 0;
}

static int lock_robust(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t kind;
    int code = pthread_mutexattr_init(&kind);
    if (code)
        return code;
    code = pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    if (!code)
        code = pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    if (!code)
        code = pthread_mutex_init(mutex, &kind);
    pthread_mutexattr_destroy(&kind);
    return code ? code : pthread_mutex_lock(mutex);
}

mp_status_t mp__os_thread_live(mp__os_thread_life_t *place)
{
    life_t *life = (life_t *)(void *)place;
    memset(life, 0, sizeof *life); /* also what a dead thread left: its place in the kernel's list ended with it */
    int code = lock_robust(&life->held.mutex);
    if (code)
        return mp__posix_error("lock this thread's mutex", code);
    mp__store32(&life->place, find_place(life));
    return MP_OK;
}

bool mp__os_thread_ended(const mp__os_thread_life_t *place)
{
    const life_t *life = (const life_t *)(const void *)place;
    uint32_t index = mp__load32(&life->place) - 1;
    if (index >= 4)
        return false;
    uint32_t word = mp__load32(&life->held.words[index]);
    return (word & FUTEX_OWNER_DIED) && !(word & FUTEX_TID_MASK);
}

void mp__os_thread_leave(mp__os_thread_life_t *place)
{
    life_t *life = (life_t *)(void *)place;
    pthread_mutex_unlock(&life->held.mutex);
    mp__store32(&life->place, 0);
}
