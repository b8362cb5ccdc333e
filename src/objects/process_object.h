/* What a process object holds, and what the files that Process is made of know of each other: process.c, children.c,
 * process_start.c, process_self.c, program_end.c. */
#ifndef MP_OBJECTS_PROCESS_OBJECT_H
#define MP_OBJECTS_PROCESS_OBJECT_H

#include "objects/process.h"
#include "wire/handle.h"

typedef enum mp__role {
    MP__ROLE_CHILD,
    MP__ROLE_SELF,
    MP__ROLE_PARENT,
    MP__ROLE_CLOSED,
    MP__ROLE_PARENTS /* a child of who forked this process */
} mp__role_t;

struct mp_process {
    mp__handle_t handle;
    mp__role_t role;
    mp__os_process_t os;
    uint32_t slot;
    uint32_t epoch;
    uint32_t known; /* 1: it has ended; `ending` holds */
    uint32_t ended; /* 1: what it owned has been swept, too */
    mp__ending_t ending;
    mp_error_t beginning; /* with `known`: how far it came; MP_RUNNING: it did not say */
    int64_t untold;       /* since when a fork server owes how it ended; 0: it does not */
    bool awaited;         /* by the program's end, once */
    bool service;
    bool unwatched; /* the fork server */
    bool daemon;
    bool detached;
    bool abandoned; /* nobody holds the object: it is freed once it was joined */
    char name[64];
    mp__streams_t streams;
    mp_process_t *next; /* in the list of children, or of graves */
};

/* Bytes of a process's number. */
#define MP__IDENTITY 64

/* Where a child's end wakes nobody, it is looked for this often. */
#define MP__LOOK (10 * MP__MILLISECOND)

/* ---- process.c */

/* A new object, zeroed; NULL: no memory. */
mp_process_t *mp__process_make(void);

/* Makes it a child's: who lets go of its handle last frees it. */
void mp__process_init_child(mp_process_t *process);

/* In a fork's child: a thread of the parent may have been changing them. */
void mp__process_graves_forget(void);

bool mp__process_is_child(const mp_process_t *process);

/* The error of who is not. MP_CLOSED, MP_INVALID. */
mp_status_t mp__process_no_child(const mp_process_t *process, const char *step);

/* ---- children.c */

/* The mutex guards the list, the reaping of each child, and the graves. */
mp_status_t mp__children_lock(void);
void mp__children_unlock(void);

/* Was there a child ever? Without the mutex. */
bool mp__children_ever(void);

/* Under the mutex: the first of the list, which goes on with `next`; a new one; one that is none any more. */
mp_process_t *mp__children_first(void);
void mp__children_add(mp_process_t *process);
void mp__children_remove(const mp_process_t *process);

/* Has it ended? Then how is noted. Does not wait. MP_TIMEOUT: it runs; MP_BUSY: its fork server is to say how it
 * ended. */
mp_status_t mp__child_look_at(mp_process_t *process);

/* Ends what it owned, which may take a while where others stand still in that: without the mutex. Two may do it at
 * once. */
mp_status_t mp__child_sweep(mp_process_t *process);

/* ---- process_start.c */

/* In a fork's child: the one that forked was about to start it. */
void mp__process_starts_forget(void);

/* ---- process_self.c */

/* The number of a new child, behind this process's own. MP_LIMIT: too many generations. */
mp_status_t mp__self_number_child(bool unwatched, char *child_identity, size_t size);

/* In a fork's child: it has had no children. */
void mp__self_forget(void);

bool mp__process_is_parent(const mp_process_t *process);

bool mp__parent_is_alive(void);

/* Ready when it is gone; MP__NO_HANDLE: there is none. */
mp__os_handle_t mp__parent_lifeline(void);

/* MP_OK; MP_TIMEOUT. */
mp_status_t mp__parent_join(mp__deadline_t deadline);

#endif
