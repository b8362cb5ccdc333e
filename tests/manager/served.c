#include "served.h"

#include "family/alloc.h"

#include <stdio.h>

static size_t blocks(void)
{
    return (size_t)mp__blocks_in_use();
}

mp_manager_t *mp_test_manager(void)
{
    mp_manager_t *manager;
    REQUIRE_OK(mp_manager_start(&manager));
    REQUIRE_OK(mp_manager_shutdown(manager));
    mp_test_arena_blocks = blocks;
    mp_test_baseline();
    REQUIRE_OK(mp_manager_start(&manager));
    return manager;
}

void mp_test_shown(char *repr, const char *text, const char *what, const char *file, int line)
{
    char message[1000];
    const char *shown = repr ? repr : mp_error()->text;
    snprintf(message, sizeof message, "%s shows as %s, not as %s", what, shown, text);
    CU_assertImplementation(repr && strcmp(repr, text) == 0, (unsigned)line, message, file, "", CU_FALSE);
    mp_free(repr);
}
