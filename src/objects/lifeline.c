/* The lifeline, and the ends of it. */
#include "objects/lifeline.h"

#include "core/atomic.h"
#include "core/error.h"
#include "core/once.h"

static struct {
    mp__once_t made;
    mp__os_handle_t child;
    mp__os_handle_t mine;
    uint64_t prepared; /* an end that was opened before it was needed, + 1; 0: there is none */
} lifeline = {.child = MP__NO_HANDLE, .mine = MP__NO_HANDLE};

static MP__THREAD_LOCAL mp__os_handle_t kept = MP__NO_HANDLE;

static mp__os_handle_t take_prepared(void)
{
    uint64_t taken = mp__swap64(&lifeline.prepared, 0);
    return taken ? (mp__os_handle_t)(taken - 1) : MP__NO_HANDLE;
}

/* In a fork's child: the parent's end must not stay open here, else the parent's children would not see its end. */
static void leave(void)
{
    mp__os_handle_close(lifeline.mine);
    if (kept != lifeline.child)
        mp__os_handle_close(lifeline.child);
    mp__os_handle_close(take_prepared());
    lifeline.mine = lifeline.child = MP__NO_HANDLE;
    lifeline.made = 0;
}

static mp_status_t watch_forks(void)
{
    return mp__os_on_fork(leave);
}

static mp_status_t make(void)
{
    static mp__once_t forks_watched;
    mp_status_t status = mp__once(&forks_watched, watch_forks);
    return status == MP_OK ? mp__os_lifeline_create(&lifeline.child, &lifeline.mine) : status;
}

mp_status_t mp__lifeline_open(mp__os_handle_t *end)
{
    *end = MP__NO_HANDLE;
    mp_status_t status = mp__once(&lifeline.made, make);
    if (status != MP_OK)
        return status;
    *end = take_prepared();
    if (*end == MP__NO_HANDLE)
        status = mp__os_lifeline_own(lifeline.child, end);
    if (status == MP_OK && *end == MP__NO_HANDLE)
        *end = lifeline.child;
    return status;
}

void mp__lifeline_close(mp__os_handle_t end)
{
    if (mp__lifeline_is_own(end))
        mp__os_handle_close(end);
}

bool mp__lifeline_is_own(mp__os_handle_t end)
{
    return end != MP__NO_HANDLE && end != lifeline.child;
}

void mp__lifeline_prepare(void)
{
    mp__os_handle_t end;
    uint64_t none = 0;
    if (!mp__once_made(&lifeline.made) || mp__load64(&lifeline.prepared))
        return;
    mp_error_t error = *mp_error();
    if (mp__os_lifeline_own(lifeline.child, &end) != MP_OK)
        mp__error_again(&error); /* the next start will say so */
    else if (end != MP__NO_HANDLE && !mp__cas64(&lifeline.prepared, &none, (uint64_t)end + 1))
        mp__os_handle_close(end);
}

void mp__lifeline_keep(mp__os_handle_t end)
{
    kept = end;
}
