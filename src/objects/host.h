/*
 * Starts in a program that never calls mp_freeze_support, because it is not ours: a plug-in's, an interpreter's. Its
 * image would run its own main again, so children run in a helper, multiproc-host, which loads the copy of this
 * library that the starter uses and goes on there.
 */
#ifndef MP_OBJECTS_HOST_H
#define MP_OBJECTS_HOST_H

#include <multiproc/runtime.h>

/* Is the function to be started from here, and how? Nothing in a guarded program. without_image: somebody has named the
 * image already. MP_NOT_GUARDED: the function is the program's own, which the helper cannot load; MP_NOT_FOUND: there
 * is no helper; MP_UNSUPPORTED: the library's module has no identity. */
mp_status_t mp__host_prepare(mp_function_t function, bool has_image);

/* After that: the helper; NULL: children are started from this program's own image. */
const char *mp__host_image(void);

/* The helper's command line; NULL: this program's own. */
const char *const *mp__host_arguments(void);

/* The environment's entry that tells the helper which library to load; NULL: none. */
const char *mp__host_variable(void);

/* ---- between the helper and the library that it loads */

#define MP__HOST_VARIABLE "MULTIPROC_ENTRY" /* identity, offset of the entry, path: "0a1b...:1f40:/usr/lib/x.so" */

/* The library's entry; the helper's exit code. */
typedef int (*mp__host_entry_t)(uint32_t abi, const mp__program_t *program, int argc, char **argv);

#endif
