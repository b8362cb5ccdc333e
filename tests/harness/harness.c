/* The runner's main, its cases and assertions. */
#include "harness.h"

#include "leaks.h"
#include "platform.h"
#include "system.h"

#include <multiproc/runtime.h>

#include <CUnit/Basic.h>
#include <CUnit/TestDB.h>
#include <CUnit/TestRun.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIPPED      77
#define CASE_SECONDS 100.0

static const char *program_path;
static const char *case_name = "?";
static char **program_arguments; /* of a sub-program, its first one first */

const char *mp_test_program(void)
{
    return program_path ? program_path : mp__os_program_path(); /* a process of the library's does not come to main */
}

size_t mp_test_argument_count(void)
{
    size_t count = 0;
    while (program_arguments && program_arguments[count])
        count++;
    return count;
}

const char *mp_test_argument(size_t index)
{
    return index < mp_test_argument_count() ? program_arguments[index] : "";
}

double mp_test_seconds(double seconds)
{
    const char *factor = getenv("MP_TEST_SLOWNESS");
    double slowness = factor ? strtod(factor, NULL) : 1.0;
    return slowness > 1.0 ? seconds * slowness : seconds;
}

bool mp_test_expect(mp_status_t actual, mp_status_t expected, const char *call, const char *file, int line, bool fatal)
{
    char text[900];
    char detail[400] = "";
    if (actual != expected && actual != MP_OK)
        mp_error_format(detail, sizeof detail, "");
    snprintf(text, sizeof text, "%s is %s, not %s %s", call, mp_status_name(actual), mp_status_name(expected), detail);
    if (!CU_is_test_running() && actual != expected) /* in a sub-program */
        mp_test_die(text, file, line);
    if (CU_is_test_running())
        CU_assertImplementation(actual == expected, (unsigned)line, text, file, "", fatal);
    return actual == expected;
}

void mp_test_die(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s: MP_CHECK(%s); last error: %s: %s\n", file, line, case_name, condition, mp_error()->step,
            mp_error()->text);
    fflush(NULL);
    mp_test_end_now(MP_CHECK_FAILED);
}

void mp_test_baseline(void)
{
    mp_test_leaks_begin();
}

void mp_skip(const char *reason)
{
    bool clean = mp_test_leaks_report(case_name);
    mp_test_lift_limits();
    printf("%s %s: %s\n", clean ? "skip" : "FAIL", case_name, reason);
    exit(clean ? SKIPPED : EXIT_FAILURE);
}

/* CUnit wants the case inside a suite; what it prints is of interest only after a failure. */
int mp_test_case(const char *name, void (*run)(void))
{
    case_name = name;
    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_pSuite suite = CU_add_suite("cases", NULL, NULL);
    if (!suite || !CU_add_test(suite, name, run))
        return EXIT_FAILURE;

    const char *seconds = getenv("MP_TEST_CASE_SECONDS");
    mp_test_watch(seconds ? strtod(seconds, NULL) : mp_test_seconds(CASE_SECONDS), name);
    mp_test_leaks_begin();
    bool ran = CU_run_all_tests() == CUE_SUCCESS;
    /* Both, because a record may fail for want of memory, and there are records that are no assertion's. */
    bool passed = ran && CU_get_number_of_failures() == 0 && CU_get_number_of_failure_records() == 0;
    bool clean = mp_test_leaks_report(name);
    mp_test_lift_limits();
    if (!passed) {
        CU_basic_show_failures(CU_get_failure_list());
        printf("\n");
        CU_print_run_results(stdout);
    }
    printf("%s %s\n", passed && clean ? "ok" : "FAIL", name);
    fflush(stdout);
    CU_cleanup_registry();
    return passed && clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_all(void)
{
    int passed = 0, failed = 0, skipped = 0;
    for (const mp_test_row_t *row = mp_test_rows; row->name; row++) {
        if (!row->run)
            continue;
        int code = mp_test_run(program_path, row->name, NULL, 0);
        if (code != EXIT_SUCCESS && code != EXIT_FAILURE && code != SKIPPED)
            printf("FAIL %s: ended with %d\n", row->name, code);
        *(code == EXIT_SUCCESS ? &passed : code == SKIPPED ? &skipped : &failed) += 1;
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A program that was compiled with another version of the library. */
static void be_another_version(int argc, char **argv)
{
    static const mp__program_t none = {.terminate = NULL};
    int code = 0;
    if (mp__freeze_support(argc, argv, MP_ABI_VERSION + 1, &none, &code))
        exit(code);
}

/* A child may be told by its starter to end, or to wait for its input's end, before it comes to the library; or to come
 * to it as another version. */
static void be_early(int argc, char **argv)
{
    const char *word = getenv("MP_TEST_EARLY");
    if (word && strcmp(word, "wait") == 0)
        while (getchar() != EOF)
            ;
    else if (word && strcmp(word, "version") == 0)
        be_another_version(argc, argv);
    else if (word)
        exit(atoi(word));
}

int main(int argc, char **argv)
{
    be_early(argc, argv);
    if (mp_test_guarded)
        mp_freeze_support(argc, argv);
    argv = mp_test_command_line(argv);
    program_path = argv[0];
    if (argc < 2)
        return run_all();
    if (strcmp(argv[1], "-") == 0) /* a child that does nothing */
        return EXIT_SUCCESS;
    for (const mp_test_row_t *row = mp_test_rows; row->name; row++) {
        if (strcmp(row->name, argv[1]) != 0)
            continue;
        if (row->run)
            return mp_test_case(row->name, row->run);
        case_name = row->name;
        program_arguments = argv + 2;
        return row->program();
    }
    fprintf(stderr, "%s: no such case: %s\n", argv[0], argv[1]);
    return EXIT_FAILURE;
}
