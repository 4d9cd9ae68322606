// What every example needs and what would only distract from its subject: reading a file, giving up
// with a reason, finding an export by its name, and calling a function of i32s.
//
// Nothing here is part of the API. Everything is built from <wasm.h>, except for two functions of
// <tenon.h>: `tenon_last_error`, the reason of the last failure on this thread, and `tenon_wat2wasm`.
#ifndef EXAMPLE_UTIL_H
#define EXAMPLE_UTIL_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasm.h>

#include <tenon.h>

// The header marks with `own` who must delete an object: a result marked `own` belongs to the caller,
// an argument marked `own` is taken over by the function. The word has no meaning to the compiler;
// the examples keep it where an object has to be deleted later on.
#define own

// Ends the program: what was attempted, and the library's reason.
static inline void fail(const char* what) {
  const char* reason = tenon_last_error();
  fprintf(stderr, "%s failed: %s\n", what, reason != NULL ? reason : "no reason known");
  exit(1);
}

// Ends the program if a call trapped: a trap carries its own message, which ends with a zero byte.
static inline void fail_if_trapped(own wasm_trap_t* trap) {
  if (trap == NULL) return;
  own wasm_message_t message;
  wasm_trap_message(trap, &message);
  fprintf(stderr, "trap: %s\n", message.data);
  wasm_byte_vec_delete(&message);
  wasm_trap_delete(trap);
  exit(1);
}

// Reads a whole file into a vector that the caller must delete.
static inline own wasm_byte_vec_t read_file(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  own wasm_byte_vec_t bytes;
  wasm_byte_vec_new_uninitialized(&bytes, size > 0 ? (size_t)size : 0);
  if (size <= 0 || fread(bytes.data, bytes.size, 1, file) != 1) {
    fprintf(stderr, "%s cannot be read\n", path);
    exit(1);
  }
  fclose(file);
  return bytes;
}

// The file that an example works on: its first argument, or else `name` in the current directory.
static inline const char* example_file(int argc, char* argv[], const char* name) {
  return argc > 1 ? argv[1] : name;
}

// Reads a .wasm file and makes a module of it.
static inline own wasm_module_t* load_module(wasm_store_t* store, const char* path) {
  own wasm_byte_vec_t binary = read_file(path);
  own wasm_module_t* module = wasm_module_new(store, &binary);
  wasm_byte_vec_delete(&binary);
  if (module == NULL) fail(path);
  return module;
}

// Exports come in the order in which the module declares them; their names stand in the module, the
// objects in the instance. The result is borrowed from `exports` and lives as long as they do.
static inline wasm_extern_t* find_export(
  const wasm_module_t* module, const wasm_extern_vec_t* exports, const char* name
) {
  own wasm_exporttype_vec_t types;
  wasm_module_exports(module, &types);
  wasm_extern_t* found = NULL;
  for (size_t i = 0; i < types.size && i < exports->size; ++i) {
    const wasm_name_t* here = wasm_exporttype_name(types.data[i]);
    if (here->size == strlen(name) && memcmp(here->data, name, here->size) == 0) {
      found = exports->data[i];
    }
  }
  wasm_exporttype_vec_delete(&types);
  if (found == NULL) {
    fprintf(stderr, "the module has no export \"%s\"\n", name);
    exit(1);
  }
  return found;
}

static inline wasm_func_t* find_func(
  const wasm_module_t* module, const wasm_extern_vec_t* exports, const char* name
) {
  wasm_func_t* func = wasm_extern_as_func(find_export(module, exports, name));
  if (func == NULL) {
    fprintf(stderr, "export \"%s\" is not a function\n", name);
    exit(1);
  }
  return func;
}

static inline wasm_memory_t* find_memory(
  const wasm_module_t* module, const wasm_extern_vec_t* exports, const char* name
) {
  wasm_memory_t* memory = wasm_extern_as_memory(find_export(module, exports, name));
  if (memory == NULL) {
    fprintf(stderr, "export \"%s\" is not a memory\n", name);
    exit(1);
  }
  return memory;
}

#endif
