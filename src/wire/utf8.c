/* UTF-8 as RFC 3629 has it. */
#include "wire/utf8.h"

#include <string.h>

size_t mp__utf8_next(const uint8_t *text, size_t n, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text[0];
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size == 0 || size > n)
        return 0;
    uint32_t c = size == 1 ? first : first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (text[i] & 0x3fu);
    }
    if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *character = c;
    return size;
}

bool mp__utf8_is_valid(const uint8_t *text, size_t n)
{
    size_t i = 0;
    while (i < n) {
        /* Most text is ASCII: eight bytes at a time. */
        uint64_t word;
        if (n - i >= sizeof word) {
            memcpy(&word, text + i, sizeof word);
            if ((word & 0x8080808080808080u) == 0) {
                i += sizeof word;
                continue;
            }
        }
        if (text[i] < 0x80) {
            i++;
            continue;
        }
        uint32_t character;
        size_t size = mp__utf8_next(text + i, n - i, &character);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}
