# Script: fails if the static LIBRARY, built to use nothing that only Linux has, does so all the same.

cmake_minimum_required(VERSION 3.20)
execute_process(COMMAND ${NM} -u ${LIBRARY} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "U [A-Za-z0-9_]+" symbols "${text}")
list(REMOVE_DUPLICATES symbols)
list(LENGTH symbols count)
if(count EQUAL 0)
    message(FATAL_ERROR "no undefined symbols: this is not the library")
endif()
string(JOIN "|" forbidden
    syscall futex "memfd_.*" "pidfd_.*" "eventfd.*" "epoll_.*" "timerfd_.*" "signalfd.*" "inotify_.*" prctl pipe2 accept4
    dup3 gettid "sched_[gs]etaffinity" "__sched_cpu.*" "process_vm_.*" mremap clone unshare splice tgkill
    close_range "pthread_mutexattr_setrobust.*" "pthread_mutex_consistent.*"
    "pthread_condattr_setpshared")
foreach(symbol IN LISTS symbols)
    if(symbol MATCHES "^U (${forbidden})$")
        message(SEND_ERROR "only Linux has it: ${symbol}")
    endif()
endforeach()

foreach(path IN ITEMS /proc/ /sys/)
    file(STRINGS ${LIBRARY} lines REGEX "${path}")
    if(lines)
        message(SEND_ERROR "only Linux has it: ${lines}")
    endif()
endforeach()
message(STATUS "${count} undefined symbols")
