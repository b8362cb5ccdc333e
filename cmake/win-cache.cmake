# Where the cross-built Windows libraries stand: sets MP_WIN_SYSROOT.
#
# The folder's name is a hash of the recipe, of the compiler and of this system's versions of the same libraries (the
# sources come from the same release), so a change of any of them makes a new sysroot and never mixes two.

if(NOT MP_WIN_SYSROOT)
    set(mp_cache "$ENV{XDG_CACHE_HOME}")
    if(NOT mp_cache)
        set(mp_cache "$ENV{HOME}/.cache")
    endif()
    set(mp_key "")
    foreach(file IN ITEMS win-sysroot.cmake win-cunit.cmake)
        file(SHA256 ${CMAKE_CURRENT_LIST_DIR}/${file} hash)
        string(APPEND mp_key "${hash} ")
    endforeach()
    execute_process(
        COMMAND dpkg-query -W libapr1-dev libcunit1-dev libcbor-dev gcc-mingw-w64-x86-64-win32 mingw-w64-x86-64-dev
        OUTPUT_VARIABLE versions
        ERROR_QUIET)
    string(SHA256 mp_key "${mp_key}${versions}")
    string(SUBSTRING ${mp_key} 0 16 mp_key)
    set(MP_WIN_SYSROOT ${mp_cache}/multiproc/win-${mp_key})
endif()
