/**
 * @file call.h
 * A call as the called function sees it: its arguments, and how it ends.
 *
 *     static mp_status_t add(mp_call_t *call)
 *     {
 *         return mp_return(call, mp_arg_int(call, 0) + mp_arg_int(call, 1));
 *     }
 *
 * A call belongs to the library and to the thread that runs it; it is not used by others, nor after the function
 * returned. Everything read from it is borrowed: objects are closed and memory is freed when the function returns
 * (mp_keep() keeps an object, mp_copy() a value). An object may be closed earlier; that was its last use then.
 *
 * A missing or wrong argument is an error of the whole call: the first one is remembered ("argument 0: expected int,
 * got str"), accessors return 0, "", NULL or None from then on too where theirs is wrong, and the call fails with that
 * error even if the function returns ::MP_OK. So a function may read its arguments without a check after each. Where
 * the call is NULL there are no arguments, and calls that return a status return ::MP_INVALID.
 */
#ifndef MULTIPROC_CALL_H
#define MULTIPROC_CALL_H

#include <multiproc/value.h>

MP_BEGIN_DECLS

/** How many arguments there are. */
MP_API size_t mp_arg_count(const mp_call_t *call);

/** Argument i, whatever it is; ::MP_INDEX becomes the call's error if there is none. */
MP_API mp_value_t mp_arg(mp_call_t *call, size_t i);

/** Argument i as a bool (a whole number is true unless 0). ::MP_INDEX, ::MP_TYPE may become the call's error. */
MP_API bool mp_arg_bool(mp_call_t *call, size_t i);

/** Argument i as a whole number. ::MP_INDEX, ::MP_TYPE, ::MP_VALUE (too large) may become the call's error. */
MP_API int64_t mp_arg_int(mp_call_t *call, size_t i);

/** Argument i as a whole number from 0 up. ::MP_INDEX, ::MP_TYPE, ::MP_VALUE (negative) may become the call's error. */
MP_API uint64_t mp_arg_uint(mp_call_t *call, size_t i);

/** Argument i as a double; whole numbers are converted. ::MP_INDEX, ::MP_TYPE may become the call's error. */
MP_API double mp_arg_double(mp_call_t *call, size_t i);

/** Argument i as a string, never NULL. ::MP_INDEX, ::MP_TYPE may become the call's error. */
MP_API const char *mp_arg_str(mp_call_t *call, size_t i);

/** Argument i as raw bytes, with their number in *size (may be NULL). ::MP_INDEX, ::MP_TYPE may become the call's
 * error. */
MP_API const void *mp_arg_bytes(mp_call_t *call, size_t i, size_t *size);

/** Argument i as a function. ::MP_INDEX, ::MP_TYPE may become the call's error. */
MP_API mp_function_t mp_arg_function(mp_call_t *call, size_t i);

/** Argument i as a file descriptor or HANDLE, -1 on error. ::MP_INDEX, ::MP_TYPE may become the call's error. */
MP_API intptr_t mp_arg_descriptor(mp_call_t *call, size_t i);

/** Argument i as an object, NULL on error. ::MP_INDEX, ::MP_TYPE may become the call's error. */
MP_API mp_conn_t *mp_arg_conn(mp_call_t *call, size_t i);
MP_API mp_queue_t *mp_arg_queue(mp_call_t *call, size_t i);                   /**< @copydoc mp_arg_conn */
MP_API mp_lock_t *mp_arg_lock(mp_call_t *call, size_t i);                     /**< @copydoc mp_arg_conn */
MP_API mp_rlock_t *mp_arg_rlock(mp_call_t *call, size_t i);                   /**< @copydoc mp_arg_conn */
MP_API mp_semaphore_t *mp_arg_semaphore(mp_call_t *call, size_t i);           /**< @copydoc mp_arg_conn */
MP_API mp_condition_t *mp_arg_condition(mp_call_t *call, size_t i);           /**< @copydoc mp_arg_conn */
MP_API mp_event_t *mp_arg_event(mp_call_t *call, size_t i);                   /**< @copydoc mp_arg_conn */
MP_API mp_barrier_t *mp_arg_barrier(mp_call_t *call, size_t i);               /**< @copydoc mp_arg_conn */
MP_API mp_shared_memory_t *mp_arg_shared_memory(mp_call_t *call, size_t i);   /**< @copydoc mp_arg_conn */
MP_API mp_shared_value_t *mp_arg_shared_value(mp_call_t *call, size_t i);     /**< @copydoc mp_arg_conn */
MP_API mp_shared_array_t *mp_arg_shared_array(mp_call_t *call, size_t i);     /**< @copydoc mp_arg_conn */
MP_API mp_shareable_list_t *mp_arg_shareable_list(mp_call_t *call, size_t i); /**< @copydoc mp_arg_conn */
MP_API mp_manager_t *mp_arg_manager(mp_call_t *call, size_t i);               /**< @copydoc mp_arg_conn */
MP_API mp_dict_t *mp_arg_dict(mp_call_t *call, size_t i); /**< A manager's dict. @copydetails mp_arg_conn */
MP_API mp_list_t *mp_arg_list(mp_call_t *call, size_t i); /**< A manager's list. @copydetails mp_arg_conn */

/** The call's error so far: ::MP_OK, or that of the first wrong argument. mp_error() says more right after it happened.
 */
MP_API mp_status_t mp_call_status(const mp_call_t *call);

/**
 * Ends a function with an error: `return mp_fail(call, 3, "no such file: %s", path);`
 * The caller gets ::MP_FAILED, with code and text in its mp_error(). As a process' target the exit code is 1,
 * and mp_process_result() tells code and text; they are logged, too (::MP_LOG_ERROR).
 * @return ::MP_FAILED.
 */
MP_API mp_status_t mp_fail(mp_call_t *call, int code, const char *format, ...) MP_PRINTF(3, 4);

/**
 * Ends the process with an exit code, once the function returned: `return mp_exit(call, 3);` POSIX keeps 8 bits of it,
 * so 256 is 0 there.
 * @return ::MP_OK for code 0, else ::MP_FAILED.
 */
MP_API mp_status_t mp_exit(mp_call_t *call, int code);

/**
 * Names a function for peers that run another program, so that it is not looked up by its place. Both sides export it
 * before they use it; name is borrowed for ever (a string constant). Exporting the same again does nothing. Any thread.
 * @return ::MP_OK; ::MP_INVALID; ::MP_BUSY: the name is another function's; ::MP_LIMIT: more than 256 names.
 */
MP_API mp_status_t mp_export(const char *name, mp_function_t function);

/** @cond internal */
MP_API mp_status_t mp__return(mp_call_t *call, mp_value_t v);
/** @endcond */

MP_END_DECLS

/**
 * @def mp_return(call, x)
 * Ends a function with a result: `return mp_return(call, x);` x is encoded at once, so nothing is borrowed. Of several
 * calls the last counts; without one the result is None.
 * @return ::MP_OK; ::MP_NOT_SENDABLE, ::MP_INVALID, ::MP_TYPE, ::MP_TOO_LARGE, ::MP_NO_MEMORY: x cannot be sent. That
 * is then the call's error.
 */
#define mp_return(call, x) mp__return((call), mp_of(x))

#endif
