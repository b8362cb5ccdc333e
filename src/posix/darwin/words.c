/* Sleeping on a word of shared memory: os_sync_wait_on_address, since macOS 14.4. Before that the bell looks now and
 * then. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#if defined(__has_include)
#if __has_include(<os/os_sync_wait_on_address.h>)
#include <os/os_sync_wait_on_address.h>
#define MP__HAVE_WORDS 1
#endif
#endif

bool mp__posix_words_work(void)
{
#if defined(MP__HAVE_WORDS)
    if (__builtin_available(macOS 14.4, *))
        return true;
#endif
    return false;
}

mp_status_t mp__os_word_wait(uint32_t *word, uint32_t expected, mp__deadline_t deadline)
{
#if defined(MP__HAVE_WORDS)
    if (__builtin_available(macOS 14.4, *)) {
        for (;;) {
            /* 0 is no time that it takes; an hour is as good as for ever, because waking for no reason is allowed. */
            int64_t left = mp__posix_left(deadline, 3600 * MP__SECOND);
            if (os_sync_wait_on_address_with_timeout(word, expected, sizeof *word, OS_SYNC_WAIT_ON_ADDRESS_SHARED,
                                                     OS_CLOCK_MACH_ABSOLUTE_TIME, left ? (uint64_t)left : 1) >= 0)
                return MP_OK;
            if (errno == ETIMEDOUT && mp__posix_left(deadline, 1) == 0)
                return mp__error_native(MP_TIMEOUT, "wait on a word", ETIMEDOUT);
            if (errno != EINTR && errno != ETIMEDOUT && errno != EFAULT) /* EFAULT: it was paged out meanwhile */
                return mp__posix_error("wait on a word", errno);
        }
    }
#endif
    (void)word, (void)expected, (void)deadline;
    return mp__error(MP_UNSUPPORTED, "wait on a word", "needs macOS 14.4");
}

void mp__os_word_wake(uint32_t *word, bool all)
{
#if defined(MP__HAVE_WORDS)
    int saved = errno;
    if (__builtin_available(macOS 14.4, *)) {
        if (all)
            os_sync_wake_by_address_all(word, sizeof *word, OS_SYNC_WAKE_BY_ADDRESS_SHARED);
        else
            os_sync_wake_by_address_any(word, sizeof *word, OS_SYNC_WAKE_BY_ADDRESS_SHARED);
    }
    errno = saved;
#else
    (void)word, (void)all;
#endif
}
