/* What the workers do. */
#ifndef TREEHASH_DIGEST_H
#define TREEHASH_DIGEST_H

#include <multiproc.h>

#define TREEHASH_DIGEST_SIZE 32

/* Arguments: paths, as bytes. Result: a list with, for each, the digest's bytes, or a str that says why there is
 * none. */
mp_status_t treehash_digest(mp_call_t *call);

#endif
