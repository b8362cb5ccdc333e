/* Connections, for the rest of the library: how they travel. */
#ifndef MP_OBJECTS_CONNECTION_H
#define MP_OBJECTS_CONNECTION_H

#include <multiproc/connection.h>

#include "objects/transfer.h"

#define MP__CONN_RECEIVES 1u
#define MP__CONN_SENDS    2u

/* The handle of a connection that goes into a message, still this process's own, and its directions. MP_INVALID;
 * MP_BUSY: a message was begun to be read from it. */
mp_status_t mp__conn_lend(mp_conn_t *conn, mp__os_handle_t *handle, uint32_t *directions);

/* For who waits for something to be received: the handle, or MP__NO_HANDLE if part of it was read already. MP_INVALID:
 * this end only sends. */
mp_status_t mp__conn_watch(const mp_conn_t *conn, mp__os_handle_t *handle);

/* A connection (mp_conn_t) that owns this handle from now on; on failure it does not. */
mp_status_t mp__conn_adopt(mp__os_handle_t handle, uint32_t directions, void **conn);

/* In a fork's child: closes all connections that its parent had but those in the transfer, which the child's arguments
 * take over. */
void mp__conns_forget(const mp__transfer_t *keep);

#endif
