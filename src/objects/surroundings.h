/* A process's directory and environment at one moment, and how they differ from those at a later one: what a child has
 * to be told whose parent by the system (the fork server) is another than its starter. */
#ifndef MP_OBJECTS_SURROUNDINGS_H
#define MP_OBJECTS_SURROUNDINGS_H

#include "objects/process_options.h"

typedef struct mp__surroundings {
    char *directory; /* NULL: not to be known */
    char **environment;
    size_t variables;
} mp__surroundings_t; /* zeroed: none */

/* Those of now, instead of what was noted before. MP_NO_MEMORY. */
mp_status_t mp__surroundings_note(mp__surroundings_t *noted);

void mp__surroundings_forget(mp__surroundings_t *noted);

/* The outfit's settings and texts for a child that was born in the noted surroundings, and is to find those of now: the
 * differences stand in front of the outfit's own texts. MP_NO_MEMORY, MP_TOO_LARGE. */
mp_status_t mp__surroundings_outfit(const mp__surroundings_t *noted, const mp__outfit_t *outfit,
                                    mp__settings_t *settings, mp__buffer_t *texts);

/* Is there such a variable in a list that NULL ends? */
bool mp__has_variable(const char *const *list, const char *variable);

#endif
