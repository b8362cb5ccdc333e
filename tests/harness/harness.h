/*
 * The test runner: a test file defines cases (and sub-programs that its cases start), lists them in one table, and is
 * linked with the files beside this one into an executable.
 *
 *     exe         runs each case in a process of its own
 *     exe CASE    runs one in this process and then looks for what it leaked; exit code 0, 1, or 77 for "skipped"
 *
 * A case may take 100 s (MP_TEST_CASE_SECONDS in the environment: another time).
 */
#ifndef MP_TEST_HARNESS_H
#define MP_TEST_HARNESS_H

#include <multiproc/status.h>

#include <CUnit/CUnit.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mp_test_row {
    const char *name;
    void (*run)(void);    /* of a case */
    int (*program)(void); /* of a sub-program; what it returns is its exit code */
} mp_test_row_t;

/* Both define a static function, so one that is missing in the table is an unused function: the build fails. */
#define MP_CASE(name)    static void case_##name(void)
#define MP_PROGRAM(name) static int program_##name(void)

/* The table, at the end of the file: MP_CASES(MP_ROW(a_case), MP_ROW(another), MP_SUB(a_program)). */
/* MP_GUARDED_CASES: the same for a program that starts processes as users do: mp_freeze_support is its first call. */
/* clang-format off */
#define MP_ROW(name)  {#name, case_##name, NULL}
#define MP_SUB(name)  {#name, NULL, program_##name}
#define MP_CASES(...)         MP_TABLE(false, __VA_ARGS__)
#define MP_GUARDED_CASES(...) MP_TABLE(true, __VA_ARGS__)
#define MP_TABLE(guarded, ...)                                                                                         \
    const bool mp_test_guarded = guarded;                                                                              \
    const mp_test_row_t mp_test_rows[] = {__VA_ARGS__, {NULL, NULL, NULL}}
/* clang-format on */

extern const bool mp_test_guarded;
extern const mp_test_row_t mp_test_rows[];

/* In a case, besides CUnit's own: the status that a call returns. A mismatch shows both and mp_error(). The argument is
 * evaluated once. REQUIRE_... ends the case. Only for the case's own thread. */
#define EXPECT_STATUS(call, expected)  ((void)mp_test_expect((call), (expected), #call, __FILE__, __LINE__, false))
#define REQUIRE_STATUS(call, expected) ((void)mp_test_expect((call), (expected), #call, __FILE__, __LINE__, true))
#define EXPECT_OK(call)                ((void)mp_test_expect((call), MP_OK, #call, __FILE__, __LINE__, false))
#define REQUIRE_OK(call)               ((void)mp_test_expect((call), MP_OK, #call, __FILE__, __LINE__, true))

bool mp_test_expect(mp_status_t actual, mp_status_t expected, const char *call, const char *file, int line, bool fatal);

/* Anywhere: in other threads, sub-programs, forked children, targets of processes. A failure ends the process with
 * code 99. */
#define MP_CHECK(condition) ((condition) ? (void)0 : mp_test_die(#condition, __FILE__, __LINE__))
#define MP_CHECK_FAILED     99

void mp_test_die(const char *condition, const char *file, int line);

/* Runs a case as `exe CASE` does, for those that must not stand in the table; the exit code. Once a process. */
int mp_test_case(const char *name, void (*run)(void));

/* Ends the case as skipped (exit code 77), after the leak check. */
void mp_skip(const char *reason);

/* The leak check compares with what was there when the case began, or when it called this: after the first use of
 * something that the library makes once and keeps (the arena, a thread). */
void mp_test_baseline(void);

/* How many blocks of the arena this process's family holds. Set it before the baseline; NULL: not counted. */
extern size_t (*mp_test_arena_blocks)(void);

/* Called before the leak check looks: to end what serves until the program's end. NULL: nothing. */
extern void (*mp_test_settle)(void);

/* Seconds to wait for what must happen, longer on slow machines (environment MP_TEST_SLOWNESS, a factor). */
double mp_test_seconds(double seconds);

/* The arguments of a sub-program; "" beyond the last. */
const char *mp_test_argument(size_t index);
size_t mp_test_argument_count(void);

/* This executable, as the system can start it. */
const char *mp_test_program(void);

#ifdef __cplusplus
}
#endif

#endif
