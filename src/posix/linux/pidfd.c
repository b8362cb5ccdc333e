/* A descriptor of a process: tells its end exactly, and no number that is used again can be mistaken for it. */
#include "posix/posix.h"

#include "core/atomic.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !defined(SYS_pidfd_open)
#define SYS_pidfd_open 434
#endif
#if !defined(SYS_pidfd_send_signal)
#define SYS_pidfd_send_signal 424
#endif

int mp__posix_pidfd_open(pid_t pid)
{
    return mp__posix_lift((int)syscall(SYS_pidfd_open, pid, 0)); /* is born closed to children */
}

int mp__posix_pidfd_place(void)
{
    static uint32_t there;
    if (mp__load32(&there))
        return mp__posix_lift(eventfd(0, EFD_CLOEXEC)); /* costs a third */
    int own = mp__posix_pidfd_open(getpid());
    mp__store32(&there, own >= 0);
    return own;
}

int mp__posix_pidfd_signal(int fd, int signal)
{
    return (int)syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
}
