/* One command line from many arguments. */
#ifndef MP_WIN32_QUOTE_H
#define MP_WIN32_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes that an argument takes in a command line at most, its separator counted. */
size_t mp__win_quote_room(const char *argument);

/* Writes an argument so that CommandLineToArgvW, and every C runtime, reads exactly it again; nothing is terminated.
 * Returns where the next one goes. */
char *mp__win_quote(char *out, const char *argument);

/* The same for the first of a line, the program's name, which is read by other rules: there is no way to write a '"'.
 * False: the name has one. */
bool mp__win_quote_program(char **out, const char *name);

/* What quoting does, by example; the test goes through it. */
typedef struct mp__win_quote_example {
    const char *argument;
    const char *quoted;
} mp__win_quote_example_t;

extern const mp__win_quote_example_t mp__win_quote_examples[]; /* until argument is NULL */

#endif
