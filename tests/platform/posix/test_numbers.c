/* Descriptors that a started program gets under other numbers than they have here. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNT 5

/* Pipes out of which always the same letter comes, each its own. */
typedef struct letters {
    int read[COUNT];
    int write[COUNT];
} letters_t;

static void open_letters(letters_t *letters)
{
    for (int i = 0; i < COUNT; i++) {
        int ends[2];
        MP_CHECK(pipe(ends) == 0);
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        letters->read[i] = ends[0];
        letters->write[i] = ends[1];
        for (int n = 0; n < 50; n++) {
            char letter = (char)('a' + i);
            MP_CHECK(write(ends[1], &letter, 1) == 1);
        }
    }
}

static void close_letters(const letters_t *letters)
{
    for (int i = 0; i < COUNT; i++) {
        close(letters->read[i]);
        close(letters->write[i]);
    }
}

static bool reads(int fd, char expected)
{
    char letter = '-';
    return read(fd, &letter, 1) == 1 && letter == expected;
}

static bool is_expected(int fd)
{
    for (size_t i = 0; i < mp_test_argument_count(); i++) {
        int number;
        if (sscanf(mp_test_argument(i), "%d", &number) == 1 && number == fd)
            return true;
    }
    return false;
}

/* Its arguments: "number letter" each. Its exit code: what else is open but for these and a sentinel. */
MP_PROGRAM(reads_letters)
{
    int others = 0;
    for (size_t i = 0; i < mp_test_argument_count(); i++) {
        int number = -1;
        char letter = '-';
        MP_CHECK(sscanf(mp_test_argument(i), "%d %c", &number, &letter) == 2);
        MP_CHECK(reads(number, letter));
    }
    for (int fd = STDERR_FILENO + 1; fd < 200; fd++)
        others += fcntl(fd, F_GETFD) >= 0 && !is_expected(fd);
    return others - (getenv("MP_SENTINEL") != NULL);
}

/* Number i there is number from[i] here. */
static void expect_passed(const int *numbers, const int *from, int count, const letters_t *letters)
{
    char words[COUNT][20];
    const char *arguments[COUNT + 3] = {mp_test_program(), "reads_letters"};
    mp__os_handle_t handles[COUNT], sources[COUNT];
    for (int i = 0; i < count; i++) {
        snprintf(words[i], sizeof words[i], "%d %c", numbers[i], 'a' + from[i]);
        arguments[i + 2] = words[i];
        handles[i] = numbers[i];
        sources[i] = letters->read[from[i]];
    }
    const mp__os_spawn_t spawn = {.path = mp_test_program(),
                                  .arguments = arguments,
                                  .handles = handles,
                                  .sources = sources,
                                  .handle_count = (size_t)count};
    mp__os_process_t process;
    REQUIRE_OK(mp__os_spawn(&spawn, &process));
    EXPECT_OK(mp__os_process_wait(&process, mp_test_deadline(30)));
    CU_ASSERT(process.exit.end == MP__OS_EXITED && process.exit.code == 0);
    mp__os_process_close(&process);
}

MP_CASE(numbers_may_be_those_of_others_here)
{
    letters_t letters;
    mp_test_warm_up();
    open_letters(&letters);
    const int *own = letters.read;
    const int high = letters.write[COUNT - 1] + 10;
    /* in a circle; two circles, and one that stays; one behind the other; one thing twice; all new */
    const int all[] = {own[0], own[1], own[2], own[3], own[4]}, chain[] = {high, own[0], own[1], own[2], high + 2},
              low[] = {3, 4, 5, 6, 7};
    expect_passed(all, (const int[]){1, 2, 3, 4, 0}, COUNT, &letters);
    expect_passed(all, (const int[]){1, 0, 2, 4, 3}, COUNT, &letters);
    expect_passed(chain, (const int[]){0, 1, 2, 3, 3}, COUNT, &letters);
    expect_passed(all, (const int[]){0, 0, 1, 1, 0}, COUNT, &letters);
    expect_passed(low, (const int[]){4, 3, 2, 1, 0}, COUNT, &letters);
    expect_passed(all, (const int[]){0, 1, 2, 3, 4}, COUNT, &letters);
    close_letters(&letters);
}

/* A standard one may be what others are here, and the other way round. */
MP_PROGRAM(swaps_its_standard_descriptors)
{
    letters_t letters;
    open_letters(&letters);
    dup2(letters.read[0], STDIN_FILENO);
    const mp__os_handle_t handles[] = {letters.read[1]}, sources[] = {STDIN_FILENO},
                          standard[] = {letters.read[1], STDERR_FILENO, STDERR_FILENO};
    char word[20];
    snprintf(word, sizeof word, "%d a", letters.read[1]);
    const char *arguments[] = {mp_test_program(), "reads_letters", "0 b", word, NULL};
    const mp__os_spawn_t spawn = {.path = mp_test_program(),
                                  .arguments = arguments,
                                  .handles = handles,
                                  .sources = sources,
                                  .handle_count = 1,
                                  .standard = standard};
    mp__os_process_t process;
    MP_CHECK(mp__os_spawn(&spawn, &process) == MP_OK);
    MP_CHECK(mp__os_process_wait(&process, mp_test_deadline(30)) == MP_OK);
    return process.exit.end == MP__OS_EXITED ? process.exit.code : 98;
}

MP_CASE(the_standard_descriptors_too)
{
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), "swaps_its_standard_descriptors", NULL, 0), 0);
}

MP_CASE(numbers_beyond_the_limit)
{
    letters_t letters;
    mp__os_process_t process;
    mp_test_warm_up();
    open_letters(&letters);
    const char *const arguments[] = {mp_test_program(), "-", NULL};
    const mp__os_handle_t handles[] = {3000}, sources[] = {letters.read[0]};
    const mp__os_spawn_t spawn = {
        .path = mp_test_program(), .arguments = arguments, .handles = handles, .sources = sources, .handle_count = 1};
    struct rlimit before, limit;
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = 256;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_STATUS(mp__os_spawn(&spawn, &process), MP_LIMIT);
    setrlimit(RLIMIT_NOFILE, &before);
    close_letters(&letters);
}

MP_CASES(MP_ROW(numbers_may_be_those_of_others_here), MP_ROW(the_standard_descriptors_too),
         MP_ROW(numbers_beyond_the_limit), MP_SUB(reads_letters), MP_SUB(swaps_its_standard_descriptors));
