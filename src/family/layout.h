/*
 * What lies where in the arena. Members of a family are built from the same library (the start checks it), so these
 * structs are the format. Every word that more than one process writes is written by atomic operations or under a lock
 * that lies beside it.
 *
 *   head | process slots | thread slots | parking | page map | block states | payload
 *
 * Between the regions lie pages that never have memory. Control comes first, payload last.
 */
#ifndef MP_FAMILY_LAYOUT_H
#define MP_FAMILY_LAYOUT_H

#include "core/compiler.h"
#include "platform.h"

#define MP__ARENA_MAGIC   UINT64_C(0x616e6572615f706d)
#define MP__ARENA_VERSION 5u /* raised with every change of what lies in the arena */

#define MP__PAGE_SIZE       ((size_t)65536) /* the allocator's page, not the system's */
#define MP__BLOCKS_PER_PAGE ((size_t)1024)  /* of the smallest class */
#define MP__UNIT            ((size_t)64)    /* the smallest block; places count in it */

#define MP__MAX_PROCESSES ((uint32_t)4096)
#define MP__MAX_THREADS   ((uint32_t)16384)

typedef enum mp__region {
    MP__REGION_HEAD,
    MP__REGION_PROCESSES,
    MP__REGION_THREADS,
    MP__REGION_PARKING,
    MP__REGION_PAGES,
    MP__REGION_STATES,
    MP__REGION_PAYLOAD,
    MP__REGIONS
} mp__region_t;

/* A lock: low half {waiters, starving, owner's thread slot + 1}, high half that slot's epoch; 0 = free (lock.c). */
typedef uint64_t mp__lock_word_t;

/* ---- participants (slots.c) */

#define MP__SLOT_BLOCK 176 /* words */

typedef enum mp__process_state {
    MP__PROCESS_FREE,
    MP__PROCESS_STARTING, /* made by the parent; the child has not claimed it yet */
    MP__PROCESS_RUNNING,
    MP__PROCESS_SWEEPING, /* it has ended; what it owned is being ended */
    MP__PROCESS_ENDED     /* that is done; the slot says how it ended until its parent has read that, or ended */
} mp__process_state_t;

typedef struct mp__process_slot {
    uint64_t claim; /* {epoch, maker's slot + 1 (24 bits, while STARTING), state (8)}: changes by compare-and-swap */
    uint64_t nonce; /* what the child must know to claim it */
    uint64_t exit;  /* its own record: 0 = none, else {1, exit code} */
    mp__os_process_life_t life;
    uint32_t pid;
    uint32_t life_epoch; /* the epoch for which `life` holds */
    uint32_t parent_pid;
    uint32_t owns;        /* 1: it has allocated something since its claim */
    uint64_t arguments;   /* the offset of the argument block; 0 = it is `block` */
    uint64_t door;        /* where it is asked to end; 0 = nowhere, or not yet */
    uint32_t report;      /* how its start went: MP__REPORT_...; its parent sleeps on it */
    uint32_t cause;       /* the limit that it is ended for, said before: mp_cause_t */
    uint32_t told;        /* rises when `reaped` was written; its parent sleeps on it */
    mp__os_usage_t usage; /* its own record, at its end: what it used; all 0 = none */
    uint64_t attached;    /* its first table of attach records, a block; 0 = none (attach.c) */
    uint64_t keeper;      /* the process that prepared it, as {epoch, slot + 1}; 0 = none */
    uint64_t server;      /* the fork server that forked it, likewise; 0 = its parent started it itself */
    uint64_t reaped;      /* the server's record of its end: {epoch, 0 or MP__REAPED_... | exit code or signal} */
    char name[64];
    char parent_name[64];
    mp_error_t failure;             /* with MP__REPORT_FAILED, or of its function */
    uint64_t block[MP__SLOT_BLOCK]; /* the usual argument block: its child need not touch more of the arena for it */
} mp__process_slot_t;

#define MP__REPORT_NONE   0u /* it is on its way */
#define MP__REPORT_RUNS   1u /* it runs its function, or did */
#define MP__REPORT_FAILED 2u /* it could not become what it was started for */
#define MP__REPORT_BACK   3u /* it was taken back before it said anything, and must not run it */

#define MP__REAPED_EXITED    0x10000u
#define MP__REAPED_SIGNALLED 0x20000u
#define MP__REAPED_UNKNOWN   0x100000u /* somebody else took it */
#define MP__REAPED_CORE      0x40000u  /* and left a core */
#define MP__REAPED_CPU_LIMIT 0x80000u  /* for its limit of processor time */

typedef struct mp__thread_slot {
    uint64_t claim;      /* {epoch, process slot + 1}; low half 0 = free, and its last thread dead */
    uint64_t parked;     /* the arena offset of the word it sleeps on; 0 = awake */
    uint32_t life_epoch; /* the epoch for which `life` and `bell` hold */
    uint32_t door;       /* rung when something changes that it watches (watch.c) */
    uint32_t porter;     /* while it waits elsewhere: the slot + 1 of the thread that hears its door */
    uint32_t turn;       /* {number of its turn, what became of it}: turn.h */
    uint32_t reserved[8];
    mp__os_thread_life_t life;
    mp__os_bell_t bell;
    uint64_t padding[8];
} mp__thread_slot_t;

/* ---- the allocator (alloc.c) */

#define MP__CLASSES 11 /* 64 B .. 32 KiB by doubling, and the object headers' own */

typedef struct mp__class {
    mp__lock_word_t lock;
    uint64_t free;  /* a cache: the first free block's offset; 0 = none known */
    uint64_t used;  /* a cache: blocks in use */
    uint32_t stale; /* 1: a block was freed that is not in the list */
    uint32_t reserved;
    uint64_t padding[4];
} mp__class_t;

/* ---- the head */

typedef struct mp__head {
    uint64_t magic;
    uint32_t version;
    uint32_t page_count; /* payload pages */
    uint64_t size;
    uint64_t cap;       /* bytes of memory that may be committed */
    uint16_t family[4]; /* 48 random bits that name the family in references */
    uint32_t root_pid;
    uint32_t reserved;
    uint64_t committed[MP__REGIONS]; /* how far each region but payload has memory */
    mp__lock_word_t sweep_lock;
    uint32_t process_mark; /* process slots below this were ever used */
    uint32_t thread_mark;
    uint32_t process_cursor; /* where to look for the next slot: reuse goes round, oldest first */
    uint32_t thread_cursor;
    uint64_t padding[4];
    mp__lock_word_t page_lock;
    uint64_t page_mark;       /* a cache: pages from here on were never used */
    uint64_t pages_committed; /* a cache: payload pages with memory */
    uint64_t pages_kept;      /* a cache: those of them that are free */
    uint64_t page_hint;       /* a cache: below it no page is free */
    uint32_t pages_stale;     /* 1: a run was freed that is not given back yet */
    uint32_t deaths;          /* sweeps begun: rises after whoever looks finds the process dead */
    uint64_t padding2[2];
    mp__class_t classes[MP__CLASSES];
} mp__head_t;

#define MP__PARK_BUCKETS 64u

typedef struct mp__parking {
    uint64_t sleepers[MP__PARK_BUCKETS][16384 / 64]; /* by hash of the word, a bit a thread slot */
} mp__parking_t;

static inline uint64_t mp__pair(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

static inline uint32_t mp__high(uint64_t pair)
{
    return (uint32_t)(pair >> 32);
}

static inline uint32_t mp__low(uint64_t pair)
{
    return (uint32_t)pair;
}

#endif
