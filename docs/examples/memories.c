// Memories: made, read and written, grown; types with 64-bit addresses and with pages of one byte.
#include "example.h"

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_limits_t limits = {1, 3};
  wasm_memorytype_t *type = wasm_memorytype_new(&limits), *asked;
  wasm_memory_t *memory = wasm_memory_new(store, type), *another;
  expect(memory != NULL);
  expect(wasm_memory_size(memory) == 1 && wasm_memory_data_size(memory) == MEMORY_PAGE_SIZE);
  wasm_memory_data(memory)[10] = 'x';
  expect(wasm_memory_grow(memory, 1));
  expect(wasm_memory_data(memory)[10] == 'x');  // asked again: the memory may have moved
  expect(wasm_memory_data(memory)[MEMORY_PAGE_SIZE] == 0);
  expect(!wasm_memory_grow(memory, 2) && wasm_memory_size(memory) == 2);
  asked = wasm_memory_type(memory);
  expect(wasm_memorytype_limits(asked)->min == 2);
  wasm_memorytype_delete(asked);

  // With reasons, and with more bits.
  uint64_t old = 0, max = 0;
  succeed(tenon_memory_grow(memory, 1, &old));
  expect(old == 2 && tenon_memory_size(memory) == 3 && tenon_memory_page_size(memory) == 65536);
  expect_error(tenon_memory_grow(memory, 1, NULL), TENON_ERROR_LIMIT);
  succeed(tenon_memory_new(store, type, &another));
  wasm_memory_delete(another);
  wasm_memory_delete(memory);
  wasm_memorytype_delete(type);

  succeed(tenon_memorytype_new(1, true, 2, true, false, 16, &type));
  expect(tenon_memorytype_is64(type) && !tenon_memorytype_is_shared(type));
  expect(tenon_memorytype_minimum(type) == 1 && tenon_memorytype_maximum(type, &max) && max == 2);
  wasm_memorytype_delete(type);
  succeed(tenon_memorytype_new(100, false, 0, false, false, 0, &type));
  expect(tenon_memorytype_page_size(type) == 1 && tenon_memorytype_page_size_log2(type) == 0);
  succeed(tenon_memory_new(store, type, &memory));
  expect(wasm_memory_data_size(memory) == 100);
  wasm_memory_delete(memory);
  wasm_memorytype_delete(type);
  expect_error(tenon_memorytype_new(1, false, 0, false, true, 16, &type), TENON_ERROR_ARGUMENT);
  expect(type == NULL);  // a shared memory needs a maximum

  // As an external it has a type, too.
  type = wasm_memorytype_new(&limits);
  memory = wasm_memory_new(store, type);
  wasm_externtype_t *external = wasm_extern_type(wasm_memory_as_extern(memory));
  expect(wasm_externtype_kind(external) == WASM_EXTERN_MEMORY);
  wasm_externtype_delete(external);
  wasm_memory_delete(memory);
  wasm_memorytype_delete(type);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
