/* Floating numbers as Python shows them: the fewest digits that read back as the same number, and of those the nearest.
 *
 * Steele's and White's way, with whole numbers of any size: exact on every system, which the C libraries' printf and
 * strtod are not, and without their locale. */
#include "wire/real.h"

#include <float.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 17                 /* enough for every double */
#define ROOM       (MP__REAL_MAX - 1) /* behind a sign */

/* ---- whole numbers of any size ---- */

/* The largest here has the bits of a mantissa and of 10 to the 324: less than 1152. */
#define LIMBS_MAX 40

typedef struct big {
    uint32_t limbs[LIMBS_MAX]; /* the least significant first */
    int count;                 /* without leading zeros */
} big_t;

static big_t big_of(uint64_t x)
{
    big_t b = {{(uint32_t)x, (uint32_t)(x >> 32)}, x > UINT32_MAX ? 2 : x > 0};
    return b;
}

static void multiply(big_t *b, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < b->count; i++) {
        carry += (uint64_t)b->limbs[i] * factor;
        b->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0)
        b->limbs[b->count++] = (uint32_t)carry;
}

static void multiply_by_power_of_10(big_t *b, int power)
{
    for (; power >= 9; power -= 9)
        multiply(b, 1000000000);
    for (; power > 0; power--)
        multiply(b, 10);
}

static void shift(big_t *b, int bits)
{
    for (; bits >= 31; bits -= 31)
        multiply(b, (uint32_t)1 << 31);
    multiply(b, (uint32_t)1 << bits);
}

static int compare(const big_t *a, const big_t *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--)
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    return 0;
}

static uint32_t limb(const big_t *b, int i)
{
    return i < b->count ? b->limbs[i] : 0;
}

static big_t sum(const big_t *a, const big_t *b)
{
    big_t out = {{0}, 0};
    uint64_t carry = 0;
    int longer = a->count > b->count ? a->count : b->count;
    while (out.count < longer || carry > 0) {
        carry += (uint64_t)limb(a, out.count) + limb(b, out.count);
        out.limbs[out.count++] = (uint32_t)carry;
        carry >>= 32;
    }
    return out;
}

/* a -= b, which is not larger. */
static void subtract(big_t *a, const big_t *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < a->count; i++) {
        uint64_t difference = (uint64_t)a->limbs[i] - limb(b, i) - borrow;
        a->limbs[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
    while (a->count > 0 && a->limbs[a->count - 1] == 0)
        a->count--;
}

/* ---- digits ---- */

/* A number in decimal: 0.d1d2d3... times 10 to the point. */
typedef struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    int point;
} decimal_t;

/* x = rest / unit; what lies nearer than below / unit and above / unit reads back as x, and what lies exactly there if
 * `even`. */
typedef struct interval {
    big_t rest, unit, below, above;
    bool even;
} interval_t;

/* x (finite, > 0) and the halves of the gaps to its neighbours. Returns a power of ten, x's own or the one before. */
static int begin(double x, interval_t *v)
{
    uint64_t bits, mantissa;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7ff);
    mantissa = bits & (((uint64_t)1 << 52) - 1);
    bool narrow = mantissa == 0 && exponent > 1; /* at a power of two the gap below is half the one above */
    if (exponent > 0)
        mantissa |= (uint64_t)1 << 52;
    else
        exponent = 1; /* denormal */
    exponent -= 1075;

    int up = exponent > 0 ? exponent : 0, down = exponent < 0 ? -exponent : 0;
    v->even = (mantissa & 1) == 0;
    v->rest = big_of(mantissa);
    v->unit = v->below = v->above = big_of(1);
    shift(&v->rest, up + 1 + narrow);
    shift(&v->unit, down + 1 + narrow);
    shift(&v->below, up);
    shift(&v->above, up + narrow);

    int length = 0;
    while (mantissa >> length > 0)
        length++;
    /* 1233 / 4096 is a little less than log10(2). Rounded down, also below zero. */
    int power = (exponent + length - 1) * 1233;
    return power >= 0 ? power / 4096 : -((4095 - power) / 4096);
}

static bool reaches_below(const interval_t *v)
{
    return compare(&v->rest, &v->below) < (v->even ? 1 : 0);
}

static bool reaches_above(const interval_t *v)
{
    big_t top = sum(&v->rest, &v->above);
    return compare(&top, &v->unit) > (v->even ? -1 : 0);
}

static void times_10(interval_t *v)
{
    multiply(&v->rest, 10);
    multiply(&v->below, 10);
    multiply(&v->above, 10);
}

/* The last digit: up if only that reads back, or if it is nearer (of two as near the even one). */
static int round_last(const interval_t *v, int digit)
{
    bool down = reaches_below(v), up = reaches_above(v);
    big_t twice = sum(&v->rest, &v->rest);
    int half = compare(&twice, &v->unit);
    if (down && up)
        return digit + (half > 0 || (half == 0 && digit % 2 == 1));
    return digit + up;
}

static void shortest(double x, decimal_t *d)
{
    interval_t v;
    d->point = begin(x, &v);
    d->count = 0;
    if (d->point >= 0) {
        multiply_by_power_of_10(&v.unit, d->point);
    } else {
        multiply_by_power_of_10(&v.rest, -d->point);
        multiply_by_power_of_10(&v.below, -d->point);
        multiply_by_power_of_10(&v.above, -d->point);
    }
    /* Now rest / unit is x over the power of ten: scaled so that 0.d1d2d3... remains. */
    while (reaches_above(&v)) {
        multiply(&v.unit, 10);
        d->point++;
    }
    for (;;) {
        int digit = 0;
        times_10(&v);
        for (; compare(&v.rest, &v.unit) >= 0; digit++)
            subtract(&v.rest, &v.unit);
        bool last = reaches_below(&v) || reaches_above(&v);
        if (last)
            digit = round_last(&v, digit);
        d->digits[d->count++] = (char)('0' + digit);
        if (last)
            return;
    }
}

/* ---- text ---- */

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
    if (x < 0 || (x == 0 && 1 / x < 0)) {
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
