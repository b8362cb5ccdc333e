# Finds libcbor: the imported target CBOR::CBOR.

find_path(CBOR_INCLUDE_DIR cbor.h)
find_library(CBOR_LIBRARY NAMES cbor)
mark_as_advanced(CBOR_INCLUDE_DIR CBOR_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CBOR REQUIRED_VARS CBOR_LIBRARY CBOR_INCLUDE_DIR)

if(CBOR_FOUND AND NOT TARGET CBOR::CBOR)
    add_library(CBOR::CBOR UNKNOWN IMPORTED)
    set_target_properties(
        CBOR::CBOR PROPERTIES IMPORTED_LOCATION "${CBOR_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${CBOR_INCLUDE_DIR}")
endif()
