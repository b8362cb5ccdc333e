/*
 * A roster: a table of threads in an object's own block: who holds permits of a semaphore, who waits at a condition or
 * barrier.
 *
 * It is read and changed under the object's lock. A row is there from the store of its thread on and gone when that is
 * 0 again, and its value changes by one store: so a death leaves each row as it was before or after. The block that a
 * table grows into is named beside the current one before it belongs to the object.
 */
#ifndef MP_OBJECTS_ROSTER_H
#define MP_OBJECTS_ROSTER_H

#include "family/object.h"

typedef struct mp__row {
    uint64_t thread; /* as mp__self; 0: a free row */
    uint64_t value;
} mp__row_t;

/* In the object's body. */
typedef struct mp__roster {
    mp__block_t blocks[2];
    uint64_t current; /* which of them */
} mp__roster_t;

typedef struct mp__rows {
    mp__row_t *at;
    size_t count;
} mp__rows_t;

/* Of an object that is being made. MP_NO_MEMORY. */
mp_status_t mp__roster_create(const mp__header_t *header, mp__roster_t *roster);

/* After a death under the lock. */
void mp__roster_repair(mp__roster_t *roster);

/* When nobody is in the object any more. */
void mp__roster_release(mp__roster_t *roster);

/* Where the rows are, until the lock is let go of, or a row is added. MP_CORRUPT. */
mp_status_t mp__roster_rows(const mp__header_t *header, const mp__roster_t *roster, mp__rows_t *rows);

/* A new row. MP_NO_MEMORY, MP_CORRUPT; MP_TIMEOUT: others who allocate took too long. */
mp_status_t mp__roster_add(const mp__header_t *header, mp__roster_t *roster, uint64_t thread, uint64_t value);

/* The thread's row; NULL: it has none. */
mp__row_t *mp__roster_find(const mp__rows_t *rows, uint64_t thread);

static inline void mp__row_set(mp__row_t *row, uint64_t value)
{
    mp__store64(&row->value, value);
}

static inline void mp__row_remove(mp__row_t *row)
{
    mp__store64(&row->thread, 0);
}

#endif
