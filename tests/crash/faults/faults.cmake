# The fault tests: the library with its points, and the check that every place in the sources is one.

if(NOT TARGET multiproc_faults)
    mp_add_skipped_test(faults "fault points need GNU C")
    return()
endif()

mp_add_harness(mp_harness_faults multiproc_faults)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.c)
add_executable(test_crash_faults ${sources})
target_include_directories(test_crash_faults PRIVATE ${CMAKE_CURRENT_LIST_DIR})
# All of the library, so that all labels are there.
target_link_libraries(
    test_crash_faults PRIVATE -Wl,--whole-archive multiproc_faults -Wl,--no-whole-archive mp_harness_faults)
mp_add_cases(crash_faults test_crash_faults ${CMAKE_CURRENT_LIST_DIR}/faults.c)

get_target_property(sources multiproc_faults SOURCES)
list(TRANSFORM sources REPLACE "^([^/])" "${PROJECT_SOURCE_DIR}/src/\\1")
add_test(NAME crash_faults.labels
         COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:test_crash_faults> "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}"
                 "-DSOURCES=${sources}" -DBACK_END=${back_end} -DROOT=${PROJECT_SOURCE_DIR}
                 -P ${CMAKE_CURRENT_LIST_DIR}/check_labels.cmake)
mp_set_test_properties(crash_faults.labels)
