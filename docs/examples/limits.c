// What a store may have: limits, what is in use, and a callback that is asked before a memory grows and told afterwards.
#include "example.h"

// Allows growth up to a number of pages, and counts what happened.
typedef struct {
  uint64_t most;
  int grown;
} policy_t;

static bool before(void *env, const tenon_growth_t *growth, wasm_trap_t **trap) {
  (void)trap;  // a trap that is stored here is raised in WebAssembly
  return growth->kind != WASM_EXTERN_MEMORY || growth->new_size <= ((policy_t *)env)->most;
}

static void after(void *env, const tenon_growth_t *growth) {
  // Addresses and views of the memory are stale now.
  expect(tenon_memory_size(wasm_extern_as_memory_const(growth->item)) == growth->new_size);
  ++((policy_t *)env)->grown;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_instance_t *instance = instance_of_text(store,
    "(module (memory (export \"memory\") 1 100) (func (export \"grow\") (result i32) (memory.grow (i32.const 1))))");
  wasm_memory_t *memory;
  succeed(tenon_instance_memory(instance, 0, &memory));

  // A limit of the store, which is another failure than the maximum of the type.
  expect(tenon_store_usage(store, TENON_LIMIT_MEMORY_BYTES) == 65536 && tenon_store_usage(store, TENON_LIMIT_INSTANCES) == 1);
  succeed(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 4 * 65536));
  expect(tenon_store_limit(store, TENON_LIMIT_MEMORY_BYTES) == 4 * 65536);
  expect_error(tenon_memory_grow(memory, 4, NULL), TENON_ERROR_STORE_LIMIT);
  expect_error(tenon_memory_grow(memory, 100, NULL), TENON_ERROR_LIMIT);

  policy_t policy = {3, 0};
  succeed(tenon_store_set_growth_callbacks(store, before, after, &policy, NULL));
  succeed(tenon_memory_grow(memory, 1, NULL));
  succeed(tenon_memory_grow(memory, 1, NULL));
  expect_error(tenon_memory_grow(memory, 1, NULL), TENON_ERROR_STORE_LIMIT);  // refused
  expect(policy.grown == 2);

  // memory.grow gives -1 then, or traps.
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_val_t result = WASM_INIT_VAL;
  wasm_val_vec_t none = WASM_EMPTY_VEC, results = {1, &result};
  wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(exports.data[1]), &none, &results);
  expect(trap == NULL && result.of.i32 == -1);
  succeed(tenon_store_set_growth_traps(store, true));
  trap = wasm_func_call(wasm_extern_as_func(exports.data[1]), &none, &results);
  expect(trap != NULL && tenon_trap_code(trap) == TENON_TRAP_ALLOCATION_FAILURE);
  wasm_trap_delete(trap);

  wasm_extern_vec_delete(&exports);
  wasm_memory_delete(memory);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
