/**
 * @file print.h
 * Values and errors as text. The library makes the text; what prints is code of the program itself, with its own stdio,
 * so that order and buffering are those of the program's own output.
 */
#ifndef MULTIPROC_PRINT_H
#define MULTIPROC_PRINT_H

#include <multiproc/value.h>

#include <errno.h>
#include <stdio.h>

MP_BEGIN_DECLS

/** Frees text that mp_repr() made. NULL is fine. */
MP_API void mp_free(void *text);

/** @cond internal */
MP_API char *mp__repr_text(mp_value_t v);
MP_API mp_status_t mp__repr_line(mp_value_t v, char **line, size_t *size);
MP_API mp_status_t mp__print_failed(int code);
MP_API char *mp__dump_alone(mp_value_t object);
MP_API mp_status_t mp__dump_text(mp_value_t object, char **text, size_t *size);

static inline mp_status_t mp__print(mp_value_t v)
{
    char *line;
    size_t size;
    bool written;
    mp_status_t status = mp__repr_line(v, &line, &size);
    if (status != MP_OK)
        return status;
    errno = 0;
    written = fwrite(line, 1, size, stdout) == size;
    if (!written)
        status = mp__print_failed(errno);
    mp_free(line);
    return status;
}

static inline mp_status_t mp__dump(mp_value_t object)
{
    char *text;
    size_t size;
    mp_status_t status = mp__dump_text(object, &text, &size);
    if (status != MP_OK)
        return status;
    errno = 0;
    if (fwrite(text, 1, size, stderr) != size)
        status = mp__print_failed(errno);
    mp_free(text);
    return status;
}
/** @endcond */

/**
 * Prints the last error of this thread, "what: step: text (MP_NAME)", to the standard error output in one write; just
 * "step: text (MP_NAME)" if what is NULL.
 * @return 1, for main: `return mp_perror("start");`
 */
static inline int mp_perror(const char *what)
{
    char text[512];
    size_t n;
    mp_error_format(text, sizeof text - 1, what);
    n = strlen(text);
    text[n] = '\n';
    (void)fwrite(text, 1, n + 1, stderr);
    return 1;
}

MP_END_DECLS

/**
 * @def mp_repr(x)
 * x as Python's repr() would show it: [42, None, 'hello']. Objects show as <Queue ...>; a manager's dict or list shows
 * its contents (which asks the manager, and may wait for it).
 * @return text of the caller, who frees it with mp_free(); NULL on failure, see mp_error().
 */
#define mp_repr(x) mp__repr_text(mp_of(x))

/**
 * @def mp_print(x)
 * Prints mp_repr(x) and a newline to the program's stdout in one fwrite.
 * @return ::MP_OK; ::MP_NO_MEMORY; ::MP_SYSTEM: it could not be written; what a manager reports.
 */
#define mp_print(x) mp__print(mp_of(x))

/**
 * @def mp_dump_text(object)
 * Who holds a shared object (a lock, a queue, a condition...), who waits at it, and in what state it is (a queue's
 * items, leases and unfinished tasks, a value's number, a memory's size), in lines for a reader: for finding out why a
 * program hangs. It takes no lock and waits for nobody, so what others do meanwhile may show half; the words are not
 * fixed.
 * @return text of the caller, who frees it with mp_free(); NULL on failure, see mp_error(): ::MP_TYPE: not a shared
 * object of the arena; ::MP_INVALID; ::MP_CLOSED; ::MP_NO_MEMORY.
 */
#define mp_dump_text(object) mp__dump_alone(mp_of(object))

/**
 * @def mp_dump(object)
 * Prints mp_dump_text(object) to the program's stderr in one fwrite.
 * @return ::MP_OK; ::MP_TYPE, ::MP_INVALID, ::MP_CLOSED, ::MP_NO_MEMORY as above; ::MP_SYSTEM: it could not be written.
 */
#define mp_dump(object) mp__dump(mp_of(object))

#endif
