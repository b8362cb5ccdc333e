# Finds libgcrypt: the imported target Gcrypt::Gcrypt. On Windows the static library, so that a program needs no DLL
# beside it.

find_path(GCRYPT_INCLUDE_DIR gcrypt.h)
set(GCRYPT_REQUIRED GCRYPT_LIBRARY GCRYPT_INCLUDE_DIR)
if(WIN32)
    find_library(GCRYPT_LIBRARY NAMES libgcrypt.a)
    find_library(GCRYPT_ERROR_LIBRARY NAMES libgpg-error.a)
    list(APPEND GCRYPT_REQUIRED GCRYPT_ERROR_LIBRARY)
else()
    find_library(GCRYPT_LIBRARY NAMES gcrypt)
endif()
mark_as_advanced(GCRYPT_INCLUDE_DIR GCRYPT_LIBRARY GCRYPT_ERROR_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Gcrypt REQUIRED_VARS ${GCRYPT_REQUIRED})

if(Gcrypt_FOUND AND NOT TARGET Gcrypt::Gcrypt)
    add_library(Gcrypt::Gcrypt UNKNOWN IMPORTED)
    set_target_properties(
        Gcrypt::Gcrypt PROPERTIES IMPORTED_LOCATION "${GCRYPT_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${GCRYPT_INCLUDE_DIR}")
    if(WIN32)
        set_target_properties(
            Gcrypt::Gcrypt PROPERTIES INTERFACE_LINK_LIBRARIES "${GCRYPT_ERROR_LIBRARY};ws2_32;advapi32")
    endif()
endif()
