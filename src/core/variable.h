/* Entries of an environment: "NAME=value", or "NAME" alone for one that is not to be there. */
#ifndef MP_CORE_VARIABLE_H
#define MP_CORE_VARIABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool mp__same_variable(const char *entry, const char *other)
{
    size_t length = strcspn(entry, "=");
    return length == strcspn(other, "=") && memcmp(entry, other, length) == 0;
}

#endif
