# Script: makes the folder of cross-built Windows libraries (APR, CUnit, libcbor, static) that toolchain-mingw.cmake uses.
#
# The sources come from this system's own package archive, by a private source list, so that nothing of the user's apt
# configuration changes and root is not needed.

cmake_minimum_required(VERSION 3.20)
include(${CMAKE_CURRENT_LIST_DIR}/win-cache.cmake)
if(EXISTS ${MP_WIN_SYSROOT})
    message(STATUS "Windows libraries: ${MP_WIN_SYSROOT}")
    return()
endif()

string(RANDOM LENGTH 8 unique)
set(work ${MP_WIN_SYSROOT}.${unique})
set(stage ${work}/stage) # becomes the sysroot in one step, so a half-made one is never seen
message(STATUS "Windows libraries: building them in ${work}")

# Runs a command; what it prints goes to a log that is shown only if it fails.
function(run what)
    message(STATUS "  ${what}")
    execute_process(
        COMMAND ${ARGN}
        WORKING_DIRECTORY ${work}
        OUTPUT_VARIABLE log
        ERROR_VARIABLE log
        RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${what}: ${result}\n${log}")
    endif()
endfunction()

# Writes to FILE the source-package entries that correspond to this system's package entries, the release's name
# replaced by another one if asked.
function(write_source_list file release)
    set(text "")
    file(GLOB lists /etc/apt/sources.list /etc/apt/sources.list.d/*.list)
    foreach(list IN LISTS lists)
        file(STRINGS ${list} lines REGEX "^deb[ \t]")
        foreach(line IN LISTS lines)
            string(REGEX REPLACE "^deb" "deb-src" line "${line}")
            string(APPEND text "${line}\n")
        endforeach()
    endforeach()
    set(extension list)
    if(text STREQUAL "")
        set(extension sources)
        file(GLOB lists /etc/apt/sources.list.d/*.sources)
        foreach(list IN LISTS lists)
            file(READ ${list} entries)
            string(REGEX REPLACE "(^|\n)Types:[^\n]*" "\\1Types: deb-src" entries "${entries}")
            string(APPEND text "${entries}\n")
        endforeach()
    endif()
    if(release)
        string(REPLACE bookworm ${release} text "${text}")
    endif()
    file(WRITE ${work}/${file}.${extension} "${text}")
    set(list ${work}/${file}.${extension} PARENT_SCOPE)
endfunction()

# Downloads the newest upstream source archives of the packages named, as many as this release has, or another one.
function(download release)
    set(apt_dir ${work}/apt${release})
    file(MAKE_DIRECTORY ${apt_dir}/lists/partial ${apt_dir}/cache/archives/partial)
    write_source_list(sources${release} "${release}")
    set(apt apt-get -q -o Dir::Etc::sourcelist=${list} -o Dir::Etc::sourceparts=- -o Dir::State::Lists=${apt_dir}/lists
            -o Dir::Cache=${apt_dir}/cache -o APT::Sandbox::User=root)
    run("reading the list of source packages ${release}" ${apt} update)
    foreach(package IN LISTS ARGN)
        message(STATUS "  downloading ${package}")
        execute_process(
            COMMAND ${apt} source --download-only ${package}
            WORKING_DIRECTORY ${work}
            OUTPUT_QUIET ERROR_QUIET)
    endforeach()
endfunction()

# Sets ARCHIVE to the source archive of PACKAGE, empty if there is none yet. apt-get has compared it with the signed
# list before it gave it this name.
function(find_archive package)
    file(GLOB archive ${work}/${package}_*.orig.tar.*)
    list(FILTER archive EXCLUDE REGEX "\\.asc$")
    set(archive "${archive}" PARENT_SCOPE)
endfunction()

# Unpacks PACKAGE's archive and sets SOURCE to its folder.
function(unpack package)
    find_archive(${package})
    if(NOT archive)
        message(FATAL_ERROR "${package}: its source cannot be downloaded from this system's package archive")
    endif()
    file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${work}/src)
    file(GLOB source ${work}/src/${package}-*)
    set(source ${source} PARENT_SCOPE)
endfunction()

# Configures and builds SOURCE with the cross toolchain.
function(build package target)
    run("configuring ${package}" ${CMAKE_COMMAND} -G Ninja -S ${source} -B ${work}/${package}
        -DCMAKE_TOOLCHAIN_FILE=${CMAKE_CURRENT_LIST_DIR}/toolchain-mingw.cmake -DMP_WIN_SYSROOT=${stage}
        -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=${stage} ${ARGN})
    run("building ${package}" ${CMAKE_COMMAND} --build ${work}/${package} --target ${target})
endfunction()

# APR's build for Windows is written for Microsoft's compiler; these are the places where mingw-w64 differs.
function(build_apr)
    unpack(apr)
    set(shim ${work}/shim)
    # Headers that APR spells with capitals.
    file(WRITE ${shim}/ShellAPI.h "#include <shellapi.h>\n")
    file(WRITE ${shim}/Iphlpapi.h "#include <iphlpapi.h>\n")
    # What APR expects of <Iphlpapi.h>, without winsock, whose FD_SETSIZE APR sets first.
    file(WRITE ${shim}/apr_mingw.h
         "#ifndef RC_INVOKED\n#define NETIOAPI_API_ WINAPI\n#define NET_IFINDEX ULONG\n#define IF_NAMESIZE 257\n"
         "unsigned long __stdcall if_nametoindex(const char *);\n"
         "char *__stdcall if_indextoname(unsigned long, char *);\n#endif\n")
    # The generator of a table has to run here, not on Windows.
    run("building APR's table generator" cc -I${source}/include -o ${work}/gen_test_char
        ${source}/tools/gen_test_char.c)
    file(READ ${source}/CMakeLists.txt lists)
    string(REPLACE "$<TARGET_FILE:gen_test_char>" ${work}/gen_test_char lists "${lists}")
    file(WRITE ${source}/CMakeLists.txt "${lists}")

    string(JOIN " " flags -D_WIN32_WINNT=0x0601 -DCOM_NO_WINDOWS_H "-isystem ${shim}" "-include apr_mingw.h"
           -DHAVE_ATOMIC_BUILTINS=1 -DHAVE_ATOMIC_BUILTINS64=1 -Wno-incompatible-pointer-types)
    build(apr apr-1 -DINSTALL_PDB=OFF -DMIN_WINDOWS_VER=0x0601 "-DCMAKE_C_FLAGS=${flags}")
    file(GLOB headers ${source}/include/apr_*.h)
    file(COPY ${work}/apr/apr.h ${headers} DESTINATION ${stage}/include)
    file(COPY ${work}/apr/libapr-1.a DESTINATION ${stage}/lib)
endfunction()

function(build_cunit)
    unpack(cunit)
    file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/win-cunit.cmake ${source}/CMakeLists.txt)
    build(cunit all)
    run("installing CUnit" ${CMAKE_COMMAND} --install ${work}/cunit)
endfunction()

function(build_libcbor)
    unpack(libcbor)
    build(libcbor cbor -DWITH_EXAMPLES=OFF)
    run("installing libcbor" ${CMAKE_COMMAND} --install ${work}/libcbor)
endfunction()

file(MAKE_DIRECTORY ${work})
set(packages apr cunit libcbor)
download("" ${packages})
foreach(package IN ITEMS ${packages})
    find_archive(${package})
    if(archive)
        list(REMOVE_ITEM packages ${package})
    endif()
endforeach()
if(packages)
    # Some mirrors do not hold the sources of a release that is no longer the newest.
    download(trixie ${packages})
endif()
build_apr()
build_cunit()
build_libcbor()

file(RENAME ${stage} ${MP_WIN_SYSROOT})
file(REMOVE_RECURSE ${work})
message(STATUS "Windows libraries: ${MP_WIN_SYSROOT}")
