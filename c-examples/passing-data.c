// Passing text to the guest, having it changed there, and reading it back.
//
// The guest decides where texts are exchanged and tells through
// `get_wasm_memory_buffer_pointer`. The host writes a text there, calls `add_wasm_is_cool` with its
// length, and reads as many bytes as the call says the text has now.

#include "example_util.h"

// Calls a function of at most one i32 argument that returns one i32.
static uint32_t call_i32(const wasm_func_t* func, size_t arg_count, uint32_t arg) {
  wasm_val_t arg_values[] = {WASM_I32_VAL((int32_t)arg)};
  wasm_val_vec_t args = {arg_count, arg_values};
  wasm_val_t result_values[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(result_values);
  fail_if_trapped(wasm_func_call(func, &args, &results));
  return (uint32_t)result_values[0].of.i32;
}

// The guest's buffer as a pointer of the host, after a check that `length` bytes lie inside the
// memory. Asked for anew before each use: a call may have moved the buffer or grown the memory.
static char* buffer(wasm_memory_t* memory, const wasm_func_t* get_pointer, uint32_t length) {
  uint32_t offset = call_i32(get_pointer, 0, 0);
  size_t size = wasm_memory_data_size(memory);
  if (offset > size || length > size - offset) {
    fprintf(stderr, "the buffer is outside the memory\n");
    exit(1);
  }
  return wasm_memory_data(memory) + offset;
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "passing-data.wasm"));

  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_memory_t* memory = find_memory(module, &exports, "memory");
  const wasm_func_t* get_pointer =
    find_func(module, &exports, "get_wasm_memory_buffer_pointer");
  const wasm_func_t* add_wasm_is_cool = find_func(module, &exports, "add_wasm_is_cool");

  // The text goes in...
  const char* text = "Did you know";
  uint32_t length = (uint32_t)strlen(text);
  memcpy(buffer(memory, get_pointer, length), text, length);

  // ...is changed by the guest...
  uint32_t new_length = call_i32(add_wasm_is_cool, 1, length);

  // ...and comes out, through a pointer that is fetched again.
  printf("%.*s\n", (int)new_length, buffer(memory, get_pointer, new_length));

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
