# shed_precompile(TARGET json|asio|test): the headers that nearly every file of such a target parses
# and that take most of its compile time, parsed once. Sources still include what they use: a build
# with SHED_PCH=OFF (the dev preset) shows where they forgot.
option(SHED_PCH "Precompile the heavy headers" ON)

set(shed_pch_headers_json <algorithm> <functional> <map> <set> <string> <vector> <nlohmann/json.hpp>)
set(shed_pch_headers_asio ${shed_pch_headers_json} <boost/asio/as_tuple.hpp> <boost/asio/awaitable.hpp>
                          <boost/asio/co_spawn.hpp> <boost/asio/steady_timer.hpp> <boost/asio/use_awaitable.hpp>)
set(shed_pch_headers_test ${shed_pch_headers_json} <gmock/gmock.h> <gtest/gtest.h>)

function(shed_precompile target set)
  if(NOT SHED_PCH)
    return()
  endif()
  if(NOT TARGET shed_pch_${set})
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/pch/${set}.cpp CONTENT "// Carries the headers of ${set}.\n")
    add_library(shed_pch_${set} OBJECT ${CMAKE_BINARY_DIR}/pch/${set}.cpp)
    target_link_libraries(shed_pch_${set} PRIVATE shed_build_flags)
    if(set STREQUAL "asio")
      target_compile_definitions(shed_pch_asio PRIVATE BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)
    elseif(set STREQUAL "test")
      target_link_libraries(shed_pch_test PRIVATE GTest::gmock)
    endif()
    target_precompile_headers(shed_pch_${set} PRIVATE ${shed_pch_headers_${set}})
  endif()
  target_precompile_headers(${target} REUSE_FROM shed_pch_${set})
endfunction()
