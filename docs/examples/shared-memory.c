// A memory shared by stores: obtained by one, waited for on another thread, notified.
#include "example.h"

#include <pthread.h>

static void *wait_for_change(void *memory) {
  uint8_t result = 9;
  // Ten seconds at most; somebody notifies earlier.
  succeed(tenon_shared_memory_wait32(memory, 8, 0, 10000000000, &result));
  expect(result == TENON_WAIT_NOTIFIED || result == TENON_WAIT_NOT_EQUAL);
  return NULL;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_memorytype_t *type, *asked;
  succeed(tenon_memorytype_new(1, true, 2, false, true, 16, &type));
  tenon_shared_memory_t *memory;
  succeed(tenon_shared_memory_new(engine, type, &memory));
  expect(tenon_shared_memory_size(memory) == 1 && tenon_shared_memory_data_size(memory) == 65536);

  // A store's view of it, and back.
  wasm_memory_t *obtained = tenon_memory_obtain(store, memory);
  expect(obtained != NULL);
  expect(wasm_memory_data(obtained) == tenon_shared_memory_data(memory));
  tenon_shared_memory_t *shared = tenon_memory_share(obtained), *copy = tenon_shared_memory_copy(memory);
  expect(tenon_shared_memory_same(shared, memory) && tenon_shared_memory_same(copy, memory));
  tenon_shared_memory_delete(shared);
  asked = tenon_shared_memory_type(memory);
  expect(tenon_memorytype_is_shared(asked));
  wasm_memorytype_delete(asked);

  pthread_t thread;
  expect(pthread_create(&thread, NULL, wait_for_change, copy) == 0);
  uint32_t woken = 0;
  succeed(tenon_shared_memory_atomic_store(memory, 8, 4, 1));
  succeed(tenon_shared_memory_notify(memory, 8, 1, &woken));
  expect(woken <= 1);
  pthread_join(thread, NULL);
  tenon_shared_memory_delete(copy);

  uint8_t result = 9;
  succeed(tenon_shared_memory_wait64(memory, 16, 0, 1000, &result));
  expect(result == TENON_WAIT_TIMED_OUT);
  tenon_error_t *error = tenon_shared_memory_wait64(memory, 17, 0, 0, &result);
  expect(error != NULL);  // not a multiple of 8
  tenon_error_delete(error);

  // Atomic accesses of 1, 2, 4 or 8 bytes, in one order with those of WebAssembly.
  uint64_t old = 0, value = 0;
  succeed(tenon_shared_memory_atomic_rmw(memory, 8, 4, TENON_ATOMIC_ADD, 5, &old));
  succeed(tenon_shared_memory_atomic_cmpxchg(memory, 8, 4, 6, 7, &value));
  expect(old == 1 && value == 6);
  succeed(tenon_shared_memory_atomic_load(memory, 8, 4, &value));
  expect(value == 7);

  succeed(tenon_shared_memory_grow(memory, 1, &old));
  expect(old == 1 && wasm_memory_size(obtained) == 2);
  expect_error(tenon_shared_memory_grow(memory, 1, NULL), TENON_ERROR_LIMIT);

  tenon_shared_memory_delete(memory);
  wasm_memory_delete(obtained);
  wasm_memorytype_delete(type);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
