/* Command lines: what is quoted is read again as it was, by the system's own reader. */
#include "harness.h"

#include "win32/quote.h"

#include <windows.h>

#include <shellapi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void quote(const char *argument, char *line)
{
    char *end = mp__win_quote(line, argument);
    *end = 0;
    CU_ASSERT((size_t)(end - line) + 1 <= mp__win_quote_room(argument));
}

/* Is a line read as these arguments? */
static bool reads_as(const char *line, const char *const *arguments, int count)
{
    wchar_t wide[2000];
    char text[500];
    int found;
    MP_CHECK(MultiByteToWideChar(CP_UTF8, 0, line, -1, wide, 2000) > 0);
    wchar_t **read = CommandLineToArgvW(wide, &found);
    MP_CHECK(read != NULL);
    bool same = found == count;
    for (int i = 0; same && i < count; i++) {
        MP_CHECK(WideCharToMultiByte(CP_UTF8, 0, read[i], -1, text, sizeof text, NULL, NULL) > 0);
        same = strcmp(text, arguments[i]) == 0;
    }
    LocalFree(read);
    if (!same)
        printf("%s is read as something else\n", line);
    return same;
}

/* The same after a program's name. */
static bool argument_survives(const char *argument)
{
    char line[500] = "x ";
    quote(argument, line + 2);
    return reads_as(line, (const char *const[]){"x", argument}, 2);
}

MP_CASE(examples)
{
    for (const mp__win_quote_example_t *example = mp__win_quote_examples; example->argument; example++) {
        char line[200];
        quote(example->argument, line);
        CU_ASSERT_STRING_EQUAL(line, example->quoted);
        CU_ASSERT(argument_survives(example->argument));
    }
}

/* Every text of up to six of the characters that matter. */
MP_CASE(all_short_texts_survive)
{
    static const char characters[] = "a \\\"";
    for (unsigned length = 0; length <= 6; length++)
        for (unsigned number = 0; number < 1u << 2 * length; number++) {
            char text[8] = "";
            for (unsigned i = 0; i < length; i++)
                text[i] = characters[number >> 2 * i & 3];
            CU_ASSERT_FATAL(argument_survives(text));
        }
}

MP_CASE(arguments_stay_apart)
{
    const char *arguments[100] = {"x"};
    char line[2000] = "x";
    char *end = line + 1;
    int count = 1;
    for (const mp__win_quote_example_t *example = mp__win_quote_examples; example->argument; example++) {
        *end++ = ' ';
        end = mp__win_quote(end, example->argument);
        arguments[count++] = example->argument;
    }
    *end = 0;
    CU_ASSERT(reads_as(line, arguments, count));
}

/* A program's name is read by other rules: a backslash is only itself. */
MP_CASE(names_of_programs)
{
    static const char *const names[] = {"x", "c:\\two words\\x.exe", "c:\\ends\\", "two words\\", "gr\xc3\xbc\xc3\x9f"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char line[200];
        char *end = line;
        CU_ASSERT_FATAL(mp__win_quote_program(&end, names[i]));
        strcpy(end, " \"b c\"");
        CU_ASSERT(reads_as(line, (const char *const[]){names[i], "b c"}, 2));
    }
}

MP_CASE(a_quote_in_a_programs_name_is_refused)
{
    char line[20];
    char *end = line;
    CU_ASSERT_FALSE(mp__win_quote_program(&end, "a\"b"));
    CU_ASSERT_PTR_EQUAL(end, line);
}

MP_CASES(MP_ROW(examples), MP_ROW(all_short_texts_survive), MP_ROW(arguments_stay_apart), MP_ROW(names_of_programs),
         MP_ROW(a_quote_in_a_programs_name_is_refused));
