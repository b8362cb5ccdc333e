/*
 * The lifeline: what children watch to see that this process is gone. One a process, made for its first child; each
 * child gets an end of its own where the system then ends it by itself.
 */
#ifndef MP_OBJECTS_LIFELINE_H
#define MP_OBJECTS_LIFELINE_H

#include "platform.h"

/* The end for the next child, to be given back by mp__lifeline_close() when that one is begun. MP_LIMIT. */
mp_status_t mp__lifeline_open(mp__os_handle_t *end);
void mp__lifeline_close(mp__os_handle_t end);

/* Is it one that only that child gets? */
bool mp__lifeline_is_own(mp__os_handle_t end);

/* Opens an end for the child after this one, which takes a while: to be called while nobody waits for it. */
void mp__lifeline_prepare(void);

/* Which end the child of this thread's next fork keeps; MP__NO_HANDLE: none, as in forks that are not ours. */
void mp__lifeline_keep(mp__os_handle_t end);

#endif
