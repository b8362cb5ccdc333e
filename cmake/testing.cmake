# How tests are registered: every case of every test program is a ctest of its own.

find_package(CUnit REQUIRED)

set(MP_TEST_SLOWNESS 1 CACHE STRING "Whole factor for the tests' time-outs; environment MP_TEST_SLOWNESS comes first")
set(slowness 1)
foreach(value IN ITEMS "${MP_TEST_SLOWNESS}" "$ENV{MP_TEST_SLOWNESS}")
    if(value)
        set(slowness ${value})
    endif()
endforeach()

# Longer than the harness gives a case, which ends with a line that says what hung.
math(EXPR MP_TEST_TIMEOUT "120 * ${slowness}")

# Sets what all tests have in common.
function(mp_set_test_properties)
    set(environment MP_TEST_SLOWNESS=${slowness})
    if(MP_SANITIZE)
        list(APPEND environment LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0)
    endif()
    set_tests_properties(
        ${ARGN} PROPERTIES TIMEOUT ${MP_TEST_TIMEOUT} SKIP_RETURN_CODE 77 ENVIRONMENT "${environment}")
    if(MP_WINE_PREFIX)
        set_tests_properties(${ARGN} PROPERTIES FIXTURES_REQUIRED wine)
    endif()
endfunction()

# Adds for every line MP_CASE(case) of SOURCE the test NAME.case, which runs the program TARGET with the case's name.
function(mp_add_cases name target source)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(STRINGS ${source} lines REGEX "^MP_CASE\\(.*\\)")
    foreach(line IN LISTS lines)
        string(REGEX REPLACE "^MP_CASE\\(([a-zA-Z0-9_]+)\\).*" "\\1" case "${line}")
        add_test(NAME ${name}.${case} COMMAND ${target} ${case})
        mp_set_test_properties(${name}.${case})
    endforeach()
endfunction()

# Adds the test program test_NAME of SOURCE, linked with the harness and the other libraries, and its cases.
function(mp_add_test name source)
    set(target test_${name})
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE mp_harness ${ARGN})
    mp_add_cases(${name} ${target} ${source})
endfunction()

# The same program once more as C23 and as C++17, where the compilers have them.
function(mp_add_dialects name source)
    if(MP_HAS_C23)
        mp_add_test(${name}_c23 ${source} ${ARGN})
        set_property(TARGET test_${name}_c23 PROPERTY C_STANDARD) # CMake knows that one since 3.21 only
        target_compile_options(test_${name}_c23 PRIVATE -std=c2x)
    endif()
    if(CMAKE_CXX_COMPILER)
        set(wrapper ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
        file(WRITE ${wrapper} "#include \"${source}\"\n")
        set(target test_${name}_cxx)
        add_executable(${target} ${wrapper})
        target_link_libraries(${target} PRIVATE mp_harness ${ARGN})
        set_target_properties(${target} PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
        mp_add_cases(${name}_cxx ${target} ${source})
    endif()
endfunction()

# A test that some tool or condition is missing for: it shows as skipped, with the reason.
function(mp_add_skipped_test name reason)
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${reason}")
    set_tests_properties(${name} PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped: ")
endfunction()

# The Wine prefix stands and its server runs while tests do.
if(MP_WINE_PREFIX)
    add_test(NAME wine.start COMMAND ${PROJECT_SOURCE_DIR}/cmake/wine-run ${MP_WINE_PREFIX} --start)
    add_test(NAME wine.stop COMMAND ${PROJECT_SOURCE_DIR}/cmake/wine-run ${MP_WINE_PREFIX} --stop)
    set_tests_properties(wine.start PROPERTIES FIXTURES_SETUP wine)
    set_tests_properties(wine.stop PROPERTIES FIXTURES_CLEANUP wine)
endif()

# The start methods of the system that is built for.
set(MP_START_METHODS spawn)
if(UNIX)
    list(APPEND MP_START_METHODS fork forkserver)
endif()

# Tests that the program NAME of examples/ does what its first comment says: under every start method, with its
# standard output a pipe and a file.
function(mp_add_program_tests name)
    foreach(method IN LISTS MP_START_METHODS)
        foreach(output IN ITEMS pipe file)
            set(test programs.${name}.${method}.${output})
            add_test(NAME ${test}
                     COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${name}> "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}"
                             -DMETHOD=${method} -DOUTPUT=${output} -P ${PROJECT_SOURCE_DIR}/cmake/check-program.cmake)
            mp_set_test_properties(${test})
        endforeach()
    endforeach()
endfunction()
