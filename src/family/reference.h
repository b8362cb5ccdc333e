/* What names a shared object in any message: 16 bytes of plain data, checked at each use. */
#ifndef MP_FAMILY_REFERENCE_H
#define MP_FAMILY_REFERENCE_H

#include <stdint.h>

typedef struct mp__reference {
    uint32_t place;      /* where its header lies: the arena's offset in units of 64 bytes; 0 = nothing */
    uint32_t generation; /* the header's generation while this object lived in it */
    uint16_t kind;       /* an mp_kind_t */
    uint16_t family[3];  /* 48 random bits that name the family */
} mp__reference_t;

#endif
