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

#define HIGH_BITS UINT64_C(0x8080808080808080)

static uint64_t load_eight(const uint8_t *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

static uint32_t load_four(const uint8_t *text)
{
    uint32_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

/* Most text is ASCII. The last words overlap those before. */
static bool is_ascii(const uint8_t *text, size_t n)
{
    if (n >= 8) {
        for (size_t i = 0; i + 8 < n; i += 8)
            if (load_eight(text + i) & HIGH_BITS)
                return false;
        return !(load_eight(text + n - 8) & HIGH_BITS);
    }
    if (n >= 4)
        return !((load_four(text) | load_four(text + n - 4)) & (uint32_t)HIGH_BITS);
    return n == 0 || (text[0] | text[n / 2] | text[n - 1]) < 0x80;
}

bool mp__utf8_is_valid(const uint8_t *text, size_t n)
{
    if (is_ascii(text, n))
        return true;
    for (size_t i = 0; i < n;) {
        if (n - i >= 8 && !(load_eight(text + i) & HIGH_BITS)) {
            i += 8;
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
