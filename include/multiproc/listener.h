/**
 * @file listener.h
 * Listeners: an address at which programs that are no family meet, and the processes of one as well. Each that comes is
 * one connection (connection.h) more, duplex, with values, bytes, connections and descriptors in its messages.
 *
 * This is for the programs of one user on one machine. Whose user is another does not get in: nobody else may open the
 * address, and the system is asked whose process stands at the other end. There is no key, and no network.
 *
 * What comes from another family: a shared object (queue, lock, ...) is that family's, a message with one in it is
 * ::MP_FOREIGN for the receiver, and the next message can be received. Connections and descriptors arrive as they do
 * inside a family; on Windows as long as the root process of the sender's family lives.
 *
 * Any thread may use a listener, several may accept at once. It belongs to the process that made it and does not
 * travel. In a fork's child, whoever forked, it is closed: calls are ::MP_CLOSED there, its parent's goes on.
 *
 * Timeouts: see ::MP_FOREVER.
 */
#ifndef MULTIPROC_LISTENER_H
#define MULTIPROC_LISTENER_H

#include <multiproc/connection.h>

MP_BEGIN_DECLS

/**
 * Begins to listen at an address. From here on others can connect, and send, though nobody accepts yet.
 *
 * On POSIX an address is the path of a socket, which is made with mode 0600; a relative one is taken from the current
 * directory, now. What a listener left there that was killed is replaced; for that moment there is a file beside it,
 * `ADDRESS.lock` (should this process be killed just then, until the next replacement). On Windows it is
 * `\\.\pipe\NAME`, a pipe's name, or NAME alone. With NULL the library chooses one that nobody can guess, on POSIX in
 * a directory of its own below TMPDIR, or /tmp, that only this user can enter; it takes away there what killed
 * processes left.
 *
 * When the process ends in order (returns from main, exits) the address goes as with mp_listener_close().
 * @param listener where the new object goes, to be closed by mp_listener_close().
 * @param address UTF-8, borrowed; or NULL.
 * @return ::MP_OK; ::MP_EXISTS: somebody listens there, or something is there that is no socket of this user's, or
 *         beside a dead listener an `ADDRESS.lock` that is no file of this user's (on Windows also: connections are
 *         open that were accepted there); ::MP_TIMEOUT: another has been replacing the same dead listener for 2
 *         seconds; ::MP_TOO_LARGE: the address is longer than the system takes (POSIX: 103 to 107 bytes of whole path;
 *         Windows: 256 characters); ::MP_NOT_FOUND: no such directory; ::MP_DENIED; ::MP_INVALID: also, an address
 *         that is none; ::MP_LIMIT: no descriptor is left; ::MP_NO_MEMORY; ::MP_SYSTEM. Blocks only to wait for another
 *         who is replacing the same dead listener, 2 seconds at most.
 */
MP_API mp_status_t mp_listener_create(mp_listener_t **listener, const char *address);

/** What others connect to; whole, as the system takes it. The listener's, until it is closed: a thread that closes it
 * takes the text away from others. NULL: it is none, or closed. */
MP_API const char *mp_listener_address(const mp_listener_t *listener);

/**
 * Waits for the next that connects. Those that came first are first. One that has left again is accepted too: what it
 * sent can be received, then comes ::MP_END. One of another user is turned away, and the wait goes on.
 * @param conn the caller's, to be closed by mp_conn_close().
 * @param timeout seconds; 0 or less: only if somebody is there.
 * @return ::MP_OK; ::MP_TIMEOUT; ::MP_CLOSED: the listener was closed, before or meanwhile; ::MP_INVALID; ::MP_LIMIT:
 * no descriptor is left; who has come stays for the next call, which fails at once as well until there is one;
 *         ::MP_NO_MEMORY; ::MP_UNSUPPORTED: this system does not tell whose process it is; ::MP_SYSTEM.
 */
MP_API mp_status_t mp_listener_accept(mp_listener_t *listener, mp_conn_t **conn, double timeout);

/**
 * Stops listening. The address is free again, on POSIX its file is gone; who has come and was not accepted sees its
 * connection end; who waits in mp_listener_accept() gets ::MP_CLOSED. Accepted connections stay (on Windows the address
 * can be listened at again when they are closed, too). Does not block. A second close is ::MP_OK; NULL is fine.
 * @return ::MP_OK; ::MP_INVALID.
 */
MP_API mp_status_t mp_listener_close(mp_listener_t *listener);

/**
 * Connects to a listener. Does not wait until it accepts.
 * @param conn the caller's, to be closed by mp_conn_close().
 * @param address as in mp_listener_create(), or what mp_listener_address() said.
 * @param timeout seconds. Waits only where somebody listens, and so many wait to be accepted that there is no room for
 *        one more: on POSIX more than a hundred, on Windows one. It looks up to 100 times a second then.
 * @return ::MP_OK; ::MP_NOT_FOUND: nobody listens there, at once (on the BSDs and macOS a socket that is bound and
 *         never listens looks like one without room); ::MP_TIMEOUT: no room until then; ::MP_DENIED: another user
 *         listens there; ::MP_TOO_LARGE: no address is that long; ::MP_INVALID; ::MP_LIMIT: no descriptor is left;
 *         ::MP_NO_MEMORY; ::MP_UNSUPPORTED: as for accept; ::MP_SYSTEM.
 */
MP_API mp_status_t mp_connect(mp_conn_t **conn, const char *address, double timeout);

MP_END_DECLS

#endif
