# Script: does a test reach every status that src/platform.h names?
#
# A function's statuses are those named (MP_...) in the comment above its declaration, and in the one behind it. One is
# reached if some file here has a statement EXPECT_STATUS or REQUIRE_STATUS(mp__os_function(...), MP_...); EXPECT_OK and
# REQUIRE_OK count for MP_OK. That they hold is for the tests to say.

cmake_minimum_required(VERSION 3.20)

# What cannot be reached, as "function:status:why". An entry that is reached after all is an error.
set(unreachable
    "mp__os_watch_begin:MP_LIMIT:only Windows opens anything for it, and has no limit that a test could reach"
    "mp__os_door_create:MP_LIMIT:only Windows opens anything for it, and has no limit that a test could reach")

# Text without what CMake's lists would trip over; statements end with @.
function(read_text file out)
    file(READ ${file} text)
    string(REPLACE ";" "@" text "${text}")
    string(REGEX REPLACE "[][]" " " text "${text}")
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

set(comment "/\\*([^*]|\\*+[^*/])*\\*+/")

# Sets NAMED to "function:status" for all that the contract names.
function(list_named)
    read_text(${CMAKE_CURRENT_LIST_DIR}/../../src/platform.h text)
    string(REGEX MATCHALL "(${comment}[ \n]*)?mp_status_t mp__os_[a-z_]+\\([^@]*\\)@( *${comment})?" parts "${text}")
    set(named "")
    foreach(part IN LISTS parts)
        string(REGEX MATCH "mp_status_t (mp__os_[a-z_]+)" ignored "${part}")
        set(name ${CMAKE_MATCH_1})
        string(REGEX MATCHALL "MP_[A-Z_]+" statuses "${part}")
        list(FILTER statuses EXCLUDE REGEX "^MP__")
        foreach(status IN LISTS statuses)
            list(APPEND named "${name}:${status}")
        endforeach()
    endforeach()
    list(REMOVE_DUPLICATES named)
    set(named "${named}" PARENT_SCOPE)
endfunction()

# Sets REACHED to "function:status" for all that the tests expect.
function(list_reached)
    file(GLOB_RECURSE files ${CMAKE_CURRENT_LIST_DIR}/*.c)
    set(reached "")
    foreach(file IN LISTS files)
        read_text(${file} text)
        string(REGEX REPLACE "${comment}" " " text "${text}")
        string(REGEX MATCHALL "(EXPECT|REQUIRE)_STATUS\\(mp__os_[a-z_]+\\([^@]*, MP_[A-Z_]+\\)@" uses "${text}")
        foreach(use IN LISTS uses)
            string(REGEX MATCH "\\((mp__os_[a-z_]+)\\(.*, (MP_[A-Z_]+)\\)@$" ignored "${use}")
            list(APPEND reached "${CMAKE_MATCH_1}:${CMAKE_MATCH_2}")
        endforeach()
        string(REGEX MATCHALL "(EXPECT|REQUIRE)_OK\\(mp__os_[a-z_]+" uses "${text}")
        foreach(use IN LISTS uses)
            string(REGEX REPLACE "^.*\\(" "" name "${use}")
            list(APPEND reached "${name}:MP_OK")
        endforeach()
    endforeach()
    list(REMOVE_DUPLICATES reached)
    set(reached "${reached}" PARENT_SCOPE)
endfunction()

list_named()
list_reached()

set(excused "")
foreach(entry IN LISTS unreachable)
    string(REGEX MATCH "^([^:]+:[^:]+):(.+)" ignored "${entry}")
    list(APPEND excused ${CMAKE_MATCH_1})
    message(STATUS "not reached: ${CMAKE_MATCH_1}: ${CMAKE_MATCH_2}")
endforeach()

set(count 0)
set(faults "")
foreach(pair IN LISTS named)
    if(pair IN_LIST reached)
        math(EXPR count "${count} + 1")
        if(pair IN_LIST excused)
            list(APPEND faults "${pair} is reached, and still in the list of those that are not")
        endif()
    elseif(NOT pair IN_LIST excused)
        list(APPEND faults "${pair}: no test expects it")
    endif()
endforeach()
list(LENGTH named total)
message(STATUS "${count} of ${total} statuses reached")
if(faults OR total EQUAL 0)
    list(JOIN faults "\n  " faults)
    message(FATAL_ERROR "${count} of ${total} statuses reached:\n  ${faults}")
endif()
