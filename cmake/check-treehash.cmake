# Script: runs the example PROGRAM, treehash, (with EMULATOR) on DIRECTORY and compares what it prints with the sums that
# CMake computes itself. With a directory that is not there it has to fail.

cmake_minimum_required(VERSION 3.20)

# Runs it with the arguments given; sets text, error and result.
macro(treehash)
    execute_process(
        COMMAND ${EMULATOR} ${PROGRAM} ${ARGN}
        OUTPUT_VARIABLE text
        ERROR_VARIABLE error
        RESULT_VARIABLE result)
    string(REPLACE "\r\n" "\n" text "${text}")
endmacro()

file(GLOB_RECURSE files ${DIRECTORY}/*)
list(SORT files)
set(expected "")
foreach(file IN LISTS files)
    file(SHA256 ${file} sum)
    string(APPEND expected "${sum}  ${file}\n")
endforeach()

foreach(workers IN ITEMS 1 2)
    treehash(${DIRECTORY} -j ${workers})
    if(NOT result STREQUAL 0 OR NOT error STREQUAL "")
        message(FATAL_ERROR "-j ${workers}: exit code ${result}: ${error}")
    elseif(NOT text STREQUAL expected)
        message(FATAL_ERROR "-j ${workers}: it printed:\n${text}instead of:\n${expected}")
    endif()
endforeach()

treehash(${DIRECTORY}/not-there)
if(NOT result STREQUAL 1 OR error STREQUAL "" OR NOT text STREQUAL "")
    message(FATAL_ERROR "no such directory: exit code ${result}, error: ${error}, output: ${text}")
endif()
