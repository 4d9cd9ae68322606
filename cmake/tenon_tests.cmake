# tenon_program and tenon_test: how an example or C test is built and registered with ctest, once
# plainly and once, labelled `valgrind`, under valgrind.

find_program(VALGRIND valgrind)
if(NOT VALGRIND)
  message(STATUS "valgrind is not installed: the tests labelled valgrind are left out")
endif()

# Any error and any block that is lost in any way fails the test. Generated code appears and is
# replaced at run time, hence --smc-check; host stacks of other threads are not the main stack.
set(TENON_VALGRIND ${VALGRIND} --quiet --error-exitcode=99 --leak-check=full
  --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible
  --smc-check=all-non-file --num-callers=30
  --suppressions=${PROJECT_SOURCE_DIR}/cmake/valgrind.supp)

# The engines that the C tests run on: tests/c/test_util.h says what each is.
set(TENON_TEST_ENGINES checked moving eager collecting)

# Settings that every C program of this project shares.
function(tenon_c_settings target)
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE ${TENON_C_OPTIONS})
  target_link_libraries(${target} PRIVATE Threads::Threads)
endfunction()

# tenon_program(NAME SOURCE...): a program that uses the shared library.
function(tenon_program name)
  add_executable(${name} ${ARGN})
  tenon_c_settings(${name})
  target_link_libraries(${name} PRIVATE tenon::tenon)
endfunction()

# tenon_cxx_program(NAME STANDARD SOURCE...): a program in C++ that uses the shared library.
function(tenon_cxx_program name standard)
  add_executable(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES
    CXX_STANDARD ${standard} CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  target_compile_options(${name} PRIVATE ${TENON_C_OPTIONS})
  target_link_libraries(${name} PRIVATE tenon::tenon Threads::Threads)
endfunction()

# tenon_wasm(TARGET FILE.wat...): each .wat of this directory as a .wasm in the build directory.
function(tenon_wasm target)
  set(binaries)
  foreach(text ${ARGN})
    get_filename_component(stem ${text} NAME_WLE)
    set(binary ${CMAKE_CURRENT_BINARY_DIR}/${stem}.wasm)
    add_custom_command(OUTPUT ${binary}
      COMMAND wat2wasm ${CMAKE_CURRENT_SOURCE_DIR}/${text} ${binary}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${text} wat2wasm
      COMMENT "Assembling ${stem}.wasm"
      VERBATIM)
    list(APPEND binaries ${binary})
  endforeach()
  add_custom_target(${target} ALL DEPENDS ${binaries})
endfunction()

# tenon_test(NAME COMMAND...): the command under ctest, once for each kind of engine, and again under
# valgrind.
function(tenon_test name)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  foreach(engine ${TENON_TEST_ENGINES})
    add_test(NAME ${name}-${engine} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    set_tests_properties(${name}-${engine} PROPERTIES
      TIMEOUT 300 ENVIRONMENT TENON_TEST_ENGINE=${engine})
  endforeach()
  set_tests_properties(${name}-collecting PROPERTIES
    ENVIRONMENT "TENON_TEST_ENGINE=collecting;TENON_TEST_SLOW=1")
  if(VALGRIND)
    add_test(NAME valgrind-${name} COMMAND ${TENON_VALGRIND} ${ARGN}
      WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    # A program that does something very often does it less often under valgrind, which is some
    # thirty times slower.
    set_tests_properties(valgrind-${name} PROPERTIES
      LABELS valgrind TIMEOUT 600 ENVIRONMENT "TENON_TEST_SLOW=1;TENON_TEST_ENGINE=checked")
  endif()
endfunction()

# tenon_compare(NAME EXPECTED [FAULTS]): the program NAME of this directory, whose output must be exactly that of
# the file EXPECTED, as the test example-NAME. FAULTS: its traps are found by faults of the hardware, which valgrind
# takes for errors of the program; the C tests run the same traps under valgrind, as checks.
function(tenon_compare name expected)
  set(compare -DDIRECTORY=${CMAKE_CURRENT_BINARY_DIR} -DEXPECTED=${expected}
    -P ${PROJECT_SOURCE_DIR}/cmake/compare_output.cmake)
  add_test(NAME example-${name}
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${name}> ${compare})
  set_tests_properties(example-${name} PROPERTIES TIMEOUT 60)
  if(VALGRIND AND NOT "FAULTS" IN_LIST ARGN)
    add_test(NAME valgrind-example-${name}
      COMMAND ${CMAKE_COMMAND} "-DPROGRAM=${TENON_VALGRIND};$<TARGET_FILE:${name}>" ${compare})
    set_tests_properties(valgrind-example-${name} PROPERTIES LABELS valgrind TIMEOUT 300)
  endif()
endfunction()

# tenon_example(NAME [FAULTS]): c-examples/NAME.c and NAME.expected.
function(tenon_example name)
  tenon_program(${name} ${name}.c)
  tenon_compare(${name} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.expected ${ARGN})
endfunction()
