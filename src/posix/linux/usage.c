/* The memory of this process, by the kernel's own account. A fresh program's ru_maxrss is not its own: it starts with
 * that of the process which executed it. */
#include "posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads without the C library's buffers, because the library's small threads do, twenty times a second. */
static bool read_status(char *text, size_t size)
{
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n;
    do {
        n = read(fd, text, size - 1);
    } while (n < 0 && errno == EINTR);
    mp__posix_close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* A line's value, which is in KiB. */
static uint64_t value_of(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    return line ? strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

uint64_t mp__posix_memory_used(void)
{
    char text[4096];
    if (!read_status(text, sizeof text))
        return 0;
    return value_of(text, "\nRssAnon:") + value_of(text, "\nRssFile:");
}

uint64_t mp__posix_memory_peak(void)
{
    char text[4096];
    return read_status(text, sizeof text) ? value_of(text, "\nVmHWM:") : 0;
}
