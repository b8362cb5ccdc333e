/* Floating numbers as Python shows them: the fewest digits that read back as the same number. */
#include "wire/real.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 17                 /* enough for every double */
#define ROOM       (MP__REAL_MAX - 1) /* behind a sign */

/* A number in decimal: 0.d1d2d3... times 10 to the point. */
typedef struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    int point;
} decimal_t;

/* x (finite, > 0) rounded to so many digits. The C library writes the program's locale's point, which is stepped over.
 */
static void round_to(double x, int count, decimal_t *d)
{
    char text[64];
    const char *p = text;
    snprintf(text, sizeof text, "%.*e", count - 1, x);
    d->count = 0;
    for (; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            d->digits[d->count++] = *p;
    d->point = (int)strtol(p + 1, NULL, 10) + 1;
}

static bool reads_as(const decimal_t *d, double x)
{
    char text[64];
    snprintf(text, sizeof text, "%.*se%d", d->count, d->digits, d->point - d->count);
    return strtod(text, NULL) == x;
}

/* One more in the last digit. */
static void step_up(decimal_t *d)
{
    int i = d->count - 1;
    while (i >= 0 && d->digits[i] == '9')
        d->digits[i--] = '0';
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1';
        d->point++;
    }
}

/* Below a power of two the doubles lie twice as dense as above it. So the nearest decimal may be one below that reads
 * back as another number, while the next one above reads back. */
static bool try_digits(double x, int count, decimal_t *d)
{
    int exponent;
    round_to(x, count, d);
    if (reads_as(d, x))
        return true;
    if (frexp(x, &exponent) != 0.5)
        return false;
    step_up(d);
    return reads_as(d, x);
}

static void shortest(double x, decimal_t *d)
{
    /* If 15 digits are enough, they are the shortest ones and zeros; but denormal numbers hold less. */
    int count = x < DBL_MIN ? 1 : DBL_DIG;
    while (count < DIGITS_MAX && !try_digits(x, count, d))
        count++;
    if (count == DIGITS_MAX)
        round_to(x, DIGITS_MAX, d);
    while (d->count > 1 && d->digits[d->count - 1] == '0')
        d->count--;
}

/* 1.5e-07, 1e+16 */
static void write_scientific(const decimal_t *d, char *text)
{
    int n = snprintf(text, ROOM, "%c%s%.*s", d->digits[0], d->count > 1 ? "." : "", d->count - 1, d->digits + 1);
    snprintf(text + n, (size_t)(ROOM - n), "e%c%02d", d->point > 0 ? '+' : '-', abs(d->point - 1));
}

/* 0.00015, 1.5, 1500.0 */
static void write_plain(const decimal_t *d, char *text)
{
    static const char zeros[] = "0000000000000000";
    if (d->point <= 0)
        snprintf(text, ROOM, "0.%.*s%.*s", -d->point, zeros, d->count, d->digits);
    else if (d->point >= d->count)
        snprintf(text, ROOM, "%.*s%.*s.0", d->count, d->digits, d->point - d->count, zeros);
    else
        snprintf(text, ROOM, "%.*s.%.*s", d->point, d->digits, d->count - d->point, d->digits + d->point);
}

void mp__real_text(double x, char text[MP__REAL_MAX])
{
    decimal_t d;
    if (x != x) {
        strcpy(text, "nan");
        return;
    }
    if (copysign(1, x) < 0) {
        *text++ = '-';
        x = -x;
    }
    if (x > DBL_MAX) {
        strcpy(text, "inf");
    } else if (x == 0) {
        strcpy(text, "0.0");
    } else {
        shortest(x, &d);
        if (d.point > -4 && d.point <= 16)
            write_plain(&d, text);
        else
            write_scientific(&d, text);
    }
}
