/* Signals by their names: the system's own table is not to be had everywhere. */
#include "posix/posix.h"

#include "core/compiler.h"

#include <signal.h>

#define NAME(signal)                                                                                                   \
    {                                                                                                                  \
        signal, #signal                                                                                                \
    }

static const struct {
    int number;
    const char *name;
} names[] = {
    NAME(SIGHUP),  NAME(SIGINT),  NAME(SIGQUIT), NAME(SIGILL),    NAME(SIGTRAP), NAME(SIGABRT), NAME(SIGBUS),
    NAME(SIGFPE),  NAME(SIGKILL), NAME(SIGUSR1), NAME(SIGSEGV),   NAME(SIGUSR2), NAME(SIGPIPE), NAME(SIGALRM),
    NAME(SIGTERM), NAME(SIGCHLD), NAME(SIGCONT), NAME(SIGSTOP),   NAME(SIGTSTP), NAME(SIGTTIN), NAME(SIGTTOU),
    NAME(SIGURG),  NAME(SIGXCPU), NAME(SIGXFSZ), NAME(SIGVTALRM), NAME(SIGPROF), NAME(SIGSYS),
};

const char *mp__os_exit_name(int code)
{
    for (size_t i = 0; i < MP__COUNT_OF(names); i++)
        if (code == -names[i].number)
            return names[i].name;
    return "";
}
