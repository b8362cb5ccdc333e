/* Modules that a program loads, without the library's help. */
#ifndef MP_TEST_MODULE_H
#define MP_TEST_MODULE_H

/* NULL: it cannot be loaded; why is printed. */
void *mp_test_module_load(const char *path);

/* NULL: it has no such function. */
void (*mp_test_module_function(void *module, const char *name))(void);

void mp_test_module_unload(void *module);

#endif
