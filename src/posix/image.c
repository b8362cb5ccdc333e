/* The program that children are started from, and functions as places in modules: (build, offset). */
#include "posix/posix.h"

#include "core/error.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the program */

static char *program_path;
static char **program_arguments;

char **mp__posix_copy_arguments(char *const *arguments)
{
    size_t n = 0;
    size_t bytes = 0;
    for (; arguments[n]; n++)
        bytes += strlen(arguments[n]) + 1;
    char **copy = malloc((n + 1) * sizeof *copy + bytes);
    if (!copy)
        return NULL;
    char *text = (char *)(copy + n + 1);
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(arguments[i]) + 1;
        copy[i] = memcpy(text, arguments[i], size);
        text += size;
    }
    copy[n] = NULL;
    return copy;
}

static int command(int argc, char **argv, char ***copy)
{
    if (argc <= 0 || !argv)
        return mp__posix_program_command(copy);
    *copy = mp__posix_copy_arguments(argv);
    return *copy ? 0 : ENOMEM;
}

mp_status_t mp__os_program_note(int argc, char **argv)
{
    char **arguments = NULL;
    char *path = NULL;
    if (program_path)
        return MP_OK;
    mp__posix_sentinel_adopt();
    int code = command(argc, argv, &arguments);
    if (!code)
        code = mp__posix_program_path(arguments[0], &path);
    if (code) {
        free(arguments);
        if (code == ENOSYS)
            return mp__error_native(MP_UNSUPPORTED, "find this program's path and arguments", code);
        return mp__posix_error("find this program's path and arguments", code);
    }
    program_arguments = arguments;
    program_path = path;
    return MP_OK;
}

const char *mp__os_program_path(void)
{
    return program_path;
}

char *const *mp__posix_program_arguments(void)
{
    return program_arguments;
}

#if !defined(RTLD_NODELETE) /* not everywhere; then modules are not pinned */
#define RTLD_NODELETE 0
#endif
#if !defined(RTLD_NOLOAD)
#define RTLD_NOLOAD 0
#endif

/* ---- functions */

typedef struct search {
    mp__os_module_t *module; /* what is looked for, or where it is written to */
    uintptr_t address;       /* of the function */
    uint64_t offset;
    bool mismatch; /* a module of that path is another build */
    bool outside;  /* the offset is not in its code */
    bool too_long;
} search_t;

static void describe(const mp__posix_module_t *found, search_t *search)
{
    mp__os_module_t *module = search->module;
    size_t size = found->identity_size < MP__OS_IDENTITY_MAX ? found->identity_size : MP__OS_IDENTITY_MAX;
    memset(module, 0, sizeof *module);
    if (size)
        memcpy(module->identity, found->identity, size);
    module->identity_size = (uint32_t)size;
    int length = snprintf(module->path, sizeof module->path, "%s", found->path);
    search->too_long = length < 0 || (size_t)length >= sizeof module->path;
}

static bool visit_by_address(const mp__posix_module_t *found, void *context)
{
    search_t *search = context;
    if (!mp__posix_module_has_code(found, search->address))
        return false;
    describe(found, search);
    search->offset = search->address - found->base;
    return true;
}

/* A module that was loaded by a relative path travels by its absolute one. */
static void make_absolute(mp__os_module_t *module)
{
    char path[PATH_MAX];
    if (module->path[0] && module->path[0] != '/' && realpath(module->path, path) && strlen(path) < sizeof module->path)
        memcpy(module->path, path, strlen(path) + 1);
}

mp_status_t mp__os_function_find(mp_function_t function, mp__os_module_t *module, uint64_t *offset)
{
    search_t search = {.module = module, .address = (uintptr_t)function};
    if (!mp__posix_modules(visit_by_address, &search))
        return mp__error(MP_NOT_FOUND, "find a function's module", "no loaded module holds this code");
    if (module->identity_size == 0)
        return mp__error(MP_UNSUPPORTED, "find a function's module",
                         "linked without a build id (-Wl,--build-id): %.150s",
                         module->path[0] ? module->path : "the program");
    if (search.too_long)
        return mp__error(MP_UNSUPPORTED, "find a function's module", "its path is longer than %d bytes",
                         MP__OS_PATH_MAX - 1);
    make_absolute(module);
    *offset = search.offset;
    return MP_OK;
}

bool mp__posix_same_identity(const uint8_t *found, size_t found_size, const uint8_t *wanted, size_t wanted_size)
{
    size_t size = found_size < MP__OS_IDENTITY_MAX ? found_size : MP__OS_IDENTITY_MAX;
    return size && size == wanted_size && memcmp(found, wanted, size) == 0;
}

static bool same_build(const mp__os_module_t *module, const mp__posix_module_t *found)
{
    return mp__posix_same_identity(found->identity, found->identity_size, module->identity, module->identity_size);
}

static void place(const mp__posix_module_t *found, search_t *search)
{
    search->address = found->base + (uintptr_t)search->offset;
    search->outside = search->offset > UINTPTR_MAX || !mp__posix_module_has_code(found, search->address);
}

static bool visit_by_path(const mp__posix_module_t *found, void *context)
{
    search_t *search = context;
    if (strcmp(found->path, search->module->path) != 0)
        return false;
    search->mismatch = !same_build(search->module, found);
    place(found, search);
    return true;
}

static bool visit_by_build(const mp__posix_module_t *found, void *context)
{
    search_t *search = context;
    if (!found->path[0] || !same_build(search->module, found))
        return false;
    place(found, search);
    return true;
}

/* Loads it, for good, if the file is that build: what another build does when it is loaded cannot be undone. */
static mp_status_t load(const mp__os_module_t *module)
{
    int is = mp__posix_file_is(module->path, module->identity, module->identity_size);
    if (is < 0)
        return mp__error_native(MP_NOT_FOUND, "load a function's module", errno);
    if (!is)
        return mp__error(MP_MISMATCH, "load a function's module", "another build: %.200s", module->path);
    if (dlopen(module->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE))
        return MP_OK;
    const char *text = dlerror();
    return mp__error(MP_NOT_FOUND, "load a function's module", "%.250s", text ? text : "cannot be loaded");
}

/* So that the host cannot unload it under a function that is known to be there. */
static void pin(const mp__os_module_t *module)
{
    void *handle = module->path[0] ? dlopen(module->path, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) : NULL;
    if (handle)
        dlclose(handle);
}

mp_status_t mp__os_function_resolve(const mp__os_module_t *module, uint64_t offset, mp_function_t *function)
{
    mp__os_module_t wanted = *module;
    search_t search = {.module = &wanted, .offset = offset};
    if (wanted.identity_size > MP__OS_IDENTITY_MAX || !memchr(wanted.path, '\0', sizeof wanted.path))
        return mp__error(MP_NOT_FOUND, "find a function", "its module's description is damaged");
    bool found = mp__posix_modules(visit_by_path, &search);
    if (!found)
        found = mp__posix_modules(visit_by_build, &search);
    if (!found) {
        mp_status_t status = load(&wanted);
        if (status != MP_OK)
            return status;
        if (!mp__posix_modules(visit_by_path, &search) && !mp__posix_modules(visit_by_build, &search))
            return mp__error(MP_NOT_FOUND, "find a function", "its module vanished: %.200s", wanted.path);
    }
    if (search.mismatch)
        return mp__error(MP_MISMATCH, "find a function", "another build here: %.200s",
                         wanted.path[0] ? wanted.path : "the program");
    if (search.outside)
        return mp__error(MP_INVALID, "find a function", "the offset is not inside the module's code");
    pin(&wanted);
    *function = (mp_function_t)search.address;
    return MP_OK;
}
