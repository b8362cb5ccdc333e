/*
 * The one door to the system. src/posix/ and src/win32/ implement it, file for file under the same names; above them
 * nothing asks which system it runs on: what differs is data (mp__os_caps).
 *
 * What holds for every function here:
 * - A failure is recorded (mp_error()) with the step and the system's own code before its status is returned. Every
 * status that a function can return is named in its comment; MP_SYSTEM, "the system refused in a way that has no name
 * of its own", may come from every function that returns a status; so may MP_INVALID, MP_LIMIT and MP_NO_MEMORY, for a
 * handle that is none, and where the system is out of handles or memory.
 * - Deadlines are nanoseconds of mp__os_now(); MP__NEVER is none; one that has passed means "try once". Signals that
 * interrupt a wait do not end it.
 * - Every handle (descriptor) is born closed to children; only those that a start names are inherited.
 * - Nothing here aborts, exits (but mp__os_end_now), prints, changes a signal's handling or reaps a child that it was
 * not given.
 * - All functions may be called from any thread at once, on different objects. After fork the child may use all of
 * them.
 * - A struct is initialised by its create, claim or init function only; zeroed is not initialised. close/fini on a
 * struct or handle that is MP__NO_HANDLE does nothing.
 */
#ifndef MP_PLATFORM_H
#define MP_PLATFORM_H

#include <multiproc/value.h>

#include "core/deadline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- handle.c: descriptors and handles */

typedef intptr_t mp__os_handle_t; /* a descriptor, or a HANDLE */
#define MP__NO_HANDLE ((mp__os_handle_t)-1)

void mp__os_handle_close(mp__os_handle_t handle);

/* A second handle on the same thing, closed to children. MP_INVALID: no such handle. MP_LIMIT: too many are open. */
mp_status_t mp__os_handle_copy(mp__os_handle_t handle, mp__os_handle_t *copy);

/* Makes a handle that this process was born with its own: closed to children again. MP_INVALID: there is none such. */
mp_status_t mp__os_handle_adopt(mp__os_handle_t handle);

/* ---- system.c: clock, processors, memory, this process */

typedef struct mp__os_caps {
    bool fork;              /* mp__os_fork works */
    const char *bind_early; /* "NAME=value": in its environment a program looks up all functions of its libraries when
                               it begins; NULL: it always does, or never */
    bool shared_wait;       /* mp__os_word_wait works on words of the arena, across processes */
    bool discard;           /* mp__os_arena_discard gives memory back */
    bool affinity;          /* mp__os_affinity_set works */
    bool memory_use;        /* mp__os_memory_used tells */
    bool ends_stopped;      /* a stopped child, too, ends with its parent */
    bool lists_processes;   /* mp__os_process_kill_tree finds descendants outside of groups */
    bool sentinels;         /* mp__os_sentinel_open works (but on a Linux that is too old) */
    uint32_t first_number;  /* a started program gets its handles under any numbers, from this one on (mp__os_spawn_t's
                               sources); 0: only under those that they have here */
    bool limit_files;       /* mp__os_limit_files works */
    bool limit_processes;   /* mp__os_spawn_t's process_limit does */
} mp__os_caps_t;

const mp__os_caps_t *mp__os_caps(void);

/* Nanoseconds since some moment in the past, never going back, not moved by changes of the wall clock. Never 0. */
int64_t mp__os_now(void);

/* Lets others run. */
void mp__os_yield(void);

/* Sleeps until the deadline. */
void mp__os_sleep(mp__deadline_t deadline);

/* Processors that this process may use: its affinity and its cgroup's quota (rounded up) counted. At least 1. */
unsigned mp__os_cpu_count(void);

/* Bytes of memory that this process may hope for: the machine's, or its cgroup's limit where that is less. */
uint64_t mp__os_memory_size(void);

/* Bytes of address space that it may still map (RLIMIT_AS); UINT64_MAX: no limit. */
uint64_t mp__os_address_space_left(void);

/* Does it run with more rights than its caller (set-uid)? Then the environment is not to be believed. */
bool mp__os_is_privileged(void);

int32_t mp__os_pid(void);

/* The process that the system holds for this one's parent; 0: none, or not to be known. */
int32_t mp__os_parent_pid(void);

/* Threads of this process; 0: the system does not tell. One that has ended may be counted for a moment longer. */
unsigned mp__os_thread_count(void);

/* The calling thread, one of the library's own, gets no signals from now on; they are the host's threads'. */
void mp__os_block_signals(void);

/* Ctrl-C ends this process no more: for servers and workers, whose parents end them. */
void mp__os_ignore_interrupt(void);

/* Takes that back: for children that a server forks. */
void mp__os_heed_interrupt(void);

/* This process's children are reaped by itself, though it was born to let the system do that. */
void mp__os_reap_children(void);

/* This process's environment, ended by NULL; valid until it is changed. NULL where there is no fork. */
const char *const *mp__os_environment(void);

/* Ends this process at once: no handler, no flush. */
void mp__os_end_now(int code);

/* `child` is called in every child of a fork, whoever forked, before fork returns there; once is enough. Nothing where
 * there is no fork. */
mp_status_t mp__os_on_fork(void (*child)(void));

/* `before` is called before every fork of this process, whoever forks, and `after` behind it; in the parent only. */
mp_status_t mp__os_around_forks(void (*before)(void), void (*after)(void));

/* ---- arena.c: one unnamed shared mapping */

typedef struct mp__os_arena {
    uint8_t *base;          /* page-aligned */
    size_t size;            /* bytes of address space; nearly all of it without memory behind it */
    mp__os_handle_t memory; /* what is mapped */
    mp__os_handle_t life;   /* where the system needs a second one to tell the dead; else MP__NO_HANDLE */
} mp__os_arena_t;

/* A new one, readable zeros wherever it is committed, not accessible elsewhere, not in core dumps, not locked by
 * mlockall. size: a multiple of 64 KiB. MP_NO_MEMORY: no room for one so large (address space, file size limit): try
 * less. MP_LIMIT: too many handles. */
mp_status_t mp__os_arena_create(size_t size, mp__os_arena_t *arena);

/* The child's side: maps what it was born with (both handles adopted). MP_INVALID: these are not handles of an arena of
 * this size. MP_NO_MEMORY: no room in this process. On failure the handles stay the caller's. */
mp_status_t mp__os_arena_open(mp__os_handle_t memory, mp__os_handle_t life, size_t size, mp__os_arena_t *arena);

/* Are its handles still those that it was made or opened with? A program may have closed what is not its own. MP_STATE.
 */
mp_status_t mp__os_arena_check(const mp__os_arena_t *arena);

/* Where this process runs with more rights than who started it: was that memory made with the same rights, so by the
 * same program? True where it has none. Any handle is safe. */
bool mp__os_arena_is_trusted(mp__os_handle_t memory);

/* Puts memory behind a range, for all who map it; a range that has some keeps it. Multiples of 4 KiB. MP_NO_MEMORY. */
mp_status_t mp__os_arena_commit(const mp__os_arena_t *arena, size_t offset, size_t length);

/* Makes a committed range accessible to this process (also ranges that hold uncommitted parts, which then must not be
 * touched). MP_NO_MEMORY. */
mp_status_t mp__os_arena_expose(const mp__os_arena_t *arena, size_t offset, size_t length);

/* Gives a range's memory back; it reads as zeros after the next commit. Without caps.discard it does nothing at all. */
void mp__os_arena_discard(const mp__os_arena_t *arena, size_t offset, size_t length);

/* Unmaps and closes. The process must hold no life in it any more. */
void mp__os_arena_close(mp__os_arena_t *arena);

/* ---- life.c: is that process, that thread dead? A stopped one is not. */

typedef struct mp__os_process_life {
    uint64_t words[4];
} mp__os_process_life_t; /* in the arena */

typedef struct mp__os_thread_life {
    uint64_t words[8];
} mp__os_thread_life_t; /* in the arena */

/* This process lives as number `index` (< 2^20) of the arena until it ends, however it ends. `life` lies in the arena
 * and is written. MP_LIMIT: no locks left. */
mp_status_t mp__os_process_live(const mp__os_arena_t *arena, uint32_t index, mp__os_process_life_t *life);

/* Takes that back: it does not live as that number after all. */
void mp__os_process_leave(const mp__os_arena_t *arena, uint32_t index);

/* Has that process ended? It may be called for any content of *life: garbage gives false or true, never a crash. Not
 * for the caller's own. A zombie has ended. */
bool mp__os_process_ended(const mp__os_arena_t *arena, uint32_t index, const mp__os_process_life_t *life);

/* The calling thread lives as *life, in the arena, until it ends. */
mp_status_t mp__os_thread_live(mp__os_thread_life_t *life);

/* Has that thread ended? Exact where the system can tell, also when its process lives on; false where only the process'
 * end can be seen. Any content of *life is safe. */
bool mp__os_thread_ended(const mp__os_thread_life_t *life);

/* The calling thread gives *life up, before it ends. */
void mp__os_thread_leave(mp__os_thread_life_t *life);

typedef struct mp__os_thread_end {
    void (*run)(void);
} mp__os_thread_end_t;

/* Runs in the calling thread when that one ends, other than by the end of the process; the last word holds. Nothing
 * does on Windows, which tells the end of threads without their doing. */
mp_status_t mp__os_thread_on_end(const mp__os_thread_end_t *end);

/* ---- park.c: sleep and wake */

/* Sleeps while *word (in the arena) == expected, until woken. MP_OK: woken, or the word differed, or for no reason at
 * all. MP_TIMEOUT. MP_UNSUPPORTED without caps.shared_wait. */
mp_status_t mp__os_word_wait(uint32_t *word, uint32_t expected, mp__deadline_t deadline);

/* Wakes one or all who sleep on the word. Async-signal-safe. Keeps errno. */
void mp__os_word_wake(uint32_t *word, bool all);

/* A bell: one thread waits, any thread of any process of the family rings; a ring is kept until the wait. */
typedef struct mp__os_bell {
    uint64_t words[8];
} mp__os_bell_t; /* in the arena */

mp_status_t mp__os_bell_init(mp__os_bell_t *bell);
mp_status_t mp__os_bell_wait(mp__os_bell_t *bell, mp__deadline_t deadline); /* MP_OK (also for no reason), MP_TIMEOUT */
void mp__os_bell_ring(
    mp__os_bell_t *bell); /* a bell whose process is gone is silence. Any content is safe. Keeps errno. */
void mp__os_bell_fini(mp__os_bell_t *bell); /* by its thread, or by a later user of the place when that one has ended */

/* A flag of this process that can be waited for beside others. */
typedef struct mp__os_event {
    mp__os_handle_t wait; /* for mp__os_wait_any */
    mp__os_handle_t set;
} mp__os_event_t;

/* ---- process.c: start, wait, end */

typedef enum mp__os_end {
    MP__OS_EXITED,    /* code: its exit code (8 bits on POSIX, 32 on Windows) */
    MP__OS_SIGNALLED, /* code: the signal's number; on Windows 15 or 9 when mp__os_process_signal ended it */
    MP__OS_UNKNOWN    /* it has ended; somebody else took its code */
} mp__os_end_t;

/* What a process has used so far, or had at its end. */
typedef struct mp__os_usage {
    int64_t user; /* nanoseconds of processors */
    int64_t system;
    uint64_t peak; /* bytes of memory, all that was resident at once; 0: not known */
} mp__os_usage_t;

typedef struct mp__os_exit {
    mp__os_end_t end;
    int32_t code;
    bool core_dumped;
    bool cpu_limit; /* the system ended it for its limit of processor time */
    mp__os_usage_t usage;
} mp__os_exit_t;

typedef struct mp__os_process {
    int32_t pid;
    mp__os_handle_t job;      /* that it alone, with its children, is in; MP__NO_HANDLE: none */
    mp__os_handle_t sentinel; /* ready (mp__os_wait_any) when it has ended */
    mp__os_exit_t exit;       /* once it was reaped */
    bool reaped;
    bool foreign; /* another process's child: its end can be seen by the sentinel, how it ended is not to be had here */
} mp__os_process_t;

typedef struct mp__os_spawn {
    const char *path;               /* the image, UTF-8 */
    const char *const *arguments;   /* NULL-terminated; NULL: this process's own (mp__os_program_note) */
    const char *const *environment; /* NULL-terminated: "NAME=value" is added to this process's own or replaced in it,
                                       "NAME" is taken out; the last word on a name holds; may be NULL */
    const mp__os_handle_t *handles; /* the child gets these, under the same numbers, and the standard three, which are
                                       not to be among them; no other */
    const mp__os_handle_t *sources; /* what those numbers are here, with caps.first_number; NULL: the same */
    size_t handle_count;
    const mp__os_handle_t *standard; /* its standard input, output and error, MP__NO_HANDLE: the null device; NULL: the
                                        null device as input, this process's own output and error */
    bool detached;                   /* it may outlive this process */
    bool grouped;                    /* where a job can hold it and its children together, it gets one */
    uint32_t process_limit;          /* it and its descendants at once; 0: no limit; with caps.limit_processes only */
} mp__os_spawn_t;

/* Starts a program: never by fork, so that it costs the same whatever this process holds. No signal is blocked in it.
 * On Windows it is in a job that ends it with this process, unless it is detached. MP_NOT_FOUND, MP_DENIED (not
 * executable, wrong format; with a process_limit also where somebody else's job around this process refuses another),
 * MP_UNSUPPORTED (that limit), MP_NO_MEMORY, MP_LIMIT (processes, handles), MP_INVALID (a handle). */
mp_status_t mp__os_spawn(const mp__os_spawn_t *spawn, mp__os_process_t *process);

/* Forks; *process is the child's in the parent; *in_child tells which one returns. No signal is blocked in the child.
 * MP_UNSUPPORTED without caps.fork; MP_NO_MEMORY; MP_LIMIT. */
mp_status_t mp__os_fork(mp__os_process_t *process, bool *in_child);

/* Waits for the end and reaps it; afterwards process->exit holds. MP_TIMEOUT: it still runs. One thread at a time a
 * process. */
mp_status_t mp__os_process_wait(mp__os_process_t *process, mp__deadline_t deadline);

/* SIGTERM or SIGKILL. One that has ended is MP_OK. MP_DENIED. */
mp_status_t mp__os_process_signal(mp__os_process_t *process, bool kill);

/* SIGINT, as Ctrl-C. One that has ended is MP_OK. MP_DENIED; MP_UNSUPPORTED: the system cannot send it to one process.
 */
mp_status_t mp__os_process_interrupt(mp__os_process_t *process);

/* Ends it at once with all that it started: those in its group or job; its descendants as far as the system lists them
 * (on Linux and Windows); and what of the library descends from it ends by its lifelines. Once it was reaped, POSIX
 * knows nothing of its descendants any more: MP_OK. MP_DENIED. */
mp_status_t mp__os_process_kill_tree(mp__os_process_t *process);

/* Asks it to end: SIGTERM, or on Windows by its door (0: it has none yet). One that has ended is MP_OK. MP_DENIED;
 * MP_BUSY: it cannot be asked yet. */
mp_status_t mp__os_process_ask(mp__os_process_t *process, uint64_t door);

/* The asked one's side: *wait is ready when it was asked. Both MP__NO_HANDLE and 0 where signals ask. MP_LIMIT. */
mp_status_t mp__os_door_create(mp__os_event_t *asked, uint64_t *door);

/* The name of what an exit code reports, for example "SIGKILL" for -9; "" if it has none. A static string. */
const char *mp__os_exit_name(int code);

/* Forgets it (closes the sentinel); a running child runs on. */
void mp__os_process_close(mp__os_process_t *process);

/* A sentinel of any process, which stays that one's whoever has its number later; the caller's to close. MP_NOT_FOUND;
 * MP_DENIED; MP_UNSUPPORTED without caps.sentinels. */
mp_status_t mp__os_sentinel_open(int32_t pid, mp__os_handle_t *sentinel);

/* What tells children that this process is gone. *child is handed to each child (no more than one a process); *mine is
 * kept open, and by nobody else. Both MP__NO_HANDLE where the system ends children itself. MP_LIMIT. */
mp_status_t mp__os_lifeline_create(mp__os_handle_t *child, mp__os_handle_t *mine);

/* The same for one child alone, and to be closed once that is started.
 * MP__NO_HANDLE: it gets the shared one. MP_LIMIT. */
mp_status_t mp__os_lifeline_own(mp__os_handle_t shared, mp__os_handle_t *own);

/* In a child, with one of its own, which is ready (mp__os_wait_any) when whoever made it is gone: from now on the
 * system itself ends this process then, also while it is stopped. False: it does not; watch it. */
bool mp__os_lifeline_arm(mp__os_handle_t own);

/* ---- stdio.c: standard input, output and error of children */

/* This process's own, 0 to 2; MP__NO_HANDLE: it has none. Not to be closed. */
mp__os_handle_t mp__os_standard(size_t number);

/* They become these (MP__NO_HANDLE: the null device), which stay open: in a child of fork. MP_UNSUPPORTED without
 * caps.fork. */
mp_status_t mp__os_standard_set(const mp__os_handle_t standard[3]);

typedef enum mp__os_file {
    MP__OS_FILE_READ,
    MP__OS_FILE_WRITE, /* made if it is not there, emptied if it is */
    MP__OS_FILE_APPEND /* made if it is not there */
} mp__os_file_t;

/* A file (UTF-8) for a child's standard handle. MP_NOT_FOUND, MP_DENIED. */
mp_status_t mp__os_file_open(const char *path, mp__os_file_t mode, mp__os_handle_t *file);

/* A pipe between this process (*mine) and a child's standard handle; input: the child reads from it. MP_LIMIT. */
mp_status_t mp__os_pipe_create(bool input, mp__os_handle_t *mine, mp__os_handle_t *childs);

/* Reads what there is, at most size bytes (> 0), as soon as there is some. MP_END: nobody can write any more.
 * MP_TIMEOUT. */
mp_status_t mp__os_pipe_read(mp__os_handle_t mine, void *data, size_t size, mp__deadline_t deadline, size_t *got);

/* Writes all; *written: how many bytes the pipe took, also of one that failed. MP_END: nobody reads any more (no signal
 * is raised). MP_TIMEOUT: it has no room; on Windows it may have taken some more then. */
mp_status_t mp__os_pipe_write(mp__os_handle_t mine, const void *data, size_t size, mp__deadline_t deadline,
                              size_t *written);

/* ---- self.c: what a process makes of itself before its function runs */

/* MP_NOT_FOUND, MP_DENIED. */
mp_status_t mp__os_directory_set(const char *path);

/* "NAME=value" or "NAME", as in mp__os_spawn_t. */
mp_status_t mp__os_environment_set(const char *entry);

/* The value of a variable, cut to size. False: there is none. */
bool mp__os_environment_get(const char *name, char *text, size_t size);

/* The processors that it may run on: those whose bit is set, 64 a word. MP_UNSUPPORTED without caps.affinity. */
mp_status_t mp__os_affinity_set(const uint64_t *processors, size_t words);

/* -20 (first) to 19 (last), 0 normal; set as it is said, not relative. MP_DENIED. */
mp_status_t mp__os_priority_set(int nice);

/* It leads a group of its own, with `session` also a session without a terminal. Where groups are jobs, its starter has
 * seen to it. */
mp_status_t mp__os_group_lead(bool session);

/* What this process has used so far. `peak`: also the memory, of the program which runs in it; that may cost more. */
void mp__os_usage(mp__os_usage_t *usage, bool peak);

/* Bytes of this process's memory that are resident and not shared; 0: nobody knows. With caps.memory_use. */
uint64_t mp__os_memory_used(void);

/* No more descriptors than that from now on, here and in its children. MP_UNSUPPORTED without caps.limit_files. */
mp_status_t mp__os_limit_files(uint32_t most);

/* Should nobody else end this process for its use of processors, the system does when it has used more than that.
 * Nothing where it cannot. */
mp_status_t mp__os_limit_cpu_time(int64_t nanoseconds);

/* Ends this process at once, as mp__os_process_signal does others. */
void mp__os_end_by_signal(bool kill);

/* ---- wait.c: any of many handles */

/* Waits until at least one is ready: a sentinel, an event, on POSIX any descriptor to read. ready[i] is set for all n.
 * MP_TIMEOUT; MP_INVALID: a handle is none; MP_NO_MEMORY. n has no limit (Windows' 64 handles are the back end's
 * affair). */
mp_status_t mp__os_wait_any(const mp__os_handle_t *handles, size_t n, mp__deadline_t deadline, bool *ready);

/* The same for things that are waited for again and again, among them ends of channels. */
typedef struct mp__os_watch mp__os_watch_t;

/* channel[i]: the handle is the end of a channel, ready when there is something to read, or the end; NULL: none is.
 * The handles stay the caller's, and stay open until the watch ends. MP_INVALID: a handle is none; MP_NO_MEMORY;
 * MP_LIMIT. */
mp_status_t mp__os_watch_begin(const mp__os_handle_t *handles, const bool *channel, size_t n, mp__os_watch_t **watch);

/* As mp__os_wait_any(). One thread at a time. What the first handle becomes ready for costs least. */
mp_status_t mp__os_watch_wait(mp__os_watch_t *watch, mp__deadline_t deadline, bool *ready);

/* NULL is fine. */
void mp__os_watch_end(mp__os_watch_t *watch);

mp_status_t mp__os_event_create(mp__os_event_t *event); /* MP_LIMIT */
void mp__os_event_set(const mp__os_event_t *event);
void mp__os_event_clear(const mp__os_event_t *event);
void mp__os_event_close(mp__os_event_t *event);

/* ---- channel.c: a byte stream between two ends that can carry handles */

/* Two ends; one-way: ends[0] only reads, ends[1] only writes. MP_LIMIT. */
mp_status_t mp__os_channel_create(bool duplex, mp__os_handle_t ends[2]);

/* Writes all. Blocks until the stream took it. MP_END: the other side is gone (no signal is raised). One writer at a
 * time. */
mp_status_t mp__os_channel_write(mp__os_handle_t end, const void *data, size_t size);

/* Reads exactly size bytes (> 0). MP_END: the other side closed before the first; MP_TRUNCATED: in between. One reader
 * at a time. */
mp_status_t mp__os_channel_read(mp__os_handle_t end, void *data, size_t size);

/* Passes copies of up to 64 handles, at this place of the stream; the sender may close its own at once, and end.
 * keeper: the pid of a process that outlives the passage (the family's root; used where handles cannot travel by
 * themselves). MP_END; MP_INVALID: a handle is none. */
mp_status_t mp__os_channel_pass(mp__os_handle_t end, const mp__os_handle_t *handles, size_t n, int32_t keeper);

/* Takes exactly n handles passed at this place. MP_END, MP_TRUNCATED; MP_MALFORMED: something else stands there (what
 * came is closed); MP_LIMIT: no room for them in this process. */
mp_status_t mp__os_channel_take(mp__os_handle_t end, mp__os_handle_t *handles, size_t n);

/* Is there something to read (also the end)? MP_TIMEOUT: no. */
mp_status_t mp__os_channel_poll(mp__os_handle_t end, mp__deadline_t deadline);

/* ---- listener.c: an address where others of this user meet this process, and get ends of channels */

typedef struct mp__os_listener mp__os_listener_t;

/* Begins to listen: at a socket's path, or a pipe's name; NULL: at an address of its own choice, which nobody else can
 * guess or enter. Only this user's processes can connect. What a dead one left at the address is replaced. MP_EXISTS:
 * somebody listens there, or something else is there; MP_TIMEOUT: another has been replacing the same dead one
 * for seconds; MP_NOT_FOUND: no such directory; MP_DENIED; MP_TOO_LARGE: the system takes no address as long;
 * MP_INVALID: it is no address; MP_LIMIT. */
mp_status_t mp__os_listen(const char *address, mp__os_listener_t **listener);

/* Its address, whole; the listener's. */
const char *mp__os_listener_address(const mp__os_listener_t *listener);

/* Ready (mp__os_wait_any) when somebody has come. It stays the listener's, and the same. */
mp__os_handle_t mp__os_listener_handle(const mp__os_listener_t *listener);

/* The next that has come, if somebody has: a duplex channel's end. Who is of another user is turned away. Never blocks.
 * Any number of threads. MP_TIMEOUT: nobody is there (any more); MP_LIMIT: who came is there yet; MP_UNSUPPORTED: the
 * system does not tell whose process it is. */
mp_status_t mp__os_accept(mp__os_listener_t *listener, mp__os_handle_t *end);

/* The address is free again; nobody comes any more. Others may still be in mp__os_accept(). In a child of fork nothing:
 * the address is the parent's. */
void mp__os_listener_remove(mp__os_listener_t *listener);

/* The same, and frees it. NULL is fine. */
void mp__os_listener_close(mp__os_listener_t *listener);

/* A duplex channel's end whose other one the listener at that address gets. Never blocks. MP_NOT_FOUND: nobody listens
 * there; MP_BUSY: somebody does, and takes no more just now; MP_DENIED: it is another user's; MP_TOO_LARGE, MP_INVALID,
 * MP_LIMIT; MP_UNSUPPORTED: as above. */
mp_status_t mp__os_connect(const char *address, mp__os_handle_t *end);

/* ---- image.c: programs, modules, functions */

#define MP__OS_PATH_MAX     4096
#define MP__OS_IDENTITY_MAX 32

typedef struct mp__os_module {
    uint8_t identity[MP__OS_IDENTITY_MAX]; /* the build: ELF build-id; PE GUID, or timestamp + size + checksum; Mach-O
                                              UUID */
    uint32_t identity_size;
    char path[MP__OS_PATH_MAX]; /* UTF-8; "" for the program itself */
} mp__os_module_t;

/* Remembers the program's path and command line for later starts. (0, NULL): asks the system. Once, early, before the
 * program changes its directory. MP_UNSUPPORTED: the system cannot be asked. MP_NO_MEMORY. */
mp_status_t mp__os_program_note(int argc, char **argv);

/* The image to start children from; NULL before mp__os_program_note. */
const char *mp__os_program_path(void);

/* Which module holds it, and where in it. MP_NOT_FOUND: none does. MP_UNSUPPORTED: the module has no identity (linked
 * without a build id). */
mp_status_t mp__os_function_find(mp_function_t function, mp__os_module_t *module, uint64_t *offset);

/* The function at that place of that build, in this process; a module of that path that is not loaded is loaded, and
 * stays. MP_MISMATCH: the module here is another build. MP_NOT_FOUND: no such module. MP_INVALID: the offset is not
 * inside its code. */
mp_status_t mp__os_function_resolve(const mp__os_module_t *module, uint64_t offset, mp_function_t *function);

#endif
