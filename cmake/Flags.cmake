# shed_build_flags: warnings as errors and the sanitizers of this build, for our own targets only.
add_library(shed_build_flags INTERFACE)
target_compile_options(shed_build_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside its own std::string and std::variant at -O2 (GCC bugs 105329, 105562, 107852).
  target_compile_options(shed_build_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overread
                                                    -Wno-stringop-overflow -Wno-array-bounds)
  # ... and this where it inlines only one half of Asio's allocation of coroutine frames.
  target_compile_options(shed_build_flags INTERFACE -Wno-mismatched-new-delete)
endif()
set(SHED_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")
if(SHED_SANITIZE)
  add_compile_options(-fsanitize=${SHED_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SHED_SANITIZE})
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
