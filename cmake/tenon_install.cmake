# What `cmake --install` and CPack put where. Included only if this project is not part of another one's build.

set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "Where the libraries go, below the prefix")
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# A prefixed library stands beside the plain one: its headers have the same names, so they have a directory of their own.
set(TENON_INSTALL_LIBDIR ${CMAKE_INSTALL_LIBDIR})
set(TENON_INSTALL_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
if(TENON_SYMBOL_PREFIX)
  string(APPEND TENON_INSTALL_INCLUDEDIR /${TENON_NAME})
endif()
set(docdir ${CMAKE_INSTALL_DATAROOTDIR}/doc/${TENON_NAME})
set(cmakedir ${TENON_INSTALL_LIBDIR}/cmake/${TENON_NAME})
set(pkgconfigdir ${TENON_INSTALL_LIBDIR}/pkgconfig)
set(generated ${PROJECT_BINARY_DIR}/config)

# Paths in the pkg-config files are relative to the place where they are found.
file(RELATIVE_PATH TENON_PC_UP /prefix/${pkgconfigdir} /prefix)
string(REGEX REPLACE "/$" "" TENON_PC_UP "${TENON_PC_UP}")
foreach(directory LIBDIR INCLUDEDIR)
  if(IS_ABSOLUTE ${TENON_INSTALL_${directory}})
    set(TENON_PC_${directory} ${TENON_INSTALL_${directory}})
  else()
    set(TENON_PC_${directory} "\${prefix}/${TENON_INSTALL_${directory}}")
  endif()
endforeach()
string(REGEX REPLACE "([^;]+);?" "-l\\1 " TENON_PC_STATIC_NEEDS "${TENON_STATIC_NEEDS}")
string(STRIP "${TENON_PC_STATIC_NEEDS}" TENON_PC_STATIC_NEEDS)
configure_file(cmake/tenon.pc.in ${generated}/${TENON_NAME}.pc @ONLY)
configure_file(cmake/tenon-static.pc.in ${generated}/${TENON_NAME}-static.pc @ONLY)

# Before version 1, a minor version may change what the one before promised.
configure_package_config_file(cmake/tenon-config.cmake.in ${generated}/${TENON_NAME}-config.cmake
  INSTALL_DESTINATION ${cmakedir} PATH_VARS TENON_INSTALL_LIBDIR TENON_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${generated}/${TENON_NAME}-config-version.cmake COMPATIBILITY SameMinorVersion)

set(libraries ${TENON_DISTRIBUTION}/lib)
install(DIRECTORY ${TENON_DISTRIBUTION}/include/ DESTINATION ${TENON_INSTALL_INCLUDEDIR})
install(FILES
  ${libraries}/lib${TENON_NAME}.so
  ${libraries}/lib${TENON_NAME}.so.${PROJECT_VERSION_MAJOR}
  ${libraries}/lib${TENON_NAME}.so.${PROJECT_VERSION}
  ${libraries}/lib${TENON_NAME}.a
  DESTINATION ${TENON_INSTALL_LIBDIR})
install(FILES ${generated}/${TENON_NAME}-config.cmake ${generated}/${TENON_NAME}-config-version.cmake
  DESTINATION ${cmakedir})
install(FILES ${generated}/${TENON_NAME}.pc ${generated}/${TENON_NAME}-static.pc DESTINATION ${pkgconfigdir})
install(FILES LICENSE DESTINATION ${docdir})
# Debian's name for it.
install(FILES LICENSE DESTINATION ${docdir} RENAME copyright)
set(TENON_DOCS ${PROJECT_SOURCE_DIR}/build/docs CACHE PATH
  "The documentation that `make docs` has built; installed if it is there")
install(DIRECTORY ${TENON_DOCS}/ DESTINATION ${docdir}/html OPTIONAL)

# The archives.
set(CPACK_GENERATOR TGZ DEB)
set(CPACK_PACKAGE_NAME ${TENON_NAME})
string(REPLACE _ - CPACK_PACKAGE_NAME ${TENON_NAME})
set(CPACK_PACKAGE_VENDOR "The Tenon authors")
set(CPACK_PACKAGE_CONTACT "The Tenon authors <maintainers@tenon.invalid>" CACHE STRING "Who maintains the packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "WebAssembly engine behind the standard wasm.h C API")
set(CPACK_PACKAGE_DESCRIPTION "Tenon runs WebAssembly modules in programs written in C and C++, through the standard
headers wasm.h and wasm.hh. The package has the shared and the static library, the
headers, and files for CMake and pkg-config.")
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_VERBATIM_VARIABLES TRUE)
string(TOLOWER ${CMAKE_SYSTEM_NAME} system)
set(CPACK_PACKAGE_FILE_NAME ${CPACK_PACKAGE_NAME}-${PROJECT_VERSION}-${system}-${CMAKE_SYSTEM_PROCESSOR})

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
# Which versions of the system's libraries are needed is read from the library, where there is the tool for it.
find_program(DPKG_SHLIBDEPS dpkg-shlibdeps)
if(DPKG_SHLIBDEPS)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS TRUE)
else()
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6 (>= 2.34), libgcc-s1")
endif()
include(CPack)
