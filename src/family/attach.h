/*
 * Memory of the arena that is handed out as pointers: it must not be used again while a process may look at it.
 *
 * Each process writes what it is attached to into tables of its own, one word a record: the block's name. A lent block
 * (MP__OWNER_LENT) that is freed lingers while a record of a process that stands names it; see attach.c.
 */
#ifndef MP_FAMILY_ATTACH_H
#define MP_FAMILY_ATTACH_H

#include "family/object.h"

/* How the body of an object begins that lends memory. */
typedef struct mp__lent {
    uint64_t block;
    uint64_t bytes;
} mp__lent_t;

/* Memory for a new object: so many zero bytes. MP_NO_MEMORY. */
mp_status_t mp__lend(mp__header_t *header, uint64_t bytes);

/* For the object's end: frees it. */
void mp__lend_end(mp__header_t *header);

/* A holder's place in it; all zero at first. Any number of threads may attach with the same one at once. */
typedef struct mp__attachment {
    uint64_t record; /* {who attached, where its record is}; 0 = not attached */
    uint64_t memory; /* the arena offset */
    uint64_t bytes;
} mp__attachment_t;

/* Attaches this process to the object's memory, once a holder: later calls only check that the object lives. It
 * stays readable until mp__detach(), also after the object's end. MP_GONE; MP_CORRUPT; MP_NO_MEMORY. */
mp_status_t mp__attach(mp__attachment_t *attachment, const mp__header_t *header, const mp__reference_t *reference,
                       void **memory, uint64_t *bytes);

/* Once nobody uses the pointer any more. Nothing for one that is not attached, or that a fork's parent attached. */
void mp__detach(mp__attachment_t *attachment);

/* Has a process that stands a record of the block? */
bool mp__attached(mp__block_t block);

#endif
