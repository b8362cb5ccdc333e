/**
 * @file literal.h
 * mp_of(), mp_list(), mp_dict() and mp_args(): values written down in a program, checked by the compiler. Part of
 * value.h.
 *
 *     mp_queue_put(q, mp_list(42, MP_NONE, "hello"), MP_FOREVER);
 *     mp_process_start(&p, f, mp_args(q, mp_dict("a", 1, "b", mp_list())));
 *
 * They take 0 to 32 items (mp_value_list(), mp_value_dict() and mp_value_args() take any number). A 33rd item and a
 * dict's key without a value are errors of the compiler. A literal lives only as the argument of the call that it is
 * written in.
 */
#ifndef MULTIPROC_LITERAL_H
#define MULTIPROC_LITERAL_H

#include <multiproc/value.h>

/**
 * @def mp_of(x)
 * The value of x: every integer and floating type, bool, strings (a NULL `char *` is None), functions of type
 * ::mp_function_t, pointers to objects, and values themselves. Strings and objects are borrowed. Anything else is an
 * error of the compiler.
 */

/** @def mp_list(...) A list of up to 32 items. */

/** @def mp_dict(...) A dict of up to 16 pairs: key, value, key, value... As in Python the last of equal keys wins. */

/** @def mp_args(...) The arguments of a call, up to 32: an ::mp_args_t. */

#if defined(__cplusplus)

inline mp_value_t mp_of(signed char x)
{
    return mp__of_int(x);
}

inline mp_value_t mp_of(short x)
{
    return mp__of_int(x);
}

inline mp_value_t mp_of(int x)
{
    return mp__of_int(x);
}

inline mp_value_t mp_of(long x)
{
    return mp__of_int(x);
}

inline mp_value_t mp_of(long long x)
{
    return mp__of_int(x);
}

inline mp_value_t mp_of(unsigned char x)
{
    return mp__of_uint(x);
}

inline mp_value_t mp_of(unsigned short x)
{
    return mp__of_uint(x);
}

inline mp_value_t mp_of(unsigned x)
{
    return mp__of_uint(x);
}

inline mp_value_t mp_of(unsigned long x)
{
    return mp__of_uint(x);
}

inline mp_value_t mp_of(unsigned long long x)
{
    return mp__of_uint(x);
}

inline mp_value_t mp_of(float x)
{
    return mp__of_float(x);
}

inline mp_value_t mp_of(double x)
{
    return mp__of_double(x);
}

inline mp_value_t mp_of(long double x)
{
    return mp__of_long_double(x);
}

inline mp_value_t mp_of(const char *x)
{
    return mp__of_str(x);
}

inline mp_value_t mp_of(decltype(nullptr))
{
    return mp__none();
}

inline mp_value_t mp_of(mp_value_t x)
{
    return x;
}

inline mp_value_t mp_of(mp_function_t x)
{
    return mp__of_function(x);
}

inline mp_value_t mp_of(mp_conn_t *x)
{
    return mp__of_conn(x);
}

inline mp_value_t mp_of(mp_queue_t *x)
{
    return mp__of_queue(x);
}

inline mp_value_t mp_of(mp_lock_t *x)
{
    return mp__of_lock(x);
}

inline mp_value_t mp_of(mp_rlock_t *x)
{
    return mp__of_rlock(x);
}

inline mp_value_t mp_of(mp_semaphore_t *x)
{
    return mp__of_semaphore(x);
}

inline mp_value_t mp_of(mp_condition_t *x)
{
    return mp__of_condition(x);
}

inline mp_value_t mp_of(mp_event_t *x)
{
    return mp__of_event(x);
}

inline mp_value_t mp_of(mp_barrier_t *x)
{
    return mp__of_barrier(x);
}

inline mp_value_t mp_of(mp_shared_memory_t *x)
{
    return mp__of_shared_memory(x);
}

inline mp_value_t mp_of(mp_shared_value_t *x)
{
    return mp__of_shared_value(x);
}

inline mp_value_t mp_of(mp_shared_array_t *x)
{
    return mp__of_shared_array(x);
}

inline mp_value_t mp_of(mp_shareable_list_t *x)
{
    return mp__of_shareable_list(x);
}

inline mp_value_t mp_of(mp_manager_t *x)
{
    return mp__of_manager(x);
}

inline mp_value_t mp_of(mp_dict_t *x)
{
    return mp__of_dict(x);
}

inline mp_value_t mp_of(mp_list_t *x)
{
    return mp__of_list(x);
}

inline mp_value_t mp_of(mp_process_t *x)
{
    return mp__of_process(x);
}

inline mp_value_t mp_of(mp_pool_t *x)
{
    return mp__of_pool(x);
}

inline mp_value_t mp_of(mp_result_t *x)
{
    return mp__of_result(x);
}

inline mp_value_t mp_of(mp_listener_t *x)
{
    return mp__of_listener(x);
}

/* Templates, so that these take their own type only: to bool every pointer would convert, and char is a number of its
 * own. */
template <class T> struct mp__exact;
template <> struct mp__exact<bool> {
    typedef mp_value_t is_bool;
};
template <> struct mp__exact<char> {
    typedef mp_value_t is_char;
};

template <class T> inline typename mp__exact<T>::is_bool mp_of(T x)
{
    return mp__of_bool(x);
}

template <class T> inline typename mp__exact<T>::is_char mp_of(const T &x)
{
    return mp__of_int(x);
}

/* A literal is a temporary that holds the items; it lives to the end of the expression that it is written in. */
template <size_t n> struct mp__items {
    mutable mp_value_t items[n ? n : 1];
};

template <size_t n> struct mp__list_literal : mp__items<n> {
    operator mp_value_t() const
    {
        return mp_value_list(this->items, n);
    }
};

template <size_t n> struct mp__dict_literal : mp__items<n> {
    operator mp_value_t() const
    {
        return mp_value_dict(this->items, n / 2);
    }
};

template <size_t n> struct mp__args_literal : mp__items<n> {
    operator mp_args_t() const
    {
        return mp_value_args(this->items, n);
    }
};

template <template <size_t> class Literal, class... T> inline Literal<sizeof...(T)> mp__literal(const T &...x)
{
    static_assert(sizeof...(T) <= 32, "mp_list, mp_dict and mp_args take at most 32 items: see mp_value_list");
    return Literal<sizeof...(T)>{{{mp_of(x)...}}};
}

template <class... T> inline mp__dict_literal<sizeof...(T)> mp__dict(const T &...x)
{
    static_assert(sizeof...(T) % 2 == 0, "mp_dict has a key without a value");
    return mp__literal<mp__dict_literal>(x...);
}

#define mp_list(...) mp__literal<mp__list_literal>(__VA_ARGS__)
#define mp_dict(...) mp__dict(__VA_ARGS__)
#define mp_args(...) mp__literal<mp__args_literal>(__VA_ARGS__)

#else

#define mp_of(x)                                                                                                       \
    _Generic((x), _Bool: mp__of_bool, char: mp__of_int, signed char: mp__of_int, short: mp__of_int, int: mp__of_int, \
    long: mp__of_int, long long: mp__of_int, unsigned char: mp__of_uint, unsigned short: mp__of_uint, \
    unsigned: mp__of_uint, unsigned long: mp__of_uint, unsigned long long: mp__of_uint, float: mp__of_float, \
    double: mp__of_double, long double: mp__of_long_double, char *: mp__of_str, const char *: mp__of_str, \
    mp_value_t: mp__of_value, mp_function_t: mp__of_function, mp_conn_t *: mp__of_conn, mp_queue_t *: mp__of_queue, \
    mp_lock_t *: mp__of_lock, mp_rlock_t *: mp__of_rlock, mp_semaphore_t *: mp__of_semaphore, \
    mp_condition_t *: mp__of_condition, mp_event_t *: mp__of_event, mp_barrier_t *: mp__of_barrier, \
    mp_shared_memory_t *: mp__of_shared_memory, mp_shared_value_t *: mp__of_shared_value, \
    mp_shared_array_t *: mp__of_shared_array, mp_shareable_list_t *: mp__of_shareable_list, \
    mp_manager_t *: mp__of_manager, mp_dict_t *: mp__of_dict, mp_list_t *: mp__of_list, \
    mp_process_t *: mp__of_process, mp_pool_t *: mp__of_pool, mp_result_t *: mp__of_result, \
    mp_listener_t *: mp__of_listener)(x)

#define mp_list(...)       MP__LITERAL(mp_value_list, MP__COUNT, __VA_ARGS__)
#define mp_dict(...)       MP__LITERAL(mp_value_dict, MP__PAIRS, __VA_ARGS__)
#define mp_args(...)       MP__LITERAL(mp_value_args, MP__COUNT, __VA_ARGS__)

/* The preprocessor's side. MP__EXPAND makes old preprocessors of MSVC see several arguments where they see one. */
#define MP__EXPAND(x)      x
#define MP__CAT(a, b)      MP__CAT_(a, b)
#define MP__CAT_(a, b)     a##b
#define MP__CAT3(a, b, c)  MP__CAT3_(a, b, c)
#define MP__CAT3_(a, b, c) a##b##c

#define MP__LITERAL(make, count, ...)                                                                                  \
    MP__EXPAND(MP__CAT(MP__LITERAL_, MP__IS_EMPTY(__VA_ARGS__))(make, count, __VA_ARGS__))
#define MP__LITERAL_1(make, count, ...) make(NULL, 0)
#define MP__LITERAL_0(make, count, ...)                                                                                \
    make((mp_value_t[]){MP__EXPAND(MP__CAT(MP__MAP_, MP__COUNT(__VA_ARGS__))(__VA_ARGS__))},                           \
         MP__EXPAND(count(__VA_ARGS__)))

/* Nothing at all makes `MP__COMMA ()`, which is a comma; what begins with a parenthesis makes one
 * also without the second pair. */
#define MP__IS_EMPTY(...)                                                                                              \
    MP__CAT3(MP__EMPTY_, MP__HAS_COMMA(MP__COMMA __VA_ARGS__()), MP__HAS_COMMA(MP__COMMA __VA_ARGS__))
#define MP__EMPTY_00   0
#define MP__EMPTY_10   1
#define MP__EMPTY_11   0
#define MP__COMMA(...) ,

/* What is not a number here ends up in the compiler's message. */
#define MP__MANY       mp_list_takes_at_most_32_items_see_mp_value_list
#define MP__ODD        mp_dict_has_a_key_without_a_value

#define MP__PICK(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, _19, _20, _21, _22,  \
                 _23, _24, _25, _26, _27, _28, _29, _30, _31, _32, _33, _34, _35, _36, _37, _38, _39, _40, _41, _42,   \
                 _43, _44, _45, _46, _47, _48, _49, _50, _51, _52, _53, _54, _55, _56, _57, _58, _59, _60, _61, _62,   \
                 _63, _64, picked, ...)                                                                                \
    picked
#define MP__HAS_COMMA(...)                                                                                             \
    MP__EXPAND(MP__PICK(__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  \
                        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,   \
                        1, 1, 1, 1, 1, 0, 0))
#define MP__COUNT(...)                                                                                                 \
    MP__EXPAND(MP__PICK(__VA_ARGS__, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY,   \
                        MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY,      \
                        MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY,      \
                        MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, 32, 31, 30, 29, 28, 27, 26, 25,    \
                        24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0))
#define MP__PAIRS(...)                                                                                                 \
    MP__EXPAND(MP__PICK(__VA_ARGS__, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY,   \
                        MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY,      \
                        MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY,      \
                        MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, MP__MANY, 16, MP__ODD, 15, MP__ODD, 14,      \
                        MP__ODD, 13, MP__ODD, 12, MP__ODD, 11, MP__ODD, 10, MP__ODD, 9, MP__ODD, 8, MP__ODD, 7,        \
                        MP__ODD, 6, MP__ODD, 5, MP__ODD, 4, MP__ODD, 3, MP__ODD, 2, MP__ODD, 1, MP__ODD, 0))

/* clang-format off */
#define MP__MAP_1(a) mp_of(a)
#define MP__MAP_2(a, b) mp_of(a), mp_of(b)
#define MP__MAP_3(a, b, c) mp_of(a), mp_of(b), mp_of(c)
#define MP__MAP_4(a, b, c, d) mp_of(a), mp_of(b), mp_of(c), mp_of(d)
#define MP__MAP_5(a, b, c, d, e) mp_of(a), mp_of(b), mp_of(c), mp_of(d), mp_of(e)
#define MP__MAP_6(a, b, c, d, e, f) mp_of(a), mp_of(b), mp_of(c), mp_of(d), mp_of(e), mp_of(f)
#define MP__MAP_7(a, b, c, d, e, f, g) mp_of(a), mp_of(b), mp_of(c), mp_of(d), mp_of(e), mp_of(f), mp_of(g)
#define MP__MAP_8(a, b, c, d, e, f, g, h) mp_of(a), mp_of(b), mp_of(c), mp_of(d), mp_of(e), mp_of(f), mp_of(g), mp_of(h)
#define MP__MAP_9(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_1(__VA_ARGS__))
#define MP__MAP_10(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_2(__VA_ARGS__))
#define MP__MAP_11(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_3(__VA_ARGS__))
#define MP__MAP_12(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_4(__VA_ARGS__))
#define MP__MAP_13(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_5(__VA_ARGS__))
#define MP__MAP_14(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_6(__VA_ARGS__))
#define MP__MAP_15(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_7(__VA_ARGS__))
#define MP__MAP_16(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_8(__VA_ARGS__))
#define MP__MAP_17(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_9(__VA_ARGS__))
#define MP__MAP_18(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_10(__VA_ARGS__))
#define MP__MAP_19(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_11(__VA_ARGS__))
#define MP__MAP_20(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_12(__VA_ARGS__))
#define MP__MAP_21(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_13(__VA_ARGS__))
#define MP__MAP_22(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_14(__VA_ARGS__))
#define MP__MAP_23(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_15(__VA_ARGS__))
#define MP__MAP_24(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_16(__VA_ARGS__))
#define MP__MAP_25(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_17(__VA_ARGS__))
#define MP__MAP_26(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_18(__VA_ARGS__))
#define MP__MAP_27(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_19(__VA_ARGS__))
#define MP__MAP_28(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_20(__VA_ARGS__))
#define MP__MAP_29(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_21(__VA_ARGS__))
#define MP__MAP_30(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_22(__VA_ARGS__))
#define MP__MAP_31(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_23(__VA_ARGS__))
#define MP__MAP_32(a, b, c, d, e, f, g, h, ...) MP__MAP_8(a, b, c, d, e, f, g, h), MP__EXPAND(MP__MAP_24(__VA_ARGS__))
#define MP__MAP_mp_list_takes_at_most_32_items_see_mp_value_list(...) MP_NONE
/* clang-format on */

#endif
#endif
