/* Standard input, output and error of children: what they get, and this process' ends of their pipes. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what a child gets ---- */

mp__os_handle_t mp__os_standard(size_t number)
{
    return fcntl((int)number, F_GETFD) < 0 ? MP__NO_HANDLE : (mp__os_handle_t)number;
}

void mp__posix_standard(const mp__os_handle_t *wanted, int standard[3])
{
    standard[STDIN_FILENO] = wanted ? mp__posix_descriptor(wanted[0]) : -1;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        standard[fd] = mp__posix_descriptor(wanted ? wanted[fd] : mp__os_standard((size_t)fd));
}

static void become_null(int fd)
{
    int opened = open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
    if (opened >= 0 && opened != fd) {
        dup2(opened, fd);
        mp__posix_close(opened);
    }
}

/* Error before output, because it may be the old output. */
void mp__posix_standard_set(const int standard[3])
{
    for (int fd = STDERR_FILENO; fd >= STDIN_FILENO; fd--)
        if (standard[fd] >= 0 && standard[fd] != fd)
            dup2(standard[fd], fd);
        else if (standard[fd] < 0)
            become_null(fd);
}

mp_status_t mp__os_standard_set(const mp__os_handle_t standard[3])
{
    int descriptors[3];
    mp__posix_standard(standard, descriptors);
    mp__posix_standard_set(descriptors);
    return MP_OK;
}

mp_status_t mp__os_file_open(const char *path, mp__os_file_t mode, mp__os_handle_t *file)
{
    static const char step[] = "open a file for a child";
    static const int flags[] = {[MP__OS_FILE_READ] = O_RDONLY,
                                [MP__OS_FILE_WRITE] = O_WRONLY | O_CREAT | O_TRUNC,
                                [MP__OS_FILE_APPEND] = O_WRONLY | O_CREAT | O_APPEND};
    int fd;
    do {
        fd = open(path, flags[mode] | O_CLOEXEC | O_NOCTTY, 0666);
    } while (fd < 0 && errno == EINTR);
    if (fd >= 0)
        fd = mp__posix_lift(fd);
    *file = fd < 0 ? MP__NO_HANDLE : fd;
    if (fd >= 0)
        return MP_OK;
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG)
        return mp__error_native(MP_NOT_FOUND, step, errno);
    if (errno == EACCES || errno == EPERM || errno == EISDIR || errno == EROFS)
        return mp__error_native(MP_DENIED, step, errno);
    return mp__posix_error(step, errno);
}

/* ---- pipes ---- */

mp_status_t mp__os_pipe_create(bool input, mp__os_handle_t *mine, mp__os_handle_t *childs)
{
    int ends[2];
    *mine = *childs = MP__NO_HANDLE;
    if (mp__posix_pipe(ends) < 0)
        return mp__posix_error("make a pipe for a child", errno);
    /* Of several who read, or write, side by side one gets what there is; the others go on waiting, but no longer than
     * they want. */
    if (fcntl(ends[input ? 1 : 0], F_SETFL, O_NONBLOCK) < 0) {
        int code = errno;
        mp__posix_close(ends[0]);
        mp__posix_close(ends[1]);
        return mp__posix_error("make a pipe for a child", code);
    }
    *mine = ends[input ? 1 : 0];
    *childs = ends[input ? 0 : 1];
    return MP_OK;
}

mp_status_t mp__os_pipe_read(mp__os_handle_t mine, void *data, size_t size, mp__deadline_t deadline, size_t *got)
{
    static const char step[] = "read what a child wrote";
    struct pollfd end = {.fd = mp__posix_descriptor(mine), .events = POLLIN};
    if (end.fd < 0)
        return mp__error_native(MP_INVALID, step, EBADF);
    for (;;) {
        int ready = mp__posix_poll(&end, 1, deadline);
        if (ready == 0)
            return mp__error_native(MP_TIMEOUT, step, ETIMEDOUT);
        ssize_t n = ready < 0 ? -1 : read(end.fd, data, size);
        if (n > 0) {
            *got = (size_t)n;
            return MP_OK;
        }
        if (n == 0)
            return mp__error(MP_END, step, "nobody writes any more");
        if (errno != EINTR && errno != EAGAIN)
            return mp__posix_error(step, errno);
    }
}

/* As much as it takes at once; *code: 0, or why it took none. */
static size_t write_some(int fd, const void *data, size_t size, mp__deadline_t deadline, int *code)
{
    struct pollfd end = {.fd = fd, .events = POLLOUT};
    ssize_t n = write(fd, data, size);
    int ready = 1;
    *code = 0;
    if (n < 0 && errno == EAGAIN)
        ready = mp__posix_poll(&end, 1, deadline);
    if (ready == 0)
        *code = ETIMEDOUT;
    else if (n < 0 && errno != EINTR && errno != EAGAIN)
        *code = errno;
    return n < 0 ? 0 : (size_t)n;
}

mp_status_t mp__os_pipe_write(mp__os_handle_t mine, const void *data, size_t size, mp__deadline_t deadline,
                              size_t *written)
{
    static const char step[] = "write to a child";
    mp__posix_quiet_t quiet;
    int code = 0;
    *written = 0;
    mp__posix_quiet_begin(&quiet, SIGPIPE); /* a reader that is gone raises it in the thread that writes */
    while (*written < size && !code)
        *written +=
            write_some(mp__posix_descriptor(mine), (const char *)data + *written, size - *written, deadline, &code);
    mp__posix_quiet_end(&quiet);
    switch (code) {
    case 0:
        return MP_OK;
    case EPIPE:
        return mp__error_native(MP_END, step, code);
    case ETIMEDOUT:
        return mp__error_native(MP_TIMEOUT, step, code);
    default:
        return mp__posix_error(step, code);
    }
}
