/**
 * @file shareable_list.h
 * A list of a fixed length that the processes of a family share (Python's ShareableList).
 *
 * Its items are None, bools, whole and floating numbers, text and bytes. Each has a room of its own, set when the list
 * is made: 8 bytes, or for text and bytes the next multiple of 8 above their length. An item may be replaced by one of
 * another kind if its room holds that. What is read is a copy. Unlike Python's, text and bytes keep '\\0' bytes at
 * their end, and the room of text counts bytes, not characters.
 *
 * Each call is atomic; a process that is killed in one leaves the old item or the new one. A call waits only while
 * another one copies an item. Indexes are Python's: -1 is the last item.
 *
 * A list belongs to the process that made it (or adopted it: mp_adopt()): when that one closes it or ends, every call
 * anywhere is ::MP_GONE. Any thread of any process may use it; mp_shareable_list_close() must be the last use of its
 * pointer. Beside the statuses that are named each call may return ::MP_GONE, ::MP_INVALID, ::MP_NO_MEMORY, ::MP_LIMIT,
 * ::MP_CORRUPT.
 */
#ifndef MULTIPROC_SHAREABLE_LIST_H
#define MULTIPROC_SHAREABLE_LIST_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** @cond internal */
MP_API mp_status_t mp__shareable_list_create(mp_shareable_list_t **list, mp_value_t items);
MP_API mp_status_t mp__shareable_list_set(mp_shareable_list_t *list, int64_t index, mp_value_t item);
MP_API mp_status_t mp__shareable_list_count(mp_shareable_list_t *list, mp_value_t item, size_t *count);
MP_API mp_status_t mp__shareable_list_index(mp_shareable_list_t *list, mp_value_t item, size_t *index);
/** @endcond */

/**
 * @def mp_shareable_list_create(list, x)
 * Makes a list of the items of x.
 * @param list where the new object goes; mp_shareable_list_close() gives it back.
 * @param x a list or a range.
 * @return ::MP_OK; ::MP_TYPE: x is neither, or an item cannot be in such a list; ::MP_NO_MEMORY: also, the family's cap
 * of memory is reached; ::MP_SYSTEM.
 */
#define mp_shareable_list_create(list, x) mp__shareable_list_create((list), mp_of(x))

/** How many items it has. @return ::MP_OK. */
MP_API mp_status_t mp_shareable_list_length(mp_shareable_list_t *list, size_t *length);

/** *value = list[index]. @param value becomes the caller's, to be freed by mp_value_free(). @return ::MP_OK;
 * ::MP_INDEX. */
MP_API mp_status_t mp_shareable_list_get(mp_shareable_list_t *list, int64_t index, mp_value_t *value);

/** @def mp_shareable_list_set(list, index, x)
 *  list[index] = x. @return ::MP_OK; ::MP_INDEX; ::MP_TOO_LARGE: its room does not hold x, which was not written;
 * ::MP_TYPE. */
#define mp_shareable_list_set(list, index, x) mp__shareable_list_set((list), (index), mp_of(x))

/** @def mp_shareable_list_count(list, x, count)
 *  How many items equal x (mp_value_equal()). Other calls may come in between two items. @return ::MP_OK. */
#define mp_shareable_list_count(list, x, count) mp__shareable_list_count((list), mp_of(x), (count))

/** @def mp_shareable_list_index(list, x, index)
 *  Which is the first item that equals x. @return ::MP_OK; ::MP_VALUE: none does. */
#define mp_shareable_list_index(list, x, index) mp__shareable_list_index((list), mp_of(x), (index))

/** What an item is, and how many bytes its room has. @param kind may be NULL. @param room may be NULL. @return ::MP_OK;
 * ::MP_INDEX. */
MP_API mp_status_t mp_shareable_list_format(mp_shareable_list_t *list, int64_t index, mp_kind_t *kind, size_t *room);

/** In the process that it belongs to: ends it for all. Elsewhere: lets go of this process's pointer. @return ::MP_OK;
 * ::MP_GONE: it was over, and the pointer is let go of; ::MP_INVALID. NULL is fine. */
MP_API mp_status_t mp_shareable_list_close(mp_shareable_list_t *list);

MP_END_DECLS

#endif
