/**
 * @file value.h
 * Values: what processes hand to each other, and how a program writes and reads them.
 *
 * A value is a small tagged union that is passed by value. Where a call takes a value, it takes anything that mp_of()
 * takes: integers, floating numbers, strings, functions, objects, and the literals mp_list(), mp_dict(), mp_range(),
 * mp_bytes().
 *
 * Who owns what:
 * - A literal only points to what it was written with and lives only as the argument of a call. mp_copy() keeps one.
 * - What a call hands out through an `mp_value_t *` parameter (a received message, a copy) belongs to the caller, who
 * gives it back with one mp_value_free().
 * - Accessors hand out borrowed things: they live as long as the value that they come from, and are not freed.
 *
 * No accessor ever fails hard: a wrong kind, a wrong index or a missing key reads as 0, "", NULL or None.
 * Values are plain data: any number of threads may read one; changing or freeing one needs its only user.
 */
#ifndef MULTIPROC_VALUE_H
#define MULTIPROC_VALUE_H

#include <multiproc/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

MP_BEGIN_DECLS

/** One end of a pipe. */
typedef struct mp_conn mp_conn_t;
/** An address where others connect. */
typedef struct mp_listener mp_listener_t;
/** A queue of values. */
typedef struct mp_queue mp_queue_t;
/** A lock. */
typedef struct mp_lock mp_lock_t;
/** A lock that its holder may take again. */
typedef struct mp_rlock mp_rlock_t;
/** A number of permits. */
typedef struct mp_semaphore mp_semaphore_t;
/** A lock with waiting for what others change under it. */
typedef struct mp_condition mp_condition_t;
/** A flag to wait for. */
typedef struct mp_event mp_event_t;
/** A place where parties wait for each other. */
typedef struct mp_barrier mp_barrier_t;
/** Memory of the family. */
typedef struct mp_shared_memory mp_shared_memory_t;
/** One number in shared memory. */
typedef struct mp_shared_value mp_shared_value_t;
/** Numbers in shared memory. */
typedef struct mp_shared_array mp_shared_array_t;
/** A list of a fixed length in shared memory. */
typedef struct mp_shareable_list mp_shareable_list_t;
/** A server process that holds dicts and lists for others. */
typedef struct mp_manager mp_manager_t;
/** A dict that lives in a manager. */
typedef struct mp_dict mp_dict_t;
/** A list that lives in a manager. */
typedef struct mp_list mp_list_t;
/** A process. */
typedef struct mp_process mp_process_t;
/** Worker processes. */
typedef struct mp_pool mp_pool_t;
/** A call as the called function sees it. */
typedef struct mp_call mp_call_t;
/** What became of a call. */
typedef struct mp_result mp_result_t;

/** Every function that runs in another process has this shape. */
typedef mp_status_t (*mp_function_t)(mp_call_t *call);

/** What a value is. */
typedef enum mp_kind {
    MP_KIND_NONE = 0, /**< nothing: None */
    MP_KIND_BOOL,
    MP_KIND_INT,    /**< a whole number that an int64_t holds */
    MP_KIND_UINT,   /**< a whole number that only a uint64_t holds */
    MP_KIND_DOUBLE, /**< printed as Python's float */
    MP_KIND_STR,    /**< text in UTF-8 */
    MP_KIND_BYTES,
    MP_KIND_LIST,
    MP_KIND_DICT,  /**< pairs in the order they were added, keys all different */
    MP_KIND_RANGE, /**< the whole numbers from start up to, without, stop; travels and prints as a list */
    MP_KIND_FUNCTION,
    MP_KIND_CONN,
    MP_KIND_QUEUE,
    MP_KIND_LOCK,
    MP_KIND_RLOCK,
    MP_KIND_SEMAPHORE,
    MP_KIND_CONDITION,
    MP_KIND_EVENT,
    MP_KIND_BARRIER,
    MP_KIND_SHARED_MEMORY,
    MP_KIND_SHARED_VALUE, /**< an ::mp_shared_value_t */
    MP_KIND_SHARED_ARRAY,
    MP_KIND_SHAREABLE_LIST,
    MP_KIND_MANAGER,
    MP_KIND_DICT_PROXY, /**< an ::mp_dict_t */
    MP_KIND_LIST_PROXY, /**< an ::mp_list_t */
    MP_KIND_PROCESS,
    MP_KIND_POOL,
    MP_KIND_RESULT,
    MP_KIND_LISTENER,
    MP_KIND_DESCRIPTOR /**< the system's own: a file descriptor, or a HANDLE on Windows */
} mp_kind_t;

/** A value. Its fields are the library's; use the functions below. All zero is None. */
typedef struct mp_value {
    uint8_t kind;
    uint8_t flags;
    uint16_t reserved;
    uint32_t spare;
    union {
        int64_t integer;
        uint64_t natural;
        double real;
        bool truth;
        const char *text;
        const void *data;
        const struct mp_value *items;
        void *object;
        mp_function_t function;
        intptr_t descriptor;
    } as;
    union {
        uint64_t size;
        int64_t stop;
    } end;
} mp_value_t;

/** The arguments of a call, made by mp_args(). Borrowed until the call that takes them returns. */
typedef struct mp_args {
    const mp_value_t *items;
    size_t count;
} mp_args_t;

/** @cond internal */
static inline mp_value_t mp__value(mp_kind_t kind)
{
    mp_value_t v;
    v.kind = (uint8_t)kind;
    v.flags = 0;
    v.reserved = 0;
    v.spare = 0;
    v.as.integer = 0;
    v.end.size = 0;
    return v;
}

static inline mp_value_t mp__none(void)
{
    return mp__value(MP_KIND_NONE);
}

static inline mp_value_t mp__of_bool(bool x)
{
    mp_value_t v = mp__value(MP_KIND_BOOL);
    v.as.truth = x;
    return v;
}

static inline mp_value_t mp__of_int(int64_t x)
{
    mp_value_t v = mp__value(MP_KIND_INT);
    v.as.integer = x;
    return v;
}

static inline mp_value_t mp__of_uint(uint64_t x)
{
    mp_value_t v = mp__value(x > INT64_MAX ? MP_KIND_UINT : MP_KIND_INT);
    v.as.natural = x;
    return v;
}

static inline mp_value_t mp__of_double(double x)
{
    mp_value_t v = mp__value(MP_KIND_DOUBLE);
    v.as.real = x;
    return v;
}

static inline mp_value_t mp__of_float(float x)
{
    return mp__of_double((double)x);
}

static inline mp_value_t mp__of_long_double(long double x)
{
    return mp__of_double((double)x);
}

static inline mp_value_t mp__of_value(mp_value_t v)
{
    return v;
}

static inline mp_value_t mp__of_function(mp_function_t x)
{
    mp_value_t v = mp__value(MP_KIND_FUNCTION);
    v.as.function = x;
    return v;
}

static inline mp_value_t mp__of_object(mp_kind_t kind, void *object)
{
    mp_value_t v = mp__value(kind);
    v.as.object = object;
    return v;
}

static inline mp_value_t mp__of_conn(mp_conn_t *x)
{
    return mp__of_object(MP_KIND_CONN, x);
}

static inline mp_value_t mp__of_queue(mp_queue_t *x)
{
    return mp__of_object(MP_KIND_QUEUE, x);
}

static inline mp_value_t mp__of_lock(mp_lock_t *x)
{
    return mp__of_object(MP_KIND_LOCK, x);
}

static inline mp_value_t mp__of_rlock(mp_rlock_t *x)
{
    return mp__of_object(MP_KIND_RLOCK, x);
}

static inline mp_value_t mp__of_semaphore(mp_semaphore_t *x)
{
    return mp__of_object(MP_KIND_SEMAPHORE, x);
}

static inline mp_value_t mp__of_condition(mp_condition_t *x)
{
    return mp__of_object(MP_KIND_CONDITION, x);
}

static inline mp_value_t mp__of_event(mp_event_t *x)
{
    return mp__of_object(MP_KIND_EVENT, x);
}

static inline mp_value_t mp__of_barrier(mp_barrier_t *x)
{
    return mp__of_object(MP_KIND_BARRIER, x);
}

static inline mp_value_t mp__of_shared_memory(mp_shared_memory_t *x)
{
    return mp__of_object(MP_KIND_SHARED_MEMORY, x);
}

static inline mp_value_t mp__of_shared_value(mp_shared_value_t *x)
{
    return mp__of_object(MP_KIND_SHARED_VALUE, x);
}

static inline mp_value_t mp__of_shared_array(mp_shared_array_t *x)
{
    return mp__of_object(MP_KIND_SHARED_ARRAY, x);
}

static inline mp_value_t mp__of_shareable_list(mp_shareable_list_t *x)
{
    return mp__of_object(MP_KIND_SHAREABLE_LIST, x);
}

static inline mp_value_t mp__of_manager(mp_manager_t *x)
{
    return mp__of_object(MP_KIND_MANAGER, x);
}

static inline mp_value_t mp__of_dict(mp_dict_t *x)
{
    return mp__of_object(MP_KIND_DICT_PROXY, x);
}

static inline mp_value_t mp__of_list(mp_list_t *x)
{
    return mp__of_object(MP_KIND_LIST_PROXY, x);
}

static inline mp_value_t mp__of_process(mp_process_t *x)
{
    return mp__of_object(MP_KIND_PROCESS, x);
}

static inline mp_value_t mp__of_pool(mp_pool_t *x)
{
    return mp__of_object(MP_KIND_POOL, x);
}

static inline mp_value_t mp__of_result(mp_result_t *x)
{
    return mp__of_object(MP_KIND_RESULT, x);
}

static inline mp_value_t mp__of_listener(mp_listener_t *x)
{
    return mp__of_object(MP_KIND_LISTENER, x);
}
/** @endcond */

/** Text of n bytes (with any bytes in it, '\\0' too; it must be UTF-8 to be sent). data is borrowed; NULL: "". */
static inline mp_value_t mp_str(const char *data, size_t n)
{
    mp_value_t v = mp__value(MP_KIND_STR);
    v.as.text = data;
    v.end.size = data ? n : 0;
    return v;
}

/** n raw bytes. data is borrowed; NULL: none. */
static inline mp_value_t mp_bytes(const void *data, size_t n)
{
    mp_value_t v = mp__value(MP_KIND_BYTES);
    v.as.data = data;
    v.end.size = data ? n : 0;
    return v;
}

/** True or False: in C11 `true` and `a < b` are ints, so that mp_of() cannot tell. */
static inline mp_value_t mp_bool(bool x)
{
    return mp__of_bool(x);
}

/** The whole numbers start, start + 1, ... stop - 1; none if stop <= start. */
static inline mp_value_t mp_range(int64_t start, int64_t stop)
{
    mp_value_t v = mp__value(MP_KIND_RANGE);
    v.as.integer = start;
    v.end.stop = stop < start ? start : stop;
    return v;
}

/** The system's own file descriptor, or HANDLE on Windows. The receiver gets a duplicate; the caller's stays open. */
static inline mp_value_t mp_descriptor(intptr_t descriptor)
{
    mp_value_t v = mp__value(MP_KIND_DESCRIPTOR);
    v.as.descriptor = descriptor;
    return v;
}

/** A list of the n values of an array, for more items than mp_list() takes. items is borrowed; NULL: an empty list. */
static inline mp_value_t mp_value_list(const mp_value_t *items, size_t n)
{
    mp_value_t v = mp__value(MP_KIND_LIST);
    v.as.items = items;
    v.end.size = items ? n : 0;
    return v;
}

/**
 * A dict of the n pairs of an array key, value, key, value..., for more pairs than mp_dict() takes. items is borrowed;
 * NULL: an empty dict. As in Python, of pairs with equal keys the last one's value counts, at the first one's place;
 * the array is put in order for that.
 */
MP_API mp_value_t mp_value_dict(mp_value_t *items, size_t n);

/** The arguments of a call from an array, for more than mp_args() takes. items is borrowed; NULL: none. */
static inline mp_args_t mp_value_args(const mp_value_t *items, size_t n)
{
    mp_args_t args;
    args.items = items;
    args.count = items ? n : 0;
    return args;
}

/** @cond internal */
static inline mp_value_t mp__of_str(const char *x)
{
    return x ? mp_str(x, strlen(x)) : mp__none();
}
/** @endcond */

/** @def MP_NONE The value None. */
#define MP_NONE mp__none()
/** @def MP_TRUE The value True. */
#define MP_TRUE mp_bool(1)
/** @def MP_FALSE The value False. */
#define MP_FALSE mp_bool(0)

/* ---- reading */

/** What v is. */
static inline mp_kind_t mp_value_kind(mp_value_t v)
{
    return (mp_kind_t)v.kind;
}

/** The name of a kind as messages show it: "int", "str", "NoneType", "Queue"...; "?" for a number that is none. Static.
 */
MP_API const char *mp_kind_name(mp_kind_t kind);

/** Bytes of a str or bytes, items of a list or range, pairs of a dict; else 0. */
MP_API size_t mp_value_len(mp_value_t v);

/** The truth of a bool or whole number; else false. */
MP_API bool mp_value_bool(mp_value_t v);

/** A whole number or bool; 0 if v is something else, or too large. */
MP_API int64_t mp_value_int(mp_value_t v);

/** A whole number or bool; 0 if v is something else, or negative. */
MP_API uint64_t mp_value_uint(mp_value_t v);

/** A double, whole number or bool; else 0. */
MP_API double mp_value_double(mp_value_t v);

/** The text of a str, else "". What was received or copied ends with '\\0'; what mp_str() made ends where its data did.
 */
MP_API const char *mp_value_str(mp_value_t v);

/** The data of a bytes, with its size in *size (which may be NULL); else NULL and 0. */
MP_API const void *mp_value_bytes(mp_value_t v, size_t *size);

/** A function, else NULL. */
MP_API mp_function_t mp_value_function(mp_value_t v);

/** The system's file descriptor or HANDLE, else -1. It is closed with the value: duplicate it to keep it. */
MP_API intptr_t mp_value_descriptor(mp_value_t v);

/** The i-th item of a list or range, the value of a dict's i-th pair; else None. Borrowed. */
MP_API mp_value_t mp_value_item(mp_value_t v, size_t i);

/** The key of a dict's i-th pair, else None. Borrowed. */
MP_API mp_value_t mp_value_key(mp_value_t v, size_t i);

/** An object in a value, or NULL if v is something else. Borrowed: mp_keep() keeps it beyond the value; it may be
 * closed before the value is freed. */
MP_API mp_conn_t *mp_value_conn(mp_value_t v);
MP_API mp_queue_t *mp_value_queue(mp_value_t v);                   /**< @copydoc mp_value_conn */
MP_API mp_lock_t *mp_value_lock(mp_value_t v);                     /**< @copydoc mp_value_conn */
MP_API mp_rlock_t *mp_value_rlock(mp_value_t v);                   /**< @copydoc mp_value_conn */
MP_API mp_semaphore_t *mp_value_semaphore(mp_value_t v);           /**< @copydoc mp_value_conn */
MP_API mp_condition_t *mp_value_condition(mp_value_t v);           /**< @copydoc mp_value_conn */
MP_API mp_event_t *mp_value_event(mp_value_t v);                   /**< @copydoc mp_value_conn */
MP_API mp_barrier_t *mp_value_barrier(mp_value_t v);               /**< @copydoc mp_value_conn */
MP_API mp_shared_memory_t *mp_value_shared_memory(mp_value_t v);   /**< @copydoc mp_value_conn */
MP_API mp_shared_value_t *mp_value_shared_value(mp_value_t v);     /**< @copydoc mp_value_conn */
MP_API mp_shared_array_t *mp_value_shared_array(mp_value_t v);     /**< @copydoc mp_value_conn */
MP_API mp_shareable_list_t *mp_value_shareable_list(mp_value_t v); /**< @copydoc mp_value_conn */
MP_API mp_manager_t *mp_value_manager(mp_value_t v);               /**< @copydoc mp_value_conn */
MP_API mp_dict_t *mp_value_dict_proxy(mp_value_t v);               /**< @copydoc mp_value_conn */
MP_API mp_list_t *mp_value_list_proxy(mp_value_t v);               /**< @copydoc mp_value_conn */

/**
 * The same with a status, for messages whose shape is not certain. On failure *out is as it was.
 * @return ::MP_OK; ::MP_TYPE: v is of another kind; ::MP_VALUE: the number does not fit; ::MP_INVALID: out is NULL.
 */
MP_API mp_status_t mp_value_as_bool(mp_value_t v, bool *out);
MP_API mp_status_t mp_value_as_int(mp_value_t v, int64_t *out);     /**< @copydoc mp_value_as_bool */
MP_API mp_status_t mp_value_as_uint(mp_value_t v, uint64_t *out);   /**< @copydoc mp_value_as_bool */
MP_API mp_status_t mp_value_as_double(mp_value_t v, double *out);   /**< @copydoc mp_value_as_bool */
MP_API mp_status_t mp_value_as_str(mp_value_t v, const char **out); /**< @copydoc mp_value_as_bool */

/**
 * Frees what a call handed out, and what is inside: objects are let go, descriptors closed. *v becomes None. Freeing
 * None or a literal does nothing. NULL is fine.
 */
MP_API void mp_value_free(mp_value_t *v);

/**
 * Keeps an object (a connection, queue, lock, manager or proxy) that was borrowed from a call's arguments or from a
 * value: it stays usable until it is closed. NULL and what is no live object are ignored.
 */
MP_API void mp_keep(void *object);

/**
 * Makes an object this process's: it ends when this process closes it (with this pointer) or ends, no longer with the
 * process that made it, whose close lets go of its pointer only.
 * @param object a queue, lock, shared memory or any other object that travels by reference, but for managers and what
 * is in them.
 * @return ::MP_OK, also if it is this process's already; ::MP_GONE: it is over, or goes with its dead owner;
 * ::MP_UNSUPPORTED: not this kind; ::MP_INVALID. Does not block. Any thread of any process may call it; of several
 * processes at once the last one has it.
 */
MP_API mp_status_t mp_adopt(void *object);

/** @cond internal */
MP_API mp_status_t mp__copy(mp_value_t *out, mp_value_t v);
MP_API bool mp__value_equal(mp_value_t a, mp_value_t b);
MP_API mp_value_t mp__value_get(mp_value_t dict, mp_value_t key);
MP_API bool mp__value_has(mp_value_t container, mp_value_t x);
/** @endcond */

MP_END_DECLS

/**
 * @def mp_copy(out, x)
 * Makes *out (an `mp_value_t *`) a copy of x, with all that is inside; objects are kept, not copied.
 * @return ::MP_OK; ::MP_INVALID; ::MP_NO_MEMORY; ::MP_TYPE: an unhashable key; ::MP_TOO_LARGE: nested too deeply (64);
 *         ::MP_LIMIT: a descriptor could not be duplicated. On failure *out is None.
 */
#define mp_copy(out, x) mp__copy((out), mp_of(x))

/**
 * @def mp_value_equal(a, b)
 * Python's ==: 1, 1.0 and True are equal, NaN equals nothing, the order of a dict's pairs does not count. Objects are
 * equal if they are the same shared object.
 */
#define mp_value_equal(a, b) mp__value_equal(mp_of(a), mp_of(b))

/**
 * @def mp_value_get(v, key)
 * The value that a dict has under key (borrowed), or None.
 */
#define mp_value_get(v, key) mp__value_get((v), mp_of(key))

/**
 * @def mp_value_has(v, x)
 * Is x a key of the dict, or an item of the list or range v?
 */
#define mp_value_has(v, x) mp__value_has((v), mp_of(x))

#include <multiproc/literal.h>

#endif
