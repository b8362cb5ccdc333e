/* The environment block of a child: this process's own with entries replaced, added or taken out. */
#include "win32.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

static const char step[] = "make the child's environment";

/* The characters of an entry's name. A '=' in front belongs to it: the shell's current directories are called "=C:". */
static int name_length(const wchar_t *entry)
{
    const wchar_t *end = entry[0] ? wcschr(entry + 1, L'=') : NULL;
    return end ? (int)(end - entry) : (int)wcslen(entry);
}

/* Names are equal whatever their case; the block is to be sorted so. */
static int compare(const wchar_t *a, const wchar_t *b)
{
    return CompareStringOrdinal(a, name_length(a), b, name_length(b), TRUE) - CSTR_EQUAL;
}

static int compare_entries(const void *a, const void *b)
{
    return compare(*(const wchar_t *const *)a, *(const wchar_t *const *)b);
}

static size_t count_entries(const wchar_t *block)
{
    size_t count = 0;
    for (; *block; block += wcslen(block) + 1)
        count++;
    return count;
}

/* Puts an entry into the list, in the place of one with the same name; one without a value only takes that out. */
static void put(const wchar_t **entries, size_t *count, const wchar_t *entry)
{
    for (size_t i = 0; i < *count; i++)
        if (compare(entries[i], entry) == 0)
            entries[i--] = entries[--*count];
    if (entry[name_length(entry)])
        entries[(*count)++] = entry;
}

/* The additions in UTF-16. */
static mp_status_t widen(const char *const *additions, size_t count, wchar_t **wide)
{
    for (size_t i = 0; i < count; i++) {
        if (additions[i][0] == '=' || additions[i][0] == '\0')
            return mp__error(MP_INVALID, step, "\"%s\" has no name", additions[i]);
        wide[i] = mp__win_wide(additions[i]);
        if (!wide[i])
            return mp__win_failure(step);
    }
    return MP_OK;
}

static wchar_t *join(const wchar_t *const *entries, size_t count)
{
    size_t size = 2; /* an empty block, too, ends with two zeros */
    for (size_t i = 0; i < count; i++)
        size += wcslen(entries[i]) + 1;
    wchar_t *block = calloc(size, sizeof *block);
    wchar_t *out = block;
    for (size_t i = 0; block && i < count; i++) {
        size_t length = wcslen(entries[i]) + 1;
        memcpy(out, entries[i], length * sizeof *out);
        out += length;
    }
    return block;
}

static mp_status_t merge(const wchar_t *own, wchar_t *const *additions, size_t count, wchar_t **block)
{
    size_t total = 0;
    const wchar_t **entries = malloc((count_entries(own) + count + 1) * sizeof *entries);
    *block = NULL;
    if (entries) {
        for (const wchar_t *entry = own; *entry; entry += wcslen(entry) + 1)
            entries[total++] = entry;
        for (size_t i = 0; i < count; i++)
            put(entries, &total, additions[i]);
        qsort(entries, total, sizeof *entries, compare_entries);
        *block = join(entries, total);
        free(entries);
    }
    return *block ? MP_OK : mp__error(MP_NO_MEMORY, step, "no memory");
}

mp_status_t mp__win_environment(const char *const *additions, wchar_t **block)
{
    size_t count = 0;
    while (additions && additions[count])
        count++;
    wchar_t **wide = calloc(count + 1, sizeof *wide);
    wchar_t *own = GetEnvironmentStringsW();
    mp_status_t status = MP_OK;
    if (!wide || !own)
        status = mp__error(MP_NO_MEMORY, step, "no memory");
    if (!status)
        status = widen(additions, count, wide);
    if (!status)
        status = merge(own, wide, count, block);
    for (size_t i = 0; wide && i < count; i++)
        free(wide[i]);
    free(wide);
    if (own)
        FreeEnvironmentStringsW(own);
    return status;
}
