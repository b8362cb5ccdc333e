/* UTF-8, which the library speaks, and UTF-16, which the system speaks. */
#include "win32.h"

#include <limits.h>
#include <stdlib.h>

wchar_t *mp__win_wide(const char *text)
{
    int count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    if (count == 0)
        return NULL;
    wchar_t *wide = malloc((size_t)count * sizeof *wide);
    if (!wide) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, count);
    return wide;
}

bool mp__win_narrow(const wchar_t *wide, char *text, size_t size)
{
    int room = size > INT_MAX ? INT_MAX : (int)size;
    return WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, text, room, NULL, NULL) != 0;
}
