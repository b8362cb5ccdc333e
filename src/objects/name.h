/* Names outside of the family: who has one, whether that process lives, and the shared memory behind it. */
#ifndef MP_OBJECTS_NAME_H
#define MP_OBJECTS_NAME_H

#include "family/object.h"
#include "wire/handle.h"

#include <apr_file_io.h>
#include <apr_shm.h>

/* What the holders of the two are: of no value, but told apart as others are. */
#define MP__KIND_NAMED_MEMORY ((mp_kind_t)0x100)
#define MP__KIND_NAMED_LOCK   ((mp_kind_t)0x101)

/* Between a path and what else its opener made for a moment. */
#define MP__NAME_OPENING "~"

/* How the memory behind a name begins. The content lies at the next multiple of 64 behind it. */
typedef struct mp__name_head {
    uint64_t magic; /* stored last */
    uint64_t bytes; /* of content */
    uint32_t state;
    uint32_t holder; /* of a lock: the process that holds it; 0: nobody */
    char name[MP__NAME_TEXT_MOST];
} mp__name_head_t;

typedef struct mp__name {
    char text[MP__NAME_TEXT_MOST]; /* with the kind: "x.memory" */
    const char *path;              /* of the claim: a file that its owner has locked as long as it lives */
    apr_pool_t *pool;
    apr_file_t *claim; /* NULL: opened in the owner's own process, where looking at it would unlock it */
    apr_shm_t *memory;
    mp__name_head_t *head;
    uint8_t *content;
    uint64_t bytes;
    int32_t pid;          /* who made this holder */
    bool owner;           /* it made the name */
    mp__header_t *header; /* the owner's, in the arena: lets a sweep remove the name */
    mp__reference_t reference;
    struct mp__name *next; /* of this process's own names */
} mp__name_t;

/* The error behind one of APR's codes. */
mp_status_t mp__name_failed(const char *step, int code);

/* Makes a name and zero memory behind it. `kind` is ".memory" or ".lock". MP_EXISTS and what named.h says. Others who
 * open it wait until it is published. */
mp_status_t mp__name_create(mp__name_t *name, const char *text, const char *kind, uint64_t bytes);
void mp__name_publish(mp__name_t *name);

mp_status_t mp__name_open(mp__name_t *name, const char *text, const char *kind);

/* MP_GONE: its owner has closed it, or is dead. */
mp_status_t mp__name_check(mp__name_t *name);

mp_status_t mp__name_unlink(mp__name_t *name);

/* In the owner, before the close: from now on mp__name_check() is MP_GONE everywhere. */
void mp__name_end(mp__name_t *name);

/* Gives all back; in the owner the name goes. The thread's last error stays as it was. */
void mp__name_close(mp__name_t *name);

/* Before the first sweep. */
void mp__name_begin(void);

#endif
