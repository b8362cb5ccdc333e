/* Programs, modules and functions: what names a function in another process of the same build. */
#include "win32.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

/* ---- the program ---- */

static char program_path[MP__OS_PATH_MAX];

/* A module's file name; "" is not given for the program here. */
static mp_status_t module_path(HMODULE module, char *path, const char *step)
{
    wchar_t wide[MP__OS_PATH_MAX];
    DWORD length = GetModuleFileNameW(module, wide, MP__OS_PATH_MAX);
    if (length == 0 || length == MP__OS_PATH_MAX || !mp__win_narrow(wide, path, MP__OS_PATH_MAX))
        return mp__error_native(MP_UNSUPPORTED, step, (int)GetLastError());
    return MP_OK;
}

mp_status_t mp__os_program_note(int argc, char **argv)
{
    /* The system keeps the command line as it was given; what main got of it was cut up and recoded. */
    (void)argc;
    (void)argv;
    char path[MP__OS_PATH_MAX];
    mp_status_t status = module_path(NULL, path, "find the program's path");
    if (!status)
        memcpy(program_path, path, sizeof program_path);
    return status;
}

const char *mp__os_program_path(void)
{
    return program_path[0] ? program_path : NULL;
}

/* ---- a module's headers, as they lie in memory ---- */

static const IMAGE_NT_HEADERS *headers_of(HMODULE module)
{
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)module;
    return (const IMAGE_NT_HEADERS *)((const uint8_t *)module + dos->e_lfanew);
}

/* size bytes of the image at rva; NULL: they are not in it. */
static const void *image_at(HMODULE module, uint64_t rva, uint64_t size)
{
    uint64_t whole = headers_of(module)->OptionalHeader.SizeOfImage;
    return rva != 0 && rva <= whole && size <= whole - rva ? (const uint8_t *)module + rva : NULL;
}

static bool is_code(HMODULE module, uint64_t offset)
{
    const IMAGE_NT_HEADERS *headers = headers_of(module);
    const IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(headers);
    for (unsigned i = 0; i < headers->FileHeader.NumberOfSections; i++, section++)
        if ((section->Characteristics & IMAGE_SCN_MEM_EXECUTE) && offset >= section->VirtualAddress &&
            offset - section->VirtualAddress < section->Misc.VirtualSize)
            return true;
    return false;
}

/* ---- its identity ---- */

#define CODEVIEW_MAGIC 0x53445352u /* "RSDS" */

typedef struct codeview {
    uint32_t magic;
    uint8_t identity[20]; /* GUID and age */
} codeview_t;

static bool find_guid(HMODULE module, mp__os_module_t *out)
{
    const IMAGE_DATA_DIRECTORY *where = &headers_of(module)->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_DEBUG];
    const IMAGE_DEBUG_DIRECTORY *entry = image_at(module, where->VirtualAddress, where->Size);
    for (size_t i = 0; entry && i < where->Size / sizeof *entry; i++) {
        if (entry[i].Type != IMAGE_DEBUG_TYPE_CODEVIEW || entry[i].SizeOfData < sizeof(codeview_t))
            continue;
        codeview_t record;
        const void *data = image_at(module, entry[i].AddressOfRawData, sizeof record);
        if (!data)
            continue;
        memcpy(&record, data, sizeof record);
        if (record.magic != CODEVIEW_MAGIC)
            continue;
        memcpy(out->identity, record.identity, sizeof record.identity);
        out->identity_size = sizeof record.identity;
        return true;
    }
    return false;
}

/* Without a GUID: timestamp, size and checksum, of which linkers leave out one or the other. */
static mp_status_t find_identity(HMODULE module, mp__os_module_t *out)
{
    memset(out->identity, 0, sizeof out->identity);
    if (find_guid(module, out))
        return MP_OK;
    const IMAGE_NT_HEADERS *headers = headers_of(module);
    const uint32_t marks[3] = {headers->FileHeader.TimeDateStamp, headers->OptionalHeader.CheckSum,
                               headers->OptionalHeader.SizeOfImage};
    if (marks[0] == 0 && marks[1] == 0)
        return mp__error(MP_UNSUPPORTED, "identify a module", "it was linked without build id, time and checksum");
    memcpy(out->identity, marks, sizeof marks);
    out->identity_size = sizeof marks;
    return MP_OK;
}

/* ---- functions ---- */

mp_status_t mp__os_function_find(mp_function_t function, mp__os_module_t *module, uint64_t *offset)
{
    const uintptr_t address = (uintptr_t)function;
    HMODULE found = NULL;
    if (address == 0 ||
        !GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (const wchar_t *)address, &found) ||
        !is_code(found, address - (uintptr_t)found))
        return mp__error(MP_NOT_FOUND, "find a function's module", "no module has code there");
    module->path[0] = 0;
    mp_status_t status = find_identity(found, module);
    if (!status && found != GetModuleHandleW(NULL))
        status = module_path(found, module->path, "find a function's module");
    *offset = address - (uintptr_t)found;
    return status;
}

/* The module of that path. *loaded: it was not here before. */
static mp_status_t open_module(const char *path, HMODULE *module, bool *loaded)
{
    static const char step[] = "load a module";
    *loaded = false;
    if (path[0] == 0) {
        *module = GetModuleHandleW(NULL);
        return MP_OK;
    }
    wchar_t *wide = memchr(path, 0, MP__OS_PATH_MAX) ? mp__win_wide(path) : NULL;
    if (!wide)
        return mp__error(MP_NOT_FOUND, step, "this is no path");
    mp_status_t status = MP_OK;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, wide, module)) {
        *module = LoadLibraryExW(wide, NULL, LOAD_WITH_ALTERED_SEARCH_PATH); /* what it needs lies beside it */
        *loaded = *module != NULL;
        if (!*loaded)
            status = mp__error_native(MP_NOT_FOUND, step, (int)GetLastError());
    }
    free(wide);
    return status;
}

static mp_status_t check(HMODULE here, const mp__os_module_t *module, uint64_t offset)
{
    mp__os_module_t found;
    mp_status_t status = find_identity(here, &found);
    if (status)
        return status;
    if (found.identity_size != module->identity_size ||
        memcmp(found.identity, module->identity, found.identity_size) != 0)
        return mp__error(MP_MISMATCH, "find a function", "%s is another build here",
                         module->path[0] ? module->path : "the program");
    if (!is_code(here, offset))
        return mp__error(MP_INVALID, "find a function", "the place is not in the module's code");
    return MP_OK;
}

mp_status_t mp__os_function_resolve(const mp__os_module_t *module, uint64_t offset, mp_function_t *function)
{
    HMODULE here;
    bool loaded;
    mp_status_t status = open_module(module->path, &here, &loaded);
    if (status)
        return status;
    status = check(here, module, offset);
    if (status) {
        if (loaded)
            FreeLibrary(here);
        return status;
    }
    const uintptr_t address = (uintptr_t)here + (uintptr_t)offset;
    HMODULE pinned;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN, (const wchar_t *)address,
                       &pinned);
    *function = (mp_function_t)address;
    return MP_OK;
}
