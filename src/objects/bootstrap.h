/* The child's side of a start. */
#ifndef MP_OBJECTS_BOOTSTRAP_H
#define MP_OBJECTS_BOOTSTRAP_H

#include "family/family.h"
#include "objects/transfer.h"

/* Is this process the library's own: a worker, a server? */
bool mp__serves(void);

/* Writes the environment's entry (name and value) that invites a child. */
void mp__invitation_print(char *text, size_t size, const mp__invitation_t *invitation, mp__os_handle_t lifeline);

/* What the child of a fork does: it becomes the invited member, runs its target and ends; it does not return.
 * `transfer` names the handles of its arguments: of the library's others it lets go. */
void mp__forked_child(const mp__invitation_t *invitation, mp__os_handle_t lifeline, const mp__transfer_t *transfer);

#endif
