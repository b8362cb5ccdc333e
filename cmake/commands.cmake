# What the two commands, demo.cmake and test.cmake, share: words on the screen, packages, start methods.

get_filename_component(MP_ROOT ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
if(NOT DEFINED INSTALL)
    set(INSTALL ON)
endif()

# To standard output, in order with what the commands that are run print there.
function(mp_say)
    execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${ARGN}")
endfunction()

function(mp_heading text)
    mp_say("")
    mp_say("==== ${text} ====")
endfunction()

# Runs a command in the source folder, what it prints is seen; sets RESULT to its exit code.
function(mp_run result)
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${MP_ROOT} RESULT_VARIABLE code)
    set(${result} ${code} PARENT_SCOPE)
endfunction()

# ---- packages --------------------------------------------------------------------------------------------------------

set(MP_PACKAGES_BUILD ninja-build libapr1-dev libcbor-dev)
set(MP_PACKAGES_DEMO ${MP_PACKAGES_BUILD} libgcrypt20-dev)
set(MP_PACKAGES_TEST ${MP_PACKAGES_DEMO} g++ pkg-config libcunit1-dev clang-format doxygen)
set(MP_PACKAGES_gcc ${MP_PACKAGES_TEST} spin)
set(MP_PACKAGES_portable ${MP_PACKAGES_TEST})
set(MP_PACKAGES_clang-asan ${MP_PACKAGES_TEST} clang libclang-rt-14-dev llvm)
set(MP_PACKAGES_mingw ${MP_PACKAGES_TEST} gcc-mingw-w64-x86-64-win32 g++-mingw-w64-x86-64-win32 mingw-w64-x86-64-dev
                      libgcrypt-mingw-w64-dev wine wine64)

# Sets MISSING to those of the Debian packages named that are not installed; on a system without them, to none.
function(mp_missing_packages missing)
    find_program(MP_DPKG_QUERY dpkg-query)
    set(${missing} "" PARENT_SCOPE)
    if(NOT MP_DPKG_QUERY)
        return()
    endif()
    set(packages ${ARGN})
    list(REMOVE_DUPLICATES packages)
    execute_process(
        COMMAND ${MP_DPKG_QUERY} -W -f "\${db:Status-Status} \${Package}\n" ${packages}
        OUTPUT_VARIABLE text
        ERROR_QUIET)
    foreach(package IN LISTS packages)
        string(FIND "\n${text}" "\ninstalled ${package}\n" position)
        if(position EQUAL -1)
            list(APPEND absent ${package})
        endif()
    endforeach()
    set(${missing} "${absent}" PARENT_SCOPE)
endfunction()

# Sets COMMAND to how apt-get can be run here with the rights to install, to nothing if it cannot.
function(mp_find_installer command)
    set(${command} "" PARENT_SCOPE)
    find_program(MP_APT_GET apt-get)
    if(NOT MP_APT_GET)
        return()
    endif()
    set(options -o DPkg::Lock::Timeout=300 -q)
    execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(user STREQUAL 0)
        set(${command} ${MP_APT_GET} ${options} PARENT_SCOPE)
        return()
    endif()
    execute_process(COMMAND sudo -n true RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
    if(result EQUAL 0)
        set(${command} sudo -n DEBIAN_FRONTEND=noninteractive ${MP_APT_GET} ${options} PARENT_SCOPE)
    endif()
endfunction()

# Sees to it that the packages are there: says which are missing, and installs them if that is possible and wanted.
function(mp_provide_packages)
    find_program(MP_DPKG_QUERY dpkg-query)
    if(NOT MP_DPKG_QUERY AND INSTALL)
        string(JOIN " " names ${ARGN})
        message(FATAL_ERROR "This system's packages are unknown here. What is needed, by Debian's names: ${names}. "
                            "Install it, then say so: cmake -DINSTALL=OFF -P ...")
    endif()
    mp_missing_packages(missing ${ARGN})
    if(NOT missing)
        return()
    endif()
    string(JOIN " " names ${missing})
    mp_say("Missing packages: ${names}")
    if(NOT INSTALL)
        return()
    endif()
    mp_find_installer(installer)
    if(NOT installer)
        mp_say("They cannot be installed from here: as root, say: apt-get install ${names}")
        return()
    endif()
    mp_heading("Installing packages")
    set(ENV{DEBIAN_FRONTEND} noninteractive)
    mp_run(result ${installer} update)
    mp_run(result ${installer} install -y --no-install-recommends ${missing})
    if(NOT result EQUAL 0)
        mp_say("apt-get install: ${result}")
    endif()
endfunction()
