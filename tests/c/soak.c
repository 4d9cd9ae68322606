// Resident memory over many rounds: flat. The numbers of rounds are the arguments' (instances, memories), or what a test can wait for.

#include "test_util.h"

static void report(const char* what, long rounds, long before, long most) {
  long after = resident_kib();
  printf("%ld %s: %ld KiB before, %ld KiB after\n", rounds, what, before, after);
  if (getenv("TENON_TEST_SLOW") == NULL) CHECK(after - before <= most);
}

// Instances of several modules in one store, none of which is kept.
static void instances(long count) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  const char* texts[] = {
    "(module (func (export \"f\") (result i32) (i32.const 1)))",
    "(module (memory 1) (data (i32.const 8) \"\\01\") (func (export \"f\") (result i32) (i32.load (i32.const 8))))",
    "(module (memory 40) (data (i32.const 100000) \"\\01\") (func (export \"f\") (result i32)"
    " (i32.store (i32.const 2000000) (i32.const 7)) (drop (memory.grow (i32.const 1))) (i32.load (i32.const 100000))))",
    "(module (table 100 funcref) (elem (i32.const 99) $f) (func $f (export \"f\") (result i32) (i32.const 1))"
    " (func (export \"g\") (result i32) (call_indirect (result i32) (i32.const 99))))",
  };
  enum { MODULES = sizeof(texts) / sizeof(texts[0]) };
  own wasm_module_t* modules[MODULES];
  for (int i = 0; i < MODULES; ++i) modules[i] = module_of(store, texts[i]);
  long before = 0;
  for (long i = 0; i < count; ++i) {
    if (i == count / 10) before = resident_kib();
    own wasm_instance_t* instance = wasm_instance_new(store, modules[i % MODULES], NULL, NULL);
    REQUIRE(instance != NULL);
    own wasm_func_t* func = func_of(instance, 0);
    wasm_instance_delete(instance);
    REQUIRE(returns(func, 1));
    wasm_func_delete(func);
  }
  report("instances", count, before, 1024);
  for (int i = 0; i < MODULES; ++i) wasm_module_delete(modules[i]);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

// Memories of 1 MiB, all of it written to.
static void memories(long count) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  long before = resident_kib();
  for (long i = 0; i < count; ++i) {
    own wasm_memory_t* memory = new_memory(store, 16, 16);
    REQUIRE(memory != NULL);
    memset(wasm_memory_data(memory), 1, wasm_memory_data_size(memory));
    wasm_memory_delete(memory);
  }
  report("memories of 1 MiB", count, before, 50 << 10);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  report("memories of 1 MiB, and the engine is gone", count, before, 2 << 10);
}

// Tens of thousands of small memories that live at the same time, without reservations.
static void dense(long count) {
  own wasm_config_t* config = wasm_config_new();
  tenon_config_set_dense_memories(config, true);
  tenon_config_set_pooled_memories(config, 0);
  own wasm_engine_t* engine = wasm_engine_new_with_config(config);
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = module_of(store,
    "(module (memory 1) (data (i32.const 0) \"\\01\") (func (export \"f\") (result i32) (i32.load (i32.const 0))))");
  own wasm_instance_t** all = calloc((size_t)count, sizeof(*all));
  REQUIRE(all != NULL);
  long before = resident_kib();
  for (long i = 0; i < count; ++i) {
    all[i] = wasm_instance_new(store, module, NULL, NULL);
    REQUIRE(all[i] != NULL);
  }
  printf("%ld live instances, %ld KiB\n", count, resident_kib() - before);
  for (long i = 0; i < count; i += 997) {
    own wasm_func_t* func = func_of(all[i], 0);
    CHECK(returns(func, 1));
    wasm_func_delete(func);
  }
  for (long i = 0; i < count; ++i) wasm_instance_delete(all[i]);
  free(all);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

int main(int argc, char* argv[]) {
  instances(argc > 1 ? atol(argv[1]) : rounds(200000, 400));
  memories(argc > 2 ? atol(argv[2]) : rounds(3000, 20));
  dense(argc > 3 ? atol(argv[3]) : rounds(40000, 200));
  return check_done();
}
