// Memories whose bytes the host provides, and memories that are promised never to move.
#include "example.h"

// Hands out zeros of the system's allocator, and counts.
typedef struct {
  int live;
} creator_t;

static bool allocate(void *env, const tenon_memory_request_t *request, tenon_host_memory_t *out) {
  // One that is pinned gets at once what it may ever need.
  size_t size = request->pinned ? request->maximum : request->size;
  out->data = aligned_alloc(request->alignment, size + request->alignment);
  if (out->data == NULL) return false;
  memset(out->data, 0, size);
  ++((creator_t *)env)->live;
  return true;
}

static bool grow(void *env, tenon_host_memory_t *memory, uint64_t old_size, uint64_t new_size) {
  uint8_t *place = aligned_alloc(16, new_size + 16);
  if (place == NULL) return false;
  memcpy(place, memory->data, old_size);
  memset(place + old_size, 0, new_size - old_size);
  free(memory->data);
  memory->data = place;
  return true;
}

static void give_back(void *env, tenon_host_memory_t *memory, uint64_t size) {
  free(memory->data);
  --((creator_t *)env)->live;
}

static void with_creator(void) {
  creator_t creator = {0};
  wasm_config_t *config = wasm_config_new();
  tenon_memory_creator_t functions = {allocate, grow, give_back, &creator, NULL};
  succeed(tenon_config_set_memory_creator(config, &functions));
  wasm_engine_t *engine = wasm_engine_new_with_config(config);
  wasm_store_t *store = wasm_store_new(engine);
  wasm_instance_t *instance = instance_of_text(store, "(module (memory 1) (data (i32.const 8) \"text\"))");
  wasm_memory_t *memory;
  succeed(tenon_instance_memory(instance, 0, &memory));
  succeed(tenon_memory_grow(memory, 3, NULL));
  expect(creator.live == 1 && memcmp(wasm_memory_data(memory) + 8, "text", 4) == 0 && !tenon_memory_is_pinned(memory));
  wasm_memory_delete(memory);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  expect(creator.live == 0);
}

static void pinned(void) {
  wasm_config_t *config = wasm_config_new();
  tenon_config_set_pinned_memories(config, true);
  wasm_engine_t *engine = wasm_engine_new_with_config(config);
  wasm_store_t *store = wasm_store_new(engine);
  wasm_memorytype_t *type, *unbounded;
  succeed(tenon_memorytype_new(1, true, 100, true, false, 16, &type));
  succeed(tenon_memorytype_new(1, false, 0, true, false, 16, &unbounded));
  wasm_memory_t *memory, *none;
  succeed(tenon_memory_new(store, type, &memory));
  byte_t *data = wasm_memory_data(memory);
  succeed(tenon_memory_grow(memory, 99, NULL));
  expect(tenon_memory_is_pinned(memory) && wasm_memory_data(memory) == data);
  // Nobody can promise that of 64-bit addresses without a maximum.
  expect_error(tenon_memory_new(store, unbounded, &none), TENON_ERROR_UNSUPPORTED);
  wasm_memory_delete(memory);
  wasm_memorytype_delete(type);
  wasm_memorytype_delete(unbounded);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

int main(void) {
  with_creator();
  pinned();
  return 0;
}
