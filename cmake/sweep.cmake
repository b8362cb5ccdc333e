# The whole proof that a kill does no harm: cmake [-DSTRIDE=5] [-DJOBS=8] [-DINSTALL=OFF] -P cmake/sweep.cmake
#
# Builds the leg gcc and kills at every instruction of every operation of tests/crash/posix (with STRIDE at every so
# many-th; of long loops as scene.h says), then at every fault point. Linux on x86-64. Most of the time the survivors
# sleep, so several operations are tried at once. Its last line sums up what was tried and what was broken.

cmake_minimum_required(VERSION 3.20)
include(${CMAKE_CURRENT_LIST_DIR}/commands.cmake)
if(NOT STRIDE)
    set(STRIDE 1)
endif()
if(NOT JOBS)
    set(JOBS 8)
endif()
mp_provide_packages(${MP_PACKAGES_gcc})

set(logs ${MP_ROOT}/build/gcc/sweep)
set(programs "")
set(list "") # lines: a program, a case, where it writes to
file(GLOB sources ${MP_ROOT}/tests/crash/posix/test_*_steps.c)
foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "^test_" "test_crash_" name ${name})
    list(APPEND programs ${name})
    file(STRINGS ${source} cases REGEX "^MP_CASE\\(")
    foreach(case IN LISTS cases)
        string(REGEX REPLACE "^MP_CASE\\((.*)\\)$" "\\1" case "${case}")
        string(APPEND list "${MP_ROOT}/build/gcc/tests/${name} ${case} ${logs}/${name}.${case}.log\n")
    endforeach()
endforeach()

mp_run(result ${CMAKE_COMMAND} --preset gcc)
if(result EQUAL 0)
    mp_run(result ${CMAKE_COMMAND} --build --preset gcc -t ${programs} test_crash_faults)
endif()
if(NOT result EQUAL 0)
    message(FATAL_ERROR "cannot be built")
endif()

mp_heading("Every instruction")
file(REMOVE_RECURSE ${logs})
file(WRITE ${logs}/list "${list}")
set(ENV{MP_TEST_EVERY_STEP} ${STRIDE})
set(ENV{MP_TEST_CASE_SECONDS} 7200)
set(ENV{MP_TEST_SLOWNESS} 5)
set(ENV{TMPDIR} ${logs}/files) # the look for leaks sees what others leave in a folder that is shared
file(MAKE_DIRECTORY $ENV{TMPDIR})
mp_run(failed xargs -a ${logs}/list -P ${JOBS} -n 3 sh -c "\"$0\" \"$1\" >\"$2\" 2>&1 || ! echo \"failed: $1\"")

unset(ENV{TMPDIR})

set(points 0)
set(tried 0)
set(broken 0)
set(left_out 0)
file(GLOB files ${logs}/*.log)
foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME)
    string(REGEX REPLACE "^test_crash_(.*)\\.log$" "\\1" name ${name})
    file(STRINGS ${file} lines REGEX "^[0-9]+ points, ")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "^([0-9]+) points, ([0-9]+) tried, ([0-9]+) broken, .* ([0-9]+) left out" counts "${line}")
        mp_say("${name}: ${line}")
        math(EXPR points "${points} + ${CMAKE_MATCH_1}")
        math(EXPR tried "${tried} + ${CMAKE_MATCH_2}")
        math(EXPR broken "${broken} + ${CMAKE_MATCH_3}")
        math(EXPR left_out "${left_out} + ${CMAKE_MATCH_4}")
    endforeach()
endforeach()

mp_heading("Fault points")
set(ENV{MP_TEST_FAULTS} all)
mp_run(faults ${MP_ROOT}/build/gcc/tests/test_crash_faults)

mp_heading("Both")
if(failed OR faults OR broken GREATER 0 OR tried EQUAL 0)
    message(SEND_ERROR "something is broken; the operations' words are in ${logs}")
endif()
mp_say("${points} points, ${tried} tried, ${broken} broken; left out as rounds like others: ${left_out}")
