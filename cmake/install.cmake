# What `cmake --install` puts where: headers, libraries, a CMake package and a pkg-config file.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/multiproc)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# Two sets of targets: whoever uses the shared library does not need the libraries that it was linked with, only their
# DLLs; whoever uses the static one needs them all.
set(kinds static)
if(MP_BUILD_SHARED)
    list(APPEND kinds shared)
endif()
list(GET kinds -1 main_kind)
install(TARGETS multiproc_host EXPORT multiproc-${main_kind} RUNTIME DESTINATION ${MP_HOST_DIR})
foreach(kind IN LISTS kinds)
    install(TARGETS multiproc_${kind} EXPORT multiproc-${kind} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(EXPORT multiproc-${kind} NAMESPACE multiproc:: DESTINATION ${package_dir})
endforeach()

configure_package_config_file(cmake/multiproc-config.cmake.in multiproc-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(multiproc-config-version.cmake COMPATIBILITY SameMinorVersion)
install(
    FILES ${CMAKE_CURRENT_BINARY_DIR}/multiproc-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/multiproc-config-version.cmake
          cmake/FindAPR.cmake cmake/FindCBOR.cmake
    DESTINATION ${package_dir})

# The libraries stand in Libs.private, not in Requires.private: pkg-config would pass on the compiler flags of APR's
# development package, and ask for it, even to users of the shared library.
set(private_libraries "-lapr-1 -lcbor -lm ${CMAKE_THREAD_LIBS_INIT}")
if(WIN32)
    string(APPEND private_libraries " -lws2_32 -lmswsock -lrpcrt4 -ladvapi32 -lshell32 -liphlpapi -lbcrypt")
endif()
# Relative to where the file itself is, so that an installed tree can be moved.
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
configure_file(multiproc.pc.in multiproc.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/multiproc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
