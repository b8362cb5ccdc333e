/* What a child is given beside its call: made ready in its parent, put on in the child. */
#ifndef MP_OBJECTS_PROCESS_OPTIONS_H
#define MP_OBJECTS_PROCESS_OPTIONS_H

#include <multiproc/process.h>

#include "platform.h"
#include "wire/buffer.h"

#define MP__PROCESSOR_WORDS 16u

/* What the child does to itself; a part of its argument block. Texts follow the block's call: each ends with a zero,
 * the directory first. */
typedef struct mp__settings {
    uint64_t processors[MP__PROCESSOR_WORDS]; /* a bit each */
    int64_t cpu_time;                         /* nanoseconds; 0: no limit */
    uint64_t memory;                          /* bytes; 0: no limit */
    uint32_t open_files;                      /* 0: no limit */
    int32_t priority;                         /* 0: as it is */
    uint32_t has_processors;
    uint32_t group;
    uint32_t detached;
    uint32_t has_directory;
    uint32_t variables; /* texts that are entries of the environment */
    uint32_t text_size; /* bytes of all texts */
} mp__settings_t;

/* Adds a text of that many bytes, and the zero that ends it. MP_NO_MEMORY. */
mp_status_t mp__texts_add(mp__buffer_t *texts, const char *text, size_t length);

/* The parent's ends of a child's pipes. */
typedef struct mp__streams {
    mp__os_handle_t ends[3];
    uint32_t users[3]; /* calls that are using the end */
    bool closing[3];   /* the last of them closes it */
    bool were_pipes[3];
} mp__streams_t;

/* An outfit on its way: what the start borrows until the child is on its way. */
typedef struct mp__outfit {
    const mp_process_options_t *options;
    mp__settings_t settings;
    mp__buffer_t texts;
    mp__os_handle_t standard[3]; /* for the child */
    mp__os_handle_t opened[3];   /* those of them that are closed afterwards */
    mp__streams_t streams;
} mp__outfit_t;

/* Checks the options and opens what the child is to have. MP_INVALID, MP_UNSUPPORTED, MP_NOT_FOUND, MP_DENIED,
 * MP_NO_MEMORY, MP_LIMIT. */
mp_status_t mp__outfit_make(mp__outfit_t *outfit, const mp_process_options_t *options);

/* Closes the child's side. The parent's ends go to *streams (NULL: they are closed, too). */
void mp__outfit_fini(mp__outfit_t *outfit, mp__streams_t *streams);

/* The environment of a program that is executed: the options' and behind it these two (the second may be NULL). Of
 * malloc; NULL: no memory. */
const char **mp__outfit_environment(const mp__outfit_t *outfit, const char *first, const char *second);

/* In the child: `texts` has settings->text_size bytes. `executed`: it has its environment already. What fails is the
 * start's error. */
mp_status_t mp__settings_apply(const mp__settings_t *settings, const char *texts, bool executed);

void mp__streams_init(mp__streams_t *streams);

/* Closes an end, or leaves that to the calls that are using it. */
void mp__stream_close(mp__streams_t *streams, size_t number);

/* That for all of them. */
void mp__streams_retire(mp__streams_t *streams);

/* Nobody uses them. */
void mp__streams_close(mp__streams_t *streams);

#endif
