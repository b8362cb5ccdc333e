/* Pools, for the rest of the library. */
#ifndef MP_OBJECTS_POOL_H
#define MP_OBJECTS_POOL_H

/* In a fork's child: the parent's pools are not its own. */
void mp__pools_forget(void);

#endif
