/* multiproc-host: the program that children run in where their starter is no program of this library (objects/host.h).
 * It is told which module holds the starter's copy of the library; if that is the same build here, it goes on there. */
#include "objects/host.h"
#include "objects/start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    const char *const digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* "identity:offset:path" */
static bool parse(const char *text, mp__os_module_t *module, uint64_t *offset)
{
    memset(module, 0, sizeof *module);
    for (; digit(text[0]) >= 0 && digit(text[1]) >= 0; text += 2) {
        if (module->identity_size == sizeof module->identity)
            return false;
        module->identity[module->identity_size++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
    }
    char *end;
    if (*text != ':')
        return false;
    *offset = strtoull(text + 1, &end, 16);
    if (*end != ':' || strlen(end + 1) >= sizeof module->path)
        return false;
    memcpy(module->path, end + 1, strlen(end + 1) + 1);
    return module->identity_size && module->path[0];
}

static int enter(const char *text, int argc, char **argv)
{
    mp__os_module_t module;
    uint64_t offset;
    mp_function_t entry;
    if (!parse(text, &module, &offset))
        return MP__EXIT_UNUSABLE;
    mp_status_t status = mp__os_function_resolve(&module, offset, &entry);
    if (status != MP_OK)
        return status == MP_MISMATCH ? MP__EXIT_MISMATCH : MP__EXIT_UNUSABLE;
    const mp__program_t program = {.at_exit = atexit, .flush = mp__flush_program, .terminate = mp__terminate_program};
    return ((mp__host_entry_t)(void (*)(void))entry)(MP_ABI_VERSION, &program, argc, argv);
}

int main(int argc, char **argv)
{
    static char text[2 * MP__OS_IDENTITY_MAX + 24 + MP__OS_PATH_MAX];
    if (mp__os_is_privileged() || !mp__os_environment_get(MP__HOST_VARIABLE, text, sizeof text) ||
        mp__os_environment_set(MP__HOST_VARIABLE) != MP_OK) {
        fputs("multiproc-host is started by the library multiproc, for programs that cannot run its children\n",
              stderr);
        return MP__EXIT_UNUSABLE;
    }
    return enter(text, argc, argv);
}
