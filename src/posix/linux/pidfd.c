/* A descriptor of a process: tells its end exactly, and no number that is used again can be mistaken for it. */
#include "posix/posix.h"

#include "core/atomic.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(SYS_pidfd_open)
#define SYS_pidfd_open 434
#endif
#if !defined(SYS_pidfd_send_signal)
#define SYS_pidfd_send_signal 424
#endif

#define BY_DESCRIPTOR 3 /* P_PIDFD; not all C libraries have it */

/* What the kernel writes, whatever the C library makes of times. */
typedef struct used {
    long user[2]; /* seconds, microseconds */
    long system[2];
    long peak;
    long others[13];
} used_t;

static int as_status(const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED)
        return (info->si_status & 0xff) << 8;
    return (info->si_status & 0x7f) | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

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

pid_t mp__posix_pidfd_wait(int fd, bool leave, int *result, struct rusage *usage)
{
    siginfo_t info = {.si_pid = 0};
    used_t used = {.peak = 0};
    /* The C library's function does not tell what it used. */
    if (syscall(SYS_waitid, BY_DESCRIPTOR, fd, &info, WEXITED | WNOHANG | (leave ? WNOWAIT : 0), &used) < 0)
        return -1;
    if (info.si_pid == 0)
        return 0;
    *result = as_status(&info);
    *usage = (struct rusage){.ru_utime = {.tv_sec = used.user[0], .tv_usec = used.user[1]},
                             .ru_stime = {.tv_sec = used.system[0], .tv_usec = used.system[1]},
                             .ru_maxrss = used.peak};
    return info.si_pid;
}
