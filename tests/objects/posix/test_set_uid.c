/* A program with more rights than its caller: nobody else's environment makes it run a function. */
#include "../scene.h"
#include "system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define OTHER 1 /* a user that is not root */

static char copy[700];

static void remove_copy(void)
{
    remove(copy);
}

static void make_copy(void)
{
    char block[65536];
    size_t size;
    snprintf(copy, sizeof copy, "%s/mp-set-uid-%ld", mp_test_folder(), mp_test_pid());
    FILE *from = fopen(mp_test_program(), "rb"), *to = fopen(copy, "wb");
    CU_ASSERT_FATAL(from && to);
    while ((size = fread(block, 1, sizeof block, from)) > 0)
        CU_ASSERT_EQUAL_FATAL(fwrite(block, 1, size, to), size);
    fclose(from);
    CU_ASSERT_EQUAL_FATAL(fclose(to), 0);
    CU_ASSERT_EQUAL_FATAL(chown(copy, OTHER, (gid_t)-1), 0);
    CU_ASSERT_EQUAL_FATAL(chmod(copy, S_ISUID | 0755), 0);
    atexit(remove_copy);
}

/* Skips where there can be no such program. */
static void make_set_uid(void)
{
    struct statvfs folder;
    if (geteuid() != 0 || getuid() != 0)
        mp_skip("only root can give a program to another user");
    if (statvfs(mp_test_folder(), &folder) != 0 || (folder.f_flag & ST_NOSUID))
        mp_skip("programs in the folder for temporary files get no other rights");
    if (mp_test_is_sanitized())
        mp_skip("a sanitizer's runtime does not run with other rights");
    make_copy();
}

static mp_status_t tell_user(mp_call_t *call)
{
    return mp_exit(call, (int)geteuid() + 10);
}

MP_CASE(it_is_no_child_of_its_caller)
{
    mp_process_t *process = NULL;
    mp_process_options_t options = {.method = MP_START_SPAWN, .executable = copy};
    mp_test_objects();
    make_set_uid();
    EXPECT_STATUS(mp_process_start_with(&process, tell_user, mp_args(), &options), MP_DIED);
    CU_ASSERT_PTR_NULL(process);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "125")); /* nor did its main run */
    remove_copy();
}

MP_PROGRAM(starts_a_child)
{
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        mp_process_t *process;
        int code;
        MP_CHECK(geteuid() == OTHER && getuid() != OTHER);
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        MP_CHECK(mp_process_start(&process, tell_user, mp_args()) == MP_OK);
        MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_process_exitcode(process, &code) == MP_OK && code == OTHER + 10);
        MP_CHECK(mp_process_close(process) == MP_OK);
    }
    return 7;
}

MP_CASE(it_has_children_of_its_own)
{
    char output[2000] = "";
    mp_test_objects();
    make_set_uid();
    CU_ASSERT_EQUAL(mp_test_run(copy, "starts_a_child", output, sizeof output), 7);
    if (output[0])
        puts(output);
    remove_copy();
}

MP_GUARDED_CASES(MP_ROW(it_is_no_child_of_its_caller), MP_ROW(it_has_children_of_its_own), MP_SUB(starts_a_child));
