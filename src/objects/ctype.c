/* C types: their sizes, and what numbers they hold. */
#include "objects/ctype.h"

#include "core/compiler.h"

static const struct {
    mp_ctype_t type;
    uint8_t size;
    mp__number_t number;
    const char *name;
} types[] = {
    {MP_CTYPE_CHAR, sizeof(char), MP__NUMBER_UNSIGNED, "char"},
    {MP_CTYPE_INT8, sizeof(signed char), MP__NUMBER_SIGNED, "signed char"},
    {MP_CTYPE_UINT8, sizeof(unsigned char), MP__NUMBER_UNSIGNED, "unsigned char"},
    {MP_CTYPE_INT16, sizeof(short), MP__NUMBER_SIGNED, "short"},
    {MP_CTYPE_UINT16, sizeof(unsigned short), MP__NUMBER_UNSIGNED, "unsigned short"},
    {MP_CTYPE_INT32, sizeof(int), MP__NUMBER_SIGNED, "int"},
    {MP_CTYPE_UINT32, sizeof(unsigned), MP__NUMBER_UNSIGNED, "unsigned"},
    {MP_CTYPE_LONG, sizeof(long), MP__NUMBER_SIGNED, "long"},
    {MP_CTYPE_ULONG, sizeof(unsigned long), MP__NUMBER_UNSIGNED, "unsigned long"},
    {MP_CTYPE_INT64, sizeof(long long), MP__NUMBER_SIGNED, "long long"},
    {MP_CTYPE_UINT64, sizeof(unsigned long long), MP__NUMBER_UNSIGNED, "unsigned long long"},
    {MP_CTYPE_FLOAT, sizeof(float), MP__NUMBER_REAL, "float"},
    {MP_CTYPE_DOUBLE, sizeof(double), MP__NUMBER_REAL, "double"},
    {MP_CTYPE_BOOL, sizeof(bool), MP__NUMBER_BOOL, "bool"},
};

static size_t row_of(mp_ctype_t type)
{
    size_t i = 0;
    while (i < MP__COUNT_OF(types) && types[i].type != type)
        i++;
    return i;
}

size_t mp_ctype_size(mp_ctype_t type)
{
    size_t row = row_of(type);
    return row < MP__COUNT_OF(types) ? types[row].size : 0;
}

mp__number_t mp__ctype_number(mp_ctype_t type)
{
    size_t row = row_of(type);
    return row < MP__COUNT_OF(types) ? types[row].number : MP__NUMBER_NONE;
}

const char *mp__ctype_name(mp_ctype_t type)
{
    size_t row = row_of(type);
    return row < MP__COUNT_OF(types) ? types[row].name : "type that does not exist";
}

uint64_t mp__ctype_cut(mp_ctype_t type, uint64_t bits)
{
    size_t size = mp_ctype_size(type);
    if (mp__ctype_number(type) == MP__NUMBER_BOOL)
        return bits != 0;
    if (size == 0 || size >= sizeof bits)
        return bits;
    uint64_t sign = UINT64_C(1) << (size * 8 - 1), low = bits & (2 * sign - 1);
    return mp__ctype_number(type) == MP__NUMBER_SIGNED ? (low ^ sign) - sign : low;
}
