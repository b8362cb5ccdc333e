/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef MP_WIRE_UTF8_H
#define MP_WIRE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character that begins at text[0], of at most n (> 0) bytes: returns how many bytes it takes; 0: there is none. */
size_t mp__utf8_next(const uint8_t *text, size_t n, uint32_t *character);

bool mp__utf8_is_valid(const uint8_t *text, size_t n);

#endif
