/* What a child is given: environment, directory, standard streams, processors, priority, image. */
#include "child.h"
#include "scene.h"
#include "system.h"

#include "objects/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mp_process_t *start(mp_function_t function, mp_args_t args, const mp_process_options_t *options)
{
    mp_process_t *process = NULL;
    REQUIRE_OK(mp_process_start_with(&process, function, args, options));
    return process;
}

static void expect_refused(const mp_process_options_t *options, mp_function_t function, mp_status_t expected)
{
    mp_process_t *process = mp_current_process();
    EXPECT_STATUS(mp_process_start_with(&process, function, mp_args(), options), expected);
    CU_ASSERT_PTR_NULL(process);
}

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

/* The error's text is about that, and says more. */
static void expect_named(const char *what)
{
    const char *text = mp_error()->text, *named = strstr(text, what);
    if (!named || strlen(named) <= strlen(what) + strlen(": "))
        CU_FAIL("the text of the error does not name what failed");
}

/* A file of this case's own. */
static const char *file_path(void)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/mp-options-%ld", mp_test_folder(), mp_test_pid());
    return path;
}

static void expect_content(const char *expected)
{
    char text[200];
    FILE *file = fopen(file_path(), "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

/* ---- environment and directory ---- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "(none)";
}

static mp_status_t tell_environment(mp_call_t *call)
{
    return mp_queue_put(mp_arg_queue(call, 0),
                        mp_list(variable("MP_TEST_KEPT"), variable("MP_TEST_REPLACED"), variable("MP_TEST_REMOVED"),
                                variable("MP_TEST_ADDED"), variable("MP_TEST_EMPTY"),
                                mp_bool(strcmp(variable("MULTIPROC_CHILD"), "nonsense") == 0)),
                        MP_FOREVER);
}

static void expect_environment(void)
{
    static const char *const environment[] = {
        "MP_TEST_REPLACED=first", "MP_TEST_REMOVED", "MP_TEST_EMPTY=x",          "MP_TEST_ADDED=a=b",
        "MP_TEST_REPLACED=last",  "MP_TEST_EMPTY",   "MULTIPROC_CHILD=nonsense", NULL};
    mp_process_options_t options = {.environment = environment};
    mp_queue_t *queue;
    mp_value_t told;
    REQUIRE_OK(mp_queue_create(&queue, 0));
    mp_test_expect_end(start(tell_environment, mp_args(queue), &options), 0);
    REQUIRE_OK(mp_queue_get(queue, &told, 0));
    bool marker =
        strcmp(mp_get_start_method(), "spawn") != 0; /* a program that is executed finds its invitation there */
    CU_ASSERT(mp_value_equal(told, mp_list("kept", "last", "(none)", "a=b", "(none)", mp_bool(marker))));
    mp_value_free(&told);
    EXPECT_OK(mp_queue_close(queue));
    CU_ASSERT_STRING_EQUAL(variable("MP_TEST_REMOVED"), "here");
    CU_ASSERT_STRING_EQUAL(variable("MP_TEST_ADDED"), "(none)");
}

MP_CASE(a_childs_environment_is_the_parents_with_changes)
{
    mp_test_objects();
    REQUIRE_OK(mp__os_environment_set("MP_TEST_KEPT=kept"));
    REQUIRE_OK(mp__os_environment_set("MP_TEST_REPLACED=old"));
    putenv((char *)(uintptr_t) "MP_TEST_REMOVED=here");
    mp_test_each_method(expect_environment);
}

MP_CASE(an_environment_entry_needs_a_name)
{
    static const char *const unnamed[] = {"=value", NULL};
    static const char *const empty[] = {"", NULL};
    mp_test_objects();
    expect_refused(&(mp_process_options_t){.environment = unnamed}, nothing, MP_INVALID);
    expect_refused(&(mp_process_options_t){.environment = empty}, nothing, MP_INVALID);
}

/* The name of a file that lies in the directory, without a path. */
static mp_status_t write_beside(mp_call_t *call)
{
    FILE *file = fopen(mp_arg_str(call, 0), "wb");
    MP_CHECK(file && fputs("beside", file) >= 0 && fclose(file) == 0);
    return MP_OK;
}

static void expect_directory(void)
{
    mp_process_options_t options = {.directory = mp_test_folder()};
    const char *name = strstr(file_path(), "mp-options-");
    mp_test_expect_end(start(write_beside, mp_args(name), &options), 0);
    expect_content("beside");
    remove(file_path());
}

MP_CASE(a_child_begins_in_its_directory)
{
    mp_test_objects();
    mp_test_each_method(expect_directory);
}

static void expect_no_directory(void)
{
    expect_refused(&(mp_process_options_t){.directory = "there/is/no/such/directory"}, nothing, MP_NOT_FOUND);
    CU_ASSERT_NOT_EQUAL(mp_error()->code, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->step, "directory"));
    expect_named("there/is/no/such/directory");
}

MP_CASE(a_directory_that_is_not_there_is_an_error_of_the_start)
{
    mp_test_objects();
    mp_test_each_method(expect_no_directory);
}

/* Of what has no room in the text its end is there. */
MP_CASE(a_long_name_is_cut)
{
    char path[600];
    memset(path, 'd', sizeof path);
    memcpy(path + sizeof path - sizeof "/the/end", "/the/end", sizeof "/the/end");
    mp_test_objects();
    expect_refused(&(mp_process_options_t){.directory = path}, nothing, MP_NOT_FOUND);
    CU_ASSERT_EQUAL(strncmp(mp_error()->text, "...d", 4), 0);
    expect_named("d/the/end: ");
    memset(path, (char)0xa4, 580);
    for (size_t i = 0; i < 580; i += 2)
        path[i] = (char)0xc3;
    expect_refused(&(mp_process_options_t){.directory = path}, nothing, MP_NOT_FOUND);
    CU_ASSERT_EQUAL((unsigned char)mp_error()->text[3], 0xc3); /* a whole character */
}

MP_CASE(options_that_make_no_sense)
{
    mp_test_objects();
    expect_refused(&(mp_process_options_t){.start_timeout = -1}, nothing, MP_INVALID);
    expect_named("start_timeout");
    expect_refused(&(mp_process_options_t){.start_timeout = (double)NAN}, nothing, MP_INVALID);
    expect_named("start_timeout");
    expect_refused(&(mp_process_options_t){.detach = true, .daemon = true}, nothing, MP_INVALID);
    expect_named("detach");
    expect_named("daemon");
    mp_process_t *process;
    mp_process_options_t options = {.start_timeout = -1};
    EXPECT_STATUS(mp_process_start_begin(&process, nothing, mp_args(), &options), MP_INVALID);
    options.start_timeout = MP_FOREVER;
    mp_test_expect_end(start(nothing, mp_args(), &options), 0);
}

/* ---- standard streams ---- */

static mp_status_t print_both(mp_call_t *call)
{
    fprintf(stdout, "out %s\n", mp_arg_str(call, 0));
    fflush(stdout);
    fprintf(stderr, "err %s\n", mp_arg_str(call, 0));
    fflush(stderr);
    return MP_OK;
}

/* All that comes, with "\r" taken out: Windows' C runtime writes it. */
static void expect_read(mp_process_t *process, mp_stream_t stream, const char *expected)
{
    char text[200], part[50];
    size_t used = 0;
    mp_status_t status;
    size_t size = sizeof part;
    while ((status = mp_process_read(process, stream, part, &size, mp_test_patience())) == MP_OK) {
        CU_ASSERT(size > 0 && size <= sizeof part);
        for (size_t i = 0; i < size && used < sizeof text - 1; i++)
            if (part[i] != '\r')
                text[used++] = part[i];
        size = sizeof part;
    }
    text[used] = '\0';
    EXPECT_STATUS(status, MP_END);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void expect_pipes(void)
{
    mp_process_options_t options = {.output = {MP_STDIO_PIPE, NULL}, .error = {MP_STDIO_PIPE, NULL}};
    mp_process_t *process = start(print_both, mp_args("apart"), &options);
    expect_read(process, MP_STDOUT, "out apart\n");
    expect_read(process, MP_STDERR, "err apart\n");
    mp_test_expect_end(process, 0);
    options.error.kind = MP_STDIO_MERGED;
    process = start(print_both, mp_args("merged"), &options);
    expect_read(process, MP_STDOUT, "out merged\nerr merged\n");
    mp_test_expect_end(process, 0);
    options.error.kind = MP_STDIO_NULL;
    process = start(print_both, mp_args("alone"), &options);
    mp_test_expect_end(process, 0);
}

MP_CASE(output_and_error_come_through_pipes)
{
    mp_test_objects();
    mp_test_each_method(expect_pipes);
}

MP_PROGRAM(prints_through_children)
{
    mp_process_t *process;
    mp_process_options_t options = {.output = {MP_STDIO_INHERIT, NULL}, .error = {MP_STDIO_MERGED, NULL}};
    MP_CHECK(mp_process_start(&process, print_both, mp_args("default")) == MP_OK);
    MP_CHECK(mp_process_join(process, MP_FOREVER) == MP_OK && mp_process_close(process) == MP_OK);
    MP_CHECK(mp_process_start_with(&process, print_both, mp_args("inherited"), &options) == MP_OK);
    MP_CHECK(mp_process_join(process, MP_FOREVER) == MP_OK && mp_process_close(process) == MP_OK);
    return 0;
}

MP_CASE(output_and_error_are_the_parents_by_default)
{
    char text[400];
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "prints_through_children", text, sizeof text), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "out default"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "out inherited"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "err inherited"));
}

static mp_status_t tell_end_of_input(mp_call_t *call)
{
    while (getchar() != EOF)
        ;
    return mp_queue_put(mp_arg_queue(call, 0), 1, 0);
}

/* Echoes its input's lines, then says how it ended. */
static mp_status_t echo_lines(mp_call_t *call)
{
    (void)call;
    char line[100];
    while (fgets(line, sizeof line, stdin)) {
        fputs(line, stdout);
        fflush(stdout);
    }
    return mp_exit(call, feof(stdin) ? 3 : 4);
}

static void expect_conversation(void)
{
    mp_process_options_t options = {.input = {MP_STDIO_PIPE, NULL}, .output = {MP_STDIO_PIPE, NULL}};
    char line[20] = "";
    size_t size = sizeof line;
    mp_process_t *process = start(echo_lines, mp_args(), &options);
    EXPECT_STATUS(mp_process_read(process, MP_STDOUT, line, &size, 0), MP_TIMEOUT);
    EXPECT_OK(mp_process_write(process, "one\n", 4, NULL, mp_test_patience()));
    EXPECT_OK(mp_process_read(process, MP_STDOUT, line, &size, mp_test_patience()));
    CU_ASSERT(size >= 4 && memcmp(line, "one", 3) == 0);
    EXPECT_OK(mp_process_write(process, "", 0, NULL, mp_test_patience()));
    EXPECT_OK(mp_process_close_stream(process, MP_STDIN));
    EXPECT_OK(mp_process_close_stream(process, MP_STDIN));
    EXPECT_STATUS(mp_process_write(process, "two\n", 4, NULL, mp_test_patience()), MP_INVALID);
    mp_test_expect_end(process, 3);
}

MP_CASE(a_conversation_over_pipes)
{
    mp_test_objects();
    mp_test_each_method(expect_conversation);
}

/* Reads nothing until it is told to, then all. */
static mp_status_t read_late(mp_call_t *call)
{
    mp_value_t value;
    MP_CHECK(mp_queue_get(mp_arg_queue(call, 0), &value, MP_FOREVER) == MP_OK);
    uint64_t count = 0;
    while (getchar() != EOF)
        count++;
    return mp_queue_put(mp_arg_queue(call, 1), count, 0);
}

static void expect_full_pipe(void)
{
    static char much[1 << 20];
    mp_process_options_t options = {.input = {MP_STDIO_PIPE, NULL}};
    mp_queue_t *go, *told;
    mp_value_t value;
    size_t first, second = 1, third;
    uint64_t count = 0;
    memset(much, 'x', sizeof much);
    REQUIRE_OK(mp_queue_create(&go, 0));
    REQUIRE_OK(mp_queue_create(&told, 0));
    mp_process_t *process = start(read_late, mp_args(go, told), &options);
    EXPECT_OK(mp_process_write(process, much, 100, &first, 0)); /* there is room */
    CU_ASSERT_EQUAL(first, 100);
    double began = mp_now();
    EXPECT_STATUS(mp_process_write(process, much, sizeof much, &first, 0.2), MP_TIMEOUT);
    EXPECT_TOOK(began, 0.2);
    CU_ASSERT(first > 0 && first < sizeof much);
    EXPECT_STATUS(mp_process_write(process, much, 10000, &second, 0), MP_TIMEOUT);
    CU_ASSERT(second < 10000);
    EXPECT_OK(mp_queue_put(go, 1, 0));
    EXPECT_OK(mp_process_write(process, much, sizeof much, &third, mp_test_patience()));
    CU_ASSERT_EQUAL(third, sizeof much);
    EXPECT_OK(mp_process_close_stream(process, MP_STDIN));
    EXPECT_OK(mp_queue_get(told, &value, mp_test_patience()));
    EXPECT_OK(mp_value_as_uint(value, &count));
    CU_ASSERT_EQUAL(count, 100 + first + second + third);
    mp_test_expect_end(process, 0);
    EXPECT_OK(mp_queue_close(go));
    EXPECT_OK(mp_queue_close(told));
}

MP_CASE(a_child_that_does_not_read_makes_a_write_time_out)
{
    mp_test_objects();
    mp_test_each_method(expect_full_pipe);
}

static void read_in_vain(void *process)
{
    char byte;
    size_t size = 1;
    EXPECT_STATUS(mp_process_read(process, MP_STDOUT, &byte, &size, 0.2), MP_TIMEOUT);
}

/* It is closed when the call that reads by it has returned; for later ones at once. */
MP_CASE(a_stream_is_closed_beside_who_reads_it)
{
    static mp_test_thread_t thread;
    mp_process_options_t options = {.input = {MP_STDIO_PIPE, NULL}, .output = {MP_STDIO_PIPE, NULL}};
    char byte;
    size_t size = 1;
    intptr_t descriptor;
    mp_test_objects();
    mp_process_t *process = start(echo_lines, mp_args(), &options);
    const mp__streams_t *streams = mp__process_streams(process);
    mp_test_thread_start(&thread, read_in_vain, process);
    while (!*(const volatile uint32_t *)&streams->users[MP_STDOUT])
        mp_sleep(0.001);
    EXPECT_OK(mp_process_close_stream(process, MP_STDOUT));
    CU_ASSERT_NOT_EQUAL(streams->ends[MP_STDOUT], MP__NO_HANDLE);
    EXPECT_STATUS(mp_process_read(process, MP_STDOUT, &byte, &size, 0), MP_INVALID);
    EXPECT_STATUS(mp_process_stream(process, MP_STDOUT, &descriptor), MP_INVALID);
    mp_test_thread_join(&thread);
    CU_ASSERT_EQUAL(streams->ends[MP_STDOUT], MP__NO_HANDLE);
    EXPECT_OK(mp_process_close_stream(process, MP_STDIN));
    mp_test_expect_end(process, 3);
}

/* Nobody can ever use them. */
MP_CASE(who_is_started_by_nobody_has_closed_pipes)
{
    mp_process_options_t options = {.input = {MP_STDIO_PIPE, NULL}};
    mp_queue_t *queue;
    mp_value_t value;
    mp_test_objects();
    REQUIRE_OK(mp_queue_create(&queue, 0));
    EXPECT_OK(mp_process_start_with(NULL, tell_end_of_input, mp_args(queue), &options));
    EXPECT_OK(mp_queue_get(queue, &value, mp_test_patience()));
    EXPECT_OK(mp_queue_close(queue));
    mp_test_end_servers(); /* and who nobody holds */
}

static void expect_broken_pipe(void)
{
    static char much[1 << 20];
    mp_process_options_t options = {.input = {MP_STDIO_PIPE, NULL}};
    mp_process_t *process = start(nothing, mp_args(), &options);
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_STATUS(mp_process_write(process, much, sizeof much, NULL, mp_test_patience()), MP_END);
    mp_test_expect_end(process, 0);
}

MP_CASE(writing_to_a_child_that_has_ended_is_no_signal)
{
    mp_test_objects();
    mp_test_each_method(expect_broken_pipe);
}

static mp_status_t count_input(mp_call_t *call)
{
    int count = 0;
    while (getchar() != EOF)
        count++;
    return mp_exit(call, count);
}

static void expect_files(void)
{
    mp_process_options_t options = {.output = {MP_STDIO_FILE, file_path()}, .error = {MP_STDIO_NULL, NULL}};
    remove(file_path());
    bool posix = mp_test_is_posix();
    mp_test_expect_end(start(print_both, mp_args("long line"), &options), 0);
    mp_test_expect_end(start(print_both, mp_args("1"), &options), 0);
    expect_content(posix ? "out 1\n" : "out 1\r\n");
    options.output.kind = MP_STDIO_APPEND;
    options.error.kind = MP_STDIO_MERGED;
    mp_test_expect_end(start(print_both, mp_args("2"), &options), 0);
    expect_content(posix ? "out 1\nout 2\nerr 2\n" : "out 1\r\nout 2\r\nerr 2\r\n");
    options = (mp_process_options_t){.input = {MP_STDIO_FILE, file_path()}};
    mp_test_expect_end(start(count_input, mp_args(), &options), 18);
    remove(file_path());
}

MP_CASE(streams_are_files)
{
    mp_test_objects();
    mp_test_each_method(expect_files);
}

static void expect_streams_refused(void)
{
    mp_process_options_t options = {.output = {MP_STDIO_FILE, "there/is/no/such/directory/file"}};
    expect_refused(&options, nothing, MP_NOT_FOUND);
    expect_named("there/is/no/such/directory/file: ");
    options = (mp_process_options_t){.output = {MP_STDIO_FILE, mp_test_folder()}};
    expect_refused(&options, nothing, MP_DENIED);
    options = (mp_process_options_t){.input = {MP_STDIO_FILE, "there is no such file"}};
    expect_refused(&options, nothing, MP_NOT_FOUND);
    options = (mp_process_options_t){.output = {MP_STDIO_FILE, NULL}};
    expect_refused(&options, nothing, MP_INVALID);
    options = (mp_process_options_t){.output = {MP_STDIO_MERGED, NULL}};
    expect_refused(&options, nothing, MP_INVALID);
    options = (mp_process_options_t){.input = {MP_STDIO_APPEND, file_path()}};
    expect_refused(&options, nothing, MP_INVALID);
    options = (mp_process_options_t){.output = {MP_STDIO_PIPE, NULL}, .error = {(mp_stdio_kind_t)99, NULL}};
    expect_refused(&options, nothing, MP_INVALID);
}

MP_CASE(streams_that_cannot_be_had_say_why)
{
    mp_test_objects();
    mp_test_each_method(expect_streams_refused);
}

MP_CASE(what_is_no_pipe)
{
    mp_test_objects();
    char byte;
    size_t size = 1, none = 0;
    intptr_t descriptor;
    mp_process_options_t options = {.output = {MP_STDIO_PIPE, NULL}};
    mp_process_t *process = start(nothing, mp_args(), &options);
    EXPECT_STATUS(mp_process_read(process, MP_STDERR, &byte, &size, 0), MP_INVALID);
    EXPECT_STATUS(mp_process_read(process, MP_STDIN, &byte, &size, 0), MP_INVALID);
    EXPECT_STATUS(mp_process_read(process, MP_STDOUT, &byte, &none, 0), MP_INVALID);
    EXPECT_STATUS(mp_process_read(process, MP_STDOUT, &byte, &size, (double)NAN), MP_INVALID);
    EXPECT_STATUS(mp_process_read(NULL, MP_STDOUT, &byte, &size, 0), MP_INVALID);
    EXPECT_STATUS(mp_process_write(process, &byte, 1, NULL, mp_test_patience()), MP_INVALID);
    EXPECT_STATUS(mp_process_write(process, &byte, 1, &none, (double)NAN), MP_INVALID);
    EXPECT_STATUS(mp_process_write(mp_current_process(), &byte, 1, NULL, mp_test_patience()), MP_INVALID);
    EXPECT_STATUS(mp_process_close_stream(process, MP_STDIN), MP_INVALID);
    EXPECT_STATUS(mp_process_close_stream(process, (mp_stream_t)7), MP_INVALID);
    EXPECT_STATUS(mp_process_stream(process, MP_STDERR, &descriptor), MP_INVALID);
    EXPECT_STATUS(mp_process_stream(process, MP_STDOUT, NULL), MP_INVALID);
    EXPECT_OK(mp_process_stream(process, MP_STDOUT, &descriptor));
    bool ready;
    if (mp_test_is_posix())
        EXPECT_OK(mp__os_wait_any(&descriptor, 1, mp_test_deadline(MP_TEST_PATIENCE), &ready));
    mp_test_expect_end(process, 0);
}

/* ---- processors and priority ---- */

static mp_status_t tell_processors(mp_call_t *call)
{
    return mp_exit(call, mp_cpu_count());
}

static void expect_one_processor(void)
{
    static const int processors[] = {0};
    mp_process_options_t options = {.processors = processors, .processor_count = 1};
    if (!mp__os_caps()->affinity) {
        expect_refused(&options, nothing, MP_UNSUPPORTED);
        return;
    }
    mp_test_expect_end(start(tell_processors, mp_args(), &options), 1);
}

MP_CASE(a_child_runs_on_the_processors_it_was_given)
{
    static const int wrong[] = {-1}, far[] = {1024}, none_here[] = {1023};
    mp_test_objects();
    mp_test_each_method(expect_one_processor);
    if (!mp__os_caps()->affinity)
        return;
    expect_refused(&(mp_process_options_t){.processors = wrong, .processor_count = 1}, nothing, MP_INVALID);
    expect_refused(&(mp_process_options_t){.processors = far, .processor_count = 1}, nothing, MP_INVALID);
    expect_refused(&(mp_process_options_t){.processors = none_here, .processor_count = 1}, nothing, MP_INVALID);
    expect_refused(&(mp_process_options_t){.processors = wrong}, nothing, MP_INVALID);
}

static mp_status_t tell_priority(mp_call_t *call)
{
    return mp_exit(call, mp_test_priority());
}

static void expect_priority(void)
{
    mp_process_options_t options = {.priority = 7};
    mp_test_expect_end(start(tell_priority, mp_args(), &options), mp_test_is_posix() ? 7 : 0x4000);
    options.priority = 19;
    mp_test_expect_end(start(tell_priority, mp_args(), &options), mp_test_is_posix() ? 19 : 0x40);
}

MP_CASE(a_child_has_the_priority_it_was_given)
{
    mp_test_objects();
    mp_test_each_method(expect_priority);
    expect_refused(&(mp_process_options_t){.priority = 20}, nothing, MP_INVALID);
    expect_refused(&(mp_process_options_t){.priority = -21}, nothing, MP_INVALID);
}

/* ---- another image, and options of another size ---- */

static mp_status_t tell_seven(mp_call_t *call)
{
    return mp_exit(call, 7);
}

MP_CASE(an_executable_is_started_instead)
{
    mp_test_objects();
    mp_process_options_t options = {.method = MP_START_SPAWN, .executable = mp_test_program()};
    mp_test_expect_end(start(tell_seven, mp_args(), &options), 7);
    options.executable = "/there/is/no/such/program";
    expect_refused(&options, nothing, MP_NOT_FOUND);
    options = (mp_process_options_t){.method = MP_START_FORK, .executable = mp_test_program()};
    expect_refused(&options, nothing, MP_UNSUPPORTED);
}

/* A program that was compiled when the options were fewer. */
MP_CASE(options_of_an_older_header_are_taken)
{
    mp_test_objects();
    mp_process_t *process;
    mp_process_options_t options;
    memset(&options, 0xff, sizeof options);
    options.name = "Old";
    options.method = MP_START_SPAWN;
    REQUIRE_OK(
        mp__process_start(&process, nothing, mp_args(), &options, offsetof(mp_process_options_t, start_timeout)));
    CU_ASSERT_STRING_EQUAL(mp_process_name(process), "Old");
    mp_test_expect_end(process, 0);
}

MP_GUARDED_CASES(MP_ROW(a_childs_environment_is_the_parents_with_changes), MP_ROW(an_environment_entry_needs_a_name),
                 MP_ROW(a_long_name_is_cut), MP_ROW(options_that_make_no_sense),
                 MP_ROW(a_child_begins_in_its_directory),
                 MP_ROW(a_directory_that_is_not_there_is_an_error_of_the_start),
                 MP_ROW(output_and_error_come_through_pipes), MP_ROW(output_and_error_are_the_parents_by_default),
                 MP_SUB(prints_through_children), MP_ROW(a_conversation_over_pipes),
                 MP_ROW(writing_to_a_child_that_has_ended_is_no_signal), MP_ROW(streams_are_files),
                 MP_ROW(streams_that_cannot_be_had_say_why), MP_ROW(a_child_that_does_not_read_makes_a_write_time_out),
                 MP_ROW(a_stream_is_closed_beside_who_reads_it), MP_ROW(who_is_started_by_nobody_has_closed_pipes),
                 MP_ROW(what_is_no_pipe), MP_ROW(a_child_runs_on_the_processors_it_was_given),
                 MP_ROW(a_child_has_the_priority_it_was_given), MP_ROW(an_executable_is_started_instead),
                 MP_ROW(options_of_an_older_header_are_taken));
