/* Libraries as files: one without a build id, one that is another build than it was. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST     (4u << 20)
#define FUNCTION "__ctype_get_mb_cur_max"

typedef struct image {
    uint8_t *bytes;
    size_t size;
    uint8_t *note; /* the build id's */
    char path[400];
} image_t;

/* The note as linkers write it: name size 4, some size, type 3, "GNU". */
static uint8_t *find_note(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 16 <= size; i += 4) {
        uint32_t words[3];
        memcpy(words, bytes + i, sizeof words);
        if (words[0] == 4 && words[1] >= 8 && words[1] <= 32 && words[2] == 3 && memcmp(bytes + i + 12, "GNU", 4) == 0)
            return bytes + i;
    }
    return NULL;
}

/* A small library of the system, as bytes; a copy of it that is changed is another one. */
static void read_library(image_t *image)
{
    Dl_info info = {0};
    void *library = dlopen("libBrokenLocale.so.1", RTLD_NOW | RTLD_LOCAL);
    void *place = library ? dlsym(library, FUNCTION) : NULL;
    FILE *file = place && dladdr(place, &info) ? fopen(info.dli_fname, "rbe") : NULL;
    image->bytes = malloc(MOST);
    CU_ASSERT_PTR_NOT_NULL_FATAL(image->bytes);
    image->size = file ? fread(image->bytes, 1, MOST, file) : 0;
    if (file)
        fclose(file);
    image->note = find_note(image->bytes, image->size);
    if (!image->note) {
        free(image->bytes);
        mp_skip("no library known whose build id can be changed");
    }
}

static void write_library(image_t *image, const char *name)
{
    snprintf(image->path, sizeof image->path, "%s/test-%s-%ld.so", mp_test_folder(), name, (long)getpid());
    FILE *file = fopen(image->path, "wbe");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(image->bytes, 1, image->size, file), image->size);
    fclose(file);
}

static mp_function_t load(const image_t *image)
{
    mp_function_t function = NULL;
    void *library = dlopen(image->path, RTLD_NOW | RTLD_LOCAL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(library);
    void *found = dlsym(library, FUNCTION);
    memcpy(&function, &found, sizeof function);
    CU_ASSERT_FATAL(function != NULL);
    return function;
}

static void forget(image_t *image)
{
    unlink(image->path);
    free(image->bytes);
}

MP_CASE(a_module_without_identity)
{
    image_t image;
    mp__os_module_t module;
    uint64_t offset;
    read_library(&image);
    image.note[8] = 99; /* a note of an unknown type */
    write_library(&image, "nameless");
    EXPECT_STATUS(mp__os_function_find(load(&image), &module, &offset), MP_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "build id"));
    forget(&image);
}

/* Found in one process; then the file is another build; then a child resolves. */
MP_PROGRAM(resolves)
{
    mp__os_module_t module;
    uint64_t offset;
    mp_function_t function;
    MP_CHECK(mp__os_channel_read(mp_test_talk(), &module, sizeof module) == MP_OK);
    MP_CHECK(mp__os_channel_read(mp_test_talk(), &offset, sizeof offset) == MP_OK);
    return (int)mp__os_function_resolve(&module, offset, &function);
}

static int resolve_in_child(const mp__os_module_t *module, uint64_t offset)
{
    mp_test_child_t child;
    mp_test_start(&child, "resolves", NULL, 0, NULL);
    EXPECT_OK(mp__os_channel_write(child.talk, module, sizeof *module));
    EXPECT_OK(mp__os_channel_write(child.talk, &offset, sizeof offset));
    return mp_test_join(&child).code;
}

MP_CASE(a_library_that_was_exchanged)
{
    image_t image;
    mp__os_module_t module;
    uint64_t offset = 0;
    read_library(&image);
    image.note[20] ^= 0x55;
    write_library(&image, "exchanged");
    REQUIRE_OK(mp__os_function_find(load(&image), &module, &offset));
    CU_ASSERT_STRING_EQUAL(module.path, image.path);
    CU_ASSERT_EQUAL(resolve_in_child(&module, offset), MP_OK);
    unlink(image.path);
    CU_ASSERT_EQUAL(resolve_in_child(&module, offset), MP_NOT_FOUND);
    image.note[20] ^= 0x22;
    write_library(&image, "exchanged");
    CU_ASSERT_EQUAL(resolve_in_child(&module, offset), MP_MISMATCH);
    forget(&image);
}

/* Something that is there, and no library at all. */
MP_CASE(a_file_that_is_no_library)
{
    image_t image;
    mp__os_module_t module;
    uint64_t offset = 0;
    read_library(&image);
    write_library(&image, "broken");
    REQUIRE_OK(mp__os_function_find(load(&image), &module, &offset));
    unlink(image.path);
    memset(image.bytes, 'x', image.size);
    write_library(&image, "other");
    strcpy(module.path, image.path);
    CU_ASSERT_NOT_EQUAL(resolve_in_child(&module, offset), MP_OK);
    forget(&image);
}

MP_CASES(MP_ROW(a_module_without_identity), MP_ROW(a_library_that_was_exchanged), MP_SUB(resolves),
         MP_ROW(a_file_that_is_no_library));
