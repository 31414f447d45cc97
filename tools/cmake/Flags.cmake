# One INTERFACE target carries our language level, warnings and sanitizers: syncline::flags.
option(SYNCLINE_WERROR "Treat warnings as errors" OFF)
set(SYNCLINE_SANITIZE "" CACHE STRING "address, thread, fuzz or empty")
set_property(CACHE SYNCLINE_SANITIZE PROPERTY STRINGS "" address thread fuzz)

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

# Sanitizers apply to generated code too: they change the ABI-free run time, not the warnings.
add_library(syncline_sanitize INTERFACE)
add_library(syncline::sanitize ALIAS syncline_sanitize)
if(SYNCLINE_SANITIZE STREQUAL "address")
  # -fno-sanitize=vptr: false reports through cpprest's hidden type information.
  target_compile_options(syncline_sanitize INTERFACE -fsanitize=address,undefined -fno-sanitize=vptr
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(syncline_sanitize INTERFACE -fsanitize=address,undefined -fno-sanitize=vptr)
elseif(SYNCLINE_SANITIZE STREQUAL "thread")
  target_compile_options(syncline_sanitize INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(syncline_sanitize INTERFACE -fsanitize=thread)
elseif(SYNCLINE_SANITIZE STREQUAL "fuzz")
  target_compile_options(syncline_sanitize INTERFACE -fsanitize=fuzzer-no-link,address,undefined
                         -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(syncline_sanitize INTERFACE -fsanitize=address,undefined)
endif()

add_library(syncline_flags INTERFACE)
add_library(syncline::flags ALIAS syncline_flags)
target_compile_features(syncline_flags INTERFACE cxx_std_23)
target_link_libraries(syncline_flags INTERFACE syncline_sanitize)
target_compile_options(syncline_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Designated initialisers that leave members at their defaults are how our options are written.
  target_compile_options(syncline_flags INTERFACE -Wno-missing-field-initializers)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(syncline_flags INTERFACE -Wno-missing-field-initializers -Wno-missing-designated-field-initializers)
endif()
if(SYNCLINE_WERROR)
  target_compile_options(syncline_flags INTERFACE -Werror)
endif()
target_compile_options(syncline_flags INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_link_options(syncline_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fuse-ld=mold> $<$<CONFIG:Release>:-s>)
