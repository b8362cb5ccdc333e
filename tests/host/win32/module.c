/* Modules on Windows. */
#include "../module.h"

#include <stdio.h>
#include <windows.h>

void *mp_test_module_load(const char *path)
{
    HMODULE module = LoadLibraryA(path);
    if (!module)
        printf("%s: error %lu\n", path, GetLastError());
    return module;
}

void (*mp_test_module_function(void *module, const char *name))(void)
{
    return (void (*)(void))GetProcAddress(module, name);
}

void mp_test_module_unload(void *module)
{
    FreeLibrary(module);
}
