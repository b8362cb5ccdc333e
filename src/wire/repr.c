/* Values as Python's repr() shows them. */
#include "wire/repr.h"

#include "wire/codec.h"
#include "wire/real.h"
#include "wire/utf8.h"
#include "wire/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mp_status_t (*mp__repr_proxy)(mp__handle_t *proxy, mp__buffer_t *out);

static mp_status_t add(mp__buffer_t *out, const char *text)
{
    return mp__buffer_append(out, text, strlen(text));
}

/* ---- text */

/* Characters that are never shown as they are, besides ASCII: controls, formats, separators, surrogates, private use,
 * non-characters. (Python escapes unassigned characters too; which ones are differs with its version.) */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x80, 0xa0},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
    {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x1680, 0x1680},   {0x180e, 0x180e},
    {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x206f},   {0x3000, 0x3000},   {0xd800, 0xf8ff},
    {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x13438}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0x40000, 0xe00ff}, {0xe01f0, 0x10ffff},
};

static bool is_printable(uint32_t c)
{
    if (c < 0x80)
        return c >= 0x20 && c != 0x7f;
    if ((c & 0xfffe) == 0xfffe)
        return false;
    for (size_t i = 0; i < MP__COUNT_OF(hidden) && hidden[i].first <= c; i++)
        if (c <= hidden[i].last)
            return false;
    return true;
}

/* The escape of a character, as Python writes it; bytes have two digits always. */
static mp_status_t add_escaped(mp__buffer_t *out, uint32_t c, bool as_bytes)
{
    char text[16];
    const char *format = c < 0x100 || as_bytes ? "\\x%02lx" : c < 0x10000 ? "\\u%04lx" : "\\U%08lx";
    switch (c) {
    case '\n':
        return add(out, "\\n");
    case '\r':
        return add(out, "\\r");
    case '\t':
        return add(out, "\\t");
    default:
        snprintf(text, sizeof text, format, (unsigned long)c);
        return add(out, text);
    }
}

/* ' unless there are ' and no " in it. */
static char quote_for(const uint8_t *text, size_t n)
{
    return n > 0 && memchr(text, '\'', n) && !memchr(text, '"', n) ? '"' : '\'';
}

/* One character, of `size` bytes (0: a byte that is no UTF-8, shown as Python's surrogateescape does). */
static mp_status_t add_character(mp__buffer_t *out, const uint8_t *text, size_t size, uint32_t c, char quote)
{
    if (size == 0)
        return add_escaped(out, 0xdc00u + text[0], false);
    if (c == (uint8_t)quote || c == '\\') {
        char escaped[3] = {'\\', (char)c, '\0'};
        return add(out, escaped);
    }
    return is_printable(c) ? mp__buffer_append(out, text, size) : add_escaped(out, c, false);
}

static mp_status_t add_str(mp__buffer_t *out, const uint8_t *text, size_t n)
{
    char quote[2] = {quote_for(text, n), '\0'};
    mp_status_t status = add(out, quote);
    for (size_t i = 0; i < n && status == MP_OK;) {
        uint32_t c = 0;
        size_t size = mp__utf8_next(text + i, n - i, &c);
        status = add_character(out, text + i, size, c, quote[0]);
        i += size > 0 ? size : 1;
    }
    return status == MP_OK ? add(out, quote) : status;
}

static mp_status_t add_bytes(mp__buffer_t *out, const uint8_t *data, size_t n)
{
    char quote[2] = {quote_for(data, n), '\0'};
    mp_status_t status = add(out, "b");
    if (status == MP_OK)
        status = add(out, quote);
    for (size_t i = 0; i < n && status == MP_OK; i++)
        status = data[i] < 0x80 ? add_character(out, data + i, 1, data[i], quote[0]) : add_escaped(out, data[i], true);
    return status == MP_OK ? add(out, quote) : status;
}

/* ---- the rest */

static mp_status_t add_integer(mp__buffer_t *out, const mp_value_t *v)
{
    char text[32];
    if (v->kind == MP_KIND_INT)
        snprintf(text, sizeof text, "%lld", (long long)v->as.integer);
    else
        snprintf(text, sizeof text, "%llu", (unsigned long long)v->as.natural);
    return add(out, text);
}

static mp_status_t add_double(mp__buffer_t *out, double x)
{
    char text[MP__REAL_MAX];
    mp__real_text(x, text);
    return add(out, text);
}

/* <Queue 71:4>: place and generation, the same in every process. */
static mp_status_t add_object(mp__buffer_t *out, const mp_value_t *v)
{
    const mp__handle_t *handle = v->as.object;
    const char *name = mp_kind_name((mp_kind_t)v->kind);
    char text[96];
    if (!mp__handle_is(handle, (mp_kind_t)v->kind))
        snprintf(text, sizeof text, "<closed %s>", name);
    else if (handle->reference.place == 0)
        snprintf(text, sizeof text, "<%s>", name);
    else if (handle->item == 0)
        snprintf(text, sizeof text, "<%s %lu:%lu>", name, (unsigned long)handle->reference.place,
                 (unsigned long)handle->reference.generation);
    else
        snprintf(text, sizeof text, "<%s %lu:%lu:%llu>", name, (unsigned long)handle->reference.place,
                 (unsigned long)handle->reference.generation, (unsigned long long)handle->item);
    return add(out, text);
}

static mp_status_t add_descriptor(mp__buffer_t *out, const mp_value_t *v)
{
    char text[48];
    snprintf(text, sizeof text, "<descriptor %lld>", (long long)v->as.descriptor);
    return add(out, text);
}

static mp_status_t repr(const mp_value_t *v, mp__buffer_t *out, unsigned depth);

/* A list, range or dict. */
static mp_status_t add_items(mp__buffer_t *out, const mp_value_t *v, unsigned depth)
{
    bool dict = v->kind == MP_KIND_DICT;
    size_t n = mp_value_len(*v);
    if (depth > MP__DEPTH_MAX)
        return mp__error(MP_TOO_LARGE, "show a value", "nested more than %d deep", MP__DEPTH_MAX);
    mp_status_t status = add(out, dict ? "{" : "[");
    for (size_t i = 0; i < n && status == MP_OK; i++) {
        mp_value_t item = mp_value_item(*v, i);
        if (i > 0)
            status = add(out, ", ");
        if (dict && status == MP_OK)
            status = repr(&v->as.items[2 * i], out, depth);
        if (dict && status == MP_OK)
            status = add(out, ": ");
        if (status == MP_OK)
            status = repr(&item, out, depth);
    }
    return status == MP_OK ? add(out, dict ? "}" : "]") : status;
}

static mp_status_t repr(const mp_value_t *v, mp__buffer_t *out, unsigned depth)
{
    switch (v->kind) {
    case MP_KIND_NONE:
        return add(out, "None");
    case MP_KIND_BOOL:
        return add(out, v->as.truth ? "True" : "False");
    case MP_KIND_INT:
    case MP_KIND_UINT:
        return add_integer(out, v);
    case MP_KIND_DOUBLE:
        return add_double(out, v->as.real);
    case MP_KIND_STR:
        return add_str(out, v->as.data, (size_t)v->end.size);
    case MP_KIND_BYTES:
        return add_bytes(out, v->as.data, (size_t)v->end.size);
    case MP_KIND_LIST:
    case MP_KIND_RANGE:
    case MP_KIND_DICT:
        return add_items(out, v, depth + 1);
    case MP_KIND_FUNCTION:
        return add(out, "<function>");
    case MP_KIND_DESCRIPTOR:
        return add_descriptor(out, v);
    default:
        return add_object(out, v);
    }
}

mp_status_t mp__repr(const mp_value_t *v, mp__buffer_t *out)
{
    /* As in Python, a proxy shows what it stands for, but not within other values. */
    bool proxy = v->kind == MP_KIND_DICT_PROXY || v->kind == MP_KIND_LIST_PROXY;
    if (proxy && mp__repr_proxy && mp__handle_is(v->as.object, (mp_kind_t)v->kind))
        return mp__repr_proxy(v->as.object, out);
    return repr(v, out, 0);
}

/* ---- for programs */

/* The text of v with `end` behind it and a '\0', in memory of the caller's. */
static mp_status_t make_text(const mp_value_t *v, const char *end, char **text, size_t *size)
{
    mp__buffer_t out;
    mp__buffer_init(&out);
    mp_status_t status = mp__repr(v, &out);
    if (status == MP_OK)
        status = mp__buffer_append(&out, end, strlen(end) + 1);
    *size = out.size - 1;
    if (status == MP_OK && !(*text = malloc(out.size)))
        status = mp__error(MP_NO_MEMORY, "show a value", "no memory for its %llu bytes", (unsigned long long)out.size);
    if (status == MP_OK)
        memcpy(*text, out.data, out.size);
    mp__buffer_fini(&out);
    return status;
}

char *mp__repr_text(mp_value_t v)
{
    char *text;
    size_t size;
    return make_text(&v, "", &text, &size) == MP_OK ? text : NULL;
}

mp_status_t mp__repr_line(mp_value_t v, char **line, size_t *size)
{
    return make_text(&v, "\n", line, size);
}

mp_status_t mp__print_failed(int code)
{
    return mp__error_native(MP_SYSTEM, "write text", code);
}

void mp_free(void *text)
{
    free(text);
}
