# Tests of what is not seen when the library runs: its headers, its symbols, its layout, its installed form.

# Every public header alone, in every language that it is for; only apr.h may need APR.
function(mp_add_header_test header language compiler)
    set(test headers.${language}.${header})
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${test}.in)
    file(WRITE ${source} "#include <${header}>\nint mp_not_empty(void);\n")
    set(includes -I${PROJECT_SOURCE_DIR}/include)
    if(header STREQUAL "multiproc/apr.h")
        list(APPEND includes -isystem $<TARGET_PROPERTY:APR::APR,INTERFACE_INCLUDE_DIRECTORIES>)
    endif()
    add_test(NAME ${test} COMMAND ${compiler} ${ARGN} -std=${language} ${MP_WARNINGS} -Wshadow ${MP_WARNINGS_AS_ERRORS}
                                  -fsyntax-only ${includes} ${source})
endfunction()

file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/include/*.h)
foreach(header IN LISTS headers)
    mp_add_header_test(${header} c11 ${CMAKE_C_COMPILER} -x c)
    if(MP_HAS_C23)
        mp_add_header_test(${header} c2x ${CMAKE_C_COMPILER} -x c)
    endif()
    if(CMAKE_CXX_COMPILER)
        mp_add_header_test(${header} c++17 ${CMAKE_CXX_COMPILER} -x c++)
    endif()
endforeach()
if(NOT CMAKE_CXX_COMPILER)
    mp_add_skipped_test(headers.c++17 "no C++ compiler")
endif()

# The formatter's version matters: another one has another opinion.
find_program(CLANG_FORMAT NAMES clang-format-14 clang-format)
set(format_version "")
if(CLANG_FORMAT)
    execute_process(COMMAND ${CLANG_FORMAT} --version OUTPUT_VARIABLE format_version)
endif()
if(format_version MATCHES "version 14\\.")
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.h ${PROJECT_SOURCE_DIR}/src/*.[ch]
         ${PROJECT_SOURCE_DIR}/tests/*.[ch] ${PROJECT_SOURCE_DIR}/tests/*.cpp ${PROJECT_SOURCE_DIR}/examples/*.[ch]
         ${PROJECT_SOURCE_DIR}/bench/*.[ch] ${PROJECT_SOURCE_DIR}/bench/*.cpp)
    add_test(NAME format COMMAND ${CLANG_FORMAT} --dry-run -Werror ${files})
else()
    mp_add_skipped_test(format "no clang-format 14")
endif()

add_test(NAME sources COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -P ${PROJECT_SOURCE_DIR}/cmake/check-sources.cmake)

# Some test reaches every status that the contract names.
add_test(NAME statuses COMMAND ${CMAKE_COMMAND} -P ${CMAKE_CURRENT_SOURCE_DIR}/platform/count_statuses.cmake)

# Only public symbols are visible.
if(TARGET multiproc_shared AND NOT MP_SANITIZE AND NOT APPLE)
    add_test(NAME symbols.public
             COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DOBJDUMP=${CMAKE_OBJDUMP} -DLIBRARY=$<TARGET_FILE:multiproc_shared>
                     -P ${PROJECT_SOURCE_DIR}/cmake/check-public-symbols.cmake)
endif()

if(MP_PORTABLE_POSIX)
    add_test(NAME symbols.portable
             COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DLIBRARY=$<TARGET_FILE:multiproc_static>
                     -P ${PROJECT_SOURCE_DIR}/cmake/check-portable.cmake)
endif()

# A user of the installed package. Not with sanitizers: they are the user's to choose.
if(MP_BUILD_EXAMPLES AND NOT MP_SANITIZE)
    set(ways find_package pkg-config)
    foreach(way IN LISTS ways)
        add_test(NAME consumer.${way}
                 COMMAND ${CMAKE_COMMAND} -DWAY=${way} -DSHARED=${MP_BUILD_SHARED} -DBUILD=${PROJECT_BINARY_DIR} -DCONFIG=$<CONFIG>
                         -DGENERATOR=${CMAKE_GENERATOR} -DCC=${CMAKE_C_COMPILER} -DCXX=${CMAKE_CXX_COMPILER}
                         "-DMETHODS=${MP_START_METHODS}"
                         -DTOOLCHAIN=${CMAKE_TOOLCHAIN_FILE} -DWINE_PREFIX=${MP_WINE_PREFIX}
                         "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}" -P ${CMAKE_CURRENT_SOURCE_DIR}/consumer/run.cmake)
        mp_set_test_properties(consumer.${way})
    endforeach()
endif()

add_test(NAME apr COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -P ${PROJECT_SOURCE_DIR}/cmake/check-apr.cmake)

# The reference comes out without a warning.
find_program(DOXYGEN NAMES doxygen)
if(DOXYGEN)
    configure_file(${PROJECT_SOURCE_DIR}/docs/Doxyfile.in ${PROJECT_BINARY_DIR}/Doxyfile @ONLY)
    add_custom_target(docs COMMAND ${DOXYGEN} ${PROJECT_BINARY_DIR}/Doxyfile)
    add_test(NAME docs COMMAND ${DOXYGEN} ${PROJECT_BINARY_DIR}/Doxyfile)
else()
    mp_add_skipped_test(docs "no Doxygen")
endif()
