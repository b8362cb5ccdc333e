/* Sleeping on a word of shared memory: the futex. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

bool mp__posix_words_work(void)
{
    return true;
}

/* The system call's own idea of a time, which on 32-bit systems is not the C library's. */
struct kernel_time {
    long seconds;
    long nanoseconds;
};

mp_status_t mp__os_word_wait(uint32_t *word, uint32_t expected, mp__deadline_t deadline)
{
    mp__deadline_t until = deadline < 0 ? 0 : deadline;
    struct kernel_time time = {(long)(until / MP__SECOND), (long)(until % MP__SECOND)};
    /* An absolute time on the monotonic clock, so that a signal does not make the wait longer. */
    while (syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, deadline == MP__NEVER ? NULL : &time, NULL,
                   FUTEX_BITSET_MATCH_ANY) < 0) {
        if (errno == EAGAIN)
            return MP_OK;
        if (errno == ETIMEDOUT)
            return mp__error_native(MP_TIMEOUT, "wait on a word", errno);
        if (errno != EINTR)
            return mp__posix_error("wait on a word", errno);
    }
    return MP_OK;
}

void mp__os_word_wake(uint32_t *word, bool all)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE, all ? INT_MAX : 1, NULL, NULL, 0);
    errno = saved;
}
