// Strings between guest and host: an offset and a length.
//
// A pointer of the guest is a number: an offset into its linear memory. `wasm_memory_data` gives the
// address where that memory begins for the host, so that offset + base is a pointer which the host
// can use - after it has checked that offset and length lie inside the memory.

#include "example_util.h"

// The bytes [offset, offset + length) of a memory. The numbers come from the guest, so they are
// checked first: written so that no addition can overflow.
static char* bytes_at(wasm_memory_t* memory, uint32_t offset, uint32_t length) {
  size_t size = wasm_memory_data_size(memory);
  if (offset > size || length > size - offset) {
    fprintf(stderr, "%" PRIu32 " bytes at %" PRIu32 " are outside the memory\n", length, offset);
    exit(1);
  }
  return wasm_memory_data(memory) + offset;
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "memory-pointers.wasm"));

  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  const wasm_func_t* load = find_func(module, &exports, "load");
  wasm_memory_t* memory = find_memory(module, &exports, "mem");

  printf("Memory size: %" PRIu32 " pages, %zu bytes\n", wasm_memory_size(memory),
         wasm_memory_data_size(memory));

  // `load` has two results. They arrive in the order of its type.
  wasm_val_vec_t no_args = WASM_EMPTY_VEC;
  wasm_val_t values[] = {WASM_INIT_VAL, WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(values);
  fail_if_trapped(wasm_func_call(load, &no_args, &results));
  uint32_t offset = (uint32_t)values[0].of.i32;
  uint32_t length = (uint32_t)values[1].of.i32;
  printf("String offset: %" PRIu32 "\n", offset);
  printf("String length: %" PRIu32 "\n", length);

  // Guest strings do not end with a zero byte: always print as many bytes as were announced.
  printf("Memory contents: \"%.*s\"\n", (int)length, bytes_at(memory, offset, length));

  // The memory is the host's to write as well.
  const char* replacement = "Hello, Wasmer!";
  uint32_t new_length = (uint32_t)strlen(replacement);
  memcpy(bytes_at(memory, offset, new_length), replacement, new_length);
  printf("New string length: %" PRIu32 "\n", new_length);
  printf("New memory contents: \"%.*s\"\n", (int)new_length, bytes_at(memory, offset, new_length));

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
