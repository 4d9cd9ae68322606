// Two threads, each with a store and an instance of its own, and one shared memory between them.
//
// A shared memory belongs to no store: the host makes it, and each store obtains it. The guests pass messages through it
// with atomic instructions, and wait for each other without burning time.

#include <pthread.h>

#include "example_util.h"

enum { MESSAGES = 1000 };

typedef struct {
  wasm_engine_t* engine;
  const wasm_shared_module_t* module;
  const tenon_shared_memory_t* memory;
  const char* function;
  int32_t result;
} side_t;

static void* run(void* arg) {
  side_t* side = arg;
  own wasm_store_t* store = wasm_store_new(side->engine);
  own wasm_module_t* module = wasm_module_obtain(store, side->module);
  if (module == NULL) fail("obtaining the module");
  own wasm_memory_t* memory = tenon_memory_obtain(store, side->memory);
  if (memory == NULL) fail("obtaining the memory");
  wasm_extern_t* externs[] = {wasm_memory_as_extern(memory)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  wasm_memory_delete(memory);

  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  const wasm_func_t* func = find_func(module, &exports, side->function);
  wasm_val_t values[] = {WASM_I32_VAL(MESSAGES)};
  wasm_val_t room[] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(values);
  wasm_val_vec_t results = {wasm_func_result_arity(func), room};
  fail_if_trapped(wasm_func_call(func, &args, &results));
  if (results.size == 1) side->result = room[0].of.i32;

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  return NULL;
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "shared-memory.wasm"));
  own wasm_shared_module_t* shared = wasm_module_share(module);
  wasm_module_delete(module);
  wasm_store_delete(store);

  // One page of 64 KiB, 32-bit addresses, shared.
  own wasm_memorytype_t* type = NULL;
  if (tenon_memorytype_new(1, true, 1, false, true, 16, &type) != NULL) fail("making the type");
  own tenon_shared_memory_t* memory = NULL;
  if (tenon_shared_memory_new(engine, type, &memory) != NULL) fail("making the memory");
  wasm_memorytype_delete(type);

  side_t sides[] = {
    {engine, shared, memory, "send", 0},
    {engine, shared, memory, "receive", 0},
  };
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) {
    if (pthread_create(&threads[i], NULL, run, &sides[i]) != 0) exit(1);
  }
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);

  // Both threads have ended: the host may look without atomics.
  int32_t counts[2];
  memcpy(counts, tenon_shared_memory_data(memory), sizeof(counts));
  printf("%" PRId32 " sent, %" PRId32 " received, their sum is %" PRId32 "\n", counts[0], counts[1],
         sides[1].result);

  tenon_shared_memory_delete(memory);
  wasm_shared_module_delete(shared);
  wasm_engine_delete(engine);
  return 0;
}
