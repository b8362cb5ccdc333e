/* Sub-programs as child processes. Their command line: NAME talk-handle number-of-handles handle... word... */
#include "child.h"

#include "harness.h"
#include "system.h"

#include "core/compiler.h"
#include "objects/forkserver.h"
#include "objects/process.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_HANDLES   128
#define MOST_ARGUMENTS (MOST_HANDLES + 16)
#define PATIENCE       30.0

typedef struct command {
    const char *arguments[MOST_ARGUMENTS];
    char numbers[MOST_HANDLES + 2][24];
    size_t argument_count;
    size_t number_count;
} command_t;

static void add_word(command_t *command, const char *word)
{
    command->arguments[command->argument_count++] = word;
    command->arguments[command->argument_count] = NULL;
}

static void add_number(command_t *command, intptr_t number)
{
    char *text = command->numbers[command->number_count++];
    snprintf(text, sizeof command->numbers[0], "%lld", (long long)number);
    add_word(command, text);
}

void mp_test_start(mp_test_child_t *child, const char *program, const mp__os_handle_t *handles, size_t handle_count,
                   const char *const *arguments)
{
    mp__os_handle_t ends[2];
    mp__os_handle_t given[MOST_HANDLES + 1];
    command_t command = {.argument_count = 0};

    REQUIRE_OK(mp__os_channel_create(true, ends));
    add_word(&command, mp_test_program());
    add_word(&command, program);
    add_number(&command, ends[1]);
    add_number(&command, (intptr_t)handle_count);
    given[0] = ends[1];
    for (size_t i = 0; i < handle_count; i++) {
        add_number(&command, handles[i]);
        given[i + 1] = handles[i];
    }
    for (size_t i = 0; arguments && arguments[i]; i++)
        add_word(&command, arguments[i]);

    const mp__os_spawn_t spawn = {
        .path = mp_test_program(), .arguments = command.arguments, .handles = given, .handle_count = handle_count + 1};
    REQUIRE_OK(mp__os_spawn(&spawn, &child->process));
    mp__os_handle_close(ends[1]);
    child->talk = ends[0];
}

void mp_test_warm_up(void)
{
    mp__os_arena_t arena;
    mp__os_process_t process;
    const char *const arguments[] = {mp_test_program(), "-", NULL};
    const mp__os_spawn_t spawn = {.path = mp_test_program(), .arguments = arguments};

    REQUIRE_OK(mp__os_arena_create((size_t)1 << 16, &arena));
    REQUIRE_OK(mp__os_arena_commit(&arena, 0, 4096));
    REQUIRE_OK(mp__os_arena_expose(&arena, 0, 4096));
    mp__os_bell_t *bell = (mp__os_bell_t *)(void *)arena.base;
    REQUIRE_OK(mp__os_bell_init(bell));
    mp__os_bell_fini(bell);
    mp__os_arena_close(&arena);
    REQUIRE_OK(mp__os_spawn(&spawn, &process));
    REQUIRE_OK(mp__os_process_wait(&process, mp_test_deadline(PATIENCE)));
    mp__os_process_close(&process);
    mp_test_baseline();
}

bool mp_test_tell(mp__os_handle_t talk, char byte)
{
    return mp__os_channel_write(talk, &byte, 1) == MP_OK;
}

bool mp_test_hear(mp__os_handle_t talk, char byte)
{
    char heard;
    return mp__os_channel_poll(talk, mp_test_deadline(PATIENCE)) == MP_OK &&
           mp__os_channel_read(talk, &heard, 1) == MP_OK && heard == byte;
}

mp__os_exit_t mp_test_join(mp_test_child_t *child)
{
    EXPECT_OK(mp__os_process_wait(&child->process, mp_test_deadline(PATIENCE)));
    mp__os_exit_t end = child->process.exit;
    mp__os_process_close(&child->process);
    mp__os_handle_close(child->talk);
    return end;
}

void mp_test_kill(mp_test_child_t *child)
{
    EXPECT_OK(mp__os_process_signal(&child->process, true));
    mp_test_join(child);
}

static mp__os_handle_t adopt(const char *number)
{
    mp__os_handle_t handle = (mp__os_handle_t)strtoll(number, NULL, 10);
    MP_CHECK(mp__os_handle_adopt(handle) == MP_OK);
    return handle;
}

mp__os_handle_t mp_test_talk(void)
{
    static mp__os_handle_t talk = MP__NO_HANDLE;
    if (talk == MP__NO_HANDLE)
        talk = adopt(mp_test_argument(0));
    return talk;
}

mp__os_handle_t mp_test_handle(size_t index)
{
    return adopt(mp_test_argument(2 + index));
}

size_t mp_test_handle_count(void)
{
    return (size_t)strtoull(mp_test_argument(1), NULL, 10);
}

const char *mp_test_word(size_t index)
{
    return mp_test_argument(2 + mp_test_handle_count() + index);
}

mp__deadline_t mp_test_deadline(double seconds)
{
    return mp__os_now() + (int64_t)(mp_test_seconds(seconds) * (double)MP__SECOND);
}

void mp_test_end_servers(void)
{
    long pids[16];
    mp__deadline_t until = mp_test_deadline(10);
    mp__forkserver_stop();
    do {
        mp__processes_collect();
    } while (mp_test_children(pids, MP__COUNT_OF(pids)) > 0 && mp__os_now() < until);
}
