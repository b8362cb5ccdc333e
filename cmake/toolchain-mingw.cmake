# Cross toolchain: Windows programs by mingw-w64 GCC, run under Wine.
#
# The compiler of the win32 thread model: its programs need no winpthread DLL beside them.

# Whoever makes those libraries names the folder that they are about to stand in; its compiler checks do not.
if(NOT MP_WIN_SYSROOT)
    include(${CMAKE_CURRENT_LIST_DIR}/win-cache.cmake)
    get_property(mp_checking GLOBAL PROPERTY IN_TRY_COMPILE)
    if(NOT EXISTS ${MP_WIN_SYSROOT} AND NOT mp_checking)
        message(FATAL_ERROR "The Windows libraries are not there; this makes them: cmake -P cmake/win-sysroot.cmake")
    endif()
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MP_WIN_SYSROOT)

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-win32)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-win32)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

list(APPEND CMAKE_FIND_ROOT_PATH ${MP_WIN_SYSROOT} /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# The GUID that identifies an image; the linker writes none of its own accord.
foreach(kind IN ITEMS EXE SHARED MODULE)
    set(CMAKE_${kind}_LINKER_FLAGS_INIT "-Wl,--build-id -static-libgcc -static-libstdc++")
endforeach()

if(NOT MP_WINE_PREFIX)
    set(MP_WINE_PREFIX ${CMAKE_BINARY_DIR}/wine)
endif()
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/wine-run ${MP_WINE_PREFIX})
