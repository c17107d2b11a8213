# Warnings, hardening, sanitizers, and the two helpers that declare a library a folder and its unit tests.

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)

find_program(HOLDFAST_CCACHE ccache)
if(HOLDFAST_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${HOLDFAST_CCACHE}")
endif()

add_library(holdfast_flags INTERFACE)
target_compile_options(holdfast_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wcast-align -Wformat=2 -Wimplicit-fallthrough -fno-omit-frame-pointer -fstack-protector-strong)
target_compile_definitions(holdfast_flags INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_include_directories(holdfast_flags INTERFACE "${CMAKE_SOURCE_DIR}/proxy")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside the standard library and Boost where nothing is wrong (GCC bugs 105329, 105651), and
  # missing-field-initializers for designated initializers that leave a member to its default on purpose.
  target_compile_options(holdfast_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow
    -Wno-stringop-overread -Wno-array-bounds -Wno-dangling-pointer -Wno-free-nonheap-object -Wno-missing-field-initializers)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # The same.
  target_compile_options(holdfast_flags INTERFACE -Wno-missing-designated-field-initializers)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND HOLDFAST_SANITIZE MATCHES "thread")
  # Asio fences where a mutex orders everything already; the sanitizer does not model fences, and GCC says so.
  target_compile_options(holdfast_flags INTERFACE -Wno-tsan)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(holdfast_flags INTERFACE _FORTIFY_SOURCE=2)
  target_link_options(holdfast_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(HOLDFAST_SANITIZE)
  add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
endif()
if(HOLDFAST_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

# holdfast_library(NAME DEPS ...): the library of one folder of proxy/, from all of its .cc files.
function(holdfast_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPS")
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc")
  if(sources)
    add_library(holdfast_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(holdfast_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(holdfast_${name} ${scope} holdfast_flags ${arg_DEPS})
endfunction()
