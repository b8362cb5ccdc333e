/* Waiting for any of many descriptors, and the event that can be one of them. */
#include "posix/posix.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int64_t mp__posix_left(mp__deadline_t deadline, int64_t most)
{
    if (deadline == MP__NEVER)
        return most;
    if (deadline <= 0)
        return 0;
    int64_t left = deadline - mp__os_now();
    if (left < 0)
        return 0;
    return left < most ? left : most;
}

int mp__posix_poll(struct pollfd *set, size_t n, mp__deadline_t deadline)
{
    for (;;) {
        int64_t left = mp__posix_left(deadline, INT64_MAX);
        int ready = mp__posix_poll_for(set, n, deadline == MP__NEVER ? -1 : left);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return ready;
        if (ready == 0 && left == 0 && deadline != MP__NEVER)
            return 0;
    }
}

static mp_status_t fill_set(struct pollfd *set, const mp__os_handle_t *handles, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        set[i] = (struct pollfd){.fd = mp__posix_descriptor(handles[i]), .events = POLLIN};
        if (set[i].fd < 0) /* poll would pass over it */
            return mp__posix_error("wait for any", EBADF);
    }
    return MP_OK;
}

static mp_status_t wait_set(struct pollfd *set, size_t n, mp__deadline_t deadline, bool *ready)
{
    for (size_t i = 0; i < n; i++)
        ready[i] = false;
    int found = mp__posix_poll(set, n, deadline);
    if (found < 0)
        return mp__posix_error("wait for any", errno);
    if (found == 0)
        return mp__error(MP_TIMEOUT, "wait for any", "none is ready");
    for (size_t i = 0; i < n; i++)
        if (set[i].revents & POLLNVAL)
            return mp__posix_error("wait for any", EBADF);
    for (size_t i = 0; i < n; i++)
        ready[i] = set[i].revents != 0;
    return MP_OK;
}

mp_status_t mp__os_wait_any(const mp__os_handle_t *handles, size_t n, mp__deadline_t deadline, bool *ready)
{
    struct pollfd few[32];
    struct pollfd *set = n <= MP__COUNT_OF(few) ? few : calloc(n, sizeof *set);
    if (!set)
        return mp__posix_error("wait for any", ENOMEM);
    mp_status_t status = fill_set(set, handles, n);
    if (status == MP_OK)
        status = wait_set(set, n, deadline, ready);
    if (set != few)
        free(set);
    return status;
}

struct mp__os_watch {
    size_t n;
    struct pollfd set[];
};

mp_status_t mp__os_watch_begin(const mp__os_handle_t *handles, const bool *channel, size_t n, mp__os_watch_t **watch)
{
    (void)channel; /* a channel's end is a descriptor like others */
    mp__os_watch_t *made =
        n <= (SIZE_MAX - sizeof *made) / sizeof made->set[0] ? malloc(sizeof *made + n * sizeof made->set[0]) : NULL;
    *watch = NULL;
    if (!made)
        return mp__posix_error("wait for any", ENOMEM);
    made->n = n;
    mp_status_t status = fill_set(made->set, handles, n);
    if (status == MP_OK)
        *watch = made;
    else
        free(made);
    return status;
}

mp_status_t mp__os_watch_wait(mp__os_watch_t *watch, mp__deadline_t deadline, bool *ready)
{
    return wait_set(watch->set, watch->n, deadline, ready);
}

void mp__os_watch_end(mp__os_watch_t *watch)
{
    free(watch);
}

/* A pipe that never blocks: set while a byte lies in it. */
mp_status_t mp__os_event_create(mp__os_event_t *event)
{
    int ends[2];
    *event = (mp__os_event_t){MP__NO_HANDLE, MP__NO_HANDLE};
    if (mp__posix_pipe(ends) < 0)
        return mp__posix_error("create an event", errno);
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0) {
        mp_status_t status = mp__posix_error("create an event", errno);
        mp__posix_close(ends[0]);
        mp__posix_close(ends[1]);
        return status;
    }
    *event = (mp__os_event_t){.wait = ends[0], .set = ends[1]};
    return MP_OK;
}

void mp__os_event_set(const mp__os_event_t *event)
{
    int saved = errno;
    ssize_t written;
    do { /* a full pipe is set enough */
        written = write(mp__posix_descriptor(event->set), "", 1);
    } while (written < 0 && errno == EINTR);
    errno = saved;
}

void mp__os_event_clear(const mp__os_event_t *event)
{
    char bytes[256];
    ssize_t got;
    do {
        got = read(mp__posix_descriptor(event->wait), bytes, sizeof bytes);
    } while (got > 0 || (got < 0 && errno == EINTR));
}

void mp__os_event_close(mp__os_event_t *event)
{
    mp__os_handle_close(event->wait);
    mp__os_handle_close(event->set);
    *event = (mp__os_event_t){MP__NO_HANDLE, MP__NO_HANDLE};
}
