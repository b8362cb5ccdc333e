/* What the runner and the tests need of the system beside the library: posix/system.c and win32/system.c. None of it
 * goes through the library, so that it can judge it. */
#ifndef MP_TEST_SYSTEM_H
#define MP_TEST_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the runner's ---- */

/* main's arguments in UTF-8. */
char **mp_test_command_line(char **argv);

/* Runs `path name`; its exit code, or minus the signal that ended it, or 1000 if it cannot be started. What it prints
 * comes to `output` (cut to size, terminated) if that is not NULL. */
int mp_test_run(const char *path, const char *name, char *output, size_t size);

/* Ends this process with code 1 and a line if it still runs then. */
void mp_test_watch(double seconds, const char *name);

/* Ends it now, nothing else runs. */
void mp_test_end_now(int code);

/* ---- the leak check's ---- */

long mp_test_pid(void);

typedef struct mp_test_file {
    char path[300];
} mp_test_file_t;

/* Before the count: makes the library close what it keeps only to be fast, up to a bound, which is no leak. */
void mp_test_let_go(void);

/* The open descriptors or handles of this process. */
size_t mp_test_handles(uintptr_t *handles, size_t capacity);
void mp_test_handle_describe(uintptr_t handle, char *text, size_t size);

/* Children of this process, zombies too, as far as the system tells them. */
size_t mp_test_children(long *pids, size_t capacity);

/* Has a child of this process ended that nobody has reaped? (On Windows nobody need.) */
bool mp_test_zombies(void);

/* The library's files in the places where it could leave some. */
size_t mp_test_files(mp_test_file_t *files, size_t capacity);

/* The folder for temporary files. */
const char *mp_test_folder(void);

/* Bytes of this process's address space that are mapped to be shared. */
uint64_t mp_test_mapped(void);

/* A few milliseconds. */
void mp_test_moment(void);

/* ---- the tests' ---- */

typedef struct mp_test_thread {
    void (*run)(void *context);
    void *context;
    uintptr_t id;
} mp_test_thread_t;

/* A thread that has ended when the second returns. */
void mp_test_thread_start(mp_test_thread_t *thread, void (*run)(void *context), void *context);
void mp_test_thread_join(mp_test_thread_t *thread);

/* What only pretends to be this system; NULL: it is real. */
const char *mp_test_emulator(void);

/* Marks a file as a program, where files have such a mark. */
void mp_test_allow_execution(const char *path);

/* Seconds by the system's clock. */
double mp_test_clock(void);

/* Seconds of processors' time that this process has used. */
double mp_test_processor_time(void);

/* How often threads of this process went to sleep; false: the system does not count that. */
bool mp_test_sleeps(uint64_t *count);

/* Stops a process, and lets it go on. */
bool mp_test_pause(int32_t pid);
bool mp_test_resume(int32_t pid);

/* Forks without the library's knowledge; the child runs that and ends, or dies in it. When it has ended: true; false:
 * the system has no such thing. */
bool mp_test_fork(void (*run)(void *context), void *context);

/* Kills a process; false: it has ended. */
bool mp_test_kill_pid(int32_t pid);

/* Lets this process open no more than `more` further handles, or have no more than that many further bytes of address
 * space; false: the system has no such limit. */
bool mp_test_limit_handles(size_t more);
bool mp_test_limit_address_space(uint64_t more);

/* Takes both limits back. */
void mp_test_lift_limits(void);

/* Is it built with a sanitizer that needs the system calls, the memory and the handles for itself? */
bool mp_test_is_sanitized(void);

/* Nothing can be allocated any more, until it is given back; false: that cannot be had here. */
bool mp_test_exhaust_memory(void);
void mp_test_give_memory_back(void);

/* Binds this process to one processor. */
bool mp_test_bind_to_one_processor(void);

/* This process's priority: the nice value, or Windows' class. */
int mp_test_priority(void);

/* A function of a library of the system that this program is not linked with, loaded for the purpose; NULL: none known.
 */
void (*mp_test_foreign_function(void))(void);

#endif
