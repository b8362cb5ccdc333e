/* What the files of this back end share. */
#ifndef MP_WIN32_H
#define MP_WIN32_H

#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0602
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#ifndef PIPE_REJECT_REMOTE_CLIENTS /* Wine's headers do not know it */
#define PIPE_REJECT_REMOTE_CLIENTS 8
#endif

#include "platform.h"

/* Above the exit codes that programs use by habit, as CPython has it: a process ended by mp__os_process_signal. */
#define MP__WIN_SIGNALLED 0x10000
#define MP__WIN_TERMINATE 15
#define MP__WIN_KILL      9

static inline HANDLE mp__win_handle(mp__os_handle_t handle)
{
    return (HANDLE)handle;
}

/* failure.c: records what GetLastError() says about a step and returns the status that it means. */
mp_status_t mp__win_failure(const char *step);

/* The same with a code that was fetched before. */
mp_status_t mp__win_failure_code(const char *step, DWORD code);

/* text.c: a copy of a UTF-8 text in UTF-16, to be freed. NULL: not UTF-8, or no memory (GetLastError). */
wchar_t *mp__win_wide(const char *text);

/* UTF-16 as UTF-8 in a buffer. False: no room, or not UTF-16 (GetLastError). */
bool mp__win_narrow(const wchar_t *wide, char *text, size_t size);

/* life.c: when a process was created: with its pid it names a process for ever. 0: unknown. */
uint64_t mp__win_process_born(HANDLE process);

/* Closes what is kept open only to be fast, up to a bound: life.c, on processes and threads that were asked for;
 * park.c, on bells of others that were rung. */
void mp__win_lives_forget(void);
void mp__win_rung_forget(void);

/* park.c: frees what ended threads of this process left of their bells. */
void mp__win_bells_sweep(void);

/* park.c: ends the bells of this process in that memory, which is about to be unmapped, and forgets the others'. */
void mp__win_bells_forget(const uint8_t *base, size_t size);

/* wait.c: milliseconds until the deadline, rounded up; INFINITE for MP__NEVER and for what is too far to say in one
 * call. */
DWORD mp__win_milliseconds(mp__deadline_t deadline);

/* wait.c: waits for one handle: WAIT_OBJECT_0, WAIT_TIMEOUT, or WAIT_FAILED with GetLastError(). */
DWORD mp__win_wait(HANDLE handle, mp__deadline_t deadline);

/* channel.c: a pipe: ends[0], whose calls overlap, opened for `direction` (PIPE_ACCESS_...), ends[1] for the other one
 * with these flags. And: reads what there is, up to size, once there is something; mp__os_pipe_write(). */
mp_status_t mp__win_pipe(DWORD direction, DWORD flags, HANDLE ends[2]);
mp_status_t mp__win_read_some(mp__os_handle_t end, void *data, size_t size, size_t *got);
mp_status_t mp__win_write_until(mp__os_handle_t end, const void *data, size_t size, mp__deadline_t deadline,
                                size_t *written);

/* channel.c: a name for a pipe, of MP__WIN_PIPE_NAME characters at most, that nobody can guess. */
#define MP__WIN_PIPE_NAME 80
mp_status_t mp__win_pipe_name(char *name, size_t size);

/* tree.c: ends what descends from a process that has ended, or ends. */
void mp__win_tree_kill(HANDLE process, DWORD pid);

/* self.c: what a process has used so far, or when it ended. */
void mp__win_usage(HANDLE process, mp__os_usage_t *usage);

/* environment.c: this process's environment with "NAME=value" entries replaced or added, "NAME" taken out, as
 * CreateProcessW wants it. To be freed. */
mp_status_t mp__win_environment(const char *const *additions, wchar_t **block);

#endif
