// native.c: the part of `tenon._native` that is written in C: loops that would be slow in Python. native_build.py compiles it.

#include <string.h>
#include "wasm.h"
#include "tenon.h"

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
