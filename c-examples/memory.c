// A linear memory, seen from the host and from the guest.
//
// The module exports its memory and three functions. The host asks for the size of the memory in
// every way that there is, grows it, and then has the guest store two values and read them back: one
// at an ordinary address, one at the very end of the second page, which exists only after the growth.

#include "example_util.h"

int main(int argc, char* argv[]) {
  // An engine holds what is shared by everything: its configuration, compiled code. A store holds the
  // objects of one guest program: instances, memories, functions. One thread uses a store at a time.
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);

  printf("Compiling module...\n");
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "memory.wasm"));

  // The module imports nothing, so that the list of imports is empty. When a start function traps,
  // the trap arrives in the last argument; any other failure shows as NULL alone.
  printf("Instantiating module...\n");
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  own wasm_trap_t* trap = NULL;
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, &trap);
  fail_if_trapped(trap);
  if (instance == NULL) fail("instantiating");

  // The vector owns the exports. What find_func and find_memory return is borrowed from it.
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  const wasm_func_t* mem_size = find_func(module, &exports, "mem_size");
  const wasm_func_t* get_at = find_func(module, &exports, "get_at");
  const wasm_func_t* set_at = find_func(module, &exports, "set_at");
  wasm_memory_t* memory = find_memory(module, &exports, "memory");

  printf("Querying memory size...\n");
  wasm_memory_pages_t pages = wasm_memory_size(memory);
  printf("Memory size (pages): %" PRIu32 "\n", pages);
  printf("Memory size (pages as bytes): %zu\n", (size_t)pages * MEMORY_PAGE_SIZE);
  printf("Memory size (bytes): %zu\n", wasm_memory_data_size(memory));

  // A call takes its arguments and its results as arrays of tagged values. The arrays are the
  // caller's: here they stand on the stack.
  wasm_val_vec_t no_args = WASM_EMPTY_VEC;
  wasm_val_t result_values[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(result_values);
  fail_if_trapped(wasm_func_call(mem_size, &no_args, &results));
  printf("Memory size (pages): %" PRId32 "\n", result_values[0].of.i32);

  printf("Growing memory...\n");
  if (!wasm_memory_grow(memory, 2)) fail("growing the memory");
  printf("New memory size (pages): %" PRIu32 "\n", wasm_memory_size(memory));

  // Two addresses: one in the first page, one eight bytes before the end of the second.
  const int32_t cells[][2] = {
    {0x2220, 0xFEFEFFE},
    {0x20000 - 8, 0xFEA09},
  };
  for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); ++i) {
    wasm_val_t set_values[] = {WASM_I32_VAL(cells[i][0]), WASM_I32_VAL(cells[i][1])};
    wasm_val_vec_t set_args = WASM_ARRAY_VEC(set_values);
    wasm_val_vec_t no_results = WASM_EMPTY_VEC;
    fail_if_trapped(wasm_func_call(set_at, &set_args, &no_results));

    wasm_val_t get_values[] = {WASM_I32_VAL(cells[i][0])};
    wasm_val_vec_t get_args = WASM_ARRAY_VEC(get_values);
    fail_if_trapped(wasm_func_call(get_at, &get_args, &results));
    printf("Value at 0x%" PRIx32 ": %" PRId32 "\n", (uint32_t)cells[i][0], result_values[0].of.i32);
  }

  // Everything that is `own` is deleted, in whatever order is convenient.
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
