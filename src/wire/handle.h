/* What every public object (mp_queue_t, mp_conn_t, ...) begins with: this process's holder of something shared. Values
 * carry pointers to it, messages carry its reference. */
#ifndef MP_WIRE_HANDLE_H
#define MP_WIRE_HANDLE_H

#include <multiproc/value.h>

#include "family/reference.h"

#define MP__HANDLE_MAGIC  0x6d706864u
#define MP__HANDLE_CLOSED 0x6d706863u

typedef struct mp__handle mp__handle_t;

struct mp__handle {
    uint32_t magic;                  /* MP__HANDLE_MAGIC while it lives, then MP__HANDLE_CLOSED */
    uint16_t kind;                   /* an mp_kind_t */
    uint16_t reserved;               /* 0 */
    uint32_t holders;                /* in this process: pointers that are to be closed, values that it is in */
    uint32_t pointers;               /* the first of these: the maker's, and one for each mp_keep() */
    mp__reference_t reference;       /* the shared object (for a manager's proxies: the manager's) */
    uint64_t item;                   /* a manager's object number; 0 elsewhere */
    void (*shut)(mp__handle_t *);    /* its end when it is closed while values hold it still; NULL: nothing to do */
    void (*destroy)(mp__handle_t *); /* buries it when the last holder lets go; ends nothing shared */
};

/* Is this a live object of this copy of the library? */
static inline int mp__handle_is(const mp__handle_t *handle, mp_kind_t kind)
{
    return handle && handle->magic == MP__HANDLE_MAGIC && handle->kind == (uint16_t)kind;
}

/* Why mp__handle_is() said no: MP_CLOSED, if it was one and is in its grave yet; else MP_INVALID. */
mp_status_t mp__handle_refuse(const mp__handle_t *handle, mp_kind_t kind, const char *step, const char *what);

/* With one holder, a pointer that is to be closed. */
void mp__handle_init(mp__handle_t *handle, mp_kind_t kind, const mp__reference_t *reference, uint64_t item,
                     void (*destroy)(mp__handle_t *));

/* The one holder is a value instead: who borrows the object from it may close it, but need not. */
void mp__handle_lend(mp__handle_t *handle);

/* One holder more, one less: of values, and of the library's own. */
void mp__handle_keep(mp__handle_t *handle);
void mp__handle_release(mp__handle_t *handle); /* NULL is fine */

/* What a public close does: a pointer less. One that was only borrowed ends here, and its memory with the value. */
void mp__handle_close(mp__handle_t *handle);

/* Frees the memory that begins with it (from malloc), but not now: a late use of one of the 64 that were buried last
 * is told so. */
void mp__handle_bury(mp__handle_t *handle);

#endif
