// What memories hold, through the checked accesses of tenon.h: bytes, scalars, texts, views, snapshots.

#include "memory_model.h"

static const char text[] =
  "(module\n"
  "  (import \"env\" \"back\" (func $back))\n"
  "  (memory (export \"first\") 1 4)\n"
  "  (memory $second 2 3)\n"
  "  (data (i32.const 100) \"hello\\00world\")\n"
  "  (data (memory $second) (i32.const 65530) \"across\")\n"
  "  (data (i32.const 102) \"LL\")\n"
  "  (func (export \"grow\") (result i32) (memory.grow (i32.const 1)))\n"
  "  (func (export \"call\") (call $back)))\n";

// Deletes the error; whether it is of this kind and says both texts.
static bool fails_as(own tenon_error_t* error, tenon_error_kind_t kind, const char* first, const char* second) {
  if (error == NULL) return false;
  const char* message = tenon_error_message(error);
  bool right = tenon_error_kind(error) == kind && strstr(message, first) != NULL && strstr(message, second) != NULL;
  if (!right) printf("%u: %s\n", tenon_error_kind(error), message);
  tenon_error_delete(error);
  return right;
}

static bool is_outside(own tenon_error_t* error) {
  return fails_as(error, TENON_ERROR_ARGUMENT, "are outside of the memory of ", " bytes");
}

static bool is_byte(wasm_memory_t* memory, uint64_t offset, int8_t expected) {
  int8_t found = (int8_t)~expected;
  return tenon_memory_load_i8(memory, offset, &found) == NULL && found == expected;
}

// Offsets and lengths whose sums are around each power that arithmetic may wrap at.
static void edges(wasm_memory_t* memory) {
  static const uint64_t far[] = {
    PAGE + 1, 1ull << 31, (1ull << 32) - 1, 1ull << 32, (1ull << 32) + 1, (1ull << 32) + 100,
    (1ull << 48), (1ull << 63) - 1, 1ull << 63, UINT64_MAX - PAGE, UINT64_MAX - 1, UINT64_MAX,
  };
  uint8_t bytes[16] = {0};
  uint64_t length = 0;
  own wasm_byte_vec_t string;
  tenon_memory_view_t view;
  for (size_t i = 0; i < sizeof far / sizeof *far; ++i) {
    CHECK(is_outside(tenon_memory_read(memory, far[i], bytes, 0)));
    CHECK(is_outside(tenon_memory_read(memory, far[i], bytes, 16)));
    CHECK(is_outside(tenon_memory_read(memory, 16, bytes, (size_t)far[i])));
    CHECK(is_outside(tenon_memory_write(memory, far[i], bytes, 16)));
    CHECK(is_outside(tenon_memory_write(memory, 16, bytes, (size_t)far[i])));
    CHECK(is_outside(tenon_memory_fill(memory, far[i], 1, 1)));
    CHECK(is_outside(tenon_memory_fill(memory, 1, 1, far[i])));
    CHECK(is_outside(tenon_memory_fill(memory, far[i], 1, 0 - far[i])));
    CHECK(is_outside(tenon_memory_copy(memory, far[i], memory, 0, 1)));
    CHECK(is_outside(tenon_memory_copy(memory, 0, memory, far[i], 1)));
    CHECK(is_outside(tenon_memory_copy(memory, 1, memory, 1, far[i])));
    CHECK(is_outside(tenon_memory_discard(memory, far[i], 1)));
    CHECK(is_outside(tenon_memory_discard(memory, 1, far[i])));
    CHECK(tenon_memory_pointer(memory, far[i], 1) == NULL && tenon_memory_pointer(memory, 1, far[i]) == NULL);
    CHECK(is_outside(tenon_memory_read_string(memory, far[i], 1, true, &string)) && string.size == 0);
    CHECK(is_outside(tenon_memory_read_string(memory, 1, far[i], true, &string)) && string.data == NULL);
    CHECK(is_outside(tenon_memory_cstring_length(memory, far[i], 1, &length)));
    CHECK(is_outside(tenon_memory_write_cstring(memory, far[i], 9, "x", 1)));
    CHECK(is_outside(tenon_memory_view(memory, far[i], 1, &view)) && view.data == NULL);
    CHECK(is_outside(tenon_memory_view(memory, 1, far[i], &view)) && view.size == 0);
    CHECK(is_outside(tenon_memory_view_of(memory, TENON_ELEMENT_I64, 8, far[i], &view)));
    CHECK(is_outside(tenon_memory_store_i8(memory, far[i], 1)));
    CHECK(is_outside(tenon_memory_load_v128(memory, far[i], bytes)));
  }
  // 2^61 elements of 8 bytes are 2^64 bytes.
  CHECK(is_outside(tenon_memory_view_of(memory, TENON_ELEMENT_I64, 0, 1ull << 61, &view)));
  CHECK(is_outside(tenon_memory_view_of(memory, TENON_ELEMENT_V128, 0, (1ull << 60) + 1, &view)));
  // Nothing was written.
  CHECK(is_byte(memory, 1, 0) && is_byte(memory, 16, 0) && is_byte(memory, PAGE - 1, 0));
  // No bytes, at the very end.
  CHECK(tenon_memory_read(memory, PAGE, NULL, 0) == NULL);
  CHECK(tenon_memory_write(memory, PAGE, NULL, 0) == NULL);
  CHECK(tenon_memory_fill(memory, PAGE, 1, 0) == NULL);
  CHECK(tenon_memory_copy(memory, PAGE, memory, PAGE, 0) == NULL);
  CHECK(tenon_memory_discard(memory, PAGE, 0) == NULL);
  CHECK(tenon_memory_pointer(memory, PAGE, 0) == wasm_memory_data(memory) + PAGE);
  CHECK(tenon_memory_view(memory, PAGE, 0, &view) == NULL && tenon_memory_view_is_valid(memory, &view));
  CHECK(tenon_memory_read_string(memory, PAGE, 0, false, &string) == NULL && string.size == 0);
  CHECK(fails_as(tenon_memory_cstring_length(memory, PAGE, 9, &length), TENON_ERROR_ARGUMENT, "no NUL", "the 0 bytes"));
  // The last bytes, and one too many.
  CHECK(tenon_memory_store_i8(memory, PAGE - 1, 1) == NULL && is_byte(memory, PAGE - 1, 1));
  CHECK(is_outside(tenon_memory_store_i16(memory, PAGE - 1, 1)) && is_outside(tenon_memory_store_i32(memory, PAGE - 3, 1)));
  CHECK(is_outside(tenon_memory_store_i64(memory, PAGE - 7, 1)) && is_outside(tenon_memory_store_f32(memory, PAGE - 3, 1)));
  CHECK(is_outside(tenon_memory_store_f64(memory, PAGE - 7, 1)) && is_outside(tenon_memory_store_v128(memory, PAGE - 15, bytes)));
  CHECK(fails_as(tenon_memory_write(memory, PAGE - 3, "four", 4), TENON_ERROR_ARGUMENT,
                 "tenon_memory_write: 4 bytes at offset 65533 ", "the memory of 65536 bytes"));
  // NULL.
  CHECK(fails_as(tenon_memory_read(NULL, 0, bytes, 1), TENON_ERROR_ARGUMENT, "the memory is NULL", ""));
  CHECK(fails_as(tenon_memory_read(memory, 0, NULL, 1), TENON_ERROR_ARGUMENT, "the buffer is NULL", ""));
  CHECK(fails_as(tenon_memory_write(memory, 0, NULL, 1), TENON_ERROR_ARGUMENT, "is NULL", ""));
  CHECK(fails_as(tenon_memory_copy(memory, 0, NULL, 0, 0), TENON_ERROR_ARGUMENT, "copy from is NULL", ""));
  CHECK(fails_as(tenon_memory_store_v128(memory, 0, NULL), TENON_ERROR_ARGUMENT, "the value is NULL", ""));
  CHECK(fails_as(tenon_memory_view_refresh(memory, NULL), TENON_ERROR_ARGUMENT, "the view is NULL", ""));
  CHECK(fails_as(tenon_memory_restore(memory, NULL), TENON_ERROR_ARGUMENT, "the snapshot is NULL", ""));
  CHECK(!tenon_memory_view_is_valid(NULL, &view) && !tenon_memory_view_is_valid(memory, NULL));
  CHECK(tenon_memory_generation(NULL) == 0 && tenon_memory_load_i8(memory, 0, NULL) == NULL);
  tenon_memory_snapshot_delete(NULL);
}

static void scalars(wasm_memory_t* memory) {
  uint8_t bytes[16];
  int16_t i16 = 0;
  int32_t i32 = 0;
  int64_t i64 = 0;
  float32_t f32 = 0;
  float64_t f64 = 0;
  CHECK(tenon_memory_store_i64(memory, 3, 0x8877665544332211) == NULL);
  for (int i = 0; i < 8; ++i) CHECK(is_byte(memory, 3 + i, (int8_t)(0x11 * (i + 1))));
  CHECK(tenon_memory_load_i16(memory, 9, &i16) == NULL && i16 == (int16_t)0x8877);
  CHECK(tenon_memory_load_i32(memory, 7, &i32) == NULL && i32 == (int32_t)0x88776655);
  CHECK(tenon_memory_load_i64(memory, 3, &i64) == NULL && i64 == (int64_t)0x8877665544332211);
  CHECK(tenon_memory_store_i16(memory, 3, -2) == NULL && tenon_memory_load_i16(memory, 3, &i16) == NULL && i16 == -2);
  CHECK(tenon_memory_store_i32(memory, 5, -3) == NULL && tenon_memory_load_i32(memory, 5, &i32) == NULL && i32 == -3);
  // Bit by bit: a signaling NaN stays one.
  CHECK(tenon_memory_store_f32(memory, 1, 1.5f) == NULL && tenon_memory_load_i32(memory, 1, &i32) == NULL && i32 == 0x3fc00000);
  CHECK(tenon_memory_load_f32(memory, 1, &f32) == NULL && f32 == 1.5f);
  CHECK(tenon_memory_store_f64(memory, 1, -0.5) == NULL && tenon_memory_load_f64(memory, 1, &f64) == NULL && f64 == -0.5);
  CHECK(tenon_memory_store_i64(memory, 1, 0x7ff0000000000001) == NULL && tenon_memory_load_f64(memory, 1, &f64) == NULL);
  CHECK(tenon_memory_store_f64(memory, 17, f64) == NULL && tenon_memory_load_i64(memory, 17, &i64) == NULL && i64 == 0x7ff0000000000001);
  CHECK(tenon_memory_store_v128(memory, 5, (const uint8_t*)"0123456789abcdef") == NULL && is_byte(memory, 20, 'f'));
  CHECK(tenon_memory_load_v128(memory, 5, bytes) == NULL && memcmp(bytes, "0123456789abcdef", 16) == 0);
  // What fails reads as zero.
  CHECK(is_outside(tenon_memory_load_i32(memory, PAGE, &i32)) && i32 == 0);
  CHECK(is_outside(tenon_memory_load_v128(memory, PAGE - 15, bytes)) && bytes[0] == 0 && bytes[15] == 0);
}

static bool is_text(own tenon_error_t* error, own wasm_byte_vec_t* found, const char* expected) {
  if (error != NULL) printf("%s\n", tenon_error_message(error));
  bool right = error == NULL && found->size == strlen(expected) && memcmp(found->data, expected, found->size) == 0;
  wasm_byte_vec_delete(found);
  return right;
}

static void strings(wasm_memory_t* memory) {
  own wasm_byte_vec_t string;
  uint64_t length = 0;
  CHECK(tenon_memory_write(memory, 200, "gr\xc3\xbc\xc3\x9f\x00x", 8) == NULL);
  CHECK(is_text(tenon_memory_read_string(memory, 200, 6, false, &string), &string, "gr\xc3\xbc\xc3\x9f"));
  CHECK(is_text(tenon_memory_read_cstring(memory, 200, 100, false, &string), &string, "gr\xc3\xbc\xc3\x9f"));
  CHECK(tenon_memory_cstring_length(memory, 200, 7, &length) == NULL && length == 6);
  CHECK(fails_as(tenon_memory_cstring_length(memory, 200, 6, &length), TENON_ERROR_ARGUMENT, "no NUL", "6 bytes at offset 200") && length == 0);
  CHECK(tenon_memory_read_string(memory, 200, 8, false, &string) == NULL && string.size == 8 && string.data[7] == 'x');
  wasm_byte_vec_delete(&string);
  // Cut in the middle of a character.
  own tenon_error_t* error = tenon_memory_read_string(memory, 200, 5, false, &string);
  uint64_t at = 0;
  CHECK(error != NULL && string.size == 0 && tenon_error_offset(error, &at) && at == 204);
  CHECK(fails_as(error, TENON_ERROR_ARGUMENT, "are not UTF-8", "see offset 204"));
  CHECK(is_text(tenon_memory_read_string(memory, 200, 5, true, &string), &string, "gr\xc3\xbc\xef\xbf\xbd"));
  CHECK(tenon_memory_write(memory, 300, "a\xff\xed\xa0\x80z", 7) == NULL);
  CHECK(fails_as(tenon_memory_read_cstring(memory, 300, 100, false, &string), TENON_ERROR_ARGUMENT, "are not UTF-8", "301"));
  CHECK(is_text(tenon_memory_read_cstring(memory, 300, UINT64_MAX, true, &string), &string,
                "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"));
  // No NUL up to the end of the memory.
  CHECK(tenon_memory_write(memory, PAGE - 4, "tail", 4) == NULL);
  CHECK(fails_as(tenon_memory_read_cstring(memory, PAGE - 4, UINT64_MAX, false, &string), TENON_ERROR_ARGUMENT, "no NUL", "4 bytes"));
  CHECK(tenon_memory_write_cstring(memory, PAGE - 4, 4, "abc", 3) == NULL && is_byte(memory, PAGE - 1, 0));
  CHECK(fails_as(tenon_memory_write_cstring(memory, 400, 3, "abc", 3), TENON_ERROR_ARGUMENT, "4 bytes", "room for 3") && is_byte(memory, 400, 0));
  CHECK(is_outside(tenon_memory_write_cstring(memory, PAGE - 3, 9, "abc", 3)) && is_byte(memory, PAGE - 3, 'b'));
  CHECK(fails_as(tenon_memory_write_cstring(memory, 400, 9, "a\0c", 3), TENON_ERROR_ARGUMENT, "has a NUL", "offset 1"));
  CHECK(tenon_memory_write_cstring(memory, PAGE - 1, 1, NULL, 0) == NULL && is_byte(memory, PAGE - 1, 0));
}

typedef struct {
  wasm_memory_t* memory;
  wasm_func_t* grow;
  tenon_memory_view_t view;
  int calls;
} callback_t;

// A host function that looks at a view, has the guest grow the memory, and looks again.
static own wasm_trap_t* back(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args, (void)results;
  callback_t* callback = env;
  ++callback->calls;
  CHECK(tenon_memory_view_is_valid(callback->memory, &callback->view));
  CHECK(returns(callback->grow, 1));
  CHECK(!tenon_memory_view_is_valid(callback->memory, &callback->view));
  CHECK(tenon_memory_view_refresh(callback->memory, &callback->view) == NULL);
  CHECK(tenon_memory_view_is_valid(callback->memory, &callback->view));
  CHECK(callback->view.size == 5 && memcmp(callback->view.data, "heLLo", 5) == 0);
  return NULL;
}

static void views(wasm_store_t* store) {
  callback_t callback = {0};
  own wasm_functype_t* type = wasm_functype_new_0_0();
  own wasm_func_t* host = wasm_func_new_with_env(store, type, back, &callback, NULL);
  wasm_extern_t* imports[] = {wasm_func_as_extern(host)};
  own wasm_instance_t* instance = instance_with(store, text, 1, imports);
  callback.grow = func_of(instance, 1);
  own wasm_func_t* call = func_of(instance, 2);

  own wasm_memory_t* second = NULL;
  REQUIRE(tenon_instance_memory(instance, 0, &callback.memory) == NULL);
  REQUIRE(tenon_instance_memory(instance, 1, &second) == NULL);
  own wasm_memory_t* other = NULL;
  CHECK(tenon_instance_memory_by_name(instance, "first", 5, &other) == NULL && wasm_memory_same(other, callback.memory));
  wasm_memory_delete(other);
  CHECK(fails_as(tenon_instance_memory_by_name(instance, "grow", 4, &other), TENON_ERROR_ARGUMENT, "no memory \"grow\"", "") && other == NULL);
  CHECK(fails_as(tenon_instance_memory_by_name(instance, NULL, 0, &other), TENON_ERROR_ARGUMENT, "no memory \"\"", ""));
  CHECK(fails_as(tenon_instance_memory(instance, 2, &other), TENON_ERROR_ARGUMENT, "there is no memory 2", "has 2") && other == NULL);
  CHECK(fails_as(tenon_instance_memory(NULL, 0, &other), TENON_ERROR_ARGUMENT, "the instance is NULL", ""));

  wasm_memory_t* memory = callback.memory;
  CHECK(tenon_memory_view(memory, 100, 5, &callback.view) == NULL);
  CHECK(callback.view.data == wasm_memory_data(memory) + 100 && callback.view.offset == 100);
  uint64_t generation = tenon_memory_generation(memory);
  own wasm_trap_t* trap = call_i32s(call, 0, NULL, NULL);
  CHECK(trap == NULL && callback.calls == 1 && tenon_memory_generation(memory) != generation);
  CHECK(tenon_memory_view_is_valid(memory, &callback.view));
  CHECK(!tenon_memory_view_is_valid(second, &callback.view));
  // Nothing that does not grow makes it stale.
  CHECK(tenon_memory_grow(memory, 0, NULL) == NULL && tenon_memory_view_is_valid(memory, &callback.view));
  CHECK(fails_as(tenon_memory_grow(memory, 9, NULL), TENON_ERROR_LIMIT, "cannot grow by 9", "which may have 4"));
  CHECK(tenon_memory_view_is_valid(memory, &callback.view));
  // Growth by the host, to a size.
  uint64_t old = 0;
  CHECK(tenon_memory_grow_at_least(memory, 2, &old) == NULL && old == 2 && tenon_memory_size(memory) == 2);
  CHECK(tenon_memory_view_is_valid(memory, &callback.view));
  CHECK(tenon_memory_grow_at_least(memory, 3, &old) == NULL && old == 2 && tenon_memory_size(memory) == 3);
  CHECK(!tenon_memory_view_is_valid(memory, &callback.view));
  CHECK(fails_as(tenon_memory_grow_at_least(memory, 5, &old), TENON_ERROR_LIMIT, "cannot grow by 2", ""));
  CHECK(fails_as(tenon_memory_grow_at_least(memory, UINT64_MAX, &old), TENON_ERROR_LIMIT, "cannot grow", ""));
  CHECK(fails_as(tenon_memory_grow_at_least(NULL, 5, &old), TENON_ERROR_ARGUMENT, "the memory is NULL", ""));
  CHECK(wasm_memory_data_size(memory) == 3 * PAGE);

  // Elements.
  static const uint64_t sizes[] = {1, 2, 4, 8, 4, 8, 16};
  tenon_memory_view_t view;
  for (tenon_element_t element = 0; element < 7; ++element) {
    CHECK(tenon_memory_view_of(memory, element, 64, 3, &view) == NULL && view.size == 3 * sizes[element]);
    CHECK(view.element == element && (uintptr_t)view.data % sizes[element] == 0);
    CHECK(tenon_memory_view_of(memory, element, 0, 3 * PAGE / sizes[element], &view) == NULL);
    CHECK(tenon_memory_view_refresh(memory, &view) == NULL && view.size == 3 * PAGE);
    CHECK(is_outside(tenon_memory_view_of(memory, element, 0, 3 * PAGE / sizes[element] + 1, &view)));
    if (element > 0) {
      CHECK(fails_as(tenon_memory_view_of(memory, element, 1, 1, &view), TENON_ERROR_ARGUMENT, "not a multiple", ""));
    }
  }
  CHECK(fails_as(tenon_memory_view_of(memory, 7, 0, 1, &view), TENON_ERROR_ARGUMENT, "7 is no kind of element", ""));

  // Addresses and offsets.
  CHECK(tenon_memory_offset(memory, wasm_memory_data(memory) + 77, 3, &old) == NULL && old == 77);
  CHECK(tenon_memory_offset(memory, wasm_memory_data(memory) + 3 * PAGE, 0, &old) == NULL && old == 3 * PAGE);
  CHECK(is_outside(tenon_memory_offset(memory, wasm_memory_data(memory) + 3 * PAGE, 1, &old)) && old == 0);
  CHECK(is_outside(tenon_memory_offset(memory, (char*)((uintptr_t)wasm_memory_data(memory) - 1), 1, &old)));
  CHECK(is_outside(tenon_memory_offset(memory, NULL, 0, &old)) && is_outside(tenon_memory_offset(memory, &old, 8, &old)));

  // Elements of arrays: the last one, the first behind it, and products and sums that wrap.
  CHECK(tenon_memory_element(memory, 8, 2, 16, &old) == NULL && old == 40);
  CHECK(tenon_memory_element(memory, 0, 3 * PAGE / 8 - 1, 8, &old) == NULL && old == 3 * PAGE - 8);
  CHECK(fails_as(tenon_memory_element(memory, 0, 3 * PAGE / 8, 8, &old), TENON_ERROR_ARGUMENT, "element 24576 of 8 bytes", "is outside") && old == 0);
  CHECK(tenon_memory_element(memory, 3 * PAGE, 7, 0, &old) == NULL && old == 3 * PAGE);
  static const uint64_t wrapping[][3] = {
    {8, 1ull << 61, 8}, {8, UINT64_MAX, UINT64_MAX}, {8, UINT64_MAX, 1}, {UINT64_MAX, 0, 1}, {0, 1ull << 32, 1ull << 32}, {3 * PAGE, 0, 1},
  };
  for (size_t i = 0; i < sizeof wrapping / sizeof *wrapping; ++i) {
    CHECK(fails_as(tenon_memory_element(memory, wrapping[i][0], wrapping[i][1], wrapping[i][2], &old), TENON_ERROR_ARGUMENT, "is outside", ""));
  }
  CHECK(fails_as(tenon_memory_element(NULL, 0, 0, 0, &old), TENON_ERROR_ARGUMENT, "the memory is NULL", ""));

  // Between memories, and overlapping.
  CHECK(tenon_memory_copy(second, 7, memory, 100, 11) == NULL && memcmp(wasm_memory_data(second) + 7, "heLLo\0world", 11) == 0);
  CHECK(tenon_memory_copy(second, 9, second, 7, 11) == NULL && memcmp(wasm_memory_data(second) + 7, "heheLLo\0world", 13) == 0);
  CHECK(tenon_memory_copy(second, 8, second, 9, 11) == NULL && memcmp(wasm_memory_data(second) + 7, "hheLLo\0worldd", 13) == 0);
  CHECK(is_outside(tenon_memory_copy(second, 0, memory, 100, 2 * PAGE + 1)));

  // Snapshots, and the initial image.
  own tenon_memory_snapshot_t* snapshot = NULL;
  CHECK(tenon_memory_snapshot(second, &snapshot) == NULL && tenon_memory_snapshot_size(snapshot) == 2 * PAGE);
  CHECK(tenon_memory_fill(second, 0, 0xee, 2 * PAGE) == NULL && tenon_memory_grow(second, 1, NULL) == NULL);
  CHECK(tenon_memory_store_i8(second, 3 * PAGE - 1, 1) == NULL && tenon_memory_store_i8(second, 2 * PAGE, 1) == NULL);
  CHECK(tenon_memory_restore(second, snapshot) == NULL && wasm_memory_size(second) == 3);
  CHECK(memcmp(wasm_memory_data(second) + 7, "hheLLo\0worldd", 13) == 0 && is_byte(second, 0, 0));
  CHECK(is_byte(second, 65530, 'a') && is_byte(second, 65535, 's') && is_byte(second, 65536, 0));
  CHECK(is_byte(second, 2 * PAGE, 0) && is_byte(second, 3 * PAGE - 1, 0) && is_byte(second, 2 * PAGE - 1, 0));
  own wasm_memory_t* small = make_memory(store, 1, 1, false, 16);
  CHECK(fails_as(tenon_memory_restore(small, snapshot), TENON_ERROR_ARGUMENT, "131072 bytes", "65536; grow it first"));
  wasm_memory_delete(small);
  tenon_memory_snapshot_delete(snapshot);

  CHECK(tenon_memory_fill(memory, 0, 0xee, 3 * PAGE) == NULL && tenon_memory_fill(second, 0, 0xee, 3 * PAGE) == NULL);
  CHECK(tenon_instance_reset_memory(instance, 0) == NULL && tenon_memory_size(memory) == 3);
  CHECK(memcmp(wasm_memory_data(memory) + 99, "\0heLLo\0world", 13) == 0 && is_byte(second, 0, (int8_t)0xee));
  int left = 0;
  for (size_t i = 0; i < 3 * PAGE; ++i) left += wasm_memory_data(memory)[i] != 0;
  CHECK(left == 10);
  CHECK(tenon_instance_reset_memory(instance, 1) == NULL && memcmp(wasm_memory_data(second) + 65529, "\0across", 8) == 0);
  CHECK(fails_as(tenon_instance_reset_memory(instance, 2), TENON_ERROR_ARGUMENT, "memory 2 is not one", ""));
  CHECK(fails_as(tenon_instance_reset_memory(NULL, 0), TENON_ERROR_ARGUMENT, "the instance is NULL", ""));

  wasm_memory_delete(second);
  wasm_memory_delete(callback.memory);
  wasm_func_delete(callback.grow);
  wasm_func_delete(call);
  wasm_instance_delete(instance);
  wasm_func_delete(host);
  wasm_functype_delete(type);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_memory_t* memory = make_memory(store, 1, 1, false, 16);
  edges(memory);
  scalars(memory);
  strings(memory);
  wasm_memory_delete(memory);
  views(store);
  model(store, 16, false);
  model(store, 16, true);
  model(store, 0, false);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
