# Warnings, hardening, sanitizers, what saves compiling, and the helper that declares the library of a folder.

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)

find_program(HOLDFAST_CCACHE ccache)
if(HOLDFAST_CCACHE)
  # Without these ccache keeps nothing that was compiled with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${HOLDFAST_CCACHE}")
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

# Reading the standard library is a third of compiling a file. These headers are read once and then loaded; which ones,
# tests/structure knows too: it holds each file to including what it uses of them, so that a build without (the preset
# release, and who sets HOLDFAST_PCH=OFF) keeps working. They are the standard library's alone: what another library's
# headers hold depends on its macros, which are not the same in all targets.
set(HOLDFAST_PRECOMPILED <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <expected> <filesystem> <fstream>
  <functional> <map> <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread> <unordered_map> <utility>
  <vector>)

# holdfast_precompiled(NAME LINK ... HEADERS ... OPTIONS ...): what holdfast_use_precompiled(TARGET NAME) has targets with the
# same options load.
function(holdfast_precompiled name)
  if(NOT HOLDFAST_PCH)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK;HEADERS;OPTIONS")
  # CMake wants a source file to go with the header.
  file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${name}.cc" CONTENT "")
  add_library(${name} OBJECT "${CMAKE_CURRENT_BINARY_DIR}/${name}.cc")
  target_link_libraries(${name} PRIVATE holdfast_flags ${arg_LINK})
  target_compile_options(${name} PRIVATE ${arg_OPTIONS})
  target_precompile_headers(${name} PRIVATE ${arg_HEADERS})
endfunction()
function(holdfast_use_precompiled target name)
  if(HOLDFAST_PCH)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

# Of the program's own.
function(holdfast_product target)
  holdfast_use_precompiled(${target} holdfast_precompiled_std)
endfunction()

# holdfast_library(NAME DEPS ...): the library of one folder of proxy/, from all of its .cc files.
function(holdfast_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPS")
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc")
  if(sources)
    add_library(holdfast_${name} STATIC ${sources})
    holdfast_product(holdfast_${name})
    set(scope PUBLIC)
  else()
    add_library(holdfast_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(holdfast_${name} ${scope} holdfast_flags ${arg_DEPS})
endfunction()
