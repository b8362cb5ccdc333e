/* A signal that a call raises in the thread that makes it, and that must not reach the host: it is held back, and taken
 * off the thread. */
#include "posix/posix.h"

#include <errno.h>
#include <pthread.h>

static bool is_pending(int signal)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, signal) == 1;
}

void mp__posix_quiet_begin(mp__posix_quiet_t *quiet, int signal)
{
    sigset_t held;
    quiet->signal = signal;
    sigemptyset(&held);
    sigaddset(&held, signal);
    pthread_sigmask(SIG_BLOCK, &held, &quiet->before);
    quiet->older = is_pending(signal);
}

void mp__posix_quiet_end(const mp__posix_quiet_t *quiet)
{
    int saved = errno;
    int taken;
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, quiet->signal);
    if (!quiet->older && is_pending(quiet->signal))
        sigwait(&held, &taken);
    pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
    errno = saved;
}
