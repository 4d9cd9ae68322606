// native.c: the part of `tenon._native` that is written in C: what must not fail where Python can, and loops that would be slow there.
// native_build.py compiles it.

#include <string.h>
#include "wasm.h"
#include "tenon.h"

// What a host function's pointer stands for: its object in Python, and its store.
typedef struct tenon_py_host_t {
  void *handle;
  wasm_store_t *store;
} tenon_py_host_t;

// What Python has: the callbacks. They answer LOST if they could not even say what was raised, as is the case where Python's
// recursion is too deep for any call.
static wasm_trap_t *tenon_py_call_raw(void *handle, tenon_raw_t *values);
static wasm_trap_t *tenon_py_call(void *handle, const tenon_val_t *args, size_t arg_count, tenon_val_t *results, size_t result_count);
#define LOST ((wasm_trap_t *)1)

// A callback that ended like this: it must not seem to have returned.
static wasm_trap_t *ended(const tenon_py_host_t *host, wasm_trap_t *trap) {
  static char text[] = "a host function raised what Python could not tell";
  if (trap != LOST) return trap;
  wasm_message_t message = {sizeof text, text};
  return wasm_trap_new(host->store, &message);
}

static wasm_trap_t *tenon_py_host_raw(void *env, const wasm_func_t *caller, tenon_raw_t *values) {
  const tenon_py_host_t *host = env;
  (void)caller;
  return ended(host, tenon_py_call_raw(host->handle, values));
}

static wasm_trap_t *tenon_py_host_val(void *env, const wasm_func_t *caller, const tenon_val_t *args, size_t arg_count,
    tenon_val_t *results, size_t result_count) {
  const tenon_py_host_t *host = env;
  (void)caller;
  wasm_trap_t *trap = tenon_py_call(host->handle, args, arg_count, results, result_count);
  // The library takes no results beside a trap.
  if (trap != NULL) {
    for (size_t i = 0; i < result_count; ++i) tenon_val_delete(&results[i]);
  }
  return ended(host, trap);
}

// Reads the numbers of an array, from one on, to as many of `size` bytes. The array must have such numbers, and as many.
static tenon_error_t *tenon_py_array_read(const wasm_ref_t *array, uint32_t start, uint32_t count, size_t size, char *out) {
  for (uint32_t i = 0; i < count; ++i) {
    tenon_val_t val;
    tenon_error_t *error = tenon_array_get(array, start + i, &val);
    if (error != NULL) return error;
    // Little-endian, as WebAssembly's numbers are: the lowest bytes come first.
    memcpy(out + i * size, &val.of, size);
  }
  return NULL;
}

// Writes numbers of `size` bytes to an array, as tenon_py_array_read reads them; they are of a kind.
static tenon_error_t *tenon_py_array_write(
    const wasm_ref_t *array, uint32_t start, uint32_t count, size_t size, uint8_t kind, const char *from) {
  for (uint32_t i = 0; i < count; ++i) {
    tenon_val_t val = {.kind = kind};
    memcpy(&val.of, from + i * size, size);
    tenon_error_t *error = tenon_array_set(array, start + i, &val);
    if (error != NULL) return error;
  }
  return NULL;
}
