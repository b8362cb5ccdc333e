/* What exit codes say: those that this library gives a process which it ends, and the system's own for what it ended.
 */
#include "win32.h"

#include "core/compiler.h"

#define NAME(status)                                                                                                   \
    {                                                                                                                  \
        (int)status, #status                                                                                           \
    }

static const struct {
    int code;
    const char *name;
} names[] = {
    {-15, "SIGTERM"},
    {-9, "SIGKILL"},
    NAME(STATUS_CONTROL_C_EXIT),
    NAME(STATUS_ACCESS_VIOLATION),
    NAME(STATUS_STACK_OVERFLOW),
    NAME(STATUS_ILLEGAL_INSTRUCTION),
    NAME(STATUS_INTEGER_DIVIDE_BY_ZERO),
    NAME(STATUS_BREAKPOINT),
};

const char *mp__os_exit_name(int code)
{
    for (size_t i = 0; i < MP__COUNT_OF(names); i++)
        if (code == names[i].code)
            return names[i].name;
    return "";
}
