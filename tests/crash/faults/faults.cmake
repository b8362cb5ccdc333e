# The fault tests: the library with its points, and the check that every place in the sources is one.

if(NOT TARGET multiproc_faults)
    mp_add_skipped_test(faults "fault points need GNU C")
    return()
endif()

mp_add_harness(mp_harness_faults multiproc_faults)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.c)
add_executable(test_crash_faults ${sources})
target_include_directories(test_crash_faults PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(test_crash_faults PRIVATE mp_harness_faults)
mp_add_cases(crash_faults test_crash_faults ${CMAKE_CURRENT_LIST_DIR}/faults.c)
