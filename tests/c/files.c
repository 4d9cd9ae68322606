// Serialized modules that are mapped from files: what they compute, what is refused, and what happens to the file meanwhile.

#define _POSIX_C_SOURCE 200809L
#include "test_util.h"

#include <stdlib.h>
#include <unistd.h>

static char path[64];

static void write_file(const char* bytes, size_t size) {
  // Another file each time, as when a build replaces it.
  remove(path);
  FILE* file = fopen(path, "wb");
  REQUIRE(file != NULL);
  CHECK(fwrite(bytes, 1, size, file) == size);
  CHECK(fclose(file) == 0);
}

// Functions that call each other, trap, and use a table, a global, and a memory with more data than is copied.
static own wasm_byte_vec_t serialized_module(wasm_store_t* store) {
  enum { DATA = 100000 };
  char* text = malloc(4 * DATA);
  REQUIRE(text != NULL);
  int end = sprintf(text,
    "(module (memory (export \"m\") 4) (table 3 funcref) (elem (i32.const 1) $one $two) (global $g (mut i32) (i32.const 5))"
    " (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))"
    " (func (export \"sum\") (result i32) (i32.add (call_indirect (result i32) (i32.const 2)) (call $one)))"
    " (func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0)))"
    " (func $bad (export \"bad\") (result i32) (call_indirect (result i32) (i32.const 0)))"
    " (func (export \"many\") (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)"
    "  (i32.const 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (i32.const 7)"
    "  (i32.const 8) (i32.const 9))"
    " (func (export \"count\") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g))"
    " (data (i32.const 4096) \"");
  for (int i = 0; i < DATA; ++i) end += sprintf(text + end, "\\%02x", i % 251 + 1);
  sprintf(text + end, "\"))");
  own wasm_module_t* module = module_of(store, text);
  free(text);
  own wasm_byte_vec_t bytes;
  wasm_module_serialize(module, &bytes);
  REQUIRE(bytes.size > DATA);
  wasm_module_delete(module);
  return bytes;
}

// Uses what the module has, and leaves it changed.
static void use(wasm_store_t* store, wasm_module_t* module) {
  own wasm_instance_t* instance = wasm_instance_new(store, module, NULL, NULL);
  REQUIRE(instance != NULL);
  own wasm_func_t* sum = func_of(instance, 1);
  own wasm_func_t* load = func_of(instance, 2);
  own wasm_func_t* bad = func_of(instance, 3);
  own wasm_func_t* many = func_of(instance, 4);
  own wasm_func_t* count = func_of(instance, 5);
  CHECK(returns(sum, 3) && returns(count, 6) && returns(count, 7));
  const int32_t places[] = {0, 4095, 4096, 4097, 4096 + 99999, 4096 + 100000};
  const int32_t values[] = {0, 0, 1, 2, 99999 % 251 + 1, 0};
  for (int i = 0; i < 6; ++i) {
    int32_t result = -1;
    CHECK(call_i32s(load, 1, &places[i], &result) == NULL && result == values[i]);
  }
  own wasm_trap_t* trap = call_i32s(bad, 0, NULL, &(int32_t){0});
  REQUIRE(trap != NULL);
  CHECK(tenon_trap_code(trap) == TENON_TRAP_UNINITIALIZED_ELEMENT);
  own wasm_frame_t* frame = wasm_trap_origin(trap);
  CHECK(frame != NULL && wasm_frame_func_index(frame) == 4);
  wasm_frame_delete(frame);
  wasm_trap_delete(trap);
  wasm_val_t result_values[10];
  wasm_val_vec_t args = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(result_values);
  CHECK(wasm_func_call(many, &args, &results) == NULL && result_values[9].of.i32 == 9);
  own wasm_extern_t* memory = export_of(instance, 0);
  memset(wasm_memory_data(wasm_extern_as_memory(memory)), 0xee, wasm_memory_data_size(wasm_extern_as_memory(memory)));
  wasm_extern_delete(memory);
  wasm_func_delete(sum);
  wasm_func_delete(load);
  wasm_func_delete(bad);
  wasm_func_delete(many);
  wasm_func_delete(count);
  wasm_instance_delete(instance);
}

static own wasm_module_t* load(wasm_store_t* store) {
  own wasm_module_t* module = NULL;
  own tenon_error_t* error = tenon_module_deserialize_file(store, path, &module);
  if (error != NULL) printf("%s\n", tenon_error_message(error));
  REQUIRE(error == NULL && module != NULL);
  return module;
}

static void refuses(wasm_store_t* store, const char* says) {
  own wasm_module_t* module = (wasm_module_t*)&path;
  own tenon_error_t* error = tenon_module_deserialize_file(store, path, &module);
  CHECK(module == NULL);
  REQUIRE(error != NULL);
  if (!CHECK(strstr(tenon_error_message(error), says) != NULL)) printf("%s\n", tenon_error_message(error));
  tenon_error_delete(error);
}

static void test_use(wasm_store_t* store, const wasm_byte_vec_t* bytes) {
  write_file(bytes->data, bytes->size);
  own wasm_module_t* first = load(store);
  own wasm_module_t* second = load(store);
  for (int i = 0; i < 3; ++i) use(store, i % 2 == 0 ? first : second);
  // The file goes, the modules stay.
  remove(path);
  use(store, first);
  wasm_module_delete(first);
  use(store, second);
  // What was loaded can be written down again.
  own wasm_byte_vec_t again;
  wasm_module_serialize(second, &again);
  CHECK(again.size == bytes->size && memcmp(again.data, bytes->data, bytes->size) == 0);
  wasm_byte_vec_delete(&again);
  wasm_module_delete(second);
  // Instances keep the module.
  write_file(bytes->data, bytes->size);
  first = load(store);
  own wasm_instance_t* instance = wasm_instance_new(store, first, NULL, NULL);
  wasm_module_delete(first);
  own wasm_func_t* sum = func_of(instance, 1);
  wasm_instance_delete(instance);
  CHECK(returns(sum, 3));
  wasm_func_delete(sum);
}

static void test_refused(wasm_store_t* store, const wasm_byte_vec_t* bytes) {
  char* damaged = malloc(bytes->size);
  REQUIRE(damaged != NULL);
  for (size_t at = 40; at < bytes->size; at += bytes->size / 20) {
    memcpy(damaged, bytes->data, bytes->size);
    damaged[at] ^= 4;
    write_file(damaged, bytes->size);
    refuses(store, "damaged serialized module");
  }
  free(damaged);
  write_file(bytes->data, bytes->size - 1);
  refuses(store, "damaged serialized module");
  write_file("something else, and long enough", 31);
  refuses(store, "not a serialized module");
  write_file("", 0);
  refuses(store, "it is empty");
  remove(path);
  refuses(store, path);
  CHECK(mkdtemp(strcpy(path, "/tmp/tenon-test-XXXXXX")) != NULL);
  refuses(store, "no regular file");
  rmdir(path);
  own tenon_error_t* error = tenon_module_deserialize_file(store, NULL, NULL);
  CHECK(error != NULL);
  tenon_error_delete(error);
  error = tenon_module_deserialize_file(NULL, path, NULL);
  CHECK(error != NULL);
  tenon_error_delete(error);
}

// An engine with other settings compiles anew; one without signals is as good.
static void test_settings(const wasm_byte_vec_t* bytes) {
  write_file(bytes->data, bytes->size);
  for (int i = 0; i < 4; ++i) {
    own wasm_config_t* config = wasm_config_new();
    tenon_config_set_signals(config, false);
    tenon_config_set_eager(config, i & 1);
    tenon_config_set_dense_memories(config, i & 2);
    own wasm_engine_t* engine = wasm_engine_new_with_config(config);
    own wasm_store_t* store = wasm_store_new(engine);
    own wasm_module_t* module = load(store);
    use(store, module);
    wasm_module_delete(module);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
  }
}

// Places of code and memory come back when modules go.
static void test_flat(wasm_store_t* store) {
  long before = 0;
  for (int i = 0; i < rounds(400, 20); ++i) {
    if (i == 10) before = resident_kib();
    own wasm_module_t* module = load(store);
    use(store, module);
    wasm_module_delete(module);
  }
  printf("%+ld KiB\n", resident_kib() - before);
  if (rounds(1, 0)) CHECK(resident_kib() - before < 2048);
}

// A function that does some arithmetic; its code takes up more than two pieces.
static char* put_long_function(char* at, const char* name) {
  enum { STEPS = 20000 };
  at += sprintf(at, "(func (export \"%s\") (param i32) (result i32)", name);
  for (int i = 0; i < STEPS; ++i) at += sprintf(at, "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 77)) (i32.const %d)))", i);
  return at + sprintf(at, "(local.get 0))");
}

// A module so large that it is checked piece by piece. Functions return numbers, which are found again in their code; long ones
// keep them apart. There is half a megabyte of data.
static own wasm_byte_vec_t large_module(wasm_store_t* store) {
  enum { DATA = 600000, ROOM = 8 << 20 };
  char* text = malloc(ROOM);
  REQUIRE(text != NULL);
  char* at = put_long_function(text + sprintf(text, "(module (memory 16)"), "long");
  at += sprintf(at, "(func (export \"first\") (result i32) (i32.const 0x12345678))");
  at = put_long_function(at, "longer");
  at += sprintf(at, "(func (export \"last\") (result i32) (i32.const 0x23456789))");
  at = put_long_function(at, "longest");
  at += sprintf(at, "(func (export \"load\") (result i32) (i32.load8_u (i32.const 599999))) (data (i32.const 0) \"");
  for (int i = 0; i < DATA; ++i) at += sprintf(at, "\\%02x", i % 101);
  sprintf(at, "\"))");
  own wasm_module_t* module = module_of(store, text);
  free(text);
  own wasm_byte_vec_t bytes;
  wasm_module_serialize(module, &bytes);
  wasm_module_delete(module);
  REQUIRE(bytes.size > 1 << 20);
  return bytes;
}

// Where four bytes stand that occur once.
static size_t find_number(const wasm_byte_vec_t* bytes, uint32_t number) {
  size_t found = 0, count = 0;
  for (size_t i = 0; i + 4 <= bytes->size; ++i) {
    if (memcmp(bytes->data + i, &number, 4) == 0) found = i, ++count;
  }
  REQUIRE(count == 1);
  return found;
}

static bool is_eager;

// What is damaged is not run, and its trap says why; what is not works. Where all functions are needed at once, that is
// said at once.
static void use_damaged(wasm_store_t* store, own wasm_module_t* module, bool first, bool last) {
  if (module == NULL && is_eager && !(first && last)) {
    CHECK(error_says("damaged serialized module: its contents do not match their hash"));
    return;
  }
  REQUIRE(module != NULL);
  own wasm_instance_t* instance = wasm_instance_new(store, module, NULL, NULL);
  REQUIRE(instance != NULL);
  own wasm_func_t *funcs[] = {func_of(instance, 1), func_of(instance, 3)}, *load_it = func_of(instance, 5);
  for (int i = 0; i < 2; ++i) {
    if (i == 0 ? first : last) {
      CHECK(returns(funcs[i], i == 0 ? 0x12345678 : 0x23456789));
    } else {
      // Not only once.
      for (int j = 0; j < 2; ++j) {
        own wasm_trap_t* trap = call_i32s(funcs[i], 0, NULL, &(int32_t){0});
        CHECK(tenon_trap_code(trap) == TENON_TRAP_COMPILATION_FAILURE);
        CHECK(trap_says(trap, "damaged serialized module: its contents do not match their hash"));
      }
    }
    wasm_func_delete(funcs[i]);
  }
  CHECK(returns(load_it, 599999 % 101));
  wasm_func_delete(load_it);
  wasm_instance_delete(instance);
  // As a whole it is damaged.
  own wasm_byte_vec_t again = WASM_EMPTY_VEC;
  own tenon_error_t* error = tenon_module_serialize(module, &again);
  CHECK((error == NULL) == (first && last));
  tenon_error_delete(error);
  wasm_byte_vec_delete(&again);
  wasm_module_delete(module);
}

static void test_pieces(wasm_store_t* store) {
  const char* kind = getenv("TENON_TEST_ENGINE");
  is_eager = kind != NULL && strcmp(kind, "eager") == 0;
  own wasm_byte_vec_t bytes = large_module(store);
  size_t places[] = {find_number(&bytes, 0x12345678), find_number(&bytes, 0x23456789)};
  REQUIRE(places[1] - places[0] > 2 * 65536);
  for (int damage = 0; damage < 4; ++damage) {
    for (int i = 0; i < 2; ++i) bytes.data[places[i]] ^= damage >> i & 1;
    use_damaged(store, wasm_module_deserialize(store, &bytes), !(damage & 1), !(damage & 2));
    write_file(bytes.data, bytes.size);
    own wasm_module_t* module = NULL;
    tenon_error_delete(tenon_module_deserialize_file(store, path, &module));
    use_damaged(store, module, !(damage & 1), !(damage & 2));
    for (int i = 0; i < 2; ++i) bytes.data[places[i]] ^= damage >> i & 1;
  }
  // Data are needed by whoever makes an instance: they are checked when the module is loaded. The last of them are in the image.
  size_t last = bytes.size - 1;
  while (last > 0 && !(bytes.data[last] == 599999 % 101 && bytes.data[last - 1] == 599998 % 101)) --last;
  REQUIRE(last > 600000);
  bytes.data[last] ^= 1;
  write_file(bytes.data, bytes.size);
  refuses(store, "damaged serialized module");
  CHECK(wasm_module_deserialize(store, &bytes) == NULL && error_says("damaged serialized module"));
  // So are numbers, hashes and what is declared, at the beginning.
  bytes.data[last] ^= 1;
  for (size_t at = 8; at < 600; at += 7) {
    bytes.data[at] ^= 8;
    CHECK(wasm_module_deserialize(store, &bytes) == NULL && error_says("damaged serialized module"));
    bytes.data[at] ^= 8;
  }
  wasm_byte_vec_delete(&bytes);
}

int main(void) {
  int file = mkstemp(strcpy(path, "/tmp/tenon-test-XXXXXX"));
  REQUIRE(file >= 0);
  close(file);
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_byte_vec_t bytes = serialized_module(store);
  test_use(store, &bytes);
  test_flat(store);
  test_settings(&bytes);
  test_refused(store, &bytes);
  test_pieces(store);
  remove(path);
  wasm_byte_vec_delete(&bytes);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
