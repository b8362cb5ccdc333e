/* Atomic operations on plain 32- and 64-bit words that lie in shared memory. The words are plain integers because C11's
 * _Atomic types promise no layout and are missing in MSVC's C mode. Read-modify-write operations are sequentially
 * consistent. */
#ifndef MP_CORE_ATOMIC_H
#define MP_CORE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)

#include <intrin.h>

static inline uint32_t mp__load32(const uint32_t *p)
{
    uint32_t v = *(const volatile uint32_t *)p;
    _ReadWriteBarrier();
    return v;
}

static inline uint64_t mp__load64(const uint64_t *p)
{
    uint64_t v = *(const volatile uint64_t *)p;
    _ReadWriteBarrier();
    return v;
}

static inline void mp__store32(uint32_t *p, uint32_t v)
{
    _InterlockedExchange((volatile long *)p, (long)v);
}

static inline void mp__store64(uint64_t *p, uint64_t v)
{
    _InterlockedExchange64((volatile __int64 *)p, (__int64)v);
}

static inline uint32_t mp__swap32(uint32_t *p, uint32_t v)
{
    return (uint32_t)_InterlockedExchange((volatile long *)p, (long)v);
}

static inline uint64_t mp__swap64(uint64_t *p, uint64_t v)
{
    return (uint64_t)_InterlockedExchange64((volatile __int64 *)p, (__int64)v);
}

static inline bool mp__cas32(uint32_t *p, uint32_t *expected, uint32_t desired)
{
    uint32_t old = (uint32_t)_InterlockedCompareExchange((volatile long *)p, (long)desired, (long)*expected);
    bool done = old == *expected;
    *expected = old;
    return done;
}

static inline bool mp__cas64(uint64_t *p, uint64_t *expected, uint64_t desired)
{
    uint64_t old = (uint64_t)_InterlockedCompareExchange64((volatile __int64 *)p, (__int64)desired, (__int64)*expected);
    bool done = old == *expected;
    *expected = old;
    return done;
}

static inline uint32_t mp__add32(uint32_t *p, uint32_t v)
{
    return (uint32_t)_InterlockedExchangeAdd((volatile long *)p, (long)v);
}

static inline uint64_t mp__add64(uint64_t *p, uint64_t v)
{
    return (uint64_t)_InterlockedExchangeAdd64((volatile __int64 *)p, (__int64)v);
}

static inline uint32_t mp__or32(uint32_t *p, uint32_t v)
{
    return (uint32_t)_InterlockedOr((volatile long *)p, (long)v);
}

static inline uint64_t mp__or64(uint64_t *p, uint64_t v)
{
    return (uint64_t)_InterlockedOr64((volatile __int64 *)p, (__int64)v);
}

static inline uint64_t mp__and64(uint64_t *p, uint64_t v)
{
    return (uint64_t)_InterlockedAnd64((volatile __int64 *)p, (__int64)v);
}

static inline void mp__fence(void)
{
    static volatile long word;
    _InterlockedExchange(&word, 0);
}

static inline void mp__cpu_relax(void)
{
    _mm_pause();
}

#else

/* Loads acquire, stores release: the fast paths lean on exactly that. */
static inline uint32_t mp__load32(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline uint64_t mp__load64(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void mp__store32(uint32_t *p, uint32_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline void mp__store64(uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline uint32_t mp__swap32(uint32_t *p, uint32_t v)
{
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t mp__swap64(uint64_t *p, uint64_t v)
{
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

/* On failure *expected becomes what is there. */
static inline bool mp__cas32(uint32_t *p, uint32_t *expected, uint32_t desired)
{
    return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

static inline bool mp__cas64(uint64_t *p, uint64_t *expected, uint64_t desired)
{
    return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

static inline uint32_t mp__add32(uint32_t *p, uint32_t v)
{
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t mp__add64(uint64_t *p, uint64_t v)
{
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}

static inline uint32_t mp__or32(uint32_t *p, uint32_t v)
{
    return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t mp__or64(uint64_t *p, uint64_t v)
{
    return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t mp__and64(uint64_t *p, uint64_t v)
{
    return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST);
}

static inline void mp__fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void mp__cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif

/* A full fence where the read-modify-write before it is not one already. */
static inline void mp__fence_after_rmw(void)
{
#if defined(__x86_64__) || defined(_M_X64) || defined(__i386__) || defined(_M_IX86)
    /* every locked instruction is a full fence here */
#else
    mp__fence();
#endif
}

#endif
