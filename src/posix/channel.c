/* The byte stream that can carry descriptors: a pair of sockets. Whether an end blocks may be a user's choice; if it
 * does not, poll waits. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PASS_MAX 64

/* A peer that is gone must not raise SIGPIPE: said with each message, or once for the socket (macOS). */
#if defined(MSG_NOSIGNAL)
#define SEND_FLAGS MSG_NOSIGNAL
#else
#define SEND_FLAGS 0
#endif

bool mp__posix_no_signal(int fd)
{
#if defined(SO_NOSIGPIPE)
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) == 0;
#else
    (void)fd;
    return true;
#endif
}

static int socket_pair(int ends[2])
{
    if (mp__posix_raw_socketpair(ends) < 0) {
        ends[0] = ends[1] = -1;
        return -1;
    }
    ends[0] = mp__posix_lift(ends[0]);
    if (ends[0] >= 0)
        ends[1] = mp__posix_lift(ends[1]);
    return ends[0] >= 0 && ends[1] >= 0 ? 0 : -1;
}

mp_status_t mp__os_channel_create(bool duplex, mp__os_handle_t ends[2])
{
    int pair[2] = {-1, -1};
    ends[0] = ends[1] = MP__NO_HANDLE;
    if (socket_pair(pair) < 0 || !mp__posix_no_signal(pair[0]) || !mp__posix_no_signal(pair[1]) ||
        (!duplex && (shutdown(pair[0], SHUT_WR) < 0 || shutdown(pair[1], SHUT_RD) < 0))) {
        int code = errno;
        mp__posix_close(pair[0]);
        mp__posix_close(pair[1]);
        return mp__posix_error("create a channel", code);
    }
    ends[0] = pair[0];
    ends[1] = pair[1];
    return MP_OK;
}

/* After a failed call: should it be made again? Waits first if the end does not block by itself. */
static bool again(int fd, short events)
{
    if (errno == EINTR)
        return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return false;
    struct pollfd end = {.fd = fd, .events = events};
    return mp__posix_poll(&end, 1, MP__NEVER) >= 0;
}

static mp_status_t end_error(const char *step, int code)
{
    if (code == EPIPE || code == ECONNRESET || code == ENOTCONN)
        return mp__error_native(MP_END, step, code);
    return mp__posix_error(step, code);
}

mp_status_t mp__os_channel_write(mp__os_handle_t end, const void *data, size_t size)
{
    int fd = mp__posix_descriptor(end);
    const char *at = data;
    while (size) {
        ssize_t written = send(fd, at, size, SEND_FLAGS);
        if (written >= 0) {
            at += written;
            size -= (size_t)written;
        } else if (!again(fd, POLLOUT)) {
            return end_error("write to a channel", errno);
        }
    }
    return MP_OK;
}

mp_status_t mp__os_channel_read(mp__os_handle_t end, void *data, size_t size)
{
    int fd = mp__posix_descriptor(end);
    char *at = data;
    size_t left = size;
    while (left) {
        ssize_t got = recv(fd, at, left, 0);
        if (got > 0) {
            at += got;
            left -= (size_t)got;
        } else if (got == 0 || errno == ECONNRESET) {
            return left == size
                       ? mp__error(MP_END, "read from a channel", "the other side closed it")
                       : mp__error(MP_TRUNCATED, "read from a channel", "%zu of %zu bytes are missing", left, size);
        } else if (!again(fd, POLLIN)) {
            return end_error("read from a channel", errno);
        }
    }
    return MP_OK;
}

/* A message of one byte, with room for descriptors. */
typedef struct parcel {
    union {
        uint64_t align; /* a struct cmsghdr stands first */
        char bytes[CMSG_SPACE(PASS_MAX * sizeof(int))];
    } control;
    struct iovec data;
    struct msghdr message;
    char byte;
} parcel_t;

static void init_parcel(parcel_t *parcel, size_t n)
{
    memset(parcel, 0, sizeof *parcel);
    parcel->data = (struct iovec){.iov_base = &parcel->byte, .iov_len = 1};
    parcel->message.msg_iov = &parcel->data;
    parcel->message.msg_iovlen = 1;
    parcel->message.msg_control = parcel->control.bytes;
    parcel->message.msg_controllen = CMSG_SPACE(n * sizeof(int));
}

mp_status_t mp__os_channel_pass(mp__os_handle_t end, const mp__os_handle_t *handles, size_t n, int32_t keeper)
{
    int fd = mp__posix_descriptor(end);
    int numbers[PASS_MAX];
    parcel_t parcel;
    (void)keeper;
    if (n == 0)
        return MP_OK;
    if (n > PASS_MAX)
        return mp__error(MP_INVALID, "pass descriptors", "%zu at once, at most %d", n, PASS_MAX);
    for (size_t i = 0; i < n; i++)
        numbers[i] = mp__posix_descriptor(handles[i]);
    init_parcel(&parcel, n);
    struct cmsghdr *header = CMSG_FIRSTHDR(&parcel.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(header), numbers, n * sizeof(int));
    while (sendmsg(fd, &parcel.message, SEND_FLAGS) < 0)
        if (!again(fd, POLLOUT))
            return errno == ETOOMANYREFS ? mp__error_native(MP_LIMIT, "pass descriptors", errno)
                                         : end_error("pass descriptors", errno);
    return MP_OK;
}

/* All descriptors that came; at most PASS_MAX, because there is no room for more. */
static size_t unpack(parcel_t *parcel, int numbers[PASS_MAX])
{
    size_t n = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&parcel->message); part; part = CMSG_NXTHDR(&parcel->message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= part->cmsg_len && n < PASS_MAX; at += sizeof(int))
            memcpy(&numbers[n++], CMSG_DATA(part) + at, sizeof(int));
    }
    return n;
}

static mp_status_t judge(const parcel_t *parcel, size_t came, size_t expected)
{
    bool cut = (parcel->message.msg_flags & MSG_CTRUNC) != 0;
    if (cut && came < expected)
        return mp__error_native(MP_LIMIT, "take descriptors", EMFILE);
    if (cut || came != expected)
        return mp__error(MP_MALFORMED, "take descriptors", "%zu expected, %s%zu came", expected,
                         cut ? "more than " : "", came);
    return MP_OK;
}

mp_status_t mp__os_channel_take(mp__os_handle_t end, mp__os_handle_t *handles, size_t n)
{
    int fd = mp__posix_descriptor(end);
    int numbers[PASS_MAX];
    parcel_t parcel;
    ssize_t got;
    if (n == 0)
        return MP_OK;
    do {
        init_parcel(&parcel, PASS_MAX);
        got = mp__posix_receive(fd, &parcel.message);
    } while (got < 0 && again(fd, POLLIN));
    if (got < 0)
        return end_error("take descriptors", errno);
    if (got == 0)
        return mp__error(MP_END, "take descriptors", "the other side closed the channel");
    size_t came = unpack(&parcel, numbers);
    mp_status_t status = judge(&parcel, came, n);
    for (size_t i = 0; i < came && status == MP_OK; i++) {
        numbers[i] = mp__posix_lift(numbers[i]);
        if (numbers[i] < 0)
            status = mp__posix_error("take descriptors", errno);
    }
    for (size_t i = 0; i < came; i++) {
        if (status == MP_OK)
            handles[i] = numbers[i];
        else
            mp__posix_close(numbers[i]);
    }
    return status;
}

mp_status_t mp__os_channel_poll(mp__os_handle_t end, mp__deadline_t deadline)
{
    struct pollfd set = {.fd = mp__posix_descriptor(end), .events = POLLIN};
    if (set.fd < 0)
        return mp__posix_error("poll a channel", EBADF);
    int ready = mp__posix_poll(&set, 1, deadline);
    if (ready < 0 || (set.revents & POLLNVAL))
        return mp__posix_error("poll a channel", ready < 0 ? errno : EBADF);
    return ready ? MP_OK : mp__error_native(MP_TIMEOUT, "poll a channel", ETIMEDOUT);
}
