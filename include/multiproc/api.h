/* How the library's functions are declared: exported from the shared library, imported by its users, C linkage in C++.
 *
 * MP_STATIC is defined for whoever uses the static library (the CMake target multiproc::static does it), MP_BUILDING
 * only while the shared library itself is compiled. */
#ifndef MULTIPROC_API_H
#define MULTIPROC_API_H

#if defined(_MSC_VER) || defined(__MINGW32__)
#if defined(MP_STATIC)
#define MP_API
#elif defined(MP_BUILDING)
#define MP_API __declspec(dllexport)
#else
#define MP_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define MP_API __attribute__((visibility("default")))
#else
#define MP_API
#endif

#if defined(__cplusplus)
#define MP_BEGIN_DECLS extern "C" {
#define MP_END_DECLS   }
#else
#define MP_BEGIN_DECLS
#define MP_END_DECLS
#endif

/* The compiler checks what such a function is given: argument f is a printf format, the values start at argument a.
 * (mingw-w64 has two dialects of them and checks against the wrong one.) */
#if defined(__GNUC__) && !defined(__MINGW32__)
#define MP_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define MP_PRINTF(f, a)
#endif

#endif
