/* The one thing that the systems name differently. */
#ifndef TREEHASH_TERMINAL_H
#define TREEHASH_TERMINAL_H

#include <stdbool.h>

/* Is standard error a terminal? */
bool treehash_on_terminal(void);

/* Standard output keeps '\n' as it is. */
void treehash_binary_output(void);

#endif
