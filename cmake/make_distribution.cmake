# Makes what is installed out of what cargo built: OUT/lib with the stripped shared library and a static one whose only
# global symbols are those of the API, and OUT/include with the headers. With SYMBOL_PREFIX every function of the API has
# another name in the libraries, and the headers give the functions' own names to the programs that include them.
#
#   cmake -DSOURCE=... -DSHARED=libtenon.so -DSTATIC=libtenon.a -DOUT=... -DNAME=tenon -DVERSION=1.2.3
#     -DSYMBOL_PREFIX=... -DCC=cc -DLD=ld -DAR=ar -DOBJCOPY=objcopy -P make_distribution.cmake
cmake_minimum_required(VERSION 3.18)

# run(COMMAND...): a command that must succeed.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status STREQUAL "0")
    string(REPLACE ";" " " command "${ARGV}")
    message(FATAL_ERROR "${command}\nended with ${status}\n${output}")
  endif()
endfunction()

# print_size(FILE)
function(print_size file)
  file(SIZE ${file} size)
  get_filename_component(name ${file} NAME)
  math(EXPR millions "${size} / 1000000")
  math(EXPR rest "${size} / 10000 % 100 + 100")
  string(SUBSTRING ${rest} 1 2 rest)
  message("-- ${name}: ${size} bytes (${millions}.${rest} MB), stripped")
endfunction()

# Every function of the API stands at the beginning of a line of a header.
set(functions)
foreach(header wasm.h tenon.h)
  file(STRINGS ${SOURCE}/include/${header} lines REGEX "^WASM_API_EXTERN ")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "^WASM_API_EXTERN [^(]*[ *]([a-z0-9_]+)\\(")
      message(FATAL_ERROR "${header}: no function is declared in: ${line}")
    endif()
    list(APPEND functions ${CMAKE_MATCH_1})
  endforeach()
endforeach()

string(REGEX MATCH "^[0-9]+" major ${VERSION})
set(soname lib${NAME}.so.${major})
set(work ${OUT}/work)
file(REMOVE_RECURSE ${OUT})
file(MAKE_DIRECTORY ${OUT}/lib ${OUT}/include ${work})

# The headers. The prefix is a header of its own, which wasm.h includes before anything else. The classes of C++ are in
# an inline namespace, so that a program may also have those of another engine, which have the same names.
file(COPY ${SOURCE}/include/ DESTINATION ${OUT}/include)
if(SYMBOL_PREFIX)
  set(renamed)
  foreach(function IN LISTS functions)
    string(APPEND renamed "#define ${function} ${SYMBOL_PREFIX}${function}\n")
  endforeach()
  file(MAKE_DIRECTORY ${OUT}/include/tenon)
  file(WRITE ${OUT}/include/tenon/prefix.h
"// tenon/prefix.h: the names that the functions of wasm.h and tenon.h have in lib${NAME}.
//
// Generated when the library was built with the symbol prefix ${SYMBOL_PREFIX}.

#ifndef TENON_PREFIX_H
#define TENON_PREFIX_H

#define TENON_SYMBOL_PREFIX \"${SYMBOL_PREFIX}\"

${renamed}
#endif  // TENON_PREFIX_H
")
  file(GLOB_RECURSE headers RELATIVE ${OUT}/include ${OUT}/include/*.h ${OUT}/include/*.hh)
  foreach(header IN LISTS headers)
    file(READ ${OUT}/include/${header} text)
    if(header STREQUAL wasm.h)
      string(REPLACE "#define WASM_H\n" "#define WASM_H\n\n#include \"tenon/prefix.h\"\n" changed "${text}")
      if(changed STREQUAL text)
        message(FATAL_ERROR "wasm.h has no include guard to put the prefix behind")
      endif()
    elseif(header MATCHES "\\.hh$")
      string(REGEX REPLACE "\nnamespace (wasm|tenon) {\n" "\nnamespace \\1 {\ninline namespace ${SYMBOL_PREFIX} {\n"
        changed "${text}")
      string(REGEX REPLACE "\n}  // namespace (wasm|tenon)\n"
        "\n}  // namespace ${SYMBOL_PREFIX}\n}  // namespace \\1\n" changed "${changed}")
      string(REGEX MATCHALL "\n(inline namespace|}  // namespace) ${SYMBOL_PREFIX}[ \n]" ends "${changed}")
      list(LENGTH ends count)
      math(EXPR odd "${count} % 2")
      if(odd)
        message(FATAL_ERROR "${header}: a namespace does not end with the line \"}  // namespace ...\"")
      endif()
    else()
      continue()
    endif()
    file(WRITE ${OUT}/include/${header} "${changed}")
  endforeach()
endif()

# One object with all that the API needs. Its groups are dissolved: they would be merged with those of another library
# written in Rust. The objects of Rust's own libraries carry LLVM's bitcode, which nothing here reads.
set(wanted)
set(global)
set(renames)
foreach(function IN LISTS functions)
  string(APPEND wanted "-u ${function}\n")
  string(APPEND global "${SYMBOL_PREFIX}${function}\n")
  string(APPEND renames "${function} ${SYMBOL_PREFIX}${function}\n")
endforeach()
file(WRITE ${work}/wanted "${wanted}")
file(WRITE ${work}/global "${global}")
file(WRITE ${work}/renames "${renames}")
set(object ${work}/${NAME}.o)
run(${LD} -r --gc-sections --force-group-allocation --strip-debug -o ${work}/whole.o @${work}/wanted ${STATIC})
if(SYMBOL_PREFIX)
  run(${OBJCOPY} --redefine-syms=${work}/renames ${work}/whole.o ${work}/whole.o)
endif()
run(${OBJCOPY} --keep-global-symbols=${work}/global --strip-unneeded
  --remove-section=.llvmbc --remove-section=.llvmcmd ${work}/whole.o ${object})
run(${AR} crsD ${OUT}/lib/lib${NAME}.a ${object})

# The shared library: cargo's, or one linked from the renamed object.
set(shared ${OUT}/lib/lib${NAME}.so.${VERSION})
if(SYMBOL_PREFIX)
  string(REPLACE "\n" ";\n" exports "${global}")
  file(WRITE ${work}/exports "{ global:\n${exports}local: *; };\n")
  # As build.rs does: packed, the tables of addresses take a fraction of the room.
  execute_process(COMMAND getconf GNU_LIBC_VERSION OUTPUT_VARIABLE libc ERROR_QUIET)
  set(packed)
  if(libc MATCHES "^glibc ([0-9.]+)" AND CMAKE_MATCH_1 VERSION_GREATER_EQUAL 2.36)
    set(packed -Wl,-z,pack-relative-relocs)
  endif()
  run(${CC} -shared -o ${shared} ${object} -Wl,-soname,${soname} -Wl,--version-script=${work}/exports
    ${packed} -Wl,-Bsymbolic-functions -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,--no-undefined -Wl,-s
    -lpthread -ldl -lm)
else()
  run(${OBJCOPY} --strip-all ${SHARED} ${shared})
endif()
file(CREATE_LINK lib${NAME}.so.${VERSION} ${OUT}/lib/${soname} SYMBOLIC)
file(CREATE_LINK ${soname} ${OUT}/lib/lib${NAME}.so SYMBOLIC)

file(REMOVE_RECURSE ${work})
print_size(${shared})
print_size(${OUT}/lib/lib${NAME}.a)
