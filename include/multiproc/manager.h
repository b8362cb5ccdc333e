/**
 * @file manager.h
 * Managers: a server process that holds dicts and lists, which any process of the family changes through proxies.
 *
 *     mp_manager_t *manager;
 *     mp_dict_t *d;
 *     mp_manager_start(&manager);
 *     mp_manager_dict(manager, &d, mp_dict("a", 1));
 *     mp_process_start(&p, f, mp_args(d)); // f: mp_dict_set(mp_arg_dict(call, 0), "b", 2)
 *     ...
 *     mp_manager_shutdown(manager); // and d
 *
 * What holds for every function that takes a dict or list:
 * - It asks the server and waits for its answer. The server does one request after the other, so each call is atomic,
 *   also mp_dict_add(), mp_dict_setdefault(), mp_list_extend() and other ones that read and write.
 * - What it returns is a copy: changing it changes nothing in the server. Arguments are encoded before it returns;
 *   nothing is borrowed. Values can be all that a queue takes: also queues, locks and proxies (of any manager); an
 *   object whose owner has ended is ::MP_GONE for whoever gets a value with it.
 * - An error in the server is the call's error: its status, and its words in mp_error().
 * - Beside the statuses that are named each may return ::MP_GONE: the server died, or was shut down (noticed at once,
 *   also in a call that waits); ::MP_INVALID: no dict or list, no place for a result; ::MP_NO_MEMORY;
 *   ::MP_NOT_SENDABLE and other statuses of encoding; ::MP_CORRUPT; ::MP_LIMIT; ::MP_SYSTEM.
 * - Any thread of any process may call it, any number at once. A pointer's close must be its last use.
 * - Indexes and slices are Python's: -1 is the last item, slices are clamped.
 *
 * Dicts and lists live until their manager ends; that nobody refers to one any more does not end it.
 */
#ifndef MULTIPROC_MANAGER_H
#define MULTIPROC_MANAGER_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** @cond internal */
MP_API mp_status_t mp__manager_dict(mp_manager_t *manager, mp_dict_t **dict, mp_value_t content);
MP_API mp_status_t mp__manager_list(mp_manager_t *manager, mp_list_t **list, mp_value_t content);
MP_API mp_status_t mp__dict_set(mp_dict_t *dict, mp_value_t key, mp_value_t value);
MP_API mp_status_t mp__dict_get(mp_dict_t *dict, mp_value_t key, mp_value_t *value);
MP_API mp_status_t mp__dict_get_or(mp_dict_t *dict, mp_value_t key, mp_value_t otherwise, mp_value_t *value);
MP_API mp_status_t mp__dict_setdefault(mp_dict_t *dict, mp_value_t key, mp_value_t otherwise, mp_value_t *value);
MP_API mp_status_t mp__dict_del(mp_dict_t *dict, mp_value_t key);
MP_API mp_status_t mp__dict_pop(mp_dict_t *dict, mp_value_t key, mp_value_t *value);
MP_API mp_status_t mp__dict_pop_or(mp_dict_t *dict, mp_value_t key, mp_value_t otherwise, mp_value_t *value);
MP_API mp_status_t mp__dict_contains(mp_dict_t *dict, mp_value_t key, bool *contains);
MP_API mp_status_t mp__dict_update(mp_dict_t *dict, mp_value_t pairs);
MP_API mp_status_t mp__dict_add(mp_dict_t *dict, mp_value_t key, mp_value_t delta, mp_value_t *sum);
MP_API mp_status_t mp__list_set(mp_list_t *list, int64_t index, mp_value_t value);
MP_API mp_status_t mp__list_add(mp_list_t *list, int64_t index, mp_value_t delta, mp_value_t *sum);
MP_API mp_status_t mp__list_append(mp_list_t *list, mp_value_t value);
MP_API mp_status_t mp__list_extend(mp_list_t *list, mp_value_t items);
MP_API mp_status_t mp__list_insert(mp_list_t *list, int64_t index, mp_value_t value);
MP_API mp_status_t mp__list_remove(mp_list_t *list, mp_value_t value);
MP_API mp_status_t mp__list_index(mp_list_t *list, mp_value_t value, int64_t start, int64_t stop, size_t *index);
MP_API mp_status_t mp__list_count(mp_list_t *list, mp_value_t value, size_t *count);
MP_API mp_status_t mp__list_contains(mp_list_t *list, mp_value_t value, bool *contains);
MP_API mp_status_t mp__list_set_slice(mp_list_t *list, int64_t start, int64_t stop, int64_t step, mp_value_t items);
/** @endcond */

/* ---- the manager */

/**
 * Starts a server process and waits until it serves. It ignores Ctrl-C, and ends with the process that started it, at
 * the latest.
 * @param manager where the new object goes; mp_manager_shutdown() gives it back. It can be an argument and travel in
 * messages; whoever gets it makes dicts and lists in it, too.
 * @return ::MP_OK; ::MP_GONE: the server ended at once; the statuses of mp_process_start(); ::MP_NO_MEMORY.
 */
MP_API mp_status_t mp_manager_start(mp_manager_t **manager);

/**
 * In the process that started it: ends the server (it is asked to; after a second it is terminated, then killed), and
 * with it all its dicts and lists; gives back the manager, and every proxy that this process got from mp_manager_dict()
 * and mp_manager_list() with it and has not closed. Elsewhere: gives back this process's pointer and such proxies only.
 * Managers that are left are shut down when the program ends.
 * @return ::MP_OK, also if the server had died; ::MP_INVALID. NULL is fine. Waits for the server's end.
 */
MP_API mp_status_t mp_manager_shutdown(mp_manager_t *manager);

/** The server's process id; 0 for NULL. */
MP_API int mp_manager_pid(const mp_manager_t *manager);

/**
 * @def mp_manager_dict(manager, dict, x)
 * Makes a dict in the server.
 * @param dict an `mp_dict_t **` for the new proxy, which mp_dict_close() or the manager's mp_manager_shutdown() gives
 * back.
 * @param x its content, a dict; MP_NONE: empty.
 * @return ::MP_OK; ::MP_TYPE: x is neither.
 */
#define mp_manager_dict(manager, dict, x) mp__manager_dict((manager), (dict), mp_of(x))

/** @def mp_manager_list(manager, list, x)
 *  The same for a list; x is a list, a range, or MP_NONE. */
#define mp_manager_list(manager, list, x) mp__manager_list((manager), (list), mp_of(x))

/** Gives a proxy back; the dict lives on in the server. @return ::MP_OK; ::MP_INVALID. NULL is fine. Does not block. */
MP_API mp_status_t mp_dict_close(mp_dict_t *dict);

/** @copydoc mp_dict_close */
MP_API mp_status_t mp_list_close(mp_list_t *list);

/* ---- dicts: keys are what mp_dict() takes, others are MP_TYPE; values that are returned are the caller's */

/** @def mp_dict_set(dict, key, x)
 *  dict[key] = x. @return ::MP_OK; ::MP_TYPE: unhashable. */
#define mp_dict_set(dict, key, x) mp__dict_set((dict), mp_of(key), mp_of(x))

/** @def mp_dict_get(dict, key, value)
 *  *value = dict[key]. @return ::MP_OK; ::MP_KEY: it is not there; ::MP_TYPE. */
#define mp_dict_get(dict, key, value) mp__dict_get((dict), mp_of(key), (value))

/** @def mp_dict_get_or(dict, key, otherwise, value)
 *  *value = dict.get(key, otherwise). @return ::MP_OK; ::MP_TYPE. */
#define mp_dict_get_or(dict, key, otherwise, value) mp__dict_get_or((dict), mp_of(key), mp_of(otherwise), (value))

/** @def mp_dict_setdefault(dict, key, otherwise, value)
 *  *value = dict.setdefault(key, otherwise); value may be NULL. @return ::MP_OK; ::MP_TYPE. */
#define mp_dict_setdefault(dict, key, otherwise, value)                                                                \
    mp__dict_setdefault((dict), mp_of(key), mp_of(otherwise), (value))

/** @def mp_dict_del(dict, key)
 *  del dict[key]. @return ::MP_OK; ::MP_KEY; ::MP_TYPE. */
#define mp_dict_del(dict, key) mp__dict_del((dict), mp_of(key))

/** @def mp_dict_pop(dict, key, value)
 *  *value = dict.pop(key). @return ::MP_OK; ::MP_KEY; ::MP_TYPE. */
#define mp_dict_pop(dict, key, value) mp__dict_pop((dict), mp_of(key), (value))

/** @def mp_dict_pop_or(dict, key, otherwise, value)
 *  *value = dict.pop(key, otherwise). @return ::MP_OK; ::MP_TYPE. */
#define mp_dict_pop_or(dict, key, otherwise, value) mp__dict_pop_or((dict), mp_of(key), mp_of(otherwise), (value))

/** @def mp_dict_contains(dict, key, contains)
 *  *contains (a bool) = key in dict. @return ::MP_OK; ::MP_TYPE. */
#define mp_dict_contains(dict, key, contains) mp__dict_contains((dict), mp_of(key), (contains))

/** @def mp_dict_update(dict, x)
 *  dict.update(x). @return ::MP_OK; ::MP_TYPE: x is no dict. */
#define mp_dict_update(dict, x) mp__dict_update((dict), mp_of(x))

/** @def mp_dict_add(dict, key, delta, sum)
 *  *sum = dict[key] = dict.get(key, 0) + delta, in one step; sum may be NULL.
 *  @return ::MP_OK; ::MP_TYPE: one of them is no number; ::MP_VALUE: no integer is that large. */
#define mp_dict_add(dict, key, delta, sum) mp__dict_add((dict), mp_of(key), mp_of(delta), (sum))

/** Takes the pair that was added last. @return ::MP_OK; ::MP_KEY: it is empty. */
MP_API mp_status_t mp_dict_popitem(mp_dict_t *dict, mp_value_t *key, mp_value_t *value);

/** len(dict). */
MP_API mp_status_t mp_dict_len(mp_dict_t *dict, size_t *len);

/** list(dict), in the order in which they were added. */
MP_API mp_status_t mp_dict_keys(mp_dict_t *dict, mp_value_t *keys);

/** list(dict.values()) */
MP_API mp_status_t mp_dict_values(mp_dict_t *dict, mp_value_t *values);

/** list(dict.items()), each item a list of two. */
MP_API mp_status_t mp_dict_items(mp_dict_t *dict, mp_value_t *items);

/** The whole content, as a dict; to iterate over it with mp_value_key() and mp_value_item(). */
MP_API mp_status_t mp_dict_copy(mp_dict_t *dict, mp_value_t *copy);

/** dict.clear() */
MP_API mp_status_t mp_dict_clear(mp_dict_t *dict);

/* ---- lists */

/** *value = list[index]. @return ::MP_OK; ::MP_INDEX. */
MP_API mp_status_t mp_list_get(mp_list_t *list, int64_t index, mp_value_t *value);

/** @def mp_list_set(list, index, x)
 *  list[index] = x. @return ::MP_OK; ::MP_INDEX. */
#define mp_list_set(list, index, x) mp__list_set((list), (index), mp_of(x))

/** del list[index]. @return ::MP_OK; ::MP_INDEX. */
MP_API mp_status_t mp_list_del(mp_list_t *list, int64_t index);

/** @def mp_list_append(list, x)
 *  list.append(x) */
#define mp_list_append(list, x) mp__list_append((list), mp_of(x))

/** @def mp_list_extend(list, x)
 *  list.extend(x), all of it or nothing. @return ::MP_OK; ::MP_TYPE: x is neither list nor range. */
#define mp_list_extend(list, x) mp__list_extend((list), mp_of(x))

/** @def mp_list_insert(list, index, x)
 *  list.insert(index, x): before that item; an index outside is clamped. */
#define mp_list_insert(list, index, x) mp__list_insert((list), (index), mp_of(x))

/** *value = list.pop(index); the last one's index is -1. @return ::MP_OK; ::MP_INDEX. */
MP_API mp_status_t mp_list_pop(mp_list_t *list, int64_t index, mp_value_t *value);

/** @def mp_list_remove(list, x)
 *  list.remove(x): the first one that equals it. @return ::MP_OK; ::MP_VALUE: there is none. */
#define mp_list_remove(list, x) mp__list_remove((list), mp_of(x))

/** @def mp_list_index(list, x, index)
 *  *index (a size_t) = list.index(x). @return ::MP_OK; ::MP_VALUE: there is none. */
#define mp_list_index(list, x, index) mp__list_index((list), mp_of(x), 0, INT64_MAX, (index))

/** @def mp_list_index_in(list, x, start, stop, index)
 *  *index (a size_t) = list.index(x, start, stop). @return ::MP_OK; ::MP_VALUE: there is none. */
#define mp_list_index_in(list, x, start, stop, index) mp__list_index((list), mp_of(x), (start), (stop), (index))

/** @def mp_list_count(list, x, count)
 *  *count (a size_t) = list.count(x) */
#define mp_list_count(list, x, count) mp__list_count((list), mp_of(x), (count))

/** @def mp_list_contains(list, x, contains)
 *  *contains (a bool) = x in list */
#define mp_list_contains(list, x, contains) mp__list_contains((list), mp_of(x), (contains))

/** @def mp_list_add(list, index, delta, sum)
 *  *sum = list[index] = list[index] + delta, in one step; sum may be NULL.
 *  @return ::MP_OK; ::MP_INDEX; ::MP_TYPE: one of them is no number; ::MP_VALUE: no integer is that large. */
#define mp_list_add(list, index, delta, sum) mp__list_add((list), (index), mp_of(delta), (sum))

/** len(list) */
MP_API mp_status_t mp_list_len(mp_list_t *list, size_t *len);

/** The whole content; to iterate over it with mp_value_item(). */
MP_API mp_status_t mp_list_copy(mp_list_t *list, mp_value_t *copy);

/**
 * *items = list[start:stop:step]. What Python lets one leave out is INT64_MIN or INT64_MAX, whichever is the end in
 * question: list[2:] is (2, INT64_MAX, 1), list[::-1] is (INT64_MAX, INT64_MIN, -1).
 * @return ::MP_OK; ::MP_VALUE: step is 0.
 */
MP_API mp_status_t mp_list_slice(mp_list_t *list, int64_t start, int64_t stop, int64_t step, mp_value_t *items);

/** @def mp_list_set_slice(list, start, stop, step, x)
 *  list[start:stop:step] = x. @return ::MP_OK; ::MP_TYPE: x is neither list nor range; ::MP_VALUE: step is 0, or is not
 * 1 and x is not as long as the slice. */
#define mp_list_set_slice(list, start, stop, step, x) mp__list_set_slice((list), (start), (stop), (step), mp_of(x))

/** del list[start:stop:step]. @return ::MP_OK; ::MP_VALUE: step is 0. */
MP_API mp_status_t mp_list_del_slice(mp_list_t *list, int64_t start, int64_t stop, int64_t step);

/** list.reverse() */
MP_API mp_status_t mp_list_reverse(mp_list_t *list);

/** list.sort(reverse=descending), stable. @return ::MP_OK; ::MP_TYPE: not all are numbers, or str, or bytes. */
MP_API mp_status_t mp_list_sort(mp_list_t *list, bool descending);

/** list.clear() */
MP_API mp_status_t mp_list_clear(mp_list_t *list);

MP_END_DECLS

#endif
