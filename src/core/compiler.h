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

/* A hint: this line is going to be written, or read, soon. */
#if !defined(_MSC_VER) && defined(__x86_64__)
#define MP__WRITES_SOON(p) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(p)))
#define MP__READS_SOON(p)  __builtin_prefetch(p)
#elif !defined(_MSC_VER)
#define MP__WRITES_SOON(p) __builtin_prefetch(p, 1)
#define MP__READS_SOON(p)  __builtin_prefetch(p)
#else
#define MP__WRITES_SOON(p) ((void)(p))
#define MP__READS_SOON(p)  ((void)(p))
#endif

#define MP__COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
