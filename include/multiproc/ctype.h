/**
 * @file ctype.h
 * The C types that numbers in shared memory have.
 */
#ifndef MULTIPROC_CTYPE_H
#define MULTIPROC_CTYPE_H

#include <multiproc/api.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

MP_BEGIN_DECLS

/** A C type; its number is Python's letter for it. */
typedef enum mp_ctype {
    MP_CTYPE_CHAR = 'c',   /**< char, as a number 0 to 255 */
    MP_CTYPE_INT8 = 'b',   /**< signed char */
    MP_CTYPE_UINT8 = 'B',  /**< unsigned char */
    MP_CTYPE_INT16 = 'h',  /**< short */
    MP_CTYPE_UINT16 = 'H', /**< unsigned short */
    MP_CTYPE_INT32 = 'i',  /**< int */
    MP_CTYPE_UINT32 = 'I', /**< unsigned */
    MP_CTYPE_LONG = 'l',   /**< long: 4 or 8 bytes */
    MP_CTYPE_ULONG = 'L',  /**< unsigned long: 4 or 8 bytes */
    MP_CTYPE_INT64 = 'q',  /**< long long */
    MP_CTYPE_UINT64 = 'Q', /**< unsigned long long */
    MP_CTYPE_FLOAT = 'f',  /**< float */
    MP_CTYPE_DOUBLE = 'd', /**< double */
    MP_CTYPE_BOOL = '?'    /**< bool */
} mp_ctype_t;

/** Bytes of one; 0: no such type. */
MP_API size_t mp_ctype_size(mp_ctype_t type);

MP_END_DECLS

#endif
