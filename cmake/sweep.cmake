# The whole proof that a kill does no harm: cmake [-DSTRIDE=5] [-DINSTALL=OFF] -P cmake/sweep.cmake
#
# Builds the leg gcc and kills at every instruction of every operation of tests/crash/posix (with STRIDE at every so
# many-th), then at every fault point. Linux on x86-64. Its last line sums up what was tried and what was broken.

cmake_minimum_required(VERSION 3.20)
include(${CMAKE_CURRENT_LIST_DIR}/commands.cmake)
if(NOT STRIDE)
    set(STRIDE 1)
endif()
mp_provide_packages(${MP_PACKAGES_gcc})

file(GLOB sources ${MP_ROOT}/tests/crash/posix/test_*_steps.c)
set(programs "")
foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "^test_" "test_crash_" name ${name})
    list(APPEND programs ${name})
endforeach()
mp_run(result ${CMAKE_COMMAND} --preset gcc)
if(result EQUAL 0)
    mp_run(result ${CMAKE_COMMAND} --build --preset gcc -t ${programs} test_crash_faults)
endif()
if(NOT result EQUAL 0)
    message(FATAL_ERROR "cannot be built")
endif()

set(points 0)
set(tried 0)
set(broken 0)
set(failed "")
set(ENV{MP_TEST_EVERY_STEP} ${STRIDE})
set(ENV{MP_TEST_CASE_SECONDS} 7200)
foreach(program IN LISTS programs)
    mp_heading(${program})
    execute_process(
        COMMAND ${MP_ROOT}/build/gcc/tests/${program}
        OUTPUT_VARIABLE text
        ERROR_VARIABLE text
        RESULT_VARIABLE result)
    mp_say("${text}")
    if(NOT result EQUAL 0)
        list(APPEND failed ${program})
    endif()
    string(REGEX MATCHALL "[0-9]+ points, [0-9]+ tried, [0-9]+ broken" lines "${text}")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "([0-9]+) points, ([0-9]+) tried, ([0-9]+) broken" line "${line}")
        math(EXPR points "${points} + ${CMAKE_MATCH_1}")
        math(EXPR tried "${tried} + ${CMAKE_MATCH_2}")
        math(EXPR broken "${broken} + ${CMAKE_MATCH_3}")
    endforeach()
endforeach()

mp_heading("Fault points")
set(ENV{MP_TEST_FAULTS} all)
mp_run(result ${MP_ROOT}/build/gcc/tests/test_crash_faults)
if(NOT result EQUAL 0)
    list(APPEND failed test_crash_faults)
endif()

mp_heading("Every instruction")
if(failed OR broken GREATER 0 OR tried EQUAL 0)
    message(SEND_ERROR "broken: ${failed}")
endif()
mp_say("${points} points, ${tried} tried, ${broken} broken")
