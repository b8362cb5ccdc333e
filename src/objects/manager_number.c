/* Sums and order of numbers, as Python has them. */
#include "objects/manager_number.h"

#include "core/error.h"

#include <math.h>

bool mp__is_number(mp_value_t v)
{
    mp_kind_t kind = mp_value_kind(v);
    return kind >= MP_KIND_BOOL && kind <= MP_KIND_DOUBLE;
}

static bool is_double(mp_value_t v)
{
    return mp_value_kind(v) == MP_KIND_DOUBLE;
}

/* Negative numbers are ints, others are what a uint64_t holds. */
static bool is_negative(mp_value_t v)
{
    return mp_value_kind(v) == MP_KIND_INT && mp_value_int(v) < 0;
}

/* How far below zero a negative number is. */
static uint64_t depth(mp_value_t v)
{
    return ~(uint64_t)mp_value_int(v) + 1;
}

/* ---- sums */

static mp_status_t too_large(void)
{
    return mp__error(MP_VALUE, "add", "the sum is larger than any integer here");
}

/* a - b, of magnitudes. */
static mp_status_t difference(uint64_t a, uint64_t b, mp_value_t *sum)
{
    if (a < b && b - a > (uint64_t)INT64_MAX + 1)
        return too_large();
    *sum = a < b ? mp__of_int((int64_t)(a - b)) : mp__of_uint(a - b);
    return MP_OK;
}

static mp_status_t whole_sum(mp_value_t a, mp_value_t b, mp_value_t *sum)
{
    if (is_negative(a) && is_negative(b))
        return depth(a) > (uint64_t)INT64_MAX + 1 - depth(b) ? too_large() : difference(0, depth(a) + depth(b), sum);
    if (is_negative(a))
        return difference(mp_value_uint(b), depth(a), sum);
    if (is_negative(b))
        return difference(mp_value_uint(a), depth(b), sum);
    if (mp_value_uint(a) > UINT64_MAX - mp_value_uint(b))
        return too_large();
    *sum = mp__of_uint(mp_value_uint(a) + mp_value_uint(b));
    return MP_OK;
}

mp_status_t mp__number_sum(mp_value_t a, mp_value_t b, mp_value_t *sum)
{
    if (!mp__is_number(a) || !mp__is_number(b))
        return mp__error(MP_TYPE, "add", "unsupported operand types for +: '%s' and '%s'",
                         mp_kind_name(mp_value_kind(a)), mp_kind_name(mp_value_kind(b)));
    if (!is_double(a) && !is_double(b))
        return whole_sum(a, b, sum);
    *sum = mp__of_double(mp_value_double(a) + mp_value_double(b));
    return MP_OK;
}

/* ---- order */

static int sign(bool less, bool more)
{
    return more - less;
}

static int compare_whole(mp_value_t a, mp_value_t b)
{
    if (is_negative(a) || is_negative(b))
        return is_negative(a) && is_negative(b)
                   ? sign(mp_value_int(a) < mp_value_int(b), mp_value_int(a) > mp_value_int(b))
                   : sign(is_negative(a), is_negative(b));
    return sign(mp_value_uint(a) < mp_value_uint(b), mp_value_uint(a) > mp_value_uint(b));
}

/* A whole number and a double, without rounding the former. */
static int compare_mixed(mp_value_t whole, double real)
{
    if (real != real || real >= 18446744073709551616.0)
        return -1;
    if (real < -9223372036854775808.0)
        return 1;
    double below = floor(real);
    int order = compare_whole(whole, below < 0 ? mp__of_int((int64_t)below) : mp__of_uint((uint64_t)below));
    return order == 0 && real > below ? -1 : order;
}

static int compare_doubles(double a, double b)
{
    if (a != a || b != b)
        return sign(a == a, b == b);
    return sign(b > a, a > b);
}

int mp__number_compare(mp_value_t a, mp_value_t b)
{
    if (is_double(a) && is_double(b))
        return compare_doubles(mp_value_double(a), mp_value_double(b));
    if (is_double(b))
        return compare_mixed(a, mp_value_double(b));
    return is_double(a) ? -compare_mixed(b, mp_value_double(a)) : compare_whole(a, b);
}
