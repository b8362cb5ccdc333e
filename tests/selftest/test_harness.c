/* The runner judges: it must see each kind of leak, a failed assertion, a crash and a skip. Each is planted in a
 * process of its own, whose exit code and lines are looked at. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char output[4000];

static int run(const char *program)
{
    return mp_test_run(mp_test_program(), program, output, sizeof output);
}

static void expect_leak(const char *program, const char *kind)
{
    CU_ASSERT_EQUAL(run(program), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, kind));
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "FAIL planted"));
    CU_ASSERT_PTR_NULL(strstr(output, "ok planted"));
}

/* ---- nothing planted ---- */

static void use_and_give_back(void)
{
    FILE *file = fopen(mp_test_program(), "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fclose(file);
}

MP_PROGRAM(clean)
{
    return mp_test_case("planted", use_and_give_back);
}

MP_CASE(clean_case_is_ok)
{
    CU_ASSERT_EQUAL(run("clean"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "ok planted"));
    CU_ASSERT_PTR_NULL(strstr(output, "LEAK"));
}

/* ---- leaks ---- */

static void leak_descriptor(void)
{
    CU_ASSERT_PTR_NOT_NULL(fopen(mp_test_program(), "rb"));
}

MP_PROGRAM(leaks_descriptor)
{
    return mp_test_case("planted", leak_descriptor);
}

MP_CASE(sees_a_leaked_descriptor)
{
    expect_leak("leaks_descriptor", "LEAK planted: descriptor ");
}

/* It ends with the process that forgot it, which keeps the other end. */
MP_PROGRAM(lingers)
{
    return mp_test_hear(mp_test_talk(), 'x') ? 1 : 0;
}

static void leak_child(void)
{
    mp_test_child_t child;
    mp_test_start(&child, "lingers", NULL, 0, NULL);
    mp__os_process_close(&child.process);
}

MP_PROGRAM(leaks_child)
{
    return mp_test_case("planted", leak_child);
}

MP_CASE(sees_a_leaked_child)
{
    expect_leak("leaks_child", "LEAK planted: child ");
}

static char leaked_path[400];

static void leak_file(void)
{
    snprintf(leaked_path, sizeof leaked_path, "%s/mp-planted-%ld", mp_test_folder(), (long)mp__os_pid());
    FILE *file = fopen(leaked_path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fclose(file);
}

MP_PROGRAM(leaks_file)
{
    int code = mp_test_case("planted", leak_file);
    remove(leaked_path);
    return code;
}

MP_CASE(sees_a_leaked_file)
{
    expect_leak("leaks_file", "LEAK planted: file ");
}

static void leak_mapping(void)
{
    mp__os_arena_t arena;
    REQUIRE_OK(mp__os_arena_create(1 << 20, &arena));
    mp__os_handle_close(arena.memory);
    mp__os_handle_close(arena.life);
}

MP_PROGRAM(leaks_mapping)
{
    return mp_test_case("planted", leak_mapping);
}

MP_CASE(sees_a_leaked_mapping)
{
    expect_leak("leaks_mapping", "LEAK planted: mapping of 1048576 bytes");
}

static size_t blocks = 2;

static size_t count_blocks(void)
{
    return blocks;
}

static void leak_block(void)
{
    mp_test_arena_blocks = count_blocks;
    mp_test_baseline();
    blocks = 5;
}

MP_PROGRAM(leaks_block)
{
    return mp_test_case("planted", leak_block);
}

MP_CASE(sees_leaked_arena_blocks)
{
    expect_leak("leaks_block", "LEAK planted: arena blocks: 3");
}

static void leak_and_skip(void)
{
    leak_descriptor();
    mp_skip("for a reason");
}

MP_PROGRAM(leaks_and_skips)
{
    return mp_test_case("planted", leak_and_skip);
}

MP_CASE(a_skipped_case_that_leaks_fails)
{
    expect_leak("leaks_and_skips", "LEAK planted: descriptor ");
}

/* ---- the rest of the verdict ---- */

static void skip(void)
{
    mp_skip("for a reason");
}

MP_PROGRAM(skips)
{
    return mp_test_case("planted", skip);
}

MP_CASE(skip_is_77_with_the_reason)
{
    CU_ASSERT_EQUAL(run("skips"), 77);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "skip planted: for a reason"));
}

static void warm_up(void)
{
    leak_descriptor();
    mp_test_baseline();
}

MP_PROGRAM(warms_up)
{
    return mp_test_case("planted", warm_up);
}

MP_CASE(baseline_forgives_what_came_before)
{
    CU_ASSERT_EQUAL(run("warms_up"), 0);
}

static void fail(void)
{
    EXPECT_STATUS(MP_OK, MP_END);
}

MP_PROGRAM(fails)
{
    return mp_test_case("planted", fail);
}

MP_CASE(wrong_status_fails_and_is_named)
{
    CU_ASSERT_EQUAL(run("fails"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "MP_OK is MP_OK, not MP_END"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "FAIL planted"));
}

MP_PROGRAM(dies)
{
    MP_CHECK(mp_test_argument_count() == 77);
    return 0;
}

MP_CASE(failed_check_ends_the_process)
{
    CU_ASSERT_EQUAL(run("dies"), MP_CHECK_FAILED);
}

MP_CASES(MP_ROW(clean_case_is_ok), MP_SUB(clean), MP_ROW(sees_a_leaked_descriptor), MP_SUB(leaks_descriptor),
         MP_ROW(sees_a_leaked_child), MP_SUB(leaks_child), MP_SUB(lingers), MP_ROW(sees_a_leaked_file),
         MP_SUB(leaks_file), MP_ROW(sees_a_leaked_mapping), MP_SUB(leaks_mapping), MP_ROW(sees_leaked_arena_blocks),
         MP_SUB(leaks_block), MP_ROW(a_skipped_case_that_leaks_fails), MP_SUB(leaks_and_skips),
         MP_ROW(skip_is_77_with_the_reason), MP_SUB(skips), MP_ROW(baseline_forgives_what_came_before),
         MP_SUB(warms_up), MP_ROW(wrong_status_fails_and_is_named), MP_SUB(fails),
         MP_ROW(failed_check_ends_the_process), MP_SUB(dies));
