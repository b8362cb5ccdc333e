/* Modules on POSIX. */
#include "../module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *mp_test_module_load(const char *path)
{
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        printf("%s\n", dlerror());
    return module;
}

void (*mp_test_module_function(void *module, const char *name))(void)
{
    void (*function)(void) = NULL;
    void *found = dlsym(module, name);
    memcpy(&function, &found, sizeof function);
    return function;
}

void mp_test_module_unload(void *module)
{
    dlclose(module);
}
