/* The library's side of the helper: which module this library is in, where the helper is, and what the helper calls. */
#include "objects/host.h"

#include "core/error.h"
#include "core/once.h"
#include "objects/bootstrap.h"
#include "objects/start.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEP          "start a process"
#define PATH_VARIABLE "MULTIPROC_HOST" /* the helper, named by the user */

/* The build says what it is called, and where it is installed, seen from the library: MP_HOST_NAME, MP_HOST_PLACE. */
static const char *const places[] = {MP_HOST_NAME, MP_HOST_PLACE};

static bool is_helper; /* this process was started as one */
static mp__once_t entry_described;
static mp__once_t helper_found;
static mp__os_module_t library; /* the module that this code is in */
static char variable[sizeof MP__HOST_VARIABLE + 2 * MP__OS_IDENTITY_MAX + 24 + MP__OS_PATH_MAX];
static char helper[MP__OS_PATH_MAX];
static const char *arguments[2] = {helper, NULL};

static int enter(uint32_t abi, const mp__program_t *program, int argc, char **argv)
{
    int code;
    if (abi != MP_ABI_VERSION)
        return MP__EXIT_MISMATCH;
    is_helper = true;
    return mp__freeze_support(argc, argv, abi, program, &code) ? code : MP__EXIT_UNUSABLE;
}

/* ---- the module */

static mp_status_t find_library(uint64_t *offset)
{
    mp_function_t found;
    const mp_function_t entry = (mp_function_t)(void (*)(void))enter;
    mp_status_t status = mp__os_function_find(entry, &library, offset);
    if (status == MP_OK && !library.path[0])
        status = mp__error(MP_NOT_GUARDED, STEP, "mp_freeze_support(argc, argv) must be main's first line");
    /* Its threads are to find their code when the host unloads its plug-ins; this pins it. */
    return status == MP_OK ? mp__os_function_resolve(&library, *offset, &found) : status;
}

static mp_status_t describe_entry(void)
{
    uint64_t offset;
    mp_status_t status = find_library(&offset);
    if (status != MP_OK)
        return status;
    size_t used = (size_t)snprintf(variable, sizeof variable, "%s=", MP__HOST_VARIABLE);
    for (uint32_t i = 0; i < library.identity_size; i++)
        used += (size_t)snprintf(variable + used, sizeof variable - used, "%02x", library.identity[i]);
    snprintf(variable + used, sizeof variable - used, ":%" PRIx64 ":%s", offset, library.path);
    return MP_OK;
}

static bool is_in_program(mp_function_t function)
{
    mp__os_module_t module;
    uint64_t offset;
    return mp__os_function_find(function, &module, &offset) == MP_OK && !module.path[0];
}

/* ---- the helper */

static bool is_file(const char *path)
{
    mp__os_handle_t file;
    if (mp__os_file_open(path, MP__OS_FILE_READ, &file) != MP_OK)
        return false;
    mp__os_handle_close(file);
    return true;
}

/* How much of a path is its folder, with the separator. */
static size_t folder_length(const char *path)
{
    size_t length = strlen(path);
    const char *separators = path[0] == '/' ? "/" : "/\\";
    while (length && !strchr(separators, path[length - 1]))
        length--;
    return length;
}

static bool find_at(const char *place)
{
    int length = snprintf(helper, sizeof helper, "%.*s%s", (int)folder_length(library.path), library.path, place);
    return length > 0 && (size_t)length < sizeof helper && is_file(helper);
}

static mp_status_t find_helper(void)
{
    if (!mp__os_is_privileged() && mp__os_environment_get(PATH_VARIABLE, helper, sizeof helper) && helper[0])
        return is_file(helper) ? MP_OK : mp__error(MP_NOT_FOUND, STEP, PATH_VARIABLE "=%.200s: no such file", helper);
    for (size_t i = 0; i < MP__COUNT_OF(places); i++)
        if (find_at(places[i]))
            return MP_OK;
    return mp__error(MP_NOT_FOUND, STEP,
                     "no %s beside %.120s: mp_set_executable() or the environment's " PATH_VARIABLE " can name it",
                     MP_HOST_NAME, library.path);
}

/* ---- for the starts */

static bool is_guarded(void)
{
    return mp__program() && !is_helper;
}

mp_status_t mp__host_prepare(mp_function_t function, bool has_image)
{
    if (is_guarded())
        return MP_OK;
    mp_status_t status = mp__once(&entry_described, describe_entry);
    if (status == MP_OK && is_in_program(function))
        return mp__error(MP_NOT_GUARDED, STEP, "mp_freeze_support(argc, argv) must be main's first line");
    return status == MP_OK && !has_image && !is_helper ? mp__once(&helper_found, find_helper) : status;
}

const char *mp__host_image(void)
{
    return is_guarded() || is_helper ? NULL : helper;
}

const char *const *mp__host_arguments(void)
{
    return is_guarded() || is_helper ? NULL : arguments;
}

const char *mp__host_variable(void)
{
    return is_guarded() ? NULL : variable;
}
