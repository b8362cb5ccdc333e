# What the wire's tests need beyond others: literals that must not compile, a wrapped allocator.

# The compiler refuses it, and says why in words.
function(mp_add_refused_literal name text)
    set(c ${CMAKE_C_COMPILER} -std=c11 -x c)
    set(cxx ${CMAKE_CXX_COMPILER} -std=c++17 -x c++)
    foreach(language IN ITEMS c cxx)
        if(language STREQUAL cxx AND NOT CMAKE_CXX_COMPILER)
            continue()
        endif()
        set(test literals.${language}.refuses.${name})
        add_test(NAME ${test} COMMAND ${${language}} -fsyntax-only -I${PROJECT_SOURCE_DIR}/include -DREFUSED=${name}
                                      ${CMAKE_CURRENT_SOURCE_DIR}/wire/refused_literals.inc)
        set_tests_properties(${test} PROPERTIES PASS_REGULAR_EXPRESSION "error.*${text}")
    endforeach()
endfunction()

mp_add_refused_literal(ODD_DICT "mp_dict.has.a.key.without.a.value")
mp_add_refused_literal(KEY_ONLY "mp_dict.has.a.key.without.a.value")
mp_add_refused_literal(LIST_OF_33 "take.?.at.most.32.items.*see.mp_value_list")
mp_add_refused_literal(ARGS_OF_33 "take.?.at.most.32.items.*see.mp_value_list")
mp_add_refused_literal(DICT_OF_17 "take.?.at.most.32.items.*see.mp_value_list")
mp_add_refused_literal(LIST_OF_65 "")
mp_add_refused_literal(POINTER "int ?\\*")

# How much memory a hostile message makes the decoder ask for; the linkers of macOS and MSVC cannot tell.
include(CheckLinkerFlag)
check_linker_flag(C -Wl,--wrap=mp_nothing MP_LINKER_WRAPS)
if(MP_LINKER_WRAPS)
    target_compile_definitions(test_wire_hostile PRIVATE MP_TEST_WRAPS_MALLOC)
    target_link_options(test_wire_hostile PRIVATE -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc)
endif()
