// Linked with two libraries written in Rust, each of which brings Rust's own.

#include <stdint.h>
#include <stdio.h>
#include <tenon.h>

uint32_t rust_entries(uint32_t count);

int main(void) {
  wasm_byte_vec_t binary;
  tenon_error_t *error = tenon_wat2wasm("(funk)", 6, &binary);
  int good = error != NULL && tenon_error_kind(error) == TENON_ERROR_TEXT && rust_entries(1000) == 1000;
  tenon_error_delete(error);
  error = tenon_wat2wasm("(module)", 8, &binary);
  good = good && error == NULL && binary.size == 8;
  wasm_byte_vec_delete(&binary);
  printf("%s\n", good ? "two libraries written in Rust" : "one of them is broken");
  return good ? 0 : 1;
}
