/**
 * @file connection.h
 * Pipes: two connections; what is sent into one comes out of the other, message by message.
 *
 * Any thread may use a connection: sends of several threads follow each other, so do receives. An end is meant for one
 * process at a time: two processes that read the same end tear each other's messages apart. mp_conn_close() must be the
 * last use of its pointer.
 *
 * Timeouts: see ::MP_FOREVER.
 */
#ifndef MULTIPROC_CONNECTION_H
#define MULTIPROC_CONNECTION_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/** Directions of a pipe. */
typedef enum mp_direction {
    MP_ONE_WAY = 0, /**< the first end only receives, the second only sends */
    MP_DUPLEX = 1   /**< both ends do both */
} mp_direction_t;

/**
 * Makes a pipe.
 * @param first,second its ends, each to be closed by mp_conn_close().
 * @return ::MP_OK; ::MP_INVALID; ::MP_NO_MEMORY; ::MP_LIMIT: no descriptor is left; ::MP_SYSTEM.
 */
MP_API mp_status_t mp_pipe(mp_conn_t **first, mp_conn_t **second, mp_direction_t direction);

/** @cond internal */
MP_API mp_status_t mp__conn_send(mp_conn_t *conn, mp_value_t value);
/** @endcond */

/**
 * @def mp_conn_send(conn, x)
 * Sends a value. It can hold objects, connections and descriptors too: the receiver gets its own copies. Blocks while
 * the pipe is full; no signal is raised when the peer is gone.
 * @return ::MP_OK; ::MP_END: the other end is closed; ::MP_INVALID: the value cannot be encoded, or conn only receives;
 *         ::MP_TOO_LARGE: nested too deeply; ::MP_NO_MEMORY; ::MP_SYSTEM. What cannot be encoded has sent nothing.
 */
#define mp_conn_send(conn, x) mp__conn_send((conn), mp_of(x))

/**
 * Receives a value; blocks until there is one.
 * @param value becomes the caller's, to be freed by mp_value_free().
 * @return ::MP_OK; ::MP_END: the other end is closed and all was received; ::MP_TRUNCATED: it ended in the middle of a
 * message;
 *         ::MP_MALFORMED and other statuses of decoding: this message is lost, the next can be received; ::MP_INVALID:
 * conn only sends; ::MP_NO_MEMORY.
 */
MP_API mp_status_t mp_conn_recv(mp_conn_t *conn, mp_value_t *value);

/** Sends size bytes (0 too) as one message, without encoding. Blocks and fails as mp_conn_send(). */
MP_API mp_status_t mp_conn_send_bytes(mp_conn_t *conn, const void *data, size_t size);

/**
 * Receives a message of mp_conn_send_bytes() into the caller's memory.
 * @param size in: the room; out: the message's length.
 * @return as mp_conn_recv(), and ::MP_TOO_LARGE: the room is too small; the message stays, *size says what it needs.
 *         ::MP_TYPE: the next message is a value; it stays.
 */
MP_API mp_status_t mp_conn_recv_bytes(mp_conn_t *conn, void *data, size_t *size);

/** Waits until something can be received (a message, or the end). @return ::MP_OK; ::MP_TIMEOUT; ::MP_INVALID. */
MP_API mp_status_t mp_conn_poll(mp_conn_t *conn, double timeout);

/** Closes this end. What was sent before can still be received. NULL is fine. @return ::MP_OK; ::MP_INVALID. */
MP_API mp_status_t mp_conn_close(mp_conn_t *conn);

MP_END_DECLS

#endif
