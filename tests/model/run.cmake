# Script: checks MODEL, lock for lock.pml, with the definitions WITH, by SPIN and the C compiler CC, in the folder BUILD.
# It must hold, or, where FAILS is set, spin must find that it does not.

cmake_minimum_required(VERSION 3.20)
file(REMOVE_RECURSE ${BUILD})
file(MAKE_DIRECTORY ${BUILD})
list(TRANSFORM WITH PREPEND -D OUTPUT_VARIABLE definitions)
string(JOIN " " title ${MODEL}.pml ${definitions})

macro(run)
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${BUILD} OUTPUT_VARIABLE text ERROR_VARIABLE text RESULT_VARIABLE code)
    if(NOT code EQUAL 0)
        message(FATAL_ERROR "${title}: ${ARGN}: ${code}\n${text}")
    endif()
endmacro()

# Without partial order reduction: it does not know how a process is killed here. COLLAPSE and a limit for the memory.
run(${SPIN} ${definitions} -a ${CMAKE_CURRENT_LIST_DIR}/${MODEL}.pml)
run(${CC} -O2 -w -DSAFETY -DNOREDUCE -DCOLLAPSE -DMEMLIM=1000 -o pan pan.c)
run(./pan -m100000)
file(REMOVE ${BUILD}/pan)

string(REGEX MATCH "errors: ([0-9]+)" found "${text}")
set(errors "${CMAKE_MATCH_1}")
string(REGEX MATCH "([0-9.e+]+) states, stored" found "${text}")
set(states "${CMAKE_MATCH_1}")
string(REGEX MATCH "elapsed time ([0-9.e+-]+)" found "${text}")
set(seconds "${CMAKE_MATCH_1}")
if(errors STREQUAL "" OR (errors STREQUAL "0" AND text MATCHES "depth too small|MEMLIM|out of memory|not complete"))
    message(FATAL_ERROR "${title}: the search did not come to its end\n${text}")
endif()
set(sum "${states} states, ${seconds} s")
if(errors STREQUAL "0")
    if(FAILS)
        message(FATAL_ERROR "${title}: no error found, though there is one (${sum})")
    endif()
    message(STATUS "${title}: holds (${sum})")
    return()
endif()
string(REGEX MATCH "pan:1: ([^\n]*)" found "${text}")
set(error "${CMAKE_MATCH_1}")
if(FAILS)
    message(STATUS "${title}: fails, as it must: ${error} (${sum})")
    return()
endif()
execute_process(
    COMMAND ${SPIN} ${definitions} -k ${BUILD}/${MODEL}.pml.trail -t -p -w ${CMAKE_CURRENT_LIST_DIR}/${MODEL}.pml
    WORKING_DIRECTORY ${BUILD} OUTPUT_VARIABLE steps ERROR_VARIABLE steps)
message(FATAL_ERROR "${title}: ${error}\n${steps}")
