/* Logging, for the rest of the library. */
#ifndef MP_OBJECTS_LOG_H
#define MP_OBJECTS_LOG_H

#include <multiproc/log.h>

#include "core/compiler.h"
#include "family/alloc.h"
#include "family/reference.h"

/* Where lines go, for a child: a part of its argument block. */
typedef struct mp__log_route {
    uint32_t level; /* 0: nowhere */
    uint32_t reserved;
    mp__reference_t queue;
    mp__block_t board;
} mp__log_route_t;

/* This process' own, to be handed to its children. */
mp__log_route_t mp__log_route(void);

/* In a child, with what its parent handed to it. */
void mp__log_inherit(const mp__log_route_t *route);

/* Before and after a start by fork: meanwhile the sink, which may hold locks of the program, is not called. Waits for
 * one that runs, not for long. */
void mp__log_pause(void);
void mp__log_resume(void);

/* In a child that was started by fork: its parent's route is not its own. */
void mp__log_forget(void);

/* What the library itself has to say. */
void mp__log(int level, const char *format, ...) MP__PRINTF(2, 3);

#endif
