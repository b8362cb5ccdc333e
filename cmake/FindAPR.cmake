# Finds the Apache Portable Runtime, version 1: the imported target APR::APR.

find_package(apr CONFIG QUIET)
foreach(target IN ITEMS apr::libapr-1 apr::apr-1)
    if(TARGET ${target})
        set(APR_LIBRARY ${target})
        get_target_property(APR_INCLUDE_DIR ${target} INTERFACE_INCLUDE_DIRECTORIES)
        break()
    endif()
endforeach()

if(NOT TARGET "${APR_LIBRARY}")
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(PC_APR QUIET apr-1)
    endif()
    find_path(APR_INCLUDE_DIR apr.h HINTS ${PC_APR_INCLUDE_DIRS} PATH_SUFFIXES apr-1.0 apr-1 apr)
    find_library(APR_LIBRARY NAMES libapr-1 apr-1 HINTS ${PC_APR_LIBRARY_DIRS})
    mark_as_advanced(APR_INCLUDE_DIR APR_LIBRARY)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(APR REQUIRED_VARS APR_LIBRARY APR_INCLUDE_DIR)

if(APR_FOUND AND NOT TARGET APR::APR)
    if(TARGET ${APR_LIBRARY})
        add_library(APR::APR INTERFACE IMPORTED)
        set_target_properties(APR::APR PROPERTIES INTERFACE_LINK_LIBRARIES ${APR_LIBRARY})
    else()
        add_library(APR::APR UNKNOWN IMPORTED)
        set_target_properties(
            APR::APR PROPERTIES IMPORTED_LOCATION "${APR_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${APR_INCLUDE_DIR}")
        if(WIN32 AND APR_LIBRARY MATCHES "/(libapr-1\\.a|apr-1\\.lib)$")
            set_target_properties(
                APR::APR PROPERTIES INTERFACE_COMPILE_DEFINITIONS APR_DECLARE_STATIC
                INTERFACE_LINK_LIBRARIES "ws2_32;mswsock;rpcrt4;advapi32;shell32;iphlpapi")
        endif()
    endif()
endif()
