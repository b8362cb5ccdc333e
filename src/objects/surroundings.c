/* The differences between two moments' directory and environment. */
#include "objects/surroundings.h"

#include "core/error.h"
#include "core/local.h"
#include "core/variable.h"

#include <apr_file_info.h>
#include <stdlib.h>
#include <string.h>

static const char step[] = "note the directory and the environment";

/* This process's current directory, of malloc; NULL: nobody knows. */
static char *current_directory(void)
{
    apr_pool_t *pool;
    char *path;
    if (mp__local_pool(&pool) != MP_OK)
        return NULL;
    char *copy = apr_filepath_get(&path, APR_FILEPATH_NATIVE, pool) == APR_SUCCESS ? strdup(path) : NULL;
    apr_pool_destroy(pool);
    return copy;
}

void mp__surroundings_forget(mp__surroundings_t *noted)
{
    for (size_t i = 0; i < noted->variables; i++)
        free(noted->environment[i]);
    free(noted->environment);
    free(noted->directory);
    *noted = (mp__surroundings_t){0};
}

mp_status_t mp__surroundings_note(mp__surroundings_t *noted)
{
    const char *const *list = mp__os_environment();
    size_t n = 0;
    while (list && list[n])
        n++;
    mp__surroundings_forget(noted);
    noted->directory = current_directory();
    noted->environment = calloc(n + 1, sizeof *noted->environment);
    for (; noted->environment && noted->variables < n; noted->variables++)
        if (!(noted->environment[noted->variables] = strdup(list[noted->variables])))
            break;
    return noted->environment && noted->variables == n ? MP_OK : mp__error(MP_NO_MEMORY, step, "no memory");
}

bool mp__has_variable(const char *const *list, const char *variable)
{
    for (size_t i = 0; list && list[i]; i++)
        if (mp__same_variable(list[i], variable))
            return true;
    return false;
}

static bool has_entry(const char *const *list, const char *entry)
{
    for (size_t i = 0; list && list[i]; i++)
        if (strcmp(list[i], entry) == 0)
            return true;
    return false;
}

/* Nearly always all is as it was, and in the same order. */
static bool same_environment(const mp__surroundings_t *noted, const char *const *now)
{
    size_t n = 0;
    for (; now && now[n]; n++)
        if (n == noted->variables || strcmp(now[n], noted->environment[n]) != 0)
            return false;
    return n == noted->variables;
}

/* What was added or changed since, and what was taken out. */
static mp_status_t add_environment(const mp__surroundings_t *noted, mp__buffer_t *texts, uint32_t *count)
{
    const char *const *now = mp__os_environment();
    const char *const *then = (const char *const *)noted->environment;
    mp_status_t status = MP_OK;
    if (same_environment(noted, now))
        return MP_OK;
    for (size_t i = 0; now && now[i] && status == MP_OK; i++)
        if (strchr(now[i], '=') && !has_entry(then, now[i])) {
            status = mp__texts_add(texts, now[i], strlen(now[i]));
            ++*count;
        }
    for (size_t i = 0; i < noted->variables && status == MP_OK; i++)
        if (strchr(then[i], '=') && !mp__has_variable(now, then[i])) {
            status = mp__texts_add(texts, then[i], strcspn(then[i], "="));
            ++*count;
        }
    return status;
}

/* The directory that the child has to go to, if it is another than the noted one. */
static mp_status_t add_directory(const mp__surroundings_t *noted, const char *wanted, mp__buffer_t *texts, bool *added)
{
    char *now = current_directory();
    bool same = now && noted->directory && strcmp(now, noted->directory) == 0;
    mp_status_t status = MP_OK;
    *added = wanted || (now && !same);
    if (wanted && wanted[0] != '/' && now && !same) { /* seen from here */
        status = mp__buffer_append(texts, now, strlen(now));
        if (status == MP_OK)
            status = mp__buffer_append(texts, "/", 1);
    }
    const char *directory = wanted ? wanted : now;
    if (status == MP_OK && *added)
        status = mp__texts_add(texts, directory, strlen(directory));
    free(now);
    return status;
}

mp_status_t mp__surroundings_outfit(const mp__surroundings_t *noted, const mp__outfit_t *outfit,
                                    mp__settings_t *settings, mp__buffer_t *texts)
{
    const char *own = (const char *)outfit->texts.data;
    const char *wanted = outfit->settings.has_directory ? own : NULL;
    size_t skipped = wanted ? strlen(wanted) + 1 : 0;
    bool has_directory;
    *settings = outfit->settings;
    mp_status_t status = add_directory(noted, wanted, texts, &has_directory);
    settings->has_directory = has_directory;
    if (status == MP_OK)
        status = add_environment(noted, texts, &settings->variables);
    if (status == MP_OK && outfit->texts.size > skipped)
        status = mp__buffer_append(texts, own + skipped, outfit->texts.size - skipped);
    settings->text_size = (uint32_t)texts->size;
    return texts->size <= UINT32_MAX ? status : mp__error(MP_TOO_LARGE, step, "its environment is larger than 4 GiB");
}
