/**
 * @file process_options.h
 * What a child can be given beside its function: standard input and output, processors, limits.
 */
#ifndef MULTIPROC_PROCESS_OPTIONS_H
#define MULTIPROC_PROCESS_OPTIONS_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** One of the three standard streams. */
typedef enum mp_stream {
    MP_STDIN = 0,  /**< standard input */
    MP_STDOUT = 1, /**< standard output */
    MP_STDERR = 2  /**< standard error */
} mp_stream_t;

/** What becomes of a standard stream of a child. */
typedef enum mp_stdio_kind {
    MP_STDIO_DEFAULT = 0, /**< standard input: ::MP_STDIO_NULL; the others: ::MP_STDIO_INHERIT */
    MP_STDIO_INHERIT = 1, /**< the parent's own */
    MP_STDIO_NULL = 2,    /**< the null device: nothing to read, and what is written is lost */
    MP_STDIO_PIPE = 3,    /**< a pipe to the parent: mp_process_read(), mp_process_write() */
    MP_STDIO_FILE = 4,    /**< the file `path`: read for the input, else emptied or made, and written */
    MP_STDIO_APPEND = 5,  /**< the file `path`, made if it is not there: written behind what is in it; not for input */
    MP_STDIO_MERGED = 6   /**< where standard output goes; for standard error only */
} mp_stdio_kind_t;

/** A standard stream of a child. */
typedef struct mp_stdio {
    mp_stdio_kind_t kind; /**< what becomes of it */
    const char *path;     /**< of a file: UTF-8, as the parent's current directory sees it */
} mp_stdio_t;

/** What a child may use; zero is no limit for each field. See mp_process_result_t for which one ended it. */
typedef struct mp_limits {
    double cpu_time;     /**< seconds of processors, all its threads' together; then it is killed */
    uint64_t memory;     /**< bytes of resident memory, the family's shared memory not counted (nor other memory that it
                            shares with processes): looked at every 50 ms; then it is killed. Where the system does not
                            tell (POSIX beside Linux): ::MP_UNSUPPORTED */
    uint32_t open_files; /**< descriptors; opening fails beyond them; POSIX, elsewhere ::MP_UNSUPPORTED */
    uint32_t processes;  /**< it and its descendants at once; starting fails beyond them; Windows, elsewhere
                            ::MP_UNSUPPORTED */
} mp_limits_t;

MP_END_DECLS

#endif
