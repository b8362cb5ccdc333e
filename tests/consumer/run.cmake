# Script: installs the project built in BUILD, builds the programs of this folder against the installed tree, found by
# WAY, and runs them under all METHODS.

cmake_minimum_required(VERSION 3.20)
set(here ${CMAKE_CURRENT_LIST_DIR})
get_filename_component(root ${here}/../.. ABSOLUTE)
set(work ${BUILD}/consumer/${WAY})
file(REMOVE_RECURSE ${work})

function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --config ${CONFIG} --prefix ${work}/installed)
# Moved: nothing in it may remember where it was installed.
file(RENAME ${work}/installed ${work}/moved)
set(prefix ${work}/moved)

set(options -DWAY=${WAY} -DSHARED=${SHARED} -DEXAMPLES=${root}/examples -DCMAKE_BUILD_TYPE=${CONFIG} -DCMAKE_PREFIX_PATH=${prefix})
if(TOOLCHAIN)
    list(APPEND options -DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN} -DCMAKE_FIND_ROOT_PATH=${prefix} -DMP_WINE_PREFIX=${WINE_PREFIX})
else()
    list(APPEND options -DCMAKE_C_COMPILER=${CC})
    if(CXX)
        list(APPEND options -DCMAKE_CXX_COMPILER=${CXX})
    endif()
endif()
file(GLOB_RECURSE pc ${prefix}/multiproc.pc)
get_filename_component(pc_dir ${pc} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${pc_dir})
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${here} -B ${work}/build ${options})
run(${CMAKE_COMMAND} --build ${work}/build --config ${CONFIG})

set(ENV{WINEPATH} Z:${prefix}/bin) # where the DLL is
file(GLOB programs ${work}/build/0* ${work}/build/cpp ${work}/build/static ${work}/build/*.exe)
list(FILTER programs EXCLUDE REGEX "/foreign\\.exe$")
list(REMOVE_DUPLICATES programs)
foreach(program IN LISTS programs)
    foreach(method IN LISTS METHODS)
        message(STATUS "${program}, ${method}")
        execute_process(
            COMMAND ${CMAKE_COMMAND} -DPROGRAM=${program} "-DEMULATOR=${EMULATOR}" -DMETHOD=${method} -DOUTPUT=pipe
                    -P ${root}/cmake/check-program.cmake
            COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
endforeach()

file(GLOB foreign ${work}/build/foreign ${work}/build/foreign.exe)
if(SHARED)
    foreach(case IN ITEMS process generations pool manager)
        run(${EMULATOR} ${foreign} ${work}/build/plugin.plugin ${case})
    endforeach()
endif()
