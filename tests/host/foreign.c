/* A program that knows nothing of multiproc: it loads a plug-in, lets it do something, unloads it, and ends.
 *
 *     foreign PLUGIN CASE [OTHER]     with OTHER: another build, that takes the loaded one's place on the disk
 */
#include "module.h"

#include <stdio.h>
#include <string.h>

typedef int run_t(const char *what);
typedef int start_t(int (*function)(void *call));

static int own_function(void *call)
{
    (void)call;
    return 0;
}

static int run(void *module, const char *what)
{
    if (strcmp(what, "own_function") == 0) {
        start_t *start = (start_t *)mp_test_module_function(module, "plugin_start");
        return start ? start(own_function) : 1;
    }
    run_t *plugin_run = (run_t *)mp_test_module_function(module, "plugin_run");
    return plugin_run ? plugin_run(what) : 1;
}

int main(int argc, char **argv)
{
    void *module = argc >= 3 ? mp_test_module_load(argv[1]) : NULL;
    if (!module)
        return 1;
    if (argc == 4 && (remove(argv[1]) != 0 || rename(argv[3], argv[1]) != 0))
        return 1;
    int failed = run(module, argv[2]);
    mp_test_module_unload(module);
    if (!failed)
        printf("%s: ok\n", argv[2]);
    return failed;
}
