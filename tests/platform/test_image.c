/* Functions as places in modules of a known build, found in one process and resolved in another. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include <stdlib.h>
#include <string.h>

static mp_status_t answer(mp_call_t *call)
{
    (void)call;
    return MP_BUSY;
}

static mp_status_t another(mp_call_t *call)
{
    (void)call;
    return MP_INDEX;
}

MP_CASE(a_function_of_the_program)
{
    mp__os_module_t module, second;
    uint64_t offset = 0, other = 0;
    mp_function_t found = NULL;
    REQUIRE_OK(mp__os_function_find(answer, &module, &offset));
    CU_ASSERT_STRING_EQUAL(module.path, "");
    CU_ASSERT(module.identity_size >= 8 && module.identity_size <= MP__OS_IDENTITY_MAX);
    REQUIRE_OK(mp__os_function_find(another, &second, &other));
    CU_ASSERT_NOT_EQUAL(offset, other);
    CU_ASSERT_EQUAL(module.identity_size, second.identity_size);
    CU_ASSERT_EQUAL(memcmp(module.identity, second.identity, module.identity_size), 0);
    REQUIRE_OK(mp__os_function_resolve(&module, offset, &found));
    CU_ASSERT(found == answer);
    REQUIRE_OK(mp__os_function_resolve(&module, other, &found));
    CU_ASSERT(found == another);
}

/* What travels: as it is, the module and the offset. */
MP_PROGRAM(resolves)
{
    mp__os_module_t module;
    uint64_t offset;
    mp_function_t function;
    MP_CHECK(mp__os_channel_read(mp_test_talk(), &module, sizeof module) == MP_OK);
    MP_CHECK(mp__os_channel_read(mp_test_talk(), &offset, sizeof offset) == MP_OK);
    MP_CHECK(mp__os_function_resolve(&module, offset, &function) == MP_OK);
    if (strcmp(mp_test_word(0), "call") == 0)
        return (int)function(NULL);
    mp__os_module_t back;
    uint64_t place;
    MP_CHECK(mp__os_function_find(function, &back, &place) == MP_OK);
    MP_CHECK(strcmp(back.path, module.path) == 0 && place == offset);
    return 0;
}

static int resolve_in_child(const mp__os_module_t *module, uint64_t offset, const char *what)
{
    mp_test_child_t child;
    mp_test_start(&child, "resolves", NULL, 0, (const char *const[]){what, NULL});
    EXPECT_OK(mp__os_channel_write(child.talk, module, sizeof *module));
    EXPECT_OK(mp__os_channel_write(child.talk, &offset, sizeof offset));
    return mp_test_join(&child).code;
}

MP_CASE(a_child_finds_the_same_function)
{
    mp__os_module_t module;
    uint64_t offset = 0;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_function_find(answer, &module, &offset));
    CU_ASSERT_EQUAL(resolve_in_child(&module, offset, "call"), MP_BUSY);
    REQUIRE_OK(mp__os_function_find(another, &module, &offset));
    CU_ASSERT_EQUAL(resolve_in_child(&module, offset, "call"), MP_INDEX);
}

/* A library that the child has not loaded, and this program is not linked with. */
MP_CASE(a_function_of_a_library)
{
    mp__os_module_t module;
    uint64_t offset = 0;
    mp_function_t found = NULL;
    mp_function_t foreign = (mp_function_t)mp_test_foreign_function();
    if (!foreign)
        mp_skip("no library known that this program is not linked with");
    mp_test_warm_up();
    REQUIRE_OK(mp__os_function_find(foreign, &module, &offset));
    CU_ASSERT(strlen(module.path) > 0);
    REQUIRE_OK(mp__os_function_resolve(&module, offset, &found));
    CU_ASSERT(found == foreign);
    CU_ASSERT_EQUAL(resolve_in_child(&module, offset, "find"), 0);
}

MP_CASE(what_is_no_function)
{
    mp__os_module_t module;
    uint64_t offset;
    void *heap = malloc(64);
    int stack = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(heap);
    EXPECT_STATUS(mp__os_function_find(NULL, &module, &offset), MP_NOT_FOUND);
    EXPECT_STATUS(mp__os_function_find((mp_function_t)(uintptr_t)heap, &module, &offset), MP_NOT_FOUND);
    EXPECT_STATUS(mp__os_function_find((mp_function_t)(uintptr_t)&stack, &module, &offset), MP_NOT_FOUND);
    EXPECT_STATUS(mp__os_function_find((mp_function_t)UINTPTR_MAX, &module, &offset), MP_NOT_FOUND);
    free(heap);
}

static void find_answer(mp__os_module_t *module, uint64_t *offset)
{
    REQUIRE_OK(mp__os_function_find(answer, module, offset));
}

MP_CASE(another_build_is_refused)
{
    mp__os_module_t module;
    uint64_t offset = 0;
    mp_function_t found;
    find_answer(&module, &offset);
    for (uint32_t i = 0; i < module.identity_size; i++) {
        module.identity[i] ^= 1;
        EXPECT_STATUS(mp__os_function_resolve(&module, offset, &found), MP_MISMATCH);
        module.identity[i] ^= 1;
    }
    module.identity_size--;
    EXPECT_STATUS(mp__os_function_resolve(&module, offset, &found), MP_MISMATCH);
    module.identity_size = 0;
    EXPECT_STATUS(mp__os_function_resolve(&module, offset, &found), MP_MISMATCH);
    module.identity_size = UINT32_MAX;
    CU_ASSERT_NOT_EQUAL(mp__os_function_resolve(&module, offset, &found), MP_OK);
}

MP_CASE(a_module_that_is_not_there)
{
    mp__os_module_t module;
    uint64_t offset = 0;
    mp_function_t found;
    find_answer(&module, &offset);
    strcpy(module.path, "/there/is/no/such/library");
    EXPECT_STATUS(mp__os_function_resolve(&module, offset, &found), MP_NOT_FOUND);
    memset(module.path, 'x', sizeof module.path); /* not even terminated */
    EXPECT_STATUS(mp__os_function_resolve(&module, offset, &found), MP_NOT_FOUND);
}

static const char data_of_this_module[] = "data";

MP_CASE(a_place_that_is_no_code)
{
    mp__os_module_t module;
    uint64_t offset = 0;
    mp_function_t found;
    find_answer(&module, &offset);
    uint64_t data = offset + (uint64_t)((uintptr_t)data_of_this_module - (uintptr_t)answer);
    EXPECT_STATUS(mp__os_function_resolve(&module, data, &found), MP_INVALID);
    EXPECT_STATUS(mp__os_function_resolve(&module, 0, &found), MP_INVALID);
    EXPECT_STATUS(mp__os_function_resolve(&module, UINT64_MAX, &found), MP_INVALID);
    EXPECT_STATUS(mp__os_function_resolve(&module, offset + (1 << 30), &found), MP_INVALID);
    EXPECT_STATUS(mp__os_function_resolve(&module, offset - ((uint64_t)1 << 40), &found), MP_INVALID);
}

MP_CASES(MP_ROW(a_function_of_the_program), MP_ROW(a_child_finds_the_same_function), MP_SUB(resolves),
         MP_ROW(a_function_of_a_library), MP_ROW(what_is_no_function), MP_ROW(another_build_is_refused),
         MP_ROW(a_module_that_is_not_there), MP_ROW(a_place_that_is_no_code));
