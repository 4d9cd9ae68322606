/* What tenon.h says about failures, versions and the text format, checked from C. */
#include <stdio.h>
#include <tenon.h>

static int checks = 0, failures = 0;
#define CHECK(what) \
  do { \
    checks++; \
    if (!(what)) failures++, printf("line %d: %s\n", __LINE__, #what); \
  } while (0)

static void last_failure(void) {
  tenon_error_t *error;
  CHECK(tenon_last_error() == NULL && tenon_last_error_take() == NULL);
  CHECK(wasm_valtype_new(77) == NULL);
  CHECK(tenon_last_error() && strcmp(tenon_last_error(), "wasm_valtype_new: 77 is not a kind of value") == 0);
  wasm_valtype_delete(wasm_valtype_new_i32());
  CHECK(tenon_last_error() != NULL); /* successes leave it alone */
  error = tenon_last_error_take();
  CHECK(tenon_last_error() == NULL && tenon_error_kind(error) == TENON_ERROR_ARGUMENT);
  CHECK(strcmp(tenon_error_message(error), "wasm_valtype_new: 77 is not a kind of value") == 0);
  tenon_error_delete(error);
  CHECK(wasm_valtype_new(77) == NULL && tenon_last_error() != NULL);
  tenon_last_error_clear();
  CHECK(tenon_last_error() == NULL);
  {
    wasm_byte_vec_t huge;
    wasm_byte_vec_new_uninitialized(&huge, SIZE_MAX);
    error = tenon_last_error_take();
    CHECK(tenon_error_kind(error) == TENON_ERROR_MEMORY);
    tenon_error_delete(error);
  }
  tenon_error_delete(NULL);
  CHECK(*tenon_error_message(NULL) == '\0' && tenon_error_kind(NULL) == TENON_ERROR_ARGUMENT);
  CHECK(!tenon_error_offset(NULL, NULL) && !tenon_error_line(NULL, NULL, NULL));
}

static void text(void) {
  static const char good[] = "(module)", bad[] = "(module\n  (func (resul i32)))", not_utf8[] = "(module\n ;; \xff\n)";
  wasm_byte_vec_t binary, again;
  uint32_t line = 0, column = 0;
  uint64_t offset = 7;
  tenon_error_t *error = tenon_wat2wasm(good, strlen(good), &binary);
  CHECK(error == NULL && binary.size == 8 && memcmp(binary.data, "\0asm\1\0\0\0", 8) == 0);
  error = tenon_wat2wasm(binary.data, binary.size, &again);
  CHECK(error == NULL && again.size == 8 && memcmp(again.data, binary.data, 8) == 0);
  wasm_byte_vec_delete(&binary);
  wasm_byte_vec_delete(&again);
  error = tenon_wat2wasm(bad, strlen(bad), &binary);
  CHECK(error && binary.size == 0 && tenon_error_kind(error) == TENON_ERROR_TEXT);
  CHECK(tenon_error_line(error, &line, &column) && line == 2 && column == 10);
  CHECK(tenon_error_offset(error, &offset) && offset > 7 && bad[offset] == 'r');
  CHECK(strstr(tenon_error_message(error), "resul") != NULL);
  CHECK(tenon_last_error() && strcmp(tenon_last_error(), tenon_error_message(error)) == 0);
  tenon_error_delete(error);
  error = tenon_wat2wasm(not_utf8, strlen(not_utf8), &binary);
  CHECK(error && tenon_error_line(error, &line, &column) && line == 2 && column == 5);
  tenon_error_delete(error);
  error = tenon_wat2wasm(NULL, 3, &binary);
  CHECK(tenon_error_kind(error) == TENON_ERROR_ARGUMENT && binary.size == 0);
  tenon_error_delete(error);
  error = tenon_wat2wasm(good, strlen(good), NULL);
  CHECK(tenon_error_kind(error) == TENON_ERROR_ARGUMENT && *tenon_error_message(error));
  tenon_error_delete(error);
  // The parentheses around a module may be left out: no text is the empty module.
  error = tenon_wat2wasm(NULL, 0, &binary);
  CHECK(error == NULL && binary.size == 8);
  wasm_byte_vec_delete(&binary);
}

int main(void) {
  last_failure();
  text();
  CHECK(strcmp(tenon_version(), TENON_VERSION) == 0);
  CHECK(strstr(tenon_build_info(), TENON_VERSION) != NULL);
  tenon_last_error_clear();
  printf("%d checks, %d failures\n", checks, failures);
  return failures != 0;
}
