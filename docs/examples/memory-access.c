// Checked access to a memory: bytes, numbers, texts; views that know when they are stale; snapshots.
#include "example.h"

// A number is stored and loaded again; outside of the memory, neither is done.
#define NUMBER(name, type)                                                                       \
  static void name##_number(wasm_memory_t *memory, type value) {                                 \
    type got = 1;                                                                                \
    succeed(tenon_memory_store_##name(memory, 101, value)); /* alignment does not matter */      \
    succeed(tenon_memory_load_##name(memory, 101, &got));                                        \
    expect(got == value);                                                                        \
    expect_error(tenon_memory_load_##name(memory, UINT64_MAX, &got), TENON_ERROR_ARGUMENT);      \
    expect(got == 0);                                                                            \
    expect_error(tenon_memory_store_##name(memory, 65536, value), TENON_ERROR_ARGUMENT);         \
  }

NUMBER(i8, int8_t)
NUMBER(i16, int16_t)
NUMBER(i32, int32_t)
NUMBER(i64, int64_t)
NUMBER(f32, float)
NUMBER(f64, double)

static void bytes(wasm_memory_t *memory, wasm_memory_t *other) {
  char buffer[5] = "";
  succeed(tenon_memory_write(memory, 65531, "hello", 5));
  succeed(tenon_memory_read(memory, 65531, buffer, 5));
  expect(memcmp(buffer, "hello", 5) == 0);
  succeed(tenon_memory_read(memory, 65536, NULL, 0));  // no bytes, at the very end
  expect_error(tenon_memory_read(memory, 65532, buffer, 5), TENON_ERROR_ARGUMENT);

  succeed(tenon_memory_fill(memory, 0, 'x', 3));
  succeed(tenon_memory_copy(other, 10, memory, 0, 3));
  expect(memcmp(wasm_memory_data(other) + 10, "xxx", 3) == 0);
  succeed(tenon_memory_discard(other, 0, 65536));
  expect(wasm_memory_data(other)[10] == 0);

  uint64_t offset = 0;
  byte_t *part = tenon_memory_pointer(memory, 2, 8);
  succeed(tenon_memory_offset(memory, part, 8, &offset));
  expect(offset == 2 && tenon_memory_pointer(memory, 65530, 8) == NULL);

  // The tenth number of an array, if there is one.
  succeed(tenon_memory_element(memory, 100, 9, 4, &offset));
  expect(offset == 136);
  expect_error(tenon_memory_element(memory, 100, UINT64_MAX / 2, 4, &offset), TENON_ERROR_ARGUMENT);

  uint8_t vector[16] = {1, 2, 3}, got[16];
  succeed(tenon_memory_store_v128(memory, 7, vector));
  succeed(tenon_memory_load_v128(memory, 7, got));
  expect(memcmp(vector, got, 16) == 0);
}

static void texts(wasm_memory_t *memory) {
  wasm_byte_vec_t text;
  uint64_t length = 0;
  succeed(tenon_memory_write_cstring(memory, 200, 10, "gr\xc3\xbc\xc3\x9f", 6));
  succeed(tenon_memory_cstring_length(memory, 200, 10, &length));
  expect(length == 6);
  succeed(tenon_memory_read_cstring(memory, 200, 10, false, &text));
  expect(text.size == 6);  // bytes, not characters
  wasm_byte_vec_delete(&text);
  expect_error(tenon_memory_write_cstring(memory, 200, 6, "123456", 6), TENON_ERROR_ARGUMENT);  // no room for the NUL
  tenon_error_t *error = tenon_memory_read_string(memory, 200, 3, false, &text);  // in the middle of a character
  expect(error != NULL && text.size == 0);
  tenon_error_delete(error);
  succeed(tenon_memory_read_string(memory, 200, 3, true, &text));
  expect(text.size == 5 && memcmp(text.data, "gr\xef\xbf\xbd", 5) == 0);
  wasm_byte_vec_delete(&text);
}

static void views(wasm_memory_t *memory) {
  tenon_memory_view_t view, numbers;
  uint64_t old = 9, before = tenon_memory_generation(memory);
  succeed(tenon_memory_view(memory, 16, 32, &view));
  succeed(tenon_memory_view_of(memory, TENON_ELEMENT_I32, 16, 8, &numbers));
  expect(numbers.size == 32 && numbers.data == view.data && tenon_memory_view_is_valid(memory, &numbers));
  expect_error(tenon_memory_view_of(memory, TENON_ELEMENT_I32, 17, 8, &view), TENON_ERROR_ARGUMENT);
  succeed(tenon_memory_grow_at_least(memory, 1, &old));
  expect(old == 1 && tenon_memory_view_is_valid(memory, &numbers));  // it was large enough
  succeed(tenon_memory_grow_at_least(memory, 2, NULL));
  expect(!tenon_memory_view_is_valid(memory, &numbers) && tenon_memory_generation(memory) != before);
  succeed(tenon_memory_view_refresh(memory, &numbers));
  expect(tenon_memory_view_is_valid(memory, &numbers));
}

static void snapshots(wasm_instance_t *instance, wasm_memory_t *memory) {
  tenon_memory_snapshot_t *snapshot;
  succeed(tenon_memory_write(memory, 0, "then", 4));
  succeed(tenon_memory_snapshot(memory, &snapshot));
  expect(tenon_memory_snapshot_size(snapshot) == wasm_memory_data_size(memory));
  succeed(tenon_memory_write(memory, 0, "now!", 4));
  succeed(tenon_memory_restore(memory, snapshot));
  expect(memcmp(wasm_memory_data(memory), "then", 4) == 0);
  tenon_memory_snapshot_delete(snapshot);
  succeed(tenon_instance_reset_memory(instance, 0));
  expect(memcmp(wasm_memory_data(memory), "text", 4) == 0);
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_instance_t *instance = instance_of_text(store,
    "(module (memory (export \"memory\") 1) (memory 1) (data (i32.const 0) \"text\"))");
  wasm_memory_t *memory, *other, *none;
  succeed(tenon_instance_memory_by_name(instance, "memory", 6, &memory));
  succeed(tenon_instance_memory(instance, 1, &other));  // not exported
  tenon_error_t *error = tenon_instance_memory(instance, 2, &none);
  expect(error != NULL && none == NULL);
  tenon_error_delete(error);

  i8_number(memory, -5);
  i16_number(memory, -500);
  i32_number(memory, 70000);
  i64_number(memory, INT64_MIN);
  f32_number(memory, 0.5f);
  f64_number(memory, -0.25);
  bytes(memory, other);
  texts(memory);
  views(memory);
  snapshots(instance, memory);

  wasm_memory_delete(other);
  wasm_memory_delete(memory);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
