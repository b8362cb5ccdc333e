# Script: fails if a million hot operations of PROGRAM (no_syscalls) make more than 100 system calls, as STRACE counts.

cmake_minimum_required(VERSION 3.20)

# Sets RESULT to how many calls the program makes for so many operations.
function(count_calls times result)
    execute_process(
        COMMAND ${STRACE} -f -c -U calls,name ${PROGRAM} ${times} ERROR_VARIABLE text RESULT_VARIABLE code)
    if(NOT code EQUAL 0 AND text MATCHES "ptrace|PTRACE")
        message("skipped: strace may not trace here")
        return()
    endif()
    if(NOT code EQUAL 0 OR NOT text MATCHES "([0-9]+) total")
        message(FATAL_ERROR "cannot be counted: ${text}")
    endif()
    set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()

count_calls(0 before)
count_calls(1000000 after)
if(DEFINED before AND DEFINED after)
    math(EXPR calls "${after} - ${before}")
    message("${calls} system calls in a million hot operations")
    if(calls GREATER 100)
        message(FATAL_ERROR "more than 100")
    endif()
endif()
