/* This program, as Linux knows it. */
#include "posix/posix.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SELF "/proc/self/exe"

/* A child started from SELF would be called "exe" in lists of processes. Its first argument is its parent's: that
 * costs less than a look into /proc, which is made anew for each process. False: it was started otherwise. */
static bool restore_name(const char *argv0)
{
    char name[16] = "";
    if (pthread_getname_np(pthread_self(), name, sizeof name) != 0 || strcmp(name, "exe") != 0)
        return false;
    const char *slash = strrchr(argv0, '/');
    snprintf(name, sizeof name, "%.15s", slash ? slash + 1 : argv0);
    pthread_setname_np(pthread_self(), name);
    return true;
}

/* Not the file's own path: a running program whose file was replaced by a newer one still starts children of its own
 * build. */
int mp__posix_program_path(const char *argv0, char **path)
{
    char first;
    if (!restore_name(argv0) && readlink(SELF, &first, 1) < 0)
        return ENOSYS;
    *path = strdup(SELF);
    return *path ? 0 : ENOMEM;
}

/* By this process's number: what it has looked up in /proc before need not be looked up, and made, by the child. */
const char *mp__posix_program_image(const char *path, char *room, size_t size)
{
    if (strcmp(path, SELF) != 0)
        return path;
    snprintf(room, size, "/proc/%ld/exe", (long)getpid());
    return room;
}

/* All of a file of unknown size, ended by a 0 byte. */
static char *read_all(FILE *file, size_t *length)
{
    size_t room = 4096;
    char *text = malloc(room);
    *length = 0;
    while (text) {
        *length += fread(text + *length, 1, room - *length - 1, file);
        if (*length < room - 1)
            break;
        char *more = realloc(text, room *= 2);
        if (!more)
            free(text);
        text = more;
    }
    if (text)
        text[*length] = '\0';
    return text;
}

static char **split(char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        n += text[i] == '\0';
    char **words = calloc(n + 1, sizeof *words);
    for (size_t i = 0; words && i < n; i++) {
        words[i] = text;
        text += strlen(text) + 1;
    }
    return words;
}

int mp__posix_program_command(char ***argv)
{
    size_t length;
    FILE *file = fopen("/proc/self/cmdline", "re");
    if (!file)
        return ENOSYS;
    char *text = read_all(file, &length);
    fclose(file);
    char **words = text ? split(text, length) : NULL;
    *argv = words ? mp__posix_copy_arguments(words) : NULL;
    free(words);
    free(text);
    return *argv ? 0 : ENOMEM;
}
