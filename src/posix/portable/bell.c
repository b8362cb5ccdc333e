/* The bell, where the kernel cannot sleep on a word of shared memory: a semaphore in each, on which one thread waits
 * alone. (Killed waiters break a semaphore that several share.) */
#if defined(MP_HAVE_SEM_CLOCKWAIT) && defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* the C library shows sem_clockwait, which POSIX has since 2024, only to its own */
#endif
#include "posix/posix.h"

#if !MP__POSIX_WORDS

#include "core/atomic.h"
#include "core/error.h"

#include <errno.h>
#include <semaphore.h>
#include <time.h>

typedef struct bell {
    sem_t semaphore;
    uint32_t rung;  /* keeps the semaphore from counting rings that nobody waits for */
    uint32_t magic; /* MAGIC while it is a bell: a C library may end a process that posts what is no semaphore */
} bell_t;

#define MAGIC 0xbe11a11eu

_Static_assert(sizeof(bell_t) <= sizeof(mp__os_bell_t), "a semaphore does not fit");

/* How long a sleep lasts at most: a ringer may be killed between the flag and the semaphore. */
#define SLICE (MP__SECOND / 2)

static bell_t *bell_of(mp__os_bell_t *bell)
{
    return (bell_t *)(void *)bell;
}

mp_status_t mp__os_word_wait(uint32_t *word, uint32_t expected, mp__deadline_t deadline)
{
    (void)word, (void)expected, (void)deadline;
    return mp__error(MP_UNSUPPORTED, "wait on a word", "this system cannot wait on a word of shared memory");
}

void mp__os_word_wake(uint32_t *word, bool all)
{
    (void)word, (void)all;
}

mp_status_t mp__os_bell_init(mp__os_bell_t *bell)
{
    bell_t *own = bell_of(bell);
    mp__store32(&own->magic, 0);
    if (sem_init(&own->semaphore, 1, 0) < 0)
        return mp__posix_error("make a bell", errno);
    mp__store32(&own->rung, 0);
    mp__store32(&own->magic, MAGIC);
    return MP_OK;
}

/* 0, or -1 and errno. */
static int sleep_on(sem_t *semaphore, int64_t time)
{
    struct timespec until;
#if defined(MP_HAVE_SEM_CLOCKWAIT)
    clockid_t clock = CLOCK_MONOTONIC;
#else
    clockid_t clock = CLOCK_REALTIME; /* a change of the clock makes one slice wrong at most */
#endif
    clock_gettime(clock, &until);
    int64_t nanoseconds = until.tv_nsec + time;
    until.tv_sec += (time_t)(nanoseconds / MP__SECOND);
    until.tv_nsec = (long)(nanoseconds % MP__SECOND);
#if defined(MP_HAVE_SEM_CLOCKWAIT)
    return sem_clockwait(semaphore, clock, &until);
#else
    return sem_timedwait(semaphore, &until);
#endif
}

mp_status_t mp__os_bell_wait(mp__os_bell_t *bell, mp__deadline_t deadline)
{
    bell_t *own = bell_of(bell);
    for (;;) {
        int64_t left = mp__posix_left(deadline, SLICE);
        bool woken = (left ? sleep_on(&own->semaphore, left) : sem_trywait(&own->semaphore)) == 0;
        int code = woken ? 0 : errno;
        if (mp__swap32(&own->rung, 0) || woken)
            return MP_OK;
        if (left == 0)
            return mp__error_native(MP_TIMEOUT, "wait for a bell", ETIMEDOUT);
        if (code != ETIMEDOUT && code != EINTR)
            return mp__posix_error("wait for a bell", code);
    }
}

void mp__os_bell_ring(mp__os_bell_t *bell)
{
    bell_t *other = bell_of(bell);
    int saved = errno;
    if (mp__load32(&other->magic) == MAGIC && !mp__swap32(&other->rung, 1))
        sem_post(&other->semaphore);
    errno = saved;
}

void mp__os_bell_fini(mp__os_bell_t *bell)
{
    /* Destroying it would be undefined where a dead thread slept on it; an unnamed semaphore holds nothing that could
     * leak. */
    mp__store32(&bell_of(bell)->magic, 0);
}

#endif
