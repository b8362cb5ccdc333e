/* What differs between compilers, not between systems. */
#ifndef MP_CORE_COMPILER_H
#define MP_CORE_COMPILER_H

#if defined(_MSC_VER)
#define MP__THREAD_LOCAL __declspec(thread)
#define MP__ALIGNED(n)   __declspec(align(n))
#define MP__PRINTF(f, a)
#define MP__LIKELY(x)   (x)
#define MP__UNLIKELY(x) (x)
#define MP__NOINLINE    __declspec(noinline)
#else
#define MP__THREAD_LOCAL __thread
#define MP__ALIGNED(n)   __attribute__((aligned(n)))
#define MP__PRINTF(f, a) __attribute__((format(printf, f, a)))
#define MP__LIKELY(x)    __builtin_expect(!!(x), 1)
#define MP__UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define MP__NOINLINE     __attribute__((noinline))
#endif

/* For a word that each operation reads: it is then found without a call, also from a shared library (a few bytes are
 * always left for such, when one is loaded late). */
#if defined(__ELF__)
#define MP__THREAD_WORD MP__THREAD_LOCAL __attribute__((tls_model("initial-exec")))
#else
#define MP__THREAD_WORD MP__THREAD_LOCAL
#endif

#define MP__COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
