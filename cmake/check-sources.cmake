# Script: fails if a source above the back ends asks for a system, or is written for one family of compilers only. The
# two headers in src/core that exist to hide compilers, and the public api.h, may do the latter.

cmake_minimum_required(VERSION 3.20)
file(GLOB_RECURSE files ${ROOT}/include/*.h ${ROOT}/src/platform.h ${ROOT}/src/core/*.[ch] ${ROOT}/src/wire/*.[ch]
     ${ROOT}/src/family/*.[ch] ${ROOT}/src/objects/*.[ch])
set(system "^[ \t]*#.*if.*(_WIN32|_WIN64|__linux__|__APPLE__|__unix__|__FreeBSD__|_POSIX)")
string(JOIN "|" words __typeof__ __attribute__ __int128 __asm __builtin_ __sync_ __atomic_ "_Atomic[ (]" _Thread_local
       "__thread " "<(stdatomic|threads|unistd|dirent|windows)\\.h>")
set(compiler "^([^*]*[^A-Za-z0-9_*])?(${words})") # not in a comment's lines

foreach(file IN LISTS files)
    file(STRINGS ${file} lines REGEX "${system}")
    if(lines)
        message(SEND_ERROR "${file} asks for a system: ${lines}")
    endif()
    if(file MATCHES "/(core/compiler|core/atomic|multiproc/api)\\.h$")
        continue()
    endif()
    file(STRINGS ${file} lines REGEX "${compiler}")
    if(lines)
        message(SEND_ERROR "${file} is for some compilers only: ${lines}")
    endif()
endforeach()
