/* Is that process, that thread dead? A pid or thread id, with the time of its creation, names it for ever; a handle on
 * it tells its end. Handles are kept, because opening one costs several calls and the same few are asked for again. */
#include "win32.h"

#include "core/atomic.h"
#include "core/compiler.h"

#include <string.h>

/* What life words say: 0 pid, 1 its creation, and of a thread 2 its id, 3 its creation; a process has zeros there. */
typedef struct subject {
    uint64_t words[4];
} subject_t;

#define PID(s)    ((DWORD)(s)->words[0])
#define THREAD(s) ((DWORD)(s)->words[2])

#define KEPT 251 /* handles; prime, because ids are multiples of 4 */

static struct {
    subject_t subject;
    HANDLE handle;
} kept[KEPT];
static SRWLOCK kept_lock = SRWLOCK_INIT;

static uint64_t ticks(FILETIME time)
{
    return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

uint64_t mp__win_process_born(HANDLE process)
{
    FILETIME born, ended, kernel, user;
    return GetProcessTimes(process, &born, &ended, &kernel, &user) ? ticks(born) : 0;
}

static uint64_t thread_born(HANDLE thread)
{
    FILETIME born, ended, kernel, user;
    return GetThreadTimes(thread, &born, &ended, &kernel, &user) ? ticks(born) : 0;
}

static subject_t process_subject(const uint64_t *words)
{
    return (subject_t){.words = {mp__load64(&words[0]), mp__load64(&words[1])}};
}

static bool has_ended(const subject_t *subject);

/* A handle to wait for. NULL: *ended tells what is known without one. */
static HANDLE open_process(const subject_t *subject, bool *ended)
{
    HANDLE process = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, PID(subject));
    if (!process) {
        *ended = GetLastError() == ERROR_INVALID_PARAMETER; /* no such pid; all else says that there is one */
        return NULL;
    }
    if (mp__win_process_born(process) == subject->words[1])
        return process;
    CloseHandle(process);
    *ended = true; /* the pid is another's now */
    return NULL;
}

static HANDLE open_thread(const subject_t *subject, bool *ended)
{
    HANDLE thread = OpenThread(SYNCHRONIZE | THREAD_QUERY_LIMITED_INFORMATION, FALSE, THREAD(subject));
    if (!thread) {
        *ended = true;
        if (GetLastError() != ERROR_INVALID_PARAMETER) {
            const subject_t process = process_subject(subject->words);
            *ended = has_ended(&process);
        }
        return NULL;
    }
    if (GetProcessIdOfThread(thread) == PID(subject) && thread_born(thread) == subject->words[3])
        return thread;
    CloseHandle(thread);
    *ended = true;
    return NULL;
}

static size_t place_of(const subject_t *subject)
{
    return (PID(subject) + THREAD(subject) * 31) % KEPT;
}

static bool kept_at(size_t place, const subject_t *subject)
{
    return kept[place].handle && memcmp(&kept[place].subject, subject, sizeof *subject) == 0;
}

static void drop(size_t place)
{
    if (kept[place].handle)
        CloseHandle(kept[place].handle);
    kept[place].handle = NULL;
}

/* Asks a kept handle. False: there is none. */
static bool ask_kept(size_t place, const subject_t *subject, bool *ended)
{
    AcquireSRWLockShared(&kept_lock);
    bool known = kept_at(place, subject);
    if (known)
        *ended = WaitForSingleObject(kept[place].handle, 0) == WAIT_OBJECT_0;
    ReleaseSRWLockShared(&kept_lock);
    return known;
}

static bool has_ended(const subject_t *subject)
{
    size_t place = place_of(subject);
    bool ended = false;
    if (!ask_kept(place, subject, &ended)) {
        HANDLE handle = THREAD(subject) ? open_thread(subject, &ended) : open_process(subject, &ended);
        if (!handle)
            return ended;
        ended = WaitForSingleObject(handle, 0) == WAIT_OBJECT_0;
        AcquireSRWLockExclusive(&kept_lock);
        drop(place);
        kept[place].subject = *subject;
        kept[place].handle = handle;
        ReleaseSRWLockExclusive(&kept_lock);
    }
    if (ended) { /* a handle would keep what is left of the dead in the system */
        AcquireSRWLockExclusive(&kept_lock);
        if (kept_at(place, subject))
            drop(place);
        ReleaseSRWLockExclusive(&kept_lock);
    }
    return ended;
}

void mp__win_lives_forget(void)
{
    AcquireSRWLockExclusive(&kept_lock);
    for (size_t place = 0; place < KEPT; place++)
        drop(place);
    ReleaseSRWLockExclusive(&kept_lock);
}

mp_status_t mp__os_process_live(const mp__os_arena_t *arena, uint32_t index, mp__os_process_life_t *life)
{
    (void)arena;
    (void)index;
    mp__store64(&life->words[0], GetCurrentProcessId());
    mp__store64(&life->words[1], mp__win_process_born(GetCurrentProcess()));
    return MP_OK;
}

void mp__os_process_leave(const mp__os_arena_t *arena, uint32_t index)
{
    (void)arena;
    (void)index; /* what was written says nothing that is not true */
}

bool mp__os_process_ended(const mp__os_arena_t *arena, uint32_t index, const mp__os_process_life_t *life)
{
    (void)arena;
    (void)index;
    const subject_t subject = process_subject(life->words);
    return has_ended(&subject);
}

mp_status_t mp__os_thread_live(mp__os_thread_life_t *life)
{
    mp__store64(&life->words[0], GetCurrentProcessId());
    mp__store64(&life->words[1], mp__win_process_born(GetCurrentProcess()));
    mp__store64(&life->words[2], GetCurrentThreadId());
    mp__store64(&life->words[3], thread_born(GetCurrentThread()));
    return MP_OK;
}

bool mp__os_thread_ended(const mp__os_thread_life_t *life)
{
    subject_t subject = process_subject(life->words);
    subject.words[2] = mp__load64(&life->words[2]);
    subject.words[3] = mp__load64(&life->words[3]);
    return has_ended(&subject);
}

void mp__os_thread_leave(mp__os_thread_life_t *life)
{
    for (size_t i = 0; i < MP__COUNT_OF(life->words); i++)
        mp__store64(&life->words[i], 0);
}

mp_status_t mp__os_thread_on_end(const mp__os_thread_end_t *end)
{
    (void)end;
    return MP_OK;
}
