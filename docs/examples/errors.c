// The reason of a failure: the last one of a thread, or an error with a kind, a message and a place.
#include "example.h"

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  tenon_last_error_clear();
  expect(tenon_last_error() == NULL && tenon_last_error_take() == NULL);

  // A failure in wasm.h is a NULL; the reason is kept for the thread.
  wasm_byte_vec_t binary;
  wasm_byte_vec_new(&binary, 12, "\0asm\1\0\0\0\x63\2??");
  expect(wasm_module_new(store, &binary) == NULL);
  expect(strlen(tenon_last_error()) > 0);
  tenon_error_t *error = tenon_last_error_take();
  expect(tenon_last_error() == NULL);
  expect(tenon_error_kind(error) == TENON_ERROR_MALFORMED);
  uint64_t offset = 0;
  expect(tenon_error_offset(error, &offset) && offset >= 8 && offset <= 12);
  uint32_t line = 0, column = 0;
  expect(!tenon_error_line(error, &line, &column));  // the input was no text
  printf("%s\n", tenon_error_message(error));
  tenon_error_delete(error);
  wasm_byte_vec_delete(&binary);

  // A text knows offset, line and column.
  const char *text = "(module\n  (nonsense))";
  error = tenon_wat2wasm(text, strlen(text), &binary);
  expect(tenon_error_kind(error) == TENON_ERROR_TEXT && binary.size == 0);
  expect(tenon_error_line(error, &line, &column) && line == 2 && column > 1);
  expect(tenon_error_offset(error, &offset) && offset == 11);
  printf("%s\n", tenon_error_message(error));
  tenon_error_delete(error);
  tenon_error_delete(NULL);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
