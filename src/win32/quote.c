/* One command line from many arguments: the inverse of CommandLineToArgvW. */
#include "win32/quote.h"

#include <string.h>

const mp__win_quote_example_t mp__win_quote_examples[] = {
    /* clang-format off */
    {"plain",           "plain"},
    {"",                "\"\""},
    {"two words",       "\"two words\""},
    {"tab\there",       "\"tab\there\""},
    {"line\nbreak",     "\"line\nbreak\""},
    {"say \"hi\"",      "\"say \\\"hi\\\"\""},
    {"\"",              "\"\\\"\""},
    {"\"\"",            "\"\\\"\\\"\""},
    {"a\"b",            "\"a\\\"b\""},
    {"c:\\plain\\path", "c:\\plain\\path"},
    {"c:\\ends\\",      "c:\\ends\\"},
    {"c:\\two words\\", "\"c:\\two words\\\\\""},
    {"\\",              "\\"},
    {" \\",             "\" \\\\\""},
    {" \\\\",           "\" \\\\\\\\\""},
    {"a\\b c",          "\"a\\b c\""},
    {"\\\"",            "\"\\\\\\\"\""},
    {"\\\\\"",          "\"\\\\\\\\\\\"\""},
    {"a\\\\\"b c\\",    "\"a\\\\\\\\\\\"b c\\\\\""},
    {"%PATH% ^& |",     "\"%PATH% ^& |\""},
    {"*",               "\"*\""},
    {"?.c",             "\"?.c\""},
    {"[a]",             "\"[a]\""},
    {"'single'",        "'single'"},
    {"\xC3\xA9t\xC3\xA9", "\xC3\xA9t\xC3\xA9"},
    {NULL,              NULL},
    /* clang-format on */
};

size_t mp__win_quote_room(const char *argument)
{
    return 2 * strlen(argument) + 3;
}

/* Also where some C runtimes would put file names in the place of a pattern. */
static bool needs_quotes(const char *argument)
{
    return argument[0] == 0 || strpbrk(argument, " \t\n\v\"*?[") != NULL;
}

static char *put(char *out, char c, size_t count)
{
    memset(out, c, count);
    return out + count;
}

char *mp__win_quote(char *out, const char *argument)
{
    size_t size = strlen(argument);
    if (!needs_quotes(argument)) {
        memcpy(out, argument, size);
        return out + size;
    }
    /* Backslashes are read as themselves but before a '"', where two stand for one. */
    size_t backslashes = 0;
    *out++ = '"';
    for (const char *c = argument; *c; c++) {
        if (*c == '"')
            out = put(out, '\\', backslashes + 1);
        backslashes = *c == '\\' ? backslashes + 1 : 0;
        *out++ = *c;
    }
    out = put(out, '\\', backslashes);
    *out++ = '"';
    return out;
}

bool mp__win_quote_program(char **out, const char *name)
{
    if (strchr(name, '"'))
        return false;
    size_t size = strlen(name);
    **out = '"';
    memcpy(*out + 1, name, size);
    (*out)[size + 1] = '"';
    *out += size + 2;
    return true;
}
