/**
 * @file wait.h
 * Waiting for any of many things at once: processes, connections, listeners, queues, locks, semaphores, events,
 * results, descriptors.
 */
#ifndef MULTIPROC_WAIT_H
#define MULTIPROC_WAIT_H

#include <multiproc/runtime.h>

MP_BEGIN_DECLS

/**
 * Waits until at least one of several things is ready, and says which are. Ready is:
 * - a process (a child, or mp_parent_process()): it has ended;
 * - a connection: something can be received, a message or the end;
 * - a listener: somebody has connected;
 * - a queue: it has an item (also one on lease whose holder died), or it was shut down;
 * - a lock or RLock: it can be acquired (its last holder may have died in it); also one that the calling thread holds,
 *   because acquiring it would not wait;
 * - a semaphore: it has a permit (of an ::MP_OWNED one also a dead holder's);
 * - an event: it is set;
 * - a result: it is settled;
 * - a descriptor (`mp_descriptor()`): on POSIX there is something to read, or its end; on Windows the handle of
 *   anything that can be waited for (a process, a thread, an event) is signalled;
 * - any object that its owner has closed, or whose owner has died: its next use says ::MP_GONE.
 *
 * So ready means: the next use does not wait. Nothing is taken or changed: what is ready stays ready until it is used,
 * and another thread or process may use it first; so use it with a timeout of 0, and wait again.
 *
 *     mp_value_t objects[] = {mp_of(queue), mp_of(process), mp_of(conn)};
 *     bool ready[3];
 *     status = mp_wait(objects, 3, ready, MP_FOREVER);
 *
 * Nothing is polled. A thread that waits wakes twice a second to look for what a killed process left untold. Where both
 * handles of the system (processes, connections, descriptors) and shared objects are among the objects, a helper thread
 * of the library, one a process, is made with the first such wait, and wakes every other second. Any thread of any
 * process may wait for the same objects; each learns of each that is ready. They must stay open while it waits.
 * Thousands are fine on every system.
 * @param objects the things, by `mp_of()` and `mp_descriptor()`; borrowed; NULL if n is 0. The same one may be there
 *        more than once.
 * @param n how many. 0: waits until the deadline.
 * @param ready n flags, all of which are set, to false too, unless it fails.
 * @param timeout seconds; 0 or less: only looks.
 * @return ::MP_OK: one is ready at least; ::MP_TIMEOUT: none was until the deadline; ::MP_TYPE: an object is of a kind
 *         that cannot be waited for; ::MP_INVALID: no objects or no flags, nothing to wait for and no deadline, NaN, an
 *         object that is none (any more), this very process, a connection that only sends, a descriptor that is none;
 *         ::MP_DEADLOCK: an unsettled result in a callback of its pool, where it never is settled; ::MP_NO_MEMORY;
 *         ::MP_LIMIT: no descriptor or thread is left; ::MP_SYSTEM.
 */
MP_API mp_status_t mp_wait(const mp_value_t *objects, size_t n, bool *ready, double timeout);

MP_END_DECLS

#endif
