/* What the files of this back end share. Two variants come from the same sources: Linux, with what only Linux has
 * (linux/), and POSIX alone (portable/, and darwin/ for macOS) for every other system, or on Linux where
 * MP_PORTABLE_POSIX asks for it. */
#ifndef MP_POSIX_POSIX_H
#define MP_POSIX_POSIX_H

#if defined(__linux__) && !defined(MP_PORTABLE_POSIX)
#define MP__POSIX_LINUX 1
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#else
#define MP__POSIX_LINUX 0
#if defined(__linux__) && !defined(_GNU_SOURCE)
/* The C library then hides what only Linux has. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#endif
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif

/* Which way to sleep on a word of shared memory: the kernel's, or a semaphore in each bell. */
#if MP__POSIX_LINUX || defined(__APPLE__)
#define MP__POSIX_WORDS 1
#else
#define MP__POSIX_WORDS 0
#endif

/* Can the kernel tell of the end of a process that is no child? */
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__) || defined(__DragonFly__)
#define MP__POSIX_KQUEUE 1
#else
#define MP__POSIX_KQUEUE 0
#endif

#include "platform.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/types.h>

struct rusage;

/* ---- handle.c ---- */

/* The number that a handle is; -1 if it cannot be one. */
int mp__posix_descriptor(mp__os_handle_t handle);

/* Records errno as the status that it has everywhere: MP_LIMIT, MP_NO_MEMORY, MP_INVALID (a bad descriptor), MP_SYSTEM.
 */
mp_status_t mp__posix_error(const char *step, int code);

/* The same descriptor, or another one above the standard three: a host that closed those must not get ours there. -1:
 * errno. */
int mp__posix_lift(int fd);

/* A pipe, closed to children: ends[0] reads. 0, or -1 and errno. */
int mp__posix_pipe(int ends[2]);

/* Closes without touching errno; < 0 is fine. */
void mp__posix_close(int fd);

/* ---- stdio.c ---- */

/* What a child gets as its standard three: those, or for NULL the null device and this process' own; -1: the null
 * device. */
void mp__posix_standard(const mp__os_handle_t *wanted, int standard[3]);

/* This process gets them. */
void mp__posix_standard_set(const int standard[3]);

/* ---- quiet.c ---- */

/* While it lasts, a signal that a call raises in this thread comes to nobody. Keeps errno. */
typedef struct mp__posix_quiet {
    int signal;
    sigset_t before;
    bool older; /* it was there before, and stays */
} mp__posix_quiet_t;

void mp__posix_quiet_begin(mp__posix_quiet_t *quiet, int signal);
void mp__posix_quiet_end(const mp__posix_quiet_t *quiet);

/* ---- channel.c ---- */

/* Writing to a socket whose other end is gone raises no signal, where that is said once for all. */
bool mp__posix_no_signal(int fd);

/* ---- wait.c ---- */

/* poll() until a deadline, whatever signals come. */
int mp__posix_poll(struct pollfd *set, size_t n, mp__deadline_t deadline);

/* Nanoseconds until the deadline: 0 if it has passed, at most `most`. */
int64_t mp__posix_left(mp__deadline_t deadline, int64_t most);

/* ---- unnamed.c ---- */

/* A shared-memory object, or a file, of size 0 that has lost its name already. 0 or more, or -1 and errno. */
int mp__posix_unnamed_memory(void);
int mp__posix_unnamed_file(void);

/* ---- sentinel.c ---- */

/* What a start prepares so that its process' end can be seen: nothing where the system has descriptors of processes,
 * else a pipe whose writing end the new process keeps open. */
typedef struct mp__posix_sentinel {
    int ends[2]; /* the pipe; -1: none */
    int place;   /* where the descriptor of the process will be; -1: none */
} mp__posix_sentinel_t;

mp_status_t mp__posix_sentinel_prepare(mp__posix_sentinel_t *sentinel);

/* One of these follows: in the parent (it becomes the sentinel of the new process, whose pid is set; on failure that
 * one is ended), in a forked child, or when there is no process. */
mp_status_t mp__posix_sentinel_parent(mp__posix_sentinel_t *sentinel, mp__os_process_t *process);
void mp__posix_sentinel_child(mp__posix_sentinel_t *sentinel);
void mp__posix_sentinel_cancel(mp__posix_sentinel_t *sentinel);

/* A started program is told by an environment variable, of malloc, which number the writing end has there; NULL if it
 * needs none. 0 or an error number. */
int mp__posix_sentinel_tell(const mp__posix_sentinel_t *sentinel, int number, const char *image, char **variable);

/* Its side, early in main. */
void mp__posix_sentinel_adopt(void);

/* The image that it was started from, if it was told: its argv[0] may be the parent's, and lead nowhere from here. */
const char *mp__posix_sentinel_image(void);

/* ---- self.c ---- */

void mp__posix_usage(const struct rusage *used, mp__os_usage_t *usage);

/* ---- inherit.c ---- */

/* A descriptor for a new program: its number there, and here (< 0: the null device). */
typedef struct mp__posix_kept {
    int number;
    int source;
    bool settled; /* false */
} mp__posix_kept_t;

/* The new program gets these, among them its standard three; all other descriptors are closed in it. `keep` is sorted
 * by numbers, has no duplicates, and is used up. 0 or an error number. */
int mp__posix_inherit(posix_spawn_file_actions_t *actions, short *flags, mp__posix_kept_t *keep, size_t n);

/* ---- image.c ---- */

/* The noted command line; NULL before mp__os_program_note. */
char *const *mp__posix_program_arguments(void);

/* A copy in one piece of malloc's; NULL: no memory. */
char **mp__posix_copy_arguments(char *const *arguments);

/* ---- linux/ and portable/ ---- */

/* calls.c: descriptors that are born closed to children, where the system has a call that does both. */
int mp__posix_raw_pipe(int ends[2]);
int mp__posix_raw_socketpair(int ends[2]);
int mp__posix_raw_socket(int type);                        /* of the AF_UNIX family */
int mp__posix_raw_accept(int fd);                          /* it blocks, whatever fd does */
ssize_t mp__posix_receive(int fd, struct msghdr *message); /* recvmsg; what comes in it is closed to children */
int mp__posix_poll_for(struct pollfd *set, size_t n, int64_t nanoseconds); /* < 0: for ever */

/* peer.c: whose process connected, or listens, at the other end of a socket. -1 and errno: ENOSYS where nobody tells.
 */
int mp__posix_peer(int fd, uid_t *user);

/* Is who connects where no room is left refused as if nobody listened there? Else it is EAGAIN. */
bool mp__posix_full_is_refused(void);

/* memory.c: the arena's memory. Functions return 0 or an error number. */
int mp__posix_memory_create(int *memory, int *life); /* size 0; life: -1 where the memory itself takes locks */
void mp__posix_memory_seal(int memory);              /* its size is final */
bool mp__posix_memory_has_life(void);
int mp__posix_memory_commit(int memory, off_t offset, off_t length);
void mp__posix_memory_discard(int memory, off_t offset, off_t length);

/* limits.c */
unsigned mp__posix_cpu_limit(unsigned online);
uint64_t mp__posix_memory_limit(uint64_t installed);
uint64_t mp__posix_mapped_size(void); /* bytes of address space in use; 0 where nobody tells */
bool mp__posix_is_privileged(void);
unsigned mp__posix_thread_count(void); /* 0 where nobody tells */

/* usage.c: bytes of this process' memory that are resident, and not shared with the family; 0: nobody tells. The peak
 * of what was resident, shared or not, since it began to run this program; 0 likewise. */
uint64_t mp__posix_memory_used(void);
uint64_t mp__posix_memory_peak(void);

/* pidfd.c: a descriptor of a process. -1 and errno: ENOSYS where there is none such. `place` makes any descriptor, to
 * be closed when one is to be opened. */
int mp__posix_pidfd_open(pid_t pid);
int mp__posix_pidfd_place(void);
int mp__posix_pidfd_signal(int fd, int signal);

/* As wait4() with WNOHANG; `leave`: it stays to be waited for. -1 and errno: ECHILD; ENOSYS, EINVAL, EBADF: the system
 * has no such thing, or it is no descriptor of a process. */
pid_t mp__posix_pidfd_wait(int fd, bool leave, int *result, struct rusage *usage);

/* sentinel.c: a descriptor that is ready to read when any process has ended. -1 and errno: ESRCH; ENOSYS. */
int mp__posix_sentinel_open(pid_t pid);

/* tree.c: ends all that descend from a process, and stops that one; as far as the system lists processes. fd: its own,
 * if it is one of a process. */
void mp__posix_tree_kill(pid_t root, int fd);

/* lifeline.c: a pipe's reading end, opened once more; -1 and errno: ENOSYS where that is of no use. And in the process
 * that it is for: the system kills it when the pipe's other end is closed; or false. */
int mp__posix_lifeline_open(int fd);
bool mp__posix_lifeline_arm(int fd);

/* program.c: this program; what is handed out is malloc's. 0, ENOSYS (the system cannot be asked), or another error
 * number. */
int mp__posix_program_path(const char *argv0, char **path);

/* What is executed for an image: another name of it, written to `room`, that is found faster, or the same. */
const char *mp__posix_program_image(const char *path, char *room, size_t size);

int mp__posix_program_command(char ***argv);

/* ---- words.c in linux/ and darwin/ ---- */

bool mp__posix_words_work(void);

/* ---- elf/ and darwin/: modules.c ---- */

/* A module of this process while it is visited. */
typedef struct mp__posix_module {
    const char *path; /* "" for the program itself */
    uintptr_t base;
    const uint8_t *identity;
    size_t identity_size;
    const void *native;
} mp__posix_module_t;

/* Visits all modules until one visit says true; was there one such? Loading and unloading waits meanwhile. */
bool mp__posix_modules(bool (*visit)(const mp__posix_module_t *module, void *context), void *context);

/* Is it code of this module? */
bool mp__posix_module_has_code(const mp__posix_module_t *module, uintptr_t address);

/* Is a file that is not loaded that build? 1: yes, or only loading it will tell; 0: no; -1 and errno: there is no such
 * file. */
int mp__posix_file_is(const char *path, const uint8_t *identity, size_t identity_size);

/* In image.c: the found one may be longer than what is remembered of it. */
bool mp__posix_same_identity(const uint8_t *found, size_t found_size, const uint8_t *wanted, size_t wanted_size);

#endif
