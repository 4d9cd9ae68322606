# Runs PROGRAM in DIRECTORY and compares what it prints with the file EXPECTED, byte for byte.
#
#   cmake -DPROGRAM=... -DDIRECTORY=... -DEXPECTED=... -P compare_output.cmake
execute_process(
  COMMAND ${PROGRAM}
  WORKING_DIRECTORY ${DIRECTORY}
  OUTPUT_VARIABLE printed
  ERROR_VARIABLE complaint
  RESULT_VARIABLE status)
file(READ ${EXPECTED} expected)

message("${printed}${complaint}")
if(NOT status STREQUAL "0")
  message(FATAL_ERROR "${PROGRAM} ended with ${status}")
endif()
if(NOT printed STREQUAL expected)
  message(FATAL_ERROR "${PROGRAM} should have printed:\n${expected}")
endif()
