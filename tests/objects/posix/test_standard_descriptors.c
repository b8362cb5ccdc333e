/* The standard descriptors among a child's arguments, and its own: the same under all start methods. And the numbers of
 * the others. */
#include "../scene.h"
#include "system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static mp_process_t *start(mp_function_t function, mp_args_t args, const mp_process_options_t *options)
{
    mp_process_t *process;
    MP_CHECK(mp_process_start_with(&process, function, args, options) == MP_OK);
    return process;
}

static void join(mp_process_t *process, int expected)
{
    int code;
    MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_process_exitcode(process, &code) == MP_OK && code == expected);
    MP_CHECK(mp_process_close(process) == MP_OK);
}

/* ---- output: it is open to what the child executes, and to the end */

static mp_status_t say_and_execute(mp_call_t *call)
{
    MP_CHECK(mp_arg_descriptor(call, 0) > STDERR_FILENO);
    printf("says %s\n", mp_arg_str(call, 1)); /* flushed when the function has returned */
    return mp_exit(call, system("echo executed") == 0 ? 3 : 4);
}

MP_PROGRAM(passes_its_output)
{
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        join(start(say_and_execute, mp_args(mp_descriptor(STDOUT_FILENO), *method), NULL), 3);
    }
    return 0;
}

MP_CASE(output_among_the_arguments_stays_the_childs_output)
{
    char output[300];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "passes_its_output", output, sizeof output), 0);
    CU_ASSERT_STRING_EQUAL(output, "executed\nsays spawn\nexecuted\nsays fork\nexecuted\nsays forkserver\n");
}

/* ---- input */

static bool reads(int fd, const char *expected)
{
    char text[20] = "";
    ssize_t n = read(fd, text, sizeof text - 1);
    return n == (ssize_t)strlen(expected) && strcmp(text, expected) == 0;
}

/* Its argument is the parent's input, its own is what the options say. */
static mp_status_t read_both(mp_call_t *call)
{
    MP_CHECK(mp_arg_descriptor(call, 0) > STDERR_FILENO);
    MP_CHECK(reads((int)mp_arg_descriptor(call, 0), "parent"));
    return mp_exit(call, reads(STDIN_FILENO, mp_arg_str(call, 1)) ? 3 : 4);
}

static mp_status_t read_own(mp_call_t *call)
{
    return mp_exit(call, reads(STDIN_FILENO, mp_arg_str(call, 0)) ? 3 : 4);
}

static void pass_input(int to_parent)
{
    mp_process_options_t inherits = {.input = {MP_STDIO_INHERIT, NULL}}, pipe = {.input = {MP_STDIO_PIPE, NULL}};
    mp_value_t input = mp_descriptor(STDIN_FILENO);
    MP_CHECK(write(to_parent, "parent", 6) == 6);
    join(start(read_both, mp_args(input, ""), NULL), 3);
    MP_CHECK(write(to_parent, "parent", 6) == 6);
    join(start(read_own, mp_args("parent"), &inherits), 3);
    MP_CHECK(write(to_parent, "parent", 6) == 6);
    mp_process_t *process = start(read_both, mp_args(input, "piped"), &pipe);
    MP_CHECK(mp_process_write(process, "piped", 5, NULL, 20) == MP_OK);
    join(process, 3);
}

MP_PROGRAM(passes_its_input)
{
    int ends[2];
    MP_CHECK(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        pass_input(ends[1]);
    }
    return 0;
}

MP_CASE(input_among_the_arguments_and_the_childs_own_are_two)
{
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "passes_its_input", NULL, 0), 0);
}

/* ---- the others: a program begins with few numbers, however many its starter has */

#define MANY 300
#define FEW  16

static mp_status_t count_up(mp_call_t *call)
{
    int next = dup(STDERR_FILENO);
    MP_CHECK(next >= 0 && close(next) == 0);
    return mp_exit(call, next < FEW && mp_arg_descriptor(call, 0) < FEW ? 3 : 4);
}

MP_CASE(a_started_program_has_compact_numbers)
{
    int many[MANY];
    mp_process_t *process;
    mp_test_objects();
    for (int i = 0; i < MANY; i++)
        many[i] = dup(STDERR_FILENO);
    REQUIRE_OK(mp_set_start_method("spawn", true));
    REQUIRE_OK(mp_process_start(&process, count_up, mp_args(mp_descriptor(many[MANY - 1]))));
    mp_test_expect_end(process, 3);
    for (int i = 0; i < MANY; i++)
        close(many[i]);
}

MP_GUARDED_CASES(MP_ROW(a_started_program_has_compact_numbers),
                 MP_ROW(output_among_the_arguments_stays_the_childs_output),
                 MP_ROW(input_among_the_arguments_and_the_childs_own_are_two), MP_SUB(passes_its_output),
                 MP_SUB(passes_its_input));
