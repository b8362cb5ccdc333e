# The models, checked by spin; and their mutations, each of which spin must find. It says nothing about a compiler or a
# back end, so one leg is enough.

find_program(SPIN NAMES spin)

function(mp_add_model test model)
    cmake_parse_arguments(arg FAILS "" WITH ${ARGN})
    add_test(NAME model.${test}
             COMMAND ${CMAKE_COMMAND} -DSPIN=${SPIN} -DCC=${CMAKE_C_COMPILER} -DMODEL=${model} "-DWITH=${arg_WITH}"
                     -DFAILS=${arg_FAILS} -DBUILD=${CMAKE_CURRENT_BINARY_DIR}/model/${test}
                     -P ${CMAKE_CURRENT_SOURCE_DIR}/model/run.cmake)
    mp_set_test_properties(model.${test})
    set_tests_properties(model.${test} PROPERTIES TIMEOUT 900) # the largest takes a minute and a half of a free processor
endfunction()

if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU" OR CMAKE_CROSSCOMPILING OR MP_PORTABLE_POSIX OR MP_SANITIZE)
    return()
endif()
if(NOT SPIN)
    mp_add_skipped_test(model "no spin")
    return()
endif()

mp_add_model(lock lock WITH DEATHS=1 BIRTHS=1)
mp_add_model(lock.epochs_wrap lock WITH MEMBERS=2 DEATHS=3 BIRTHS=3)
mp_add_model(lock.two_deaths lock WITH DEATHS=2 BIRTHS=2 PLAIN=1)
mp_add_model(wait wait WITH DEATHS=2)
mp_add_model(wait.all wait WITH DEATHS=2 ALL EACH=1)
mp_add_model(wait.bells wait WITH DEATHS=1 BELLS)
mp_add_model(wait.all_bells wait WITH DEATHS=2 BELLS ALL EACH=1)
mp_add_model(queue.two_putters queue WITH DEATHS=2 PUTTERS=2)
mp_add_model(queue.two_getters queue WITH DEATHS=2 PUTTERS=1 EACH=2)

foreach(mutation IN ITEMS DROP_WAKE NO_RECHECK RECOVER_OUTSIDE NO_WAITERS_BIT)
    mp_add_model(lock.${mutation} lock FAILS WITH DEATHS=1 ${mutation})
endforeach()
foreach(mutation IN ITEMS DROP_WAKE NO_RECHECK)
    mp_add_model(wait.${mutation} wait FAILS WITH DEATHS=0 ${mutation})
    mp_add_model(wait.bells.${mutation} wait FAILS WITH DEATHS=0 BELLS ${mutation})
endforeach()
foreach(mutation IN ITEMS DROP_WAKE NO_RECHECK COMMIT_FIRST)
    mp_add_model(queue.${mutation} queue FAILS WITH DEATHS=1 ${mutation})
endforeach()
